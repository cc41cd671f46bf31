"""Long lists of changes between two times, read by windows: differences, single changes, and what changed most.

A list is found once and kept while the data stays as it is; filtered and sorted it is an order over it. What a row says
of its change in words is looked up for the rows of a window only. Blocks; safe on any thread.
"""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from engine.api.errors import BadRequest
from engine.history import rules
from engine.history.service import HistoryService
from store import filter_rows, filters, times
from store.estate.reading import changes_compare, changes_most, changes_rows, changes_versions
from store.estate.reading.changes import Span, moved
from store.estate.reading.changes_rows import Event
from store.estate.reading.models import Scope
from store.estate.reading.order import run
from store.types import registry
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb

Mode = Literal["net", "each", "most"]
MOST_ENTRIES = 100_000  # of one list, the newest; about 400 bytes each
MOST_EVENTS = 20_000  # single changes: the newest
MOST_KEPT = 250_000  # of all lists together
MOST_ORDERS = 8
COLUMNS = ("key", "type", "cloud", "region", "id", "change", "at", "name", "project", "what", "field", "times",
           "old", "new")  # fmt: skip
# Other words by which a kind of change may be asked for: the same ones in every list.
WORDS = {"created": "new", "deleted": "gone", "new": "created", "gone": "deleted", "returned": "back",
         "discovered": "found"}  # fmt: skip
FIELDS = ("type", "name", "change", "project", "cloud", "region", "id", "field", "times", "at")
SORTS = ("at", "type", "name", "change", "project", "cloud", "region", "id", "times")


class Entry(NamedTuple):
    """One row of a list; times naive UTC."""

    type: str
    cloud: str
    region: str
    id: str
    change: str
    at: datetime
    name: str | None
    project_id: str | None
    old: datetime | None = None
    new: datetime | None = None
    field: tuple[str, ...] = ()
    times: int = 1

    @property
    def place(self) -> tuple[str, str, str]:
        """The resource's key."""
        return self.cloud, self.region, self.id


@dataclass(frozen=True, slots=True)
class Asked:
    """Which list: the changes between two times. `live`: up to now, so that only new data makes it another list."""

    mode: Mode
    span: Span
    live: bool
    types: tuple[str, ...]
    scope: Scope


@dataclass(frozen=True, slots=True)
class Order:
    """Places of entries in a list, filtered and sorted; `counts`: how many of each kind of change."""

    numbers: Sequence[int]
    counts: Mapping[str, int]


@dataclass(slots=True)
class Found:
    """A list as it was found. `left_out`: older ones than these."""

    span: Span
    entries: list[Entry]
    left_out: int
    projects: Mapping[tuple[str, str], str | None]
    orders: OrderedDict[Any, Order] = field(default_factory=OrderedDict)
    words: dict[int, str] = field(default_factory=dict)

    def ordered(self, numbers: Sequence[int]) -> Order:
        """These entries as an order, with how many there are of each kind."""
        counts: dict[str, int] = {}
        for number in numbers:
            kind = self.entries[number].change
            counts[kind] = counts.get(kind, 0) + 1
        return Order(array("I", numbers), counts)


class ChangeLists:
    """Lists of changes of one estate."""

    def __init__(self, history: HistoryService) -> None:
        self.history = history
        self._kept: OrderedDict[Any, Found] = OrderedDict()
        self._lock = threading.Lock()
        self._finding = threading.Lock()

    def window(
        self, asked: Asked, filter: str, sort: Sequence[tuple[str, bool]], anchor: Any, before: int, after: int
    ) -> dict[str, Any]:
        """Rows around the anchor: "start", "end", a rank, or a row's key. Raises BadRequest."""
        found, ordered = self._order(asked, filter, sort)
        order = ordered.numbers
        index = self._index(asked.mode, found, order, anchor)
        middle = 0 if index is None else index
        start, stop = max(0, middle - before), min(len(order), middle + after + 1)
        shown = order[start:stop]
        words = self._words(asked, found, shown)
        return {
            "columns": COLUMNS,
            "rows": [_row(asked.mode, found, number, words) for number in shown],
            "anchor_index": None if index is None else index - start,
            "has_before": start > 0,
            "has_after": stop < len(order),
            "total": len(order),
            "counts": ordered.counts,
            "left_out": found.left_out,
            "from": found.span.since,
            "to": found.span.until,
        }

    def position(self, asked: Asked, filter: str, sort: Sequence[tuple[str, bool]], anchor: Any) -> dict[str, Any]:
        """{total, rank}: how long the list is, and where the anchor stands in it."""
        found, ordered = self._order(asked, filter, sort)
        order = ordered.numbers
        return {"total": len(order), "rank": self._index(asked.mode, found, order, anchor)}

    # Finding

    def _order(self, asked: Asked, filter: str, sort: Sequence[tuple[str, bool]]) -> tuple[Found, Order]:
        try:
            tree = filters.parse(filter)
        except filters.FilterError as error:
            at = f"(at character {error.position + 1})"
            raise BadRequest(f"Invalid parameter: filter: {error.message} {at}") from None
        if problem := filter_rows.problem(filter, FIELDS):
            raise BadRequest(f"Invalid parameter: filter: {problem}")
        for name, _ in sort:
            if name not in SORTS:
                raise BadRequest(f"Invalid parameter: sort: one of {', '.join(SORTS)}")
        found, now = self._found(asked), self.history.reads.clock()
        # What passes by its age passes another minute no more.
        aged = any(match.column == "age" for match in filters.matches(tree))
        which = (filter, tuple(sort), now.replace(second=0, microsecond=0) if aged else None)
        with self._lock:
            if which in found.orders:
                found.orders.move_to_end(which)
                return found, found.orders[which]
        entries = found.entries
        order = [
            number
            for number, entry in enumerate(entries)
            if filter_rows.passes(tree, _sifted(entry, found.projects), now)
        ] if filter else list(range(len(entries)))  # fmt: skip
        for column, descending in reversed(list(sort)):
            _sort(order, entries, found.projects, column, descending)
        ordered = found.ordered(order)
        with self._lock:
            found.orders[which] = ordered
            while len(found.orders) > MOST_ORDERS:
                found.orders.popitem(last=False)
        return found, ordered

    def _found(self, asked: Asked) -> Found:
        types = [registry.ALL[name] for name in asked.types]
        until = None if asked.live else asked.span.until
        version = self.history.reads.estate.data_version
        name = (asked.mode, asked.span.since, until, asked.types, asked.scope, tuple(version(t) for t in asked.types))
        if (known := self._known(name)) is not None:
            return known
        with self._finding:  # whoever asks for the same list meanwhile finds it here
            if (known := self._known(name)) is not None:
                return known
            found = self._find(asked, types)
            with self._lock:
                self._kept[name] = found
                while len(self._kept) > 1 and sum(len(one.entries) for one in self._kept.values()) > MOST_KEPT:
                    self._kept.popitem(last=False)
        return found

    def _known(self, name: Any) -> Found | None:
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def _find(self, asked: Asked, types: Sequence[ResourceType]) -> Found:
        span, scope = asked.span, asked.scope

        def each(connection: duckdb.DuckDBPyConnection, versions: Mapping[str, int]) -> Found:
            counts = self.history.counts(connection, types, versions, span, scope)
            total = self.history.total(connection, types, counts, versions, span, scope)
            events = self.history.newest(connection, types, counts, span, scope, MOST_EVENTS)
            return _each(connection, span, events, total)

        if asked.mode == "each":
            return self.history.read(types, each)
        work = _net if asked.mode == "net" else _most
        return self.history.reads.read(lambda connection: work(connection, types, span, scope))

    @staticmethod
    def _index(mode: Mode, found: Found, order: Sequence[int], anchor: Any) -> int | None:
        if not order:
            return None
        if anchor == "start":
            return 0
        if anchor == "end":
            return len(order) - 1
        if isinstance(anchor, int):
            return min(max(anchor, 0), len(order) - 1)
        wanted = tuple(anchor)
        return next(
            (
                place
                for place, number in enumerate(order)
                if found.entries[number].id == wanted[3] and key_of(mode, found.entries[number]) == wanted
            ),
            None,
        )

    # What rows say

    def _words(self, asked: Asked, found: Found, shown: Sequence[int]) -> dict[int, str]:
        with self._lock:
            known = {number: found.words[number] for number in shown if number in found.words}
        missing = [number for number in shown if number not in known]
        if missing:
            tell = self._tell_each if asked.mode == "each" else self._tell_net
            known |= tell(asked, found, missing)
            with self._lock:
                if len(found.words) > MOST_EVENTS:
                    found.words.clear()
                found.words |= {number: known[number] for number in missing if number in known}
        return known

    def _tell_each(self, asked: Asked, found: Found, missing: Sequence[int]) -> dict[int, str]:
        events = {
            (entry.type, entry.place, entry.at, entry.change): number
            for number in missing
            for entry in [found.entries[number]]
        }
        asking = [Event(registry.ALL[type], key, at, kind, -1) for type, key, at, kind in events]

        def work(connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
            located = changes_rows.located(connection, asking)
            items = self.history.items(connection, located, asked.scope)
            return {
                events[event.type.name, event.key, event.at, event.kind]: item["change_description"]
                for event, item in zip(located, items, strict=True)
            }

        return self.history.reads.read(work)

    def _tell_net(self, asked: Asked, found: Found, missing: Sequence[int]) -> dict[int, str]:
        if asked.mode == "most":
            return {number: f"{found.entries[number].times:,} changes" for number in missing}
        by_type: dict[str, list[int]] = {}
        for number in missing:
            by_type.setdefault(found.entries[number].type, []).append(number)

        def work(connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
            told: dict[int, str] = {}
            for name, numbers in by_type.items():
                told |= _told(connection, registry.ALL[name], {n: found.entries[n] for n in numbers})
            return told

        return self.history.reads.read(work)


def _told(connection: duckdb.DuckDBPyConnection, type: ResourceType, entries: Mapping[int, Entry]) -> dict[int, str]:
    """Number -> what is different, in words."""
    wanted = [(entry.place, at) for entry in entries.values() for at in (entry.old, entry.new) if at is not None]
    known = changes_compare.at_beginnings(connection, type, wanted)
    pairs = {
        number: (known.get((entry.place, entry.old)), known.get((entry.place, entry.new)))
        for number, entry in entries.items()
        if entry.old is not None and entry.new is not None
    }
    whole = {number: (new, old) for number, (old, new) in pairs.items() if old is not None and new is not None}
    changes_versions.read_alike(connection, type, whole.values())
    told: dict[int, str] = {}
    for number, entry in entries.items():
        if number in whole:
            new, old = whole[number]
            told[number] = rules.sentence("changed", rules.summary(type, old, new))
            continue
        one = known.get((entry.place, entry.new or entry.old)) if entry.new or entry.old else None  # type: ignore[arg-type]
        state = "" if one is None else rules.state(type, one)
        told[number] = f"was {state}" if entry.new is None and state else state
    return told


def key_of(mode: Mode, entry: Entry) -> tuple[str, ...]:
    """What tells a row from all others of its list."""
    place = (entry.type, *entry.place)
    return (*place, times.text(entry.at), entry.change) if mode == "each" else place


def _row(mode: Mode, found: Found, number: int, words: Mapping[int, str]) -> list[Any]:
    entry = found.entries[number]
    project = entry.project_id and (found.projects.get((entry.cloud, entry.project_id)) or entry.project_id)
    return [
        *(list(key_of(mode, entry)), entry.type, entry.cloud, entry.region, entry.id, entry.change, entry.at),
        *(entry.name, project, words.get(number, ""), entry.field, entry.times, entry.old, entry.new),
    ]


def _sifted(entry: Entry, projects: Mapping[tuple[str, str], str | None]) -> dict[str, Any]:
    project = entry.project_id and (projects.get((entry.cloud, entry.project_id)) or entry.project_id)
    return {
        "type": entry.type,
        "name": entry.name,
        "change": (entry.change, WORDS.get(entry.change, entry.change)),
        "project": project,
        "cloud": entry.cloud,
        "region": entry.region,
        "id": entry.id,
        "field": entry.field,
        "times": entry.times,
        "at": times.text(entry.at),
    }


def _sort(
    order: list[int],
    entries: Sequence[Entry],
    projects: Mapping[tuple[str, str], str | None],
    column: str,
    descending: bool,
) -> None:
    """Sort stably by one column; nothing comes last."""

    def value(number: int) -> Any:
        entry = entries[number]
        if column == "project":
            return entry.project_id and (projects.get((entry.cloud, entry.project_id)) or entry.project_id)
        return getattr(entry, column)

    def comparable(number: int) -> Any:
        found = value(number)
        return found.lower() if isinstance(found, str) else found

    known = sorted((n for n in order if value(n) not in (None, "")), key=comparable, reverse=descending)
    order[:] = [*known, *(n for n in order if value(n) in (None, ""))]


# How each kind of list is found


def _net(connection: duckdb.DuckDBPyConnection, types: Sequence[ResourceType], span: Span, scope: Scope) -> Found:
    entries: list[Entry] = []
    total = 0
    names: dict[Any, tuple[str, ...]] = {}  # the same few sets of columns again and again
    for type in moved(connection, types, span):
        sql, parameters = changes_compare.differences(type, span, scope)
        listed = (
            f"SELECT {', '.join(changes_compare.COLUMNS)}, count(*) OVER () FROM ({sql}) ORDER BY happened DESC, id"
        )
        rows = run(connection, f"{listed} LIMIT {MOST_ENTRIES}", parameters).fetchall()
        total += rows[0][-1] if rows else 0
        for cloud, region, id, kind, at, name, project, old, new, columns, _ in rows:
            changed = tuple(columns or ())
            changed = names.setdefault(changed, changed)
            entries.append(Entry(type.name, cloud, region, id, kind, at, name, project, old, new, changed))
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return _of(connection, span, entries, total)


def _each(connection: duckdb.DuckDBPyConnection, span: Span, events: Sequence[Event], total: int) -> Found:
    changes_rows.describe(connection, events)
    entries = [
        Entry(event.type.name, *event.key, event.kind, event.at, event.name, event.project_id) for event in events
    ]
    return _of(connection, span, entries, total)


def _most(connection: duckdb.DuckDBPyConnection, types: Sequence[ResourceType], span: Span, scope: Scope) -> Found:
    active = moved(connection, types, span)
    total, found = changes_most.most_changed(connection, active, span, scope, 1000)
    entries = [
        Entry(
            *(one["resource_type"], one["cloud"], one["region"], one["resource_id"]),
            *("deleted" if one["deleted"] else "changed", one["last_change"], one["resource_name"]),
            one["project_id"],
            times=one["change_count"],
        )
        for one in found
    ]
    return _of(connection, span, entries, total)


def _of(connection: duckdb.DuckDBPyConnection, span: Span, entries: list[Entry], total: int) -> Found:
    del entries[MOST_ENTRIES:]
    owners = changes_rows.names_of_projects(
        connection, {(entry.cloud, entry.project_id) for entry in entries if entry.project_id}
    )
    return Found(span, entries, total - len(entries), {key: names[0] for key, names in owners.items()})
