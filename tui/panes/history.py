"""One resource over time: every version and what changed in it; and two of its states side by side."""

from __future__ import annotations

from typing import Any

from store.types import registry
from tui.changes import LEVELS, instants, kind_word, long_ago, short, side
from tui.panes.changes import before
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.panes.resources import resource_params
from tui.state import View
from tui.table.cells import clean
from tui.table.layout import Head
from tui.table.spec import Key, Row, RowSource
from tui.world import World

MOST = 1000
COLUMNS = ("when", "change", "what", "by", "number")
ABSENT = "(not there)"


class HistoryPane(Pane):
    """Versions, the newest first; `enter` sets one beside the one before it."""

    places = ("list", "history")
    topics = frozenset({"data"})
    noun = "version"
    counted = True

    def __init__(self, view: View, world: World) -> None:
        self.type = registry.ALL[view.type]
        self.name = view.subject[-1] if view.subject else ""
        self.about: dict[str, Any] = {}
        self.items: dict[Key, dict[str, Any]] = {}
        super().__init__(view, world)

    def make_source(self) -> RowSource:
        """Versions as rows."""
        self.list = FetchedSource(COLUMNS, self._rows)
        return self.list

    async def _rows(self) -> Rows:
        self.about = await details(self.world, self.type.name, self.view.subject)
        self.name = clean(self.about.get("resource_name") or self.view.subject[-1])
        self.items = {}
        rows: Rows = []
        for item in self.about.get("changes") or ():
            at, kind = str(item.get("recorded_at")), str(item.get("change_type"))
            self.items[at, kind] = item
            what = clean(item.get("change_description") or "")
            values = [short(at), kind_word(kind), what, item.get("user"), item.get("sequence")]
            rows.append(((at, kind), values))
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """When and what first."""
        index = {name: number for number, name in enumerate(COLUMNS)}
        return [
            Head("when", "WHEN", "text", 14, index["when"]),
            Head("change", "CHANGE", "status", 10, index["change"], levels=LEVELS),
            Head("what", "WHAT", "text", 60, index["what"]),
            Head("by", "BY", "name", 14, index["by"], False),
            Head("number", "VERSION", "number", 7, index["number"], False),
        ]

    def title(self) -> str:
        """Whose history."""
        return f"history {self.name}"

    def empty(self) -> str:
        """Nothing yet, or nothing at all."""
        if self.view.filter:
            return "no version matches this filter\nesc clears it"
        return "reading …" if self.list.stale else "nothing was ever listed of it"

    def item(self, row: Row | None) -> dict[str, Any] | None:
        """What the engine said of a row."""
        return None if row is None else self.items.get(row.key)

    def enter(self, row: Row) -> View | None:
        """The version beside the one before it."""
        item = self.item(row)
        return None if item is None else self._compare(before(row.key[0]), row.key[0])

    def between(self, keys: list[Key]) -> View | None:
        """Two marked versions side by side, the older one on the left; None unless there are two."""
        found = sorted((key for key in keys if key in self.items), key=self._place, reverse=True)
        return self._compare(found[0][0], found[1][0]) if len(found) == 2 else None

    def _place(self, key: Key) -> int:
        return list(self.items).index(key)  # the newest first

    def since(self, row: Row | None) -> View | None:
        """The row's version beside the newest state."""
        item = self.item(row)
        return None if row is None or item is None else self._compare(self.then(row), "")

    def _compare(self, old: str, new: str) -> View:
        return View("compare", self.type.name, subject=self.view.subject, span=(old, new))

    def then(self, row: Row | None) -> str:
        """A time at which the resource was as the row says; "" for now. Of what was deleted: just before."""
        item = self.item(row)
        if row is None or item is None:
            return ""
        if item.get("change_type") == "deleted":
            return before(row.key[0])
        return "" if item.get("current") else row.key[0]

    def resource_here(self, row: Row | None) -> tuple[str, Key, str] | None:
        """(type, key, name) of the resource, whatever row the cursor is on."""
        return self.type.name, self.view.subject, self.name

    def strip(self, row: Row) -> list[Parts]:
        """Old and new value of what changed; of the first version, what it was."""
        item = self.item(row)
        if item is None:
            return []
        number = f"version {item.get('sequence')} of {self.about.get('total_versions')}"
        until = "until now" if item.get("current") else f"until {short(item.get('valid_to'))}"
        if item.get("change_type") == "deleted":
            until = "this was its last state"
        lines: list[Parts] = [[(long_ago(row.key[0]), "strong"), (f"  {number}, {until}", "muted")]]
        changes = item.get("changes") or ()
        if not changes:
            facts = [f"{name.replace('_', ' ')} {side(v)}" for name, v in (item.get("key_fields") or {}).items() if v]
            lines.append([("  ".join(facts), "text")])
        for change in changes[:2]:
            old, new = side(change.get("old_value")), side(change.get("new_value"))
            name = clean(change.get("field") or "").replace("_", " ")
            lines.append([(f"{name} ", "muted"), (old, "text"), (" → ", "accent"), (new, "strong")])
        if len(changes) > 2:
            lines[-1].append((f"   and {len(changes) - 2} more: enter", "muted"))
        return lines[:3]


class ComparePane(Pane):
    """Two states of one resource: what differs, or every field."""

    places = ("list", "compare")
    noun = "field"
    counted = True

    def __init__(self, view: View, world: World) -> None:
        self.type = registry.ALL[view.type]
        self.name = view.subject[-1] if view.subject else ""
        self.answer: dict[str, Any] = {}
        self.items: dict[Key, dict[str, Any]] = {}
        self.old, self.new = instants(view.span)
        super().__init__(view, world)

    @property
    def whole(self) -> bool:
        """Whether fields that do not differ are shown too."""
        return self.view.format == "all"

    def make_source(self) -> RowSource:
        """Fields as rows."""
        self.list = FetchedSource(("field", "old", "new"), self._rows)
        return self.list

    async def _rows(self) -> Rows:
        params = {**resource_params(self.view.subject, ""), "from": self.old}
        path = f"/q/history/compare/{self.type.name}/{quoted(self.view.subject[-1])}"
        self.answer = await self.world.get(path, params | ({"to": self.new} if self.new else {}))
        self.name = clean(self.answer.get("resource_name") or self.view.subject[-1])
        self.items = {}
        rows: Rows = []
        one_sided = not self.answer.get("current") or not self.answer.get("previous")
        for item in self.answer.get("fields") or ():
            name = clean(item.get("field") or "")
            hidden = item.get("changed") is None
            nothing = item.get("old_value") is None and item.get("new_value") is None
            if not self.whole and ((not item.get("changed") and not hidden) or (one_sided and nothing)):
                continue
            if not self.whole and item.get("volatile") and item.get("changed"):
                continue
            key = (str(item.get("source")), name)
            self.items[key] = item
            rows.append((key, [name, self._side("previous", item), self._side("current", item)]))
        return rows

    def _side(self, which: str, item: dict[str, Any]) -> str:
        if not self.answer.get(which):
            return ABSENT
        return side(item.get("old_value" if which == "previous" else "new_value"))

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Field, and the two sides under their times."""
        room = max(12, (self.world.cells - 24) // 2)
        return [
            Head("field", "FIELD", "name", 18, 0),
            Head("old", self._head("previous", self.old), "text", room, 1),
            Head("new", self._head("current", self.new), "text", room, 2),
        ]

    def _head(self, which: str, at: str) -> str:
        version = self.answer.get(which) or {}
        return f"{'OLD' if which == 'previous' else 'NEW'} {short(version.get('recorded_at') or at)}"

    def title(self) -> str:
        """What is compared."""
        return f"{'all of' if self.whole else 'changed in'} {self.name}"

    def empty(self) -> str:
        """Nothing differs, and how to see all."""
        if self.view.filter:
            return "no field matches this filter\nesc clears it"
        if self.list.stale:
            return "reading …"
        return "nothing differs but measurements and time stamps\nspace shows all fields"

    def enter(self, row: Row) -> View | None:
        """The resource as it was then."""
        return View("detail", self.type.name, subject=self.view.subject, at=self.then(row))

    def resource_here(self, row: Row | None) -> tuple[str, Key, str] | None:
        """(type, key, name) of the resource."""
        return self.type.name, self.view.subject, self.name

    def then(self, row: Row | None) -> str:
        """The time of the newer state; of one that is gone, of the older; "" for now."""
        return self.new if self.answer.get("current") else self.old

    def strip(self, row: Row) -> list[Parts]:
        """The field in full on both sides."""
        item = self.items.get(row.key, {})
        facts = {
            "a measurement or time stamp": item.get("volatile"),
            "of the document": item.get("source") == "document",
            "hidden in one of the two": item.get("changed") is None,
        }
        notes = [words for words, said in facts.items() if said]
        first: Parts = [(clean(row.values[0]), "strong"), ("  " + ", ".join(notes), "muted")]
        old: Parts = [("old ", "muted"), (clean(row.values[1]), "text")]
        new: Parts = [("new ", "muted"), (clean(row.values[2]), "strong")]
        return [first, old, new]


async def details(world: World, type: str, key: Key) -> dict[str, Any]:
    """Every change of one resource, newest first, as the engine tells it."""
    params = {**resource_params(key, ""), "limit": MOST}
    answer: dict[str, Any] = await world.get(f"/history/details/{type}/{quoted(key[-1])}", params)
    return answer


def quoted(id: str) -> str:
    """An id as part of a path."""
    from urllib.parse import quote

    return quote(id, safe="")
