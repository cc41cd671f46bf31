"""The new machine: what Nova is asked for, what an older one does not know, and what is checked when it runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.restore.models import JOB, MARK
from engine.restore.records import Records
from store.redact import HIDDEN
from tests.engine.restore.steps import scenes_machines as scenes
from tests.engine.restore.steps.scenes_machines import Scene


def _until(scene: Scene, name: str) -> Scene:
    """Everything before that step."""
    scene.job.run(*scene.does[: scene.does.index(name)])
    return scene


def _change(scene: Scene, **more: Any) -> None:
    scene.job.plan = replace(scene.job.plan, machine=replace(scene.job.plan.machine, **more))


def test_it_is_what_the_old_one_was(records: Records) -> None:
    scene = _until(scenes.shelved(records), "WAIT_SERVER_ACTIVE")
    (boot,) = scene.cloud.boots
    wanted = {"name": "web", "flavorRef": "f1", "hostname": "web-host", "description": "the shop", "tags": ["prod"],
              "key_name": "mykey", "hints": {"group": "group-1"}}  # fmt: skip
    assert {name: boot[name] for name in wanted} == wanted
    assert "availability_zone" not in boot and "user_data" not in boot and "imageRef" not in boot
    assert boot["metadata"] == {"role": "web", MARK: f"{scene.job.tokens['CREATE_SERVER']}-server",
                                JOB: scene.job.plan.id}  # fmt: skip
    root, db, logs = boot["block_device_mapping_v2"]
    assert [one["boot_index"] for one in (root, db, logs)] == [0, -1, -1]
    assert scene.cloud.contents[root["uuid"]] == "web-root then" and scene.cloud.contents[logs["uuid"]] == "logs then"
    kept = next(one for one in scene.job.plan.disks if one.choice == "keep_current")
    assert (db["uuid"], db["tag"]) == (kept.volume_id, "database")
    # A roll-back must never take a disk of the old machine with it.
    assert not any(one["delete_on_termination"] for one in (root, db, logs))
    assert [scene.cloud.ports[one["port"]]["network_id"] for one in boot["networks"]] == ["net-a", "net-b"]


def test_one_that_boots_from_an_image(records: Records) -> None:
    scene = _until(scenes.stopped(records), "WAIT_SERVER_ACTIVE")
    (boot,) = scene.cloud.boots
    image = scene.job.plan.root_image
    assert boot["imageRef"] == image
    first, *rest = boot["block_device_mapping_v2"]
    assert (first["source_type"], first["uuid"], first["boot_index"]) == ("image", image, 0)
    assert [one["boot_index"] for one in rest] == [-1, -1]


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"pinned_zone": "az9"}, {"availability_zone": "az9"}),
        ({"config_drive": True}, {"config_drive": True}),
        ({"metadata": {"role": "web", "db_password": HIDDEN}}, {}),
        ({"group_id": ""}, {"hints": None}),
    ],
    ids=str,
)
def test_what_is_peculiar(records: Records, change: dict[str, Any], wanted: dict[str, Any]) -> None:
    scene = scenes.beside(records)
    _change(scene, **change)
    _until(scene, "WAIT_SERVER_ACTIVE")
    (boot,) = scene.cloud.boots
    assert {name: boot[name] for name in wanted} == wanted
    assert HIDDEN not in boot["metadata"].values()


def test_user_data_goes_over_only_when_it_was_asked_for(records: Records) -> None:
    scene = scenes.beside(records)
    _change(scene, user_data_bytes=5)
    request = replace(scene.job.plan.request, user_data=True)
    scene.job.plan = replace(scene.job.plan, request=request)
    _until(scene, "CREATE_SERVER")
    assert "user data is to be kept, and cannot be read" in scene.job.attempt("CREATE_SERVER")
    scene.cloud.user_datas[scene.server] = "aGVsbG8="
    result = scene.job.step("CREATE_SERVER")
    assert scene.cloud.boots[0]["user_data"] == "aGVsbG8="
    # It is in no record and no result.
    assert "aGVsbG8=" not in str((result, records.of_job(scene.job.plan.id), scene.job.told))


@pytest.mark.parametrize("unknown", [("hostname",), ("tags",), ("tag",), ("hostname", "tags", "description", "tag")])
def test_what_an_older_cloud_does_not_know_is_left_out_and_said(records: Records, unknown: tuple[str, ...]) -> None:
    scene = scenes.shelved(records)
    scene.cloud.unknown = unknown
    result = scene.job.run(*scene.does[: scene.does.index("WAIT_SERVER_ACTIVE")])["CREATE_SERVER"]
    (boot,) = scene.cloud.boots
    assert not set(unknown) & (set(boot) | {name for one in boot["block_device_mapping_v2"] for name in one})
    assert sorted(result.more["differs"]) == sorted(f"this cloud does not take a {name}" for name in unknown)


def test_any_other_refusal_is_the_clouds_own_words(records: Records) -> None:
    scene = _until(scenes.shelved(records), "CREATE_SERVER")
    scene.cloud.fault("403", "POST compute/servers server")
    assert "403" in scene.job.attempt("CREATE_SERVER") and not scene.cloud.boots
    assert ("server", "removed") in scene.rows()


@pytest.mark.parametrize("what", ["boot", "room"])
def test_error_says_why_and_the_old_machine_is_back(records: Records, what: str) -> None:
    scene = scenes.shelved(records)
    before = scene.old()
    if what == "boot":
        scene.cloud.fails.add("boot")
    else:
        scene.cloud.room = 0
    _until(scene, "WAIT_SERVER_ACTIVE")
    assert "into ERROR: No valid host was found." in scene.job.attempt("WAIT_SERVER_ACTIVE")
    scene.cloud.room = None
    scene.job.run(*scene.undoes)
    assert scene.old() == before and set(scene.cloud.servers) == {scene.server}


def _lose_disk(scene: Scene) -> None:
    scene.cloud.attachments[scene.new["id"]].pop()


def _more_disk(scene: Scene) -> None:
    rows = scene.cloud.attachments[scene.new["id"]]
    rows.append({**rows[0], "volumeId": "theirs"})


def _lose_port(scene: Scene) -> None:
    scene.cloud.ports_of(scene.new["id"])[0]["device_id"] = ""


def _gone(scene: Scene) -> None:
    del scene.cloud.servers[scene.new["id"]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_lose_disk, "runs without the volume"),
        (_more_disk, "has the volume theirs, which nobody asked for"),
        (_lose_port, "runs without its port on net-a"),
        (_gone, "somebody deleted it while it was built"),
    ],
)
def test_what_runs_is_compared_with_what_was_asked_for(records: Records, change: Any, words: str) -> None:
    scene = _until(scenes.shelved(records), "WAIT_SERVER_ACTIVE")
    scene.cloud.settle()
    change(scene)
    assert words in scene.job.attempt("WAIT_SERVER_ACTIVE")


def test_volumes_go_with_it_as_before_only_once_it_is_proven(records: Records) -> None:
    scene = scenes.shelved(records)
    scene.job.run(*scene.before_commit)
    ends = scene.cloud.attachments[scene.new["id"]]
    assert not any(one["delete_on_termination"] for one in ends)
    scene.job.run("FINALIZE")
    assert [one["delete_on_termination"] for one in ends] == [False, True, False]


def test_a_retry_without_its_ports_or_volumes_says_so(records: Records) -> None:
    scene = scenes.shelved(records)
    assert "the new port on net-a is not there" in scene.job.attempt("CREATE_SERVER")
    assert "is not there any more: retry" in scene.job.attempt("WAIT_SERVER_ACTIVE")
