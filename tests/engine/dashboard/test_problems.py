"""The list of problems over time: who has it, mutes, what comes back, who sees what, and the routes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from engine.access.models import Caller
from engine.api.errors import BadRequest, NotFound, Unavailable
from engine.dashboard import problems_routes
from engine.dashboard.problems import KEPT, ProblemService, Sources
from engine.dashboard.problems_own import Own
from engine.dashboard.problems_rules import Problem
from engine.notes.models import Subject
from engine.notes.service import NoteService
from store import times
from store.estate.reading.problems import Facts
from tests.engine.api.furniture import Furniture
from tests.engine.dashboard.test_problems_rules import machine, service

ALICE = Caller("alice", 1001, role="operator")
BOB = Caller("bob", 1002, role="viewer")


class Desk:
    """The service with facts and a clock of the test's own."""

    def __init__(self, furniture: Furniture) -> None:
        self.now = times.utcnow()
        self.facts = Facts(services=[service()], machines=[machine(since=self.now)])
        self.own = Own()
        self.broken: Exception | None = None
        self.version = 1
        self.changes = 0
        self.furniture = furniture
        self.notes = NoteService(furniture.ops, furniture.audit, lambda *_: True)
        self.service = self.open()

    def open(self) -> ProblemService:
        sources = Sources(lambda: self.version, self.read, lambda: self.own)
        return ProblemService(
            self.furniture.ops, self.furniture.audit, sources, self.notes, self.changed, clock=lambda: self.now
        )

    def read(self) -> Facts:
        if self.broken is not None:
            raise self.broken
        return self.facts

    def changed(self) -> None:
        self.changes += 1

    def move(self, facts: Facts | None = None, **words: float) -> None:
        """Time passes, and the store changes."""
        self.now += timedelta(**words)
        self.version += 1
        if facts is not None:
            self.facts = facts

    def titles(self, caller: Caller = ALICE) -> list[str]:
        return [item["title"] for item in self.service.page(caller)["items"]]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    furniture = Furniture(tmp_path)
    yield Desk(furniture)
    furniture.close()


def test_who_has_it_is_told_to_everybody(desk: Desk) -> None:
    answer = desk.service.page(BOB)
    assert answer["counts"] == {"critical": 2, "warning": 0, "info": 0, "muted": 0}
    first, _ = answer["items"]
    assert (first["title"], first["owner"], first["first_seen"]) == ("cmp-02 nova-compute down", None, desk.now)
    taken = desk.service.take(ALICE, first["id"])
    assert (taken["owner"], taken["mine"]) == ("alice", True)
    seen = desk.service.page(BOB)["items"][0]
    assert (seen["owner"], seen["mine"], seen["taken_at"]) == ("alice", False, desk.now)
    assert desk.service.give_up(ALICE, first["id"])["owner"] is None
    with pytest.raises(NotFound, match="may be over"):
        desk.service.take(ALICE, "0" * 16)
    _, records = desk.furniture.audit.page(action="problem.take")
    assert [record["target"] for record in records] == ["cmp-02 nova-compute down"]


def test_muted_ones_are_last_quiet_and_not_counted(desk: Desk) -> None:
    first = desk.service.page(ALICE)["items"][0]
    muted = desk.service.mute(ALICE, first["id"], desk.now + timedelta(hours=2), " known ")
    assert (muted["muted_by"], muted["mute_reason"]) == ("alice", "known")
    answer = desk.service.page(ALICE)
    assert answer["counts"] == {"critical": 1, "warning": 0, "info": 0, "muted": 1}
    assert [item["title"] for item in answer["items"]] == ["web-1 ERROR", "cmp-02 nova-compute down"]
    assert desk.service.page(ALICE, muted=False)["total"] == 1
    desk.move(hours=2)
    assert desk.service.page(ALICE)["counts"]["critical"] == 2, "a mute ends by itself"
    desk.service.mute(ALICE, first["id"], desk.now + timedelta(hours=2))
    assert desk.service.unmute(ALICE, first["id"])["muted_until"] is None
    for until in (desk.now, desk.now + timedelta(days=31)):
        with pytest.raises(BadRequest, match="30 days"):
            desk.service.mute(ALICE, first["id"], until)


def test_what_comes_back_soon_is_the_same_problem(desk: Desk) -> None:
    began = desk.now
    id = desk.service.page(ALICE)["items"][0]["id"]
    desk.service.take(ALICE, id)
    desk.move(Facts(), minutes=5)
    assert desk.titles() == []
    desk.move(Facts(services=[service()]), minutes=59)
    (item,) = desk.service.page(ALICE)["items"]
    assert (item["id"], item["owner"], item["first_seen"]) == (id, "alice", began)
    desk.move(Facts(), minutes=5)
    desk.service.look()
    desk.move(Facts(services=[service()]), minutes=61)
    (item,) = desk.service.page(ALICE)["items"]
    assert (item["id"], item["owner"], item["first_seen"]) == (id, None, desk.now)


def test_it_outlives_the_engine_and_old_ones_are_forgotten(desk: Desk) -> None:
    began = desk.now
    desk.service.take(ALICE, desk.service.page(ALICE)["items"][0]["id"])
    desk.service = desk.open()
    desk.move(minutes=1)
    assert [(item["owner"], item["first_seen"]) for item in desk.service.page(BOB)["items"]] == [
        ("alice", began),
        (None, began),
    ]
    desk.move(Facts(), minutes=1)
    desk.service.look()
    desk.move(days=KEPT.days + 1)
    desk.service.look()
    assert desk.service._rows() == {}


def test_hints_are_given_when_something_changed_only(desk: Desk) -> None:
    desk.service.look()
    assert desk.changes == 1
    desk.move(seconds=1)
    desk.service.look()
    assert desk.changes == 1
    desk.move(Facts(services=[service(machines=24)]), seconds=1)
    desk.service.look()
    assert desk.changes == 2


def test_a_source_that_fails_ends_nothing(desk: Desk) -> None:
    desk.service.take(ALICE, desk.service.page(ALICE)["items"][0]["id"])
    desk.broken = Unavailable("the store has not enough memory")
    desk.own = Own(errors=["clock: it stands"])
    desk.move(seconds=1)
    answer = desk.service.page(ALICE)
    assert [item["title"] for item in answer["items"]] == ["clock"]
    assert answer["problems"] == ["the store could not be judged: the store has not enough memory"]
    desk.broken = None
    desk.move(hours=3)
    first = next(item for item in desk.service.page(ALICE)["items"] if "cmp-02" in item["title"])
    assert first["owner"] == "alice", "a problem that was not judged is not over"


def test_other_rooms_add_theirs(desk: Desk) -> None:
    desk.service.register("snapshots", lambda now: [Problem("overdue", ("prod",), "critical", "overdue", machines=99)])
    desk.service.register("broken", lambda now: [][1])
    assert desk.titles()[0] == "overdue"
    assert desk.service.page(ALICE)["problems"] == ["broken could not be judged; the engine's log says why"]
    with pytest.raises(ValueError, match="already"):
        desk.service.register("broken", lambda now: [])


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        (ALICE, ["cmp-02 nova-compute down", "web-1 ERROR", "clock"]),
        (Caller("c", 1, role="viewer", clouds=("prod",)), ["cmp-02 nova-compute down", "web-1 ERROR"]),
        (Caller("c", 1, role="viewer", clouds=("other",)), []),
        (Caller("c", 1, role="viewer", projects=("p1",)), ["web-1 ERROR"]),
        (Caller("c", 1, role="viewer", projects=("p2",)), []),
        (Caller("c", 1, role="viewer", domains=("d1",)), ["web-1 ERROR"]),
        (Caller("c", 1, role="technical", domains=("d2",)), []),
    ],
)
def test_everybody_sees_what_his_role_covers(desk: Desk, caller: Caller, expected: list[str]) -> None:
    desk.own = Own(errors=["clock: it stands"])
    assert sorted(desk.titles(caller)) == sorted(expected)


async def test_routes(desk: Desk) -> None:
    app, access = desk.furniture.app, desk.furniture.access
    app.include_router(problems_routes.routes(desk.service, access))
    async with desk.furniture.embedded(ALICE) as client:
        found = (await client.get("/q/problems", params={"severity": "critical"})).json()
        id, key = found["items"][0]["id"], found["items"][0]["note_key"]
        assert found["total"] == 2 and key == ["prod", id] and found["items"][0]["key"] == ["prod", "one", "s1"]
        assert (await client.post(f"/q/problems/{id}/take")).json()["owner"] == "alice"
        subject = Subject(kind="problem", type="service_down", key=key)
        desk.notes.add(ALICE, subject, "I call the provider")
        assert (await client.get("/q/problems")).json()["items"][0]["note"] == "I call the provider"
        for body, status in (({"minutes": 5}, 200), ({}, 400), ({"minutes": 5, "until": "2026-01-01"}, 400)):
            assert (await client.post(f"/q/problems/{id}/mute", json=body)).status_code == status
        assert (await client.delete(f"/q/problems/{id}/mute")).json()["muted_until"] is None
        assert (await client.delete(f"/q/problems/{id}/take")).json()["owner"] is None
        assert (await client.post("/q/problems/nothing/take")).status_code == 404
    async with desk.furniture.embedded(BOB) as client:
        assert (await client.get("/q/problems")).status_code == 200
        assert (await client.post(f"/q/problems/{id}/take")).status_code == 403


def test_the_thread_looks_by_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.dashboard.problems.TICK_SECONDS", 0.01)
    looked = threading.Event()
    monkeypatch.setattr(desk, "changed", looked.set)
    service = desk.open()
    service.begin()
    try:
        assert looked.wait(10)
        looked.clear()
        desk.move(Facts(), minutes=1)
        assert looked.wait(10)
    finally:
        service.close()
    assert service.page(ALICE)["items"] == []
