"""What a text may name: the names and ids of everything that the asker may see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from copilot.answers import Named
from copilot.linking import folding
from copilot.linking.near import MOST, near
from copilot.linking.shelf import Row, Shelf
from copilot.linking.shelves import NAMED, Shelves
from copilot.sources import Sources
from store.types import registry

MIN_FRAGMENT, MIN_INNER = 4, 6  # characters of an id, at its beginning and elsewhere
_MOST_ALIKE = 1000  # names with the same letters and digits that are compared more closely
_ADDRESSES = ("floating_ip",)  # whose names are addresses: a typo is another address
_HEX = re.compile(r"[0-9a-f-]+")
_KEPT = Shelves()


_EVERYWHERE = ("hypervisor", "network", "project")  # types that every cloud and region has some of


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
        found = [(shelf, row) for shelf in self._of(types) for row in shelf.equal(bare)[:_MOST_ALIKE]] if bare else []
        for fold in (folding.strict, folding.loose):
            wanted = fold(text)
            same = [(shelf, row) for shelf, row in found if any(fold(name) == wanted for name in shelf.called(row))]
            # A name of its own goes before the first part of a host's full name, or a subnet's prefix.
            own = [(shelf, row) for shelf, row in same if fold(shelf.called(row)[0]) == wanted]
            if same:
                return sorted(
                    self._named(own or same, text), key=lambda one: (NAMED.index(one.type), one.project, one.key)
                )
        return []

    def place(self, text: str) -> Named | None:
        """The cloud or region of that name: type "cloud" or "region", its name also as id."""
        wanted = text.casefold()
        for shelf in self._of(_EVERYWHERE):
            for cloud, region in sorted(shelf.places):
                if region.casefold() == wanted:
                    return Named("region", (cloud, region, region), region, text)
                if cloud.casefold() == wanted:
                    return Named("cloud", (cloud, "", cloud), cloud, text)
        return None

    def shelves(self) -> list[Shelf]:
        """All names that the asker may see, by type, those that people mean most often first."""
        return self._of(None)

    def begins(self, text: str, types: Iterable[str] | None = None) -> bool:
        """Whether a name begins so, whatever signs stand in it."""
        bare = folding.bare(text)
        return any(shelf.begins(bare) for shelf in self._of(types))

    def fuzzy(self, text: str, types: Iterable[str] | None = None, limit: int = 5) -> list[tuple[Named, float]]:
        """Resources that may be meant, each with how surely (0..1), the surest first: see `near`."""
        return [(hit.named, hit.score) for hit in self.near(text, types)[:limit]]

    def near(self, text: str, types: Iterable[str] | None = None) -> list[Hit]:
        """Resources that the text may mean, the surest first: called so but for signs and zeros ("acmeprod", "web-3"
        for "web-003"), or but for a typo, or of whose names it is the beginning or has some of the words. At most MOST.
        """
        shelves = [shelf for shelf in self._of(types) if shelf.type not in _ADDRESSES]
        fits = near(shelves, text)[:MOST] if folding.bare(text) else []
        named = self._named([(shelves[fit.shelf], fit.row) for fit in fits], text)
        return [Hit(one, fit.score, fit.other_number) for one, fit in zip(named, fits, strict=True)]

    def ids(self, fragment: str, types: Iterable[str] | None = None) -> list[Named]:
        """Resources with the id; else those whose id begins so; else those that have it in their id. MIN_FRAGMENT
        characters at least, in the middle MIN_INNER; of UUIDs the dashes may be left out. At most MOST."""
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
        is_hex = _HEX.fullmatch(typed) is not None
        for test in tests[: 1 + is_hex + (is_hex and len(typed) >= MIN_INNER)]:
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


def _uuids(typed: str) -> tuple[str, ...]:
    """A UUID in its other form: with dashes, or without."""
    digits = typed.replace("-", "")
    if len(digits) != 32 or not _HEX.fullmatch(digits):
        return ()
    return digits, "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
