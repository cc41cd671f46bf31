"""Collections as people see them: one at a time per cloud, watched, cancelled, shared by several accounts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.access.models import ENGINE, Caller
from engine.clouds.errors import CloudError
from engine.inventory.collect import KEPT
from engine.inventory.schedule import Schedule
from store.types import registry
from tests.engine.inventory.collecting import SETTINGS, Bench, bench


def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Wait for a condition; answers what it answered."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError("it did not happen")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("service"), servers=20) as one:
        yield one


@pytest.fixture
def cloud(made: Bench) -> Iterator[Bench]:
    yield made
    made.repair()
    for name in made.collections.busy():
        running = next(one for one in made.collections.list() if one["cloud"] == name)
        made.collections.cancel(ENGINE, running["id"])
        made.collections.wait(running["id"], 10)


def test_every_type_of_a_collection_is_read_and_every_resource_once(cloud: Bench) -> None:
    ended = cloud.collect()
    expected = {name for name, type in registry.ALL.items() if not type.listing.on_demand}
    assert ended["state"] == "done" and set(ended["types"]) == expected
    counts = cloud.demo.call("GET", "/state")["counts"]
    for type, count in (("server", "servers"), ("volume", "volumes"), ("port", "ports"), ("user", "users")):
        assert len(cloud.current(type)) == counts[count] == ended["types"][type]["rows"]


def test_an_unchanged_cloud_writes_nothing(cloud: Bench) -> None:
    cloud.collect()
    before = cloud.everything()
    again = cloud.collect()
    assert cloud.everything() == before
    assert all(not row["new"] and not row["changed"] and not row["gone"] for row in again["types"].values())


def test_a_hang_ends_with_the_time_out_and_others_go_on(cloud: Bench) -> None:
    cloud.collect(["port", "server"])
    before = cloud.everything()
    cloud.fault("hang", service="network", path="/ports")
    (started,) = cloud.collections.start(ENGINE, ["demo"], ["port", "server"], True)
    until(lambda: _row(cloud, started["id"], "server").get("state") == "done")
    ended = cloud.collections.wait(started["id"], 20)
    row = next(row for row in ended["types"] if row["type"] == "port")
    assert row["state"] == "failed" and "did not answer in time" in row["error"]
    assert cloud.everything() == before


def test_a_collection_that_hangs_is_cancelled_at_once(cloud: Bench) -> None:
    before = cloud.everything()
    cloud.fault("hang", service="compute", path="/servers/detail")
    (started,) = cloud.collections.start(ENGINE, ["demo"], ["server"], True)
    until(lambda: _row(cloud, started["id"], "server").get("state") == "running")
    began = time.monotonic()
    cloud.collections.cancel(ENGINE, started["id"])
    ended = cloud.collections.wait(started["id"], 10)
    assert ended["state"] == "cancelled" and time.monotonic() - began < 4
    assert cloud.everything() == before


def test_one_at_a_time_and_what_waits_is_put_together(cloud: Bench) -> None:
    cloud.fault("slow", service="compute", path="/servers/detail", seconds=0.5)
    (first,) = cloud.collections.start(ENGINE, ["demo"], ["server"], True)
    (same,) = cloud.collections.start(ENGINE, ["demo"], ["server"])
    assert same["id"] == first["id"]
    (waits,) = cloud.collections.start(ENGINE, ["demo"], ["volume"])
    (also,) = cloud.collections.start(ENGINE, ["demo"], ["flavor"], True)
    assert waits["id"] == also["id"] != first["id"] and waits["state"] == "queued"
    assert cloud.collections.busy() == ("demo",)
    ended = cloud.collections.wait(waits["id"], 30)
    assert ended["state"] == "done" and ended["full"]
    assert {row["type"] for row in ended["types"]} == {"volume", "flavor"}
    assert ended["started_at"] >= cloud.collections.get(first["id"])["ended_at"]


def test_one_that_waits_is_cancelled_before_it_begins(cloud: Bench) -> None:
    cloud.fault("slow", service="compute", path="/servers/detail", seconds=0.5)
    (first,) = cloud.collections.start(ENGINE, ["demo"], ["server"], True)
    (waits,) = cloud.collections.start(ENGINE, ["demo"], ["volume"], True)
    assert cloud.collections.cancel(ENGINE, waits["id"])["state"] == "cancelled"
    assert cloud.collections.wait(first["id"], 20)["state"] == "done"
    assert cloud.collections.get(waits["id"])["started_at"] is None


def test_progress_and_hints(cloud: Bench) -> None:
    seq = cloud.feed.seq
    cloud.fault("slow", service="network", path="/ports", seconds=0.3)
    (started,) = cloud.collections.start(ENGINE, ["demo"], ["port"], True)
    until(lambda: _row(cloud, started["id"], "port").get("state") == "running")
    row = _row(cloud, started["id"], "port")
    assert row["total_known"] == len(cloud.current("port")) and row["region"] == "RegionOne"
    ended = cloud.collections.wait(started["id"], 20)
    assert ended["types"][0]["rows"] == row["total_known"] and ended["types"][0]["rate"] > 0
    assert cloud.feed.seq > seq


def test_unknown_names(cloud: Bench) -> None:
    with pytest.raises(CloudError, match="no cloud 'nowhere'"):
        cloud.collections.start(ENGINE, ["nowhere"])
    with pytest.raises(KeyError, match="no resource type"):
        cloud.collections.start(ENGINE, ["demo"], ["sever"])
    with pytest.raises(KeyError):
        cloud.collections.get("nothing")


def test_a_caller_limited_to_other_clouds_sees_and_starts_nothing(cloud: Bench) -> None:
    (started,) = cloud.collections.start(ENGINE, ["demo"], ["flavor"])
    other = Caller(name="o", clouds=("elsewhere",))
    assert cloud.collections.start(other) == [] and cloud.collections.list(other) == []
    with pytest.raises(KeyError):
        cloud.collections.get(started["id"], other)
    cloud.collections.wait(started["id"], 20)


def test_old_collections_are_forgotten(cloud: Bench) -> None:
    for _ in range(KEPT + 3):
        cloud.collect(["availability_zone"])
    assert len(cloud.collections.list()) <= KEPT + 1


def test_the_schedule_starts_what_is_due_and_only_that(cloud: Bench) -> None:
    schedule = Schedule(cloud.estate, cloud.clouds, cloud.collections, SETTINGS)
    cloud.collect()
    assert schedule.look() == ()
    assert schedule.next()["demo"]
    schedule.tidy()


def test_quotas_within_a_call_budget_take_turns(tmp_path: Path, cloud: Bench) -> None:
    with bench(tmp_path, demo=cloud.demo, per_project_calls=12) as small:
        ended = small.collect(["project", "quota"])
        assert ended["types"]["quota"]["state"] == "done"
        assert len(small.current("quota")) == 4
    with bench(tmp_path / "b", demo=cloud.demo) as whole:
        whole.collect(["project", "quota"])
        assert len(whole.current("quota")) == len(whole.current("project"))


def test_several_accounts_of_one_cloud_give_each_resource_once(tmp_path: Path, cloud: Bench) -> None:
    accounts = ("demo-member", "demo", "demo-reader")
    with bench(tmp_path, demo=cloud.demo, accounts=accounts) as several:
        (one,) = several.clouds.clouds()
        assert one["name"] == "demo-member" and len(one["accounts"]) == 3
        several.collect(cloud="demo-member")
        for type in ("server", "volume", "network", "image", "keypair"):
            ids = [id for id, _, _ in several.versions(type)]
            assert len(ids) == len(set(ids))
        assert len(several.current("server")) == len(cloud.current("server"))


def test_a_member_alone_sees_its_project_and_says_what_it_may_not(tmp_path: Path, cloud: Bench) -> None:
    with bench(tmp_path, demo=cloud.demo, accounts=("demo-member",)) as own:
        ended = own.collect(cloud="demo-member")
        assert ended["state"] == "done"
        assert ended["types"]["hypervisor"]["state"] == "not_permitted"
        assert ended["types"]["network_agent"]["state"] == "not_permitted"
        assert 0 < len(own.current("server")) < len(cloud.current("server"))
        assert len(own.current("project")) >= 1
        before = own.everything()
        assert own.collect(cloud="demo-member")["state"] == "done"
        assert own.everything() == before


def test_a_removed_cloud_is_not_written_to_any_more(tmp_path: Path, cloud: Bench) -> None:
    with bench(tmp_path, demo=cloud.demo) as short:
        short.fault("slow", service="compute", path="/servers/detail", seconds=0.5)
        (started,) = short.collections.start(ENGINE, ["demo"], ["server", "flavor"], True)
        until(lambda: _row(short, started["id"], "server").get("state") == "running")
        short.clouds.remove(ENGINE, "demo")
        assert short.collections.wait(started["id"], 10)["state"] == "cancelled"
        assert short.estate.states("demo") == [] and not any(short.everything().values())


def test_closing_ends_everything(tmp_path: Path, cloud: Bench) -> None:
    with bench(tmp_path, demo=cloud.demo) as short:
        short.fault("hang", service="compute")
        (started,) = short.collections.start(ENGINE, ["demo"])
        until(lambda: short.collections.get(started["id"])["state"] == "running")
        closing = threading.Thread(target=short.collections.close)
        closing.start()
        closing.join(timeout=10)
        assert not closing.is_alive()
        assert short.collections.get(started["id"])["state"] == "cancelled"


def _row(cloud: Bench, id: str, type: str) -> dict[str, Any]:
    return next((row for row in cloud.collections.get(id)["types"] if row["type"] == type), {})
