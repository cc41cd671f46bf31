"""Jobs through the API of an engine in this process."""

from __future__ import annotations

import asyncio
from pathlib import Path

from engine.access.models import Caller
from engine.embedded import Engine
from engine.jobs.models import OPEN, JobDetail, Jobs
from tests.engine.jobs.backend import CALLER, Effects, plan
from tests.engine.process.running import wait_for

VIEWER = Caller("eve", 1001, None, None, "viewer")


async def test_jobs_are_listed_shown_cancelled_and_retried(tmp_path: Path) -> None:
    async with Engine.open(tmp_path, CALLER) as engine:
        service, get, post = engine.parts.jobs, engine.client.get, engine.client.post
        service.register("effects", Effects(tmp_path))
        since = engine.parts.feed.seq
        steps = plan(3)
        steps["steps"][1]["args"]["fail"] = "no"
        job = await asyncio.to_thread(service.submit, "effects", "Make", CALLER, steps, {"cloud": "lab"})
        wait_for(lambda: service.job(job["id"])["state"] not in OPEN)
        one = JobDetail.model_validate((await get("/q/jobs/1")).json())
        assert (one.id, one.state, one.can, one.steps[1].detail) == (job["id"], "partial", ["retry"], "no")
        assert (await get(f"/q/jobs/{job['id']}")).json()["number"] == 1
        assert (await post("/q/jobs/1/cancel")).status_code == 409
        again = await post("/q/jobs/1/retry")
        assert again.status_code == 202 and again.json()["retry_of"] == job["id"]
        wait_for(lambda: service.job(2)["state"] == "failed")
        listed = Jobs.model_validate((await get("/q/jobs", params={"state": ["failed", "done"]})).json())
        assert [item.number for item in listed.items] == [2] and listed.total == 1
        assert (await get("/q/jobs", params={"state": "odd"})).status_code == 422
        assert (await get("/q/jobs/99")).status_code == 404
        hints = (await engine.parts.feed.wait(since, 1))["hints"]
        assert {(hint["topic"], hint["id"]) for hint in hints} == {("jobs", job["id"]), ("jobs", again.json()["id"])}


async def test_a_viewer_looks_and_changes_nothing(tmp_path: Path) -> None:
    async with Engine.open(tmp_path, VIEWER) as engine:
        assert (await engine.client.get("/q/jobs")).json()["items"] == []
        for what in ("cancel", "retry"):
            assert (await engine.client.post(f"/q/jobs/1/{what}")).status_code == 403
