"""The first frame, from what was read while the console was loading: painted before Textual is there. Pure.

It is made of the console's own pane, picture and lines, so that Textual's first frame is the same, cell by cell.
"""

from __future__ import annotations

from collections.abc import Mapping

from tui.early import PATH, Early
from tui.keymap import Keymap
from tui.panes.make import make_pane
from tui.panes.pane import Pane
from tui.showing import (
    Data,
    context_line,
    footer_line,
    has_footer,
    row_count,
    state_line,
    strip_height,
    strip_lines,
)
from tui.showing import Line as Parts
from tui.state import DEFAULT, View
from tui.table.cells import clean
from tui.table.paint import Line, sided_line
from tui.table.picture import Picture
from tui.table.source import window_of
from tui.table.spec import Row
from tui.themes.palette import PALETTES, choose, kept_theme
from tui.world import World

LEAST = (20, 5)  # cells and lines; a smaller screen waits for the console
PAINTED = ("list", "dashboard")  # kinds of views


def first_frame(early: Early, env: Mapping[str, str], keymap: Keymap, columns: int, rows: int) -> list[Line] | None:
    """The lines of a screen of that size; None when what was read is not enough to know them.

    Raises what a pane raises over an answer that is not as it should be.
    """
    view = early.view
    if view is None or early.clouds is None or view.kind not in PAINTED or columns < LEAST[0] or rows < LEAST[1]:
        return None
    world = World(keymap=keymap, cells=columns)
    world.take_clouds(early.clouds)
    pane = make_pane(view, world, under=DEFAULT, places=())
    footer = [footer_line(pane.places, columns, keymap.actions)] if has_footer(rows) else []
    strip = strip_height(rows, pane.has_strip)
    height = rows - 2 - strip - len(footer)
    picture = Picture()
    picture.palette = palette = PALETTES[kept_theme(early.session, env) or choose(env)]
    data = _fill(picture, pane, view, early, columns, height)
    if data is None:
        return None
    table = picture.lines(columns, height)
    about = strip_lines(pane, picture.current, columns)[:strip]
    about += [([], [])] * (strip - len(about))

    def drawn(line: Parts, fill: str = "text") -> Line:
        return sided_line(*line, palette, columns, palette[fill])

    top = drawn(context_line(pane, world, row_count(pane, world, None), columns), "bar")
    state = state_line(pane, world, picture, 0.0, clean(keymap.complaint), False, data)
    return [top, drawn(state), *table, *(drawn(line) for line in (*about, *footer))]


def _fill(picture: Picture, pane: Pane, view: View, early: Early, columns: int, height: int) -> Data | None:
    """Put in what was read; how old it is, None when it is not what this view needs."""
    picture.spec, picture.faults = pane.spec(), pane.faults
    board = pane.as_board()
    if board is not None:
        if PATH not in early.answers:
            return None
        board.facts["problems"] = early.answers[PATH][1]
        picture.canvas = board
        key = view.cursor[0] if view.cursor else ""
        board.draw(columns, height, key)  # now it is known which spots there are
        spots = board.rows()
        picture.buffer.rows = [Row(*spot) for spot in spots if spot[0] == (key,)] or [Row(*spot) for spot in spots[:1]]
        return Data(None, 0.0, ())
    if early.window is None:
        return None
    window = window_of(early.window[1])
    if view.cursor and window.anchor_index is None:
        return None  # the row to come back to is gone: the list will be read from its start
    picture.heads = pane.heads(window.columns)
    picture.buffer.replace(window, max(1, height - 1), key=view.cursor or None, line=view.line)
    picture.empty_text = pane.empty()
    return Data(window.age_seconds, 0.0, window.states)
