"""Ports as Neutron makes, changes and removes them: addresses, MACs, bindings, and what each token may say of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer, empty
from engine.demo.network_addresses import addresses_for
from engine.demo.network_records import Network, Port
from engine.demo.network_render import port_document
from engine.demo.routing import Call, check_types
from engine.demo.serving import Response

if TYPE_CHECKING:
    from engine.demo.network_changes import Changes

Body = dict[str, Any]
MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")
TYPES: dict[str, type | tuple[type, ...]] = {
    "name": str, "description": str, "fixed_ips": list, "mac_address": str, "device_id": str, "device_owner": str,
    "security_groups": list, "allowed_address_pairs": list, "admin_state_up": bool, "port_security_enabled": bool,
    "binding:host_id": str, "binding:vnic_type": str,
}  # fmt: skip
ADMINS = ("mac_address", "binding:host_id", "binding:profile")
# On a network of somebody else's only an administrator says these.
OWNERS = ("fixed_ips", "mac_address", "port_security_enabled", "allowed_address_pairs")


def add_ports(changes: Changes) -> None:
    """Route making, changing and removing of ports."""
    ports = Ports(changes)
    on = changes.networking.routes.on
    on("POST", "/v2.0/ports")(ports.create)
    on("PUT", "/v2.0/ports/{id}")(ports.update)
    on("DELETE", "/v2.0/ports/{id}")(ports.delete)


class Ports:
    """Neutron's calls that change ports."""

    def __init__(self, changes: Changes) -> None:
        self.changes, self.networking, self.state = changes, changes.networking, changes.state
        self.lifecycle = changes.networking.lifecycle

    def _owned(self, call: Call, network: Network, body: Body, rule: str) -> None:
        if call.token.project_admin or network.project == call.token.project_id:
            return
        told = [name for name in OWNERS if name in body and not _only_subnets(name, body[name])]
        if told:
            words = " and ".join([f"rule:{rule}", *(f"rule:{rule}:{name}" for name in told)])
            raise Refusal(403, f"({words}) is disallowed by policy", "PolicyNotAuthorized")

    def create(self, call: Call) -> Response:
        body, project = self.changes.body(call, "port", "create_port")
        network: Network = self.networking.find(call, str(body.get("network_id")), "networks")
        self._owned(call, network, body, "create_port")
        self._bound_by_admin(call, body, "create_port", ADMINS[1:])
        port = Port(
            self.state.dice.uuid(), str(body.get("name") or ""), network, project,
            self._mac(network, body.get("mac_address")), "DOWN", str(body.get("device_id") or ""),
            str(body.get("device_owner") or ""), [], (), "", call.now, call.now,
            revision=1, description=str(body.get("description") or ""),
        )  # fmt: skip
        port.fixed_ips = addresses_for(self.state, network, body.get("fixed_ips"))
        port.security = body.get("port_security_enabled") is not False
        port.admin_up = body.get("admin_state_up") is not False
        port.vnic, port.qos = str(body.get("binding:vnic_type") or "normal"), body.get("qos_policy_id")
        if "security_groups" in body:
            port.groups = self._groups(body["security_groups"])
        elif port.security:
            port.groups = (self.lifecycle.maker.wiring.default_group(project, call.now).id,)
        port.pairs = self._pairs(body.get("allowed_address_pairs"))
        self._secured(port)
        self._bind(port, body)
        self.state.ports.add(port)
        return answer({"port": port_document(port, call.token.project_admin, call.now)}, 201)

    @staticmethod
    def _bound_by_admin(call: Call, body: Body, rule: str, names: tuple[str, ...]) -> None:
        told = [name for name in names if name in body]
        if told and not call.token.project_admin:
            raise Refusal(
                403, f"(rule:{rule} and rule:{rule}:{told[0]}) is disallowed by policy", "PolicyNotAuthorized"
            )

    def _mac(self, network: Network, wanted: Any, port: Port | None = None) -> str:
        if wanted is None:
            return self.state.dice.mac()
        mac = str(wanted).lower()
        if not MAC.fullmatch(mac):
            raise Refusal(400, f"Invalid input for mac_address. Reason: '{wanted}' is not a valid MAC address.")
        if any(other.mac == mac for other in self.state.ports.having("network", network) if other is not port):
            message = f"Unable to complete operation for network {network.id}. The mac address {mac} is in use."
            raise Refusal(409, message, "MacAddressInUse")
        return mac

    def _groups(self, asked: Any) -> tuple[str, ...]:
        for id in asked or ():
            if self.state.security_groups.get(str(id)) is None:
                raise Refusal(404, f"Security group {id} does not exist", "SecurityGroupNotFound")
        return tuple(dict.fromkeys(str(id) for id in asked or ()))

    @staticmethod
    def _pairs(asked: Any) -> tuple[tuple[str, str], ...]:
        pairs = []
        for row in asked or ():
            if not isinstance(row, dict) or not row.get("ip_address"):
                raise Refusal(400, "AllowedAddressPair must contain ip_address", "AllowedAddressPairsMissingIP")
            pairs.append((str(row["ip_address"]), str(row.get("mac_address") or "")))
        return tuple(pairs)

    @staticmethod
    def _secured(port: Port) -> None:
        if port.security:
            return
        if port.pairs:
            message = "Port Security must be enabled in order to have allowed address pairs on a port."
            raise Refusal(409, message, "AddressPairAndPortSecurityRequired")
        if port.groups:
            message = "Port has security group associated. Cannot disable port security or IP address until security "
            raise Refusal(409, message + "group is removed", "PortSecurityPortHasSecurityGroup")

    def _bind(self, port: Port, body: Body) -> None:
        """A port that belongs to a machine and to a host that there is becomes active."""
        if "binding:host_id" in body:
            port.host = str(body["binding:host_id"] or "")
        port.status = "ACTIVE" if port.host and port.device_id else "DOWN"

    # Changing

    def update(self, call: Call, id: str) -> Response:
        """What an administrator or an owner may say anew. Raises Refusal: 400, 403, 404, 409."""
        port: Port = self.changes.find(call, id, "ports", "update_port")
        document = call.json()
        body = document.get("port") if isinstance(document, dict) else None
        if not isinstance(body, dict):
            raise Refusal(400, "Unable to find 'port' in request body")
        check_types(body, TYPES)
        fixed = next((name for name in body if name in ("id", "network_id", "project_id", "tenant_id", "status")), None)
        if fixed is not None or any(name not in _KNOWN for name in body):
            unknown = fixed or next(name for name in body if name not in _KNOWN)
            raise Refusal(400, f"Cannot update read-only attribute {unknown}" if fixed else _unknown(unknown))
        self._bound_by_admin(call, body, "update_port", ADMINS)
        self._owned(call, port.network, body, "update_port")
        mac, fixed_ips = self._new_mac(port, body), self._new_addresses(port, body)
        self._security(port, body)
        port.mac, port.fixed_ips = mac, fixed_ips
        self._rest(port, body)
        port.updated, port.revision = call.now, port.revision + 1
        return answer({"port": port_document(port, call.token.project_admin, call.now)})

    def _new_mac(self, port: Port, body: Body) -> str:
        wanted = body.get("mac_address")
        if wanted is None or wanted.lower() == port.mac:
            return port.mac
        mac = self._mac(port.network, wanted, port)
        if port.host:
            message = (
                f"Unable to complete operation on port {port.id}, port is already bound, port type: ovs, "
                f"old_mac {port.mac}, new_mac {mac}."
            )
            raise Refusal(409, message, "PortBound")
        return mac

    def _new_addresses(self, port: Port, body: Body) -> list[tuple[str, str]]:
        if "fixed_ips" not in body or body["fixed_ips"] is None:
            return port.fixed_ips
        found = addresses_for(self.state, port.network, body["fixed_ips"], port)
        floating = port.floating
        if floating is not None and floating.leads_to not in {ip for _, ip in found}:
            message = (
                f"Bad port request: Cannot update the fixed_ips of the port {port.id}, because its original fixed_ip "
                "has been associated to a floating ip."
            )
            raise Refusal(400, message, "BadRequest")
        return found

    def _security(self, port: Port, body: Body) -> None:
        secured = body.get("port_security_enabled", port.security) is not False
        if body.get("security_groups") and not secured:
            message = "Port security must be enabled and port must have an IP address in order to use security groups."
            raise Refusal(400, message, "PortSecurityAndIPRequiredForSecurityGroups")
        before = (port.groups, port.pairs, port.security)
        if "security_groups" in body:
            port.groups = self._groups(body["security_groups"])
        if "allowed_address_pairs" in body:
            port.pairs = self._pairs(body["allowed_address_pairs"])
        if "port_security_enabled" in body:
            port.security = body["port_security_enabled"] is not False
        try:
            self._secured(port)
        except Refusal:
            port.groups, port.pairs, port.security = before
            raise

    def _rest(self, port: Port, body: Body) -> None:
        port.name, port.description = str(body.get("name", port.name)), str(body.get("description", port.description))
        port.admin_up = body.get("admin_state_up", port.admin_up)
        port.qos = body.get("qos_policy_id", port.qos)
        port.vnic = str(body.get("binding:vnic_type", port.vnic))
        if "device_id" in body or "device_owner" in body:
            self._device(port, str(body.get("device_id", port.device_id)))
            port.device_owner = str(body.get("device_owner", port.device_owner))
        if {"device_id", "binding:host_id"} & set(body):
            self._bind(port, body)

    def _device(self, port: Port, device: str) -> None:
        """Nova's machine knows its ports by what Neutron says of them."""
        before, after = self.state.servers.get(port.device_id), self.state.servers.get(device)
        port.device_id = device
        if before is not after:
            if before is not None and port in before.ports:
                before.ports.remove(port)
            if after is not None:
                after.ports.append(port)

    def delete(self, call: Call, id: str) -> Response:
        port: Port = self.changes.find(call, id, "ports", "delete_port")
        if port.device_owner.startswith("network:router"):
            raise Refusal(
                409, f"Port {id} cannot be deleted directly via the port API: has device owner {port.device_owner}.",
                "ServicePortInUse",
            )  # fmt: skip
        for trunk in self.state.trunks.having("project", port.project):
            if trunk.port is port:
                message = f"Port {id} is currently a parent port for trunk {trunk.id}."
                raise Refusal(409, message, "PortInUseAsTrunkParent")
            if any(child is port for child, _ in trunk.sub_ports):
                raise Refusal(409, f"Port {id} is currently a subport for trunk {trunk.id}.", "PortInUseAsSubPort")
        server = self.state.servers.get(port.device_id)
        if server and port in server.ports:
            server.ports.remove(port)
        self.lifecycle.remove_port(port, call.now)
        return empty(204)


_KNOWN = {*TYPES, "qos_policy_id", "binding:profile", "extra_dhcp_opts"}


def _unknown(name: str) -> str:
    return f"Unrecognized attribute(s) '{name}'"


def _only_subnets(name: str, value: Any) -> bool:
    """Whether addresses are asked for without saying which: everybody may, on shared networks too."""
    return name == "fixed_ips" and all(isinstance(row, dict) and "ip_address" not in row for row in value or ())
