"""Cells of spreadsheets and CSV files. Names come from clouds, and "=HYPERLINK(...)" is a name."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from store import times

# Also the full-width forms, which spreadsheets of some languages take for the plain ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# What acts on a terminal or turns text around instead of being shown; tab and line ends are shown.
_ACTING = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
SHOWN = "\N{REPLACEMENT CHARACTER}"


def harmless(text: str) -> str:
    """The cell as text whatever it begins with: one that a spreadsheet would evaluate is led by an apostrophe."""
    if not text.lstrip(" \u00a0").startswith(_FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text  # a negative number is one


def inert(text: str) -> str:
    """The text with every character that would act on a terminal, or reorder what is read, replaced."""
    return text if text.isascii() and text.isprintable() else _ACTING.sub(SHOWN, text)


def escaped(text: str) -> str:
    r"""JSON with the same characters written as \uXXXX: its values stay what they are, printing it does nothing."""
    return text if text.isascii() and "\x7f" not in text else _ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def cell(value: Any) -> Any:
    """A value as one cell of a CSV file: text that is never a formula, numbers, JSON for lists, "" for nothing.

    What acts on a terminal is replaced: people look at such files with `cat`. JSON and Parquet keep every character.
    """
    if value is None:
        return ""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return harmless(inert(value))
    if isinstance(value, datetime):
        return times.text(value)
    if isinstance(value, dict | list | tuple):
        return inert(json.dumps(value, ensure_ascii=False))
    return value
