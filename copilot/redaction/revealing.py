"""Undoes pseudonyms in a text that arrives in pieces."""

from __future__ import annotations

import re
from collections.abc import Callable

LONGEST = 2_100  # characters of a word that are held back: longer ones hold no pseudonym that anybody needs
_END = re.compile(r"\s\S*\Z")


class Stream:
    """A Revealer that holds a word back until its end has come: the whole of it may be a link."""

    def __init__(self, reveal: Callable[[str], str]) -> None:
        self._reveal = reveal
        self._held = ""
        self._in_link = False  # one that was too long to be held

    def feed(self, piece: str) -> str:
        """What can be shown by now."""
        text = self._held + piece
        passed = ""
        if self._in_link:
            end = next((place for place, character in enumerate(text) if character.isspace()), len(text))
            self._in_link = end == len(text)
            passed, text = text[:end], text[end:]
        cut = _cut(text)
        if len(text) - cut > LONGEST:
            self._in_link = "://" in text[cut:]
            cut = len(text)
        self._held = text[cut:]
        return passed + self._reveal(text[:cut])

    def end(self) -> str:
        """The rest."""
        held, self._held, self._in_link = self._held, "", False
        return self._reveal(held)


def _cut(text: str) -> int:
    """Where the part that may go on ends: at a blank, or outside of links at a letter that is in no pseudonym."""
    blank = _END.search(text)
    start = blank.start() + 1 if blank else 0
    if "://" in text[start:]:
        return start
    end = len(text)
    while end > start and (ord(text[end - 1]) < 0x80 or text[end - 1] in "\u2010\u2011\u2012\u2013"):
        end -= 1
    return end
