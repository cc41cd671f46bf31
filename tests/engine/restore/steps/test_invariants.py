"""Whatever goes wrong, in whatever order: a machine is never lost, and clean-up knows of all that was made.

Random restores, with random faults, refusals, deaths and cancels on the way there and on the way back. Look-alikes are
planted beside what is made: the same names and metadata, the same marks, another project's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from engine.restore.models import MARK
from engine.restore.records import Records
from engine.restore.steps.failing import Failed
from tests.engine.restore.steps import scenes, scenes_machines
from tests.engine.restore.steps.cloud import FakeCloud
from tests.engine.restore.steps.cloud_base import Crash

Make = Callable[[Records], Any]
MAKES: tuple[Make, ...] = (*scenes.ALL, *scenes_machines.ALL)
PASSING = ("lost", "timeout", "500_done", "500", "503", "429", "409", "crash_before", "crash_after")
REFUSING = ("400", "403", "413")


@dataclass(frozen=True)
class Course:
    """What happens on the way: faults at the n-th change, deaths at the n-th place, a cancel before the n-th step."""

    make: int
    faults: tuple[tuple[str, int], ...]
    deaths: tuple[int, ...]
    cancel: int
    back_faults: tuple[tuple[str, int], ...]
    back_deaths: tuple[int, ...]


numbers = st.integers(1, 30)
courses = st.builds(
    Course,
    make=st.integers(0, len(MAKES) - 1),
    faults=st.lists(st.tuples(st.sampled_from(PASSING + REFUSING), numbers), max_size=5).map(tuple),
    deaths=st.lists(st.integers(1, 150), max_size=4).map(tuple),
    cancel=st.integers(-10, 20),
    back_faults=st.lists(st.tuples(st.sampled_from(PASSING), numbers), max_size=3).map(tuple),
    back_deaths=st.lists(st.integers(1, 60), max_size=3).map(tuple),
)


class Journey:
    """A restore under way, as the jobs do it: forward until it fails or is cancelled, then back unless it holds."""

    def __init__(self, scene: Any, course: Course) -> None:
        self.scene, self.course = scene, course
        self.failed = self.held = False
        self.deaths = 0
        steps = [step for step in scene.job.plan.steps if step.name in {*scene.does, *scene.undoes}]
        self.does = [step.name for step in steps if step.phase == "do"]
        self.undoes = [step.name for step in steps if step.phase == "undo"]
        commit = scene.job.plan.commit
        # Where the steps under test leave the commit out, all of them belong to it.
        self.commit = commit if commit in self.does else self.does[-1]

    def go(self) -> None:
        self._meet(self.course.faults, self.course.deaths)
        for number, name in enumerate(self.does):
            self.scene.job.cancelled = self.scene.job.cancelled or (number == self.course.cancel and not self.held)
            if not self._step(name) and not self.held:
                self.failed = True
                break
            self.held = self.held or name == self.commit
        if self.failed:
            self.scene.job.cancelled = False
            self._meet(self.course.back_faults, self.course.back_deaths)
            for name in self.undoes:
                assert self._step(name), f"{name} failed although what went wrong passes"

    def _meet(self, faults: Any, deaths: Any) -> None:
        cloud = self.scene.cloud
        cloud.faults.clear()
        sent = len(cloud.sent)
        for kind, number in faults:
            cloud.fault(kind, r"^(POST|PUT|PATCH|DELETE) ", number=sent + number)
        self._deaths = sorted({cloud.points + place for place in deaths})
        cloud.dies_at = self._deaths.pop(0) if self._deaths else -1

    def _step(self, name: str) -> bool:
        while True:
            try:
                return bool(self.scene.job.once(name).ok)
            except Crash:
                cloud = self.scene.cloud
                self.deaths += 1
                if cloud.points >= cloud.dies_at:
                    cloud.dies_at = next((place for place in self._deaths if place > cloud.points), -1)
            except Failed:
                return False


def plant(scene: Any) -> list[str]:
    """Volumes that look like what the job makes: copies of every mark that is known so far."""
    cloud, planted = scene.cloud, []
    for row in scene.job.records.of_job(scene.job.plan.id):
        planted.append(cloud.add_volume("somebody's", name=row["name"], metadata={MARK: row["token"]}))
    return planted


def _all(cloud: FakeCloud) -> tuple[dict[str, Any], ...]:
    return cloud.volumes, cloud.snapshots, cloud.images, cloud.servers, cloud.ports


def invariants(scene: Any, first: set[str], foreign: list[str]) -> None:
    cloud = scene.cloud
    cloud.settle()
    # The machine, or the one that took its place, is there, and runs or is as it was.
    there = [one for id, one in cloud.servers.items() if id == scene.server or id not in first]
    assert scene.server in cloud.servers
    assert any(one["status"] in ("ACTIVE", scene.job.plan.machine.status) for one in there)
    # Nothing that was there before, or that somebody else made meanwhile, is gone.
    gone = {*first, *foreign} - {id for kept in _all(cloud) for id in kept}
    assert not gone
    # What was made is in use, or the records have it; and there once.
    rows = scene.job.records.of_job(scene.job.plan.id)
    known = {row["id"] for row in rows if row["state"] in ("begun", "made", "handed_over")}
    used = {row["volumeId"] for attached in cloud.attachments.values() for row in attached}
    for kept in (cloud.volumes, cloud.snapshots, cloud.images):
        for id in kept.keys() - first - set(foreign):
            assert id in known | used, f"{id} is there, and nobody knows of it"
    marks = [one["metadata"].get(MARK) for id, one in cloud.volumes.items() if id not in foreign]
    made = [mark for mark in marks if mark]
    assert len(made) == len(set(made)), "a volume was made twice"


def run(course: Course, records: Records) -> None:
    scene = MAKES[course.make](records)
    before = _as_it_was(scene)
    first = {id for kept in _all(scene.cloud) for id in kept}
    journey = Journey(scene, course)
    journey.go()
    event("taken back" if journey.failed else "held")
    event(f"deaths: {min(journey.deaths, 4)}")
    foreign = plant(scene)
    invariants(scene, first, foreign)
    if journey.failed:
        now = _as_it_was(scene)
        assert now == before, [name for name in before if before[name] != now[name]]


def _as_it_was(scene: Any) -> dict[str, Any]:
    """What must be the same again when all was taken back."""
    if isinstance(scene, scenes_machines.Scene):
        found = scene.old()
        found.pop("contents")
        return found
    picture = scene.picture()
    return {name: picture[name] for name in ("root", "state", "disks", "ends")}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(course=courses)
def test_a_machine_is_never_lost(course: Course, records: Records) -> None:
    run(course, records)


@pytest.mark.faults
@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(course=courses)
def test_a_machine_is_never_lost_in_a_thousand_restores(course: Course, records: Records) -> None:
    run(course, records)
