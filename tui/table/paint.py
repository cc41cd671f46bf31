"""Lines of a table as Textual draws them: few segments, each line exactly as wide as the screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.table.cells import cut_end, fit, width
from tui.table.format import GLYPHS, RIGHT_ALIGNED, level, value_text
from tui.table.layout import Head, Placed
from tui.table.spec import Row
from tui.themes.palette import Palette

CURSOR, MARK, MARKED_CURSOR = "▸", "+", "▹"
MORE_LEFT = "◂"
LINK = "link"  # first part of the keys of rows that lead to another list
_UP, _DOWN = "↑", "↓"


def strip_of(parts: Iterable[tuple[str, Style]], cells: int, fill: Style) -> Strip:
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
    return Strip(segments, cells)


def texts_of(row: Row, heads: Sequence[Head], now: datetime) -> list[str]:
    """The texts of a row's cells, uncut."""
    values = row.values
    return [value_text(values[h.index], h.role, now) if h.index < len(values) else "-" for h in heads]


def head_strip(
    placed: Sequence[Placed], palette: Palette, cells: int, sort: Mapping[str, bool], column: str, more_left: bool
) -> Strip:
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
    return strip_of(parts, cells, plain)


def row_strip(
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
) -> Strip:
    """One row: cursor mark, status glyph, cells. A row that is gone is struck through."""
    styles = palette.cursor if cursor else palette.plain
    plain = "accent" if row.key[0] == LINK else "text"
    base = styles["gone"] if row.gone else styles["mark"] if marked else styles[plain]
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
        text = fit(texts[head.name], spot.cells, right=head.role in RIGHT_ALIGNED, middle=head.role == "id")
        style = base
        if head.role == "status" and not row.gone:
            style = styles[level(row.values[head.index], faults, head.levels)]
        parts.append((" " * (spot.start - at), base))
        parts.append((text, style))
        at = spot.start + spot.cells
    return strip_of(parts, cells, base)
