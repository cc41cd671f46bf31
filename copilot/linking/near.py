"""How surely a text means a name that it is not: by what is between the two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from copilot.linking import folding
from copilot.linking.shelf import Shelf

ONE_TYPO, TWO_TYPOS = 5, 9  # letters and digits that a text must have before typos are forgiven in it
MIN_PART = 3  # letters of a part of a name
MOST = 50  # hits wanted

# Two that are less than MARGIN apart are equally sure.
EXACT = 1.0
SPELLED = 0.98  # but for signs between words and zeros before numbers
TYPO = 0.88
BEGINS = 0.84  # the name begins so
HAS_WORDS = 0.80  # they are all words of the name
OTHER_NUMBER = 0.82  # but for a typo in a number: meant alone it never is, but it may be what was meant
TYPOS = 0.76
HAS_PARTS = 0.72  # words of the name begin so
MARGIN = 0.075

_MOST_LOOKED_AT = 300  # names with the letters of a word, of which it may be no word


@dataclass(frozen=True, slots=True)
class Fit:
    """A row of the shelf with that place in the list. `other_number`: its name has another number than the text."""

    shelf: int
    row: int
    score: float
    other_number: bool = False


def near(shelves: Sequence[Shelf], text: str) -> list[Fit]:
    """What may be meant by the text, the surest first. What could not matter beside that is not looked for."""
    found: dict[tuple[int, int], Fit] = {}

    def take(fits: Iterator[Fit]) -> float:
        for fit in fits:
            known = found.get((fit.shelf, fit.row))
            if known is None or fit.score > known.score:
                found[fit.shelf, fit.row] = fit
        return max((fit.score for fit in found.values() if not fit.other_number), default=0.0)

    best = take(_spelled(shelves, text))
    if best < SPELLED:
        best = take(_typos(shelves, text, 1))
        best = max(best, take(_beginning(shelves, text)))
    if best < TYPO and len(found) < MOST:
        best = take(_having(shelves, text))
    if best < BEGINS:
        take(_typos(shelves, text, 2))
    return sorted(found.values(), key=lambda fit: (-fit.score, fit.other_number, fit.shelf, fit.row))


def _spelled(shelves: Sequence[Shelf], text: str) -> Iterator[Fit]:
    wanted, strict, loose = folding.tight(text), folding.strict(text), folding.loose(text)
    for place, shelf in enumerate(shelves):
        for row in shelf.equal_numbers(wanted)[:MOST]:
            names = shelf.called(row)
            if any(folding.strict(name) == strict or folding.loose(name) == loose for name in names):
                yield Fit(place, row, EXACT)
            elif any(folding.tight(name) == wanted for name in names):
                yield Fit(place, row, SPELLED)
            else:  # "web-11" for "web-1-1"
                yield Fit(place, row, OTHER_NUMBER, True)


def _typos(shelves: Sequence[Shelf], text: str, edits: int) -> Iterator[Fit]:
    bare = folding.bare(text)
    if len(bare) < (ONE_TYPO if edits == 1 else TWO_TYPOS):
        return
    numbers = folding.numbers(text)
    for place, shelf in enumerate(shelves):
        for row, distance in shelf.near(bare, edits).items():
            other = all(folding.numbers(name) != numbers for name in shelf.called(row))
            if distance < 2:
                yield Fit(place, row, OTHER_NUMBER if other else TYPO, other)
            elif not other:
                yield Fit(place, row, TYPOS)


def _beginning(shelves: Sequence[Shelf], text: str) -> Iterator[Fit]:
    bare = folding.bare(text)
    if len(bare) < MIN_PART:
        return
    for place, shelf in enumerate(shelves):
        yield from _fitting(shelf, place, text, shelf.starting(bare, MOST))


def _having(shelves: Sequence[Shelf], text: str) -> Iterator[Fit]:
    words = folding.words(text)
    if len(max(words, key=len, default="")) < MIN_PART:
        return
    for place, shelf in enumerate(shelves):
        yield from _fitting(shelf, place, text, shelf.having(words, _MOST_LOOKED_AT))


def _fitting(shelf: Shelf, place: int, text: str, rows: Iterable[int]) -> Iterator[Fit]:
    words, loose = folding.words(text), folding.loose(text)
    count = 0
    for row in rows:
        score = max((_fit(words, loose, name) for name in shelf.called(row)), default=0.0)
        if score:
            yield Fit(place, row, score)
            count += 1
            if count > MOST:
                return


def _fit(words: Sequence[str], loose: str, name: str) -> float:
    """How well words fit a name as parts of it; 0 = not at all. Numbers must be whole."""
    having = folding.words(name)
    if having[: len(words)] == words or folding.loose(name).startswith(f"{loose}-"):
        return BEGINS
    if all(word in having for word in words):
        return HAS_WORDS
    for word in words:
        begins = len(word) >= MIN_PART and not word.isdecimal() and any(other.startswith(word) for other in having)
        if not begins and word not in having:
            return 0.0
    return HAS_PARTS
