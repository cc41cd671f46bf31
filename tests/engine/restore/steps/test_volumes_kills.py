"""The engine dies at every place of every restore of disks, and of taking each back: the end is the same.

A place is every look at the cloud, and before and after every change of it. Two tables beside: answers that do not
come or say no for the moment, at every change; and results that were not written down, of every step.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.restore.records import Records
from engine.restore.steps.failing import Cancelled
from tests.engine.restore.steps import scenes
from tests.engine.restore.steps.cloud_base import Crash
from tests.engine.restore.steps.scenes import Scene

Make = Callable[[Records], Scene]
PASSING = ("lost", "timeout", "500_done", "500", "503", "429", "409", "crash_before", "crash_after")


def _whole(make: Make, records: Records, *, dies_at: int = -1, again: int = 0) -> Scene:
    scene = make(records)
    scene.cloud.dies_at = dies_at
    scene.job.run(*scene.does, again=again)
    return scene


def _undone(make: Make, records: Records, upto: int, *, dies_at: int = -1, again: int = 0) -> Scene:
    """A job that fails after so many steps, and takes back what it did; the engine dies on the way back."""
    scene = make(records)
    scene.job.run(*scene.does[:upto])
    scene.cloud.points, scene.cloud.dies_at = 0, dies_at
    scene.job.run(*scene.undoes, again=again)
    return scene


def _same(scene: Scene, wanted: Scene) -> None:
    assert scene.picture() == wanted.picture()
    assert scene.rows() == wanted.rows()


@pytest.mark.parametrize("make", scenes.ALL, ids=lambda make: make.__name__)
def test_it_dies_at_any_place(make: Make, records: Records) -> None:
    wanted = _whole(make, records)
    places = wanted.cloud.points
    assert places > 10
    for place in range(1, places + 1):
        scene = _whole(make, records, dies_at=place)
        assert scene.job.crashes == 1, place
        _same(scene, wanted)
        # Whatever was asked for was asked for once.
        assert sorted(scene.cloud.sent) == sorted(wanted.cloud.sent), place


@pytest.mark.parametrize("make", scenes.ALL, ids=lambda make: make.__name__)
def test_results_that_were_not_written(make: Make, records: Records) -> None:
    wanted = _whole(make, records)
    scene = _whole(make, records, again=2)
    _same(scene, wanted)
    assert sorted(scene.cloud.sent) == sorted(wanted.cloud.sent)


@pytest.mark.parametrize("kind", PASSING)
@pytest.mark.parametrize("make", scenes.ALL, ids=lambda make: make.__name__)
def test_every_change_once_with_a_bad_answer(make: Make, kind: str, records: Records) -> None:
    wanted = _whole(make, records)
    for number, what in enumerate(wanted.cloud.sent, 1):
        scene = make(records)
        scene.cloud.fault(kind, number=number)
        scene.job.run(*scene.does)
        _same(scene, wanted)
        assert len(scene.cloud.sent) == len(wanted.cloud.sent), (number, what, scene.cloud.sent)


@pytest.mark.parametrize("make", scenes.ALL, ids=lambda make: make.__name__)
def test_taken_back_after_any_step(make: Make, records: Records) -> None:
    before = make(records).picture()
    for upto in range(len(make(records).does) + 1):
        if make(records).does[upto - 1 : upto] and make(records).does[upto - 1] in ("REMOVE_TEMPORARY", "PROTECT"):
            break  # after the commit nothing is taken back
        wanted = _undone(make, records, upto)
        _as_before(wanted, before)
        for place in range(1, wanted.cloud.points + 1):
            scene = _undone(make, records, upto, dies_at=place)
            _same(scene, wanted)
        _same(_undone(make, records, upto, again=1), wanted)


@pytest.mark.parametrize("make", scenes.ALL, ids=lambda make: make.__name__)
def test_killed_in_a_step_and_then_taken_back(make: Make, records: Records) -> None:
    """A cancel finds a step under way: killed at any place, and never begun again."""
    before = make(records).picture()
    committed = [name for name in make(records).does if name in ("REMOVE_TEMPORARY", "PROTECT", "KEEP_OLD_VOLUME")]
    does = make(records).does[: len(make(records).does) - len(committed)]
    last = make(records)
    last.job.run(*does)
    for place in range(1, last.cloud.points + 1):
        scene = make(records)
        scene.cloud.dies_at = place
        _until_killed(scene, does)
        scene.job.run(*scene.undoes)
        _as_before(scene, before)


@pytest.mark.parametrize("make", scenes.ALL, ids=lambda make: make.__name__)
def test_cancelled_at_any_place(make: Make, records: Records) -> None:
    """Before the commit: the step under way ends soon, or once it is done, and all of it is taken back."""
    before = make(records).picture()
    does = [name for name in make(records).does if name not in ("REMOVE_TEMPORARY", "PROTECT", "KEEP_OLD_VOLUME")]
    last = make(records)
    last.job.run(*does)
    for place in range(1, last.cloud.points + 1):
        scene = make(records)
        scene.cloud.told_at, scene.cloud.tell = place, lambda scene=scene: setattr(scene.job, "cancelled", True)
        for name in does:
            try:
                scene.job.once(name)
            except Cancelled:
                break
            if scene.job.cancelled:
                break
        scene.job.run(*scene.undoes)
        _as_before(scene, before)


def _until_killed(scene: Scene, does: tuple[str, ...]) -> None:
    for name in does:
        try:
            scene.job.once(name)
        except Crash:
            return


def _as_before(scene: Scene, before: dict[str, object]) -> None:
    """The machine is as it was. What was made is noted: new volumes for a retry, the safety snapshot."""
    now = scene.picture()
    for name in ("root", "state", "disks", "ends"):
        assert now[name] == before[name], name
    noted = {row["id"] for row in scene.job.records.of_job(scene.job.plan.id) if row["state"] == "made"}
    for id in {*scene.cloud.volumes, *scene.cloud.snapshots, *scene.cloud.images} - scene.first:
        assert id in noted, f"{id} is there, and no clean-up knows of it"
