"""Restores that are killed, refused, disturbed and cancelled at every place: no machine is lost, nothing is left.

Many restores are in flight at once, each of a machine of its own, so that one `kill -9` meets each of them where it is.
What was tried and what was lost is printed by each test, and stands in docs/reliability.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.demo.launch import DemoCloud
from tests.engine.process.running import temporary_home
from tests.faults.restore_scene import VARIANTS, Scene, collect, failures, prepared, restarts, running, worked
from tests.faults.restoring import Doc, Machine, Tenant
from tests.faults.test_gate import patiently

pytestmark = pytest.mark.faults

PASSING = dict.fromkeys(
    ["401", "409", "429", "503", "no answer", "lost", "500 done"], "all"
)  # of which every call meets each once
REFUSALS = (403, 413, 400)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    demo = DemoCloud.start(tmp_path_factory.mktemp("cloud"), servers=12, seed="restores", still=True, pace=0.005)
    try:
        with temporary_home() as home, running(home, Path(demo.clouds_yaml)) as client:
            found = Scene(home, client, Tenant(demo))
            found.foreign = {type: set(rows) for type, rows in found.tenant.all().items()}
            collect(client)
            yield found
    finally:
        demo.stop()


def test_killed_at_every_place(scene: Scene) -> None:
    machines = prepared(scene, list(VARIANTS))
    before = {variant: scene.portrait(machine) for variant, machine in machines.items()}
    jobs = {variant: scene.begin(machine, variant, kill=["all"]) for variant, machine in machines.items()}
    scene.go()
    for variant, job in jobs.items():
        ended = scene.ended(job)
        assert ended["status"] == "SUCCEEDED", (variant, ended["detail"], failures(ended))
        worked(scene, variant, machines[variant], before[variant], ended)
    scene.nothing_is_lost(list(jobs.values()))
    said(scene, "times a restore was killed at a place of its own", "kill", jobs.values())


def begun(
    scene: Scene, variants: Sequence[str], machines: dict[str, Machine], **rules: dict[str, Any]
) -> dict[str, str]:
    """A job for each; rules: {rule: {variant: what}}."""
    scene.go(False)
    found = {}
    for variant in variants:
        own = {name: values[variant] for name, values in rules.items() if variant in values}
        found[variant] = scene.begin(machines[variant], variant, **own)
    return found


def same(before: Doc, now: Doc, variant: str) -> bool:
    """Whether the machine is as it was; a root that was rebuilt twice comes from its safety snapshot."""
    if VARIANTS[variant][1]["way"] == "IN_PLACE":
        before, now = {**before, "image": ""}, {**now, "image": ""}
    return before == now


def as_before(scene: Scene, variant: str, machine: Machine, before: Doc) -> None:
    now = scene.portrait(machine)
    assert same(before, now, variant), (variant, [name for name in before if before[name] != now[name]], before, now)


def test_killed_while_it_takes_back(scene: Scene) -> None:
    """The last moment at which a job can be cancelled, and then killed at every place of the way back."""
    last = {name: "ATTACH_VOLUME" if name == "DISK_BESIDE" else "PROVE_IT_ANSWERS" for name in VARIANTS}
    last["DATA_VOLUME_BACK"] = "ATTACH_RESTORED_VOLUME"
    machines = prepared(scene, list(VARIANTS))
    before = {variant: scene.portrait(machine) for variant, machine in machines.items()}
    jobs = begun(scene, list(VARIANTS), machines, kill={variant: ["undo"] for variant in VARIANTS}, cancel=last)
    scene.go()
    for variant, job in jobs.items():
        ended = scene.ended(job)
        assert ended["status"] == "CANCELED", (variant, ended["detail"], failures(ended))
        as_before(scene, variant, machines[variant], before[variant])
        scene.give_back(variant, machines[variant])
    scene.nothing_is_lost(list(jobs.values()))
    said(scene, "killed on their way back", "kill", jobs.values())


def test_every_call_goes_wrong_in_every_passing_way(scene: Scene) -> None:
    machines = prepared(scene, list(VARIANTS))
    before = {variant: scene.portrait(machine) for variant, machine in machines.items()}
    jobs = begun(scene, list(VARIANTS), machines, faults=dict.fromkeys(VARIANTS, PASSING))
    for variant, job in jobs.items():
        ended = scene.ended(job)
        assert ended["status"] == "SUCCEEDED", (variant, ended["detail"], failures(ended))
        worked(scene, variant, machines[variant], before[variant], ended)
    scene.nothing_is_lost(list(jobs.values()))
    said(scene, "calls went wrong and were made good", "fault", jobs.values())


def test_every_call_is_refused(scene: Scene) -> None:
    """What was done before is taken back, and clean-up leaves nothing of it, nor takes what looks alike."""
    calls = scene.calls()
    tried = 0
    for round in range(max(len(own) for own in calls.values())):
        variants = [variant for variant, own in calls.items() if round < len(own)]
        machines = prepared(scene, variants)
        before = {variant: scene.portrait(machines[variant]) for variant in variants}
        status = REFUSALS[round % len(REFUSALS)]
        refuse = {variant: [*calls[variant][round], status] for variant in variants}
        jobs = begun(scene, variants, machines, refuse=refuse)
        for variant, job in jobs.items():
            ended = scene.ended(job)
            if ended["status"] == "FAILED":
                as_before(scene, variant, machines[variant], before[variant])
                scene.plant(job)
                patiently(lambda job=job: scene.client.post(f"/q/restore/jobs/{job}/cleanup", {"delete_volume": True}))
                scene.give_back(variant, machines[variant])
            else:
                # Refused after the commit, or something that can be done without.
                assert ended["status"] == "SUCCEEDED", (variant, refuse[variant], ended["detail"])
                worked(scene, variant, machines[variant], before[variant], ended)
            tried += 1
        scene.nothing_is_lost(list(jobs.values()))
        scene.nothing_is_left([job for job in jobs.values() if scene.job(job)["status"] == "FAILED"])
    print(f"\n{tried} restores of which one call was refused for good; nothing lost")


def test_cancelled_at_every_step(scene: Scene) -> None:
    steps = scene.steps()
    tried: Counter[str] = Counter()
    for round in range(max(len(own) for own in steps.values())):
        variants = [variant for variant, own in steps.items() if round < len(own)]
        machines = prepared(scene, variants)
        before = {variant: scene.portrait(machines[variant]) for variant in variants}
        jobs = begun(scene, variants, machines, cancel={variant: steps[variant][round] for variant in variants})
        for variant, job in jobs.items():
            ended = scene.ended(job)
            tried[ended["status"]] += 1
            if ended["status"] == "CANCELED":
                as_before(scene, variant, machines[variant], before[variant])
                scene.give_back(variant, machines[variant])
            else:
                # It was too late: the step was the last one, or needed nothing of the cloud.
                assert ended["status"] == "SUCCEEDED", (variant, steps[variant][round], ended["detail"])
                worked(scene, variant, machines[variant], before[variant], ended)
        scene.nothing_is_lost(list(jobs.values()))
    print(f"\n{tried.total()} restores were cancelled at a step of theirs: {dict(tried)}; nothing lost")
    assert tried["CANCELED"] > tried.total() / 2


def said(scene: Scene, what: str, kind: str, jobs: Iterable[str]) -> None:
    own = set(jobs)
    count = sum(one[0] == kind and one[1] in own for one in scene.happened())
    print(f"\n{count} {what}; {restarts(scene)} workers died so far; nothing lost")
    assert count >= 5 * len(own)
