"""What holds after any sequence of runs, faults, deaths of the engine, and things that people do meanwhile.

Retention is exact for our own points, nothing of others goes, nothing is made twice for one occurrence, and no point is
missing that could have been made.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from engine.access.models import ENGINE
from engine.snapshots.models import POLICY
from engine.snapshots.policies import kept, schedule
from store.ops.snapshot_run_tables import snapshot_points as points
from tests.engine.snapshots.runs.simulated import CLOUD, REGION, World

POLICIES = {"daily": "0 2 * * *", "weekly": "0 3 * * 0", "often": "0 */6 * * *"}
PROJECTS = ("p1", "p2")
FAULTS = st.lists(st.sampled_from(["500", "lost", "unsent", ""]), min_size=1, max_size=4)


class Snapshots(RuleBasedStateMachine):
    """A cloud, its people, and an engine that may die at any commit and any call."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="qdeck-runs-")
        self.world = World(Path(self.folder.name))
        self.foreign: set[str] = set()
        self.gone_by_others: set[str] = set()
        self.since: dict[tuple[str, str], datetime] = {}  # when a volume got a policy
        self.excluded_at: dict[str, datetime] = {}  # the newest time at which a volume was, or became, excluded or not
        self.healed: datetime | None = None
        self.wrong: list[str] = []  # removals that may not be; an error there would only be a failed step
        self.world.cloud.on_remove = self.removed

    def teardown(self) -> None:
        self.heal_and_judge()
        self.world.close()
        self.folder.cleanup()

    @initialize(keeps=st.tuples(*[st.integers(1, 3)] * 3), volumes=st.integers(1, 3))
    def begin(self, keeps: tuple[int, int, int], volumes: int) -> None:
        for (name, cron), keep in zip(POLICIES.items(), keeps, strict=True):
            self.world.policy(name, cron, keep)
        for number in range(volumes):
            self.new_volume(number + 1, PROJECTS[number % 2], ["daily"])
        self.world.settle()

    # What the engine does, checked at the moment it does it

    def removed(self, document: dict[str, Any]) -> None:
        """It removes a snapshot: it must be ours, and enough newer ones of ours must be there."""
        world, id = self.world, document["id"]
        if id in self.foreign or id not in {one["id"] for one in world.cloud.made}:
            self.wrong.append(f"{id} was somebody else's")
            return
        volume, policy = document["volume_id"], document["metadata"][POLICY]
        order = [one["id"] for one in world.cloud.made]
        newer = [
            one for one in world.cloud.snapshots.values()
            if one["id"] in order and one["volume_id"] == volume and one["metadata"].get(POLICY) == policy
            and order.index(one["id"]) > order.index(id)
        ]  # fmt: skip
        keep = world.wanted.held[volume][policy]
        if len(newer) < keep:
            self.wrong.append(f"{id} was within the {keep} that are kept")

    # What happens

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.world.pass_time(timedelta(hours=hours))

    @rule(crash_in=st.integers(0, 80), hours=st.integers(1, 26))
    def the_engine_dies(self, crash_in: int, hours: int) -> None:
        self.world.faults.crash_in = crash_in
        self.world.pass_time(timedelta(hours=hours))
        self.world.faults.crash_in = None

    @rule(refused=FAULTS, hours=st.integers(1, 26))
    def the_cloud_fails(self, refused: list[str], hours: int) -> None:
        self.world.faults.refuse += refused
        self.world.pass_time(timedelta(hours=hours))
        self.world.faults.refuse.clear()

    @rule(times=st.integers(1, 2))
    def lists_break_off(self, times: int) -> None:
        self.world.listing_fails = times

    @rule()
    def somebody_asks_for_a_run(self) -> None:
        self.world.runs.start(ENGINE, CLOUD)
        self.world.now += timedelta(seconds=1)
        self.world.settle()

    @rule(size=st.integers(1, 4), project=st.sampled_from(PROJECTS),
          policies=st.lists(st.sampled_from(sorted(POLICIES)), max_size=2, unique=True))  # fmt: skip
    def new_volume(self, size: int, project: str, policies: list[str]) -> None:
        id = self.world.cloud.add_volume(size, project)
        for policy in policies:
            self.hold(id, policy)

    def hold(self, volume: str, policy: str, keep: int | None = None) -> None:
        if policy not in self.world.wanted.held.get(volume, {}):
            self.since[volume, policy] = self.world.now
        self.world.hold(volume, policy, keep)

    def some_volume(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.world.cloud.volumes)))

    def has_volumes(self) -> bool:
        return bool(self.world.cloud.volumes)

    @precondition(has_volumes)
    @rule(data=st.data(), kind=st.sampled_from(["plain", "forged", "copied"]), policy=st.sampled_from(sorted(POLICIES)))
    def a_person_takes_a_snapshot(self, data: st.DataObject, kind: str, policy: str) -> None:
        volume = self.some_volume(data)
        if kind == "plain":
            made = self.world.cloud.add_snapshot(volume, {})
        else:
            own = self.world.own(volume, policy)
            made = self.world.forge(volume, policy, own[0]["token"] if own and kind == "copied" else "")
        self.foreign.add(made["id"])

    @precondition(has_volumes)
    @rule(data=st.data())
    def somebody_deletes_a_volume_with_all_it_has(self, data: st.DataObject) -> None:
        volume = self.some_volume(data)
        del self.world.cloud.volumes[volume]
        snapshots = self.world.cloud.snapshots
        for id in [id for id, one in snapshots.items() if one["volume_id"] == volume]:
            del snapshots[id]

    def has_snapshots(self) -> bool:
        return bool(self.world.cloud.snapshots)

    @precondition(has_snapshots)
    @rule(data=st.data())
    def somebody_deletes_a_snapshot(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(sorted(self.world.cloud.snapshots)))
        del self.world.cloud.snapshots[id]
        self.gone_by_others.add(id)

    @precondition(has_snapshots)
    @rule(data=st.data())
    def somebody_clones_a_snapshot(self, data: st.DataObject) -> None:
        self.world.cloud.cloned.add(data.draw(st.sampled_from(sorted(self.world.cloud.snapshots))))

    @precondition(has_volumes)
    @rule(data=st.data(), policy=st.sampled_from(sorted(POLICIES)), keep=st.integers(0, 4))
    def a_decision_changes(self, data: st.DataObject, policy: str, keep: int) -> None:
        """keep 0: the volume no longer has the policy."""
        volume = self.some_volume(data)
        if keep:
            self.hold(volume, policy, keep)
        else:
            self.world.wanted.held.get(volume, {}).pop(policy, None)

    @precondition(has_volumes)
    @rule(data=st.data())
    def an_exclusion_comes_or_goes(self, data: st.DataObject) -> None:
        volume = self.some_volume(data)
        self.world.wanted.excluded ^= {volume}
        self.excluded_at[volume] = self.world.now

    @precondition(has_volumes)
    @rule(data=st.data(), status=st.sampled_from(["error", "available"]))
    def a_volume_changes(self, data: st.DataObject, status: str) -> None:
        self.world.cloud.volumes[self.some_volume(data)]["status"] = status

    @rule(project=st.sampled_from(PROJECTS), name=st.sampled_from(["snapshots", "gigabytes"]),
          limit=st.one_of(st.just(-1), st.integers(0, 12)))  # fmt: skip
    def quota_changes(self, project: str, name: str, limit: int) -> None:
        self.world.cloud.limits[f"{project}/{name}"] = limit

    # What holds

    @invariant()
    def nothing_of_others_is_gone(self) -> None:
        assert not self.wrong
        assert not self.foreign & {one["id"] for one in self.world.cloud.removed}

    @invariant()
    def nothing_is_made_twice_for_one_occurrence(self) -> None:
        with self.world.real.read() as connection:
            rows = connection.execute(select(points.c.token, points.c.volume_id, points.c.policy, points.c.occurrence))
            occurrences = {row.token: (row.volume_id, row.policy, row.occurrence) for row in rows}
        made = Counter(occurrences.get(one["token"], one["token"]) for one in self.world.cloud.made)
        assert all(count == 1 for count in made.values()), made
        # Whatever the engine made is in the register.
        assert {one["token"] for one in self.world.cloud.made} <= set(occurrences)

    def heal_and_judge(self) -> None:
        """Everything that was wrong is put right; seven hours later every promise must be kept."""
        world = self.world
        world.faults.crash_in, world.listing_fails = None, 0
        world.faults.refuse.clear()
        world.cloud.limits.clear()
        world.cloud.cloned.clear()
        for volume in world.wanted.excluded:
            self.excluded_at[volume] = world.now
        world.wanted.excluded.clear()
        for document in world.cloud.volumes.values():
            document["status"] = "available"
        self.healed = world.now
        assert not self.wrong
        world.pass_time(timedelta(hours=1), 7)  # as long as the longest pause between two attempts
        assert not self.wrong
        for volume in world.cloud.volumes:
            for policy, keep in world.wanted.held.get(volume, {}).items():
                self.judge(volume, policy, keep)

    def judge(self, volume: str, policy: str, keep: int) -> None:
        world = self.world
        at = schedule.occurrence(world.wanted.policies[policy], world.now)
        assert at is not None and self.healed is not None
        with world.real.read() as connection:
            looked_for, _ = kept.handled(connection, CLOUD, REGION)[policy]
        rows = world.register.rows(CLOUD, REGION, [volume], policy, ("made", "deleting", "deleted", "lost"))
        excluded = self.excluded_at.get(volume)
        if at >= looked_for and at >= self.since[volume, policy] and (excluded is None or excluded < at):
            assert any(row["occurrence"] >= at for row in rows), f"{volume} has no point of {policy} at {at}"
        alive = world.own(volume, policy)
        if any(row["taken_at"] > self.healed for row in rows):
            assert len(alive) <= keep, f"{len(alive)} of {volume} {policy}, {keep} are kept"
        ours = [one["id"] for one in world.cloud.made if (one["volume_id"], one["policy"]) == (volume, policy)]
        if ours and ours[-1] not in self.gone_by_others:
            assert ours[-1] in world.cloud.snapshots, "the newest of all was removed"
        assert {row["point_id"] for row in alive} == set(ours) & set(world.cloud.snapshots), (
            "not all are in the register"
        )


Snapshots.TestCase.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestSnapshots = Snapshots.TestCase
