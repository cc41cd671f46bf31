"""Every key: what it does, whose choice it is, and where one's own are written."""

from __future__ import annotations

from tui.actions import ACTIONS, PLACES, symbol
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.table.cells import clean
from tui.table.layout import Head
from tui.table.paint import KEYS
from tui.table.spec import Row, RowSource

_USUAL = {action.id: action for action in ACTIONS}


class KeysPane(Pane):
    """Actions as rows; what of the operator's file can't be used comes first."""

    noun = "key"

    def make_source(self) -> RowSource:
        """Actions as rows."""
        return FetchedSource(("action", "keys", "usual", "does", "where"), self._rows)

    async def _rows(self) -> Rows:
        keymap = self.world.keymap
        rows: Rows = [((f"!{n}",), ["✖ not used", "", "", clean(p), ""]) for n, p in enumerate(keymap.problems)]
        for action in keymap.actions:
            usual = _shown(_USUAL[action.id].keys)
            where = "everywhere" if "all" in action.where else ", ".join(PLACES[place] for place in action.where)
            changed = usual if action.id in keymap.changed else ""
            rows.append(((action.id,), [action.id, _shown(action.keys) or "none", changed, action.title, where]))
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """The name in keys.toml first."""
        return [
            Head("action", "ACTION", "name", 16, 0),
            Head("keys", "KEYS", KEYS, 8, 1),
            Head("usual", "USUALLY", "text", 8, 2, bool(self.world.keymap.changed)),
            Head("does", "DOES", "text", 60, 3),
            Head("where", "WHERE", "text", 40, 4, False),
        ]

    def title(self) -> str:
        """What it is."""
        return "keys"

    def strip(self, row: Row) -> list[Parts]:
        """In full, and how to change it."""
        file = self.world.keymap.file
        if row.key[0].startswith("!"):
            return [[(str(row.values[3]), "bad")], [("the other keys of the file work", "muted")]]
        key = _USUAL[row.key[0]].keys[0] if _USUAL[row.key[0]].keys else "w"
        example = f"{row.key[0]} = '{symbol(key)}'" if symbol(key) != "'" else f'{row.key[0]} = "\'"'
        there = "write" if file is None or not file.exists() else "change"
        return [
            [(str(row.values[3]), "text"), (f"   {row.values[4]}", "muted")],
            [(f"{there} ", "muted"), (clean(file or "~/.config/qdeck/keys.toml"), "accent"), ("   ", "text"),
             (example, "strong"), ("   read at the next start", "muted")],
        ]  # fmt: skip


def _shown(keys: tuple[str, ...]) -> str:
    return "  ".join(map(symbol, keys))
