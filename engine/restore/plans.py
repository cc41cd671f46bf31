"""Restore plans on disk: shown for 30 minutes, carried out at most once, and one at a time for each machine.

A job has the id of its plan, so a plan whose job is not there was taken by an engine that ended before it submitted it:
nothing was done, and it counts as not taken.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, func, insert, select, update

from engine.access.models import Caller
from engine.gate.refusals import Refused
from engine.jobs.models import OPEN
from engine.restore.kept import to_json
from engine.restore.models import Plan
from store import times
from store.ops.jobs_tables import job_steps, jobs
from store.ops.restore_tables import restore_plans as plans

if TYPE_CHECKING:
    from store.ops.ops import Ops

Row = dict[str, Any]
PLANNED, RUNNING, ENDED, CANCELED = "PLANNED", "RUNNING", "ENDED", "CANCELED"
KIND = "restore"  # of their jobs
UNUSED = timedelta(days=1)  # plans that nobody carried out are forgotten
NEWEST_STEPS = 400  # that usual times are taken from


class Plans:
    """Thread-safe. Methods with a `connection` write in the caller's transaction."""

    def __init__(self, ops: Ops, clock: Callable[[], datetime] = times.utcnow) -> None:
        self._ops, self._clock = ops, clock

    def keep(self, caller: Caller, plan: Plan, bulk_id: str = "") -> None:
        """Store a plan that was just made, and forget those that nobody wanted."""
        machine = plan.machine
        row = {
            "id": plan.id, "created_at": plan.created_at, "expires_at": plan.expires_at, "cloud": machine.key[0],
            "region": machine.key[1], "project_id": machine.project_id, "project_name": machine.project_name,
            "domain_name": machine.domain_name, "server_id": machine.key[2], "server_name": machine.name,
            "way": plan.way, "status": PLANNED, "eligible": plan.eligible, "hash": plan.hash,
            "content": to_json(plan), "owner": caller.owner, "made_by": caller.name[:255],
            "retry_of": plan.retry_of or None, "bulk_id": bulk_id or None,
        }  # fmt: skip
        old = (plans.c.status.in_((PLANNED, CANCELED)), plans.c.created_at < self._clock() - UNUSED)
        with self._ops.begin() as connection:
            connection.execute(delete(plans).where(*old, plans.c.executed_at.is_(None)))
            connection.execute(insert(plans).values(**row))

    def row(self, id: str) -> Row | None:
        """One plan, whatever became of it."""
        with self._ops.read() as connection:
            row = connection.execute(select(plans).where(plans.c.id == id)).mappings().first()
        return None if row is None else dict(row)

    def numbered(self, number: int) -> Row | None:
        """The plan whose job has that number."""
        query = select(plans).join(jobs, jobs.c.id == plans.c.id).where(jobs.c.number == number, jobs.c.kind == KIND)
        with self._ops.read() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else dict(row)

    def page(self, where: Sequence[Any], limit: int, offset: int = 0) -> tuple[int, list[Row]]:
        """(total, rows with the `state` and `number` of their jobs, newest first)."""
        joined = plans.outerjoin(jobs, jobs.c.id == plans.c.id)
        columns = [*plans.c, jobs.c.state, jobs.c.number, jobs.c.detail, jobs.c.ended_at.label("job_ended_at")]
        with self._ops.read() as connection:
            total = connection.scalar(select(func.count()).select_from(joined).where(*where)) or 0
            query = select(*columns).select_from(joined).where(*where)
            query = query.order_by(plans.c.created_at.desc(), plans.c.id.desc()).limit(limit).offset(offset)
            return total, [dict(row) for row in connection.execute(query).mappings()]

    def take(self, connection: Connection, row: Mapping[str, Any], by: str, starting: Collection[str] = ()) -> None:
        """Begin to carry it out. Raises Refused: it was before, or another restore works on the machine.

        `starting`: ids of jobs that are being submitted this moment.
        """
        same = [plans.c[name] == row[name] for name in ("cloud", "region", "server_id")]
        others = connection.execute(select(plans.c.id).where(*same, plans.c.status == RUNNING)).scalars().all()
        for other in others:
            if other == row["id"]:
                raise Refused("executed", "this plan was carried out before; make a new one", job_id=other)
            state = connection.scalar(select(jobs.c.state).where(jobs.c.id == other))
            if state in OPEN or other in starting:
                raise Refused("held", f"{row['server_name']}: another restore of it runs", job_id=other)
            self._end(connection, other)
        taken = connection.execute(
            update(plans)
            .where(plans.c.id == row["id"], plans.c.status == PLANNED)
            .values(status=RUNNING, executed_at=self._clock(), executed_by=by[:255])
        ).rowcount
        if not taken:
            raise Refused("executed", "this plan was carried out before; make a new one", job_id=row["id"])

    def give_back(self, id: str) -> None:
        """Its job did not begin: nothing was done."""
        values = {"status": PLANNED, "executed_at": None, "executed_by": None}
        where = (plans.c.id == id, plans.c.status == RUNNING)
        self._ops.finish(lambda connection: connection.execute(update(plans).where(*where).values(**values)))

    def ended(self, id: str) -> None:
        """Its job has ended. Harmless when that was told before."""
        self._ops.finish(lambda connection: self._end(connection, id))

    def cancel(self, connection: Connection, id: str) -> bool:
        """Give up a plan that nobody carried out; False when somebody did."""
        where = (plans.c.id == id, plans.c.status == PLANNED)
        return bool(connection.execute(update(plans).where(*where).values(status=CANCELED)).rowcount)

    def retries(self, id: str) -> list[Row]:
        """The plans that retry this job, the newest first."""
        with self._ops.read() as connection:
            query = select(plans).where(plans.c.retry_of == id).order_by(plans.c.created_at.desc())
            return [dict(row) for row in connection.execute(query).mappings()]

    def usual(self, cloud: str) -> dict[str, float]:
        """{step name: seconds that it usually took in this cloud}: the middle of the newest that were done."""
        query = (
            select(job_steps.c.name, job_steps.c.started_at, job_steps.c.ended_at)
            .select_from(job_steps.join(jobs, jobs.c.id == job_steps.c.job_id))
            .where(jobs.c.kind == KIND, jobs.c.cloud == cloud, job_steps.c.state == "done")
            .order_by(job_steps.c.ended_at.desc())
            .limit(NEWEST_STEPS)
        )
        found: dict[str, list[float]] = {}
        with self._ops.read() as connection:
            for name, started, ended in connection.execute(query):
                if started is not None and ended is not None:
                    found.setdefault(name, []).append((ended - started).total_seconds())
        return {name: round(sorted(seconds)[len(seconds) // 2], 1) for name, seconds in found.items()}

    def _end(self, connection: Connection, id: str) -> None:
        where = (plans.c.id == id, plans.c.status == RUNNING)
        connection.execute(update(plans).where(*where).values(status=ENDED, ended_at=self._clock()))


def chosen(
    *,
    clouds: Collection[str] | None = None,
    projects: Collection[str] | None = None,
    cloud: str = "",
    region: str = "",
    server_id: str = "",
    status: str = "",
    executed: bool = False,
) -> list[Any]:
    """Conditions for `Plans.page`; `clouds` and `projects` None: all. `status` as documented."""
    # A plan that was made for one of many machines is told by the plan of them all until its turn has come.
    where: list[Any] = [plans.c.bulk_id.is_(None) | plans.c.executed_at.is_not(None)]
    where += [] if clouds is None else [plans.c.cloud.in_(list(clouds))]
    where += [] if projects is None else [plans.c.project_id.in_(list(projects))]
    where += [plans.c.cloud == cloud] if cloud else []
    where += [plans.c.region == region] if region else []
    where += [plans.c.server_id == server_id] if server_id else []
    where += [plans.c.executed_at.is_not(None)] if executed else []
    return [*where, *_with_status(status)]


def _with_status(status: str) -> list[Any]:
    """What the tables know of it: which of PENDING, RUNNING and INTERRUPTED an open job is shows only in its view."""
    if not status:
        return []
    if status == PLANNED:
        return [plans.c.status == PLANNED]
    if status == CANCELED:
        return [(jobs.c.state == "cancelled") | (plans.c.status == CANCELED)]
    return [jobs.c.state.in_({"SUCCEEDED": ("done", "partial"), "FAILED": ("failed",)}.get(status, OPEN))]
