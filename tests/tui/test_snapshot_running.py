"""Runs begun and tried again from the room of snapshots: what is refused, and the whole pipeline step by step."""

from __future__ import annotations

from typing import Any

from tests.tui.screen import console, until_gone, until_text
from tests.tui.snapshots_fake import SnapshotClient
from tui.api.errors import ApiError
from tui.state import View

WIDE = (140, 40)


async def test_a_policy_that_nothing_names_is_not_run() -> None:
    client = SnapshotClient()
    async with console(client, size=(80, 24)) as (_, pilot):
        await pilot.press("3", "s")
        await until_text(pilot, "everything")
        await pilot.press("S", "tab", "x", "tab", "enter")
        await until_text(pilot, "there is no policy daily_5x, and nothing names it")
        assert client.asked("POST", "/q/snapshot/runs") == []


async def test_the_whole_pipeline_is_begun_and_its_steps_stand_above_the_runs() -> None:
    client = SnapshotClient()
    async with console(client, size=(80, 24)) as (_, pilot):
        await pilot.press("3", "s")
        await until_text(pilot, "everything")
        await pilot.press("S", "tab", "tab", "right", "right", "enter")
        await until_text(pilot, "the pipeline makes every policy in every cloud: leave Policies empty")
        assert client.asked("POST", "/snapshot/run-now") == []
        await pilot.press("shift+tab", *["backspace"] * 7, "tab", "enter")
        await until_text(pilot, "the pipeline has begun; u shows its steps")
        assert client.asked("POST", "/snapshot/run-now") == [None] and not client.asked("POST", "/q/snapshot/runs")
        await pilot.press("u")
        await until_text(pilot, "write policies to the metadata: 34", "collect again", "the pipeline on demand")
        await pilot.press("c")
        await until_text(pilot, "no run is under the cursor")
        client.pipeline["status"] = "completed"
        client.change({"topic": "snapshots"})
        await until_gone(pilot, "collect again")


async def test_a_run_whose_steps_were_all_done_says_what_to_do_instead() -> None:
    class Done(SnapshotClient):
        async def post(self, path: str, json: Any = None, params: Any = None) -> Any:
            if path == "/q/jobs/job-9/retry":
                raise ApiError(409, "every step of job 2 was done")
            return await super().post(path, json, params)

    client = Done()
    client.runs[1] |= {"snapshots_failed": 0}
    async with console(client, size=WIDE) as (app, pilot):
        app.open_view(View("run", subject=("9",)))
        await until_text(pilot, "try what failed or was skipped again")
        await pilot.press("t", "y", "enter")
        await until_text(pilot, "run 9: no step of it failed; S makes what was left out")
