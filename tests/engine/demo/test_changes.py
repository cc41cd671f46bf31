"""Time: the clock, what happens while it runs, and that it happens the same way again."""

from __future__ import annotations

import pytest

from engine.demo.changes import WEIGHTS
from engine.demo.clock import Clock, nova_time, read_time
from tests.engine.demo.harness import EPOCH, Wire
from tests.engine.demo.test_build import LISTS, check_hosts, check_whole

DAY = 86400


def settled(wire: Wire) -> Wire:
    """Everything that was begun has ended."""
    wire.cloud.changes.set_pace(0)
    wire.advance(60)
    return wire


def test_a_month_goes_by_and_the_cloud_stays_whole() -> None:
    wire = Wire.new(300, still=False)
    # Busier than it is by itself, so that everything that can happen does.
    wire.cloud.changes.set_pace(24)
    wire.advance(30 * DAY)
    settled(wire)
    assert wire.cloud.changes.count >= 24 * 30 - 1
    check_whole(wire.cloud.state)
    check_hosts(wire.cloud.state)
    assert 200 < len(wire.cloud.state.servers) < 450
    done = {kind for _, kind, _ in wire.cloud.changes.log}
    assert done == set(WEIGHTS)
    times = [when for when, _, _ in wire.cloud.changes.log]
    assert times == sorted(times)
    assert EPOCH < times[0] < EPOCH + 2 * DAY and times[-1] > EPOCH + 29 * DAY


@pytest.mark.parametrize(("servers", "per_day"), [(20, 4), (200, 4), (1000, 20)])
def test_how_much_happens_in_a_day(servers: int, per_day: int) -> None:
    wire = Wire.new(servers, still=False)
    wire.advance(10 * DAY)
    assert wire.cloud.changes.count == 10 * per_day


def test_the_same_life_in_other_steps() -> None:
    one, other = Wire.new(80, still=False), Wire.new(80, still=False)
    one.advance(3 * DAY)
    for _ in range(9):
        other.advance(DAY / 3)
    for service, target in LISTS:
        assert settled(one)(service, target).response.body == settled(other)(service, target).response.body


def test_started_later_it_has_lived_meanwhile() -> None:
    """A cloud that is started again, with its epoch kept, is the same cloud."""
    one, again = Wire.new(80, still=False), Wire.new(80, still=False, start=EPOCH + 3 * DAY)
    one.advance(3 * DAY)
    assert again.cloud.changes.count == one.cloud.changes.count > 0
    for service, target in LISTS:
        assert settled(one)(service, target).response.body == settled(again)(service, target).response.body


def test_a_still_cloud_answers_the_same_tomorrow() -> None:
    wire = Wire.new(40)
    before = [wire(service, target).response.body for service, target in LISTS]
    wire.advance(DAY)
    assert [wire(service, target).response.body for service, target in LISTS] == before


def test_changes_since_tells_what_changed() -> None:
    wire = Wire.new(100, still=False)
    wire.advance(DAY)
    since = nova_time(wire.cloud.clock.now())
    before = {row["id"]: row for row in wire.rows("compute", "/v2.1/servers/detail?all_tenants=1", "servers")}
    wire.advance(4 * DAY)
    settled(wire)
    after = {row["id"]: row for row in wire.rows("compute", "/v2.1/servers/detail?all_tenants=1", "servers")}
    told = wire.rows("compute", f"/v2.1/servers/detail?all_tenants=1&changes-since={since}", "servers")
    gone = {row["id"] for row in told if row["status"] == "DELETED"}
    assert before.keys() - after.keys() == gone & before.keys()
    merged = {**before, **{row["id"]: row for row in told}}
    kept = {id: row for id, row in merged.items() if id not in gone}
    assert gone and kept.keys() == after.keys()
    # host_status and a volume's own times change without the server: Nova reports neither.
    for id, row in after.items():
        assert kept[id]["status"] == row["status"] and kept[id]["name"] == row["name"]


@pytest.mark.parametrize("kind", sorted(WEIGHTS))
def test_each_kind_on_demand(kind: str) -> None:
    wire = Wire.new(200)
    wire.cloud.changes.make(6, "fail" if kind == "recover" else "stop" if kind == "start" else "label")
    wire.advance(5)
    wire.cloud.changes.make(5, kind)
    wire.advance(10)
    check_whole(wire.cloud.state)
    check_hosts(wire.cloud.state)
    assert any(done == kind for _, done, _ in wire.cloud.changes.log)


def test_requests_for_nonsense_are_refused() -> None:
    wire = Wire.new(5)
    for count, kind in ((1, "explode"), (-1, None), (10**9, None)):
        with pytest.raises(ValueError, match=r"no change|between"):
            wire.cloud.changes.make(count, kind)
    with pytest.raises(ValueError, match="forward"):
        wire.cloud.clock.advance(-1)
    with pytest.raises(ValueError, match="between"):
        wire.cloud.changes.set_pace(-1)


def test_the_clock_keeps_the_order_of_what_is_due() -> None:
    wall = [0.0]
    clock = Clock(1000.0, wall=lambda: wall[0])
    seen: list[tuple[str, float]] = []
    clock.after(5, lambda due: seen.append(("b", due)))
    clock.after(
        2, lambda due: (seen.append(("a", due)), clock.after(1, lambda due: seen.append(("c", due)), since=due))
    )
    clock.run_due()
    assert seen == []
    wall[0] = 1.0
    clock.advance(9)
    clock.run_due()
    assert seen == [("a", 1002.0), ("c", 1003.0), ("b", 1005.0)]
    assert clock.now() == 1010.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:01:00Z", 60),
        ("1970-01-01T00:01:00", 60),
        ("1970-01-01T01:01:00+01:00", 60),
        ("1970-01-01T01:01:00 01:00", 60),
        ("1970-01-01", 0),
        ("yesterday", None),
        ("", None),
    ],
)
def test_times_are_read(text: str, seconds: int | None) -> None:
    assert read_time(text) == seconds


def test_a_seed_gives_the_cloud_that_the_recipe_says() -> None:
    """A demo that an older release made would lose its resources: raise RECIPE when this fails, and the text here."""
    import hashlib

    from engine.demo.launch import RECIPE

    wire = Wire.new(30, "1", still=False)
    wire.advance(10 * DAY)
    state = wire.cloud.state
    ids = [sorted(row.id for row in table) for table in (state.servers, state.volumes, state.ports, state.projects)]
    digest = hashlib.blake2b(repr(ids).encode(), digest_size=8).hexdigest()
    assert (RECIPE, digest) == (5, "6c84c001fe4a072f")


@pytest.mark.parametrize("seed", ["1", "2", "3"])
@pytest.mark.parametrize("servers", [50, 400])
def test_a_month_leaves_the_cloud_as_large_as_it_was(seed: str, servers: int) -> None:
    wire = Wire.new(servers, seed, still=False)
    wire.advance(30 * DAY)
    state = wire.cloud.state
    assert abs(len(state.servers) - servers) <= max(3, servers // 20)
    # Not because nothing happened: machines came and went.
    made = sum(kind == "create" for _, kind, _ in wire.cloud.changes.log)
    assert made > 4 and len(state.deleted_servers) > 4
