"""Changes counted by hour or day; and the report on a period: what changed, and how completely that is known."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from store.types import registry
from tui.changes import instants, long_ago, short
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.state import View
from tui.table.cells import clean
from tui.table.format import moment_of
from tui.table.layout import Head
from tui.table.paint import LINK
from tui.table.spec import Row, RowSource

KINDS = ("created", "discovered", "returned", "changed", "deleted")
BARS = 20  # cells of the longest bar


class TimelinePane(Pane):
    """One row an hour or a day; `enter` opens the changes of it."""

    places = ("list", "timeline")
    topics = frozenset({"data"})
    noun = "period"

    def make_source(self) -> RowSource:
        """Periods as rows."""
        self.since, self.until = instants(self.view.span)
        self.answer: dict[str, Any] = {}
        self.periods: dict[str, dict[str, Any]] = {}
        self.list = FetchedSource(("period", "total", "bar", *KINDS), self._rows)
        return self.list

    async def _rows(self) -> Rows:
        view = self.view
        params: dict[str, Any] = {"from": self.since}
        params |= {"to": self.until} if self.until else {}
        params |= {"types": [view.type]} if view.type else {}
        params |= {"clouds": list(view.clouds)} if view.clouds else {}
        params |= {"projects": list(view.projects)} if view.projects else {}
        self.answer = await self.world.get("/q/history/periods", params)
        periods = [p for p in self.answer.get("periods") or () if isinstance(p, dict)]
        self.periods = {str(period["period"]): period for period in periods}
        most = max((int(period["total"]) for period in periods), default=0)
        rows: Rows = []
        for at, period in reversed(self.periods.items()):
            total = int(period["total"])
            bar = "#" * max(1, round(BARS * total / most)) if total else ""
            rows.append(((at,), [_period(at, self.hourly), total, bar, *(period.get(kind) for kind in KINDS)]))
        return rows

    @property
    def hourly(self) -> bool:
        """Whether periods are hours."""
        return self.answer.get("bucket") != "day"

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """The period, how many changes, and of which kinds."""
        counts = [Head(kind, kind.upper(), "number", 8, number + 3) for number, kind in enumerate(KINDS)]
        counts[1] = Head("discovered", "FOUND", "number", 5, 4, False)
        counts[2] = Head("returned", "BACK", "number", 5, 5, False)
        return [Head("period", "FROM", "text", 16, 0), Head("total", "CHANGES", "number", 7, 1),
                Head("bar", "", "text", BARS, 2), *counts]  # fmt: skip

    def title(self) -> str:
        """Of what."""
        what = registry.ALL[self.view.type].plural.replace("_", " ") if self.view.type else "all changes"
        return f"timeline of {what}"

    def empty(self) -> str:
        """Nothing to count yet."""
        return "no period matches this filter\nesc clears it" if self.view.filter else "counting …"

    def enter(self, row: Row) -> View | None:
        """The single changes of the period."""
        moment = moment_of(row.key[0])
        if moment is None:
            return None
        tick = timedelta(microseconds=1)
        end = moment + (timedelta(hours=1) if self.hourly else timedelta(days=1)) - tick
        span = (_text(moment - tick), _text(end))
        view = self.view
        return View("changes", view.type, clouds=view.clouds, projects=view.projects, format="each", span=span)

    def strip(self, row: Row) -> list[Parts]:
        """What the changes were of."""
        period = self.periods.get(row.key[0], {})
        by_type = sorted((period.get("by_type") or {}).items(), key=lambda pair: -pair[1])
        words = "  ".join(f"{clean(name).replace('_', ' ')} {count:,}" for name, count in by_type)
        total = int(self.answer.get("total_changes") or 0)
        return [
            [(long_ago(row.key[0]), "strong"), (f"  one {'hour' if self.hourly else 'day (UTC)'}", "muted")],
            [(words or "nothing changed", "text")],
            [(f"{total:,} changes from {short(self.since)} to {short(self.until)}", "muted")],
        ]


class ReportPane(Pane):
    """The compliance report: status and remarks, then what changed by type; `enter` opens the changes behind a line."""

    places = ("list", "report")
    noun = "line"

    def make_source(self) -> RowSource:
        """Lines of the report."""
        self.since, self.until = instants(self.view.span)
        self.answer: dict[str, Any] = {}
        self.list = FetchedSource(("what", "total", *KINDS, "listings"), self._rows)
        return self.list

    async def _rows(self) -> Rows:
        params: dict[str, Any] = {"start_date": self.since}
        params |= {"end_date": self.until} if self.until else {}
        params |= {"cloud": self.view.clouds[0]} if len(self.view.clouds) == 1 else {}
        answer = self.answer = await self.world.get("/audit/compliance-report", params)
        summary, access = answer.get("summary") or {}, answer.get("access_changes") or {}
        rows: Rows = [(("all",), ["all changes", *_counts(summary), None])]
        rows.append((("access",), ["of access and exposure", access.get("total"), *(None for _ in KINDS), None]))
        by_type = sorted(answer.get("by_type") or (), key=lambda one: -int(one.get("total") or 0))
        for one in by_type:  # what changed most first, the others as they come
            listings = sum(int(place.get("listings") or 0) for place in one.get("clouds") or ())
            name = str(one.get("resource_type"))
            rows.append(((LINK, name), [f"→ {name.replace('_', ' ')}", *_counts(one), listings]))
        for number, remark in enumerate(answer.get("remarks") or ()):
            rows.append((("remark", str(number)), [f"▲ {clean(remark)}", *(None for _ in range(len(KINDS) + 2))]))
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """What, how often, and how often it was looked at."""
        names = {"discovered": "FOUND", "returned": "BACK"}
        counts = [Head(kind, names.get(kind, kind.upper()), "number", 8, number + 2, kind not in names)
                  for number, kind in enumerate(KINDS)]  # fmt: skip
        return [Head("what", "WHAT", "text", 28, 0), Head("total", "CHANGES", "number", 7, 1), *counts,
                Head("listings", "LISTED", "number", 6, len(KINDS) + 2)]  # fmt: skip

    def title(self) -> str:
        """How completely it is known."""
        return f"report: {clean(self.answer.get('status') or '…').replace('_', ' ')}"

    def empty(self) -> str:
        """Nothing yet."""
        return "no line matches this filter\nesc clears it" if self.view.filter else "making the report …"

    def enter(self, row: Row) -> View | None:
        """The changes that a line counts."""
        type = row.key[1] if row.key[0] == LINK and row.key[1] in registry.ALL else ""
        if row.key[0] == "remark":
            return View("listings")
        touching = {item.get("resource_type") for item in (self.answer.get("access_changes") or {}).get("items") or ()}
        names = sorted(str(name) for name in touching)
        filter = "type:" + ",".join(f"={name}" for name in names) if row.key[0] == "access" and names else ""
        return View("changes", type, filter, clouds=self.view.clouds, format="each", span=self.view.span)

    def strip(self, row: Row) -> list[Parts]:
        """The whole line; the period."""
        period = self.answer.get("period") or {}
        words = f"{long_ago(period.get('start'))} to {long_ago(period.get('end'))}"
        text = str(row.values[0]).removeprefix("▲ ").removeprefix("→ ")
        room = max(20, self.world.cells - 4)
        return [[(text[:room], "strong")], [(text[room : 2 * room], "strong")], [(words, "muted")]]


def _counts(counted: dict[str, Any]) -> list[Any]:
    return [counted.get("total"), *(counted.get(kind) for kind in KINDS)]


def _period(at: str, hourly: bool) -> str:
    moment = moment_of(at)
    if moment is None:
        return clean(at)
    return f"{moment.astimezone():%m-%d %H:%M}" if hourly else f"{moment:%Y-%m-%d}"


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
