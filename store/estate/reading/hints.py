"""Where in a long list a window's rows probably lie, so that only a thin slice of a million rows is sorted.

A sample of each order's places is kept for a while. A slice between two of them is read; when it turns out to hold too
few rows, a wider one is, and in the end the whole list: a hint that is old or wrong costs time, never rows.
"""

from __future__ import annotations

import math
import threading
import time
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cmp_to_key
from typing import Any

from store.estate.reading.order import Sql, Term, beyond

Place = Sequence[Any]
VECTOR = 2048  # rows that DuckDB reads at once
SAMPLED_VECTORS = 64
EVERY = 64  # of these vectors, every 64th row
FACTOR = 8  # rows of a slice for each one wanted, at first
WIDER = 32
MOST = 0.25  # of the list; a wider slice is no slice


@dataclass(slots=True)
class Sample:
    """Places in order, how many rows each stands for, and until when it is believed."""

    places: list[Place]
    rows_each: float
    until: float
    order: Callable[[Place], Any]


@dataclass(slots=True)
class Hints:
    """Samples and experience of one estate; safe for several threads.

    least          rows a table must have for this to pay
    keep           seconds a sample is believed
    vectors, every size of a sample
    first_factor   rows of a slice for each one wanted, until something else is learned; `wider` times that when too few
    most           share of the list that is no slice any more
    """

    least: int = 50_000
    keep: float = 120.0
    vectors: int = SAMPLED_VECTORS
    every: int = EVERY
    first_factor: float = FACTOR
    wider: float = WIDER
    most: float = MOST
    _samples: dict[Any, Sample | None] = field(default_factory=dict)
    _checked: dict[Any, float] = field(default_factory=dict)
    _factors: OrderedDict[Any, float] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sample(
        self, key: Any, count: Callable[[], int], read: Callable[[str], list[Place]], terms: Sequence[Term]
    ) -> Sample | None:
        """The sample of an order; None for a table too small to need one.

        `count` answers the table's rows; `read` the places, in order, of the rows that a condition on `t.rowid` picks.
        """
        now = time.monotonic()
        with self._lock:
            if self._checked.get(key, 0.0) > now:
                return self._samples.get(key)
        rows = count()
        found = None
        if rows >= self.least:
            step = max(1, rows // (VECTOR * self.vectors))
            places = read(f"(t.rowid // {VECTOR}) % {step} = 0 AND t.rowid % {self.every} = 0")
            if places:
                found = Sample(places, rows / len(places), now + self.keep, cmp_to_key(comparison(terms)))
        with self._lock:
            if len(self._checked) > 256:
                self._checked.clear()
                self._samples.clear()
            self._checked[key] = now + (self.keep if found else min(self.keep, 5.0))
            self._samples[key] = found
        return found

    def factor(self, key: Any) -> float:
        """How many rows a slice must have for each one wanted, by what similar questions taught."""
        with self._lock:
            return self._factors.get(key, self.first_factor)

    def learn(self, key: Any, factor: float) -> None:
        """Remember the factor that was enough."""
        with self._lock:
            self._factors[key] = factor
            self._factors.move_to_end(key)
            while len(self._factors) > 256:
                self._factors.popitem(last=False)


SHARED = Hints()  # of the one estate that a process usually has; another one's would cost time, never rows


def comparison(terms: Sequence[Term]) -> Callable[[Place, Place], int]:
    """Compare two places as the order does: NULLS LAST, texts by their bytes."""

    def compare(a: Place, b: Place) -> int:
        for term, left, right in zip(terms, a, b, strict=True):
            if left == right:
                continue
            if left is None or right is None:
                return 1 if left is None else -1
            if isinstance(left, str):
                left, right = left.encode(), right.encode()
            less = left < right
            return -1 if less != term.descending else 1
        return 0

    return compare


def slice_around(
    sample: Sample, place: Place | None, from_end: bool, wanted: tuple[int, int], factor: float, most: float
) -> tuple[Place | None, Place | None] | None:
    """(lowest, highest) place of a slice that probably has the rows wanted on each side; None = open on that side.

    None when the slice would be most of the list.
    """
    places, (before, after) = sample.places, wanted
    if place is not None:
        index = bisect_left(places, sample.order(place), key=sample.order)
    else:
        index = len(places) if from_end else 0
    below = math.ceil(before * factor / sample.rows_each) + 1 if before else 0
    above = math.ceil(after * factor / sample.rows_each) + 1 if after else 0
    if below + above > most * len(places):
        return None
    low = place if not before else (places[index - below] if index >= below else None)
    high = place if not after else (places[index + above] if index + above < len(places) else None)
    return low, high


def within(terms: Sequence[Term], low: Place | None, high: Place | None) -> Sql:
    """The condition of lying in the slice, with plain bounds on the first term that a scan can use."""
    parts: list[Sql] = []
    first = terms[0]
    lower, upper = (low[0] if low else None), (high[0] if high else None)
    up, down = ("<=", ">=") if first.descending else (">=", "<=")
    if low is not None and lower is not None:
        ends_before_null = high is not None and upper is not None
        sql = f"{first.sql} {up} ?"
        parts.append((sql if ends_before_null or not first.nullable else f"({sql} OR {first.sql} IS NULL)", [lower]))
    if high is not None and upper is not None:
        parts.append((f"{first.sql} {down} ?", [upper]))
    if low is not None:
        parts.append(beyond(terms, low, inclusive=True))
    if high is not None:
        parts.append(beyond(terms, high, backward=True, inclusive=True))
    if not parts:
        return "true", []
    return " AND ".join(sql for sql, _ in parts), [value for _, values in parts for value in values]
