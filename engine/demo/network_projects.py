"""Neutron's quotas, extensions, zones and address counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer
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
    on("GET", "/v2.0/network-ip-availabilities")(projects.addresses)
    for path, key in (
        ("address-scopes", "address_scopes"),
        ("subnetpools", "subnetpools"),
        ("address-groups", "address_groups"),
        ("rbac-policies", "rbac_policies"),
        ("qos/policies", "policies"),
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

    def addresses(self, call: Call) -> Response:
        if not call.token.project_admin:
            return answer({"network_ip_availabilities": []})
        used: dict[str, int] = {}
        for port in self.state.ports:
            for subnet, _ in port.fixed_ips:
                used[subnet] = used.get(subnet, 0) + 1
        rows = []
        for network in self.state.networks:
            subnets: list[dict[str, Any]] = [
                {
                    "subnet_id": subnet.id,
                    "ip_version": 4,
                    "cidr": subnet.cidr,
                    "subnet_name": subnet.name,
                    "used_ips": used.get(subnet.id, 0),
                    "total_ips": subnet.size - 1,
                }
                for subnet in network.subnets
            ]
            rows.append(
                {
                    "network_id": network.id,
                    "network_name": network.name,
                    "project_id": network.project,
                    "subnet_ip_availability": subnets,
                    "used_ips": sum(row["used_ips"] for row in subnets),
                    "total_ips": sum(row["total_ips"] for row in subnets),
                    "tenant_id": network.project,
                }
            )
        return answer({"network_ip_availabilities": rows})
