"""Notes: all of them, or those on one thing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tui.faults import is_expected, sentence
from tui.panes.pane import Parts, Rows
from tui.panes.told import AskedPane, about, local, resource_view
from tui.state import View
from tui.table.cells import clean
from tui.table.format import moment_of
from tui.table.layout import Head
from tui.table.spec import Row
from tui.times import age
from tui.world import World

MOST = 1000
COLUMNS = ("at", "by", "about", "text", "until", "cloud")


class NotesPane(AskedPane):
    """Notes that hold, the newest first; `enter` opens what one is about. The subject: () = all, (kind, type, *key)."""

    places = ("list", "notes")
    topics = frozenset({"notes"})
    noun = "note"
    columns = COLUMNS
    fields = ("at", "by", "about", "text", "until", "cloud", "kind", "type")
    items: dict[tuple[str, ...], dict[str, Any]]

    async def ask(self, filter: str) -> Rows:
        """Read the notes."""
        params: dict[str, Any] = {"page_size": MOST}
        subject = self.subject()
        if subject is not None:
            params["subject"] = json.dumps(subject)
        answer = await self.world.get("/q/notes", params)
        self.records.clear()
        self.items = {}
        rows: Rows = []
        for item in answer.get("items") or ():
            told = item.get("subject") or {}
            shown = {
                "at": item.get("created_at"),
                "by": item.get("created_by"),
                "about": about(told),
                "text": clean(item.get("text") or ""),
                "until": item.get("until"),
                "cloud": (told.get("key") or [None])[0] if told.get("kind") == "resource" else None,
            }
            key = (str(item.get("id")),)
            self.items[key] = item
            self.records[key] = {**shown, "kind": told.get("kind"), "type": told.get("type")}
            rows.append((key, [_until(shown[name]) if name == "until" else shown[name] for name in COLUMNS]))
        return rows

    def subject(self) -> dict[str, Any] | None:
        """What the notes shown are about; None: anything."""
        if len(self.view.subject) < 3 or self.view.subject[0] not in ("resource", "job", "drift", "problem"):
            return None
        kind, type, *key = self.view.subject
        return {"kind": kind, "type": type, "key": key, "name": ""}

    def note_subject(self, row: Row | None) -> dict[str, Any] | None:
        """What a further note would be about: what these are about, or the one under the cursor."""
        chosen = self.subject()
        if chosen is None and row is not None:
            item = getattr(self, "items", {}).get(row.key) or {}
            chosen = item.get("subject")
        return chosen

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Who, about what, and the words."""
        several = self.world.several_clouds
        return [
            Head("at", "AGE", "time", 4, 0),
            Head("by", "WHO", "name", 10, 1),
            Head("about", "ABOUT", "name", 24, 2),
            Head("text", "NOTE", "text", 60, 3),
            Head("until", "UNTIL", "text", 16, 4, False),
            Head("cloud", "CLOUD", "name", 10, 5, several, not several),
        ]

    def title(self) -> str:
        """What is shown."""
        subject = self.subject()
        return "notes" if subject is None else f"notes on {about(subject)}"

    def empty(self) -> str:
        """Nothing, and how to write one."""
        if self.view.filter:
            return "no note passes this filter\nesc clears it"
        if self.asked.stale:
            return "reading the notes …"
        return "no notes\nn writes one: on the machine, volume, job or cloud under the cursor"

    def enter(self, row: Row) -> View | None:
        """What it is about."""
        item = getattr(self, "items", {}).get(row.key) or {}
        return resource_view(item.get("subject") or {})

    def strip(self, row: Row) -> list[Parts]:
        """The whole note over two lines, then who, when and until."""
        item = getattr(self, "items", {}).get(row.key)
        if item is None:
            return []
        words, room = clean(item.get("text") or ""), max(20, self.world.cells - 4)
        last: Parts = [("by ", "muted"), (clean(item.get("created_by") or ""), "text")]
        last.append((f"  {local(item.get('created_at'))}", "muted"))
        if item.get("until"):
            last += [("  until ", "muted"), (local(item["until"]), "text")]
        return [[(words[:room], "text")], [(words[room : 2 * room], "text")], last]


def _until(at: Any) -> str | None:
    moment = moment_of(at) if isinstance(at, str) else None
    return None if moment is None else moment.astimezone().strftime("%a %m-%d %H:%M")


async def note_rows(world: World, kind: str, type: str, key: tuple[str, ...]) -> Rows:
    """The newest notes on one thing as rows (field, value) for its page; why they can't be read, if so."""
    subject = {"kind": kind, "type": type, "key": list(key), "name": ""}
    try:
        answer: Mapping[str, Any] = await world.get("/q/notes", {"subject": json.dumps(subject), "page_size": 20})
    except Exception as error:
        if not is_expected(error):
            raise
        return [(("note", ""), ["✎ notes", f"could not be read: {clean(sentence(error))}"])]
    now = datetime.now(UTC)
    rows: Rows = []
    for item in answer.get("items") or ():
        moment = moment_of(str(item.get("created_at")))
        ago = f" {age((now - moment).total_seconds())} ago" if moment is not None else ""
        until = f" (until {local(item['until'])})" if item.get("until") else ""
        value = f"{clean(item.get('text') or '')}{until}"
        rows.append((("note", str(item.get("id"))), [f"✎ {clean(item.get('created_by') or '')}{ago}", value]))
    more = int(answer.get("total") or 0) - len(rows)
    if more > 0:
        rows.append((("note", "more"), ["✎", f"{more} more notes; :notes shows all"]))
    return rows


async def count_notes(world: World, type: str, key: tuple[str, ...]) -> int:
    """How many notes are on a resource; 0 when they can't be read: its page says why."""
    subject = {"kind": "resource", "type": type, "key": list(key), "name": ""}
    try:
        answer = await world.get("/q/notes", {"subject": json.dumps(subject), "page_size": 1})
        return int(answer.get("total") or 0)
    except Exception as error:
        if not is_expected(error):
            raise
        return 0
