"""One restore: its steps with their times as they go, what it made, what to do; leaving the view never stops it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from store.types import registry
from tui import restore
from tui.panes.jobs import length, subject_of, took
from tui.panes.notes import note_rows
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.panes.restores import about, as_job, problem_of
from tui.state import View
from tui.table.cells import clean
from tui.table.format import moment_of
from tui.table.layout import Head
from tui.table.paint import SECTION
from tui.table.spec import Row, RowSource

COLUMNS = ("step", "state", "took", "detail", "id")
BLANK = (" ", " ", " ", " ")  # of headings, in place of nothing, which a list would show as "-"
MOST_LISTED = 1000
BAR = 10  # cells of the bar of what a step usually takes


class RestoreJobPane(Pane):
    """Steps, then what is put back, then what was made. The list and this page come from the engine: any session that
    opens them sees the same.
    """

    places = ("restore",)
    topics = frozenset({"restore", "jobs", "notes"})
    noun = "step"
    footer_now = True
    rows: FetchedSource

    def __init__(self, view: View, world: Any) -> None:
        self.job: dict[str, Any] = {}
        self._notes: Rows = []
        super().__init__(view, world)

    def make_source(self) -> RowSource:
        """Steps as rows."""
        self.rows = FetchedSource(COLUMNS, self._fetch)
        return self.rows

    async def _fetch(self) -> Rows:
        if not self.view.subject:
            return []
        id = await self._id(self.view.subject[0])
        answer = await self.world.get(restore.path_of(restore.JOBS, id))
        self.job = dict(answer) if isinstance(answer, Mapping) else {}
        self._notes = await note_rows(self.world, "job", "restore", (str(self.job.get("id")),))
        return self._rows()

    async def _id(self, text: str) -> str:
        """The id of a restore; people and problems call it by its number."""
        if not (text.isascii() and text.isdigit()):
            return text
        found = restore.items_of(await self.world.get(restore.JOBS, {"limit": MOST_LISTED}))
        return next((str(one.get("id")) for one in found if str(one.get("number")) == text), text)

    def _rows(self) -> Rows:
        now = datetime.now(UTC)
        rows: Rows = [(key, [values[0], None, None, values[1], None]) for key, values in self._notes]
        steps = restore.steps_of(self.job)
        rows += [self._step(n, step, now) for n, step in enumerate(steps) if step.get("phase") != "undo"]
        undo = [(n, step) for n, step in enumerate(steps) if step.get("phase") == "undo"]
        if any(step.get("status") not in ("PENDING", "SKIPPED", None) for _, step in undo):
            rows.append(((SECTION, "undo"), ["put back", *BLANK]))
            rows += [self._step(n, step, now) for n, step in undo]
        made = [one for one in self.job.get("resources") or () if isinstance(one, Mapping)]
        if made:
            rows.append(((SECTION, "made"), ["made by it", *BLANK]))
        for number, one in enumerate(made):
            name = clean(one.get("name") or one.get("id") or "")
            words = f"{clean(one.get('type') or '')} {name}".strip()
            state = {"made": "in use", "handed_over": "handed over"}.get(str(one.get("state")), one.get("state"))
            rows.append((("made", str(number)), [words, None, None, clean(state or ""), one.get("id")]))
        return rows

    def _step(self, number: int, step: Mapping[str, Any], now: datetime) -> tuple[tuple[str, str], list[Any]]:
        status = clean(step.get("status") or "").lower()
        told = clean(step.get("progress") or "") if status == "running" else ""
        words = told or restore.told(step.get("detail"))
        if status == "running":
            words = " · ".join(part for part in (self._usual(step, now), words) if part)
        attempt = restore.whole(step.get("attempt")) or 0
        if attempt > 1:
            words = f"{words} (attempt {attempt})".strip()
        return ("step", str(number)), [step.get("name"), status, took(step, now), words, step.get("created")]

    def _usual(self, step: Mapping[str, Any], now: datetime) -> str:
        """███████░░░ of usually 2m10s; "" where nobody knows how long it takes."""
        usual = restore.whole(step.get("usual_seconds"))
        began = moment_of(str(step.get("started_at") or ""))
        if not usual or began is None:
            return ""
        full = max(0, min(BAR, int(BAR * (now - began).total_seconds() / usual)))
        return f"{'█' * full}{'░' * (BAR - full)} usual {length(float(usual))}"

    def tick(self) -> bool:
        """A second went by: what runs has run longer."""
        if str(self.job.get("status") or "").upper() not in restore.OPEN or self.rows.stale:
            return False
        self.rows.replace(self._rows())
        return True

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """What, how, how long, and what is told of it."""
        return [
            Head("step", "STEP", "name", 27, 0),
            Head("state", "STATE", "status", 11, 1, levels=restore.STEP_LEVELS),
            Head("took", "TOOK", "text", 6, 2),
            Head("detail", "WHAT HAPPENED", "text", 60, 3),
            Head("id", "MADE", "id", 36, 4, False),
        ]

    def title(self) -> str:
        """Number, way, machine, state."""
        if not self.job:
            return "restore"
        number = f"restore {self.job['number']}" if self.job.get("number") else "restore"
        return f"{number}  {restore.way_of(self.job)} {restore.machine_of(self.job)}  {restore.status_of(self.job)}"

    def empty(self) -> str:
        """Reading, or nothing passes."""
        if not self.view.subject:
            return "there is no such restore"
        return "no step matches this filter\nesc clears it" if self.view.filter else "reading the restore …"

    def enter(self, row: Row) -> View | None:
        """What a step made, or one of the things made."""
        if row.key[0] == "made":
            made = [one for one in self.job.get("resources") or () if isinstance(one, Mapping)]
            one = made[int(row.key[1])] if int(row.key[1]) < len(made) else {}
            return self._resource(str(one.get("type") or ""), str(one.get("id") or ""))
        if row.key[0] != "step" or not row.values[4]:
            return None
        id = str(row.values[4])
        made = [one for one in self.job.get("resources") or () if isinstance(one, Mapping) and one.get("id") == id]
        return self._resource(str(made[0].get("type") or ""), id) if made else None

    def _resource(self, type: str, id: str) -> View | None:
        if type not in registry.ALL or not id:
            return None
        key = (str(self.job.get("cloud") or ""), str(self.job.get("region") or ""), id)
        return View("detail", type, subject=key)

    def restore_here(self, row: Row | None) -> dict[str, Any] | None:
        """The job, wherever the cursor is."""
        return self.job or None

    def note_subject(self, row: Row | None) -> dict[str, Any] | None:
        """A note here is on the job."""
        return subject_of(as_job(self.job)) if self.job else None

    def why_not(self, id: str, row: Row | None) -> str:
        """Why a key can't be used now."""
        if id == "restore_log" and self.job and restore.server_of(self.job) is None:
            return "" if restore.old_server_of(self.job) else "it has made no machine yet"
        return restore.why_not(id, self.job or None)

    def strip(self, row: Row) -> list[Parts]:
        """The whole of it: how it is, the old machine, what to do next; the words of a long line in full."""
        if not self.job:
            return []
        lines = about(self.job, self.world.keymap.shown)
        old = restore.told(self.job.get("old_machine"))
        if old and (self.job.get("asks") or problem_of(self.job)):
            lines[2] = [*lines[2], ("  " * bool(lines[2][0][0]) + old, "text")]
        detail = clean(row.values[3] or "") if row.key[0] in ("step", "made") else ""
        open_now = str(self.job.get("status") or "").upper() in restore.OPEN
        if len(detail) > max(10, self.world.cells - 50) and open_now and not self.job.get("asks"):
            lines[2] = [(detail, "muted")]  # what its keys do says the footer
        return lines
