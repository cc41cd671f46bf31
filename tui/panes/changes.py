"""What changed between two times, over the whole estate: differences, single changes, what changed most."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from store.filter_rows import problem
from store.types import registry
from tui.changes import LEVELS, MODE_WORDS, MODES, instants, kind_word, long_ago, short
from tui.panes.pane import Pane, Parts
from tui.state import View
from tui.table.cells import clean
from tui.table.layout import Head
from tui.table.source import BadAnswer
from tui.table.spec import Anchor, Key, Place, Row, RowSource, Spec, Window, anchor_json
from tui.world import World

WINDOWS = "/q/history/windows"
FIELDS = ("type", "name", "change", "project", "cloud", "region", "id", "field", "times", "at")
# Columns of rows here; the engine's, with words of kinds and types for people.
COLUMNS = ("at", "change", "type", "name", "what", "project", "cloud", "region", "id", "times", "field")
NAMED = {"type": "type", "name": "name", "change": "change", "at": "at", "project": "project", "times": "times",
         "cloud": "cloud", "region": "region", "id": "id"}  # fmt: skip


class ChangesSource:
    """Windows of a list of changes; the list is as long as it is, and stays with the engine."""

    def __init__(self, world: World, view: View) -> None:
        self._world = world
        self._view = view
        self.mode = view.format if view.format in MODES else "net"
        self.since, self.until = instants(view.span)
        self.answer: dict[str, Any] = {}
        self.items: dict[Key, dict[str, Any]] = {}

    def body(self, spec: Spec, anchor: Anchor) -> dict[str, Any]:
        """The list as the engine is asked for it."""
        sort = [[NAMED[name], down] for name, down in spec.sort if name in NAMED]
        body: dict[str, Any] = {"mode": self.mode, "from": self.since, "filter": spec.filter, "sort": sort}
        body |= {"to": self.until} if self.until else {}
        body |= {"types": [self._view.type]} if self._view.type else {}
        body |= {"clouds": list(spec.clouds)} if spec.clouds else {}
        body |= {"projects": list(spec.projects)} if spec.projects else {}
        return body | {"anchor": anchor_json(anchor)}

    async def window(self, spec: Spec, anchor: Anchor, before: int, after: int) -> Window:
        """See RowSource; raises what the client raises, and BadAnswer."""
        body = self.body(spec, anchor) | {"before": before, "after": after}
        answer = await self._world.post(WINDOWS, json=body)
        try:
            columns = tuple(answer["columns"])
            items = [dict(zip(columns, values, strict=True)) for values in answer["rows"]]
            rows = [Row(tuple(map(str, item["key"])), _values(item)) for item in items]
            index = answer["anchor_index"]
            window = Window(COLUMNS, rows, index if isinstance(index, int) and 0 <= index < len(rows) else None,
                            bool(answer["has_before"]), bool(answer["has_after"]))  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadAnswer(f"the engine's answer about what changed can't be read ({error!r})") from None
        self.answer = answer
        if len(self.items) > 5000:
            self.items.clear()
        self.items.update((row.key, item) for row, item in zip(rows, items, strict=True))
        return window

    async def position(self, spec: Spec, anchor: Anchor) -> Place:
        """See RowSource; raises what the client raises, and BadAnswer."""
        answer = await self._world.post(f"{WINDOWS}/position", json=self.body(spec, anchor))
        try:
            return Place(int(answer["total"]), None if answer["rank"] is None else int(answer["rank"]))
        except (KeyError, TypeError, ValueError) as error:
            raise BadAnswer(f"the engine's answer about the list's length can't be read ({error!r})") from None


class ChangesPane(Pane):
    """Rows of what changed; `enter` opens the history of the row's resource."""

    places = ("list", "changes")
    topics = frozenset({"data"})
    noun = "change"
    counted = True

    def make_source(self) -> RowSource:
        """Windows of the engine."""
        self.windows = ChangesSource(self.world, self.view)
        return self.windows

    @property
    def mode(self) -> str:
        """Which of the lists this is."""
        return self.windows.mode

    def spec(self) -> Spec:
        """The list as the table asks for it; another mode or time is another view."""
        view = self.view
        return Spec("changes", view.filter, view.sort, view.clouds, view.projects)

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """When and what to what; times and projects where there is room."""
        index = {name: number for number, name in enumerate(columns or COLUMNS)}
        several = self.world.several_clouds and len(self.view.clouds) != 1
        most = self.mode == "most"
        return [
            Head("name", "NAME", "name", 18, index["name"]),
            Head("change", "CHANGE", "status", 10, index["change"], levels=LEVELS),
            Head("times", "TIMES", "number", 5, index["times"], most, not most),
            Head("at", "WHEN", "text", 14, index["at"]),
            Head("type", "TYPE", "text", 8, index["type"], not self.view.type, bool(self.view.type)),
            Head("what", "WHAT", "text", 30, index["what"], not most, most),
            Head("project", "PROJECT", "name", 12, index["project"], False),
            Head("cloud", "CLOUD", "name", 10, index["cloud"], several, not several),
            Head("region", "REGION", "name", 10, index["region"], False, True),
            Head("id", "ID", "id", 14, index["id"], False),
        ]

    def title(self) -> str:
        """Which list."""
        what = registry.ALL[self.view.type].plural.replace("_", " ") + " " if self.view.type else ""
        return f"{what}{({'net': 'changed', 'each': 'changes', 'most': 'changed most'})[self.mode]}"

    def check_filter(self, text: str) -> str:
        """The grammar, and the names."""
        return problem(text, FIELDS)

    def empty(self) -> str:
        """What was looked for, between which times."""
        if self.view.filter:
            return "nothing that changed passes this filter\nesc clears it; words, type:server change:gone field:status"
        if not self.windows.answer:
            return f"looking for {MODE_WORDS[self.mode]} …"
        between = f"between {short(self.windows.since)} and {short(self.windows.until)}"
        other = "\ntab shows single changes: what changed back is no difference" if self.mode == "net" else ""
        return f"nothing changed {between}{other}\nu asks for other times"

    def item(self, row: Row | None) -> dict[str, Any] | None:
        """What the engine said of a row."""
        return None if row is None else self.windows.items.get(row.key)

    def resource_here(self, row: Row | None) -> tuple[str, Key, str] | None:
        """(type, key, name) of the row's resource."""
        item = self.item(row)
        if item is None or item.get("type") not in registry.ALL:
            return None
        return str(item["type"]), (str(item["cloud"]), str(item["region"]), str(item["id"])), str(item["name"] or "")

    def enter(self, row: Row) -> View | None:
        """The resource's history."""
        found = self.resource_here(row)
        if found is None:
            return None
        return View("history", found[0], subject=found[1], clouds=self.view.clouds, projects=self.view.projects)

    def compared(self, row: Row | None) -> View | None:
        """The two states of the row's resource side by side: of the two times, or around a single change."""
        item, found = self.item(row), self.resource_here(row)
        if item is None or found is None:
            return None
        span = (self.windows.since, self.windows.until)
        if self.mode == "each":
            span = (before(str(item["at"])), str(item["at"]))
        return View("compare", found[0], subject=found[1], span=span)

    def then(self, row: Row | None) -> str:
        """The time at which the row's resource was last there as the row says; "" for now."""
        item = self.item(row)
        if item is None:
            return ""
        gone = item.get("change") in ("gone", "deleted")
        return before(str(item["at"])) if gone else str(item["at"]) if self.mode == "each" else self.windows.until

    def strip(self, row: Row) -> list[Parts]:
        """Whose it is and what changed, in full; between which times the list is."""
        item = self.item(row) or {}
        first: Parts = [(clean(item.get("name") or item.get("id") or ""), "strong"),
                        (f"  {kind_word(item.get('change'))} {long_ago(item.get('at'))}", "text")]  # fmt: skip
        if item.get("project"):
            first.append((f"  {clean(item['project'])}", "muted"))
        second: Parts = [(clean(item.get("what") or ""), "text")]
        counts = self.windows.answer.get("counts") or {}
        number = "  ".join(f"{count:,} {kind_word(kind)}" for kind, count in counts.items())
        third: Parts = [(f"{short(self.windows.since)} to {short(self.windows.until)}  {number}", "muted")]
        if left := int(self.windows.answer.get("left_out") or 0):
            third.append((f"  {left:,} older ones are left out: choose a shorter time", "warn"))
        return [first, second, third]

    def expire(self) -> None:
        """The engine is asked anew by the table itself."""


def before(at: str) -> str:
    """The instant just before a time."""
    try:
        moment = datetime.fromisoformat(at) - timedelta(microseconds=1)
    except ValueError:
        return at
    return moment.isoformat().replace("+00:00", "Z")


def _values(item: dict[str, Any]) -> list[Any]:
    shown = {**item, "name": item["name"] or item["id"], "at": short(item["at"]), "change": kind_word(item["change"]),
             "type": str(item["type"]).replace("_", " "), "field": ", ".join(item["field"] or ())}  # fmt: skip
    return [shown[name] for name in COLUMNS]
