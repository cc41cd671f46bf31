"""Rows of a world as the services' lists answer them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from tests.copilot.evaluation import documents_network
from tests.copilot.evaluation.documents_network import Doc, utc
from tests.copilot.evaluation.world import Row


def document(type: str, row: Row) -> Doc:
    """The row as its service gives it."""
    return MAKERS[type](row)


def _micro(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000000")


_VM_STATE = {
    "ACTIVE": ("active", 1),
    "SHUTOFF": ("stopped", 4),
    "ERROR": ("error", 0),
    "PAUSED": ("paused", 3),
    "SUSPENDED": ("suspended", 4),
}


def _server(row: Row) -> Doc:
    state, power = _VM_STATE[row["status"]]
    mac = {"OS-EXT-IPS-MAC:mac_addr": row["mac"], "version": 4}
    addresses = [{"addr": row["fixed"], "OS-EXT-IPS:type": "fixed", **mac}]
    if row["fip"]:
        addresses.append({"addr": row["fip"], "OS-EXT-IPS:type": "floating", **mac})
    return {
        "id": row["id"],
        "name": row["name"],
        "status": row["status"],
        "tenant_id": row["project_id"],
        "user_id": row["user_id"],
        "metadata": row["metadata"],
        "hostId": row["host"],
        "image": {"id": row["image_id"]} if row["image_id"] else "",
        "flavor": {
            "original_name": row["flavor"],
            "vcpus": row["vcpus"],
            "ram": row["ram_mb"],
            "disk": row["flavor_disk"],
            "ephemeral": 0,
            "swap": 0,
            "extra_specs": {},
        },
        "created": utc(row["created"]),
        "updated": utc(row["created"]),
        "addresses": {row["network"]: addresses},
        "OS-EXT-AZ:availability_zone": row["zone"],
        "key_name": row["key"],
        "OS-SRV-USG:launched_at": utc(row["created"]).rstrip("Z"),
        "security_groups": [{"name": row["group"]}],
        "OS-EXT-SRV-ATTR:host": row["host"],
        "OS-EXT-SRV-ATTR:instance_name": f"instance-{row['id'][:8]}",
        "OS-EXT-SRV-ATTR:hypervisor_hostname": row["host"],
        "OS-EXT-SRV-ATTR:hostname": row["name"],
        "OS-EXT-STS:task_state": None,
        "OS-EXT-STS:vm_state": state,
        "OS-EXT-STS:power_state": power,
        "os-extended-volumes:volumes_attached": [{"id": id} for id in row["volumes"]],
        "locked": row["locked"],
        "description": None,
        "tags": row["tags"],
        **({"fault": {"message": row["fault"], "code": 500}} if row["fault"] else {}),
    }


def _volume(row: Row) -> Doc:
    attachment = {
        "id": row["id"],
        "volume_id": row["id"],
        "server_id": row["server_id"],
        "device": "/dev/vdb",
        "attached_at": _micro(row["created"]),
    }
    meta = (
        {"volume_image_metadata": {"image_id": row["image_id"], "image_name": row["image"]}} if row["image_id"] else {}
    )
    return {
        "id": row["id"],
        "name": row["name"],
        "status": row["status"],
        "size": row["size_gb"],
        "volume_type": row["kind"],
        "os-vol-tenant-attr:tenant_id": row["project_id"],
        "user_id": row["user_id"],
        "bootable": "true" if row["bootable"] else "false",
        "encrypted": row["encrypted"],
        "multiattach": False,
        "attachments": [attachment] if row["server_id"] else [],
        "os-vol-host-attr:host": f"cinder@{row['kind']}#pool",
        "availability_zone": "nova",
        "snapshot_id": None,
        "source_volid": None,
        "description": "",
        "metadata": {},
        "created_at": _micro(row["created"]),
        "updated_at": _micro(row["created"]),
        **meta,
    }


def _copy(row: Row) -> Doc:
    return {
        "id": row["id"],
        "name": row["name"],
        "status": row["status"],
        "size": row["size_gb"],
        "volume_id": row["volume_id"],
        "created_at": _micro(row["created"]),
        "description": None,
        "metadata": {},
        "user_id": None,
    }


def _snapshot(row: Row) -> Doc:
    return {
        **_copy(row),
        "os-extended-snapshot-attributes:project_id": row["project_id"],
        "os-extended-snapshot-attributes:progress": "100%",
    }


def _backup(row: Row) -> Doc:
    return {
        **_copy(row),
        "os-backup-project-attr:project_id": row["project_id"],
        "is_incremental": row["incremental"],
        "has_dependent_backups": False,
        "container": "backups",
        "fail_reason": None,
        "snapshot_id": None,
        "data_timestamp": _micro(row["created"]),
    }


def _image(row: Row) -> Doc:
    return {
        "id": row["id"],
        "name": row["name"],
        "status": row["status"],
        "size": row["size_mb"] * 1024 * 1024,
        "virtual_size": row["size_mb"] * 2 * 1024 * 1024,
        "visibility": row["visibility"],
        "disk_format": row["format"],
        "container_format": "bare",
        "min_disk": 0,
        "min_ram": 0,
        "protected": row["protected"],
        "os_hidden": False,
        "owner": row["project_id"],
        "tags": [],
        "created_at": utc(row["created"]),
        "updated_at": utc(row["created"]),
    }


def _flavor(row: Row) -> Doc:
    return {
        "id": row["id"],
        "name": row["name"],
        "vcpus": row["vcpus"],
        "ram": row["ram_mb"],
        "disk": row["disk_gb"],
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "swap": 0,
        "os-flavor-access:is_public": row["public"],
        "OS-FLV-DISABLED:disabled": False,
        "rxtx_factor": 1.0,
        "description": None,
        "extra_specs": {},
    }


def _hypervisor(row: Row) -> Doc:
    return {
        "id": row["id"],
        "hypervisor_hostname": row["name"],
        "state": row["state"],
        "status": row["status"],
        "host_ip": row["ip"],
        "service": {"host": row["name"], "disabled_reason": row["reason"]},
        "hypervisor_type": "QEMU",
        "hypervisor_version": 8002000,
        "vcpus": row["vcpus"],
        "vcpus_used": row.get("vcpus_used", 0),
        "memory_mb": row["memory_mb"],
        "memory_mb_used": row.get("memory_used", 0),
        "local_gb": row["local_gb"],
        "local_gb_used": row.get("local_used", 0),
        "running_vms": row.get("running", 0),
    }


def _assignment(row: Row) -> Doc:
    domain = {"id": row["domain_id"], "name": row["domain"]}
    return {
        "role": {"id": row["role_id"], "name": row["role"]},
        "user": {"id": row["user_id"], "name": row["user"], "domain": domain},
        "scope": {"project": {"id": row["project_id"], "name": row["project"], "domain": domain}},
    }


def _service(row: Row) -> Doc:
    return {
        "id": row["id"],
        "host": row["host"],
        "binary": row["binary"],
        "state": row["state"],
        "status": row["status"],
        "zone": row["zone"],
        "forced_down": False,
        "disabled_reason": row["reason"],
    }


def _agent(row: Row) -> Doc:
    return {
        "id": row["id"],
        "host": row["host"],
        "binary": row["binary"],
        "agent_type": row["kind"],
        "alive": row["state"] == "up",
        "admin_state_up": True,
        "availability_zone": row["zone"],
    }


def _quota(row: Row) -> Doc:
    parts: dict[str, dict[str, dict[str, int]]] = {"limits": {}, "usage": {}, "reserved": {}}
    for item in row["items"]:
        for part, name in (("limits", "limit"), ("usage", "used")):
            parts[part].setdefault(item["service"], {})[item["resource"]] = item[name]
    return {"project_id": row["id"], **parts}


MAKERS: dict[str, Callable[[Row], Doc]] = {
    "domain": lambda row: {"id": row["id"], "name": row["name"], "enabled": True, "description": "", "tags": []},
    "project": lambda row: {
        "id": row["id"],
        "name": row["name"],
        "enabled": row["enabled"],
        "domain_id": row["domain_id"],
        "parent_id": row["domain_id"],
        "is_domain": False,
        "description": row["description"],
        "tags": [],
    },
    "user": lambda row: {
        "id": row["id"],
        "name": row["name"],
        "enabled": row["enabled"],
        "domain_id": row["domain_id"],
        "email": row["email"],
        "description": "",
    },
    "role": lambda row: {"id": row["id"], "name": row["name"], "domain_id": None, "description": ""},
    "role_assignment": _assignment,
    "server": _server,
    "volume": _volume,
    "snapshot": _snapshot,
    "backup": _backup,
    "image": _image,
    "network": documents_network.network,
    "subnet": documents_network.subnet,
    "port": documents_network.port,
    "floating_ip": documents_network.floating_ip,
    "router": documents_network.router,
    "security_group": documents_network.security_group,
    "security_group_rule": documents_network.rule,
    "flavor": _flavor,
    "hypervisor": _hypervisor,
    "compute_service": _service,
    "network_agent": _agent,
    "quota": _quota,
    "keypair": lambda row: {
        "name": row["name"],
        "type": row["kind"],
        "fingerprint": "00:11",
        "user_id": row["user_id"],
    },
    "volume_type": lambda row: {
        "id": row["id"],
        "name": row["name"],
        "is_public": True,
        "extra_specs": {"volume_backend_name": row["name"]},
    },
    "availability_zone": lambda row: {
        "zoneName": row["name"],
        "zoneState": {"available": row["available"]},
        "hosts": {host: {} for host in row["hosts"]},
    },
    "aggregate": lambda row: {
        "id": 1,
        "uuid": row["id"],
        "name": row["name"],
        "availability_zone": row["zone"],
        "hosts": row["hosts"],
        "metadata": {},
        "created_at": _micro(row["created"]),
    },
}
