"""A world: everything that was and is in the evaluated clouds, as plain rows. The estate is filled from it, and the
oracle reads it; nothing here knows DuckDB or the copilot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from tests.copilot.evaluation.styles import Style

Row = dict[str, Any]
Place = tuple[str, str]  # cloud, region ("" for identity)


@dataclass(slots=True)
class Version:
    """A row from `since` until `until` (None = still)."""

    row: Row
    since: datetime
    until: datetime | None = None


@dataclass(slots=True)
class World:
    """Rows by type, each with its versions, and the rooms' lists.

    A row has "cloud", "region", "id" and the names of what it belongs to ("project", "domain", "host", ...).
    """

    style: Style
    versions: dict[str, list[Version]] = field(default_factory=dict)
    rooms: dict[str, list[Row]] = field(default_factory=dict)
    quotas: dict[tuple[str, str], list[Row]] = field(default_factory=dict)  # (cloud, project id)
    slots: dict[str, Row] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The style's."""
        return self.style.name

    @property
    def now(self) -> datetime:
        """When the questions are asked."""
        return self.style.now

    @property
    def zone(self) -> tzinfo:
        """Where they are asked."""
        return ZoneInfo(self.style.zone)

    def add(self, type: str, row: Row, since: datetime) -> Row:
        """A new row."""
        self.versions.setdefault(type, []).append(Version(row, since))
        return row

    def change(self, type: str, row: Row, at: datetime, **fields: Any) -> Row:
        """The row is another from then on; answers the new one."""
        old = self._open(type, row)
        old.until = at
        return self.add(type, {**old.row, **fields}, at)

    def remove(self, type: str, row: Row, at: datetime) -> None:
        """The row is gone from then on."""
        self._open(type, row).until = at

    def _open(self, type: str, row: Row) -> Version:
        return next(v for v in self.versions[type] if v.until is None and key(v.row) == key(row))

    def rows(self, type: str, at: datetime | None = None) -> list[Row]:
        """What is there, now or then."""
        if at is None:
            return [v.row for v in self.versions.get(type, ()) if v.until is None]
        return [v.row for v in self.versions.get(type, ()) if v.since <= at and (v.until is None or v.until > at)]

    def gone(self, type: str, since: datetime, until: datetime) -> list[Row]:
        """Rows that vanished within the time and are not there now, as they were last."""
        here = {key(row) for row in self.rows(type)}
        return [
            v.row
            for v in self.versions.get(type, ())
            if v.until is not None
            and since <= v.until < until
            and key(v.row) not in here
            and not self._goes_on(type, v)
        ]

    def _goes_on(self, type: str, one: Version) -> bool:
        return any(v.since == one.until and key(v.row) == key(one.row) for v in self.versions[type])

    def events(
        self, since: datetime, until: datetime, types: Iterable[str] = ()
    ) -> list[tuple[datetime, str, str, Row]]:
        """(time, type, "created" | "changed" | "deleted", row), newest first; the first listing is no event."""
        found = []
        for type, versions in self.versions.items():
            if types and type not in types:
                continue
            starts = {(key(v.row), v.since) for v in versions}
            ends = {(key(v.row), v.until) for v in versions}
            for v in versions:
                if since <= v.since < until and v.since > self.began:
                    kind = "changed" if (key(v.row), v.since) in ends else "created"
                    found.append((v.since, type, kind, v.row))
                if v.until and since <= v.until < until and (key(v.row), v.until) not in starts:
                    found.append((v.until, type, "deleted", v.row))
        return sorted(found, key=lambda one: one[0], reverse=True)

    @property
    def began(self) -> datetime:
        """When everything was listed first."""
        return self.at(-36, 12)

    def at(self, days: int, hour: int, minute: int = 0) -> datetime:
        """A time of day so many days from today, in the world's zone."""
        day = self.now + timedelta(days=days)
        return day.replace(hour=hour, minute=minute, second=0, microsecond=0)

    def one(self, type: str, test: Callable[[Row], bool]) -> Row:
        """The first row that fits; raises StopIteration."""
        return next(row for row in self.rows(type) if test(row))


def key(row: Row) -> tuple[str, str, str]:
    """(cloud, region, id)."""
    return row["cloud"], row["region"], row["id"]
