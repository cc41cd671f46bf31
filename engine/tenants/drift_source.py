"""Drift by tenant, as the score needs it: what the room of drift tells, within what the caller may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from engine.access.models import Caller
from store.estate.reading import drift as reading
from store.estate.reading.models import Scope
from store.estate.reading.order import run
from store.times import naive

if TYPE_CHECKING:
    import duckdb

    from engine.drift.service import DriftService

Tenant = tuple[str, str]  # (cloud, project id)
SEVERITIES = ("critical", "warning", "info")
# States that count (see engine/drift/models.py): those that still deviate, or all but ignored and expected ones.
OPEN = ("open",)
ALL = ("open", "resolved_unseen", "acknowledged", "resolved")
_TIMES = {"opened_at": 8, "ended_at": 9}
MOST = 50_000  # events of one tenant that its trend looks at


@dataclass(frozen=True, slots=True)
class Event:
    """What a trend and a short list need of an event. ended_at: when it went back, or somebody accepted it."""

    id: int
    type: str
    resource_id: str
    resource_name: str | None
    field: str
    severity: str
    old_value: str | None
    new_value: str | None
    opened_at: datetime
    ended_at: datetime | None


class Drift(Protocol):
    """Events of drift by tenant, within the caller's limits and a choice."""

    def counts(
        self, caller: Caller, scope: Scope, since: datetime, states: Sequence[str]
    ) -> Mapping[Tenant, Mapping[str, int]]:
        """Events in these states that were opened since then, by severity."""
        ...

    def events(self, caller: Caller, scope: Scope, since: datetime) -> Sequence[Event]:
        """All that were opened since then, but ignored and expected ones; the newest first."""
        ...


class RoomDrift:
    """Asks the room of drift."""

    def __init__(self, service: DriftService) -> None:
        self._service = service

    def counts(
        self, caller: Caller, scope: Scope, since: datetime, states: Sequence[str]
    ) -> Mapping[Tenant, Mapping[str, int]]:
        decided, seen = self._service.decisions.decided(), self._service.seen(caller, scope)

        def work(connection: duckdb.DuckDBPyConnection) -> dict[Tenant, dict[str, int]]:
            made, values = reading.told(connection, decided, seen)
            sql = f"""{made} SELECT cloud, project_id, severity, count(*) FROM told
                WHERE project_id IS NOT NULL AND opened_at >= ? AND list_contains(?, told) GROUP BY ALL"""
            found: dict[Tenant, dict[str, int]] = {}
            given = [*values, naive(since), list(states)]
            for cloud, project, severity, count in run(connection, sql, given).fetchall():
                found.setdefault((cloud, project), {})[severity] = count
            return found

        return self._service.reads.read(work)

    def events(self, caller: Caller, scope: Scope, since: datetime) -> Sequence[Event]:
        decided, seen = self._service.decisions.decided(), self._service.seen(caller, scope)

        def work(connection: duckdb.DuckDBPyConnection) -> list[Event]:
            made, values = reading.told(connection, decided, seen)
            sql = f"""{made} SELECT id, type, resource_id, resource_name, field, severity, old_value, new_value,
                    opened_at, least(resolved_at, ack_at) FROM told
                WHERE opened_at >= ? AND list_contains(?, told) ORDER BY opened_at DESC, id LIMIT {MOST}"""
            found = run(connection, sql, [*values, naive(since), list(ALL)]).fetchall()
            return [_event(row) for row in found]

        return self._service.reads.read(work)


def _event(row: tuple[Any, ...]) -> Event:
    aware = {name: row[place].replace(tzinfo=UTC) if row[place] else None for name, place in _TIMES.items()}
    return Event(**dict(zip(Event.__slots__, row, strict=True)) | aware)
