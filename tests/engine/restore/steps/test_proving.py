"""What proves that a machine answers, what proves that it never will, and who is asked about the rest."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.jobs.models import StepResult
from engine.restore.models import Prove
from engine.restore.records import Records
from engine.restore.steps import proving
from tests.engine.restore.steps import scenes_machines as scenes
from tests.engine.restore.steps.scenes_machines import Scene

STEP = "PROVE_IT_ANSWERS"


def _ready(scene: Scene, console: str, **prove: Any) -> Scene:
    """A new machine whose console says that."""
    scene.cloud.console = console
    wanted = Prove(**{"seconds": 3, "answer_minutes": 1, **prove})
    scene.job.plan = replace(scene.job.plan, request=replace(scene.job.plan.request, prove=wanted))
    scene.job.run(*scene.before_commit[:-1])
    return scene


def _proven(result: StepResult) -> tuple[object, object]:
    return result.more["proven"], result.more["by"]


@pytest.mark.parametrize(
    "console",
    ["web login: ", "boot\n[   12.3] cloud-init[812]: Cloud-init v. 22.4 finished at Mon", "\x1b[0;32mlogin:\x1b[0m"],
)
def test_its_console_says_so(records: Records, console: str) -> None:
    scene = _ready(scenes.shelved(records), console)
    assert _proven(scene.job.step(STEP)) == (True, "console")


@pytest.mark.parametrize(
    "console",
    [
        "[ 1.0] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
        "Booting from Hard Disk...\nNo bootable device.",
        "error: no such partition.\ngrub rescue> ",
        "You are in emergency mode. After logging in, type journalctl",
    ],
)
def test_its_console_says_that_it_never_will(records: Records, console: str) -> None:
    scene = _ready(scenes.shelved(records), console)
    assert "does not start: its console says" in scene.job.attempt(STEP)


@pytest.mark.parametrize(
    ("status", "words"),
    [("ERROR", "is in ERROR"), ("SHUTOFF", "has stopped by itself"), ("", "somebody deleted it")],
)
def test_a_machine_that_came_to_nothing(records: Records, status: str, words: str) -> None:
    scene = _ready(scenes.shelved(records), "login:")
    scene.new["status"] = status
    assert words in scene.job.attempt(STEP)


def test_active_alone_proves_nothing_and_nobody_deletes_for_it(records: Records) -> None:
    scene = _ready(scenes.shelved(records), "booting")
    result = scene.job.step(STEP)
    assert _proven(result) == (False, "") and "nobody said" in result.detail
    assert any("?" in one for one in scene.job.told)  # that is how a job asks


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_person_says(records: Records, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = _ready(scenes.shelved(records), "booting")
    monkeypatch.setattr(records, "answer", lambda job: answer)
    before = replace(scene.job.plan)
    scene.job.told.clear()
    if answer == "yes":
        assert _proven(scene.job.step(STEP)) == (True, "person")
    else:
        assert "a person said that web does not answer" in scene.job.attempt(STEP)
        scene.job.run(*scene.undoes)
        assert set(scene.cloud.servers) == {scene.server} and before == scene.job.plan
    assert not any("?" in one for one in scene.job.told), "who said it before was not asked"


def test_what_is_seen_while_a_person_is_asked_counts(records: Records) -> None:
    scene = _ready(scenes.shelved(records), "booting", answer_minutes=60)
    asked: list[str] = []

    def told(text: str) -> None:
        asked.append(text)
        if "?" in text:
            scene.cloud.consoles[scene.new["id"]] = "login:"

    work = scene.job.work(STEP)
    object.__setattr__(work.context, "progress", told)
    assert _proven(proving.prove_it_answers(work)) == (True, "console") and len(asked) == 2


def test_a_machine_beside_asks_nobody(records: Records) -> None:
    scene = _ready(scenes.beside(records), "booting", ask=False)
    assert _proven(scene.job.step(STEP)) == (False, "") and not any("?" in one for one in scene.job.told)


def test_a_machine_without_a_console_is_not_broken(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.engine.restore.steps.cloud_base import refuse

    scene = _ready(scenes.shelved(records), "")

    def none(caller: object, call: object) -> None:
        raise refuse(501, "no console here")

    monkeypatch.setattr(scene.cloud, "ask", none)
    assert _proven(scene.job.step(STEP)) == (False, "")


def test_a_machine_that_was_off_proves_nothing(records: Records) -> None:
    scene = scenes.offloaded(records)
    scene.job.plan = replace(scene.job.plan, way="DATA_VOLUME_BACK")
    result = scene.job.step(STEP)
    assert _proven(result) == (False, "") and "was not running before" in result.detail


# What was chosen decides


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_connection_to_the_floating_ip(records: Records, listening: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def connects(address: str, port: int) -> bool:
        tried.append(address)
        return real("127.0.0.1", port)

    real = proving.connects
    monkeypatch.setattr(proving, "connects", connects)
    scene = _ready(scenes.shelved(records), "booting", tcp_port=listening)
    assert _proven(scene.job.step(STEP)) == (True, "tcp") and tried == ["198.51.100.7"]


def test_nothing_listens(records: Records, listening: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "connects", lambda address, port: False)
    # The console says login:, and yet what was chosen decides.
    scene = _ready(scenes.shelved(records), "login:", tcp_port=listening)
    assert _proven(scene.job.step(STEP)) == (False, "")
    assert not proving.connects("127.0.0.1", 1)


def _command(scene: Scene, *args: str) -> None:
    scene.job.settings.prove_command = args


def test_the_command_is_told_whom_to_ask(records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_PASSWORD", "secret")
    told = tmp_path / "told"
    code = f"import os, json; open({str(told)!r}, 'w').write(json.dumps(dict(os.environ)))"
    scene = _ready(scenes.shelved(records), "booting", command=True)
    _command(scene, sys.executable, "-c", code)
    assert _proven(scene.job.step(STEP)) == (True, "command")
    import json

    env = json.loads(told.read_text())
    assert env["QDECK_SERVER"] == scene.new["id"] and env["QDECK_NAME"] == "web"
    assert env["QDECK_FLOATING_IPS"] == "198.51.100.7" and "10.0.0.5" in env["QDECK_FIXED_IPS"].split()
    assert "OS_PASSWORD" not in env


def test_a_command_that_says_no(records: Records) -> None:
    scene = _ready(scenes.shelved(records), "login:", command=True, seconds=1, answer_minutes=0)
    _command(scene, sys.executable, "-c", "raise SystemExit(1)")
    assert _proven(scene.job.step(STEP)) == (False, "")


def test_a_command_that_hangs_is_killed_with_all_it_began(
    records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proving, "COMMAND_SECONDS", 0.5)
    child = tmp_path / "child"
    code = (
        "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        f"open({str(child)!r}, 'w').write(str(p.pid)); time.sleep(60)"
    )
    scene = _ready(scenes.shelved(records), "booting", command=True)
    _command(scene, sys.executable, "-c", code)
    began = time.monotonic()
    work = scene.job.work(STEP)
    while not child.exists():
        assert proving.runs(work, scene.new["id"], []) is False
    assert time.monotonic() - began < 30
    stat = Path(f"/proc/{child.read_text()}/stat")
    deadline = time.monotonic() + 5
    while stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z":
        assert time.monotonic() < deadline, "what the command began still runs"


def test_a_command_that_is_not_there(records: Records) -> None:
    scene = _ready(scenes.shelved(records), "booting", command=True)
    _command(scene, "/nonexistent/prove")
    assert "restore.prove_command cannot be run" in scene.job.attempt(STEP)
