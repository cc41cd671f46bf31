"""What Neutron thinks of a security group rule before it takes it."""

from __future__ import annotations

import ipaddress
from typing import Any

from engine.demo.answers import Refusal

_PORTS = {"tcp": 6, "udp": 17, "dccp": 33, "sctp": 132, "udplite": 136}
_OTHERS = {
    "ah": 51, "egp": 8, "esp": 50, "gre": 47, "hopopt": 0, "icmp": 1, "icmpv6": 58, "igmp": 2, "ip": 0, "ipip": 4,
    "ipv6-encap": 41, "ipv6-frag": 44, "ipv6-icmp": 58, "ipv6-nonxt": 59, "ipv6-opts": 60, "ipv6-route": 43,
    "ospf": 89, "pgm": 113, "rsvp": 46, "vrrp": 112,
}  # fmt: skip
_NUMBERS = {**_PORTS, **_OTHERS}
_ICMP, _ICMP_V6 = 1, 58


def check(body: dict[str, Any]) -> None:
    """Raise Refusal, in Neutron's words, for a rule that cannot be."""
    protocol = number(body.get("protocol"))
    ethertype = body.get("ethertype") or "IPv4"
    if protocol == _ICMP_V6 and ethertype == "IPv4":
        message = f"Invalid ethertype IPv4 for protocol {body.get('protocol')}."
        raise Refusal(400, message, "SecurityGroupEthertypeConflictWithProtocol")
    _check_range(protocol, body.get("port_range_min"), body.get("port_range_max"))
    prefix = body.get("remote_ip_prefix")
    if prefix:
        try:
            version = ipaddress.ip_network(prefix, strict=False).version
        except ValueError:
            message = f"Invalid input for remote_ip_prefix. Reason: '{prefix}' is not a valid IP subnet."
            raise Refusal(400, message, "HTTPBadRequest") from None
        if f"IPv{version}" != ethertype:
            message = f"Conflicting value ethertype {ethertype} for CIDR {prefix}"
            raise Refusal(400, message, "SecurityGroupRuleParameterConflict")


def number(protocol: Any) -> int | None:
    """The protocol's number; None for any. Raises Refusal for what is no protocol."""
    word = str(protocol or "any").lower()
    if word == "any":
        return None
    if word in _NUMBERS:
        return _NUMBERS[word]
    if word.isdecimal() and int(word) <= 255:
        return int(word)
    known = ", ".join(f"'{name}'" for name in ("any", *sorted(_NUMBERS)))
    raise Refusal(
        400,
        f"Security group rule protocol {protocol} not supported. Only protocol values (None, {known}) and integer "
        "representations [0 to 255] are supported.",
        "SecurityGroupRuleInvalidProtocol",
    )


def everywhere(prefix: str | None) -> str | None:
    """The prefix, None for one that holds every address: Neutron takes the two for the same."""
    return None if prefix in ("0.0.0.0/0", "::/0") else prefix


def _check_range(protocol: int | None, low: Any, high: Any) -> None:
    if low is None and high is None:
        return
    if protocol in (_ICMP, _ICMP_V6):
        if low is None:
            message = f"ICMP code (port-range-max) {high} is provided but ICMP type (port-range-min) is missing."
            raise Refusal(400, message, "SecurityGroupMissingIcmpType")
        return
    if protocol not in _PORTS.values():
        message = (
            f"Ports cannot be specified for protocol {protocol}. Ports are only supported for DCCP, SCTP, TCP, UDP, "
            "UDPLITE."
        )
        raise Refusal(400, message, "SecurityGroupInvalidProtocolForPort")
    if low == 0 or high == 0:
        raise Refusal(400, "Invalid value for port 0", "SecurityGroupInvalidPortValue")
    if low is None or high is None or low > high:
        message = "For TCP/UDP protocols, port_range_min must be <= port_range_max"
        raise Refusal(400, message, "SecurityGroupInvalidPortRange")
