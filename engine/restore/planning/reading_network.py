"""A machine's ports and the networks they are on, as Neutron has them now; and what else knows of its addresses.

Neutron leaves out without a word what a session may not see: other projects' ports on a network that is shared. Free
addresses are known to an administrator, and to the project that owns the network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.gate.models import NoRole
from engine.inventory.events_rules import items
from engine.restore.models import FixedIp, Floating, Machine, Nic
from engine.restore.planning.addresses import address, network_of, single
from engine.restore.planning.asking import Asking, Doc, Tried, or_else, text, texts
from engine.restore.planning.facts import NetworkAddresses

# What is read of every port of a network: addresses, and the pairs that other machines may use.
_FIELDS = ("id", "name", "network_id", "device_id", "device_owner", "fixed_ips", "allowed_address_pairs")
_COMPUTE = "compute:"
_CHUNK = 20  # networks asked about in one question
_POOLS = 40  # pools of load balancers whose members are looked through: one question each
# Metadata that other tools leave on the machines they made, and would miss them by.
_MARKS = re.compile(
    r"(?:^|[\W_])(?:heat|stack|magnum|terraform|kubernetes|k8s|cluster|juju)|managed[-_ .]?by", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Seen:
    """Neutron's documents about one machine.

    ports     its own, in the order of the machine's addresses
    networks  {id: document}; subnets of all of them
    others    {network id: everybody's ports there, or the sentence why they could not be read}
    """

    ports: Sequence[Doc] = ()
    networks: Mapping[str, Doc] = field(default_factory=dict)
    subnets: Sequence[Doc] = ()
    floating: Sequence[Doc] = ()
    others: Mapping[str, Sequence[Doc] | str] = field(default_factory=dict)


def ports_of(ask: Asking, server_id: str) -> list[dict[str, Any]]:
    """The machine's own ports, in no order."""
    found = ask.rows("network", "/ports", "ports", query=[("device_id", server_id)])
    return [port for port in found if text(port.get("device_owner")).startswith(_COMPUTE)]


class NetworkReading:
    """The questions about the networks of one machine, sent at once; `done` waits for their answers."""

    def __init__(self, ask: Asking, ports: Sequence[Doc], more: Sequence[str] = ()) -> None:
        """`more`: further networks whose addresses are wanted."""
        self._ports = ports
        ids = [*dict.fromkeys(filter(None, (*(text(port.get("network_id")) for port in ports), *more)))]
        chosen = [("network_id", id) for id in ids]
        self._ids = ids
        self._networks = ask.later(_listed, ask, "networks", [("id", id) for id in ids])
        self._subnets = ask.later(_listed, ask, "subnets", chosen)
        port_ids = [("port_id", text(port.get("id"))) for port in ports]
        self._floating = ask.later(_listed, ask, "floatingips", port_ids)
        self._others: dict[str, Tried[list[dict[str, Any]]]] = {
            id: ask.try_later(
                ask.rows, "network", "/ports", "ports", "", [("network_id", id), *(("fields", one) for one in _FIELDS)]
            )
            for id in ids
        }

    def done(self) -> Seen:
        """Raises what a question does without whose answer nothing can be planned."""
        return Seen(
            ports=self._ports,
            networks={text(one.get("id")): one for one in self._networks.result()},
            subnets=self._subnets.result(),
            floating=self._floating.result(),
            others={id: one.result() for id, one in self._others.items()},
        )


def _listed(ask: Asking, key: str, chosen: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for start in range(0, len(chosen), _CHUNK):
        found += ask.rows("network", f"/{key}", key, query=chosen[start : start + _CHUNK])
    return found


def in_order(ports: Sequence[Doc], server: Doc) -> list[Doc]:
    """The ports as the machine's addresses have them, by their MACs; Neutron has them in none."""
    addresses = server.get("addresses")
    macs = [
        text(one.get("OS-EXT-IPS-MAC:mac_addr")).lower()
        for network in (addresses.values() if isinstance(addresses, Mapping) else ())
        for one in items(network)
    ]
    place = {mac: number for number, mac in reversed(list(enumerate(macs)))}
    return sorted(ports, key=lambda port: place.get(text(port.get("mac_address")).lower(), len(macs)))


def nics_of(seen: Seen, project_id: str) -> tuple[Nic, ...]:
    """The machine's ports. An allowed pair that has the port's own MAC has none: it follows the port."""
    found = []
    for order, port in enumerate(seen.ports):
        id, mac = text(port.get("id")), text(port.get("mac_address"))
        network = seen.networks.get(text(port.get("network_id")), {})
        trunk = port.get("trunk_details")
        found.append(
            Nic(
                port_id=id,
                network_id=text(port.get("network_id")),
                network_name=text(network.get("name")),
                order=order,
                own_network=owner(network) == project_id,
                name=text(port.get("name")),
                description=text(port.get("description")),
                mac=mac,
                fixed=tuple(
                    FixedIp(text(one.get("ip_address")), text(one.get("subnet_id")))
                    for one in items(port.get("fixed_ips"))
                ),
                security_groups=texts(port.get("security_groups")),
                port_security=port.get("port_security_enabled") is not False,
                allowed_address_pairs=tuple(_pair(one, mac) for one in items(port.get("allowed_address_pairs"))),
                vnic_type=text(port.get("binding:vnic_type")) or "normal",
                qos_policy_id=text(port.get("qos_policy_id")),
                dns_name=text(port.get("dns_name")),
                extra_dhcp_opts=tuple(
                    {name: one[name] for name in ("opt_name", "opt_value", "ip_version") if name in one}
                    for one in items(port.get("extra_dhcp_opts"))
                ),
                tags=texts(port.get("tags")),
                admin_state_up=port.get("admin_state_up") is not False,
                trunk_id=text(trunk.get("trunk_id")) if isinstance(trunk, Mapping) else "",
                floating=tuple(
                    Floating(
                        text(one.get("id")),
                        text(one.get("floating_ip_address")),
                        text(one.get("fixed_ip_address")),
                    )
                    for one in seen.floating
                    if one.get("port_id") == id
                ),
            )
        )
    return tuple(found)


def _pair(pair: Doc, own_mac: str) -> dict[str, str]:
    mac = text(pair.get("mac_address"))
    return {"ip_address": text(pair.get("ip_address"))} | ({"mac_address": mac} if mac and mac != own_mac else {})


def owner(doc: Doc) -> str:
    """Id of the project that a network or port belongs to."""
    return text(doc.get("project_id")) or text(doc.get("tenant_id"))


def blind(network: Doc, project_id: str, *, admin: bool) -> str:
    """Why the session does not see everybody's ports on a network; "" when it does."""
    if admin or owner(network) == project_id:
        return ""
    name = text(network.get("name")) or text(network.get("id"))
    return f"{name} belongs to another project: without an administrator nobody knows which of its addresses are free"


def addresses_of(seen: Seen, project_id: str, *, admin: bool) -> dict[str, NetworkAddresses]:
    """{network id: what is free there}."""
    return {
        id: network_of(
            id,
            seen.networks.get(id),
            seen.subnets,
            ports,
            blind=blind(seen.networks.get(id, {}), project_id, admin=admin),
        )
        for id, ports in seen.others.items()
    }


def may_use(ask: Asking, network_id: str) -> bool:
    """Whether the machine's project may have ports on a network: what its own token sees, else what everybody may."""
    found = (ask.own("network", f"/networks/{network_id}") or {}).get("network")
    if not isinstance(found, dict):
        return False
    if owner(found) == ask.project_id or found.get("shared") is True or found.get("router:external") is True:
        return True
    try:
        return ask.who("tenant").project_id == ask.project_id  # its own token sees it: it is shared with the project
    except NoRole:
        return False


def no_groups(ask: Asking, ids: Sequence[str]) -> tuple[str, ...]:
    """Which of these security groups the machine's project cannot use: not there, or another project's."""

    def usable(id: str) -> bool:
        found = (ask.own("network", f"/security-groups/{id}") or {}).get("security_group")
        return isinstance(found, dict) and (owner(found) == ask.project_id or found.get("shared") is True)

    return tuple(id for id in ids if not usable(id))


# What points at the machine


def references_of(machine: Machine, nics: Sequence[Nic], seen: Seen) -> tuple[str, ...]:
    """Sentences for what knows the machine by its id or an address, floating IPs aside; see `LoadBalancers` too."""
    found = []
    for nic, port in zip(nics, seen.ports, strict=True):
        if nic.trunk_id:
            trunk = port.get("trunk_details")
            subs = items(trunk.get("sub_ports")) if isinstance(trunk, Mapping) else []
            found.append(
                f"the trunk {nic.trunk_id} has the port {nic.name or nic.port_id} as its parent, with {len(subs)} "
                f"sub-port{'' if len(subs) == 1 else 's'}"
            )
        if nic.dns_name:
            found.append(f"the DNS name {nic.dns_name} of the port {nic.name or nic.port_id}")
        found += _allowed_elsewhere(nic, seen.others.get(nic.network_id, ()))
    if machine.group_id:
        found.append(f"the server group {machine.group_name or machine.group_id} ({machine.group_policy})")
    for key, value in sorted(machine.metadata.items()):
        if _MARKS.search(key) or _MARKS.search(value[:200]):
            found.append(f"its metadata {key}={value[:80]}: the tool that made it may look for it by its id")
    found += [f"its tag {tag}: the tool that made it may look for it by its id" for tag in machine.tags
              if _MARKS.search(tag)]  # fmt: skip
    return tuple(dict.fromkeys(found))


def _allowed_elsewhere(nic: Nic, ports: Sequence[Doc] | str) -> list[str]:
    """Other machines' ports that may use an address of this one, alone: a wide range names nobody."""
    own = {address(fixed.address): fixed.address for fixed in nic.fixed if address(fixed.address) is not None}
    found = []
    for port in [] if isinstance(ports, str) else ports:
        if port.get("id") == nic.port_id:
            continue
        for pair in items(port.get("allowed_address_pairs")):
            one = single(text(pair.get("ip_address")))
            if one in own:
                name = text(port.get("name")) or text(port.get("id"))
                found.append(f"the port {name} may use the address {own[one]} too (allowed address pairs)")
    return found


class LoadBalancers:
    """Members of load balancers that have an address of the machine: asked where the cloud has Octavia."""

    def __init__(self, ask: Asking, project_id: str) -> None:
        query = [("project_id", project_id), ("fields", "id"), ("fields", "name")]
        self._ask = ask
        self._pools = ask.try_later(ask.rows, "load-balancer", "/v2/lbaas/pools", "pools", "", query)

    def begin(self) -> list[tuple[Doc, Tried[list[dict[str, Any]]]]]:
        """Ask for the members of each pool, once the pools are known."""
        pools = or_else(self._pools.result(), [])
        return [
            (pool, self._ask.try_later(
                self._ask.rows, "load-balancer", f"/v2/lbaas/pools/{text(pool.get('id'))}/members", "members"
            ))
            for pool in pools[:_POOLS]
        ]  # fmt: skip

    @staticmethod
    def references(asked: Sequence[tuple[Doc, Tried[list[dict[str, Any]]]]], nics: Sequence[Nic]) -> list[str]:
        """Sentences for the members that are this machine."""
        own = {address(fixed.address): fixed.address for nic in nics for fixed in nic.fixed}
        found = []
        for pool, answer in asked:
            for member in or_else(answer.result(), []):
                one = address(member.get("address"))
                if one is not None and one in own:
                    name = text(pool.get("name")) or text(pool.get("id"))
                    found.append(f"the load balancer pool {name} has the address {own[one]} as a member")
        return list(dict.fromkeys(found))
