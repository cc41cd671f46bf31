"""What happened: lines that the console said in this session, collections and jobs of late, the newest first."""

from __future__ import annotations

from typing import Any

from tui.faults import is_expected, is_offline
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.state import KINDS, View
from tui.table.cells import clean
from tui.table.format import moment_of
from tui.table.layout import Head
from tui.table.spec import Row, RowSource

MOST_JOBS = 50


class ActivityPane(Pane):
    """Times, what it was, what was said. `enter` opens a collection or a job."""

    topics = frozenset({"collection", "jobs"})
    noun = "line"

    def make_source(self) -> RowSource:
        """Lines as rows."""
        return FetchedSource(("at", "kind", "state", "text"), self._rows)

    async def _rows(self) -> Rows:
        rows: Rows = [
            (("said", str(number)), [at, "said", "", text]) for number, (at, text) in enumerate(self.world.said)
        ]
        if self.world.offline_since is None:
            rows += [_collection_row(item) for item in await self._items("/q/collections")]
            rows += [_job_row(item) for item in await self._items(f"/q/jobs?page_size={MOST_JOBS}")]
        rows.sort(key=lambda row: _instant(row[1][0]), reverse=True)
        return rows

    async def _items(self, path: str) -> list[dict[str, Any]]:
        """What the engine knows; nothing where it doesn't tell this person, or not now."""
        try:
            answer = await self.world.get(path)
        except Exception as error:
            if not is_expected(error) or is_offline(error):
                raise
            return []
        return [item for item in answer.get("items") or () if isinstance(item, dict)]

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Age first."""
        return [
            Head("at", "AGO", "time", 5, 0),
            Head("kind", "WHAT", "text", 10, 1),
            Head("state", "STATE", "status", 9, 2, levels={"done": "ok", "cancelled": "idle", "waiting": "warn"}),
            Head("text", "", "text", 60, 3),
        ]

    @property
    def faults(self) -> tuple[str, ...]:
        """States of what went wrong."""
        return ("failed", "partial", "error")

    def title(self) -> str:
        """What it is."""
        return "activity"

    def empty(self) -> str:
        """Nothing yet."""
        return self.filtered() or "nothing happened since the console was opened"

    def enter(self, row: Row) -> View | None:
        """The collection, the job."""
        if row.key[0] == "collection":
            return View("collections")
        return View("job", subject=(row.key[1],)) if row.key[0] == "job" and "job" in KINDS else None

    def strip(self, row: Row) -> list[Parts]:
        """The whole line, with its time."""
        moment = moment_of(str(row.values[0] or ""))
        when = f"{moment.astimezone():%a %H:%M:%S}  " if moment else ""
        last: Parts = [("enter opens it", "muted")] if self.enter(row) else []
        return [[(when, "muted"), (clean(row.values[3] or ""), "text")], last]


def _collection_row(item: dict[str, Any]) -> tuple[tuple[str, ...], list[Any]]:
    types = [part for part in item.get("types") or () if isinstance(part, dict)]
    sums = {name: sum(part.get(name) or 0 for part in types) for name in ("rows", "new", "changed", "gone")}
    words = f"{clean(item.get('cloud') or '')}: {sums['rows']:,} rows of {len(types)} types"
    words += "".join(f", {sums[name]:,} {name}" for name in ("new", "changed", "gone") if sums[name])
    if item.get("error"):
        words += f"; {clean(item['error'])}"
    at = item.get("ended_at") or item.get("started_at")
    return ("collection", str(item.get("id"))), [at, "collection", item.get("state"), words]


def _job_row(item: dict[str, Any]) -> tuple[tuple[str, ...], list[Any]]:
    words = f"{item.get('number')} {clean(item.get('title') or '')}, by {clean(item.get('by') or '')}"
    words += f": {item.get('done') or 0} of {item.get('total') or 0} done"
    if item.get("failed"):
        words += f", {item['failed']} failed"
    at = item.get("ended_at") or item.get("started_at") or item.get("created_at")
    return ("job", str(item.get("id"))), [at, "job", item.get("state"), words]


def _instant(at: Any) -> float:
    moment = moment_of(str(at or ""))
    return moment.timestamp() if moment else 0.0
