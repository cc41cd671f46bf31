"""What the service of restores decides from what it was told: pure, `now` is an argument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from engine.access import rules as access_rules
from engine.gate import rules as gate_rules
from engine.jobs.models import OPEN
from engine.restore.models import JobStatus, Plan, Prove, Request, StepStatus, Way
from engine.restore.planning import steps
from engine.restore.planning.choosing import ROOT
from engine.settings.cloud_rules import CloudRules
from engine.settings.models import Settings
from engine.settings.restore_section import Restore

Job = Mapping[str, Any]  # as engine/jobs/service.py: JobService.job answers it
Row = Mapping[str, Any]  # of restore_plans

WRITE, ADMIN = "restore:write", "restore:admin"
ASKS = "PROVE_IT_ANSWERS"  # the step that may ask a person
TITLES: Mapping[Way, str] = {
    "DISK_BESIDE": "a copy of a disk of {name}",
    "DATA_VOLUME_BACK": "a data volume of {name}",
    "IN_PLACE": "{name} in place",
    "NEW": "{name} beside the old one",
    "REPLACE": "{name} in place of the old one",
}
_STATUS: Mapping[str, JobStatus] = {
    "queued": "PENDING",
    "running": "RUNNING",
    "waiting": "INTERRUPTED",
    "done": "SUCCEEDED",
    "partial": "SUCCEEDED",
    "failed": "FAILED",
    "cancelled": "CANCELED",
}
_STEP: Mapping[str, StepStatus] = {
    "pending": "PENDING",
    "running": "RUNNING",
    "done": "SUCCEEDED",
    "failed": "FAILED",
    "skipped": "SKIPPED",
}


def at(settings: Settings, cloud: str) -> Restore:
    """The section [restore] as it is for one cloud."""
    return settings.restore.at((settings.clouds.get(cloud) or CloudRules()).restore)


def prove(section: Restore, way: Way) -> Prove:
    """What shows that a machine answers, as the settings say. Beside an old machine nobody is asked."""
    return Prove(
        section.prove_console, None, bool(section.prove_command), section.prove_seconds, section.answer_minutes,
        ask=way not in ("NEW", "DISK_BESIDE"),
    )  # fmt: skip


def title(plan: Plan) -> str:
    """What the job is called."""
    return f"restore {TITLES[plan.way].format(name=plan.machine.name or plan.machine.key[2][:8])}"


def status(row: Row, job: Job | None) -> JobStatus:
    """The documented state. An open job that nobody goes on with is INTERRUPTED."""
    if job is None:
        return "CANCELED" if row["status"] == "CANCELED" else "PLANNED"
    return _STATUS[job["state"]]


def step_status(state: str, ended: bool) -> StepStatus:
    """The documented state of a step; what was never begun of a job that has ended was skipped."""
    return "SKIPPED" if ended and state == "pending" else _STEP[state]


def committed(job: Job) -> bool:
    """Whether the job got so far that nothing is taken back any more."""
    commit = job["plan"].get("commit")
    return any(step["name"] == commit and step["state"] == "done" for step in job["steps"])


def expired(row: Row, now: datetime) -> bool:
    """Whether a plan that nobody carried out is too old to be."""
    return row["executed_at"] is None and now >= row["expires_at"]


def phrase(plan: Plan, own: CloudRules) -> str | None:
    """What has to be typed: the name of a production cloud, then the plan's own phrase. None for nothing."""
    parts = [plan.machine.key[0]] if own.production else []
    return " ".join([*parts, *([plan.phrase] if plan.phrase else [])]) or None


def typed_problem(wanted: str | None, typed: str) -> str | None:
    """The sentence when the phrase was not typed exactly."""
    return f"type {wanted!r} to carry this out" if wanted and typed != wanted else None


def role_problem(way: str, role: str, settings: Settings) -> str | None:
    """Why a role may not carry out a restore of that way; None when it may."""
    least = settings.restore.replace_role
    if way == "REPLACE" and access_rules.rank(role) < access_rules.rank(least):
        return f"Permission denied: to put a machine in the place of another needs the role {least}"
    return None


def requires(plan: Plan, own: CloudRules) -> dict[str, Any]:
    """What has to be given when the plan is carried out."""
    return {
        "reason": own.reason_required,
        "ticket": own.ticket_required,
        "ticket_pattern": own.ticket_pattern,
        "typed": phrase(plan, own),
    }


def given_problem(own: CloudRules, cloud: str, reason: str, ticket: str) -> tuple[str, str] | None:
    """(code, sentence) when the reason or ticket that the cloud asks for is missing or wrong."""
    if problem := gate_rules.reason_problem(own, cloud, reason):
        return "reason", problem
    if problem := gate_rules.ticket_problem(own, cloud, ticket):
        return "ticket", problem
    return None


def asks(job: Job) -> bool:
    """Whether a step runs that may ask a person, and whose answer still counts."""
    return job["state"] in OPEN and any(step["name"] == ASKS and step["state"] == "running" for step in job["steps"])


def resumed_from(old: Plan, job: Job, reused: Mapping[str, str]) -> str:
    """Name of the step from which a retry goes on: the first that was not done, was taken back, or whose volumes are
    not used again ({volume: the one that was made for it})."""
    does = [step for step in job["steps"] if step.get("phase", "do") == "do"]
    back = {step["name"] for step in job["steps"] if step.get("phase") == "undo" and step["state"] == "done"}
    undone = {name for name, undo in steps.undone_by(old.way).items() if undo in back}
    again = {"CREATE_VOLUME_FROM_SNAPSHOT"}
    if all(disk.volume_id in reused for disk in steps.restored(old)):
        undone -= again
    else:
        undone |= again
    found = (step["name"] for step in does if step["state"] != "done" or step["name"] in undone)
    return next(found, does[0]["name"] if does else "")


def retry_problem(row: Row, job: Job | None, later: Sequence[tuple[Row, Job | None]]) -> str | None:
    """Why a job cannot be retried; `later` are its retries with their jobs."""
    if job is None:
        return "this plan was not carried out: carry it out, or make a new one"
    now = status(row, job)
    if now in ("PENDING", "RUNNING"):
        return f"job {job['number']} still runs"
    if now == "INTERRUPTED":
        return f"job {job['number']} is interrupted, not over: it goes on when it can, or cancel it first"
    if now == "SUCCEEDED" or committed(job):
        return f"job {job['number']} did what it was for: there is nothing to retry"
    for other, its in later:
        if its is not None and status(other, its) not in ("FAILED", "CANCELED"):
            return f"job {job['number']} was retried by job {its['number']}"
    return None


def again(plan: Plan, strategy: str | None) -> Request:
    """What a retry asks for: the same, from the very same points, with another strategy for addresses where one is
    given."""
    disks = {}
    for disk in plan.disks:
        if disk.volume_id or disk.root:
            pinned = disk.choice == "restore_point" and disk.source is not None
            disks[disk.volume_id or ROOT] = f"point:{disk.source.id}" if pinned and disk.source else disk.choice
    given: Any = {"ip_strategy": strategy} if strategy else {}
    point = plan.point.id if plan.point is not None else plan.request.restore_point_id
    return replace(plan.request, restore_point_id=point, at=None, disks=disks, **given)


def cleanup_problem(row: Row, job: Job | None) -> str | None:
    """Why nothing can be cleaned up after a job now; None when it can."""
    if job is None:
        return "this plan was not carried out: there is nothing to clean up"
    now = status(row, job)
    if now in ("PENDING", "RUNNING"):
        return f"job {job['number']} still runs: cancel it, or wait for its end"
    if now == "INTERRUPTED":
        return f"job {job['number']} is interrupted, not over: it goes on when it can, or cancel it first"
    if now == "SUCCEEDED" and not owes_quota(job):
        return f"job {job['number']} succeeded: what it made is in use"
    return None


def owes_quota(job: Job) -> bool:
    """Whether a job that succeeded may not have given back a quota: that, and nothing else, clean-up does after it."""
    return any(step["name"] == "LOWER_QUOTA" and step["state"] != "done" for step in job["steps"])


def storage_problem(row: Row, job: Job | None) -> str | None:
    """Why the old storage of a job cannot be cleaned up; SUCCEEDED is what the documents call COMPLETED."""
    if job is None or status(row, job) != "SUCCEEDED":
        return "the storage of a restore is cleaned up when it has succeeded (COMPLETED); this one has not"
    return None


def can(row: Row, job: Job | None, later: Sequence[tuple[Row, Job | None]], left: bool, old_root: bool) -> list[str]:
    """What may be asked of a restore now. `left`: something it made is still there; `old_root`: REPLACE left one."""
    if job is None:
        return [] if row["status"] == "CANCELED" else ["cancel"]
    found = ["cancel"] if "cancel" in job["can"] else []
    found += ["answer"] if asks(job) else []
    found += ["retry"] if retry_problem(row, job, later) is None else []
    found += ["cleanup"] if left and cleanup_problem(row, job) is None else []
    return found + (["cleanup_storage"] if old_root and storage_problem(row, job) is None else [])
