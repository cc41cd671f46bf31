"""Asking who did it: budget, most severe first, once a server, what our own jobs did, and clouds that do not answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.access.models import Caller
from engine.clouds.errors import CloudError
from store import times
from store.ops.jobs_tables import job_steps, jobs
from tests.engine.drift.place import ADMIN, ALICE, OF_P2, Place, action, at, machines
from tests.engine.inventory.reading import server

ID = [server(number)["id"] for number in range(5)]


@pytest.fixture
def clocked(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """The audit writes at the test's time too."""
    monkeypatch.setattr(times, "utcnow", lambda: at(place.minutes))
    yield place


def who(place: Place, caller: Caller = ADMIN, **wanted: Any) -> dict[str, tuple[Any, ...]]:
    """field -> (grade, actor, source)."""
    return {one["field_changed"]: (one["grade"], one["actor"], one["source"]) for one in place.events(caller, **wanted)}


def test_each_server_is_asked_once(busy: Place) -> None:
    busy.nova.said = {ID[1]: [action("stop", 15)], ID[2]: [action("live-migration", 16, user_id="u1")]}
    assert busy.room.asker.work() == 3
    assert sorted(busy.nova.asked) == [ID[1], ID[2]]
    assert who(busy) == {
        "status": ("cloud", "ada", "nova: stop"),
        "hypervisor_hostname": ("cloud", "root", "nova: live-migration"),
        "name": ("unknown", None, None),
    }
    assert busy.room.asker.work() == 0 and len(busy.nova.asked) == 2
    assert busy.service.summary(ALICE)["not_asked"] == 0


def test_several_are_all_listed(busy: Place) -> None:
    busy.nova.said = {ID[1]: [action("stop", 18, user_id="u1"), action("start", 17), action("stop", 15)]}
    busy.room.asker.work()
    [event] = busy.events(field="status")
    assert (event["grade"], event["grade_words"], event["actor"]) == ("one_of", "one of", None)
    assert [(one["action"], one["actor"]) for one in event["candidates"]] == [("stop", "ada"), ("stop", "root")]
    assert event["candidates"][0]["at"] == times.text(at(15))


def test_a_service_is_no_person(place: Place) -> None:
    place.people()
    volume = {"id": "v1", "name": "data", "status": "in-use", "attachments": [{"server_id": ID[1]}],
              "os-vol-tenant-attr:tenant_id": "p2"}  # fmt: skip
    place.listed("volume", [{**volume, "size": 1}], 10)
    place.listed("volume", [{**volume, "size": 2}], 20)
    place.nova.said = {ID[1]: [action("extend_volume", 15, user_id="u1", project_id="p9")]}
    place.room.asker.work()
    assert who(place) == {"size": ("service", "root (a service of the cloud)", "nova: extend_volume")}


def test_the_budget_goes_to_the_most_severe(tmp_path: Path) -> None:
    place = Place(tmp_path, {"calls": 1})
    place.listed("server", machines(), 10)
    big = {"original_name": "big", "vcpus": 8, "ram": 8192, "disk": 20, "ephemeral": 0, "swap": 0}
    place.listed("server", machines({"status": "SHUTOFF"}, {"flavor": big}, {"name": "x"}), 20)
    assert place.room.asker.work() == 2, "the rename needs no call"
    assert place.nova.asked == [ID[2]]
    [left] = place.events(grades=("not_asked",))
    assert left["resource_id"] == ID[1] and left["grade_words"] == "not asked yet"
    assert place.room.asker.work() == 0, "nothing is left of the budget"
    place.nova.said = {ID[1]: [action("stop", 15)]}
    assert place.service.event(ALICE, left["id"], ask=False)["grade"] is None
    detail = place.service.event(ALICE, left["id"])
    assert (detail["grade"], detail["source"]) == ("cloud", "nova: stop"), "who opens it is told"
    place.close()


def test_a_cloud_that_does_not_answer(busy: Place) -> None:
    busy.nova.broken = CloudError("unreachable", "prod does not answer")
    assert busy.room.asker.work() == 1, "only what needs no call"
    assert len(busy.nova.asked) == 1, "it is not asked again before the next interval"
    [event] = busy.events(field="status")
    detail = busy.service.event(ALICE, event["id"])
    assert detail["grade"] is None and "prod does not answer" in detail["problem"]
    busy.nova.broken = None
    assert busy.service.event(ALICE, event["id"])["grade"] == "unknown"


def test_records_that_were_archived(busy: Place) -> None:
    busy.nova.broken = CloudError("not_found", "gone")
    busy.room.asker.work()
    assert {grade for grade, _, _ in who(busy).values()} == {"unknown"}


def job(place: Place, number: int, created: str | None = None, action: str = "server.stop") -> str:
    """A job of alice's with one step that has ended now."""
    id, now = f"job-{number}", at(place.minutes)
    values: dict[str, Any] = {
        "id": id, "number": number, "kind": "actions", "title": "x", "state": "done", "plan_version": 1,
        "plan": {"action": action}, "options": {}, "caller": {}, "by": "alice", "owner": "uid:1001", "reason": "",
        "ticket": "", "created_at": now, "total": 1, "cloud": "prod",
    }  # fmt: skip
    step: dict[str, Any] = {"job_id": id, "seq": 0, "group": 0, "name": "x", "args": {}, "state": "done",
                            "created": created, "ended_at": now, "request_ids": ["req-own"]}  # fmt: skip
    with place.ops.begin() as connection:
        connection.execute(jobs.insert().values(values))
        connection.execute(job_steps.insert().values(step))
    return id


def send(place: Place, number: int, service: str, method: str, path: str, body: Any = None) -> None:
    """What the gate notes of a request that a job sends now."""
    detail = {"cloud": "prod", "service": service, "call": {"method": method, "path": path}, "step": 0,
              "job": job(place, number)}  # fmt: skip
    intent = place.audit.record(ALICE, "server.stop", "prod server", {**detail, "body": body}, "intent")
    place.audit.record(ALICE, "server.stop", "prod server", {**detail, "request_ids": ["req-own"], "intent": intent})


def test_what_our_own_job_did_is_expected_at_once(clocked: Place) -> None:
    clocked.listed("server", machines(), 10)
    clocked.minutes = 15
    send(clocked, 7, "compute", "POST", f"/servers/{ID[1]}/action", {"os-stop": None})
    clocked.listed("server", machines({"status": "SHUTOFF"}, {"name": "x"}), 20)
    [event] = clocked.events(field="status")
    assert (event["state"], event["grade"]) == ("expected", None), "before the cloud was asked"
    assert clocked.events(states=("triage",), field="status") == []
    clocked.nova.said = {ID[1]: [action("stop", 15, request_id="req-own")]}
    clocked.room.asker.work()
    [event] = clocked.events(field="status")
    assert (event["state"], event["grade"], event["actor"], event["job"]) == ("expected", "certain", "alice", "7")
    assert event["source"] == "audit: server.stop" and event["request_id"] == "req-own"


def test_a_machine_that_our_job_broke_is_to_be_looked_at(clocked: Place) -> None:
    clocked.listed("server", machines(), 10)
    clocked.minutes = 15
    send(clocked, 7, "compute", "POST", f"/servers/{ID[1]}/action", {"os-stop": None})
    clocked.nova.said = {ID[1]: [action("stop", 15, request_id="req-own", message="Error")]}
    clocked.listed("server", machines({"status": "ERROR"}), 20)
    assert [one["state"] for one in clocked.events()] == ["open"]
    clocked.room.asker.work()
    [event] = clocked.events(states=("triage",))
    assert (event["grade"], event["actor"], event["job"]) == ("certain", "alice", "7")


def test_what_looked_like_ours_and_was_not(clocked: Place) -> None:
    """We stopped it; then somebody started and stopped it again before the next listing."""
    clocked.listed("server", machines(), 10)
    clocked.minutes = 15
    send(clocked, 7, "compute", "POST", f"/servers/{ID[1]}/action", {"os-stop": None})
    clocked.nova.said = {
        ID[1]: [action("stop", 15, request_id="req-own"), action("start", 16), action("stop", 17)]
    }  # fmt: skip
    clocked.listed("server", machines({"status": "SHUTOFF"}), 20)
    clocked.room.asker.work()
    [event] = clocked.events(field="status")
    assert (event["state"], event["grade"], event["job"]) == ("open", "one_of", None)
    assert [one["actor"] for one in event["candidates"]] == ["alice", "u2"]


def test_networks_are_certain_when_the_value_is_ours(clocked: Place) -> None:
    subnet = {"id": "s1", "name": "blue", "project_id": "p2", "enable_dhcp": True, "gateway_ip": "10.0.0.1"}
    clocked.listed("subnet", [subnet], 10)
    clocked.minutes = 15
    send(clocked, 7, "network", "PUT", "/subnets/s1", {"subnet": {"enable_dhcp": False}})
    clocked.listed("subnet", [{**subnet, "enable_dhcp": False, "gateway_ip": None}], 20)
    clocked.room.asker.work()
    assert clocked.nova.asked == []
    assert who(clocked) == {
        "enable_dhcp": ("certain", "alice", "audit: server.stop"),
        "gateway_ip": ("unknown", None, None),
    }


def test_a_rule_that_our_job_made(clocked: Place) -> None:
    rule = {"id": "r1", "security_group_id": "g1", "direction": "ingress", "ethertype": "IPv4", "project_id": "p2"}
    clocked.listed("security_group_rule", [rule], 10)
    clocked.minutes = 15
    job(clocked, 8, "r2", "security_group_rule.create")
    clocked.listed("security_group_rule", [rule, {**rule, "id": "r2"}, {**rule, "id": "r3"}], 20)
    clocked.room.asker.work()
    assert {one["resource_id"]: (one["grade"], one["job"]) for one in clocked.events()} == {
        "r2": ("certain", "8"), "r3": ("unknown", None)
    }  # fmt: skip


def test_a_limited_role_is_not_told_who_works_here(clocked: Place) -> None:
    test_what_our_own_job_did_is_expected_at_once(clocked)
    assert who(clocked, OF_P2)["status"] == ("certain", "somebody else at this console", "audit: server.stop")
    alice = Caller("alice", 1001, role="operator", projects=("p2",))
    assert who(clocked, alice)["status"][1] == "alice"


def test_what_opens_again_is_asked_anew(busy: Place) -> None:
    busy.nova.said = {ID[1]: [action("stop", 15)]}
    busy.room.asker.work()
    busy.listed("server", machines(), 30)
    busy.listed("server", machines({"status": "SHUTOFF"}), 40)
    busy.nova.said = {ID[1]: [action("stop", 35, user_id="u1"), action("stop", 15)]}
    busy.room.asker.work()
    [event] = busy.events(field="status")
    assert (event["count"], event["actor"]) == (2, "root")


def test_the_history_hears_who_did_it(busy: Place) -> None:
    """Two fields of web-2 changed in one step, and of one nobody knows who did it: so no name is given."""
    busy.nova.said = {ID[1]: [action("stop", 15)], ID[2]: [action("live-migration", 16, user_id="u1")]}
    busy.room.asker.work()
    items: list[dict[str, Any]] = [
        {"cloud": "prod", "region": "one", "resource_type": "server", "resource_id": ID[number],
         "recorded_at": times.naive(at(minutes)), "user": None}
        for number, minutes in ((1, 20), (1, 10), (2, 20), (3, 20))
    ]  # fmt: skip
    busy.service.who(ADMIN, items)
    assert [one["user"] for one in items] == ["ada", None, None, None]
