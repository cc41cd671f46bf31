"""Ports as a restore moves them: addresses, MACs, bindings, marks, pools, what leads to them, and who may do it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.conftest import Cloud
from tests.contract.restoring import (
    act,
    at_rest,
    booted,
    change_port,
    done,
    gone,
    port_now,
    port_of,
    refused,
    show,
)
from tests.contract.wire import Actor, wait_for
from tests.live.projects import Project

MAC = "fa:16:3e:0a:0b:0c"


def post(actor: Actor, path: str, body: dict[str, Any], method: str = "POST") -> Any:
    """The document of a call to Neutron that must succeed."""
    answer = actor("network", f"/v2.0/{path}", method, json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def addresses(port: dict[str, Any]) -> list[str]:
    return [row["ip_address"] for row in port["fixed_ips"]]


def test_a_machine_keeps_its_address_and_mac_while_the_old_one_is_parked(cloud: Cloud, tenant: Project) -> None:
    """The way of REPLACE, there and back."""
    old = port_of(tenant, description="of the old machine")
    id = booted(tenant, "old", networks=[{"port": old["id"]}])["id"]
    # While it is bound nobody changes its MAC; its address can be taken away.
    bound = change_port(cloud.admin, old["id"], mac_address=MAC)
    assert refused(bound) == (409, "PortBound")
    done(tenant, id, "shelve", "SHELVED_OFFLOADED")
    assert change_port(tenant.member, old["id"], fixed_ips=[]).json()["port"]["fixed_ips"] == []
    assert change_port(cloud.admin, old["id"], mac_address=MAC).status_code == 200
    new = port_of(
        tenant, cloud.admin, project_id=tenant.id, mac_address=old["mac_address"], fixed_ips=old["fixed_ips"],
        description="token-1",
    )  # fmt: skip
    assert (new["project_id"], new["mac_address"], new["fixed_ips"]) == (
        tenant.id,
        old["mac_address"],
        old["fixed_ips"],
    )
    (found,) = tenant.member.get("network", "/v2.0/ports?description=token-1")["ports"]
    assert found["id"] == new["id"]
    newcomer = booted(tenant, "new", networks=[{"port": new["id"]}])
    (told,) = [row for rows in newcomer["addresses"].values() for row in rows]
    assert (told["addr"], told["OS-EXT-IPS-MAC:mac_addr"]) == (addresses(old)[0], old["mac_address"])
    # Back again.
    gone(tenant, newcomer["id"])
    assert tenant.member("network", f"/v2.0/ports/{new['id']}", "DELETE").status_code == 204
    given = change_port(cloud.admin, old["id"], mac_address=old["mac_address"], fixed_ips=old["fixed_ips"])
    assert given.status_code == 200, given.text
    after = done(tenant, id, "unshelve", "ACTIVE")
    (told,) = [row for rows in after["addresses"].values() for row in rows]
    assert (told["addr"], told["OS-EXT-IPS-MAC:mac_addr"]) == (addresses(old)[0], old["mac_address"])


def test_a_stopped_machines_port_is_freed_by_hand(cloud: Cloud, tenant: Project) -> None:
    """The second choice, where shelving is forbidden: host and device are cleared by an administrator."""
    port = port_of(tenant)
    id = booted(tenant, networks=[{"port": port["id"]}])["id"]
    done(tenant, id, "os-stop", "SHUTOFF")
    host = port_now(tenant, port["id"])["binding:host_id"]
    cleared = change_port(cloud.admin, port["id"], binding__host_id="", device_id="", device_owner="")
    assert cleared.status_code == 200 and cleared.json()["port"]["status"] == "DOWN", cleared.text
    assert change_port(cloud.admin, port["id"], mac_address=MAC).status_code == 200
    back = change_port(
        cloud.admin, port["id"], device_id=id, device_owner="compute:nova", binding__host_id=host,
    )  # fmt: skip
    now = back.json()["port"]
    assert (now["status"], now["mac_address"], now["device_id"]) == ("ACTIVE", MAC, id)
    assert act(tenant.member, id, "os-start").status_code == 202
    at_rest(tenant, id, "ACTIVE")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"mac_address": MAC}, (403, "PolicyNotAuthorized")),
        ({"binding:host_id": "somewhere"}, (403, "PolicyNotAuthorized")),
        ({"fixed_ips": [{"ip_address": "192.0.2.1"}]}, (400, "InvalidIpForNetwork")),
    ],
)
def test_what_a_member_may_not_say_of_its_own_port(tenant: Project, body: dict[str, Any], expected: Any) -> None:
    answer = tenant.member("network", f"/v2.0/ports/{port_of(tenant)['id']}", "PUT", json={"port": body})
    assert refused(answer) == expected


def test_nothing_is_given_twice_on_a_network(cloud: Cloud, tenant: Project) -> None:
    first = port_of(tenant)
    body: dict[str, Any] = {"network_id": tenant.network_id}
    for more, kind in (
        ({"mac_address": first["mac_address"]}, "MacAddressInUse"),
        ({"fixed_ips": first["fixed_ips"]}, "IpAddressAlreadyAllocated"),
        ({"fixed_ips": [{"ip_address": addresses(first)[0]}]}, "IpAddressAlreadyAllocated"),
    ):
        answer = tenant.member("network", "/v2.0/ports", "POST", json={"port": {**body, **more}})
        assert refused(answer) == (409, kind)
    second = port_of(tenant, mac_address=MAC)
    assert second["mac_address"] == MAC
    assert refused(change_port(tenant.member, second["id"], fixed_ips=first["fixed_ips"])) == (
        409,
        "IpAddressAlreadyAllocated",
    )
    assert refused(change_port(cloud.admin, second["id"], mac_address=first["mac_address"])) == (409, "MacAddressInUse")
    foreign = {"port": {**body, "project_id": cloud.admin.project_id}}
    assert refused(tenant.member("network", "/v2.0/ports", "POST", json=foreign)) == (400, "HTTPBadRequest")


def test_several_addresses_and_none(tenant: Project) -> None:
    subnet = port_of(tenant)["fixed_ips"][0]["subnet_id"]
    wanted = [{"subnet_id": subnet, "ip_address": f"10.99.0.{last}"} for last in (201, 202)]
    port = port_of(tenant, fixed_ips=wanted)
    assert port["fixed_ips"] == wanted
    assert port_of(tenant, fixed_ips=[])["fixed_ips"] == []
    # A subnet without an address keeps the one that is there.
    kept = change_port(tenant.member, port["id"], fixed_ips=[{"subnet_id": subnet}]).json()["port"]
    assert addresses(kept)[0] in ("10.99.0.201", "10.99.0.202") and len(addresses(kept)) == 1


def test_a_second_subnet_of_version_6(tenant: Project) -> None:
    assert tenant.network_id
    body = {"subnet": {"network_id": tenant.network_id, "ip_version": 6, "cidr": "fd00:99::/64"}}
    made = post(tenant.member, "subnets", body)["subnet"]
    assert (made["ip_version"], made["gateway_ip"]) == (6, "fd00:99::")
    assert made["allocation_pools"] == [{"start": "fd00:99::1", "end": "fd00:99::ffff:ffff:ffff:ffff"}]
    port = port_of(tenant)
    assert [":" in one for one in addresses(port)] == [False, True]
    server = booted(tenant, networks=[{"port": port["id"]}])
    told = {row["addr"]: row["version"] for rows in server["addresses"].values() for row in rows}
    assert sorted(told.values()) == [4, 6] and set(told) == set(addresses(port))


def test_a_pool_that_is_used_up(cloud: Cloud, tenant: Project) -> None:
    network = post(tenant.member, "networks", {"network": {"name": "tiny"}})["network"]["id"]
    pool = {"start": "10.77.0.3", "end": "10.77.0.4"}
    subnet = {"network_id": network, "ip_version": 4, "cidr": "10.77.0.0/29", "allocation_pools": [pool]}
    assert post(tenant.member, "subnets", {"subnet": subnet})["subnet"]["allocation_pools"] == [pool]
    body = {"port": {"network_id": network}}
    taken = []
    while (answer := tenant.member("network", "/v2.0/ports", "POST", json=body)).status_code == 201:
        taken.append(answer.json()["port"])
    assert refused(answer) == (409, "IpAddressGenerationFailure") and 1 <= len(taken) <= 2
    # Outside of the pool the owner may still choose, and what is given back is there again.
    chosen = {"port": {"network_id": network, "fixed_ips": [{"ip_address": "10.77.0.6"}]}}
    assert addresses(post(tenant.member, "ports", chosen)["port"]) == ["10.77.0.6"]
    assert tenant.member("network", f"/v2.0/ports/{taken[0]['id']}", "DELETE").status_code == 204
    assert addresses(post(tenant.member, "ports", body)["port"]) == addresses(taken[0])
    counted = cloud.admin.get("network", f"/v2.0/network-ip-availabilities/{network}")["network_ip_availability"]
    assert counted["total_ips"] == 2
    assert tenant.member("network", f"/v2.0/network-ip-availabilities/{network}").status_code == 404


def test_no_room_for_ports(cloud: Cloud, tenant: Project) -> None:
    assert tenant.network_id
    used = cloud.admin.get("network", f"/v2.0/quotas/{tenant.id}/details")["quota"]["port"]["used"]
    quota = {"quota": {"port": used}}
    assert cloud.admin("network", f"/v2.0/quotas/{tenant.id}", "PUT", json=quota).status_code == 200
    body = {"port": {"network_id": tenant.network_id}}
    assert refused(tenant.member("network", "/v2.0/ports", "POST", json=body)) == (409, "OverQuota")
    assert tenant.member("network", f"/v2.0/quotas/{tenant.id}", "PUT", json=quota).status_code == 403


def test_pairs_and_port_security(tenant: Project) -> None:
    pairs = [{"ip_address": "10.99.0.240", "mac_address": MAC}]
    port = port_of(tenant, allowed_address_pairs=pairs)
    assert port["allowed_address_pairs"] == pairs
    open_port = change_port(tenant.member, port["id"], port_security_enabled=False)
    assert refused(open_port) == (409, "AddressPairAndPortSecurityRequired")
    open_port = change_port(
        tenant.member, port["id"], port_security_enabled=False, security_groups=[], allowed_address_pairs=[]
    )
    now = open_port.json()["port"]
    assert (now["port_security_enabled"], now["security_groups"], now["allowed_address_pairs"]) == (False, [], [])
    nowhere = change_port(tenant.member, port_of(tenant)["id"], security_groups=[port["id"]])
    assert refused(nowhere) == (404, "SecurityGroupNotFound")
    shut = change_port(tenant.member, port["id"], security_groups=port["security_groups"])
    assert refused(shut) == (400, "PortSecurityAndIPRequiredForSecurityGroups")


def test_marks_of_a_port(tenant: Project) -> None:
    # Tags are not taken by the call that makes it, and nothing says so.
    port = port_of(tenant, tags=["first"])
    assert port["tags"] == []
    path = f"/v2.0/ports/{port['id']}"
    assert tenant.member("network", f"{path}/tags/qdeck-1", "PUT").status_code == 201
    assert tenant.member.get("network", f"{path}/tags")["tags"] == ["qdeck-1"]
    assert tenant.member("network", f"{path}/tags/qdeck-1").status_code == 204
    (found,) = tenant.member.get("network", "/v2.0/ports?tags=qdeck-1&fields=id")["ports"]
    assert found == {"id": port["id"]}
    assert tenant.member("network", f"{path}/tags/qdeck-1", "DELETE").status_code == 204
    assert refused(tenant.member("network", f"{path}/tags/qdeck-1")) == (404, "TagNotFound")
    assert tenant.member.get("network", "/v2.0/ports?tags=qdeck-1")["ports"] == []


def test_a_floating_ip_is_pointed_at_another_port(cloud: Cloud, tenant: Project) -> None:
    external = cloud.admin.get("network", "/v2.0/networks?router:external=true")["networks"][0]["id"]
    first, second = port_of(tenant), port_of(tenant)
    body = {"router": {"name": "way-out", "external_gateway_info": {"network_id": external}}}
    router = post(tenant.member, "routers", body)["router"]["id"]
    subnet = first["fixed_ips"][0]["subnet_id"]
    post(tenant.member, f"routers/{router}/add_router_interface", {"subnet_id": subnet}, "PUT")
    body = {"floatingip": {"floating_network_id": external, "port_id": first["id"]}}
    floating = post(tenant.member, "floatingips", body)["floatingip"]
    assert (floating["fixed_ip_address"], floating["router_id"]) == (addresses(first)[0], router)
    # The address that it leads to cannot be taken away under it.
    assert refused(change_port(tenant.member, first["id"], fixed_ips=[])) == (400, "BadRequest")
    path = f"floatingips/{floating['id']}"
    moved = post(tenant.member, path, {"floatingip": {"port_id": second["id"]}}, "PUT")["floatingip"]
    assert (moved["port_id"], moved["fixed_ip_address"]) == (second["id"], addresses(second)[0])
    assert moved["floating_ip_address"] == floating["floating_ip_address"]
    wrong = {"floatingip": {"port_id": second["id"], "fixed_ip_address": "10.99.0.250"}}
    assert refused(tenant.member("network", f"/v2.0/{path}", "PUT", json=wrong)) == (400, "BadRequest")
    assert change_port(tenant.member, first["id"], fixed_ips=[]).status_code == 200
    free = post(tenant.member, path, {"floatingip": {"port_id": None}}, "PUT")["floatingip"]
    assert (free["port_id"], free["fixed_ip_address"], free["router_id"]) == (None, None, None)


def test_a_trunk_holds_its_ports(tenant: Project) -> None:
    parent, child = port_of(tenant), port_of(tenant)
    sub = {"port_id": child["id"], "segmentation_type": "vlan", "segmentation_id": 10}
    trunk = post(tenant.member, "trunks", {"trunk": {"port_id": parent["id"], "name": "t", "sub_ports": [sub]}})[
        "trunk"
    ]
    assert trunk["sub_ports"] == [sub]
    delete = tenant.member("network", f"/v2.0/ports/{parent['id']}", "DELETE")
    assert refused(delete) == (409, "PortInUseAsTrunkParent")
    path = f"trunks/{trunk['id']}"
    emptied = post(tenant.member, f"{path}/remove_subports", {"sub_ports": [{"port_id": child["id"]}]}, "PUT")
    assert emptied["sub_ports"] == []
    assert post(tenant.member, f"{path}/add_subports", {"sub_ports": [sub]}, "PUT")["sub_ports"] == [sub]


def test_cards_come_and_go(tenant: Project) -> None:
    given = port_of(tenant)
    id = booted(tenant)["id"]
    path = f"/servers/{id}/os-interface"
    for body in ({"port_id": given["id"], "tag": "t"}, {"net_id": tenant.network_id}):
        answer = tenant.member("compute", path, "POST", version="2.100", json={"interfaceAttachment": body})
        assert answer.status_code == 200, answer.text
    cards = {row["port_id"]: row["tag"] for row in tenant.member.get("compute", path, "2.100")["interfaceAttachments"]}
    (made,) = set(cards) - {given["id"]}
    assert cards == {given["id"]: "t", made: None}
    for port in (given["id"], made):
        assert tenant.member("compute", f"{path}/{port}", "DELETE", version="2.100").status_code == 202

        def status(port: str = port) -> int:
            return tenant.member("compute", f"{path}/{port}", version="2.100").status_code

        wait_for(status, lambda now: now == 404)
    left = wait_for(lambda: port_now(tenant, given["id"]), lambda now: now["device_id"] == "")
    assert left["fixed_ips"] == given["fixed_ips"]
    wait_for(lambda: tenant.admin("network", f"/v2.0/ports/{made}").status_code, lambda now: now == 404)
    assert show(tenant.member, id)["addresses"] == {}
