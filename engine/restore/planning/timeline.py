"""The restore points of a machine on a time line, for people to choose from: pure.

One entry is one choice: a point of the root, with the points of the other disks that a plan would take with it. Points
of other disks that go with no root are entries of their own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.restore.models import Source
from engine.restore.planning.choosing import companion, point_problem, root_of, usable
from engine.restore.planning.facts import Facts

_SHOWN = (
    "id", "kind", "name", "taken_at", "policy", "consistency", "proof", "back_end", "status", "size_gb", "own",
    "incremental", "group", "project_id", "seconds",
)  # fmt: skip


def points(facts: Facts, now: datetime) -> list[dict[str, Any]]:
    """The entries, newest first; those without a time last.

    {id, kind, taken_at, age_seconds, policy, consistency, proof, back_end, ..., problem, volumes, missing, spread_ms}:
    `volumes` are ids of the disks that come back with it ("" is a root that is no volume), `missing` those that have
    nothing near that time, `problem` says why nothing can be restored from it.
    """
    root = root_of(facts)
    key = root.volume_id if root is not None else ""
    disks = [disk.volume_id for disk in facts.disks]
    every = list(dict.fromkeys([*([key] if key in facts.points else []), *disks]))
    found, taken = [], set()
    for source in facts.points.get(key, ()):
        parts = {key: source}
        if point_problem(source, facts.machine) is None:
            for id in every:
                if id != key and (other := companion(source, facts.points.get(id, ()), facts.machine)) is not None:
                    parts[id] = other
                    taken.add((id, other.id))
        found.append(_entry(facts, source, parts, every, now))
    for id in every:
        if id != key:
            found += [
                _entry(facts, source, {id: source}, every, now)
                for source in facts.points.get(id, ())
                if (id, source.id) not in taken
            ]
    found.sort(key=lambda one: (one["taken_at"] is not None, one["taken_at"] or now), reverse=True)
    return found


def _entry(
    facts: Facts, source: Source, parts: dict[str, Source], every: list[str], now: datetime
) -> dict[str, Any]:  # fmt: skip
    moments = [one.taken_at for one in parts.values() if one.taken_at is not None]
    spread = round((max(moments) - min(moments)).total_seconds() * 1000) if len(moments) > 1 else None
    return {
        **{name: getattr(source, name) for name in _SHOWN},
        "age_seconds": None if source.taken_at is None else max(0, int((now - source.taken_at).total_seconds())),
        "problem": point_problem(source, facts.machine),
        "usable": bool(usable([source], facts.machine)),
        "volumes": list(parts),
        "missing": [id for id in every if id not in parts],
        "spread_ms": spread,
    }
