"""Which addresses of a network are free: allocation pools less what ports have and the gateway. Pure.

Only as true as the list of ports it is made from: who may not see everybody's ports does not know what is free.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from engine.inventory.events_rules import items
from engine.restore.planning.asking import number, text
from engine.restore.planning.facts import NetworkAddresses, Subnet

MOST = 200
# Addresses of these subnets follow from the MAC: Neutron takes no other.
_AUTOMATIC = ("slaac", "dhcpv6-stateless")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Doc = Mapping[str, Any]


def address(value: Any) -> Address | None:
    """An address; None for what is none."""
    try:
        return ipaddress.ip_address(value) if isinstance(value, str) else None
    except ValueError:
        return None


def same(one: str, other: str) -> bool:
    """Whether both are the same address, however they are written."""
    found = address(one)
    return found is not None and found == address(other)


def used_of(ports: Iterable[Doc]) -> dict[str, set[Address]]:
    """{subnet id: addresses that ports have there}."""
    found: dict[str, set[Address]] = {}
    for port in ports:
        for fixed in items(port.get("fixed_ips")):
            one = address(fixed.get("ip_address"))
            if one is not None:
                found.setdefault(text(fixed.get("subnet_id")), set()).add(one)
    return found


def claimed_of(ports: Iterable[Doc]) -> set[Address]:
    """Single addresses that ports may use beside their own (allowed address pairs), such as those of a keepalived.

    Neutron would give them away; whoever got one would fight for it.
    """
    words = (text(pair.get("ip_address")) for port in ports for pair in items(port.get("allowed_address_pairs")))
    return {one for one in map(single, words) if one is not None}


def single(word: str) -> Address | None:
    """The address in a range of one, with or without its prefix; None for any other."""
    try:
        network = ipaddress.ip_network(word)
    except ValueError:
        return None
    return network.network_address if network.num_addresses == 1 else None


def subnet_of(doc: Doc, used: Iterable[Address], *, known: bool = True) -> Subnet:
    """A subnet with its free addresses; none where they are not `known`."""
    gateway = address(doc.get("gateway_ip"))
    version = number(doc.get("ip_version")) or 4
    automatic = text(doc.get("ipv6_address_mode")) in _AUTOMATIC
    taken = {int(one) for one in (*used, gateway) if one is not None and one.version == version}
    pools = [] if automatic or not known else _pools(doc)
    count = sum(last - first + 1 - sum(first <= one <= last for one in taken) for _, first, last in pools)
    return Subnet(
        id=text(doc.get("id")),
        name=text(doc.get("name")),
        cidr=text(doc.get("cidr")),
        gateway=str(gateway) if gateway is not None else "",
        version=version,
        free=tuple(_first(pools, taken)),
        count=count,
        automatic=automatic,
    )


def network_of(network_id: str, network: Doc | None, subnets: Sequence[Doc], ports: Sequence[Doc] | str,
               *, blind: str = "") -> NetworkAddresses:  # fmt: skip
    """What is free on a network.

    ports  everybody's ports on it, or the sentence why they could not be read
    blind  why the session may not see everybody's ports; "" when it may
    """
    if network is None:
        return NetworkAddresses(network_id, known=False, why="the network is not there any more, or cannot be seen")
    name = text(network.get("name")) or network_id
    why = ports if isinstance(ports, str) else blind
    taken = {} if isinstance(ports, str) else used_of(ports)
    claimed = set[Address]() if isinstance(ports, str) else claimed_of(ports)
    mine = [doc for doc in subnets if doc.get("network_id") == network_id]
    ids = {text(doc.get("id")): taken.get(text(doc.get("id")), set()) | claimed for doc in mine}
    found = tuple(subnet_of(doc, ids[text(doc.get("id"))], known=not why) for doc in mine)
    used = {str(one) for those in ids.values() for one in those}
    used |= {subnet.gateway for subnet in found if subnet.gateway}
    return NetworkAddresses(network_id, name, known=not why, why=why, subnets=found, used=frozenset(used))


def _pools(doc: Doc) -> list[tuple[int, int, int]]:
    """(IP version, first, last) of each allocation pool, the lowest first; of none the hosts of the CIDR."""
    found = []
    for pool in items(doc.get("allocation_pools")):
        first, last = address(pool.get("start")), address(pool.get("end"))
        if first is not None and last is not None and first.version == last.version and int(first) <= int(last):
            found.append((first.version, int(first), int(last)))
    if found or items(doc.get("allocation_pools")):
        return sorted(found)
    try:
        network = ipaddress.ip_network(text(doc.get("cidr")))
    except ValueError:
        return []
    # Without network and broadcast address, as Neutron makes the pool itself.
    ends = 1 if network.num_addresses > 2 else 0
    last_end = ends if network.version == 4 else 0
    return [(network.version, int(network.network_address) + ends, int(network.broadcast_address) - last_end)]


def _first(pools: Sequence[tuple[int, int, int]], taken: set[int]) -> Iterator[str]:
    left = MOST
    for version, first, last in pools:
        kind = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
        for value in range(first, last + 1):
            if value not in taken:
                yield str(kind(value))
                left -= 1
                if not left:
                    return
