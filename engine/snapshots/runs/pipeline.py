"""The pipeline on demand: policies written to volumes, a collection, every volume's points made, a collection.

One pipeline at a time. Each look takes its first step that is not over a little further, from what is on disk: jobs and
runs have ids made of the pipeline's, so a step that was begun before a crash is found again and not begun twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from engine.access.models import Caller
from engine.api.errors import ApiError, Conflict
from engine.clouds.errors import CloudError
from engine.snapshots.runs import metadata_runner, planning
from engine.snapshots.runs.driving import MOST_STEPS, caller_of
from store import times
from store.ids import uuid7
from store.ops.snapshot_run_tables import snapshot_pipelines as table

if TYPE_CHECKING:
    from engine.audit.service import AuditService
    from engine.snapshots.models import Volume
    from engine.snapshots.runs.service import RunService
    from engine.snapshots.runs.sources import Estate, Inventory, Jobs
    from store.ops.ops import Ops

BUSY = "An on-demand snapshot pipeline is already pending or running."
QUEUED = "Snapshot pipeline queued. It begins at once. Poll /snapshot/run-now/status for progress."
STEPS = (
    ("policy_assign", "Policy Assignment"),
    ("rvtools_pre", "Inventory Sync (pre-snapshot)"),
    ("auto_snapshots", "Auto Snapshots"),
    ("rvtools_post", "Inventory Sync (post-snapshot)"),
)
_OPEN = ("pending", "running")
_OVER = ("completed", "failed")


class Pipeline:
    """Thread-safe: `look` is called by one thread, the rest by any."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        runs: RunService,
        estate: Estate,
        inventory: Inventory,
        jobs: Jobs,
        assignments: Callable[[list[Volume]], list[Volume]],
        clouds: Callable[[], Sequence[str]],
        forbidden: Callable[[str], str | None],
        changed: Callable[[], object],
        clock: Callable[[], datetime],
    ) -> None:
        """`assignments(volumes)`: those whose metadata do not say what was decided."""
        self._ops, self._audit, self._runs, self._estate, self._inventory = ops, audit, runs, estate, inventory
        self._jobs, self._assignments, self._clouds, self._forbidden = jobs, assignments, clouds, forbidden
        self._changed, self._clock = changed, clock
        self._syncs: dict[tuple[str, str], dict[str, str]] = {}  # (pipeline, step) -> {cloud: collection}

    def begin(self, caller: Caller) -> dict[str, Any]:
        """Ask for the pipeline on every cloud of the caller's; answers it as documented.

        Raises Conflict while one is pending or running, and where policies may not work on any cloud.
        """
        names = [name for name in self._clouds() if caller.clouds is None or name in caller.clouds]
        refused = {name: why for name in names if (why := self._forbidden(name))}
        open_to = [name for name in names if name not in refused]
        if not open_to:
            raise Conflict(next(iter(refused.values()), "there is no cloud to make snapshots on"))
        places = [[name, region] for name in open_to for region in self._estate.regions(name)]
        if not places:
            raise Conflict("no volume of these clouds was listed yet: collect them first")
        row = {
            "id": uuid7(), "status": "pending", "by": caller.name, "caller": asdict(caller), "places": places,
            "steps": [{"key": key, "label": label, "status": "pending"} for key, label in STEPS],
            "created_at": self._clock(), "detail": "; ".join(refused.values()),
        }  # fmt: skip
        with self._ops.begin() as connection:
            if connection.execute(select(table.c.id).where(table.c.status.in_(_OPEN))).first() is not None:
                raise Conflict(BUSY)
            connection.execute(insert(table).values(**row))
            self._audit.record(
                caller, "snapshot.run_now", ", ".join(open_to), {"pipeline": row["id"]}, connection=connection
            )
        self._changed()
        return {"job_id": row["id"], "status": "pending", "message": QUEUED}

    def status(self) -> dict[str, Any]:
        """The newest pipeline, as documented; "idle" when there never was one."""
        row = self._newest()
        if row is None:
            steps = [{"key": key, "label": label, "status": "pending"} for key, label in STEPS]
            return {"job_id": None, "status": "idle", "triggered_by": None, "started_at": None, "finished_at": None,
                    "steps": steps, "runs": [], "detail": None}  # fmt: skip
        return {
            "job_id": row["id"],
            "status": row["status"],
            "triggered_by": row["by"],
            "started_at": None if row["started_at"] is None else times.text(row["started_at"]),
            "finished_at": None if row["finished_at"] is None else times.text(row["finished_at"]),
            "steps": row["steps"],
            "runs": row["runs"],
            "detail": row["detail"] or None,
        }

    def look(self, now: datetime) -> bool:
        """Take the open pipeline further; True when something moved."""
        row = self._newest()
        if row is None or row["status"] not in _OPEN:
            return False
        if row["status"] == "pending":
            self._write(row, status="running", started_at=now)
        at = next((place for place, step in enumerate(row["steps"]) if step["status"] not in _OVER), None)
        if at is None or self._stopped(row, at):
            return self._end(row, now)
        step = row["steps"][at]
        try:
            said = getattr(self, f"_{step['key']}")(row)
        except (ApiError, CloudError) as error:
            said = ("failed", getattr(error, "detail", None) or str(error))
        if said is None:
            return self._mark(row, at, "running", "")
        return self._mark(row, at, *said)

    # The steps: None while they go on, else (status, sentence)

    def _policy_assign(self, row: dict[str, Any]) -> tuple[str, str] | None:
        ids = []
        for place, (cloud, region) in enumerate(row["places"]):
            id = self._id(row, f"assign-{place}")
            if not self._jobs.exists(id):
                stale = self._assignments(self._estate.volumes(cloud, region))[:MOST_STEPS]
                if not stale:
                    continue
                self._submit(row, id, cloud, region, stale)
            ids.append(id)
        if any(self._jobs.open(id) for id in ids):
            return None
        jobs = [self._jobs.job(id) for id in ids]
        done, failed = (sum(job[name] for job in jobs) for name in ("done", "failed"))
        sentence = f"{done} volumes written" + (f", {failed} failed" if failed else "")
        return ("failed" if failed and not done else "completed"), sentence

    def _rvtools_pre(self, row: dict[str, Any]) -> tuple[str, str] | None:
        return self._sync(row, "rvtools_pre")

    def _auto_snapshots(self, row: dict[str, Any]) -> tuple[str, str] | None:
        if not row["runs"]:
            caller = Caller(**caller_of(row))
            begun = [
                self._runs.start(caller, cloud, region, trigger="on_demand", nonce=f"{row['id']}-{place}")
                for place, (cloud, region) in enumerate(row["places"])
            ]
            self._write(row, runs=[run["id"] for run in begun])
        found = [self._runs.run(id) for id in row["runs"]]
        if any(run["finished_at"] is None for run in found):
            return None
        made = sum(run["snapshots_created"] for run in found)
        bad = [run for run in found if run["status"] in ("failed", "cancelled")]
        sentence = f"{made} restore points made"
        sentence += "".join(f"; run {run['id']} {run['status']}: {run['detail']}" for run in bad)
        return ("failed" if len(bad) == len(found) else "completed"), sentence

    def _rvtools_post(self, row: dict[str, Any]) -> tuple[str, str] | None:
        return self._sync(row, "rvtools_post")

    def _sync(self, row: dict[str, Any], key: str) -> tuple[str, str] | None:
        clouds = sorted({cloud for cloud, _ in row["places"]})
        begun = self._syncs.setdefault((row["id"], key), {})
        answers = []
        for cloud in clouds:
            if cloud not in begun:
                begun[cloud] = self._inventory.sync(cloud)
            try:
                answers.append(self._inventory.synced(begun[cloud]))
            except KeyError:  # another life of the engine began it: again
                del begun[cloud]
                answers.append(None)
        if any(answer is None for answer in answers):
            return None
        self._syncs.pop((row["id"], key))
        bad = [f"{cloud}: {why}" for cloud, why in zip(clouds, answers, strict=True) if why]
        return ("failed" if bad else "completed"), "; ".join(bad)

    # Inside

    def _stopped(self, row: dict[str, Any], at: int) -> bool:
        """What was made is collected whatever failed; nothing else goes on after a failure."""
        failed = any(step["status"] == "failed" for step in row["steps"][:at])
        return failed and not (row["steps"][at]["key"] == "rvtools_post" and row["runs"])

    def _submit(self, row: dict[str, Any], id: str, cloud: str, region: str, stale: list[Volume]) -> None:
        steps = [
            {
                "name": "policies in its metadata", "key": list(volume.key), "target": volume.name or volume.id,
                "args": {"region": region, "volumes": [planning.volume_args(volume)]},
            }
            for volume in stale
        ]  # fmt: skip
        options = {"job_id": id, "reason": "on-demand snapshot pipeline", "cloud": cloud}
        plan = {"version": 1, "cloud": cloud, "region": region, "steps": steps}
        title = f"Snapshot policies in the metadata of {len(steps)} volumes of {cloud}"
        self._jobs.submit(metadata_runner.KIND, title, Caller(**caller_of(row)), plan, options)

    def _id(self, row: dict[str, Any], what: str) -> str:
        return str(uuid.uuid5(uuid.UUID(row["id"]), what))

    def _newest(self) -> dict[str, Any] | None:
        with self._ops.read() as connection:
            query = select(table).order_by(table.c.created_at.desc(), table.c.id.desc()).limit(1)
            found = connection.execute(query).mappings().one_or_none()
        return None if found is None else dict(found)

    def _mark(self, row: dict[str, Any], at: int, status: str, sentence: str) -> bool:
        step = row["steps"][at]
        if step["status"] == status:
            return False
        steps = [dict(one) for one in row["steps"]]
        steps[at] = {**step, "status": status, **({"detail": sentence} if sentence else {})}
        self._write(row, steps=steps)
        return True

    def _end(self, row: dict[str, Any], now: datetime) -> bool:
        failed = [step for step in row["steps"] if step["status"] == "failed"]
        said = [f"{step['label']}: {step.get('detail', '')}" for step in failed]
        detail = "; ".join(part for part in (row["detail"], *said) if part)
        self._write(row, status="failed" if failed else "completed", finished_at=now, detail=detail[:2000])
        return True

    def _write(self, row: dict[str, Any], **values: Any) -> None:
        with self._ops.begin() as connection:
            connection.execute(update(table).where(table.c.id == row["id"]).values(**values))
        row |= values
        self._changed()
