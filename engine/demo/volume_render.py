"""Volumes, snapshots, backups and attachments as Cinder writes them at each microversion."""

from __future__ import annotations

from typing import Any

from engine.demo.clock import micro_time
from engine.demo.records import Attachment, Backup, Snapshot, Volume
from engine.demo.routing import Version
from engine.demo.state import State

Document = dict[str, Any]


def links(kind: str, id: str, base: str) -> list[Document]:
    """The self and bookmark links of a resource of Cinder; `base` ends with the project."""
    return [
        {"rel": "self", "href": f"{base}/{kind}/{id}"},
        {"rel": "bookmark", "href": f"{base.replace('/v3', '', 1)}/{kind}/{id}"},
    ]


def attached(attachment: Attachment, admin: bool) -> Document:
    """An entry of a volume's `attachments`; only an administrator sees the host."""
    return {
        "id": attachment.volume,
        "attachment_id": attachment.id,
        "volume_id": attachment.volume,
        "server_id": attachment.server,
        "host_name": attachment.host if admin else None,
        "device": attachment.device,
        "attached_at": micro_time(attachment.attached),
    }


def volume_document(
    volume: Volume, version: Version, admin: bool, base: str, state: State, *, created: bool = False
) -> Document:
    """A volume; `created` leaves out what the answer to a create does not carry."""
    document: Document = {
        "id": volume.id,
        "status": volume.status,
        "size": volume.size,
        "availability_zone": "nova",
        "created_at": micro_time(volume.created),
        "updated_at": micro_time(volume.updated) if volume.updated else None,
        "name": volume.name,
        "description": volume.description,
        "volume_type": volume.type,
        "snapshot_id": volume.snapshot,
        "source_volid": volume.source,
        "metadata": volume.metadata or {},
        "links": links("volumes", volume.id, base),
        "user_id": volume.user,
        "bootable": "true" if volume.bootable else "false",
        "encrypted": volume.encrypted,
        "replication_status": None,
        "consistencygroup_id": None,
        "multiattach": volume.multiattach,
        "attachments": [attached(row, admin) for row in volume.attachments if row.status == "attached"],
    }
    if admin:
        document["migration_status"] = volume.migration
    if version >= (3, 13):
        document["group_id"] = volume.group
    if version >= (3, 27) and admin:
        document["provider_id"] = None
    if version >= (3, 48):
        document["shared_targets"] = True
        document["service_uuid"] = state.named_id("cinder-volume") if volume.pool else None
    if version >= (3, 61) and admin:
        document["cluster_name"] = None
    if version >= (3, 63):
        document["volume_type_id"] = next((id for id, name, _, _ in state.volume_types if name == volume.type), None)
    if version >= (3, 65):
        document["consumes_quota"] = True
    if created:
        return document
    document["os-vol-tenant-attr:tenant_id"] = volume.project
    if admin:
        document["os-vol-mig-status-attr:migstat"] = volume.migration
        document["os-vol-mig-status-attr:name_id"] = None
        document["os-vol-host-attr:host"] = volume.pool
    if meta := image_metadata(volume):
        document["volume_image_metadata"] = meta
    return document


def image_metadata(volume: Volume) -> dict[str, str]:
    """What a volume knows of the image it was made from, or what was written in its place."""
    if volume.image_meta is not None or volume.image is None:
        return volume.image_meta or {}
    image = volume.image
    return {
        **image.properties,
        "image_id": image.id,
        "image_name": image.name,
        "container_format": "bare",
        "disk_format": image.disk_format,
        "min_disk": str(image.min_disk),
        "min_ram": str(image.min_ram),
        "size": str(image.size),
    }


def brief(row: Volume | Backup, kind: str, base: str) -> Document:
    """The row of a list without details: id, name and links."""
    return {"id": row.id, "name": row.name, "links": links(kind, row.id, base)}


def snapshot_document(snapshot: Snapshot, version: Version, *, created: bool = False, detail: bool = True) -> Document:
    """The snapshot as Cinder tells it; `created` as answered to its maker, `detail` with what only details show."""
    document: Document = {
        "id": snapshot.id,
        "created_at": micro_time(snapshot.created),
        "updated_at": micro_time(snapshot.updated) if snapshot.updated else None,
        "name": snapshot.name,
        "description": snapshot.description,
        "volume_id": snapshot.volume,
        "status": snapshot.status,
        "size": snapshot.size,
        "metadata": snapshot.metadata or {},
    }
    if version >= (3, 14):
        document["group_snapshot_id"] = snapshot.group_snapshot
    if version >= (3, 41):
        document["user_id"] = snapshot.user
    if version >= (3, 65):
        document["consumes_quota"] = True
    if not created and detail:
        progress = "100%" if snapshot.status in ("available", "deleting") else "0%"
        document["os-extended-snapshot-attributes:project_id"] = snapshot.project
        document["os-extended-snapshot-attributes:progress"] = progress
    return document


def backup_document(backup: Backup, version: Version, admin: bool, base: str, dependent: bool) -> Document:
    """The backup as Cinder tells it; `dependent`: whether others build on it."""
    document: Document = {
        "id": backup.id,
        "status": backup.status,
        "size": backup.size,
        "object_count": backup.size,
        "availability_zone": "nova",
        "container": "volume-backups",
        "created_at": micro_time(backup.created),
        "updated_at": micro_time(backup.updated),
        "name": backup.name,
        "description": backup.description,
        "fail_reason": backup.fail_reason,
        "volume_id": backup.volume,
        "links": links("backups", backup.id, base),
        "is_incremental": backup.incremental,
        "has_dependent_backups": dependent,
        "snapshot_id": backup.snapshot,
        "data_timestamp": micro_time(backup.created),
    }
    if version >= (3, 43):
        document["metadata"] = backup.metadata or {}
    if version >= (3, 18) and admin:
        document["os-backup-project-attr:project_id"] = backup.project
    if version >= (3, 56) and admin:
        document["user_id"] = backup.user
    return document


def attachment_document(attachment: Attachment, *, detail: bool) -> Document:
    """The attachment as Cinder tells it; `detail` adds its times and how it is connected."""
    document: Document = {
        "id": attachment.id,
        "status": attachment.status,
        "instance": attachment.server,
        "volume_id": attachment.volume,
    }
    if detail and attachment.status != "attached":
        document |= {"attached_at": "", "detached_at": "", "attach_mode": "null", "connection_info": {}}
    elif detail:
        document |= {
            "attached_at": micro_time(attachment.attached),
            "detached_at": "",
            "attach_mode": "rw",
            "connection_info": {
                "target_discovered": False,
                "target_portal": "172.16.250.1:3260",
                "target_iqn": f"iqn.2010-10.org.openstack:volume-{attachment.volume}",
                "target_lun": 1,
                "discard": True,
                "access_mode": "rw",
                "qos_specs": None,
                "encrypted": False,
                "cacheable": False,
                "driver_volume_type": "iscsi",
                "attachment_id": attachment.id,
                "enforce_multipath": False,
            },
        }
    return document
