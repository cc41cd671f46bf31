"""Runs of snapshot policies, and one of them: its batches, what quota blocked, what was done with every volume."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tui.charts.bars import bar, number
from tui.faults import is_expected
from tui.panes.jobs import took
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.panes.told import AskedPane, local, with_rest
from tui.snapshots import (
    PIPELINE,
    RECORD_LEVELS,
    RUN,
    RUN_LEVELS,
    RUNS,
    STEP_WORDS,
    block_words,
    items_of,
    policies_of,
    run_words,
    status_word,
    unread,
    unread_words,
    when_words,
)
from tui.state import View
from tui.table.cells import clean
from tui.table.format import GLYPHS
from tui.table.layout import Head
from tui.table.paint import SECTION
from tui.table.spec import Key, Row, RowSource

MOST = 200
MOST_RECORDS = 1000
COLUMNS = ("run", "status", "policies", "done", "what", "at", "took", "trigger", "cloud", "by")
OPEN = ("pending", "running")
EVERY = "every policy"
ACTION_WORDS = {"created": "made", "deleted": "removed"}  # others are said by the status
BLANK = (" ", " ", " ", " ", " ")  # of headings, in place of nothing, which a list would show as "-"


class RunsPane(AskedPane):
    """The newest first; `enter` opens one."""

    places = ("list", "room", "runs")
    topics = frozenset({"snapshots", "jobs"})
    noun = "run"
    columns = COLUMNS
    fields = (*COLUMNS, "region")
    items: dict[Key, dict[str, Any]]
    rest = ""  # what is left out, in words
    pipeline: Mapping[str, Any] = {}

    async def ask(self, filter: str) -> Rows:
        """Read them."""
        answer = await self.world.get(RUNS, {"limit": MOST})
        self.rest = unread_words(unread(answer), "older")
        now = datetime.now(UTC)
        self.records.clear()
        self.items = {(str(item.get("id")),): item for item in items_of(answer)}
        self.pipeline = await self._pipeline()
        rows: Rows = []
        for step in self.pipeline.get("steps") or ():
            shown = step_values(step)
            self.records[PIPELINE, str(step.get("key"))] = shown
            rows.append(((PIPELINE, str(step.get("key"))), [shown.get(name) for name in COLUMNS]))
        for key, item in self.items.items():
            shown = run_values(item, now)
            self.records[key] = {**shown, "status": str(item.get("status")), "region": item.get("region")}
            rows.append((key, [shown[name] for name in COLUMNS]))
        return rows

    async def _pipeline(self) -> dict[str, Any]:
        """The pipeline on demand while it goes: its steps stand above the runs; {} when none does."""
        try:
            answer = await self.world.get(PIPELINE)
        except Exception as error:
            if not is_expected(error):
                raise
            return {}  # a role that may not see it
        return answer if isinstance(answer, dict) and answer.get("status") in OPEN else {}

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Number and status first, then what came of it."""
        several = self.world.several_clouds
        return [
            Head("run", "RUN", "number", 5, 0),
            Head("status", "STATUS", "status", 12, 1, levels=RUN_LEVELS | {"dry run done": "idle"}),
            Head("policies", "POLICIES", "name", 14, 2),
            Head("done", "DONE", "text", 5, 3),
            Head("what", "WHAT CAME OF IT", "text", 34, 4),
            Head("at", "AGE", "time", 4, 5),
            Head("took", "TOOK", "text", 6, 6),
            Head("trigger", "BY", "text", 9, 7, False),
            Head("cloud", "CLOUD", "name", 10, 8, several, not several),
            Head("by", "WHO", "name", 9, 9, False),
        ]

    def title(self) -> str:
        """What they are."""
        return "snapshot runs"

    def empty(self) -> str:
        """None yet, and where they come from."""
        if self.view.filter:
            return self.filtered() + (f"\n{self.rest}, nor looked through" if self.rest else "")
        if self.asked.stale:
            return "reading the runs …"
        return f"no run yet\nthey begin when a policy is due; {self.world.keymap.shown('run_policies')} begins one now"

    def enter(self, row: Row) -> View | None:
        """One run; the step of the pipeline that makes points is a run of its own in each cloud."""
        return View("run", subject=row.key) if row.key in self.items else None

    def run_here(self, row: Row | None) -> dict[str, Any] | None:
        """The run under the cursor."""
        return None if row is None else getattr(self, "items", {}).get(row.key)

    def strip(self, row: Row) -> list[Parts]:
        """How it is, and what can be asked of it."""
        item = self.run_here(row)
        if item is None:
            return self._pipeline_about(row)
        first, second, third = run_about(item)
        return [first, second, with_rest(third, self.rest)]

    def _pipeline_about(self, row: Row) -> list[Parts]:
        by = clean(self.pipeline.get("triggered_by") or "")
        first: Parts = [("the pipeline on demand", "strong"), (f"  begun by {by}" if by else "", "muted")]
        return [first, [(clean(row.values[COLUMNS.index("what")] or ""), "text")]]


class RunPane(Pane):
    """One run, live: batches, blocked volumes, then records."""

    places = ("list", "room", "runs")
    topics = frozenset({"snapshots", "jobs"})
    noun = "line"
    columns = ("what", "status", "project", "policy", "detail", "point")

    def make_source(self) -> RowSource:
        """Three parts as rows."""
        self.item: dict[str, Any] = {}
        self.rest = ""
        self.keys: dict[Key, tuple[str, str, str]] = {}
        return FetchedSource(self.columns, self._rows)

    @property
    def id(self) -> str:
        """Of the run; "" when the view names none."""
        found = (self.view.subject or ("",))[0]
        return found if found.isalnum() else ""

    async def _rows(self) -> Rows:
        if not self.id:
            return []
        progress = await self.world.get(f"/snapshot/runs/{self.id}/progress")
        self.item = dict(progress.get("run") or {})
        records = await self._records()
        self.keys = {}
        rows = batch_rows(progress.get("batches") or ())
        blocks = progress.get("quota_blocks") or ()
        if blocks:
            rows.append(((SECTION, "blocked"), ["blocked by quota", *BLANK]))
        for item in blocks:
            rows.append(self._line("blocked", item, "quota_blocked", block_words(item)))
        records = sorted((one for one in records if one.get("action") != "quota_blocked"), key=_worst_first)
        if records:
            rows.append(((SECTION, "records"), ["what was done", *BLANK]))
        for item in records:
            words = f"{ACTION_WORDS.get(str(item.get('action')), '')} {clean(item.get('detail') or '')}".strip()
            rows.append(self._line("record", item, str(item.get("status") or ""), words))
        return rows

    async def _records(self) -> list[dict[str, Any]]:
        """The first page of them; of a longer list what failed as well, wherever it stands."""
        path, size = f"{RUN}/{self.id}/records", {"page_size": MOST_RECORDS}
        told = await self.world.get(path, size)
        records, more = items_of(told), unread(told)
        if more:
            known = {one.get("id") for one in records}
            failed = items_of(await self.world.get(path, {**size, "status": "ERROR"}))
            records += (added := [one for one in failed if one.get("id") not in known])
            more -= len(added)
        self.rest = unread_words(more, "more")
        return records

    def _line(self, part: str, item: Mapping[str, Any], status: str, words: str) -> tuple[Key, list[Any]]:
        key = (part, *(str(item.get(name) or "") for name in ("volume_id", "policy", "action", "id")))
        self.keys[key] = tuple(
            str(item.get(name) or self.item.get(name) or "") for name in ("cloud", "region", "volume_id")
        )  # type: ignore[assignment]
        name = item.get("volume_name") or item.get("server_name") or item.get("volume_id")
        project = item.get("tenant_name") or item.get("project_name")
        return key, [name, status_word(status).lower(), project, item.get("policy"), words, item.get("snapshot_name")]

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """What, how, whose."""
        levels = {status_word(name): level for name, level in {**RUN_LEVELS, **RECORD_LEVELS}.items()}
        return [
            Head("what", "VOLUME, OR BATCH", "name", 24, 0),
            Head("status", "STATUS", "status", 13, 1, levels=levels),
            Head("project", "PROJECT", "name", 12, 2),
            Head("policy", "POLICY", "name", 10, 3),
            Head("detail", "WHAT HAPPENED", "text", 60, 4),
            Head("point", "SNAPSHOT", "name", 30, 5, False),
        ]

    def title(self) -> str:
        """Which, and how far."""
        if not self.item:
            return "snapshot run"
        return f"run {self.item.get('id')} {status_word(self.item.get('status'))} {percent_of(self.item)}"

    def empty(self) -> str:
        """Reading, or nothing was to be done."""
        if self.view.filter:
            return self.filtered()
        if not self.id:
            return "there is no such run"
        if isinstance(self.source, FetchedSource) and self.source.stale:
            return "reading the run …"
        return f"nothing was to be made: {clean(self.item.get('detail') or run_words(self.item))}"

    def enter(self, row: Row) -> View | None:
        """The volume's restore points."""
        key = self.keys.get(row.key)
        return View("points", "volume", subject=key) if key is not None and all((key[0], key[2])) else None

    def run_here(self, row: Row | None) -> dict[str, Any] | None:
        """The run, wherever the cursor is."""
        return self.item or None

    def strip(self, row: Row) -> list[Parts]:
        """The whole run; under it the words of the line in full."""
        if not self.item:
            return []
        about = run_about(self.item)
        detail = "" if row.key[0] in ("batch", SECTION) else clean(row.values[4] or "")
        return [*about[:2], with_rest([(detail, "text")] if detail else about[2], self.rest)]


def _worst_first(item: Mapping[str, Any]) -> int:
    order = ("ERROR", "SKIPPED", "DRY_RUN", "OK")
    status = str(item.get("status"))
    return order.index(status) if status in order else len(order)


def batch_rows(batches: Any) -> Rows:
    """Batches: which projects, how many restore points (the API says total_volumes), how far."""
    rows: Rows = []
    for batch in batches:
        names = clean(", ".join(map(str, batch.get("tenant_names") or ())))
        total = int(batch.get("total_volumes") or 0)
        parts = [
            (batch.get(name), word)
            for name, word in (("completed", "made"), ("skipped", "skipped"), ("failed", "failed"))
        ]
        words = ", ".join(f"{count:,} {word}" for count, word in parts if isinstance(count, int) and count)
        values = [f"batch {batch.get('batch_number')}", status_word(batch.get("status")), names, "",
                  f"{total:,} points{': ' + words if words else ''}", ""]  # fmt: skip
        rows.append((("batch", str(batch.get("batch_number"))), values))
    return rows


def percent_of(item: Mapping[str, Any]) -> str:
    """65%; "" of one that has ended."""
    value = item.get("progress_pct")
    return number(value) if item.get("status") in OPEN and isinstance(value, int | float) else ""


def run_values(item: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """A row's values by column."""
    times = {"started_at": item.get("started_at"), "ended_at": item.get("finished_at")}
    return {
        "run": item.get("id"), "status": status_word(item.get("status")), "policies": policies_of(item) or EVERY,
        "done": percent_of(item), "what": clean(item.get("detail") or "") or run_words(item),
        "at": item.get("started_at") or item.get("created_at"), "took": took(times, now),
        "trigger": clean(item.get("run_type") or "").replace("_", " "), "cloud": item.get("cloud"),
        "by": item.get("triggered_by"),
    }  # fmt: skip


def step_values(step: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a step of the pipeline."""
    key = str(step.get("key"))
    return {
        "status": status_word(step.get("status")), "policies": "pipeline",
        "what": ": ".join(filter(None, (STEP_WORDS.get(key, clean(step.get("label") or key)),
                                        clean(step.get("detail") or "")))),
    }  # fmt: skip


def run_about(item: Mapping[str, Any]) -> list[Parts]:
    """A run in three lines: how far, what came of it, what can be asked of it."""
    status = str(item.get("status") or "")
    word = RUN_LEVELS.get(status, "none")
    first: Parts = [(f"{GLYPHS[word]} {status_word(status)}  ", word), (policies_of(item) or EVERY, "strong")]
    if status in OPEN:
        percent = item.get("progress_pct")
        first += [("  ", "text"), (bar(percent, 10), "accent"), (f" {number(percent)}", "strong")]
        if total := item.get("total_batches"):
            first.append((f"  batch {item.get('current_batch') or 0} of {total}", "text"))
        if ends := when_words(item.get("estimated_finish_at"), datetime.now(UTC)):
            first.append((f"  done {ends}", "text"))
    else:
        first.append((f"  {local(item.get('finished_at') or item.get('started_at'))}", "muted"))
    total = int(item.get("total_volumes") or 0)
    said = clean(item.get("detail") or "") or run_words(item)
    second: Parts = [(f"{total:,} restore points: ", "muted")] if total else []
    second.append((said, "warn" if word in ("bad", "warn") else "text"))
    third: Parts = [("c", "key"), (" cancel: no further snapshot begins  ", "muted")] if status in OPEN else []
    if status in ("failed", "partial", "cancelled"):
        third = [("t", "key"), (" try what failed or was skipped again  ", "muted")]
    third += [("l", "key"), (" its job, step by step", "muted")]
    return [first, second, third]
