"""Restore points by hand: what a plan says, what is sent, and that an interrupted step makes nothing twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from engine.gate.models import Call, Check, Context, NoRole, Operation, Target
from engine.snapshots import operations as making_by_hand
from engine.snapshots import removing
from engine.snapshots.facts import Facts, Need, room
from engine.snapshots.models import Key, Point

AT = datetime(2026, 11, 30, 1, 2, 3, tzinfo=UTC)
KEY: Key = ("east", "r1", "")
UNLIMITED = {"snapshots": {"limit": -1, "in_use": 3, "reserved": 0}, "gigabytes": {"limit": -1, "in_use": 40}}


@dataclass
class Cloud:
    """Documents by path, and what facts the store would have of it."""

    docs: dict[str, dict[str, Any]] = field(default_factory=dict)
    snapshots: list[dict[str, Any]] = field(default_factory=list)
    images: list[dict[str, Any]] = field(default_factory=list)
    quota: Any = field(default_factory=lambda: UNLIMITED)
    members: bool = True
    lends: bool = False
    clones: int = 0
    points: list[Point] = field(default_factory=list)

    def get(self, service: str, path: str, microversion: str = "", query: Any = ()) -> dict[str, Any] | None:
        asked = dict(query)
        if path == "/snapshots/detail":
            return {"snapshots": [one for one in self.snapshots if one["volume_id"] == asked["volume_id"]]}
        if path == "/images":
            return {"images": [one for one in self.images if one.get("qdeck_mark") == asked["qdeck_mark"]]}
        if path.startswith("/snapshots/"):
            return next(({"snapshot": one} for one in self.snapshots if path.endswith(one["id"])), None)
        return self.docs.get(path)

    def facts(self) -> Facts:
        def reaches(cloud: str, project: str) -> None:
            if not self.members:
                raise NoRole(f"no account of {cloud} has a role in {project}", "openstack role add x")

        reads = SimpleNamespace(read=lambda work: self.clones)
        points = SimpleNamespace(of_volumes=lambda scope, keys: dict.fromkeys(keys, self.points))
        quotas = SimpleNamespace(storage=lambda cloud, region, ids: dict.fromkeys(ids, self.quota))
        return Facts(reads, points, quotas, reaches, lambda cloud: self.lends)  # type: ignore[arg-type]

    def operation(self, id: str) -> Operation:
        facts = self.facts()
        every = [*making_by_hand.operations(facts, lambda: AT), *removing.operations(facts)]
        return next(one for one in every if one.id == id)

    def context(self, token: str = "", **more: Any) -> Context:
        return Context("east", "r1", self.get, token=token, by="anna", **more)

    def volume(self, id: str = "v1", status: str = "in-use", size: int = 20, **more: Any) -> Target:
        doc = {"id": id, "name": f"disk-{id}", "status": status, "size": size, "volume_type": "ssd",
               "os-vol-tenant-attr:tenant_id": "p1", "attachments": [], **more}  # fmt: skip
        self.docs[f"/volumes/{id}"] = {"volume": doc}
        return Target("volume", ("east", "r1", id), doc["name"], "p1", "shop", doc=doc)

    def machine(self, *volumes: str, image: Any = "", status: str = "ACTIVE", **more: Any) -> Target:
        doc = {"id": "s1", "name": "web", "status": status, "tenant_id": "p1", "image": image,
               "flavor": {"disk": 0 if image == "" else 10, "ephemeral": 0},
               "os-extended-volumes:volumes_attached": [{"id": id} for id in volumes], **more}  # fmt: skip
        for id in volumes:
            self.volume(id, bootable="true")
        return Target("server", ("east", "r1", "s1"), "web", "p1", "shop", doc=doc)

    def make(self, calls: Sequence[Call]) -> None:
        """Do what the calls ask for, as the cloud would."""
        for call in calls:
            body = dict(call.body or {})
            if "snapshot" in body:
                self._snapshot(body["snapshot"])
            else:
                image = body["createImage"]
                ids = [one.rpartition("/")[2] for one in self.docs if one.startswith("/volumes/")]
                made = [self._snapshot({"volume_id": id, "name": "x", "metadata": {}}) for id in ids]
                mapping = json.dumps([{"snapshot_id": id} for id in made])
                self.images.append(
                    {"id": "i1", "name": image["name"], "status": "active", "size": 0, **image["metadata"],
                     "block_device_mapping": mapping}
                )  # fmt: skip

    def _snapshot(self, body: dict[str, Any]) -> str:
        id = f"n{len(self.snapshots) + 1}"
        made = f"2026-11-30T01:02:0{len(self.snapshots)}.000000"
        self.snapshots.append({"id": id, "status": "available", "created_at": made, **body})
        return id


def check(cloud: Cloud, id: str, target: Target, **options: Any) -> Check:
    return cloud.operation(id).check(cloud.context(), target, options)


# A volume


def test_a_snapshot_of_a_volume_says_who_made_it_and_for_whom() -> None:
    cloud = Cloud()
    target = cloud.volume()
    found = check(cloud, "volume.snapshot", target)
    assert found.problem is None
    assert {one.field: one.after for one in found.changes}["snapshot"] == "snap-disk-v1-20261130-010203, 20 GB"
    (call,) = cloud.operation("volume.snapshot").calls(
        cloud.context("t1"), target, {"description": "before", "name": "{name}-{n}-{time}"}
    )
    body = (call.body or {})["snapshot"]
    assert (body["name"], body["description"]) == ("disk-v1-1-20261130-010203", "Made by anna (Quarterdeck): before")
    assert body["metadata"]["created_by"] == "quarterdeck" and body["metadata"]["qdeck_mark"] == "t1"
    assert call.project_id == "p1" and call.session == "tenant" and call.creates


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({"status": "error"}, {}, "is error"),
        ({"status": "deleting"}, {}, "is deleting"),
        ({}, {"name": "auto-shop-daily_5"}, "what policies make"),
        ({}, {"name": " AUTO-x"}, "what policies make"),
        ({"os-vol-tenant-attr:tenant_id": "p2"}, {}, "another project"),
    ],
)
def test_what_no_snapshot_is_made_of(change: dict[str, Any], options: dict[str, Any], words: str) -> None:
    cloud = Cloud()
    assert words in (check(cloud, "volume.snapshot", cloud.volume(**change), **options).problem or "")


def test_without_a_role_it_is_refused_or_one_is_given_for_the_job() -> None:
    cloud = Cloud(members=False)
    assert "no account of east" in (check(cloud, "volume.snapshot", cloud.volume()).problem or "")
    cloud.lends = True
    found = check(cloud, "volume.snapshot", cloud.volume())
    assert found.problem is None and "a member for its length" in found.warnings[0]


@pytest.mark.parametrize("id", ["volume.snapshot", "server.snapshot"])
def test_what_was_made_is_found_again_and_waited_for(id: str) -> None:
    cloud = Cloud()
    target = cloud.volume() if id == "volume.snapshot" else cloud.machine("v1", "v2")
    operation, context = cloud.operation(id), cloud.context("t1", attempt=2)
    assert operation.already is not None and operation.settled is not None
    assert not operation.already(context, target, {}) and operation.settled(context, target, {}) is None
    cloud.make(operation.calls(context, target, {}))
    assert operation.already(context, target, {})
    assert not operation.already(cloud.context("t2"), target, {}), "another step's is not this one's"
    ended = operation.settled(context, target, {})
    assert ended is not None and ended.ok and ended.detail.startswith("made ")
    cloud.snapshots[-1]["status"] = "creating"
    assert operation.settled(context, target, {}) is None
    cloud.snapshots[-1]["status"] = "error"
    ended = operation.settled(context, target, {})
    assert ended is not None and not ended.ok and "error" in ended.detail


# A machine


def test_a_machine_that_boots_from_a_volume_is_one_image() -> None:
    cloud = Cloud()
    target = cloud.machine("v1", "v2")
    found = check(cloud, "server.snapshot", target)
    shown = {one.field: one.after for one in found.changes}
    assert found.problem is None and shown["restore point"] == "one image of 2 snapshots, 40 GB"
    assert shown["consistency"].startswith("crash-consistent: the volumes were taken one after another")
    (call,) = cloud.operation("server.snapshot").calls(cloud.context("t1"), target, {})
    image = (call.body or {})["createImage"]
    assert image["metadata"]["description"] == "Made by anna (Quarterdeck)" and "policy" not in image["metadata"]
    assert cloud.operation("server.snapshot").commands is not None


@pytest.mark.parametrize(
    ("properties", "status", "what"),
    [
        ({"hw_qemu_guest_agent": "yes", "os_require_quiesce": "yes"}, "ACTIVE", "quiesced"),
        ({"hw_qemu_guest_agent": "yes"}, "ACTIVE", "crash-consistent"),
        ({}, "SHUTOFF", "group-consistent"),
    ],
)
def test_the_plan_says_what_the_point_will_be(properties: dict[str, str], status: str, what: str) -> None:
    cloud = Cloud()
    target = cloud.machine("v1", "v2", status=status)
    cloud.docs["/volumes/v1"]["volume"]["volume_image_metadata"] = properties
    found = check(cloud, "server.snapshot", target)
    assert {one.field: one.after for one in found.changes}["consistency"].startswith(f"{what}: ")


def test_a_local_disk_is_not_in_it() -> None:
    cloud = Cloud()
    target = cloud.machine("v1", "v2", image={"id": "i0"})
    found = check(cloud, "server.snapshot", target)
    assert any("the local disk of web (10 GB) is not in it" in words for words in found.warnings)
    calls = cloud.operation("server.snapshot").calls(cloud.context("t1"), target, {})
    assert [call.path for call in calls] == ["/snapshots", "/snapshots"]
    assert len({(call.body or {})["snapshot"]["name"] for call in calls}) == 2
    none = check(cloud, "server.snapshot", cloud.machine(image={"id": "i0"}))
    assert "has no volumes" in (none.problem or "")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"status": "PAUSED"}, "is paused"),
        ({"status": "ERROR"}, "is error"),
        ({"OS-EXT-STS:task_state": "image_snapshot"}, "is busy"),
    ],
)
def test_when_nova_makes_no_point(more: dict[str, Any], words: str) -> None:
    cloud = Cloud()
    assert words in (check(cloud, "server.snapshot", cloud.machine("v1", **more)).problem or "")


def test_an_interrupted_step_makes_only_what_is_missing() -> None:
    cloud = Cloud()
    target, context = cloud.machine("v1", "v2", "v3", image={"id": "i0"}), cloud.context("t1", attempt=2)
    operation = cloud.operation("server.snapshot")
    assert operation.made is not None and operation.already is not None
    # An earlier attempt made the second one and died; the audit knows only of an intent.
    cloud.make(operation.calls(context, target, {})[1:2])
    left = [one for one in operation.calls(context, target, {}) if not operation.made(context, target, {}, one)]
    assert [(one.key or KEY)[2] for one in left] == ["v1", "v3"] and not operation.already(context, target, {})
    cloud.make(left)
    assert operation.already(context, target, {})
    assert sorted(one["volume_id"] for one in cloud.snapshots) == ["v1", "v2", "v3"]


# Quotas


def entries(**limits: tuple[int, int]) -> dict[str, Any]:
    return {name: {"limit": limit, "in_use": used, "reserved": 1} for name, (limit, used) in limits.items()}


@pytest.mark.parametrize(
    ("quota", "words"),
    [
        (entries(snapshots=(10, 3), gigabytes=(100, 20)), "shop has then 6 of 10 snapshots and 61 of 100 GB"),
        (entries(snapshots=(-1, 3), gigabytes=(-1, 20)), "shop has then 6 snapshots and 61 GB"),
        (entries(snapshots=(5, 3), gigabytes=(100, 20)), "shop has no room for it: 6 of 5 snapshots: the cloud"),
        (entries(snapshots=(9, 3), gigabytes=(99, 3), gigabytes_ssd=(30, 0)), "41 of 30 GB of type ssd"),
        ("Cinder does not answer", "the quota of shop could not be read"),
    ],
)
def test_what_is_left_of_the_quota_is_told(quota: Any, words: str) -> None:
    cloud = Cloud(quota=quota)
    needs = [Need("east", "r1", "p1", "shop", 20, "ssd"), Need("east", "r1", "p1", "shop", 20, "ssd")]
    (said,) = room(needs, cloud.facts().quotas)
    assert words in said


def test_a_plan_for_many_volumes_has_one_sentence_a_project() -> None:
    cloud = Cloud()
    operation = cloud.operation("volume.snapshot")
    found = [
        (target, operation.check(cloud.context(), target, {})) for target in (cloud.volume("a"), cloud.volume("b"))
    ]
    assert operation.together is not None
    assert operation.together(found, {}) == ["shop has then 5 snapshots and 80 GB"]


# Deleting


def point(cloud: Cloud, id: str, day: int, **more: Any) -> Target:
    doc = {"id": id, "name": f"point-{id}", "status": "available", "volume_id": "v1", "size": 20, "metadata": {},
           "created_at": f"2026-11-{day:02}T02:00:00.000000", **more}  # fmt: skip
    cloud.snapshots.append(doc)
    return Target("snapshot", ("east", "r1", id), doc["name"], "p1", "shop", doc=doc)


def test_what_a_snapshot_is_to_its_volume_is_said_before_it_goes() -> None:
    cloud = Cloud()
    first = point(cloud, "s1", 1)
    assert check(cloud, "snapshot.delete", first).lost == ("the last snapshot of its volume v1",)
    newer = point(cloud, "s2", 2)
    assert "the newest snapshot of its volume v1" in check(cloud, "snapshot.delete", newer).lost[0]
    assert check(cloud, "snapshot.delete", first).lost == ("the state of its volume v1 at 2026-11-01T02:00:00.000000",)
    # What cannot be restored from is no consolation.
    cloud.snapshots[-1]["status"] = "error"
    assert check(cloud, "snapshot.delete", first).lost == ("the last snapshot of its volume v1",)


def test_policies_machines_and_clones_are_told() -> None:
    cloud = Cloud(clones=2)
    target = point(cloud, "s1", 1, metadata={"created_by": "p9_auto_snapshots", "policy": "daily_5"})
    said = " | ".join(check(cloud, "snapshot.delete", target).warnings)
    assert "policy daily_5 made it" in said and "2 volumes were made from" in said
    cloud.points = [Point("east", "r1", "s1", "snapshot", "v1", policy="weekly_4", own=True, group="i1")]
    said = " | ".join(check(cloud, "snapshot.delete", target).warnings)
    assert "what policy weekly_4 made" in said and "part of a machine's point (i1)" in said


@pytest.mark.parametrize(
    ("more", "words"),
    [({"status": "creating"}, "is creating"), ({"group_snapshot_id": "g1"}, "group snapshot of Cinder")],
)
def test_what_is_not_deleted(more: dict[str, Any], words: str) -> None:
    cloud = Cloud()
    assert words in (check(cloud, "snapshot.delete", point(cloud, "s1", 1, **more)).problem or "")


def test_a_snapshot_that_comes_back_is_a_failure() -> None:
    cloud = Cloud(clones=1)
    target, operation = point(cloud, "s1", 1), cloud.operation("snapshot.delete")
    (call,) = operation.calls(cloud.context("t1"), target, {})
    assert (call.method, call.path, call.body) == ("DELETE", "/snapshots/s1", None)
    assert operation.settled is not None
    ended = operation.settled(cloud.context("t1"), target, {})
    assert ended is not None and not ended.ok and "volumes made from it keep it" in ended.detail
    gone = operation.settled(cloud.context("t1"), Target("snapshot", target.key, target.name), {})
    assert gone is not None and gone.ok


def image(cloud: Cloud, *parts: str, **more: Any) -> Target:
    mapping = json.dumps([{"snapshot_id": id} for id in parts])
    doc = {"id": "i1", "name": "night", "size": 0, "visibility": "private", "block_device_mapping": mapping, **more}
    return Target("image", ("east", "r1", "i1"), "night", "p1", "shop", doc=doc)


def test_a_machine_point_goes_with_its_snapshots_which_go_first() -> None:
    cloud = Cloud()
    point(cloud, "s1", 1)
    point(cloud, "s2", 1, **{"os-extended-snapshot-attributes:project_id": "p2"})
    target, operation = image(cloud, "s1", "s2", "s3"), cloud.operation("image.delete")
    found = check(cloud, "image.delete", target)
    assert found.problem is None and found.lost == ("point-s1 (s1), 20 GB",)
    context = cloud.context("t1")
    calls = operation.calls(context, target, {})
    # Another project's snapshot in a tenant's mapping is not touched, and what is gone is not asked for.
    assert [call.path for call in calls] == ["/snapshots/s1", "/images/i1"]
    assert operation.made is not None and operation.settled is not None
    assert [operation.made(context, target, {}, call) for call in calls] == [False, False]
    kept = operation.settled(context, Target("image", target.key, "night"), {})
    assert kept is not None and not kept.ok and "kept 1 of its snapshots" in kept.detail
    operation.calls(context, target, {})
    cloud.snapshots.clear()
    assert [operation.made(context, target, {}, call) for call in calls] == [True, False]
    gone = operation.settled(context, Target("image", target.key, "night"), {})
    assert gone is not None and gone.ok


@pytest.mark.parametrize(
    ("parts", "more", "words"),
    [
        ((), {}, "no point of a volume-booted machine"),
        (("s1",), {"size": 100}, "no point of a volume-booted machine"),
        (("s1",), {"visibility": "public"}, "others may boot from it"),
    ],
)
def test_other_images_are_not_deleted_here(parts: tuple[str, ...], more: dict[str, Any], words: str) -> None:
    cloud = Cloud()
    assert words in (check(cloud, "image.delete", image(cloud, *parts, **more)).problem or "")
