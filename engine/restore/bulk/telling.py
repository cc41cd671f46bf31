"""Restores of many machines as the API answers them, and in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from engine.restore import telling
from engine.restore.bulk import rules
from engine.restore.bulk.models import IN_IT, State, Status, Sum
from engine.restore.bulk.records import ENDED, PAUSED, PLANNED, RUNNING, Member
from engine.restore.models import Disk, Plan
from engine.restore.rules import ASKS

Item = dict[str, Any]
text = telling.text


def line(plan: Plan) -> Item:
    """What a plan says of its machine in a list with others; JSON values. `shape` is what a person agrees to."""
    point = plan.point
    return {
        "point": None if point is None else {
            "id": point.id, "name": point.name, "kind": point.kind, "taken_at": text(point.taken_at),
            "policy": point.policy, "consistency": point.consistency, "back_end": point.back_end,
        },
        "lost": list(plan.lost),
        "lost_seconds": max((disk.lost_seconds or 0 for disk in plan.disks), default=0) or None,
        "warnings": list(plan.warnings),
        "disks": [_disk(disk) for disk in plan.disks],
        "seconds": plan.seconds,
        "shape": rules.shape(plan),
        "hash": plan.hash,
    }  # fmt: skip


def _disk(disk: Disk) -> Item:
    taken = disk.source.taken_at if disk.source is not None else None
    return {
        "volume_id": disk.volume_id, "name": disk.name, "root": disk.root, "choice": disk.choice,
        "taken_at": text(taken), "note": disk.note,
    }  # fmt: skip


def sums(found: Sequence[Sum]) -> list[Item]:
    """Quotas with what all machines need of them."""
    return [{**asdict(one), "project": list(one.project)} for one in found]


def status(row: Mapping[str, Any]) -> Status:
    """What lists say of it."""
    if row["phase"] == ENDED:
        return row["outcome"]  # type: ignore[no-any-return]
    if row["cancelled_by"]:
        return "CANCELING"
    return {PLANNED: "PLANNED", RUNNING: "RUNNING", PAUSED: "PAUSED"}[row["phase"]]  # type: ignore[return-value]


def head(row: Mapping[str, Any], members: Sequence[Member], now: datetime) -> Item:
    """As lists have it."""
    states = [member.state for member in members]
    told = status(row)
    return {
        "id": row["id"],
        "status": told,
        "way": row["way"],
        "clouds": sorted({member.row["cloud"] for member in members}),
        "created_at": text(row["created_at"]),
        "created_by": row["made_by"],
        "expires_at": text(row["expires_at"]),
        "expired": told == "PLANNED" and now >= row["expires_at"],
        "executed_at": text(row["executed_at"]),
        "executed_by": row["executed_by"],
        "finished_at": text(row["ended_at"]),
        "reason": row["reason"],
        "ticket": row["ticket"],
        "cancelled_by": row["cancelled_by"],
        "detail": _detail(row, told, states),
        "counts": rules.counts(states),
        "total": sum(state in IN_IT for state in states),
        "seconds": row["content"]["seconds"],
        "can": can(row),
    }


def can(row: Mapping[str, Any]) -> list[str]:
    """What may be asked of it now."""
    if row["phase"] == PLANNED:
        return ["execute", "cancel"]
    if row["phase"] == ENDED or (row["cancelled_by"] and row["cancel_running"]):
        return []
    if row["cancelled_by"]:
        return ["cancel"]
    return ["resume" if row["phase"] == PAUSED else "pause", "cancel"]


def _detail(row: Mapping[str, Any], told: Status, states: Sequence[State]) -> str:
    if row["phase"] == ENDED:
        return str(row["detail"])
    running = sum(state == "RUNNING" for state in states)
    still = f"; {running} still {'runs' if running == 1 else 'run'}" if running else ""
    if told == "CANCELING":
        return f"cancelled by {row['cancelled_by']}{still}"
    if told == "PAUSED":
        return f"paused: {row['paused_why']}{still}"
    if told == "PLANNED":
        possible = sum(state == "WAITING" for state in states)
        return f"{possible} of {len(states)} machines can be restored so"
    waiting = sum(state == "WAITING" for state in states)
    return f"{running} running, {waiting} waiting"


def machine(member: Member, look: Callable[[str], Mapping[str, Any] | None], trouble: str = "") -> Item:
    """A line of it. `look(job id)`: a job that may ask something; `trouble`: why its turn is being tried again."""
    row, job = member.row, member.job
    content = {name: value for name, value in row["content"].items() if name not in ("shape", "request", "hash")}
    detail = row["detail"] if job is None else str(job["detail"] or "")
    asked = look(job["id"]) if job is not None and member.step == ASKS else None
    return {
        "cloud": row["cloud"], "region": row["region"], "id": row["server_id"], "name": row["server_name"],
        "project_id": row["project_id"], "project_name": row["project_name"], "group": row["place"],
        "back_ends": list(row["back_ends"]), "eligible": row["eligible"], "state": member.state,
        "detail": trouble if member.state == "WAITING" and trouble else detail, "plan_id": row["plan_id"],
        "job_id": None if job is None else job["id"], "number": None if job is None else job["number"],
        "started_at": None if job is None else text(job["started_at"]),
        "ended_at": None if job is None else text(job["ended_at"]),
        "step": member.step or None,
        "progress": None if asked is None else _asked(asked),
        **content,
    }  # fmt: skip


def _asked(job: Mapping[str, Any]) -> str | None:
    """What the step says that looks whether the machine answers: it may be a question."""
    return next((step.get("progress") for step in job["steps"] if step["name"] == ASKS), None)
