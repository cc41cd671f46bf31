"""Neutron's quotas, extensions, zones and address counts."""

from __future__ import annotations

import uuid
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer
from engine.demo.clock import nova_time
from engine.demo.network_records import Network, Subnet
from engine.demo.quotas import network_usage
from engine.demo.routing import Call
from engine.demo.serving import Response
from engine.demo.tenants import NETWORK_QUOTA

if TYPE_CHECKING:
    from engine.demo.network import Networking

EXTENSIONS = [
    "address-group", "address-scope", "agent", "allowed-address-pairs", "availability_zone", "binding",
    "default-subnetpools", "dhcp_agent_scheduler", "expose-port-forwarding-in-fip", "ext-gw-mode",
    "external-net", "extra_dhcp_opt", "extraroute", "filter-validation", "fip-port-details", "flavors",
    "l3_agent_scheduler", "multi-provider", "net-mtu", "network-ip-availability",
    "network_availability_zone", "pagination", "port-resource-request", "port-security", "project-id",
    "provider", "qos", "quota-check-limit", "quota_details", "quotas", "rbac-policies", "router",
    "security-group", "service-type", "sorting", "standard-attr-description", "standard-attr-revisions",
    "standard-attr-tag", "standard-attr-timestamp", "stateful-security-group", "subnet-service-types",
    "subnet_allocation", "trunk", "trunk-details",
]  # fmt: skip


def add_projects(networking: Networking) -> None:
    """Route quotas, extensions, zones, address counts, and the collections this cloud has nothing in."""
    projects = Projects(networking)
    on = networking.routes.on
    on("GET", "/v2.0/quotas")(projects.quotas)
    on("GET", "/v2.0/quotas/{id}")(projects.quota)
    on("GET", "/v2.0/quotas/{id}/details")(projects.quota_details)
    on("GET", "/v2.0/extensions")(projects.extensions)
    on("GET", "/v2.0/extensions/{alias}")(projects.extension)
    on("GET", "/v2.0/availability_zones")(projects.zones)
    on("PUT", "/v2.0/quotas/{id}")(projects.set_quota)
    on("GET", "/v2.0/network-ip-availabilities")(projects.addresses)
    on("GET", "/v2.0/network-ip-availabilities/{id}")(projects.network_addresses)
    on("GET", "/v2.0/qos/policies")(projects.policies)
    on("GET", "/v2.0/qos/policies/{id}")(projects.policy)
    for path, key in (
        ("address-scopes", "address_scopes"),
        ("subnetpools", "subnetpools"),
        ("address-groups", "address_groups"),
        ("rbac-policies", "rbac_policies"),
        ("service-providers", "service_providers"),
    ):
        on("GET", f"/v2.0/{path}")(lambda call, key=key: projects.nothing(call, key))


class Projects:
    """Neutron's quotas and the small lists beside its resources."""

    def __init__(self, networking: Networking) -> None:
        self.networking, self.state = networking, networking.state

    def nothing(self, call: Call, key: str) -> Response:
        """A collection this cloud has nothing in; with a limit it carries links like any other."""
        body: dict[str, Any] = {key: []}
        if call.request.first("limit"):
            body[f"{key}_links"] = self.networking.links(call, [], 1)
        return answer(body)

    def _quota(self, call: Call, id: str) -> dict[str, int]:
        if call.token.system:
            raise Refusal(
                403,
                "rule:get_quota requires a scope of ['project'], request was made with system scope.",
                "InvalidScope",
            )
        if not call.token.project_admin and not (id and id == call.token.project_id):
            raise Refusal(403, "rule:get_quota is disallowed by policy", "PolicyNotAuthorized")
        project = self.state.projects.get(id)
        return project.network_quota if project else dict(NETWORK_QUOTA)

    def quotas(self, call: Call) -> Response:
        self._quota(call, "")
        rows = [
            {**project.network_quota, "project_id": project.id, "tenant_id": project.id}
            for project in self.state.projects
            if project.network_quota != NETWORK_QUOTA
        ]
        return answer({"quotas": rows})

    def quota(self, call: Call, id: str) -> Response:
        return answer({"quota": self._quota(call, id)})

    def quota_details(self, call: Call, id: str) -> Response:
        quota = self._quota(call, id)
        used = network_usage(self.state, id).get(id, {})
        rows = {name: {"limit": limit, "used": used.get(name, 0), "reserved": 0} for name, limit in quota.items()}
        return answer({"quota": rows})

    @staticmethod
    def _extension(alias: str) -> dict[str, Any]:
        updated = "2015-01-01T10:00:00-00:00"
        return {"name": alias, "alias": alias, "description": f"The {alias} extension", "updated": updated, "links": []}

    def extensions(self, call: Call) -> Response:
        return answer({"extensions": [self._extension(alias) for alias in EXTENSIONS]})

    def extension(self, call: Call, alias: str) -> Response:
        if alias not in EXTENSIONS:
            raise Refusal(404, "The resource could not be found.", "HTTPNotFound")
        return answer({"extension": self._extension(alias)})

    def zones(self, call: Call) -> Response:
        rows = [{"state": "available", "name": "nova", "resource": kind} for kind in ("router", "network")]
        return answer({"availability_zones": rows if call.token.project else []})

    def set_quota(self, call: Call, id: str) -> Response:
        """Another limit, by an administrator."""
        if not call.token.project_admin:
            raise Refusal(403, "rule:update_quota is disallowed by policy", "PolicyNotAuthorized")
        body, project = call.json(), self.state.projects.get(id)
        asked = body.get("quota") if isinstance(body, dict) else None
        if project is None or not isinstance(asked, dict):
            raise Refusal(400, "Unable to find 'quota' in request body")
        for name, limit in asked.items():
            if name not in project.network_quota or not isinstance(limit, int):
                raise Refusal(400, f"Unrecognized attribute(s) '{name}'")
        project.network_quota.update(asked)
        return answer({"quota": project.network_quota})

    # Quality of service: one policy of the administrator's that everybody may use

    def _policies(self) -> list[dict[str, Any]]:
        id = str(uuid.UUID(self.state.named_id("qos/limit-100mbit")))
        owner = next((project.id for project in self.state.projects if project.name == "admin"), "")
        rule = {"max_kbps": 100000, "max_burst_kbps": 10000, "direction": "egress", "qos_policy_id": id}
        rule |= {"id": str(uuid.UUID(self.state.named_id("qos/limit-100mbit/rule"))), "type": "bandwidth_limit"}
        made = nova_time(self.state.epoch - 390 * 86400)
        policy = {"id": id, "name": "limit-100mbit", "project_id": owner, "tenant_id": owner, "shared": True}
        policy |= {"rules": [rule], "is_default": False, "description": "", "tags": [], "revision_number": 1}
        return [policy | {"created_at": made, "updated_at": made}]

    def policies(self, call: Call) -> Response:
        body: dict[str, Any] = {"policies": self._policies() if call.token.project else []}
        if call.request.first("limit"):
            body["policies_links"] = self.networking.links(call, [], 1)
        return answer(body)

    def policy(self, call: Call, id: str) -> Response:
        for row in self._policies():
            if row["id"] == id:
                return answer({"policy": row})
        raise Refusal(404, f"QoS policy {id} could not be found.", "QosPolicyNotFound")

    # Addresses

    def addresses(self, call: Call) -> Response:
        if not call.token.project_admin:
            return answer({"network_ip_availabilities": []})
        used: dict[str, int] = {}
        for port in self.state.ports:
            for subnet, _ in port.fixed_ips:
                used[subnet] = used.get(subnet, 0) + 1
        return answer({"network_ip_availabilities": [self._counted(row, used) for row in self.state.networks]})

    def network_addresses(self, call: Call, id: str) -> Response:
        network = self.state.networks.get(id)
        if network is None or not call.token.project_admin:
            raise Refusal(404, "The resource could not be found.", "HTTPNotFound")
        used: dict[str, int] = {}
        for port in self.state.ports.having("network", network):
            for subnet, _ in port.fixed_ips:
                used[subnet] = used.get(subnet, 0) + 1
        return answer({"network_ip_availability": self._counted(network, used)})

    @staticmethod
    def _counted(network: Network, used: dict[str, int]) -> dict[str, Any]:
        subnets: list[dict[str, Any]] = [
            {
                "subnet_id": subnet.id,
                "ip_version": subnet.version,
                "cidr": subnet.cidr,
                "subnet_name": subnet.name,
                "used_ips": used.get(subnet.id, 0),
                "total_ips": _size(subnet),
            }
            for subnet in network.subnets
        ]
        return {
            "network_id": network.id,
            "network_name": network.name,
            "project_id": network.project,
            "subnet_ip_availability": subnets,
            "used_ips": sum(row["used_ips"] for row in subnets),
            "total_ips": sum(row["total_ips"] for row in subnets),
            "tenant_id": network.project,
        }


def _size(subnet: Subnet) -> int:
    """How many addresses the pools hold."""
    return sum(int(ip_address(last)) - int(ip_address(first)) + 1 for first, last in subnet.ranges())
