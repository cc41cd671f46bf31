"""Rows of compliance as answers have them: in the documented names, and in those of the console."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from engine.snapshots.compliance.facts import Promise
from engine.snapshots.compliance.service import Row
from engine.snapshots.models import Volume
from store import times

Item = dict[str, Any]
NO_POLICY = "no_policy"  # the status of a volume that no policy takes
# What a volume can be got back from: a backup survives its storage, snapshots on the same back end do not.
COVER = {"both": "backup", "backup": "backup", "snapshots": "same", "nothing": "nothing"}


def documented(row: Row, now: datetime) -> Item:
    """A ComplianceRow."""
    promise, volume = row.promise, row.volume
    return {
        "cloud": volume.cloud,
        "region": volume.region,
        "volume_id": volume.id,
        "volume_name": volume.name,
        "volume_type": volume.volume_type,
        "size_gb": volume.size_gb,
        "tenant_id": volume.project_id,
        "tenant_name": volume.project_name,
        "project_id": volume.project_id,
        "project_name": volume.project_name,
        "domain_id": volume.domain_id,
        "domain_name": volume.domain_name,
        "vm_id": volume.server_ids[0] if volume.server_ids else None,
        "vm_name": volume.server_name or None,
        "policy": promise.policy or None,
        "policy_source": promise.source or None,
        "retention": promise.keep if promise.policy else None,
        "snapshot_count": promise.count,
        "manual_snapshots": promise.manual,
        "last_snapshot_at": promise.newest,
        "age_hours": _hours(now - promise.newest) if promise.newest is not None else None,
        "window_hours": _hours(row.window) if promise.policy else None,
        "status": row.status,
        "level": row.level,
        "coverage": promise.coverage,
        "reason": reason(row),
    }


def shown(row: Row) -> Item:
    """A Kept."""
    return {
        **_volume(row.promise),
        "policy": row.promise.policy or None,
        "source": row.promise.source or None,
        "keep": row.promise.keep if row.promise.policy else None,
        "points": row.promise.count,
        "last_at": row.promise.newest,
        "window_hours": _hours(row.window) if row.promise.policy else None,
        "status": row.status,
        "level": row.level,
        "reason": reason(row),
    }


def ungoverned(promise: Promise) -> Item:
    """A Kept of a volume that no policy takes."""
    nothing = dict.fromkeys(("policy", "source", "keep", "last_at", "window_hours"))
    return {**_volume(promise), **nothing, "points": 0, "status": NO_POLICY, "level": NO_POLICY,
            "reason": "no policy takes it"}  # fmt: skip


def of_policies(rows: Sequence[Row]) -> list[Item]:
    """The policies of one volume, in short."""
    names = ("policy", "source", "keep", "points", "last_at", "window_hours", "status", "level", "reason")
    return [{name: item[name] for name in names} for item in map(shown, rows) if item["policy"]]


def _volume(promise: Promise) -> Item:
    volume: Volume = promise.volume
    return {
        "cloud": volume.cloud,
        "region": volume.region,
        "volume_id": volume.id,
        "volume_name": volume.name,
        "volume_type": volume.volume_type,
        "size_gb": volume.size_gb,
        "project_id": volume.project_id,
        "project_name": volume.project_name,
        "domain_id": volume.domain_id,
        "domain_name": volume.domain_name,
        "server_id": volume.server_ids[0] if volume.server_ids else None,
        "server_name": volume.server_name or None,
        "manual": promise.manual,
        "cover": COVER[promise.coverage],
    }


def _hours(span: timedelta) -> float:
    return round(span.total_seconds() / 3600, 2)


def reason(row: Row) -> str:
    """Why it is judged so, in a few words."""
    promise = row.promise
    if promise.excluded is not None:
        return promise.excluded
    hours = row.window.total_seconds() / 3600
    window = f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"
    if row.status == "compliant":
        return f"the newest point is at most {window} old"
    if row.status == "pending":
        return "none was due yet"
    old = "there is no usable point" if promise.newest is None else f"the newest point is older than {window}"
    if row.status == "quota_blocked" and promise.blocked_at is not None:
        at = times.text(promise.blocked_at.replace(microsecond=0))
        return f"{old}: the project's quota had no room at {at}"
    return old
