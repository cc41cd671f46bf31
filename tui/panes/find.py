"""What a text is or was, whatever its type: machines, ports, volumes; current and gone; in all clouds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from store.types import registry
from tui.found import period, sentence
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.state import View
from tui.table.cells import clean
from tui.table.layout import Head
from tui.table.spec import Key, Row, RowSource
from tui.world import World

MOST = 200
COLUMNS = ("what", "type", "project", "owner", "machine", "host", "network", "cloud", "from", "to", "status", "why")
UNDERSTOOD = {
    "address": "an address",
    "prefix": "a prefix",
    "mac": "a MAC",
    "request": "a request id",
    "uuid": "a part of an id or name",
    "serial": "the serial of a volume",
    "name": "a name, host, tag, key or value",
}


class FindPane(Pane):
    """Answers, the best first; `enter` opens the resource. The text is the view's subject."""

    places = ("list", "find")
    topics = frozenset({"data"})
    noun = "answer"
    counted = True

    def __init__(self, view: View, world: World) -> None:
        self.text = view.subject[0] if view.subject else ""
        self._items: dict[Key, dict[str, Any]] = {}
        self._understood = ""
        self._more = False
        super().__init__(view, world)

    def make_source(self) -> RowSource:
        """Answers as rows."""
        return FetchedSource(COLUMNS, self._rows)

    async def _rows(self) -> Rows:
        if not self.text:
            return []
        params: dict[str, Any] = {"q": self.text, "limit": MOST}
        if self.view.at:
            params["at"] = self.view.at
        answer = await self.world.get("/q/find", params)
        self._understood, self._more = str(answer.get("understood") or ""), bool(answer.get("more"))
        now = datetime.now().astimezone()
        self._items = {}
        rows: Rows = []
        for item in answer.get("items") or []:
            key = (*(str(part) for part in item["key"]), str(item["type"]), str(item["from"]))
            self._items[key] = item
            machine = (item.get("machine") or {}).get("name")
            shown = {
                **item,
                "what": sentence(item, now),
                "type": str(item["type"]).replace("_", " "),
                "machine": machine,
                "cloud": key[0],
            }
            rows.append((key, [shown.get(name) for name in COLUMNS]))
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """What it is first, then whose and where."""
        index = {name: number for number, name in enumerate(COLUMNS)}
        several = self.world.several_clouds
        return [
            Head("what", "WHAT IT IS OR WAS", "text", 60, index["what"]),
            Head("type", "TYPE", "text", 10, index["type"]),
            Head("cloud", "CLOUD", "name", 10, index["cloud"], several, not several),
            Head("project", "PROJECT", "name", 12, index["project"]),
            Head("host", "HOST", "name", 10, index["host"]),
            Head("from", "SINCE", "time", 5, index["from"]),
            Head("to", "ENDED", "time", 5, index["to"]),
            Head("owner", "OWNER", "name", 12, index["owner"], False),
            Head("machine", "MACHINE", "name", 16, index["machine"], False),
            Head("network", "NETWORK", "name", 14, index["network"], False),
            Head("status", "STATUS", "status", 8, index["status"], False),
            Head("why", "FOUND BY", "text", 12, index["why"], False),
        ]

    def title(self) -> str:
        """What was looked for."""
        return f"find {clean(self.text)}"

    def empty(self) -> str:
        """Nothing: what it was looked for as, and the nearest word for a list."""
        if not self.text:
            return "say what to find: a name, an address, a MAC, part of an id\n:find web-3"
        if self.view.filter:
            return "no answers match this filter\nesc clears it"
        if not self._understood:
            return f"looking for {clean(self.text)} …"
        when = " at that time" if self.view.at else ""
        said = f"nothing has or had {clean(self.text)}{when}\nlooked for as {UNDERSTOOD.get(self._understood, '')}"
        return f"{said}\n{_near(self.text)}"

    def enter(self, row: Row) -> View | None:
        """The resource, one that is gone as it was last; of our own acts the audit's record."""
        type = row.key[3]
        if type == "audit":
            return View("record", subject=(row.key[2],))
        if type not in registry.ALL:
            return None
        return View("detail", type, subject=row.key[:3], at=self.view.at)

    def strip(self, row: Row) -> list[Parts]:
        """The whole sentence; whose it is; when, and by what it was found."""
        item = self._items.get(row.key)
        if item is None:
            return []
        now = datetime.now().astimezone()
        first: Parts = [(clean(sentence(item, now)), "strong")]
        if item["gone"]:
            first.append(("  it is gone", "warn"))
        if self._more:
            first.append(("  there are more: write more of it", "muted"))
        machine = (item.get("machine") or {}).get("name")
        second = _named(
            ("owner", item["owner"]), ("machine", machine if item["type"] != "server" else None),
            ("host", item["host"]), ("network", item["network"]), ("project", item["project"]),
            ("made by", item["creator"] if item["creator"] != item["owner"] else None), ("domain", item["domain"]),
        )  # fmt: skip
        third = _named(
            (f"{clean(item['why'])}".replace("_", " "), item["value"]),
            ("when", period(item, now)),
            ("id", item["key"][2]),
        )
        return [first, second, third]


def _named(*facts: tuple[str, Any]) -> Parts:
    parts: Parts = []
    for name, value in facts:
        if value not in (None, ""):
            parts += [(("  " if parts else "") + name + " ", "muted"), (clean(value), "text")]
    return parts


def _near(text: str) -> str:
    """Types of a similar name: it may have been meant for one."""
    try:
        registry.find(text.split()[0])
    except KeyError as error:
        _, meant, names = str(error.args[0]).partition("did you mean ")
        if meant:
            return f"did you mean :{names.rstrip('?').split(', ')[0]} ?"
    except IndexError:
        pass
    return "/ filters one list; :find WORDS looks for every word"
