"""Cells: the width is always exact, whatever the name."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.table.cells import clean, cut_end, cut_middle, ends_as_id, fit, width

HOSTILE = st.one_of(
    st.text(max_size=60),
    st.text(
        st.sampled_from("a\u200b\u202e\u0301\u0300漢字🇩🇪👩\u200d👧\ufe0f❤\x1b[31m\t\n\x07\u1160\u00ad é"), max_size=60
    ),
)


@given(HOSTILE, st.integers(0, 40), st.booleans(), st.booleans())
def test_a_cell_is_exactly_as_wide_as_asked(text: str, cells: int, right: bool, middle: bool) -> None:
    fitted = fit(clean(text), cells, right=right, middle=middle)
    assert cell_len(fitted) == cells
    assert width(fitted) == cells


@given(HOSTILE)
def test_nothing_that_acts_on_a_terminal_is_left(text: str) -> None:
    cleaned = clean(text)
    for char in cleaned:
        assert unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    assert clean(cleaned) == cleaned


@given(HOSTILE, st.integers(0, 40))
def test_cutting_never_makes_a_text_longer_and_keeps_what_fits(text: str, cells: int) -> None:
    cleaned = clean(text)
    for cut in (cut_end(cleaned, cells), cut_middle(cleaned, cells)):
        assert width(cut) <= cells
        if width(cleaned) <= cells:
            assert cut == cleaned


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("web-01", "web-01"),
        ("a\x1b[31mb", "a\N{REPLACEMENT CHARACTER}[31mb"),
        ("a\nb\tc", "a b c"),
        ("evil\u202egnp.exe", "evil\N{REPLACEMENT CHARACTER}gnp.exe"),
        ("zero\u200bwidth", "zero\N{REPLACEMENT CHARACTER}width"),
        ("🇩🇪 box", "DE box"),
        ("👍🏽", "👍"),
        ("e\u0301", "é"),
        ("o" + "\u0336" * 30, "o\u0336\u0336"),
        ("\udcff", "\N{REPLACEMENT CHARACTER}"),
        ("\u0301start", "start"),
    ],
)
def test_names_are_made_safe(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_only_the_beginning_of_a_huge_value_is_read() -> None:
    assert len(clean("x" * 10_000_000)) == 2048


@pytest.mark.parametrize(
    ("cells", "cut"),
    [(36, "8f1c2d3e-0000-4000-8000-00000000be77"), (9, "8f1c…be77"), (8, "8f1c…e77"), (3, "8…7"), (2, "8…"), (0, "")],
)
def test_ids_are_cut_in_the_middle(cells: int, cut: str) -> None:
    assert cut_middle("8f1c2d3e-0000-4000-8000-00000000be77", cells) == cut


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("8f1c2d3e-0000-4000-8000-00000000be77", True), ("└ 8F1C2D3E-0000-4000-8000-00000000BE77", True),
     ("8f1c2d3e-0000-4000-8000-00000000be7", False), ("8f1c2d3e-0000-4000-8000-00000000be77\n", False),
     ("8f1c2d3e-0000-4000-8000-00000000be77-a", False), ("a volume with a long name, of no machine", False),
     ("", False)],
)  # fmt: skip
def test_what_has_no_name_ends_in_its_id(text: str, is_one: bool) -> None:
    assert ends_as_id(text) is is_one


@pytest.mark.parametrize(
    ("text", "cells", "cut"), [("漢字漢字", 5, "漢字…"), ("漢字漢字", 4, "漢…"), ("漢字", 4, "漢字")]
)
def test_wide_characters_are_never_halved(text: str, cells: int, cut: str) -> None:
    assert cut_end(text, cells) == cut
    assert width(fit(text, cells)) == cells
