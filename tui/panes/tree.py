"""The tree of what a resource uses and what uses it; branches are read when they are opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from store.types import registry
from tui.faults import is_expected, sentence
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.state import View
from tui.table.cells import clean
from tui.table.format import GLYPHS, level
from tui.table.layout import Head
from tui.table.spec import Key, Row, RowSource
from tui.world import World

MOST_ROWS = 5000
FEW = 12  # members of a group that is open from the beginning
DEEPEST = 12
WORDS = {"uses": "uses", "used_by": "used by"}
COLUMNS = ("what", "status", "type", "id")
BLANK = (" ", " ", " ")  # in place of nothing, which a list would show as "-"
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A line of the tree: a resource, or a group of them (then `filter` lists all of it, `count` says how many)."""

    path: Path
    type: str
    key: Key = ()
    filter: str = ""
    count: int = 0
    above: bool = False  # the resource is one of those it hangs on: it isn't opened again


class TreePane(Pane):
    """`right` opens a branch, `left` closes it, `enter` leads to the resource or the list, `t` makes it the root."""

    places = ("tree",)
    topics = frozenset({"data"})
    noun = "line"

    def __init__(self, view: View, world: World) -> None:
        self.type = registry.ALL[view.type]
        self.name = view.subject[-1] if view.subject else ""
        self._answers: dict[tuple[str, Key], dict[str, Any]] = {}
        self._problems: dict[tuple[str, Key], str] = {}
        self._nodes: dict[Path, Node] = {}
        self._opened: dict[Path, bool] = {}  # what a person opened or closed
        super().__init__(view, world)

    def make_source(self) -> RowSource:
        """Lines as rows."""
        self.list = FetchedSource(COLUMNS, self._rows)
        return self.list

    # Reading

    async def _rows(self) -> Rows:
        key = self.view.subject
        root = Node((_word(self.type.name, key),), self.type.name, key)
        if (root.type, root.key) not in self._answers:
            await self._read(root)
        self.name = clean(self._answers[root.type, root.key].get("name") or key[-1])
        for _ in range(DEEPEST):  # branches within branches that are to be open, from an earlier look
            missing = [node for node in self._walk(root) if self._lacks(node)]
            for node in missing:
                await self._read_branch(node)
            if not missing:
                break
        self._nodes = {}
        rows: Rows = []
        for node in self._walk(root):
            if len(rows) >= MOST_ROWS:
                rows.append((("more",), [f"… more than {MOST_ROWS:,} lines: close branches with ←", *BLANK]))
                break
            self._nodes[node.path] = node
            rows.append((node.path, self._values(node)))
        return rows

    async def _read(self, node: Node) -> None:
        cloud, region, id = node.key
        params = {"type": node.type, "id": id, "cloud": cloud, "region": region}
        answer = await self.world.get("/q/tree", params | ({"at": self.view.at} if self.view.at else {}))
        self._answers[node.type, node.key] = answer if isinstance(answer, dict) else {}

    async def _read_branch(self, node: Node) -> None:
        """A branch that can't be read says why, and the rest of the tree stays."""
        try:
            await self._read(node)
        except Exception as error:
            if not is_expected(error):
                raise
            self._problems[node.type, node.key] = clean(sentence(error))

    def _lacks(self, node: Node) -> bool:
        known = (node.type, node.key) in self._answers or (node.type, node.key) in self._problems
        return bool(node.key) and not node.above and self.is_open(node) and not known

    def expire(self) -> None:
        """Everything on screen is read again."""
        self._answers.clear()
        self._problems.clear()
        self.list.stale = True

    # The tree

    def is_open(self, node: Node) -> bool:
        """Whether its branch is shown: the first level and small groups are from the beginning."""
        return self._opened.get(node.path, len(node.path) == 1 or (not node.key and node.count <= FEW))

    def _walk(self, node: Node) -> Iterator[Node]:
        """The node and what is shown under it, in order."""
        yield node
        if node.above or not self.is_open(node):
            return
        for child in self._children(node):
            yield from self._walk(child)

    def _children(self, node: Node) -> Iterator[Node]:
        if not node.key:
            for item in self._group(node).get("items") or ():
                key = tuple(str(part) for part in item["key"])
                word = _word(node.type, key)
                yield Node((*node.path, word), node.type, key, above=word in node.path)
            return
        for group in self._answers.get((node.type, node.key), {}).get("groups") or ():
            if str(group.get("type")) in registry.ALL:
                path = (*node.path, f"{group['direction']} {group['type']} {group['filter']}")
                yield Node(path, group["type"], filter=str(group["filter"]), count=int(group["count"]))

    def _group(self, node: Node) -> dict[str, Any]:
        """What the engine said of a group: it is in the answer about the resource that it hangs on."""
        type, key = _of_word(node.path[-2])
        for group in self._answers.get((type, key), {}).get("groups") or ():
            if f"{group['direction']} {group['type']} {group['filter']}" == node.path[-1]:
                return dict(group)
        return {}

    def _item(self, node: Node) -> dict[str, Any]:
        """Name and status of a resource, from its own answer or the one about its parent."""
        known = self._answers.get((node.type, node.key))
        if known is not None or len(node.path) == 1:
            return known or {}
        group = self._group(Node(node.path[:-1], node.type))
        return next((dict(item) for item in group.get("items") or () if tuple(item["key"]) == node.key), {})

    def _values(self, node: Node) -> list[Any]:
        depth = "  " * (len(node.path) - 1)
        mark = "  " if node.above else "▾ " if self.is_open(node) else "▸ "
        if not node.key:
            group = self._group(node)
            shown = len(group.get("items") or ())
            more = f", the first {shown}" if node.count > shown and self.is_open(node) else ""
            words = f"{WORDS.get(str(group.get('direction')), '')} {clean(group.get('title') or node.type)}"
            return [f"{depth}{mark}{words} ({node.count:,}{more})", *BLANK]
        item = self._item(node)
        name = clean(item.get("name") or node.key[-1])
        notes = "  (above)" if node.above else "  gone" if item.get("gone") else ""
        problem = self._problems.get((node.type, node.key), "")
        said = f"  {problem}" if problem and self.is_open(node) else ""
        type = node.type.replace("_", " ")
        return [f"{depth}{mark}{name}{notes}{said}", item.get("status") or " ", type, node.key[-1]]

    def node(self, row: Row) -> Node | None:
        """What a row stands for."""
        return self._nodes.get(row.key)

    def set_open(self, node: Node, opened: bool) -> bool:
        """Open or close a branch; False when it is already so, or has none."""
        if node.above or self.is_open(node) == opened:
            return False
        self._opened[node.path] = opened
        self.list.stale = True
        return True

    # What the console asks of every pane

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """The tree first."""
        return [
            Head("what", "WHAT", "text", 60, 0),
            Head("status", "STATUS", "status", 9, 1, quiet=True),
            Head("type", "TYPE", "text", 16, 2),
            Head("id", "ID", "id", 36, 3),
        ]

    def title(self) -> str:
        """Whose tree."""
        return f"tree {self.name}"

    def empty(self) -> str:
        """Nothing, or nothing yet."""
        return "no line matches this filter\nesc clears it" if self.view.filter else "reading …"

    def enter(self, row: Row) -> View | None:
        """The resource, or the list of a group."""
        node = self.node(row)
        if node is None:
            return None
        if node.key:
            return View("detail", node.type, subject=node.key, at=self.view.at)
        cloud = self.view.subject[0]
        return View("list", node.type, node.filter, clouds=(cloud,) if cloud else (), at=self.view.at)

    def strip(self, row: Row) -> list[Parts]:
        """What the line is, and what the keys do with it."""
        node = self.node(row)
        if node is None:
            return [[(clean(row.values[0]), "warn")]]
        if not node.key:
            hint = f"enter opens the list of all {node.count:,}"
            return [
                [(clean(str(row.values[0]).strip()), "strong")],
                [(f"{hint}, → ← open and close the branch", "muted")],
            ]
        item = self._item(node)
        first: Parts = [(clean(item.get("name") or node.key[-1]), "strong")]
        if item.get("status"):
            word = level(item["status"], registry.ALL[node.type].faults)
            first += [("  ", "text"), (f"{GLYPHS[word]} {clean(item['status'])}", word)]
        return [
            first,
            [(f"{node.type.replace('_', ' ')}  {clean(' '.join(part for part in node.key if part))}", "muted")],
            [("enter opens it, → ← open and close the branch, t makes it the root", "muted")],
        ]


def _word(type: str, key: Key) -> str:
    return "\x1f".join((type, *key))


def _of_word(word: str) -> tuple[str, Key]:
    type, *key = word.split("\x1f")
    return type, tuple(key)
