"""Problems of restores: what asks a person comes first, and what was mended is silent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.dashboard.problems_restores import Facts, judge
from store import times

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def restore(**more: Any) -> dict[str, Any]:
    """A restore that has succeeded, as lists have it."""
    return {
        "id": "j1", "number": 7, "vm_name": "web-1", "vm_id": "m1", "cloud": "lab", "region": "one", "project_id": "p1",
        "project_name": "shop", "status": "SUCCEEDED", "incomplete": False, "asks": None, "old_machine": None,
        "retried": False, "detail": "11 of 11 done", "finished_at": times.text(NOW - timedelta(hours=1)), **more,
    }  # fmt: skip


def kept(**more: Any) -> dict[str, Any]:
    return {
        "id": "k1", "kind": "machine", "name": "web-1-old-7", "resource_id": "m1", "cloud": "lab", "region": "one",
        "project_id": "p1", "project_name": "shop", "until": times.text(NOW), "over": False, "problem": "", **more,
    }  # fmt: skip


def rules(facts: Facts) -> list[tuple[str, str]]:
    return [(problem.rule, problem.severity) for problem in judge(facts, NOW)]


def test_what_went_well_is_no_problem() -> None:
    assert rules(Facts([restore()], [kept()], {})) == []


@pytest.mark.parametrize(
    ("more", "rule", "severity", "said"),
    [
        ({"asks": "does it answer?", "status": "RUNNING", "finished_at": None}, "restore_asks", "critical", "does it"),
        ({"status": "INTERRUPTED", "finished_at": None}, "restore_interrupted", "critical", "is interrupted"),
        ({"status": "FAILED", "old_machine": "web-1 is back"}, "restore_failed", "critical", "web-1 is back"),
        ({"incomplete": True}, "restore_incomplete", "warning", "not all of its last steps"),
    ],
)
def test_each_is_told_with_its_machine_and_job(more: dict[str, Any], rule: str, severity: str, said: str) -> None:
    [problem] = judge(Facts([restore(**more)]), NOW)
    assert (problem.rule, problem.severity, problem.opens) == (rule, severity, "job:7")
    assert (problem.type, problem.key) == ("server", ("lab", "one", "m1"))
    assert said in f"{problem.title} {problem.detail}"


@pytest.mark.parametrize(
    "more", [{"retried": True}, {"finished_at": times.text(NOW - timedelta(hours=25))}, {"status": "CANCELED"}]
)
def test_a_failure_that_was_dealt_with_or_is_old_is_silent(more: dict[str, Any]) -> None:
    assert rules(Facts([restore(**{"status": "FAILED", **more})])) == []


def test_what_it_left_is_told_until_it_is_gone_however_old() -> None:
    old = restore(status="CANCELED", finished_at=times.text(NOW - timedelta(days=90)))
    [problem] = judge(Facts([old], (), {"j1": ["port", "volume", "port"]}), NOW)
    assert problem.title == "restore 7 of web-1 left 2 ports, 1 volume"
    assert problem.count == 3


def test_what_is_kept_beyond_its_time_is_told() -> None:
    assert rules(Facts((), [kept(over=True)])) == [("restore_kept", "warning")]
    [problem] = judge(Facts((), [kept(kind="disk_beside", problem="lab is read-only", until=None)]), NOW)
    assert (problem.detail, problem.opens, problem.since_exact) == ("lab is read-only", "kept", False)
    assert problem.title.startswith("the copy web-1-old-7")


def test_two_problems_of_one_restore_are_two() -> None:
    found = judge(Facts([restore(status="FAILED")], (), {"j1": ["port"]}), NOW)
    assert len({problem.id for problem in found}) == 2


@pytest.mark.parametrize(
    ("status", "waiting", "found"), [("PAUSED", 3, True), ("PAUSED", 0, False), ("RUNNING", 3, False)]
)
def test_many_machines_that_wait_for_somebody_are_a_problem(status: str, waiting: int, found: bool) -> None:
    one = {"id": "b1", "status": status, "counts": {"WAITING": waiting}, "detail": "paused: by anna", "clouds": ["lab"]}
    problems = judge(Facts(many=[one]), NOW)
    assert [(each.rule, each.opens, each.machines) for each in problems] == [("restore_many_paused", "many:b1", 3)][
        :found
    ]
