"""Texts without regard to case, in Python exactly as in DuckDB."""

from __future__ import annotations


def fold(text: str) -> str:
    """The text in lower case, letter by letter: what DuckDB's `lower` makes of it.

    Python looks at neighbours (a sigma at the end of a word) and may make two letters of one; DuckDB does neither.
    """
    if text.isascii():
        return text.lower()
    return "".join(character.lower()[0] for character in text)
