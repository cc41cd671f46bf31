"""Rows of the journal as the API answers them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.jobs import rules
from store import times


def job(
    row: Mapping[str, Any], running: int, problem: str | None, runnable: bool, committed: bool = False
) -> dict[str, Any]:
    """A JobAnswer. problem: why an open job does not go on, which makes it a waiting one."""
    state = row["state"] if problem is None else "waiting"
    asked = row["cancel_asked_at"] is not None
    names = (
        "id", "number", "kind", "title", "by", "cloud", "reason", "ticket", "plan_id", "plan_version", "retry_of",
        "cancelled_by", "done", "failed", "total",
    )  # fmt: skip
    return {
        **{name: row[name] for name in names},
        "state": state,
        "detail": row["detail"] if problem is None else problem,
        "created_at": _text(row["created_at"]),
        "started_at": _text(row["started_at"]),
        "ended_at": _text(row["ended_at"]),
        "cancel_asked": asked,
        "running": running,
        "stop_after": row["options"].get("stop_after"),
        "can": rules.can(state, row["done"], row["total"], asked or committed, runnable),
    }


def step(row: Mapping[str, Any], progress: str | None = None) -> dict[str, Any]:
    """A StepAnswer."""
    names = ("seq", "group", "name", "key", "target", "state", "detail", "created", "attempt", "phase")
    return {
        **{name: row[name] for name in names},
        "request_id": ", ".join(row["request_ids"]) or None,
        "started_at": _text(row["started_at"]),
        "ended_at": _text(row["ended_at"]),
        "progress": progress if row["state"] == "running" else None,
    }


def _text(value: datetime | None) -> str | None:
    return None if value is None else times.text(value)
