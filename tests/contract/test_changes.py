"""The administrator's changes: flavors, networks, security groups and rules; what is refused, and in which words."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.conftest import Cloud
from tests.contract.wire import error_of, wait_for
from tests.live.projects import COMPUTE, Project

FLAVORS = "2.87"


def body(name: str, **more: Any) -> dict[str, Any]:
    return {"flavor": {"name": name, "vcpus": 1, "ram": 64, "disk": 0, **more}}


@pytest.fixture
def flavor(cloud: Cloud) -> Iterator[dict[str, Any]]:
    """A private flavor of the test's own."""
    name = f"contract-{secrets.token_hex(4)}"
    sent = body(name, id=name, swap=32, **{"OS-FLV-EXT-DATA:ephemeral": 1, "os-flavor-access:is_public": False})
    answer = cloud.admin("compute", "/flavors", "POST", json=sent, version=FLAVORS)
    assert answer.status_code == 200, answer.text
    yield answer.json()["flavor"]
    cloud.admin("compute", f"/flavors/{name}", "DELETE", version=FLAVORS)


def test_a_flavor_is_made(cloud: Cloud, flavor: dict[str, Any]) -> None:
    assert (flavor["vcpus"], flavor["ram"], flavor["disk"], flavor["swap"]) == (1, 64, 0, 32)
    assert flavor["OS-FLV-EXT-DATA:ephemeral"] == 1
    assert (flavor["os-flavor-access:is_public"], flavor["OS-FLV-DISABLED:disabled"]) == (False, False)
    assert (flavor["extra_specs"], flavor["description"], flavor["rxtx_factor"]) == ({}, None, 1.0)
    path = f"/flavors/{flavor['id']}"
    assert cloud.admin.get("compute", path, FLAVORS)["flavor"] == flavor
    # Private, and given to nobody.
    assert cloud.member("compute", path, version=FLAVORS).status_code == 404


def test_neither_id_nor_name_of_a_flavor_is_used_twice(cloud: Cloud, flavor: dict[str, Any]) -> None:
    same_id = cloud.admin("compute", "/flavors", "POST", json=body("x", id=flavor["id"]), version=FLAVORS)
    assert same_id.status_code == 409
    assert error_of(same_id) == ("conflictingRequest", f"Flavor with ID {flavor['id']} already exists.")
    same_name = cloud.admin("compute", "/flavors", "POST", json=body(flavor["name"]), version=FLAVORS)
    assert same_name.status_code == 409
    assert error_of(same_name) == ("conflictingRequest", f"Flavor with name {flavor['name']} already exists.")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("vcpus", 0, "0 is less than the minimum of 1"),
        ("ram", 0, "0 is less than the minimum of 1"),
        ("disk", -1, "-1"),
        ("id", "no/slash", "no/slash"),
        ("bogus", 1, "Additional properties are not allowed ('bogus' was unexpected)"),
    ],
)
def test_flavors_that_are_none(cloud: Cloud, field: str, value: Any, words: str) -> None:
    answer = cloud.admin("compute", "/flavors", "POST", json=body("never", **{field: value}), version=FLAVORS)
    assert answer.status_code == 400
    assert error_of(answer)[0] == "badRequest"
    assert words in error_of(answer)[1]


def test_only_administrators_change_flavors(cloud: Cloud, flavor: dict[str, Any]) -> None:
    made = cloud.member("compute", "/flavors", "POST", json=body("never"), version=FLAVORS)
    gone = cloud.member("compute", f"/flavors/{flavor['id']}", "DELETE", version=FLAVORS)
    for answer, rule in ((made, "create"), (gone, "delete")):
        assert answer.status_code == 403
        assert error_of(answer)[1] == f"Policy doesn't allow os_compute_api:os-flavor-manage:{rule} to be performed."


def test_a_deleted_flavor_is_gone(cloud: Cloud, flavor: dict[str, Any]) -> None:
    path = f"/flavors/{flavor['id']}"
    assert cloud.admin("compute", path, "DELETE", version=FLAVORS).status_code == 202
    again = cloud.admin("compute", path, "DELETE", version=FLAVORS)
    assert again.status_code == 404
    assert error_of(again) == ("itemNotFound", f"Flavor {flavor['id']} could not be found.")


@pytest.mark.parametrize(
    ("kind", "physical", "status", "words"),
    [
        ("flat", "nope", 400, "physical_network 'nope' unknown for flat provider network."),
        ("vlan", "nope", 400, "physical_network 'nope' unknown for VLAN provider network."),
        ("vxlan", "physnet1", 400, "provider:physical_network specified for vxlan network"),
        ("vxlan", None, 201, ""),
    ],
)
def test_provider_networks(
    cloud: Cloud, tenant: Project, kind: str, physical: str | None, status: int, words: str
) -> None:
    sent = {"name": "carried", "project_id": tenant.id, "provider:network_type": kind}
    if physical:
        sent["provider:physical_network"] = physical
    answer = cloud.admin("network", "/v2.0/networks", "POST", json={"network": sent})
    assert answer.status_code == status, answer.text
    if status == 201:
        made = answer.json()["network"]
        assert (made["project_id"], made["provider:network_type"]) == (tenant.id, kind)
        assert made["provider:segmentation_id"]
    else:
        assert words in error_of(answer)[1]


def test_a_network_is_found_by_its_description(cloud: Cloud, tenant: Project) -> None:
    words = "for web (CHG1: why) [qdeck 0123456789ab]"
    sent = {"network": {"name": "marked", "project_id": tenant.id, "description": words}}
    made = cloud.admin("network", "/v2.0/networks", "POST", json=sent)
    assert made.status_code == 201
    query = "description=for%20web%20(CHG1:%20why)%20[qdeck%200123456789ab]&fields=id&limit=1"
    assert cloud.admin.get("network", f"/v2.0/networks?{query}")["networks"] == [{"id": made.json()["network"]["id"]}]


def test_a_network_in_use_stays(cloud: Cloud, tenant: Project) -> None:
    network = tenant.network_id
    tenant.create("network", "/v2.0/ports", {"port": {"network_id": network}})
    answer = cloud.admin("network", f"/v2.0/networks/{network}", "DELETE")
    assert answer.status_code == 409
    assert neutron(answer)[0] == "NetworkInUse"


# Security groups


@pytest.fixture
def group(tenant: Project) -> dict[str, Any]:
    """A security group in the tenant's project."""
    made = tenant.create("network", "/v2.0/security-groups", {"security_group": {"name": "web", "description": "d"}})
    return dict(made["security_group"])


def add_rule(cloud: Cloud, group: dict[str, Any], **more: Any) -> Any:
    rule = {"security_group_id": group["id"], "direction": "ingress", "ethertype": "IPv4", **more}
    return cloud.admin("network", "/v2.0/security-group-rules", "POST", json={"security_group_rule": rule})


HTTPS = {"protocol": "tcp", "port_range_min": 443, "port_range_max": 443}


def neutron(answer: Any) -> tuple[str, str]:
    """(type, message) of Neutron's error."""
    error = answer.json()["NeutronError"]
    return str(error["type"]), str(error["message"])


def test_a_rule_belongs_to_whom_it_is_made_for(cloud: Cloud, tenant: Project, group: dict[str, Any]) -> None:
    made = add_rule(cloud, group, **HTTPS, project_id=tenant.id, description="Allow HTTPS").json()[
        "security_group_rule"
    ]
    assert (made["project_id"], made["tenant_id"], made["description"]) == (tenant.id, tenant.id, "Allow HTTPS")
    assert (made["remote_ip_prefix"], made["remote_group_id"]) == (None, None)
    seen = tenant.reader.get("network", f"/v2.0/security-groups/{group['id']}")["security_group"]
    assert made["id"] in {rule["id"] for rule in seen["security_group_rules"]}
    answer = cloud.admin("network", f"/v2.0/security-group-rules/{made['id']}", "DELETE")
    assert answer.status_code == 204


@pytest.mark.parametrize(
    "twin",
    [HTTPS, {**HTTPS, "remote_ip_prefix": "0.0.0.0/0"}, {**HTTPS, "protocol": "6"}],
    ids=["same", "any", "number"],
)
def test_the_same_rule_is_refused(cloud: Cloud, group: dict[str, Any], twin: dict[str, Any]) -> None:
    first = add_rule(cloud, group, **HTTPS)
    assert first.status_code == 201
    again = add_rule(cloud, group, **twin)
    assert again.status_code == 409
    id = first.json()["security_group_rule"]["id"]
    assert neutron(again) == ("SecurityGroupRuleExists", f"Security group rule already exists. Rule id is {id}.")


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"protocol": "bogus"}, "SecurityGroupRuleInvalidProtocol"),
        ({"protocol": "tcp", "port_range_min": 9, "port_range_max": 2}, "SecurityGroupInvalidPortRange"),
        ({"protocol": "tcp", "port_range_min": 9}, "SecurityGroupInvalidPortRange"),
        ({"protocol": "tcp", "port_range_min": 0, "port_range_max": 2}, "SecurityGroupInvalidPortValue"),
        ({"protocol": "gre", "port_range_min": 1, "port_range_max": 2}, "SecurityGroupInvalidProtocolForPort"),
        ({"protocol": "icmp", "port_range_max": 2}, "SecurityGroupMissingIcmpType"),
        ({"protocol": "icmpv6"}, "SecurityGroupEthertypeConflictWithProtocol"),
        ({"remote_ip_prefix": "fe80::/64"}, "SecurityGroupRuleParameterConflict"),
    ],
)
def test_rules_that_are_none(cloud: Cloud, group: dict[str, Any], fields: dict[str, Any], name: str) -> None:
    answer = add_rule(cloud, group, **fields)
    assert (answer.status_code, neutron(answer)[0]) == (400, name), answer.text


def test_who_uses_a_group_is_asked_of_its_ports_and_rules(cloud: Cloud, tenant: Project, group: dict[str, Any]) -> None:
    port = {"network_id": tenant.network_id, "security_groups": [group["id"]]}
    made = tenant.create("network", "/v2.0/ports", {"port": port})["port"]
    tenant.create("network", "/v2.0/ports", {"port": {"network_id": tenant.network_id}})
    path = f"/v2.0/ports?security_groups={group['id']}&fields=id"
    assert cloud.admin.get("network", path)["ports"] == [{"id": made["id"]}]
    other = tenant.create("network", "/v2.0/security-groups", {"security_group": {"name": "db"}})["security_group"]
    rule = add_rule(cloud, other, remote_group_id=group["id"]).json()["security_group_rule"]
    path = f"/v2.0/security-group-rules?remote_group_id={group['id']}"
    assert [row["id"] for row in cloud.admin.get("network", path)["security_group_rules"]] == [rule["id"]]
    assert cloud.admin("network", f"/v2.0/security-groups/{group['id']}", "DELETE").status_code == 409
    # Without its port it goes, and takes the other group's rule along.
    tenant.delete("network", f"/v2.0/ports/{made['id']}")
    assert cloud.admin("network", f"/v2.0/security-groups/{group['id']}", "DELETE").status_code == 204
    assert cloud.admin("network", f"/v2.0/security-group-rules/{rule['id']}").status_code == 404


# Machines


def test_a_machine_that_is_off_is_only_rebooted_hard(tenant: Project) -> None:
    server = tenant.server()
    path = f"/servers/{server['id']}"

    def act(action: dict[str, Any]) -> Any:
        return tenant.member("compute", f"{path}/action", "POST", json=action, version=COMPUTE)

    def settled(status: str) -> None:
        wait_for(
            lambda: tenant.member.get("compute", path, COMPUTE)["server"],
            lambda now: (now["status"], now["OS-EXT-STS:task_state"]) == (status, None),
            120,
        )

    assert act({"reboot": {"type": "SOFT"}}).status_code == 202
    # The task is set before the answer: without one, it is over.
    assert tenant.member.get("compute", path, COMPUTE)["server"]["OS-EXT-STS:task_state"] is not None
    settled("ACTIVE")
    assert act({"os-stop": None}).status_code == 202
    assert tenant.member.get("compute", path, COMPUTE)["server"]["OS-EXT-STS:task_state"] is not None
    settled("SHUTOFF")
    refused = act({"reboot": {"type": "SOFT"}})
    assert refused.status_code == 409
    assert error_of(refused)[1] == f"Cannot 'reboot' instance {server['id']} while it is in vm_state stopped"
    assert act({"reboot": {"type": "HARD"}}).status_code == 202
    settled("ACTIVE")
