"""Restores that have quotas raised for their time, in an engine that is killed: in the end every limit is as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.demo.launch import DemoCloud
from tests.engine.process.running import temporary_home
from tests.faults.restore_scene import QUICK, Scene, collect, failures, running
from tests.faults.restoring import Doc, Machine, Tenant
from tests.faults.test_gate import patiently

pytestmark = pytest.mark.faults

FULL = {"compute": ("instances", "cores", "ram"), "block-storage": ("volumes", "gigabytes")}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    demo = DemoCloud.start(tmp_path_factory.mktemp("cloud"), servers=12, seed="quotas", still=True, pace=0.005)
    try:
        with temporary_home() as home, running(home, Path(demo.clouds_yaml)) as client:
            found = Scene(home, client, Tenant(demo))
            collect(client)
            yield found
    finally:
        demo.stop()


def limits(scene: Scene) -> dict[str, int]:
    """Those of the project that are full, as they are now."""
    project, found = scene.tenant.project, {}
    for service, path in (("compute", f"/os-quota-sets/{project}"), ("block-storage", f"/os-quota-sets/{project}")):
        quota = scene.tenant.get(service, path)["quota_set"]
        found |= {name: int(quota[name]) for name in FULL[service]}
    return found


def full(scene: Scene) -> dict[str, int]:
    """Set each limit to what is used."""
    tenant, project = scene.tenant, scene.tenant.project
    for service, path in (
        ("compute", f"/os-quota-sets/{project}/detail"), ("block-storage", f"/os-quota-sets/{project}?usage=true"),
    ):  # fmt: skip
        quota = tenant.get(service, path)["quota_set"]
        body = {"quota_set": {name: quota[name]["in_use"] for name in FULL[service]}}
        tenant._put(tenant.admin, service, f"/os-quota-sets/{project}", body)
    return limits(scene)


def planned(scene: Scene, machine: Machine, **asked: object) -> Doc:
    body = {"cloud": "demo", "project_id": scene.tenant.project, "server_id": machine.server, **QUICK, **asked}
    return dict(patiently(lambda: scene.client.post("/q/restore/plans", body)))


def test_raised_and_given_back_however_often_it_is_killed(scene: Scene) -> None:
    machine = roomy(scene)
    before = full(scene)
    assert not planned(scene, machine, way="NEW")["eligible"]
    plan = planned(scene, machine, way="NEW", raise_quota=True)
    assert plan["eligible"], plan["problems"]
    assert {one["name"] for one in plan["raises"]} == set(before)
    job = scene.ruled(plan, kill=["all"])
    scene.go()
    ended = scene.ended(job)
    assert ended["status"] == "SUCCEEDED", (ended["detail"], failures(ended))
    assert limits(scene) == before
    left = [row for row in ended["resources"] if row["type"] == "quota" and row["state"] != "removed"]
    assert left == []
    assert any(line[0] == "kill" and line[2] == "RAISE_QUOTA" for line in scene.happened())
    assert any(line[0] == "kill" and line[2] == "LOWER_QUOTA" for line in scene.happened())


def test_given_back_when_it_is_cancelled(scene: Scene) -> None:
    machine = roomy(scene)
    before = full(scene)
    scene.go(False)
    plan = planned(scene, machine, way="NEW", raise_quota=True)
    job = scene.ruled(plan, cancel="CREATE_SERVER", kill=["undo"])
    scene.go()
    ended = scene.ended(job)
    assert ended["status"] == "CANCELED", (ended["detail"], failures(ended))
    assert limits(scene) == before
    assert any(line[0] == "kill" and line[2] == "UNDO_RAISE_QUOTA" for line in scene.happened())


def roomy(scene: Scene) -> Machine:
    """A machine that is made while there is room."""
    tenant = scene.tenant
    for service, names in FULL.items():
        tenant._put(
            tenant.admin, service, f"/os-quota-sets/{tenant.project}", {"quota_set": dict.fromkeys(names, 100_000)}
        )
    return tenant.machine()
