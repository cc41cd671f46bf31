"""Runs as people read them: pure, rows in, answers out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.snapshots.models import Volume
from engine.snapshots.runs.planning import Batch
from store import times

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from engine.snapshots.runs.records import Records

_OVER = ("done", "failed", "skipped")


def batch(found: Batch) -> dict[str, Any]:
    """A batch as it is kept with the run."""
    return {
        "batch_number": found.number,
        "tenant_names": list(found.tenants),
        "total_volumes": found.volumes,
        "steps": len(found.wants),
    }


def volume_of(cloud: str, region: str, args: Mapping[str, Any]) -> Volume:
    """A volume of a step's arguments."""
    return Volume(cloud, region, **{**args, "server_ids": tuple(args.get("server_ids") or ())})


def leftover(
    records: Records, connection: Connection, run: Mapping[str, Any], step: Mapping[str, Any], cancelled: bool
) -> None:
    """Write the record of a step that left none: it failed before it could, or was never begun."""
    if step["state"] == "done":
        return
    args = step["args"]
    for volume in (volume_of(run["cloud"], run["region"], one) for one in args["volumes"]):
        if records.noted(connection, run["id"], volume.id, args["policy"]):
            continue
        facts = {"policy": args["policy"], "keep": args["keep"], "step": step["seq"], "detail": step["detail"] or ""}
        if step["state"] == "failed":
            records.note(connection, run, volume, "failed", code="failed", **facts)
        else:
            why = "the run was cancelled before its turn" if cancelled else "the job ended before its turn"
            records.note(connection, run, volume, "skipped", code="cancelled", **{**facts, "detail": why})


def verdict(counts: Mapping[str, int], cancelled: str | None) -> tuple[str, str]:
    """(status, sentence) of a run whose steps have ended."""
    said = [f"{counts['created']} made", f"{counts['deleted']} older removed"]
    words = (("skipped", "skipped"), ("failed", "failed"), ("quota_blocked", "blocked by quota"))
    said += [f"{counts[name]} {word}" for name, word in words if counts[name]]
    sentence = ", ".join(said)
    if cancelled is not None:
        return "cancelled", f"{sentence}; cancelled by {cancelled}"
    if counts["failed"] and not counts["created"]:
        return "failed", sentence
    return ("partial" if counts["failed"] or counts["quota_blocked"] else "completed"), sentence


def run(
    row: Mapping[str, Any], counts: Mapping[str, int], steps: Sequence[Mapping[str, Any]], now: datetime
) -> dict[str, Any]:
    """A run as the API answers it: the documented fields, then ours."""
    done = sum(step["state"] in _OVER for step in steps)
    told = batches(row, steps)
    over = sum(one["status"] in ("completed", "partial") for one in told)
    ended = row["finished_at"] is not None
    percent = (
        100.0
        if ended and row["status"] in ("completed", "partial", "dry_run_completed")
        else _percent(done, len(steps))
    )
    left = None if ended else finish_at(steps, now)
    return {
        "id": row["id"],
        "status": row["status"],
        "run_type": row["trigger"],
        "policy_names": list(row["policies"]),
        "total_volumes": row["total_volumes"],
        "snapshots_created": counts["created"],
        "snapshots_deleted": counts["deleted"],
        "snapshots_failed": counts["failed"],
        "volumes_skipped": counts["skipped"],
        "quota_blocked": counts["quota_blocked"],
        "total_batches": len(told),
        "completed_batches": over,
        "current_batch": None if ended or not told else min(over + 1, len(told)),
        "progress_pct": percent,
        "estimated_finish_at": None if left is None else times.text(left),
        "started_at": _text(row["started_at"]),
        "finished_at": _text(row["finished_at"]),
        "created_at": _text(row["created_at"]),
        "triggered_by": row["by"],
        "dry_run": row["dry_run"],
        "cloud": row["cloud"],
        "region": row["region"],
        "phase": row["phase"],
        "detail": row["detail"] or None,
        "occurrences": row["occurrences"],
        "attempt": row["attempt"],
        "retry_at": _text(row["retry_at"]),
        "cancelled_by": row["cancelled_by"],
        "job_ids": list(row["job_ids"]),
    }


def batches(row: Mapping[str, Any], steps: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The batches with their status (pending, running, completed, partial) and counts, from the job's steps."""
    of: dict[int, list[Mapping[str, Any]]] = {}
    for step in steps:
        of.setdefault(step["group"], []).append(step)
    answer = []
    for kept in row["batches"]:
        own = of.get(kept["batch_number"], [])
        states = Counter(step["state"] for step in own)
        over = bool(own) and all(step["state"] in _OVER for step in own)
        begun = any(step["state"] != "pending" for step in own)
        status = (
            "pending"
            if not begun
            else "running"
            if not over
            else "partial"
            if states["failed"] or states["skipped"]
            else "completed"
        )
        starts = [step["started_at"] for step in own if step["started_at"]]
        ends = [step["ended_at"] for step in own if step["ended_at"]]
        answer.append(
            {
                **{name: kept[name] for name in ("batch_number", "tenant_names", "total_volumes")},
                "status": status,
                "completed": states["done"],
                "skipped": states["skipped"],
                "failed": states["failed"],
                "started_at": min(starts, default=None),
                "finished_at": max(ends, default=None) if over else None,
            }
        )
    return answer


def finish_at(steps: Sequence[Mapping[str, Any]], now: datetime) -> datetime | None:
    """When the run will be over: the mean time that a step took so far, times those that are left.

    The mean is of the wall clock (elapsed / steps ended), so that what runs side by side is in it. None before the
    first step has ended.
    """
    over = [step for step in steps if step["state"] in _OVER]
    begun = [times.parse(step["started_at"]) for step in steps if step["started_at"]]
    left = len(steps) - len(over)
    if not over or not begun or not left:
        return now if steps and not left else None
    return now + (now - min(begun)) / len(over) * left


def block(row: Mapping[str, Any]) -> dict[str, Any]:
    """A volume that quota kept out: the documented fields (limits of gigabytes, or null), then ours."""
    gigabytes = str(row["resource"]).startswith("gigabytes")
    return {
        "volume_name": row["volume_name"],
        "tenant_name": row["tenant_name"],
        "quota_limit_gb": row["limit"] if gigabytes else None,
        "quota_used_gb": row["used"] if gigabytes else None,
        "quota_needed_gb": row["needed"] if gigabytes else row["size_gb"],
        "block_reason": row["detail"] or row["reason"],
        "run_id": row["run_id"],
        "volume_id": row["volume_id"],
        "project_id": row["project_id"],
        "policy": row["policy"],
        "reason": row["reason"],
        "resource": row["resource"],
        "limit": row["limit"],
        "used": row["used"],
        "needed": row["needed"],
        "size_gb": row["size_gb"],
        "at": _text(row["at"]),
        "cloud": row["cloud"],
        "region": row["region"],
    }


def record(row: Mapping[str, Any]) -> dict[str, Any]:
    """One record as the API answers it."""
    plain = {
        name: value
        for name, value in row.items()
        if name not in ("at", "step", "point_id", "point_name", "keep", "detail")
    }
    return {
        **plain,
        "at": _text(row["at"]),
        "retention": row["keep"],
        "snapshot_id": row["point_id"] or None,
        "snapshot_name": row["point_name"] or None,
        "detail": row["detail"] or None,
    }


def _percent(done: int, total: int) -> float:
    return round(100.0 * done / total, 1) if total else 0.0


def _text(value: datetime | None) -> str | None:
    return None if value is None else times.text(value)
