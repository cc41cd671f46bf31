"""Find anything: which resources, now or ever, have something to do with a text.

Two steps. The first runs over every type's version table and picks the keys that fit best; it reads the search text
and the name, nothing else. The second (`find_rows`) reads the versions of those few keys and says since when, until
when and by which value each of them fits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from store.estate.reading import limits
from store.estate.reading.find_terms import MIN_FRAGMENT, Term
from store.estate.reading.models import Key, Scope
from store.estate.reading.order import run
from store.estate.reading.relation import Moment, Relation, quoted
from store.estate.reading.single import label_column
from store.types import registry
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb

EVERYTHING = Scope()
EXACT_ID, EXACT_NAME, EXACT, PREFIX, CONTAINS = range(5)  # ranks: how well a row fits

# What people mean most often when they ask "what is this?"; all other types follow as they are declared.
_FIRST = (
    "server", "port", "floating_ip", "router", "subnet", "network", "hypervisor", "volume", "snapshot", "backup",
    "image", "project", "user", "keypair", "flavor", "security_group",
)  # fmt: skip
_ORDER = {name: number for number, name in enumerate(dict.fromkeys((*_FIRST, *registry.ALL)))}


def place_of(type: ResourceType) -> int:
    """Where the type stands among the others in an answer."""
    return _ORDER[type.name]


# Columns whose values are prefixes that an address may lie in.
PREFIX_COLUMNS = {"subnet": "cidr", "port": "allowed_addresses"}

# A prefix of IPv6 is judged by its values, not by the text: more rows are read than are wanted.
LOOSE = 2000
SMALL = 5000  # rows

Sql = tuple[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Hit:
    """A resource that fits: `rank` of its best version, whether it is there (at the time asked for, else now)."""

    type: ResourceType
    key: Key
    rank: int
    gone: bool
    last: datetime

    @property
    def place(self) -> tuple[Any, ...]:
        """Where it stands among the others: the better fit, what is there, the type, what was there last."""
        return self.rank, self.gone, place_of(self.type), -self.last.timestamp(), self.key


def hits(
    connection: duckdb.DuckDBPyConnection,
    term: Term,
    types: Iterable[ResourceType],
    at: datetime | None,
    scope: Scope = EVERYTHING,
    limit: int = 50,
) -> tuple[list[Hit], bool]:
    """(the best `limit` resources that fit, best first; whether there are more). `at` None: now and ever before.

    Of a prefix of IPv6 more than `limit`, some of which do not fit: see LOOSE.
    """
    asked = _worth_asking(connection, term, types)
    loose = term.network is not None and term.network.version == 6
    wanted = LOOSE if loose else limit + 1
    found: list[Hit] = []
    more = False
    for type in asked:
        sql, parameters = _statement(term, type, at, scope, wanted)
        some = run(connection, sql, parameters).fetchall()
        more = more or len(some) == wanted
        found += [Hit(type, (cloud, region, id), rank, gone, last) for cloud, region, id, rank, gone, last in some]
    found.sort(key=lambda hit: hit.place)
    return (found, more) if loose else (found[:limit], len(found) > limit)


def _worth_asking(
    connection: duckdb.DuckDBPyConnection, term: Term, types: Iterable[ResourceType]
) -> list[ResourceType]:
    """Types with rows; of those with few, only where one fits. A statement costs more than it reads there: asking all
    small types at once took 4 ms, one by one 36.
    """
    filled = _filled(connection)
    there = [type for type in types if filled.get(type.table)]
    small = [type for type in there if filled[type.table] < SMALL]
    if not small:
        return there
    parts, values = [], []
    for type in small:
        fits, more = condition(term, type)
        parts.append(f"SELECT '{type.name}' FROM {quoted(type.table)} t WHERE {fits} GROUP BY ALL")
        values += more
    fitting = {name for (name,) in run(connection, " UNION ALL ".join(parts), values).fetchall()}
    return [type for type in there if type.name in fitting or filled[type.table] >= SMALL]


def _filled(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows of each table, as DuckDB knows them without reading: many types of most clouds have none."""
    sql = "SELECT table_name, estimated_size FROM duckdb_tables() WHERE NOT internal"
    return dict(connection.execute(sql).fetchall())


def _statement(term: Term, type: ResourceType, at: datetime | None, scope: Scope, limit: int) -> Sql:
    """The type's keys that fit, best first: cloud, region, id, rank, gone, last."""
    now = Relation(type, Moment(None))  # limits are judged by what is known now, also of what is gone
    limited, limit_values = limits.condition(now, scope)
    fits, fit_values = condition(term, type)
    rank, rank_values = _rank(term, type)
    when = "true" if at is None else Moment(at).of("t")
    sql = (
        f"WITH fit AS (SELECT t.cloud, t.region, t.id, t.valid_from, t.valid_to, {rank} AS rank {now.from_clause}"
        f" WHERE {fits} AND {when} AND ({limited}))"
        f" SELECT cloud, region, id, min(rank) AS best, {'bool_and(valid_to IS NOT NULL)' if at is None else 'false'}"
        f" AS gone, max(coalesce(valid_to, TIMESTAMP '9999-01-01')) AS last FROM fit GROUP BY ALL"
        f" ORDER BY best, gone, last DESC, cloud, region, id LIMIT {int(limit)}"
    )
    return sql, [*rank_values, *fit_values, *limit_values]


def condition(term: Term, type: ResourceType) -> Sql:
    """The condition of having to do with the term, on the version table as `t`."""
    parts: list[Sql] = []
    if term.kind == "prefix":
        begin = term.needles[0]
        parts.append(("(contains(t.search, ?) OR starts_with(t.search, ?))", [f" {begin}", begin]))
        if term.pattern:
            both = "(regexp_matches(t.search, ?) OR regexp_matches(t.search, ?))"
            parts.append((both, [f" {term.pattern}", f"^{term.pattern}"]))
        return _or_within(parts, term, type)
    if term.needles:
        parts.append(_any("contains(t.search, ?)", term.needles))
    parts += [_word(word) for word in term.words]
    if term.pattern:
        parts.append(("regexp_matches(t.search, ?)", [term.pattern]))
    return _or_within(parts, term, type)


def _word(word: str) -> Sql:
    """The condition of having the word; one that is too short for a piece of an id must be elsewhere, or be the id."""
    if len(word) >= MIN_FRAGMENT:
        return "contains(t.search, ?)", [word]
    # The search text ends with a blank and the id. A word has no blank, so where it begins says where it is; cutting
    # the id off each text took three times as long.
    elsewhere = "(instr(t.search, ?) <= length(t.search) - length(t.id) OR lower(t.id) = ?)"
    return f"(contains(t.search, ?) AND {elsewhere})", [word] * 3


def _or_within(parts: list[Sql], term: Term, type: ResourceType) -> Sql:
    sql = " AND ".join(sql for sql, _ in parts)
    values = [value for _, some in parts for value in some]
    within = _within(term, type)
    return (f"({sql})", values) if within is None else (f"(({sql}) OR {within[0]})", [*values, *within[1]])


def _within(term: Term, type: ResourceType) -> Sql | None:
    """The condition of having a prefix that the address lies in: one of 32 (or 128) texts."""
    column = PREFIX_COLUMNS.get(type.name)
    if not term.networks or column is None:
        return None
    marks = ", ".join("?" * len(term.networks))
    if type.column(column).sql == "VARCHAR[]":
        sql = f"(contains(t.search, '/') AND list_has_any(t.{column}, [{marks}]))"
    else:
        sql = f"t.{column} IN ({marks})"
    return sql, list(term.networks)


def _any(sql: str, values: Iterable[str]) -> Sql:
    some = list(values)
    return "(" + " OR ".join([sql] * len(some)) + ")", some


def _rank(term: Term, type: ResourceType) -> Sql:
    """How well a row that fits does so. A value is whole where blanks are around it in the search text, which always
    ends with the id; of metadata `key=value` also the value counts."""
    label = f"lower(t.{label_column(type)})"
    exact = list(dict.fromkeys((term.text, *term.needles))) if term.kind != "prefix" else [term.text]
    tests: list[tuple[int, Sql]] = [
        (EXACT_ID, _any("t.id = ?", exact)),
        (EXACT_NAME, (f"{label} = ?", [term.text])),
        (EXACT, _any("contains(t.search, ?)", [f"{edge}{text} " for text in exact for edge in (" ", "=")])),
        (EXACT, _any("starts_with(t.search, ?)", [f"{text} " for text in exact])),
    ]
    if term.kind == "prefix":
        tests.append((PREFIX, ("true", [])))
    else:
        if len(term.text) >= MIN_FRAGMENT:
            tests.append((PREFIX, _any("starts_with(t.id, ?)", exact)))
        tests.append((PREFIX, (f"starts_with({label}, ?)", [term.text])))
        within = _within(term, type)
        if within is not None:
            tests.append((PREFIX, within))
    cases = " ".join(f"WHEN {sql} THEN {rank}" for rank, (sql, _) in tests)
    return f"CASE {cases} ELSE {CONTAINS} END", [value for _, (_, values) in tests for value in values]
