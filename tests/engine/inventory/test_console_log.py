"""Console logs are made harmless, and what stands in their way is a sentence."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api.errors import ApiError
from engine.clouds.errors import CloudError
from engine.inventory.console_log import clean, refusal, tail

CASES: list[tuple[str, str]] = [
    ("plain\r\ntext", "plain\ntext"),
    ("[\x1b[0;32m  OK  \x1b[0m] Started", "[  OK  ] Started"),
    # Nova takes the escape characters out and leaves the rest.
    ("[[0;32m  OK  [0m] Started", "[  OK  ] Started"),
    ("[[0;1;31mFAILED[0m] Failed", "[FAILED] Failed"),
    ("[?25l[2J[01;01H[=3hBooting", "Booting"),
    ("[    0.000000] Linux version", "[    0.000000] Linux version"),
    ("cloud-init[612]: finished [net,ver=2]", "cloud-init[612]: finished [net,ver=2]"),
    ("array[0] = [1m] [2K] [12]", "array[0] = ] [2K] [12]"),
    ("\x1b]0;owned\x07title", "title"),
    ("\x1b]52;c;ZXZpbA==\x1b\\clip", "clip"),
    ("\x1bP+q544e\x1b\\dcs", "dcs"),
    ("\x9b31mred", "red"),
    ("\x1b(B\x1b=keys", "keys"),
    ("10%\r50%\r100%", "100%"),
    ("abX\bc", "abc"),
    ("a\tb", "a       b"),
    ("nul\x00l", "null"),
    ("rtl \u202egnp.exe", "rtl ?gnp.exe"),
    ("zero\u200bwidth \ud800", "zero?width ?"),
    ("a\u2028b", "a?b"),
    ("grün 名前 🔥", "grün 名前 🔥"),
]


@pytest.mark.parametrize(("given_", "wanted"), CASES)
def test_cleaning(given_: str, wanted: str) -> None:
    assert clean(given_) == wanted


@given(st.text(alphabet=st.characters() | st.sampled_from("\x1b[]0;mHJK?\x07\r\n\b\x9b\\"), max_size=80))
def test_nothing_that_acts_on_a_terminal_is_left(text: str) -> None:
    cleaned = clean(text)
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in cleaned.replace("\n", ""))


def test_long_lines_and_texts_end_somewhere() -> None:
    assert len(clean("x" * 10_000)) == 4000
    assert len(clean("x\n" * 3_000_000)) <= 2 << 20


@pytest.mark.parametrize(
    ("text", "length", "lines", "more"),
    [("a\nb\nc\n\n", 2, ["b", "c"], True), ("a\nb", 2, ["a", "b"], False), ("", 5, [], False)],
)
def test_the_end_of_a_text(text: str, length: int, lines: list[str], more: bool) -> None:
    assert tail(text, length) == (lines, more)


@dataclass
class Answer:
    status: int
    document: Mapping[str, Any] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("status", "kind", "code", "words"),
    [
        (403, "", 403, "a reader may not"),
        (0, "denied", 403, "a reader may not"),
        (404, "", 404, "is gone, or has none"),
        (409, "", 409, "no console yet"),
        (501, "", 501, "offers no console log"),
        (500, "", 502, "could not be read (boom)"),
        (0, "timeout", 504, "could not be read"),
    ],
)
def test_refusals_are_sentences(status: int, kind: str, code: int, words: str) -> None:
    found = refusal(status, "boom", "web-1", kind)
    assert isinstance(found, ApiError) and found.status == code
    assert words in found.detail and "web-1" in found.detail
    assert CloudError("denied", "x").kind == "denied"
