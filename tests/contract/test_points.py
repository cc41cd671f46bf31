"""Restore points by hand and roles for the length of a job, through the whole engine, and what the tenant sees then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.access.models import ENGINE
from engine.gate.models import Actor, NoRole
from engine.snapshots import making
from engine.snapshots.models import Volume
from tests.contract.conftest import Cloud
from tests.contract.operating import CLOUD, OPS, Operator, states
from tests.contract.wire import wait_for
from tests.live.projects import COMPUTE, STORAGE, Project

LENDING = f"[clouds.{CLOUD}]\ngrant_member = true\n"


@pytest.fixture(scope="module")
def operator(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """An engine that works as an administrator, who may make himself a member for a job; the cloud may be written."""
    home = tmp_path_factory.mktemp("operator")
    home.chmod(0o700)
    (home / "qdeck.toml").write_text(LENDING)
    (home / "qdeck.toml").chmod(0o600)
    with Operator(home, cloud.admin_auth) as made:
        made.collect("project")
        made.lift()
        yield made


def volume_key(operator: Operator, volume: dict[str, Any]) -> tuple[str, str, str]:
    operator.collect("project", "volume", "snapshot")
    return operator.key("volume", volume["id"])


def snapshots(tenant: Project, volume: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of the volume that the tenant's own reader sees."""
    found = tenant.reader.get("block-storage", f"/snapshots/detail?volume_id={volume['id']}", STORAGE)["snapshots"]
    return list(found)


def roles(cloud: Cloud, tenant: Project) -> list[str]:
    """Roles that the engine's user has in the project by itself."""
    user = cloud.admin.token["user"]["id"]
    found = cloud.admin.get("identity", f"/projects/{tenant.id}/users/{user}/roles")["roles"]
    return [role["name"] for role in found]


def test_a_snapshot_by_hand_belongs_to_the_tenant(cloud: Cloud, operator: Operator, tenant: Project) -> None:
    volume = tenant.volume("data", 2)
    key = volume_key(operator, volume)
    assert roles(cloud, tenant) == []
    plan = operator.plan("volume.snapshot", key, options={"description": "before the upgrade"})
    (item,) = plan["items"]
    assert item["ok"], item["problem"]
    assert any("a job is made a member for its length" in words for words in plan["warnings"]), plan["warnings"]
    # The volume of 2 GB is there already, and its snapshot counts as much again.
    assert any("has then 1" in words and "4" in words for words in plan["warnings"]), plan["warnings"]
    job = operator.ended(operator.begin(plan))
    assert states(job) == ["done"], job["steps"]
    (made,) = snapshots(tenant, volume)
    assert made["os-extended-snapshot-attributes:project_id"] == tenant.id
    assert made["name"].startswith("snap-data-") and made["status"] == "available"
    assert made["metadata"]["created_by"] == "quarterdeck" and "policy" not in made["metadata"]
    assert made["description"] == "Made by ops (Quarterdeck): before the upgrade"
    # The role went with the job.
    wait_for(lambda: operator.parts.grants.page(OPS), lambda found: found == [], 30)
    assert roles(cloud, tenant) == []
    given, taken = operator.records("grant.give", job), operator.records("grant.take", job)
    assert [one["outcome"] for one in given] == [one["outcome"] for one in taken] == ["intent", "ok"]


def test_the_last_snapshot_is_deleted_with_a_warning(cloud: Cloud, operator: Operator, tenant: Project) -> None:
    volume = tenant.volume("data")
    point = tenant.snapshot(volume["id"])
    volume_key(operator, volume)
    key = operator.key("snapshot", point["id"])
    plan = operator.plan("snapshot.delete", key)
    assert plan["items"][0]["lost"] == [f"the last snapshot of its volume {volume['id']}"]
    assert plan["requires"]["typed"] == "point"
    job = operator.ended(operator.begin(plan))
    assert (states(job), job["steps"][0]["detail"]) == (["done"], "deleted")
    assert snapshots(tenant, volume) == []
    wait_for(lambda: roles(cloud, tenant), lambda found: found == [], 30)


def test_all_volumes_of_a_machine_are_one_point_and_go_as_one(
    cloud: Cloud, operator: Operator, tenant: Project
) -> None:
    image = min(
        (one for one in tenant.member.get("image", "/v2/images?limit=100")["images"] if one["status"] == "active"),
        key=lambda one: (one["min_disk"], one["name"]),
    )
    root = tenant.volume("root", max(1, image["min_disk"]), imageRef=image["id"])
    disk = {"boot_index": 0, "uuid": root["id"], "source_type": "volume", "destination_type": "volume"}
    server = tenant.server("web", imageRef="", block_device_mapping_v2=[disk])
    operator.collect("project", "server", "volume")
    key = operator.key("server", server["id"])
    plan = operator.plan("server.snapshot", key)
    (item,) = plan["items"]
    assert item["ok"], item["problem"]
    shown = {change["field"]: change["to"] for change in item["changes"]}
    assert shown["restore point"].startswith("one image of 1 snapshot"), shown
    assert "consistent" in shown["consistency"]
    job = operator.ended(operator.begin(plan))
    assert states(job) == ["done"], job["steps"]
    (point,) = [
        one for one in tenant.reader.get("image", "/v2/images?limit=100")["images"] if one["owner"] == tenant.id
    ]
    assert (point["size"], point["created_by"], point["status"]) == (0, "quarterdeck", "active")
    (part,) = making.image_parts(point)
    (snapshot,) = snapshots(tenant, root)
    assert snapshot["id"] == part.snapshot_id and snapshot["status"] == "available"
    # And away again, with its snapshot.
    operator.collect("project", "image", "snapshot")
    plan = operator.plan("image.delete", operator.key("image", point["id"]))
    assert any(part.snapshot_id in words for words in plan["items"][0]["lost"]), plan["items"]
    job = operator.ended(operator.begin(plan))
    assert (states(job), job["steps"][0]["detail"]) == (["done"], "deleted with its snapshots")
    assert tenant.member("image", f"/v2/images/{point['id']}").status_code == 404
    wait_for(lambda: snapshots(tenant, root), lambda found: found == [], 60)


def test_a_machine_with_a_local_disk_has_a_snapshot_of_each_volume(operator: Operator, tenant: Project) -> None:
    server = tenant.server("web")
    volumes = [tenant.volume(name) for name in ("a", "b")]
    for volume in volumes:
        body = {"volumeAttachment": {"volumeId": volume["id"]}}
        tenant.create("compute", f"/servers/{server['id']}/os-volume_attachments", body, COMPUTE)
        path = f"/volumes/{volume['id']}"
        wait_for(
            lambda path=path: tenant.member.get("block-storage", path, STORAGE)["volume"]["status"],  # type: ignore[misc]
            lambda status: status == "in-use",
            60,
        )
    operator.collect("project", "server", "volume")
    plan = operator.plan("server.snapshot", operator.key("server", server["id"]))
    assert any("local disk" in words for words in plan["warnings"]), plan["warnings"]
    job = operator.ended(operator.begin(plan))
    assert states(job) == ["done"] and "within" in job["steps"][0]["detail"], job["steps"]
    made = [snapshots(tenant, volume) for volume in volumes]
    assert [len(found) for found in made] == [1, 1]
    assert len({found[0]["metadata"]["qdeck_mark"] for found in made}) == 1


def test_every_call_of_a_policy_run_does_what_it_says(cloud: Cloud, operator: Operator, tenant: Project) -> None:
    """The calls themselves, with a tenant's own role given to the engine's user for good."""
    doc = tenant.volume("data")
    region = volume_key(operator, doc)[1]
    volume = Volume(CLOUD, region, doc["id"], "data", "available", 1, project_id=tenant.id)
    tenant.grant(cloud.admin.token["user"]["id"], "member")
    gate, actor = operator.parts.gate, Actor(ENGINE, "snapshots:admin", "snapshot.run", job="", standing="snapshots")
    get = gate.reader(CLOUD, region, tenant.id)
    foreign = {"metadata": {"owner": "me"}}
    assert tenant.member("block-storage", f"/volumes/{doc['id']}/metadata", "POST", json=foreign).status_code == 200
    gate.perform(actor, making.write_metadata(volume, {"auto_snapshot": "true", "retention_daily_5": "5"}))
    gate.perform(actor, making.remove_metadata(volume, "retention_daily_5"))
    now = tenant.member.get("block-storage", f"/volumes/{doc['id']}", STORAGE)["volume"]["metadata"]
    assert now == {"owner": "me", "auto_snapshot": "true"}
    assert making.find_by_token(get, doc["id"], "t-1") is None
    metadata = {"created_by": "p9_auto_snapshots", "qdeck_mark": "t-1"}
    gate.perform(actor, making.create_snapshot(volume, "auto-x", "d", metadata))
    found = making.find_by_token(get, doc["id"], "t-1")
    assert found is not None and found["metadata"] == metadata
    wait_for(
        lambda: (making.find_by_token(get, doc["id"], "t-1") or {}).get("status"), lambda now: now == "available", 60
    )
    gate.perform(actor, making.delete_snapshot((CLOUD, region, found["id"]), tenant.id))
    wait_for(lambda: making.find_by_token(get, doc["id"], "t-1"), lambda now: now is None, 60)


def test_a_role_is_counted_and_never_taken_from_somebody(cloud: Cloud, operator: Operator, tenant: Project) -> None:
    grants = operator.parts.grants
    for job in ("job-1", "job-2"):
        grants.hold(CLOUD, tenant.id, job)
    assert roles(cloud, tenant) == ["member"]
    operator.parts.gate.reaches(CLOUD, tenant.id)
    assert grants.release("job-1") == [] and roles(cloud, tenant) == ["member"]
    assert grants.release("job-2") == []
    wait_for(lambda: roles(cloud, tenant), lambda found: found == [], 30)
    with pytest.raises(NoRole):
        operator.parts.gate.reaches(CLOUD, tenant.id)
    # A role that an administrator gave stays his.
    user = cloud.admin.token["user"]["id"]
    tenant.grant(user, "reader")
    with pytest.raises(NoRole, match="already"):
        grants.hold(CLOUD, tenant.id, "job-3")
    assert grants.release("job-3") == [] and roles(cloud, tenant) == ["reader"]


def test_what_a_dead_job_left_behind_is_taken_back(cloud: Cloud, operator: Operator, tenant: Project) -> None:
    """The engine was killed: the note of the role is all that is left, and no job of that name is open."""
    grants, jobs = operator.parts.grants, operator.parts.jobs
    grants.hold(CLOUD, tenant.id, "killed")
    assert roles(cloud, tenant) == ["member"] and [row["job_id"] for row in grants.page(OPS)] == ["killed"]
    assert grants.recover(lambda job: True) == [] and roles(cloud, tenant) == ["member"]
    assert grants.recover(jobs.open) == []
    assert roles(cloud, tenant) == [] and grants.page(OPS) == []
