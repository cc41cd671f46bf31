"""Since when and until when the resources found fit, and by which value: their versions, joined into periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from store.estate.reading import limits
from store.estate.reading.find import Hit
from store.estate.reading.find_match import Match, match, searched
from store.estate.reading.find_terms import Term
from store.estate.reading.models import Key, Scope
from store.estate.reading.order import run
from store.estate.reading.relation import Moment, Relation
from store.estate.reading.single import label_column
from store.times import naive
from store.types.declaration import Joined, ResourceType

if TYPE_CHECKING:
    import duckdb

MOST_VERSIONS = 5000  # of all resources of one type that were found
# Kinds of which every period counts: who had the address then, and who before.
_HISTORIES = ("address", "prefix", "mac")
# Columns that an answer is made from, where a type has them.
_USED = ("project_id", "user_id", "host", "device_owner", "device_id", "network_id", "metadata", "fixed_ip", "port_id")


@dataclass(slots=True)
class Period:
    """A resource, while it fits by one value.

    row    values of the last version in it: id, searched columns and those of `_USED`
    start  when it began to fit so; `end` when it ended, None when it still does (naive UTC)
    gone   the resource is not there any more
    """

    type: ResourceType
    key: Key
    match: Match
    start: datetime
    end: datetime | None
    gone: bool
    row: dict[str, Any]

    @property
    def name(self) -> str | None:
        """What the resource was called then."""
        return self.row.get(label_column(self.type)) or None

    @property
    def machine_id(self) -> str | None:
        """Id of the server that it belonged to, or was."""
        if self.type.name == "server":
            return self.key[2]
        column = machine_column(self.type)
        return self.row.get(column) or None if column else None


def machine_column(type: ResourceType) -> str:
    """The column with the id of the server that a row belongs to; "" when there is none."""
    for column in type.joined:
        if isinstance(column, Joined) and column.type == "server" and column.key == "id":
            return column.on
    return ""


def periods(
    connection: duckdb.DuckDBPyConnection, term: Term, hits: Sequence[Hit], at: datetime | None, scope: Scope
) -> list[Period]:
    """Periods of the resources, in no order. `at`: only those that it lies in."""
    found: list[Period] = []
    by_type: dict[ResourceType, set[Key]] = {}
    for hit in hits:
        by_type.setdefault(hit.type, set()).add(hit.key)
    for type, keys in by_type.items():
        found += _periods(connection, term, type, keys, scope)
    if at is not None:
        when = naive(at)
        found = [one for one in found if one.start <= when and (one.end is None or one.end > when)]
    return found if term.kind in _HISTORIES else _latest(found)


def _periods(
    connection: duckdb.DuckDBPyConnection, term: Term, type: ResourceType, keys: set[Key], scope: Scope
) -> list[Period]:
    found: list[Period] = []
    open_: Period | None = None
    rows = _versions(connection, type, keys, scope)
    last = {key: end for key, _, end, _ in rows}  # rows are in the order of time
    for key, start, end, row in rows:
        fits = match(term, type, row)
        if fits is None:
            continue
        one = Period(type, key, fits, start, end, last[key] is not None, row)
        if open_ is not None and _goes_on(open_, one):
            open_.end, open_.row, open_.match = end, row, min(open_.match, fits)
        else:
            found.append(one)
            open_ = one
    return found


def _goes_on(before: Period, after: Period) -> bool:
    return (
        before.key == after.key
        and before.end is not None
        and before.end >= after.start
        and before.match.value == after.match.value
        and before.machine_id == after.machine_id
    )


def _latest(found: list[Period]) -> list[Period]:
    """Of every resource the period that ended last."""
    best: dict[tuple[str, Key], Period] = {}
    for one in found:
        known = best.get((one.type.name, one.key))
        if known is None or (one.end is None, one.end or one.start) >= (known.end is None, known.end or known.start):
            best[one.type.name, one.key] = one
    return list(best.values())


def _versions(
    connection: duckdb.DuckDBPyConnection, type: ResourceType, keys: set[Key], scope: Scope
) -> list[tuple[Key, datetime, datetime | None, dict[str, Any]]]:
    """(key, valid_from, valid_to, row) by key and time; the newest MOST_VERSIONS of all."""
    relation = Relation(type, Moment(None))
    limited, parameters = limits.condition(relation, scope)
    stored = [column.name for column in type.columns]
    wanted = [column.name for column in searched(type)]
    wanted += [name for name in (*_USED, machine_column(type)) if name in stored]
    names = list(dict.fromkeys(name for name in wanted if name not in ("cloud", "region", "id")))
    picked = ", ".join(relation.column(name) for name in ("cloud", "region", "id", "valid_from", "valid_to", *names))
    ids = sorted({key[2] for key in keys})
    marks = ", ".join("?" * len(ids))
    sql = (
        f"SELECT {picked} {relation.from_clause} WHERE t.id IN ({marks}) AND ({limited})"
        f" ORDER BY t.valid_from DESC LIMIT {MOST_VERSIONS}"
    )
    rows = [
        ((cloud, region, id), start, end, {"id": id, **dict(zip(names, values, strict=True))})
        for cloud, region, id, start, end, *values in run(connection, sql, [*ids, *parameters]).fetchall()
    ]
    return sorted((row for row in rows if row[0] in keys), key=lambda row: row[:2])
