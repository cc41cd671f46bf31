"""Shifts and the hand-over: where it begins, what stands in it, and that its Markdown and CSV hold no traps."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import engine.shift.routes
from engine.access.models import Caller
from engine.api.errors import BadRequest, Unavailable
from engine.notes.models import Subject
from engine.notes.service import NoteService
from engine.shift import rendering, sections
from engine.shift.models import Found, Section
from engine.shift.service import MOST_ROWS, HandoverService, ShiftService
from store import times
from tests.engine.api.furniture import Furniture

ALICE = Caller("alice", 1001, role="operator")
BOB = Caller("bob", 1002, role="viewer")
LIMITED = Caller("lim", 1003, role="operator", clouds=("prod",))


class Desk:
    """The rooms of a hand-over, with a clock of our own."""

    def __init__(self, furniture: Furniture) -> None:
        self.now = times.utcnow()
        self.furniture = furniture
        self.listings: list[dict[str, Any]] = []
        self.jobs: list[dict[str, Any]] = []
        self.notes = NoteService(furniture.ops, furniture.audit, lambda *_: False)
        self.shifts = ShiftService(furniture.ops, furniture.audit, clock=lambda: self.now)
        self.handover = HandoverService(self.shifts)
        self.handover.register(sections.problems(lambda caller: self.listings))
        self.handover.register(sections.jobs(self))
        self.handover.register(sections.changes(furniture.audit))
        self.handover.register(sections.notes_written(self.notes))
        self.handover.register(sections.writes(lambda caller: [{"cloud": "prod", "writable": True}, {"cloud": "b"}]))

    def page(self, caller: Caller, *, state: Any, limit: int) -> tuple[int, list[dict[str, Any]]]:
        """As JobService.page."""
        found = [job for job in self.jobs if job["state"] in state]
        return len(found), found

    def section(self, name: str, caller: Caller = ALICE, **times_: Any) -> dict[str, Any]:
        """One section of the page."""
        return next(s for s in self.handover.page(caller, **times_)["sections"] if s["name"] == name)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    furniture = Furniture(tmp_path)
    yield Desk(furniture)
    furniture.close()


def test_a_shift_begins_where_its_person_said(desk: Desk) -> None:
    assert desk.shifts.mark(ALICE) is None
    page = desk.handover.page(ALICE)
    assert page["mark"] is None and page["until"] - page["since"] == timedelta(hours=12)
    started = desk.shifts.start(ALICE, " night ")
    desk.now += timedelta(hours=8)
    desk.shifts.start(BOB)
    page = desk.handover.page(ALICE)
    assert (page["since"], page["until"], page["mark"]) == (started["at"], desk.now, started)
    assert started["note"] == "night" and [m["by"] for m in desk.shifts.recent(ALICE)] == ["bob", "alice"]
    assert [m["by"] for m in desk.shifts.recent(LIMITED)] == []
    desk.now += timedelta(days=40)
    assert desk.handover.page(ALICE)["mark"] is None  # forgotten


def test_a_page_has_a_length(desk: Desk) -> None:
    with pytest.raises(BadRequest, match="before until"):
        desk.handover.page(ALICE, desk.now, desk.now)
    with pytest.raises(BadRequest, match="31 days"):
        desk.handover.page(ALICE, desk.now - timedelta(days=32))


def test_sections_stand_in_their_order_and_have_one_name(desk: Desk) -> None:
    names = [section["name"] for section in desk.handover.page(ALICE)["sections"]]
    assert names == ["problems", "jobs", "writes", "changes", "notes"]
    with pytest.raises(ValueError, match="jobs already"):
        desk.handover.register(sections.jobs(desk))


def test_problems_say_who_has_them(desk: Desk) -> None:
    base: dict[str, Any] = {
        "detail": "23 machines", "since": None, "cloud": "prod", "project_name": None, "machines": 23, "type": None,
        "key": None, "id": "1", "owner": None, "note": None, "muted_until": None,
    }  # fmt: skip
    desk.listings = [
        {**base, "severity": "critical", "title": "cmp-02 down", "owner": "bob", "note": "I call the provider"},
        {**base, "severity": "warning", "title": "quota full"},
        {**base, "severity": "warning", "title": "quiet", "muted_until": desk.now},
        {**base, "severity": "info", "title": "on purpose"},
    ]
    rows = desk.section("problems")["rows"]
    assert [(row["title"], row["who"], row["note"]) for row in rows] == [
        ("cmp-02 down", "bob", "I call the provider"),
        ("quota full", None, None),
    ]


def test_jobs_that_run_or_failed_since(desk: Desk) -> None:
    ended = times.text(desk.now - timedelta(hours=1))
    early = times.text(desk.now - timedelta(days=2))
    desk.jobs = [
        {"number": 1, "state": "running", "ended_at": None},
        {"number": 2, "state": "failed", "ended_at": ended},
        {"number": 3, "state": "failed", "ended_at": early},
        {"number": 4, "state": "done", "ended_at": ended},
    ]
    assert [row["number"] for row in desk.section("jobs")["rows"]] == [1, 2]


def test_changes_are_told_with_their_tickets(desk: Desk) -> None:
    audit = desk.furniture.audit
    audit.record(ALICE, "server.stop", "web-3", {"ticket": "CHG42", "reason": "disk", "cloud": "prod"}, "intent")
    audit.record(ALICE, "server.stop", "web-3", {"ticket": "CHG42", "reason": "disk", "cloud": "prod"})
    audit.record(LIMITED, "cloud.add", "prod")
    desk.shifts.start(ALICE)
    desk.now = times.utcnow() + timedelta(seconds=1)
    since = desk.now - timedelta(hours=1)
    rows = desk.section("changes", since=since)["rows"]
    assert [(row["who"], row["action"], row["ticket"], row["reason"]) for row in rows] == [
        ("lim", "cloud.add", None, None),
        ("alice", "server.stop", "CHG42", "disk"),
    ]
    assert [row["who"] for row in desk.section("changes", LIMITED, since=since)["rows"]] == ["lim"]


def test_notes_and_write_windows(desk: Desk) -> None:
    desk.notes.add(ALICE, Subject(kind="resource", type="server", key=["prod", "", "id"], name="web-3"), "flaky")
    desk.now = times.utcnow() + timedelta(seconds=1)
    [row] = desk.section("notes")["rows"]
    assert (row["about"], row["text"], row["who"]) == ("server web-3 in prod", "flaky", "alice")
    assert desk.section("notes", since=desk.now - timedelta(hours=2), until=desk.now - timedelta(hours=1))["rows"] == []
    assert [row["cloud"] for row in desk.section("writes")["rows"]] == ["prod"]


def test_a_section_that_fails_leaves_the_others(desk: Desk) -> None:
    def unavailable(*_: Any) -> Found:
        raise Unavailable("the store is closed")

    def broken(*_: Any) -> Found:
        raise ZeroDivisionError("secret detail")

    desk.handover.register(Section("a", "A", (("x", "X"),), unavailable))
    desk.handover.register(Section("b", "B", (("x", "X"),), broken))
    desk.handover.register(Section("c", "C", (("x", "X"),), lambda *_: Found([{"x": n} for n in range(999)])))
    found = {section["name"]: section for section in desk.handover.page(ALICE)["sections"]}
    assert found["a"]["problem"] == "the store is closed" and "secret" not in found["b"]["problem"]
    assert (len(found["c"]["rows"]), found["c"]["total"], found["jobs"]["problem"]) == (MOST_ROWS, 999, None)
    text = rendering.markdown(desk.handover.page(ALICE))
    assert "Not known: the store is closed" in text and f"{999 - MOST_ROWS} more" in text
    assert "the store is closed" in rendering.comma_separated(desk.handover.page(ALICE))


HOSTILE = [
    "=HYPERLINK(1)",
    "+1+1",
    "@SUM(A1)",
    "-2+3",
    "\t=1",
    " =1",
    "a|b\n# head",
    "<script>",
    "\x1b]0;t\x07",
    "\u202e x",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(desk: Desk, text: str) -> None:
    desk.handover.register(Section("z", "Z", (("x", "X"),), lambda *_: Found([{"x": text}])))
    page = desk.handover.page(ALICE)
    whole = rendering.markdown(page)
    table = whole[whole.index("## Z") :].splitlines()
    assert len(table) == 5 and len([1 for i, c in enumerate(table[4]) if c == "|" and table[4][i - 1] != "\\"]) == 2
    assert "\x1b" not in whole and "\u202e" not in whole and "<script" not in whole
    [cell] = [row for row in csv.reader(io.StringIO(rendering.comma_separated(page))) if row[0] == "z"]
    value = next(v for v in cell[1:] if v)
    assert not value.lstrip().startswith(("=", "+", "-", "@")) and "\x1b" not in value


async def test_routes(desk: Desk) -> None:
    desk.furniture.app.include_router(engine.shift.routes.routes(desk.shifts, desk.handover, desk.furniture.access))
    async with desk.furniture.embedded(ALICE) as alice:
        assert (await alice.get("/q/shift")).json() == {"mine": None, "items": []}
        assert (await alice.post("/q/shift/start", json={"note": "night"})).status_code == 201
        assert (await alice.get("/q/shift")).json()["mine"]["note"] == "night"
        desk.now += timedelta(hours=1)
        assert (await alice.get("/q/handover")).json()["by"] == "alice"
        for format, kind, first in (("markdown", "text/markdown", "# Hand-over of alice"), ("csv", "text/csv", "sect")):
            answer = await alice.get("/q/handover", params={"format": format})
            assert answer.headers["content-type"].startswith(kind) and answer.text.startswith(first)
            assert "attachment; filename=" in answer.headers["content-disposition"]
        assert (await alice.get("/q/handover", params={"since": "x"})).status_code == 400
        assert (await alice.get("/q/handover", params={"format": "pdf"})).status_code == 422
