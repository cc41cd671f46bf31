"""The jobs: what runs, what ran, who began it, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tui.panes.pane import Parts, Rows
from tui.panes.told import AskedPane, local
from tui.state import View
from tui.table.cells import clean
from tui.table.format import GLYPHS, moment_of
from tui.table.layout import Head
from tui.table.spec import Key, Row
from tui.times import age

OPEN = ("queued", "running", "waiting")
MOST = 1000
COLUMNS = ("number", "state", "title", "progress", "by", "at", "took", "cloud", "ticket")
# How bad the states of jobs and of their steps are.
LEVELS = {
    "queued": "none", "running": "busy", "waiting": "warn", "done": "ok", "failed": "bad", "partial": "bad",
    "cancelled": "idle", "pending": "none", "skipped": "idle",
}  # fmt: skip


class JobsPane(AskedPane):
    """All jobs, the newest first; `enter` opens one."""

    places = ("list", "jobs")
    topics = frozenset({"jobs"})
    noun = "job"
    columns = COLUMNS
    fields = (*COLUMNS, "kind", "reason", "detail")

    async def ask(self, filter: str) -> Rows:
        """Read the jobs."""
        answer = await self.world.get("/q/jobs", {"page_size": MOST})
        self.records.clear()
        self.items: dict[Key, dict[str, Any]] = {}
        rows: Rows = []
        now = datetime.now(UTC)
        for job in answer.get("items") or ():
            key = (str(job.get("id")),)
            shown = {
                "number": job.get("number"),
                "state": job.get("state"),
                "title": clean(job.get("title") or ""),
                "progress": progress(job),
                "by": job.get("by"),
                "at": job.get("created_at"),
                "took": took(job, now),
                "cloud": job.get("cloud"),
                "ticket": job.get("ticket") or "",
            }
            self.items[key] = job
            self.records[key] = shown | {name: job.get(name) for name in ("kind", "reason", "detail")}
            rows.append((key, [shown[name] for name in COLUMNS]))
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Number, state and title first."""
        several = self.world.several_clouds
        return [
            Head("number", "JOB", "number", 5, 0),
            Head("state", "STATE", "status", 11, 1, levels=LEVELS),
            Head("title", "WHAT", "name", 26, 2),
            Head("progress", "DONE", "text", 10, 3),
            Head("by", "WHO", "name", 9, 4),
            Head("at", "AGE", "time", 4, 5),
            Head("took", "TOOK", "text", 6, 6),
            Head("cloud", "CLOUD", "name", 10, 7, several, not several),
            Head("ticket", "TICKET", "text", 10, 8),
        ]

    def title(self) -> str:
        """What it is."""
        return "jobs"

    def empty(self) -> str:
        """None, and where they come from."""
        if self.view.filter:
            return "no job passes this filter\nesc clears it"
        return "reading the jobs …" if self.asked.stale else "no jobs yet\nx in a list plans what can be done"

    def enter(self, row: Row) -> View:
        """The job's steps; a restore has a view of its own."""
        restored = (self.job_here(row) or {}).get("kind") == "restore"
        return View("restore" if restored else "job", subject=row.key)

    def job_here(self, row: Row | None) -> dict[str, Any] | None:
        """The job under the cursor."""
        return None if row is None else getattr(self, "items", {}).get(row.key)

    def note_subject(self, row: Row | None) -> dict[str, Any] | None:
        """What a note here would be about."""
        return subject_of(self.job_here(row))

    def strip(self, row: Row) -> list[Parts]:
        """How it is, why it was done, and what can be asked of it."""
        job = self.job_here(row)
        return [] if job is None else [head_parts(job, datetime.now(UTC)), why_parts(job), can_parts(job)]


def subject_of(job: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A job as what a note is about."""
    if not job:
        return None
    name = f"{job.get('number')} {job.get('title') or ''}".strip()[:255]
    return {"kind": "job", "type": str(job.get("kind") or "")[:64], "key": [str(job.get("id"))], "name": name}


def progress(job: Mapping[str, Any]) -> str:
    """5/12; with failures 5/12 ✖2."""
    failed = int(job.get("failed") or 0)
    return f"{int(job.get('done') or 0):,}/{int(job.get('total') or 0):,}" + (f" ✖{failed:,}" if failed else "")


def bar(job: Mapping[str, Any], cells: int) -> str:
    """How much is through, drawn: ███████░░░."""
    total = int(job.get("total") or 0)
    through = int(job.get("done") or 0) + int(job.get("failed") or 0)
    full = 0 if total <= 0 else max(0, min(cells, cells * through // total))
    return "█" * full + "░" * (cells - full)


def took(thing: Mapping[str, Any], now: datetime) -> str:
    """How long a job or step ran, or runs already; "" when it was not begun."""
    began, ended = moment_of(str(thing.get("started_at") or "")), moment_of(str(thing.get("ended_at") or ""))
    return "" if began is None else length(((ended or now) - began).total_seconds())


def length(seconds: float) -> str:
    """0.4s, 58s, 2m11s, 3h05m."""
    seconds = max(0.0, seconds)
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m" if whole < 172_800 else f"{whole // 86_400}d"


def job_words(job: Mapping[str, Any]) -> str:
    """A job in a few words: job 118 Stop 3 servers: partial, 2 of 3 done."""
    detail = clean(job.get("detail") or "") or progress(job)
    return f"job {job.get('number')} {clean(job.get('title') or '')}: {clean(job.get('state') or '')}, {detail}"


def head_parts(job: Mapping[str, Any], now: datetime) -> Parts:
    """State and progress, who began it and when."""
    state = str(job.get("state") or "")
    word = LEVELS.get(state, "none")
    parts: Parts = [(f"{GLYPHS[word]} {clean(state)}  ", word)]
    if state in OPEN:
        parts += [(bar(job, 10), "accent"), ("  ", "text")]
    parts += [(progress(job), "strong"), ("  by ", "muted"), (clean(job.get("by") or "?"), "text")]
    began = moment_of(str(job.get("started_at") or job.get("created_at") or ""))
    if began is not None:
        old = f" ({age((now - began).total_seconds())} ago)" if state not in OPEN else ""
        parts.append((f" · started {began.astimezone():%H:%M}{old}", "muted"))
    if ran := took(job, now):
        parts.append((f" · {ran}", "muted"))
    return parts


def why_parts(job: Mapping[str, Any]) -> Parts:
    """How it ended or why it waits; reason and ticket."""
    parts: Parts = []
    if job.get("detail"):
        parts += [
            (clean(job["detail"]), "warn" if job.get("state") in ("waiting", "failed", "partial") else "text"),
            ("  ", "text"),
        ]
    for name in ("reason", "ticket"):
        if job.get(name):
            parts += [(f"{name} ", "muted"), (clean(job[name]) + "  ", "text")]
    if job.get("cancelled_by") and "cancelled by" not in str(job.get("detail") or ""):
        parts += [("cancelled by ", "muted"), (clean(job["cancelled_by"]), "text")]
    return parts


def can_parts(job: Mapping[str, Any]) -> Parts:
    """What its keys do now."""
    able = job.get("can") or ()
    parts: Parts = []
    if "cancel" in able:
        parts += [("c", "key"), (" cancel: no further step begins, what is done stays done  ", "muted")]
    elif job.get("cancel_asked") and job.get("state") in OPEN:
        parts.append(("being cancelled: what runs is finished  ", "warn"))
    if "retry" in able:
        parts += [("t", "key"), (" try what is not done again, as a new job  ", "muted")]
    if job.get("ended_at"):
        parts += [("ended ", "muted"), (local(job["ended_at"]), "muted")]
    return parts
