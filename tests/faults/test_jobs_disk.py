"""A disk that fills while a job runs: the job stops before its next change, says so, and goes on later."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest

from engine.jobs.models import OPEN
from engine.process.models import Home
from tests.engine.jobs.backend import Effects, plan
from tests.engine.process.running import Engine, wait_for
from tests.faults.test_full_disk import fill, small_disk

pytestmark = pytest.mark.faults


def test_a_job_waits_for_space_and_then_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with small_disk(64) as small, tempfile.TemporaryDirectory(prefix="qd-") as cloud:
        monkeypatch.setenv("QDECK_TEST_EFFECTS", cloud)  # the cloud's disk is not the engine's
        one = Engine(Home(small / "home"), application="tests.faults.jobs_app").until_running()
        effects = Effects(Path(cloud))
        try:
            with one.client() as client:
                body = {"title": "t", "plan": plan(400, seconds=0.02), "options": {"parallel": 4}}
                job = client.post("/q/test/jobs", body)["number"]
                wait_for(lambda: len(effects.lines()) > 10)
                filler = fill(small)
                waiting = wait_for(lambda: (found := client.get(f"/q/jobs/{job}"))["state"] == "waiting" and found)
                assert "disk is full" in waiting["detail"], waiting
                assert client.get("/q/engine")["jobs"][0]["state"] == "waiting"
                made = len(effects.lines())
                assert made < 400
                filler.unlink()
                ended = wait_for(lambda: (f := client.get(f"/q/jobs/{job}"))["state"] not in OPEN and f, 60)
                assert ended["state"] == "done"
            assert effects.counts() == Counter(f"e{n}" for n in range(1, 401))
        finally:
            one.close()
