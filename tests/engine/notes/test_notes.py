"""Notes: what is kept, who sees it, what holds no more, and that hostile text stays text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import engine.notes.routes
from engine.access.models import Caller
from engine.api.errors import BadRequest, Conflict, Forbidden, NotFound
from engine.notes import service as module
from engine.notes.models import Subject
from engine.notes.service import NoteService
from store import times
from tests.engine.api.furniture import Furniture

ALICE = Caller("alice", 1001, role="operator")
BOB = Caller("bob", 1002, role="technical")
ADMIN = Caller("root", 0, role="superadmin")
LIMITED = Caller("lim", 1003, role="operator", clouds=("prod",))
WEB = Subject(kind="resource", type="server", key=["prod", "", "web-id"], name="web-3")
TEST = Subject(kind="resource", type="server", key=["test", "", "other-id"], name="db-1")
JOB = Subject(kind="job", key=["job-1"])


def visible(caller: Caller, type: str, key: Any) -> bool:
    """Within the clouds of the caller."""
    return key[0] in (caller.clouds or ())


@pytest.fixture
def engine_(tmp_path: Path) -> Iterator[Furniture]:
    made = Furniture(tmp_path)
    yield made
    made.close()


@pytest.fixture
def notes(engine_: Furniture) -> NoteService:
    return NoteService(engine_.ops, engine_.audit, visible)


def texts(found: tuple[int, list[dict[str, Any]]]) -> list[str]:
    assert found[0] >= len(found[1])
    return [note["text"] for note in found[1]]


def test_a_note_says_who_about_what_until_when(engine_: Furniture, notes: NoteService) -> None:
    until = times.utcnow() + timedelta(hours=1)
    made = notes.add(ALICE, WEB, "  flaky disk, do not reboot ", until)
    assert made["subject"] == WEB.model_dump() and made["text"] == "flaky disk, do not reboot"
    assert (made["created_by"], made["until"], made["current"], made["mine"]) == ("alice", until, True, True)
    total, [seen] = notes.page(BOB, subject=WEB)
    assert total == 1 and seen == {**made, "mine": False}
    [record] = engine_.audit.page(action="note.add")[1]
    assert (record["actor"], record["target"], record["detail"]["note"]) == ("alice", "server web-3", made["id"])


def test_a_type_is_found_by_any_of_its_names(notes: NoteService) -> None:
    notes.add(ALICE, WEB.model_copy(update={"type": "servers"}), "x")
    assert texts(notes.page(ALICE, subject=WEB)) == ["x"]


@pytest.mark.parametrize(
    ("subject", "text", "words"),
    [
        (WEB, " \n ", "text is empty"),
        (WEB.model_copy(update={"type": "spaceship"}), "x", "subject.type"),
        (WEB.model_copy(update={"key": ["prod", "id"]}), "x", "key of a resource"),
        (WEB.model_copy(update={"key": ["", "", "id"]}), "x", "key of a resource"),
        (JOB.model_copy(update={"key": [""]}), "x", "key is empty"),
        (JOB.model_copy(update={"key": ["j" * 600]}), "x", "a part of key"),
        (JOB, "half \ud83d", "half a character"),
    ],
)
def test_what_is_no_note_is_refused(notes: NoteService, subject: Subject, text: str, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        notes.add(ALICE, subject, text)
    assert notes.page(ALICE)[0] == 0


def test_until_lies_ahead_and_ends_the_note(engine_: Furniture) -> None:
    now = [times.utcnow()]
    notes = NoteService(engine_.ops, engine_.audit, visible, clock=lambda: now[0])
    with pytest.raises(BadRequest, match="until is past"):
        notes.add(ALICE, WEB, "x", now[0])
    notes.add(ALICE, WEB, "short", now[0] + timedelta(hours=1))
    notes.add(ALICE, WEB, "long")
    now[0] += timedelta(hours=1)
    assert texts(notes.page(BOB)) == ["long"]
    total, found = notes.page(BOB, past=True)
    assert total == 2 and {note["text"]: note["current"] for note in found} == {"short": False, "long": True}


def test_the_time_line_has_what_holds_no_more_too(engine_: Furniture) -> None:
    now = [times.utcnow()]
    notes = NoteService(engine_.ops, engine_.audit, visible, clock=lambda: now[0])
    until = now[0] + timedelta(hours=1)
    notes.add(ALICE, WEB, "short", until)
    made = now[0]
    now[0] += timedelta(hours=2)
    subject = {"kind": "resource", "type": "server", "key": ("prod", "", "web-id")}
    assert notes.about(BOB, subject) == [{"text": "short", "by": "alice", "at": made, "until": until}]


def test_its_writer_or_an_admin_takes_a_note_back(engine_: Furniture, notes: NoteService) -> None:
    first, second = (notes.add(ALICE, WEB, text)["id"] for text in ("one", "two"))
    with pytest.raises(Forbidden, match="alice's"):
        notes.remove(BOB, first)
    notes.remove(ALICE, first)
    notes.remove(ADMIN, second)
    assert notes.page(ALICE, past=True)[0] == 0
    with pytest.raises(NotFound):
        notes.remove(ALICE, first)
    assert engine_.audit.page(action="note.remove")[0] == 2 and engine_.audit.verify().ok


def test_a_limited_role_sees_notes_within_its_limits(notes: NoteService) -> None:
    notes.add(ALICE, WEB, "web")
    elsewhere = notes.add(ALICE, TEST, "db")
    notes.add(ALICE, JOB, "job")
    for cloud in ("prod", "test"):
        notes.add(ALICE, Subject(kind="problem", type="listing", key=[cloud, "", "server"]), f"{cloud} is slow")
    notes.add(LIMITED, JOB, "own")
    assert texts(notes.page(LIMITED)) == ["own", "prod is slow", "web"]
    assert texts(notes.page(ALICE, cloud="test")) == ["test is slow", "db"]
    assert texts(notes.page(LIMITED, limit=1, offset=2)) == ["web"] and notes.page(LIMITED, limit=1)[0] == 3
    with pytest.raises(NotFound):
        notes.add(LIMITED, TEST, "x")
    with pytest.raises(NotFound):
        notes.remove(LIMITED, elsewhere["id"])


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"kind": "job"}, ["job 100%"]),
        ({"cloud": "test"}, ["db"]),
        ({"by": "bob"}, ["db"]),
        ({"text": "WEB"}, ["web"]),
        ({"text": "%"}, ["job 100%"]),
        ({"subject": JOB}, ["job 100%"]),
        ({"limit": 1, "offset": 1}, ["db"]),
    ],
)
def test_filters(notes: NoteService, filters: dict[str, Any], expected: list[str]) -> None:
    notes.add(ALICE, WEB, "web")
    notes.add(BOB, TEST, "db")
    notes.add(ALICE, JOB, "job 100%")
    assert texts(notes.page(ADMIN, **filters)) == expected


def test_one_thing_has_no_end_of_notes(notes: NoteService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ON_ONE", 2)
    for _ in range(2):
        notes.add(ALICE, WEB, "x")
    with pytest.raises(Conflict, match="2 notes"):
        notes.add(ALICE, WEB, "x")
    notes.add(ALICE, TEST, "another thing has its own")


@hypothesis_settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(min_size=1, max_size=200).filter(lambda text: text.strip()))
def test_any_text_comes_back_as_it_was(notes: NoteService, text: str) -> None:
    made = notes.add(ALICE, JOB, text)
    assert notes.page(ALICE, subject=JOB, limit=1)[1][0]["text"] == text.strip() == made["text"]
    notes.remove(ALICE, made["id"])


async def test_routes(engine_: Furniture, notes: NoteService) -> None:
    hints: list[int] = []
    notes = NoteService(engine_.ops, engine_.audit, visible, lambda: hints.append(1))
    engine_.app.include_router(engine.notes.routes.routes(notes, engine_.access))
    async with engine_.embedded(ALICE) as alice, engine_.embedded(Caller("v", role="viewer")) as viewer:
        body = {"subject": WEB.model_dump(), "text": "\x1b]0;x\x07=1+1", "until": "2099-01-01T00:00:00Z"}
        made = await alice.post("/q/notes", json=body)
        assert made.status_code == 201 and made.json()["until"] == "2099-01-01T00:00:00Z" and hints == [1]
        found = await viewer.get("/q/notes", params={"subject": WEB.model_dump_json()})
        assert found.json()["total"] == 1 and found.json()["items"][0]["text"] == "\x1b]0;x\x07=1+1"
        id = made.json()["id"]
        assert (await viewer.delete(f"/q/notes/{id}")).status_code == 403
        assert (await alice.delete(f"/q/notes/{id}")).status_code == 204
        for params in ({"subject": "{"}, {"subject": '{"kind":"x","key":["a"]}'}, {"since": "soon"}, {"kind": "x"}):
            assert (await viewer.get("/q/notes", params=params)).status_code in (400, 422), params
        assert (await alice.post("/q/notes", json={**body, "until": "x"})).status_code == 400
        assert (await alice.post("/q/notes", json={**body, "text": "x" * 5000})).status_code == 422
