"""No cell is a formula, and numbers stay numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.formulas import harmless


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("web-3", "web-3"),
        ("", ""),
        ("-5", "-5"),
        ("+1.5e3", "+1.5e3"),
        ("=1+1", "'=1+1"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("-", "'-"),
    ],
)
def test_cells(text: str, cell: str) -> None:
    assert harmless(text) == cell


@given(st.text(max_size=30))
def test_no_cell_is_a_formula(text: str) -> None:
    cell = harmless(text)
    assert cell in (text, f"'{text}")
    if cell.lstrip(" ").startswith(("=", "+", "-", "@")):
        float(cell)
