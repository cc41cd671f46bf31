"""The lists of the engine's rooms, as entities: drift, policies, compliance, runs, restores, jobs, problems, audit ...

Their rows are handed over by the engine (`Sources.rows`), each with exactly the columns that are declared. A row that
is about a resource has its place in `cloud`, `region` and `resource_id`; its type is in `resource_type`, or,
    where all
rows are about one type, in SUBJECTS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from copilot.answers import Key
from copilot.model import rooms_drift, rooms_people, rooms_protection, rooms_work
from copilot.model.declaration import Entity

ENTITIES: Mapping[str, Entity] = {
    entity.name: entity
    for entity in (
        rooms_drift.DRIFT_EVENT,
        rooms_drift.DRIFT_RULE,
        rooms_protection.POLICY,
        rooms_protection.ASSIGNMENT,
        rooms_protection.RUN,
        rooms_protection.COMPLIANCE,
        rooms_work.JOB,
        rooms_work.RESTORE,
        rooms_work.KEPT,
        rooms_work.PROBLEM,
        rooms_work.TENANT_HEALTH,
        rooms_people.AUDIT,
        rooms_people.LOGIN,
        rooms_people.NOTE,
        rooms_people.CONSOLE_USER,
        rooms_people.COLLECTION,
        rooms_people.CLOUD,
    )
}

# What the role of whoever asks must include, by the engine's table of permissions: as the rooms' own routes ask for.
PERMISSIONS: Mapping[str, str] = {
    "drift_event": "drift:read",
    "drift_rule": "drift:read",
    "snapshot_policy": "snapshot_policy_sets:read",
    "policy_assignment": "snapshot_assignments:read",
    "snapshot_run": "snapshot_runs:read",
    "compliance": "snapshots:read",
    "job": "resources:read",
    "restore": "restore:read",
    "kept_machine": "restore:read",
    "problem": "dashboard:read",
    "tenant_health": "tenant_health:read",
    "audit_record": "audit:read",
    "login": "audit:read",
    "note": "inventory:read",
    "console_user": "users:read",
    "collection": "inventory:read",
    "cloud": "clouds:read",
}

# Lists all of whose rows are about resources of one type.
SUBJECTS: Mapping[str, str] = {"policy_assignment": "volume", "compliance": "volume", "restore": "server"}

# Resource types whose listings a list is made from: the answer is as old as they are. The others are always new.
MADE_FROM: Mapping[str, tuple[str, ...]] = {
    "drift_event": ("server", "volume", "network", "security_group", "port"),
    "compliance": ("volume", "snapshot"),
    "problem": ("server", "volume", "hypervisor"),
    "tenant_health": ("project", "server", "volume", "snapshot", "network", "floating_ip"),
}


def subject(entity: str, row: Mapping[str, Any]) -> tuple[str, Key] | None:
    """(type, key) of the resource that a row is about; None for none."""
    if entity == "tenant_health":
        return "project", (row["cloud"], "", row["project_id"])
    type, id = row.get("resource_type") or SUBJECTS.get(entity), row.get("resource_id")
    if not type or not id:
        return None
    return type, (row.get("cloud") or "", row.get("region") or "", id)
