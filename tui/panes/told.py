"""What panes about people's doings share: rows that are asked for with a filter, and words for times and subjects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from store.filter_rows import passes, problem
from store.filters import FilterError, parse
from store.types import registry
from tui.drift import change_words
from tui.faults import is_expected
from tui.panes.pane import Pane, Parts, Rows
from tui.state import View
from tui.table.cells import clean
from tui.table.format import moment_of
from tui.table.paint import LINK
from tui.table.source import LocalSource
from tui.table.spec import Anchor, Place, Spec, Window
from tui.times import age
from tui.world import World

Record = Mapping[str, Any]


class AskedSource(LocalSource):
    """Rows asked for anew whenever the filter changes: `ask(filter)` reads them, the grammar sifts them.

    fields  names of the values that the filter knows, found in `records` by key
    """

    def __init__(
        self, columns: Sequence[str], ask: Callable[[str], Awaitable[Rows]], records: Mapping[tuple[str, ...], Record]
    ) -> None:
        super().__init__(columns)
        self._ask = ask
        self._records = records
        self._asked: str | None = None
        self.stale = True

    async def window(self, spec: Spec, anchor: Anchor, before: int, after: int) -> Window:
        """See RowSource; raises what asking raises."""
        if self.stale or spec.filter != self._asked:
            try:
                tree, now = parse(spec.filter), datetime.now(UTC)
            except FilterError:  # of a view that an older release kept: nothing passes it, esc clears it
                self.replace([])
                self._asked, self.stale = spec.filter, False
                return await super().window(replace(spec, filter=""), anchor, before, after)
            rows = await self._ask(spec.filter)
            self.replace([row for row in rows if passes(tree, self._records.get(row[0], {}), now)])
            self._asked, self.stale = spec.filter, False
        return await super().window(replace(spec, filter=""), anchor, before, after)

    async def position(self, spec: Spec, anchor: Anchor) -> Place:
        """See RowSource."""
        return await super().position(replace(spec, filter=""), anchor)


class AskedPane(Pane):
    """A pane on an AskedSource. `fields`: what its filter knows."""

    fields: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    counted = True

    def make_source(self) -> AskedSource:
        """Rows for the filter."""
        self.records: dict[tuple[str, ...], dict[str, Any]] = {}
        self.asked = AskedSource(self.columns, self.ask, self.records)
        return self.asked

    async def ask(self, filter: str) -> Rows:
        """Fill `records` (key -> fields) and answer the rows."""
        raise NotImplementedError

    def check_filter(self, text: str) -> str:
        """The grammar, and the names."""
        return problem(text, self.fields)

    def expire(self) -> None:
        """Ask again."""
        self.asked.stale = True


def with_rest(line: Parts, rest: str) -> Parts:
    """A line about a row with what its list leaves out in front, where no end of a line is cut off."""
    return [(rest, "warn"), ("  ", "text"), *line] if rest else line


def resource_view(subject: Mapping[str, Any]) -> View | None:
    """The view of what a note is about, if there is one."""
    key = tuple(str(part) for part in subject.get("key") or ())
    type = str(subject.get("type") or "")
    if subject.get("kind") == "resource" and type in registry.ALL and len(key) == 3:
        return View("detail", type, subject=key)
    if subject.get("kind") == "job" and key:
        return View("job", subject=key[-1:])
    if subject.get("kind") == "drift" and key:
        return View("drift_event", subject=key[-1:])
    if subject.get("kind") == "problem":
        return View("clouds" if type == "listing" else "problems")
    return None


async def drift_rows(world: World, key: tuple[str, ...]) -> Rows:
    """The way from a resource's page to its drift, when some of it is to be looked at; a server's includes that of its
    parts.
    """
    params = {"id": key[-1], "cloud": key[0], "state": "triage", "page_size": 1, "sort_by": "severity"}
    try:
        answer = await world.get("/q/drift/events", params)
    except Exception as error:
        if not is_expected(error):
            raise
        return []  # a role that may not see it
    total, items = int(answer.get("total") or 0), answer.get("items") or ()
    if not total or not items:
        return []
    more = f"; {total - 1:,} more" if total > 1 else ""
    return [((LINK, "drift", f"about:{key[-1]}"), ["→ drift", f"{change_words(items[0])}{more}"])]


async def points_rows(world: World, type: str, key: tuple[str, ...]) -> Rows:
    """The way from the page of a volume or machine to its restore points: how many, and how old the newest is."""
    try:
        answer = await world.get("/q/snapshot/points", {type: key[-1], "cloud": key[0], "limit": 1})
    except Exception as error:
        if not is_expected(error):
            raise
        return []  # a role that may not see them
    total, items = int(answer.get("total") or 0), answer.get("items") or ()
    if not items:
        return [((LINK, "points", ""), ["→ restore points", "none"])] if type == "volume" else []
    at = moment_of(str(items[0].get("taken_at") or ""))
    newest = f", the newest {age((datetime.now(UTC) - at).total_seconds())} old" if at is not None else ""
    by = clean(items[0].get("policy") or "by hand")
    return [((LINK, "points", ""), ["→ restore points", f"{total:,}{newest}, {by}"])]


def about(subject: Mapping[str, Any]) -> str:
    """What a note is about, in a few words."""
    kind, key = str(subject.get("kind")), [str(part) for part in subject.get("key") or ("",)]
    name = clean(subject.get("name") or key[-1])
    return f"{clean(subject.get('type') or '').replace('_', ' ') if kind == 'resource' else kind} {name}"


def local(at: Any) -> str:
    """A time in the operator's zone, to the second; the text itself where it is none."""
    moment = moment_of(at) if isinstance(at, str) else None
    return clean(at or "") if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
