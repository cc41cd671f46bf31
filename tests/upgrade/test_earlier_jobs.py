"""Jobs of the write gate and of snapshot policies that a build from before restores left open, and an older dbos.

The kept files are what make_earlier.py wrote at their time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.ops.migrations import LATEST
from tests.engine.process.running import wait_for
from tests.upgrade import earlier, files
from tests.upgrade.earlier import Earlier

FILES = sorted(folder for folder in files.KEPT.iterdir() if "actions" in files.about(folder)["open_jobs"])
SECONDS = 60.0


@pytest.fixture(params=FILES, ids=lambda folder: folder.name)
def kept(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture
def left(kept: Path, tmp_path: Path) -> Iterator[tuple[Earlier, files.Doc]]:
    """A copy of a kept file, opened by this build; nothing runs yet."""
    stored = files.unpack(kept, tmp_path)
    with earlier.opened(tmp_path) as one:
        one.read(stored)
        one.wanted(stored["volumes"])
        one.serve()
        one.world.now = earlier.simulated.START + earlier.simulated.timedelta(days=1)
        yield one, stored


def test_every_open_job_is_finished(left: tuple[Earlier, files.Doc], kept: Path) -> None:
    one, stored = left
    assert files.about(kept)["schema"] < LATEST == one.ops.schema_version()
    open_jobs = {job["id"] for job in one.jobs.status()}
    assert open_jobs == set(stored["jobs"])
    cut = {id: sum(step["state"] == "running" for step in one.jobs.job(id)["steps"]) for id in open_jobs}
    for id, was in stored["jobs"].items():
        assert (cut[id] > 0) == (was["state"] not in ("stored", "queued")), "left where it says"
    one.jobs.begin()
    wait_for(lambda: not one.jobs.status(), SECONDS)
    for id, was in stored["jobs"].items():
        job = one.jobs.job(id)
        assert job["state"] == was["ends"], (was, job["detail"], [step["detail"] for step in job["steps"]])
        assert {step["phase"] for step in job["steps"]} == {"do"}
    assert one.audit.verify().ok


def test_nothing_is_done_twice(left: tuple[Earlier, files.Doc]) -> None:
    one, stored = left
    one.jobs.begin()
    wait_for(lambda: not one.jobs.status(), SECONDS)
    sent = Counter((method, path) for method, path, _ in one.gate.cloud.sent)
    assert sent and max(sent.values()) == 1, "each machine is stopped once, the network is made once"
    states = Counter(doc["status"] for doc in one.gate.cloud.docs.values() if "status" in doc)
    cancelled = next(id for id, was in stored["jobs"].items() if was["ends"] == "cancelled")
    skipped = sum(step["state"] == "skipped" for step in one.jobs.job(cancelled)["steps"])
    assert states == Counter({"SHUTOFF": sum(states.values()) - skipped, **({"ACTIVE": skipped} if skipped else {})})
    made = Counter(snapshot["volume_id"] for snapshot in one.world.cloud.made)
    assert made == dict.fromkeys(stored["volumes"], 1), "each volume has one snapshot"


def test_the_run_of_the_policies_is_closed(left: tuple[Earlier, files.Doc]) -> None:
    one, stored = left
    one.jobs.begin()
    wait_for(lambda: not one.jobs.status(), SECONDS)
    wait_for(lambda: (one.world.timing.tick(one.world.now), not one.world.records.open())[1], SECONDS)
    for volume, policy in stored["volumes"].items():
        (own,) = one.world.own(volume, policy)
        assert own["state"] == "made", "the register knows it as ours"
