"""Typed values out of raw documents.

`extractor(type)` compiles one straight function per type (a list display, no loops, no lookups by column): half a
million rows pass through it in a collection of a large cloud. Documents are hostile until checked: a wrong shape
becomes None, nothing raises.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from store.types import derive
from store.types.declaration import Column, ResourceType

_INT64 = 1 << 63
_EPOCH = datetime(1970, 1, 1)
_TRUE = frozenset(("true", "yes", "on", "1"))
_FALSE = frozenset(("false", "no", "off", "0"))


def text(value: Any) -> str | None:
    """VARCHAR: a text; numbers and booleans are written as JSON writes them."""
    kind = type(value)
    if kind is str:
        return _storable(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int or kind is float:
        return str(value) if kind is float or -_INT64 <= value < _INT64 else None
    return None


def _storable(value: str) -> str:
    """The text without half surrogates, which no UTF-8 column can hold."""
    return value if value.isascii() or value.isprintable() else value.encode("utf-8", "replace").decode("utf-8")


def integer(value: Any) -> int | None:
    """BIGINT: an integer, a whole float or a numeral in a text, within 64 bits."""
    kind = type(value)
    if kind is str:
        value = value.strip()
        if not 0 < len(value) <= 20:
            return None
        try:
            value = int(value)
        except ValueError:
            return None
    elif kind is float:
        if not math.isfinite(value) or value != int(value):
            return None
        value = int(value)
    elif kind is not int:
        return None
    return value if -_INT64 <= value < _INT64 else None


def number(value: Any) -> float | None:
    """DOUBLE: a finite number or a numeral in a text; `infinite` and `unknown`, which Cinder writes, are None."""
    kind = type(value)
    if kind is str:
        if not 0 < len(value) <= 40:
            return None
    elif kind is not float and kind is not int:
        return None
    try:
        value = float(value)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def boolean(value: Any) -> bool | None:
    """BOOLEAN: true or false, also as a text."""
    if type(value) is bool:
        return value
    if type(value) is str and len(value) <= 5:
        word = value.lower()
        return True if word in _TRUE else False if word in _FALSE else None
    return None


def instant(value: Any) -> int | None:
    """TIMESTAMP: microseconds since 1970 in UTC, of an ISO 8601 text; UTC where it names no zone."""
    if type(value) is not str:
        return None
    try:
        at = datetime.fromisoformat(value[:-1] if value[-1:] == "Z" else value)
        if at.tzinfo is not None:
            at = at.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    since = at - _EPOCH
    return (since.days * 86400 + since.seconds) * 1000000 + since.microseconds


def texts(value: Any) -> list[str] | None:
    """VARCHAR[]: a list's texts and numbers; None when it is no list."""
    if type(value) is not list:
        return None
    found = []
    for item in value:
        item = item if type(item) is str and item.isascii() else text(item)
        if item is not None:
            found.append(item)
    return found


_CONVERT: dict[str, Callable[[Any], Any]] = {
    "VARCHAR": text,
    "BIGINT": integer,
    "DOUBLE": number,
    "BOOLEAN": boolean,
    "TIMESTAMP": instant,
    "VARCHAR[]": texts,
}
# Checks written into the compiled function, so that the usual value costs no call.
_QUICK = {
    "VARCHAR": "{v} if {v} is None or (type({v}) is str and {v}.isascii()) else text({v})",
    "BIGINT": "{v} if {v} is None or (type({v}) is int and -0x80000000 <= {v} <= 0x7FFFFFFF) else integer({v})",
    "DOUBLE": "None if {v} is None else number({v})",
    "BOOLEAN": "{v} if {v} is True or {v} is False else boolean({v})",
    "TIMESTAMP": "None if {v} is None else instant({v})",
    "VARCHAR[]": "[] if {v} == [] else texts({v})",
}


class _Source:
    """Lines of a function that is being written."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.scopes: dict[tuple[str, ...], str] = {(): "get"}
        self.names: dict[str, Any] = {name: value for name, value in globals().items() if value in _CONVERT.values()}
        self.counter = 0

    def fresh(self) -> str:
        self.counter += 1
        return f"v{self.counter}"

    def getter(self, path: tuple[str, ...]) -> str:
        """The name that holds `.get` of the object at the path; nested objects are fetched once for all columns below
        them.
        """
        if path not in self.scopes:
            name = self.fresh()
            self.lines += [
                f"{name} = {self.getter(path[:-1])}({path[-1]!r})",
                f"{name} = {name}.get if type({name}) is dict else nothing",
            ]
            self.scopes[path] = name
        return self.scopes[path]

    def value(self, column: Column) -> str:
        """The expression of a column's value."""
        name = self.fresh()
        if column.derive:
            self.names[column.derive] = getattr(derive, column.derive)
            self.lines.append(f"{name} = {column.derive}(doc)")
        else:
            self.lines.append(f"{name} = {self.getter(column.path[:-1])}({column.path[-1]!r})")
        self.lines.append(f"{name} = {_QUICK[column.sql].format(v=name)}")
        return name


def _nothing(key: str) -> None:
    return None


@cache
def extractor(type: ResourceType) -> Callable[[dict[str, Any]], list[Any]]:
    """A function: raw document -> values of `type.columns` in order; TIMESTAMPs are microseconds since 1970."""
    source = _Source()
    values = [source.value(column) for column in type.columns]
    lines = ["def extract(doc):", "get = doc.get", *source.lines, f"return [{', '.join(values)}]"]
    names = {**source.names, "nothing": _nothing}
    exec("\n    ".join(lines), names)
    return names["extract"]  # type: ignore[no-any-return]


@cache
def identifier(type: ResourceType) -> Callable[[dict[str, Any]], str | None]:
    """A function from a raw document to its id, or None when it has none (such a row cannot be stored)."""
    if type.id_derive:
        function: Callable[[dict[str, Any]], str | None] = getattr(derive, type.id_derive)
    else:

        def function(doc: dict[str, Any]) -> str | None:
            value: Any = doc
            for key in type.id_path:
                value = value.get(key) if isinstance(value, dict) else None
            return text(value) or None

    return lambda doc: value if (value := function(doc)) is None or value.isascii() else _storable(value)


@cache
def _guards(type: ResourceType) -> tuple[tuple[str, str], ...]:
    return tuple((column.name, column.path[0]) for column in type.columns if column.guarded)


def denied(type: ResourceType, doc: dict[str, Any]) -> list[str]:
    """Names of the guarded columns that the document does not carry: the token may not see them."""
    return [name for name, key in _guards(type) if key not in doc]
