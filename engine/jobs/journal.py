"""The journal: SQL on the job tables. Every function takes the connection, so that a caller decides the transaction."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from engine.jobs import rules
from engine.jobs.models import OPEN, StepResult, StepState
from store.ops.jobs_tables import job_attempts, job_steps, jobs

CUT = "was interrupted and not taken up again: look whether it was done in the cloud"


def create(connection: Connection, values: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> int:
    """Store a job and its plan; returns its number."""
    doing = sum(step.get("phase", "do") == "do" for step in steps)
    number = (connection.scalar(select(func.max(jobs.c.number))) or 0) + 1
    connection.execute(insert(jobs).values(**values, number=number, state="queued", total=doing))
    connection.execute(insert(job_steps), [{**step, "job_id": values["id"]} for step in steps])
    return number


def job(connection: Connection, reference: str | int) -> dict[str, Any] | None:
    """A job by id or number."""
    by_number = isinstance(reference, int) or (reference.isascii() and reference.isdigit() and len(reference) < 10)
    condition = jobs.c.number == int(reference) if by_number else jobs.c.id == reference
    row = connection.execute(select(jobs).where(condition)).mappings().one_or_none()
    return None if row is None else dict(row)


def steps(connection: Connection, job_id: str) -> list[dict[str, Any]]:
    """A job's steps in order."""
    query = select(job_steps).where(job_steps.c.job_id == job_id).order_by(job_steps.c.seq)
    return [dict(row) for row in connection.execute(query).mappings()]


def open_jobs(connection: Connection) -> list[dict[str, Any]]:
    """The jobs that have not ended, oldest first."""
    query = select(jobs).where(jobs.c.state.in_(OPEN)).order_by(jobs.c.number)
    return [dict(row) for row in connection.execute(query).mappings()]


def running_counts(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """How many steps of each job run."""
    query = (
        select(job_steps.c.job_id, func.count())
        .where(job_steps.c.job_id.in_(ids), job_steps.c.state == "running")
        .group_by(job_steps.c.job_id)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def page(
    connection: Connection, conditions: Sequence[Any], limit: int, offset: int
) -> tuple[int, list[dict[str, Any]]]:
    """(total, jobs newest first)."""
    total = connection.scalar(select(func.count()).select_from(jobs).where(*conditions)) or 0
    query = select(jobs).where(*conditions).order_by(jobs.c.number.desc()).limit(limit).offset(offset)
    return total, [dict(row) for row in connection.execute(query).mappings()]


def set_state(connection: Connection, job_id: str, state: str, detail: str | None, now: datetime) -> None:
    """An open job runs, or waits and why. One that ended stays as it is."""
    values: dict[str, Any] = {"state": state, "detail": detail}
    if state == "running":
        values["started_at"] = func.coalesce(jobs.c.started_at, _micros(now))
    connection.execute(update(jobs).where(jobs.c.id == job_id, jobs.c.state.in_(OPEN)).values(**values))


def _micros(now: datetime) -> Any:
    from sqlalchemy import literal

    return literal(now, jobs.c.started_at.type)


def ask_cancel(connection: Connection, job_id: str, by: str, now: datetime) -> bool:
    """Note that somebody wants it to end; False when it has ended, or was asked before."""
    done = connection.execute(
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.state.in_(OPEN), jobs.c.cancel_asked_at.is_(None))
        .values(cancel_asked_at=now, cancelled_by=by)
    )
    return done.rowcount == 1


def begin_attempt(connection: Connection, job_id: str, seq: int, now: datetime) -> tuple[int, str]:
    """Write the intent: (attempt, token). A step's token is made once; an attempt still open was interrupted."""
    row = connection.execute(
        select(job_steps.c.attempt, job_steps.c.token).where(job_steps.c.job_id == job_id, job_steps.c.seq == seq)
    ).one()
    attempt, token = row.attempt + 1, row.token or secrets.token_hex(16)
    connection.execute(
        update(job_attempts)
        .where(job_attempts.c.job_id == job_id, job_attempts.c.seq == seq, job_attempts.c.ended_at.is_(None))
        .values(ended_at=now, outcome="interrupted")
    )
    connection.execute(
        insert(job_attempts).values(job_id=job_id, seq=seq, attempt=attempt, token=token, started_at=now)
    )
    connection.execute(
        update(job_steps)
        .where(job_steps.c.job_id == job_id, job_steps.c.seq == seq)
        .values(
            attempt=attempt,
            token=token,
            state="running",
            started_at=func.coalesce(job_steps.c.started_at, _micros(now)),
        )
    )
    return attempt, token


def end_step(connection: Connection, job_id: str, seq: int, result: StepResult, now: datetime) -> None:
    """Write a step's result and the job's counts. Written once: a second time changes nothing."""
    state = "done" if result.ok else "failed"
    written = connection.execute(
        update(job_steps)
        .where(job_steps.c.job_id == job_id, job_steps.c.seq == seq, job_steps.c.state.in_(("pending", "running")))
        .values(
            state=state,
            detail=result.detail,
            request_ids=list(result.request_ids),
            created=result.created or None,
            result=dict(result.more),
            ended_at=now,
        )
    )
    if not written.rowcount:
        return
    connection.execute(
        update(job_attempts)
        .where(job_attempts.c.job_id == job_id, job_attempts.c.seq == seq, job_attempts.c.ended_at.is_(None))
        .values(ended_at=now, outcome=state, detail=result.detail)
    )
    phase = connection.scalar(select(job_steps.c.phase).where(job_steps.c.job_id == job_id, job_steps.c.seq == seq))
    if phase != "do":
        return
    counted = jobs.c.done if result.ok else jobs.c.failed
    connection.execute(update(jobs).where(jobs.c.id == job_id).values({counted.name: counted + 1}))


def step_ended(connection: Connection, job_id: str, seq: int) -> bool:
    """Whether a step's result is written."""
    query = select(job_steps.c.ended_at).where(job_steps.c.job_id == job_id, job_steps.c.seq == seq)
    return connection.scalar(query) is not None


def end_job(connection: Connection, job_id: str, now: datetime) -> tuple[str, str] | None:
    """Skip what was never begun and write how the job ended: (state, sentence); None when it had ended before."""
    of_job = job_steps.c.job_id == job_id
    connection.execute(
        update(job_steps).where(of_job, job_steps.c.state == "pending").values(state="skipped", ended_at=now)
    )
    # Only where nobody ran the job any more.
    running = (of_job, job_steps.c.state == "running")
    cut = connection.scalar(select(func.count()).select_from(job_steps).where(*running, job_steps.c.phase == "do")) or 0
    connection.execute(update(job_steps).where(*running).values(state="failed", detail=CUT, ended_at=now))
    if cut:
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(failed=jobs.c.failed + cut))
    row = job(connection, job_id)
    if row is None or row["state"] not in OPEN:
        return None
    by_phase: dict[str, list[StepState]] = {"do": [], "undo": []}
    names = []
    for step in steps(connection, job_id):
        by_phase[step["phase"]].append(step["state"])
        names.append((step["name"], step["state"]))
    committed = rules.committed(row["plan"], names)
    # What came too late to be taken back was not cancelled.
    cancelled = row["cancel_asked_at"] is not None and not committed
    state = rules.final_state(by_phase["do"], cancelled)
    if row["plan"].get("commit") and state == "partial" and not committed:
        state = "failed"  # some of its steps are done, and nothing of it holds
    sentence = rules.final_sentence(by_phase["do"], row["cancelled_by"] if cancelled else None, by_phase["undo"])
    connection.execute(update(jobs).where(jobs.c.id == job_id).values(state=state, detail=sentence, ended_at=now))
    return state, sentence
