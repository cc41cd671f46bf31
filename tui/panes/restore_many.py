"""Restores of many machines: all of them, or one of them with where each machine stands; leaving never stops it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tui import restore, restore_many
from tui.panes.jobs import took
from tui.panes.pane import Parts, Rows
from tui.panes.told import AskedPane
from tui.state import View
from tui.table.cells import clean
from tui.table.format import GLYPHS
from tui.table.layout import Head
from tui.table.spec import Key, Row

COLUMNS = ("name", "state", "group", "took", "about", "project", "cloud")

# What an action asks the engine to be able to.
ABLE = {"many_pause": {"pause", "resume"}, "many_cancel": {"cancel"}}


class ManyPane(AskedPane):
    """Without a subject the list, newest first; with one its machines in the order of their turns."""

    places = ("list", "restore_many")
    topics = frozenset({"restore", "jobs"})
    noun = "machine"
    columns = COLUMNS
    fields = COLUMNS
    footer_now = True
    items: dict[Key, dict[str, Any]]
    many: dict[str, Any]

    async def ask(self, filter: str) -> Rows:
        """Read it."""
        self.records.clear()
        self.items = {}
        self.many = {}
        now = datetime.now(UTC)
        if not self.view.subject:
            answer = await self.world.get(restore_many.BULK)
            return [self._row((str(one.get("id")),), one, of_plan(one, now)) for one in restore.items_of(answer)]
        self.many = dict(await self.world.get(restore.path_of(restore_many.BULK, self.view.subject[0])))
        lines = restore_many.machines_of(self.many)
        return [
            self._row(restore_many.key_of(one), dict(one), of_machine(one, now, str(self.many.get("way"))))
            for one in lines
        ]

    def _row(self, key: Key, item: dict[str, Any], shown: dict[str, Any]) -> tuple[Key, list[Any]]:
        self.items[key] = item
        self.records[key] = shown
        return (key, [shown[name] for name in COLUMNS])

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Machine and state first."""
        of_one = bool(self.view.subject)
        levels = restore_many.STATE_LEVELS if of_one else {**restore_many.LEVELS, "expired": "idle"}
        return [
            Head("name", "MACHINE" if of_one else "WHAT", "name", 20, 0),
            Head("state", "STATE", "status", 13, 1, levels=levels),
            Head("group", "GROUP", "number", 5, 2, of_one, not of_one),
            Head("took", "TOOK", "text", 6, 3),
            Head("about", "ABOUT", "text", 40, 4),
            Head("project", "PROJECT" if of_one else "WHO", "name", 12, 5),
            Head("cloud", "CLOUD", "name", 10, 6, self.world.several_clouds, not self.world.several_clouds),
        ]

    def title(self) -> str:
        """What it is."""
        if not self.view.subject:
            return "restores of many machines"
        way = restore.WAY_WORDS.get(str(self.many.get("way")), "") if hasattr(self, "many") else ""
        return f"restore of many machines {way}".strip()

    def empty(self) -> str:
        """None yet, and where they come from."""
        if self.view.filter:
            return self.filtered()
        if self.asked.stale:
            return "reading the restores …"
        key = self.world.keymap.shown
        return f"no restore of many machines yet\nmark machines with {key('mark')}, then {key('restore')} plans them"

    def enter(self, row: Row) -> View | None:
        """The machine's own restore, step by step; from the list to one of them."""
        item = self.items.get(row.key) or {}
        if not self.view.subject:
            return View("restores-many", subject=row.key)
        job = item.get("job_id")
        return View("restore", subject=(str(job),)) if job else View("detail", "server", subject=row.key)

    def many_here(self, row: Row | None) -> dict[str, Any] | None:
        """Which of them is meant."""
        if self.view.subject:
            return getattr(self, "many", None) or None
        return None if row is None else getattr(self, "items", {}).get(row.key)

    def why_not(self, id: str, row: Row | None) -> str:
        """Why a key can't be used now."""
        if id not in ABLE:
            return ""
        can = set((self.many_here(row) or {}).get("can") or ())
        return "" if can & ABLE[id] else "it is not possible now"

    def strip(self, row: Row) -> list[Parts]:
        """How all of it is, what is said of this line, what to do."""
        many = self.many_here(row)
        if not many:
            return []
        status = restore_many.status_of(many)
        level = restore_many.LEVELS.get(status, "none")
        first: Parts = [(f"{GLYPHS[level]} {status}  ", level), (restore_many.counted(many), "strong")]
        line = self.items.get(row.key) or {}
        told = restore.told(line.get("detail")) or restore_many.about_line(line, datetime.now(UTC))
        second: Parts = [(told if self.view.subject else restore.told(many.get("detail")), "text")]
        if self.view.subject and status == "paused":
            first.append((f"  {restore.told(many.get('detail'))}", "warn"))
        keys, can, third = self.world.keymap.shown, many.get("can") or (), list[tuple[str, str]]()
        for ability, action, word in (
            ("pause", "many_pause", "pauses"), ("resume", "many_pause", "goes on"),
            ("cancel", "many_cancel", "cancels"),
        ):  # fmt: skip
            if ability in can and status != "planned":
                third += [(keys(action), "key"), (f" {word}  ", "muted")]
        return [first, second, third]


def of_machine(line: Any, now: datetime, way: str = "") -> dict[str, Any]:
    """A line's values by column."""
    about = restore_many.about_line(line, now, way)
    return {
        "name": restore_many.name_of(line), "state": restore_many.state_of(line), "group": line.get("group"),
        "took": took(dict(line), now) if line.get("started_at") else "", "about": about,
        "project": line.get("project_name") or line.get("project_id"), "cloud": line.get("cloud"),
    }  # fmt: skip


def of_plan(plan: Any, now: datetime) -> dict[str, Any]:
    """The values of one of them in the list."""
    way = restore.WAY_WORDS.get(str(plan.get("way")), clean(plan.get("way") or ""))
    ran = {"started_at": plan.get("executed_at"), "ended_at": plan.get("finished_at"), "state": "running"}
    return {
        "name": f"{way} {restore.when(plan.get('created_at'), now)}", "state": restore_many.status_of(plan),
        "group": None, "took": took(ran, now) if plan.get("executed_at") else "",
        "about": restore.told(plan.get("detail")), "project": plan.get("executed_by") or plan.get("created_by"),
        "cloud": ", ".join(map(clean, plan.get("clouds") or ())),
    }  # fmt: skip
