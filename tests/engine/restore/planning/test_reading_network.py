"""Ports, networks and what points at a machine."""

from __future__ import annotations

from typing import Any

import pytest

from engine.clouds.errors import CloudError
from engine.gate.refusals import NotDone
from engine.restore.models import Machine
from engine.restore.planning import reading_network as network
from tests.engine.restore.planning.clouds import Cloud, refused

MAC, OTHER = "fa:16:3e:00:00:01", "fa:16:3e:00:00:02"
NETWORK = {"id": "n1", "name": "app", "project_id": "p1"}
SHARED = {"id": "n2", "name": "backbone", "project_id": "p9", "shared": True}
SUBNET = {"id": "s1", "network_id": "n1", "cidr": "10.0.0.0/24", "gateway_ip": "10.0.0.1", "ip_version": 4,
          "allocation_pools": [{"start": "10.0.0.2", "end": "10.0.0.20"}]}  # fmt: skip


def port(id: str = "q1", mac: str = MAC, *addresses: str, **more: Any) -> dict[str, Any]:
    fixed = [{"subnet_id": "s1", "ip_address": one} for one in addresses]
    return {
        "id": id,
        "network_id": "n1",
        "mac_address": mac,
        "fixed_ips": fixed,
        "device_owner": "compute:nova",
        **more,
    }


def machine(**more: Any) -> Machine:
    return Machine(("east", "r1", "m1"), "web-1", "p1", **more)


def seen(*ports: dict[str, Any], others: Any = (), networks: Any = (NETWORK,), **more: Any) -> network.Seen:
    return network.Seen(ports, {one["id"]: one for one in networks}, [SUBNET], others={"n1": others}, **more)


def test_ports_stand_in_the_order_of_the_machines_addresses() -> None:
    server = {"addresses": {"b": [{"OS-EXT-IPS-MAC:mac_addr": OTHER.upper()}], "a": [{"OS-EXT-IPS-MAC:mac_addr": MAC}]}}
    ports = [port("q1", MAC), port("q0", "fa:16:3e:00:00:09"), port("q2", OTHER)]
    assert [one["id"] for one in network.in_order(ports, server)] == ["q2", "q1", "q0"]
    assert [one["id"] for one in network.in_order(ports, {"addresses": "x"})] == ["q1", "q0", "q2"]


def test_a_nic_has_all_that_its_successor_needs() -> None:
    document = port(
        "q1", MAC, "10.0.0.5", "10.0.0.6", name="web", description="d", security_groups=["g1"],
        port_security_enabled=False, admin_state_up=False, qos_policy_id="qos", dns_name="web", tags=["t"],
        allowed_address_pairs=[
            {"ip_address": "10.0.0.99", "mac_address": MAC}, {"ip_address": "192.0.2.0/28", "mac_address": OTHER},
        ],
        extra_dhcp_opts=[{"opt_name": "mtu", "opt_value": "1400", "ip_version": 4, "id": "x"}],
        trunk_details={"trunk_id": "t1", "sub_ports": [{"port_id": "q7"}]},
        **{"binding:vnic_type": "direct"},
    )  # fmt: skip
    floating = [
        {"id": "f1", "port_id": "q1", "floating_ip_address": "198.18.0.7", "fixed_ip_address": "10.0.0.5"},
        {"id": "f2", "port_id": "q9", "floating_ip_address": "198.18.0.8"},
    ]
    (nic,) = network.nics_of(seen(document, floating=floating), "p1")
    assert (nic.port_id, nic.network_id, nic.network_name, nic.own_network) == ("q1", "n1", "app", True)
    assert [one.address for one in nic.fixed] == ["10.0.0.5", "10.0.0.6"]
    assert (nic.port_security, nic.admin_state_up, nic.vnic_type, nic.trunk_id) == (False, False, "direct", "t1")
    assert (nic.qos_policy_id, nic.dns_name, nic.tags, nic.security_groups) == ("qos", "web", ("t",), ("g1",))
    # A pair with the port's own MAC follows the port: it is not tied to the old one.
    pairs = ({"ip_address": "10.0.0.99"}, {"ip_address": "192.0.2.0/28", "mac_address": OTHER})
    assert nic.allowed_address_pairs == pairs
    assert nic.extra_dhcp_opts == ({"opt_name": "mtu", "opt_value": "1400", "ip_version": 4},)
    assert [(one.id, one.address, one.fixed_address) for one in nic.floating] == [("f1", "198.18.0.7", "10.0.0.5")]


def test_a_port_that_says_little_is_an_ordinary_one() -> None:
    (nic,) = network.nics_of(seen({"id": "q1", "network_id": "n2"}, networks=(SHARED,)), "p1")
    assert (nic.port_security, nic.admin_state_up, nic.vnic_type, nic.own_network) == (True, True, "normal", False)


@pytest.mark.parametrize(
    ("document", "admin", "known"), [(NETWORK, False, True), (SHARED, True, True), (SHARED, False, False)]
)
def test_addresses_are_known_to_an_administrator_and_to_the_owner(document: Any, admin: bool, known: bool) -> None:
    found = network.Seen((), {document["id"]: document}, [{**SUBNET, "network_id": document["id"]}],
                         others={document["id"]: []})  # fmt: skip
    (answer,) = network.addresses_of(found, "p1", admin=admin).values()
    assert answer.known is known
    assert bool(answer.subnets[0].free) is known
    assert known or "without an administrator" in answer.why


# References


def test_what_points_at_a_machine_is_named() -> None:
    own = port("q1", MAC, "10.0.0.5", name="web", dns_name="web-1",
               trunk_details={"trunk_id": "t1", "sub_ports": [{}, {}]})  # fmt: skip
    others = [
        own,
        port("q2", OTHER, "10.0.0.6", name="peer", allowed_address_pairs=[{"ip_address": "10.0.0.5/32"}]),
        port("q3", OTHER, "10.0.0.7", name="wide", allowed_address_pairs=[{"ip_address": "10.0.0.0/24"}]),
    ]
    one = machine(
        group_id="g1", group_name="apart", group_policy="anti-affinity", tags=("managed-by:x", "web"),
        metadata={"metering.stack": "7", "owner": "theatre", "role": "k8s-worker"},
    )  # fmt: skip
    everything = seen(own, others=others)
    found = " | ".join(network.references_of(one, network.nics_of(everything, "p1"), everything))
    for word in ("trunk t1", "2 sub-ports", "DNS name web-1", "port peer may use the address 10.0.0.5", "apart",
                 "metering.stack=7", "role=k8s-worker", "managed-by:x"):  # fmt: skip
        assert word in found
    assert "wide" not in found
    assert "theatre" not in found


def test_a_machine_that_nothing_points_at_has_no_references() -> None:
    everything = seen(port("q1", MAC, "10.0.0.5"), others="it said no")
    assert network.references_of(machine(), network.nics_of(everything, "p1"), everything) == ()


def test_members_of_load_balancers_are_found_by_their_address() -> None:
    cloud = Cloud()
    cloud.put("load-balancer", "/v2/lbaas/pools", {"pools": [{"id": "b1", "name": "front"}, {"id": "b2"}]})
    members = {"members": [{"address": "10.0.0.5"}, {"address": "10.0.0.99"}, {"address": None}]}
    cloud.put("load-balancer", "/v2/lbaas/pools/b1/members", members)
    cloud.put("load-balancer", "/v2/lbaas/pools/b2/members", refused())
    balancers = network.LoadBalancers(cloud.asking(), "p1")
    nics = network.nics_of(seen(port("q1", MAC, "10.0.0.5")), "p1")
    assert balancers.references(balancers.begin(), nics) == [
        "the load balancer pool front has the address 10.0.0.5 as a member"
    ]


def test_a_cloud_without_load_balancers_is_not_asked_twice() -> None:
    cloud = Cloud()
    balancers = network.LoadBalancers(cloud.asking(), "p1")
    assert balancers.references(balancers.begin(), ()) == []
    assert cloud.paths("load-balancer") == ["/v2/lbaas/pools"]


# Questions


def test_networks_are_asked_for_at_once_and_every_ports_page_is_read() -> None:
    cloud = Cloud()

    def ports(query: dict[str, str]) -> Any:
        if "marker" not in query:
            return {"ports": [port("a", OTHER, "10.0.0.2")], "ports_links": [{"rel": "next", "href": "x"}]}
        assert query["marker"] == "a"
        return {"ports": [port("b", OTHER, "10.0.0.3")], "ports_links": [{"rel": "previous"}]}

    cloud.put("network", "/networks", {"networks": [NETWORK]})
    cloud.put("network", "/subnets", {"subnets": [SUBNET]})
    cloud.put("network", "/ports", ports)
    found = network.NetworkReading(cloud.asking(), [port("q1", MAC, "10.0.0.5")], ["n1"]).done()
    answer = network.addresses_of(found, "p1", admin=True)["n1"]
    assert answer.used == {"10.0.0.1", "10.0.0.2", "10.0.0.3"}
    assert sorted(cloud.paths("network")) == ["/floatingips", "/networks", "/ports", "/ports", "/subnets"]


def test_ports_that_cannot_be_read_leave_nothing_free_and_networks_that_cannot_stop_it() -> None:
    cloud = Cloud()
    cloud.put("network", "/networks", {"networks": [NETWORK]})
    cloud.put("network", "/subnets", {"subnets": [SUBNET]})
    cloud.put("network", "/ports", refused(503))
    found = network.NetworkReading(cloud.asking(), [port()]).done()
    answer = network.addresses_of(found, "p1", admin=True)["n1"]
    assert (answer.known, answer.subnets[0].free) == (False, ())
    assert "503" in answer.why
    cloud.put("network", "/networks", CloudError("timeout", "no answer"))
    with pytest.raises(CloudError):
        network.NetworkReading(cloud.asking(), [port()]).done()


def test_a_listing_without_an_end_is_not_taken_for_a_whole_one() -> None:
    cloud = Cloud()
    cloud.put("network", "/ports", {"ports": [port()], "ports_links": [{"rel": "next"}]})
    with pytest.raises(NotDone, match="more ports than are read"):
        network.ports_of(cloud.asking(), "m1")


def test_only_ports_of_machines_are_the_machines() -> None:
    cloud = Cloud()
    cloud.put("network", "/ports", {"ports": [port(), port("q2", device_owner="network:dhcp")]})
    assert [one["id"] for one in network.ports_of(cloud.asking(), "m1")] == ["q1"]


@pytest.mark.parametrize(
    ("document", "members", "may"),
    [
        (NETWORK, (), True),
        (SHARED, (), True),
        ({**SHARED, "shared": False, "router:external": True}, (), True),
        # Shared with this project alone: its own token sees it, an administrator's sees everything.
        ({**SHARED, "shared": False}, ("p1",), True),
        ({**SHARED, "shared": False}, (), False),
        (None, ("p1",), False),
    ],
)
def test_a_network_is_usable_for_its_owner_and_for_whom_it_is_shared_with(
    document: Any, members: tuple[str, ...], may: bool
) -> None:
    cloud = Cloud(members=members)
    cloud.put("network", "/networks/n2", None if document is None else {"network": document})
    assert network.may_use(cloud.asking(), "n2") is may


def test_security_groups_are_the_project_s_own_or_shared_with_it() -> None:
    cloud = Cloud()
    for id, project, shared in (("own", "p1", False), ("theirs", "p2", False), ("shared", "p2", True)):
        cloud.put("network", f"/security-groups/{id}", {"security_group": {"project_id": project, "shared": shared}})
    assert network.no_groups(cloud.asking(), ["own", "theirs", "shared", "gone"]) == ("theirs", "gone")
