"""Neutron: what is left out silently, fields and filters, and things made and removed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.demo.harness import Wire

COLLECTIONS = [
    "networks", "subnets", "ports", "routers", "floatingips", "security-groups", "security-group-rules",
    "trunks", "agents",
]  # fmt: skip


def key_of(collection: str) -> str:
    return collection.replace("-", "_")


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_less_is_shown_without_a_word(wire: Wire, collection: str) -> None:
    target, key = f"/v2.0/{collection}", key_of(collection)
    everything = wire("network", target).json[key]
    assert everything
    mine = wire("network", target, "member")
    assert mine.status == 200
    assert len(mine.json[key]) < len(everything)
    nothing = wire("network", target, "system")
    assert (nothing.status, nothing.json[key]) == (200, [])
    project = wire.token("member").project_id
    for row in mine.json[key]:
        shared = row.get("shared") or row.get("router:external")
        assert row["project_id"] == project or shared or collection == "subnets"
    if collection == "agents":
        assert mine.json[key] == []


@pytest.mark.parametrize(
    ("collection", "fields"),
    [
        ("networks", {"provider:network_type", "provider:segmentation_id", "provider:physical_network"}),
        (
            "ports",
            {"binding:host_id", "binding:profile", "binding:vif_details", "binding:vif_type", "resource_request"},
        ),
        ("routers", {"ha"}),
    ],
)
def test_fields_for_administrators(wire: Wire, collection: str, fields: set[str]) -> None:
    assert all(fields <= set(row) for row in wire("network", f"/v2.0/{collection}").json[collection])
    mine = wire("network", f"/v2.0/{collection}", "member").json[collection]
    assert mine and not fields & {name for row in mine for name in row}


@pytest.mark.parametrize(
    ("query", "test"),
    [
        ("status=DOWN", lambda row: row["status"] == "DOWN"),
        ("device_owner=network:dhcp", lambda row: row["device_owner"] == "network:dhcp"),
        ("admin_state_up=True", lambda row: row["admin_state_up"]),
        ("status=DOWN&status=N/A", lambda row: row["status"] in ("DOWN", "N/A")),
        ("project_id={demo}", lambda row: True),
    ],
)
def test_filters(wire: Wire, query: str, test: Any) -> None:
    text = query.format(demo=wire.token("member").project_id)
    rows = wire("network", f"/v2.0/ports?{text}").json["ports"]
    assert rows and all(test(row) for row in rows)
    assert len(rows) < len(wire.cloud.state.ports) or "admin_state_up" in query


def test_fields_are_chosen(wire: Wire) -> None:
    rows = wire("network", "/v2.0/ports?fields=id&fields=status").json["ports"]
    assert {tuple(sorted(row)) for row in rows} == {("id", "status")}


def test_ports_lie_within_their_subnets(wire: Wire) -> None:
    import ipaddress

    subnets = {row["id"]: ipaddress.ip_network(row["cidr"]) for row in wire("network", "/v2.0/subnets").json["subnets"]}
    for port in wire("network", "/v2.0/ports").json["ports"]:
        for fixed in port["fixed_ips"]:
            assert ipaddress.ip_address(fixed["ip_address"]) in subnets[fixed["subnet_id"]]


def test_floating_ips_know_their_port(wire: Wire) -> None:
    rows = wire("network", "/v2.0/floatingips").json["floatingips"]
    assert {row["status"] for row in rows} == {"ACTIVE", "DOWN"}
    ports = {row["id"]: row for row in wire("network", "/v2.0/ports").json["ports"]}
    for row in rows:
        if row["port_id"]:
            assert row["fixed_ip_address"] == ports[row["port_id"]]["fixed_ips"][0]["ip_address"]
            assert row["port_details"]["device_id"] == ports[row["port_id"]]["device_id"]


def post(own: Wire, collection: str, body: dict[str, Any], role: str = "member") -> Any:
    single = {"security-groups": "security_group", "security-group-rules": "security_group_rule"}.get(collection)
    return own("network", f"/v2.0/{collection}", role, "POST", {single or collection[:-1]: body})


def test_a_network_is_made_used_and_removed(own: Wire) -> None:
    network = post(own, "networks", {"name": "fresh"}).json["network"]["id"]
    subnet = post(own, "subnets", {"network_id": network, "ip_version": 4, "cidr": "10.99.0.0/24"}).json["subnet"]
    assert subnet["gateway_ip"] == "10.99.0.1"
    port = post(own, "ports", {"network_id": network, "name": "p"}).json["port"]
    assert port["fixed_ips"][0]["subnet_id"] == subnet["id"]
    assert port["security_groups"]
    answer = own("network", f"/v2.0/networks/{network}", "member", "DELETE")
    assert (answer.status, answer.json["NeutronError"]["type"]) == (409, "NetworkInUse")
    assert own("network", f"/v2.0/ports/{port['id']}", "member", "DELETE").status == 204
    assert own("network", f"/v2.0/networks/{network}", "member", "DELETE").status == 204
    answer = own("network", f"/v2.0/networks/{network}", "member")
    assert answer.json["NeutronError"]["message"] == f"Network {network} could not be found."
    assert own("network", f"/v2.0/subnets/{subnet['id']}", "member").status == 404


def test_security_groups_and_rules(own: Wire) -> None:
    project = own.token("member").project
    assert project is not None
    project.network_quota.update(security_group=100, security_group_rule=500)
    group = post(own, "security-groups", {"name": "ops"}).json["security_group"]
    assert {rule["direction"] for rule in group["security_group_rules"]} == {"egress"}
    ports = {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22}
    body = {"security_group_id": group["id"], "direction": "ingress", **ports}
    rule = post(own, "security-group-rules", body).json["security_group_rule"]
    again = post(own, "security-group-rules", body)
    assert (again.status, again.json["NeutronError"]["type"]) == (409, "SecurityGroupRuleExists")
    shown = own("network", f"/v2.0/security-groups/{group['id']}", "member").json["security_group"]
    assert rule["id"] in [row["id"] for row in shown["security_group_rules"]]
    assert own("network", f"/v2.0/security-group-rules/{rule['id']}", "member", "DELETE").status == 204
    assert own("network", f"/v2.0/security-groups/{group['id']}", "member", "DELETE").status == 204


@pytest.mark.parametrize(
    ("role", "collection", "body", "status", "kind"),
    [
        ("reader", "networks", {"name": "x"}, 403, "PolicyNotAuthorized"),
        ("member", "networks", {"zzz": 1}, 400, "HTTPBadRequest"),
        ("member", "networks", {"shared": True}, 403, "PolicyNotAuthorized"),
        ("member", "networks", {"project_id": "0" * 32}, 400, "HTTPBadRequest"),
        ("member", "subnets", {"network_id": "nope"}, 404, "NetworkNotFound"),
        ("member", "ports", {"network_id": "nope"}, 404, "NetworkNotFound"),
    ],
)
def test_creates_that_are_refused(own: Wire, role: str, collection: str, body: Any, status: int, kind: str) -> None:
    answer = post(own, collection, body, role)
    assert (answer.status, answer.json["NeutronError"]["type"]) == (status, kind)


def test_a_quota_is_kept(own: Wire) -> None:
    project = own.token("member").project
    assert project is not None
    project.network_quota["network"] = len([row for row in own.cloud.state.networks if row.project == project.id])
    answer = post(own, "networks", {"name": "one too many"})
    assert (answer.status, answer.json["NeutronError"]["type"]) == (409, "OverQuota")


def test_quotas(wire: Wire) -> None:
    project = wire.token("member").project_id
    details = wire("network", f"/v2.0/quotas/{project}/details", "member").json["quota"]
    assert details["port"]["used"] == len([row for row in wire.cloud.state.ports if row.project == project])
    assert wire("network", f"/v2.0/quotas/{wire.token('admin').project_id}", "member").status == 403
    assert wire("network", f"/v2.0/quotas/{project}", "system").json["NeutronError"]["type"] == "InvalidScope"


def test_an_agent_that_is_down(wire: Wire) -> None:
    rows = wire("network", "/v2.0/agents").json["agents"]
    dead = [row for row in rows if not row["alive"]]
    assert dead and all(row["heartbeat_timestamp"] < rows[0]["heartbeat_timestamp"] or row is rows[0] for row in dead)
    assert wire("network", "/v2.0/agents?alive=False").json["agents"] == dead


def test_extensions(wire: Wire) -> None:
    aliases = {row["alias"] for row in wire("network", "/v2.0/extensions", "member").json["extensions"]}
    assert {"router", "trunk", "agent", "standard-attr-timestamp", "filter-validation"} <= aliases
    assert wire("network", "/v2.0/extensions/trunk").status == 200
    assert wire("network", "/v2.0/extensions/nope").status == 404
