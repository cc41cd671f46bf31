"""Sparklines: a course of values as one line, or a few, of block characters."""

from __future__ import annotations

import math
from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
GAP = "·"  # nothing is known of this stretch

Values = Sequence[float | None]


def fitted(values: Values, cells: int) -> list[float | None]:
    """The values in at most `cells` stretches of equal length, each the mean of what is known in it."""
    if cells <= 0 or not values:
        return []
    if len(values) <= cells:
        return [_known(value) for value in values]
    found: list[float | None] = []
    for number in range(cells):
        start, stop = number * len(values) // cells, (number + 1) * len(values) // cells
        known = [value for value in map(_known, values[start : max(stop, start + 1)]) if value is not None]
        found.append(math.fsum(known) / len(known) if known else None)
    return found


def since_known(values: Values) -> Values:
    """The values from the first known one on: what was not watched yet is not drawn."""
    first = next((number for number, value in enumerate(values) if _known(value) is not None), len(values))
    return values[first:]


def sparkline(values: Values, cells: int, low: float | None = None, high: float | None = None) -> str:
    """The course in at most `cells` characters, from `low` to `high`, else from the least to the most of the values.

    A course that does not move lies in the middle. "" of no values at all.
    """
    rows = columns(values, cells, 1, low, high)
    return rows[0] if rows else ""


def columns(values: Values, cells: int, rows: int, low: float | None = None, high: float | None = None) -> list[str]:
    """The course as columns over `rows` lines, the topmost first. A gap is a dot on the lowest line."""
    points = fitted(values, cells)
    known = [point for point in points if point is not None]
    if not known or rows <= 0:
        return []
    least = min(known) if low is None else low
    most = max(known) if high is None else high
    steps = len(BLOCKS) * rows
    heights = [None if point is None else _height(point, least, most, steps) for point in points]
    lines = []
    for row in range(rows - 1, -1, -1):
        lines.append("".join(_cell(height, row) for height in heights))
    return lines


def _height(point: float, least: float, most: float, steps: int) -> int:
    """1 to `steps` eighths."""
    if most <= least:
        return max(1, steps // 2)
    share = (max(least, min(most, point)) - least) / (most - least)
    return 1 + round(share * (steps - 1))


def _cell(height: int | None, row: int) -> str:
    if height is None:
        return GAP if row == 0 else " "
    left = height - row * len(BLOCKS)
    return " " if left <= 0 else BLOCKS[min(left, len(BLOCKS)) - 1]


def _known(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def arrow(values: Values) -> str:
    """Where it went from the first known value to the last: ↑, ↓, → or ""."""
    known = [value for value in map(_known, values) if value is not None]
    if len(known) < 2:
        return ""
    moved = known[-1] - known[0]
    # A thousandth of the largest value is no movement.
    still = abs(moved) <= 0.001 * max(map(abs, known))
    return "→" if still else "↑" if moved > 0 else "↓"
