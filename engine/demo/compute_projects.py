"""Nova's numbers per project: limits, quotas and usage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer
from engine.demo.compute import denied, require_admin, require_reader
from engine.demo.people import Project
from engine.demo.quotas import compute_usage
from engine.demo.routing import Call
from engine.demo.serving import Response

if TYPE_CHECKING:
    from engine.demo.compute import Compute

NAMES = ("cores", "instances", "key_pairs", "metadata_items", "ram", "server_group_members", "server_groups")


def add_projects(compute: Compute) -> None:
    """Route what Nova tells of projects: limits, quotas, usage."""
    projects = Projects(compute)
    on = compute.routes.on
    on("GET", "/limits")(projects.limits)
    on("GET", "/os-quota-sets/{id}")(projects.quota)
    on("PUT", "/os-quota-sets/{id}")(projects.set_quota)
    on("GET", "/os-quota-sets/{id}/detail")(projects.quota_detail)
    on("GET", "/os-quota-sets/{id}/defaults")(projects.quota)
    on("GET", "/os-simple-tenant-usage")(projects.usages)
    on("GET", "/os-simple-tenant-usage/{id}")(projects.usage)


class Projects:
    """Limits, quota sets and usage of projects; counts in instances, cores and MB."""

    def __init__(self, compute: Compute) -> None:
        self.state = compute.state

    def _used(self, project: str) -> dict[str, int]:
        return compute_usage(self.state, project).get(project, {})

    def limits(self, call: Call) -> Response:
        require_reader(call, "os_compute_api:limits")
        asked = call.request.first("tenant_id")
        if asked and asked != call.token.project_id and not call.token.project_admin:
            raise denied("os_compute_api:limits:other_project")
        project = self.state.projects.get(asked or call.token.project_id)
        if project is None:
            raise Refusal(400, f"Project ID {asked} is not a valid project.")
        quota, used = project.compute_quota, self._used(project.id)
        absolute = {
            "maxTotalCores": quota["cores"],
            "maxTotalInstances": quota["instances"],
            "maxTotalKeypairs": quota["key_pairs"],
            "maxServerMeta": quota["metadata_items"],
            "maxTotalRAMSize": quota["ram"],
            "maxServerGroups": quota["server_groups"],
            "maxServerGroupMembers": quota["server_group_members"],
            "totalRAMUsed": used.get("ram", 0),
            "totalCoresUsed": used.get("cores", 0),
            "totalInstancesUsed": used.get("instances", 0),
            "totalServerGroupsUsed": used.get("server_groups", 0),
        }
        return answer({"limits": {"rate": [], "absolute": absolute}})

    def _project(self, call: Call, id: str, rule: str) -> Project:
        own = id == call.token.project_id and call.token.reads
        if not own and not call.token.project_admin:
            raise denied(f"os_compute_api:os-quota-sets:{rule}")
        project = self.state.projects.get(id)
        if project is None:
            raise Refusal(400, f"Project ID {id} is not a valid project.")
        return project

    def quota(self, call: Call, id: str) -> Response:
        project = self._project(call, id, "show")
        return answer({"quota_set": {"id": id, **{name: project.compute_quota[name] for name in NAMES}}})

    def set_quota(self, call: Call, id: str) -> Response:
        """Another limit, by an administrator."""
        require_admin(call, "os_compute_api:os-quota-sets:update")
        project, asked = self._project(call, id, "update"), call.document("quota_set")
        limits = {name: limit for name, limit in asked.items() if name not in ("tenant_id", "force")}
        for name, limit in limits.items():
            if name not in NAMES or isinstance(limit, bool) or not str(limit).lstrip("-").isdigit():
                raise Refusal(400, f"Invalid input for field/attribute {name}. Value: {limit}.")
        project.compute_quota.update({name: int(limit) for name, limit in limits.items()})
        return answer({"quota_set": {name: project.compute_quota[name] for name in NAMES}})

    def quota_detail(self, call: Call, id: str) -> Response:
        project = self._project(call, id, "detail")
        used = self._used(id)
        details: dict[str, Any] = {"id": id}
        for name in NAMES:
            details[name] = {"limit": project.compute_quota[name], "in_use": used.get(name, 0), "reserved": 0}
        return answer({"quota_set": details})

    def usages(self, call: Call) -> Response:
        require_admin(call, "os_compute_api:os-simple-tenant-usage:list")
        usage = compute_usage(self.state)
        return answer({"tenant_usages": [self._usage(call, id, mine) for id, mine in sorted(usage.items())]})

    def usage(self, call: Call, id: str) -> Response:
        if id != call.token.project_id and not call.token.project_admin:
            raise denied("os_compute_api:os-simple-tenant-usage:show")
        return answer({"tenant_usage": self._usage(call, id, self._used(id))})

    @staticmethod
    def _usage(call: Call, id: str, mine: dict[str, int]) -> dict[str, Any]:
        from engine.demo.clock import micro_time

        start, stop = call.request.first("start"), call.request.first("end")
        return {
            "tenant_id": id,
            "total_local_gb_usage": 0.0,
            "total_vcpus_usage": mine.get("cores", 0) * 1.0,
            "total_memory_mb_usage": mine.get("ram", 0) * 1.0,
            "total_hours": mine.get("instances", 0) * 1.0,
            "start": start or micro_time(call.now - 3600),
            "stop": stop or micro_time(call.now),
        }
