"""Marked machines get one plan: what is asked for all of them, its review, its phrase, and the page it runs on."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from textual import events

from engine.restore.bulk import bodies
from tests.tui.fakes import HOSTILE, stamp
from tests.tui.restore_fake import RestoreClient, point
from tests.tui.screen import console, text, until, until_text
from tui import restore_many
from tui.api.errors import ApiError
from tui.problems import view_of
from tui.state import View
from tui.times import TimeError

BULK = "/q/restore/bulk"
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def line(number: int, **more: Any) -> dict[str, Any]:
    """A machine of a plan."""
    return {
        "cloud": "prod-eu", "region": "eu-1", "id": f"m{number}", "name": f"db-{number}", "project_id": "p1",
        "project_name": "acme", "group": 0, "eligible": True, "state": "WAITING", "detail": "", "point": point(16),
        "lost_seconds": 58_000, "lost": ["the disk data1 is left out"], "warnings": [],
        "job_id": None, "number": None, "step": None, "progress": None, "started_at": None,
        "ended_at": None, **more,
    }  # fmt: skip


class ManyClient(RestoreClient):
    """An engine that plans many machines."""

    def __init__(self) -> None:
        super().__init__()
        self.many: dict[str, Any] = {
            "id": "many-1", "status": "PLANNED", "way": "REPLACE", "clouds": ["prod-eu"], "created_at": stamp(0),
            "created_by": "root", "expires_at": stamp(1781.5), "expired": False, "executed_at": None,
            "executed_by": None, "finished_at": None, "detail": "2 of 3 machines can be restored so",
            "counts": {"WAITING": 2, "NOT_POSSIBLE": 1}, "total": 2, "seconds": 600, "can": ["execute", "cancel"],
            "hash": "h1", "at": None, "limits": {"parallel": 16, "per_backend": 4, "per_project": 4, "stop_after": 3},
            "sums": [], "refused": None,
            "machines": [line(0), line(1), line(2, eligible=False, state="NOT_POSSIBLE", detail="db-2 is locked")],
            "requires": {"reason": False, "ticket": False, "ticket_pattern": None,
                         "typed": "DELETE AND RESTORE 2 MACHINES"},
        }  # fmt: skip

    async def get(self, path: str, params: Any = None, json: Any = None) -> Any:
        if not path.startswith(BULK):
            return await super().get(path, params, json)
        self._note("GET", path, params)
        return {"items": [copy.deepcopy(self.many)]} if path == BULK else copy.deepcopy(self.many)

    async def post(self, path: str, json: Any = None, params: Any = None) -> Any:
        if not path.startswith(BULK):
            return await super().post(path, json, params)
        self._note("POST", path, copy.deepcopy(json))
        if path in self.refusals:
            raise self.refusals[path]
        what = path.removeprefix(BULK).rpartition("/")[2]
        if what == "":
            bodies.BulkBody.model_validate(json)
        elif what == "execute":
            bodies.BulkExecuteBody.model_validate(json)
            self.goes()
        elif what == "cancel":
            bodies.BulkCancelBody.model_validate(json)
        elif what == "pause":
            self.many |= {"status": "PAUSED", "can": ["resume", "cancel"], "detail": "paused: by root"}
        elif what == "resume":
            self.many |= {"status": "RUNNING", "can": ["pause", "cancel"]}
        return copy.deepcopy(self.many)

    def goes(self) -> None:
        self.many |= {"status": "RUNNING", "can": ["pause", "cancel"], "counts": {"RUNNING": 1, "WAITING": 1}}
        self.many["machines"][0] |= {"state": "RUNNING", "job_id": "j1", "number": 9, "step": "CREATE_SERVER",
                                     "started_at": stamp(-5)}  # fmt: skip


async def planned(pilot: Any) -> None:
    """The review of two marked machines."""
    await pilot.press("space", "j", "space", "R")
    await until_text(pilot, "Plan them")
    await pilot.press(*["enter"] * 6)
    await until_text(pilot, "RESTORE 2 of 3 machines")


async def test_marked_machines_get_one_plan_which_is_carried_out_once_its_phrase_is_typed() -> None:
    client = ManyClient()
    async with console(client) as (app, pilot):
        await planned(pilot)
        (asked,) = client.asked("POST", BULK)
        assert len(asked["keys"]) == 2 and asked["way"] == "NEW" and asked["stop_after"] == 3
        assert not client.asked("GET", "/q/restore/start"), "none is restored by itself"
        await until_text(pilot, "db-2 is locked")
        assert "loses 16h06m" in text(app)
        await until_text(pilot, "the disk data1 is left out")
        await pilot.press("enter", "enter", "enter")
        field = app.dialog.page.focus
        assert field.value() is None
        app.post_message(events.Paste("DELETE AND RESTORE 2 MACHINES"))
        await until_text(pilot, "what is pasted was not read")
        assert field.value() is None and not client.asked("POST", f"{BULK}/many-1/execute")
        await pilot.press(*"DELETE AND RESTORE 2 MACHINES")
        await pilot.press("enter", "enter")
        await until(pilot, lambda: app.pane.view == View("restores-many", subject=("many-1",)))
        await until_text(pilot, "CREATE_SERVER")
        assert not app.table.marks
    (body,) = client.asked("POST", f"{BULK}/many-1/execute")
    assert body == {"reason": "", "ticket": "", "typed": "DELETE AND RESTORE 2 MACHINES", "hash": "h1", "leave_out": []}


async def test_what_is_left_out_is_not_in_the_phrase() -> None:
    client = ManyClient()
    async with console(client) as (app, pilot):
        await planned(pilot)
        await pilot.press("space")
        await until_text(pilot, "DELETE AND RESTORE 1 MACHINE")
        page = app.dialog.page
        assert page.out == {("prod-eu", "eu-1", "m0")} and page.go_label == "REPLACE 1 machine"
        await pilot.press("G", "space")
        await until_text(pilot, "it is left out anyway")
        await pilot.press("g", "space")
        await until_text(pilot, "DELETE AND RESTORE 2 MACHINES")


async def test_a_refusal_is_said_and_nothing_is_sent_again() -> None:
    client = ManyClient()
    client.many["requires"]["typed"] = None
    client.refusals[f"{BULK}/many-1/execute"] = ApiError(409, "older than 30 minutes", {"code": "expired"})
    async with console(client) as (app, pilot):
        await planned(pilot)
        await pilot.press("enter", "enter", "enter", "enter")
        await until_text(pilot, "older than 30 minutes")
        await until_text(pilot, "p plans again")
        await pilot.press("tab", "tab", "tab", "enter")
        assert len(client.asked("POST", f"{BULK}/many-1/execute")) == 1
        client.refusals.clear()
        app.dialog.page.focus = "body"
        await pilot.press("p")
        await until(pilot, lambda: len(client.asked("POST", BULK)) == 2)


async def test_it_is_paused_resumed_and_cancelled_from_its_page() -> None:
    client = ManyClient()
    client.goes()
    async with console(client) as (app, pilot):
        app.open_view(View("restores-many", subject=("many-1",)))
        await until_text(pilot, "CREATE_SERVER")
        await pilot.press("space")
        await until_text(pilot, "paused: by root")
        await pilot.press("space", "y", "enter")
        await until(pilot, lambda: bool(client.asked("POST", f"{BULK}/many-1/resume")))
        await pilot.press("c")
        await pilot.press(*"all", "enter")
        await until(pilot, lambda: client.asked("POST", f"{BULK}/many-1/cancel") == [{"running": True}])
        await pilot.press("g", "enter")
        await until(pilot, lambda: app.pane.view == View("restore", subject=("j1",)))


async def test_the_list_of_them_leads_to_one() -> None:
    client = ManyClient()
    client.goes()
    async with console(client) as (app, pilot):
        app.open_view(View("restores-many"))
        await until_text(pilot, "2 of 3 machines can be restored so")
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view == View("restores-many", subject=("many-1",)))


async def test_names_from_clouds_stay_text() -> None:
    client = ManyClient()
    client.many["machines"][0] |= {"name": HOSTILE, "detail": HOSTILE}
    async with console(client) as (app, pilot):
        await planned(pilot)
        assert not set(text(app)) & set("\x1b\x07\u202e")
        client.goes()
        client.many["machines"][0] |= {"step": HOSTILE, "progress": HOSTILE}
        await pilot.press("escape", "escape")
        app.open_view(View("restores-many", subject=("many-1",)))
        await until_text(pilot, "db-1")
        assert not set(text(app)) & set("\x1b\x07\u202e")


def test_a_problem_leads_to_it() -> None:
    assert view_of({"rule": "restore_many_paused", "opens": "many:b1"}) == View("restores-many", subject=("b1",))


@pytest.mark.parametrize(
    ("values", "body"),
    [
        ({}, {"way": "NEW"}),
        ({"way": "REPLACE", "ip_strategy": ""}, {"way": "REPLACE"}),
        ({"order": "db-*; mq-* app-* ;"}, {"way": "NEW", "order": ["db-*", "mq-* app-*"]}),
        ({"at": "yesterday 22:00"}, {"way": "NEW", "at": "2026-03-03T22:00:00+00:00"}),
        ({"parallel": 2, "stop_after": 1}, {"way": "NEW", "limits": {"parallel": 2}, "stop_after": 1}),
    ],
)
def test_what_is_filled_in_becomes_the_request(values: dict[str, Any], body: dict[str, Any]) -> None:
    keys = [("prod-eu", "eu-1", "m0")]
    assert restore_many.request(keys, values, NOW) == {"keys": [["prod-eu", "eu-1", "m0"]], **body}


@pytest.mark.parametrize("words", ["someday", "2026-03-05T00:00:00Z"])
def test_a_time_that_is_none_is_refused(words: str) -> None:
    with pytest.raises(TimeError):
        restore_many.request([], {"at": words}, NOW)


@pytest.mark.parametrize(
    ("typed", "out", "phrase"),
    [
        ("DELETE AND RESTORE 2 MACHINES", 0, "DELETE AND RESTORE 2 MACHINES"),
        ("prod DELETE AND RESTORE 2 MACHINES", 1, "prod DELETE AND RESTORE 1 MACHINE"),
        ("prod", 1, "prod"),
        (None, 1, ""),
    ],
)
def test_the_phrase_counts_what_is_left(typed: str | None, out: int, phrase: str) -> None:
    plan = {"machines": [line(0), line(1)], "requires": {"typed": typed}}
    assert restore_many.phrase_for(plan, out) == phrase
