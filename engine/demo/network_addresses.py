"""Which addresses a port gets, and which it may not have: pools, gateways, what others have already."""

from __future__ import annotations

import ipaddress
from typing import Any

from engine.demo.answers import Refusal
from engine.demo.network_records import Network, Port, Subnet
from engine.demo.state import State

Fixed = list[tuple[str, str]]


def taken(state: State, network: Network, but: Port | None = None) -> set[str]:
    """The addresses that ports of the network have."""
    return {ip for port in state.ports.having("network", network) if port is not but for _, ip in port.fixed_ips}


def addresses_for(state: State, network: Network, wanted: Any, port: Port | None = None) -> Fixed:
    """The addresses of a new port, or of one that is changed, as `fixed_ips` asks; None: one of each version.

    Raises Refusal: 400 for what cannot be on the network, 409 for what is taken or when a pool is used up.
    """
    if wanted is None:
        versions: dict[int, list[Subnet]] = {}
        for subnet in network.subnets:
            versions.setdefault(subnet.version, []).append(subnet)
        return [_from_any(state, network, subnets) for subnets in versions.values()]
    used = taken(state, network, port)
    found: Fixed = []
    for row in wanted:
        named = _subnet(network, row)
        text = row.get("ip_address")
        if not text:
            # An address on that subnet: the one that the port has there already, else a new one.
            kept = next((pair for pair in (port.fixed_ips if port else ()) if named and pair[0] == named.id), None)
            subnets = [named] if named else network.subnets
            found.append(kept if kept and kept not in found else _from_any(state, network, subnets))
            continue
        found.append(_asked(network, named, str(text), used | {ip for _, ip in found}))
    return found


def _subnet(network: Network, row: Any) -> Subnet | None:
    if not isinstance(row, dict):
        raise Refusal(400, f"Invalid input for fixed_ips. Reason: '{row}' is not a dictionary.")
    id = row.get("subnet_id")
    subnet = next((subnet for subnet in network.subnets if subnet.id == id), None)
    if id and subnet is None:
        message = (
            f"Invalid input for operation: Failed to create port on network {network.id}, because fixed_ips included "
            f"invalid subnet {id}."
        )
        raise Refusal(400, message, "InvalidInput")
    return subnet


def _asked(network: Network, subnet: Subnet | None, text: str, used: set[str]) -> tuple[str, str]:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        message = f"Invalid input for fixed_ips. Reason: '{text}' is not a valid IP address."
        raise Refusal(400, message) from None
    if subnet is None:
        subnet = next((row for row in network.subnets if address in ipaddress.ip_network(row.cidr)), None)
        if subnet is None:
            message = f"IP address {text} is not a valid IP for any of the subnets on the specified network."
            raise Refusal(400, message, "InvalidIpForNetwork")
    elif address not in ipaddress.ip_network(subnet.cidr):
        raise Refusal(400, f"IP address {text} is not a valid IP for the specified subnet.", "InvalidIpForSubnet")
    if str(address) in used:
        message = f"IP address {text} already allocated in subnet {subnet.id}"
        raise Refusal(409, message, "IpAddressAlreadyAllocated")
    subnet.claimed.add(str(address))
    return subnet.id, str(address)


def _from_any(state: State, network: Network, subnets: list[Subnet]) -> tuple[str, str]:
    for subnet in subnets:
        found = _free(state, subnet)
        if found is not None:
            return subnet.id, found
    raise Refusal(409, f"No more IP addresses available on network {network.id}.", "IpAddressGenerationFailure")


def _free(state: State, subnet: Subnet) -> str | None:
    """The next address that nobody had yet; then one that somebody gave back; None when all are taken."""
    try:
        return subnet.address()
    except IndexError:
        used = taken(state, subnet.network) | {subnet.gateway or ""}
    for first, last in subnet.ranges():
        low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
        for step in range(min(int(high) - int(low) + 1, 65536)):
            if str(low + step) not in used:
                return str(low + step)
    return None
