"""Marks of shifts, and the one page that is handed over at the end of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import insert, select

from engine.access.models import Caller
from engine.api.errors import ApiError, BadRequest
from engine.audit.service import AuditService
from engine.shift.models import Section
from store import times
from store.estate.errors import EstateError
from store.ids import uuid7
from store.ops.errors import OpsError
from store.ops.ops import Ops
from store.ops.shift_tables import shift_marks

USUAL = timedelta(hours=12)  # what a page without a mark looks back
LONGEST = timedelta(days=31)
MOST_ROWS = 200  # of one section: it is one page for people
_RECENT = 20
_log = structlog.get_logger("qdeck.shift")


class ShiftService:
    """Where each person's shift began."""

    def __init__(self, ops: Ops, audit: AuditService, *, clock: Callable[[], datetime] = times.utcnow) -> None:
        self._ops = ops
        self._audit = audit
        self.clock = clock

    def start(self, caller: Caller, note: str = "") -> dict[str, Any]:
        """Set the caller's mark to now and return it."""
        try:
            note.encode()
        except UnicodeEncodeError:
            raise BadRequest("Invalid parameter: note holds half a character (a lone surrogate)") from None
        row = {
            "id": uuid7(),
            "owner": caller.owner,
            "name": caller.name[:255],
            "at": self.clock(),
            "note": note.strip(),
        }
        with self._ops.begin() as connection:
            connection.execute(insert(shift_marks).values(row))
            self._audit.record(caller, "shift.start", caller.name, {"note": row["note"]}, connection=connection)
        return _mark(row, caller)

    def mark(self, caller: Caller) -> dict[str, Any] | None:
        """The caller's newest mark."""
        own = select(shift_marks).where(shift_marks.c.owner == caller.owner)
        with self._ops.read() as connection:
            row = connection.execute(own.order_by(shift_marks.c.at.desc()).limit(1)).mappings().one_or_none()
        return None if row is None else _mark(dict(row), caller)

    def recent(self, caller: Caller) -> list[dict[str, Any]]:
        """The newest marks of everybody; of a limited caller his own ones."""
        found = select(shift_marks).order_by(shift_marks.c.at.desc()).limit(_RECENT)
        if caller.limited:
            found = found.where(shift_marks.c.owner == caller.owner)
        with self._ops.read() as connection:
            return [_mark(dict(row), caller) for row in connection.execute(found).mappings()]


class HandoverService:
    """The page, made of the sections that rooms registered."""

    def __init__(self, shifts: ShiftService) -> None:
        self._shifts = shifts
        self._sections: dict[str, Section] = {}

    def register(self, section: Section) -> None:
        """Add a section. Raises ValueError for a name that is taken."""
        if section.name in self._sections:
            raise ValueError(f"the hand-over has a section {section.name} already")
        self._sections[section.name] = section

    def page(self, caller: Caller, since: datetime | None = None, until: datetime | None = None) -> dict[str, Any]:
        """The page from `since` (the caller's mark, or 12 hours ago) to `until` (now). Raises BadRequest."""
        now = self._shifts.clock()
        end = until or now
        mark = self._shifts.mark(caller)
        # A mark of long ago is a forgotten one: a page over weeks tells nobody what happened tonight.
        if mark is not None and not (end - LONGEST <= mark["at"] < end and since in (None, mark["at"])):
            mark = None
        begin = since or (mark["at"] if mark else end - USUAL)
        if begin >= end:
            raise BadRequest("Invalid parameter: since must be before until")
        if begin < end - LONGEST:
            raise BadRequest(f"Invalid parameter: since: a hand-over looks {LONGEST.days} days back at most")
        ordered = sorted(self._sections.values(), key=lambda section: section.place)
        return {
            "since": begin,
            "until": end,
            "by": caller.name,
            "mark": mark,
            "sections": [_made(section, caller, begin, end) for section in ordered],
        }


def _made(section: Section, caller: Caller, since: datetime, until: datetime) -> dict[str, Any]:
    """One section. One that cannot be made says why: the rest of the page is worth having at 6 a.m."""
    rows: list[dict[str, Any]] = []
    total, problem = 0, None
    try:
        found = section.provider(caller, since, until)
        rows = [dict(row) for row in found.rows[:MOST_ROWS]]
        total = len(found.rows) if found.total is None else found.total
    except (ApiError, OpsError, EstateError) as error:
        problem = str(error)
    except Exception:
        _log.exception("a section of the hand-over failed", section=section.name)
        problem = "this section could not be made; the engine's log says why"
    return {
        "name": section.name,
        "title": section.title,
        "columns": [{"name": name, "title": title} for name, title in section.columns],
        "rows": rows,
        "total": total,
        "none": section.none,
        "problem": problem,
    }


def _mark(row: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    return {
        "id": row["id"],
        "by": row["name"],
        "at": row["at"],
        "note": row["note"],
        "mine": row["owner"] == caller.owner,
    }
