"""The names of one resource type, ready to be looked up: what rows are called, in the order of letters from the front
and from the back.

Texts lie in two long strings and rows in Arrow columns: a hundred thousand names take some 15 MB, which as Python
objects would be 60.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from copilot.linking import folding

if TYPE_CHECKING:
    import pyarrow

Fingerprint = tuple[int, int]  # rows and a sum of their hashes: equal means the same names
MOST_ZEROS = 8  # before a number that was typed without
_SPLIT = "\n"


class Ordered:
    """Texts in order, each with the row that it names."""

    def __init__(self, texts: Sequence[str], rows: Sequence[int]) -> None:
        order = sorted(range(len(texts)), key=texts.__getitem__)
        ordered = [texts[place] for place in order]
        self.rows = array("I", map(rows.__getitem__, order))
        self.blob = "".join(f"{text}{_SPLIT}" for text in ordered)
        self._starts = array("I", accumulate(map(len, ordered), lambda start, size: start + size + 1, initial=0))

    def begin(self, prefix: str) -> tuple[int, int]:
        """Places from and to of the texts that begin so."""
        low = self._first(prefix)
        return low, self._first(prefix, after=True, low=low)

    def _first(self, prefix: str, *, after: bool = False, low: int = 0) -> int:
        size, blob, starts = len(prefix), self.blob, self._starts

        def beyond(place: int) -> bool:
            # The end of a text is "\n", which is before every other character that a text can have.
            text = blob[starts[place] : starts[place] + size]
            return text > prefix if after else text >= prefix

        return bisect_left(range(len(self.rows)), True, low, key=beyond)

    def texts(self, low: int, high: int) -> list[str]:
        """The texts at the places from `low` to before `high`."""
        if low >= high:
            return []
        return self.blob[self._starts[low] : self._starts[high] - 1].split(_SPLIT)

    def equal(self, text: str) -> array[int]:
        """Rows that are called just so."""
        return self.rows[slice(*self.begin(text + _SPLIT))]

    def inside(self, pieces: Sequence[str], most: int) -> Iterator[int]:
        """Rows whose text has all the pieces, at most so many."""
        first, *others = sorted(pieces, key=self.blob.count)
        at = self.blob.find(first)
        while at >= 0 and most > 0:
            place = bisect_left(self._starts, at + 1) - 1
            start, end = self._starts[place], self._starts[place + 1]
            if all(self.blob.find(other, start, end) >= 0 for other in others):
                yield self.rows[place]
                most -= 1
            at = self.blob.find(first, end)

    def zeros(self, parts: Sequence[str], prefix: str = "") -> list[int]:
        """Rows called `parts` in a row, with any zeros before those that are numbers."""
        if not parts:
            return list(self.equal(prefix))
        found: list[int] = []
        for zeros in range(MOST_ZEROS + 1 if parts[0].isdecimal() else 1):
            longer = prefix + "0" * zeros
            low, high = self.begin(longer)
            if low == high:
                break
            found += self.zeros(parts[1:], longer + parts[0])
        return found


@dataclass(frozen=True, slots=True)
class Row:
    """A resource. `owner`: id of the project it belongs to, or of the domain where it belongs to none, or ''."""

    cloud: str
    region: str
    id: str
    name: str
    owner: str
    also: str


class Shelf:
    """The names of one type.

    table  columns cloud, region, id, name, owner, also (another name, such as a subnet's prefix; may be null)
    """

    def __init__(self, type: str, table: pyarrow.Table, fingerprint: Fingerprint) -> None:
        self.type = type
        self.fingerprint = fingerprint
        self._table = table
        self._names = table.column("name"), table.column("also")
        names: list[str] = []
        rows: list[int] = []
        for column in self._names:
            if column.null_count < len(column):
                called = [(row, name) for row, name in enumerate(column.to_pylist()) if name and not name.isspace()]
                rows += [row for row, _ in called]
                names += [name for _, name in called]
        texts = folding.bare_all(names)
        self.forward = Ordered(texts, rows)
        self.backward = Ordered([text[::-1] for text in texts], rows)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    @cached_property
    def places(self) -> set[tuple[str, str]]:
        """(cloud, region or '') of all rows."""
        import pyarrow

        pairs = pyarrow.table({"cloud": self._table.column("cloud"), "region": self._table.column("region")})
        found = pairs.group_by(["cloud", "region"]).aggregate([])
        return {(row["cloud"] or "", row["region"] or "") for row in found.to_pylist()}

    def bares(self) -> list[str]:
        """All names, as letters and digits."""
        return self.forward.texts(0, len(self.forward.rows))

    def row(self, number: int) -> Row:
        """The resource of that number."""
        return Row(*(column[number].as_py() or "" for column in self._table.columns))

    def called(self, number: int) -> list[str]:
        """What the resource is called: its name, and the other one."""
        return [name for column in self._names if (name := column[number].as_py())]

    def equal(self, bare: str) -> list[int]:
        """Rows called so, as far as letters and digits say."""
        return list(self.forward.equal(bare))

    def equal_numbers(self, tight: str) -> list[int]:
        """The same, whatever zeros there are before numbers."""
        return list(dict.fromkeys(self.forward.zeros(_parts(tight.replace("-", "")))))

    def begins(self, bare: str) -> bool:
        """Whether a name begins so."""
        low, high = self.forward.begin(bare)
        return low < high

    def near(self, bare: str, edits: int) -> dict[int, int]:
        """Rows whose names are at most so many typos away: row -> typos.

        A typo is a letter too many, too few or another one, or two letters the wrong way round. The beginning or the
        end must be free of them: with one it always is, with two both thirds would have to be hit.
        """
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        size = len(bare) // (edits + 1)
        found: dict[int, int] = {}
        # One character is left out between the two parts: letters the wrong way round may lie on both sides of a cut.
        ends = (self.forward, bare, bare[:size]), (self.backward, bare[::-1], bare[::-1][: len(bare) - size - 1])
        if edits > 1:
            ends = ends[0], (self.backward, bare[::-1], bare[::-1][:size])
        for side, text, begin in ends:
            low, high = side.begin(begin)
            hits = process.extract(
                text, side.texts(low, high), scorer=OSA.distance, score_cutoff=edits, limit=None, processor=None
            )
            for _, distance, place in hits:
                row = side.rows[low + place]
                found[row] = min(found.get(row, edits), int(distance))
        return found

    def ending(self, number: str, most: int) -> list[int]:
        """Rows whose names end with the number, whatever zeros are before it; at most so many."""
        found: dict[int, None] = {}
        for zeros in range(MOST_ZEROS + 1):
            end = number[::-1] + "0" * zeros
            low, high = self.backward.begin(end)
            # After the digits comes no other digit: "13" does not end with the number 3.
            first, last = self.backward.begin(end + "0")[0], self.backward.begin(end + "9")[1]
            for place in (*range(low, min(first, high)), *range(max(last, low), high)):
                found[self.backward.rows[place]] = None
                if len(found) >= most:
                    return list(found)
        return list(found)

    def starting(self, bare: str, most: int) -> list[int]:
        """Rows whose names begin so, at most so many."""
        low, high = self.forward.begin(bare)
        return list(dict.fromkeys(self.forward.rows[low : min(high, low + most)]))

    def having(self, pieces: Sequence[str], most: int) -> Iterable[int]:
        """Rows whose names have all the letters somewhere, at most so many."""
        return dict.fromkeys(self.forward.inside(pieces, most))

    def with_id(self, id: str) -> list[int]:
        """Rows with the id."""
        from pyarrow import compute

        found: list[int] = compute.indices_nonzero(compute.equal(self._table.column("id"), id)).to_pylist()
        return found

    def with_id_part(self, part: str, *, start: bool) -> list[int]:
        """Rows whose id begins with the text, or has it anywhere."""
        from pyarrow import compute

        test = compute.starts_with if start else compute.match_substring
        found: list[int] = compute.indices_nonzero(test(self._table.column("id"), part)).to_pylist()
        return found


def _parts(tight: str) -> list[str]:
    return re.findall(r"[0-9]+|[^0-9]+", tight)
