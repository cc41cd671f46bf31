"""What is said of the old machine while it is restored and afterwards, and how steps are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.restore import rules, telling
from engine.restore.models import PlannedStep, Way
from store import times
from tests.engine.restore.small_cloud import NOW, plan

KEPT = {"kind": "machine", "state": "kept", "until": NOW + timedelta(days=7)}
REPLACE = ("PRESERVE_OLD_VOLUMES", "STOP_OLD_MACHINE", "PARK_OLD_MACHINE", "PROVE_IT_ANSWERS", "DELETE_OLD_MACHINE")


def job(state: str, commit: str = "PROVE_IT_ANSWERS", **steps: str) -> dict[str, Any]:
    """A job in that state; steps that are not named are pending. UNDO steps are of the phase undo."""
    rows = [
        {
            "name": name,
            "state": its,
            "phase": "undo" if name.startswith("UNDO") else "do",
            "detail": "the cloud said no",
        }
        for name, its in steps.items()
    ]
    return {"number": 7, "state": state, "detail": "so", "plan": {"commit": commit}, "steps": rows, "can": []}


CASES: list[tuple[Way, dict[str, Any] | None, Any, str]] = [
    ("REPLACE", None, (), "web-1 is not touched by a plan"),
    ("NEW", job("running", CREATE_SERVER="running"), (), "web-1 goes on as it is"),
    ("NEW", job("failed", CREATE_SERVER="failed"), (), "web-1 goes on as it is"),
    ("DISK_BESIDE", job("done", "FINALIZE", ATTACH_VOLUME="done"), (), "web-1 goes on as it is, with a further disk"),
    ("REPLACE", job("running", CREATE_VOLUME_FROM_SNAPSHOT="running"), (), "web-1 is as it was"),
    ("REPLACE", job("running", STOP_OLD_MACHINE="running"), (), "web-1 is being stopped"),
    ("REPLACE", job("running", STOP_OLD_MACHINE="done", PARK_OLD_MACHINE="done"), (), "web-1 is parked (shelve)"),
    ("REPLACE", job("running", PARK_OLD_MACHINE="done", UNDO_PARK="running"), (), "web-1 is being put back"),
    ("REPLACE", job("failed", PARK_OLD_MACHINE="done", UNDO_PARK="done"), (), "web-1 is back as it was"),
    ("REPLACE", job("cancelled", PARK_OLD_MACHINE="done"), (), "web-1 was left in the middle"),
    ("REPLACE", job("failed", PARK_OLD_MACHINE="done", UNDO_PARK="failed"), (), "UNDO_PARK failed: the cloud said no"),
    ("REPLACE", job("done", PARK_OLD_MACHINE="done", PROVE_IT_ANSWERS="done"), (KEPT,), "is kept until 2026-03-08"),
    ("REPLACE", job("done", PROVE_IT_ANSWERS="done", DELETE_OLD_MACHINE="done"), (), "the old web-1 is deleted"),
    ("REPLACE", job("partial", PROVE_IT_ANSWERS="done", KEEP_OLD_MACHINE="failed"), (), "is still there"),
    ("IN_PLACE", job("running", REBUILD_SERVER="running"), (), "its safety copy brings the old one back"),
    ("IN_PLACE", job("done", REBUILD_SERVER="done", PROVE_IT_ANSWERS="done"), (), "is the same machine"),
    ("DATA_VOLUME_BACK", job("running", DETACH_CURRENT_VOLUME="done"), (), "a disk of web-1 is being exchanged"),
]  # fmt: skip


@pytest.mark.parametrize(("way", "its", "kept", "said"), CASES)
def test_the_old_machine_in_one_sentence(way: Way, its: Any, kept: Any, said: str) -> None:
    assert said in telling.old_machine(plan(way, park="shelve"), its, kept)


def test_steps_have_their_times_and_those_of_others() -> None:
    began, ended = times.text(NOW), times.text(NOW + timedelta(seconds=4.25))
    done = {"name": "A", "state": "done", "phase": "do", "started_at": began, "ended_at": ended, "attempt": 1}
    running = {"name": "B", "state": "running", "phase": "do", "started_at": began, "progress": "waits", "attempt": 2}
    rows = [done, running, {"name": "C", "state": "pending", "phase": "undo"}]
    told = telling.steps(plan(), {"state": "running", "steps": rows}, {"A": 3.0}, NOW + timedelta(seconds=9))
    assert [(one["step_order"], one["status"], one["seconds"], one["usual_seconds"]) for one in told] == [
        (1, "SUCCEEDED", 4.2, 3.0), (2, "RUNNING", 9.0, None), (3, "PENDING", None, None),
    ]  # fmt: skip
    assert (told[1]["progress"], told[1]["attempt"]) == ("waits", 2)
    over = telling.steps(plan(), {"state": "failed", "steps": rows[2:]}, {}, NOW)
    assert over[0]["status"] == "SKIPPED"


def test_a_job_asks_only_while_its_step_runs_and_asks() -> None:
    row = {"name": rules.ASKS, "state": "running", "phase": "do", "progress": "waits up to 300 s"}
    its = {"state": "running", "steps": [row]}
    assert telling.question(its, plan()) is None
    row["progress"] = "does web-1 answer? say yes or no"
    assert telling.question(its, plan()) == row["progress"]
    assert telling.question({**its, "state": "failed"}, plan()) is None
    assert telling.question(None, plan()) is None


@pytest.mark.parametrize("way", ["NEW", "REPLACE", "IN_PLACE", "DISK_BESIDE", "DATA_VOLUME_BACK"])
def test_every_way_has_a_title(way: Way) -> None:
    assert "web-1" in rules.title(plan(way, steps=(PlannedStep("X"),)))
