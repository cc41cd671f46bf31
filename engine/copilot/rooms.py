"""What the copilot's facts come from: the services of the rooms below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.access.users import UserService
    from engine.audit.service import AuditService
    from engine.clouds.quota import LiveQuota
    from engine.clouds.service import CloudService
    from engine.dashboard.problems import ProblemService
    from engine.drift.service import DriftService
    from engine.history.service import HistoryService
    from engine.inventory.find import Finder
    from engine.inventory.reads import InventoryReads
    from engine.jobs.service import JobService
    from engine.notes.service import NoteService
    from engine.restore.room import RestoreRoom
    from engine.snapshots.room import SnapshotsRoom
    from engine.tenants.service import TenantHealth


@dataclass(frozen=True, slots=True)
class Rooms:
    """The services that lists and other facts come from."""

    reads: InventoryReads
    finder: Finder
    history: HistoryService
    drift: DriftService
    snapshots: SnapshotsRoom
    restore: RestoreRoom
    jobs: JobService
    problems: ProblemService
    health: TenantHealth
    audit: AuditService
    notes: NoteService
    users: UserService
    clouds: CloudService
    quota: LiveQuota
