"""Which machine or volume took the place of which, as the room of restores tells it, which lies above."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

# ids of what it took the place of, and of what took its place; the nearest first
Line = tuple[Sequence[str], Sequence[str]]
# lineage(cloud, region, ids) -> {id: Line}, without those that have neither
Lineage = Callable[[str, str, Sequence[str]], Mapping[str, Line]]


def none(cloud: str, region: str, ids: Sequence[str]) -> Mapping[str, Line]:
    """Nothing took the place of anything."""
    return {}
