"""Compliance day by day: what was judged when a day ended cannot be worked out again, so it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select

from engine.snapshots.compliance.rules import ORDER, Sums
from engine.snapshots.compliance.service import ComplianceService, Row, sums
from store.estate.reading.models import Scope
from store.ops.compliance_tables import compliance_days as table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from store.ops.ops import Ops

KEPT = timedelta(days=400)
# Says that the day was judged, also where there was nothing to judge.
_MARK = {"cloud": "", "region": "", "project_id": "", "policy": ""}


@dataclass(frozen=True, slots=True)
class Day:
    """One recorded day: (volume, policy) pairs, and volumes by their worst policy. `at`: when it was judged."""

    rows: Sums
    volumes: Sums
    at: datetime


class Trend:
    """See the module. Blocks; safe on any thread."""

    def __init__(self, ops: Ops, service: ComplianceService) -> None:
        self._ops, self._service = ops, service

    def record(self, now: datetime) -> int:
        """Judge all there is as the state of this day (UTC), in place of what was recorded earlier on it; answers how
        many rows. Nothing is written before volumes were ever listed whole. Days that are too old go. Raises OpsError,
        EstateError."""
        if not self._service.known():
            return 0
        day = _day(now)
        found = _rows_of(self._service.rows(Scope()), day, now)
        with self._ops.begin() as connection:
            connection.execute(delete(table).where(table.c.day == day))
            connection.execute(delete(table).where(table.c.day < _day(now - KEPT)))
            connection.execute(insert(table), [{**_zeros(day, now), **_MARK}, *found])
        return len(found)

    def last(self, now: datetime) -> datetime | None:
        """When this day (UTC) was last judged; None when it was not yet."""
        with self._ops.read() as connection:
            return connection.scalar(select(func.max(table.c.made_at)).where(table.c.day == _day(now)))

    def days(self, scope: Scope, dates: Sequence[date], policy: str | None = None) -> list[Day | None]:
        """What was recorded of each day, within the scope; None for days that nobody recorded.

        With a policy `volumes` are those that have it, so they are as many as the rows.
        """
        first, last = dates[0].isoformat(), dates[-1].isoformat()
        with self._ops.read() as connection:
            recorded = _recorded(connection, first, last)
            rows = _counted(connection, scope, first, last, policy, pairs=True)
            volumes = rows if policy is not None else _counted(connection, scope, first, last, None, pairs=False)
        found: list[Day | None] = []
        for day in dates:
            at = recorded.get(day.isoformat())
            if at is None:
                found.append(None)
            else:
                key = day.isoformat()
                found.append(Day(rows.get(key, Sums()), volumes.get(key, Sums()), at))
        return found


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()


def _zeros(day: str, now: datetime) -> dict[str, Any]:
    return {"day": day, "project_name": "", "domain_id": "", "domain_name": "", "made_at": now,
            **dict.fromkeys(ORDER, 0)}  # fmt: skip


def _rows_of(rows: Sequence[Row], day: str, now: datetime) -> list[dict[str, Any]]:
    """Rows of the table: one for each policy in a project and region, and one with policy "" for its volumes."""
    names = {_place(row): row.volume for row in rows}
    governed = [row for row in rows if row.promise.policy]
    volumes, pairs = sums(rows, _place), sums(governed, lambda row: (*_place(row), row.promise.policy))
    groups: list[tuple[tuple[str, ...], Sums]] = [((*place, ""), group.volumes) for place, group in volumes.items()]
    groups += [(key, group.rows) for key, group in pairs.items()]
    found = []
    for (cloud, region, project, policy), counted in groups:
        volume = names[cloud, region, project]
        one = _zeros(day, now) | {"cloud": cloud, "region": region, "project_id": project, "policy": policy}
        one |= {"project_name": volume.project_name[:255], "domain_id": volume.domain_id}
        one |= {"domain_name": volume.domain_name[:255]} | {status: getattr(counted, status) for status in ORDER}
        found.append(one)
    return found


def _place(row: Row) -> tuple[str, str, str]:
    return (row.volume.cloud, row.volume.region, row.volume.project_id)


def _recorded(connection: Connection, first: str, last: str) -> Mapping[str, datetime]:
    query = select(table.c.day, table.c.made_at).where(table.c.day.between(first, last), table.c.cloud == "")
    return {row[0]: row[1] for row in connection.execute(query)}


def _counted(
    connection: Connection, scope: Scope, first: str, last: str, policy: str | None, *, pairs: bool
) -> dict[str, Sums]:
    """Sums by day: of pairs (rows with a policy), or of volumes (rows without)."""
    columns = [func.sum(table.c[status]) for status in ORDER]
    query = select(table.c.day, *columns).where(table.c.day.between(first, last), table.c.cloud != "")
    if policy is not None:
        query = query.where(table.c.policy == policy)
    else:
        query = query.where(table.c.policy != "" if pairs else table.c.policy == "")
    limits = (
        ("cloud", scope.clouds),
        ("cloud", scope.in_clouds),
        ("region", scope.in_regions),
        ("project_id", scope.in_projects),
        ("project_id", scope.projects),
        ("domain_id", scope.domains),
    )
    for name, values in limits:
        if values is not None:
            query = query.where(table.c[name].in_(values))
    found = {}
    for day, *counts in connection.execute(query.group_by(table.c.day)):
        found[day] = Sums(**dict(zip(ORDER, map(int, counts), strict=True)))
    return found
