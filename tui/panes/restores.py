"""Restores: what runs, what ran, what is planned; a line says what each one waits for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tui import restore
from tui.panes.jobs import subject_of, took
from tui.panes.pane import Parts, Rows
from tui.panes.told import AskedPane, local
from tui.state import View
from tui.table.cells import clean, cut_middle
from tui.table.format import GLYPHS, moment_of
from tui.table.layout import Head
from tui.table.spec import Key, Row
from tui.times import age

MOST = 500
COLUMNS = ("number", "status", "way", "machine", "step", "at", "took", "by", "project", "cloud", "ticket")


class RestoresPane(AskedPane):
    """The newest first; `enter` opens one, a plan that was not carried out in its review."""

    places = ("list", "restores")
    topics = frozenset({"restore", "jobs"})
    noun = "restore"
    columns = COLUMNS
    fields = (*COLUMNS, "region", "reason", "id")
    items: dict[Key, dict[str, Any]]
    footer_now = True

    async def ask(self, filter: str) -> Rows:
        """Read them."""
        answer = await self.world.get(restore.JOBS, {"limit": MOST})
        self.items = {(str(job.get("id")),): job for job in restore.items_of(answer)}
        self.records.clear()
        now = datetime.now(UTC)
        rows: Rows = []
        for key, job in self.items.items():
            shown = values_of(job, now)
            self.records[key] = shown | {name: job.get(name) for name in ("region", "reason", "id")}
            rows.append((key, [shown[name] for name in COLUMNS]))
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Number, state, way and machine first."""
        several = self.world.several_clouds
        return [
            Head("number", "JOB", "number", 5, 0),
            Head("status", "STATUS", "status", 13, 1, levels=restore.JOB_LEVELS),
            Head("way", "WAY", "text", 11, 2),
            Head("machine", "MACHINE", "name", 16, 3),
            Head("step", "STEP", "name", 20, 4),
            Head("at", "AGE", "time", 4, 5),
            Head("took", "TOOK", "text", 6, 6),
            Head("by", "WHO", "name", 8, 7),
            Head("project", "PROJECT", "name", 12, 8),
            Head("cloud", "CLOUD", "name", 10, 9, several, not several),
            Head("ticket", "TICKET", "text", 10, 10, False),
        ]

    def title(self) -> str:
        """What they are."""
        return "restores"

    def empty(self) -> str:
        """None yet, and where they come from."""
        if self.view.filter:
            return self.filtered()
        if self.asked.stale:
            return "reading the restores …"
        return f"no restore yet\n{self.world.keymap.shown('restore')} on a machine looks at it and plans one"

    def enter(self, row: Row) -> View | None:
        """The job, step by step. Plans are opened by the console: they have a page, not a view."""
        job = self.restore_here(row)
        return None if job is None or is_plan(job) else View("restore", subject=row.key)

    def restore_here(self, row: Row | None) -> dict[str, Any] | None:
        """The job under the cursor."""
        return None if row is None else getattr(self, "items", {}).get(row.key)

    def note_subject(self, row: Row | None) -> dict[str, Any] | None:
        """What a note here would be about."""
        job = self.restore_here(row)
        return None if job is None or is_plan(job) else subject_of(as_job(job))

    def why_not(self, id: str, row: Row | None) -> str:
        """Why a key of jobs can't be used on this one."""
        return restore.why_not(id, self.restore_here(row))

    def strip(self, row: Row) -> list[Parts]:
        """How it is, what the old machine is in, what to do."""
        job = self.restore_here(row)
        return [] if job is None else about(job, self.world.keymap.shown)


def is_plan(job: dict[str, Any]) -> bool:
    """Whether it was planned only."""
    return str(job.get("status") or "").upper() in ("PLANNED", "EXPIRED")


def as_job(job: dict[str, Any]) -> dict[str, Any]:
    """A restore in the words of jobs, for notes."""
    title = f"restore of {restore.machine_of(job)}"
    return {"kind": "restore", "id": job.get("id"), "number": job.get("number"), "title": title}


def values_of(job: dict[str, Any], now: datetime) -> dict[str, Any]:
    """A row's values by column."""
    return {
        "number": job.get("number"), "status": restore.status_of(job), "way": restore.way_of(job),
        "machine": restore.machine_of(job), "step": restore.current_step(job),
        "at": job.get("created_at"), "took": ran(job, now), "by": by_whom(job),
        "project": job.get("project_name") or job.get("project_id"), "cloud": job.get("cloud"),
        "ticket": job.get("ticket") or "",
    }  # fmt: skip


def by_whom(job: dict[str, Any]) -> str:
    """Who carried it out; of a plan who made it."""
    return str(job.get("by") or job.get("executed_by") or job.get("created_by") or "")


def ran(job: dict[str, Any], now: datetime) -> str:
    """How long it ran, or runs already."""
    return took({**job, "ended_at": job.get("ended_at") or job.get("finished_at")}, now)


def problem_of(job: dict[str, Any]) -> str:
    """Why it failed."""
    return restore.told(job.get("error_message"))


def about(job: dict[str, Any], keys: Any) -> list[Parts]:
    """A restore in three lines: how it is, what it is about or asks, what to do next."""
    status = restore.status_of(job)
    word = restore.JOB_LEVELS.get(status, "none")
    first: Parts = [(f"{GLYPHS[word]} {status}  ", word)]
    first.append((f"{restore.way_of(job)} {cut_middle(restore.machine_of(job), 22)}", "strong"))
    first.append((f"  by {clean(by_whom(job) or '?')}", "muted"))
    now, began = datetime.now(UTC), moment_of(str(job.get("started_at") or job.get("created_at") or ""))
    if began is not None:
        old = "" if job.get("status") in restore.OPEN else f" ({age((now - began).total_seconds())} ago)"
        first.append((f" · started {began.astimezone():%H:%M}{old}", "muted"))
    if length := ran(job, now):
        first.append((f" · {length}", "muted"))
    if is_plan(job):
        until = f", until {local(job['expires_at'])}" if job.get("expires_at") else ""
        opens: Parts = [("enter", "key"), (" opens it  ", "muted")]
        if restore.status_of(job) == "planned":
            opens += [(keys("restore_cancel"), "key"), (" gives it up", "muted")]
        return [first, [("a plan that nobody carried out", "text"), (until, "muted")], opens]
    second: Parts = []
    if job.get("asks"):
        second = [(restore.told(job["asks"]), "warn")]
    elif problem := problem_of(job):
        second = [(problem, "bad" if word == "bad" else "text")]
    elif job.get("old_machine"):
        second = [(restore.told(job["old_machine"]), "text")]
    elif job.get("detail"):
        second = [(restore.told(job["detail"]), "text")]
    return [first, second, [(restore.next_words(job, keys), "muted")]]
