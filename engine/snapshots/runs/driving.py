"""What drives runs forward: each look at a cloud takes its run one phase on, and begins the next when there is none.

asked -> collecting -> planned -> running -> ended. Every phase can be done again from what is on disk, so it does not
matter where the engine ended; one run at a time works on a cloud. `now` is an argument, and nothing here sleeps.
"""

from __future__ import annotations

import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from engine.access.models import ENGINE, Caller
from engine.api.errors import ApiError
from engine.snapshots.models import Policy
from engine.snapshots.policies import schedule
from engine.snapshots.runs import planning, telling
from engine.snapshots.runs.planning import Limits, Own, Plan, Want
from engine.snapshots.runs.records import ASKED, COLLECTING, PLANNED, RUNNING, Records
from engine.snapshots.runs.register import Register, unit
from store import times

if TYPE_CHECKING:
    from engine.audit.service import AuditService
    from engine.settings.models import Settings
    from engine.snapshots.runs.sources import Estate, Jobs, Policies, Quotas
    from store.ops.ops import Ops

KIND = "snapshots"  # of the jobs
MOST_STEPS = 5_000  # of one job; a run that has more is several
_LONGEST = timedelta(hours=6)  # between two attempts at what could not be made
_NAMES = uuid.UUID("6d2b3f0e-63c5-5d0f-9d0a-7e4f8f3f2c11")

_log = structlog.get_logger("qdeck.snapshots")


class Driver:
    """See the module. Thread-safe; looks at one cloud do not overlap."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        records: Records,
        register: Register,
        policies: Policies,
        estate: Estate,
        quotas: Quotas,
        jobs: Jobs,
        settings: Callable[[], Settings],
        forbidden: Callable[[str], str | None],
        changed: Callable[[int, str], None],
        released: Callable[[str], object],
        clock: Callable[[], datetime],
    ) -> None:
        """`forbidden(cloud)`: why policies may not change the cloud; `changed(run, cloud)` is told when a run moved;
        `released(job)` when a job's end has been written down."""
        self._ops, self._audit, self._records, self._register = ops, audit, records, register
        self._policies, self._estate, self._quotas, self._jobs = policies, estate, quotas, jobs
        self._settings, self._forbidden, self._changed, self._released = settings, forbidden, changed, released
        self._clock = clock
        self._collecting: dict[int, str] = {}
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._lock = threading.Lock()
        self.idle: dict[str, str] = {}  # clouds where something is due and nothing runs, and why

    def look(self, cloud: str, now: datetime) -> bool:
        """Take the cloud's run on by a phase, or begin one that is due; True when something moved."""
        with self._lock:
            lock = self._locks[cloud]
        with lock:
            waiting = self._records.open(cloud)
            if waiting:
                return self._advance(waiting[0], now)
            begun = self._begin_due(cloud, now)
            return begun is not None

    # What is due

    def _begin_due(self, cloud: str, now: datetime) -> int | None:
        self.idle.pop(cloud, None)
        for region in self._estate.regions(cloud):
            due = self._policies.due(cloud, region, now)
            again = self._records.again(cloud, region, now)
            rest = self._rest(again, now)
            if not due and not rest and not again:
                continue
            if (due or rest) and (problem := self._forbidden(cloud)):
                self.idle[cloud] = problem
                continue
            attempt = max((row["attempt"] for row in again), default=0) + 1 if rest else 1
            run_id = self._create(cloud, region, {**rest, **due}, due, [row["id"] for row in again], attempt)
            if run_id is not None:
                return run_id
        return None

    def _rest(self, again: list[dict[str, Any]], now: datetime) -> dict[str, datetime]:
        """What of earlier runs is still worth making: no newer occurrence has come, and it is not too late."""
        found: dict[str, datetime] = {}
        for row in again:
            for name, text in row["occurrences"].items():
                policy, at = self._policies.policy(name), times.parse(text)
                late = policy.catch_up_hours is not None and now - at > timedelta(hours=policy.catch_up_hours)
                if policy.enabled and not late and schedule.occurrence(policy, now) == at:
                    found[name] = at
        return found

    def _create(
        self,
        cloud: str,
        region: str,
        occurrences: Mapping[str, datetime],
        due: Mapping[str, datetime],
        replaced: list[int],
        attempt: int,
    ) -> int | None:
        with self._ops.begin() as connection:
            for run_id in replaced:
                self._records.no_retry(connection, run_id)
            if not occurrences:
                return None
            values = run_values(cloud, region, occurrences, "schedule", ENGINE, attempt=attempt)
            run_id = self._records.create(connection, values)
            if due:
                self._policies.handled(cloud, region, due, run_id, connection)
        self._changed(run_id, cloud)
        return run_id

    # Phases

    def _advance(self, row: dict[str, Any], now: datetime) -> bool:
        phase = row["phase"]
        if phase == RUNNING:
            return self._watch(row, now)
        if row["cancelled_by"] is not None:
            return self._over(row, "cancelled", f"cancelled by {row['cancelled_by']}")
        if phase == PLANNED:
            return self._take_up(row)
        if not row["dry_run"] and (problem := self._forbidden(row["cloud"])):
            return self._fail(row, problem, now)
        if row["dry_run"]:
            self._set(row, phase=COLLECTING, status="running", started_at=now)
            return self._plan(row, now)
        collection = self._collecting.get(row["id"])
        if phase == ASKED or collection is None:
            return self._collect(row, now)
        try:
            ended = self._estate.ended(row["cloud"], row["region"], collection)
        except KeyError:
            return self._collect(row, now)
        if ended is None:
            return False
        self._collecting.pop(row["id"], None)
        if ended:
            return self._fail(row, f"nothing was made, because the lists were not read whole: {ended}", now)
        return self._plan(row, now)

    def _collect(self, row: dict[str, Any], now: datetime) -> bool:
        self._set(row, phase=COLLECTING, status="running", started_at=row["started_at"] or now)
        self._collecting[row["id"]] = self._estate.begin(row["cloud"])
        return True

    def _plan(self, row: dict[str, Any], now: datetime) -> bool:
        try:
            plan, steps, occurrences = self.made_plan(row, now)
        except ApiError as error:
            return self._fail(row, error.detail, now)
        noted = [skip for skip in plan.skips if skip.code != "made"]
        batches = [telling.batch(batch) for batch in plan.batches]
        total = sum(batch.volumes for batch in plan.batches) + len(plan.blocks)
        pieces = planning.parts(plan.batches, MOST_STEPS)
        ids = [str(uuid.uuid5(uuid.UUID(row["uid"]), str(number))) for number in range(len(pieces))]
        ids = [] if row["dry_run"] else ids
        with self._ops.begin() as connection:
            self._records.planned(connection, row, plan, noted)
            if row["dry_run"]:
                for want in plan.wants:
                    for volume in want.volumes:
                        self._records.note(
                            connection, row, volume, "created", policy=want.policy, keep=want.keep, status="DRY_RUN"
                        )
            self._records.change(
                connection, row["id"], batches=batches, total_volumes=total, job_ids=ids, phase=PLANNED,
                occurrences={name: times.text(at) for name, at in occurrences.items()}, policies=sorted(occurrences),
            )  # fmt: skip
        if row["dry_run"]:
            said = f"{total - len(plan.blocks)} restore points would be made"
            said += f", {len(plan.blocks)} are blocked by quota" if plan.blocks else ""
            return self._over(row, "dry_run_completed", said)
        if not ids:
            return self._close(row, [], now)
        for id, piece in zip(ids, pieces, strict=True):
            self._submit(row, id, [step for batch in piece for step in steps[batch.number]])
        self._set(row, phase=RUNNING)
        return True

    def made_plan(
        self, row: Mapping[str, Any], now: datetime
    ) -> tuple[Plan, dict[int, list[dict[str, Any]]], dict[str, datetime]]:
        """The run's plan, its steps by batch, and the occurrences it makes. Changes nothing."""
        cloud, region = row["cloud"], row["region"]
        keys = None if row["keys"] is None else [(key[0], key[1], key[2]) for key in row["keys"]]
        volumes = self._estate.volumes(cloud, region, keys)
        decisions = self._policies.decide(volumes, now)
        occurrences = {name: times.parse(text) for name, text in row["occurrences"].items()}
        if not occurrences:  # everything that volumes have, as of when the run was asked for
            names = {held.policy for decision in decisions.values() for held in decision.held}
            wanted = set(row["policies"])
            occurrences = dict.fromkeys(sorted(names & wanted if wanted else names), row["created_at"])
        policies = {name: self._policies.policy(name) for name in occurrences}
        own: dict[tuple[str, str], list[Own]] = defaultdict(list)
        for known in self._register.rows(cloud, region):
            if known["volume_id"]:
                own[known["volume_id"], known["policy"]].append(
                    Own(unit(known), known["volume_id"], known["taken_at"], known["size_gb"])
                )
        settings = self._settings().snapshots
        limits = Limits(settings.batch_size, settings.max_size_gb)
        made = self._register.newest(cloud, region)
        wants, skips = planning.select(volumes, decisions, policies, occurrences, made, own, limits)
        projects = sorted({want.volume.project_id for want in wants})
        quotas = self._quotas.storage(cloud, region, projects) if projects else {}
        plan = planning.finish(wants, skips, quotas, limits, settings.parallel)
        steps = {batch.number: [_step(row, want, batch.number, plan, policies) for want in batch.wants]
                 for batch in plan.batches}  # fmt: skip
        return plan, steps, occurrences

    def _submit(self, row: Mapping[str, Any], job_id: str, steps: list[dict[str, Any]]) -> None:
        plan = {"version": 1, "run": row["id"], "cloud": row["cloud"], "region": row["region"], "steps": steps}
        options = {"job_id": job_id, "parallel": self._settings().snapshots.parallel,
                   "reason": f"snapshot run {row['id']} ({row['trigger'].replace('_', ' ')})"}  # fmt: skip
        names = ", ".join(sorted({step["args"]["policy"] for step in steps}))
        self._jobs.submit(KIND, f"Snapshots of {row['cloud']}: {names}"[:200], Caller(**caller_of(row)), plan, options)

    def _take_up(self, row: dict[str, Any]) -> bool:
        """The engine ended between the plan and its jobs: what was not submitted is planned again."""
        if any(self._jobs.exists(id) for id in row["job_ids"]):
            self._set(row, phase=RUNNING, job_ids=[id for id in row["job_ids"] if self._jobs.exists(id)])
        else:
            self._set(row, phase=COLLECTING)
        return True

    def _watch(self, row: dict[str, Any], now: datetime) -> bool:
        if opened := [id for id in row["job_ids"] if self._jobs.open(id)]:
            if row["cancelled_by"] is not None:  # asked for while its jobs were being submitted
                for id in opened:
                    self._jobs.cancel(id, Caller(**caller_of(row)))
            return False
        return self._close(row, [self._jobs.job(id) for id in row["job_ids"] if self._jobs.exists(id)], now)

    # Ends

    def _close(self, row: dict[str, Any], jobs: list[dict[str, Any]], now: datetime) -> bool:
        """Every step has ended: write down what has no record yet, and how it went."""
        cancelled = row["cancelled_by"] or next((job["cancelled_by"] for job in jobs if job["cancelled_by"]), None)

        arguments = {job["id"]: self._jobs.arguments(job["id"]) for job in jobs}

        def act(connection: Any) -> None:
            for job in jobs:
                for step in job["steps"]:
                    given = step | {"args": arguments[job["id"]][step["seq"]]}
                    telling.leftover(self._records, connection, row, given, cancelled is not None)
            counts = self._records.counts(connection, row["id"])
            status, detail = telling.verdict(counts, cancelled)
            left = self._records.unfinished(connection, row["id"]) if cancelled is None else 0
            self._end(connection, row, status, detail, self._retry(row, now) if left else None)

        self._ops.finish(act)
        for job in jobs:
            self._released(job["id"])
        self._changed(row["id"], row["cloud"])
        return True

    def _retry(self, row: Mapping[str, Any], now: datetime) -> datetime | None:
        if row["trigger"] != "schedule":
            return None
        wait = timedelta(minutes=self._settings().snapshots.retry_minutes)
        return now + min(_LONGEST, wait * 2 ** min(row["attempt"] - 1, 8))

    def _fail(self, row: dict[str, Any], sentence: str, now: datetime) -> bool:
        _log.warning("a snapshot run failed", run=row["id"], cloud=row["cloud"], reason=sentence)
        return self._over(row, "failed", sentence, self._retry(row, now))

    def _over(self, row: dict[str, Any], status: str, detail: str, retry_at: datetime | None = None) -> bool:
        self._collecting.pop(row["id"], None)
        self._ops.finish(lambda connection: self._end(connection, row, status, detail, retry_at))
        self._changed(row["id"], row["cloud"])
        return True

    def _end(
        self, connection: Any, row: Mapping[str, Any], status: str, detail: str, retry_at: datetime | None
    ) -> None:
        counts = self._records.end(connection, row["id"], status, detail, retry_at)
        outcome = "failed" if status in ("failed", "partial") else "ok"
        told = {"run": row["id"], "status": status, "trigger": row["trigger"], "policies": list(row["policies"])}
        self._audit.record(
            Caller(**caller_of(row)), "snapshot.run", f"{row['cloud']} snapshot run {row['id']}",
            {**told, **counts, "result": detail[:400]}, outcome, connection,
        )  # fmt: skip

    def _set(self, row: dict[str, Any], **values: Any) -> None:
        with self._ops.begin() as connection:
            self._records.change(connection, row["id"], **values)
        row |= values
        self._changed(row["id"], row["cloud"])


def _step(row: Mapping[str, Any], want: Want, group: int, plan: Plan, policies: Mapping[str, Policy]) -> dict[str, Any]:
    volume = want.volume
    target = volume.server_name or want.server_id if want.method == "server" else volume.name or volume.id
    return {
        "name": f"{want.policy}: {'machine' if want.method == 'server' else 'volume'}",
        "key": [volume.cloud, volume.region, want.server_id if want.method == "server" else volume.id],
        "target": target,
        "group": group,
        "args": {
            "run": row["id"],
            "trigger": row["trigger"],
            "policy": want.policy,
            "keep": want.keep,
            "occurrence": times.text(want.occurrence),
            "method": want.method,
            "group_type": policies[want.policy].group_type,
            "server_id": want.server_id,
            "tight": volume.project_id in plan.tight,
            "volumes": [planning.volume_args(one) for one in want.volumes],
        },
    }


def run_values(
    cloud: str,
    region: str,
    occurrences: Mapping[str, datetime],
    trigger: str,
    caller: Caller,
    *,
    policies: list[str] | None = None,
    keys: list[list[str]] | None = None,
    dry_run: bool = False,
    attempt: int = 1,
    nonce: str = "",
) -> dict[str, Any]:
    """A new run's row. The same occurrences of the same cloud and region are the same run, unless tried again."""
    texts = {name: times.text(at) for name, at in sorted(occurrences.items())}
    uid = uuid.uuid5(_NAMES, repr([cloud, region, sorted(texts.items()), trigger, attempt, nonce]))
    return {
        "uid": str(uid), "cloud": cloud, "region": region, "policies": sorted(policies or texts), "occurrences": texts,
        "keys": keys, "trigger": trigger, "dry_run": dry_run, "status": "pending", "phase": ASKED,
        "caller": asdict(caller), "by": caller.name, "attempt": attempt,
    }  # fmt: skip


def caller_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Who asked for a run, as arguments of Caller."""
    lists = ("clouds", "domains", "projects")
    stored = row["caller"]
    return {**stored, **{name: None if stored.get(name) is None else tuple(stored[name]) for name in lists}}
