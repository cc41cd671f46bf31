"""The sections that the rooms below give: problems, jobs, changes, notes, write windows.

Each function takes what it asks, so that a room that is not there has no section.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from engine.access.models import Caller
from engine.audit.service import AuditService
from engine.notes.service import NoteService
from engine.shift.models import Found, Pages, Section
from store import times

MOST = 200
# Records that change no cloud: what people said and looked at, what the engine does by itself.
_QUIET = ("note.", "shift.", "view.", "collection.", "session.", "audit.", "find.", "problem.")

Listings = Callable[[Caller], Iterable[Mapping[str, Any]]]


def problems(found: Listings) -> Section:
    """What is wrong now, as GET /q/problems lists it, without what is muted or so on purpose."""

    def provide(caller: Caller, since: datetime, until: datetime) -> Found:
        names = ("severity", "title", "detail", "since", "cloud", "project_name", "machines", "type", "key", "id")
        rows = [
            {**{name: item[name] for name in names}, "who": item["owner"], "note": item["note"]}
            for item in found(caller)
            if item["muted_until"] is None and item["severity"] != "info"
        ]
        return Found(rows)

    columns = (
        ("severity", "Severity"), ("title", "What"), ("detail", "Behind it"), ("since", "Since"), ("cloud", "Cloud"),
        ("machines", "Machines"), ("who", "Who has it"), ("note", "Note"),
    )  # fmt: skip
    return Section("problems", "Open problems", columns, provide, 10, "nothing is wrong that the console can see")


def jobs(pages: Pages) -> Section:
    """Jobs that run or wait, and those that failed since the mark; jobs as GET /q/jobs answers them."""

    def provide(caller: Caller, since: datetime, until: datetime) -> Found:
        _, running = pages.page(caller, state=("queued", "running", "waiting"), limit=MOST)
        _, ended = pages.page(caller, state=("failed", "partial", "cancelled"), limit=MOST)
        late = [job for job in ended if job["ended_at"] and since <= times.parse(job["ended_at"]) <= until]
        names = ("number", "state", "title", "by", "cloud", "ticket", "done", "failed", "total", "ended_at", "id")
        return Found([{name: job.get(name) for name in names} for job in (*running, *late)])

    columns = (
        ("number", "Job"), ("state", "State"), ("title", "What"), ("by", "Who"), ("cloud", "Cloud"),
        ("ticket", "Ticket"), ("done", "Done"), ("failed", "Failed"), ("total", "Of"), ("ended_at", "Ended"),
    )  # fmt: skip
    return Section("jobs", "Running and failed jobs", columns, provide, 20, "no job runs, none failed")


def changes(audit: AuditService) -> Section:
    """What was changed since the mark, with tickets: one row for what was done, whatever records it has."""

    def provide(caller: Caller, since: datetime, until: datetime) -> Found:
        only = caller if caller.limited else None
        total, records = audit.page(since=since, until=until, only=only, limit=1000, without=_QUIET, intents=False)
        rows = [
            {
                "at": record["at"],
                "who": record["login_name"] or record["actor"],
                "action": record["action"],
                "target": record["target"],
                "ticket": record["detail"].get("ticket"),
                "reason": record["detail"].get("reason"),
                "outcome": record["outcome"],
                "cloud": record["detail"].get("cloud"),
                "seq": record["seq"],
            }
            for record in records
        ]
        return Found(rows, total)

    columns = (
        ("at", "When"), ("who", "Who"), ("action", "What"), ("target", "To what"), ("ticket", "Ticket"),
        ("reason", "Reason"), ("outcome", "Outcome"), ("seq", "Audit"),
    )  # fmt: skip
    return Section("changes", "Changes made", columns, provide, 30, "nothing was changed")


def notes_written(notes: NoteService) -> Section:
    """Notes written since the mark that still hold."""

    def provide(caller: Caller, since: datetime, until: datetime) -> Found:
        total, found = notes.page(caller, since=since, limit=MOST)
        rows = [
            {
                "at": note["created_at"],
                "who": note["created_by"],
                "about": _about(note["subject"]),
                "text": note["text"],
                "until": note["until"],
            }
            for note in found
            if note["created_at"] <= until
        ]
        return Found(rows, total - (len(found) - len(rows)))

    columns = (("at", "When"), ("who", "Who"), ("about", "About"), ("text", "Note"), ("until", "Holds until"))
    return Section("notes", "Notes", columns, provide, 40, "no notes were written")


def writes(windows: Callable[[Caller], Iterable[Mapping[str, Any]]]) -> Section:
    """Clouds whose read-only mode is lifted now, as GET /q/writes tells them."""

    def provide(caller: Caller, since: datetime, until: datetime) -> Found:
        names = ("cloud", "until", "production", "demo")
        return Found([{name: item.get(name) for name in names} for item in windows(caller) if item.get("writable")])

    columns = (("cloud", "Cloud"), ("until", "Writable until"), ("production", "Production"))
    return Section("writes", "Clouds that may be written", columns, provide, 25, "every cloud is read-only")


def kept(rows: Listings) -> Section:
    """Old machines, volumes and copies of disks that are kept after restores, as GET /q/restore/kept tells them."""

    def provide(caller: Caller, since: datetime, until: datetime) -> Found:
        names = ("name", "kind", "machine", "cloud", "project_name", "until", "at_end", "problem", "id")
        return Found([{name: item.get(name) for name in names} for item in rows(caller)])

    columns = (
        ("name", "What"), ("kind", "Kind"), ("machine", "Machine"), ("cloud", "Cloud"), ("project_name", "Project"),
        ("until", "Kept until"), ("at_end", "Then"), ("problem", "Problem"),
    )  # fmt: skip
    return Section("kept", "Kept after restores", columns, provide, 22, "nothing is kept after restores")


def _about(subject: Mapping[str, Any]) -> str:
    key = subject["key"]
    name = subject["name"] or key[-1]
    where = f" in {key[0]}" if subject["kind"] == "resource" else ""
    return f"{subject['type'] if where else subject['kind']} {name}{where}"
