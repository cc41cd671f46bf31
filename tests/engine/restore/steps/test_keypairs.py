"""Key pairs are there for the moment of the boot, and never anybody else's."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from engine.restore.records import Records
from engine.restore.steps import keypairs
from tests.engine.restore.steps import scenes_machines as scenes
from tests.engine.restore.steps.cloud_base import CLOUD
from tests.engine.restore.steps.cloud_machines import USERS_KEY
from tests.engine.restore.steps.scenes_machines import Scene


def _boot(scene: Scene) -> dict[str, Any]:
    """Everything up to the boot; what Nova was asked for, and what the step says."""
    steps = scene.does[: scene.does.index("WAIT_SERVER_ACTIVE")]
    result = scene.job.run(*steps)["CREATE_SERVER"]
    return {**scene.cloud.boots[0], "said": result.detail}


def _own(scene: Scene, public: str = USERS_KEY) -> None:
    scene.cloud.keypairs["engine-user"] = {"mykey": {"name": "mykey", "public_key": public}}


def test_it_is_imported_and_gone_again(records: Records) -> None:
    scene = scenes.beside(records)
    assert _boot(scene)["key_name"] == "mykey"
    assert scene.cloud.keypairs["engine-user"] == {} and ("keypair", "removed") in scene.rows()


def test_the_same_key_of_the_acting_user_is_used_and_stays(records: Records) -> None:
    scene = scenes.beside(records)
    _own(scene)
    assert _boot(scene)["key_name"] == "mykey"
    assert "mykey" in scene.cloud.keypairs["engine-user"] and not any("keypair" in one for one in scene.cloud.sent)


def test_another_key_of_that_name_is_never_used(records: Records) -> None:
    scene = scenes.beside(records)
    _own(scene, "ssh-ed25519 BBBB somebody else")
    boot = _boot(scene)
    assert "key_name" not in boot and "has another key pair called mykey" in boot["said"]
    assert scene.cloud.keypairs["engine-user"]["mykey"]["public_key"].endswith("somebody else")


def test_one_that_is_only_there_for_another_job_is_waited_for(records: Records) -> None:
    scene = scenes.beside(records)
    _own(scene, "ssh-ed25519 BBBB another job")
    slept = scene.job._sleep

    def sleep(seconds: float) -> None:
        slept(seconds)
        scene.cloud.keypairs["engine-user"].clear()

    scene.job._sleep = sleep  # type: ignore[method-assign]
    assert _boot(scene)["key_name"] == "mykey"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"key_name": ""}, ""),
        ({"user_id": "engine-user"}, "is gone, so the machine has none"),
        ({"key_name": "my key"}, "cannot be asked for"),
        ({"user_id": "a user who is gone"}, "cannot be read any more"),
    ],
)
def test_machines_without(records: Records, change: dict[str, str], words: str) -> None:
    scene = scenes.beside(records)
    scene.job.plan = replace(scene.job.plan, machine=replace(scene.job.plan.machine, **change))
    boot = _boot(scene)
    assert "key_name" not in boot and words in boot["said"]


def test_the_acting_users_own_machine(records: Records) -> None:
    scene = scenes.beside(records)
    _own(scene)
    scene.job.plan = replace(scene.job.plan, machine=replace(scene.job.plan.machine, user_id="engine-user"))
    assert _boot(scene)["key_name"] == "mykey" and "mykey" in scene.cloud.keypairs["engine-user"]


def test_an_import_that_is_refused_is_no_reason_to_fail(records: Records) -> None:
    scene = scenes.beside(records)
    scene.cloud.fault("403", "POST compute/os-keypairs")
    boot = _boot(scene)
    assert "key_name" not in boot and "could not be imported" in boot["said"]


def test_two_jobs_have_it_one_after_the_other(records: Records) -> None:
    scene = scenes.beside(records)
    work = scene.job.work("CREATE_SERVER")
    lock = work.kit.key_lock(CLOUD, "engine-user", "mykey")
    entered = threading.Event()

    def other() -> None:
        with keypairs.borrowed(work):
            entered.set()

    with lock:
        thread = threading.Thread(target=other)
        thread.start()
        assert not entered.wait(0.3)
    thread.join(10)
    assert entered.is_set() and not lock.locked()
