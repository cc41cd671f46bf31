"""Restores under way in simulated clouds, one cloud a job, with the engine's own jobs, runner and records on disk.

The generator of kept databases leaves such jobs open, and the test of upgrades finishes them. Both meet their clouds
here, which are put beside the database as JSON: a cloud outlives every engine.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from engine.access.models import Caller
from engine.api.changes import ChangeFeed
from engine.audit.service import AuditService
from engine.gate.models import Call
from engine.jobs.models import Step, StepContext, StepResult
from engine.jobs.service import JobService
from engine.restore.models import MARK
from engine.restore.records import Records
from engine.restore.runner import KIND, RestoreRunner
from engine.restore.steps.work import Kit
from store.ops.ops import Ops
from store.times import utcnow
from tests.engine.restore.steps.cloud import FakeCloud
from tests.engine.restore.steps.job import Protection, Watcher
from tests.engine.restore.steps.scenes_machines import Scene

Doc = dict[str, Any]
SETTINGS: Mapping[str, Any] = {"cleanup_volumes": False, "stop_seconds": 300, "keep_days": 7, "prove_command": ()}
# What a cloud is beside its documents: of this process, and gone with it.
_OWN = frozenset(vars(FakeCloud())) & {
    "faults", "sent", "calls", "asked", "numbers", "later", "slow", "points", "dies_at", "told_at", "tell", "changes",
    "_routes",
}  # fmt: skip
_PASSING = _OWN | {"call", "query", "held", "point"}


class Restores:
    """Performs the steps of restores, each job in the cloud of its own; what the jobs call a StepRunner."""

    versions: Sequence[int] = RestoreRunner.versions

    def __init__(self, records: Records) -> None:
        self._records = records
        self._runners: dict[str, RestoreRunner] = {}
        self.over: list[str] = []

    def add(self, job_id: str, cloud: FakeCloud) -> None:
        """The job works in that cloud."""
        planning = SimpleNamespace(again=lambda plan: (), fits=lambda plan: ())
        settings = SimpleNamespace(**SETTINGS)
        kit = Kit(
            cloud, self._records, Watcher(cloud), planning, Protection(), lambda name: settings, utcnow  # type: ignore[arg-type]
        )  # fmt: skip
        self._runners[job_id] = RestoreRunner(kit, lambda job: self.over.append(job["id"]), self._retry)

    def run_step(self, step: Step, context: StepContext) -> StepResult:
        return self._runners[context.job_id].run_step(step, context)

    def takes_back(self, version: int, names: Sequence[str]) -> bool:
        return any(runner.takes_back(version, names) for runner in self._runners.values())

    def ended(self, job: Doc) -> None:
        self._runners[job["id"]].ended(job)

    def retry(self, job: Doc, steps: Sequence[Step], caller: Caller) -> Doc:
        return self._retry(job, caller)

    def _retry(self, job: Doc, caller: Caller) -> Doc:
        raise AssertionError("nothing is retried here")


class Yard:
    """The jobs room of an engine on the ops database of a folder. Nothing runs before `begin`."""

    def __init__(self, folder: Path, runner: type[Restores] = Restores) -> None:
        self.ops = Ops.open(folder / "ops.sqlite")
        self.audit = AuditService(self.ops)
        self.records = Records(self.ops)
        self.jobs = JobService(self.ops, self.audit, ChangeFeed())
        self.runner = runner(self.records)
        self.jobs.register(KIND, self.runner)

    def close(self) -> None:
        self.jobs.close()
        self.ops.close()


# Clouds as JSON


def written(cloud: FakeCloud) -> Doc:
    """A cloud's documents, as they are now."""
    found = {name: value for name, value in vars(cloud).items() if name not in _PASSING}
    return copy.deepcopy({**found, "fails": sorted(cloud.fails)})


def read(stored: Doc, later: Doc | None = None) -> FakeCloud:
    """The cloud again; `later`: what it comes to after some looks, where something is under way in it."""
    cloud = FakeCloud()
    _fill(cloud, stored)
    taken = max((int(id.rpartition("-")[2]) for id in _ids(later or stored)), default=0)
    cloud.numbers = itertools.count(taken + 1)
    if later is not None:
        cloud.soon(lambda: _fill(cloud, later), 3)
    return cloud


def _fill(cloud: FakeCloud, stored: Doc) -> None:
    for name, value in copy.deepcopy(stored).items():
        setattr(cloud, name, set(value) if name == "fails" else value)


def _ids(stored: Doc) -> set[str]:
    names = ("servers", "volumes", "snapshots", "backups", "images", "ports", "floatings", "subnets", "contents")
    return {id for name in names for id in stored[name] if id.rpartition("-")[2].isdigit()}


def there(cloud: FakeCloud) -> dict[str, set[str]]:
    """{type: ids} of what a restore could make."""
    names = {"server": "servers", "volume": "volumes", "snapshot": "snapshots", "image": "images", "port": "ports"}
    return {type: set(getattr(cloud, name)) for type, name in names.items()}


def portrait(cloud: FakeCloud, server: str, first: set[str]) -> Doc:
    """All of a machine that a restore which is taken back must give back; as JSON has it."""
    scene = Scene(cloud, None, server)  # type: ignore[arg-type]
    scene.first = first
    return dict(json.loads(json.dumps(scene.old())))


def marks(calls: Sequence[Call]) -> list[str]:
    """The marks of everything that the cloud was asked to make, one for each time."""
    return [mark for call in calls if call.method == "POST" and (mark := _mark(call))]


def _mark(call: Call) -> str:
    for key, body in (call.body or {}).items():
        if not isinstance(body, dict):
            continue
        found = (body.get("metadata") or {}).get(MARK) if isinstance(body.get("metadata"), dict) else None
        if key == "port":
            found = body.get("description")
        if key == "os-volume_upload_image":
            found = body.get("image_name")
        if found:
            return str(found)
    return ""
