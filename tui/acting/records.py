"""Audit, notes, shift, hand-over and saved views: their keys and verbs."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tui import deadlines
from tui.faults import is_expected, sentence
from tui.state import OF_ONE, View
from tui.table.cells import clean
from tui.times import TimeError

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp

SAVED_KINDS = ("list", "find", "audit", "drift", "notes", "handover", "clouds", "inventory")
UNTIL = " until:"
MOST_NOTED = 200  # rows on which a note is written at once


class Records:
    """Mixed into the app."""

    def action_audit(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.open_view(View("audit"))

    # Notes

    def action_notes(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.open_view(View("notes"))

    def action_note(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Write a note on what is on screen, or under the cursor; one on each of the marked rows."""
        from tui.panes.told import about

        marks = self.table.marks
        if marks and self.pane.view.kind == "list":
            if marks.of is not None or len(marks.keys) > MOST_NOTED:
                self.notice(f"notes are written on up to {MOST_NOTED} rows that are marked one by one or as a range")
                return
            subjects = self._marked_subjects()
            words = about(subjects[0])[:40] if len(subjects) == 1 else f"each of the {len(subjects)} marked"
            self.ask_line(f"note on {words}: ", lambda text: self._write_note(subjects, text))
            return
        subject = self._note_subject()
        if subject is None:
            self.notice("there is nothing here that a note could be about")
            return
        if not subject["name"] and subject["kind"] == "resource":
            subject = {**subject, "name": self._name_here()}
        prompt = f"note on {about(subject)[:40]}: "
        self.ask_line(prompt, lambda text: self._write_note([subject], text))

    def _marked_subjects(self: QuarterdeckApp) -> list[dict[str, Any]]:  # type: ignore[misc]
        columns = self.table.buffer.columns
        at = columns.index("name") if "name" in columns else None
        names = {row.key: str(row.values[at] or "") for row in self.table.buffer.rows} if at is not None else {}
        type = self.pane.view.type
        return [
            {"kind": "resource", "type": type, "key": list(key), "name": names.get(key, "")[:255]}
            for key in sorted(self.table.marks.keys)
        ]

    def _note_subject(self: QuarterdeckApp) -> dict[str, Any] | None:  # type: ignore[misc]
        pane, view, row = self.pane, self.pane.view, self.table.current
        own = getattr(pane, "note_subject", None)  # a pane of other things says itself what its rows are
        if own is not None:
            found: dict[str, Any] | None = own(row)
            return found
        if view.kind in OF_ONE:
            return {"kind": "resource", "type": view.type, "key": list(view.subject), "name": ""}
        if row is None:
            return None
        if view.kind == "list":
            return {"kind": "resource", "type": view.type, "key": list(row.key), "name": ""}
        if view.kind == "clouds":
            return {"kind": "problem", "type": "listing", "key": [row.key[0]], "name": row.key[0]}
        return None

    def _name_here(self: QuarterdeckApp) -> str:  # type: ignore[misc]
        if self.pane.view.kind in OF_ONE:
            return str(getattr(self.pane, "name", ""))[:255]
        row, columns = self.table.current, self.table.buffer.columns
        value = row.values[columns.index("name")] if row is not None and "name" in columns else ""
        return str(value or "")[:255]

    def _write_note(self: QuarterdeckApp, subjects: list[dict[str, Any]], text: str) -> str | None:  # type: ignore[misc]
        words, mark, when = text.rpartition(UNTIL)
        until = None
        if mark:
            try:
                moment = deadlines.parse(when, datetime.now().astimezone())
            except TimeError as error:
                return str(error)
            until = moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
        else:
            words = text
        if not words.strip():
            return "write what others should know; until:2h or until:tomorrow 9:00 at the end says how long it holds"
        self.in_background(self._send_notes(subjects, {"text": words.strip(), "until": until}))
        return None

    async def _send_notes(self: QuarterdeckApp, subjects: list[dict[str, Any]], body: dict[str, Any]) -> None:  # type: ignore[misc]
        from tui.panes.told import about

        marks = self.table.marks
        for done, subject in enumerate(subjects):
            try:
                await self.world.post("/q/notes", json={"subject": subject, **body})
            except Exception as error:
                if not done or not is_expected(error):
                    raise
                # Those that have theirs are marked no more: the same again writes the rest.
                self.notice(f"{done} of {len(subjects)} are noted, n again writes the rest: {sentence(error)}")
                return
            marks.keys.discard(tuple(subject["key"]))
        words = about(subjects[0]) if len(subjects) == 1 else f"{len(subjects)} rows"
        self.notice(f"noted on {words}; :notes shows all")
        self.pane.expire()
        self.table.reload()

    def action_remove_note(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Take back the note under the cursor, once that is confirmed."""
        from tui.panes.notes import NotesPane

        row, pane = self.table.current, self.pane
        if row is None or not isinstance(pane, NotesPane):
            return
        self._confirm(
            "take this note back? y: ", self._remove(f"/q/notes/{quote(row.key[0])}", "the note is taken back")
        )

    def _confirm(self: QuarterdeckApp, prompt: str, work: Any) -> None:  # type: ignore[misc]
        def answered(text: str) -> str | None:
            if text.strip().lower() not in ("y", "yes"):
                return "y does it, esc leaves it"
            self.in_background(work())
            return None

        self.ask_line(prompt, answered)

    def _remove(self: QuarterdeckApp, path: str, words: str) -> Any:  # type: ignore[misc]
        async def remove() -> None:
            await self.world.delete(path)
            self.notice(words)
            self.pane.expire()
            self.table.reload()

        return remove

    # Shift and hand-over

    def command_shift(self: QuarterdeckApp, argument: str) -> None:  # type: ignore[misc]
        """`:shift start [note]` sets the mark of this person; `:shift show` tells where it is."""
        verb, _, rest = argument.partition(" ")
        self.in_background(self._start_shift(rest.strip()) if verb == "start" else self._show_shift())

    async def _start_shift(self: QuarterdeckApp, note: str) -> None:  # type: ignore[misc]
        await self.world.post("/q/shift/start", json={"note": note})
        self.notice("your shift begins now; :handover tells what happened since")

    async def _show_shift(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        mine = (await self.world.get("/q/shift")).get("mine")
        if not mine:
            self.notice("you have not begun a shift; :shift start does")
            return
        moment = datetime.fromisoformat(str(mine["at"])).astimezone()
        self.notice(f"your shift began {moment:%a %H:%M} {clean(mine.get('note') or '')}")

    def command_handover(self: QuarterdeckApp, argument: str) -> None:  # type: ignore[misc]
        """The page; or `:handover markdown|csv|json FILE` writes it where the console runs."""
        form, _, file = argument.strip().partition(" ")
        if not form:
            self.open_view(View("handover"))
        elif form not in ("markdown", "csv", "json") or not file.strip():
            self.notice("write :handover, or :handover markdown FILE, csv FILE, json FILE")
        else:
            self.in_background(self._write_handover(form, Path(file.strip()).expanduser()))

    async def _write_handover(self: QuarterdeckApp, form: str, file: Path) -> None:  # type: ignore[misc]
        answer = await self.world.get("/q/handover", {"format": form})
        if form == "json":
            import json

            answer = json.dumps(answer, indent=2, ensure_ascii=False) + "\n"
        try:
            handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
                out.write(str(answer))
        except FileExistsError:
            self.notice(f"{file} exists already; choose another name")
        except (OSError, ValueError) as error:
            self.notice(f"{file} could not be written: {getattr(error, 'strerror', None) or error}")
        else:
            self.notice(f"the hand-over is in {file}")

    # Saved views

    def action_saved_views(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.open_view(View("views"))

    def action_bookmark(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        if self.pane.view.kind not in SAVED_KINDS:
            self.notice("this is one single thing; lists and pages can be kept")
            return
        text = self.pane.view.text()
        self.ask_line(f"keep {clean(text)[:40]} as: ", lambda name: self._keep_view(name, text, shared=False))

    def _keep_view(self: QuarterdeckApp, name: str, text: str, *, shared: bool) -> str | None:  # type: ignore[misc]
        name = " ".join(name.split())
        if not name or "/" in name or len(name) > 64:
            return "a name has 1 to 64 characters and no /"
        cloud = self.pane.view.clouds[0] if len(self.pane.view.clouds) == 1 else None

        async def keep() -> None:
            body: dict[str, Any] = {
                "text": text,
                "columns": list(self.pane.view.columns),
                "cloud": cloud,
                "shared": shared,
            }
            await self.world.put(f"/q/views/{quote(name, safe='')}", json=body)
            self.notice(f"kept as {clean(name)}{', for everybody' if shared else ''}; ' shows all saved views")

        self.in_background(keep())
        return None

    def command_view(self: QuarterdeckApp, argument: str) -> None:  # type: ignore[misc]
        """`:view NAME` opens one; `:view save NAME`, `:view share NAME` keep the one on screen; `:view delete NAME`."""
        verb, _, name = argument.strip().partition(" ")
        if not verb:
            self.action_saved_views()
        elif verb in ("save", "share") and name.strip():
            if self.pane.view.kind not in SAVED_KINDS:
                self.action_bookmark()
            elif problem := self._keep_view(name, self.pane.view.text(), shared=verb == "share"):
                self.notice(problem)
        elif verb == "delete" and name.strip():
            self.in_background(self._remove(f"/q/views/{quote(name.strip(), safe='')}", "the saved view is gone")())
        else:
            self.in_background(self._open_saved(argument.strip()))

    async def _open_saved(self: QuarterdeckApp, name: str) -> None:  # type: ignore[misc]
        item = await self.world.get(f"/q/views/{quote(name, safe='')}")
        self._run_command(str(item["text"]))
        if item.get("columns") and self.pane.view.kind == "list":
            self.change_view(replace(self.pane.view, columns=tuple(map(str, item["columns"]))), keep_row=True)

    def action_remove_view(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        from tui.panes.saved import SavedPane

        row, pane = self.table.current, self.pane
        if row is None or not isinstance(pane, SavedPane):
            return
        path = f"/q/views/{quote(row.key[1], safe='')}{'?shared=true' if row.key[0] == 'shared' else ''}"
        self._confirm(f"delete the view {clean(row.key[1])[:30]}? y: ", self._remove(path, "the saved view is gone"))
