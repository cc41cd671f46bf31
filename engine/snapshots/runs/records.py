"""Runs, their records and the volumes that quota kept out: what is on disk of them, written and read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, func, insert, select, update

from engine.snapshots.models import Volume
from engine.snapshots.runs.planning import Plan, Skip
from engine.snapshots.runs.quota import Block
from store import times
from store.ops.snapshot_run_tables import snapshot_points as points
from store.ops.snapshot_run_tables import snapshot_quota_blocks as blocks
from store.ops.snapshot_run_tables import snapshot_records as records
from store.ops.snapshot_run_tables import snapshot_runs as runs

if TYPE_CHECKING:
    from store.ops.ops import Ops

# Where a run's machinery stands. "asked" waits for its turn; one run at a time works on a cloud.
ASKED, COLLECTING, PLANNED, RUNNING, ENDED = "asked", "collecting", "planned", "running", "ended"
STATUS = {"created": "OK", "deleted": "OK", "skipped": "SKIPPED", "failed": "ERROR", "quota_blocked": "QUOTA_BLOCKED"}
# Why nothing was made that may be made when it is tried again.
PASSING = ("status", "held", "hands_off", "quota", "failed", "no_role", "read_only", "cancelled")


class Records:
    """Thread-safe. Methods with a `connection` write in the caller's transaction."""

    def __init__(self, ops: Ops, clock: Callable[[], datetime] = times.utcnow) -> None:
        self._ops, self._clock = ops, clock

    # Runs

    def create(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """A new run; the id of the one that has the same uid when there is one."""
        known = connection.scalar(select(runs.c.id).where(runs.c.uid == values["uid"]))
        if known is not None:
            return int(known)
        made = connection.execute(insert(runs).values(**values, created_at=self._clock()))
        assert made.inserted_primary_key is not None
        return int(made.inserted_primary_key[0])

    def change(self, connection: Connection, run_id: int, **values: Any) -> None:
        """Change a run that has not ended."""
        connection.execute(update(runs).where(runs.c.id == run_id, runs.c.phase != ENDED).values(**values))

    def run(self, run_id: int) -> dict[str, Any] | None:
        """One run's row."""
        with self._ops.read() as connection:
            row = connection.execute(select(runs).where(runs.c.id == run_id)).mappings().one_or_none()
        return None if row is None else dict(row)

    def page(
        self,
        clouds: Collection[str] | None,
        status: Sequence[str],
        limit: int,
        offset: int = 0,
        cloud: str = "",
        region: str = "",
    ) -> tuple[int, list[dict[str, Any]]]:
        """(total, runs newest first); `clouds` None: of all."""
        where: list[Any] = [] if clouds is None else [runs.c.cloud.in_(list(clouds))]
        where += [runs.c.status.in_(list(status))] if status else []
        where += [runs.c.cloud == cloud] if cloud else []
        where += [runs.c.region == region] if region else []
        with self._ops.read() as connection:
            total = connection.scalar(select(func.count()).select_from(runs).where(*where)) or 0
            query = select(runs).where(*where).order_by(runs.c.id.desc()).limit(limit).offset(offset)
            return total, [dict(row) for row in connection.execute(query).mappings()]

    def open(self, cloud: str = "") -> list[dict[str, Any]]:
        """Runs that have not ended, those that work before those that wait, the oldest first."""
        where = [runs.c.phase != ENDED, *([runs.c.cloud == cloud] if cloud else [])]
        with self._ops.read() as connection:
            found = [dict(row) for row in connection.execute(select(runs).where(*where).order_by(runs.c.id)).mappings()]
        return sorted(found, key=lambda row: (row["phase"] == ASKED, row["id"]))

    def again(self, cloud: str, region: str, now: datetime) -> list[dict[str, Any]]:
        """Runs whose rest is to be tried again by now, the oldest first."""
        where = (
            runs.c.cloud == cloud, runs.c.region == region, runs.c.phase == ENDED, runs.c.retry_at.is_not(None),
            runs.c.retry_at <= now,
        )  # fmt: skip
        with self._ops.read() as connection:
            return [dict(row) for row in connection.execute(select(runs).where(*where).order_by(runs.c.id)).mappings()]

    def no_retry(self, connection: Connection, run_id: int) -> None:
        """Its rest is not tried again, or is being tried."""
        connection.execute(update(runs).where(runs.c.id == run_id).values(retry_at=None))

    def end(
        self, connection: Connection, run_id: int, status: str, detail: str, retry_at: datetime | None = None
    ) -> dict[str, int]:
        """The run is over; its counts become final and are answered."""
        counts = self.counts(connection, run_id)
        self.change(
            connection, run_id, status=status, detail=detail[:2000], phase=ENDED, finished_at=self._clock(),
            retry_at=retry_at, **counts,
        )  # fmt: skip
        return counts

    def counts(self, connection: Connection, run_id: int) -> dict[str, int]:
        """created, deleted, skipped, failed, quota_blocked: from the records."""
        query = (
            select(records.c.action, records.c.status, func.count())
            .where(records.c.run_id == run_id)
            .group_by(records.c.action, records.c.status)
        )
        found = dict.fromkeys(STATUS, 0)
        for action, status, count in connection.execute(query):
            # A deletion that the cloud refused is counted where it belongs.
            name = action if action != "deleted" or status == "OK" else "skipped" if status == "SKIPPED" else "failed"
            found[name] += count
        return found

    # Records

    def note(self, connection: Connection, run: Mapping[str, Any], volume: Volume, action: str, **facts: Any) -> None:
        """Write a record; once, however often the step is done again.

        facts: policy, and status, code, keep, point_id, point_name, size_gb, server_id, detail, step where they differ
        from the volume's.
        """
        row = {
            "run_id": run["id"], "at": self._clock(), "action": action, "status": STATUS[action], **_named(volume),
            "size_gb": volume.size_gb, "server_id": next(iter(volume.server_ids), ""), "point_id": "", **facts,
        }  # fmt: skip
        row["detail"] = str(row.get("detail", ""))[:2000]
        same = [records.c[name] == row[name] for name in ("run_id", "volume_id", "policy", "action", "point_id")]
        known = connection.execute(select(records.c.id).where(*same)).scalar_one_or_none()
        if known is None:
            connection.execute(insert(records).values(**row))
        else:
            changed = {name: value for name, value in row.items() if name in ("status", "code", "detail")}
            connection.execute(update(records).where(records.c.id == known).values(**changed))

    def noted(self, connection: Connection, run_id: int, volume_id: str, policy: str) -> bool:
        """Whether a run has any record of a volume for a policy."""
        where = (records.c.run_id == run_id, records.c.volume_id == volume_id, records.c.policy == policy)
        return connection.execute(select(records.c.id).where(*where).limit(1)).first() is not None

    def settled(self, connection: Connection, run_id: int, volume_id: str, policy: str) -> None:
        """A later attempt of the same step made what an earlier could not: it counts no more as failed."""
        where = (
            records.c.run_id == run_id, records.c.volume_id == volume_id, records.c.policy == policy,
            records.c.action.in_(("failed", "quota_blocked")),
        )  # fmt: skip
        connection.execute(delete(records).where(*where))

    def block(self, connection: Connection, run: Mapping[str, Any], block: Block) -> None:
        """A volume that quota kept out, with its numbers and its record."""
        volume = block.volume
        named = {name: value for name, value in _named(volume).items() if name in blocks.c}
        row = {
            **named, "run_id": run["id"], "policy": block.policy, "at": self._clock(), "size_gb": volume.size_gb,
            "tenant_name": volume.project_name, "reason": block.reason, "resource": block.resource,
            "limit": block.limit, "used": block.used, "needed": block.needed, "detail": block.text,
        }  # fmt: skip
        key = (blocks.c.run_id == run["id"], blocks.c.volume_id == volume.id, blocks.c.policy == block.policy)
        connection.execute(delete(blocks).where(*key))
        connection.execute(insert(blocks).values(**row))
        self.note(
            connection, run, volume, "quota_blocked", policy=block.policy, keep=block.keep, code="quota",
            detail=block.text,
        )  # fmt: skip

    def planned(self, connection: Connection, run: Mapping[str, Any], plan: Plan, skips: Sequence[Skip]) -> None:
        """What is known when the plan is made: what is left out, and why. Replaces what an earlier plan left."""
        connection.execute(delete(records).where(records.c.run_id == run["id"]))
        connection.execute(delete(blocks).where(blocks.c.run_id == run["id"]))
        for skip in skips:
            self.note(
                connection, run, skip.volume, "skipped", policy=skip.policy, keep=skip.keep, code=skip.code,
                detail=skip.text,
            )  # fmt: skip
        for block in plan.blocks:
            self.block(connection, run, block)

    def records(
        self,
        run_id: int,
        projects: Collection[str] | None = None,
        status: str = "",
        limit: int = 1000,
        offset: int = 0,
    ) -> tuple[int, list[dict[str, Any]]]:
        """(total, records in the order in which they were written); `projects` None: of all."""
        where: list[Any] = [records.c.run_id == run_id]
        where += [] if projects is None else [records.c.project_id.in_(list(projects))]
        where += [records.c.status == status] if status else []
        with self._ops.read() as connection:
            total = connection.scalar(select(func.count()).select_from(records).where(*where)) or 0
            query = select(records).where(*where).order_by(records.c.id).limit(limit).offset(offset)
            return total, [dict(row) for row in connection.execute(query).mappings()]

    def blocked(self, run_id: int | None, projects: Collection[str] | None = None, since: datetime | None = None,
                clouds: Collection[str] | None = None, limit: int = 1000) -> list[dict[str, Any]]:  # fmt: skip
        """Volumes that quota kept out of a run, or (run None) of any run since a time; newest first."""
        where: list[Any] = [] if run_id is None else [blocks.c.run_id == run_id]
        where += [] if projects is None else [blocks.c.project_id.in_(list(projects))]
        where += [] if since is None else [blocks.c.at >= since]
        where += [] if clouds is None else [blocks.c.cloud.in_(list(clouds))]
        with self._ops.read() as connection:
            query = select(blocks).where(*where).order_by(blocks.c.at.desc(), blocks.c.volume_id).limit(limit)
            return [dict(row) for row in connection.execute(query).mappings()]

    def unfinished(self, connection: Connection, run_id: int) -> int:
        """How many volumes got no point for a reason that may pass."""
        query = select(func.count()).select_from(records).where(
            records.c.run_id == run_id, records.c.code.in_(PASSING),
            records.c.action.in_(("failed", "skipped", "quota_blocked")),
        )  # fmt: skip
        return connection.scalar(query) or 0

    def made(self, run_id: int) -> int:
        """How many points the register has of the run."""
        with self._ops.read() as connection:
            query = select(func.count()).select_from(points)
            return connection.scalar(query.where(points.c.run_id == run_id, points.c.state != "failed")) or 0


def _named(volume: Volume) -> dict[str, Any]:
    return {
        "cloud": volume.cloud, "region": volume.region, "volume_id": volume.id, "volume_name": volume.name,
        "project_id": volume.project_id, "project_name": volume.project_name, "domain_name": volume.domain_name,
        "server_name": volume.server_name,
    }  # fmt: skip
