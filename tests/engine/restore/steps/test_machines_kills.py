"""The engine dies at every place of every restore of a machine, and of taking it back: the end is the same.

A place is every look at the cloud, and before and after every change of it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.restore.records import Records
from engine.restore.steps.addresses import spare_mac
from tests.engine.restore.steps import scenes_machines as scenes
from tests.engine.restore.steps.cloud_base import Crash
from tests.engine.restore.steps.scenes_machines import Scene

# Every place of the first scene, and every third of the others: all of them take minutes (tests/faults).
_STRIDE = 3
Make = Callable[[Records], Scene]
every = pytest.mark.parametrize("make", scenes.ALL, ids=lambda make: make.__name__)
PASSING = ("lost", "timeout", "500_done", "500", "503", "429", "409", "crash_before", "crash_after")


def _whole(make: Make, records: Records, *, dies_at: int = -1, again: int = 0) -> Scene:
    scene = make(records)
    scene.cloud.dies_at = dies_at
    scene.job.run(*scene.does, again=again)
    return scene


@every
def test_the_engine_dies_at_any_place(make: Make, records: Records) -> None:
    wanted = _whole(make, records)
    assert wanted.cloud.points > 50
    for place in _places(make, wanted):
        scene = _whole(make, records, dies_at=place)
        assert scene.job.crashes == 1, place
        _same_but_marks(scene, wanted, place)
        # Whatever was asked for was asked for once.
        assert sorted(scene.cloud.sent) == sorted(wanted.cloud.sent), place


def _stride(make: Make) -> int:
    return _STRIDE if scenes.ALL.index(make) else 1


def _offset(make: Make, kind: str = "") -> int:
    return (scenes.ALL.index(make) + len(kind)) % _stride(make)


def _places(make: Make, scene: Scene) -> range:
    return range(1 + _offset(make), scene.cloud.points + 1, _stride(make))


def _same_but_marks(scene: Scene, wanted: Scene, where: object) -> None:
    """Marks and job ids differ from job to job, and nothing else may."""
    own, other = scene.job, wanted.job
    swaps = {own.tokens[name]: other.tokens[name] for name in own.tokens} | {own.plan.id: other.plan.id}
    for nic in own.plan.nics:
        swaps[spare_mac(own.plan.id, nic, 0)] = spare_mac(other.plan.id, nic, 0)
    now, then = str(scene.picture()), str(wanted.picture())
    for text, instead in swaps.items():
        now = now.replace(text, instead)
    assert now == then, where
    assert scene.rows() == wanted.rows(), where


@every
def test_results_that_were_not_written(make: Make, records: Records) -> None:
    wanted, scene = _whole(make, records), _whole(make, records, again=2)
    _same_but_marks(scene, wanted, "again")
    assert sorted(scene.cloud.sent) == sorted(wanted.cloud.sent)


@pytest.mark.parametrize("kind", PASSING)
@every
def test_every_change_once_with_a_bad_answer(make: Make, kind: str, records: Records) -> None:
    wanted = _whole(make, records)
    for number, what in list(enumerate(wanted.cloud.sent, 1))[_offset(make, kind) :: _stride(make)]:
        scene = make(records)
        scene.cloud.fault(kind, number=number)
        scene.job.run(*scene.does)
        _same_but_marks(scene, wanted, (number, what))
        assert len(scene.cloud.sent) == len(wanted.cloud.sent), (number, what, scene.cloud.sent)


def _undone(scene: Scene, upto: int, *, dies_at: int = -1, again: int = 0) -> Scene:
    scene.job.run(*scene.before_commit[:upto])
    scene.cloud.points, scene.cloud.dies_at = 0, dies_at
    scene.job.run(*scene.undoes, again=again)
    return scene


@every
def test_taken_back_after_any_step(make: Make, records: Records) -> None:
    before = make(records).old()
    for upto in range(len(make(records).before_commit)):
        wanted = _undone(make(records), upto)
        _as_before(wanted, before, upto)
        _as_before(_undone(make(records), upto, again=1), before, (upto, "again"))


@every
def test_the_engine_dies_while_it_takes_back(make: Make, records: Records) -> None:
    before = make(records).old()
    upto = len(make(records).before_commit) - 1
    wanted = _undone(make(records), upto)
    for place in _places(make, wanted):
        scene = _undone(make(records), upto, dies_at=place)
        assert scene.job.crashes == 1
        _as_before(scene, before, place)


@every
def test_killed_in_a_step_and_then_taken_back(make: Make, records: Records) -> None:
    """A cancel finds a step under way: killed at any place, and never begun again."""
    before, whole = make(records).old(), make(records)
    whole.job.run(*whole.before_commit[:-1])
    for place in _places(make, whole):
        scene = make(records)
        scene.cloud.dies_at = place
        _until_killed(scene)
        scene.job.run(*scene.undoes)
        _as_before(scene, before, place)


def _until_killed(scene: Scene) -> None:
    for name in scene.before_commit[:-1]:
        try:
            scene.job.once(name)
        except Crash:
            return


def _as_before(scene: Scene, before: dict[str, object], where: object) -> None:
    """The old machine has all that it had; nothing of the new one is left but volumes that are noted for a retry."""
    now = scene.old()
    for name in before:
        assert now[name] == before[name], (where, name)
    cloud = scene.cloud
    assert set(cloud.servers) == {scene.server}, where
    assert set(cloud.ports) <= scene.first, where
    assert not cloud.keypairs.get("engine-user"), where
    noted = {row["id"] for row in scene.job.records.of_job(scene.job.plan.id) if row["state"] == "made"}
    for id in {*cloud.volumes, *cloud.snapshots} - scene.first:
        assert id in noted, (where, f"{id} is there, and no clean-up knows of it")
