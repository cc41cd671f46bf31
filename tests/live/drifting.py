"""Drift over the lab: a console whose collections are followed by deriving and by asking who did it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.api.changes import ChangeFeed
from engine.audit.service import AuditService
from engine.drift.models import EventFilter, Order
from engine.drift.room import DriftRoom
from engine.inventory.events_cloud import CloudLines
from engine.inventory.reads import InventoryReads
from engine.settings.models import Settings
from tests.live.console import TESTER, Console

MOST = 1000


@dataclass(frozen=True, order=True)
class Told:
    """An event, as far as a test says beforehand what it will be. `actor`: "" = nobody is named."""

    type: str
    id: str
    field: str
    severity: str
    grade: str
    actor: str = ""


class Drift:
    """A console that watches the lab, with drift."""

    def __init__(self, home: Path) -> None:
        self.console = Console(home)
        audit = AuditService(self.console.ops)
        self.reads = InventoryReads(self.console.estate)
        self.lines = CloudLines(self.console.clouds)
        self.room = DriftRoom(self.console.ops, audit, ChangeFeed(), self.reads, self.lines, Settings)
        self._known: set[int] = set()

    def close(self) -> None:
        """Close everything; nothing was begun that runs by itself."""
        self.room.close()
        self.lines.close()
        self.reads.close()
        self.console.close()

    def collect(self, *types: str) -> dict[str, dict[str, Any]]:
        """Collect, derive, and ask who did it; what came of each type."""
        ended = self.console.collect(*types)
        self.room.deriver.take_in()
        while self.room.asker.work():
            pass
        return ended

    def events(self, project: str) -> list[dict[str, Any]]:
        """Events of a project that were not told before, in any state."""
        new = [item for item in self.all_events(project) if item["id"] not in self._known]
        self._known |= {item["id"] for item in new}
        return new

    def all_events(self, project: str | None = None) -> list[dict[str, Any]]:
        """Events of a project or of all, as they are now."""
        wanted = EventFilter(projects=(project,) if project else ())
        _, items = self.room.service.page(TESTER, wanted, Order(), MOST)
        return items

    def deleted(self) -> list[dict[str, Any]]:
        """Events of what is said to be gone."""
        return [item for item in self.all_events() if item["kind"] == "deleted"]


def told(items: list[dict[str, Any]]) -> list[Told]:
    """What the events say, in order."""
    return sorted(
        Told(i["resource_type"], i["resource_id"], i["field_changed"], i["severity"], str(i["grade"]), i["actor"] or "")
        for i in items
    )
