"""What a run will do, from what is known: pure, every fact is an argument.

Selection (`select`) says which restore points are wanted, and of which volumes none; `finish` takes away what the
projects' quotas have no room for and puts the rest into batches.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.snapshots.models import Decision, Key, Policy, Volume
from engine.snapshots.runs.quota import Block, Quota, fitting

# A snapshot can be taken of a volume in these states (with `force` also while it is in use).
USABLE = ("available", "in-use")


@dataclass(frozen=True, slots=True)
class Limits:
    """Settings of a run: volumes to a batch, and the size in GB over which a volume is left out (0: none is)."""

    batch_size: int = 20
    max_size_gb: int = 0


@dataclass(frozen=True, slots=True)
class Own:
    """One of our points as retention sees it; `token` says what goes as one (register.unit)."""

    token: str
    volume_id: str
    taken_at: datetime
    size_gb: int = 0


@dataclass(frozen=True, slots=True)
class Want:
    """One restore point to make: of one volume, or of all volumes of a machine at once.

    surplus  our points that are beyond `keep` already, and `frees` those that will be once this one is there: GB of
             each of their snapshots
    """

    volumes: tuple[Volume, ...]
    policy: str
    keep: int
    occurrence: datetime
    method: str = "volume"
    group_type: str = ""
    server_id: str = ""
    surplus: tuple[int, ...] = ()
    frees: tuple[int, ...] = ()

    @property
    def volume(self) -> Volume:
        """The first of them."""
        return self.volumes[0]

    @property
    def size_gb(self) -> int:
        """Of all together."""
        return sum(volume.size_gb for volume in self.volumes)


@dataclass(frozen=True, slots=True)
class Skip:
    """A volume of which no point is made, and why: `code` for programs, `text` for people."""

    volume: Volume
    policy: str
    keep: int
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Tenants that are worked on together, with the points that they get. Numbers begin at 1."""

    number: int
    tenants: tuple[str, ...]
    wants: tuple[Want, ...]

    @property
    def volumes(self) -> int:
        """How many restore points."""
        return sum(len(want.volumes) for want in self.wants)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do. `tight`: projects whose quota has room for one point at a time only."""

    batches: tuple[Batch, ...]
    skips: tuple[Skip, ...]
    blocks: tuple[Block, ...]
    tight: frozenset[str] = frozenset()
    notes: tuple[str, ...] = field(default=())

    @property
    def wants(self) -> list[Want]:
        """All points, in order."""
        return [want for batch in self.batches for want in batch.wants]


def select(
    volumes: Iterable[Volume],
    decisions: Mapping[Key, Decision],
    policies: Mapping[str, Policy],
    due: Mapping[str, datetime],
    made: Mapping[tuple[str, str], datetime],
    own: Mapping[tuple[str, str], Sequence[Own]],
    limits: Limits,
) -> tuple[list[Want], list[Skip]]:
    """Which points are wanted now.

    due   {policy: the occurrence to make}
    made  {(volume id, policy): newest occurrence that has a point}
    own   {(volume id, policy): our points, in any order}
    """
    wants: list[Want] = []
    skips: list[Skip] = []
    together: dict[tuple[str, str], list[tuple[Volume, int]]] = defaultdict(list)
    for volume in volumes:
        decision = decisions.get(volume.key)
        if decision is None:
            continue
        for held in decision.held:
            if (occurrence := due.get(held.policy)) is None:
                continue
            if problem := unfit(volume, made.get((volume.id, held.policy)), occurrence, limits):
                skips.append(Skip(volume, held.policy, held.keep, *problem))
                continue
            policy = policies[held.policy]
            if policy.method == "server" and volume.server_ids:
                together[volume.server_ids[0], held.policy].append((volume, held.keep))
                continue
            beyond, frees = _retention(own.get((volume.id, held.policy), ()), held.keep)
            wants.append(Want((volume,), held.policy, held.keep, occurrence, surplus=beyond, frees=frees))
        if decision.excluded is not None:
            # Said once for each policy that would have been due, so that nobody wonders.
            skips += [
                Skip(volume, policy, 0, "excluded", decision.excluded)
                for policy in sorted({name for reason in decision.reasons for name in reason.policies if name in due})
            ]
    for (server, policy_name), members in together.items():
        policy = policies[policy_name]
        keep = max(keep for _, keep in members)
        rows = [row for volume, _ in members for row in own.get((volume.id, policy_name), ())]
        beyond, frees = _retention(rows, keep)
        ordered = tuple(sorted((volume for volume, _ in members), key=lambda volume: volume.id))
        wants.append(
            Want(ordered, policy_name, keep, due[policy_name], "server", policy.group_type, server, beyond, frees)
        )
    return wants, skips


def unfit(volume: Volume, made: datetime | None, occurrence: datetime, limits: Limits) -> tuple[str, str] | None:
    """(code, sentence) for a volume that gets no point now; None when it gets one."""
    if made is not None and made >= occurrence:
        return "made", "has a restore point of this occurrence already"
    if volume.status not in USABLE:
        return "status", f"the volume is {volume.status or 'in an unknown state'}"
    if limits.max_size_gb and volume.size_gb > limits.max_size_gb:
        return "size", f"{volume.size_gb} GB is more than the {limits.max_size_gb} GB that the settings allow"
    return None


def _retention(rows: Sequence[Own], keep: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """GB of the snapshots beyond `keep` now, and of those that one more point pushes out."""
    now = surplus(rows, keep)
    later = surplus(rows, keep - 1) if keep > 0 else now
    sizes = {(row.token, row.volume_id): row.size_gb for row in rows}
    return (
        tuple(size for (token, _), size in sizes.items() if token in now),
        tuple(size for (token, _), size in sizes.items() if token in later and token not in now),
    )


def surplus(rows: Sequence[Own], keep: int) -> list[str]:
    """Tokens of the points to remove, the oldest first, so that each volume keeps its newest `keep`.

    A point of several volumes goes only when each of its volumes has `keep` newer ones. Points of the same instant are
    told apart by their token, so that the answer is always the same.
    """
    by_volume: dict[str, list[Own]] = defaultdict(list)
    for row in rows:
        by_volume[row.volume_id].append(row)
    over: dict[str, int] = defaultdict(int)
    parts: dict[str, int] = defaultdict(int)
    when: dict[str, datetime] = {}
    for own in by_volume.values():
        own.sort(key=lambda row: (row.taken_at, row.token), reverse=True)
        for rank, row in enumerate(own):
            parts[row.token] += 1
            over[row.token] += rank >= max(0, keep)
            when[row.token] = row.taken_at
    gone = [token for token, count in over.items() if count == parts[token]]
    return sorted(gone, key=lambda token: (when[token], token))


def finish(
    wants: Sequence[Want], skips: Sequence[Skip], quotas: Mapping[str, Quota | str], limits: Limits, parallel: int
) -> Plan:
    """The plan of a run.

    quotas  by project id; a text is the reason why it cannot be read, which blocks: fails closed
    """
    by_project: dict[str, list[Want]] = defaultdict(list)
    for want in wants:
        by_project[want.volume.project_id].append(want)
    kept: list[Want] = []
    blocks: list[Block] = []
    tight: set[str] = set()
    for project, own in by_project.items():
        fit, blocked, narrow = fitting(own, quotas.get(project, "the quota was not asked for"), parallel)
        kept += fit
        blocks += blocked
        if narrow:
            tight.add(project)
    return Plan(tuple(batches(kept, limits.batch_size)), tuple(skips), tuple(blocks), frozenset(tight))


def batches(wants: Iterable[Want], size: int) -> list[Batch]:
    """Tenants by number of volumes, the fewest first; none is split, and one that fills a batch has it for itself."""
    tenants: dict[str, list[Want]] = defaultdict(list)
    for want in wants:
        tenants[want.volume.project_id].append(want)
    counts = {project: sum(len(want.volumes) for want in own) for project, own in tenants.items()}
    order = sorted(tenants, key=lambda project: (counts[project], _tenant(tenants[project]), project))
    packed: list[list[str]] = []
    room = 0
    for project in order:
        if not packed or counts[project] >= size or counts[project] > room:
            packed.append([])
            room = size
        packed[-1].append(project)
        room = 0 if counts[project] >= size else room - counts[project]
    return [
        Batch(
            number,
            tuple(_tenant(tenants[project]) for project in projects),
            tuple(
                sorted(
                    (want for project in projects for want in tenants[project]),
                    key=lambda want: (want.volume.project_id, want.size_gb, want.volume.id, want.policy),
                )
            ),
        )
        for number, projects in enumerate(packed, 1)
    ]


def _tenant(wants: Sequence[Want]) -> str:
    volume = wants[0].volume
    return volume.project_name or volume.project_id


def parts(
    found: Sequence[Batch], most: int, size: Callable[[Batch], int] = lambda batch: len(batch.wants)
) -> list[list[Batch]]:
    """The batches in pieces of at most so many points (one that has more is a piece of its own)."""
    pieces: list[list[Batch]] = []
    count = 0
    for batch in found:
        if not pieces or count + size(batch) > most:
            pieces.append([])
            count = 0
        pieces[-1].append(batch)
        count += size(batch)
    return pieces


def volume_args(volume: Volume) -> dict[str, Any]:
    """What a step has to know of a volume, as JSON."""
    names = ("id", "name", "size_gb", "volume_type", "host", "project_id", "project_name", "domain_id", "domain_name",
             "server_name", "bootable")  # fmt: skip
    return {**{name: getattr(volume, name) for name in names}, "server_ids": list(volume.server_ids)}
