"""The snapshot tool that the cloud's people had before: every night it makes what the volumes' metadata ask for.

It works on the cloud's records and not by calls, as everything in the cloud's past does. It ends when somebody else
takes over (`until`): from then on nobody makes these snapshots unless a console does.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

from engine.demo.lifecycle import Lifecycle
from engine.demo.records import Backup, Snapshot, Volume
from engine.demo.state import State
from engine.demo.tenants import DAY

HOUR = 2  # of the night, UTC
KEEP = 7  # where nothing says how many
A_SECOND = 20  # snapshots that it asks for
MAKER = "p9_auto_snapshots"
BACKUPS = 8  # in one chain


class Automation:
    """One run a night from the epoch up to `until` (seconds), and on Sundays the backups."""

    def __init__(self, state: State, lifecycle: Lifecycle, until: float) -> None:
        self.state, self.lifecycle, self.until = state, lifecycle, until

    def start(self) -> None:
        """Begins at the epoch: what lies between it and now happens at the next settling."""
        first = self.state.epoch - self.state.epoch % DAY + HOUR * 3600
        self._plan(first if first > self.state.epoch else first + DAY)

    def _plan(self, night: float) -> None:
        if night > self.until:
            return

        def happen(due: float) -> None:
            self.run(int(due))
            self._plan(due + DAY)

        self.state.clock.after(0.0, happen, since=night)

    def run(self, night: int) -> None:
        """One night. What one policy of one volume is refused for want of quota is not made, and nothing of it goes."""
        state, maker, day = self.state, self.lifecycle.maker, datetime.fromtimestamp(night, UTC)
        state.dice.seed(f"{state.seed}/night/{night // DAY}")
        room = Room(state)
        count = 0
        for volume, policy, keep in sorted(self._due(day), key=lambda item: item[0].size):
            if not room.take(volume):
                continue
            own = self._own(volume, policy)
            server = state.servers.get(volume.attachments[0].server) if volume.attachments else None
            made = max(night + count // A_SECOND, volume.created + 600)
            maker.snapshot(self.lifecycle.nets[volume.project], server, volume, policy, made)
            count += 1
            for old in own[: max(0, len(own) + 1 - keep)]:
                if not self.lifecycle.cloned(old):
                    state.snapshots.remove(old.id)
                    room.give(volume)
        if day.weekday() == 6:
            self._back_up(night)

    def _due(self, day: datetime) -> Iterator[tuple[Volume, str, int]]:
        for volume in self.state.volumes:
            if volume.metadata and volume.status in ("available", "in-use") and volume.project in self.lifecycle.nets:
                for policy, keep in policies_of(volume).items():
                    if due_on(policy, day):
                        yield volume, policy, keep

    def _own(self, volume: Volume, policy: str) -> list[Snapshot]:
        """What it made of the volume by the policy, the oldest first."""
        rows = self.state.snapshots.having("volume", volume.id)
        own = [row for row in rows if row.metadata and row.metadata.get("policy") == policy]
        return sorted(own, key=lambda row: (row.created, row.id))

    def _back_up(self, night: int) -> None:
        """One more of every volume that has backups, on top of its last one."""
        state = self.state
        chains: dict[str, list[Backup]] = defaultdict(list)
        for backup in state.backups:
            chains[backup.volume].append(backup)
        for id, chain in chains.items():
            volume, last = state.volumes.get(id), chain[-1]
            if volume is not None and len(chain) < BACKUPS:
                more = {"incremental": True, "description": "weekly", "parent": last.id}
                state.backups.add(
                    Backup(
                        state.dice.uuid(), last.name, last.project, last.user, id, volume.size, "available",
                        night + 3600, night + 3840, **more,  # type: ignore[arg-type]
                    )
                )  # fmt: skip


def policies_of(volume: Volume) -> dict[str, int]:
    """{policy: how many are kept} that a volume's metadata ask for; none when they don't say yes."""
    metadata = volume.metadata or {}
    if metadata.get("auto_snapshot") not in ("true", "yes"):
        return {}
    names = metadata.get("snapshot_policies") or metadata.get("snapshot_policy") or ""
    all = metadata.get("retention", KEEP)
    return {name: int(metadata.get(f"retention_{name}", all)) for name in names.split(",") if name}


def due_on(policy: str, day: datetime) -> bool:
    """Weekly ones on Sundays, monthly ones on their day, all others every night."""
    if policy.startswith("weekly"):
        return day.weekday() == 6
    if policy.startswith("monthly"):
        return day.day == (15 if policy.endswith("15th") else 1)
    return True


def growth(state: State) -> dict[str, dict[str, int]]:
    """By project, as `volume_usage`: what the tool adds to what is there until each policy has all that it keeps."""
    added: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for volume in state.volumes:
        policies = policies_of(volume)
        have = state.snapshots.having("volume", volume.id) if policies else ()
        for policy, keep in policies.items():
            # One more for the moment between making and removing.
            more = keep + 1 - sum((row.metadata or {}).get("policy") == policy for row in have)
            for name, each in (("snapshots", 1), ("gigabytes", volume.size)):
                for full in (name, f"{name}_{volume.type}"):
                    added[volume.project][full] += max(0, more) * each
    return added


class Room:
    """How many snapshots and gigabytes each project may still have, of all types and of each."""

    def __init__(self, state: State) -> None:
        self._limits: dict[tuple[str, str], list[float]] = {}
        quotas = {project.id: project.volume_quota for project in state.projects}
        types = {id: volume.type for id, volume in state.volumes.rows.items()}
        for rows, counted in ((state.volumes, 0), (state.snapshots, 1)):
            for row in rows:
                type = row.type if isinstance(row, Volume) else types.get(row.volume, "")
                for left in self._left(quotas, row.project, type):
                    left[0] -= counted
                    left[1] -= row.size

    def _left(self, quotas: dict[str, dict[str, int]], project: str, type: str) -> list[list[float]]:
        found = []
        for kind in ("", type):
            left = self._limits.get((project, kind))
            if left is None:
                quota = quotas[project]
                names = [f"{name}_{kind}" if kind else name for name in ("snapshots", "gigabytes")]
                limits = [quota.get(name, -1) for name in names]
                left = self._limits[project, kind] = [limit if limit >= 0 else math.inf for limit in limits]
            found.append(left)
        return found

    def take(self, volume: Volume) -> bool:
        """Whether there is room for one snapshot of the volume, which is then taken."""
        left = [self._limits[volume.project, kind] for kind in ("", volume.type)]
        if any(count < 1 or size < volume.size for count, size in left):
            return False
        self._count(volume, 1)
        return True

    def give(self, volume: Volume) -> None:
        """One snapshot of the volume is gone."""
        self._count(volume, -1)

    def _count(self, volume: Volume, many: int) -> None:
        for kind in ("", volume.type):
            left = self._limits[volume.project, kind]
            left[0] -= many
            left[1] -= many * volume.size
