"""A cloud, jobs and an engine in memory, driven step by step by a clock of their own, that can die anywhere.

What is on disk (the operations database, the jobs' journal) and the cloud outlive a crash; everything else is dropped.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from sqlalchemy import Connection

from engine.access.models import Caller
from engine.audit.service import AuditService
from engine.gate.models import Target
from engine.jobs.models import Step, StepContext, StepResult
from engine.settings.models import Settings
from engine.snapshots.models import CREATED_BY, CREATED_BY_POLICY, POLICY, TOKEN, Decision, Held, Key, Policy, Volume
from engine.snapshots.policies import kept, naming, schedule
from engine.snapshots.runs.driving import Driver
from engine.snapshots.runs.planning import Limits
from engine.snapshots.runs.quota import Entry, Quota
from engine.snapshots.runs.records import Records
from engine.snapshots.runs.register import Register
from engine.snapshots.runs.runner import SnapshotRunner
from engine.snapshots.runs.service import RunService
from engine.snapshots.runs.timing import Timing
from store.ops.ops import Ops
from tests.engine.snapshots.runs.simulated_cloud import Cloud, Crash, Faults

T = TypeVar("T")
START = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)  # half an hour after a daily policy's time
CLOUD, REGION = "sim", "one"


class CrashingOps:
    """Ops that may die before or after any commit."""

    def __init__(self, ops: Ops, faults: Faults) -> None:
        self._ops, self._faults = ops, faults
        self.path, self.reserve = ops.path, None

    @contextlib.contextmanager
    def begin(self) -> Iterator[Connection]:
        with self._ops.begin() as connection:
            yield connection
            self._faults.point()
        self._faults.point()

    def finish(self, act: Callable[[Connection], T]) -> T:
        with self.begin() as connection:
            return act(connection)

    def read(self) -> Any:
        return self._ops.read()


class Context(StepContext):
    """Waits without time: what does not come at once does not come."""

    def wait(
        self, check: Callable[[], T | None], seconds: float, *, first: float = 0.25, longest: float = 5.0
    ) -> T | None:
        for _ in range(3):
            if (found := check()) is not None:
                return found
        return None


class Journal:
    """The jobs, durable: a step's token and attempts are noted before it begins."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.runner: SnapshotRunner | None = None

    def submit(
        self, kind: str, title: str, caller: Caller, plan: Mapping[str, Any], options: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        id = (options or {})["job_id"]
        if id not in self.jobs:
            fresh: dict[str, Any] = dict.fromkeys(("detail", "started_at", "ended_at"))
            fresh |= {"state": "pending", "attempt": 0}
            steps = [
                {**fresh, "seq": seq, "token": uuid.uuid4().hex, **step} for seq, step in enumerate(plan["steps"], 1)
            ]
            rest = {name: value for name, value in plan.items() if name != "steps"}
            self.jobs[id] = {"id": id, "number": len(self.jobs) + 1, "plan": rest, "steps": steps, "caller": caller,
                             "cancelled_by": None, "over": False, "done": 0}  # fmt: skip
        return self.jobs[id]

    def open(self, job_id: str) -> bool:
        return job_id in self.jobs and not self.jobs[job_id]["over"]

    def exists(self, job_id: str) -> bool:
        return job_id in self.jobs

    def job(self, reference: str | int, caller: Caller | None = None) -> dict[str, Any]:
        job = self.jobs[str(reference)]
        told = [{name: value for name, value in step.items() if name != "args"} for step in job["steps"]]
        return {**job, "steps": told}

    def arguments(self, job_id: str) -> dict[int, Any]:
        return {step["seq"]: step["args"] for step in self.jobs[job_id]["steps"]}

    def cancel(self, reference: str | int, caller: Caller) -> dict[str, Any]:
        self.jobs[str(reference)]["cancelled_by"] = caller.name
        return self.jobs[str(reference)]

    def work(self) -> bool:
        """Perform every open job to its end, as the jobs do; a crash leaves it where it is."""
        assert self.runner is not None
        moved = False
        for job in self.jobs.values():
            if job["over"]:
                continue
            moved = True
            for step in job["steps"]:
                if step["state"] == "pending" and job["cancelled_by"]:
                    step["state"] = "skipped"
                if step["state"] not in ("pending", "running"):
                    continue
                step["state"], step["attempt"] = "running", step["attempt"] + 1
                result = self._perform(job, step)
                step["state"], step["detail"] = "done" if result.ok else "failed", result.detail
            job["over"] = True
            self.runner.ended(job)
        return moved

    def _perform(self, job: dict[str, Any], step: dict[str, Any]) -> StepResult:
        assert self.runner is not None
        key = tuple(step["key"])
        asked = Step(step["seq"], step["name"], key, step["target"], step["args"], step["group"])
        context = Context(
            job["id"], job["number"], step["attempt"], step["token"], len(job["steps"]), job["caller"], "", "",
            job["plan"], {}, lambda seq: None, lambda: False, lambda: False, lambda seconds: None,
        )  # fmt: skip
        try:
            return self.runner.run_step(asked, context)
        except Exception as error:
            return StepResult(False, getattr(error, "detail", None) or str(error))


@dataclass
class Wanted:
    """What people decided: `held` {volume: {policy: keep}}, and excluded volumes."""

    policies: dict[str, Policy] = field(default_factory=dict)
    held: dict[str, dict[str, int]] = field(default_factory=dict)
    excluded: set[str] = field(default_factory=set)


class Policies:
    """The policies' part that runs need; what was taken up is in the real table."""

    def __init__(self, ops: Any, wanted: Wanted, clock: Callable[[], datetime]) -> None:
        self.ops, self.wanted, self.clock = ops, wanted, clock

    def decide(self, volumes: Iterable[Volume], now: datetime) -> dict[Key, Decision]:
        found = {}
        for volume in volumes:
            out = "excluded by a person" if volume.id in self.wanted.excluded else None
            own = {} if out else self.wanted.held.get(volume.id, {})
            found[volume.key] = Decision(tuple(Held(name, keep, "set", "test") for name, keep in own.items()), (), out)
        return found

    def policy(self, name: str) -> Policy:
        return self.wanted.policies.get(name) or naming.made_up(name)

    def due(self, cloud: str, region: str, now: datetime) -> dict[str, datetime]:
        with self.ops.read() as connection:
            known = kept.handled(connection, cloud, region)
        names = {name for own in self.wanted.held.values() for name in own}
        if new := names - set(known):
            with self.ops.begin() as connection:
                kept.notice(connection, cloud, region, new, now)
        found = {}
        for name in sorted(names):
            since, last = known.get(name, (now, None))
            at = schedule.due(self.wanted.policies[name], last, now, since)
            if at is not None:
                found[name] = at
        return found

    def handled(
        self, cloud: str, region: str, occurrences: Mapping[str, datetime], run_id: int, connection: Connection
    ) -> None:
        kept.handle(connection, cloud, region, occurrences, str(run_id), self.clock())


class Estate:
    """Listings: what the cloud had when the last one ended whole."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._begun: dict[str, int] = {}

    def regions(self, cloud: str) -> list[str]:
        return [REGION]

    def volumes(self, cloud: str, region: str, keys: Sequence[Key] | None = None) -> list[Volume]:
        wanted = None if keys is None else set(keys)
        return [volume for volume in self._world.listed if wanted is None or volume.key in wanted]

    def begin(self, cloud: str) -> str:
        id = f"c{next(self._world.cloud.numbers)}"
        self._begun[id] = 2
        return id

    def ended(self, cloud: str, region: str, collection: str) -> str | None:
        self._begun[collection] -= 1
        if self._begun[collection]:
            return None
        if self._world.listing_fails:
            self._world.listing_fails -= 1
            return "the volume list broke off"
        self._world.listed = [
            Volume(CLOUD, REGION, one["id"], one["name"], one["status"], one["size"], one["volume_type"],
                   project_id=one["project"], project_name=one["project"],
                   server_ids=tuple(a["server_id"] for a in one["attachments"]))
            for one in self._world.cloud.volumes.values()
        ]  # fmt: skip
        self._world.listings += 1
        return ""


class World:
    """Everything together."""

    def __init__(self, folder: Path) -> None:
        self.now = START
        self.faults = Faults()
        self.cloud = Cloud(self.faults, lambda: self.now)
        self.real = Ops.open(folder / "ops.sqlite")
        self.journal, self.wanted = Journal(), Wanted()
        self.listed: list[Volume] = []
        self.listings = 0
        self.listing_fails = 0
        self.forbidden: str | None = None
        self.settings = Settings()
        self.crashes = 0
        self.boot()

    def boot(self) -> None:
        """A new process over what is on disk."""
        ops: Any = CrashingOps(self.real, self.faults)
        clock = lambda: self.now  # noqa: E731
        audit = AuditService(ops)
        self.register, self.records = Register(ops, clock), Records(ops, clock)
        self.policies = Policies(ops, self.wanted, clock)
        estate: Any = Estate(self)
        gate: Any = SimpleNamespace(
            perform=self.cloud.perform, reader=lambda *place: self.cloud.get, hands_off=self.hands_off,
            held=lambda type, key: None,
        )  # fmt: skip
        quotas: Any = SimpleNamespace(storage=self.quotas)
        self.driver = Driver(
            ops, audit, self.records, self.register, self.policies, estate, quotas, self.journal,
            lambda: self.settings, lambda cloud: self.forbidden, lambda run, cloud: None, lambda job: None, clock,
        )  # fmt: skip
        self.timing = Timing(self.driver, lambda: [CLOUD], clock)
        self.runs = RunService(
            ops, audit, self.records, self.policies, self.journal, self.driver, self.timing, lambda: [CLOUD],
            lambda cloud: [REGION], lambda caller: self.listed, lambda run, cloud: None, clock,
        )  # fmt: skip
        self.journal.runner = SnapshotRunner(
            ops, self.records, self.register, self.policies, gate, lambda: Limits(), lambda run, cloud: None,
            lambda job: None, clock,
        )  # fmt: skip

    def hands_off(self, target: Target) -> str | None:
        return None

    def quotas(self, cloud: str, region: str, projects: Sequence[str]) -> dict[str, Quota | str]:
        self.faults.point()
        found: dict[str, Quota | str] = {}
        for project in projects:
            used = self.cloud.used(project)
            found[project] = {
                name: Entry(self.cloud.limits.get(f"{project}/{name}", -1), used[name])
                for name in ("snapshots", "gigabytes")
            }
        return found

    def policy(self, name: str, cron: str = "0 2 * * *", keep: int = 2, **more: Any) -> Policy:
        made = Policy(name, cron, keep=keep, **more)
        self.wanted.policies[name] = made
        return made

    def hold(self, volume: str, policy: str, keep: int | None = None) -> None:
        self.wanted.held.setdefault(volume, {})[policy] = keep or self.wanted.policies[policy].keep

    def settle(self) -> None:
        """Look and work until nothing moves any more; whenever the engine dies, another one takes over."""
        for _ in range(500):
            try:
                moved = self.timing.tick(self.now)
                moved = self.journal.work() or moved or bool(self.records.open())
            except Crash:
                self.crashes += 1
                self.boot()
                continue
            assert not self.timing.problems, self.timing.problems
            if not moved:
                return
        raise AssertionError(f"it does not come to rest: {self.records.open()}")

    def pass_time(self, step: timedelta, times: int = 1) -> None:
        """Let time pass, looking after each step."""
        for _ in range(times):
            self.now += step
            self.settle()

    def own(self, volume: str, policy: str) -> list[dict[str, Any]]:
        """Snapshots of the volume that the register knows as ours and the cloud still has, newest first."""
        rows = self.register.rows(CLOUD, REGION, [volume], policy)
        return [row for row in rows if row["point_id"] in self.cloud.snapshots]

    def forge(self, volume: str, policy: str, token: str = "") -> dict[str, Any]:
        """A snapshot that somebody else made and that says it is ours."""
        return self.cloud.add_snapshot(
            volume, {CREATED_BY: CREATED_BY_POLICY, POLICY: policy, TOKEN: token or "x" * 32}
        )

    def close(self) -> None:
        self.real.close()
