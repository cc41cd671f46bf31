"""The column chooser: every column of a type's list, the shown ones first and in their order."""

from __future__ import annotations

from collections.abc import Sequence

from store.types import registry
from store.types.declaration import Joined
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.state import View
from tui.table.layout import Head
from tui.table.spec import Row, RowSource
from tui.world import World

SHOWN, HIDDEN = "✔", "·"
_ROLES = {"size_mb": "MiB", "size_gb": "GiB", "size_bytes": "bytes", "time": "age", "bool": "yes or no"}


class ColumnsPane(Pane):
    """`space` shows or hides a column, `<` and `>` move it; `esc` goes back to the list."""

    places = ("list", "columns")
    noun = "column"

    def __init__(self, view: View, world: World) -> None:
        self.type = registry.ALL[view.type]
        self._order: list[str] = []  # of the lines, while somebody chooses
        super().__init__(view, world)

    @property
    def chosen(self) -> tuple[str, ...]:
        """Names of the shown columns, in order."""
        return self.world.columns.get(self.type.name) or self.type.default_columns

    def make_source(self) -> RowSource:
        """Columns as rows."""
        return FetchedSource(("shown", "title", "name", "what"), self._rows)

    async def _rows(self) -> Rows:
        declared = {column.name: column for column in self.type.view_columns}
        chosen = [name for name in self.chosen if name in declared]
        if not self._order:
            self._order = [*chosen, *(name for name in declared if name not in chosen)]
        rows: Rows = []
        for name in self._order:
            column = declared[name]
            of = f"of its {registry.ALL[column.type].title.lower()}" if isinstance(column, Joined) else ""
            what = _ROLES.get(column.role, column.role.replace("_", " "))
            title = column.title or name.upper().replace("_", " ")
            rows.append(((name,), [SHOWN if name in chosen else HIDDEN, title, name, f"{what} {of}".strip()]))
        return rows

    def sort_again(self) -> None:
        """The shown ones first again. A column that is only shown or hidden keeps its line: the next key would
        meet another one.
        """
        self._order = []

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Name first: it is what a filter calls the column."""
        return [
            Head("name", "COLUMN", "name", 26, 2),
            Head("shown", "SHOWN", "text", 5, 0),
            Head("title", "HEAD", "text", 14, 1),
            Head("what", "HOLDS", "text", 30, 3),
        ]

    def title(self) -> str:
        """Whose columns."""
        return f"columns of {self.type.plural.replace('_', ' ')}"

    def empty(self) -> str:
        """There is always one, unless a filter hides it."""
        return "no column matches this filter\nesc clears it" if self.view.filter else "reading …"

    def strip(self, row: Row) -> list[Parts]:
        """What the keys do."""
        return [
            [("space shows or hides it", "muted"), ("   < > move it", "muted"), ("   del: as declared", "muted")],
            [("shown: ", "muted"), (" ".join(self.chosen), "text")],
        ]


def toggled(chosen: Sequence[str], name: str) -> tuple[str, ...]:
    """The columns with one shown or hidden; the last one stays."""
    if name not in chosen:
        return (*chosen, name)
    left = tuple(column for column in chosen if column != name)
    return left or tuple(chosen)


def moved(chosen: Sequence[str], name: str, delta: int) -> tuple[str, ...]:
    """The columns with one moved by so many places; nothing changes for a hidden one."""
    if name not in chosen:
        return tuple(chosen)
    order = list(chosen)
    at = order.index(name)
    order.insert(min(max(0, at + delta), len(order) - 1), order.pop(at))
    return tuple(order)
