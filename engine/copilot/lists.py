"""The rows of the rooms' lists as the copilot knows them: what each room tells this caller, by the declared columns.

What a caller may see of a list, its own room decides; nothing is read past the rooms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from copilot.model.rooms import ENTITIES
from engine.access.models import Caller
from engine.drift.models import EventFilter, Order
from engine.inventory.reads import visible_clouds
from engine.snapshots.compliance.answers import Choice
from engine.snapshots.policies import answers as policies
from store import times
from store.estate.reading.models import Scope

if TYPE_CHECKING:
    from engine.copilot.rooms import Rooms

Row = dict[str, Any]
MOST = 20_000  # newest rows of a list that is looked at; an answer says when there are more
MOST_RUNS = 1000  # of which each reads its job's steps
KEPT_TYPES = {"machine": "server", "volume": "volume", "disk_beside": "volume"}


class Listed(list[Row]):
    """Rows of a list. `left_out`: older ones that there are beside them."""

    left_out: int = 0


def rows(rooms: Rooms, entity: str, caller: Caller, scope: Scope) -> Listed:
    """All rows of a list that the caller may see, within the choice of clouds; in the room's own order.

    Raises KeyError for no list, and what the room raises.
    """
    total, found = _READERS[entity](rooms, caller, scope)
    declared = ENTITIES[entity].attributes
    chosen, place = visible_clouds(scope), "name" if entity == "cloud" else "cloud"
    shown = Listed()
    count = 0
    for row in found:
        count += 1
        if chosen is None or place not in declared or row.get(place) in (None, "", *chosen):
            shown.append({name: _plain(row.get(name), one.role) for name, one in declared.items()})
    shown.left_out = max(0, total - count) if total is not None else 0
    return shown


def _plain(value: Any, role: str) -> Any:
    """Times as aware datetimes, lists as lists, "" as what it is: nothing."""
    if value in (None, ""):
        return [] if role == "list" else None
    if role == "time":
        at: datetime = times.parse(value) if isinstance(value, str) else value
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return list(value) if role == "list" else value


Found = tuple[int | None, Iterable[Mapping[str, Any]]]


def _drift_events(rooms: Rooms, caller: Caller, scope: Scope) -> Found:
    total, found = rooms.drift.page(caller, EventFilter(), Order(), MOST)
    return total, (
        {
            **one,
            "what": one["description"],
            "server_name": one["resource_name"] if one["resource_type"] == "server" else None,
            "field": one["field_changed"],
            "old_value": one["old_name"] or one["old_value"],
            "new_value": one["new_name"] or one["new_value"],
            "rule": one["rule_name"],
            "grade": one["grade_words"],
        }
        for one in found
    )


def _drift_rules(rooms: Rooms, caller: Caller, scope: Scope) -> Found:
    return None, ({**one, "open_events": one["triage"]} for one in rooms.drift.rules(caller))


def _policies(rooms: Rooms, caller: Caller, scope: Scope) -> Found:
    return None, (
        {**one, "schedule": one["words"], "window_hours": one["window"], "made_by": one["created_by"]}
        for one in rooms.snapshots.desk.listing.policies(caller)
    )


def _assignments(rooms: Rooms, caller: Caller, scope: Scope) -> Found:
    desk = rooms.snapshots.desk
    sets = desk.service.state().sets
    found = (policies.assignment(row, sets) for row in desk.giving.assignments(caller))
    return None, (
        {
            **one,
            "resource_id": one["volume_id"],
            "project_name": one["tenant_name"],
            "project_id": one["tenant_id"],
            "policy_set": one["policy_set_name"],
            "made_by": one["created_by"],
        }
        for one in found
    )


def _runs(rooms: Rooms, caller: Caller, scope: Scope) -> Found:
    total, found = rooms.snapshots.runs.page(caller, limit=MOST_RUNS)
    return total, (
        {
            **one,
            "policies": one["policy_names"],
            "created": one["snapshots_created"],
            "deleted": one["snapshots_deleted"],
            "failed_count": one["snapshots_failed"],
            "skipped": one["volumes_skipped"],
        }
        for one in found
    )


def _compliance(rooms: Rooms, caller: Caller, scope: Scope) -> Found:
    items, _ = rooms.snapshots.compliance.answers.listing(scope, "volume", Choice())
    return None, (
        {
            **one,
            "volume_name": one["volume_name"] or one["volume_id"],
            "resource_id": one["volume_id"],
            "policies": [policy["policy"] for policy in one.get("policies", ())],
        }
        for one in items
    )


def _jobs(rooms: Rooms, caller: Caller, scope: Scope) -> Found:
    total, found = rooms.jobs.page(caller, limit=MOST)
    return total, ({**one, "failed_count": one["failed"]} for one in found)


def _restores(rooms: Rooms, caller: Caller, scope: Scope) -> Found:
    total, found = rooms.restore.service.page(caller, limit=MOST_RUNS)
    return total, (
        {
            **one,
            "server_name": one["vm_name"] or one["vm_id"],
            "resource_id": one["vm_id"],
            "point": one["restore_point_name"],
            "new_name": one["new_vm_name"],
            "by": one["executed_by"] or one["created_by"],
            "job": one["number"],
        }
        for one in found
    )


def _kept(rooms: Rooms, caller: Caller, scope: Scope) -> Found:
    return None, ({**one, "resource_type": KEPT_TYPES.get(one["kind"])} for one in rooms.restore.keeping.page(caller))


def _problems(rooms: Rooms, caller: Caller, scope: Scope) -> Found:
    found = rooms.problems.page(caller, limit=MOST)
    return found["total"], (
        {
            **one,
            "resource_type": one["type"],
            "resource_id": one["key"][2] if one["key"] else None,
            "since": one["since"] or one["first_seen"],
        }
        for one in found["items"]
    )


def _health(rooms: Rooms, caller: Caller, scope: Scope) -> Found:
    return None, (
        {
            **one,
            "project_name": one["project_name"] or one["project_id"],
            "score": one["health_score"],
            "grade": one["health_status"],
            "reasons": [deduction["reason"] for deduction in one["deductions"]],
            "servers": one["total_servers"],
            "running": one["active_servers"],
            "stopped": one["shutoff_servers"],
            "in_error": one["error_servers"],
            "volumes": one["total_volumes"],
            "volume_gb": one["total_volume_gb"],
            "vcpus": one["total_vcpus"],
            "ram_mb": one["total_ram_mb"],
            "drift_events": one["total_drift_events"],
            "critical_drift": one["critical_drift_events"],
            "compliance_percent": one["compliance_pct"],
        }
        for one in rooms.health.rows(caller, scope)
    )


def _audit(rooms: Rooms, caller: Caller, scope: Scope) -> Found:
    total, found = rooms.audit.page(only=caller if caller.limited else None, limit=MOST)
    return total, ({**one, **_said(one["detail"])} for one in found)


def _said(detail: Mapping[str, Any]) -> Row:
    """What people look for in a record's detail."""
    return {name: value for name in ("cloud", "reason", "ticket") if isinstance(value := detail.get(name), str)}


def _logins(rooms: Rooms, caller: Caller, scope: Scope) -> Found:
    only = caller if caller.limited else None
    total, found = rooms.audit.page(action="auth.login", only=only, limit=MOST)
    return total, (
        {**one, "user": one["target"], "address": one["detail"].get("address"), "agent": one["detail"].get("agent")}
        for one in found
    )


def _notes(rooms: Rooms, caller: Caller, scope: Scope) -> Found:
    total, found = rooms.notes.page(caller, limit=MOST)
    return total, map(_note, found)


def _note(one: Mapping[str, Any]) -> Row:
    subject = one["subject"]
    place = subject["key"] if subject["kind"] == "resource" else (None, None, None)
    return {
        **one,
        "about": subject["name"] or subject["key"][-1],
        "kind": subject["kind"],
        "resource_type": subject["type"] if subject["kind"] == "resource" else None,
        **dict(zip(("cloud", "region", "resource_id"), place, strict=True)),
        "by": one["created_by"],
    }


def _console_users(rooms: Rooms, caller: Caller, scope: Scope) -> Found:
    return None, (
        {**one, "name": one["username"], "active": one["is_active"]}
        for one in rooms.users.users()
        if not caller.limited or one["username"] == caller.name
    )


def _collections(rooms: Rooms, caller: Caller, scope: Scope) -> Found:
    return None, (
        {**one, "resource_type": one["type"], "listed_at": one["fresh_ended_at"]}
        for one in rooms.reads.states(visible_clouds(scope))
    )


def _clouds(rooms: Rooms, caller: Caller, scope: Scope) -> Found:
    now: datetime = rooms.reads.clock()
    return None, (
        {
            **one,
            "collected_at": None if one["age_seconds"] is None else now - timedelta(seconds=one["age_seconds"]),
        }
        for one in rooms.clouds.clouds()
        if caller.clouds is None or one["name"] in caller.clouds
    )


_READERS: Mapping[str, Callable[[Rooms, Caller, Scope], Found]] = {
    "drift_event": _drift_events,
    "drift_rule": _drift_rules,
    "snapshot_policy": _policies,
    "policy_assignment": _assignments,
    "snapshot_run": _runs,
    "compliance": _compliance,
    "job": _jobs,
    "restore": _restores,
    "kept_machine": _kept,
    "problem": _problems,
    "tenant_health": _health,
    "audit_record": _audit,
    "login": _logins,
    "note": _notes,
    "console_user": _console_users,
    "collection": _collections,
    "cloud": _clouds,
}
LISTS: Sequence[str] = tuple(_READERS)
