"""Text for one cell of a terminal: made safe, cut to a width, padded to exactly that width.

Names come from clouds and are hostile until cleaned: control characters, escapes, direction overrides and
characters that terminals
measure differently never reach the screen. All widths are in terminal cells.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size

UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "…"
# Longest text looked at: a cell never shows more, and a metadata value may be 10 MB.
LIMIT = 2048
# Dropped without a trace: joiners of scripts and emoji, which terminals measure in different ways.
_DROPPED = frozenset("\u200c\u200d\ufe0e\ufe0f\u00ad" + "".join(map(chr, range(0x1F3FB, 0x1F400))))
_MARKS_IN_A_ROW = 2
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)
_ID_CELLS = 36


def clean(text: object, limit: int = LIMIT) -> str:
    """One line of printable text with the same words; at most `limit` characters of the input are read."""
    line = text if type(text) is str else str(text)
    if len(line) > limit:
        line = line[:limit]
    if line.isascii() and line.isprintable():
        return line
    return _clean(line)


@lru_cache(4096)
def _clean(line: str) -> str:
    out: list[str] = []
    marks = _MARKS_IN_A_ROW  # nothing to combine with yet
    for char in unicodedata.normalize("NFC", line):
        if char in _DROPPED:
            continue
        category = unicodedata.category(char)
        if category in ("Mn", "Me"):
            marks += 1
            if marks <= _MARKS_IN_A_ROW and get_character_cell_size(char) == 0:
                out.append(char)
            continue
        out.append(_safe(char, category))
        marks = 0
    return unicodedata.normalize("NFC", "".join(out))


def _safe(char: str, category: str) -> str:
    if char in "\t\n\r\v\f\x85" or category in ("Zs", "Zl", "Zp"):
        return " "
    if "\U0001f1e6" <= char <= "\U0001f1ff":  # flag letters: a pair is one or two glyphs, one to four cells
        return chr(ord("A") + ord(char) - 0x1F1E6)
    if category[0] == "C" or get_character_cell_size(char) == 0:
        return UNPRINTABLE
    return char


def width(text: str) -> int:
    """Cells that a cleaned text takes."""
    return len(text) if text.isascii() else cell_len(text)


def cut_end(text: str, cells: int) -> str:
    """A cleaned text in at most `cells` cells, its end replaced by an ellipsis where it doesn't fit."""
    if width(text) <= cells:
        return text
    if cells <= 0:
        return ""
    return _head(text, cells - 1) + ELLIPSIS


def cut_middle(text: str, cells: int) -> str:
    """A cleaned text in at most `cells` cells, its middle replaced by an ellipsis: both ends of an id tell it
    apart."""
    if width(text) <= cells:
        return text
    if cells < 3:
        return cut_end(text, cells)
    tail_cells = (cells - 1) // 2
    tail = _head(text[::-1], tail_cells)[::-1]
    return _head(text, cells - 1 - tail_cells) + ELLIPSIS + tail


def _head(text: str, cells: int) -> str:
    if text.isascii():
        return text[: max(0, cells)]
    used = 0
    for index, char in enumerate(text):
        used += get_character_cell_size(char)
        if used > cells:
            return text[:index]
    return text


def ends_as_id(text: str) -> bool:
    """Whether a text ends in a UUID, as what has no name is called: its end tells it from others."""
    return len(text) >= _ID_CELLS and _ID.search(text, len(text) - _ID_CELLS) is not None


def fit(text: str, cells: int, *, right: bool = False, middle: bool = False) -> str:
    """A cleaned text in exactly `cells` cells: cut when longer, padded (on the left with `right`) when shorter."""
    if cells <= 0:
        return ""
    cut = cut_middle(text, cells) if middle else cut_end(text, cells)
    pad = " " * (cells - width(cut))
    return pad + cut if right else cut + pad
