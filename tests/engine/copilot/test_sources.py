"""What a question may read, beside the lists: estate, quota, find, changes, capacity; within the asker's rights."""

from datetime import timedelta
from typing import Any

import pytest

from copilot.sources import NotAllowed, NotAvailable
from copilot.sources import Sources as Wanted
from engine.access.models import Caller
from engine.api.errors import Unavailable
from engine.copilot.sources import CallerSources
from store import times
from store.types import registry
from tests.engine.api.furniture import ADMIN
from tests.engine.copilot.house import LABS, OTHER_CLOUD, VIEWER, WEB_1, WEB_2, House

NOBODY = Caller("nobody", 1, role="none")  # type: ignore[arg-type]
ACME, LABS_DEV = ("prod", "", "p1"), ("prod", "", "p2")
Key = tuple[str, str, str]
AN_HOUR = timedelta(hours=1)


def key(id: str) -> Key:
    return ("prod", "RegionOne", id)


def test_it_is_what_the_copilot_wants(full: House) -> None:
    sources: Wanted = full.sources()
    assert sources.version() == full.parts.estate.data_version()
    assert sources.version("server") == full.parts.estate.data_version("server")
    assert sources.read(lambda connection: connection.execute("SELECT 1").fetchall()) == [(1,)]


def test_the_scope_is_the_role_and_the_choice(full: House) -> None:
    scope = full.sources(LABS, "prod").scope
    assert (scope.projects, scope.in_clouds, scope.clouds) == (("p2",), ("prod",), None)


def test_rights_by_type(full: House) -> None:
    assert all(full.sources(ADMIN).may(name) for name in registry.ALL)
    assert not any(full.sources(NOBODY).may(name) for name in registry.ALL)
    assert not full.sources(Caller("t", 2, role="technical")).may("keypair")
    assert full.sources(VIEWER).may("keypair") and not full.sources().may("nonsense")


@pytest.mark.parametrize(
    ("types", "known"),
    [(["server"], True), (["server", "volume"], True), (["drift_event"], True), (["cluster"], False), ([], False),
     (["server", "backup"], False), (["job"], False)],
)  # fmt: skip
def test_data_at(full: House, types: list[str], known: bool) -> None:
    found = full.sources().data_at(types)
    assert (found is not None) == known
    if found is not None:
        assert timedelta(0) < times.utcnow() - found < timedelta(hours=3)


def test_data_is_as_old_as_its_oldest_listing(full: House) -> None:
    newest, older = full.sources().data_at(["server"]), full.sources().data_at(["server", "volume"])
    assert newest is not None and older is not None and older < newest
    assert full.sources(OTHER_CLOUD).data_at(["server"]) is None


def quotas(full: House, monkeypatch: pytest.MonkeyPatch, *answers: dict[str, Any]) -> None:
    entry = {"limit": 10, "in_use": 3, "reserved": 1}
    whole = {
        "compute": {"cores": entry, "ram_mb": entry},
        "storage": {"gigabytes": {"limit": -1, "in_use": 7, "reserved": 0}},
    }
    told = iter([{**whole, **one} for one in answers])
    rooms = full.parts.copilot.rooms
    monkeypatch.setattr(type(rooms.quota), "read", lambda self, cloud, region, project, *, now: next(told))


def test_quota(full: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ssd = {"ssd": {"gigabytes": {"limit": 5, "in_use": 0, "reserved": 0}}}
    quotas(full, monkeypatch, {"available": True, "storage_types": ssd})
    found = full.sources(LABS).quota(LABS_DEV)
    named = {(one["service"], one["resource"]): (one["limit"], one["used"], one["region"]) for one in found["items"]}
    assert named == {("compute", "cores"): (10, 3, "RegionOne"), ("compute", "ram"): (10, 3, "RegionOne"),
                     ("storage", "gigabytes"): (-1, 7, "RegionOne"),
                     ("storage", "gigabytes of ssd"): (5, 0, "RegionOne")}  # fmt: skip
    assert found["problems"] == []


def test_quota_that_cannot_be_read(full: House, monkeypatch: pytest.MonkeyPatch) -> None:
    quotas(full, monkeypatch, {"available": False, "reason": "prod did not answer"})
    with pytest.raises(NotAvailable, match="RegionOne: prod did not answer"):
        full.sources().quota(ACME)


def test_the_quota_of_another_tenant_is_not_told(full: House) -> None:
    for caller, project in ((LABS, ACME), (OTHER_CLOUD, ACME), (ADMIN, ("prod", "", "p9"))):
        with pytest.raises(NotAllowed, match="no such project"):
            full.sources(caller).quota(project)


def test_find(full: House) -> None:
    assert {item["name"] for item in full.sources().find("web-")["items"]} >= {"web-1", "web-2"}
    mine = [item["name"] for item in full.sources(LABS).find("web-")["items"] if item["type"] == "server"]
    assert set(mine) == {"web-1", "web-3"}
    with pytest.raises(NotAvailable, match="say what to find"):
        full.sources().find("  ")
    with pytest.raises(NotAllowed):
        full.sources(NOBODY).find("web-")


def names(found: list[dict[str, Any]]) -> set[str]:
    return {one["name"] for one in found}


def test_changes(full: House) -> None:
    now = times.utcnow()
    found = full.sources().changes(now - timedelta(hours=1), None, None)
    assert names(found) == {"web-1", "web-2", "web-3"}
    assert {one["kind"] for one in found} == {"changed"} and all(one["at"].tzinfo for one in found)
    assert all("status" in one["what"].lower() for one in found)
    assert [one["at"] for one in found] == sorted((one["at"] for one in found), reverse=True)
    assert names(full.sources(LABS).changes(now - timedelta(hours=1), None, None)) == {"web-1", "web-3"}


def test_changes_end_where_the_period_does(full: House) -> None:
    at = full.sources().changes(times.utcnow() - timedelta(hours=1), None, None)[0]["at"]
    tick = timedelta(microseconds=1)
    sources = full.sources()
    assert len(sources.changes(at, at + tick, None)) == 3
    assert sources.changes(at + tick, None, None) == [] and sources.changes(at - AN_HOUR, at, None) == []
    one = ("server", key(WEB_1))
    assert len(sources.changes(at, at + tick, one)) == 1
    assert sources.changes(at + tick, None, one) == [] and sources.changes(at - AN_HOUR, at, one) == []


def test_changes_of_another_part_are_not_told(full: House) -> None:
    since = times.utcnow() - AN_HOUR
    assert names(full.sources(LABS).changes(since, None, ("server", key(WEB_1)))) == {"web-1"}
    with pytest.raises(NotAvailable, match="there is no server"):
        full.sources(LABS).changes(since, None, ("server", key(WEB_2)))


def test_capacity(full: House) -> None:
    (one,) = full.sources().capacity()
    assert one == {"cloud": "prod", "vcpus": 64, "vcpus_used": 8, "ram_mb": 262144, "ram_mb_used": 9000,
                   "disk_gb": 8000, "disk_gb_used": 45}  # fmt: skip
    assert full.sources(OTHER_CLOUD).capacity() == []
    with pytest.raises(NotAllowed, match="hypervisors"):
        full.sources(NOBODY).capacity()


def test_failures_are_sentences(full: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: Any) -> Any:
        raise Unavailable("the engine is stopping: ask again when it runs")

    monkeypatch.setattr(full.parts.copilot.rooms.reads, "read", fail)
    sources: CallerSources = full.sources()
    for call in (lambda: sources.read(lambda c: 1), lambda: sources.rows("drift_event"), sources.capacity):
        with pytest.raises(NotAvailable, match="engine is stopping"):
            call()
