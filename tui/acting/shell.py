"""What the console says of itself: keys, settings, what happened; and what is decided about doubtful lists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from store.types import registry
from tui.faults import is_expected, sentence
from tui.state import View
from tui.table.cells import clean
from tui.table.spec import Row

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp

MOST_SAID = 200
_GONE, _THERE = ("gone", "g", "deleted"), ("there", "t", "still there", "keep")


class Shell:
    """Mixed into the app."""

    def say_of_keys(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """What of the operator's own keys can't be used, once at the start."""
        if said := self.world.keymap.complaint:
            self.notice(said)

    def remember_said(self: QuarterdeckApp, text: str) -> None:  # type: ignore[misc]
        """Keep what was said for the page of activity; the same again counts once."""
        said = self.world.said
        if not said or said[-1][1] != text:
            said.append((datetime.now(UTC).isoformat(timespec="seconds"), text))
            del said[:-MOST_SAID]

    def action_help(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The keys that work here; those that make no sense now with the reason."""
        if self.pane.view.kind != "help":
            self.world.why_not = {action.id: clean(self.why_not(action.id)) for action in self.world.keymap.actions}
            self.open_view(View("help"))

    def action_activity(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        if self.pane.view.kind != "activity":
            self.open_view(View("activity"))

    # Settings

    def open_in_settings(self: QuarterdeckApp, row: Row) -> None:  # type: ignore[misc]
        """Ask for another value of the setting."""
        from tui.panes.settings import SettingsPane, shown

        pane = self.pane
        assert isinstance(pane, SettingsPane)
        if reason := pane.why_not("open", row):
            self.notice(reason)
        elif row.key[0] in pane.items:
            self._ask_setting(pane.items[row.key[0]], shown(pane.items[row.key[0]]["value"]))

    def _ask_setting(self: QuarterdeckApp, item: dict[str, Any], start: str, problem: str = "") -> None:  # type: ignore[misc]
        def take(text: str) -> str | None:
            if not text.strip():
                return f"allowed is {clean(item.get('allowed') or '')}; esc leaves it as it is"
            self.in_background(self._put_setting(item, text))
            return None

        self.ask_line(str(item["key"]), take, start)
        if problem:
            self.show_hint(problem, ())

    async def _put_setting(self: QuarterdeckApp, item: dict[str, Any], text: str) -> None:  # type: ignore[misc]
        from tui.panes.settings import shown, value_of

        key = str(item["key"])
        try:
            found = await self.world.put(f"/q/settings/{quote(key)}", json={"value": value_of(text, item["value"])})
        except Exception as error:
            if not is_expected(error):
                raise
            if self.pane.view.kind == "settings" and not self.bar.is_open:  # the text is there to be corrected
                self._ask_setting(item, text, sentence(error))
            else:
                self.notice(sentence(error))
            return
        self.notice(f"{key} is {shown(found['value'])} now")
        self.pane.expire()
        self.table.reload()

    def action_reset_setting(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Back to the default."""
        from tui.panes.settings import SettingsPane

        row, pane = self.table.current, self.pane
        if row is None or not isinstance(pane, SettingsPane):
            return
        if reason := pane.why_not("reset_setting", row):
            self.notice(reason)
            return
        key = row.key[0]
        self._confirm(f"{key} back to its default? y", self._remove(f"/q/settings/{quote(key)}", f"{key} is as usual"))

    # Lists that are doubtful

    def action_listings(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The lists of the cloud under the cursor."""
        row = self.table.current
        self.open_view(View("listings", clouds=(row.key[0],) if row is not None else ()))

    def action_decide(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Say of rows that vanished suspiciously whether they are gone."""
        from tui.panes.listings import ListingsPane

        row, view = self.table.current, self.pane.view
        if view.kind == "clouds":
            self.action_listings()
        elif isinstance(self.pane, ListingsPane):
            reason = "no row is under the cursor" if row is None else self.pane.why_not("decide", row)
            if row is None or reason:
                self.notice(reason)
            else:
                cloud, region, type = row.key
                self._ask_decision(cloud, region, type, str(row.values[6] or ""))
        else:
            states = self.data.states if self.data is not None else ()
            doubtful = next((state for state in states if state.get("state") == "suspect"), None)
            if doubtful is None:
                self.notice("nothing vanished suspiciously from this list")
            else:
                cloud, region, reason = (str(doubtful.get(name) or "") for name in ("cloud", "region", "reason"))
                self._ask_decision(cloud, region, view.type, reason)

    def _ask_decision(self: QuarterdeckApp, cloud: str, region: str, type: str, reason: str) -> None:  # type: ignore[misc]
        plural = registry.ALL[type].plural if type in registry.ALL else type
        what = clean("/".join(part for part in (cloud, region) if part)) + " " + plural
        body = {"cloud": cloud, "region": region, "type": type}

        def take(text: str) -> str | None:
            word = text.strip().lower()
            if word not in (*_GONE, *_THERE):
                return "write gone (they count as deleted) or there (they stay); esc leaves it open"
            self.in_background(self._send_decision(body, word in _GONE, what))
            return None

        self.ask_line(f"{what}: gone or there?", take)
        self.explain(f"gone: they count as deleted, there: they stay. {clean(reason)}")

    async def _send_decision(self: QuarterdeckApp, body: dict[str, Any], accept: bool, what: str) -> None:  # type: ignore[misc]
        await self.world.post("/q/suspects/decision", json={**body, "accept": accept})
        self.notice(f"{what}: what vanished counts as {'deleted' if accept else 'still there'}")
        self.pane.expire()
        self.table.reload()
        await self.learn_clouds()
