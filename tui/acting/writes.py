"""Read-only mode of clouds: lifted for a time, ended at once; on screen as words wherever one is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tui.faults import is_expected, sentence
from tui.table.cells import clean
from tui.table.format import moment_of

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp

WRITES = "/q/writes"
MOST_MINUTES = 1440


class Writes:
    """Mixed into the app."""

    def action_writes(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """On the page of clouds: what can be done about the cloud's read-only mode."""
        from tui.targets import is_writable

        row = self.table.current
        if row is None or self.pane.view.kind != "clouds":
            return
        from tui.dialogs.menu import Choice, MenuPage

        name = row.key[0]
        cloud = self.world.cloud(name) or {}
        open_now = is_writable(cloud, datetime.now(UTC))
        endless = open_now and not cloud.get("writable_until")
        always = "this cloud is always writable" if endless else ""
        choices = [
            Choice("lift", "W", "Lift read-only … " if not open_now else "Set a new end …", reason=always,
                   help="changes are allowed for a while"),
            Choice("end", "o", "READ-ONLY now", reason=always or ("" if open_now else "it is READ-ONLY already"),
                   help="jobs that run go on"),
        ]  # fmt: skip

        def choose(choice: Choice) -> None:
            if choice.id == "lift":
                self.ask_to_lift(name)
            else:
                self.close_dialog()
                self.in_background(self.end_writes(name))

        about = f"{clean(name)} is {'writable' if open_now else 'READ-ONLY'}"
        self.show_page(MenuPage(about, choices, choose, self.close_dialog), self.cursor_line())

    def command_readonly(self: QuarterdeckApp, argument: str) -> None:  # type: ignore[misc]
        """`:readonly off [minutes] [cloud]` asks to lift it, `:readonly on [cloud]` ends that."""
        verb, *rest = argument.split()
        minutes = next((int(word) for word in rest if word.isascii() and word.isdigit() and len(word) < 6), None)
        named = [word for word in rest if not word.isdigit()]
        name = named[0] if named else self._cloud_here()
        if not name:
            self.notice("there are several clouds: name one, for example :readonly off 60 NAME")
        elif self.world.cloud(name) is None:
            self.notice(f"there is no cloud {clean(name)}")
        elif verb == "on":
            self.in_background(self.end_writes(name))
        elif minutes is not None and not 1 <= minutes <= MOST_MINUTES:
            self.notice(f"read-only mode can be lifted for 1 to {MOST_MINUTES} minutes")
        else:
            self.ask_to_lift(name, minutes)

    def _cloud_here(self: QuarterdeckApp) -> str:  # type: ignore[misc]
        """The one cloud that the view is about; "" when it could be several."""
        view, row = self.pane.view, self.table.current
        if view.kind == "clouds" and row is not None:
            return str(row.key[0])
        names = view.clouds or view.subject[:1] or self.cloud_names
        return names[0] if len(names) == 1 else ""

    def ask_to_lift(  # type: ignore[misc]
        self: QuarterdeckApp, name: str, minutes: int | None = None, then: Callable[[], None] | None = None
    ) -> None:
        """Ask for how long and why; a production cloud asks for its name. `then` is called once it is lifted."""
        from tui.dialogs.telling import WaitPage

        wait = WaitPage(f"lift read-only of {clean(name)}", "asking for its rules …", self.close_dialog)
        self.show_page(wait)

        async def ask() -> None:
            try:
                items = (await self.world.get(WRITES)).get("items") or []
            except Exception as error:
                if self.page_is(wait):
                    self.tell(f"read-only of {clean(name)} can't be lifted", sentence(error))
                if not is_expected(error):
                    raise
                return
            rules: dict[str, Any] = next((item for item in items if item.get("cloud") == name), {})
            if self.page_is(wait):
                self._lift_form(name, rules, minutes, then)

        self.in_background(ask())

    def _lift_form(  # type: ignore[misc]
        self: QuarterdeckApp, name: str, rules: dict[str, Any], minutes: int | None, then: Callable[[], None] | None
    ) -> None:
        from store.types.actions import Option
        from tui.dialogs.fields import Field, PhraseField, TextField
        from tui.dialogs.form import FormPage

        length = minutes or rules.get("minutes") or 60
        fields: list[Field] = [
            TextField(Option("minutes", "Minutes", "number", required=True, minimum=1, maximum=MOST_MINUTES,
                             help="then it is READ-ONLY again by itself"), str(length)),
            TextField(Option("reason", "Reason", required=bool(rules.get("reason_required")),
                             help="stands in the audit"), self.kept_words.get("reason", "")),
        ]  # fmt: skip
        intro = ["For this time plans may be carried out in it. Nothing is changed by lifting it."]
        if rules.get("production"):
            intro.append(f"{clean(name)} is a PRODUCTION cloud: type its name to go on.")
            fields.append(PhraseField(Option("typed", "Its name", required=True), name))

        def submit(values: dict[str, Any]) -> None:
            self.in_background(self._lift(form, name, {"reason": "", "typed": ""} | values, then))

        form = FormPage(
            f"lift read-only of {clean(name)}", "", fields, submit, self.close_dialog, go="Lift it", intro=intro
        )
        self.show_page(form)

    async def _lift(  # type: ignore[misc]
        self: QuarterdeckApp, form: Any, name: str, body: dict[str, Any], then: Callable[[], None] | None
    ) -> None:
        self.keep_words({"reason": body["reason"]})
        try:
            item = await self.world.post(f"{WRITES}/{quote(name, safe='')}", json=body)
        except Exception as error:
            form.say(sentence(error) if is_expected(error) else "the console met an error")
            if not is_expected(error):
                raise
            return
        self._take_writes(name, item)
        if self.page_is(form):
            self.close_dialog()
            if then is not None:
                then()

    async def end_writes(self: QuarterdeckApp, name: str) -> None:  # type: ignore[misc]
        """Read-only from now on."""
        self._take_writes(name, await self.world.delete(f"{WRITES}/{quote(name, safe='')}"))

    def _take_writes(self: QuarterdeckApp, name: str, item: Any) -> None:  # type: ignore[misc]
        item = item if isinstance(item, dict) else {"writable": False, "until": None}
        cloud = self.world.cloud(name)
        if cloud is not None:
            cloud["writable"], cloud["writable_until"] = bool(item.get("writable")), item.get("until")
        moment = moment_of(str(item.get("until") or ""))
        until = f" until {moment.astimezone():%H:%M}" if moment is not None else ""
        self.notice(f"{clean(name)} is {'writable' + until if item.get('writable') else 'READ-ONLY'}")
        if self.pane.view.kind == "clouds":
            self.pane.expire()
            self.table.reload()
