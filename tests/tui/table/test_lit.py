"""A text that was looked for stands out, and the line is as wide as before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style

from tui.table.lit import lit
from tui.table.paint import Line

MARK = Style(bold=True)


def line(*texts: str) -> Line:
    return [Segment(text, Style(italic=bool(number % 2))) for number, text in enumerate(texts)]


def whole(line: Line) -> str:
    return "".join(segment.text for segment in line)


@pytest.mark.parametrize(
    ("texts", "text", "found"),
    [
        (("a panic, a Panic",), "PANIC", ["panic", "Panic"]),
        (("pa", "nic"), "panic", ["pa", "nic"]),
        (("x (1) [y]",), "(1) [", ["(1) ["]),
        (("ok",), "panic", []),
        (("ok",), "", []),
        (("mémo 日本",), "日", ["日"]),
    ],
)
def test_lit(texts: tuple[str, ...], text: str, found: list[str]) -> None:
    shown = lit(line(*texts), text, MARK)
    assert [part.text for part in shown if part.style and part.style.underline] == found


@given(st.lists(st.text("ab日", min_size=1, max_size=6), min_size=1, max_size=4), st.text("ab日", max_size=3))
def test_nothing_is_lost_and_styles_stay(texts: list[str], text: str) -> None:
    before = line(*texts)
    after = lit(before, text, MARK)
    assert whole(after) == whole(before)
    styles = [style for part in before for style in [part.style] * len(part.text)]
    assert [s and s.italic for part in after for s in [part.style] * len(part.text)] == [s and s.italic for s in styles]
