"""The names of everything that the asker may see, as a scan needs them: is a run of words one of them?

Names are compared by their letters and digits alone (`copilot.linking.folding.bare`), so that case, accents, width and
the signs between words do not matter. Kept are hashes, not names: what a false match costs is one word hidden too much.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable

from copilot.linking import folding
from copilot.linking.names import Names
from copilot.redaction.book import kind_of_type

FIRST = 3  # letters by which the longest name that begins so is known
_MOST_KEPT = 4
_OWNERS = ("project", "domain")  # a name that is also a machine's mostly means them: "vms of acme"
_lock = threading.Lock()
_kept: OrderedDict[object, Index] = OrderedDict()


class Index:
    """Names with the kinds of their pseudonyms. Names can be added; nothing is removed."""

    def __init__(self) -> None:
        self._kinds: dict[int, str] = {}
        self._longest: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._kinds)

    def add(self, bares: Iterable[str], kind: str) -> None:
        """Names as letters and digits; the first kind of a name counts."""
        kinds, longest = self._kinds, self._longest
        for bare in bares:
            kinds.setdefault(hash(bare), kind)
            first, size = bare[:FIRST], len(bare)
            if longest.get(first, 0) < size:
                longest[first] = size

    def kind(self, bare: str) -> str | None:
        """The kind of what is called so; None = nothing is."""
        return self._kinds.get(hash(bare))

    def longest(self, bare: str) -> int:
        """Letters of the longest name that may begin like `bare`, which may be shorter than FIRST."""
        if len(bare) < FIRST:
            return 255
        return self._longest.get(bare[:FIRST], 0)


def index_of(names: Names) -> Index:
    """The index of the asker's names; kept as long as they are the same. Raises NotAvailable."""
    shelves = names.shelves()
    places = frozenset(place for shelf in shelves for place in shelf.places)
    key = (places, tuple((shelf.type, len(shelf), shelf.fingerprint) for shelf in shelves))
    with _lock:
        found = _kept.get(key)
        if found is not None:
            _kept.move_to_end(key)
            return found
    made = Index()
    made.add((folding.bare(cloud) for cloud, _ in places if cloud), "cloud")
    made.add((folding.bare(region) for _, region in places if region), "region")
    for shelf in sorted(shelves, key=lambda one: one.type not in _OWNERS):
        made.add(shelf.bares(), kind_of_type(shelf.type))
    with _lock:
        _kept[key] = made
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return made
