"""What a board is made of: lines of pieces, some of which are spots that the cursor stands on and `enter` opens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tui.panes.pane import Parts
from tui.state import View
from tui.table.cells import clean, cut_end, width

CURSOR = "▸"


@dataclass(frozen=True, slots=True)
class Piece:
    """A cleaned text with the name of a style; `spot` is the key of what it belongs to, "" = of nothing."""

    text: str
    style: str = "text"
    spot: str = ""


Line = list[Piece]


@dataclass(frozen=True, slots=True)
class Spot:
    """Something that can be opened: the view behind it (None: nothing), and up to three lines about it.

    key  says what it is by its place, so that the cursor stays where it is while numbers change
    """

    key: str
    view: View | None = None
    about: tuple[Parts, ...] = ()


@dataclass(slots=True)
class Block:
    """A part of a board: a title of pieces, lines, and the spots that occur in them."""

    title: Line = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    spots: dict[str, Spot] = field(default_factory=dict)

    def add(self, *pieces: Piece) -> None:
        """One more line."""
        self.lines.append(list(pieces))

    def spot(self, key: str, view: View | None, *about: Parts) -> str:
        """Make a spot known; answers its key, for its pieces."""
        self.spots[key] = Spot(key, view, about)
        return key


def cells(line: Line) -> int:
    """Cells that a line takes."""
    return sum(width(piece.text) for piece in line)


def fitted(line: Line, room: int, fill: str = " ") -> Line:
    """The line in exactly `room` cells: cut at its end, or filled up."""
    out: Line = []
    for piece in line:
        if room <= 0:
            break
        text = cut_end(piece.text, room)
        room -= width(text)
        out.append(piece if text == piece.text else Piece(text, piece.style, piece.spot))
    if room > 0:
        out.append(Piece(fill * room, "rule" if fill != " " else "text"))
    return out


def drawn(make: Callable[[], Block], title: str) -> Block:
    """The block; an answer of another shape (of another release, of a broken proxy) is said in its place."""
    try:
        return make()
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        block = Block([Piece(f" {title}", "strong")])
        about: Parts = [("the answer of the engine can't be read: ", "warn"), (clean(repr(error)), "muted")]
        block.add(Piece(" not known: the answer can't be read", "warn", block.spot(f"{title} fault", None, about)))
        return block


def said(text: object, style: str = "text", spot: str = "") -> Piece:
    """A piece of a text that may come from anywhere."""
    return Piece(clean(text), style, spot)
