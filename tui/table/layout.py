"""Which columns of a list are drawn and how wide, from the columns a type declares and the texts on screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tui.table.cells import width as text_width

# Least cells of the roles that may be cut.
FLEXIBLE = {
    "name": 10, "text": 8, "address": 10, "list": 8, "id": 9, "label": 8, "document": 8, "keys": 8,
}  # fmt: skip
FIRST = 16  # cells of the first column that others give theirs away for
MORE = 2  # how much wider than declared a column may grow where there is room


@dataclass(frozen=True, slots=True)
class Head:
    """A column of a list: `index` in a row's values, `cells` preferred width, `shown` without being asked for.

    quiet  only drawn when the column cursor comes to it, however much room there is
    levels  how bad the words of a status column are, where they mean something else than those of resources
    """

    name: str
    title: str
    role: str = "text"
    cells: int = 12
    index: int = 0
    shown: bool = True
    quiet: bool = False
    levels: Mapping[str, str] | None = None

    @property
    def least(self) -> int:
        """The fewest cells that are still of use."""
        return min(self.cells, FLEXIBLE.get(self.role, self.cells))


@dataclass(frozen=True, slots=True)
class Placed:
    """A column on screen: from cell `start` on, `cells` wide."""

    head: Head
    start: int
    cells: int


def place(
    heads: Sequence[Head],
    needs: Mapping[str, int],
    start: int,
    available: int,
    gap: int,
    left: int = 0,
    wide: bool = False,
    keep: str = "",
) -> list[Placed]:
    """The columns that fit into `available` cells from `start` on.

    The first column is always there, `left` columns after it are scrolled away. Columns take what their texts need, up
    to their declared width; where the shown ones don't fit, the widest give cells away; what is left goes to those
    whose texts are cut. Columns that nobody asked for and that are empty on screen are left out, except `keep`.
    """
    chosen = [*heads[:1], *heads[1 + left :]]
    if not chosen or available <= start:
        return []
    room = available - start
    limit = {h.name: max(h.cells, text_width(h.title) + 1, needs.get(h.name, 0) * wide) for h in chosen}
    want = {h.name: max(text_width(h.title), min(needs.get(h.name, 0), limit[h.name])) for h in chosen}
    shown = [h for h in chosen if h.shown]
    _shrink(shown, want, room, gap)
    _grow(shown, want, needs, room - sum(want[h.name] + gap for h in shown) + gap)
    taken: list[Head] = []
    used = 0
    for head in chosen:
        unasked = not head.shown and not left and head.name != keep
        if taken and unasked and (head.quiet or needs.get(head.name, 0) <= 1):
            continue  # nothing to see there
        extra = want[head.name] + (gap if taken else 0)
        if used + extra > room:
            if not taken:
                want[head.name] = room
                taken.append(head)
                used = room
            break
        taken.append(head)
        used += extra
    _grow(taken, want, needs, room - used)
    placed = []
    at = start
    for head in taken:
        placed.append(Placed(head, at, want[head.name]))
        at += want[head.name] + gap
    return placed


def _shrink(shown: Sequence[Head], want: dict[str, int], room: int, gap: int) -> None:
    """Take cells from the widest flexible columns until the shown ones fit or all are at their least."""
    over = sum(want[h.name] for h in shown) + gap * (len(shown) - 1) - room
    for kept in (FIRST, 0):  # the first column says which row it is: it gives away what makes it that at last
        flexible = [h for h in shown if h.role in FLEXIBLE]
        while over > 0 and flexible:
            widest = max(flexible, key=lambda h: want[h.name])
            least = max(widest.least, kept) if widest is shown[0] else widest.least
            if want[widest.name] <= least:
                flexible.remove(widest)
                continue
            want[widest.name] -= 1
            over -= 1


def _grow(taken: Sequence[Head], want: dict[str, int], needs: Mapping[str, int], spare: int) -> None:
    """Give spare cells to columns whose texts are cut, in order."""
    for head in taken:
        extra = min(spare, needs.get(head.name, 0) - want[head.name], head.cells * MORE - want[head.name])
        if extra > 0:
            want[head.name] += extra
            spare -= extra
