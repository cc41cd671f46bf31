"""What compliance is judged from, read once for all volumes: promises, and the newest point that keeps each.

Nothing in it depends on the clock but exclusions that expire, so it is kept until one of its sources has moved.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import func, select

from engine.snapshots import volumes as reading
from engine.snapshots.compliance.rules import BLOCKED, Coverage, coverage
from engine.snapshots.models import Decision, Held, Key, Policy, Volume
from store import times
from store.estate.reading import restore_points
from store.estate.reading.models import Scope
from store.ops.snapshot_policy_tables import (
    snapshot_assignments,
    snapshot_occurrences,
    snapshot_policies,
    snapshot_policy_sets,
)
from store.ops.snapshot_run_tables import snapshot_points, snapshot_quota_blocks, snapshot_runs

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from engine.inventory.reads import InventoryReads
    from store.ops.ops import Ops

Place = tuple[str, str, str]  # (cloud, region, policy)
_TYPES = ("volume", "snapshot", "backup", "server", "project", "domain")  # what the rows are made of
_AGAIN = timedelta(seconds=60)  # an exclusion that expires moves no version
_THERE = ("made", "deleting")


class Policies(Protocol):
    """What is asked of the policies."""

    @property
    def version(self) -> int:
        """Moves with every change."""
        ...

    def decide(self, volumes: Iterable[Volume], now: datetime) -> Mapping[Key, Decision]:
        """What each volume was promised, and why."""
        ...

    def policy(self, name: str) -> Policy:
        """The policy of that name, made up from it where nobody made one."""
        ...


@dataclass(frozen=True, slots=True)
class Promise:
    """One policy on one volume; or, with policy "", a volume that is excluded.

    newest, count  newest usable point of this policy, and how many there are
    manual         usable snapshots of the volume that no policy made
    coverage       what the volume can be restored from, by whatever made it
    since          when the promise began, as far as one can know; None = as long as one can think
    """

    volume: Volume
    policy: str
    keep: int
    source: str
    newest: datetime | None
    count: int
    manual: int
    coverage: Coverage
    blocked_at: datetime | None
    since: datetime | None
    excluded: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """`ungoverned`: volumes that no policy takes and nobody excluded, as promises of nothing; `at`: when it was."""

    promises: tuple[Promise, ...]
    ungoverned: tuple[Promise, ...]
    at: datetime


@dataclass(slots=True)
class _Noted:
    """What the operations database knows, keyed as it is looked up."""

    own: dict[tuple[str, str, str], tuple[str, int]]  # snapshot -> (policy, microseconds)
    blocked: dict[tuple[str, str, str, str], datetime]
    looked: dict[Place, datetime]
    policies: dict[str, datetime]
    sets: dict[str, datetime]
    assignments: dict[str, datetime]


class Gathering:
    """Reads the facts, and keeps them while nothing has moved. Thread-safe."""

    def __init__(self, ops: Ops, reads: InventoryReads, policies: Policies, clock: Callable[[], datetime]) -> None:
        self._ops, self._reads, self._policies, self._clock = ops, reads, policies, clock
        self._lock = threading.Lock()
        self._kept: tuple[Hashable, Facts] | None = None

    def version(self) -> Hashable:
        """Moves when the facts would be others, but for the time."""
        data = tuple(self._reads.estate.data_version(type) for type in _TYPES)
        with self._ops.read() as connection:
            return (data, self._policies.version, *_marks(connection))

    def facts(self) -> Facts:
        """Of the whole estate: whoever may see less is given less by the service."""
        with self._lock:
            version, now = self.version(), self._clock()
            if self._kept is None or self._kept[0] != version or abs(now - self._kept[1].at) >= _AGAIN:
                self._kept = (version, self._read(now))
            return self._kept[1]

    def failed_runs(self, scope: Scope) -> int:
        """Runs of the last day that failed wholly or in part, in the clouds and regions of the scope."""
        columns = snapshot_runs.c
        query = select(func.count()).where(
            columns.status.in_(("failed", "partial")), columns.created_at > self._clock() - timedelta(days=1)
        )
        for column, values in (
            (columns.cloud, scope.clouds),
            (columns.cloud, scope.in_clouds),
            (columns.region, scope.in_regions),
        ):
            if values is not None:
                query = query.where(column.in_(values))
        with self._ops.read() as connection:
            return int(connection.scalar(query) or 0)

    def _read(self, now: datetime) -> Facts:
        taken, backups = self._reads.read(
            lambda connection: (
                restore_points.taken(connection, Scope()),
                restore_points.backup_counts(connection, Scope()),
            )
        )
        volumes = reading.volumes(self._reads, Scope())
        with self._ops.read() as connection:
            noted = _noted(connection, now)
        points, manual, snapshots = kept_points(taken, noted.own)
        elsewhere = {(row[0], row[1], row[2]): row[3] for row in backups}
        decisions = self._policies.decide(volumes, now)
        promises: list[Promise] = []
        ungoverned: list[Promise] = []
        for volume in volumes:
            decision = decisions[volume.key]
            by_hand = manual.get(volume.key, 0)
            cover = coverage(snapshots.get(volume.key, 0), elsewhere.get(volume.key, 0))
            nothing = Promise(volume, "", 0, "", None, 0, by_hand, cover, None, None, decision.excluded)
            if decision.excluded is not None:
                promises.append(nothing)
            elif not decision.held:
                ungoverned.append(nothing)
            for held in () if decision.excluded is not None else decision.held:
                newest, count = points.get((*volume.key, held.policy), (None, 0))
                promises.append(
                    Promise(
                        volume,
                        held.policy,
                        held.keep,
                        held.source,
                        None if newest is None else times.from_micros(newest),
                        count,
                        by_hand,
                        cover,
                        noted.blocked.get((*volume.key, held.policy)),
                        _since(volume, held, noted),
                    )
                )
        return Facts(tuple(promises), tuple(ungoverned), now)


def kept_points(
    taken: Iterable[restore_points.Taken], own: Mapping[tuple[str, str, str], tuple[str, int]]
) -> tuple[dict[tuple[str, str, str, str], tuple[int, int]], dict[Key, int], dict[Key, int]]:
    """({(volume, policy): (newest in microseconds, count)}, {volume: snapshots that no policy made}, {volume: all}).

    What the journal has counts by our clock; of others' the metadata say which policy, and the cloud says when.
    """
    points: dict[tuple[str, str, str, str], tuple[int, int]] = {}
    manual: dict[Key, int] = {}
    every: dict[Key, int] = {}
    for cloud, region, id, volume, made, named in taken:
        policy, at = own.get((cloud, region, id), (named, made))
        key = (cloud, region, volume)
        every[key] = every.get(key, 0) + 1
        if not policy:
            manual[key] = manual.get(key, 0) + 1
        elif at is not None:
            place = (cloud, region, volume, policy)
            newest, count = points.get(place, (at, 0))
            points[place] = (max(newest, at), count + 1)
    return points, manual, every


def _since(volume: Volume, held: Held, noted: _Noted) -> datetime | None:
    """The latest beginning of what a promise needs: the volume, the policy's schedule, the set or assignment."""
    sources = {"set": noted.sets, "assignment": noted.assignments}.get(held.kind, {})
    begun = (
        volume.created_at,
        noted.looked.get((volume.cloud, volume.region, held.policy)),
        noted.policies.get(held.policy),
        sources.get(held.source_id),
    )
    return max((at for at in begun if at is not None), default=None)


def _marks(connection: Connection) -> tuple[Any, ...]:
    """What moves with every point, blocked volume and occurrence."""
    found: list[Any] = []
    for table, column in (
        (snapshot_points, snapshot_points.c.changed_at),
        (snapshot_quota_blocks, snapshot_quota_blocks.c.at),
        (snapshot_occurrences, snapshot_occurrences.c.since),
    ):
        found.append(tuple(connection.execute(select(func.max(column), func.count()).select_from(table)).one()))
    return tuple(found)


def _noted(connection: Connection, now: datetime) -> _Noted:
    # By the driver itself: twenty thousand rows through the mapper would cost more than all the rest.
    own = connection.exec_driver_sql(
        "SELECT cloud, region, point_id, policy, taken_at FROM snapshot_points"
        f" WHERE state IN ({', '.join(repr(state) for state in _THERE)}) AND volume_id <> ''"
    )
    blocks = snapshot_quota_blocks.c
    blocked = select(blocks.cloud, blocks.region, blocks.volume_id, blocks.policy, func.max(blocks.at))
    blocked = blocked.where(blocks.at > now - BLOCKED).group_by(*blocked.selected_columns[:4])
    looked = select(snapshot_occurrences.c.cloud, snapshot_occurrences.c.region, snapshot_occurrences.c.policy,
                    snapshot_occurrences.c.since)  # fmt: skip
    return _Noted(
        {(cloud, region, id): (policy, at) for cloud, region, id, policy, at in own.fetchall()},
        {(row[0], row[1], row[2], row[3]): row[4] for row in connection.execute(blocked)},
        {(row[0], row[1], row[2]): row[3] for row in connection.execute(looked)},
        _times(connection, snapshot_policies.c.name, snapshot_policies.c.since),
        _times(connection, snapshot_policy_sets.c.id, snapshot_policy_sets.c.updated_at),
        _times(connection, snapshot_assignments.c.id, snapshot_assignments.c.updated_at),
    )


def _times(connection: Connection, name: Any, at: Any) -> dict[str, datetime]:
    return {str(row[0]): row[1] for row in connection.execute(select(name, at))}
