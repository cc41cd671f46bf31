"""Which words of a question name a resource."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

from copilot.answers import Named
from copilot.linking import folding
from copilot.linking.names import Hit, Names
from copilot.linking.near import EXACT, MARGIN, TYPO
from copilot.linking.runs import Runs
from copilot.reading import Token

MOST_CHOICES = 20
_SURE_PIECE = 8  # characters of an id that are one wherever they stand in it
_PIECE = re.compile(r"(?=.*[0-9])(?=.*[a-f]|.{8})[0-9a-f][0-9a-f-]{3,}")
_WORD_AND_NUMBER = re.compile(r"[a-f-]+[0-9]{1,6}")  # "db01" is hardly an id
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
    runs = Runs(tokens, i, question, known)
    exact = _exact(runs, names, types)
    if exact is not None:
        return _or_longer(exact, runs, names, types) if types else exact
    token = tokens[i]
    match token.kind:
        case "id":
            return _id(token, names, types) or _guessed(runs, names, types)
        case "number":
            return None if not types or runs.is_measure else _numbered(token, names, types) or _id(token, names, types)
        case "name" | "word" | "quoted" if types or token.kind == "name":
            return _guessed(runs, names, types) or (_id(token, names, types) if types else None)
    return None


def _exact(runs: Runs, names: Names, types: Sequence[str]) -> Link | None:
    """The longest run that is a name. Without types it must have a token that no plain word can be."""
    best: tuple[int, list[Named]] | None = None
    naming = False
    for size in runs.sizes():
        naming = naming or runs.tokens[runs.i + size - 1].kind in _NAMING
        if size > 1 and not names.begins(runs.text(size), types or None):
            break
        if (types or naming) and not (size == 1 and runs.is_measure):
            found = _just(runs.whole(size), names, types) or names.exact(runs.text(size), types or None)
            if found:
                best = size, found
    for size in runs.longer() if types else ():
        if not names.begins(runs.text(size), types):
            break
        found = _just(runs.whole(size), names, types) or _just(runs.text(size), names, types)
        if found:
            best = size, found
    return _link(best[1], best[0], exact=True) if best else None


def _just(text: str, names: Names, types: Sequence[str]) -> list[Named]:
    """Resources called just so: "bob's" may be what bob has, or a name."""
    return [one for one in names.exact(text, types or None) if folding.strict(one.name) == folding.strict(text)]


def _link(named: Sequence[Named], eaten: int, *, exact: bool) -> Link:
    chosen = tuple(named[:MOST_CHOICES])
    return Link(chosen, len(named) > 1, eaten, exact, len(named) > MOST_CHOICES)


def _or_longer(link: Link, runs: Runs, names: Names, types: Sequence[str]) -> Link:
    """A name after which comes what makes another one of it, but for a typo: "acme prdo", where there are acme and
    acme-prod."""
    for size in reversed([size for size in runs.guesses() if size > link.eaten]):
        near = [hit.named for hit in names.near(runs.text(size), types) if hit.score >= TYPO]
        if near:
            return _link(_unique([*near, *link.named]), size, exact=False)
    return link


def _id(token: Token, names: Names, types: Sequence[str]) -> Link | None:
    """An id, or a piece of one that can hardly be anything else; a short one must be the id's beginning."""
    typed = token.text.casefold()
    is_piece = _PIECE.fullmatch(typed) and not _WORD_AND_NUMBER.fullmatch(typed)
    if token.kind != "id" and not is_piece:
        return None
    found = names.ids(typed, types or None)
    if len(typed) < _SURE_PIECE:
        found = [one for one in found if one.key[2].casefold().startswith(typed)]
    whole = any(one.key[2].replace("-", "").casefold() == typed.replace("-", "") for one in found)
    return _link(found, 1, exact=whole) if found else None


def _numbered(token: Token, names: Names, types: Sequence[str]) -> Link | None:
    found = [one for type in types for one in names.numbered(token.word, type)] if token.word.isdecimal() else []
    return _link(found, 1, exact=False) if found else None


def _guessed(runs: Runs, names: Names, types: Sequence[str]) -> Link | None:
    """What is meant but for typos, or by a part of the name: by the surest run, of equal ones by the longest."""
    best: tuple[float, int, list[Hit]] | None = None
    for size in runs.guesses():
        hits = names.near(runs.text(size), types or None)
        if hits and (best is None or (hits[0].score, size) >= best[:2]):
            best = hits[0].score, size, hits
    return _decided(best[2], best[1]) if best else None


def _decided(hits: list[Hit], eaten: int) -> Link | None:
    if all(hit.other_number for hit in hits):
        return None  # who types web-12 does not mean web-13
    first = hits[0]
    likely = [hit.named for hit in hits if first.score - hit.score < MARGIN]
    if len(likely) == 1 and first.other_number:
        return None
    return _link(_unique(likely), eaten, exact=first.score >= EXACT and len(likely) == 1)


def _unique(named: Sequence[Named]) -> list[Named]:
    return list({(one.type, one.key): one for one in named}.values())
