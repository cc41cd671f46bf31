"""Whether a project's quota has room for restore points: pure, with real usage, per volume type too; fails closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.snapshots.models import Volume

if TYPE_CHECKING:
    from engine.snapshots.runs.planning import Want

# What a snapshot counts against; with "_<volume type>" appended also per type.
SNAPSHOTS, GIGABYTES = "snapshots", "gigabytes"
REASONS = {SNAPSHOTS: "snapshots_exceeded", GIGABYTES: "gigabytes_exceeded"}
UNKNOWN = "quota_unknown"


@dataclass(frozen=True, slots=True)
class Entry:
    """One limit: -1 is none; `used` with what is reserved. None is what the service does not say."""

    limit: int | None
    used: int | None


Quota = Mapping[str, Entry]  # by the service's own names: "snapshots", "gigabytes_ssd"


@dataclass(frozen=True, slots=True)
class Block:
    """A volume that gets no point, with the numbers that say why."""

    volume: Volume
    policy: str
    keep: int
    reason: str
    resource: str = ""
    limit: int | None = None
    used: int | None = None
    needed: int | None = None
    text: str = ""


def fitting(wants: Sequence[Want], quota: Quota | str, parallel: int) -> tuple[list[Want], list[Block], bool]:
    """(points that there is room for, volumes that are blocked, whether only one point at a time has room).

    The smallest keep their place. A point is made before an older one goes, so each needs room for itself first and
    gives back afterwards what retention removes; what is beyond retention already goes before. `quota` as a text is
    the reason why it is not known: everything is blocked.
    """
    ordered = sorted(wants, key=lambda want: (want.size_gb, want.volume.id, want.policy))
    if isinstance(quota, str):
        blocks = [_unknown(volume, want, quota) for want in ordered for volume in want.volumes]
        return [], blocks, False
    used: dict[str, int] = {}
    fit: list[Want] = []
    blocked: list[Block] = []
    for want in ordered:
        taken, before, after = _needs(want), _sums(want, want.surplus), _sums(want, want.frees)
        problem = next(
            (found for name in taken if (found := _problem(name, taken[name], before.get(name, 0), quota, used))), None
        )
        if problem is not None:
            blocked += [_block(volume, want, *problem) for volume in want.volumes]
            continue
        fit.append(want)
        for name, amount in taken.items():
            used[name] = used.get(name, 0) + amount - before.get(name, 0) - after.get(name, 0)
    return fit, blocked, len(fit) > 1 and _narrow(fit, quota, parallel)


def _narrow(wants: Sequence[Want], quota: Quota, parallel: int) -> bool:
    """Whether the points cannot be made side by side: a limit has no room for so many before the old ones go."""
    needs = [_needs(want) for want in wants]
    for name in {name for need in needs for name in need}:
        entry = quota.get(name)
        if entry is None or entry.limit is None or entry.limit < 0 or entry.used is None:
            continue
        gone = [_sums(want, (*want.surplus, *want.frees)).get(name, 0) for want in wants]
        if not any(gone):
            continue  # every point that fits stays: they fit together
        most = sorted((need.get(name, 0) for need in needs), reverse=True)[:parallel]
        stays = sum(max(0, need.get(name, 0) - back) for need, back in zip(needs, gone, strict=True))
        together = sum(need.get(name, 0) for need in needs)
        if entry.used + min(together, stays + sum(most)) > entry.limit:
            return True
    return False


def _needs(want: Want) -> dict[str, int]:
    """How much of which limit the making takes, the common ones first."""
    found: dict[str, int] = {SNAPSHOTS: 0, GIGABYTES: 0}
    for volume in want.volumes:
        for name, amount in ((SNAPSHOTS, 1), (GIGABYTES, volume.size_gb)):
            found[name] += amount
            if volume.volume_type:
                typed = f"{name}_{volume.volume_type}"
                found[typed] = found.get(typed, 0) + amount
    return found


def _sums(want: Want, gone: Sequence[int]) -> dict[str, int]:
    """What these points of the same volumes (so of the same type) take: a limit has it back when they are gone."""
    found = {SNAPSHOTS: len(gone), GIGABYTES: sum(gone)}
    types = {volume.volume_type for volume in want.volumes}
    if len(types) == 1 and (only := types.pop()):
        found |= {f"{name}_{only}": amount for name, amount in list(found.items())}
    return found


def _problem(
    name: str, amount: int, back: int, quota: Quota, used: Mapping[str, int]
) -> tuple[str, str, int | None, int | None, int] | None:
    """(reason, resource, limit, used, needed) when there is no room; None when there is. `back`: is given back before
    anything is made."""
    entry = quota.get(name)
    if entry is None:
        # A limit for the type that the service does not have; the two common ones it always has.
        return (UNKNOWN, name, None, None, amount) if name in REASONS else None
    if entry.limit is not None and entry.limit < 0:
        return None
    if entry.limit is None or entry.used is None:
        return UNKNOWN, name, entry.limit, entry.used, amount
    now = entry.used + used.get(name, 0)
    if now + amount - back <= entry.limit:
        return None
    kind = SNAPSHOTS if name.startswith(SNAPSHOTS) else GIGABYTES
    return REASONS[kind], name, entry.limit, now, amount


def _block(
    volume: Volume, want: Want, reason: str, name: str, limit: int | None, used: int | None, needed: int
) -> Block:
    if reason == UNKNOWN:
        text = f"the quota of {name} could not be read, so nothing is made"
    else:
        text = f"quota {name}: {used} of {limit} used, {needed} more needed"
    return Block(volume, want.policy, want.keep, reason, name, limit, used, needed, text)


def _unknown(volume: Volume, want: Want, why: str) -> Block:
    text = f"the project's quota could not be read, so nothing is made: {why}"
    return Block(volume, want.policy, want.keep, UNKNOWN, text=text)
