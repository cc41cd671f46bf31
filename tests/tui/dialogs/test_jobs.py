"""Jobs on screen: the list, one job live, cancel and retry, notes, and a word everywhere when one of mine ends."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from tests.tui.fakes import HOSTILE, GateClient, job, step
from tests.tui.screen import console, lines, text, until, until_gone, until_text
from tui.commands import understand
from tui.panes.jobs import bar, length, progress, why_parts
from tui.state import DEFAULT, View, view_of_json


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.42, "0.4s"), (58.9, "58s"), (131, "2m11s"), (3900, "1h05m"), (300_000, "3d"), (-3, "0.0s")],
)
def test_lengths(seconds: float, words: str) -> None:
    assert length(seconds) == words


def test_progress_is_words_and_a_bar() -> None:
    half = job(1, steps=[step(1, "done"), step(2, "failed"), step(3), step(4)])
    assert progress(half) == "1/4 ✖1" and bar(half, 10) == "█████░░░░░"
    assert bar({"total": 0}, 4) == "░░░░" and progress({}) == "0/0"


def test_jobs_have_words_and_are_kept() -> None:
    assert understand("jobs state:failed", DEFAULT).view == View("jobs", filter="state:failed")
    assert understand("job 118", DEFAULT).verb == "job"
    for view in (View("jobs", filter="who"), View("job", subject=("job-1",))):
        assert view_of_json(asdict(view)) == view


async def test_the_list_filters_and_opens() -> None:
    client = GateClient()
    client.jobs = [job(119, title=HOSTILE), job(118, "partial", [step(1, "done"), step(2, "failed")], can=["retry"])]
    async with console(client) as (app, pilot):
        await pilot.press("7")
        await until_text(pilot, "119", "118", "partial", "1/2 ✖1")
        assert "\x1b" not in text(app)
        await pilot.press("slash", *"state:partial", "enter")
        await until_gone(pilot, "119")
        await pilot.press("c")
        await until_text(pilot, "job 118: it has ended")
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view == View("job", subject=("job-118",)))


async def test_a_job_is_watched_live_and_left_running() -> None:
    client = GateClient()
    client.jobs = [job(118)]
    async with console(client) as (app, pilot):
        await pilot.press("colon", *"job 118", "enter")
        await until_text(pilot, "web-1", "web-3", "by root", "reason disk")
        before = text(app)
        client.jobs[0]["steps"][1] = step(2, "failed", detail="no valid host", request_id="req-9")
        client.change({"topic": "jobs", "id": "job-118"})
        await until_text(pilot, "no valid host")
        assert before != text(app)
        await pilot.press("j", "o")
        await until(pilot, lambda: app.pane.view.kind == "detail" and app.pane.view.subject[2].startswith("00000002"))
        await pilot.press("q", "q")
        await until_text(pilot, "STATUS")
        assert not client.writes


async def test_running_steps_grow_older_by_themselves() -> None:
    client = GateClient()
    client.jobs = [job(118)]
    async with console(client, "servers") as (app, pilot):
        app.open_view(View("job", subject=("job-118",)))
        await until_text(pilot, "web-2")
        first = text(app)
        await until(pilot, lambda: text(app) != first, "the seconds of the running step")
        assert len([1 for m, p, _ in client.calls if p == "/q/jobs/job-118"]) == 1


async def test_cancel_and_retry_ask_first() -> None:
    client = GateClient()
    client.jobs = [job(118)]
    async with console(client) as (app, pilot):
        app.open_view(View("job", subject=("job-118",)))
        await until_text(pilot, "web-2")
        await pilot.press("t")
        await until_text(pilot, "nothing of it failed")
        await pilot.press("c")
        await until_text(pilot, "cancel job 118?")
        await pilot.press("escape")
        assert not client.writes
        await pilot.press("c", "y", "enter")
        await until_text(pilot, "begins no further step")
        assert client.writes == [("POST", "/q/jobs/job-118/cancel")]
        client.jobs[0] |= job(118, "failed", [step(1, "failed")], can=["retry"])
        client.change({"topic": "jobs", "id": "job-118"})
        await until_text(pilot, "try what is not done again")
        await pilot.press("t", "y", "enter")
        await until(pilot, lambda: app.pane.view.subject == ("job-101",))
        assert client.writes[-1] == ("POST", "/q/jobs/job-118/retry")


@pytest.mark.parametrize(
    ("state", "said"), [("done", "✔ job 118 Stop 3 servers: done"), ("partial", "✖ job 118 Stop 3 servers: partial")]
)
async def test_the_end_of_a_job_of_mine_is_told_everywhere(state: str, said: str) -> None:
    client = GateClient()
    client.jobs = [job(118), job(117, by="somebody else")]
    async with console(client) as (app, pilot):
        client.change({"topic": "jobs", "id": "job-118"})
        await until_text(pilot, "◐ job 118 Stop 3 servers 1/3")
        client.jobs[1] |= {"state": "failed"}
        client.jobs[0] |= job(118, state, [step(1, "done"), step(2, "failed")], detail="1 of 2 done")
        client.change({"topic": "jobs", "id": "job-118"})
        await until(pilot, lambda: said in lines(app)[1], said)
        assert "117" not in text(app)
        await pilot.press("7")
        await until(pilot, lambda: app.pane.view.kind == "jobs" and not app.world.job_alert[1])


async def test_notes_are_written_on_jobs() -> None:
    sent: list[Any] = []

    class Noting(GateClient):
        async def post(self, path: str, json: Any = None, params: Any = None) -> Any:
            if path == "/q/notes":
                sent.append(json)
                return {}
            return await super().post(path, json, params)

    client = Noting()
    client.jobs = [job(118)]
    async with console(client) as (_, pilot):
        await pilot.press("7")
        await until_text(pilot, "118")
        await pilot.press("n", *"see CHG42", "enter")
        await until(pilot, lambda: sent)
        subject = {"kind": "job", "type": "actions", "key": ["job-118"], "name": "118 Stop 3 servers"}
        assert sent[0]["subject"] == subject and sent[0]["text"] == "see CHG42"


@pytest.mark.parametrize("detail", ["3 of 9 done; cancelled by dana", "", None])
def test_who_cancelled_is_told_once(detail: str | None) -> None:
    words = "".join(part for part, _ in why_parts({"detail": detail, "cancelled_by": "dana"}))
    assert words.count("cancelled by dana") == 1
