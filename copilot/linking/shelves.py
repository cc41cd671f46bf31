"""Keeps the names of everything in memory: read when they are first looked at, and again when they changed.

What a person may not see is not read for it: every scope has shelves of its own. When data of the estate changed, one
statement tells of which types the names did; a machine that was stopped is no reason to read all names again.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from copilot.linking.shelf import Fingerprint, Shelf
from copilot.sources import Sources
from store.estate.reading import limits
from store.estate.reading.find import place_of
from store.estate.reading.models import Scope
from store.estate.reading.order import run
from store.estate.reading.relation import Moment, Relation
from store.estate.reading.single import label_column
from store.types import registry
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb
    import pyarrow

MOST_ROWS = 400_000  # in all scopes; some 60 MB
MOST_SCOPES = 16

# What people also call a resource by.
ALSO = {"subnet": "cidr", "user": "email", "hypervisor": "name"}
_FIRST_LABEL = re.compile(r"([^.]*[^.0-9][^.]*)\..+")  # of a host's full name, unless it is an address

# Types with names, those that people mean most often first.
NAMED: tuple[str, ...] = tuple(
    type.name for type in sorted(registry.ALL.values(), key=place_of) if label_column(type) != "id"
)


@dataclass(slots=True)
class _Kept:
    """Shelves of one scope. `checked`: type -> data versions of which it is known that the shelf is right."""

    shelves: dict[str, Shelf] = field(default_factory=dict)
    checked: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(map(len, self.shelves.values()))


class Shelves:
    """The kept shelves of one estate. Thread-safe."""

    def __init__(self, most_rows: int = MOST_ROWS) -> None:
        self._most_rows = most_rows
        self._kept: OrderedDict[Scope, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def rows(self) -> int:
        """Names kept, of all scopes."""
        with self._lock:
            return sum(map(len, self._kept.values()))

    def of(self, sources: Sources, types: Sequence[str]) -> list[Shelf]:
        """The shelves of the types in the asker's scope, in the same order. Raises NotAvailable."""
        scope = sources.scope
        # Before the data: what changes meanwhile is looked at again.
        versions = {name: tuple(map(sources.version, _made_of(name, scope.domains is not None))) for name in types}
        with self._lock:
            kept = self._kept.setdefault(scope, _Kept())
            self._kept.move_to_end(scope)
            stale = [name for name in types if kept.checked.get(name) != versions[name]]
            known = {name: kept.shelves[name].fingerprint for name in stale if name in kept.shelves}
        if stale:
            # Not under the lock: nobody waits for what another one reads. Two who read the same get the same.
            found, fresh = sources.read(lambda connection: _read(connection, scope, stale, known))
            with self._lock:
                kept.shelves.update(fresh)
                for name in stale:
                    if kept.shelves[name].fingerprint == found[name]:  # nobody put an older one there
                        kept.checked[name] = versions[name]
                self._make_room()
        return [kept.shelves[name] for name in types]

    def _make_room(self) -> None:
        while len(self._kept) > 1 and (
            len(self._kept) > MOST_SCOPES or sum(map(len, self._kept.values())) > self._most_rows
        ):
            self._kept.popitem(last=False)


def _read(
    connection: duckdb.DuckDBPyConnection, scope: Scope, types: Sequence[str], known: dict[str, Fingerprint]
) -> tuple[dict[str, Fingerprint], dict[str, Shelf]]:
    """The types' fingerprints, and the shelves of those whose names are not those of the known fingerprints."""
    found = _fingerprints(connection, scope, types)
    moved = [name for name in types if found[name] != known.get(name)]
    return found, {name: _shelf(connection, scope, registry.ALL[name], found[name]) for name in moved}


@cache
def _made_of(type: str, in_domains: bool) -> tuple[str, ...]:
    """Types whose rows decide which names of the type are seen; domains are those of projects."""
    relation = Relation(registry.ALL[type], Moment(None))
    _columns(relation)
    limits.condition(relation, Scope(projects=(), in_projects=()))
    return tuple(sorted(relation.types | ({"project"} if in_domains else set())))


def _fingerprints(connection: duckdb.DuckDBPyConnection, scope: Scope, types: Iterable[str]) -> dict[str, Fingerprint]:
    """In one statement: one for each type costs more than it reads."""
    parts: list[str] = []
    values: list[Any] = []
    for name in types:
        columns, source, some = _from(registry.ALL[name], scope)
        parts.append(f"SELECT '{name}', count(*), coalesce(bit_xor(hash({', '.join(columns)})), 0) {source}")
        values += some
    rows = run(connection, " UNION ALL ".join(parts), values).fetchall()
    return {name: (int(count), int(sum_)) for name, count, sum_ in rows}


def _from(type: ResourceType, scope: Scope) -> tuple[list[str], str, list[Any]]:
    """SQL of the columns cloud, region, id, name, owner, also; FROM and WHERE; the values."""
    relation = Relation(type, Moment(None))
    columns = _columns(relation)
    within, values = limits.condition(relation, scope)
    return columns, f"{relation.from_clause} WHERE {relation.at('t')} AND ({within})", values


def _columns(relation: Relation) -> list[str]:
    type = relation.type
    owner = "domain_id" if type.name == "project" else type.owner or type.domain
    names = ("cloud", "region", "id", label_column(type), owner, ALSO.get(type.name, ""))
    return [relation.column(name) if name else "NULL::VARCHAR" for name in names]


def _shelf(connection: duckdb.DuckDBPyConnection, scope: Scope, type: ResourceType, fingerprint: Fingerprint) -> Shelf:
    columns, source, values = _from(type, scope)
    titles = ("cloud", "region", "id", "name", "owner", "also")
    picked = ", ".join(f"{sql} AS {title}" for sql, title in zip(columns, titles, strict=True))
    table = run(connection, f"SELECT {picked} {source}", values).to_arrow_table().combine_chunks()
    return Shelf(type.name, _packed(type, table), fingerprint)


def _packed(type: ResourceType, table: pyarrow.Table) -> pyarrow.Table:
    """Values that are often the same stored once; a host's full name is also known by its first part."""
    import pyarrow

    if type.name == "hypervisor":
        also = [
            (found[1] if (found := _FIRST_LABEL.fullmatch(name or "")) else None) for name in table["also"].to_pylist()
        ]
        table = table.set_column(5, "also", pyarrow.array(also, pyarrow.string()))
    for place, title in ((0, "cloud"), (1, "region"), (4, "owner")):
        table = table.set_column(place, title, table.column(title).dictionary_encode())
    return table
