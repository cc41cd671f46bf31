"""Which words of a question name a resource."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from copilot.answers import Named
from copilot.linking import folding
from copilot.linking.names import Hit, Names
from copilot.linking.near import EXACT, MARGIN, SPELLED, TYPO
from copilot.linking.plain import PLAIN, STOPS
from copilot.reading import Token

MOST_CHOICES = 20
LONGEST = 4  # words of a name that is looked for with typos, or by its parts
_TYPED_IDS = re.compile(r"(?=[0-9a-f-]*[0-9])[0-9a-f][0-9a-f-]{3,}")
_NAMING = ("name", "id", "quoted", "address", "mac")  # kinds of tokens that no plain word has


@dataclass(frozen=True, slots=True)
class Link:
    """What tokens name.

    named      one resource; several when `ambiguous`, the likeliest first: all that are called so, or that may be meant
    ambiguous  which one is meant is not clear
    eaten      tokens that are the name
    exact      it is called so, or has the id; else it was guessed from a typo, a part of the name or a number
    more       there may be others that are not among `named`
    """

    named: tuple[Named, ...]
    ambiguous: bool
    eaten: int
    exact: bool
    more: bool = False


def link(
    tokens: Sequence[Token],
    i: int,
    names: Names,
    types: Sequence[str] = (),
    *,
    question: str = "",
    known: Container[str] = frozenset(),
) -> Link | None:
    """What the longest run of tokens that begins at `i` names; None = nothing.

    types     only resources of these types: what was typed before says so ("host", "tenant"). Only then plain words can
              be names, and only then are parts, numbers ("host 3") and, in plain words, typos looked at
    question  the question that the tokens are of: signs between them that are no tokens count then, too
    known     plain words that mean something else: where they are no whole name, they are never taken for a part of one
              or for a typo
    """
    if i >= len(tokens) or tokens[i].kind == "mark":
        return None
    words = _Words(tokens, i, question, known)
    exact = _exact(words, names, types)
    if exact is not None:
        return _or_longer(exact, words, names, types) if types else exact
    token = tokens[i]
    if token.kind in ("number", "name", "id", "word") and (found := _id(token, names, types)) is not None:
        return found
    if types and token.kind == "number":
        return _numbered(token, names, types)
    if token.kind in ("name", "id") or (types and token.kind in ("word", "quoted")):
        return _guessed(words, names, types)
    return None


class _Words:
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
            if size > 1 and (token.kind == "quoted" or self.tokens[self.i].kind == "quoted"):
                return
            if token.kind == "mark":
                if not self._glued(self.i + size - 1):
                    return
                continue
            yield size

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
        if all(self.is_plain(place) for place in (self.i,)) and self.tokens[self.i].kind != "quoted":
            return
        for size in self.sizes():
            last = self.i + size - 1
            if size > LONGEST or (size > 1 and self._stops(last)):
                return
            yield size

    def _stops(self, place: int) -> bool:
        token = self.tokens[place]
        return token.word in STOPS or (token.kind == "word" and self.is_plain(place))


def _exact(words: _Words, names: Names, types: Sequence[str]) -> Link | None:
    """The longest run that is a name. Without types it must have a token that no plain word can be."""
    best: tuple[int, list[Named]] | None = None
    naming = False
    for size in words.sizes():
        naming = naming or words.tokens[words.i + size - 1].kind in _NAMING
        text = words.text(size)
        if size > 1 and not names.begins(text, types or None):
            break
        if types or naming:
            found = names.exact(text, types or None)
            if words.question and (whole := words.whole(size)) != text:
                # "bob's" may be what bob has, or a name.
                strict = folding.strict(whole)
                found = [
                    one for one in names.exact(whole, types or None) if folding.strict(one.name) == strict
                ] or found
            if found:
                best = size, found
    return _link(best[1], best[0], exact=True) if best else None


def _link(named: Sequence[Named], eaten: int, *, exact: bool) -> Link:
    chosen = tuple(named[:MOST_CHOICES])
    return Link(chosen, len(named) > 1, eaten, exact, len(named) > MOST_CHOICES)


def _or_longer(link: Link, words: _Words, names: Names, types: Sequence[str]) -> Link:
    """A name after which comes what makes another one of it, but for a typo: "acme prdo", where there are acme and
    acme-prod."""
    for size in reversed([size for size in words.guesses() if size > link.eaten]):
        near = [hit for hit in names.near(words.text(size), types) if hit.score >= TYPO]
        if near:
            return _link(_unique([*(hit.named for hit in near), *link.named]), size, exact=False)
    return link


def _id(token: Token, names: Names, types: Sequence[str]) -> Link | None:
    """An id, or a piece of one that could be nothing else: four characters with a digit, after the type's word."""
    typed = token.text.casefold()
    piece = _TYPED_IDS.fullmatch(typed) is not None
    if token.kind != "id" and not (types and piece and (not typed.isdecimal() or len(typed) >= 6)):
        return None
    found = names.ids(typed, types or None)
    if not found:
        return None
    whole = any(one.key[2].replace("-", "").casefold() == typed.replace("-", "") for one in found)
    return _link(found, 1, exact=whole)


def _numbered(token: Token, names: Names, types: Sequence[str]) -> Link | None:
    found = [one for type in types for one in names.numbered(token.word, type)] if token.word.isdecimal() else []
    return _link(found, 1, exact=False) if found else None


def _guessed(words: _Words, names: Names, types: Sequence[str]) -> Link | None:
    """What is meant but for typos, or by a part of the name: by the surest run, of equal ones by the longest."""
    best: tuple[float, int, list[Hit]] | None = None
    for size in words.guesses():
        hits = names.near(words.text(size), types or None)
        if hits and (best is None or (hits[0].score, size) >= best[:2]):
            best = hits[0].score, size, hits
    return _decided(best[2], best[1]) if best else None


def _decided(hits: list[Hit], eaten: int) -> Link | None:
    if all(hit.other_number for hit in hits):
        return None  # who types web-12 does not mean web-13
    first = hits[0]
    rivals = [hit for hit in hits[1:] if first.score - hit.score < MARGIN]
    if not rivals and not first.other_number:
        return _link([first.named], eaten, exact=first.score >= EXACT)
    if first.score >= SPELLED:
        hits = [hit for hit in hits if hit.score >= SPELLED]
    return _link(_unique(hit.named for hit in hits), eaten, exact=False)


def _unique(named: Sequence[Named] | Iterator[Named]) -> list[Named]:
    return list({(one.type, one.key): one for one in reversed(list(named))}.values())[::-1]
