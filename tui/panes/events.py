"""The time line of one resource: what happened to it, by whom as far as that is known, and what failed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from store.types import registry
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.panes.resources import resource_path
from tui.state import View
from tui.table.cells import clean
from tui.table.format import moment_of
from tui.table.layout import Head
from tui.table.spec import Row, RowSource
from tui.times import age
from tui.world import World

MOST = 300
COLUMNS = ("when", "level", "source", "what", "actor", "detail")
SOURCES = {"nova": "nova", "fault": "fault", "cinder": "cinder", "state": "seen", "audit": "ours", "note": "note"}
LEVELS = {"error": "error", "warning": "degraded"}  # the words that lists mark as bad and as a warning
GRADES = {
    "certain": "certain: it is in our own audit",
    "cloud": "named by the cloud",
    "service": "a service of the cloud, no person is named",
    "creator": "its creator",
    "unknown": "the cloud does not say who",
}


class EventsPane(Pane):
    """Events, the newest first, each with its steps below it; `enter` opens the volume or port that one is about."""

    places = ("list", "events")
    topics = frozenset({"data"})
    noun = "event"

    def __init__(self, view: View, world: World) -> None:
        self.type = registry.ALL[view.type]
        self.name = view.subject[-1] if view.subject else ""
        self._events: dict[str, dict[str, Any]] = {}
        self._more = False
        super().__init__(view, world)

    def make_source(self) -> RowSource:
        """Events as rows."""
        self.list = FetchedSource(COLUMNS, self._rows)
        return self.list

    async def _rows(self) -> Rows:
        cloud, region, _ = self.view.subject
        path = f"{resource_path(self.type.name, self.view.subject)}/events"
        answer = await self.world.get(path, {"cloud": cloud, "region": region, "limit": MOST})
        self.name = clean(answer.get("name") or self.view.subject[-1])
        self._more = bool(answer.get("more"))
        self._events = {}
        rows: Rows = []
        for level, sentences in (("degraded", answer.get("problems")), ("", answer.get("remarks"))):
            for number, sentence in enumerate(sentences or ()):
                rows.append(((f"{level}{number}", "said"), ["", level or None, None, clean(sentence), None, None]))
        now = datetime.now().astimezone()
        seen: dict[str, int] = {}
        for event in answer.get("items") or ():
            rows += self._of(event, now, seen)
        return rows

    def _of(self, event: dict[str, Any], now: datetime, seen: dict[str, int]) -> Rows:
        place = "/".join(str(event.get(name)) for name in ("at", "source", "kind", "request_id"))
        seen[place] = seen.get(place, 0) + 1
        id = f"{place}/{seen[place]}"  # the same at every reading, so that the cursor stays
        self._events[id] = event
        about = event.get("about") or {}
        what = clean(event.get("title", ""))
        if about:
            what = f"{clean(about.get('type', ''))} {clean(about.get('name') or about.get('id', ''))}: {what}"
        level = event.get("level")
        source = SOURCES.get(str(event.get("source")), str(event.get("source")))
        rows: Rows = [
            (
                (id, ""),
                [
                    when(event.get("at"), now),
                    LEVELS.get(str(level)),
                    source,
                    what,
                    event.get("actor"),
                    event.get("detail"),
                ],
            )
        ]
        for number, child in enumerate(event.get("children") or ()):
            bad = LEVELS.get(str(child.get("level")))
            words = f"  └ {clean(child.get('title', ''))}"
            told = " ".join(str(child[name]) for name in ("host", "detail") if child.get(name))
            rows.append(((id, str(number)), [when(child.get("at"), now), bad, None, words, None, told or None]))
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """When and what first."""
        return [
            Head("when", "WHEN", "time", 14, 0),
            Head("what", "WHAT", "text", 44, 3),
            Head("actor", "BY", "name", 14, 4),
            Head("detail", "DETAIL", "text", 40, 5),
            Head("source", "FROM", "text", 6, 2, shown=False),
            Head("level", "LEVEL", "status", 8, 1, shown=False, quiet=True),  # its mark stands before every row
        ]

    def title(self) -> str:
        """Whose events."""
        return f"events {self.name}"

    def empty(self) -> str:
        """Nothing, or nothing yet."""
        if self.view.filter:
            return "no events match this filter\nesc clears it"
        return "asking the cloud, the store and the audit …" if self.list.stale else "nothing is known to have happened"

    def enter(self, row: Row) -> View | None:
        """The resource that the event is about, where it is another one."""
        about = self._events.get(row.key[0], {}).get("about") or {}
        if str(about.get("type")) not in registry.ALL:
            return None
        cloud, region, _ = self.view.subject
        return View("detail", str(about["type"]), subject=(cloud, region, str(about.get("id"))))

    def strip(self, row: Row) -> list[Parts]:
        """The whole of it: words, who and how surely, when and under which request."""
        event = self._events.get(row.key[0])
        if event is None:
            return [[(clean(row.values[3]), "warn")]]
        moment, now = moment_of(str(event.get("at"))), datetime.now(UTC)
        words = row.values[3] if row.key[1] else event.get("title", "")
        detail = row.values[5] if row.key[1] else event.get("detail")
        first: Parts = [(clean(words).removeprefix("  └ "), "strong")]
        if detail:
            first.append(("  " + clean(detail), "text"))
        second: Parts = [("by ", "muted"), (clean(event.get("actor") or "nobody that is named"), "text")]
        second.append((f"  ({GRADES.get(str(event.get('grade')), '')})", "muted"))
        third: Parts = []
        if moment is not None:
            local = moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
            third = [(local, "text"), (f"  {age((now - moment).total_seconds())} ago", "muted")]
        if event.get("request_id"):
            third.append(("  " + clean(event["request_id"]), "muted"))
        if self._more:
            third.append((f"  older ones than these {MOST} are left out", "muted"))
        return [first, second, third]


def when(at: Any, now: datetime) -> str:
    """A time in the operator's zone: month, day and time of day, or the date of another year."""
    moment = moment_of(at) if isinstance(at, str) else None
    if moment is None:
        return clean(at or "")
    local = moment.astimezone(now.tzinfo)
    return local.strftime("%m-%d %H:%M:%S" if (now - local).days < 300 and local <= now else "%Y-%m-%d")
