"""One job: its steps as they go, live; leaving the view never stops it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from store.types import registry
from store.types.actions import ACTIONS
from tui.panes.jobs import LEVELS, OPEN, can_parts, head_parts, progress, subject_of, took, why_parts
from tui.panes.notes import note_rows
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.state import View
from tui.table.cells import clean
from tui.table.layout import Head
from tui.table.spec import Row, RowSource

COLUMNS = ("step", "state", "target", "took", "detail", "request_id")
MOST_TICKED = 2000  # steps of a running job whose times are drawn anew every second


class JobPane(Pane):
    """Steps as rows; the strip says how the whole of it is."""

    places = ("job",)
    topics = frozenset({"jobs", "notes"})
    noun = "step"
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
        self.job = await self.world.get(f"/q/jobs/{quote(self.view.subject[0], safe='')}")
        self._notes = await note_rows(self.world, "job", str(self.job.get("kind") or ""), (str(self.job.get("id")),))
        return self._rows()

    def _rows(self) -> Rows:
        now = datetime.now(UTC)
        rows: Rows = [(key, [values[0], None, None, None, values[1], None]) for key, values in self._notes]
        for step in self.job.get("steps") or ():
            words = clean(step.get("detail") or "")
            attempt = int(step.get("attempt") or 0)
            if attempt > 1:
                words = f"{words} (attempt {attempt})".strip()
            values = [step.get("name"), step.get("state"), step.get("target"), took(step, now), words,
                      step.get("request_id")]  # fmt: skip
            rows.append((("step", str(step.get("seq"))), values))
        return rows

    def tick(self) -> bool:
        """A second went by: what runs has run longer."""
        steps = self.job.get("steps") or ()
        if self.job.get("state") not in OPEN or len(steps) > MOST_TICKED or self.rows.stale:
            return False
        self.rows.replace(self._rows())
        return True

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """What, how, to which machine, how long, and what the cloud said."""
        steps = self.job.get("steps") or ()
        said = all(str(step.get("target") or "") in str(step.get("name") or "") for step in steps)
        return [
            Head("step", "STEP", "name", 28, 0),
            Head("state", "STATE", "status", 9, 1, levels=LEVELS),
            Head("target", "OF", "name", 18, 2, not said, said),
            Head("took", "TOOK", "text", 6, 3),
            Head("detail", "WHAT HAPPENED", "text", 60, 4),
            Head("request_id", "REQUEST", "id", 40, 5, False),
        ]

    def title(self) -> str:
        """Number and title."""
        if not self.job:
            return "job"
        return f"job {self.job.get('number')}  {clean(self.job.get('title') or '')}  {progress(self.job)}"

    def empty(self) -> str:
        """Reading, or nothing passes."""
        return "no step matches this filter\nesc clears it" if self.view.filter else "reading the job …"

    def enter(self, row: Row) -> View | None:
        """The resource of the step; of one that made something, what it made."""
        step = next((s for s in self.job.get("steps") or () if ("step", str(s.get("seq"))) == row.key), None)
        key: list[Any] = list((step or {}).get("key") or [])
        type = self._type(step or {})
        if step and step.get("created") and type in registry.ALL:
            return View("list", type, filter=f'id:="{clean(step["created"])}"')
        if len(key) != 3 or not key[2] or type not in registry.ALL:
            return None
        return View("detail", type, subject=tuple(map(str, key)))

    def _type(self, step: dict[str, Any]) -> str:
        """The type of what a step is about: as the plan says, or by its action."""
        plan = self.job.get("plan") or {}
        for told in (step.get("type"), plan.get("type")):
            if told in registry.ALL:
                return str(told)
        action = ACTIONS.get(str(plan.get("action") or step.get("name") or ""))
        return action.type if action is not None else ""

    def job_here(self, row: Row | None) -> dict[str, Any] | None:
        """The job, wherever the cursor is."""
        return self.job or None

    def note_subject(self, row: Row | None) -> dict[str, Any] | None:
        """A note here is on the job."""
        return subject_of(self.job)

    def strip(self, row: Row) -> list[Parts]:
        """The whole job; under it the step's words in full, or what can be asked of the job."""
        if not self.job:
            return []
        detail = clean(row.values[4] or "")
        request = clean(row.values[5] or "")
        last: Parts = can_parts(self.job)
        if detail and len(detail) > max(10, self.world.cells - 60):
            last = [(detail, "text")]
        elif request:
            last = [("request ", "muted"), (request, "text"), ("   ", "text"), *last]
        return [head_parts(self.job, datetime.now(UTC)), why_parts(self.job), last]
