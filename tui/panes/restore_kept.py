"""What restores keep for a while: old machines, volumes that were there before, copies of disks; until when."""

from __future__ import annotations

from typing import Any

from tui import restore
from tui.panes.pane import Parts, Rows
from tui.panes.told import AskedPane, local
from tui.state import View
from tui.table.cells import clean
from tui.table.layout import Head
from tui.table.spec import Key, Row

COLUMNS = ("name", "kind", "until", "then", "state", "cloud", "detail", "id")
KINDS = {"machine": "old machine", "volume": "old volume", "disk_beside": "copy of a disk"}
ENDS = {"none": "stays", "delete": "is deleted"}
STATES = {"kept": "ok", "over": "warn", "released": "idle", "removed": "idle"}
TYPES = {"machine": "server"}  # all others are volumes


class KeptPane(AskedPane):
    """What ends first stands first; `enter` opens the resource."""

    places = ("list", "restore_kept")
    topics = frozenset({"restore"})
    noun = "kept thing"
    columns = COLUMNS
    fields = (*COLUMNS, "region")
    items: dict[Key, dict[str, Any]]
    footer_now = True

    async def ask(self, filter: str) -> Rows:
        """Read them."""
        answer = await self.world.get(restore.KEPT)
        found = sorted(restore.items_of(answer), key=lambda one: (str(one.get("state")) != "kept", _until(one)))
        self.items = {(str(one.get("id")),): one for one in found}
        self.records.clear()
        rows: Rows = []
        for key, one in self.items.items():
            kind = str(one.get("kind") or "")
            shown = {
                "name": one.get("name") or one.get("resource_id"), "kind": KINDS.get(kind, clean(kind)),
                "until": one.get("until"), "then": ENDS.get(str(one.get("at_end")), clean(one.get("at_end") or "")),
                "state": "over" if one.get("over") else clean(one.get("state") or ""), "cloud": one.get("cloud"),
                "detail": _detail(one),
                "id": one.get("resource_id"),
            }  # fmt: skip
            self.records[key] = shown | {"region": one.get("region")}
            rows.append((key, [shown[name] for name in COLUMNS]))
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """What, until when, and what happens then."""
        several = self.world.several_clouds
        return [
            Head("name", "NAME", "name", 24, 0),
            Head("kind", "WHAT", "text", 14, 1),
            Head("until", "UNTIL", "time", 7, 2),
            Head("then", "THEN IT", "text", 10, 3),
            Head("state", "STATE", "status", 10, 4, levels=STATES),
            Head("cloud", "CLOUD", "name", 10, 5, several, not several),
            Head("detail", "WHY", "text", 40, 6),
            Head("id", "ID", "id", 36, 7, False),
        ]

    def title(self) -> str:
        """What they are."""
        return "kept by restores"

    def empty(self) -> str:
        """None, and what would be here."""
        if self.view.filter:
            return self.filtered()
        if self.asked.stale:
            return "reading what is kept …"
        return "nothing is kept\na REPLACE keeps the old machine, a disk beside its copy, until a date"

    def kept_here(self, row: Row | None) -> dict[str, Any] | None:
        """What is under the cursor."""
        return None if row is None else getattr(self, "items", {}).get(row.key)

    def resource_here(self, row: Row | None) -> tuple[str, Key, str] | None:
        """(type, key, name) of it."""
        one = self.kept_here(row)
        if one is None:
            return None
        key = tuple(str(one.get(name) or "") for name in ("cloud", "region", "resource_id"))
        return TYPES.get(str(one.get("kind")), "volume"), key, str(one.get("name") or "")

    def enter(self, row: Row) -> View | None:
        """The machine or volume itself."""
        found = self.resource_here(row)
        return View("detail", found[0], subject=found[1]) if found is not None and found[1][2] else None

    def why_not(self, id: str, row: Row | None) -> str:
        """What is no longer kept can't be extended, released or removed here."""
        if id not in ("keep_longer", "release_kept", "remove_kept"):
            return ""
        one = self.kept_here(row)
        if one is None:
            return "no kept thing is under the cursor"
        return "" if one.get("state") == "kept" else f"it is {clean(one.get('state') or 'not kept')} already"

    def strip(self, row: Row) -> list[Parts]:
        """What it is, when it ends, of which restore."""
        one = self.kept_here(row)
        if one is None:
            return []
        kind = KINDS.get(str(one.get("kind")), clean(one.get("kind") or ""))
        first: Parts = [
            (clean(one.get("name") or ""), "strong"),
            (f"  {kind}  {clean(one.get('state') or '')}", "text"),
        ]
        then = ENDS.get(str(one.get("at_end")), "")
        second: Parts = [(f"until {local(one.get('until'))}: then it {then}", "text")] if one.get("until") else []
        third: Parts = [(_detail(one), "muted")]
        if one.get("job_id"):
            third.append((f"  of restore {clean(one.get('number') or one['job_id'])}", "muted"))
        return [first, second, third]


def _until(one: dict[str, Any]) -> str:
    return str(one.get("until") or "9999")


def _detail(one: dict[str, Any]) -> str:
    detail = one.get("problem") or one.get("detail")
    if isinstance(detail, dict):
        return clean(detail.get("text") or detail.get("why") or "")
    return restore.told(detail)
