"""A disk that fills while a job runs: what was sent is recorded, nothing new begins, and the job goes on later."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from engine.jobs.models import OPEN
from engine.process.models import Home
from tests.engine.jobs.backend import Effects, plan
from tests.engine.process.running import Engine, wait_for
from tests.faults.test_full_disk import fill, small_disk
from tui.api.errors import ApiError

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


def home_with_reserve(folder: Path) -> Home:
    """A home whose engine keeps 32 MB back."""
    home = Home(folder / "home")
    home.path.mkdir(mode=0o700)
    home.config.write_text("[storage]\nreserve_mb = 32\n")
    return home


def test_what_was_in_flight_is_recorded_and_nothing_new_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    with small_disk(96) as small, tempfile.TemporaryDirectory(prefix="qd-") as cloud:
        monkeypatch.setenv("QDECK_TEST_EFFECTS", cloud)
        home = home_with_reserve(small)
        one = Engine(home, application="tests.faults.jobs_app").until_running()
        effects = Effects(Path(cloud))
        try:
            with one.client() as client:
                assert client.get("/q/engine")["reserve"] == {"state": "held", "megabytes": 32, "problem": None}
                # Results that no free page of the database or its log has room for.
                body = {"title": "t", "plan": plan(8, hold="go", size=2 << 20), "options": {"parallel": 4}}
                job = client.post("/q/test/jobs", body)["number"]
                wait_for(lambda: len(effects.lines()) == 4)
                filler = fill(small)
                (Path(cloud) / "go").touch()
                found = wait_for(lambda: (f := client.get(f"/q/jobs/{job}"))["done"] == 4 and f)
                found = wait_for(lambda: (f := client.get(f"/q/jobs/{job}"))["state"] == "waiting" and f)
                assert "space kept back for records is in use" in found["detail"], found
                assert [step["state"] for step in found["steps"]] == ["done"] * 4 + ["pending"] * 4
                assert len(effects.lines()) == 4
                assert client.get("/q/engine")["reserve"]["state"] == "given_up"
                for method, path in (("GET", "/health"), ("POST", "/q/test/jobs")):
                    with pytest.raises(ApiError, match="nothing new is begun") as refused:
                        client.request(method, path, json=body if method == "POST" else None)
                    assert refused.value.status == 503
                filler.unlink()
                ended = wait_for(lambda: (f := client.get(f"/q/jobs/{job}"))["state"] not in OPEN and f, 60)
                assert ended["state"] == "done"
                assert client.get("/q/engine")["reserve"]["state"] == "held"
                assert client.get("/health")["status"] == "ok"
            assert effects.counts() == Counter(f"e{n}" for n in range(1, 9))
            assert home.reserve.stat().st_blocks * 512 >= 32 << 20
        finally:
            one.close()


def test_an_engine_on_a_full_disk_is_stopped_and_the_next_one_waits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with small_disk(96) as small, tempfile.TemporaryDirectory(prefix="qd-") as cloud:
        monkeypatch.setenv("QDECK_TEST_EFFECTS", cloud)
        home, effects = home_with_reserve(small), Effects(Path(cloud))
        one = Engine(home, application="tests.faults.jobs_app").until_running()
        try:
            with one.client() as client:
                body = {"title": "t", "plan": plan(1, hold="go", size=2 << 20), "options": {}}
                job = client.post("/q/test/jobs", body)["number"]
                wait_for(effects.lines)
                filler = fill(small)
                (Path(cloud) / "go").touch()
                wait_for(lambda: client.get(f"/q/jobs/{job}")["state"] == "done")
                assert client.get("/q/engine")["reserve"]["state"] == "given_up"
                client.post("/q/engine/stop", {})
            assert one.process.wait(30) == 0
        finally:
            one.close()
        # Some space, and not enough for all that is to be kept back.
        os.truncate(filler, filler.stat().st_size - (4 << 20))
        two = Engine(home, application="tests.faults.jobs_app").until_running()
        try:
            with two.client() as client:
                stopped = client.get("/q/audit", {"action": "engine.stop"})["items"]
                assert len(stopped) == 1
                with pytest.raises(ApiError, match="nothing new is begun"):
                    client.post("/q/test/jobs", body)
                filler.unlink()
                again = client.post("/q/test/jobs", body)["number"]
                wait_for(lambda: client.get(f"/q/jobs/{again}")["state"] == "done")
                assert client.get("/q/engine")["reserve"]["state"] == "held"
        finally:
            two.close()
