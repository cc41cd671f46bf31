"""A quota is raised once and given back once, wherever the engine dies, and whoever else is at it."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.access.models import Caller
from engine.restore.models import Raise, Source
from engine.restore.records import Records
from engine.restore.steps.failing import Failed
from store.ops.ops import Ops
from tests.engine.restore.steps import job as jobs
from tests.engine.restore.steps.cloud import FakeCloud
from tests.engine.restore.steps.cloud_base import PROJECT, Crash
from tests.engine.restore.steps.conftest import MEMORY
from tests.engine.restore.steps.job import Job, disk, plan

RAISE, LOWER, UNDO = "RAISE_QUOTA", "LOWER_QUOTA", "UNDO_RAISE_QUOTA"
RAISES = (
    Raise("compute", "instances", PROJECT, 10, 11),
    Raise("block-storage", "volumes", PROJECT, 10, 12),
)
BEFORE, UP = (10, 10), (11, 12)
PASSING = ("lost", "timeout", "500_done", "500", "503", "429", "409", "crash_before", "crash_after")


def make_job(
    records: Records, cloud: FakeCloud | None = None, raises: tuple[Raise, ...] = RAISES, way: Any = "NEW"
) -> Job:
    """A machine with two disks that are restored: one instance and two volumes more than fit."""
    cloud = cloud or FakeCloud()
    root, data = cloud.add_volume("root"), cloud.add_volume("data")
    server = cloud.add_server([root, data])
    sources = [Source("snapshot", f"s-{one}", volume_id=one, size_gb=1) for one in (root, data)]
    disks = (disk(cloud, root, sources[0], root=True), disk(cloud, data, sources[1]))
    return Job(cloud, records, plan(way, server, *disks, raises=raises))


def limits(job: Job) -> tuple[int, int]:
    found = job.cloud.limits
    return found["compute"]["instances"][0], found["block-storage"]["volumes"][0]


def states(job: Job) -> set[str]:
    """Of its raises; what was set aside after a crash is not one."""
    rows = [row for row in job.records.of_job(job.plan.id) if row["type"] == "quota"]
    assert all(row["state"] == "removed" for row in rows if "#" in row["purpose"])
    return {row["state"] for row in rows if "#" not in row["purpose"]}


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Of its own: whose raises there are matters."""
    where = MEMORY if MEMORY.is_dir() else tmp_path
    with (
        tempfile.TemporaryDirectory(prefix="quotas-", dir=where) as folder,
        closing(Ops.open(Path(folder) / "ops.sqlite")) as ops,
    ):
        yield Records(ops)


@pytest.fixture(autouse=True)
def _by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "CALLER", Caller(name="ops", uid=1000, role="superadmin"))


def test_raised_and_given_back(records: Records) -> None:
    job = make_job(records)
    assert job.step(RAISE).detail == "instances from 10 to 11; volumes from 10 to 12"
    assert (limits(job), states(job)) == (UP, {"made"})
    # What was made is used now: it is given back all the same.
    job.cloud.limits["compute"]["instances"][1] = 11
    job.cloud.limits["block-storage"]["volumes"][1] = 12
    assert job.step(LOWER).detail == "volumes from 12 back to 10; instances from 11 back to 10"
    assert (limits(job), states(job)) == (BEFORE, {"removed"})
    assert len(job.cloud.sent) == 4
    assert {(call.session, call.project_id) for call in job.cloud.calls} == {("admin", PROJECT)}


def test_what_is_not_needed_any_more_is_not_raised(records: Records) -> None:
    job = make_job(records)
    job.cloud.limits["compute"]["instances"][1] = 9
    job.cloud.limits["block-storage"]["volumes"][0] = -1
    assert job.step(RAISE).detail == "instances fits as it is; volumes fits as it is"
    assert job.step(UNDO).detail == "nothing was raised"
    assert job.cloud.sent == []


def test_the_note_is_there_before_the_call(records: Records) -> None:
    job = make_job(records)
    job.cloud.fault("crash_before", "PUT")
    with pytest.raises(Crash):
        job.once(RAISE)
    (row,) = [row for row in records.of_job(job.plan.id) if row["type"] == "quota"]
    assert (row["purpose"], row["token"], row["state"]) == ("quota:compute:instances", "10+1", "begun")


@pytest.mark.parametrize("last", [LOWER, UNDO])
def test_it_dies_at_any_place(last: str, records: Records) -> None:
    wanted = make_job(records)
    wanted.run(RAISE, last)
    for place in range(1, wanted.cloud.points + 1):
        job = make_job(records)
        job.cloud.dies_at = place
        job.step(RAISE)
        assert (limits(job), states(job)) == (UP, {"made"}), place
        job.step(last)
        assert (limits(job), states(job), job.crashes) == (BEFORE, {"removed"}, 1), place
        assert len(job.cloud.sent) == 4, (place, job.cloud.sent)


def test_it_dies_while_it_raises_and_is_taken_back(records: Records) -> None:
    wanted = make_job(records)
    wanted.step(RAISE)
    for place in range(1, wanted.cloud.points + 1):
        job = make_job(records)
        job.cloud.dies_at = place
        with pytest.raises(Crash):
            job.once(RAISE)
        job.step(UNDO)
        assert limits(job) == BEFORE, place
        assert states(job) <= {"removed"}, place


@pytest.mark.parametrize("kind", PASSING)
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_every_change_once_with_a_bad_answer(kind: str, number: int, records: Records) -> None:
    job = make_job(records)
    job.cloud.fault(kind, number=number)
    job.step(RAISE)
    assert limits(job) == UP
    job.step(LOWER)
    assert (limits(job), states(job), len(job.cloud.sent)) == (BEFORE, {"removed"}, 4)


def test_refused(records: Records) -> None:
    job = make_job(records)
    job.cloud.fault("403", "PUT block-storage")
    assert "403" in job.attempt(RAISE)
    job.step(UNDO)
    assert (limits(job), states(job)) == (BEFORE, {"removed"})


def test_one_that_is_not_given_back_does_not_stop_the_other(records: Records) -> None:
    job = make_job(records)
    job.step(RAISE)
    job.cloud.fault("403", "PUT block-storage")
    assert job.attempt(LOWER).endswith("clean-up gives back what is still raised")
    assert limits(job) == (10, 12)
    assert [row["purpose"] for row in records.left()] == ["quota:block-storage:volumes"]
    job.step(LOWER)
    assert (limits(job), records.left()) == (BEFORE, [])


def test_what_is_not_given_back_is_handed_over_to_nobody(records: Records) -> None:
    job = make_job(records, way="IN_PLACE")
    job.step(RAISE)
    job.cloud.fault("403", "PUT")
    job.attempt(LOWER)
    assert "1 for clean-up" in job.step("FINALIZE").detail
    assert (states(job), len(records.left())) == ({"made"}, 1)  # in place it takes no instance


@pytest.mark.parametrize("now", [9, 10, 12, 50, -1])
def test_what_somebody_changed_is_left_and_said(now: int, records: Records) -> None:
    job = make_job(records)
    job.step(RAISE)
    job.cloud.limits["compute"]["instances"][0] = now
    assert f"somebody changed instances meanwhile: it is left at {now}" in job.step(LOWER).detail
    assert (limits(job), states(job)) == ((now, 10), {"removed"})
    assert f"it is left at {now}" in job.step(LOWER).detail  # however often it is asked


def test_only_who_may_change_quotas_may_have_one_raised(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    job = make_job(records)
    monkeypatch.setattr(jobs, "CALLER", Caller(name="ops", uid=1000, role="admin"))
    assert job.attempt(RAISE) == "to raise a quota needs the permission project_quotas:write: nothing was done"
    assert (limits(job), job.cloud.sent) == (BEFORE, [])


# Two restores in one project

ORDERS = [
    order for order in itertools.permutations(((0, RAISE), (0, LOWER), (1, RAISE), (1, LOWER)))
    if order.index((0, RAISE)) < order.index((0, LOWER)) and order.index((1, RAISE)) < order.index((1, LOWER))
]  # fmt: skip
ONE = RAISES[:1]


def pair(records: Records) -> tuple[Job, Job]:
    first = make_job(records, raises=ONE)
    return first, make_job(records, first.cloud, raises=ONE)


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "".join(f"{one}{name[0]}" for one, name in order))
def test_two_at_once_in_any_order(order: Any, records: Records) -> None:
    both = pair(records)
    up: set[int] = set()
    for one, name in order:
        both[one].step(name)
        up = up | {one} if name == RAISE else up - {one}
        assert both[0].cloud.limits["compute"]["instances"][0] == 10 + len(up), (one, name)
    assert records.left() == []


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "".join(f"{one}{name[0]}" for one, name in order))
def test_two_at_once_and_the_engine_dies(order: Any, records: Records) -> None:
    """What it died in is taken up again only after everything else was done."""
    wanted = pair(records)
    for one, name in order:
        wanted[one].step(name)
    for place in range(1, wanted[0].cloud.points + 1):
        both = pair(records)
        cloud = both[0].cloud
        cloud.dies_at = place
        later: list[tuple[int, str]] = []
        for one, name in order:
            if any(one == other for other, _ in later):
                later.append((one, name))
                continue
            try:
                both[one].once(name)
            except Crash:
                later.append((one, name))
        for one, name in later:
            both[one].step(name)
        assert cloud.limits["compute"]["instances"][0] == 10, (place, later)
        assert records.left() == [], place


def test_a_second_one_after_somebody_changed_it(records: Records) -> None:
    first, second = pair(records)
    first.step(RAISE)
    first.cloud.limits["compute"]["instances"] = [20, 20]
    second.step(RAISE)
    assert limits(first)[0] == 21
    assert "it is left at 21" in first.step(LOWER).detail
    second.step(LOWER)
    assert limits(first)[0] == 20


def test_a_limit_that_cannot_be_read(records: Records) -> None:
    job = make_job(records, raises=(replace(ONE[0], name="ram"),))
    with pytest.raises(Failed, match="the cloud does not say what the quota ram is"):
        job.once(RAISE)
    assert job.cloud.sent == []
