"""The documented changes of networks, security groups and rules on the demo cloud."""

from __future__ import annotations

from typing import Any

import pytest

from engine.access.models import Caller
from engine.settings.roles import Role
from tests.engine.compute.running import OPS, World

RULE = {
    "direction": "ingress",
    "protocol": "tcp",
    "port_range_min": 443,
    "port_range_max": 443,
    "remote_ip_prefix": "0.0.0.0/0",
    "ethertype": "IPv4",
    "description": "Allow HTTPS",
}


def project(world: World) -> dict[str, Any]:
    return next(row for row in world.rows("project") if row["name"] not in ("admin", "service"))


def test_a_group_and_its_rule_are_made_and_removed(world: World, lifted: None) -> None:
    owner = project(world)
    body = {"name": "web-servers", "description": "Allow HTTP/HTTPS traffic", "project_id": owner["key"][2]}
    made = world.call("POST", "/admin/security-groups", json=body, params={"ticket": "CHG7"})
    assert made.status_code == 201, made.text
    group = made.json()
    listed = world.get(f"/security-groups/{group['security_group_id']}")
    assert {key: listed[key] for key in group if key != "job"} == {k: v for k, v in group.items() if k != "job"}
    assert (group["project_id"], group["project_name"]) == (owner["key"][2], owner["name"])
    assert (group["cloud"], group["region"]) == ("demo", world.region)
    assert group["description"].startswith("Allow HTTP/HTTPS traffic (CHG7) [qdeck ")
    assert len(listed["egress_rules"]) == 2
    made = world.call("POST", "/admin/security-group-rules", json={"security_group_id": listed["id"], **RULE})
    assert made.status_code == 201, made.text
    rule = made.json()
    assert {key: rule[key] for key in ("direction", "protocol", "port_range_min", "port_range_max")} == {
        key: RULE[key] for key in ("direction", "protocol", "port_range_min", "port_range_max")
    }
    assert rule["project_id"] == owner["key"][2]
    assert [one["id"] for one in world.get(f"/security-groups/{listed['id']}")["ingress_rules"]] == [rule["id"]]
    again = world.call("POST", "/admin/security-group-rules", json={"security_group_id": listed["id"], **RULE})
    assert (again.status_code, again.json()["code"]) == (409, "refused")
    assert rule["id"] in again.json()["detail"]
    gone = world.call("DELETE", f"/admin/security-group-rules/{rule['id']}")
    assert gone.status_code == 200, gone.text
    assert world.get("/security-group-rules", security_group_id=listed["id"], direction="ingress")["items"] == []
    gone = world.call("DELETE", f"/admin/security-groups/{listed['id']}")
    assert gone.status_code == 200, gone.text
    assert gone.json()["deleted"] is True
    assert world.call("GET", f"/security-groups/{listed['id']}").status_code == 404
    assert world.call("DELETE", f"/admin/security-groups/{listed['id']}").status_code == 404


def test_without_a_project_it_belongs_to_the_accounts_own(world: World, lifted: None) -> None:
    made = world.call("POST", "/admin/security-groups", json={"name": "own"})
    assert made.status_code == 201, made.text
    assert made.json()["project_name"] == "admin"
    world.call("DELETE", f"/admin/security-groups/{made.json()['id']}")


def test_a_network_is_made_and_removed(world: World, lifted: None) -> None:
    owner = project(world)
    body = {
        "name": "carried", "project_id": owner["key"][2], "network_type": "vlan", "physical_network": "physnet1",
        "segmentation_id": 321, "shared": True, "mtu": 1400, "reason": "new tier", "cloud": "demo",
    }  # fmt: skip
    made = world.call("POST", "/admin/networks", json=body)
    assert made.status_code == 201, made.text
    network = made.json()
    assert (network["network_name"], network["is_shared"], network["is_external"]) == ("carried", True, False)
    assert (network["network_type"], network["segmentation_id"], network["mtu"]) == ("vlan", 321, 1400)
    assert "(new tier)" in network["description"]
    assert world.get("/networks", project_id=owner["key"][2])["total"] >= 1
    gone = world.call("DELETE", f"/admin/networks/{network['network_id']}", params={"cloud": "demo"})
    assert gone.status_code == 200, gone.text
    assert network["network_id"] not in {one["id"] for one in world.get("/networks", page_size=1000)["items"]}


def test_what_is_in_use_stays(world: World, lifted: None) -> None:
    port = next(row for row in world.rows("port", "device_owner:=compute:nova") or world.rows("port"))
    one = world.get("/ports", page_size=1000)["items"]
    used = next(item for item in one if str(item["device_owner"]).startswith("compute:"))
    assert port
    refused = world.call("DELETE", f"/admin/networks/{used['network_id']}")
    assert refused.status_code == 409
    assert "in use" in refused.json()["detail"]
    group = next(row for row in world.rows("security_group") if row["name"] == "default")
    refused = world.call("DELETE", f"/admin/security-groups/{group['key'][2]}")
    assert refused.status_code == 409
    assert "default group" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("networks", {}, 422, "name is required"),
        ("networks", {"name": "x", "bogus": 1}, 422, "bogus"),
        ("networks", {"name": "x", "network_type": "flat"}, 422, "needs the physical network"),
        ("networks", {"name": "x", "network_type": "token-ring"}, 422, "must be one of"),
        ("networks", {"name": "x", "mtu": 1}, 422, "mtu must be at least 68"),
        ("networks", {"name": "x", "project_id": "nope"}, 422, "has no project 'nope'"),
        ("networks", {"name": "x", "cloud": "nope"}, 404, "there is no cloud 'nope'"),
        ("networks", {"name": "x", "cloud": "demo", "region": "nope"}, 404, "has no region 'nope'"),
        ("networks", {"name": "a\nb"}, 422, "control characters"),
        ("security-groups", {"name": "default"}, 409, "choose another name"),
        ("security-group-rules", {"security_group_id": "nope"}, 422, "has no security group 'nope'"),
        ("security-group-rules", {"security_group_id": "x", "protocol": "bogus"}, 422, "is no protocol"),
        ("security-group-rules", {"security_group_id": "x", "direction": "up"}, 422, "direction"),
    ],
)
def test_what_makes_no_sense(
    world: World, lifted: None, path: str, body: dict[str, Any], status: int, words: str
) -> None:
    answer = world.call("POST", f"/admin/{path}", json=body)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["detail"]


ROUTES = [
    ("POST", "networks", {"name": "x"}),
    ("DELETE", "networks/ID", None),
    ("POST", "security-groups", {"name": "x"}),
    ("DELETE", "security-groups/ID", None),
    ("POST", "security-group-rules", {"security_group_id": "ID"}),
    ("DELETE", "security-group-rules/ID", None),
    ("POST", "flavors", {"name": "x", "vcpus": 1, "ram": 64}),
    ("DELETE", "flavors/ID", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
@pytest.mark.parametrize("role", ["viewer", "operator", "technical"])
def test_only_administrators(world: World, lifted: None, method: str, path: str, body: Any, role: Role) -> None:
    answer = world.call(method, f"/admin/{path}", Caller("eve", 1001, None, None, role), json=body)
    assert answer.status_code == 403
    assert answer.json()["detail"].startswith("Permission denied: requires ")


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_nothing_passes_in_read_only_mode(world: World, method: str, path: str, body: Any) -> None:
    type = {"networks": "network", "security-groups": "security_group", "flavors": "flavor"}.get(path.split("/")[0])
    if body is not None and "security_group_id" in body:
        type, body = "security_group", body | {"security_group_id": world.rows("security_group")[0]["key"][2]}
    # Some are in use, which is said first.
    ids = [row["key"][2] for row in world.rows(type or "security_group_rule")]
    page = world.parts.audit.page

    def done() -> int:
        return page()[0] - page(outcome="refused")[0]

    before, codes = done(), []
    for id in ids if method == "DELETE" else ids[:1]:
        answer = world.call(method, f"/admin/{path.replace('ID', id)}", json=body)
        assert answer.status_code in (403, 409), answer.text
        codes.append(answer.json()["code"])
        if codes[-1] == "read_only":
            break
    assert codes[-1] == "read_only"
    assert done() == before, "nothing but refusals is new in the audit"


def test_a_production_cloud_asks_for_its_name(world: World, lifted: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.settings.cloud_rules import CloudRules

    made = world.call("POST", "/admin/security-groups", json={"name": "short-lived"}).json()
    careful = CloudRules(production=True, reason_required=True, ticket_required=True, ticket_pattern=r"CHG\d+")
    monkeypatch.setattr(world.parts.gate.windows, "rules", lambda cloud: careful)
    path = f"/admin/security-groups/{made['id']}"
    for query, code in (
        ({}, "reason"),
        ({"reason": "why"}, "ticket"),
        ({"reason": "why", "ticket": "nope"}, "ticket"),
        ({"reason": "why", "ticket": "CHG1"}, "typed"),
        ({"reason": "why", "ticket": "CHG1", "typed": "short-lived"}, "typed"),
    ):
        answer = world.call("DELETE", path, params=query)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    answer = world.call("DELETE", path, params={"reason": "why", "ticket": "CHG1", "typed": "demo short-lived"})
    assert answer.status_code == 200, answer.text


def test_a_caller_of_another_cloud_sees_none(world: World, lifted: None) -> None:
    other = Caller("far", 1002, None, None, "superadmin", clouds=("elsewhere",))
    assert world.call("POST", "/admin/networks", other, json={"name": "x"}).status_code == 422
    assert world.call("POST", "/admin/networks", other, json={"name": "x", "cloud": "demo"}).status_code == 404
    network = world.rows("network")[0]["key"][2]
    assert world.call("DELETE", f"/admin/networks/{network}", other, params={"cloud": "demo"}).status_code == 404


def test_the_audit_tells_who_why_and_what(world: World, lifted: None) -> None:
    made = world.call("POST", "/admin/security-groups", json={"name": "told", "reason": "why", "ticket": "CHG9"}).json()
    _, records = world.parts.audit.page(action="security_group.create", text="CHG9")
    assert {record["outcome"] for record in records} == {"intent", "ok"}
    done = next(record for record in records if record["outcome"] == "ok")
    assert (done["actor"], done["detail"]["status"], done["detail"]["call"]["path"]) == (
        OPS.name,
        201,
        "/security-groups",
    )
    assert done["detail"]["request_ids"][0].startswith("req-")
    assert world.get(f"/q/jobs/{made['job']}")["steps"][0]["created"] == made["id"]
    world.call("DELETE", f"/admin/security-groups/{made['id']}")
