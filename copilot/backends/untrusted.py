"""Texts that others wrote, made harmless: for a prompt, a screen, an error sentence."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from typing import Any

_BAD = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))  # controls, bidi and invisible ones, halves, unassigned


def clean(text: str, most: int = 255, *, lines: bool = False) -> str:
    """The text without control, bidi and invisible characters, cut at `most` characters. `lines` keeps line ends.

    Every blank becomes one space, so that a text stays one line of one value.
    """
    if len(text) <= most and text.isascii() and text.isprintable():
        return text.strip() if lines else " ".join(text.split())
    head = text[: most * 2 + 100]
    kept = "".join(_kept(character, lines) for character in head)
    kept = kept.strip() if lines else " ".join(kept.split())
    if len(kept) <= most and len(head) == len(text):
        return kept
    return kept[: max(most - 1, 0)].rstrip() + "…"


def _kept(character: str, lines: bool) -> str:
    if character == "\n":
        return "\n" if lines else " "
    if character == "\t":
        return " "
    return "" if unicodedata.category(character) in _BAD else character


def plain(value: Any, most: int = 255, depth: int = 6, items: int = 500) -> Any:
    """A JSON value whose texts are clean and short; times become RFC 3339 texts, anything else a text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str):
        return clean(value, most)
    if depth and isinstance(value, dict):
        return {clean(str(key), 80): plain(one, most, depth - 1, items) for key, one in list(value.items())[:items]}
    if depth and isinstance(value, list | tuple):
        return [plain(one, most, depth - 1, items) for one in value[:items]]
    return clean(str(value), most)
