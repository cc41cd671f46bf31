"""Restores of many machines on disk: what was asked and shown, and where each machine stands.

Where a machine stands follows from the job that has the id of its turn's plan, and from the retries of that job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, select, update

from engine.access.models import Caller
from engine.jobs.models import OPEN
from engine.restore.bulk.models import Limits, Standing, State
from store import times
from store.ops.jobs_tables import job_steps, jobs
from store.ops.restore_bulk_tables import restore_bulk_machines as members
from store.ops.restore_bulk_tables import restore_bulks as bulks
from store.ops.restore_tables import restore_plans as plans

if TYPE_CHECKING:
    from store.ops.ops import Ops

Row = dict[str, Any]
PLANNED, RUNNING, PAUSED, ENDED = "PLANNED", "RUNNING", "PAUSED", "ENDED"
UNUSED = timedelta(days=1)  # plans that nobody carried out are forgotten
_LONGEST_CHAIN = 20  # retries of retries
_STATES: Mapping[str, State] = {
    "done": "SUCCEEDED",
    "partial": "SUCCEEDED",
    "failed": "FAILED",
    "cancelled": "CANCELED",
}


@dataclass(frozen=True, slots=True)
class Member:
    """A machine with the newest job of its restore: `job` {id, number, state, detail, started_at, ended_at} or None;
    `step`: what that does now."""

    row: Mapping[str, Any]
    state: State
    job: Mapping[str, Any] | None = None
    step: str = ""

    def standing(self, rests: bool = False) -> Standing:
        """As the rules see it."""
        row = self.row
        project = (row["cloud"], row["region"], row["project_id"])
        return Standing(row["seq"], row["place"], project, tuple(row["back_ends"]), self.state, rests)


class BulkRecords:
    """Thread-safe. Methods with a `connection` write in the caller's transaction. Raises OpsError."""

    def __init__(self, ops: Ops, clock: Callable[[], datetime] = times.utcnow) -> None:
        self._ops, self._clock = ops, clock

    def keep(self, connection: Connection, row: Mapping[str, Any], machines: Sequence[Mapping[str, Any]]) -> None:
        """Store what was just planned, and forget what nobody wanted."""
        old = select(bulks.c.id).where(bulks.c.phase == PLANNED, bulks.c.created_at < self._clock() - UNUSED)
        connection.execute(delete(members).where(members.c.bulk_id.in_(old)))
        connection.execute(delete(bulks).where(bulks.c.phase == PLANNED, bulks.c.created_at < self._clock() - UNUSED))
        connection.execute(insert(bulks).values(**row))
        connection.execute(insert(members), [{**machine, "bulk_id": row["id"]} for machine in machines])

    def row(self, id: str) -> Row | None:
        """One of them, in whatever phase."""
        with self._ops.read() as connection:
            found = connection.execute(select(bulks).where(bulks.c.id == id)).mappings().first()
        return None if found is None else dict(found)

    def page(self, limit: int) -> list[Row]:
        """Newest first."""
        with self._ops.read() as connection:
            query = select(bulks).order_by(bulks.c.created_at.desc(), bulks.c.id.desc()).limit(limit)
            return [dict(row) for row in connection.execute(query).mappings()]

    def open(self) -> list[Row]:
        """Those that were begun and have not ended, the oldest first."""
        with self._ops.read() as connection:
            query = select(bulks).where(bulks.c.phase.in_((RUNNING, PAUSED))).order_by(bulks.c.created_at, bulks.c.id)
            return [dict(row) for row in connection.execute(query).mappings()]

    def change(self, connection: Connection, id: str, phases: Sequence[str], **values: Any) -> bool:
        """Change one that is in any of these phases; False when it is not any more."""
        changed = update(bulks).where(bulks.c.id == id, bulks.c.phase.in_(phases)).values(**values)
        return bool(connection.execute(changed).rowcount)

    # Machines

    def members(self, bulk_id: str) -> list[Member]:
        """Its machines in their order, with the newest job of each."""
        with self._ops.read() as connection:
            query = select(members).where(members.c.bulk_id == bulk_id).order_by(members.c.seq)
            rows = [dict(row) for row in connection.execute(query).mappings()]
            newest = _newest(connection, [row["turn_id"] for row in rows if row["turn_id"]])
            now = _running(connection, [job["id"] for job in newest.values() if job["state"] in OPEN])
        jobs_of = [(row, newest.get(row["turn_id"])) for row in rows]
        return [Member(row, _state(row, job), job, now.get(job["id"], "") if job else "") for row, job in jobs_of]

    def change_member(self, connection: Connection, bulk_id: str, seq: int, **values: Any) -> None:
        """Change what is known of a machine."""
        where = (members.c.bulk_id == bulk_id, members.c.seq == seq)
        connection.execute(update(members).where(*where).values(**values))

    def settle(self, bulk_id: str, seq: int, state: State, detail: str) -> None:
        """A machine's turn came, and it is not taken."""
        values = {"state": state, "detail": detail[:2000]}
        self._ops.finish(lambda connection: self.change_member(connection, bulk_id, seq, **values))

    def turn(self, bulk_id: str, seq: int, plan_id: str) -> None:
        """The machine's turn carries out that plan; on disk before its job is begun."""
        self._ops.finish(lambda connection: self.change_member(connection, bulk_id, seq, turn_id=plan_id))


def limits_of(row: Mapping[str, Any]) -> Limits:
    """The limits that were asked for."""
    return Limits(**{name: row["asked"]["limits"][name] for name in Limits.__dataclass_fields__})


def caller_of(row: Mapping[str, Any]) -> Caller:
    """Who carries it out."""
    stored = row["caller"]
    lists = ("clouds", "domains", "projects")
    return Caller(**{**stored, **{name: None if stored.get(name) is None else tuple(stored[name]) for name in lists}})


def _newest(connection: Connection, ids: Sequence[str]) -> dict[str, Row]:
    """{plan: the job of the plan, or of the last of its retries}; nothing for plans without a job."""
    names = ("id", "number", "state", "detail", "created_at", "started_at", "ended_at", "cancelled_by", "done", "total")
    found: dict[str, Row] = {}
    ahead = {id: id for id in ids}  # {job that is looked for: plan that it is about}
    for _ in range(_LONGEST_CHAIN):
        if not ahead:
            break
        query = select(*(jobs.c[name] for name in names)).where(jobs.c.id.in_(list(ahead)))
        rows = [dict(row) for row in connection.execute(query).mappings()]
        found |= {ahead[row["id"]]: row for row in rows}
        known = {row["id"]: ahead[row["id"]] for row in rows}
        ahead = {}
        if known:
            later = select(plans.c.id, plans.c.retry_of).where(plans.c.retry_of.in_(list(known)))
            newest = connection.execute(later.order_by(plans.c.created_at))
            ahead = {row.id: known[row.retry_of] for row in newest}
    return found


def _running(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """{job: name of its step that runs}."""
    if not ids:
        return {}
    query = select(job_steps.c.job_id, job_steps.c.name)
    rows = connection.execute(query.where(job_steps.c.job_id.in_(list(ids)), job_steps.c.state == "running"))
    return {row.job_id: row.name for row in rows}


def _state(row: Mapping[str, Any], job: Mapping[str, Any] | None) -> State:
    if row["state"] == "LEFT_OUT":
        return "LEFT_OUT"
    if job is not None:
        return "RUNNING" if job["state"] in OPEN else _STATES[job["state"]]
    if not row["eligible"]:
        return "NOT_POSSIBLE"
    return row["state"] or "WAITING"  # type: ignore[no-any-return]
