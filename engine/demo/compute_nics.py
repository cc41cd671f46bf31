"""The network cards that a machine is given: ports that are there, or that Nova makes on a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.demo.answers import Refusal
from engine.demo.lifecycle import Lifecycle
from engine.demo.machines import Maker
from engine.demo.network_addresses import addresses_for
from engine.demo.network_records import Network, Port
from engine.demo.quotas import network_usage
from engine.demo.records import Server
from engine.demo.routing import Call
from engine.demo.state import State


@dataclass(frozen=True)
class Nic:
    """One card: a port, or the network and address of one to be made; both None is a port as the project has them."""

    port: Port | None = None
    network: Network | None = None
    address: str | None = None
    tag: str | None = None
    groups: tuple[str, ...] = ()


def nics(state: State, lifecycle: Lifecycle, call: Call, body: dict[str, Any]) -> list[Nic]:
    """The cards that POST /servers asks for. Raises Refusal: 400, 403 (quota), 409 (in use)."""
    networks = body.get("networks")
    if networks == "none":
        return []
    groups = _groups(state, lifecycle, call, body.get("security_groups"))
    if networks == "auto" or not networks:
        return [Nic(groups=groups)]
    found = [_nic(state, call, row, groups) for row in (networks if isinstance(networks, list) else [networks])]
    room(state, call.token.project_id, sum(1 for nic in found if nic.port is None))
    return found


def _groups(state: State, lifecycle: Lifecycle, call: Call, asked: Any) -> tuple[str, ...]:
    default = lifecycle.maker.wiring.default_group(call.token.project_id, call.now)
    found = []
    for row in asked or ():
        name = row.get("name") if isinstance(row, dict) else None
        mine = state.security_groups.having("project", call.token.project_id)
        group = next((group for group in mine if name in (group.id, group.name)), None)
        if group is None:
            raise Refusal(400, f"Unable to find security_group with name or id '{name}'")
        found.append(group.id)
    return tuple(found) or (default.id,)


def _nic(state: State, call: Call, row: Any, groups: tuple[str, ...]) -> Nic:
    if not isinstance(row, dict):
        raise Refusal(400, f"Invalid input for field/attribute networks. Value: {row}.")
    tag, id = row.get("tag"), row.get("port")
    if id:
        if row.get("fixed_ip"):
            raise Refusal(
                400,
                f"Specified Fixed IP '{row['fixed_ip']}' cannot be used with port '{id}': the two cannot be specified "
                "together.",
            )
        return Nic(port=free_port(state, call, str(id)), tag=tag)
    network = state.networks.get(str(row.get("uuid")))
    if network is None or not sees(call, network):
        raise Refusal(400, f"Network {row.get('uuid')} could not be found.")
    return Nic(network=network, address=row.get("fixed_ip"), tag=tag, groups=groups)


def sees(call: Call, network: Network) -> bool:
    """Whether the token may plug something into the network."""
    return network.project == call.token.project_id or network.shared or call.token.admin


def free_port(state: State, call: Call, id: str) -> Port:
    """A port that no machine has yet. Raises Refusal: 400 unknown, 409 in use."""
    port = state.ports.get(id)
    mine = call.token.project_id
    if port is None or not (port.project == mine or port.network.project == mine or call.token.admin):
        raise Refusal(400, f"Port id {id} could not be found.")
    if port.device_id:
        raise Refusal(409, f"Port {id} is still in use.")
    return port


def room(state: State, project: str, more: int) -> None:
    """Raises Refusal(403) when the project may not have so many more ports."""
    owner = state.projects.get(project)
    limit = owner.network_quota.get("port", -1) if owner else -1
    if more and 0 <= limit < network_usage(state, project).get(project, {}).get("port", 0) + more:
        raise Refusal(403, "Maximum number of ports exceeded")


def plug(state: State, lifecycle: Lifecycle, call: Call, server: Server, asked: list[Nic]) -> None:
    """Gives the machine its cards; ports that were there before stay when it goes."""
    tags: dict[str, str] = {}
    for nic in asked:
        port = nic.port or make_port(state, lifecycle, call, server.project, nic)
        if nic.port is not None:
            server.given_ports |= {port.id}
        if nic.tag:
            tags[port.id] = nic.tag
        Maker.bind(server, port)
    server.nic_tags = tags or None
    name_groups(state, server)


def make_port(state: State, lifecycle: Lifecycle, call: Call, project: str, nic: Nic) -> Port:
    """A port of Nova's own on the network."""
    wiring = lifecycle.maker.wiring
    if nic.network is None:
        net = lifecycle.net(project)
        return wiring.plug(net, wiring.subnet_for(net, "app", call.now), nic.groups, call.now)
    wanted = [{"ip_address": nic.address}] if nic.address else None
    port = Port(
        state.dice.uuid(), "", nic.network, project, state.dice.mac(), "DOWN", "", "",
        addresses_for(state, nic.network, wanted), nic.groups, "", call.now, call.now,
    )  # fmt: skip
    return state.ports.add(port)


def name_groups(state: State, server: Server) -> None:
    """The names of the security groups that the machine's ports are in, as Nova tells them: port by port."""
    found = [state.security_groups.get(group) for port in server.ports for group in port.groups]
    server.groups = tuple(group.name for group in found if group is not None)
