"""The audit, notes, hand-over and saved views on screen."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.tui.fake import FakeClient
from tests.tui.screen import console, text, until, until_text
from tui.api.errors import ApiError
from tui.commands import CommandError, completions, understand
from tui.panes.audit import question
from tui.state import DEFAULT, PAGES, View, view_of_json

SERVER = ["prod-eu", "eu-1", "00000001-7e1f-4a4c-9c1d-000000001eef"]
HOSTILE = "\x1b]0;title\x07[red]=1+1\u202e"


def record(seq: int, **more: Any) -> dict[str, Any]:
    """An audit record as the engine gives it."""
    return {
        "seq": seq, "id": f"id-{seq}", "at": "2026-02-08T09:00:00Z", "actor": "root", "role": "admin", "via": "socket",
        "uid": 0, "login_uid": 1001, "login_name": "anna", "token_id": None, "action": "server.stop",
        "target": f"web-{seq}",
        "detail": {"ticket": "CHG42", "reason": "disk", "call": {"method": "POST", "path": "/servers/x/action"},
                   "status": 202, "request_ids": ["req-1", "req-2"]},
        "outcome": "ok", "previous_hash": "0" * 64, "hash": "a" * 64, **more,
    }  # fmt: skip


def note(id: str, words: str, **more: Any) -> dict[str, Any]:
    """A note as the engine gives it."""
    subject = {"kind": "resource", "type": "server", "key": SERVER, "name": "web-3"}
    return {"id": id, "subject": subject, "text": words, "until": None, "created_at": "2026-02-08T09:00:00Z",
            "created_by": "anna", "current": True, "mine": True, **more}  # fmt: skip


PAGE = {
    "since": "2026-02-08T06:00:00Z", "until": "2026-02-08T14:00:00Z", "by": "anna",
    "mark": {"id": "m", "by": "anna", "at": "2026-02-08T06:00:00Z", "note": "early", "mine": True},
    "sections": [
        {"name": "problems", "title": "Open problems", "none": "all is well", "problem": None, "total": 0, "rows": [],
         "columns": [{"name": "cloud", "title": "Cloud"}]},
        {"name": "changes", "title": "Changes made", "none": "", "problem": None, "total": 300,
         "rows": [{"at": "2026-02-08T09:00:00Z", "who": "anna", "target": HOSTILE, "seq": 2}],
         "columns": [{"name": "at", "title": "When"}, {"name": "who", "title": "Who"},
                     {"name": "target", "title": "To what"}, {"name": "seq", "title": "Audit"}]},
        {"name": "jobs", "title": "Jobs", "none": "", "problem": "the journal is locked", "total": 0, "rows": [],
         "columns": []},
    ],
}  # fmt: skip


class RecordsClient(FakeClient):
    """An engine that keeps notes and views."""

    def __init__(self) -> None:
        super().__init__(5)
        self.records = [record(2), record(1, actor="bob", login_name=None, detail={}, target=HOSTILE)]
        self.notes: list[dict[str, Any]] = []
        self.views: dict[str, dict[str, Any]] = {}
        self.shift: list[Any] = []

    async def get(self, path: str, params: Any = None, json: Any = None) -> Any:
        params = params or {}
        if path.startswith("/q/audit/"):
            seq = int(path.rpartition("/")[2])
            return {**next(r for r in self.records if r["seq"] == seq), "sealed": seq == 2}
        if path in ("/q/audit", "/q/notes", "/q/views", "/q/handover", "/q/shift"):
            self._note("GET", path, params)
        if path == "/q/audit":
            return {"total": len(self.records) + 5, "items": self.records}
        if path == "/q/notes":
            return {"total": len(self.notes), "items": self.notes}
        if path == "/q/views":
            return {"items": list(self.views.values())}
        if path.startswith("/q/views/"):
            if path.rpartition("/")[2] not in self.views:
                raise ApiError(404, "there is no saved view")
            return self.views[path.rpartition("/")[2]]
        if path == "/q/handover":
            return "# Hand-over\n" if params.get("format") == "markdown" else PAGE
        if path == "/q/shift":
            return {"mine": self.shift[-1] if self.shift else None, "items": self.shift}
        return await super().get(path, params, json)

    async def post(self, path: str, json: Any = None, params: Any = None) -> Any:
        if path == "/q/notes":
            self.notes.insert(
                0, note(f"n{len(self.notes)}", json["text"], subject=json["subject"], until=json["until"])
            )
            return self.notes[0]
        if path == "/q/shift/start":
            self.shift.append({"at": "2026-02-08T06:00:00Z", "note": json["note"]})
            return self.shift[-1]
        return await super().post(path, json, params)

    async def put(self, path: str, json: Any = None, params: Any = None) -> Any:
        if path.startswith("/q/views/"):
            name = unquote(path.rpartition("/")[2])
            self.views[name] = {**json, "name": name, "by": "anna", "updated_at": "2026-02-08T09:00:00Z", "mine": True}
            return self.views[name]
        return await super().put(path, json)

    async def delete(self, path: str, json: Any = None, params: Any = None) -> Any:
        self._note("DELETE", path, None)
        self.notes = [n for n in self.notes if not path.endswith(n["id"])]
        self.views.pop(unquote(path.rpartition("/")[2].partition("?")[0]), None)


def asked(client: FakeClient, path: str) -> Any:
    """The parameters of the last question for a path."""
    return [body for method, at, body in client.calls if (method, at) == ("GET", path)][-1]


# Words


@pytest.mark.parametrize("kind", PAGES)
def test_pages_have_words_and_are_kept(kind: str) -> None:
    assert understand(kind, DEFAULT).view == View(kind) or kind == "handover"
    view = View(kind, filter="who:anna")
    assert view.text() == f"{kind} who:anna" and view_of_json(asdict(view)) == view
    assert kind in completions(kind[:3], DEFAULT, ())


def test_a_filter_stands_behind_the_word() -> None:
    assert understand("audit ticket:CHG42 !anna", DEFAULT).view == View("audit", filter="ticket:CHG42 !anna")
    with pytest.raises(CommandError):
        understand("audit (", DEFAULT)
    assert understand("shift start night", DEFAULT).verb == "shift"
    with pytest.raises(CommandError, match="start, show"):
        understand("shift end", DEFAULT)


@pytest.mark.parametrize(
    ("filter", "params"),
    [
        ("", {}),
        ("ticket:CHG42", {"text": "CHG42"}),
        ("ticket:=CHG42 outcome:=failed", {"ticket": "CHG42", "outcome": "failed"}),
        ("web disk-failure", {"text": "disk-failure"}),
        ("web or db", {}),
        ("!web", {}),
        ("ticket:A,B", {}),
        ('"two words"', {}),
        ("ü", {}),
        ("age:>2h", {}),
    ],
)
def test_the_engine_is_asked_for_what_must_occur(filter: str, params: dict[str, str]) -> None:
    assert question(filter) == params


def test_an_age_asks_from_a_time_on() -> None:
    assert set(question("age:<8h who:=anna")) == {"since", "actor"}
    assert set(question("age:<999999999999w")) == {"since"}


# Panes


async def test_audit_is_filtered_and_opened() -> None:
    client = RecordsClient()
    async with console(client, size=(110, 24)) as (app, pilot):
        await pilot.press("8")
        await until_text(pilot, "server.stop", "web-2", "CHG42", "[red]=1+1")
        assert "older ones are not here" in text(app) or "5 older" in text(app)
        await pilot.press("slash", *"ticket:chg42", "enter")
        await until(pilot, lambda: len(app.table.buffer.rows) == 1)
        assert asked(client, "/q/audit")["text"] == "chg42"
        await pilot.press("slash", *" nope:1", "enter")
        await until_text(pilot, "there is no column nope")
        await pilot.press("escape", "enter")
        await until_text(pilot, "audit record 2", "yes: its hash is right", "call.path", "/servers/x/action", "req-1")
        await pilot.press("escape")
        await until(pilot, lambda: app.pane.view.kind == "audit")


async def test_a_record_that_was_changed_says_so() -> None:
    client = RecordsClient()
    async with console(client, size=(110, 24)) as (app, pilot):
        app.open_view(View("record", subject=("1",)))
        await until_text(pilot, "NO: it was changed")
        app.open_view(View("record", subject=("x",)))
        await until_text(pilot, "there is no such record")


async def test_a_note_is_written_seen_and_taken_back() -> None:
    client = RecordsClient()
    async with console(client, size=(110, 30)) as (app, pilot):
        await pilot.press("n")
        await until_text(pilot, "note on server")
        await pilot.press("enter")
        await until_text(pilot, "write what others should know")
        await pilot.press(*"flaky disk until:2020-01-01", "enter")
        await until_text(pilot, "is past")
        await pilot.press(*["backspace"] * 10, *"2h", "enter")
        await until(pilot, lambda: client.notes)
        made = client.notes[0]
        assert made["text"] == "flaky disk" and made["until"].endswith("Z")
        assert made["subject"]["key"] == list(app.table.current.key) and made["subject"]["name"]
        await pilot.press("enter")
        await until_text(pilot, "✎ anna", "flaky disk (until ")
        await pilot.press(*":notes", "enter")
        await until_text(pilot, "flaky disk", "notes 1")
        await pilot.press("delete")
        await until_text(pilot, "take this note back")
        await pilot.press("n", "enter")
        await until_text(pilot, "esc leaves it")
        await pilot.press("backspace", "y", "enter")
        await until(pilot, lambda: not client.notes)
        await until_text(pilot, "n writes one")


class BusyClient(RecordsClient):
    """Takes one note, then none until `busy` is False."""

    busy = True

    async def post(self, path: str, json: Any = None, params: Any = None) -> Any:
        if path == "/q/notes" and self.busy and self.notes:
            raise ApiError(503, "the store is busy")
        return await super().post(path, json, params)


async def test_a_note_on_each_of_the_marked_rows() -> None:
    client = BusyClient()
    async with console(client, size=(110, 30)) as (app, pilot):
        await pilot.press("space", "space", "space", "n")
        await until_text(pilot, "note on each of the 3 marked")
        await pilot.press(*"moved tonight", "enter")
        await until_text(pilot, "1 of 3 are noted, n again writes the rest: the store is busy")
        assert len(app.table.marks.keys) == 2
        client.busy = False
        await pilot.press("n", *"moved tonight", "enter")
        await until(pilot, lambda: not app.table.marks, "none is left to note")
        assert sorted(one["subject"]["name"] for one in client.notes) == ["0000000-web", "0000001-db", "0000002-cache"]
        await until_text(pilot, "noted on 2 rows", "✎ 3 notes", "volumes 3")  # this engine counts all of them
        assert {"subject", "page_size"} <= set(client.asked("GET", "/q/notes")[-1])
        await pilot.press("asterisk", "n")
        await until_text(pilot, "one by one or as a range")


async def test_notes_on_clouds_and_hostile_words() -> None:
    client = RecordsClient()
    client.notes = [note("n1", HOSTILE)]
    async with console(client, size=(110, 30)) as (app, pilot):
        await pilot.press("0", "c")
        await until(pilot, lambda: app.pane.view.kind == "clouds" and app.table.current)
        await pilot.press("n", *"provider called", "enter")
        await until(pilot, lambda: len(client.notes) == 2)
        assert client.notes[0]["subject"] == {
            "kind": "problem", "type": "listing", "key": ["prod-eu"], "name": "prod-eu",
        }  # fmt: skip
        await pilot.press(*":notes", "enter")
        await until_text(pilot, "problem prod-eu", "[red]=1+1")
        assert "\x1b" not in text(app) and "\u202e" not in text(app)
        await pilot.press("j", "enter")
        await until(pilot, lambda: app.pane.view.kind == "detail")


async def test_shift_and_handover(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    client = RecordsClient()
    async with console(client, size=(110, 30)) as (_, pilot):
        await pilot.press(*":shift show", "enter")
        await until_text(pilot, "not begun a shift")
        await pilot.press(*":shift start early", "enter")
        await until(pilot, lambda: client.shift)
        assert client.shift[0]["note"] == "early"
        await pilot.press(*":handover", "enter")
        await until_text(
            pilot,
            "OPEN PROBLEMS",
            "all is well",
            "CHANGES MADE  300",
            "not known: the journal",
            "299 more",
            "[red]=1+1",
        )
        file = tmp_path / "page.md"
        await pilot.press(*":handover markdown page.md", "enter")
        await until(pilot, file.exists)
        await until(pilot, lambda: file.read_text() == "# Hand-over\n")
        await pilot.press(*":handover json page.md", "enter")
        await until_text(pilot, "exists already")
        await pilot.press(*":handover csv no/where", "enter")
        await until_text(pilot, "could not be written")
        await pilot.press("j", "j", "j", "enter")
        await until_text(pilot, "audit record 2")


async def test_a_view_is_kept_opened_and_deleted() -> None:
    client = RecordsClient()
    async with console(client, "volumes /data status:error sort:name:desc", size=(110, 24)) as (app, pilot):
        await pilot.press("b", "enter")
        await until_text(pilot, "1 to 64 characters")
        await pilot.press(*"bad disks", "enter")
        await until(pilot, lambda: client.views)
        [kept] = client.views.values()
        assert kept["text"] == "volumes /data status:error sort:name:desc" and kept["shared"] is False
        await pilot.press(*":servers", "enter")
        await until(pilot, lambda: app.pane.view.type == "server")
        await pilot.press(*":view share night", "enter")
        await until(pilot, lambda: len(client.views) == 2)
        client.views["old"] = {**kept, "name": "old", "text": "spaceships sort:x", "shared": True}
        await pilot.press("apostrophe")
        await until_text(pilot, "saved views", "volumes /data", "shared by anna", "spaceships")
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view.type == "volume" and app.pane.view.filter == "data status:error")
        await pilot.press(*":view night", "enter")
        await until(pilot, lambda: app.pane.view.type == "server")
        await pilot.press(*":view nowhere", "enter")
        await until_text(pilot, "there is no saved view")
        await pilot.press("apostrophe")
        await until_text(pilot, "saved views")
        await pilot.press("delete", "y", "enter")
        await until(pilot, lambda: len(client.views) == 2)
        await pilot.press("G")
        await until_text(pilot, "can't be opened")


async def test_a_single_thing_is_not_kept() -> None:
    client = RecordsClient()
    async with console(client) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view.kind == "detail")
        await pilot.press("b")
        await until_text(pilot, "this is one single thing")
        assert json.dumps(list(client.views)) == "[]"
