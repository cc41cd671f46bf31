"""SQL of a filter's tree, for one resource type: bound parameters only, never a value in the text.

Names are looked up in the type's declaration, values are read by the column's role, and both are refused with a
position before any SQL is made. Standard library only: the client checks a filter with `check` before it sends it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from store.filters import And, Filter, FilterError, Match, Not, Value, Word, matches
from store.filters import Or as Either
from store.types.declaration import Column, Computed, Joined, ResourceType

AnyColumn = Column | Joined | Computed

MAX_REGEX = 200  # characters
_LEADING = {
    "cloud": Column("cloud", path=("cloud",), role="name", title="CLOUD"),
    "region": Column("region", path=("region",), role="name", title="REGION"),
    "id": Column("id", path=("id",), role="id", title="ID", width=36),
}
_SUFFIXES = ("_name", "_mb", "_gb", "_bytes", "_at", "s", "_id")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
_SIZE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)([kmgtp]?)(?:i?b)?", re.IGNORECASE)
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d|w|mo|y)", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "mo": 2592000, "y": 31536000}
_UNITS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_BASE_UNIT = {"size_bytes": 0, "size_mb": 2, "size_gb": 3}
_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "": "", "=": "="}
_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


def resolve(type: ResourceType, name: str) -> AnyColumn:
    """The column a person means by `name`: its own name, a documented one, `age`, one without its unit, a head, a
    unique prefix.

    Raises KeyError with one clear sentence.
    """
    word = name.strip().lower()
    named = {**_LEADING, **{column.name: column for column in type.view_columns}}
    if word in named:
        return named[word]
    if type.documented.get(word) in named:
        return named[type.documented[word]]
    if word == "age" and "created_at" in named:
        return named["created_at"]
    for suffix in _SUFFIXES:
        if word + suffix in named:
            return named[word + suffix]
    by_head = [column for column in type.view_columns if column.title.lower() == word]
    prefixed = by_head or [column for column in named.values() if word and column.name.startswith(word)]
    if len(prefixed) == 1:
        return prefixed[0]
    if prefixed:
        names = ", ".join(column.name for column in prefixed[:8])
        raise KeyError(f"{name[:40]!r} fits several columns of {type.plural}: {names}")
    known = ", ".join(named)
    raise KeyError(f"{type.plural} have no column {name[:40]!r}; there are {known}")


def check(filter: Filter, type: ResourceType, now: datetime) -> None:
    """Raise FilterError when the filter names a column the type does not have, or a value its column cannot have."""
    to_sql(filter, type, now, lambda name: name)


def columns(filter: Filter, type: ResourceType) -> set[str]:
    """Names of the columns that the filter looks at; raises FilterError."""
    return {_column(match, type).name for match in matches(filter)}


def to_sql(
    filter: Filter, type: ResourceType, now: datetime, column_sql: Callable[[str], str]
) -> tuple[str, list[Any]]:
    """(condition, parameters). A condition that is NULL counts as false.

    `now` (aware) is what ages count back from. `column_sql` gives the SQL of a column by its name ("search" too).
    Raises FilterError.
    """
    return _Writer(type, now, column_sql).write(filter)


def _column(match: Match, type: ResourceType) -> AnyColumn:
    try:
        return resolve(type, match.column)
    except KeyError as error:
        raise FilterError(error.args[0], match.position) from None


Sql = tuple[str, list[Any]]


class _Writer:
    def __init__(self, type: ResourceType, now: datetime, column_sql: Callable[[str], str]) -> None:
        self.type = type
        self.now = now.astimezone(UTC).replace(tzinfo=None)
        self.column_sql = column_sql

    def write(self, filter: Filter) -> Sql:
        if isinstance(filter, Word):
            return f"contains({self.column_sql('search')}, ?)", [filter.text.lower()]
        if isinstance(filter, Match):
            column = _column(filter, self.type)
            parts = [self.value(column, filter.column, value) for value in filter.values]
            return _join(parts, " OR ")
        if isinstance(filter, Not):
            sql, parameters = self.write(filter.item)
            return f"({sql}) IS NOT TRUE", parameters
        if isinstance(filter, And):
            return _join([self.write(item) for item in filter.items], " AND ") if filter.items else ("true", [])
        assert isinstance(filter, Either)
        return _join([self.write(item) for item in filter.items], " OR ")

    def value(self, column: AnyColumn, called: str, value: Value) -> Sql:
        """The condition of one value; NULL counts as false."""
        expression = self.column_sql(column.name)
        if value.operator in ("none", "any"):
            empty = {"VARCHAR": f"{expression} = ''", "VARCHAR[]": f"len({expression}) = 0"}.get(column.sql)
            sql = f"({expression} IS NULL OR {empty})" if empty else f"({expression} IS NULL)"
            return (sql if value.operator == "none" else f"NOT {sql}"), []
        if column.sql in ("VARCHAR", "VARCHAR[]"):
            return _text(column, expression, value)
        if column.sql == "BOOLEAN":
            return f"{expression} = ?", [_boolean(column, value)]
        if column.sql == "TIMESTAMP":
            return self.time(expression, called, column, value)
        return _range(expression, column, value, lambda text: (n := _number(column, value, text), n))

    def time(self, expression: str, called: str, column: AnyColumn, value: Value) -> Sql:
        """A time column compared with an instant, a day, or an age (older is smaller)."""
        if value.operator == "~":
            raise FilterError(
                f"{column.name} is a time: write >2d, <2026-11-01 or 2026-11-01..2026-11-05", value.position
            )
        spans = [_SPAN.fullmatch(text) for text in (value.text, value.upper) if text]
        if not any(spans):
            if called == "age":
                raise FilterError("age is compared with a span: age:<2d, age:>3h or age:1d..2d", value.position)
            return _range(expression, column, value, lambda text: _instants(column, value, text))
        if not all(spans):
            raise FilterError("a range is of two ages or of two times", value.position)
        if value.operator in ("", "="):
            raise FilterError(
                f"write {called}:<{value.text} (younger) or {called}:>{value.text} (older)", value.position
            )
        low, high = (self.ago(text, value) if text else "" for text in (value.text, value.upper))
        if value.operator == "..":
            parts: list[Sql] = [(f"{expression} <= ?", [low])] if low else []
            parts += [(f"{expression} >= ?", [high])] if high else []
            return _join(parts, " AND ")
        return f"{expression} {_FLIPPED[value.operator]} ?", [low]

    def ago(self, text: str, value: Value) -> datetime:
        match = _SPAN.fullmatch(text)
        assert match
        try:
            return self.now - timedelta(seconds=float(match.group(1)) * _SECONDS[match.group(2).lower()])
        except OverflowError:
            raise FilterError(f"{text[:20]} ago is before time began", value.position) from None


def _join(parts: list[Sql], glue: str) -> Sql:
    if len(parts) == 1:
        return parts[0]
    return "(" + glue.join(sql for sql, _ in parts) + ")", [item for _, parameters in parts for item in parameters]


def _text(column: AnyColumn, expression: str, value: Value) -> Sql:
    """Texts and lists of texts: equal for a state, else contained; a list passes when one of its items does."""
    text = f"{value.text}..{value.upper}" if value.operator == ".." else value.text
    many = column.sql == "VARCHAR[]"
    if value.operator in (">", ">=", "<", "<="):
        raise FilterError(f"{column.name} is a text: {value.operator} cannot compare it", value.position)
    if value.operator == "~":
        check_regex(text, value.position)
        if many:
            return f"len(list_filter({expression}, lambda item: regexp_matches(item, ?, 'i'))) > 0", [text]
        return f"regexp_matches({expression}, ?, 'i')", [text]
    if value.operator == "=":
        return (f"list_contains({expression}, ?)" if many else f"{expression} = ?"), [text]
    if many:
        # No item holds a line break that the text could reach across: the text has none.
        return f"contains(lower(array_to_string({expression}, chr(10))), lower(?))", [text]
    if column.role == "status":
        return f"lower({expression}) = lower(?)", [text]
    return f"contains(lower({expression}), lower(?))", [text]


def check_regex(pattern: str, position: int = 0) -> None:
    """Raise FilterError for a pattern that RE2 does not read, or that is larger than a person types."""
    if len(pattern) > MAX_REGEX:
        raise FilterError(f"the regular expression is longer than {MAX_REGEX} characters", position)
    refused = (
        (r"\(\?(?![:i)]|P<)", "look-around and other (? groups are not known here"),
        (r"\\[^\WdDwWsSbBAtnrfv_]", "only \\d \\w \\s \\b \\A and their capitals are known after a backslash"),
        (r"[*+?}]\+", "possessive repeats are not known here"),
        (r"\{,|\{\d*,?\d{3,}", "a repeat takes at most 99"),
        (r"\[[^\]]*\[|&&|--|\|\||~~", "character sets inside character sets are not known here"),
    )
    plain = pattern.replace("\\\\", "__")
    for found, sentence in refused:
        if re.search(found, plain):
            raise FilterError(f"the regular expression cannot be used: {sentence}", position)
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise FilterError(f"the regular expression cannot be read: {error}", position) from None
    if sum(plain.count(sign) for sign in "{*+?") > 20:
        raise FilterError("the regular expression repeats too much", position)


def _boolean(column: AnyColumn, value: Value) -> bool:
    word = value.text.lower()
    if value.operator in ("", "=") and word in (*_TRUE, *_FALSE):
        return word in _TRUE
    raise FilterError(f"{column.name} is yes or no", value.position)


def _range(expression: str, column: AnyColumn, value: Value, read: Callable[[str], tuple[Any, Any]]) -> Sql:
    """Comparison by value; `read` gives (first, last) of what a text stands for: a number is itself, a day its two
    ends.
    """
    if value.operator == "~":
        raise FilterError(f"{column.name} is a number: a regular expression cannot match it", value.position)
    if value.operator == "..":
        parts: list[Sql] = [(f"{expression} >= ?", [read(value.text)[0]])] if value.text else []
        parts += [(f"{expression} <= ?", [read(value.upper)[1]])] if value.upper else []
        return _join(parts, " AND ")
    first, last = read(value.text)
    if value.operator in ("", "="):
        return (f"{expression} = ?", [first]) if first == last else (f"{expression} BETWEEN ? AND ?", [first, last])
    return f"{expression} {value.operator} ?", [first if value.operator in ("<", ">=") else last]


def _number(column: AnyColumn, value: Value, text: str) -> int | float:
    """A number; of a size with an optional unit (K M G T P, binary), in the column's unit."""
    base = _BASE_UNIT.get(column.role)
    if base is not None:
        size = _SIZE.fullmatch(text)
        if size and len(text) <= 24:
            unit = size.group(2).lower()
            number = float(size.group(1)) * (1024.0 ** (_UNITS[unit] - base) if unit else 1)
            return int(number) if number.is_integer() and number < 2**62 else number
        raise FilterError(f"{text[:30]!r} is not a size: write 512M, 8G or 1.5T", value.position)
    if _NUMBER.fullmatch(text) and len(text) <= 24:
        number = float(text)
        return int(text) if text.lstrip("+-").isdigit() and abs(number) < 2**62 else number
    raise FilterError(f"{column.name} is a number, {text[:30]!r} is not one", value.position)


def _instants(column: AnyColumn, value: Value, text: str) -> tuple[datetime, datetime]:
    """The first and last microsecond of a day, or an instant twice; UTC unless the text names a zone."""
    try:
        at = datetime.fromisoformat(text)
        at = at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
        whole_day = len(text) <= 10
        return at, (at + timedelta(days=1, microseconds=-1) if whole_day else at)
    except (ValueError, OverflowError):
        message = f"{text[:30]!r} is not a time: write 2026-11-01, 2026-11-01T14:30Z or an age such as 2d"
        raise FilterError(message, value.position) from None
