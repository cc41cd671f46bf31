"""Which addresses the new ports ask for, by strategy, and what is refused when the restore is planned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.restore.models import FixedIp, Plan
from engine.restore.planning.facts import Facts, NetworkAddresses, Rights, Subnet
from engine.restore.planning.networks import check, expected, made_of_mac
from tests.engine.restore.planning.given import facts, floating, machine, network, nic, plan

MEMBER = Rights(admin=False, key="own")
UNKNOWN = {"net1": network(known=False, why="foreign ports may not be seen")}
GONE = machine(gone=True, status="DELETED", vm_state="deleted", host="", host_status="")
MAC = "fa:16:3e:00:00:00"
SLAAC = "2001:db8::f816:3eff:fe00:0"
SIX = Subnet("sub6", "private6", "2001:db8::/64", "2001:db8::1", 6, automatic=True)
OTHER = NetworkAddresses("net2", "spare", subnets=(Subnet("sub2", "spare4", "10.2.0.0/24", "10.2.0.1"),))


def asked(found: Plan) -> list[list[str]]:
    """Per port: "address@subnet"."""
    return [[f"{one.address}@{one.subnet_id}" for one in port.wanted] for port in found.nics]


@pytest.mark.parametrize("way", ["NEW", "REPLACE"])
def test_new_addresses_come_from_the_same_subnets(way: Any) -> None:
    two = nic(fixed=(FixedIp("10.0.0.5", "sub1"), FixedIp("10.0.0.6", "sub1"), FixedIp("10.9.0.1", "gone")))
    found = plan(facts(nics=(two,)), way=way)
    assert asked(found) == [["@sub1", "@sub1"]]  # one port, however many addresses
    assert (found.nics[0].keep_mac, found.nics[0].fall_back) == (False, False)


def test_the_same_addresses_and_macs_in_a_replace() -> None:
    ports = (
        nic(1, security_groups=("sg2",)),
        nic(0, name="eth0", allowed_address_pairs=({"ip_address": "10.0.0.99"},)),
    )
    found = plan(facts(nics=ports), way="REPLACE", ip_strategy="SAME_IPS_OR_FAIL")
    assert found.eligible, found.problems
    assert asked(found) == [["10.0.0.5@sub1"], ["10.0.0.6@sub1"]]
    assert [port.keep_mac for port in found.nics] == [True, True]
    assert not any(port.fall_back for port in found.nics)
    assert found.nics[0].name == "eth0"  # what the port had comes along
    assert found.nics[0].allowed_address_pairs == ports[1].allowed_address_pairs
    assert found.nics[1].security_groups == ("sg2",)


def test_without_an_administrator_the_mac_changes_and_is_said_to() -> None:
    found = plan(facts(rights=MEMBER), way="REPLACE", ip_strategy="TRY_SAME_IPS")
    assert asked(found) == [["10.0.0.5@sub1"]]
    assert (found.nics[0].keep_mac, found.nics[0].fall_back) == (False, True)
    assert "only an administrator can keep it" in found.nics[0].note
    assert "nic.0.mac" in [one.field for one in found.differs]


@pytest.mark.parametrize(
    ("known", "way", "why"),
    [
        (facts(networks=UNKNOWN), "REPLACE", "foreign ports may not be seen"),
        (facts(networks={}), "REPLACE", "its addresses could not be read"),
        (facts(), "NEW", "the old machine has them"),
        (facts(machine=GONE), "NEW", "10.0.0.5 is used by something else now"),
        (facts(networks={"net1": network(subnets=())}), "REPLACE", "the subnet of 10.0.0.5 does not exist any more"),
    ],
)
def test_where_the_same_cannot_be_had_one_strategy_fails_and_the_other_goes_on(
    known: Facts, way: Any, why: str
) -> None:
    must = plan(known, way=way, ip_strategy="SAME_IPS_OR_FAIL")
    assert any("cannot get the same addresses" in text and why in text for text in must.problems)
    tried = plan(known, way=way, ip_strategy="TRY_SAME_IPS")
    assert tried.eligible, tried.problems
    assert not any(one.address for port in tried.nics for one in port.wanted)
    assert any(why in text for text in tried.warnings)


def test_a_deleted_machine_gets_its_addresses_again_where_they_are_free() -> None:
    free = {"net1": network(used=frozenset({"10.0.0.1"}))}
    found = plan(facts(machine=GONE, networks=free), ip_strategy="SAME_IPS_OR_FAIL")
    assert found.eligible, found.problems
    assert asked(found) == [["10.0.0.5@sub1"]]


def test_addresses_that_follow_from_the_mac_are_kept_with_it_or_not_at_all() -> None:
    port = nic(mac=MAC, fixed=(FixedIp("10.0.0.5", "sub1"), FixedIp(SLAAC, "sub6")))
    networks = {"net1": network(subnets=(*network().subnets, SIX))}
    found = plan(facts(nics=(port,), networks=networks), way="REPLACE", ip_strategy="SAME_IPS_OR_FAIL")
    assert found.eligible, found.problems
    assert asked(found) == [["10.0.0.5@sub1", "@sub6"]]
    assert expected(found.nics[0]) == ("10.0.0.5", SLAAC)
    assert "nic.0.fixed" not in [one.field for one in found.differs]
    member = facts(nics=(port,), networks=networks, rights=MEMBER)
    refused = plan(member, way="REPLACE", ip_strategy="SAME_IPS_OR_FAIL")
    assert any("follows from the MAC address" in text for text in refused.problems)


@pytest.mark.parametrize(
    ("address", "mac", "made"),
    [(SLAAC, MAC, True), ("2001:db8::5", MAC, False), ("10.0.0.5", MAC, False), (SLAAC, "", False), ("x", MAC, False)],
)
def test_which_addresses_are_made_of_the_mac(address: str, mac: str, made: bool) -> None:
    assert made_of_mac(address, mac) is made


# By hand


def test_a_chosen_address_and_the_rest_automatic() -> None:
    known = facts(nics=(nic(0), nic(1)), networks={"net1": network()})
    found = plan(known, ip_strategy="MANUAL_IP", manual_ips={"net1": "10.0.0.77"})
    assert found.eligible, found.problems
    assert asked(found) == [["10.0.0.77@sub1"], ["@sub1"]]  # the first port of the network gets it


def test_a_chosen_address_that_the_old_machine_has_moves_in_a_replace_only() -> None:
    found = plan(way="REPLACE", ip_strategy="MANUAL_IP", manual_ips={"net1": "10.0.0.5"})
    assert found.eligible, found.problems
    assert found.nics[0].keep_mac
    assert "MOVE_ADDRESSES" in [step.name for step in found.steps]
    beside = plan(ip_strategy="MANUAL_IP", manual_ips={"net1": "10.0.0.5"})
    assert any("it is in use" in text for text in beside.problems)


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("10.0.0.50", ""),
        ("10.0.0.200", ""),  # outside the pools, but nobody's
        ("10.0.0.9", "in use"),
        ("10.0.0.1", "gateway"),
        ("10.0.0.0", "network or broadcast"),
        ("10.0.0.255", "network or broadcast"),
        ("192.0.2.1", "none of the subnets"),
        ("not-one", "no IP address"),
        ("2001:db8::77", "follow from the MAC"),
    ],
)
def test_chosen_addresses_are_looked_at(address: str, problem: str) -> None:
    known = network(subnets=(*network().subnets, SIX))
    _, found = check(address, known, set())
    assert problem in found
    assert bool(found) == bool(problem)


@pytest.mark.parametrize(
    ("known", "asked_for", "problem"),
    [
        (facts(networks=UNKNOWN), {"ip_strategy": "MANUAL_IP", "manual_ips": {"net1": "10.0.0.77"}}, "is not known"),
        (facts(), {"ip_strategy": "MANUAL_IP", "manual_ips": {"net9": "10.0.0.77"}}, "no port on the network 'net9'"),
        (facts(), {"ip_strategy": "MANUAL_IP"}, "needs an address for at least one network"),
        (facts(), {"manual_ips": {"net1": "10.0.0.77"}}, "the strategy is not MANUAL_IP"),
        (facts(), {"network_override_id": "net9"}, "the network 'net9' is not known"),
        (facts(no_groups=("sg9",)), {"security_group_ids": ("sg1", "sg9")}, "has no security group 'sg9'"),
        (facts(), {"way": "IN_PLACE", "network_override_id": "net1"}, "leaves the machine's ports as they are"),
        (facts(), {"way": "DISK_BESIDE", "security_group_ids": ("sg2",)}, "leaves the machine's ports as they are"),
        (
            facts(machine=machine(host_status="DOWN"), rights=MEMBER),
            {"way": "REPLACE", "ip_strategy": "SAME_IPS_OR_FAIL", "fenced": "the old host c1 is fenced"},
            "only an administrator can take them from a machine whose host is dead",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(known: Facts, asked_for: dict[str, Any], problem: str) -> None:
    found = plan(known, **asked_for)
    assert not found.eligible
    assert any(problem in text for text in found.problems), found.problems


# Other networks and groups


def test_another_network_drops_what_belonged_to_the_old_one() -> None:
    port = nic(allowed_address_pairs=({"ip_address": "10.0.0.99"},), qos_policy_id="q1")
    known = facts(nics=(port,), networks={"net1": network(), "net2": OTHER})
    found = plan(known, way="REPLACE", ip_strategy="SAME_IPS_OR_FAIL", network_override_id="net2")
    assert found.eligible, found.problems
    (moved,) = found.nics
    assert found.strategy == "NEW_IPS"  # as documented
    assert (moved.network_id, moved.wanted, moved.keep_mac) == ("net2", (), False)
    assert (moved.allowed_address_pairs, moved.qos_policy_id) == ((), "")
    assert {"nic.0.network_id", "nic.0.fixed", "nic.0.mac"} <= {one.field for one in found.differs}
    by_hand = plan(known, network_override_id="net2", ip_strategy="MANUAL_IP", manual_ips={"net2": "10.2.0.9"})
    assert asked(by_hand) == [["10.2.0.9@sub2"]]


def test_other_security_groups_hold_where_there_is_port_security() -> None:
    known = facts(nics=(nic(0), nic(1, port_security=False, security_groups=())))
    found = plan(known, security_group_ids=("sg9",))
    assert [port.security_groups for port in found.nics] == [("sg9",), ()]
    assert any("has no port security" in text for text in found.warnings)
    assert plan(security_group_ids=()).nics[0].security_groups == ()


def test_what_only_an_administrator_may_carry_over_is_named() -> None:
    shared = nic(own_network=False, port_security=False, allowed_address_pairs=({"ip_address": "10.0.0.99"},))
    found = plan(facts(nics=(shared,), rights=MEMBER))
    assert found.eligible, found.problems
    assert (found.nics[0].port_security, found.nics[0].allowed_address_pairs) == (True, ())
    assert {"nic.0.port_security", "nic.0.allowed_address_pairs"} <= {one.field for one in found.differs}
    kept = plan(facts(nics=(shared,)))
    assert kept.nics[0].port_security is False


def test_floating_ips_move_in_a_replace_only() -> None:
    known = facts(nics=(replace(nic(), floating=floating()),))
    beside = plan(known)
    assert "nic.0.floating" in [one.field for one in beside.differs]
    assert any("203.0.113.7 stays" in text for text in beside.points_at_old)
    moved = plan(known, way="REPLACE")
    assert "MOVE_FLOATING_IPS" in [step.name for step in moved.steps]
    assert not any("203.0.113.7" in text for text in moved.points_at_old)
