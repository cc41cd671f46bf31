"""Lines as a terminal shows them: few segments of text with a style, each line exactly as wide as the screen.

Pure: Textual draws these lines, and before Textual is loaded the first frame is painted from them (tui.frame).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from rich.segment import Segment
from rich.style import Style

from tui.table.cells import cut_end, ends_as_id, fit, width
from tui.table.format import GLYPHS, NOTHING, RIGHT_ALIGNED, level, value_text
from tui.table.layout import Head, Placed
from tui.table.spec import Row
from tui.themes.palette import Palette

Line = list[Segment]
Part = tuple[str, str]  # text, name of a style

CURSOR, MARK, MARKED_CURSOR = "▸", "+", "▹"
MORE_LEFT = "◂"
LINK = "link"  # first part of the keys of rows that lead to another list
SECTION = "section"  # of rows that are headings of those below
NOT_NOW = "not now"  # of rows that say what can't be done
KEYS = "keys"  # role of a column of keys to press
LABEL = "label"  # role of a column that names what stands in the next one
DOCUMENT = "document"  # role of a column of lines of YAML or JSON
_ROWS = {SECTION: "strong", NOT_NOW: "muted"}
_SAYS_LITTLE = (NOTHING, "0")
_UP, _DOWN = "↑", "↓"


def line_of(parts: Iterable[tuple[str, Style]], cells: int, fill: Style) -> Line:
    """A line of exactly `cells` cells from texts with styles; neighbours of one style become one segment.

    Texts must be cleaned and together not wider than the line, except the last ones, which are cut.
    """
    segments: list[Segment] = []
    text, style, used = "", fill, 0
    for part, part_style in parts:
        part_cells = width(part)
        if used + part_cells > cells:
            part = cut_end(part, cells - used)
            part_cells = width(part)
        used += part_cells
        if part_style is style or part_style == style:
            text += part
            continue
        if text:
            segments.append(Segment(text, style))
        text, style = part, part_style
    pad = " " * (cells - used)
    if style is fill or style == fill:
        text, pad = text + pad, ""
    if text:
        segments.append(Segment(text, style))
    if pad:
        segments.append(Segment(pad, fill))
    return segments


def sided_line(left: Sequence[Part], right: Sequence[Part], palette: Palette, cells: int, fill: Style) -> Line:
    """A line of parts: those on the left are cut where room is missing, the right ones stand at the edge, uncut."""
    right_cells = sum(width(text) for text, _ in right)
    if right_cells > cells:
        left, right, right_cells = right, (), 0
    room = cells - right_cells
    parts = []
    for text, name in left:
        text = cut_end(text, room)
        room -= width(text)
        parts.append((text, palette[name]))
    parts.append((" " * room, fill))
    parts += [(text, palette[name]) for text, name in right]
    return line_of(parts, cells, fill)


def texts_of(row: Row, heads: Sequence[Head], now: datetime) -> list[str]:
    """The texts of a row's cells, uncut."""
    values = row.values
    return [value_text(values[h.index], h.role, now) if h.index < len(values) else "-" for h in heads]


def head_line(
    placed: Sequence[Placed], palette: Palette, cells: int, sort: Mapping[str, bool], column: str, more_left: bool
) -> Line:
    """The line of column heads: the one under the column cursor stands out, sorted ones carry an arrow."""
    plain = palette["head"]
    parts: list[tuple[str, Style]] = []
    at = 0
    for number, spot in enumerate(placed):
        head = spot.head
        title = head.title
        if head.name in sort:
            title = cut_end(title, spot.cells - 1) + (_DOWN if sort[head.name] else _UP)
        before = " " * (spot.start - at)
        if number == 1 and more_left and before:
            before = before[:-1] + MORE_LEFT
        parts.append((before, plain))
        right = head.role in RIGHT_ALIGNED
        shown = cut_end(title, spot.cells)
        pad = " " * (spot.cells - width(shown))
        style = palette["head_cursor"] if head.name == column else plain
        parts += [(pad, plain), (shown, style)] if right else [(shown, style), (pad, plain)]
        at = spot.start + spot.cells
    return line_of(parts, cells, plain)


def row_line(
    row: Row,
    texts: Mapping[str, str],
    placed: Sequence[Placed],
    palette: Palette,
    cells: int,
    *,
    cursor: bool,
    marked: bool,
    status: Head | None,
    faults: Sequence[str],
) -> Line:
    """One row: cursor mark, status glyph, cells. A row that is gone is struck through.

    What is as it should be has no colour but that of its glyph, and what says little stands back: what is wrong is
    seen at once.
    """
    styles = palette.cursor if cursor else palette.plain
    leads = row.key[0] == LINK and str(row.values[-1]) not in _SAYS_LITTLE
    said = not row.gone and not marked  # whether cells have styles of their own
    base = styles["gone"] if row.gone else styles["mark"] if marked else styles[_ROWS.get(row.key[0], "text")]
    mark = (MARKED_CURSOR if marked else CURSOR) if cursor else MARK if marked else " "
    parts: list[tuple[str, Style]] = [(mark, base)]
    at = 1
    if status is not None:
        value = row.values[status.index] if status.index < len(row.values) else None
        row_level = level(value, faults, status.levels)
        parts.append((GLYPHS[row_level], base if row.gone else styles[row_level]))
        at = 2
    for spot in placed:
        head = spot.head
        text = texts[head.name]
        middle = head.role == "id" or (len(text) > spot.cells and ends_as_id(text))
        text = fit(text, spot.cells, right=head.role in RIGHT_ALIGNED, middle=middle)
        style = base
        if head.role == "status" and not row.gone:
            word = level(row.values[head.index], faults, head.levels)
            style = base if word == "ok" else styles[word]
        elif said and texts[head.name] in _SAYS_LITTLE:
            style = styles["muted"]
        elif said and head.role == KEYS and row.key[0] != NOT_NOW:
            style = styles["accent"]
        elif said and head.role == LABEL:
            style = styles["accent" if leads else "muted"]
        parts.append((" " * (spot.start - at), base))
        if said and head.role == DOCUMENT:
            key = _key_of(text)
            parts += [(text[:key], styles["muted"]), (text[key:], style)]
        else:
            parts.append((text, style))
        at = spot.start + spot.cells
    return line_of(parts, cells, base)


def _key_of(line: str) -> int:
    """Where the key of a line of YAML or JSON ends; 0 when it has none."""
    end = line.find(": ")
    if end < 0 and (shown := line.rstrip()).endswith(":"):
        end = len(shown) - 1
    return end + 1
