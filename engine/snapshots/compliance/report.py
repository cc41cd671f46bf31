"""The compliance report as files: a workbook with five sheets, or one table as CSV or JSON.

Names come from clouds: no cell is ever a formula (engine/inventory/export_formats.py).
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from engine.inventory import export_formats
from engine.snapshots.compliance.answers import Answers, By, Choice, volumes_of
from engine.snapshots.compliance.telling import Item, documented
from store import times
from store.estate.reading.models import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

Format = Literal["xlsx", "csv", "json"]
NAME = re.compile(r"compliance-(\d{4}-\d{2}-\d{2})\.(xlsx|csv)")
_VOLUME = ("cloud", "region", "volume_id", "volume_name", "volume_type", "size_gb", "tenant_id", "tenant_name",
           "domain_name", "vm_id", "vm_name", "policy", "retention", "snapshot_count", "manual_snapshots",
           "last_snapshot_at", "age_hours", "window_hours", "status", "reason")  # fmt: skip
_COUNTS = ("compliant", "missing", "pending", "quota_blocked", "excluded", "total", "compliance_pct")
_NAMES: Mapping[By, tuple[str, ...]] = {
    "tenant": ("cloud", "tenant_id", "tenant_name", "domain_id", "domain_name"),
    "domain": ("cloud", "domain_id", "domain_name"),
    "policy": ("policy", "window_hours"),
}


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet: its title, the names of its columns, its rows."""

    title: str
    names: Sequence[str]
    rows: Sequence[Sequence[Any]]


class Reports:
    """Makes reports, and keeps the nightly ones in a folder. Blocks; safe on any thread."""

    def __init__(self, answers: Answers, folder: Path, keep_days: Callable[[], int]) -> None:
        """`keep_days`: how long nightly reports are kept; 0 = none are made."""
        self._answers, self.folder, self._keep_days = answers, folder, keep_days

    def table(self, scope: Scope, by: By, choice: Choice) -> Table:
        """One table of the report: what no policy takes is in none but the summary."""
        if by not in ("rows", "volume"):
            return _of_groups(by, self._answers.listing(scope, by, choice)[0])
        chosen = self._answers.chosen(scope, choice)
        rows = list(chosen.shown)
        if by == "volume":
            rows = [first for first, _ in volumes_of(chosen.every) if choice.shows(first.status, first.level)]
        return _of_rows([documented(row, chosen.now) for row in rows])

    def book(self, scope: Scope, choice: Choice) -> list[Table]:
        """The sheets Summary, Volumes, Tenants, Domains and Policies, all of one choice."""
        rows, head = self._answers.report(scope, choice)
        made = head["timestamp"]
        groups = [self.table(scope, by, choice) for by in _NAMES]
        return [_summary(head), _of_rows([documented(row, made) for row in rows]), *groups]

    def write(self, scope: Scope, by: By, choice: Choice, format: Format, file: IO[bytes]) -> int:
        """Write a report into a file; answers how many rows its main table has. A workbook has all five sheets."""
        if format == "xlsx":
            sheets = self.book(scope, choice)
            export_formats.write_book([(one.title, one.names, one.rows) for one in sheets], file)
            return len(sheets[1].rows)
        table = self.table(scope, by, choice)
        if format == "csv":
            file.write(export_formats.csv_of(table.names, table.rows))
        else:
            file.write(export_formats.json_of(table.names, table.rows))
        return len(table.rows)

    # --- the nightly ones ---

    def newest(self) -> date | None:
        """The day of the newest nightly report that is whole: both of its files are there."""
        days = [found[1] for found in self._files()]
        return max((day for day in days if days.count(day) == 2), default=None)

    def nightly(self, now: datetime) -> list[Path]:
        """Write the report of this day (UTC), both files, and remove those that are too old; answers what was written.

        Each file appears whole or not at all. Raises OSError with the reason.
        """
        keep = self._keep_days()
        if keep <= 0:
            return []
        day = now.astimezone(UTC).date()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        written = [self._put(day, format) for format in ("xlsx", "csv")]
        for path, made in self._files():
            if made <= day - timedelta(days=keep):
                path.unlink(missing_ok=True)
        return written

    def _put(self, day: date, format: Literal["xlsx", "csv"]) -> Path:
        target = self.folder / f"compliance-{day.isoformat()}.{format}"
        handle, name = tempfile.mkstemp(dir=self.folder, prefix=".compliance-")
        try:
            with os.fdopen(handle, "wb") as file:
                self.write(Scope(), "rows", Choice(), format, file)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return target

    def _files(self) -> list[tuple[Path, date]]:
        """(path, day) of the nightly files; anything else in the folder is somebody's own."""
        if not self.folder.is_dir():
            return []
        return [(path, day) for path in sorted(self.folder.iterdir()) if (day := _day_of(path.name)) is not None]


def _day_of(name: str) -> date | None:
    """The day of a nightly report by its file's name; None for any other file."""
    found = NAME.fullmatch(name)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def _of_rows(items: Iterable[Item]) -> Table:
    return Table("Volumes", _VOLUME, [[item.get(name) for name in _VOLUME] for item in items])


def _of_groups(by: By, items: Iterable[Item]) -> Table:
    names = _NAMES[by]
    heads = [*names, *_COUNTS, *(f"volumes_{name}" for name in _COUNTS)]
    rows = [
        [*(item.get(name) for name in names), *(item["rows"][name] for name in _COUNTS),
         *(item["volumes"][name] for name in _COUNTS)]
        for item in items
    ]  # fmt: skip
    return Table({"tenant": "Tenants", "domain": "Domains", "policy": "Policies"}[by], heads, rows)


def _summary(head: Item) -> Table:
    counts = head["summary"]
    rows: list[list[Any]] = [
        ["made at", times.text(head["timestamp"]), None],
        ["judged by", head["policy"], None],
        ["", "policies on volumes", "volumes"],
    ]
    rows += [[name, counts["rows"][name], counts["volumes"][name]] for name in _COUNTS]
    rows += [["volumes without a policy", None, counts["ungoverned"]],
             ["snapshots by hand or other tools", counts["manual_snapshots"], None]]  # fmt: skip
    return Table("Summary", ("what", "value", "volumes"), rows)
