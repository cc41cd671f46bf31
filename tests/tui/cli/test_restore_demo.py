"""`qdeck restore` as a user has it: a process per command, against a demo cloud that is really changed."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.tui.cli.test_commands import QDECK, Deck

MACHINE = "media-tools-app-01"  # of this demo: stopped, with a data disk that has restore points


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    """A small demo without a past."""
    deck = Deck(tmp_path_factory.mktemp("restore"))
    try:
        done = deck("--demo", "--servers", "40", "--past", "0", "collect", "--wait", demo=False)
        assert done.returncode in (0, 6), done.stderr
        yield deck
    finally:
        deck("--demo", "engine", "stop", demo=False)


def run(deck: Deck, *words: str) -> subprocess.CompletedProcess[str]:
    return deck("--demo", "restore", *words, demo=False)


def planned(deck: Deck, *words: str) -> str:
    """Id of a plan that can be carried out."""
    done = run(deck, "plan", MACHINE, *words, "-o", "json")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return str(found["id"])


def test_a_disk_comes_back_beside_the_machine_and_goes_again(deck: Deck) -> None:
    shown = run(deck, "start", MACHINE)
    assert shown.returncode == 0 and "DISK_BESIDE" in shown.stdout, shown.stderr
    id = planned(deck, "--way", "disk-beside", "--volume", "data-1", "--helper", "none", "--keep-days", "2")
    silent = run(deck, "execute", id)
    assert silent.returncode == 2 and "--yes" in silent.stderr
    done = run(deck, "execute", id, "--yes", "--watch")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCEEDED FINALIZE" in done.stdout and "restore 1 succeeded" in done.stderr
    assert run(deck, "execute", id, "--yes").returncode == 2, "a plan is carried out once"
    (kept,) = json.loads(run(deck, "kept", "-o", "json").stdout)
    assert run(deck, "kept", "extend", kept["id"], "1").returncode == 0
    assert run(deck, "kept", "remove", kept["id"], "--typed", "other").returncode == 2
    assert run(deck, "kept", "remove", kept["id"], "--typed", kept["typed"]).returncode == 0
    assert json.loads(run(deck, "kept", "-o", "json").stdout) == []


def test_an_interrupted_watch_leaves_the_restore_running(deck: Deck) -> None:
    id = planned(deck, "--way", "data-volume-back", "--volume", "vdb")
    command = [str(QDECK), "--demo", "restore", "execute", id, "--yes", "--watch"]
    watching = subprocess.Popen(
        command, env=deck.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert watching.stdout is not None
    for line in watching.stdout:
        if "SUCCEEDED" in line:
            break
    watching.send_signal(signal.SIGINT)
    told = watching.communicate(timeout=60)[1]
    assert watching.returncode not in (0, 1) and "goes on" in told
    done = run(deck, "watch", id)
    assert done.returncode == 0 and "the old disk is kept" in done.stderr, done.stderr


def test_what_cannot_be_is_told_and_ends_with_2(deck: Deck) -> None:
    done = run(deck, "plan", MACHINE, "--way", "in-place")
    assert done.returncode == 2 and "it can NOT be carried out" in done.stdout
    assert run(deck, "plan", "no-such-machine").returncode == 4
    assert run(deck, "watch", "99").returncode == 4
    assert run(deck, "addresses", "media-tools-app").returncode == 0
