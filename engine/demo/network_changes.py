"""What Neutron does when asked: networks, subnets, ports, security groups and rules made and removed."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from engine.demo import network_rules
from engine.demo.answers import Refusal, answer, empty
from engine.demo.network_records import Network, Rule, SecurityGroup, Subnet
from engine.demo.network_render import group_document, network_document, rule_document, subnet_document
from engine.demo.quotas import network_usage
from engine.demo.routing import Call, check_types
from engine.demo.serving import Response

if TYPE_CHECKING:
    from engine.demo.network import Networking

Body = dict[str, Any]
ATTRIBUTES = {
    "network": {
        "admin_state_up", "description", "mtu", "name", "port_security_enabled", "project_id",
        "provider:network_type", "provider:physical_network", "provider:segmentation_id",
        "router:external", "shared", "tags", "tenant_id",
    },
    "subnet": {
        "allocation_pools", "cidr", "description", "dns_nameservers", "enable_dhcp", "gateway_ip",
        "host_routes", "ip_version", "name", "network_id", "project_id", "tags", "tenant_id",
    },
    "port": {
        "admin_state_up", "allowed_address_pairs", "binding:host_id", "binding:profile", "binding:vnic_type",
        "description", "device_id", "device_owner", "extra_dhcp_opts", "fixed_ips", "mac_address", "name",
        "network_id", "port_security_enabled", "project_id", "qos_policy_id", "security_groups", "tags", "tenant_id",
    },
    "floatingip": {
        "description", "fixed_ip_address", "floating_ip_address", "floating_network_id", "port_id", "project_id",
        "qos_policy_id", "subnet_id", "tags", "tenant_id",
    },
    "router": {
        "admin_state_up", "description", "external_gateway_info", "name", "project_id", "tags", "tenant_id",
    },
    "trunk": {
        "admin_state_up", "description", "name", "port_id", "project_id", "sub_ports", "tags", "tenant_id",
    },
    "security_group": {
        "description", "name", "project_id", "stateful", "tags", "tenant_id",
    },
    "security_group_rule": {
        "description", "direction", "ethertype", "port_range_max", "port_range_min", "project_id",
        "protocol", "remote_address_group_id", "remote_group_id", "remote_ip_prefix", "security_group_id",
        "tenant_id",
    },
}  # fmt: skip


TYPES: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "description": str,
    "network_id": str,
    "cidr": str,
    "gateway_ip": str,
    "security_groups": list,
    "fixed_ips": list,
    "mac_address": str,
    "device_id": str,
    "direction": str,
    "ethertype": str,
    "protocol": (str, int),
    "port_range_min": int,
    "port_range_max": int,
    "remote_ip_prefix": str,
    "remote_group_id": str,
}


def add_changes(networking: Networking) -> None:
    """Route what makes, changes and removes networks, subnets, ports, security groups and their rules."""
    from engine.demo.network_ports import add_ports
    from engine.demo.network_routed import add_routed
    from engine.demo.network_tags import add_tags

    changes = Changes(networking)
    add_ports(changes)
    add_routed(changes)
    add_tags(changes)
    on = networking.routes.on
    on("POST", "/v2.0/networks")(changes.create_network)
    on("DELETE", "/v2.0/networks/{id}")(changes.delete_network)
    on("POST", "/v2.0/subnets")(changes.create_subnet)
    on("DELETE", "/v2.0/subnets/{id}")(changes.delete_subnet)
    on("POST", "/v2.0/security-groups")(changes.create_group)
    on("DELETE", "/v2.0/security-groups/{id}")(changes.delete_group)
    on("POST", "/v2.0/security-group-rules")(changes.create_rule)
    on("DELETE", "/v2.0/security-group-rules/{id}")(changes.delete_rule)
    for key in ("networks", "subnets", "security-groups"):
        on("PUT", f"/v2.0/{key}/{{id}}")(lambda call, id, key=key: changes.update(call, id, key))


class Changes:
    """Neutron's calls that change something, with its checks of bodies, quotas and what is in use."""

    def __init__(self, networking: Networking) -> None:
        self.networking, self.state = networking, networking.state

    def body(self, call: Call, single: str, rule: str) -> tuple[Body, str]:
        """The request's object and the project it is for. Raises Refusal: 400, 403, 409 (quota)."""
        document = call.json()
        body = document.get(single) if isinstance(document, dict) else None
        if not isinstance(body, dict):
            raise Refusal(400, f"Unable to find '{single}' in request body")
        unknown = [name for name in body if name not in ATTRIBUTES[single]]
        if unknown:
            words = ", ".join(f"'{name}'" for name in unknown)
            raise Refusal(400, f"Unrecognized attribute(s) {words}")
        check_types(body, TYPES)
        project = str(body.get("project_id") or body.get("tenant_id") or call.token.project_id)
        admin_fields = any(
            name.startswith("provider:") or (name in ("shared", "router:external") and body[name]) for name in body
        )
        if not call.token.writes or (admin_fields and not call.token.project_admin):
            raise self.denied(rule)
        if project != call.token.project_id and not call.token.project_admin:
            raise Refusal(
                400,
                "Specifying 'project_id' other than the authenticated project in request is not allowed for the "
                "current user.",
            )
        self._quota(single.replace("-", "_"), project)
        return body, project

    @staticmethod
    def denied(rule: str) -> Refusal:
        return Refusal(403, f"rule:{rule} is disallowed by policy", "PolicyNotAuthorized")

    def _quota(self, name: str, project: str) -> None:
        owner = self.state.projects.get(project)
        if owner is None:
            return
        limit = owner.network_quota.get(name, -1)
        if 0 <= limit < network_usage(self.state, project).get(project, {}).get(name, 0) + 1:
            raise Refusal(409, f"Quota exceeded for resources: ['{name}'].", "OverQuota")

    def find(self, call: Call, id: str, key: str, rule: str) -> Any:
        """A row that the token may change. Raises Refusal: 403, 404."""
        row = self.networking.find(call, id, key)
        if not call.token.writes or (row.project != call.token.project_id and not call.token.project_admin):
            raise self.denied(rule)
        return row

    # Networks and subnets

    def create_network(self, call: Call) -> Response:
        body, project = self.body(call, "network", "create_network")
        network = Network(
            self.state.dice.uuid(), str(body.get("name") or ""), project, call.now, call.now,
            shared=bool(body.get("shared")), external=bool(body.get("router:external")), revision=1,
            description=str(body.get("description") or ""), admin_up=body.get("admin_state_up") is not False,
        )  # fmt: skip
        self._provider(network, body)
        self.state.networks.add(network)
        return answer({"network": network_document(network, call.token.project_admin, call.now)}, 201)

    def _provider(self, network: Network, body: Body) -> None:
        """What carries the network: as for tenants, or as an administrator says."""
        kind, physical = body.get("provider:network_type"), body.get("provider:physical_network")
        segment = body.get("provider:segmentation_id")
        if kind in ("flat", "vlan"):
            if physical is None and kind == "flat":
                raise Refusal(400, "Invalid input for operation: physical_network required for flat provider network.")
            if physical not in (None, "physnet1"):
                name = kind.upper() if kind == "vlan" else kind
                message = (
                    f"Invalid input for operation: physical_network '{physical}' unknown for {name} provider network."
                )
                raise Refusal(400, message, "InvalidInput")
            network.physical = "physnet1"
        elif physical is not None:
            message = f"Invalid input for operation: provider:physical_network specified for {kind} network."
            raise Refusal(400, message, "InvalidInput")
        network.kind = str(kind or network.kind)
        network.segment = segment or (None if kind in ("flat", "local") else 4000 + len(self.state.networks))
        if isinstance(body.get("mtu"), int):
            network.mtu = body["mtu"]

    def delete_network(self, call: Call, id: str) -> Response:
        network: Network = self.find(call, id, "networks", "delete_network")
        ports = list(self.state.ports.having("network", network))
        if any(port.device_owner != "network:dhcp" for port in ports):
            raise Refusal(
                409,
                f"Unable to complete operation on network {id}. There are one or more ports still in use on the "
                f"network, id for these ports is: {', '.join(port.id for port in ports[:10])}.",
                "NetworkInUse",
            )
        for port in ports:
            self.state.ports.remove(port.id)
        for subnet in network.subnets:
            self.state.subnets.remove(subnet.id)
        self.state.networks.remove(id)
        return empty(204)

    def create_subnet(self, call: Call) -> Response:
        body, project = self.body(call, "subnet", "create_subnet")
        network: Network = self.networking.find(call, str(body.get("network_id")), "networks")
        try:
            cidr = ipaddress.ip_network(str(body.get("cidr")))
        except ValueError:
            message = f"Invalid input for cidr. Reason: '{body.get('cidr')}' is not a valid IP subnet."
            raise Refusal(400, message) from None
        if int(body.get("ip_version") or 4) != cidr.version:
            raise Refusal(400, "Invalid input for operation: cidr and ip_version do not match.", "InvalidInput")
        if any(cidr.overlaps(ipaddress.ip_network(other.cidr)) for other in network.subnets if _alike(cidr, other)):
            message = f"Invalid input for operation: Requested subnet with cidr: {cidr} overlaps with another subnet."
            raise Refusal(400, message, "InvalidInput")
        # The first address of all is a router's by custom in IPv6.
        first = cidr.network_address + (1 if cidr.version == 4 else 0)
        gateway = body["gateway_ip"] if "gateway_ip" in body else str(first)
        subnet = Subnet(
            self.state.dice.uuid(), str(body.get("name") or ""), project, network, str(cidr),
            str(cidr.network_address), gateway, call.now, call.now, dhcp=body.get("enable_dhcp") is not False,
            size=min(cidr.num_addresses - 2, 65000), next_host=0, dns=tuple(body.get("dns_nameservers") or ()),
            description=str(body.get("description") or ""),
        )  # fmt: skip
        subnet.pools = _pools(body.get("allocation_pools"), cidr, gateway)
        network.subnets.append(subnet)
        network.updated, network.revision = call.now, network.revision + 1
        self.state.subnets.add(subnet)
        return answer({"subnet": subnet_document(subnet, call.token.project_admin, call.now)}, 201)

    def delete_subnet(self, call: Call, id: str) -> Response:
        subnet: Subnet = self.find(call, id, "subnets", "delete_subnet")
        if any(
            id == used
            for port in self.state.ports.having("network", subnet.network)
            for used, _ in port.fixed_ips
            if port.device_owner != "network:dhcp"
        ):
            raise Refusal(
                409,
                f"Unable to complete operation on subnet {id}: One or more ports have an IP allocation from "
                "this subnet.",
                "SubnetInUse",
            )
        subnet.network.subnets.remove(subnet)
        self.state.subnets.remove(id)
        return empty(204)

    # Security groups and rules

    def create_group(self, call: Call) -> Response:
        body, project = self.body(call, "security_group", "create_security_group")
        wiring = self.networking.lifecycle.maker.wiring
        group = SecurityGroup(
            self.state.dice.uuid(), str(body.get("name") or ""), project, str(body.get("description") or ""),
            call.now, call.now,
        )  # fmt: skip
        self.state.security_groups.add(group)
        wiring.allow_out(group, call.now)
        return answer({"security_group": group_document(group, call.token.project_admin, call.now)}, 201)

    def delete_group(self, call: Call, id: str) -> Response:
        group: SecurityGroup = self.find(call, id, "security-groups", "delete_security_group")
        if group.name == "default" and not call.token.project_admin:
            raise Refusal(
                409, "Insufficient rights for removing default security group.", "SecurityGroupCannotRemoveDefault"
            )
        if any(id in port.groups for port in self.state.ports):
            raise Refusal(409, f"Security Group {id} in use.", "SecurityGroupInUse")
        # With the group go its rules, and the rules of others that let its members in.
        for rule in [rule for rule in self.state.rules if rule.group == id or rule.remote_group == id]:
            self.state.rules.remove(rule.id)
            if (owner := self.state.security_groups.get(rule.group)) is not None and owner is not group:
                owner.rules.remove(rule)
        self.state.security_groups.remove(id)
        return empty(204)

    def create_rule(self, call: Call) -> Response:
        body, project = self.body(call, "security_group_rule", "create_security_group_rule")
        group: SecurityGroup = self.find(
            call, str(body.get("security_group_id")), "security-groups", "create_security_group_rule"
        )
        if body.get("direction") not in ("ingress", "egress"):
            message = f"Invalid input for direction. Reason: '{body.get('direction')}' is not in ['ingress', 'egress']."
            raise Refusal(400, message)
        network_rules.check(body)
        rule = Rule(
            self.state.dice.uuid(), group.id, project, body["direction"], str(body.get("ethertype") or "IPv4"),
            body.get("protocol"), body.get("port_range_min"), body.get("port_range_max"), body.get("remote_ip_prefix"),
            body.get("remote_group_id"), call.now, str(body.get("description") or ""),
        )  # fmt: skip
        for other in group.rules:
            if _same(other, rule):
                raise Refusal(
                    409, f"Security group rule already exists. Rule id is {other.id}.", "SecurityGroupRuleExists"
                )
        self.state.add_rule(rule)
        group.updated, group.revision = call.now, group.revision + 1
        return answer({"security_group_rule": rule_document(rule, call.token.project_admin, call.now)}, 201)

    def delete_rule(self, call: Call, id: str) -> Response:
        rule: Rule = self.find(call, id, "security-group-rules", "delete_security_group_rule")
        group = self.state.security_groups.get(rule.group)
        if group:
            group.rules.remove(rule)
            group.updated, group.revision = call.now, group.revision + 1
        self.state.rules.remove(id)
        return empty(204)

    def update(self, call: Call, id: str, key: str) -> Response:
        """Name, description and admin state; what else a client may send is refused by name."""
        collection = self.networking.collections[key]
        row = self.find(call, id, key, f"update_{collection.single}")
        document = call.json()
        body = document.get(collection.single) if isinstance(document, dict) else None
        if not isinstance(body, dict):
            raise Refusal(400, f"Unable to find '{collection.single}' in request body")
        for name, value in body.items():
            if name in ("name", "description") and isinstance(value, str):
                setattr(row, name, value)
            elif name == "enable_dhcp" and isinstance(row, Subnet) and isinstance(value, bool):
                row.dhcp = value
            elif name == "admin_state_up" and isinstance(value, bool) and hasattr(row, "admin_up"):
                row.admin_up = value
            else:
                raise Refusal(400, f"Cannot update read-only attribute {name}")
        row.updated, row.revision = call.now, row.revision + 1
        return answer({collection.single: collection.document(row, call.token.project_admin, call.now)})


Net = ipaddress.IPv4Network | ipaddress.IPv6Network


def _alike(cidr: Net, other: Subnet) -> bool:
    return cidr.version == other.version


def _pools(asked: Any, cidr: Net, gateway: str | None) -> list[tuple[str, str]]:
    """The pools that were asked for, else all of the subnet without its ends and its gateway."""
    if isinstance(asked, list) and asked:
        return [(str(row.get("start")), str(row.get("end"))) for row in asked if isinstance(row, dict)]
    low, high = int(cidr.network_address) + 1, int(cidr.broadcast_address) - (1 if cidr.version == 4 else 0)
    middle = low - 1 if gateway is None else int(ipaddress.ip_address(gateway))
    parts = [(low, high)] if not low <= middle <= high else [(low, middle - 1), (middle + 1, high)]
    kind = type(cidr.network_address)
    return [(str(kind(start)), str(kind(end))) for start, end in parts if start <= end]


def _same(one: Rule, other: Rule) -> bool:
    def key(rule: Rule) -> tuple[Any, ...]:
        return (
            rule.direction, rule.ethertype, network_rules.number(rule.protocol), rule.low, rule.high,
            network_rules.everywhere(rule.prefix), rule.remote_group,
        )  # fmt: skip

    return key(one) == key(other)
