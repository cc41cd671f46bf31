"""`qdeck drift` against a demo engine: what our own job did, and what people decide on it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.tui.cli.test_commands import Deck, small_demo

PATIENCE = 60.0  # seconds for a listing to be taken in


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    """A small demo without a past."""
    with small_demo(tmp_path_factory.mktemp("drift")) as running:
        yield running


def run(deck: Deck, *words: str) -> subprocess.CompletedProcess[str]:
    """`qdeck --demo WORDS` on the running demo."""
    return deck("--demo", *words, demo=False)


def events(deck: Deck, *words: str) -> list[dict[str, Any]]:
    done = run(deck, "drift", *words, "-o", "json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def stopped(deck: Deck) -> list[dict[str, Any]]:
    """Events of a machine that a job of ours stopped."""
    assert events(deck, "--all") == [], "the first listing is what later ones are compared with"
    for row in json.loads(run(deck, "ls", "servers", "status:active", "locked:no", "-o", "json").stdout):
        done = run(deck, "server", "stop", row["id"], "--yes", "--reason", "test", "--wait")
        if done.returncode == 0:
            break
    else:
        pytest.fail("no machine could be stopped")
    deadline = time.monotonic() + PATIENCE
    # What our own job did is expected at once; who did it is asked of the cloud a moment later.
    while not (found := events(deck, "-f", f"state:expected grade:certain id:={row['id']}")):
        assert time.monotonic() < deadline, run(deck, "drift", "--all").stdout
        run(deck, "collect", "--wait", "--type", "server")
    return found


def test_what_our_own_job_did_is_expected_and_certain(deck: Deck, stopped: list[dict[str, Any]]) -> None:
    assert {item["field_changed"] for item in stopped} == {"status", "vm_state"}
    for item in stopped:
        assert (item["grade"], item["expected"], item["state"]) == ("certain", True, "expected")
        assert item["job"] and item["actor"] and item["request_id"].startswith("req-")
    assert events(deck) == []
    check = run(deck, "drift", "--check")
    assert (check.returncode, check.stdout.startswith("OK - ")) == (0, True)
    shown = run(deck, "drift", "show", str(stopped[0]["id"]))
    assert "certain: the request is in this console's own audit" in shown.stdout


def test_decisions_reach_the_engine(deck: Deck, stopped: list[dict[str, Any]]) -> None:
    id = stopped[0]["id"]
    done = run(deck, "drift", "ack", str(id), "404", "--note", "known", "--until", "1h")
    assert done.returncode == 6 and "acknowledged 1" in done.stderr
    (item,) = events(deck, "-f", "state:acknowledged")
    assert (item["id"], item["acknowledge_note"]) == (id, "known") and item["acknowledged_until"]
    assert "1 no longer acknowledged" in run(deck, "drift", "unack", str(id)).stderr
    assert events(deck, "-f", "state:acknowledged") == []
    assert "is off" in run(deck, "drift", "rule", "2", "--off").stderr
    assert run(deck, "drift", "rule", "2", "--on").returncode == 0
    assert run(deck, "drift", "ignore", "--reason", "x").returncode == 2
    made = json.loads(run(deck, "drift", "ignore", "--type", "server", "--reason", "x", "-o", "json").stdout)
    assert run(deck, "drift", "ignores", "--remove", made["id"]).returncode == 0
    window = json.loads(run(deck, "drift", "window", "--until", "1h", "--reason", "disks", "-o", "json").stdout)
    assert window["active"] is True
    assert run(deck, "drift", "windows", "--end", window["id"]).returncode == 0
