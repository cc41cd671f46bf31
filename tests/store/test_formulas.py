"""No cell is a formula, and numbers stay numbers."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.formulas import cell, escaped, harmless, inert


@pytest.mark.parametrize(
    ("text", "wanted"),
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
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\n=1", "'\n=1"),
    ],
)
def test_cells(text: str, wanted: str) -> None:
    assert harmless(text) == wanted


@given(st.text(max_size=30))
def test_no_cell_is_a_formula(text: str) -> None:
    shown = harmless(text)
    assert shown in (text, f"'{text}")
    if shown.lstrip(" ").startswith(("=", "+", "-", "@")):
        float(shown)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (-4, -4),
        (["10.0.0.1", "=x"], '["10.0.0.1", "=x"]'),
        ({"a": "\x1b]0;x\x07"}, '{"a": "\\u001b]0;x\\u0007"}'),
        ("\x1b[31mred", "\ufffd[31mred"),
        ("\x9b31m \u202egpj", "\ufffd31m \ufffdgpj"),
        ("=\x1b", "'=\ufffd"),
        (datetime(2026, 11, 25, tzinfo=UTC), "2026-11-25T00:00:00Z"),
    ],
)
def test_csv_cells(value: Any, wanted: Any) -> None:
    assert cell(value) == wanted


@given(st.text())
def test_nothing_acts_on_a_terminal(text: str) -> None:
    for shown in (inert(text), escaped(json.dumps(text, ensure_ascii=False))):
        assert not any(unicodedata.category(c) == "Cc" and c not in "\t\r\n" for c in shown)
        assert not set(shown) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2069\u200b\u2028")


@given(st.text())
def test_escaped_json_has_the_same_value(text: str) -> None:
    assert json.loads(escaped(json.dumps(text, ensure_ascii=False))) == text
