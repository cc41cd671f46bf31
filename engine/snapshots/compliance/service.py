"""Compliance with snapshot policies: the one formula behind the list, the dashboard, tenant health and problems.

Blocks; safe on any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from engine.snapshots.compliance import rules
from engine.snapshots.compliance.facts import Facts, Gathering, Policies, Promise
from engine.snapshots.compliance.rules import Group
from engine.snapshots.models import SLA_DAYS, ComplianceStatus, Policy, Volume
from engine.snapshots.policies import schedule
from store.estate.reading import capacity_protection
from store.estate.reading.models import Scope

if TYPE_CHECKING:
    from engine.inventory.reads import InventoryReads
    from store.ops.ops import Ops

Item = dict[str, Any]
# How far a promise is from being kept: "late" within twice its window, "lost" beyond that or without any point.
Level = Literal["ok", "late", "lost", "pending", "excluded"]
_WORST: tuple[Level, ...] = ("lost", "late", "pending", "ok", "excluded")
NO_POLICY = "no policy: no set, assignment or volume metadata asks for snapshots"
MADE = timedelta(hours=1)  # that a run has to make what was due, besides its jitter


@dataclass(frozen=True, slots=True)
class Row:
    """One policy on one volume, judged; an excluded volume has one row with policy ""."""

    promise: Promise
    status: ComplianceStatus
    window: timedelta
    level: Level

    @property
    def volume(self) -> Volume:
        """What it is about."""
        return self.promise.volume


@dataclass(frozen=True, slots=True)
class _Clock:
    """A policy at one time: its own window, and the newest occurrence that a run had the time to make."""

    window: timedelta
    occurrence: datetime | None


class ComplianceService:
    """See the module."""

    def __init__(self, ops: Ops, reads: InventoryReads, policies: Policies, clock: Callable[[], datetime]) -> None:
        self._reads, self._policies, self._clock = reads, policies, clock
        self._gathering = Gathering(ops, reads, policies, clock)

    @property
    def now(self) -> datetime:
        """The time by which everything is judged."""
        return self._clock()

    def version(self) -> Hashable:
        """Moves when an answer would be another one for a reason other than the time."""
        return self._gathering.version()

    def known(self) -> bool:
        """Whether volumes and snapshots have been listed whole: before that nothing can be judged."""
        types = ("volume", "snapshot")
        first = self._reads.read(lambda connection: capacity_protection.first_known(connection, Scope(), types))
        return first is not None

    # --- rows ---

    def rows(self, scope: Scope, days: int | None = None) -> list[Row]:
        """Every promise within the scope, judged now by its policy's own window, or by so many `days`; in the order in
        which they have to be looked at."""
        found = [row for row in self._judged(self._gathering.facts(), days) if inside(scope, row.volume)]
        found.sort(key=_order)
        return found

    def ungoverned(self, scope: Scope) -> list[Promise]:
        """Volumes that no policy takes and nobody excluded, as promises of nothing."""
        return [promise for promise in self._gathering.facts().ungoverned if inside(scope, promise.volume)]

    def _judged(self, facts: Facts, days: int | None) -> list[Row]:
        now = self._clock()
        clocks: dict[str, _Clock] = {}
        given = None if days is None else timedelta(days=days)
        found = []
        for promise in facts.promises:
            if not promise.policy:
                found.append(Row(promise, "excluded", timedelta(), "excluded"))
                continue
            clock = clocks.get(promise.policy)
            if clock is None:
                clock = clocks[promise.policy] = _clock_of(self._policies.policy(promise.policy), now)
            window = given or max(clock.window, sla(promise.volume.metadata))
            due = rules.was_due(promise.since, clock.occurrence)
            status = rules.judge(now, window, promise.newest, promise.blocked_at, due=due)
            found.append(Row(promise, status, window, level(now, status, window, promise.newest)))
        return found

    # --- sums ---

    def summary(self, scope: Scope, days: int | None = None) -> Group:
        """All rows and volumes of the scope, counted."""
        return sums(self.rows(scope, days), lambda row: "").get("", Group())

    def by_tenant(self, scope: Scope, days: int | None = None) -> dict[tuple[str, str], Group]:
        """Counts by (cloud, project id)."""
        return sums(self.rows(scope, days), tenant_of)

    def failed_runs(self, scope: Scope) -> int:
        """Runs of the last day that failed wholly or in part, in the clouds and regions of the scope."""
        return self._gathering.failed_runs(scope)

    # --- coverage ---

    def coverage(self, scope: Scope) -> list[Item]:
        """Every volume with what it can be restored from, worst first: `coverage` (both, backup, snapshots, nothing),
        `risk` (all: nothing is left; back end: nothing is left when its storage is lost) and `risk_score` (1 to 10)."""
        now = self._clock()
        rows = self._reads.read(lambda connection: capacity_protection.copies(connection, scope, now))
        for row in rows:
            row["coverage"] = rules.coverage(row["snapshot_count"], row["backup_count"])
            row["risk"] = rules.RISK[row["coverage"]]
        rank = {"all": 0, "back end": 1, "none": 2}
        rows.sort(key=lambda row: (rank[row["risk"]], -row["risk_score"], row["volume_name"] or "", row["volume_id"]))
        return rows


def _clock_of(policy: Policy, now: datetime) -> _Clock:
    ready = now - MADE - timedelta(minutes=policy.jitter_minutes)
    return _Clock(schedule.window(policy, now), schedule.occurrence(policy, ready) if policy.enabled else None)


def sla(metadata: Mapping[str, str]) -> timedelta:
    """The days that a volume's owner allows (`sla_days`), which may widen a window; 0 for none, or nonsense."""
    text = metadata.get(SLA_DAYS, "").strip()
    # What has more digits would not fit into a timedelta.
    return timedelta(days=int(text)) if text.isdecimal() and len(text) <= 4 else timedelta()


def level(now: datetime, status: ComplianceStatus, window: timedelta, newest: datetime | None) -> Level:
    """How far a promise is from being kept."""
    if status in ("pending", "excluded"):
        return status
    if status == "compliant":
        return "ok"
    return "late" if newest is not None and now - newest <= 2 * window else "lost"


def inside(scope: Scope, volume: Volume) -> bool:
    """Whether the scope shows the volume, as store.estate.reading.limits says it in SQL."""
    return (
        (scope.clouds is None or volume.cloud in scope.clouds)
        and (scope.in_clouds is None or volume.cloud in scope.in_clouds)
        and (scope.in_regions is None or volume.region in scope.in_regions)
        and (scope.in_projects is None or volume.project_id in scope.in_projects)
        and (scope.projects is None or volume.project_id in scope.projects)
        and (scope.domains is None or volume.domain_id in scope.domains)
    )


def tenant_of(row: Row) -> tuple[str, str]:
    """(cloud, project id)."""
    return (row.volume.cloud, row.volume.project_id)


def domain_of(row: Row) -> tuple[str, str]:
    """(cloud, domain id)."""
    return (row.volume.cloud, row.volume.domain_id)


def policy_of(row: Row) -> str:
    """The policy's name; "" for what is excluded."""
    return row.promise.policy


def sums(rows: Iterable[Row], group: Callable[[Row], Any]) -> dict[Any, Group]:
    """Groups of rows."""
    return rules.grouped(rows, group, lambda row: row.volume.key, lambda row: row.status)


def of_volumes(rows: Iterable[Row]) -> dict[tuple[str, str, str], list[Row]]:
    """The rows of each volume, in the given order."""
    found: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        found.setdefault(row.volume.key, []).append(row)
    return found


def worst_level(rows: Sequence[Row]) -> Level:
    """The level of a volume by those of its policies."""
    return min((row.level for row in rows), key=_WORST.index)


def _order(row: Row) -> tuple[Any, ...]:
    volume = row.volume
    return (rules.RANK[row.status], volume.project_name.lower(), volume.name.lower(), *volume.key, row.promise.policy)
