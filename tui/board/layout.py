"""Where the blocks of a board stand: below each other, or side by side with rules between them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tui.board.pieces import CURSOR, Block, Line, Piece, Spot, cells, fitted
from tui.table.cells import width


@dataclass(frozen=True, slots=True)
class At:
    """Where a spot begins."""

    line: int
    cell: int


@dataclass(slots=True)
class Board:
    """Drawn lines, the spots in reading order, and where each begins."""

    lines: list[Line] = field(default_factory=list)
    spots: dict[str, Spot] = field(default_factory=dict)
    places: dict[str, At] = field(default_factory=dict)

    def put(self, lines: Sequence[Line], spots: dict[str, Spot]) -> None:
        """Lines below those that are there. Spots that are not to be seen in them are left out."""
        for line in lines:
            at = 0
            for piece in line:
                if piece.spot and piece.spot in spots and piece.spot not in self.spots:
                    self.spots[piece.spot] = spots[piece.spot]
                    self.places[piece.spot] = At(len(self.lines), at)
                at += width(piece.text)
            self.lines.append(line)

    def beside(self, key: str, down: int, right: int) -> str:
        """The spot to go to from one: the next in that direction, the key itself at an edge."""
        here = self.places.get(key)
        if here is None:
            return next(iter(self.places), key)
        if right:
            row = sorted((at.cell, name) for name, at in self.places.items() if at.line == here.line)
            names = [name for _, name in row]
            index = names.index(key) + right
            return names[index] if 0 <= index < len(names) else key
        lines = sorted({at.line for at in self.places.values() if (at.line > here.line) == (down > 0)} - {here.line})
        if not lines:
            return key
        line = lines[0] if down > 0 else lines[-1]
        return min((abs(at.cell - here.cell), at.cell, name) for name, at in self.places.items() if at.line == line)[2]

    def at(self, cell: int, line: int) -> str:
        """The spot drawn there; "" for none."""
        if not 0 <= line < len(self.lines):
            return ""
        for piece in self.lines[line]:
            cell -= width(piece.text)
            if cell < 0:
                return piece.spot
        return ""

    def window(self, height: int, key: str) -> tuple[int, list[Line]]:
        """(first line shown, the lines on a screen of that height): the spot is among them, with its block's head."""
        place = self.places.get(key)
        last = max(0, len(self.lines) - height)
        top = 0
        if place is not None and place.line >= height - 1:
            top = min(last, place.line - height // 2)
        return top, self.lines[top : top + height]


def stacked(block: Block, room: int) -> list[Line]:
    """A block over the whole width: its title, then its lines."""
    head = [fitted(block.title, room)] if block.title else []
    return [*head, *(fitted(line, room) for line in block.lines)]


def ruled(block: Block, room: int) -> list[Line]:
    """A block over the whole width with its title in a rule."""
    return [_head(block.title, room), *(fitted(line, room) for line in block.lines)]


def side_by_side(blocks: Sequence[Block], rooms: Sequence[int]) -> list[Line]:
    """Blocks beside each other, `rooms` cells wide each, with a rule above and between them."""
    height = max((len(block.lines) for block in blocks), default=0)
    lines: list[Line] = [_joined([_head(block.title, room) for block, room in zip(blocks, rooms, strict=True)], "┬")]
    for number in range(height):
        parts = [
            fitted(block.lines[number] if number < len(block.lines) else [], room)
            for block, room in zip(blocks, rooms, strict=True)
        ]
        lines.append(_joined(parts, "│"))
    return lines


def shares(total: int, weights: Sequence[int]) -> list[int]:
    """Widths of blocks that stand side by side in `total` cells, rules between them counted."""
    room = total - (len(weights) - 1)
    found = [room * weight // sum(weights) for weight in weights]
    found[0] += room - sum(found)
    return found


def _head(title: Line, room: int) -> Line:
    if not title:
        return fitted([], room, "─")
    line = fitted([Piece("─", "rule"), *title, Piece(" ", "rule")], max(0, room))
    if cells([*title]) + 2 < room:
        line = [Piece("─", "rule"), *title, Piece(" ", "rule")]
        line.append(Piece("─" * (room - cells(line)), "rule"))
    return line


def _joined(parts: Sequence[Line], between: str) -> Line:
    line: Line = []
    for number, part in enumerate(parts):
        line += [*([Piece(between, "rule")] if number else []), *part]
    return line


def marked(line: Line, key: str) -> list[tuple[str, str, bool]]:
    """(text, style, under the cursor) of a line; the first piece of the spot begins with the cursor's mark."""
    out = []
    seen = False
    for piece in line:
        here = bool(key) and piece.spot == key
        text = piece.text
        if here and not seen:
            seen = True
            text = CURSOR + text[1:] if text[:1] == " " else CURSOR + text[: -1 if text.endswith(" ") else None]
        out.append((text, piece.style, here))
    return out
