"""Leaves restores open in every state, dies, and keeps the database: what a later release must be able to finish.

When: at every release, and whenever steps, plans, tables of ops or the locked dbos change. How:

    .venv/bin/python -m tests.upgrade.make_database schema-14-dbos-3.4.0

writes tests/upgrade/kept/NAME; commit it, and never change it again. To have it written by another dbos than the
locked one (an older, as a user who upgrades has it), put that one in front:

    pip install --no-deps --target /tmp/older dbos==3.3.0
    PYTHONPATH=/tmp/older .venv/bin/python -m tests.upgrade.make_database schema-14-dbos-3.3.0

The jobs, the runner, the records and the database are the engine's own; the clouds are those of the step tests. The
process ends by SIGKILL once every job is where it is to be left; what was in its write-ahead log is folded in then.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.jobs.models import Step, StepContext, StepResult
from engine.restore.models import PLAN_VERSION
from engine.restore.runner import KIND, submitted
from tests.engine.jobs.backend import CALLER
from tests.engine.restore.steps.cloud import FakeCloud
from tests.upgrade import files, states, yard
from tests.upgrade.states import Left


class Place:
    """Where one job is to be left: whoever comes there stays."""

    def __init__(self, left: Left, cloud: FakeCloud) -> None:
        self.left, self.cloud = left, cloud
        self.reached = threading.Event()
        self.step = ""
        self.asks = False
        self.cancel: Callable[[], object] = lambda: None
        self._changes = self._sent = self._looks = 0
        cloud.point = self.point  # type: ignore[method-assign]

    def come(self, moment: str) -> None:
        """Somebody is at such a moment of the step that runs."""
        if moment == self.left.moment and self.left.step in ("", self.step):
            self.reached.set()
            threading.Event().wait()

    def point(self) -> None:
        """Of the cloud: a look, or before or after a change."""
        changes, sent = self.cloud.changes, len(self.cloud.sent)
        if changes > self._changes:
            self.come("before")
        elif sent > self._sent:
            self.come("after")
            if self.left.cancel == f"{self.step}!":
                self.cancel()
        else:
            self._looks += 1
            if self._looks > 1:  # the wait has begun
                self.come("look")
            if self.asks:
                self.come("asks")
        self._changes, self._sent = changes, sent

    def begin(self, step: str) -> None:
        self.step, self._looks = step, 0
        self.come("begin")
        if self.left.cancel == step:
            self.cancel()


class Leaving(yard.Restores):
    """Performs the steps up to the place of each job."""

    def __init__(self, records: Any) -> None:
        super().__init__(records)
        self.places: dict[str, Place] = {}

    def run_step(self, step: Step, context: StepContext) -> StepResult:
        place = self.places[context.job_id]
        plain = context.progress

        def progress(text: str) -> None:
            place.asks = place.asks or "?" in text
            plain(text)

        object.__setattr__(context, "progress", progress)
        place.begin(step.name)
        result = super().run_step(step, context)
        place.come("end")
        return result


def leave(folder: Path) -> None:
    """Begin all jobs, wait until each is at its place, write the clouds, and die."""
    own = yard.Yard(folder, Leaving)
    runner, jobs = own.runner, own.jobs
    assert isinstance(runner, Leaving)
    run, start = jobs._durable._body, jobs._start
    held: dict[str, Place] = runner.places

    def body(job_id: str) -> None:
        held[job_id].come("queued")
        run(job_id)

    jobs._durable._body = body
    jobs._start = lambda id: held[id].reached.set() if held[id].left.moment == "stored" else start(id)  # type: ignore[method-assign]
    kept: dict[str, Any] = {}
    for number, left in enumerate(states.every(), 1):
        scene = states.SCENES[left.way](own.records)
        id = f"00000000-0000-7000-8000-{number:012}"
        plan = states.plan_of(left, scene.job.plan, id)
        scene.cloud.fails |= {left.fails} - {""}
        before = yard.portrait(scene.cloud, scene.server, scene.first)
        runner.add(id, scene.cloud)
        held[id] = Place(left, scene.cloud)
        held[id].cancel = functools.partial(jobs.cancel, id, CALLER)
        first = sorted(set().union(*yard.there(scene.cloud).values()))
        kept[id] = {"name": left.name, "way": left.way, "state": left.state, "ends": left.ends, "answer": left.answer,
                    "step": left.step, "server": scene.server, "first": first, "before": before}  # fmt: skip
        jobs.submit(KIND, left.name, CALLER, submitted(plan), {"job_id": id, "stop_after": 1, "parallel": 1})
    for id, place in held.items():
        assert place.reached.wait(60), f"{place.left.name} did not come to its place: {jobs.job(id)}"
        kept[id] |= _cloud(place)
        if place.left.cancel == "now":
            jobs.cancel(id, CALLER)
    (folder / "clouds.json").write_text(json.dumps(kept))
    os.kill(os.getpid(), signal.SIGKILL)


def _cloud(place: Place) -> dict[str, Any]:
    """A job's cloud: what was asked of it is over when the next engine comes, but where that is to wait for it."""
    found: dict[str, Any] = {"made": yard.marks(place.cloud.calls)}
    if place.left.moment == "look" and not place.left.cancel:
        found["now"] = yard.written(place.cloud)
        place.cloud.settle()
        return {**found, "later": yard.written(place.cloud)}
    place.cloud.settle()
    return {**found, "now": yard.written(place.cloud)}


def make(name: str) -> None:
    """Have another process leave such a database, and keep it."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        ended = subprocess.run([sys.executable, "-m", "tests.upgrade.make_database", "--leave", text], cwd=files.ROOT)
        assert ended.returncode == -signal.SIGKILL, "it was to die, and ended otherwise"
        count = files.pack(files.KEPT / name, folder, restore_plan=PLAN_VERSION)
    print(f"{count} open jobs in {files.KEPT / name}")


if __name__ == "__main__":
    files.main(__doc__, leave, make)
