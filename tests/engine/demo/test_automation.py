"""The nights of the demo's past: what metadata ask for is made and kept, within quotas, until somebody takes over."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

import pytest

from engine.demo.automation import due_on, growth, policies_of
from engine.demo.records import Snapshot, Volume
from engine.demo.state import State
from tests.engine.demo.harness import EPOCH, Wire

DAY = 86400
MONTH = 30


def lived(servers: int = 60, seed: str = "test", days: float = MONTH, until: float = MONTH) -> Wire:
    wire = Wire.new(servers, seed, still=False, until=EPOCH + until * DAY)
    wire.advance(days * DAY)
    return wire


def by_policy(state: State) -> dict[tuple[str, str], list[Snapshot]]:
    found: dict[tuple[str, str], list[Snapshot]] = defaultdict(list)
    for row in state.snapshots:
        if row.metadata:
            found[row.volume, row.metadata["policy"]].append(row)
    return found


def named(state: State, ending: str) -> Volume:
    (found,) = (row for row in state.volumes if row.name.endswith(ending))
    return found


@pytest.mark.parametrize(
    ("metadata", "policies"),
    [
        (None, {}),
        ({"auto_snapshot": "no", "snapshot_policies": "daily_5"}, {}),
        ({"auto_snapshot": "true", "snapshot_policies": "daily_5", "retention_daily_5": "3"}, {"daily_5": 3}),
        ({"auto_snapshot": "true", "snapshot_policies": "daily_2,monthly_1st"}, {"daily_2": 7, "monthly_1st": 7}),
        ({"auto_snapshot": "yes", "snapshot_policy": "daily", "retention": "4"}, {"daily": 4}),
    ],
)
def test_what_metadata_ask_for(metadata: dict[str, str] | None, policies: dict[str, int]) -> None:
    volume = next(iter(Wire.new(5).cloud.state.volumes))
    volume.metadata = metadata
    assert policies_of(volume) == policies


@pytest.mark.parametrize(
    ("policy", "day", "due"),
    [
        ("daily_5", "2026-02-03", True),
        ("anything", "2026-02-03", True),
        ("weekly_4", "2026-02-03", False),
        ("weekly_4", "2026-02-08", True),
        ("monthly_1st", "2026-03-01", True),
        ("monthly_1st", "2026-03-15", False),
        ("monthly_15th", "2026-03-15", True),
    ],
)
def test_the_days_of_a_policy(policy: str, day: str, due: bool) -> None:
    assert due_on(policy, datetime.fromisoformat(day).replace(tzinfo=UTC)) is due


def test_a_month_leaves_what_the_policies_keep_and_what_people_made() -> None:
    state = lived(200).cloud.state
    made, last_night = by_policy(state), EPOCH + MONTH * DAY - DAY
    free = {row.id for row in state.projects if row.name != name_of_fifth(state)}
    whole = 0
    for volume in state.volumes:
        for policy, keep in policies_of(volume).items():
            rows = made[volume.id, policy]
            assert len(rows) <= keep + (volume.name.endswith("-ledger"))
            if policy.startswith("daily") and volume.project in free:
                whole += len(rows) >= keep and max(row.created for row in rows) > last_night
    daily = sum(policy.startswith("daily") for row in state.volumes for policy in policies_of(row))
    assert whole > daily * 0.7
    assert any(row.name.startswith("before-") for row in state.snapshots if not row.metadata)
    weekly = {row.created for (_, policy), rows in made.items() if policy == "weekly_4" for row in rows}
    assert {datetime.fromtimestamp(when, UTC).weekday() for when in weekly if when > EPOCH} == {6}
    chains = [row for row in state.backups if row.created > EPOCH]
    assert chains and all(row.incremental and row.parent in state.backups for row in chains)


def name_of_fifth(state: State) -> str:
    """The tenant that has no room for all of its snapshots."""
    tenants = [row for row in state.projects if row.name not in ("admin", "service") and row.enabled]
    return tenants[4].name


def test_a_full_quota_blocks_and_is_never_passed() -> None:
    state = lived(200).cloud.state
    fifth = next(row for row in state.projects if row.name == name_of_fifth(state))
    limit = fifth.volume_quota["snapshots"]
    used = sum(row.project == fifth.id for row in state.snapshots)
    assert 0 < used <= limit
    made = by_policy(state)
    stale = [
        volume.name
        for volume in state.volumes
        if volume.project == fifth.id
        for policy in policies_of(volume)
        if policy.startswith("daily") and all(row.created < EPOCH + 28 * DAY for row in made[volume.id, policy])
    ]
    assert stale


def test_a_snapshot_that_was_cloned_stays() -> None:
    wire = lived(60)
    state = wire.cloud.state
    ledger, copy = named(state, "-ledger"), named(state, "-ledger-copy")
    rows = sorted(by_policy(state)[ledger.id, "daily_3"], key=lambda row: row.created)
    id = rows[0].id
    assert id == copy.snapshot and len(rows) == 4

    def status() -> str | None:
        row = state.snapshots.get(id)
        return row.status if row else None

    # Cinder says yes, its driver says that it is busy, and it is there again.
    wire.cloud.lifecycle.delete_snapshot(rows[0], wire.cloud.clock.now())
    assert status() == "deleting"
    wire.advance(1)
    assert status() == "available"
    wire.cloud.lifecycle.delete_volume(copy, wire.cloud.clock.now())
    wire.advance(1)
    wire.cloud.lifecycle.delete_snapshot(rows[0], wire.cloud.clock.now())
    wire.advance(1)
    assert status() is None


def test_it_ends_when_somebody_takes_over() -> None:
    taken = EPOCH + 10 * DAY
    state = lived(60, days=20, until=10).cloud.state
    times = [row.created for rows in by_policy(state).values() for row in rows]
    assert taken - DAY < max(times) < taken + 3600
    still = Wire.new(60)
    still.advance(3 * DAY)
    assert all(row.created < EPOCH + DAY for row in still.cloud.state.snapshots)


def test_the_past_is_what_the_present_remembers() -> None:
    """A cloud that stands ten days ago has the snapshots that the one of today had then."""
    then, now = lived(80, days=10), lived(80, days=20)
    known = {row.id: (row.name, row.created) for row in then.cloud.state.snapshots}
    later = {row.id: (row.name, row.created) for row in now.cloud.state.snapshots}
    both = known.keys() & later.keys()
    assert both and all(known[id] == later[id] for id in both)
    new = {row.created for row in now.cloud.state.snapshots if row.id not in known}
    assert min(new) >= EPOCH + 9 * DAY


def test_growth_is_what_is_missing_up_to_what_is_kept() -> None:
    state = Wire.new(60).cloud.state
    expected: dict[str, int] = defaultdict(int)
    made = by_policy(state)
    for volume in state.volumes:
        for policy, keep in policies_of(volume).items():
            expected[volume.project] += max(0, keep + 1 - len(made[volume.id, policy]))
    added = growth(state)
    assert {project: added[project]["snapshots"] for project in expected} == dict(expected)


def test_quota_shows_limits_of_a_type() -> None:
    wire = Wire.new(60)
    state = wire.cloud.state
    project = next(row for row in state.projects if "snapshots_premium" in row.volume_quota)
    answered = wire("volume", f"/os-quota-sets/{project.id}?usage=true").json["quota_set"]
    assert answered["snapshots_premium"]["limit"] == project.volume_quota["snapshots_premium"]
    assert answered["snapshots_archive"]["limit"] == -1
    used = sum(state.volumes.rows[row.volume].type == "premium" for row in state.snapshots if row.project == project.id)
    assert answered["snapshots_premium"]["in_use"] == used
