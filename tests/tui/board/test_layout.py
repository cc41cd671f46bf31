"""Where blocks stand and where keys lead: nothing wider than the screen, no spot that can't be seen or reached."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.board.layout import Board, marked, ruled, shares, side_by_side, stacked
from tui.board.pieces import Block, Line, Piece, cells, fitted, said

HOSTILE = "\x1b[2J\u202eabc\n\tdef 漢字" * 3
TEXTS = st.text(max_size=30).map(lambda text: said(text).text)
PIECES = st.builds(Piece, TEXTS, st.sampled_from(["text", "bad"]), st.sampled_from(["", "a", "b", "c"]))
LINES = st.lists(PIECES, max_size=6)


def block(*names: str, lines: int = 1) -> Block:
    """A block with `lines` lines, each with all these spots."""
    made = Block([Piece(" title", "strong")])
    for number in range(lines):
        made.add(*(Piece(f" {name}{number} ", "text", made.spot(f"{name}{number}", None)) for name in names))
    return made


def board(*blocks: Block, width: int = 40) -> Board:
    """Blocks below each other."""
    made = Board()
    for one in blocks:
        made.put(stacked(one, width), one.spots)
    return made


@settings(deadline=None)  # others work on the machine too
@given(LINES, st.integers(0, 60))
def test_a_line_has_exactly_its_room(line: Line, room: int) -> None:
    assert cells(fitted(line, room)) == room


@settings(deadline=None)  # others work on the machine too
@given(st.lists(st.lists(LINES, max_size=5), min_size=1, max_size=3), st.integers(12, 200))
def test_blocks_side_by_side_fill_the_width(found: list[list[Line]], width: int) -> None:
    blocks = [Block([Piece(" head", "strong")], lines) for lines in found]
    rooms = shares(width, [1] * len(blocks))
    assert all(cells(line) == width for line in side_by_side(blocks, rooms))
    assert all(cells(line) == width for line in ruled(blocks[0], width))


@settings(deadline=None)  # others work on the machine too
@given(st.integers(10, 300), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_shares_and_their_rules_make_the_whole(total: int, weights: list[int]) -> None:
    assert sum(shares(total, weights)) + len(weights) - 1 == total


def test_spots_that_are_cut_away_are_none() -> None:
    made = board(block("a", "b", "c"), width=8)
    assert list(made.spots) == ["a0", "b0"]


@pytest.mark.parametrize(
    ("key", "down", "right", "to"),
    [
        ("a0", 1, 0, "a1"),
        ("b0", 1, 0, "b1"),
        ("a0", -1, 0, "a0"),
        ("a1", -1, 0, "a0"),
        ("a0", 0, 1, "b0"),
        ("b0", 0, 1, "b0"),
        ("b2", 1, 0, "x0"),
        ("x0", -1, 0, "a2"),
        ("gone", 1, 0, "a0"),
    ],
)
def test_keys_lead_to_what_is_nearest(key: str, down: int, right: int, to: str) -> None:
    made = board(block("a", "b", lines=3), block("x"))
    assert made.beside(key, down, right) == to


def test_every_spot_is_reached_from_the_first() -> None:
    made = board(block("a", "b", "c", lines=4), block("x", "y"), width=80)
    seen, todo = set(), ["a0"]
    while todo:
        key = todo.pop()
        if key not in seen:
            seen.add(key)
            todo += [made.beside(key, *way) for way in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    assert seen == set(made.spots)


@settings(deadline=None)  # others work on the machine too
@given(st.integers(1, 12), st.integers(1, 40), st.integers(0, 39))
def test_the_cursor_is_on_screen(height: int, lines: int, at: int) -> None:
    made = board(block("a", lines=lines))
    key = f"a{min(at, lines - 1)}"
    top, shown = made.window(height, key)
    assert top <= made.places[key].line < top + height and len(shown) <= height


@pytest.mark.parametrize(
    ("line", "drawn"),
    [
        ([Piece(" one", "text", "k"), Piece(" 1", "bad", "k")], "▸one 1"),
        ([Piece("one ", "text", "k")], "▸one"),
        ([Piece("one", "text", "k")], "▸one"),
        ([Piece(" two", "text", "other")], " two"),
        ([Piece(" no", "text")], " no"),
    ],
)
def test_the_mark_of_the_cursor_takes_no_room_where_there_is_a_blank(line: Line, drawn: str) -> None:
    parts = marked(line, "k")
    assert "".join(text for text, _, _ in parts) == drawn
    assert [here for _, _, here in parts] == [piece.spot == "k" for piece in line]


def test_clicks_find_spots() -> None:
    made = board(block("a", "b"))
    assert [made.at(cell, 1) for cell in (0, 3, 4, 7, 8, 39, 50)] == ["a0", "a0", "b0", "b0", "", "", ""]
    assert made.at(0, 99) == "" and made.at(0, -1) == ""


def test_hostile_texts_are_cleaned() -> None:
    text = said(HOSTILE).text
    assert "\x1b" not in text and "\u202e" not in text and "\n" not in text
