"""Cinder: microversions, the silent filter of all_tenants, times, and disks that come and go."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.demo.harness import Wire

DETAIL = "/volumes/detail?all_tenants=1&limit=1"
REFUSED = (
    "Invalid volume: Volume status must be available or error or error_restoring or error_extending or error_managing "
    "and must not be migrating, attached, belong to a group, have snapshots, awaiting a transfer, or be disassociated "
    "from snapshots after volume transfer."
)


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ("3.0", 200, "3.0"),
        ("3.71", 200, "3.71"),
        ("latest", 200, "3.71"),
        ("3.72", 406, "3.72"),
        ("2.0", 406, None),
        ("3", 400, None),
        ("abc", 400, None),
    ],
)
def test_negotiation(wire: Wire, sent: str, status: int, said: str | None) -> None:
    answer = wire("volume", DETAIL, OpenStack_API_Version=f"volume {sent}")
    assert answer.status == status
    assert answer.headers.get("openstack-api-version") == (f"volume {said}" if said else None)
    if status == 406:
        message = f"Version {sent} is not supported by the API. Minimum is 3.0 and maximum is 3.71."
        assert answer.json == {"computeFault": {"code": 406, "message": message}}


@pytest.mark.parametrize(
    ("collection", "before", "since", "field"),
    [
        ("volumes", "3.12", "3.13", "group_id"),
        ("volumes", "3.47", "3.48", "shared_targets"),
        ("volumes", "3.60", "3.61", "cluster_name"),
        ("volumes", "3.62", "3.63", "volume_type_id"),
        ("volumes", "3.64", "3.65", "consumes_quota"),
        ("snapshots", "3.40", "3.41", "user_id"),
        ("snapshots", "3.64", "3.65", "consumes_quota"),
        ("backups", "3.42", "3.43", "metadata"),
        ("backups", "3.55", "3.56", "user_id"),
    ],
)
def test_fields_come_with_their_microversion(wire: Wire, collection: str, before: str, since: str, field: str) -> None:
    target = f"/{collection}/detail?all_tenants=1&limit=1"
    for version, there in ((before, False), (since, True)):
        (row,) = wire("volume", target, OpenStack_API_Version=f"volume {version}").json[collection]
        assert (field in row) == there


@pytest.mark.parametrize("collection", ["volumes", "snapshots", "attachments"])
def test_all_tenants_is_dropped_silently(wire: Wire, collection: str) -> None:
    everything = wire("volume", f"/{collection}?all_tenants=1").json[collection]
    for role in ("member", "reader"):
        answer = wire("volume", f"/{collection}?all_tenants=1", role)
        assert answer.status == 200
        assert answer.json == wire("volume", f"/{collection}", role).json
        assert 0 < len(answer.json[collection]) < len(everything)
    # System scope has no address in the catalogue; without a project in the path everything is there.
    assert len(wire("volume", f"/v3/{collection}?all_tenants=1", "system").json[collection]) == len(everything)


def test_members_see_less_of_a_volume(wire: Wire) -> None:
    fields = {"os-vol-host-attr:host", "os-vol-mig-status-attr:migstat", "migration_status", "provider_id"}
    rows = wire("volume", "/volumes/detail", "member").json["volumes"]
    assert not fields & {field for row in rows for field in row}
    assert all(attachment["host_name"] is None for row in rows for attachment in row["attachments"])
    rows = wire("volume", "/volumes/detail?all_tenants=1").json["volumes"]
    assert all(fields <= set(row) for row in rows)


@pytest.mark.parametrize(
    ("target", "admin", "member"),
    [
        ("/os-services", 200, 403),
        ("/scheduler-stats/get_pools?detail=true", 200, 403),
        ("/types", 200, 200),
        ("/limits", 200, 200),
        ("/messages", 200, 200),
        ("/qos-specs", 200, 403),
        ("/os-quota-sets/{demo}?usage=true", 200, 200),
        ("/os-quota-sets/{admin}?usage=true", 200, 403),
    ],
)
def test_policies(wire: Wire, target: str, admin: int, member: int) -> None:
    path = target.format(demo=wire.token("member").project_id, admin=wire.token("admin").project_id)
    assert (wire("volume", path).status, wire("volume", path, "member").status) == (admin, member)


def test_extra_specs_of_types_are_cut_for_members(wire: Wire) -> None:
    full = wire("volume", "/types").json["volume_types"][0]
    cut = wire("volume", "/types", "member").json["volume_types"][0]
    assert full["extra_specs"] and "qos_specs_id" in full
    assert cut["extra_specs"] == {} and "qos_specs_id" not in cut


def test_another_projects_address_is_malformed(wire: Wire) -> None:
    other = wire.token("member").project_id
    answer = wire("volume", f"/v3/{other}/volumes")
    assert answer.json == {"badRequest": {"code": 400, "message": "Malformed request url"}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("gte:2020-01-01T00:00:00", "all"),
        ("gt:2020-01-01T00:00:00Z", "all"),
        ("lt:2020-01-01T00:00:00", "none"),
        ("gte:2099-01-01T00:00:00", "none"),
        ("2020-01-01T00:00:00", 400),
        ("zz:2020-01-01T00:00:00", 400),
        ("gte:yesterday", 400),
        ("yesterday", 400),
    ],
)
def test_volumes_by_updated_at(wire: Wire, value: str, expected: Any) -> None:
    answer = wire("volume", f"/volumes/detail?all_tenants=1&updated_at={value}")
    if expected in ("all", "none"):
        count = len(wire.cloud.state.volumes) if expected == "all" else 0
        assert len(answer.json["volumes"]) == count
    else:
        assert answer.status == expected
    old = wire("volume", f"/volumes/detail?all_tenants=1&updated_at={value}", OpenStack_API_Version="volume 3.30")
    assert len(old.json["volumes"]) == len(wire.cloud.state.volumes)


def test_counts(wire: Wire) -> None:
    document = wire("volume", "/volumes?all_tenants=1&limit=1&with_count=true").json
    assert (document["count"], len(document["volumes"])) == (len(wire.cloud.state.volumes), 1)


@pytest.fixture
def roomy(own: Wire) -> Wire:
    project = own.token("member").project
    assert project is not None
    project.volume_quota.update(dict.fromkeys(project.volume_quota, 1000))
    project.volume_quota["gigabytes"] = 5000
    return own


def test_a_volume_comes_and_goes(roomy: Wire) -> None:
    answer = roomy("volume", "/volumes", "member", "POST", {"volume": {"size": 2, "name": "v", "metadata": {"k": "v"}}})
    assert answer.status == 202
    made = answer.json["volume"]
    assert (made["status"], made["updated_at"], made["metadata"]) == ("creating", None, {"k": "v"})
    path = f"/volumes/{made['id']}"
    assert roomy("volume", path, "member").json["volume"]["status"] == "creating"
    assert roomy("volume", path, "member", "DELETE").status == 400
    roomy.advance(1)
    row = roomy("volume", path).json["volume"]
    assert row["status"] == "available" and row["os-vol-host-attr:host"] and row["updated_at"]
    assert roomy("volume", path, "reader", "DELETE").status == 403
    assert roomy("volume", path, "member", "DELETE").status == 202
    assert roomy("volume", path, "member").json["volume"]["status"] == "deleting"
    roomy.advance(1)
    answer = roomy("volume", path, "member")
    assert answer.json["itemNotFound"]["message"] == f"Volume {made['id']} could not be found."


def test_snapshots_hold_their_volume(roomy: Wire) -> None:
    volume = roomy("volume", "/volumes", "member", "POST", {"volume": {"size": 2}}).json["volume"]["id"]
    body = {"snapshot": {"volume_id": volume, "name": "s"}}
    assert roomy("volume", "/snapshots", "member", "POST", body).status == 400  # still creating
    roomy.advance(1)
    snapshot = roomy("volume", "/snapshots", "member", "POST", body).json["snapshot"]
    assert snapshot["status"] == "creating"
    assert roomy("volume", f"/snapshots/{snapshot['id']}", "member", "DELETE").status == 400
    roomy.advance(1)
    row = roomy("volume", f"/snapshots/{snapshot['id']}", "member").json["snapshot"]
    assert (row["status"], row["os-extended-snapshot-attributes:progress"]) == ("available", "100%")
    answer = roomy("volume", f"/volumes/{volume}", "member", "DELETE")
    assert (answer.status, answer.json["badRequest"]["message"]) == (400, REFUSED)
    assert roomy("volume", f"/snapshots/{snapshot['id']}", "member", "DELETE").status == 202
    roomy.advance(1)
    assert roomy("volume", f"/snapshots/{snapshot['id']}").status == 404
    assert roomy("volume", f"/volumes/{volume}", "member", "DELETE").status == 202


def test_an_in_use_volume_wants_force_before_3_66(own: Wire) -> None:
    project = own.token("member").project
    assert project is not None
    project.volume_quota.update(dict.fromkeys(project.volume_quota, 5000))
    volume = next(row for row in own.cloud.state.volumes if row.status == "in-use" and row.project == project.id)
    body = {"snapshot": {"volume_id": volume.id}}
    answer = own("volume", "/snapshots", "member", "POST", body, OpenStack_API_Version="volume 3.60")
    message = f"Invalid volume: Volume {volume.id} status must be available, but current status is: in-use."
    assert answer.json["badRequest"]["message"] == message
    assert own("volume", "/snapshots", "member", "POST", body).status == 202


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"volume": {"size": 0}}, 400),
        ({"volume": {"size": "x"}}, 400),
        ({"volume": 3}, 400),
        ({"volume": {"size": 1, "volume_type": "nope"}}, 404),
        ({"volume": {"size": 900_000}}, 413),
        ({"volume": {"size": 1, "snapshot_id": "nope"}}, 404),
    ],
)
def test_creates_that_are_refused(roomy: Wire, body: dict[str, Any], status: int) -> None:
    answer = roomy("volume", "/volumes", "member", "POST", body)
    assert answer.status == status
    if status == 413:
        assert answer.headers["retry-after"] == "0"
        assert answer.json["overLimit"]["message"].startswith("VolumeSizeExceedsAvailableQuota: Requested volume or")


def test_extend(roomy: Wire) -> None:
    volume = roomy("volume", "/volumes", "member", "POST", {"volume": {"size": 2}}).json["volume"]["id"]
    roomy.advance(1)
    path = f"/volumes/{volume}/action"
    assert roomy("volume", path, "member", "POST", {"os-extend": {"new_size": 2}}).status == 400
    assert roomy("volume", path, "member", "POST", {"os-extend": {"new_size": 4}}).status == 202
    assert roomy("volume", f"/volumes/{volume}", "member").json["volume"]["size"] == 4


def test_quota_usage_is_what_is_there(wire: Wire) -> None:
    project = wire.token("member").project_id
    usage = wire("volume", f"/os-quota-sets/{project}?usage=true").json["quota_set"]
    volumes = wire("volume", "/volumes/detail", "member").json["volumes"]
    snapshots = wire("volume", "/snapshots/detail", "member").json["snapshots"]
    assert usage["volumes"]["in_use"] == len(volumes)
    assert usage["gigabytes"]["in_use"] == sum(row["size"] for row in volumes + snapshots)
    assert usage["gigabytes_standard"]["limit"] == -1


def test_messages_tell_of_volumes_that_failed(own: Wire) -> None:
    volume = next(iter(own.cloud.state.volumes))
    volume.status, volume.project = "error", own.token("member").project_id
    (message,) = own("volume", f"/messages?resource_uuid={volume.id}", "member").json["messages"]
    assert message["message_level"] == "ERROR" and "backend" in message["user_message"]
    assert own("volume", f"/messages/{message['id']}", "member").status == 200


def test_messages_of_another_project_are_told_to_an_administrator_who_names_the_volume(own: Wire) -> None:
    volume = next(iter(own.cloud.state.volumes))
    volume.status, volume.project = "error", own.token("member").project_id
    assert own.token("admin").project_id != volume.project
    (message,) = own("volume", f"/messages?resource_uuid={volume.id}").json["messages"]
    assert message["resource_uuid"] == volume.id
    assert message not in own("volume", "/messages").json["messages"]
    volume.project = own.token("admin").project_id
    assert own("volume", f"/messages?resource_uuid={volume.id}", "member").json["messages"] == []


def test_backups_depend_on_each_other(wire: Wire) -> None:
    rows = wire("volume", "/backups/detail?all_tenants=1").json["backups"]
    assert {row["is_incremental"] for row in rows} == {True, False}
    assert any(row["has_dependent_backups"] for row in rows)
