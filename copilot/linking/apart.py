"""How resources of the same name are told apart in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from copilot.answers import Named

Place = tuple[tuple[str, str], ...]  # (what it is, its name): project, region, cloud


def told_apart(choices: Sequence[tuple[Named, Place]]) -> list[str]:
    """For each of the choices its name with what differs among them: its type, what it lies in, and at last its id."""
    types = {one.type for one, _ in choices}
    told = []
    for one, place in choices:
        kind = f"{one.type.replace('_', ' ')} " if len(types) > 1 else ""
        # Only things of one name need to be told apart by where they lie.
        others = [where for other, where in choices if other.name == one.name and other.type == one.type]
        parts = [f"{what} {name}" for what, name in place if any((what, name) not in where for where in others)]
        told.append(f"{kind}{one.name}" + (f" in {', '.join(parts)}" if parts else ""))
    return [
        f"{text} (id {one.key[2]})" if told.count(text) > 1 else text
        for text, (one, _) in zip(told, choices, strict=True)
    ]
