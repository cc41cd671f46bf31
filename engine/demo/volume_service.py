"""Cinder's other lists: types, services, pools, quotas, limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer
from engine.demo.clock import micro_time
from engine.demo.compute import denied
from engine.demo.machines import POOLS
from engine.demo.quotas import volume_usage
from engine.demo.routing import Call
from engine.demo.serving import Response
from engine.demo.tenants import VOLUME_QUOTA
from engine.demo.volume import require_admin, require_reader

if TYPE_CHECKING:
    from engine.demo.volume import BlockStorage

EMPTY = {
    "/volume-transfers/detail": "transfers",
    "/os-volume-transfer/detail": "transfers",
    "/consistencygroups/detail": "consistencygroups",
}


def add_service(storage: BlockStorage) -> None:
    """Route Cinder's short lists: types, services, pools, limits, quotas, zones."""
    service = Service(storage)
    on = storage.routes.on
    on("GET", "/types")(service.types)
    on("GET", "/types/{id}")(service.type)
    on("GET", "/os-services")(service.services)
    on("GET", "/scheduler-stats/get_pools")(service.pools)
    on("GET", "/limits")(service.limits)
    on("GET", "/os-quota-sets/{id}")(service.quota)
    on("PUT", "/os-quota-sets/{id}")(service.set_quota)
    on("GET", "/os-availability-zone")(service.zones)
    on("GET", "/extensions")(service.extensions)
    on("GET", "/qos-specs")(service.qos)
    on("GET", "/clusters/detail")(service.clusters)
    for path, key in EMPTY.items():
        on("GET", path)(lambda call, key=key: answer({key: []}))


class Service:
    """What Cinder tells beside its resources."""

    def __init__(self, storage: BlockStorage) -> None:
        self.storage, self.state = storage, storage.state

    def _type(self, row: tuple[str, str, str, dict[str, str]], call: Call) -> dict[str, Any]:
        id, name, description, specs = row
        shown = specs if call.token.admin else {key: value for key, value in specs.items() if key == "multiattach"}
        document: dict[str, Any] = {
            "id": id,
            "name": name,
            "is_public": True,
            "description": description,
            "extra_specs": shown,
        }
        if call.token.admin:
            document["qos_specs_id"] = None
        if call.token.admin or call.token.writes:
            document["os-volume-type-access:is_public"] = True
        return document

    def types(self, call: Call) -> Response:
        require_reader(call, "volume_extension:type_get_all")
        rows = sorted(self.state.volume_types, key=lambda row: row[1])
        return answer({"volume_types": [self._type(row, call) for row in rows]})

    def type(self, call: Call, id: str) -> Response:
        require_reader(call, "volume_extension:type_get")
        for row in self.state.volume_types:
            if row[0] == id or (id == "default" and row[1] == "standard"):
                return answer({"volume_type": self._type(row, call)})
        raise Refusal(404, f"Volume type {id} could not be found.")

    def services(self, call: Call) -> Response:
        require_admin(call, "volume_extension:services:index")
        seen = micro_time(call.now - call.now % 10)
        rows: list[dict[str, Any]] = []
        for binary, host in (
            ("cinder-backup", "store-1"),
            ("cinder-scheduler", "ctl-1"),
            ("cinder-volume", "store-1@hdd"),
            ("cinder-volume", "store-1@ssd"),
            ("cinder-volume", "store-2@hdd"),
        ):
            row: dict[str, Any] = {
                "binary": binary,
                "host": host,
                "zone": "nova",
                "status": "enabled",
                "state": "up",
                "updated_at": seen,
            }
            if call.version >= (3, 7):
                row["cluster"] = None
            if binary == "cinder-volume":
                row |= {"replication_status": "disabled", "active_backend_id": None, "frozen": False}
            if call.version >= (3, 49) and binary == "cinder-volume":
                row["backend_state"] = "up"
            row["disabled_reason"] = None
            rows.append(row)
        return answer({"services": rows})

    def pools(self, call: Call) -> Response:
        require_admin(call, "scheduler_extension:scheduler_stats:get_pools")
        detail = (call.request.first("detail") or "").lower() in ("1", "true", "t", "yes", "on")
        used: dict[str, int] = dict.fromkeys(dict.fromkeys(POOLS.values()), 0)
        for volume in self.state.volumes:
            if volume.pool:
                used[volume.pool] += volume.size
        rows = []
        for name, size in used.items():
            row: dict[str, Any] = {"name": name}
            if detail:
                row["capabilities"] = self._capabilities(name, size, call)
            rows.append(row)
        return answer({"pools": rows})

    @staticmethod
    def _capabilities(name: str, used: int, call: Call) -> dict[str, Any]:
        # A real estate is bought with room to spare: total is the next 10 TB above twice the use.
        total = max(20_000, -(-used * 2 // 10_000) * 10_000)
        backend, pool = name.split("@")[1].split("#")
        return {
            "pool_name": pool,
            "total_capacity_gb": total,
            "free_capacity_gb": total - int(used * 0.6),
            "provisioned_capacity_gb": used,
            "allocated_capacity_gb": used,
            "max_over_subscription_ratio": "10.0",
            "reserved_percentage": 5,
            "thin_provisioning_support": True,
            "thick_provisioning_support": False,
            "multiattach": True,
            "online_extend_support": True,
            "QoS_support": True,
            "backend_state": "up",
            "location_info": f"demo:{backend}",
            "filter_function": None,
            "goodness_function": None,
            "cacheable": True,
            "volume_backend_name": backend,
            "storage_protocol": "iSCSI",
            "vendor_name": "Demo Storage",
            "driver_version": "1.0.0",
            "timestamp": micro_time(call.now - call.now % 60),
        }

    # Quotas

    def _used(self, project: str) -> dict[str, int]:
        return volume_usage(self.state, project).get(project, {})

    def limits(self, call: Call) -> Response:
        require_reader(call, "limits_extension:used_limits")
        asked = call.request.first("project_id") if call.token.admin and call.version >= (3, 39) else None
        project = self.state.projects.get(asked or call.token.project_id)
        if project is None:
            raise Refusal(404, f"Project {asked} could not be found.")
        quota, used = project.volume_quota, self._used(project.id)
        absolute = {
            "maxTotalVolumes": quota["volumes"],
            "maxTotalSnapshots": quota["snapshots"],
            "maxTotalVolumeGigabytes": quota["gigabytes"],
            "maxTotalBackups": quota["backups"],
            "maxTotalBackupGigabytes": quota["backup_gigabytes"],
            "totalVolumesUsed": used.get("volumes", 0),
            "totalGigabytesUsed": used.get("gigabytes", 0),
            "totalSnapshotsUsed": used.get("snapshots", 0),
            "totalBackupsUsed": used.get("backups", 0),
            "totalBackupGigabytesUsed": used.get("backup_gigabytes", 0),
        }
        return answer({"limits": {"rate": [], "absolute": absolute}})

    def quota(self, call: Call, id: str) -> Response:
        if id != call.token.project_id and not call.token.admin:
            raise denied("volume_extension:quotas:show")
        quota = self._limits(id)
        body: dict[str, Any] = {}
        usage = (call.request.first("usage") or "").lower() in ("1", "true", "t", "yes", "on")
        if usage:
            used = self._used(id)
            for name, limit in quota.items():
                body[name] = {"limit": limit, "in_use": used.get(name, 0), "reserved": 0}
        else:
            body = dict(quota)
        return answer({"quota_set": {**body, "id": id}})

    def _limits(self, id: str) -> dict[str, int]:
        project = self.state.projects.get(id)
        quota = dict(project.volume_quota if project else VOLUME_QUOTA)
        for name in ("__DEFAULT__", *(row[1] for row in self.state.volume_types)):
            # Cinder limits each type as well: without limit, as shipped.
            for kind in ("volumes", "gigabytes", "snapshots"):
                quota.setdefault(f"{kind}_{name}", -1)
        return quota

    def set_quota(self, call: Call, id: str) -> Response:
        """Another limit, by an administrator."""
        require_admin(call, "volume_extension:quotas:update")
        asked, project = call.document("quota_set"), self.state.projects.get(id)
        known = self._limits(id)
        if project is None or not isinstance(asked, dict):
            raise Refusal(400, f"Invalid input for field/attribute quota_set. Value: {asked}.")
        limits = {name: limit for name, limit in asked.items() if name not in ("tenant_id", "id", "force")}
        for name, limit in limits.items():
            if name not in known or isinstance(limit, bool) or not str(limit).lstrip("-").isdigit():
                raise Refusal(400, f"Invalid input for field/attribute {name}. Value: {limit}.")
        project.volume_quota.update({name: int(limit) for name, limit in limits.items()})
        return answer({"quota_set": self._limits(id)})

    # Messages and small things

    def zones(self, call: Call) -> Response:
        return answer({"availabilityZoneInfo": [{"zoneName": "nova", "zoneState": {"available": True}}]})

    def extensions(self, call: Call) -> Response:
        names = (
            "os-vol-image-meta",
            "os-extended-snapshot-attributes",
            "os-vol-tenant-attr",
            "backups",
            "scheduler-stats",
        )
        rows = [
            {"name": name, "alias": name, "description": name, "updated": "2012-12-07T00:00:00+00:00", "links": []}
            for name in names
        ]
        return answer({"extensions": rows})

    def clusters(self, call: Call) -> Response:
        require_admin(call, "clusters:get_all")
        return answer({"clusters": []})

    def qos(self, call: Call) -> Response:
        require_admin(call, "volume_extension:qos_specs_manage:get_all")
        return answer({"qos_specs": []})
