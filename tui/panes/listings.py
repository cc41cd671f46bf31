"""How every list of every cloud was read last: what is out of date or doubtful, why, and what to do about it."""

from __future__ import annotations

from typing import Any

from store.types import registry
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.state import View
from tui.table.cells import clean
from tui.table.layout import Head
from tui.table.spec import Row, RowSource
from tui.times import age

_WORST = ("suspect", "failed", "partial", "degraded", "not_permitted", "ok")
_TO_DO = {
    "suspect": "= decides whether the rows that vanished are gone; until then they stay",
    "failed": "what was read before stays; r reads this cloud again",
    "partial": "the rows that came are shown, none was deleted; r reads this cloud again",
    "degraded": "a part of the cloud did not answer, its rows stay; r reads this cloud again",
    "not_permitted": "this account may not list these; an account with the role can be added beside it: + on page 0",
}


class ListingsPane(Pane):
    """One row for each cloud, region and type, the doubtful ones first. `enter` opens the list."""

    places = ("list", "listings")
    topics = frozenset({"data", "collection", "engine"})
    noun = "listing"
    counted = True

    def make_source(self) -> RowSource:
        """Listings as rows."""
        return FetchedSource(("type", "state", "cloud", "region", "rows", "age", "reason"), self._rows)

    async def _rows(self) -> Rows:
        answer = await self.world.get("/q/listings")
        items = [item for item in answer.get("items") or () if isinstance(item, dict)]
        if self.view.clouds:
            items = [item for item in items if item.get("cloud") in self.view.clouds]
        order = {state: number for number, state in enumerate(_WORST)}
        items.sort(key=lambda item: order.get(str(item.get("state")), 3))
        return [_row(item) for item in items]

    @property
    def faults(self) -> tuple[str, ...]:
        """States of lists that brought nothing."""
        return ("failed", "error")

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """State first, reason last."""
        return [
            Head("type", "LIST", "name", 22, 0),
            Head("state", "STATE", "status", 13, 1),
            Head("cloud", "CLOUD", "name", 12, 2, self.world.several_clouds, not self.world.several_clouds),
            Head("region", "REGION", "name", 10, 3),
            Head("rows", "ROWS", "number", 8, 4),
            Head("age", "AGE", "number", 5, 5),
            Head("reason", "WHY", "text", 60, 6),
        ]

    def title(self) -> str:
        """What it is."""
        return "listings"

    def empty(self) -> str:
        """Nothing was read yet."""
        return self.filtered() or "no list was read yet\nr reads them all"

    def enter(self, row: Row) -> View | None:
        """The list."""
        cloud, _, type = row.key
        return View("list", type, clouds=(cloud,)) if type in registry.ALL else None

    def why_not(self, id: str, row: Row | None) -> str:
        """Only what is doubtful is decided."""
        if id == "decide" and row is not None and row.values[1] != "suspect":
            return "nothing vanished suspiciously from this list"
        return ""

    def strip(self, row: Row) -> list[Parts]:
        """Why, in full, and what to do."""
        name, state = clean(row.values[0]), str(row.values[1] or "")
        return [
            [(name, "strong"), ("  " + clean(row.values[6] or ""), "text" if state == "ok" else "warn")],
            [(_TO_DO.get(state, "enter opens it, r reads this cloud again"), "muted")],
        ]


def _row(item: dict[str, Any]) -> tuple[tuple[str, ...], list[Any]]:
    type_name, seconds = str(item.get("type") or ""), item.get("age_seconds")
    type = registry.ALL.get(type_name)
    values = [
        type.plural if type is not None else type_name, item.get("state"), item.get("cloud"), item.get("region"),
        item.get("rows"), age(seconds) if isinstance(seconds, int | float) else None, item.get("reason") or "",
    ]  # fmt: skip
    return (str(item.get("cloud") or ""), str(item.get("region") or ""), type_name), values
