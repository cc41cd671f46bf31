"""Rows on stdout: a plain table for people, JSON, YAML and CSV for programs.

The table is cut to the terminal's width only when stdout is a terminal; a pipe gets every character. Text that came
from a cloud is never let through with its control characters: a name cannot move the cursor or set a title. That holds
for CSV in a pipe too, whose cells are no formulas either: it ends in a spreadsheet or, later, on a terminal. Programs
that need every character of a name ask for JSON, which writes those characters as escapes.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from store.formulas import cell, escaped

GAP = "  "


class Format(StrEnum):
    """The values of `-o`."""

    table = "table"
    json = "json"
    yaml = "yaml"
    csv = "csv"


class ListFormat(StrEnum):
    """The values of `-o` of lists of resources, which may be files too."""

    table = "table"
    json = "json"
    yaml = "yaml"
    csv = "csv"
    xlsx = "xlsx"
    parquet = "parquet"


def printable(text: str) -> str:
    """The text with every control, format and line-breaking character shown as `?`: it can't act on the terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join("?" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") else c for c in text)


def cells(text: str) -> int:
    """How many terminal cells the text takes: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def plain(value: Any) -> str:
    """One value as one line of text."""
    if value is None:
        return "-"
    if value is True or value is False:
        return "yes" if value else "no"
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, (list, tuple)) and all(not isinstance(item, (dict, list)) for item in value):
        return ",".join(plain(item) for item in value)
    if isinstance(value, (dict, list)):
        return printable(json.dumps(value, ensure_ascii=False))
    return printable(str(value))


def local_time(at: Any) -> str | None:
    """An instant of the API in the reader's zone, to the second; what is none stays as it is."""
    if not isinstance(at, str):
        return None
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return at


def write_rows(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    style: Format,
    *,
    titles: Mapping[str, str] | None = None,
) -> None:
    """Print rows (mappings) with these columns, in this order, to stdout."""
    if style in (Format.json, Format.yaml):
        write_document([{name: row.get(name) for name in columns} for row in rows], style)
    elif style is Format.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([cell(row.get(name)) for name in columns])
    else:
        _write_table(rows, columns, titles or {})


def _write_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], titles: Mapping[str, str]) -> None:
    heads = [titles.get(name) or name.replace("_", " ").upper() for name in columns]
    lines = [[plain(row.get(name)) for name in columns] for row in rows]
    numeric = [_is_numeric([row.get(name) for row in rows]) for name in columns]
    widths = [max([cells(head), *(cells(line[i]) for line in lines)]) for i, head in enumerate(heads)]
    # A terminal that was never told its size says 0.
    limit = (os.get_terminal_size(sys.stdout.fileno()).columns or None) if sys.stdout.isatty() else None
    for line in (heads, *lines):
        text = GAP.join(_padded(part, widths[i], right=numeric[i]) for i, part in enumerate(line)).rstrip()
        sys.stdout.write((text if limit is None else _cut(text, limit)) + "\n")


def _is_numeric(values: Sequence[Any]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in known)


def _padded(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - cells(text))
    return space + text if right else text + space


def _cut(text: str, width: int) -> str:
    if cells(text) <= width:
        return text
    kept, used = [], 0
    for character in text:
        used += cells(character)
        if used > width - 1:
            break
        kept.append(character)
    return "".join(kept) + "…"


def write_pairs(pairs: Mapping[str, Any] | Iterable[tuple[str, Any]], style: Format) -> None:
    """Print one thing: its fields below each other, or the whole as a document."""
    items = dict(pairs)
    if style in (Format.json, Format.yaml):
        write_document(items, style)
    elif style is Format.csv:
        write_rows([items], list(items), style)
    else:
        width = max((cells(name) for name in items), default=0)
        for name, value in items.items():
            sys.stdout.write(f"{name.ljust(width)}{GAP}{plain(value)}\n")


def write_document(document: Any, style: Format) -> None:
    """Print any JSON value as JSON or YAML."""
    if style is Format.yaml:
        import yaml

        yaml.safe_dump(document, sys.stdout, sort_keys=False, allow_unicode=True, default_flow_style=False)
        return
    text = json.dumps(document, indent=2, ensure_ascii=not _speaks_unicode(), default=str)
    sys.stdout.write(escaped(text) + "\n")


def _speaks_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
