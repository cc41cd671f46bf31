"""Faults of calls that change something: the wrong answer after the work, what comes to nothing, room that goes."""

from __future__ import annotations

from typing import Any

import pytest

from engine.demo.control import Control
from engine.demo.faults import BREAKS
from engine.demo.serving import Request
from tests.engine.demo.harness import Wire

VOLUME = {"volume": {"name": "made", "size": 1, "metadata": {"qdeck_mark": "t-1"}}}


def made(own: Wire, name: str = "made") -> list[dict[str, Any]]:
    return own.rows("volume", f"/volumes/detail?name={name}", "volumes", "member")


def volume(own: Wire, name: str = "made") -> Any:
    return own("volume", "/volumes", "member", "POST", {"volume": {"name": name, "size": 1}})


def machine(own: Wire, name: str) -> dict[str, Any]:
    """A new machine of the member's without a card, whatever became of it."""
    state = own.cloud.state
    image = next(row for row in state.images if row.name == "cirros-0.6")
    flavor = next(row for row in state.flavors if row.name == "m1.tiny")
    body = {"server": {"name": name, "imageRef": image.id, "flavorRef": flavor.id, "networks": "none"}}
    project = own.token("member").project
    assert project is not None
    project.compute_quota |= {"instances": 100, "cores": 1000, "ram": 1_000_000}
    project.volume_quota |= {"volumes": 100, "gigabytes": 10_000, "snapshots": 100, "backups": 100}
    answer = own("compute", "/v2.1/servers", "member", "POST", body)
    assert answer.status == 202, answer.response.body
    own.advance(5)
    return show(own, answer.json["server"]["id"])


def show(own: Wire, id: str) -> dict[str, Any]:
    found: dict[str, Any] = own("compute", f"/v2.1/servers/{id}", "member").json["server"]
    return found


def act(own: Wire, id: str, action: str, value: Any = None) -> dict[str, Any]:
    """The machine, a good while after the action was accepted."""
    answer = own("compute", f"/v2.1/servers/{id}/action", "member", "POST", {action: value})
    assert answer.status == 202, answer.response.body
    own.advance(10)
    return show(own, id)


@pytest.mark.parametrize("status", [401, 409, 413, 429, 500, 503])
def test_the_answer_is_wrong_and_the_work_is_done(own: Wire, status: int) -> None:
    own.cloud.faults.add(
        {"kind": "status", "status": status, "method": "POST", "pattern": "/volumes$", "times": 1, "after": True}
    )
    assert own("volume", "/volumes", "member", "POST", VOLUME).status == status
    assert [row["metadata"] for row in made(own)] == [{"qdeck_mark": "t-1"}]
    assert own("volume", "/volumes", "member", "POST", VOLUME).status == 202


@pytest.mark.parametrize(("after", "count"), [(True, 1), (False, 0)])
def test_no_answer_comes_with_and_without_the_work(own: Wire, after: bool, count: int) -> None:
    own.cloud.faults.add({"kind": "hang", "service": "volume", "method": "POST", "times": 1, "after": after})
    assert own("volume", "/volumes", "member", "POST", VOLUME).response.wreck == "hang"
    assert len(made(own)) == count


def test_a_status_says_when_to_come_back(own: Wire) -> None:
    own.cloud.faults.add({"kind": "status", "status": 429, "retry_after": 7, "times": 1})
    assert own("volume", "/volumes").headers["retry-after"] == "7"


@pytest.mark.parametrize(
    ("pattern", "path", "hit"),
    [
        (r"/servers/[^/]+/action$", "/v2.1/servers/x/action", True),
        (r"/servers/[^/]+/action$", "/v2.1/servers/x", False),
        (r"^/v2\.0/ports$", "/v2.0/ports", True),
        (r"^/v2\.0/ports$", "/v2.0/ports/x", False),
    ],
)
def test_a_pattern_is_looked_for_in_the_path(own: Wire, pattern: str, path: str, hit: bool) -> None:
    own.cloud.faults.add({"kind": "status", "status": 418, "pattern": pattern})
    assert (own("compute" if "servers" in path else "network", path, method="POST").status == 418) == hit


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "status", "pattern": "("},
        {"kind": "break", "what": "everything"},
        {"kind": "break", "what": "volume", "name": "["},
    ],
)
def test_rules_that_cannot_be(own: Wire, rule: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        own.cloud.faults.add(rule)


def test_what_is_named_fails_as_often_as_is_said(own: Wire) -> None:
    own.cloud.faults.add({"kind": "break", "what": "volume", "name": "^bad", "skip": 1, "times": 1})
    for name in ("bad-1", "good", "bad-2", "bad-3"):
        assert volume(own, name).status == 202
        own.advance(2)
    found = {row["name"]: row["status"] for row in own.rows("volume", "/volumes/detail", "volumes", "member")}
    assert [found[name] for name in ("bad-1", "good", "bad-2", "bad-3")] == [
        "available",
        "available",
        "error",
        "available",
    ]


def test_every_thing_that_breaks(own: Wire) -> None:
    """Each of BREAKS, one after the other, with what is left behind."""
    assert machine(own, "base")["status"] == "ACTIVE"
    for what in BREAKS:
        own.cloud.faults.add({"kind": "break", "what": what, "name": "wrong", "message": f"no {what}"})
    wrong = machine(own, "wrong-server")
    assert (wrong["status"], wrong["fault"]["message"]) == ("ERROR", "no server")
    own.cloud.faults.rules = [
        rule for rule in own.cloud.faults.rules if rule.options["what"] not in ("server", "volume")
    ]
    id = machine(own, "wrong-machine")["id"]
    image = own("compute", f"/v2.1/servers/{id}/action", "member", "POST", {"createImage": {"name": "wrong-image"}})
    own.advance(5)
    assert own("image", f"/v2/images/{image.json['image_id']}", "member").status == 404
    assert act(own, id, "shelve")["status"] == "ACTIVE"
    assert act(own, id, "os-stop")["OS-EXT-STS:task_state"] == "powering-off"
    own("compute", f"/v2.1/servers/{id}/action", "admin", "POST", {"os-resetState": {"state": "active"}})
    rebuilt = act(own, id, "rebuild", {"imageRef": show(own, id)["image"]["id"]})
    assert (rebuilt["status"], rebuilt["fault"]["message"]) == ("ERROR", "no rebuild")
    good = machine(own, "good")["id"]
    assert act(own, good, "shelve")["status"] == "SHELVED_OFFLOADED"
    own("compute", f"/v2.1/servers/{good}", "member", "PUT", {"server": {"name": "wrong-now"}})
    assert act(own, good, "unshelve")["status"] == "SHELVED_OFFLOADED"
    _disks(own, machine(own, "holder")["id"])


def _disks(own: Wire, server: str) -> None:
    disk = volume(own, "wrong-disk").json["volume"]["id"]
    own.advance(2)
    attach = {"volumeAttachment": {"volumeId": disk}}
    assert own("compute", f"/v2.1/servers/{server}/os-volume_attachments", "member", "POST", attach).status == 200
    own.advance(2)
    assert own("volume", f"/volumes/{disk}", "member").json["volume"]["status"] == "available"
    for kind, key in (("snapshots", "snapshot"), ("backups", "backup")):
        body = {key: {"volume_id": disk, "name": f"wrong-{key}"}}
        id = own("volume", f"/{kind}", "member", "POST", body).json[key]["id"]
        own.advance(3)
        assert own("volume", f"/{kind}/{id}", "member").json[key]["status"] == "error"
    id = own("volume", "/backups", "member", "POST", {"backup": {"volume_id": disk, "name": "fine"}}).json["backup"][
        "id"
    ]
    own.advance(3)
    back = own("volume", f"/backups/{id}/restore", "member", "POST", {"restore": {"name": "wrong-back"}}).json[
        "restore"
    ]
    own.advance(3)
    assert own("volume", f"/volumes/{back['volume_id']}", "member").json["volume"]["status"] == "error_restoring"


def test_room_that_is_gone_in_between(own: Wire) -> None:
    own.cloud.faults.add({"kind": "quota_gone", "service": "compute", "method": "GET", "times": 1})
    assert volume(own).status == 202
    assert own("compute", "/v2.1/flavors", "member").status == 200
    refused = volume(own)
    assert (refused.status, "exceed" in refused.json["overLimit"]["message"]) == (413, True)


def control(own: Wire, path: str, body: dict[str, Any]) -> int:
    import asyncio

    import orjson

    request = Request("POST", path, path, [], {}, orjson.dumps(body))
    return asyncio.run(Control(own.cloud).handle(request)).status


def test_the_pace_of_changes(own: Wire) -> None:
    assert control(own, "/state", {"pace": 0.01}) == 200
    volume(own, "quick")
    own.advance(0.01)
    assert [row["status"] for row in made(own, "quick")] == ["available"]
    assert control(own, "/state", {"pace": 100}) == 200
    volume(own, "slow")
    own.advance(10)
    assert [row["status"] for row in made(own, "slow")] == ["creating"]
    assert control(own, "/state", {"pace": -1}) == control(own, "/state", {"speed": 1}) == 400


@pytest.mark.parametrize(
    ("boot", "there", "missing"),
    [("well", "login:", "panic"), ("panic", "Kernel panic", "login:"), ("silent", "Linux version", "login:")],
)
def test_how_a_machine_of_a_name_boots(own: Wire, boot: str, there: str, missing: str) -> None:
    assert control(own, "/boots", {"name": "^chosen", "boot": boot}) == 200
    body = {"os-getConsoleOutput": {}}
    id = machine(own, "chosen-1")["id"]
    output = own("compute", f"/v2.1/servers/{id}/action", "member", "POST", body).json["output"]
    assert there in output and missing not in output
    id = machine(own, "other")["id"]
    assert "login:" in own("compute", f"/v2.1/servers/{id}/action", "member", "POST", body).json["output"]


def test_what_is_asked_of_a_dead_host_begins_and_never_ends(own: Wire) -> None:
    id = machine(own, "lonely")["id"]
    host = own.cloud.state.servers.rows[id].host
    assert host is not None and control(own, "/hosts", {"host": host.name, "up": False}) == 200
    stopped = act(own, id, "os-stop")
    assert (stopped["status"], stopped["OS-EXT-STS:task_state"]) == ("ACTIVE", "powering-off")
    assert own("compute", f"/v2.1/servers/{id}").json["server"]["host_status"] == "DOWN"
    assert own("compute", f"/v2.1/servers/{id}", "member", "DELETE").status == 204
    own.advance(2)
    assert own("compute", f"/v2.1/servers/{id}", "member").status == 404
    assert control(own, "/hosts", {"host": "nowhere", "up": True}) == 404


def test_a_shelved_machine_keeps_its_host_until_it_is_offloaded(own: Wire) -> None:
    assert control(own, "/state", {"shelved_seconds": -1}) == 200
    id = machine(own, "parked")["id"]
    assert act(own, id, "shelve")["status"] == "SHELVED"
    assert own.cloud.state.servers.rows[id].host is not None
    refused = own("compute", f"/v2.1/servers/{id}/action", "member", "POST", {"shelveOffload": None})
    assert refused.status == 403
    assert own("compute", f"/v2.1/servers/{id}/action", "admin", "POST", {"shelveOffload": None}).status == 202
    own.advance(2)
    assert show(own, id)["status"] == "SHELVED_OFFLOADED"
