"""A restore job in memory: its steps are done one by one, killed wherever a test says, and taken up again.

What is on disk (the records) and the cloud outlive a crash; a step's result is only there when the step has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

from engine.access.models import Caller
from engine.jobs.models import Step, StepContext, StepResult
from engine.restore.models import Disk, Machine, Plan, Request, Source, Way
from engine.restore.planning import steps as planned_steps
from engine.restore.records import Records
from engine.restore.steps import catalogue, hands, keypairs, undo_machine
from engine.restore.steps.failing import Failed
from engine.restore.steps.work import Kit, Work
from engine.snapshots.models import Volume
from store.ids import uuid7
from tests.engine.restore.steps.cloud import FakeCloud
from tests.engine.restore.steps.cloud_base import CLOUD, PROJECT, REGION, Crash

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CALLER = Caller(name="ops", uid=1000, role="admin")
_STEPS = catalogue.steps()
_LOOKS = 60  # of one wait, before its time is over


class Clock:
    """Time that passes when somebody sleeps: stands for the module `time` in engine/restore/steps/hands.py."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class Context(StepContext):
    """Waits without time: what does not come after some looks does not come."""

    def wait(self, check: Callable[[], Any], seconds: float, *, first: float = 0.25, longest: float = 5.0) -> Any:
        for _ in range(min(_LOOKS, 1 + int(seconds))):
            if (found := check()) is not None:
                return found
        return None


class Watcher:
    """Looks at the cloud at once, and again."""

    _PATHS: Mapping[str, tuple[str, str, str]] = {
        "server": ("compute", "/servers/{}", "server"),
        "volume": ("block-storage", "/volumes/{}", "volume"),
        "snapshot": ("block-storage", "/snapshots/{}", "snapshot"),
        "image": ("image", "/images/{}", ""),
        "port": ("network", "/ports/{}", "port"),
    }

    def __init__(self, cloud: FakeCloud) -> None:
        self.get = cloud.reader(CLOUD, REGION, PROJECT)

    def until(self, place: Any, type: str, id: str, check: Any, seconds: float, look_up: Callable[[], Any]) -> Any:
        service, path, key = self._PATHS[type]
        for _ in range(_LOOKS):
            look_up()
            found = self.get(service, path.format(id))
            if (answer := check(found if found is None or not key else found[key])) is not None:
                return answer
        return None


class Protection:
    """Policies by the metadata alone, as {volume id: names}."""

    def __init__(self) -> None:
        self.retired: list[str] = []
        self.lost: set[str] = set()  # policies that do not go over

    def held(self, volume: Volume) -> tuple[str, ...]:
        if volume.metadata.get("auto_snapshot") != "true":
            return ()
        return tuple(one for one in volume.metadata.get("snapshot_policies", "").split(",") if one)

    def take_over(self, caller: Caller, old: Volume, new: Volume, send: Any, why: str) -> tuple[str, ...]:
        from engine.restore.protection import _set

        wanted = {key: value for key, value in old.metadata.items() if key in ("auto_snapshot", "snapshot_policies")}
        kept = [one for one in wanted.get("snapshot_policies", "").split(",") if one not in self.lost]
        if wanted:
            send(_set(new, wanted | {"snapshot_policies": ",".join(kept)}))
        return (f"{len(wanted)} written",)

    def retire(self, old: Volume, send: Any) -> str:
        from engine.restore.protection import _set

        if old.metadata.get("auto_snapshot") == "false":
            return ""
        send(_set(old, {"auto_snapshot": "false"}))
        self.retired.append(old.id)
        return f"{old.id} is left alone"


class Job:
    """A plan under way. `crashes`: how often the engine died. `told`: what the steps said of their progress."""

    def __init__(self, cloud: FakeCloud, records: Records, plan: Plan, **settings: Any) -> None:
        steps, commit = planned_steps.planned(plan)
        self.plan = replace(plan, id=uuid7(), steps=steps, commit=commit)
        self.cloud, self.records, self.clock = cloud, records, Clock()
        self.protection = Protection()
        own = SimpleNamespace(cleanup_volumes=False, stop_seconds=300, keep_days=7, **settings)
        planning = SimpleNamespace(again=lambda plan: (), fits=lambda plan: ())
        self.kit = Kit(
            cloud, records, Watcher(cloud), planning, self.protection, lambda cloud: own, lambda: NOW  # type: ignore[arg-type]
        )  # fmt: skip
        self.settings = own
        self.names = {step.name: number for number, step in enumerate(steps, 1)}
        self.tokens = {name: uuid7() for name in self.names}
        self.attempts = dict.fromkeys(self.names, 0)
        self.results: dict[int, StepResult] = {}
        self.cancelled = False
        self.crashes = 0
        self.told: list[str] = []

    def work(self, name: str) -> Work:
        """The step's next attempt."""
        number = self.names[name]
        self.attempts[name] += 1
        planned = self.plan.steps[number - 1]
        context = Context(
            self.plan.id, 7, self.attempts[name], self.tokens[name], len(self.names), CALLER, "", "", {}, {},
            results=self.results.get, stopping=lambda: False, cancelled=lambda: self.cancelled, sleep=self._sleep,
            begun=lambda seq: self.attempts[self.plan.steps[seq - 1].name] > 0, progress=self.told.append,
        )  # fmt: skip
        step = Step(number, name, self.plan.machine.key, planned.target, planned.args, number, planned.phase)
        return Work(step, context, self.plan, self.kit, names=self.names)

    def _sleep(self, seconds: float) -> None:
        self.clock.now += seconds
        self.cloud.tick()

    def once(self, name: str) -> StepResult:
        """One attempt at a step. Raises Crash when the engine dies, Failed when the step fails."""
        with ExitStack() as stack:
            for module in (hands, keypairs, undo_machine):
                stack.enter_context(mock.patch.object(module, "time", self.clock))
            result = _STEPS[name](self.work(name))
        self.results[self.names[name]] = result
        return result

    def step(self, name: str, *, again: int = 0) -> StepResult:
        """Do one step to its end, however often the engine dies; `again`: its result was lost so many times."""
        while True:
            try:
                result = self.once(name)
            except Crash:
                self.crashes += 1
                continue
            if not again:
                return result
            again -= 1
            self.results.pop(self.names[name])

    def run(self, *names: str, again: int = 0) -> dict[str, StepResult]:
        """Several steps."""
        return {name: self.step(name, again=again) for name in names}

    def attempt(self, name: str) -> str:
        """Do a step that must fail; its sentence."""
        try:
            found = self.step(name)
        except Failed as problem:
            return problem.detail
        raise AssertionError(f"{name} did not fail: {found.detail}")


# Plans


def disk(cloud: FakeCloud, volume: str, source: Source | None, **more: Any) -> Disk:
    """A disk of the plan as the cloud has it."""
    of = cloud.volumes[volume]
    given: dict[str, Any] = {
        "name": of["name"], "size_gb": of["size"], "volume_type": of["volume_type"], "zone": of["availability_zone"],
        "bootable": of["bootable"] == "true", "metadata": dict(of["metadata"]), "description": of["description"],
        "image_metadata": dict(of.get("volume_image_metadata") or {}), "source": source,
        "choice": "restore_point" if source else "keep_current", **more,
    }  # fmt: skip
    return Disk(volume, **given)


def plan(way: Way, server: str, *disks: Disk, boot: Any = "volume", **more: Any) -> Plan:
    """A plan of that way for a machine of the cloud; `request`, as a mapping, is what a person chose."""
    machine = Machine((CLOUD, REGION, server), "web", PROJECT, project_name="shop", boot=boot, flavor={"disk": 1},
                      status=more.pop("status", "ACTIVE"))  # fmt: skip
    request = Request(PROJECT, server, CLOUD, REGION, way=way, **more.pop("request", {}))
    return Plan("", way, machine, NOW, NOW + timedelta(minutes=30), request, eligible=True, disks=disks, **more)
