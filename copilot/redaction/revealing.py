"""Undoes pseudonyms in a text that arrives in pieces."""

from __future__ import annotations

from collections.abc import Callable

LONGEST = 2_100  # characters of a word that are held back: longer ones hold no pseudonym that anybody needs


class Stream:
    """A Revealer that holds a word back until its end has come: the whole of it may be a link."""

    def __init__(self, reveal: Callable[[str], str]) -> None:
        self._reveal = reveal
        self._held = ""

    def feed(self, piece: str) -> str:
        """What can be shown by now."""
        text = self._held + piece
        end = len(text)
        while end and not _ends_word(text[end - 1]):
            end -= 1
        if len(text) - end > LONGEST:
            end = len(text)
        self._held = text[end:]
        return self._reveal(text[:end])

    def end(self) -> str:
        """The rest."""
        held, self._held = self._held, ""
        return self._reveal(held)


def _ends_word(character: str) -> bool:
    """A blank, or a letter that stands in no link and no pseudonym."""
    return character.isspace() or (ord(character) > 0x7F and character not in "\u2010\u2011\u2012\u2013")
