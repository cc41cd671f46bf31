"""A Redactor of the tests: every known word becomes a pseudonym."""

from __future__ import annotations

import re

from copilot.backends.base import Revealer, StreamRevealer


class Words:
    """Hides the given words wherever they stand."""

    def __init__(self, *words: str) -> None:
        self.pairs = {word: f"host-{n}" for n, word in enumerate(words, 1)}
        self.seen: list[str] = []

    def hide(self, text: str) -> str:
        self.seen.append(text)
        for word, pseudonym in self.pairs.items():
            text = text.replace(word, pseudonym)
        return text

    def hide_cell(self, text: str, column: str) -> str:
        return self.hide(text)

    def reveal(self, text: str) -> str:
        back = {pseudonym: word for word, pseudonym in self.pairs.items()}
        return re.sub(r"host-\d+", lambda found: back.get(found[0], found[0]), text)

    def revealer(self) -> Revealer:
        return StreamRevealer(self.reveal)
