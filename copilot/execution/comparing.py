"""One column against values, as SQL. The same in Python is `copilot.execution.rows`."""

from __future__ import annotations

from datetime import datetime

from copilot.execution.folding import fold
from copilot.execution.result import QueryError
from copilot.execution.speech import Speech
from copilot.model.declaration import Attribute
from copilot.query import Scalar, Test

_FOUND = {"contains": "contains", "starts": "starts_with", "ends": "ends_with"}
_ORDERED = ("<", "<=", ">", ">=")


def checked(test: Test, attribute: Attribute) -> tuple[Scalar, ...]:
    """The values as the column holds them, texts folded. Raises QueryError for what it cannot be compared with."""
    if test.operator in ("none", "any"):
        return ()
    called = attribute.title or attribute.column
    textual = attribute.sql in ("VARCHAR", "VARCHAR[]")
    if test.operator in _FOUND and not textual:
        raise QueryError(f"{called} is no text: it cannot be searched for a part")
    if test.operator in _ORDERED and (textual or attribute.sql == "BOOLEAN"):
        raise QueryError(f"{called} has no order: it is not more or less than something")
    return tuple(_value(value, attribute.sql, called) for value in test.values)


def _value(value: Scalar, sql: str, called: str) -> Scalar:
    if sql in ("VARCHAR", "VARCHAR[]"):
        if isinstance(value, datetime):
            raise QueryError(f"{called} is a text, not a time")
        return fold(str(value))
    if sql == "TIMESTAMP":
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value
        raise QueryError(f"{called} is a time, {str(value)[:40]!r} is none")
    if sql == "BOOLEAN":
        if isinstance(value, bool):
            return value
        raise QueryError(f"{called} is yes or no, {str(value)[:40]!r} is neither")
    if isinstance(value, bool) or not isinstance(value, int | float) or value - value != 0:
        raise QueryError(f"{called} is a number, {str(value)[:40]!r} is none")
    return value


def sql(test: Test, attribute: Attribute, column: str, speech: Speech) -> str:
    """The condition; NULL counts as not fulfilled. Raises QueryError."""
    values = checked(test, attribute)
    if test.operator in ("none", "any"):
        empty = {"VARCHAR": f" OR {column} = ''", "VARCHAR[]": f" OR len({column}) = 0"}.get(attribute.sql, "")
        none = f"({column} IS NULL{empty})"
        return none if test.operator == "none" else f"NOT {none}"
    written = [speech.value(value) for value in values]
    if not written:
        return "false"
    if attribute.is_list:
        return _in_list(test.operator, column, written)
    shown = f"lower({column})" if attribute.sql == "VARCHAR" else column
    if test.operator == "=":
        return f"{shown} = {written[0]}" if len(written) == 1 else f"{shown} IN ({', '.join(written)})"
    if test.operator in _FOUND:
        return _any([f"{_FOUND[test.operator]}({shown}, {value})" for value in written])
    return _any([f"{shown} {test.operator} {value}" for value in written])


def _in_list(operator: str, column: str, written: list[str]) -> str:
    if operator == "=":
        folded = f"list_transform({column}, lambda item: lower(item))"
        if len(written) == 1:
            return f"list_contains({folded}, {written[0]})"
        return f"list_has_any({folded}, [{', '.join(written)}])"
    found = " OR ".join(f"{_FOUND[operator]}(lower(item), {value})" for value in written)
    return f"len(list_filter({column}, lambda item: {found})) > 0"


def _any(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else "(" + " OR ".join(parts) + ")"
