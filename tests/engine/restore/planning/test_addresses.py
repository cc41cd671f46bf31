"""Which addresses are free."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.restore.planning import addresses


def subnet(**more: Any) -> dict[str, Any]:
    pools = [{"start": "10.0.0.2", "end": "10.0.0.9"}]
    return {"id": "s1", "name": "one", "network_id": "n1", "cidr": "10.0.0.0/24", "ip_version": 4,
            "gateway_ip": "10.0.0.1", "allocation_pools": pools, **more}  # fmt: skip


def port(*fixed: str, pairs: tuple[str, ...] = (), of: str = "s1") -> dict[str, Any]:
    return {
        "id": "p",
        "fixed_ips": [{"subnet_id": of, "ip_address": one} for one in fixed],
        "allowed_address_pairs": [{"ip_address": one} for one in pairs],
    }


NETWORK = {"id": "n1", "name": "net", "project_id": "p1"}


def only(*ports: dict[str, Any], **more: Any) -> Any:
    return addresses.network_of("n1", NETWORK, [subnet(**more)], ports).subnets[0]


@pytest.mark.parametrize(
    ("more", "ports", "free", "count"),
    [
        ({}, [], ["10.0.0.2", "10.0.0.3"], 8),
        ({}, [port("10.0.0.2", "10.0.0.4")], ["10.0.0.3", "10.0.0.5"], 6),
        ({"gateway_ip": "10.0.0.2"}, [], ["10.0.0.3", "10.0.0.4"], 7),
        ({"gateway_ip": None}, [], ["10.0.0.2", "10.0.0.3"], 8),
        # An address that is used outside of the pools takes none of them.
        ({}, [port("10.0.0.200")], ["10.0.0.2", "10.0.0.3"], 8),
        # What a keepalived may claim is not free, though Neutron would give it away; a wide range names nobody.
        ({}, [port("10.0.0.2", pairs=("10.0.0.3", "10.0.0.4/32", "0.0.0.0/0"))], ["10.0.0.5", "10.0.0.6"], 5),
        ({"allocation_pools": [{"start": "10.0.0.8", "end": "10.0.0.8"}, {"start": "10.0.0.2", "end": "10.0.0.2"}]},
         [], ["10.0.0.2", "10.0.0.8"], 2),
        ({"allocation_pools": []}, [], ["10.0.0.2", "10.0.0.3"], 253),
        ({"allocation_pools": [], "cidr": "not a range"}, [], [], 0),
        ({"allocation_pools": [{"start": "10.0.0.9", "end": "10.0.0.2"}, {"start": "x"}, 7]}, [], [], 0),
        # Addresses that follow from the MAC cannot be asked for.
        ({"ipv6_address_mode": "slaac", "ip_version": 6, "cidr": "fd00::/64", "gateway_ip": "fd00::1",
          "allocation_pools": [{"start": "fd00::2", "end": "fd00::ffff"}]}, [], [], 0),
        # Another subnet's address is not this one's.
        ({}, [port("10.0.0.2", of="s2")], ["10.0.0.2", "10.0.0.3"], 8),
    ],
)  # fmt: skip
def test_free_are_the_pools_less_what_is_used(more: Any, ports: Any, free: list[str], count: int) -> None:
    found = only(*ports, **more)
    assert list(found.free[:2]) == free
    assert found.count == count


def test_an_ipv6_pool_is_counted_and_not_walked_through() -> None:
    pools = [{"start": "fd00::2", "end": "fd00::ffff:ffff:ffff:ffff"}]
    used = "FD00:0::0002"
    found = only(port(used), cidr="fd00::/64", ip_version=6, gateway_ip="fd00::1", allocation_pools=pools)
    assert found.free[0] == "fd00::3"
    assert len(found.free) == addresses.MOST
    assert found.count == 2**64 - 3


@given(st.sets(st.integers(1, 254)), st.integers(1, 254), st.integers(1, 254), st.integers(1, 254))
def test_no_used_address_is_ever_free(used: set[int], one: int, other: int, gateway: int) -> None:
    start, end = sorted((one, other))
    pools = [{"start": f"10.0.0.{start}", "end": f"10.0.0.{end}"}]
    found = only(*(port(f"10.0.0.{last}") for last in used), gateway_ip=f"10.0.0.{gateway}", allocation_pools=pools)
    free = {int(one.rpartition(".")[2]) for one in found.free}
    wanted = set(range(start, end + 1)) - used - {gateway}
    assert free == set(sorted(wanted)[: addresses.MOST])
    assert found.count == len(wanted)
    assert list(found.free) == sorted(found.free, key=ipaddress.ip_address)


def test_what_is_not_known_is_not_free() -> None:
    for ports, blind, why in (("it said no", "", "it said no"), ([], "not its network", "not its network")):
        found = addresses.network_of("n1", NETWORK, [subnet()], ports, blind=blind)
        assert (found.known, found.why, found.subnets[0].free, found.subnets[0].count) == (False, why, (), 0)
        assert found.subnets[0].cidr == "10.0.0.0/24"


def test_a_network_that_is_gone_is_said_to_be() -> None:
    found = addresses.network_of("n1", None, [], [])
    assert not found.known
    assert "not there any more" in found.why


def test_used_has_the_addresses_of_ports_and_gateways_of_its_subnets_alone() -> None:
    found = addresses.network_of("n1", NETWORK, [subnet()], [port("10.0.0.7"), port("10.9.9.9", of="elsewhere")])
    assert found.used == {"10.0.0.1", "10.0.0.7"}


@pytest.mark.parametrize("value", [None, 7, "", "10.0.0", "10.0.0.0/24", ["10.0.0.1"]])
def test_what_is_no_address_is_none(value: Any) -> None:
    assert addresses.address(value) is None


@pytest.mark.parametrize(
    ("word", "found"),
    [("10.0.0.1", "10.0.0.1"), ("10.0.0.1/32", "10.0.0.1"), ("fd00::1/128", "fd00::1"), ("10.0.0.0/31", None),
     ("10.0.0.1/24", None), ("x", None), ("", None)],
)  # fmt: skip
def test_a_range_of_one_is_an_address(word: str, found: str | None) -> None:
    one = addresses.single(word)
    assert (str(one) if one is not None else None) == found


def test_the_same_address_may_be_written_in_two_ways() -> None:
    assert addresses.same("fd00::1", "FD00:0:0::1")
    assert not addresses.same("10.0.0.1", "10.0.0.2")
    assert not addresses.same("x", "x")
