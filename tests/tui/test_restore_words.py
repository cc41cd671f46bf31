"""Restores in words: lengths, moments, points, disks, jobs and what to do next; plans as text."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.fakes import HOSTILE
from tests.tui.restore_fake import DATA, ROOT, RestoreClient, disk, job, machine, nic, point, step
from tui import restore
from tui.dialogs import restore_lines
from tui.dialogs.restore_choose import changed_request
from tui.problems import view_of
from tui.state import View
from tui.table.cells import width

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
DISKS = [disk(ROOT, "db-root"), disk(DATA, "db-primary-data-1", order=1)]


def keys(id: str) -> str:
    return {"restore_cancel": "c", "restore_retry": "t", "restore_cleanup": "u", "restore_answer": "y"}.get(id, "l")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "?"), (-5, "0s"), (42, "42s"), (720, "12m"), (57_900, "16h05m"), (172_800, "2d00h"), (1e7, "115d17h")],
)
def test_a_length_of_lost_work_is_exact_to_the_minute(seconds: float | None, words: str) -> None:
    assert restore.span(seconds) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "?"),
        ("yesterday", "?"),
        ((NOW - timedelta(hours=14)).isoformat(), f"{(NOW - timedelta(hours=14)).astimezone():%a %H:%M}"),
        ((NOW - timedelta(days=20)).isoformat(), f"{(NOW - timedelta(days=20)).astimezone():%d %b %H:%M}"),
        ((NOW - timedelta(days=400)).isoformat(), f"{(NOW - timedelta(days=400)).astimezone():%Y-%m-%d}"),
    ],
)
def test_a_moment_is_said_as_people_say_it(value: str | None, words: str) -> None:
    assert restore.when(value, NOW) == words


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (point(1), "all 2 disks"),
        (point(1, missing=[DATA]), "1 of 2, without data-1"),
        (point(1, missing=[ROOT, DATA]), "0 of 2, without root, data-1"),
    ],
)
def test_which_disks_a_point_has(one: dict[str, Any], words: str) -> None:
    assert restore.disks_words(one, DISKS, "db-primary") == words


@pytest.mark.parametrize(
    ("cells", "words"),
    [(40, "prod-eu/eu-1 · acme-prod · db-primary"), (32, "prod-eu · acme-prod · db-primary"),
     (20, "prod-eu · db-primary"), (12, "db-primary"), (5, "db-p…")],
)  # fmt: skip
def test_the_name_of_a_machine_is_what_stays_where_there_is_no_room(cells: int, words: str) -> None:
    assert restore.machine_words(machine(), cells) == words


def test_a_point_of_another_disk_says_of_which() -> None:
    assert restore.own_words(point(1, volumes=[DATA]), DISKS, "db-primary") == "of data-1 alone"
    assert restore.own_words(point(1, volumes=["x"]), DISKS) == "of none of the disks it has now"


@given(st.lists(st.integers(0, 10**8), min_size=1, max_size=40), st.integers(5, 200), st.data())
def test_the_timeline_is_as_wide_as_it_may_be_and_marks_one(ages: list[int], cells: int, data: st.DataObject) -> None:
    points = [{"age_seconds": age} for age in sorted(ages)]
    chosen = data.draw(st.integers(0, len(points) - 1))
    line = "".join(text for text, _ in restore.timeline(points, chosen, cells))
    assert line.count("◆") == 1
    assert width(line) == max(cells, 4 + 4 + 1 + len(restore.span(max(1, max(ages)))))
    if chosen == 0 and ages and min(ages) < max(ages):
        assert "●" not in line[: line.index("◆")]


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("NEW", "nothing is lost"),
        ("DISK_BESIDE", "nothing is lost"),
        ("IN_PLACE", "LOST: what was written to root in the last 16h05m"),
        ("REPLACE", "LOST: what was written to root, data-1 in the last 16h05m"),
        ("DATA_VOLUME_BACK", "LOST: what was written to data-1 in the last 16h05m"),
    ],
)
def test_what_going_back_costs_is_said_before_there_is_a_plan(way: str, words: str) -> None:
    assert restore.back_words(way, point(16), DISKS, DATA, "db-primary")[0].startswith(words)
    assert restore.back_words(way, None, DISKS, DATA)[1] == "bad"


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (job(1), "running"),
        (job(1, asks="does it answer?"), "asks"),
        (job(1, steps=[step("UNDO_SERVER", "RUNNING", phase="undo")]), "rolling back"),
        (job(1, "FAILED"), "failed"),
        (job(1, "PLANNED"), "planned"),
        (job(1, "PLANNED", expired=True), "expired"),
        ({}, "?"),
    ],
)
def test_the_state_of_a_job(told: dict[str, Any], status: str) -> None:
    assert restore.status_of(told) == status


@pytest.mark.parametrize(
    ("told", "id", "possible"),
    [
        (job(1), "restore_cancel", True),
        (job(1, can=[], cancel_asked=True), "restore_cancel", False),
        (job(1, "SUCCEEDED"), "restore_cancel", False),
        (job(1, "FAILED", can=["retry"]), "restore_retry", True),
        ({"status": "FAILED"}, "restore_cleanup", True),  # a line of the list, which does not say what it can
        ({"status": "SUCCEEDED", "way": "REPLACE"}, "restore_storage", True),
        ({"status": "SUCCEEDED", "way": "NEW"}, "restore_storage", False),
        ({"status": "PLANNED"}, "restore_cancel", True),
        ({"status": "PLANNED", "expired": True}, "restore_cancel", False),
        ({"status": "RUNNING", "asks": "?"}, "restore_answer", True),
        (None, "restore_cancel", False),
        (None, "filter", True),
    ],
)
def test_what_can_be_asked_of_a_job(told: dict[str, Any] | None, id: str, possible: bool) -> None:
    assert (restore.why_not(id, told) == "") is possible


@pytest.mark.parametrize("way", restore.WAY_WORDS)
@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "CANCELED", "INTERRUPTED", "RUNNING"])
def test_what_to_do_next_is_one_sentence(way: str, status: str) -> None:
    told = {"status": status, "way": way}
    words = restore.next_words(told, keys)
    assert words
    assert "." not in words


def test_sentences_of_the_engine_have_local_times_and_no_escapes() -> None:
    at = datetime(2026, 12, 7, 9, 54, 12, tzinfo=UTC).astimezone()
    assert restore.told("kept until 2026-12-07T09:54:12.992530Z") == f"kept until {at:%Y-%m-%d %H:%M}"
    assert "\x1b" not in restore.told(HOSTILE)
    assert restore.told(None) == ""


def test_cleaning_up_says_what_goes_and_what_stays() -> None:
    left = [
        {"type": "port", "name": "p", "id": "1", "can_go": True},
        {"type": "volume", "name": "", "id": "0123456789", "can_go": True},
        {"type": "server", "name": "s", "id": "3", "can_go": False, "reason": "it is in use"},
    ]
    lines, volumes = restore.cleanup_words(left)
    assert volumes
    assert lines[:3] == [
        "removed: port p",
        "volumes, kept unless said otherwise: volume 01234567",
        "left alone: server s: it is in use",
    ]
    assert restore.cleanup_words([]) == (["removed: nothing", lines[-1]], False)


def test_what_a_clean_up_did_says_what_failed_first() -> None:
    assert (
        restore.cleaned_words({"cleaned": {"errors": ["volume v: in use", "x"]}})
        == "not all of it: volume v: in use (+1)"
    )
    assert restore.cleaned_words({"result": {"deleted_volumes": ["v"]}, "message": "done"}) == "done"
    assert restore.cleaned_words(None) == "0 things removed"


def test_a_plan_as_markdown_has_no_meaning_that_a_cloud_gave_it() -> None:
    client = RestoreClient()
    client.start["machine"] = machine(name="# db [x](http://e) `a`")
    client.more = {"warnings": ["| a | <script>"], "commands": ["openstack x"]}
    plan = client.plan_for({"way": "REPLACE", "cloud": "prod-eu"})
    said = restore_lines.as_markdown(plan)
    assert "\\# db \\[x\\](http://e) \\`a\\`" in said
    assert "\\| a \\| \\<script\\>" in said
    assert "    openstack x" in said
    assert json.loads(restore_lines.as_json(plan))["id"] == plan["id"]


@pytest.mark.parametrize(
    ("given", "strategy", "words"),
    [
        (nic(wanted=[{"address": "10.20.0.9"}], keep_mac=True), "SAME_IPS_OR_FAIL", "the same (MAC kept)"),
        (nic(wanted=[{"address": "10.20.0.9"}], fall_back=True), "TRY_SAME_IPS", "the same if free (new MAC)"),
        (nic(wanted=[{"address": "10.20.0.51"}]), "MANUAL_IP", "→ 10.20.0.51 (new MAC)"),
        (nic(wanted=[{"address": ""}]), "NEW_IPS", "→ any free one (new MAC)"),
        (nic(), "NEW_IPS", "→ any free one (new MAC)"),
        (nic(), "TRY_SAME_IPS", "unknown (new MAC)"),
        (nic(fixed=[], wanted=[]), "NEW_IPS", "eth0 unknown → any free one"),
        (nic(floating=[{"address": "203.0.113.4"}]), "NEW_IPS", "203.0.113.4 stays with the old one"),
    ],
)
def test_what_becomes_of_an_address(given: dict[str, Any], strategy: str, words: str) -> None:
    assert words in "".join(text for text, _ in restore_lines.nic_parts(given, strategy, 100))
    assert "stays" in "".join(text for text, _ in restore_lines.nic_parts(given, strategy, 100, "IN_PLACE"))
    replaced = "".join(text for text, _ in restore_lines.nic_parts(given, strategy, 100, "REPLACE"))
    assert ("re-pointed" in replaced) == bool(given["floating"])


def test_only_what_somebody_changed_is_asked_for() -> None:
    request = {"way": "DISK_BESIDE", "helper": "h", "prove": {"tcp_port": 22, "seconds": 5}, "new_name": "a"}
    assert changed_request(request, {"new_name": "b"}, []) == request
    assert changed_request(request, {"attach": False, "helper": "h"}, ["attach"])["helper"] == "none"
    assert changed_request(request, {"attach": True}, ["attach", "helper"])["helper"] == ""
    assert changed_request(request, {}, ["tcp_port", "new_name"]) == {
        "way": "DISK_BESIDE", "helper": "h", "prove": {"seconds": 5},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("problem", "view"),
    [
        ({"rule": "restore_failed", "opens": "job:118"}, View("restore", subject=("118",))),
        ({"rule": "job_failed", "opens": "job:118"}, View("job", subject=("118",))),
        ({"rule": "restore_kept", "opens": "kept"}, View("restore-kept")),
    ],
)
def test_a_problem_of_a_restore_opens_it(problem: dict[str, Any], view: View) -> None:
    assert view_of(problem) == view
