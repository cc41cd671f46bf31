"""Which addresses the ports of a restored machine ask for, by strategy: pure.

Every port of the old machine has one successor, whatever its number of addresses. Where nobody can tell what is free
(networks of others, without an administrator's session), nothing is promised: SAME_IPS_OR_FAIL and MANUAL_IP are
refused when the restore is planned, not when the ports are made.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from engine.restore.models import FixedIp, Nic, Request, Strategy
from engine.restore.planning.facts import Facts, NetworkAddresses, Subnet

KEEPS_PORTS = ("IN_PLACE", "DISK_BESIDE", "DATA_VOLUME_BACK")  # ways that touch no port


@dataclass(slots=True)
class Wanted:
    """The ports with what they ask for, the strategy that holds in the end, and what is wrong.

    dead  the old machine's host is dead: its ports can be freed by an administrator only
    """

    nics: tuple[Nic, ...] = ()
    strategy: Strategy = "NEW_IPS"
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    dead: bool = False


def wanted(facts: Facts, request: Request, *, dead: bool = False) -> Wanted:
    """The ports of the plan. `dead`: see Wanted."""
    found = Wanted(strategy=request.ip_strategy, dead=dead)
    if request.way in KEEPS_PORTS:
        _untouched(facts, request, found)
        return found
    if request.network_override_id and request.ip_strategy != "MANUAL_IP":
        found.strategy = "NEW_IPS"
    override = request.network_override_id
    if override and override not in facts.networks:
        found.problems.append(f"the network {override!r:.60} is not known in this project: choose one of its networks")
        override = ""
    found.problems += [
        f"the machine's project has no security group {id!r:.60}: choose one of its own" for id in facts.no_groups
    ]
    manual = _manual(facts, request, found)
    nics = []
    for nic in sorted(facts.nics, key=lambda one: (one.order, one.port_id)):
        moved = _carried(_elsewhere(nic, override, facts), facts, request, found)
        nics.append(_addressed(moved, nic, facts, request, manual, found))
    if override and len(nics) > 1:
        found.warnings.append(
            f"all {len(nics)} ports of the new machine will be on the network {_name(facts, override)}"
        )
    found.nics = tuple(nics)
    return found


def _untouched(facts: Facts, request: Request, found: Wanted) -> None:
    """These ways leave the ports alone: who asks for other addresses is told so."""
    found.nics, found.strategy = facts.nics, "NEW_IPS"
    if request.network_override_id or request.security_group_ids is not None or request.manual_ips:
        found.problems.append(
            "this way leaves the machine's ports as they are: leave networks, addresses and groups out"
        )


def _elsewhere(nic: Nic, override: str, facts: Facts) -> Nic:
    """The port on another network, where that was asked for: what belongs to the old network does not come along."""
    if not override or override == nic.network_id:
        return nic
    return replace(
        nic, network_id=override, network_name=_name(facts, override), own_network=facts.networks[override].known,
        allowed_address_pairs=(), qos_policy_id="", note="another network was asked for",
    )  # fmt: skip


def _carried(nic: Nic, facts: Facts, request: Request, found: Wanted) -> Nic:
    """What of the old port the session may put on the new one."""
    if request.security_group_ids is not None:
        groups = tuple(request.security_group_ids) if nic.port_security else ()
        nic = replace(nic, security_groups=groups)
        if not nic.port_security and request.security_group_ids:
            found.warnings.append(f"{label(nic)} has no port security, so security groups do not hold for it")
    if nic.own_network or facts.rights.admin:
        return nic
    lost = [word for word, there in (("its allowed address pairs", nic.allowed_address_pairs),
                                     ("port security being off", not nic.port_security)) if there]  # fmt: skip
    if not lost:
        return nic
    found.warnings.append(
        f"{label(nic)} is on a network of another project: only an administrator can carry over {' and '.join(lost)}"
    )
    return replace(nic, allowed_address_pairs=(), port_security=True)


def _addressed(nic: Nic, old: Nic, facts: Facts, request: Request, manual: dict[str, str], found: Wanted) -> Nic:
    """The port with the addresses that it asks for."""
    if found.strategy == "MANUAL_IP" and (address := manual.pop(nic.network_id, None)) is not None:
        return _by_hand(nic, address, facts, request, found)
    if found.strategy in ("NEW_IPS", "MANUAL_IP") or nic.network_id != old.network_id:
        return replace(nic, wanted=_any(nic, old, facts), keep_mac=False)
    return _same(nic, facts, request, found)


def _any(nic: Nic, old: Nic, facts: Facts) -> tuple[FixedIp, ...]:
    """As many addresses as the old port has, of the same subnets; of any where the network is another one."""
    if nic.network_id != old.network_id:
        return ()
    network = facts.networks.get(nic.network_id)
    there = {subnet.id for subnet in network.subnets} if network is not None and network.known else None
    return tuple(
        FixedIp("", one.subnet_id) for one in nic.fixed if one.subnet_id and (there is None or one.subnet_id in there)
    )


def _same(nic: Nic, facts: Facts, request: Request, found: Wanted) -> Nic:
    """The addresses of the old port, where they can be had; another one is taken only by TRY_SAME_IPS."""
    must = found.strategy == "SAME_IPS_OR_FAIL"
    network = facts.networks.get(nic.network_id)
    keep_mac = request.way == "REPLACE" and facts.rights.admin and bool(nic.mac)
    why = _why_not_same(nic, network, facts, request, found)
    if not why and not keep_mac and (bound := [one.address for one in nic.fixed if _automatic(one, nic, network)]):
        why = f"{', '.join(bound)} follows from the MAC address, which cannot be kept"
    if why and must:
        found.problems.append(f"{label(nic)} cannot get the same addresses: {why}; use NEW_IPS or MANUAL_IP")
    if why:
        if not must:
            found.warnings.append(f"{label(nic)} gets other addresses: {why}")
        return replace(nic, wanted=_any(nic, nic, facts), keep_mac=False, fall_back=not must, note=why)
    asked = tuple(FixedIp("" if _automatic(one, nic, network) else one.address, one.subnet_id) for one in nic.fixed)
    note = "" if keep_mac or request.way != "REPLACE" else "the MAC address changes: only an administrator can keep it"
    return replace(nic, wanted=asked, keep_mac=keep_mac, fall_back=not must, note=note)


def _why_not_same(nic: Nic, network: NetworkAddresses | None, facts: Facts, request: Request, found: Wanted) -> str:
    """Why the addresses of the old port cannot be asked for; "" when they can."""
    if not facts.machine.gone and request.way == "NEW":
        return "the old machine has them, and goes on using them"
    if found.dead and not facts.rights.admin:
        return "only an administrator can take them from a machine whose host is dead"
    if network is None or not network.known:
        return f"what is free there is not known ({_reason(network)})"
    there = {"", *(subnet.id for subnet in network.subnets)}
    gone = [one.address for one in nic.fixed if one.subnet_id not in there]
    if gone:
        return f"the subnet of {', '.join(gone)} does not exist any more"
    taken = [one.address for one in nic.fixed if one.address in network.used] if facts.machine.gone else []
    return f"{', '.join(taken)} is used by something else now" if taken else ""


def _automatic(one: FixedIp, nic: Nic, network: NetworkAddresses | None) -> bool:
    """Whether the cloud makes the address of the MAC: then nobody may ask for it, and the same MAC brings it back."""
    subnets = network.subnets if network is not None else ()
    return any(subnet.automatic for subnet in subnets if subnet.id == one.subnet_id) or made_of_mac(
        one.address, nic.mac
    )


def expected(nic: Nic) -> tuple[str, ...]:
    """The addresses that the new port will have; "" for one that nobody knows yet."""
    old = {one.subnet_id: one.address for one in nic.fixed if made_of_mac(one.address, nic.mac)}
    return tuple(one.address or (old.get(one.subnet_id, "") if nic.keep_mac else "") for one in nic.wanted)


# Addresses that were chosen by hand


def _manual(facts: Facts, request: Request, found: Wanted) -> dict[str, str]:
    """{network id: address} of the request, without those that belong to no port of the new machine."""
    if request.ip_strategy != "MANUAL_IP":
        if request.manual_ips:
            found.problems.append("addresses are given, but the strategy is not MANUAL_IP: say which of the two it is")
        return {}
    override = request.network_override_id
    networks = {override} if override else {nic.network_id for nic in facts.nics}
    for network in sorted(set(request.manual_ips) - networks):
        found.problems.append(f"the new machine has no port on the network {network!r:.60}: leave its address out")
    if not request.manual_ips:
        found.problems.append("MANUAL_IP needs an address for at least one network (manual_ips)")
    given = {network: address for network, address in request.manual_ips.items() if address and network in networks}
    for address in sorted({one for one in given.values() if list(given.values()).count(one) > 1}):
        found.problems.append(f"the address {address} is given twice")
    return given


def _by_hand(nic: Nic, address: str, facts: Facts, request: Request, found: Wanted) -> Nic:
    """The port with an address that a person chose; the rest of its addresses is automatic."""
    network = facts.networks.get(nic.network_id)
    own = {one.address for one in nic.fixed} if request.way == "REPLACE" else set()
    subnet, problem = check(address, network, own)
    if not problem and found.dead and not facts.rights.admin and address in own:
        problem = "only an administrator can take it from a machine whose host is dead"
    if problem or subnet is None:
        found.problems.append(f"{label(nic)} cannot get {address!r:.60}: {problem}")
        return replace(nic, wanted=())
    there = {one.id for one in network.subnets} if network is not None else set()
    # A second address of the same subnet is not made up: one was chosen for it.
    rest = [FixedIp("", one.subnet_id) for one in nic.fixed if one.subnet_id in there - {subnet.id}]
    keep_mac = request.way == "REPLACE" and facts.rights.admin and bool(nic.mac) and str(ip_address(address)) in own
    return replace(nic, wanted=(FixedIp(str(ip_address(address)), subnet.id), *rest), keep_mac=keep_mac, note="")


def check(address: str, network: NetworkAddresses | None, own: set[str]) -> tuple[Subnet | None, str]:
    """(the subnet an address belongs to, why it cannot be had: "" when it can). `own`: addresses that move anyway."""
    try:
        value = ip_address(address)
    except ValueError:
        return None, "it is no IP address"
    if network is None or not network.known:
        return None, f"what is free on the network is not known ({_reason(network)}); use NEW_IPS"
    subnet = next((one for one in network.subnets if value in _cidr(one)), None)
    if subnet is None:
        return None, f"it is in none of the subnets of {network.name or network.network_id}"
    if subnet.automatic:
        return subnet, "addresses there follow from the MAC address, none can be chosen"
    cidr = _cidr(subnet)
    wide = value.version == 4 and cidr.prefixlen < 31
    if wide and value in (cidr.network_address, cidr.broadcast_address):
        return subnet, f"it is the network or broadcast address of {subnet.cidr}"
    if subnet.gateway and value == ip_address(subnet.gateway):
        return subnet, "it is the gateway"
    if value in {ip_address(one) for one in own}:
        return subnet, ""
    if str(value) in network.used:
        return subnet, "it is in use: choose one that is free"
    return subnet, ""


def _cidr(subnet: Subnet) -> IPv4Network | IPv6Network:
    return ip_network(subnet.cidr, strict=False)


# Words and small questions


def label(nic: Nic) -> str:
    """What people call a port: its number and network."""
    return f"port {nic.order + 1} on {nic.network_name or nic.network_id[:8]}"


def _name(facts: Facts, network_id: str) -> str:
    found = facts.networks.get(network_id)
    return (found.name if found is not None else "") or network_id[:8]


def _reason(network: NetworkAddresses | None) -> str:
    return network.why if network is not None and network.why else "its addresses could not be read"


def made_of_mac(address: str, mac: str) -> bool:
    """Whether an IPv6 address was made of the MAC address (EUI-64): then the cloud gives it, nobody may ask for it."""
    try:
        value = ip_address(address)
        parts = [int(part, 16) for part in mac.split(":")]
    except ValueError:
        return False
    if not isinstance(value, IPv6Address) or len(parts) != 6:
        return False
    made = bytes([parts[0] ^ 2, parts[1], parts[2], 0xFF, 0xFE, parts[3], parts[4], parts[5]])
    return value.packed[8:] == made
