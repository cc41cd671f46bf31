"""The first steps of every restore, which change nothing, and the last one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.gate.models import NoRole
from engine.jobs.models import StepResult
from engine.restore.steps.attaching import keep_copies
from engine.restore.steps.failing import Failed
from engine.restore.steps.servers import settle
from engine.restore.steps.work import Work

# Purposes of what is never handed over: clean-up takes what is left.
_TEMPORARY = ("temporary:", "image", "keypair", "quota:")


def validate_live_state(work: Work) -> StepResult:
    """Everything the plan relies on is read once more, at the last moment before anything is done."""
    if work.attempt == 1 and (told := work.kit.planning.again(work.plan)):
        first = told[0] if len(told) == 1 else f"{told[0]} (and {len(told) - 1} more)"
        raise Failed(f"something has changed since the plan was made: {first}; nothing was done, make a new plan")
    return work.done("everything is as it was when the plan was made")


def ensure_service_user(work: Work) -> StepResult:
    """Have a session of the machine's own project: all that is made must belong to it."""
    call = work.call("compute", "GET", f"/servers/{work.server_id}", what="a session of the machine's project")
    try:
        work.kit.gate.hold_role(work.actor(), call)
    except NoRole as error:
        raise Failed(str(error)) from error
    lent = work.plan.access == "lend"
    return work.done("a role is lent in the project for this job" if lent else "an account has a role in the project")


def quota_check(work: Work) -> StepResult:
    """Quotas and hosts as they are now, for both machines."""
    if work.attempt == 1:
        full = [fit.text for fit in work.kit.planning.fits(work.plan) if not fit.ok]
        if full:
            raise Failed(f"it does not fit any more: {'; '.join(full[:3])}; nothing was done")
    return work.done("it fits")


def finalize(work: Work) -> StepResult:
    """What was made belongs to the machine from now on; what was only needed meanwhile stays clean-up's."""
    if work.plan.way == "DISK_BESIDE":
        keep_copies(work)
    notes = settle(work) if work.plan.way in ("NEW", "REPLACE") else []
    rows = work.records.of_job(work.job_id)
    left = [str(row["purpose"]) for row in rows if str(row["purpose"]).startswith(_TEMPORARY)]
    work.records.handed_over(work.job_id, left)
    there = [row for row in rows if row["state"] in ("made", "handed_over") and row["purpose"] not in left]
    stays = [row for row in rows if row["state"] in ("begun", "made") and row["purpose"] in left]
    if not work.begun("LOWER_QUOTA"):  # its turn comes after this step's
        stays = [row for row in stays if row["type"] != "quota"]
    said = f"{len(there)} resources handed over" if there else "nothing was made that stays"
    if stays:
        said += f"; {len(stays)} for clean-up"
    return work.done("; ".join([said, *notes]), handed_over=len(there), left=len(stays))


STEPS: Mapping[str, Callable[[Work], StepResult]] = {
    "VALIDATE_LIVE_STATE": validate_live_state,
    "ENSURE_SERVICE_USER": ensure_service_user,
    "QUOTA_CHECK": quota_check,
    "FINALIZE": finalize,
}
