"""Carrying out: what is sent, what the audit says of it, and what happens when something is in doubt."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.access.models import Caller
from engine.api.errors import Forbidden
from engine.audit import service
from engine.gate.models import Actor, Call
from engine.gate.refusals import NotDone, Refused
from store.ops.errors import OpsDiskFull, OpsError
from store.ops.reserve import MEGABYTE, Reserve
from tests.engine.gate.fakes import OPS, OTHER, VIEWER, Room, action, creation, deletion, reply, room

SECRET = "s3cr3t-value"


@pytest.fixture
def east(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path) as made:
        made.stops()
        made.lift()
        made.rows.named = {("project", "shop"): [{"key": ("east", "", "p1"), "name": "shop"}]}
        yield made


def stop(east: Room, *keys: Any, **given: Any) -> dict[str, Any]:
    return east.execute(east.plan("server.stop", *keys), **given)


def test_intent_call_outcome_and_what_people_look_for(east: Room) -> None:
    east.cloud.on_send = None
    east.jobs.tries = 1
    job = stop(east, east.cloud.server("s1", "web-3"), reason="disk", ticket="CHG7")
    intent, ended = east.records("server.stop")
    assert (intent["outcome"], ended["outcome"]) == ("intent", "ok")
    assert intent["target"] == ended["target"] == "east/r1 server web-3"
    facts = {
        "cloud": "east",
        "reason": "disk",
        "ticket": "CHG7",
        "job": job["id"],
        "plan_id": job["plan"]["plan_id"],
        "call": {"method": "POST", "path": "/servers/s1/action"},
        "key": ["east", "r1", "s1"],
        "account": "east-admin",
        "step": 1,
    }
    for record in (intent, ended):
        assert {name: record["detail"].get(name) for name in facts} == facts
    assert intent["detail"]["body"] == {"os-stop": None}
    assert (ended["detail"]["status"], ended["detail"]["request_ids"]) == (202, ["req-1"])
    assert ended["detail"]["intent"] == intent["id"]


def test_several_machines_each_have_their_result(east: Room) -> None:
    keys = [east.cloud.server(f"s{n}") for n in range(4)]

    def on_send(method: str, path: str, body: Any) -> Any:
        id = path.split("/")[2]
        if id == "s1":
            return reply(409, {"conflictingRequest": {"message": "Cannot 'stop' while in vm_state building"}}, "req-no")
        east.cloud.docs[id]["status"] = "ERROR" if id == "s2" else "SHUTOFF"
        return reply(202, None, f"req-{id}")

    east.cloud.on_send = on_send
    east.jobs.tries = 2
    first, second, third, fourth = stop(east, *keys)["results"]
    assert first.ok and first.request_ids == ("req-s0",) and first.detail == "is SHUTOFF"
    assert isinstance(second, NotDone) and "vm_state building" in second.detail and second.cloud_status == 409
    assert not third.ok and "not settled" in third.detail and third.request_ids == ("req-s2",)
    assert fourth.ok
    assert [record["outcome"] for record in east.records("server.stop")].count("failed") == 1
    assert east.changed == [("east", "r1", ("server",))] * 4


def test_every_item_is_looked_at_again(east: Room) -> None:
    east.jobs.held = True
    keys = [east.cloud.server(f"s{n}") for n in range(5)]
    job = stop(east, *keys)
    east.cloud.docs["s0"] |= {"locked": True, "locked_reason": "freeze"}
    east.cloud.docs["s1"] |= {"refuses": "it is being moved"}
    east.cloud.docs["s2"] |= {"status": "SHUTOFF"}
    del east.cloud.docs["s3"]
    east.jobs.run(job)
    locked, busy, idle, gone, done = job["results"]
    assert locked.code == "locked" and "freeze" in locked.detail
    assert busy.code == "changed" and gone.code == "changed"
    assert idle.ok and idle.detail == "was so already" and done.ok
    assert [path for _, path, _ in east.cloud.sent] == ["/servers/s4/action"]


@pytest.mark.parametrize("stopped", ["ended", "expired", "frozen"])
def test_a_window_that_ends_stops_the_rest(east: Room, stopped: str) -> None:
    east.jobs.held = True
    job = stop(east, east.cloud.server("s1"))
    if stopped == "ended":
        east.gate.end(OPS, "east")
    elif stopped == "expired":
        east.later(241)
    else:
        east.rules(hands_off=[{"reason": "incident"}])
    east.jobs.run(job)
    (refused,) = job["results"]
    assert refused.code == ("hands_off" if stopped == "frozen" else "read_only") and east.cloud.sent == []


def test_no_audit_no_action(east: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    east.jobs.held = True
    job = stop(east, east.cloud.server("s1"))

    def full(*given: Any, **more: Any) -> str:
        raise OpsError("the disk is full")

    monkeypatch.setattr(east.audit, "record", full)
    with pytest.raises(OpsError):
        east.jobs.run(job)
    assert east.cloud.sent == []


def test_what_was_sent_is_noted_on_a_full_disk_and_nothing_else_begins(
    east: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, path = [1 << 40], tmp_path / "ops.reserve"
    monkeypatch.setattr(os, "fstatvfs", lambda descriptor: SimpleNamespace(f_bavail=free[0], f_frsize=1))
    reserve = Reserve(path, MEGABYTE)
    assert reserve.make() is None
    monkeypatch.setattr(east.gate._plans._ops, "reserve", reserve)
    append, send = service._append, east.cloud.on_send

    def appended(connection: Any, values: dict[str, Any]) -> None:
        append(connection, values)
        if not free[0] and path.stat().st_size == MEGABYTE:
            raise OpsDiskFull("the disk is full")

    def sent(method: str, path: str, body: Any) -> Any:
        free[0] = 0
        return send(method, path, body)

    monkeypatch.setattr(service, "_append", appended)
    east.cloud.on_send = sent
    keys = [east.cloud.server(id) for id in ("s1", "s2")]
    with pytest.raises(OpsDiskFull, match="nothing new is begun"):
        stop(east, *keys)
    assert [record["outcome"] for record in east.records("server.stop")] == ["intent", "ok"]
    assert len(east.cloud.sent) == 1 and east.audit.verify().ok
    with pytest.raises(OpsDiskFull, match="nothing new is begun"):
        east.plan("server.unlock", keys[1])
    # What makes things safer is possible all the same.
    assert not east.gate.end(OPS, "east")["writable"]
    free[0] = 1 << 40
    assert east.plan("server.stop", keys[1])["count"] == 1


# When no answer comes


def test_no_answer_is_no_no(east: Room) -> None:
    """The call timed out, but the machine stops all the same."""

    def on_send(method: str, path: str, body: Any) -> Any:
        east.cloud.docs["s1"]["status"] = "SHUTOFF"
        return TimeoutError("no answer within 60 s")

    east.cloud.on_send = on_send
    (outcome,) = stop(east, east.cloud.server("s1"))["results"]
    assert outcome.ok and len(east.cloud.sent) == 1
    failed = east.records("server.stop", "failed")[0]["detail"]
    assert failed["uncertain"] is True and "no answer" in failed["problem"]


def test_no_answer_and_no_effect(east: Room) -> None:
    east.cloud.on_send = lambda method, path, body: TimeoutError("no answer within 60 s")
    (refused,) = stop(east, east.cloud.server("s1"))["results"]
    assert isinstance(refused, NotDone) and refused.uncertain and len(east.cloud.sent) == 1


# When a step runs a second time


def again(east: Room, job: dict[str, Any]) -> Any:
    job["results"].clear()
    east.jobs.run(job, attempt=2)
    (outcome,) = job["results"]
    return outcome


def test_a_second_attempt_finds_what_the_first_did(east: Room) -> None:
    job = stop(east, east.cloud.server("s1"))
    assert len(east.cloud.sent) == 1
    outcome = again(east, job)
    assert outcome.ok and outcome.detail == "done" and len(east.cloud.sent) == 1


def test_a_second_attempt_waits_for_what_the_first_began(east: Room) -> None:
    """Nova took the call, the engine died; the machine is on its way down."""
    east.jobs.held = True
    job = stop(east, east.cloud.server("s1"))
    doc = east.cloud.docs["s1"]
    doc["OS-EXT-STS:task_state"] = "powering-off"

    def on_get(path: str) -> None:
        if len(east.cloud.asked) % 3 == 0:
            doc.update({"OS-EXT-STS:task_state": None, "status": "SHUTOFF"})

    east.cloud.on_get = on_get
    assert again(east, job).ok and east.cloud.sent == []


def test_a_second_attempt_sends_what_was_never_sent(east: Room) -> None:
    east.jobs.held = True
    job = stop(east, east.cloud.server("s1"))
    assert again(east, job).ok and len(east.cloud.sent) == 1


def test_what_may_have_been_done_and_cannot_be_seen_is_left_to_a_person(tmp_path: Path) -> None:
    blind = replace(action("server.stop", {"os-stop": None}, "SHUTOFF"), already=None, settled=None)
    with room(tmp_path, blind) as east:
        east.lift()
        east.jobs.held = True
        job = stop(east, east.cloud.server("s1"))
        east.audit.record(OPS, "server.stop", "x", {"job": job["id"], "step": 1}, "intent")
        outcome = again(east, job)
        assert not outcome.ok and "nobody knows" in outcome.detail and east.cloud.sent == []
        # With its outcome noted it was done, and is not done again.
        east.audit.record(OPS, "server.stop", "x", {"job": job["id"], "step": 1}, "ok")
        assert again(east, job).ok and east.cloud.sent == []
        # What another step of the job did is not ours.
        other = stop(east, east.cloud.server("s2"))
        east.audit.record(OPS, "server.stop", "x", {"job": other["id"], "step": 2}, "intent")
        assert again(east, other).ok and len(east.cloud.sent) == 1


def test_a_deletion_that_was_done_before(east: Room) -> None:
    east.cloud.docs["n1"] = {"id": "n1", "name": "net-a", "tenant_id": "p1"}
    east.cloud.on_send = lambda method, path, body: (east.cloud.docs.pop("n1"), reply(204, None, "req-1"))[1]
    job = east.execute(east.plan("network.delete", ("east", "r1", "n1")))
    assert job["results"][0].ok and job["results"][0].detail == "gone"
    assert again(east, job).ok and len(east.cloud.sent) == 1


# Creating


def create(east: Room, **options: Any) -> dict[str, Any]:
    made = east.plan("network.create", options={"name": "net-a", "project": "shop", **options})
    return east.execute(made)


def test_a_create_answers_its_id(east: Room) -> None:
    east.cloud.on_send = lambda method, path, body: reply(201, {"network": {"id": "n9", "name": "net-a"}}, "req-1")
    job = create(east)
    assert job["plan"]["steps"][0]["key"] is None
    (outcome,) = job["results"]
    assert outcome.ok and outcome.created == "n9" and outcome.request_ids == ("req-1",)
    ((_, _, body),) = east.cloud.sent
    assert body["network"] == {
        "name": "net-a", "project_id": "p1", "description": "token-1",
    }  # fmt: skip


def test_a_create_is_found_by_its_token(tmp_path: Path) -> None:
    found: list[str] = []

    def find(ctx: Any, target: Any, options: Any) -> str | None:
        return found[0] if found and ctx.token == "token-1" else None

    with room(tmp_path, creation(find=find)) as east:
        east.lift()
        east.rows.named = {("project", "shop"): [{"key": ("east", "", "p1"), "name": "shop"}]}
        east.jobs.held = True
        job = create(east)
        found.append("n7")
        outcome = again(east, job)
        assert outcome.ok and outcome.created == "n7" and east.cloud.sent == []
        # No answer to the call: it is looked for as well.
        east.cloud.on_send = lambda method, path, body: TimeoutError("no answer")
        job = create(east)
        east.jobs.run(job)
        assert job["results"][0].created == "n7" and len(east.cloud.sent) == 1


def test_a_create_that_cannot_be_looked_for_is_not_repeated(east: Room) -> None:
    east.cloud.on_send = lambda method, path, body: reply(201, {"network": {"id": "n9"}}, "req-1")
    job = create(east)
    outcome = again(east, job)
    assert not outcome.ok and "may have made it" in outcome.detail and len(east.cloud.sent) == 1


@pytest.mark.parametrize(
    ("service", "session", "members", "code"),
    [
        ("compute", "admin", None, "wrong_project"),
        ("compute", "tenant", {"p1"}, None),
        ("compute", "tenant", set(), "no_role"),
        ("network", "admin", None, None),
    ],
)
def test_nothing_is_made_in_the_wrong_project(
    tmp_path: Path, service: str, session: str, members: set[str] | None, code: str | None
) -> None:
    with room(tmp_path, creation(service, session)) as east:
        east.lift()
        east.rows.named = {("project", "shop"): [{"key": ("east", "", "p1"), "name": "shop"}]}
        east.cloud.members = members
        east.cloud.on_send = lambda method, path, body: reply(201, {"network": {"id": "n9"}})
        (outcome,) = create(east)["results"]
        if code is None:
            assert outcome.ok
        else:
            assert outcome.code == code and east.cloud.sent == []
        if code == "wrong_project":
            (refused,) = east.records("network.create", "refused")
            assert "nothing was sent" in refused["detail"]["problem"]


# Retries


def test_a_retry_is_a_new_plan_of_what_failed(east: Room) -> None:
    keys = [east.cloud.server("s1"), east.cloud.server("s2")]
    east.cloud.on_send = lambda method, path, body: reply(503, {"message": "busy"})
    job = stop(east, *keys, reason="disk", ticket="CHG7")
    assert not any(getattr(one, "ok", False) for one in job["results"])
    east.stops()
    made = east.gate.again(job["plan"], [job["plan"]["steps"][1]["args"]], OTHER, 2, "the job")
    # Still the second of two, with the same limit.
    assert [(step["args"]["number"], step["args"]["of"]) for step in made["plan"]["steps"]] == [(2, 2)]
    assert (made["options"]["stop_after"], made["options"]["retry_of"]) == (2, "the job")
    assert [step["key"] for step in made["plan"]["steps"]] == [["east", "r1", "s2"]]
    assert made["plan"]["plan_id"] != job["plan"]["plan_id"]
    assert (made["plan"]["reason"], made["plan"]["ticket"]) == ("disk", "CHG7") and made["results"][0].ok


@pytest.mark.parametrize(("caller", "minutes", "fine"), [(OPS, 100, True), (OTHER, 0, False), (OPS, 481, False)])
def test_what_was_typed_holds_for_the_same_person_for_a_while(
    tmp_path: Path, caller: Caller, minutes: float, fine: bool
) -> None:
    with room(tmp_path, deletion()) as east:
        east.lift()
        east.cloud.docs["n1"] = {"id": "n1", "name": "net-a", "tenant_id": "p1"}
        east.cloud.on_send = lambda method, path, body: reply(409, {"message": "in use"})
        job = east.execute(east.plan("network.delete", ("east", "r1", "n1")))
        east.later(minutes)
        east.lift()
        args = [job["plan"]["steps"][0]["args"]]
        if fine:
            east.gate.again(job["plan"], args, caller)
            assert len(east.cloud.sent) == 2
        else:
            with pytest.raises(Refused) as refused:
                east.gate.again(job["plan"], args, caller)
            assert refused.value.code == "typed" and len(east.cloud.sent) == 1


def test_a_retry_passes_no_lock(east: Room) -> None:
    key = east.cloud.server("s1", "web-3", locked=True)
    east.cloud.on_send = lambda method, path, body: reply(503, {"message": "busy"})
    made = east.plan("server.stop", key)
    job = east.execute(made, override=[list(key)], typed="web-3")
    assert len(east.cloud.sent) == 1
    with pytest.raises(Refused):
        east.gate.again(job["plan"], [job["plan"]["steps"][0]["args"]], OPS)
    assert len(east.cloud.sent) == 1


def test_a_create_is_tried_again_where_it_was(east: Room) -> None:
    east.cloud.on_send = lambda method, path, body: reply(503, {"message": "busy"})
    job = create(east)
    east.cloud.on_send = lambda method, path, body: reply(201, {"network": {"id": "n9"}})
    east.rows.named[("project", "p1")] = east.rows.named[("project", "shop")]
    made = east.gate.again(job["plan"], [job["plan"]["steps"][0]["args"]], OPS)
    assert made["results"][0].created == "n9"


# Single calls

STOP = Call("east", "r1", "compute", "POST", "/servers/s1/action", {"os-stop": None}, what="stop it", type="server")
LOG = replace(STOP, body={"os-getConsoleOutput": {"length": 9}}, session="read", what="read the log")


def test_a_call_without_a_plan_is_looked_at_too(east: Room) -> None:
    east.cloud.server("s1")
    actor = Actor(OPS, "servers:admin", "restore.step", job="j1", ticket="CHG7")
    assert east.gate.perform(actor, STOP).status == 202
    assert [record["outcome"] for record in east.records("restore.step")] == ["intent", "ok"]
    with pytest.raises(Forbidden):
        east.gate.perform(replace(actor, caller=VIEWER), STOP)
    with pytest.raises(Refused):
        east.gate.perform(replace(actor, caller=replace(OPS, clouds=("west",))), STOP)
    limited = replace(OPS, projects=("p2",))
    with pytest.raises(Forbidden):
        east.gate.perform(replace(actor, caller=limited), replace(STOP, project_id="p1"))
    with pytest.raises(Forbidden):  # it belongs to nobody
        east.gate.perform(replace(actor, caller=limited), STOP)
    with pytest.raises(Refused):
        east.gate.perform(actor, replace(STOP, path="/servers/../flavors"))
    east.gate.end(OPS, "east")
    with pytest.raises(Refused) as refused:
        east.gate.perform(actor, STOP)
    assert refused.value.code == "read_only" and len(east.cloud.sent) == 1


def test_secrets_are_neither_answered_nor_noted(east: Room) -> None:
    east.cloud.on_send = lambda method, path, body: reply(202, {"adminPass": SECRET, "server": {"user_data": SECRET}})
    body = {"rebuild": {"adminPass": SECRET, "metadata": {"db_password": SECRET, "tier": "gold"}}}
    answer = east.gate.perform(Actor(OPS, "servers:admin", "restore.step"), replace(STOP, body=body))
    assert SECRET not in str(answer.document)
    records = east.records("restore.step")
    assert SECRET not in str(records) and "gold" in str(records)
    assert body["rebuild"]["adminPass"] == SECRET  # what was sent was whole
    assert east.cloud.sent[0][2]["rebuild"]["adminPass"] == SECRET


def test_asking_needs_no_window(east: Room) -> None:
    east.gate.end(OPS, "east")
    east.cloud.on_send = lambda method, path, body: reply(200, {"output": "login:"}, "req-1")
    answer = east.gate.ask(VIEWER, LOG)
    assert answer.document == {"output": "login:"} and answer.request_ids == ("req-1",)
    east.cloud.server("s9")
    read = east.gate.ask(VIEWER, replace(LOG, method="GET", path="/servers/s9", body=None))
    assert read.document["server"]["name"] == "web-s9"
    with pytest.raises(Refused, match="needs a plan"):
        east.gate.ask(OPS, STOP)
    with pytest.raises(Refused):
        east.gate.ask(replace(OPS, clouds=()), LOG)
    east.cloud.on_send = lambda method, path, body: reply(403, {"forbidden": {"message": "a reader may not"}})
    with pytest.raises(NotDone) as refused:
        east.gate.ask(OPS, LOG)
    assert refused.value.cloud_status == 403 and "a reader may not" in refused.value.detail
    assert [method for method, path, _ in east.cloud.sent if "action" not in path] == []


def test_actions_are_registered_once_and_declared(east: Room) -> None:
    with pytest.raises(ValueError, match="twice"):
        east.gate.register(deletion())
    items = east.gate.actions(VIEWER, "server")
    assert [(one["id"], one["allowed"]) for one in items] == [("server.stop", False), ("server.unlock", False)]
    assert {one["type"] for one in east.gate.actions(OPS)} == {"server", "network"}
    assert all(one["allowed"] for one in east.gate.actions(OPS))
