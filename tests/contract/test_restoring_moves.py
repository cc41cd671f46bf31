"""A machine that is parked and taken back, and one whose disk is made anew: states, volumes, ports, what stays."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.conftest import Cloud
from tests.contract.restoring import (
    COMPUTE,
    STORAGE,
    act,
    at_rest,
    boot,
    booted,
    disk,
    done,
    gone,
    image_of,
    port_now,
    port_of,
    refused,
    root_of,
    show,
    volume_is,
    volume_now,
)
from tests.contract.wire import wait_for
from tests.live.projects import Project

KEPT = (
    "id",
    "name",
    "tenant_id",
    "user_id",
    "key_name",
    "metadata",
    "security_groups",
    "description",
    "tags",
    "addresses",
)


def attachments(tenant: Project, id: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tenant.member.get("compute", f"/servers/{id}/os-volume_attachments", COMPUTE)[
        "volumeAttachments"
    ]
    return rows


def allocations(cloud: Cloud, id: str) -> dict[str, Any]:
    found: dict[str, Any] = cloud.admin.get("placement", f"/allocations/{id}", "1.39")["allocations"]
    return found


def uploaded(tenant: Project, name: str, volume: dict[str, Any]) -> dict[str, Any]:
    """An image made of a volume."""
    body = {"os-volume_upload_image": {"image_name": name, "disk_format": "raw", "visibility": "private"}}
    answer = tenant.member("block-storage", f"/volumes/{volume['id']}/action", "POST", version=STORAGE, json=body)
    assert answer.status_code == 202, answer.text
    path = f"/v2/images/{answer.json()['os-volume_upload_image']['image_id']}"
    return dict(wait_for(lambda: tenant.member.get("image", path), lambda now: now["status"] == "active", 60))


def test_one_that_boots_from_a_volume_is_parked_and_taken_back(cloud: Cloud, tenant: Project) -> None:
    root, data, port = root_of(tenant), tenant.volume("data"), port_of(tenant)
    before = booted(
        tenant, networks=[{"port": port["id"]}], block_device_mapping_v2=[disk(root, 0), disk(data, tag="d")]
    )
    id = before["id"]
    assert allocations(cloud, id)
    parked = done(tenant, id, "shelve", "SHELVED_OFFLOADED")
    assert (parked["hostId"], parked["OS-EXT-AZ:availability_zone"]) == ("", "")
    assert show(cloud.admin, id)["OS-EXT-SRV-ATTR:host"] is None and allocations(cloud, id) == {}
    for volume in (root, data):
        now = volume_now(tenant, volume["id"])
        assert (now["status"], now["attachments"]) == ("reserved", [])
    free = port_now(tenant, port["id"])
    assert (free["status"], free["binding:host_id"], free["device_id"]) == ("DOWN", "", id)
    # It still counts, and it is still the same.
    assert {name: parked[name] for name in KEPT} == {name: before[name] for name in KEPT}
    after = done(tenant, id, "unshelve", "ACTIVE")
    assert {name: after[name] for name in KEPT} == {name: before[name] for name in KEPT}
    assert volume_is(tenant, data["id"], "in-use")["attachments"][0]["server_id"] == id
    assert port_now(tenant, port["id"])["status"] == "ACTIVE" and allocations(cloud, id)
    assert [(row["volumeId"], row["tag"]) for row in attachments(tenant, id)] == [(root["id"], None), (data["id"], "d")]


def test_data_volumes_leave_a_parked_machine_and_come_back(tenant: Project) -> None:
    root, data = root_of(tenant), tenant.volume("data")
    id = booted(tenant, block_device_mapping_v2=[disk(root, 0), disk(data)])["id"]
    done(tenant, id, "shelve", "SHELVED_OFFLOADED")
    path = f"/servers/{id}/os-volume_attachments"
    assert tenant.member("compute", f"{path}/{data['id']}", "DELETE", version=COMPUTE).status_code == 202
    volume_is(tenant, data["id"], "available")
    refusal = tenant.member("compute", f"{path}/{root['id']}", "DELETE", version=COMPUTE)
    assert refused(refusal) == (400, "Cannot detach a root device volume")
    body: dict[str, Any] = {"volumeAttachment": {"volumeId": data["id"], "tag": "d", "delete_on_termination": True}}
    tagged = tenant.member("compute", path, "POST", version=COMPUTE, json=body)
    words = "Tagged volume attachment is not supported for shelved-offloaded instances."
    assert refused(tagged) == (400, words)
    del body["volumeAttachment"]["tag"]
    back = tenant.member("compute", path, "POST", version=COMPUTE, json=body)
    assert back.status_code == 200 and back.json()["volumeAttachment"]["device"] is None, back.text
    # What is attached while it has no host is in use at once, what was attached before is reserved.
    assert [volume_now(tenant, one["id"])["status"] for one in (root, data)] == ["reserved", "in-use"]
    done(tenant, id, "unshelve", "ACTIVE")
    volume_is(tenant, data["id"], "in-use")
    assert [row["delete_on_termination"] for row in attachments(tenant, id)] == [False, True]


def test_one_that_was_stopped_runs_after_it(tenant: Project) -> None:
    id = booted(tenant, "quiet")["id"]
    done(tenant, id, "os-stop", "SHUTOFF")
    done(tenant, id, "shelve", "SHELVED_OFFLOADED")
    # The local disk waits in an image meanwhile.
    (image,) = tenant.member.get("image", "/v2/images?name=quiet-shelved")["images"]
    assert (image["status"], image["owner"]) == ("active", tenant.id)
    done(tenant, id, "unshelve", "ACTIVE")
    wait_for(lambda: tenant.member("image", f"/v2/images/{image['id']}").status_code, lambda now: now == 404)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("shelve", "Cannot 'shelve' instance {id} while it is in vm_state shelved_offloaded"),
        ("os-start", "Instance {id} is not ready"),
        ("os-getConsoleOutput", "Instance {id} is not ready"),
        ("rebuild", "Cannot 'rebuild' instance {id} while it is in vm_state shelved_offloaded"),
        ("createImage", "Cannot 'createImage' instance {id} while it is in vm_state shelved_offloaded"),
    ],
)
def test_what_a_parked_machine_does_not_do(tenant: Project, action: str, words: str) -> None:
    id = booted(tenant)["id"]
    done(tenant, id, "shelve", "SHELVED_OFFLOADED")
    values = {"os-getConsoleOutput": {}, "rebuild": {"imageRef": image_of(tenant)["id"]}, "createImage": {"name": "x"}}
    assert refused(act(tenant.member, id, action, values.get(action))) == (409, words.format(id=id))


def test_who_may_park(cloud: Cloud, tenant: Project) -> None:
    id = booted(tenant)["id"]
    status, words = refused(act(tenant.member, id, "shelveOffload"))
    assert (status, words) == (403, "Policy doesn't allow os_compute_api:os-shelve:shelve_offload to be performed.")
    assert act(tenant.reader, id, "shelve").status_code == 403
    assert refused(act(cloud.admin, id, "shelveOffload"))[0] == 409
    assert act(tenant.member, id, "lock", {"locked_reason": "kept"}).status_code == 202
    assert show(tenant.reader, id)["locked_reason"] == "kept"
    assert refused(act(tenant.member, id, "shelve")) == (409, f"Instance {id} is locked")
    # An administrator walks through.
    assert act(cloud.admin, id, "shelve").status_code == 202
    at_rest(tenant, id, "SHELVED_OFFLOADED")


def test_a_parked_member_of_a_group_makes_room(cloud: Cloud, tenant: Project) -> None:
    body = {"server_group": {"name": "spread", "policy": "anti-affinity"}}
    made = tenant.member("compute", "/os-server-groups", "POST", version=COMPUTE, json=body)
    assert made.status_code == 200, made.text
    group = made.json()["server_group"]["id"]
    hints = {"group": group}
    members: list[dict[str, Any]] = []
    while len(members) < 10:
        answer = boot(tenant, f"member-{len(members)}", hints=hints)
        assert answer.status_code == 202, answer.text
        id = answer.json()["server"]["id"]
        now = wait_for(lambda id=id: show(tenant.member, id), lambda now: now["status"] in ("ACTIVE", "ERROR"), 60)  # type: ignore[misc]
        members.append(now)
        if now["status"] == "ERROR":
            break
    last = members.pop()
    assert last["status"] == "ERROR" and last["fault"]["message"].startswith("No valid host was found")
    hosts = [show(cloud.admin, one["id"])["OS-EXT-SRV-ATTR:host"] for one in members]
    assert len(set(hosts)) == len(hosts) > 1
    told = tenant.member.get("compute", f"/os-server-groups/{group}", COMPUTE)["server_group"]
    assert {one["id"] for one in members} <= set(told["members"]) and show(tenant.member, last["id"])["server_groups"]
    gone(tenant, last["id"])
    # One that is only stopped keeps its host; one that is parked does not.
    done(tenant, members[0]["id"], "shelve", "SHELVED_OFFLOADED")
    booted(tenant, "newcomer", hints=hints)


# -- rebuilding ------------------------------------------------------------------


@pytest.mark.parametrize("stopped", [False, True])
def test_a_local_disk_is_made_anew(tenant: Project, stopped: bool) -> None:
    port = port_of(tenant)
    before = booted(tenant, networks=[{"port": port["id"]}], metadata={"k": "v"}, description="d", tags=["t"])
    id, status = before["id"], "SHUTOFF" if stopped else "ACTIVE"
    if stopped:
        done(tenant, id, "os-stop", "SHUTOFF")
    answer = act(tenant.member, id, "rebuild", {"imageRef": image_of(tenant)["id"]})
    assert answer.status_code == 202 and answer.json()["server"]["status"] == "REBUILD", answer.text
    after = at_rest(tenant, id, status)
    assert {name: after[name] for name in KEPT} == {name: before[name] for name in KEPT}
    assert port_now(tenant, port["id"])["mac_address"] == port["mac_address"]
    past = tenant.member.get("compute", f"/servers/{id}/os-instance-actions", COMPUTE)["instanceActions"]
    assert (past[0]["action"], past[0]["message"]) == ("rebuild", None)


def test_from_error_it_ends_running(cloud: Cloud, tenant: Project) -> None:
    id = booted(tenant)["id"]
    assert act(tenant.member, id, "os-resetState", {"state": "error"}).status_code == 403
    assert act(cloud.admin, id, "os-resetState", {"state": "error"}).status_code == 202
    assert show(tenant.member, id)["status"] == "ERROR"
    assert "fault" not in done(tenant, id, "rebuild", "ACTIVE", {"imageRef": image_of(tenant)["id"]})


def test_the_root_volume_is_made_anew_and_stays_the_same_volume(tenant: Project) -> None:
    root = root_of(tenant, metadata={"auto_snapshot": "true"})
    point = tenant.snapshot(root["id"])
    id = booted(tenant, block_device_mapping_v2=[disk(root, 0)])["id"]
    image = uploaded(tenant, "of-the-point", root_of(tenant, "temporary"))
    status, words = refused(act(tenant.member, id, "rebuild", {"imageRef": image["id"]}, "2.92"))
    assert status == 400 and words.endswith("Unable to rebuild with a different image for a volume-backed server.")
    after = done(tenant, id, "rebuild", "ACTIVE", {"imageRef": image["id"]})
    assert after["image"] == "" and [row["volumeId"] for row in attachments(tenant, id)] == [root["id"]]
    volume = volume_is(tenant, root["id"], "in-use")
    assert (volume["metadata"], volume["volume_image_metadata"]["image_id"]) == (root["metadata"], image["id"])
    assert tenant.member("block-storage", f"/snapshots/{point['id']}", version=STORAGE).status_code == 200


def test_what_cannot_be_rebuilt_from(tenant: Project) -> None:
    id = booted(tenant)["id"]
    nothing = {"imageRef": "00000000-0000-4000-8000-000000000000"}
    assert refused(act(tenant.member, id, "rebuild", nothing)) == (400, "Cannot find image for rebuild")
    image = image_of(tenant)["id"]
    assert act(tenant.member, id, "rebuild", {"imageRef": image, "hostname": "x"}, "2.89").status_code == 400
    assert act(tenant.reader, id, "rebuild", {"imageRef": image}).status_code == 403
