"""Marked machines and `R`: one plan for all of them, its review, and what can be asked of it while it runs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from tui.faults import is_expected, sentence
from tui.state import View
from tui.table.cells import clean

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp
    from tui.dialogs.restore_many import ManyPage
    from tui.targets import Targets

OVER = ("expired", "executed", "refused")  # codes of refusals after which a plan is of no use as it is


class RestoreMany:
    """Mixed into the app."""

    def restore_marked(self: QuarterdeckApp, targets: Targets) -> None:  # type: ignore[misc]
        """Ask what is the same for all of them."""
        from tui import restore_many
        from tui.dialogs.form import FormPage

        if targets.past:
            self.notice("this is the past; u, enter leads back to now")
            return
        if targets.count is not None and targets.count > restore_many.MOST:
            self.notice(f"one plan is of at most {restore_many.MOST} machines; {targets.count:,} are marked")
            return

        def submit(values: dict[str, Any]) -> None:
            self.in_background(self._plan_many(form, targets, values))

        fields = restore_many.fields()
        form = FormPage("RESTORE", targets.words(), fields, submit, self.close_dialog, go="Plan them")
        self.show_page(form)

    async def _plan_many(self: QuarterdeckApp, form: Any, targets: Targets, values: dict[str, Any]) -> None:  # type: ignore[misc]
        """Have the engine make the plan, and show it."""
        from tui import restore_many
        from tui.dialogs.telling import WaitPage
        from tui.times import TimeError

        page = WaitPage("RESTORE", f"{targets.words()}: each is planned …", self.close_dialog)
        try:
            keys = await self._keys_of(targets)
            body = restore_many.request(keys, values, datetime.now().astimezone())
            self.show_page(page)
            plan = await self.world.post(restore_many.BULK, json=body)
        except (TimeError, ValueError) as error:
            form.say(str(error))
            return
        except Exception as error:
            if self.page_is(page):
                self.show_page(form)
            form.say(sentence(error) if is_expected(error) else "the console met an error: nothing was changed")
            if not is_expected(error):
                raise
            return
        if self.page_is(page):
            self._show_many(plan, form, targets, values)

    async def _keys_of(self: QuarterdeckApp, targets: Targets) -> list[list[str]]:  # type: ignore[misc]
        """Keys of the marked machines; of "all that pass" as they are now. Raises ValueError for too many."""
        from tui import restore_many

        if "keys" in targets.body:
            return [list(key) for key in targets.body["keys"]]
        most = restore_many.MOST + len(targets.body.get("minus") or ()) + 1
        asked = {name: targets.body[name] for name in ("filter", "clouds", "projects") if name in targets.body}
        answer = await self.world.post(
            "/q/windows", json={"type": "server", "columns": ["name"], "after": most, **asked}
        )
        without = {tuple(key) for key in targets.body.get("minus") or ()}
        keys = [list(row[:3]) for row in answer["rows"] if tuple(row[:3]) not in without]
        if len(keys) > restore_many.MOST:
            raise ValueError(f"one plan is of at most {restore_many.MOST} machines; more are marked")
        return keys

    def _show_many(  # type: ignore[misc]
        self: QuarterdeckApp, plan: dict[str, Any], form: Any, targets: Targets, values: dict[str, Any]
    ) -> None:
        from tui.dialogs.restore_many import Does, ManyPage

        def leave() -> None:
            self.keep_words({name: page.value(name) for name in ("reason", "ticket")})
            self.show_page(form)

        does = Does(
            back=leave,
            execute=lambda body: self.in_background(self._execute_many(page, body)),
            again=lambda: self.in_background(self._plan_many(form, targets, values)),
        )
        page: ManyPage = ManyPage(plan, self.kept_words, does)
        self.show_page(page)

    async def _execute_many(self: QuarterdeckApp, page: ManyPage, body: dict[str, Any]) -> None:  # type: ignore[misc]
        """Carry it out: once, and never again by itself. Its view takes over."""
        from tui import restore, restore_many
        from tui.api.errors import ApiError, EngineUnavailable

        self.keep_words(body)
        id = str(page.plan.get("id"))
        try:
            await self.world.post(restore.path_of(restore_many.BULK, id, "execute"), json=body)
        except ApiError as error:
            page.refuse(sentence(error), again=error.status == 404 or error.fields.get("code") in OVER)
            return
        except EngineUnavailable as error:
            page.refuse(f"{sentence(error)}; :restores-many shows whether it began", again=True)
            return
        except Exception:
            page.refuse("the console met an error; :restores-many shows whether it began", again=True)
            raise
        if self.page_is(page):
            self.close_dialog()
        self.table.marks.clear()
        self.open_view(View("restores-many", subject=(id,)))

    # While it runs

    def _many_here(self: QuarterdeckApp) -> dict[str, Any] | None:  # type: ignore[misc]
        find = getattr(self.pane, "many_here", None)
        found: dict[str, Any] | None = find(self.table.current) if find is not None else None
        return found

    def action_many_pause(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Begin no further machine; or go on."""
        many = self._many_here()
        can = (many or {}).get("can") or ()
        if many is None or not {"pause", "resume"} & set(can):
            self.notice("it neither runs nor is paused")
        elif "pause" in can:
            self.in_background(self._ask_many(many, "pause", None, "no further machine begins; those that run go on"))
        else:
            work = lambda: self._ask_many(many, "resume", None, "it goes on")  # noqa: E731
            self._confirm(f"{clean(many.get('detail') or 'paused')}. go on? y: ", work)

    def action_many_cancel(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Begin none of the rest: `y` lets those that run go on, `all` ends them, too."""
        many = self._many_here()
        if many is None or "cancel" not in (many.get("can") or ()):
            self.notice("there is nothing to cancel")
            return

        def answered(text: str) -> str | None:
            word = text.strip().lower()
            if word not in ("y", "yes", "all"):
                return "y begins none of the rest, all ends also those that run, esc leaves it"
            body = {"running": word == "all"}
            self.in_background(self._ask_many(many, "cancel", body, "none of the rest begins"))
            return None

        self.ask_line("cancel the rest (y), or also those that run (all): ", answered)

    async def _ask_many(  # type: ignore[misc]
        self: QuarterdeckApp, many: dict[str, Any], what: str, body: dict[str, Any] | None, said: str
    ) -> None:
        from tui import restore, restore_many

        await self.world.post(restore.path_of(restore_many.BULK, many.get("id"), what), json=body)
        self.notice(said)
        self.pane.expire()
        self.table.reload()
