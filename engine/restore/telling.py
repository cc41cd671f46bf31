"""Restores in words and as the API answers them: the documented fields, and ours beside them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from engine.gate.rules import typable
from engine.jobs.models import OPEN
from engine.restore import rules
from engine.restore.models import Nic, Plan
from store import times

Row = Mapping[str, Any]
Job = Mapping[str, Any]
Item = dict[str, Any]


def text(value: datetime | None) -> str | None:
    """RFC 3339, or null."""
    return None if value is None else times.text(value)


def plan_json(plan: Plan, stored: Row) -> Item:
    """The stored plan, with its documented names."""
    machine, point = plan.machine, plan.point
    return {
        **stored,
        "plan_id": plan.id,
        "vm_id": machine.key[2],
        "project_id": machine.project_id,
        "restore_point_id": point.id if point is not None else None,
        "mode": plan.way,
        "boot_mode": machine.boot,
        "ip_strategy": plan.strategy,
        "new_vm_name": plan.new_name,
        "vm": {
            "id": machine.key[2], "name": machine.name, "status": machine.status,
            "flavor": {name: machine.flavor.get(name) for name in ("name", "vcpus", "ram", "disk")},
        },
        "restore_point": None if point is None else {
            "id": point.id, "name": point.name, "kind": point.kind, "volume_id": point.volume_id,
            "size_gb": point.size_gb, "created_at": text(point.taken_at),
        },
        "network_plan": [entry for nic in plan.nics for entry in _network(nic)],
        "security_groups": list(plan.request.security_group_ids or machine.security_groups),
        "quota_check": {
            "ok": all(fit.ok for fit in plan.fits),
            "items": [{"what": fit.what, "ok": fit.ok, "detail": fit.text} for fit in plan.fits],
        },
        "actions": [step.name for step in plan.steps if step.phase == "do"],
        "cloud": machine.key[0],
        "region": machine.key[1],
    }  # fmt: skip


def _network(nic: Nic) -> list[Item]:
    """The documented entries of one port: one for each address that the successor is to have."""
    wanted = nic.wanted or nic.fixed
    found = []
    for place, fixed in enumerate(wanted):
        original = nic.fixed[place].address if place < len(nic.fixed) else None
        found.append(
            {
                "network_id": nic.network_id, "network_name": nic.network_name, "subnet_id": fixed.subnet_id or None,
                "original_port_id": nic.port_id, "original_ip": original,
                "will_request_fixed_ip": bool(nic.wanted and fixed.address),
                "requested_ip": (fixed.address if nic.wanted else "") or None, "note": nic.note,
            }
        )  # fmt: skip
    return found


def head(row: Row, job: Job | None, now: datetime, plan: Plan | None = None) -> Item:
    """A restore as lists have it: the documented fields of a job without plan and steps."""
    content = row["content"]
    request, point = content.get("request") or {}, content.get("point") or {}
    status = rules.status(row, job)
    over = rules.expired(row, now) and status == "PLANNED"
    sentence = None if job is None else job["detail"]
    if over:
        sentence = "this plan is older than 30 minutes: make a new one"
    ended = None if job is None else job["ended_at"]
    return {
        "id": row["id"],
        "job_id": row["id"],
        "status": status,
        "cloud": row["cloud"],
        "region": row["region"],
        "project_id": row["project_id"],
        "project_name": row["project_name"],
        "vm_id": row["server_id"],
        "vm_name": row["server_name"],
        "mode": row["way"],
        "way": row["way"],
        "restore_point_id": point.get("id") or request.get("restore_point_id") or None,
        "restore_point_name": point.get("name") or None,
        "new_vm_name": content.get("new_name") or None,
        "ip_strategy": content.get("strategy"),
        "eligible": row["eligible"],
        "created_at": text(row["created_at"]),
        "created_by": row["made_by"],
        "expires_at": text(row["expires_at"]),
        "expired": over,
        "executed_at": text(row["executed_at"]),
        "executed_by": row["executed_by"],
        "started_at": None if job is None else job["started_at"],
        "finished_at": ended,
        "detail": sentence,
        "error_message": None if status in ("SUCCEEDED", "PENDING", "RUNNING") else sentence,
        "incomplete": job is not None and job["state"] == "partial",
        "retry_of": row["retry_of"],
        "bulk_id": row["bulk_id"],
        "number": None if job is None else job["number"],
        "step": _at(job),
        "done": 0 if job is None else job["done"],
        "total": len([one for one in content.get("steps") or () if one.get("phase") != "undo"]),
    }


def _at(job: Job | None) -> str | None:
    """The step that a job is at: what runs, else what failed first."""
    rows = () if job is None else job.get("steps") or ()
    found = {state: [row["name"] for row in rows if row["state"] == state] for state in ("running", "failed")}
    return next(iter([*found["running"][-1:], *found["failed"][:1]]), None)


def steps(plan: Plan, job: Job | None, usual: Mapping[str, float], now: datetime) -> list[Item]:
    """The steps of a restore; of a plan that was not carried out all are pending."""
    if job is None:
        names = [(step.name, step.phase) for step in plan.steps]
        rows: list[Item] = [{"name": name, "phase": phase, "state": "pending"} for name, phase in names]
    else:
        rows = list(job["steps"])
    ended = job is not None and job["state"] not in OPEN
    return [_step(place, row, usual, ended, now) for place, row in enumerate(rows, 1)]


def _step(place: int, row: Row, usual: Mapping[str, float], ended: bool, now: datetime) -> Item:
    status = rules.step_status(row["state"], ended)
    started, over = row.get("started_at"), row.get("ended_at")
    seconds = None
    if started is not None:
        until = times.parse(over) if over is not None else now
        seconds = round(max(0.0, (until - times.parse(started)).total_seconds()), 1)
    detail = row.get("detail")
    return {
        "name": row["name"],
        "step_name": row["name"],
        "step_order": place,
        "phase": row.get("phase") or "do",
        "status": status,
        "detail": detail,
        "error_message": detail if status == "FAILED" else None,
        "progress": row.get("progress"),
        "started_at": started,
        "ended_at": over,
        "finished_at": over,
        "seconds": seconds,
        "usual_seconds": usual.get(row["name"]),
        "attempt": row.get("attempt") or 0,
        "created": row.get("created"),
    }


def resources(rows: Sequence[Row]) -> list[Item]:
    """What a restore made."""
    names = ("type", "id", "name", "purpose", "state")
    return [{name: row[name] for name in names} for row in rows]


def question(job: Job | None, plan: Plan) -> str | None:
    """What a job asks a person just now; None when it asks nothing."""
    if job is None or not rules.asks(job):
        return None
    running = next(step for step in job["steps"] if step["name"] == rules.ASKS and step["state"] == "running")
    said = str(running.get("progress") or "")
    return said if "?" in said else None


def old_machine(plan: Plan, job: Job | None, kept: Sequence[Row] = ()) -> str:
    """What has become of the machine that was to be restored, in one sentence."""
    name = plan.machine.name or plan.machine.key[2]
    if plan.machine.gone:
        return f"{name} was deleted before"
    if job is None:
        return f"{name} is not touched by a plan"
    states = {step["name"]: step["state"] for step in job["steps"]}
    begun = {step for step, state in states.items() if state in ("running", "done", "failed")}
    if plan.way in ("NEW", "DISK_BESIDE"):
        extra = ", with a further disk" if states.get("ATTACH_VOLUME") == "done" and plan.helper is None else ""
        return f"{name} goes on as it is{extra if job['state'] in (*OPEN, 'done', 'partial') else ''}"
    failed = [step for step in job["steps"] if step.get("phase") == "undo" and step["state"] == "failed"]
    if failed:
        return f"{name} is not wholly as it was: {failed[0]['name']} failed: {failed[0]['detail']}"
    if rules.committed(job):
        return _after(plan, name, states, kept)
    touched = begun & {
        "PRESERVE_OLD_VOLUMES", "STOP_OLD_MACHINE", "PARK_OLD_MACHINE", "MOVE_VOLUMES", "MOVE_ADDRESSES",
        "REBUILD_SERVER", "DETACH_CURRENT_VOLUME",
    }  # fmt: skip
    if not touched:
        return f"{name} is as it was"
    if job["state"] not in OPEN:
        undone = [step for step in job["steps"] if step.get("phase") == "undo" and step["state"] == "done"]
        return f"{name} is back as it was" if undone else f"{name} was left in the middle: look at it, then retry"
    return _during(plan, name, begun)


def _during(plan: Plan, name: str, begun: set[str]) -> str:
    if any(step.startswith("UNDO_") for step in begun):
        return f"{name} is being put back as it was"
    if plan.way == "IN_PLACE":
        return f"the root disk of {name} is being replaced; its safety copy brings the old one back"
    if plan.way == "DATA_VOLUME_BACK":
        return f"a disk of {name} is being exchanged; the old one is kept"
    if plan.park == "leave":
        return f"{name} stays on its dead host; its addresses move to the new machine"
    if "PARK_OLD_MACHINE" in begun:
        return f"{name} is parked ({plan.park}); it comes back if the new one does not answer"
    return f"{name} is being stopped" if "STOP_OLD_MACHINE" in begun else f"{name} still runs"


def _after(plan: Plan, name: str, states: Mapping[str, str], kept: Sequence[Row]) -> str:
    if plan.way == "IN_PLACE":
        return f"{name} is the same machine, with the root disk of the restore point"
    if plan.way == "DATA_VOLUME_BACK":
        return f"{name} has the disk of the restore point{_until(kept, 'volume', '; the old disk is kept')}"
    if states.get("DELETE_OLD_MACHINE") == "done":
        return f"the old {name} is deleted"
    if told := _until(kept, "machine", f"the old {name} is kept"):
        return told
    return f"the old {name} is still there, and no longer has its addresses"


def _until(kept: Sequence[Row], kind: str, words: str) -> str:
    row = next((one for one in kept if one["kind"] == kind and one["state"] == "kept"), None)
    if row is None:
        return ""
    return f"{words} until {times.text(row['until'])[:10]}" if row["until"] is not None else words


def kept(row: Row, plan_row: Row | None, now: datetime) -> Item:
    """What is kept, as GET /q/restore/kept answers it."""
    names = (
        "id", "job_id", "kind", "cloud", "region", "project_id", "resource_id", "name", "at_end", "state", "problem",
        "detail",
    )  # fmt: skip
    about = plan_row or {}
    return {
        **{name: row[name] for name in names},
        "since": text(row["since"]),
        "until": text(row["until"]),
        "over": over(row, now),
        "project_name": about.get("project_name") or "",
        "machine": about.get("server_name") or "",
        "machine_id": about.get("server_id") or "",
        "typed": typable(row["name"], row["resource_id"]),
        "can": ["extend", "release", "remove"] if row["state"] == "kept" else [],
    }


def over(row: Row, now: datetime) -> bool:
    """Whether its time is over."""
    return row["until"] is not None and now >= row["until"]
