"""Changes from the command line against a demo engine: plan, confirmation, results, jobs, exit codes."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import subprocess
import termios
import time
from collections.abc import Iterator
from typing import Any

import pytest

from engine.demo.launch import call
from tests.tui.cli.test_commands import QDECK, Deck


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    """A small demo without a past."""
    deck = Deck(tmp_path_factory.mktemp("changes"))
    deck.environment["QDECK_HOME"] = str(deck.home / "deck")
    try:
        done = deck("--demo", "--servers", "25", "--past", "0", "collect", "--wait", demo=False)
        assert done.returncode in (0, 6), done.stderr
        yield deck
    finally:
        deck("--demo", "engine", "stop", demo=False)


def run(deck: Deck, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return deck("--demo", *words, demo=False, stdin=stdin)


def rows(deck: Deck, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(deck, "ls", *words, "-o", "json").stdout)
    return found


def startable(deck: Deck, count: int) -> list[str]:
    """Ids of running machines that a plan would stop."""
    ids = [row["id"] for row in rows(deck, "servers", "status:=ACTIVE", "locked:no")]
    plan = json.loads(run(deck, "server", "stop", *ids, "--dry-run", "-o", "json").stdout)
    good = [item["key"][2] for item in plan["items"] if item["ok"]]
    assert len(good) >= count
    return good[:count]


def test_machines_are_stopped_one_by_one_and_told_about(deck: Deck) -> None:
    one, two = startable(deck, 2)
    shown = run(deck, "server", "stop", one, "--dry-run")
    assert shown.returncode == 0
    assert "ACTIVE -> SHUTOFF" in shown.stdout and f"$ openstack --os-cloud demo server stop {one}" in shown.stderr
    # Nobody at the terminal, and no word: nothing.
    silent = run(deck, "server", "stop", one)
    assert silent.returncode == 2 and "--yes" in silent.stderr and silent.stdout == ""
    done = run(deck, "server", "stop", one, two, "--yes", "--reason", "why", "--ticket", "CHG1", "-o", "json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert {row["id"]: (row["state"], row["detail"]) for row in answer["results"]} == {
        one: ("done", "stopped"),
        two: ("done", "stopped"),
    }
    assert all(row["request_id"].startswith("req-") for row in answer["results"])
    assert (answer["job"]["reason"], answer["job"]["ticket"]) == ("why", "CHG1")
    # One is off already, the other is not there: partly done, and said so.
    assert run(deck, "server", "start", one, "--yes").returncode == 0
    mixed = run(deck, "server", "start", one, two, "-y")
    assert mixed.returncode == 6
    assert "is already running" in mixed.stdout and "refused" in mixed.stdout
    none = run(deck, "server", "start", one, two, "-y")
    assert none.returncode == 1 and "every one of them is refused" in none.stderr
    assert run(deck, "server", "start", "no-such-machine", "-y").returncode == 4


def test_names_come_from_stdin_and_by_filter(deck: Deck) -> None:
    one, two = startable(deck, 2)
    plan = run(deck, "do", "server.lock", "-", "--dry-run", "-o", "json", stdin=f"{one}\n{two}\n")
    assert {item["key"][2] for item in json.loads(plan.stdout)["items"]} == {one, two}
    words = ["--filter", f"id:={one},={two}", "--option", "reason=freeze"]
    done = run(deck, "do", "server.lock", *words, "--yes")
    assert done.returncode == 0 and done.stdout.count("locked") == 2
    # A lock is passed alone, with its name typed.
    refused = run(deck, "server", "stop", one, "--yes")
    assert refused.returncode == 1 and "is locked: freeze" in refused.stderr and "--pass-lock" in refused.stderr
    name = next(row["name"] for row in rows(deck, "servers", f"id:={one}"))
    wrong = run(deck, "server", "stop", one, "--pass-lock", "--yes-typed", "other")
    assert wrong.returncode == 2
    assert run(deck, "server", "stop", one, "--pass-lock", "--yes-typed", name).returncode == 0
    assert run(deck, "server", "unlock", one, two, "--yes").returncode == 0
    assert run(deck, "server", "start", one, "--yes").returncode == 0


def test_what_is_made_is_destroyed_with_its_name_typed(deck: Deck) -> None:
    project = rows(deck, "projects")[0]["name"]
    made = run(deck, "network", "create", "web", "--project", project, "--mtu", "1400", "--yes", "-o", "json")
    assert made.returncode == 0, made.stderr
    (result,) = json.loads(made.stdout)["results"]
    until_listed(deck, [result["id"]])
    silent = run(deck, "network", "delete", result["id"], "--yes")
    assert silent.returncode == 2 and '--yes-typed "web"' in silent.stderr
    assert run(deck, "network", "delete", result["id"], "--yes-typed", "wab").returncode == 2
    gone = run(deck, "network", "delete", result["id"], "--yes-typed", "web")
    assert gone.returncode == 0 and "deleted" in gone.stdout
    assert run(deck, "flavor", "create", "x", "--vcpus", "0", "--ram", "1").returncode == 2
    assert run(deck, "security-group", "create", "x", "--project", "nope", "--yes").returncode == 2


def test_jobs_are_listed_shown_and_retried(deck: Deck) -> None:
    (one,) = startable(deck, 1)
    begun = run(deck, "server", "reboot", one, "--type", "hard", "--yes", "--no-wait", "-o", "json")
    assert begun.returncode == 0
    job = json.loads(begun.stdout)
    for _ in range(100):
        shown = json.loads(run(deck, "jobs", str(job["number"]), "-o", "json").stdout)
        if shown["ended_at"]:
            break
    assert (shown["state"], shown["steps"][0]["detail"]) == ("done", "rebooted")
    listed = run(deck, "jobs")
    assert listed.returncode == 0 and shown["title"][:20] in listed.stdout
    assert "rebooted" in run(deck, "jobs", job["id"]).stdout
    assert run(deck, "jobs", str(job["number"]), "retry").returncode == 1
    assert run(deck, "jobs", str(job["number"]), "cancel").returncode == 1
    assert run(deck, "jobs", "99999").returncode == 4
    assert json.loads(run(deck, "jobs", "--state", "failed", "-o", "json").stdout) == []


def test_writes_and_actions(deck: Deck) -> None:
    (item,) = json.loads(run(deck, "writes", "-o", "json").stdout)
    assert (item["cloud"], item["writable"], item["demo"]) == ("demo", True, True)
    assert "always writable" in run(deck, "writes").stdout
    assert "no read-only mode" in run(deck, "writes", "lift", "demo", "--minutes", "5").stderr
    assert "no read-only mode" in run(deck, "writes", "end", "demo").stderr
    assert run(deck, "writes", "lift", "nope").returncode == 4
    listed = run(deck, "actions", "servers")
    assert listed.returncode == 0 and "server.rename" in listed.stdout and "network.create" not in listed.stdout
    assert {one["id"] for one in json.loads(run(deck, "actions", "-o", "json").stdout)} >= {"flavor.delete"}


def test_a_name_that_means_several_or_none(deck: Deck) -> None:
    projects = [row["name"] for row in rows(deck, "projects")][:2]
    made = []
    for name in projects:
        done = run(deck, "network", "create", "twin", "--project", name, "--yes", "-o", "json")
        (result,) = json.loads(done.stdout)["results"]
        assert result["project"] == name
        made.append(result["id"])
    until_listed(deck, made)
    several = run(deck, "network", "delete", "twin", "--yes-typed", "twin")
    assert several.returncode == 1 and "2 networks; say which by its id" in several.stderr
    told = [line for line in several.stderr.splitlines() if "RegionOne" in line]
    assert {(line.split()[3], line.split()[-1]) for line in told} == set(zip(made, projects, strict=True))
    none = run(deck, "network", "delete", "twi", "--yes-typed", "twi")
    assert none.returncode == 4 and '"twi" (twin?); `qdeck find twi` looks everywhere' in none.stderr
    assert "server.start" in run(deck, "do", "server.strat", "x").stderr
    both = run(deck, "network", "delete", *made, "--yes-typed", "DELETE 2 NETWORKS")
    assert both.returncode == 0 and both.stdout.count("deleted") == 2


def until_listed(deck: Deck, ids: list[str]) -> None:
    """Wait until the engine has read what was made."""
    for _ in range(50):
        if len(rows(deck, "networks", f"id:={',='.join(ids)}")) == len(ids):
            return
        time.sleep(0.2)
    raise AssertionError(f"{ids} were not collected")


def at_a_terminal(deck: Deck, words: list[str], question: str, answer: bytes) -> tuple[int, str]:
    """(exit code, everything shown) of a command on a terminal of its own, which is given one answer."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [str(QDECK), "--demo", *words], env=deck.environment, stdin=slave, stdout=slave, stderr=slave,
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(slave)
    seen, sent, deadline = "", False, time.monotonic() + 60
    while time.monotonic() < deadline:
        ready, _, _ = select.select([master], [], [], 0.5)
        try:
            seen += os.read(master, 65536).decode() if ready else ""
        except OSError:
            break
        if question in seen and not sent:
            os.write(master, answer)
            sent = True
        if not ready and process.poll() is not None:
            break
    os.close(master)
    return process.wait(10), seen


@pytest.mark.parametrize(("answer", "code", "words"), [("y", 0, "rebooted"), ("", 1, "nothing is done")])
def test_a_person_is_asked(deck: Deck, answer: str, code: int, words: str) -> None:
    (one,) = startable(deck, 1)
    ended, seen = at_a_terminal(deck, ["server", "reboot", one], "[y/N]", f"{answer}\n".encode())
    assert (ended, words in seen) == (code, True), seen


def test_who_interrupts_only_stops_watching(deck: Deck) -> None:
    (one,) = startable(deck, 1)
    switches = deck.home / "deck" / "demo" / "cloud" / "control.sock"
    words = ["server", "reboot", one, "--type", "hard", "--yes"]
    # A cloud that answers slowly: the job is not over before the key has come through.
    call(switches, "POST", "/latency", {"ms": 1000})
    try:
        ended, seen = at_a_terminal(deck, words, "0 of 1 done", b"\x03")
    finally:
        call(switches, "POST", "/latency", {"ms": 0})
    assert ended == 130, seen
    (number,) = re.findall(r"job (\d+) goes on", seen)
    followed = run(deck, "jobs", number, "follow")
    assert followed.returncode == 0 and "rebooted" in followed.stdout
