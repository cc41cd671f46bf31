"""Clean-up gives back a quota that a restore left raised, by what it added, and only where nobody changed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.access.models import Caller
from engine.gate.models import Key
from engine.restore.cleaning import Cleaner
from engine.restore.records import Records
from engine.restore.rules import cleanup_problem
from store.ops.ops import Ops
from tests.engine.restore.steps import job as jobs
from tests.engine.restore.steps.cloud import FakeCloud
from tests.engine.restore.steps.cloud_base import Crash
from tests.engine.restore.steps.job import NOW, Job
from tests.engine.restore.steps.test_quotas import BEFORE, RAISE, UP, limits, make_job

ANNA = Caller("anna", uid=1, role="superadmin")


class Cloud(FakeCloud):
    """With what clean-up asks of the gate besides."""

    def held(self, type: str, key: Key) -> str | None:
        return None

    def release(self, plan: Mapping[str, Any], job_id: str) -> None:
        self.released = job_id


class World:
    """A job that raised quotas and ended without giving them back."""

    def __init__(self, ops: Ops) -> None:
        self.records = Records(ops)
        self.job: Job = make_job(self.records, Cloud())
        self.cleaner = Cleaner(self.records, self.job.cloud, lambda: NOW, lambda seconds: None)  # type: ignore[arg-type]

    def clean(self) -> dict[str, Any]:
        return self.cleaner.clean(ANNA, self.job.plan, True)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(jobs, "CALLER", ANNA)
    with closing(Ops.open(tmp_path / "ops.sqlite")) as ops:
        yield World(ops)


def test_it_is_listed_and_given_back(world: World) -> None:
    world.job.step(RAISE)
    sent = len(world.job.cloud.sent)
    looked = world.cleaner.look(ANNA, world.job.plan)
    assert [(one["type"], one["name"], one["can_go"]) for one in looked] == [
        ("quota", "instances from 10 to 11", True), ("quota", "volumes from 10 to 12", True),
    ]  # fmt: skip
    assert (limits(world.job), len(world.job.cloud.sent)) == (UP, sent)  # a look changes nothing
    answer = world.clean()
    assert (limits(world.job), answer["errors"], len(answer["removed"])) == (BEFORE, [], 2)
    assert world.records.left() == []
    assert world.cleaner.look(ANNA, world.job.plan) == []


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
def test_what_a_crash_left_in_doubt(world: World, fault: str) -> None:
    world.job.cloud.fault(fault, "PUT")
    with pytest.raises(Crash):
        world.job.once(RAISE)
    world.clean()
    assert (limits(world.job), world.records.left()) == (BEFORE, [])


def test_what_somebody_changed_is_left(world: World) -> None:
    world.job.step(RAISE)
    world.job.cloud.limits["compute"]["instances"][0] = 50
    removed = {one["name"] for one in world.clean()["removed"]}
    assert (limits(world.job), world.records.left()) == ((50, 10), [])
    assert removed == {"somebody changed instances meanwhile: it is left at 50", "volumes from 12 back to 10"}


def test_what_is_refused_stays_and_is_told(world: World) -> None:
    world.job.step(RAISE)
    world.job.cloud.fault("403", "PUT compute")
    answer = world.clean()
    assert (limits(world.job), len(answer["errors"])) == ((11, 10), 1)
    assert "403" in answer["left"][0]["reason"]
    world.clean()
    assert (limits(world.job), world.records.left()) == (BEFORE, [])


def test_after_one_that_succeeded_only_quotas_are_given_back(world: World) -> None:
    world.job.step(RAISE)
    key = ("sim", "one", "")
    world.records.begin(world.job.plan.id, 9, "server", "server", "token", "web", key, "p1")
    world.records.made(world.job.plan.id, "server", "srv-new")
    looked = world.cleaner.look(ANNA, world.job.plan, quotas_only=True)
    assert {one["type"] for one in looked} == {"quota"}
    answer = world.cleaner.clean(ANNA, world.job.plan, True, quotas_only=True)
    assert (limits(world.job), answer["errors"]) == (BEFORE, [])
    assert [row["type"] for row in world.records.left()] == ["server"]
    assert not [what for what in world.job.cloud.sent if what.startswith("DELETE")]


@pytest.mark.parametrize(("state", "refused"), [("done", True), ("failed", False)])
def test_it_can_be_cleaned_up_after_one_that_did_not_give_it_back(state: str, refused: bool) -> None:
    row = {"status": "ENDED"}
    job = {"state": "partial", "number": 7, "steps": [{"name": "LOWER_QUOTA", "state": state}], "can": []}
    assert (cleanup_problem(row, job) is not None) == refused
