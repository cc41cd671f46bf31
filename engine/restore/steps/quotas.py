"""Raising a project's quota for the time of a restore, and giving it back: see engine/restore/raised.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from engine.access import rules as access_rules
from engine.gate.refusals import NotDone
from engine.jobs.models import StepResult
from engine.restore.models import Raise
from engine.restore.planning.fitting import amount
from engine.restore.raised import PERMISSION, Limit, Place
from engine.restore.steps import hands
from engine.restore.steps.failing import Failed
from engine.restore.steps.work import Work

_LOCK_SECONDS = 1.0  # between two looks at whether the job was cancelled


def raise_quota(work: Work) -> StepResult:
    """RAISE_QUOTA: what does not fit now, of what the plan says."""
    if not access_rules.allows(work.context.caller.role, PERMISSION):
        raise Failed(f"to raise a quota needs the permission {PERMISSION}: nothing was done")
    told = []
    for one in work.plan.raises:
        with _limit(work, one) as limit:
            told.append(limit.raised(work.job_id, work.step.seq, amount(work.plan, one)))
    return work.done("; ".join(told))


def lower_quota(work: Work) -> StepResult:
    """LOWER_QUOTA, UNDO_RAISE_QUOTA: give back what this job added, all of it even when one fails."""
    told, problems = [], []
    for one in reversed(work.plan.raises):
        try:
            with _limit(work, one) as limit:
                told.append(limit.lowered(work.job_id))
        except Failed as problem:
            problems.append(problem.detail)
    if problems:
        raise Failed(f"{'; '.join(problems)}; clean-up gives back what is still raised"[:900])
    return work.done("; ".join(filter(None, told)) or "nothing was raised")


@contextmanager
def _limit(work: Work, one: Raise) -> Iterator[Limit]:
    """The limit, under its lock. What the gate refuses becomes Failed."""
    place = Place(work.cloud, work.region, work.project_id, one.service, one.name)

    def get(service: str, path: str, microversion: str = "", query: Any = ()) -> dict[str, Any] | None:
        return work.get(service, path, microversion, query, "admin")

    def send(wanted: int, lower: bool) -> None:
        call = work.call(
            one.service, "PUT", place.path, place.body(wanted, lower=lower), session="admin",
            what=f"set the quota {one.name} of {work.plan.machine.project_name or work.project_id} to {wanted}",
        )  # fmt: skip
        work.act(call, lambda: limit.now() == wanted)
        if (now := limit.now()) != wanted:
            raise Failed(f"the cloud took the quota {one.name} of {wanted}, but it is {now}")

    limit = Limit(place, work.records, get, send, lambda check: work.wait(check, hands.LOST_SECONDS))
    while not place.lock.acquire(timeout=_LOCK_SECONDS):
        work.look_up()
    try:
        yield limit
    except NotDone as error:
        raise Failed(error.detail) from error
    finally:
        place.lock.release()


STEPS: Mapping[str, Callable[[Work], StepResult]] = {
    "RAISE_QUOTA": raise_quota,
    "LOWER_QUOTA": lower_quota,
    "UNDO_RAISE_QUOTA": lower_quota,
}
