"""What leads out and in: routers with their interfaces, floating IPs that are pointed at ports, trunks."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer, empty
from engine.demo.network_addresses import addresses_for
from engine.demo.network_records import FloatingIp, Network, Port, Router, Subnet, Trunk
from engine.demo.network_render import floating_document, router_document, trunk_document
from engine.demo.routing import Call
from engine.demo.serving import Response

if TYPE_CHECKING:
    from engine.demo.network_changes import Changes

Body = dict[str, Any]


def add_routed(changes: Changes) -> None:
    """Route what changes routers, floating IPs and trunks."""
    routed = Routed(changes)
    on = changes.networking.routes.on
    on("POST", "/v2.0/routers")(routed.create_router)
    on("DELETE", "/v2.0/routers/{id}")(routed.delete_router)
    on("PUT", "/v2.0/routers/{id}/add_router_interface")(routed.add_interface)
    on("PUT", "/v2.0/routers/{id}/remove_router_interface")(routed.remove_interface)
    on("POST", "/v2.0/floatingips")(routed.create_floating)
    on("PUT", "/v2.0/floatingips/{id}")(routed.point)
    on("DELETE", "/v2.0/floatingips/{id}")(routed.delete_floating)
    on("POST", "/v2.0/trunks")(routed.create_trunk)
    on("DELETE", "/v2.0/trunks/{id}")(routed.delete_trunk)
    on("PUT", "/v2.0/trunks/{id}/add_subports")(lambda call, id: routed.sub_ports(call, id, add=True))
    on("PUT", "/v2.0/trunks/{id}/remove_subports")(lambda call, id: routed.sub_ports(call, id, add=False))


class Routed:
    """Neutron's calls for layer 3 and for trunks."""

    def __init__(self, changes: Changes) -> None:
        self.changes, self.networking, self.state = changes, changes.networking, changes.state

    def _port(self, network: Network, project: str, device: str, owner: str, fixed: Any, now: int) -> Port:
        """A port of the network's own: a router's or a floating IP's."""
        addresses = addresses_for(self.state, network, fixed)
        status = "N/A" if owner == "network:floatingip" else "ACTIVE"
        port = Port(
            self.state.dice.uuid(), "", network, project, self.state.dice.mac(), status, device, owner, addresses,
            (), "" if status == "N/A" else "net-1", now, now, security=False,
        )  # fmt: skip
        return self.state.ports.add(port)

    def _external(self, call: Call, id: Any) -> Network:
        network: Network = self.networking.find(call, str(id), "networks")
        if not network.external:
            raise Refusal(400, f"Bad floatingip request: Network {id} is not a valid external network.", "BadRequest")
        return network

    # Routers

    def create_router(self, call: Call) -> Response:
        body, project = self.changes.body(call, "router", "create_router")
        gateway = body.get("external_gateway_info") or {}
        network = self._external(call, gateway["network_id"]) if gateway.get("network_id") else None
        router = Router(
            self.state.dice.uuid(),
            str(body.get("name") or ""),
            project,
            network,
            "",
            "",
            call.now,
            call.now,
            revision=2,
        )
        if network is not None:
            port = self._port(network, "", router.id, "network:router_gateway", None, call.now)
            router.subnet, router.ip = port.fixed_ips[0]
        self.state.routers.add(router)
        return answer({"router": router_document(router, call.token.project_admin, call.now)}, 201)

    def delete_router(self, call: Call, id: str) -> Response:
        router: Router = self.changes.find(call, id, "routers", "delete_router")
        ports = list(self._of_router(router))
        if any(port.device_owner == "network:router_interface" for port in ports):
            raise Refusal(409, f"Router {id} still has ports", "RouterInUse")
        for port in ports:
            self.state.ports.remove(port.id)
        self.state.routers.remove(id)
        return empty(204)

    def _of_router(self, router: Router) -> list[Port]:
        mine = [*self.state.ports.having("project", router.project)]
        if router.external is not None:
            mine += self.state.ports.having("network", router.external)
        return list({port.id: port for port in mine if port.device_id == router.id}.values())

    def add_interface(self, call: Call, id: str) -> Response:
        router: Router = self.changes.find(call, id, "routers", "add_router_interface")
        subnet: Subnet = self.networking.find(call, str(call.json().get("subnet_id")), "subnets")
        fixed = [{"subnet_id": subnet.id, "ip_address": subnet.gateway}]
        port = self._port(subnet.network, router.project, router.id, "network:router_interface", fixed, call.now)
        return answer(self._interface(router, port, subnet.id))

    def remove_interface(self, call: Call, id: str) -> Response:
        router: Router = self.changes.find(call, id, "routers", "remove_router_interface")
        body = call.json()
        for port in self._of_router(router):
            subnet = port.fixed_ips[0][0] if port.fixed_ips else ""
            if port.device_owner == "network:router_interface" and (
                port.id == body.get("port_id") or subnet == body.get("subnet_id")
            ):
                self.state.ports.remove(port.id)
                return answer(self._interface(router, port, subnet))
        raise Refusal(404, f"Router {id} has no interface on subnet {body.get('subnet_id')}", "RouterInterfaceNotFound")

    @staticmethod
    def _interface(router: Router, port: Port, subnet: str) -> Body:
        return {
            "id": router.id,
            "project_id": router.project,
            "tenant_id": router.project,
            "port_id": port.id,
            "network_id": port.network.id,
            "subnet_id": subnet,
            "subnet_ids": [subnet],
        }

    # Floating IPs

    def create_floating(self, call: Call) -> Response:
        body, project = self.changes.body(call, "floatingip", "create_floatingip")
        network = self._external(call, body.get("floating_network_id"))
        wanted = body.get("floating_ip_address")
        if wanted and not call.token.project_admin:
            rule = "rule:create_floatingip:floating_ip_address"
            raise Refusal(403, f"(rule:create_floatingip and {rule}) is disallowed by policy", "PolicyNotAuthorized")
        id = self.state.dice.uuid()
        fixed = [{"ip_address": wanted}] if wanted else None
        own = self._port(network, "", id, "network:floatingip", fixed, call.now)
        floating = FloatingIp(
            id, project, network, own.fixed_ips[0][1], None, None, "DOWN", call.now, call.now,
            str(body.get("description") or ""),
        )  # fmt: skip
        self.state.floating_ips.add(floating)
        try:
            self._lead(call, floating, body)
        except Refusal:
            self.state.floating_ips.remove(id)
            self.state.ports.remove(own.id)
            raise
        return answer({"floatingip": floating_document(floating, call.token.project_admin, call.now)}, 201)

    def point(self, call: Call, id: str) -> Response:
        """Leads it to another port, to another address of it, or nowhere."""
        floating: FloatingIp = self.changes.find(call, id, "floatingips", "update_floatingip")
        document = call.json()
        body = document.get("floatingip") if isinstance(document, dict) else None
        if not isinstance(body, dict):
            raise Refusal(400, "Unable to find 'floatingip' in request body")
        if "description" in body:
            floating.description = str(body["description"] or "")
        if "port_id" in body or "fixed_ip_address" in body:
            self._lead(call, floating, {"port_id": floating.port.id if floating.port else None, **body})
        floating.updated, floating.revision = call.now, floating.revision + 1
        return answer({"floatingip": floating_document(floating, call.token.project_admin, call.now)})

    def _lead(self, call: Call, floating: FloatingIp, body: Body) -> None:
        if not body.get("port_id"):
            if floating.port is not None:
                floating.port.floating = None
            floating.port, floating.router, floating.fixed, floating.status = None, None, "", "DOWN"
            return
        port: Port = self.networking.find(call, str(body["port_id"]), "ports")
        fixed = str(body.get("fixed_ip_address") or "")
        mine = [ip for _, ip in port.fixed_ips if ":" not in ip]
        if fixed and fixed not in mine:
            message = f"Bad floatingip request: Port {port.id} does not have fixed ip {fixed}."
            raise Refusal(400, message, "BadRequest")
        if not mine:
            message = (
                f"Bad floatingip request: Cannot add floating IP to port {port.id} that has no fixed IPv4 addresses."
            )
            raise Refusal(400, message, "BadRequest")
        if port.floating is not None and port.floating is not floating:
            message = (
                f"Cannot associate floating IP {floating.ip} ({floating.id}) with port {port.id} using fixed IP "
                f"{fixed or mine[0]}, as that fixed IP already has a floating IP on external network "
                f"{floating.network.id}."
            )
            raise Refusal(409, message, "FloatingIPPortAlreadyAssociated")
        router = self._router_of(port, floating.network)
        if floating.port is not None:
            floating.port.floating = None
        floating.port, floating.router, floating.fixed, floating.status = port, router.id, fixed, "ACTIVE"
        port.floating = floating

    def _router_of(self, port: Port, external: Network) -> Router:
        for other in self.state.ports.having("network", port.network):
            if other.device_owner == "network:router_interface":
                router = self.state.routers.get(other.device_id)
                if router is not None and router.external is external:
                    return router
        subnet = port.fixed_ips[0][0] if port.fixed_ips else ""
        message = (
            f"External network {external.id} is not reachable from subnet {subnet}.  Therefore, cannot associate Port "
            f"{port.id} with a Floating IP."
        )
        raise Refusal(404, message, "ExternalGatewayForFloatingIPNotFound")

    def delete_floating(self, call: Call, id: str) -> Response:
        floating: FloatingIp = self.changes.find(call, id, "floatingips", "delete_floatingip")
        if floating.port is not None:
            floating.port.floating = None
        for port in list(self.state.ports.having("network", floating.network)):
            if port.device_id == id:
                self.state.ports.remove(port.id)
        self.state.floating_ips.remove(id)
        return empty(204)

    # Trunks

    def create_trunk(self, call: Call) -> Response:
        body, project = self.changes.body(call, "trunk", "create_trunk")
        parent: Port = self.networking.find(call, str(body.get("port_id")), "ports")
        if any(trunk.port is parent for trunk in self.state.trunks.having("project", project)):
            raise Refusal(409, f"Port {parent.id} is currently a parent port for another trunk.", "TrunkPortInUse")
        trunk = Trunk(self.state.dice.uuid(), str(body.get("name") or ""), project, parent, [], call.now, call.now)
        trunk.sub_ports = [self._child(call, trunk, row) for row in body.get("sub_ports") or ()]
        trunk.status = "ACTIVE" if parent.host else "DOWN"
        self.state.trunks.add(trunk)
        return answer({"trunk": trunk_document(trunk, call.token.project_admin, call.now)}, 201)

    def _child(self, call: Call, trunk: Trunk, row: Any) -> tuple[Port, int]:
        port: Port = self.networking.find(call, str(row.get("port_id")), "ports")
        for other in (trunk, *self.state.trunks.having("project", port.project)):
            if any(child is port for child, _ in other.sub_ports):
                raise Refusal(409, f"Port {port.id} is in use by another trunk.", "PortInUseAsSubPort")
        return port, int(row.get("segmentation_id") or secrets.randbelow(4000) + 1)

    def sub_ports(self, call: Call, id: str, *, add: bool) -> Response:
        trunk: Trunk = self.changes.find(call, id, "trunks", "update_trunk")
        rows = call.json().get("sub_ports") or []
        if add:
            trunk.sub_ports += [self._child(call, trunk, row) for row in rows]
        else:
            gone = {str(row.get("port_id")) for row in rows}
            trunk.sub_ports = [(port, tag) for port, tag in trunk.sub_ports if port.id not in gone]
        trunk.updated = call.now
        return answer(trunk_document(trunk, call.token.project_admin, call.now))

    def delete_trunk(self, call: Call, id: str) -> Response:
        trunk: Trunk = self.changes.find(call, id, "trunks", "delete_trunk")
        if trunk.port.device_id and not trunk.port.device_id.startswith("trunk") and trunk.port.host:
            raise Refusal(409, f"Trunk {id} is currently in use.", "TrunkInUse")
        self.state.trunks.remove(id)
        return empty(204)
