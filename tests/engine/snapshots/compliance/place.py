"""The small company of tests/engine/tenants, whose snapshots nobody knows who made, and what people decide in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from store.ops.snapshot_policy_tables import snapshot_assignments, snapshot_exclusions, snapshot_policy_sets
from store.ops.snapshot_run_tables import snapshot_quota_blocks, snapshot_runs
from store.times import naive
from tests.engine.inventory.reading import take_in
from tests.engine.tenants.company import BEGAN, NOW, SNAPSHOT_TENANT, Company, days, documents, made, snapshot, volume

__all__ = ["BEGAN", "NOW", "SNAPSHOT_TENANT", "Place", "backup", "days", "documents", "made", "snapshot", "take_in",
           "volume"]  # fmt: skip


def backup(number: int, of: int, project: str, at: datetime, status: str = "available", **more: Any) -> dict[str, Any]:
    return {"id": f"bak-{number}", "name": f"bak-{number}", "status": status, "size": 1, "volume_id": f"vol-{of}",
            "os-backup-project-attr:project_id": project, "created_at": naive(at).isoformat(), **more}  # fmt: skip


class Place(Company):
    """See the module: volumes 1, 2 (p1) and 5 (p2) ask for daily_5 by their metadata, 3 and 4 (p1) for nothing."""

    def __init__(self, home: Path, given: dict[str, list[dict[str, Any]]] | None = None) -> None:
        by_hand = [{name: row[name] for name in row if name != "metadata"} for row in documents()["snapshot"]]
        super().__init__(home, {**documents(), "snapshot": by_hand} if given is None else given)
        self.room = self.compliance

    def snapshots(self, *rows: dict[str, Any], at: datetime | None = None) -> None:
        """These are all the snapshots there are."""
        take_in(self.estate, "snapshot", list(rows), at or self.now)

    def run(self, number: int = 1, status: str = "completed") -> int:
        """A run that was."""
        values = {"id": number, "uid": f"run-{number}", "cloud": "prod", "region": "RegionOne", "policies": ["daily_5"],
                  "occurrences": {}, "trigger": "schedule", "dry_run": False, "status": status, "phase": "done",
                  "caller": {}, "by": "schedule", "created_at": self.now - timedelta(hours=1)}  # fmt: skip
        with self.ops.begin() as connection:
            connection.execute(insert(snapshot_runs).values(values))
        return number

    def ours(self, point: str, volume: str, at: datetime, *, policy: str = "daily_5", **facts: Any) -> None:
        """A point that our journal has; `run` first."""
        end = {"consistency": "crash-consistent", "proof": "one snapshot of one volume", **facts}
        begin = {"policy": policy, "occurrence": at, "run_id": 1, "kind": "snapshot", "server_id": "",
                 "name": point, "taken_at": at}  # fmt: skip
        if "kind" in end:
            begin["kind"] = end.pop("kind")
        with self.ops.begin() as connection:
            rows = [{"volume_id": volume, "size_gb": 1}]
            self.register.begin(connection, f"mark-{point}", ("prod", "RegionOne", "p1"), rows, **begin)
            self.register.made(connection, f"mark-{point}", volume, point, **end)

    def blocked(self, volume: str, at: datetime, policy: str = "daily_5") -> None:
        """A run that left the volume out because of quota; `run` first."""
        values = {"run_id": 1, "volume_id": volume, "policy": policy, "at": at, "cloud": "prod", "region": "RegionOne",
                  "reason": "gigabytes_exceeded"}  # fmt: skip
        with self.ops.begin() as connection:
            connection.execute(insert(snapshot_quota_blocks).values(values))

    def set_of(self, *policies: str, match: Mapping[str, Any] | None = None, at: datetime | None = None) -> None:
        """A policy set for all volumes, or those that match."""
        at = at or BEGAN
        values = {"name": "-".join(policies), "description": "", "is_global": True, "tenant_id": "", "tenant_name": "",
                  "cloud": "", "region": "", "match": dict(match or {}), "policies": list(policies),
                  "retention_map": {}, "priority": 100, "is_active": True, "created_at": at, "created_by": "t",
                  "updated_at": at, "updated_by": "t"}  # fmt: skip
        with self.ops.begin() as connection:
            connection.execute(insert(snapshot_policy_sets).values(values))
        self.policies.moved()

    def assign(self, volume: str, policy: str, at: datetime) -> None:
        """One policy to one volume."""
        values = {"cloud": "prod", "region": "RegionOne", "volume_id": volume, "volume_name": volume, "tenant_id": "",
                  "tenant_name": "", "policy_set_id": 0, "policy": policy, "keep": 3, "reason": "", "created_at": at,
                  "created_by": "t", "updated_at": at, "updated_by": "t"}  # fmt: skip
        with self.ops.begin() as connection:
            connection.execute(insert(snapshot_assignments).values(values))
        self.policies.moved()

    def exclude(self, volume: str, reason: str, expires: datetime | None = None) -> None:
        """What no policy takes."""
        values = {"cloud": "prod", "region": "", "volume_id": volume, "volume_name": volume, "tenant_id": "",
                  "tenant_name": "", "match": {}, "reason": reason, "source": "manual", "expires_at": expires,
                  "created_at": BEGAN, "created_by": "t"}  # fmt: skip
        with self.ops.begin() as connection:
            connection.execute(insert(snapshot_exclusions).values(values))
        self.policies.moved()
