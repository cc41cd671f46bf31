"""What the demo does for restore points: createImage, quotas by type, metadata, roles given and taken."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.demo.records import Server
from tests.engine.demo.harness import Wire

POINT = {"createImage": {"name": "night", "metadata": {"qdeck_mark": "t1"}}}


@pytest.fixture
def own() -> Wire:
    return Wire.new(servers=30)


def roomy(own: Wire, **quota: int) -> str:
    """The member's project with room for everything but what is said; its id."""
    project = own.token("member").project
    assert project is not None
    project.volume_quota.update(dict.fromkeys(project.volume_quota, 100_000))
    project.volume_quota.update(quota)
    return project.id


def machine(own: Wire, *, from_volume: bool, status: str = "ACTIVE", locked: bool = False) -> Server:
    """A machine of the member's project that is what is asked for."""
    project = own.token("member").project_id
    running = [row for row in own.cloud.state.servers if row.host is not None and row.host.up]
    found = next(row for row in running if row.from_volume == from_volume and row.volumes)
    found.project, found.status, found.task, found.locked = project, status, None, locked
    for attachment in found.volumes:
        volume = own.cloud.state.volumes.get(attachment.volume)
        assert volume is not None
        volume.project = project
        if volume.image is not None:
            volume.image.properties = {"os_distro": "ubuntu"}
    return found


def act(own: Wire, server: Server, body: Any = POINT, role: str = "member", version: str = "compute 2.100") -> Any:
    return own("compute", f"/v2.1/servers/{server.id}/action", role, "POST", body, OpenStack_API_Version=version)


def test_all_volumes_of_a_machine_are_one_image(own: Wire) -> None:
    project = roomy(own)
    server = machine(own, from_volume=True, locked=True)
    answer = act(own, server)
    assert answer.status == 202
    image = own("image", f"/v2/images/{answer.json['image_id']}", "member").json
    assert (image["size"], image["owner"], image["qdeck_mark"], image["status"]) == (0, project, "t1", "active")
    mapping = json.loads(image["block_device_mapping"])
    assert [part["boot_index"] for part in mapping] == [0, *[None] * (len(server.volumes) - 1)]
    own.advance(1)
    for part, attachment in zip(mapping, server.volumes, strict=True):
        snapshot = own("volume", f"/snapshots/{part['snapshot_id']}", "member").json["snapshot"]
        assert (snapshot["name"], snapshot["status"]) == ("snapshot for night", "available")
        assert (snapshot["volume_id"], snapshot["metadata"]) == (attachment.volume, {})
    (found,) = own("image", "/v2/images?qdeck_mark=t1", "member").json["images"]
    assert found["id"] == image["id"]
    # The image goes, and its snapshots stay.
    assert own("image", f"/v2/images/{image['id']}", "member", "DELETE").status == 204
    assert own("volume", f"/snapshots/{mapping[0]['snapshot_id']}", "member").status == 200


def test_it_belongs_to_the_project_of_the_token(own: Wire) -> None:
    project = roomy(own)
    server = machine(own, from_volume=True)
    admin = own.token("admin").project
    assert admin is not None and admin.id != project
    admin.volume_quota.update(dict.fromkeys(admin.volume_quota, 100_000))
    image = own("image", f"/v2/images/{act(own, server, role='admin').json['image_id']}").json
    assert image["owner"] == admin.id
    id = json.loads(image["block_device_mapping"])[0]["snapshot_id"]
    assert own("volume", f"/snapshots/{id}", "member").status == 404


def test_before_2_45_only_a_header_says_which_image(own: Wire) -> None:
    roomy(own)
    answer = act(own, machine(own, from_volume=True), version="compute 2.44")
    id = answer.headers["location"].rpartition("/")[2]
    assert answer.response.body == b"" and own("image", f"/v2/images/{id}", "member").status == 200


def test_of_a_local_disk_it_takes_a_while(own: Wire) -> None:
    roomy(own)
    server = machine(own, from_volume=False)
    before = len(own.cloud.state.snapshots)
    id = act(own, server).json["image_id"]
    image = own("image", f"/v2/images/{id}", "member").json
    assert image["status"] == "queued" and "block_device_mapping" not in image
    assert act(own, server).status == 409
    own.advance(3)
    image = own("image", f"/v2/images/{id}", "member").json
    assert image["status"] == "active" and image["size"] and len(own.cloud.state.snapshots) == before
    assert act(own, server).status == 202


@pytest.mark.parametrize("status", ["ERROR", "BUILD", "PAUSED", "VERIFY_RESIZE"])
def test_states_that_it_is_refused_in(own: Wire, status: str) -> None:
    roomy(own)
    assert act(own, machine(own, from_volume=True, status=status)).status == 409


@pytest.mark.parametrize(
    ("properties", "status"),
    [
        ({"os_require_quiesce": "yes", "hw_qemu_guest_agent": "yes"}, 202),
        ({"os_require_quiesce": "yes"}, 409),
        ({"hw_qemu_guest_agent": "yes"}, 202),
    ],
)
def test_who_insists_on_a_frozen_guest_needs_its_agent(own: Wire, properties: dict[str, str], status: int) -> None:
    roomy(own)
    server = machine(own, from_volume=True)
    volume = own.cloud.state.volumes.get(server.volumes[0].volume)
    assert volume is not None and volume.image is not None
    volume.image.properties = properties
    assert act(own, server).status == status


def test_no_room_leaves_no_half(own: Wire) -> None:
    used = own("volume", f"/os-quota-sets/{roomy(own)}?usage=true").json["quota_set"]["snapshots"]["in_use"]
    roomy(own, snapshots=used)
    before = len(own.cloud.state.snapshots)
    answer = act(own, machine(own, from_volume=True))
    assert answer.status == 403 and "Quota exceeded" in answer.json["forbidden"]["message"]
    assert len(own.cloud.state.snapshots) == before


@pytest.mark.parametrize("body", [{"createImage": None}, {"createImage": {"name": ""}},
                                  {"createImage": {"name": "x", "metadata": {"a": 3}}},
                                  {"createImage": {"name": "x", "metadata": {"a": "b" * 256}}}])  # fmt: skip
def test_what_nova_does_not_take(own: Wire, body: Any) -> None:
    assert act(own, machine(own, from_volume=True), body).status == 400
    assert act(own, machine(own, from_volume=True), role="reader").status == 403


@pytest.mark.parametrize(("limit", "status"), [("snapshots", 413), ("gigabytes", 413), ("volumes", 202)])
def test_a_volume_type_has_limits_of_its_own(own: Wire, limit: str, status: int) -> None:
    project = roomy(own)
    volume = next(row for row in own.cloud.state.volumes if row.project == project and row.status == "in-use")
    roomy(own, **{f"{limit}_{volume.type}": 0})
    answer = own("volume", "/snapshots", "member", "POST", {"snapshot": {"volume_id": volume.id}})
    assert answer.status == status
    if status == 413:
        assert f"{limit}_{volume.type}" in answer.json["overLimit"]["message"]


def test_metadata_of_volumes_is_added_to_replaced_and_taken_away(own: Wire) -> None:
    project = roomy(own)
    volume = next(row for row in own.cloud.state.volumes if row.project == project)
    volume.metadata = {"owner": "me"}
    path = f"/volumes/{volume.id}/metadata"
    added = own("volume", path, "member", "POST", {"metadata": {"auto_snapshot": "true"}})
    assert added.json["metadata"] == {"owner": "me", "auto_snapshot": "true"}
    assert own("volume", f"{path}/auto_snapshot", "member", "DELETE").status == 200
    assert own("volume", f"{path}/auto_snapshot", "member", "DELETE").status == 404
    assert own("volume", path, "member").json["metadata"] == {"owner": "me"}
    assert own("volume", path, "member", "PUT", {"metadata": {"a": "b"}}).json["metadata"] == {"a": "b"}
    for bad in ({"metadata": {"a": "x" * 256}}, {"metadata": {"a": 3}}, {"metadata": 3}):
        assert own("volume", path, "member", "POST", bad).status == 400
    assert own("volume", path, "reader", "POST", {"metadata": {}}).status == 403


def test_metadata_of_snapshots(own: Wire) -> None:
    project = roomy(own)
    volume = next(row for row in own.cloud.state.volumes if row.project == project and row.status == "in-use")
    body = {"snapshot": {"volume_id": volume.id, "metadata": {"policy": "daily_5"}}}
    id = own("volume", "/snapshots", "member", "POST", body).json["snapshot"]["id"]
    path = f"/snapshots/{id}/metadata"
    assert own("volume", path, "member").json["metadata"] == {"policy": "daily_5"}
    found = own("volume", path, "member", "POST", {"metadata": {"kept": "yes"}}).json["metadata"]
    assert found == {"policy": "daily_5", "kept": "yes"}


def test_a_role_given_for_a_while(own: Wire) -> None:
    """What engine/clouds/grants.py relies on: looked up, not there, given, a token, taken, no token."""
    state = own.cloud.state
    user = own.token("admin").user
    project = next(row for row in state.projects if not own.cloud.tokens.roles_on(user, project=row))
    (role,) = own("identity", "/v3/roles?name=member").json["roles"]
    where = f"/v3/projects/{project.id}/users/{user.id}/roles"
    assert own("identity", where).json["roles"] == []
    assert own("identity", f"{where}/{role['id']}", method="PUT").status == 204
    assert [one["name"] for one in own("identity", where).json["roles"]] == ["member"]
    token = own.cloud.tokens.issue(user, ["password"], project=project)
    assert token is not None and token.writes and not token.admin
    assert own("identity", f"{where}/{role['id']}", method="DELETE").status == 204
    assert own.cloud.tokens.find(token.id) is None
    assert own.cloud.tokens.issue(user, ["password"], project=project) is None
    assert own("identity", f"{where}/{role['id']}", method="DELETE").status == 404
    assert own("identity", f"{where}/{role['id']}", "member", method="PUT").status == 403
