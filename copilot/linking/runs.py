"""Runs of tokens that may be one name. Pure."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from itertools import pairwise

from copilot.language.pieces import SHORT_UNITS
from copilot.linking.plain import PLAIN, STOPS
from copilot.reading import Token

LONGEST = 4  # words of a name that is looked for with typos, or by its parts


class Runs:
    """Runs of tokens that begin at one of them, as texts."""

    def __init__(self, tokens: Sequence[Token], i: int, question: str, known: Container[str]) -> None:
        self.tokens = tokens
        self.i = i
        self.question = question
        self.known = known

    def text(self, size: int) -> str:
        """What was typed."""
        run = self.tokens[self.i : self.i + size]
        if size == 1 or not self.question:
            parts = [run[0].text]
            for last, token in pairwise(run):
                parts.append(" " * (token.start > last.end) + token.text)
            return "".join(parts)
        return self.question[run[0].start : run[-1].end]

    def whole(self, size: int) -> str:
        """The same up to the next blank: with an "'s" or a sign at the end that no token has."""
        last = self.tokens[self.i + size - 1].end
        rest = re.match(r"\S*", self.question[last:])
        return self.text(size) + (rest[0] if rest else "")

    def sizes(self) -> Iterator[int]:
        """Sizes of runs: a mark belongs to a name only where no blank is beside it, quoted text stands alone."""
        for size in range(1, len(self.tokens) - self.i + 1):
            token = self.tokens[self.i + size - 1]
            if size > 1 and "quoted" in (token.kind, self.tokens[self.i].kind):
                return
            if token.kind == "mark":
                if not self._glued(self.i + size - 1):
                    return
                continue
            yield size

    def longer(self) -> Iterator[int]:
        """Sizes of all runs with marks in them that may as well separate one name from another."""
        first = max(self.sizes(), default=0) + 1
        if self.question and first > 1 and self.tokens[self.i].kind != "quoted":
            yield from range(first, len(self.tokens) - self.i + 1)

    @property
    def is_measure(self) -> bool:
        """Whether the first token is the number of a quantity: "5 days", "80 %"."""
        first, *rest = self.tokens[self.i : self.i + 2]
        if first.kind != "number" or not rest or rest[0].start == first.end:
            return False
        return rest[0].word in SHORT_UNITS or rest[0].word == "%"

    def _glued(self, place: int) -> bool:
        tokens = self.tokens
        return (
            0 < place < len(tokens) - 1
            and tokens[place - 1].end == tokens[place].start
            and tokens[place].end == tokens[place + 1].start
        )

    def is_plain(self, place: int) -> bool:
        """Whether the token is a word that means something by itself."""
        token = self.tokens[place]
        if token.kind == "number":
            return True
        parts = re.split(r"[-_./]", token.word) if token.kind == "name" else [token.word]
        return token.kind in ("word", "name") and all(part in PLAIN or part in self.known for part in parts if part)

    def guesses(self) -> Iterator[int]:
        """Sizes of runs that may be a name typed wrongly, or a part of one."""
        if self.is_plain(self.i):
            return
        for size in self.sizes():
            last = self.i + size - 1
            if size > LONGEST or (size > 1 and self._stops(last)):
                return
            yield size

    def _stops(self, place: int) -> bool:
        token = self.tokens[place]
        return token.word in STOPS or (token.kind == "word" and self.is_plain(place))
