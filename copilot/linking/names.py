"""What a text may name: the names and ids of everything that the asker may see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from copilot.answers import Named
from copilot.linking import folding
from copilot.linking.shelf import Row, Shelf
from copilot.linking.shelves import NAMED, Shelves
from copilot.sources import Sources
from store.types import registry

MOST = 50  # hits of one lookup that are looked at more closely and handed out
MOST_SCANNED = 3000  # names having a word that are looked at for the other words
MIN_FRAGMENT = 4  # characters of an id
MIN_PART = 3  # letters of a part of a name
ONE_TYPO, TWO_TYPOS = 5, 9  # letters and digits that a text must have before typos are forgiven in it

# How surely a text means a name, by what is between them. Two that are less than MARGIN apart are equally sure.
EXACT, SPELLED, TYPO, BEGINS, HAS_WORDS, OTHER_NUMBER, TYPOS, HAS_PARTS = 1.0, 0.98, 0.88, 0.84, 0.80, 0.80, 0.76, 0.72
MARGIN = 0.075

_ADDRESSES = ("floating_ip",)  # whose names are addresses: a typo is another address
_HEX = re.compile(r"[0-9a-f-]+")
_KEPT = Shelves()


@dataclass(frozen=True, slots=True)
class Hit:
    """A resource that a text may mean. `other_number`: the name has another number than the text."""

    named: Named
    score: float
    other_number: bool = False


class Names:
    """The names in one asker's scope, for one question."""

    def __init__(self, sources: Sources, shelves: Shelves) -> None:
        self._sources = sources
        self._shelves = shelves
        self._permitted = tuple(name for name in NAMED if sources.may(name))
        self._owners: dict[tuple[str, str, str], str] = {}

    @classmethod
    def of(cls, sources: Sources, shelves: Shelves | None = None) -> Names:
        """The names that the asker may see. Nothing is read yet; every lookup may raise NotAvailable.

        shelves  where names are kept between questions; by default one for the whole process, which is right as long
                 as there is one estate in it, or no two of them have the same `version`
        """
        return cls(sources, _KEPT if shelves is None else shelves)

    def exact(self, text: str, types: Iterable[str] | None = None) -> list[Named]:
        """Resources called so; case does not matter. Where there are none, those whose names differ from the text only
        in the signs between words ("acme prod" for "acme-prod"). Of each type, at most MOST."""
        bare = folding.bare(text)
        found = [(shelf, row) for shelf in self._of(types) for row in shelf.equal(bare)[: MOST * 20]] if bare else []
        for fold in (folding.strict, folding.loose):
            wanted = fold(text)
            same = [(shelf, row) for shelf, row in found if any(fold(name) == wanted for name in _called(shelf, row))]
            # A name of its own goes before the first part of a host's full name, or a subnet's prefix.
            own = [(shelf, row) for shelf, row in same if fold(shelf.row(row).name) == wanted]
            if same:
                return self._named(own or same, text)
        return []

    def begins(self, text: str, types: Iterable[str] | None = None) -> bool:
        """Whether a name begins so, whatever signs stand in it."""
        bare = folding.bare(text)
        return any(shelf.begins(bare) for shelf in self._of(types))

    def fuzzy(self, text: str, types: Iterable[str] | None = None, limit: int = 5) -> list[tuple[Named, float]]:
        """Resources that may be meant, each with how surely (0..1), the surest first: see `near`."""
        return [(hit.named, hit.score) for hit in self.near(text, types)[:limit]]

    def near(self, text: str, types: Iterable[str] | None = None) -> list[Hit]:
        """Resources that the text may mean, the surest first: called so but for signs and zeros ("acmeprod", "web-3"
        for "web-003"), or but for a typo, or of whose names it is the beginning or has some of the words."""
        found: dict[tuple[int, int], tuple[float, bool]] = {}
        shelves = [shelf for shelf in self._of(types) if shelf.type not in _ADDRESSES]
        wanted = folding.bare(text)
        if not wanted:
            return []
        for place, shelf in enumerate(shelves):
            for row, score, other in (
                *_spelled(shelf, text),
                *_typos(shelf, text),
                *_parts(shelf, text),
            ):
                if score > found.get((place, row), (0.0, False))[0]:
                    found[place, row] = score, other
        best = sorted(found.items(), key=lambda item: (-item[1][0], item[1][1], item[0]))[:MOST]
        named = self._named([(shelves[place], row) for (place, row), _ in best], text)
        return [Hit(one, score, other) for one, (_, (score, other)) in zip(named, best, strict=True)]

    def ids(self, fragment: str, types: Iterable[str] | None = None) -> list[Named]:
        """Resources with the id; else those whose id begins so; else those that have it in their id. Four characters
        at least; of UUIDs the dashes may be left out. At most MOST."""
        typed = fragment.strip().casefold()
        shelves = self._of(types)
        if len(typed.replace("-", "")) < MIN_FRAGMENT:
            return []
        texts = dict.fromkeys((typed, fragment.strip(), *_uuids(typed)))
        tests: tuple[Callable[[Shelf, str], list[int]], ...] = (
            lambda shelf, id: shelf.with_id(id),
            lambda shelf, id: shelf.with_id_part(id, start=True),
            lambda shelf, id: shelf.with_id_part(id, start=False),
        )
        for test in tests if _HEX.fullmatch(typed) else tests[:1]:
            found = [(shelf, row) for shelf in shelves for text in texts for row in test(shelf, text)[:MOST]]
            if found:
                return self._named(list(dict.fromkeys(found))[:MOST], fragment)
        return []

    def numbered(self, number: int | str, type: str) -> list[Named]:
        """Resources of the type whose names end with the number, with or without zeros before it: 3 is cmp-003, and
        cmp-3.rack.example where a host has a long name. At most MOST."""
        digits = str(number).lstrip("0") or "0"
        if not (digits.isascii() and digits.isdecimal()):
            return []
        return self._named([(shelf, row) for shelf in self._of((type,)) for row in shelf.ending(digits, MOST)], digits)

    def told_apart(self, choices: Sequence[Named]) -> list[str]:
        """For each of the choices the words that tell it from the others: "server web-01 in project acme-prod"."""
        from copilot.linking.apart import told_apart

        return told_apart([(one, self._place(one)) for one in choices])

    def _place(self, named: Named) -> tuple[tuple[str, str], ...]:
        """What a resource lies in: (what it is, its name), the smallest first."""
        cloud, region, _ = named.key
        owner = ("project", named.project) if registry.ALL[named.type].owner else ("domain", self._domain(named))
        return tuple((what, name) for what, name in (owner, ("region", region), ("cloud", cloud)) if name)

    def _domain(self, named: Named) -> str:
        for shelf in self._of((named.type,)):
            for number in shelf.with_id(named.key[2]):
                row = shelf.row(number)
                if (row.cloud, row.region, row.id) == named.key:
                    return self._owner("domain", row)
        return ""

    def _of(self, types: Iterable[str] | None) -> list[Shelf]:
        wanted = None if types is None else set(types)
        names = [name for name in self._permitted if wanted is None or name in wanted]
        return self._shelves.of(self._sources, names) if names else []

    def _named(self, found: Iterable[tuple[Shelf, int]], typed: str) -> list[Named]:
        kept: dict[str, int] = {}
        named = []
        for shelf, number in found:
            kept[shelf.type] = kept.get(shelf.type, 0) + 1
            if kept[shelf.type] <= MOST:
                row = shelf.row(number)
                project = self._owner("project", row) if registry.ALL[shelf.type].owner else ""
                named.append(Named(shelf.type, (row.cloud, row.region, row.id), row.name or row.id, typed, project))
        return named

    def _owner(self, type: str, row: Row) -> str:
        """The name of the project or domain that a resource belongs to, where the asker may see it."""
        if not row.owner:
            return ""
        known = (type, row.cloud, row.owner)
        if known not in self._owners:
            owners = (shelf.row(place) for shelf in self._of((type,)) for place in shelf.with_id(row.owner))
            self._owners[known] = next((owner.name for owner in owners if owner.cloud == row.cloud), "")
        return self._owners[known]


def _called(shelf: Shelf, number: int) -> tuple[str, ...]:
    """What a resource is called."""
    row = shelf.row(number)
    if row.also and shelf.type == "hypervisor":
        return row.name, row.also
    return tuple(name for name in (row.name, row.also) if name)


def _uuids(typed: str) -> tuple[str, ...]:
    """A UUID in its other form: with dashes, or without."""
    digits = typed.replace("-", "")
    if len(digits) != 32 or not _HEX.fullmatch(digits):
        return ()
    return digits, "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


Scored = tuple[int, float, bool]  # row, score, whether the name has another number


def _spelled(shelf: Shelf, text: str) -> list[Scored]:
    """Called so but for signs and zeros."""
    wanted, strict = folding.tight(text), (folding.strict(text), folding.loose(text))
    scored: list[Scored] = []
    for row in shelf.equal_numbers(wanted)[:MOST]:
        names = _called(shelf, row)
        if any(folding.strict(name) == strict[0] or folding.loose(name) == strict[1] for name in names):
            scored.append((row, EXACT, False))
        elif any(folding.tight(name) == wanted for name in names):
            scored.append((row, SPELLED, False))
        else:  # "web-11" for "web-1-1"
            scored.append((row, OTHER_NUMBER, True))
    return scored


def _typos(shelf: Shelf, text: str) -> list[Scored]:
    """Called so but for one typo, or two in a long name."""
    bare = folding.bare(text)
    if len(bare) < ONE_TYPO:
        return []
    numbers = folding.numbers(text)
    scored: list[Scored] = []
    for edits in (1, 2) if len(bare) >= TWO_TYPOS else (1,):
        for row, distance in shelf.near(bare, edits).items():
            other = all(folding.numbers(name) != numbers for name in _called(shelf, row))
            if distance < 2:
                scored.append((row, OTHER_NUMBER if other else TYPO, other))
            elif not other:
                scored.append((row, TYPOS, False))
        if scored:
            break
    return scored


def _parts(shelf: Shelf, text: str) -> list[Scored]:
    """Names that begin with it, or have its words."""
    words = folding.words(text)
    longest = max(words, key=len, default="")
    if len(longest) < MIN_PART:
        return []
    bare, loose = folding.bare(text), folding.loose(text)
    scored: list[Scored] = []
    for row in dict.fromkeys((*shelf.starting(bare, MOST), *shelf.having(longest, MOST_SCANNED))):
        best = max((_fit(words, loose, name) for name in _called(shelf, row)), default=0.0)
        if best:
            scored.append((row, best, False))
            if len(scored) > MOST:
                break
    return scored


def _fit(words: Sequence[str], loose: str, name: str) -> float:
    """How well words fit a name as parts of it; 0 = not at all. Numbers must be whole."""
    having = folding.words(name)
    whole = folding.loose(name)
    if whole.startswith(f"{loose}-") or (having[: len(words)] == tuple(words)):
        return BEGINS
    if all(word in having for word in words):
        return HAS_WORDS
    fits = all(
        word in having
        or (len(word) >= MIN_PART and not word.isdecimal() and any(other.startswith(word) for other in having))
        for word in words
    )
    return HAS_PARTS if fits else 0.0
