"""Plans: what is told before anything is changed, and what is asked for when it is carried out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.access.models import Caller
from engine.api.errors import Forbidden
from engine.gate.refusals import Refused
from tests.engine.gate.fakes import OPS, OTHER, VIEWER, Room, reply, room


@pytest.fixture
def east(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path) as made:
        made.stops()
        yield made


def test_a_plan_shows_what_changes_and_sends_nothing(east: Room) -> None:
    key = east.cloud.server("s1", "web-3")
    made = east.plan("server.stop", key)
    (item,) = made["items"]
    assert (item["ok"], item["name"], item["project_name"], item["state"]) == (True, "web-3", "shop", "ACTIVE")
    assert item["changes"] == [{"field": "status", "from": "ACTIVE", "to": "SHUTOFF"}]
    assert made["title"] == "Stop web-3" and made["danger"] == "disruptive"
    assert made["commands"] == ["openstack --os-cloud east-admin server stop s1"]
    assert made["warnings"] == ["east is read-only: lift that before the plan is carried out"]
    assert (made["count"], made["refused"], made["requires"]["typed"]) == (1, 0, None)
    assert made["expires_at"] == "2026-03-02T09:30:00Z"
    assert east.cloud.sent == [] and east.audit.page()[0] == 0
    assert east.gate.get(OPS, made["id"]) == made


@pytest.mark.parametrize(
    ("rules", "doc", "code", "said"),
    [
        ({}, {"locked": True, "locked_reason": "month end"}, "locked", "month end"),
        ({}, {"refuses": "it is being moved"}, "refused", "being moved"),
        ({}, {"status": "SHUTOFF"}, "refused", "nothing is left to do"),
        ({"hands_off": [{"names": ["web-*"], "reason": "audit week"}]}, {}, "hands_off", "audit week"),
        ({"hands_off": [{"projects": ["shop"], "reason": "audit week"}]}, {}, "hands_off", "audit week"),
        # A lock can be passed; what refuses it anyway is said first.
        ({}, {"locked": True, "refuses": "it is being moved"}, "refused", "being moved"),
        ({"hands_off": [{"reason": "freeze"}]}, {"locked": True}, "hands_off", "freeze"),
    ],
)
def test_what_is_refused_is_in_the_plan(
    east: Room, rules: dict[str, Any], doc: dict[str, Any], code: str, said: str
) -> None:
    east.rules(**rules)
    east.lift()
    made = east.plan("server.stop", east.cloud.server("s1", "web-3", **doc))
    (item,) = made["items"]
    assert not item["ok"] and item["code"] == code and said in item["problem"]
    assert made["refused"] == 1
    with pytest.raises(Refused) as refused:
        east.execute(made)
    assert refused.value.code == "refused" and east.cloud.sent == []


def test_a_locked_machine_is_passed_by_name_and_only_alone(east: Room) -> None:
    east.lift()
    key = east.cloud.server("s1", "web-3", locked=True)
    made = east.plan("server.stop", key)
    assert made["requires"] == {
        "reason": False, "ticket": False, "ticket_pattern": None, "typed": None, "override": "web-3",
    }  # fmt: skip
    assert "web-3" in made["items"][0]["override"]
    with pytest.raises(Refused) as refused:
        east.execute(made, override=[list(key)])
    assert refused.value.code == "override"
    job = east.execute(made, override=[list(key)], typed="web-3")
    assert [outcome.ok for outcome in job["results"]] == [True]
    assert [record["detail"]["lock_passed"] for record in east.records("server.stop")] == [True, True]


def test_bulk_never_passes_locks(east: Room) -> None:
    east.lift()
    keys = [east.cloud.server("s1", locked=True), east.cloud.server("s2")]
    made = east.plan("server.stop", *keys)
    assert [item["override"] for item in made["items"]] == [None, None]
    with pytest.raises(Refused) as refused:
        east.execute(made, override=[list(keys[0])], typed="web-s1")
    assert refused.value.code == "override"
    east.execute(made)
    assert [path for _, path, _ in east.cloud.sent] == ["/servers/s2/action"]


def test_a_lock_is_no_obstacle_to_unlocking(east: Room) -> None:
    made = east.plan("server.unlock", east.cloud.server("s1", locked=True))
    assert made["items"][0]["ok"] and made["items"][0]["override"] is None


def test_what_is_gone_is_told(east: Room) -> None:
    key = east.cloud.server("s1")
    assert "any more" in east.plan("server.stop", ("east", "r1", "nobody"))["items"][0]["problem"]
    east.cloud.on_get = lambda path: reply(404, {})
    assert east.plan("server.stop", key)["items"][0]["problem"] == "web-s1 is gone"
    east.cloud.on_get = lambda path: OSError("no route to host")
    assert "no route to host" in east.plan("server.stop", key)["items"][0]["problem"]
    east.cloud.on_get = lambda path: reply(403, {"forbidden": {"message": "Policy \x1b[2J says no"}})
    assert "Policy [2J says no" in east.plan("server.stop", key)["items"][0]["problem"]


def test_all_that_pass_without_these(east: Room) -> None:
    keys = [east.cloud.server(f"s{n}") for n in range(4)]
    east.cloud.server("x", "db-1")
    targets = {"filter": "web-", "minus": [list(keys[1])], "at_version": 7}
    made = east.plan("server.stop", targets=targets)
    assert [item["key"][2] for item in made["items"]] == ["s0", "s2", "s3"]
    assert made["title"] == "Stop 3 servers" and not any("changed" in one for one in made["warnings"])
    made = east.plan("server.stop", targets={**targets, "at_version": 6})
    assert "the list has changed since it was marked: 3 servers now" in made["warnings"]


@pytest.mark.parametrize(
    ("action", "body", "code"),
    [
        ("server.stop", {}, "targets"),
        ("server.stop", {"targets": {"keys": []}}, "targets"),
        ("server.stop", {"targets": {"filter": "nothing"}}, "targets"),
        ("server.stop", {"targets": {"keys": [["east", "r1", "s1"]]}, "options": {"force": True}}, "option"),
        ("server.rename", {"targets": {"keys": [["east", "r1", "s1"]]}}, "unknown"),
        ("network.create", {"options": {"name": "a"}}, "option"),
        ("network.create", {"options": {"name": "a", "project": "nobody"}}, "option"),
        ("network.create", {"options": {"name": "a", "project": "twice"}}, "option"),
        ("network.create", {"cloud": "west", "options": {"name": "a", "project": "shop"}}, "unknown"),
        ("network.create", {"region": "r9", "options": {"name": "a", "project": "shop"}}, "unknown"),
    ],
)
def test_requests_that_make_no_plan(east: Room, action: str, body: dict[str, Any], code: str) -> None:
    east.cloud.server("s1")
    one = {"key": ("east", "", "p1"), "name": "shop"}
    east.rows.named = {("project", "shop"): [one], ("project", "twice"): [one, {**one, "key": ("east", "", "p2")}]}
    with pytest.raises(Refused) as refused:
        east.plan(action, **body)
    assert refused.value.code == code


def test_a_create_says_where_when_there_is_a_choice(east: Room) -> None:
    east.cloud.clouds = {"east": ["r1", "r2"], "west": ["r1"]}
    east.rows.named = {("project", "shop"): [{"key": ("east", "", "p1"), "name": "shop"}]}
    options = {"name": "net-a", "project": "shop"}
    for place in ({}, {"cloud": "east"}):
        with pytest.raises(Refused, match="say"):
            east.plan("network.create", options=options, **place)
    made = east.plan("network.create", options=options, cloud="east", region="r2")
    assert made["items"][0]["key"] == ["east", "r2", ""] and made["options"]["project"] == "p1"
    assert made["items"][0]["project_name"] == "shop"


def test_roles_and_limits(east: Room) -> None:
    key = east.cloud.server("s1")
    with pytest.raises(Forbidden):
        east.plan("server.stop", key, caller=VIEWER)
    elsewhere = Caller("ops", 1000, None, None, "superadmin", projects=("p2",))
    assert "any more" in east.plan("server.stop", key, caller=elsewhere)["items"][0]["problem"]
    made = east.plan("server.stop", key)
    with pytest.raises(Refused, match="no plan"):
        east.gate.get(OTHER, made["id"])
    with pytest.raises(Refused, match="no plan"):
        east.execute(made, OTHER)
    lesser = Caller("ops", 1000, None, None, "viewer")  # the same person, whose role was taken meanwhile
    with pytest.raises(Forbidden):
        east.execute(made, lesser)


@pytest.mark.parametrize("limits", [{"projects": ("p1",)}, {"domains": ("d1",)}])
def test_what_everybody_sees_is_not_everybodys_to_change(east: Room, limits: dict[str, Any]) -> None:
    east.lift()
    limited = replace(OPS, **limits)
    for id, project in (("n1", "p1"), ("n2", "p2"), ("n3", "")):
        east.cloud.docs[id] = {"id": id, "name": f"net-{id}", "tenant_id": project, "shared": True}
    keys = [("east", "r1", id) for id in ("n1", "n2", "n3")]
    made = east.plan("network.delete", *keys, caller=limited)
    assert [item["ok"] for item in made["items"]] == [True, False, False]
    assert "your role is limited" in made["items"][1]["problem"]
    assert all(item["ok"] for item in east.plan("network.delete", *keys)["items"])
    # The limits came after the plan was made.
    everything = east.plan("network.delete", *keys)
    with pytest.raises(Refused) as refused:
        east.execute(everything, limited)
    assert refused.value.code == "changed" and east.cloud.sent == []


def test_read_only_refuses_the_execution(east: Room) -> None:
    made = east.plan("server.stop", east.cloud.server("s1"))
    with pytest.raises(Refused) as refused:
        east.execute(made)
    assert (refused.value.code, refused.value.status) == ("read_only", 403)
    assert [record["outcome"] for record in east.records("server.stop")] == ["refused"]
    assert east.cloud.sent == [] and east.jobs.jobs == []
    east.lift()
    assert east.execute(made)["results"][0].ok


@pytest.mark.parametrize(
    ("rules", "given", "code"),
    [
        ({"reason_required": True}, {}, "reason"),
        ({"ticket_required": True}, {"ticket": ""}, "ticket"),
        ({"ticket_pattern": r"CHG\d+"}, {"ticket": "INC1"}, "ticket"),
        ({"production": True}, {"typed": ""}, "typed"),
        ({"production": True}, {"typed": "West"}, "typed"),
        ({"production": True}, {"typed": "east"}, None),
        (
            {"production": True, "reason_required": True, "ticket_required": True, "ticket_pattern": "X"},
            {"reason": "why", "ticket": "X", "typed": " east "},
            None,
        ),
    ],
)
def test_what_an_execution_asks_for(east: Room, rules: dict[str, Any], given: dict[str, Any], code: str | None) -> None:
    east.rules(**rules)
    east.lift()
    made = east.plan("server.stop", east.cloud.server("s1"))
    assert made["requires"]["reason"] is bool(rules.get("reason_required"))
    if code is None:
        assert east.execute(made, **given)["results"][0].ok
        return
    with pytest.raises(Refused) as refused:
        east.execute(made, **given)
    assert (refused.value.code, refused.value.status) == (code, 422) and east.cloud.sent == []
    assert east.gate.get(OPS, made["id"])["executed_at"] is None


def test_what_destroys_asks_the_name_or_the_number(east: Room) -> None:
    east.lift()
    for id in ("n1", "n2"):
        east.cloud.docs[id] = {"id": id, "name": f"net-{id}", "tenant_id": "p1"}
    one, two = ("east", "r1", "n1"), ("east", "r1", "n2")
    assert east.plan("network.delete", one)["requires"]["typed"] == "net-n1"
    made = east.plan("network.delete", one, two)
    assert made["requires"]["typed"] == "DELETE 2 NETWORKS" and made["items"][0]["lost"] == ["the network"]
    with pytest.raises(Refused) as refused:
        east.execute(made, typed="net-n1")
    assert refused.value.code == "typed" and refused.value.fields["typed"] == "DELETE 2 NETWORKS"


def test_a_plan_is_carried_out_once_and_not_late(east: Room) -> None:
    east.lift()
    key = east.cloud.server("s1")
    made = east.plan("server.stop", key)
    with pytest.raises(Refused) as refused:
        east.execute(made, hash="another")
    assert refused.value.code == "expired"
    job = east.execute(made, hash=made["hash"])
    again = east.gate.get(OPS, made["id"])
    assert again["job_id"] == job["id"] and again["executed_at"] == "2026-03-02T09:00:00Z"
    with pytest.raises(Refused) as refused:
        east.execute(made)
    assert refused.value.code == "executed" and refused.value.fields["job_id"] == job["id"]
    east.cloud.server("s1")
    late = east.plan("server.stop", key)
    east.later(30)
    with pytest.raises(Refused) as refused:
        east.execute(late)
    assert refused.value.code == "expired"
    assert len(east.cloud.sent) == 1


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"status": "ERROR"}, "changed", "status was ACTIVE, is ERROR"),
        ({"name": "other"}, "changed", "name was web-s1, is other"),
        ({"OS-EXT-SRV-ATTR:host": "cmp-9"}, "changed", "host was nothing, is cmp-9"),
        ({"locked": True, "locked_reason": "freeze"}, "locked", "freeze"),
        ({"status": "SHUTOFF"}, "changed", "nothing is left to do"),
    ],
)
def test_what_changed_meanwhile_is_told(east: Room, change: dict[str, Any], code: str, said: str) -> None:
    east.lift()
    made = east.plan("server.stop", east.cloud.server("s1"))
    east.cloud.docs["s1"] |= change
    with pytest.raises(Refused) as refused:
        east.execute(made)
    assert (refused.value.code, refused.value.status) == (code, 409)
    assert any(said in one for one in refused.value.fields["differences"])
    assert east.cloud.sent == [] and east.jobs.jobs == []
    (noted,) = east.records("server.stop")
    assert noted["outcome"] == "refused" and noted["detail"]["plan_id"] == made["id"]


def test_a_freeze_that_began_meanwhile(east: Room) -> None:
    east.lift()
    made = east.plan("server.stop", east.cloud.server("s1"))
    east.rules(hands_off=[{"reason": "incident"}])
    with pytest.raises(Refused) as refused:
        east.execute(made)
    assert refused.value.code == "hands_off" and "incident" in refused.value.detail


def test_what_a_job_works_on_is_held(east: Room) -> None:
    east.lift()
    key, other = east.cloud.server("s1"), east.cloud.server("s2")
    earlier = east.plan("server.unlock", key)
    east.jobs.held = True
    job = east.execute(east.plan("server.stop", key))
    (item,) = east.plan("server.unlock", key)["items"]
    assert item["code"] == "held" and "Stop web-s1" in item["problem"] and "ops" in item["problem"]
    with pytest.raises(Refused) as refused:
        east.execute(earlier)
    assert refused.value.code == "held"
    assert east.plan("server.stop", other)["items"][0]["ok"]
    east.jobs.run(job)
    assert east.plan("server.unlock", key)["items"][0]["ok"]


def test_a_hold_whose_job_never_began_ends_by_itself(east: Room) -> None:
    """The engine died between taking the plan and submitting its job."""
    east.lift()
    key = east.cloud.server("s1")
    east.jobs.held = True
    made = east.plan("server.stop", key)
    job = east.execute(made)
    assert east.gate.get(OPS, made["id"])["job_id"] == job["id"]
    assert east.plan("server.unlock", key)["items"][0]["code"] == "held"
    east.jobs.running.clear()
    east.jobs.jobs.clear()
    assert east.plan("server.unlock", key)["items"][0]["ok"]
    assert east.gate.get(OPS, made["id"])["executed_at"] is None
    east.jobs.held = False
    assert east.execute(made)["results"][0].ok


def test_a_job_that_cannot_begin_leaves_the_plan_as_it_was(east: Room) -> None:
    east.lift()
    key = east.cloud.server("s1")
    made = east.plan("server.stop", key)
    east.jobs.error = RuntimeError("the engine stops")
    with pytest.raises(RuntimeError):
        east.execute(made)
    east.jobs.error = None
    assert east.gate.get(OPS, made["id"])["executed_at"] is None
    assert east.execute(made)["results"][0].ok


def test_old_plans_are_forgotten(east: Room) -> None:
    made = east.plan("server.stop", east.cloud.server("s1"))
    east.later(25 * 60)
    east.plan("server.stop", ("east", "r1", "s1"))
    with pytest.raises(Refused, match="no plan"):
        east.gate.get(OPS, made["id"])


def test_production_clouds_and_locks_are_typed_together(east: Room) -> None:
    east.rules(production=True)
    east.lift()
    key = east.cloud.server("s1", "web-3", locked=True)
    made = east.plan("server.stop", key)
    assert made["requires"]["override"] == "east web-3"
    with pytest.raises(Refused):
        east.execute(made, override=[list(key)], typed="web-3")
    assert east.execute(made, override=[list(key)], typed="east web-3")["results"][0].ok
