"""What our own jobs say of the requests they sent: their numbers, when a step had settled, and what was made."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import select

from engine.drift.requests import Record, Request
from store.ops.jobs_tables import job_steps, jobs
from store.ops.ops import Ops
from store.times import naive

# Types of which drift tells that there is a new one, by the action that makes it.
_MADE = {"security_group_rule.create": "security_group_rule", "role.grant": "role_assignment"}


class Jobs:
    """Reads the journal. Thread-safe."""

    def __init__(self, ops: Ops) -> None:
        self._ops = ops

    def ended(self, job: str, step: int) -> datetime | None:
        """When a step had ended (naive UTC); None when it has not, or there is none."""
        if not job:
            return None
        with self._ops.read() as connection:
            where = (job_steps.c.job_id == job, job_steps.c.seq == step)
            found = connection.scalar(select(job_steps.c.ended_at).where(*where))
        return None if found is None else naive(found)

    def numbers(self, ids: Iterable[str]) -> dict[str, str]:
        """Id -> number, as people call a job."""
        wanted = sorted(set(ids))[:500]
        if not wanted:
            return {}
        with self._ops.read() as connection:
            rows = connection.execute(select(jobs.c.id, jobs.c.number).where(jobs.c.id.in_(wanted)))
            return {row.id: str(row.number) for row in rows}

    def made(self, since: datetime) -> list[Record]:
        """Resources that jobs made since then, as requests of ours."""
        at = since.replace(tzinfo=UTC)
        columns = (job_steps.c.created, job_steps.c.ended_at, job_steps.c.request_ids, job_steps.c.job_id,
                   job_steps.c.seq, jobs.c.by, jobs.c.cloud, jobs.c.plan)  # fmt: skip
        where = (job_steps.c.created.is_not(None), job_steps.c.ended_at >= at)
        with self._ops.read() as connection:
            rows = connection.execute(select(*columns).join(jobs, jobs.c.id == job_steps.c.job_id).where(*where)).all()
        found = []
        for row in rows:
            action = str((row.plan or {}).get("action") or "")
            type = _MADE.get(action)
            if type is not None and row.created:
                request = Request(type, row.created, "create")
                ids = tuple(row.request_ids or ())
                found.append(
                    Record(row.cloud or "", naive(row.ended_at), request, row.by, ids, f"audit: {action}", True, False,
                           row.job_id, row.seq)
                )  # fmt: skip
        return found
