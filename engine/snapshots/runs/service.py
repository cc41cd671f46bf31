"""Runs, as people ask for them and look at them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.access.models import ENGINE, Caller
from engine.api.errors import BadRequest, Conflict, NotFound
from engine.snapshots.models import Key, Trigger, Volume
from engine.snapshots.runs import telling
from engine.snapshots.runs.driving import caller_of, run_values
from engine.snapshots.runs.records import ENDED, Records
from store import times
from store.ids import uuid7

if TYPE_CHECKING:
    from engine.audit.service import AuditService
    from engine.snapshots.runs.driving import Driver
    from engine.snapshots.runs.models import RunBody
    from engine.snapshots.runs.sources import Jobs, Policies
    from engine.snapshots.runs.timing import Timing
    from store.ops.ops import Ops

MOST_KEYS = 10_000
ACTIVE = ("pending", "running")


class RunService:
    """Thread-safe. All methods block."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        records: Records,
        policies: Policies,
        jobs: Jobs,
        driver: Driver,
        timing: Timing,
        clouds: Callable[[], Sequence[str]],
        regions: Callable[[str], Sequence[str]],
        visible: Callable[[Caller], list[Volume]],
        changed: Callable[[int, str], None],
        clock: Callable[[], datetime] = times.utcnow,
    ) -> None:
        """`regions(cloud)`: where it has volumes; `visible(caller)`: the volumes that a limited caller may see."""
        self._ops, self._audit, self._records, self._policies, self._jobs = ops, audit, records, policies, jobs
        self._driver, self._timing, self._clouds, self._regions = driver, timing, clouds, regions
        self._visible, self._changed, self._clock = visible, changed, clock

    # Doing

    def start(
        self,
        caller: Caller,
        cloud: str,
        region: str | None = None,
        policies: Sequence[str] | None = None,
        trigger: Trigger = "manual",
        dry_run: bool = False,
        keys: Sequence[Key] | None = None,
        nonce: str = "",
    ) -> dict[str, Any]:
        """Ask for a run of these policies (None: all that the volumes have) on these volumes (None: all), now.

        Answers the run, which waits for its turn; asked for twice with one `nonce` it is one run. Raises NotFound for a
        cloud, BadRequest for a region or volumes that make no sense.
        """
        if cloud not in self._clouds() or (caller.clouds is not None and cloud not in caller.clouds):
            raise NotFound(f"there is no cloud {cloud!r:.80} here")
        known = list(self._regions(cloud))
        if region is None:
            if len(known) > 1:
                raise BadRequest(f"{cloud} has the regions {', '.join(known)}: name one")
            region = known[0] if known else ""
        elif region not in known:
            raise BadRequest(f"{cloud} has no region {region!r:.80} with volumes")
        if caller.limited and caller is not ENGINE:
            own = {volume.key for volume in self._visible(caller) if volume.key[:2] == (cloud, region)}
            keys = sorted(own if keys is None else own & set(keys))
        if keys is not None and (not keys or len(keys) > MOST_KEYS):
            raise BadRequest(f"a run on chosen volumes needs at least one and at most {MOST_KEYS} of them")
        # What is asked for now is no occurrence of a schedule: it is made whatever was made before.
        occurrences = dict.fromkeys(policies or (), self._clock()) if not nonce else {}
        values = run_values(
            cloud, region, occurrences, trigger, caller, policies=list(policies or ()), dry_run=dry_run,
            keys=None if keys is None else [list(key) for key in keys], nonce=nonce or uuid7(),
        )  # fmt: skip
        with self._ops.begin() as connection:
            run_id = self._records.create(connection, values)
            detail = {"run": run_id, "policies": list(policies or ()), "dry_run": dry_run, "trigger": trigger,
                      "volumes": None if keys is None else len(keys)}  # fmt: skip
            self._audit.record(
                caller, "snapshot.run_asked", f"{cloud} snapshot run {run_id}", detail, connection=connection
            )
        self._changed(run_id, cloud)
        self._timing.wake()
        return self.run(run_id)

    def begin(self, caller: Caller, body: RunBody) -> dict[str, Any]:
        """Ask for the run that the body describes. As `start`; also BadRequest for volumes and policies that are not
        there."""
        self._check_policies(caller, body.cloud, body.policies or ())
        keys = None
        if body.volumes is not None:
            wanted = set(body.volumes)
            keys = [
                volume.key for volume in self._visible(caller)
                if volume.id in wanted and volume.cloud == body.cloud and body.region in (None, volume.region)
            ]  # fmt: skip
            if missing := wanted - {key[2] for key in keys}:
                raise BadRequest(f"{body.cloud} has no volume {min(missing)!r:.80}")
        region = body.region
        if region is None and keys and len({key[1] for key in keys}) == 1:
            region = keys[0][1]
        return self.start(caller, body.cloud, region, body.policies, "manual", body.dry_run, keys)

    def _check_policies(self, caller: Caller, cloud: str, names: Sequence[str]) -> None:
        """Raises BadRequest for a policy that nobody made and no volume of the cloud names."""
        unknown = {name for name in names if not self._policies.policy(name).known}
        if unknown:
            volumes = [volume for volume in self._visible(caller) if volume.cloud == cloud]
            decisions = self._policies.decide(volumes, self._clock())
            unknown -= {held.policy for decision in decisions.values() for held in decision.held}
        if unknown:
            raise BadRequest(
                f"there is no policy {min(unknown)!r:.80}: nobody made it, and no volume of {cloud} has it"
            )

    def cancel(self, caller: Caller, run_id: int) -> dict[str, Any]:
        """End a run between two restore points. Raises NotFound, Conflict when it has ended."""
        row = self._row(caller, run_id)
        if row["phase"] == ENDED:
            raise Conflict(f"snapshot run {run_id} has ended: {row['detail'] or row['status']}")
        with self._ops.begin() as connection:
            self._records.change(connection, run_id, cancelled_by=caller.name)
            self._audit.record(
                caller, "snapshot.run_cancelled", f"{row['cloud']} snapshot run {run_id}", {"run": run_id},
                connection=connection,
            )  # fmt: skip
        for job in row["job_ids"]:
            if self._jobs.open(job):
                self._jobs.cancel(job, Caller(**caller_of(row)) if caller.limited else caller)
        self._changed(run_id, row["cloud"])
        self._timing.wake()
        return self.run(run_id)

    def tick(self, now: datetime) -> bool:
        """One look at every cloud at that time, without the thread; True when something moved."""
        return self._timing.tick(now)

    # Looking

    def page(
        self,
        caller: Caller,
        status: str | None = None,
        limit: int = 50,
        offset: int = 0,
        cloud: str = "",
        region: str = "",
    ) -> tuple[int, list[dict[str, Any]]]:
        """(total, runs newest first)."""
        total, rows = self._records.page(caller.clouds, [status] if status else [], limit, offset, cloud, region)
        return total, [self._told(row) for row in rows]

    def run(self, run_id: int, caller: Caller = ENGINE) -> dict[str, Any]:
        """One run. Raises NotFound."""
        return self._told(self._row(caller, run_id))

    def progress(self, run_id: int, caller: Caller = ENGINE) -> dict[str, Any]:
        """The run with its batches and the volumes that quota kept out, as documented. Raises NotFound."""
        row = self._row(caller, run_id)
        steps = self._steps(row)
        blocked = self._records.blocked(run_id, self.projects(caller))
        return {
            "run": self._told(row, steps),
            "batches": telling.batches(row, steps),
            "quota_blocks": [telling.block(one) for one in blocked],
            "is_active": row["phase"] != ENDED,
        }

    def active(self, caller: Caller = ENGINE) -> dict[str, Any]:
        """The run that works now (else the one that waits longest), as documented; `runs` has every open one."""
        rows = [row for row in self._records.open() if caller.clouds is None or row["cloud"] in caller.clouds]
        if not rows:
            return {"active": False, "run": None, "batches": [], "runs": []}
        first = self.progress(rows[0]["id"], caller)
        return {
            "active": True,
            "run": first["run"],
            "batches": first["batches"],
            "quota_blocks": first["quota_blocks"],
            "runs": [self._told(row) for row in rows],
        }

    def records(
        self, run_id: int, caller: Caller = ENGINE, status: str = "", limit: int = 1000, offset: int = 0
    ) -> tuple[int, list[dict[str, Any]]]:
        """(total, the run's records). Raises NotFound."""
        self._row(caller, run_id)
        total, rows = self._records.records(run_id, self.projects(caller), status, limit, offset)
        return total, [telling.record(row) for row in rows]

    def blocked(
        self, caller: Caller = ENGINE, run_id: int | None = None, since: datetime | None = None, limit: int = 1000
    ) -> list[dict[str, Any]]:
        """Volumes that quota kept out of a run, or of any since a time; newest first."""
        if run_id is not None:
            self._row(caller, run_id)
        rows = self._records.blocked(run_id, self.projects(caller), since, caller.clouds, limit)
        return [telling.block(row) for row in rows]

    def state(self, caller: Caller = ENGINE) -> dict[str, Any]:
        """Why nothing runs where something is due, and what does not work: {"idle": {cloud: why}, "problems": ...}."""

        def seen(found: dict[str, str]) -> dict[str, str]:
            return {name: why for name, why in found.items() if caller.clouds is None or name in caller.clouds}

        return {"idle": seen(dict(self._driver.idle)), "problems": seen(dict(self._timing.problems))}

    def projects(self, caller: Caller) -> Collection[str] | None:
        """Ids of the projects whose records the caller may see; None: of all."""
        if caller.projects is None and caller.domains is None:
            return None
        return {volume.project_id for volume in self._visible(caller)}

    def _row(self, caller: Caller, run_id: int) -> dict[str, Any]:
        row = self._records.run(run_id)
        if row is None or (caller.clouds is not None and row["cloud"] not in caller.clouds):
            raise NotFound(f"there is no snapshot run {run_id}")
        return row

    def _steps(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        found = [self._jobs.job(id)["steps"] for id in row["job_ids"] if self._jobs.exists(id)]
        return [step for steps in found for step in steps]

    def _told(self, row: dict[str, Any], steps: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        steps = self._steps(row) if steps is None else steps
        with self._ops.read() as connection:
            counts = self._records.counts(connection, row["id"])
        return telling.run(row, counts, steps, self._clock())
