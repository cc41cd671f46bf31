"""Groups of the demo's volumes: snapshots of all of them at once, which go only together."""

from __future__ import annotations

from typing import Any

from tests.engine.demo.harness import Wire

NEW = {"OpenStack_API_Version": "volume 3.71"}


def prepared() -> tuple[Wire, dict[str, Any]]:
    """A cloud, and its group with its volumes, where the member's project has it."""
    wire = Wire.new(still=True)
    state = wire.cloud.state
    (group,) = state.volume_groups
    own = next(row for row in state.projects if row.name == "demo")
    group.project = own.id
    for volume in list(state.volumes):
        if volume.group == group.id:
            # The index by project is kept by the table: out, and in again.
            state.volumes.remove(volume.id)
            volume.project = own.id
            state.volumes.add(volume)
    found = wire("volume", f"/groups/{group.id}?list_volume=true", "member", **NEW)
    assert found.status == 200, found.json
    return wire, found.json["group"]


def test_the_group_is_all_volumes_of_one_machine_and_its_type_is_consistent() -> None:
    wire, group = prepared()
    (first, *rest) = group["volumes"]
    documents = [wire("volume", f"/volumes/{id}", **NEW).json["volume"] for id in (first, *rest)]
    assert rest and {one["group_id"] for one in documents} == {group["id"]}
    servers = {one["attachments"][0]["server_id"] for one in documents}
    assert len(servers) == 1
    shown = wire("volume", f"/group_types/{group['group_type']}").json["group_type"]
    assert shown["group_specs"] == {"consistent_group_snapshot_enabled": "<is> True"}
    hidden = wire("volume", f"/group_types/{group['group_type']}", "member").json["group_type"]
    assert "group_specs" not in hidden
    assert wire("volume", f"/groups/{group['id']}", OpenStack_API_Version="volume 3.12").status == 404


def test_a_group_snapshot_has_one_of_each_volume_and_they_go_together() -> None:
    wire, group = prepared()
    body = {"group_snapshot": {"group_id": group["id"], "name": "n", "description": "d"}}
    assert wire("volume", "/group_snapshots", "reader", "POST", body, **NEW).status == 403
    made = wire("volume", "/group_snapshots", "member", "POST", body, **NEW)
    assert made.status == 202
    path = f"/group_snapshots/{made.json['group_snapshot']['id']}"
    assert wire("volume", path, "member", **NEW).json["group_snapshot"]["status"] == "creating"
    assert wire("volume", path, "member", "DELETE", **NEW).status == 400
    wire.advance(60)
    shown = wire("volume", path, "member", **NEW).json["group_snapshot"]
    assert (shown["status"], shown["description"], shown["group_id"]) == ("available", "d", group["id"])
    rows = wire("volume", "/snapshots/detail", "member", **NEW).json["snapshots"]
    members = [row for row in rows if row["group_snapshot_id"] == shown["id"]]
    assert sorted(row["volume_id"] for row in members) == group["volumes"]
    refused = wire("volume", f"/snapshots/{members[0]['id']}", "member", "DELETE", **NEW)
    assert refused.status == 400 and "must not be part of a group" in str(refused.json)
    assert wire("volume", path, "member", "DELETE", **NEW).status == 202
    wire.advance(60)
    assert wire("volume", path, "member", **NEW).status == 404
    assert not wire("volume", "/group_snapshots/detail", "member", **NEW).json["group_snapshots"]
    assert wire("volume", f"/snapshots/{members[0]['id']}", "member", **NEW).status == 404


def test_the_quota_counts_every_member() -> None:
    wire, group = prepared()
    project = next(row for row in wire.cloud.state.projects if row.name == "demo")
    project.volume_quota["snapshots"] = (
        len([row for row in wire.cloud.state.snapshots if row.project == project.id]) + len(group["volumes"]) - 1
    )
    body = {"group_snapshot": {"group_id": group["id"], "name": "n"}}
    refused = wire("volume", "/group_snapshots", "member", "POST", body, **NEW)
    assert refused.status == 413 and "SnapshotLimitExceeded" in str(refused.json)
