"""Puts real names into SQL that a model wrote with pseudonyms, without letting a name become SQL."""

from __future__ import annotations

import re
from collections.abc import Callable

# A quoted value, a quoted name, a comment or a dollar-quoted text; everything between them is SQL.
_PARTS = re.compile(
    r"""(?P<escaped>\b[eE]'(?:[^'\\]|\\.|'')*')
      | (?P<value>'(?:[^']|'')*')
      | (?P<name>"(?:[^"]|"")*")
      | (?P<other>--[^\n]*|/\*.*?\*/|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)""",
    re.VERBOSE | re.DOTALL,
)


def reveal_in_sql(sql: str, reveal: Callable[[str], str]) -> str:
    """The SQL with pseudonyms undone inside quotes only, where what comes in is escaped. A name that holds a quote, or
    looks like SQL, stays a value.
    """
    return _PARTS.sub(lambda part: _revealed(part, reveal), sql)


def _revealed(part: re.Match[str], reveal: Callable[[str], str]) -> str:
    text = part.group()
    if part.lastgroup == "value" or part.group("value"):
        return _quoted(text, "'", reveal)
    if part.group("name"):
        return _quoted(text, '"', reveal)
    return text  # an escaped or dollar-quoted text could be left by what comes in


def _quoted(text: str, quote: str, reveal: Callable[[str], str]) -> str:
    inner = reveal(text[1:-1].replace(quote * 2, quote))
    return quote + inner.replace(quote, quote * 2) + quote
