"""Cells that a spreadsheet takes for a formula. Names come from clouds, and "=HYPERLINK(...)" is a name."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """The cell as text whatever it begins with: one that a spreadsheet would evaluate is led by an apostrophe."""
    if not text.lstrip(" \u00a0").startswith(_FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text  # a negative number is one
