"""Drift: accepting events and taking that back, what is shown of them, rules, ignores and maintenance windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tui.acting.records import UNTIL
from tui.state import View
from tui.table.cells import clean

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp

PAGES = ("drift", "drift-rules", "ignores", "windows")
_DEFAULT = "default"


class Drifting:
    """Mixed into the app."""

    accepted: Sequence[str] = ()  # batches of the last acknowledgement, which `u` takes back

    def action_drift(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """What is to be looked at, of the clouds and projects on screen."""
        view = self.pane.view
        self.open_view(View("drift", clouds=view.clouds, projects=view.projects))

    def action_drift_pages(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """From the events to the rules, the ignores, the windows, and back."""
        at = PAGES.index(self.pane.view.kind) if self.pane.view.kind in PAGES else 0
        self.open_view(View(PAGES[(at + 1) % len(PAGES)]), instead=at > 0)

    # What is shown

    def action_by_severity(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """One severity after the other alone, then all."""
        from tui.drift_filters import next_severity

        self._drift_filter(next_severity(self.pane.view.filter))

    def action_show_acknowledged(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """What was acknowledged too, or no longer."""
        from tui.drift_filters import toggled

        self._drift_filter(toggled(self.pane.view.filter, ("acknowledged",)))

    def action_show_expected(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """What is expected or ignored too, or no longer."""
        from tui.drift_filters import toggled

        self._drift_filter(toggled(self.pane.view.filter, ("expected", "ignored")))

    def _drift_filter(self: QuarterdeckApp, filter: str) -> None:  # type: ignore[misc]
        self.change_view(replace(self.pane.view, filter=filter), keep_row=True)
        self.table.set_heads(self.pane.heads(self.table.buffer.columns))

    # Accepting

    def action_acknowledge(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Accept the marked events, else the one under the cursor, with a note."""
        from tui.panes.drift import DriftPane

        pane, marks = self.pane, self.table.marks
        if isinstance(pane, DriftPane) and marks.of is not None:
            self._acknowledge_all(marks.of.filter, set(marks.keys), marks.count)
            return
        ids = self._events_here()
        if not ids:
            self.notice("no event is under the cursor")
            return
        if marks.start is not None:
            self.notice("end the range with v first, esc forgets it")
            return
        alone = isinstance(pane, DriftPane) and not marks.keys
        words = f"{len(ids):,} marked" if marks.keys else self._event_words()
        words += f" and {len(ids) - 1:,} below it" if alone and len(ids) > 1 else ""

        def answered(text: str) -> str | None:
            body = acceptance(text)
            if isinstance(body, str):
                return body
            if alone:
                self.table.move_rows(len(ids))  # on to the next: the accepted ones leave the list
            self.in_background(self._accept(ids, body))
            return None

        self.ask_line(f"acknowledge {words}, note", answered)
        self.explain("enter accepts, also without a note; until:2d at its end says how long it holds")

    def action_acknowledge_all(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Accept all events that pass the filter, once that is confirmed."""
        place = self.table.place
        self._acknowledge_all(self.pane.view.filter, set(), place.total if place is not None else None)

    def _acknowledge_all(  # type: ignore[misc]
        self: QuarterdeckApp, filter: str, without: set[tuple[str, ...]], count: int | None
    ) -> None:
        from tui.panes.drift import DriftPane

        pane = self.pane
        if not isinstance(pane, DriftPane):
            return
        more = pane.more and not without
        number = "all" if count is None else f"all {count:,}{' and more' if more else ''}"

        def answered(text: str) -> str | None:
            word, _, rest = text.strip().partition(" ")
            body = acceptance(rest)
            if word.lower() not in ("y", "yes"):
                return "y and a note accepts them all, esc none"
            if isinstance(body, str):
                return body

            async def accept() -> None:
                await self._accept(await pane.passing(filter, without), body)

            self.in_background(accept())
            return None

        self.ask_line(f"acknowledge {number} that pass? y and a note", answered)

    def _events_here(self: QuarterdeckApp) -> list[int]:  # type: ignore[misc]
        from tui.panes.drift import DriftPane
        from tui.panes.drift_event import DriftEventPane

        pane, row, marks = self.pane, self.table.current, self.table.marks
        if isinstance(pane, DriftEventPane):
            return [int(pane.item["id"])] if isinstance(pane.item.get("id"), int) else []
        if not isinstance(pane, DriftPane):
            return []
        return pane.event_ids(sorted(marks.keys) if marks.keys else pane.with_below(row.key) if row is not None else [])

    def _event_words(self: QuarterdeckApp) -> str:  # type: ignore[misc]
        found = getattr(self.pane, "resource_here", lambda row: None)(self.table.current)
        return clean(found[2] or found[1][-1])[:30] if found else "it"

    async def _accept(self: QuarterdeckApp, ids: Sequence[int], body: dict[str, Any]) -> None:  # type: ignore[misc]
        from engine.drift.models import MOST_IDS

        batches, done = [], 0
        for start in range(0, len(ids), MOST_IDS):
            part = list(ids[start : start + MOST_IDS])
            answer = await self.world.post("/q/drift/acknowledge", json={**body, "ids": part})
            done += int(answer.get("acknowledged") or 0)
            batches += [str(answer["batch"])] if answer.get("batch") else []
        if batches:
            self.accepted = batches
        already = f", {len(ids) - done:,} were already" if done < len(ids) else ""
        until = f" until {body['until']}" if body.get("until") else ""
        undo = self.world.keymap.shown("unacknowledge")
        self.notice(f"acknowledged {done:,}{until}{already}" + (f"; {undo} takes it back" if batches else ""))
        self.table.marks.clear()
        self._drift_again()

    def action_unacknowledge(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Take back the acknowledgement of the marked events or the one under the cursor, else the last one made."""
        from tui.panes.drift import DriftPane
        from tui.panes.drift_event import DriftEventPane

        pane, row = self.pane, self.table.current
        accepted: list[int] = []
        if isinstance(pane, DriftPane):
            keys = sorted(self.table.marks.keys) if self.table.marks.keys else [row.key] if row is not None else []
            accepted = pane.event_ids([key for key in keys if pane.state_of(key) == "acknowledged"])
        elif isinstance(pane, DriftEventPane) and pane.item.get("acknowledged"):
            accepted = self._events_here()
        if accepted:
            self.in_background(self._take_back([{"ids": accepted}]))
        elif self.accepted:
            self.in_background(self._take_back([{"batch": batch} for batch in self.accepted]))
            self.accepted = ()
        else:
            self.notice("nothing was acknowledged here that could be taken back; . shows what was")

    async def _take_back(self: QuarterdeckApp, bodies: Sequence[dict[str, Any]]) -> None:  # type: ignore[misc]
        undone = 0
        for body in bodies:
            answer = await self.world.post("/q/drift/unacknowledge", json=body)
            undone += int(answer.get("undone") or 0)
        self.notice(f"{undone:,} no longer acknowledged")
        self.table.marks.clear()
        self._drift_again()

    def _drift_again(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.pane.expire()
        self.table.reload()

    # Rules

    def action_toggle_rule(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Switch the rule on or off."""
        rule = self._rule_here()
        if rule is not None:
            self.in_background(self._change_rule(rule, {"enabled": not rule.get("enabled")}))

    def action_rule_severity(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Ask for another severity of the rule's events."""
        from engine.drift.models import SEVERITIES

        rule = self._rule_here()
        if rule is None:
            return
        known = (*SEVERITIES, _DEFAULT)

        def answered(text: str) -> str | None:
            found = [word for word in known if word.startswith(text.strip().lower())] if text.strip() else []
            if len(found) != 1:
                return f"write one of {', '.join(known)}"
            self.in_background(self._change_rule(rule, {"severity": None if found[0] == _DEFAULT else found[0]}))
            return None

        self.ask_line(f"severity of rule {rule['id']}", answered, become=lambda text: known)
        self.show_hint("", known)

    def _rule_here(self: QuarterdeckApp) -> dict[str, Any] | None:  # type: ignore[misc]
        from tui.panes.drift_rules import RulesPane

        row, pane = self.table.current, self.pane
        return pane.items.get(row.key) if row is not None and isinstance(pane, RulesPane) else None

    async def _change_rule(self: QuarterdeckApp, rule: dict[str, Any], change: dict[str, Any]) -> None:  # type: ignore[misc]
        from tui.panes.drift_rules import RULES

        answer = await self.world.put(f"{RULES}/{rule['id']}", json=change)
        told = answer if isinstance(answer, dict) else {**rule, **change}
        state = "on" if told.get("enabled") else "off: it opens no events"
        self.notice(f"rule {rule['id']} {clean(rule.get('name') or '')} is {state}, {told.get('severity')}")
        self._drift_again()

    # Ignores and windows

    def action_ignore_like(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """A form for an entry that leaves out events like the one under the cursor."""
        self._ask_ignore()

    def action_add_entry(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """A form for a window where windows are listed, else for an entry of what is ignored."""
        from tui.panes.drift_rules import WindowsPane

        if isinstance(self.pane, WindowsPane):
            self._ask_window()
        else:
            self._ask_ignore()

    def _ask_ignore(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        from tui.dialogs.drift import ignore_fields
        from tui.panes.drift import DriftPane
        from tui.panes.drift_event import DriftEventPane
        from tui.panes.drift_rules import IgnoresPane

        pane, row = self.pane, self.table.current
        item = pane.items.get(row.key) if row is not None and isinstance(pane, DriftPane) else None
        item = pane.item if isinstance(pane, DriftEventPane) else item
        intro = "all that is filled in must fit; events are hidden for as long as the entry is there"
        self._show_form("Ignore drift", intro, ignore_fields(item or {}, self.cloud_names), IgnoresPane.path, "ignored")

    def _ask_window(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        from tui.dialogs.drift import window_fields
        from tui.panes.drift_rules import WindowsPane

        intro = "what changes between the two times is ignored, and stays so; without a choice everything is covered"
        self._show_form("Maintenance window", intro, window_fields(self.cloud_names), WindowsPane.path, "planned")

    def _show_form(  # type: ignore[misc]
        self: QuarterdeckApp, title: str, intro: str, fields: Any, path: str, done: str
    ) -> None:
        from tui.dialogs.form import FormPage
        from tui.faults import is_expected, sentence
        from tui.panes.drift_rules import criteria_words
        from tui.periods import body_of

        def submit(values: dict[str, Any]) -> None:
            body = body_of(values, datetime.now().astimezone())
            if isinstance(body, str):
                form.say(body)
            else:
                self.in_background(send(body))

        async def send(body: dict[str, Any]) -> None:
            try:
                await self.world.post(path, json=body)
            except Exception as error:
                if not is_expected(error) or not self.page_is(form):
                    raise
                form.say(sentence(error))
                return
            if self.page_is(form):
                self.close_dialog()
            self.notice(f"{done}: {criteria_words(body)}")
            self._drift_again()

        form: FormPage = FormPage(title, "", fields, submit, self.close_dialog, go="Add it", intro=[intro])
        self.show_page(form)

    def action_remove_entry(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Take back the entry, or end the window, under the cursor, once that is confirmed."""
        from tui.panes.drift_rules import IgnoresPane, WindowsPane, criteria_words

        row, pane = self.table.current, self.pane
        if row is None or not isinstance(pane, IgnoresPane | WindowsPane):
            return
        ends = isinstance(pane, WindowsPane)
        words = criteria_words(pane.items.get(row.key) or {})[:40]
        prompt = f"{'end the window' if ends else 'ignore no longer'}: {words}? y"
        told = "the window has ended; what it covered stays ignored" if ends else "no longer ignored"
        self._confirm(prompt, self._remove(f"{pane.path}/{quote(row.key[0])}", told))


def acceptance(text: str) -> dict[str, Any] | str:
    """Note and end out of "planned work until:2d", as the engine takes them; a sentence when they can't be read."""
    from engine.drift.models import MOST_NOTE
    from tui.periods import body_of

    words, mark, end = f" {text.strip()}".rpartition(UNTIL)
    if not mark:
        words = text
    body: dict[str, Any] = {"note": " ".join(words.split())}
    if len(body["note"]) > MOST_NOTE:
        return f"a note has at most {MOST_NOTE:,} characters"
    return body_of({**body, "until": end}, datetime.now().astimezone()) if mark else body
