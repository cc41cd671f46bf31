"""The one filter grammar over rows in memory: for lists that no SQL reads, such as the audit, notes or changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from store.filters import And, Filter, FilterError, Match, Not, Or, Value, Word, matches, parse

UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_LENGTH = re.compile(r"^(\d+(?:\.\d+)?)(s|m|min|h|d|w)$")


def problem(text: str, columns: tuple[str, ...]) -> str:
    """What is wrong with a filter over these columns, as one sentence; "" when it can be used."""
    try:
        tree = parse(text)
    except FilterError as error:
        return str(error)
    for match in matches(tree):
        if match.column not in (*columns, "age"):
            return f"there is no column {match.column} here; there is {', '.join(columns)}"
        for value in match.values:
            if value.operator == "~":
                try:
                    re.compile(value.text)
                except re.error as error:
                    return f"{value.text} is no regular expression: {error}"
    return ""


def passes(tree: Filter, row: Mapping[str, Any], now: datetime) -> bool:
    """Whether a row (column -> value) passes. `age` is the age of its column `at`; of a list any item counts."""
    if isinstance(tree, Word):
        wanted = tree.text.lower()
        return any(wanted in _text(value).lower() for value in row.values())
    if isinstance(tree, Match):
        return any(_holds(value, tree.column, row, now) for value in tree.values)
    if isinstance(tree, Not):
        return not passes(tree.item, row, now)
    if isinstance(tree, Or):
        return any(passes(item, row, now) for item in tree.items)
    if isinstance(tree, And):
        return all(passes(item, row, now) for item in tree.items)
    raise TypeError(f"not a filter: {tree!r}")


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _holds(value: Value, column: str, row: Mapping[str, Any], now: datetime) -> bool:
    if column == "age":
        moment = _moment(_text(row.get("at")))
        length = _LENGTH.match(value.text)
        if moment is None or length is None:
            return False
        return _compared(value.operator or "<=", (now - moment).total_seconds(), float(length[1]) * UNITS[length[2]])
    held = row.get(column)
    if isinstance(held, list | tuple) and held:
        return any(_holds(value, column, {column: item}, now) for item in held)
    if value.operator in ("none", "any"):
        return (held in (None, "", [], ())) == (value.operator == "none")
    if value.operator == "~":
        return _found(value.text, _text(held))
    if value.operator == "..":
        return (not value.text or _ordered(">=", held, value.text)) and (
            not value.upper or _ordered("<=", held, value.upper)
        )
    if value.operator == "":
        return value.text.lower() in _text(held).lower()
    if value.operator == "=":
        return value.text.lower() == _text(held).lower()
    return _ordered(value.operator, held, value.text)


def _moment(text: str) -> datetime | None:
    """The aware instant of an RFC 3339 text, None when it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _found(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text, re.IGNORECASE) is not None
    except re.error:
        return False  # `problem` says so before it comes here


def _ordered(operator: str, held: Any, wanted: str) -> bool:
    """Numbers as numbers, times as times, else texts."""
    if held is None:
        return False
    try:
        return _compared(operator, float(held), float(wanted))
    except (TypeError, ValueError):
        pass
    first, second = _moment(_text(held)), _moment(wanted)
    if first is not None and second is not None:
        return _compared(operator, first.astimezone(UTC), second.astimezone(UTC))
    return _compared(operator, _text(held).lower(), wanted.lower())


def _compared(operator: str, held: Any, wanted: Any) -> bool:
    return bool(
        {">": held > wanted, "<": held < wanted, ">=": held >= wanted, "<=": held <= wanted, "=": held == wanted}[
            operator
        ]
    )
