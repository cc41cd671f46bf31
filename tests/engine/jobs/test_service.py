"""Jobs in this process: counts, groups, failures, cancelling, retrying, resuming."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from engine.api.changes import ChangeFeed
from engine.api.errors import BadRequest, Conflict, NotFound
from engine.audit.service import AuditService
from engine.jobs import execution, service
from engine.jobs.durable import APPLICATION_VERSION
from engine.jobs.models import OPEN
from engine.jobs.service import JobService
from store.ops.errors import OpsDiskFull
from store.ops.jobs_tables import job_attempts, jobs
from store.ops.ops import Ops
from tests.engine.jobs.backend import CALLER, Effects, plan
from tests.engine.process.running import wait_for


class Room:
    """An open jobs room on the ops database of a folder."""

    def __init__(self, folder: Path, effects: type[Effects] = Effects) -> None:
        self.ops = Ops.open(folder / "ops.sqlite")
        self.audit = AuditService(self.ops)
        self.feed = ChangeFeed()
        self.jobs = JobService(self.ops, self.audit, self.feed)
        self.effects = effects(folder)
        self.jobs.register("effects", self.effects)
        self.jobs.begin()

    def submit(self, steps: dict[str, Any], **options: Any) -> str:
        return self.jobs.submit("effects", "Make things", CALLER, steps, options)["id"]

    def ended(self, job: str | int, seconds: float = 20.0) -> dict[str, Any]:
        return wait_for(lambda: (found := self.jobs.job(job))["state"] not in OPEN and found, seconds)

    def states(self, job: str) -> list[str]:
        return [step["state"] for step in self.jobs.job(job)["steps"]]

    def close(self) -> None:
        self.jobs.close()
        self.ops.close()


@contextlib.contextmanager
def opened(folder: Path, effects: type[Effects] = Effects) -> Iterator[Room]:
    one = Room(folder, effects)
    try:
        yield one
    finally:
        one.close()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with opened(tmp_path) as one:
        yield one


def test_a_job_runs_its_plan_and_tells_what_came_of_each_step(room: Room) -> None:
    made = room.jobs.submit(
        "effects",
        "Make things",
        CALLER,
        plan(12, seconds=0.02),
        {"cloud": "lab", "reason": "why", "ticket": "T-1", "plan_id": "p"},
    )
    job = room.ended(made["number"])
    assert (job["state"], job["done"], job["failed"], job["total"], job["can"]) == ("done", 12, 0, 12, [])
    assert (job["cloud"], job["reason"], job["ticket"], job["plan_id"], job["by"]) == ("lab", "why", "T-1", "p", "ops")
    assert [step["request_id"] for step in job["steps"]] == [f"req-{n}" for n in range(1, 13)]
    assert set(room.effects.counts().values()) == {1} and len(room.effects.counts()) == 12
    assert wait_for(lambda: room.effects.over) == ["done"]
    assert 1 < room.effects.together <= 8
    assert room.jobs.page(CALLER)[0] == 1 and "steps" not in room.jobs.page(CALLER)[1][0]
    said = [(item["action"], item["outcome"]) for item in room.audit.page()[1]]
    assert said == [("job.end", "ok"), ("job.submit", "ok")] and room.audit.verify().ok


def test_groups_follow_each_other_and_the_limit_holds(room: Room) -> None:
    steps = plan(9)
    for number, step in enumerate(steps["steps"]):
        step["group"] = number // 3
    job = room.ended(room.submit(steps, parallel=2))
    assert job["state"] == "done" and room.effects.together <= 2
    groups = [(seq - 1) // 3 for seq, _ in room.effects.seen]
    assert groups == sorted(groups)


def test_it_stops_after_so_many_failures(room: Room) -> None:
    steps = plan(20)
    for number in (2, 3, 5):
        steps["steps"][number]["args"]["fail"] = "no"
    job = room.ended(room.submit(steps, parallel=1, stop_after=2))
    assert (job["state"], job["done"], job["failed"]) == ("partial", 2, 2)
    assert [s["state"] for s in job["steps"]][:5] == ["done", "done", "failed", "failed", "skipped"]
    assert job["detail"] == "2 of 20 done, 2 failed, 16 not begun"
    job = room.ended(room.submit(plan(3, fail="no")))
    assert (job["state"], job["failed"]) == ("failed", 3)
    # However many could run side by side: no more of them than may still fail.
    job = room.ended(room.submit(plan(20, fail="no"), stop_after=3))
    assert (job["state"], job["failed"], job["done"]) == ("failed", 3, 0)


def test_cancel_ends_it_between_two_steps_and_retry_does_the_rest(room: Room) -> None:
    room.effects.gates["a"] = threading.Event()
    job = room.submit(plan(6, gate="a"), parallel=2)
    wait_for(lambda: room.states(job).count("running") == 2)
    cancelled = room.jobs.cancel(job, CALLER)
    assert cancelled["cancel_asked"] and cancelled["can"] == []
    room.effects.gates["a"].set()
    ended = room.ended(job)
    assert (ended["state"], ended["done"], ended["can"]) == ("cancelled", 2, ["retry"])
    assert ended["detail"] == "2 of 6 done, 4 not begun; cancelled by ops"
    with pytest.raises(Conflict, match="has ended"):
        room.jobs.cancel(job, CALLER)
    again = room.jobs.retry(job, CALLER)
    assert again["retry_of"] == job and again["total"] == 4
    assert room.ended(again["id"])["state"] == "done"
    assert set(room.effects.counts().values()) == {1} and len(room.effects.counts()) == 6
    with pytest.raises(Conflict, match="every step"):
        room.jobs.retry(again["id"], CALLER)


def test_an_exception_fails_the_step_with_its_sentence(room: Room) -> None:
    room.effects.errors.append(ValueError("the cloud said something odd"))
    job = room.ended(room.submit(plan(2), parallel=1))
    assert (job["state"], job["steps"][0]["detail"]) == ("partial", "the cloud said something odd")


def test_a_job_waits_while_the_storage_cannot_be_written(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "PROBE_SECONDS", 0.05)
    full = OpsDiskFull("the operations database cannot grow because the disk is full; free some space")
    broken = threading.Event()
    begin = room.ops.begin

    @contextlib.contextmanager
    def failing() -> Iterator[Any]:
        if broken.is_set():
            raise full
        with begin() as connection:
            yield connection

    monkeypatch.setattr(room.ops, "begin", failing)
    room.effects.gates["a"] = threading.Event()
    job = room.submit(plan(4, gate="a"), parallel=1)
    wait_for(lambda: room.effects.seen)
    broken.set()
    room.effects.gates["a"].set()
    waiting = wait_for(lambda: (found := room.jobs.job(job))["state"] == "waiting" and found)
    assert "disk is full" in waiting["detail"] and waiting["can"] == ["cancel"]
    assert "disk is full" in room.jobs.status()[0]["detail"]
    before = len(room.effects.lines())
    broken.clear()
    assert room.ended(job)["state"] == "done"
    assert before <= 1 and set(room.effects.counts().values()) == {1}


def test_a_step_whose_audit_cannot_be_written_is_tried_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "PROBE_SECONDS", 0.05)
    room.effects.errors += [OpsDiskFull("full"), OpsDiskFull("full")]
    job = room.ended(room.submit(plan(3), parallel=1))
    assert job["state"] == "done" and [step["attempt"] for step in job["steps"]] == [3, 1, 1]
    with room.ops.read() as connection:
        rows = connection.execute(select(job_attempts.c.token, job_attempts.c.outcome).where(job_attempts.c.seq == 1))
        found = [tuple(row) for row in rows]
    assert len({token for token, _ in found}) == 1
    assert [outcome for _, outcome in found] == ["interrupted", "interrupted", "done"]


def test_a_stopped_engine_takes_its_jobs_up_again(tmp_path: Path) -> None:
    with opened(tmp_path) as one:
        one.effects.gates["a"] = threading.Event()
        steps = plan(30)
        steps["steps"][7]["args"]["gate"] = "a"
        job = one.submit(steps, parallel=1)
        wait_for(lambda: one.states(job)[7] == "running")
    with opened(tmp_path) as two:
        two.effects.gates["a"] = threading.Event()
        two.effects.gates["a"].set()
        ended = two.ended(job)
    assert ended["state"] == "done" and ended["steps"][7]["attempt"] == 2
    assert set(two.effects.counts().values()) == {1} and len(two.effects.counts()) == 30


def test_a_job_stored_but_never_started_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path) as one:
        monkeypatch.setattr(one.jobs, "_start", lambda job: None)
        job = one.submit(plan(2))
        assert one.jobs.job(job)["state"] == "queued"
    with opened(tmp_path) as two:
        assert two.ended(job)["state"] == "done"


def test_a_plan_of_another_version_waits_and_says_so(tmp_path: Path) -> None:
    with opened(tmp_path) as one:
        one.effects.gates["a"] = threading.Event()
        job = one.submit(plan(2, gate="a"), parallel=1)
        wait_for(lambda: one.effects.seen)
    with contextlib.closing(Ops.open(tmp_path / "ops.sqlite")) as ops, ops.begin() as connection:
        connection.execute(update(jobs).values(plan_version=2))
    with opened(tmp_path) as two:
        found = wait_for(lambda: (j := two.jobs.job(job))["detail"] and j)
        assert found["state"] == "waiting" and "can't run version 2" in found["detail"]
        assert two.jobs.status()[0]["problem"] == found["detail"]
    # Nothing was lost by looking at it: the release that can run it does.
    with contextlib.closing(Ops.open(tmp_path / "ops.sqlite")) as ops, ops.begin() as connection:
        connection.execute(update(jobs).values(plan_version=1))
    with opened(tmp_path) as three:
        three.effects.gates["a"] = threading.Event()
        three.effects.gates["a"].set()
        assert three.ended(job)["state"] == "done"


def test_a_job_that_nobody_picks_up_is_an_error_and_can_be_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path) as one:
        one.effects.gates["a"] = threading.Event()
        job = one.submit(plan(2, gate="a"), parallel=1)
        wait_for(lambda: one.effects.seen)
    # As a library with another idea of its version would leave it.
    with contextlib.closing(Ops.open(tmp_path / "ops.sqlite")) as ops, ops.begin() as connection:
        connection.exec_driver_sql("UPDATE workflow_status SET application_version = 'other'")
    with opened(tmp_path) as two:
        found = wait_for(lambda: (j := two.jobs.job(job))["detail"] and j)
        assert found["state"] == "waiting" and "was not taken up" in found["detail"]
        ended = two.jobs.cancel(job, CALLER)
        assert ended["state"] == "cancelled"
        assert [step["state"] for step in ended["steps"]] == ["failed", "skipped"]
        assert "interrupted" in ended["steps"][0]["detail"] and two.effects.over == ["cancelled"]
        assert two.jobs.status() == []
        monkeypatch.setattr(service, "PICK_UP_SECONDS", 0.0)
        monkeypatch.setattr(two.jobs, "_start", lambda job: None)
        lost = two.submit(plan(1))
        assert "was not picked up" in (two.jobs.job(lost)["detail"] or "")


def test_the_same_id_twice_is_one_job(room: Room) -> None:
    ids = {room.submit(plan(2), job_id="0198c0de-0000-7000-8000-000000000000") for _ in range(3)}
    room.ended(ids.pop())
    assert not ids and set(room.effects.counts().values()) == {1} and room.jobs.page()[0] == 1


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ({"steps": []}, "at least one step"),
        ({"steps": [{"name": "a", "group": 2}, {"name": "b", "group": 1}]}, "order of their groups"),
    ],
)
def test_a_plan_that_is_none(room: Room, steps: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence):
        room.submit(steps)
    assert room.jobs.page()[0] == 0


def test_unknown_kinds_versions_and_jobs(room: Room) -> None:
    with pytest.raises(Conflict, match="no jobs of kind other"):
        room.jobs.submit("other", "x", CALLER, plan(1))
    with pytest.raises(Conflict, match="version 7"):
        room.submit({**plan(1), "version": 7})
    with pytest.raises(NotFound):
        room.jobs.job("12")


def test_a_limited_caller_sees_his_own_jobs(room: Room) -> None:
    room.ended(room.submit(plan(1)))
    other = replace(CALLER, name="eve", uid=1001, projects=("p",))
    assert room.jobs.page(other) == (0, [])
    with pytest.raises(NotFound):
        room.jobs.job(1, other)


def listening() -> set[str]:
    """Inodes of this process's listening TCP sockets."""
    own = {str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()}
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return {row[9] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in own}


def test_a_backup_made_while_a_job_runs_finishes_it_elsewhere(room: Room, tmp_path: Path) -> None:
    room.effects.gates["a"] = threading.Event()
    steps = plan(6)
    steps["steps"][3]["args"]["gate"] = "a"
    job = room.submit(steps, parallel=1)
    wait_for(lambda: room.states(job)[3] == "running")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    room.ops.backup(elsewhere / "ops.sqlite")
    room.jobs.cancel(job, CALLER)
    room.effects.gates["a"].set()
    room.ended(job)
    room.close()
    with opened(elsewhere) as two:
        two.effects.gates["a"] = room.effects.gates["a"]
        assert two.ended(job)["state"] == "done"
        assert two.effects.counts() == {"e4": 1, "e5": 1, "e6": 1}


def test_the_library_is_silent_constant_and_in_our_file(
    room: Room, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert not room.jobs._durable.launched
    before = listening()
    job = room.submit(plan(3))
    room.ended(job)
    assert listening() == before
    with room.ops.read() as connection:
        row = connection.exec_driver_sql("SELECT application_version, serialization FROM workflow_status").one()
        assert tuple(row) == (APPLICATION_VERSION, "portable_json")
    room.close()
    assert capfd.readouterr() == ("", "")
    with opened(tmp_path) as two, two.ops.read() as connection:
        two.jobs._launch()
        # What has ended is ours to remember; the library's rows go.
        assert connection.exec_driver_sql("SELECT count(*) FROM workflow_status").scalar() == 0
        assert connection.exec_driver_sql("SELECT count(*) FROM operation_outputs").scalar() == 0
    assert not logging.getLogger("dbos").propagate


def test_many_jobs_side_by_side(room: Room) -> None:
    ids = [room.submit(plan(5), parallel=2) for _ in range(20)]
    assert {room.ended(job, 40)["state"] for job in ids} == {"done"}
    assert [item["number"] for item in room.jobs.page()[1]] == list(range(20, 0, -1))
    assert room.effects.counts() == {f"e{n}": 20 for n in range(1, 6)}
