"""Volumes as a restore makes them: of snapshots, of backups and chains of them, and how they hang on machines."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.contract.conftest import Cloud
from tests.contract.restoring import (
    COMPUTE,
    STORAGE,
    booted,
    disk,
    refused,
    root_of,
    volume_is,
    volume_now,
)
from tests.contract.wire import Actor, wait_for
from tests.live.projects import Project


def call(actor: Actor, path: str, method: str = "GET", body: Any = None, version: str = STORAGE) -> requests.Response:
    return actor("block-storage", path, method, version=version, json=body)


def made(actor: Actor, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What a POST that must be accepted made."""
    answer = call(actor, path, "POST", body)
    assert answer.status_code == 202, answer.text
    ((_, document),) = answer.json().items()
    return dict(document)


def backup(tenant: Project, volume: dict[str, Any], name: str, **more: Any) -> dict[str, Any]:
    id = made(tenant.member, "/backups", {"backup": {"volume_id": volume["id"], "name": name, **more}})["id"]
    return dict(
        wait_for(
            lambda: call(tenant.member, f"/backups/{id}").json()["backup"], lambda now: now["status"] != "creating", 60
        )
    )


def test_a_volume_of_a_snapshot_is_like_the_first(tenant: Project) -> None:
    root = root_of(tenant, metadata={"auto_snapshot": "true"})
    point = tenant.snapshot(root["id"])
    body = {"volume": {"name": "copy", "snapshot_id": point["id"], "metadata": {"qdeck_mark": "t-1"}}}
    id = made(tenant.member, "/volumes", body)["id"]
    copy, first = volume_is(tenant, id, "available"), volume_now(tenant, root["id"])
    same = ("size", "volume_type", "bootable", "encrypted", "multiattach", "availability_zone")
    assert {name: copy[name] for name in same} == {name: first[name] for name in same}
    assert (copy["snapshot_id"], copy["metadata"]) == (point["id"], {"qdeck_mark": "t-1"})
    assert copy["volume_image_metadata"] == first["volume_image_metadata"]
    assert copy["os-vol-tenant-attr:tenant_id"] == tenant.id
    # While there are snapshots the first one stays.
    status, words = refused(call(tenant.member, f"/volumes/{root['id']}", "DELETE"))
    assert status == 400 and "have snapshots" in words
    booted(tenant, block_device_mapping_v2=[disk(copy, 0)])


def test_what_a_volume_cannot_be_made_of(tenant: Project) -> None:
    volume = tenant.volume("two", 2)
    point = tenant.snapshot(volume["id"])
    nowhere = "00000000-0000-4000-8000-000000000000"
    types = tenant.member.get("block-storage", "/types", STORAGE)["volume_types"]
    other = next(row["name"] for row in types if row["name"] not in (volume["volume_type"], "__DEFAULT__"))
    for more, status, words in (
        ({"snapshot_id": point["id"], "size": 1}, 400, "cannot be smaller than the snapshot size 2GB"),
        ({"snapshot_id": point["id"], "volume_type": other}, 400, "requested type is not compatible"),
        ({"snapshot_id": nowhere}, 404, f"Snapshot {nowhere} could not be found."),
        ({"size": 1, "imageRef": nowhere}, 400, "Invalid image identifier"),
        ({"size": 1, "backup_id": nowhere}, 404, f"Backup {nowhere} could not be found."),
    ):
        found = refused(call(tenant.member, "/volumes", "POST", {"volume": {"name": "x", **more}}))
        assert found[0] == status and words in found[1], (more, found)


def test_the_administrators_own_is_not_the_tenants(cloud: Cloud, tenant: Project) -> None:
    volume = tenant.volume("data")
    point = tenant.snapshot(volume["id"])
    id = made(cloud.admin, "/volumes", {"volume": {"name": "wrong", "snapshot_id": point["id"]}})["id"]
    try:
        assert volume_is(tenant, id, "available")["os-vol-tenant-attr:tenant_id"] == cloud.admin.project_id
        assert call(tenant.member, f"/volumes/{id}").status_code == 404
    finally:
        tenant.delete("block-storage", f"/volumes/{id}")


def test_a_chain_of_backups_is_read_into_a_new_volume(tenant: Project) -> None:
    volume = root_of(tenant, metadata={"auto_snapshot": "true"})
    body = {"backup": {"volume_id": volume["id"], "incremental": True}}
    status, words = refused(call(tenant.member, "/backups", "POST", body))
    assert (status, words) == (400, "Invalid backup: No backups available to do an incremental backup.")
    full = backup(tenant, volume, "full", metadata={"qdeck_mark": "t-1"})
    assert (full["status"], full["is_incremental"], full["metadata"]) == ("available", False, {"qdeck_mark": "t-1"})
    part = backup(tenant, volume, "part", incremental=True)
    assert (part["status"], part["is_incremental"], part["size"]) == ("available", True, volume["size"])
    assert call(tenant.member, f"/backups/{full['id']}").json()["backup"]["has_dependent_backups"] is True
    deleted = refused(call(tenant.member, f"/backups/{full['id']}", "DELETE"))
    assert deleted == (400, "Invalid backup: Incremental backups exist for this backup.")
    told = made(tenant.member, f"/backups/{part['id']}/restore", {"restore": {"name": "back"}})
    assert (told["backup_id"], told["volume_name"]) == (part["id"], "back")
    back = volume_is(tenant, told["volume_id"], "available")
    # The metadata of the volume that was backed up comes along, also what puts it under a policy.
    assert back["metadata"] == {"auto_snapshot": "true", "src_backup_id": part["id"]}
    assert (back["name"], back["size"], back["bootable"]) == ("back", volume["size"], "true")
    assert back["os-vol-tenant-attr:tenant_id"] == tenant.id
    wait_for(
        lambda: call(tenant.member, f"/backups/{part['id']}").json()["backup"]["status"],
        lambda now: now == "available",
    )
    tenant.delete("block-storage", f"/backups/{part['id']}")


def test_a_backup_is_read_into_a_volume_that_is_there(tenant: Project) -> None:
    volume = tenant.volume("data", 2)
    full = backup(tenant, volume, "full")
    small, given = tenant.volume("small", 1), tenant.volume("given", 2, metadata={"mine": "1"})
    path = f"/backups/{full['id']}/restore"
    status, words = refused(call(tenant.member, path, "POST", {"restore": {"volume_id": small["id"]}}))
    assert (status, words) == (400, "Invalid volume: volume size 1 is too small to restore backup of size 2.")
    assert made(tenant.member, path, {"restore": {"volume_id": given["id"]}})["volume_id"] == given["id"]
    back = volume_is(tenant, given["id"], "available")
    assert (back["name"], back["metadata"]["mine"]) == ("given", "1")


def test_a_volume_is_made_of_a_backup(tenant: Project) -> None:
    volume = tenant.volume("data")
    full = backup(tenant, volume, "full")
    body = {"volume": {"name": "of-it", "size": 1, "backup_id": full["id"], "metadata": {"qdeck_mark": "t-2"}}}
    id = made(tenant.member, "/volumes", body)["id"]
    assert volume_is(tenant, id, "available")["metadata"]["qdeck_mark"] == "t-2"


def test_no_room_by_count_by_size_and_by_type(cloud: Cloud, tenant: Project) -> None:
    volume = tenant.volume("data")
    point, full = tenant.snapshot(volume["id"]), backup(tenant, volume, "full")
    path, kind = f"/os-quota-sets/{tenant.id}", volume["volume_type"]
    new = {"volume": {"name": "x", "snapshot_id": point["id"]}}
    for limits, words in (
        ({"volumes": 1}, "VolumeLimitExceeded: Maximum number of volumes allowed (1) exceeded"),
        ({"volumes": 10, f"gigabytes_{kind}": 2}, f"exceeds allowed gigabytes_{kind} quota"),
        ({f"gigabytes_{kind}": -1, "gigabytes": 2}, "exceeds allowed gigabytes quota"),
    ):
        assert call(cloud.admin, path, "PUT", {"quota_set": limits}).status_code == 200
        status, said = refused(call(tenant.member, "/volumes", "POST", new))
        assert status == 413 and words in said, said
        restore = call(tenant.member, f"/backups/{full['id']}/restore", "POST", {"restore": {"name": "x"}})
        assert restore.status_code == 413
    assert call(tenant.member, path, "PUT", {"quota_set": {"volumes": 100}}).status_code == 403


def test_what_is_written_on_a_volume(tenant: Project) -> None:
    root = root_of(tenant)
    path = f"/volumes/{root['id']}/action"
    assert call(tenant.member, path, "POST", {"os-set_bootable": {"bootable": False}}).status_code == 200
    assert volume_now(tenant, root["id"])["bootable"] == "false"
    body = {"os-set_image_metadata": {"metadata": {"hw_qemu_guest_agent": "yes"}}}
    assert call(tenant.member, path, "POST", body).json()["metadata"]["hw_qemu_guest_agent"] == "yes"
    shown = call(tenant.member, path, "POST", {"os-show_image_metadata": None}).json()["metadata"]
    assert shown["hw_qemu_guest_agent"] == "yes" and shown["image_id"]
    body = {"os-unset_image_metadata": {"key": "hw_qemu_guest_agent"}}
    assert call(tenant.member, path, "POST", body).status_code == 200
    assert "hw_qemu_guest_agent" not in volume_now(tenant, root["id"])["volume_image_metadata"]
    assert call(tenant.member, path, "POST", body).status_code == 404
    assert call(tenant.member, path, "POST", {"os-reset_status": {"status": "error"}}).status_code == 403


def test_a_volume_comes_off_and_another_takes_its_place(tenant: Project) -> None:
    current, copy = tenant.volume("current"), tenant.volume("copy")
    root = root_of(tenant)
    disks = [disk(root, 0), disk(current, tag="db", delete_on_termination=True)]
    id = booted(tenant, block_device_mapping_v2=disks)["id"]
    path = f"/servers/{id}/os-volume_attachments"

    def rows() -> dict[str, Any]:
        found = tenant.member.get("compute", path, COMPUTE)["volumeAttachments"]
        return {row["volumeId"]: row for row in found}

    device = rows()[current["id"]]["device"]
    # What would destroy it with the machine is switched off first.
    off = {"volumeAttachment": {"volumeId": current["id"], "delete_on_termination": False}}
    assert (
        tenant.member("compute", f"{path}/{current['id']}", "PUT", version="2.84", json=off).status_code,
        tenant.member("compute", f"{path}/{current['id']}", "PUT", version="2.85", json=off).status_code,
    ) == (400, 202)
    assert rows()[current["id"]]["delete_on_termination"] is False
    busy = {"volumeAttachment": {"volumeId": current["id"]}}
    status, words = refused(tenant.member("compute", path, "POST", version=COMPUTE, json=busy))
    assert status == 400 and "already attached" in words
    assert tenant.member("compute", f"{path}/{current['id']}", "DELETE", version=COMPUTE).status_code == 202
    volume_is(tenant, current["id"], "available")
    wait_for(rows, lambda now: current["id"] not in now)
    attach = {"volumeAttachment": {"volumeId": copy["id"], "tag": "db", "delete_on_termination": True}}
    answer = tenant.member("compute", path, "POST", version=COMPUTE, json=attach)
    assert answer.status_code == 200, answer.text
    volume_is(tenant, copy["id"], "in-use")
    row = rows()[copy["id"]]
    assert (row["device"], row["tag"], row["delete_on_termination"]) == (device, "db", True)
    detach = tenant.member("compute", f"{path}/{root['id']}", "DELETE", version=COMPUTE)
    assert refused(detach) == (400, "Cannot detach a root device volume")


@pytest.mark.parametrize("size", [1, 2])
def test_an_image_of_a_volume(tenant: Project, size: int) -> None:
    volume = tenant.volume("data", size)
    body = {"os-volume_upload_image": {"image_name": f"of-{size}", "disk_format": "raw", "visibility": "private"}}
    told = made(tenant.member, f"/volumes/{volume['id']}/action", body)
    assert (told["status"], told["image_name"]) == ("uploading", f"of-{size}")
    path = f"/v2/images/{told['image_id']}"
    image = wait_for(lambda: tenant.member.get("image", path), lambda now: now["status"] == "active", 60)
    assert (image["owner"], image["visibility"], image["disk_format"]) == (tenant.id, "private", "raw")
    volume_is(tenant, volume["id"], "available")
