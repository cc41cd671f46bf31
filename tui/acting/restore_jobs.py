"""Restores that run, ran and are planned: what can be asked of them; and what they keep for a while."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from tui.faults import is_expected, sentence
from tui.state import View
from tui.table.cells import clean

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp
    from tui.table.spec import Row

MOST_DAYS = 365
STORAGE = ("delete_old_volume", "delete_source_snapshot")


class RestoreJobs:
    """Mixed into the app."""

    # Pages

    def action_restores(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """All restores."""
        self.open_view(View("restores", clouds=self.pane.view.clouds))

    def action_restore_pages(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Restores, what is kept, and back; nothing is piled up."""
        view = self.pane.view
        other = "restore-kept" if view.kind == "restores" else "restores"
        self.open_view(View(other, clouds=view.clouds), instead=True)

    def open_in_restores(self: QuarterdeckApp, row: Row) -> None:  # type: ignore[misc]
        """A job's view; a plan that nobody carried out in its review."""
        from tui.panes.restores import is_plan

        job = self._restore_here()
        view = self.pane.enter(row)
        if view is not None:
            self.open_view(view)
        elif job is not None and is_plan(job):
            self._open_plan(job)

    def _open_plan(self: QuarterdeckApp, job: Mapping[str, Any]) -> None:  # type: ignore[misc]
        from tui import restore
        from tui.dialogs.telling import WaitPage

        page = WaitPage(f"RESTORE {restore.machine_of(job)}", "reading the plan …", self.close_dialog)
        self.show_page(page)

        async def ask() -> None:
            try:
                plan = await self.world.get(restore.path_of(restore.PLANS, job.get("plan_id") or job.get("id")))
            except Exception as error:
                self._restore_fails(page, "the plan can't be read", error)
                return
            if self.page_is(page):
                request = plan.get("request") if isinstance(plan.get("request"), Mapping) else {}
                self.show_restore_plan(plan, request)

        self.in_background(ask())

    def command_restore(self: QuarterdeckApp, argument: str) -> None:  # type: ignore[misc]
        """`:restore 118` opens a restore, `:restore` the wizard for the machine here, else the list."""
        if argument.strip():
            self.open_view(View("restore", subject=(clean(argument.strip())[:64],)))
        elif self._protected_here() is not None and self.pane.view.kind != "restore-kept":
            self.action_restore()
        else:
            self.action_restores()

    # What can be asked of one

    def _restore_here(self: QuarterdeckApp) -> dict[str, Any] | None:  # type: ignore[misc]
        find = getattr(self.pane, "restore_here", None)
        job: dict[str, Any] | None = find(self.table.current) if find is not None else None
        return job

    def _restore_for(self: QuarterdeckApp, id: str) -> dict[str, Any] | None:  # type: ignore[misc]
        """The job that is meant, if that can be asked of it now."""
        from tui import restore

        job = self._restore_here()
        if reason := restore.why_not(id, job):
            self.notice(reason if not job else f"restore {clean(job.get('number') or '')}: {reason}")
            return None
        return job

    async def _ask_restore(  # type: ignore[misc]
        self: QuarterdeckApp, job: Mapping[str, Any], what: str, body: Mapping[str, Any], said: str
    ) -> Any:
        from tui import restore

        answer = await self.world.post(restore.path_of(restore.JOBS, job.get("id"), what), json=dict(body))
        if said:
            self.notice(said)
        self._restores_again()
        return answer

    def _restores_again(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.pane.expire()
        self.table.reload()

    def _send_form(self: QuarterdeckApp, form: Any, work: Callable[[], Awaitable[None]]) -> None:  # type: ignore[misc]
        """Do what a form asks for; a refusal is said in the form, which asks for a phrase where that was missing."""

        async def send() -> None:
            try:
                await work()
            except Exception as error:
                phrase = getattr(error, "fields", {}).get("typed")
                if isinstance(phrase, str) and phrase:
                    ask_phrase(form, clean(phrase))
                form.say(sentence(error) if is_expected(error) else "the console met an error")
                if not is_expected(error):
                    raise
                return
            if self.page_is(form):
                self.close_dialog()

        self.in_background(send())

    def action_restore_cancel(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """End it, and put back what it changed, once that is confirmed."""
        job = self._restore_for("restore_cancel")
        if job is None:
            return
        number = clean(job.get("number") or "")
        said = f"restore {number} is being cancelled; what runs is finished, then all is put back"

        async def cancel() -> None:
            await self._ask_restore(job, "cancel", {"reason": ""}, said)

        if str(job.get("status")) == "PLANNED":
            said = "the plan is given up"
            self._confirm("give this plan up? nothing was changed by it. y: ", cancel)
        else:
            self._confirm(f"cancel restore {number}? the old machine gets back what is its. y: ", cancel)

    def action_restore_retry(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Again from the step that failed, with the same or other addresses; a REPLACE asks for its phrase."""
        from store.types.actions import Option
        from tui import restore
        from tui.dialogs.fields import ChoiceField, Field, PhraseField
        from tui.dialogs.focus import GO
        from tui.dialogs.form import FormPage

        job = self._restore_for("restore_retry")
        if job is None:
            return
        words = [(name, restore.STRATEGY_WORDS[name]) for name in restore.STRATEGIES[:3]]
        option = Option("ip_strategy_override", "Addresses", "choice", restore.STRATEGIES[:3])
        fields: list[Field] = []
        if restore.way_code(job) in restore.MAKES_MACHINE:
            fields.append(ChoiceField(option, [("", "as before"), *words], ""))
        intro = ["What it made already is used again. It goes on from the step that failed."]
        phrase = f"DELETE AND RESTORE {clean(job.get('vm_name') or job.get('server_name') or '')}"
        if restore.way_code(job) == "REPLACE":
            intro.append(f"To go on type:  {phrase}")
            fields.append(PhraseField(Option("typed", "The phrase", required=True), phrase))

        async def retry(values: dict[str, Any]) -> None:
            body = {"typed": values.get("typed") or "", "ip_strategy_override": values.get("ip_strategy_override")}
            body["ip_strategy_override"] = body["ip_strategy_override"] or None
            answer = await self._ask_restore(job, "retry", body, "")
            id = (answer or {}).get("job_id") or (answer or {}).get("id")
            if id:
                self.open_view(View("restore", subject=(str(id),)))

        def submit(values: dict[str, Any]) -> None:
            self._send_form(form, lambda: retry(values))

        title = f"try restore {clean(job.get('number') or '')} again"
        form = FormPage(title, restore.machine_of(job), fields, submit, self.close_dialog, go="Try again", intro=intro)
        if not fields:
            form.focus = GO
        self.show_page(form)

    def action_restore_cleanup(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """List what it left behind, looked at live; remove it when that is confirmed."""
        from tui import restore
        from tui.dialogs.telling import WaitPage

        job = self._restore_for("restore_cleanup")
        if job is None:
            return
        title = f"clean up after restore {clean(job.get('number') or '')}"
        page = WaitPage(title, "looking at what it left …", self.close_dialog)
        self.show_page(page)

        async def ask() -> None:
            try:
                answer = await self.world.get(restore.path_of(restore.JOBS, job.get("id"), "left"))
            except Exception as error:
                self._restore_fails(page, f"{title}: what it left can't be looked at", error)
                return
            if self.page_is(page):
                self._cleanup_form(job, title, restore.items_of(answer))

        self.in_background(ask())

    def _cleanup_form(self: QuarterdeckApp, job: dict[str, Any], title: str, left: list[dict[str, Any]]) -> None:  # type: ignore[misc]
        from store.types.actions import Option
        from tui import restore
        from tui.dialogs.fields import ChoiceField
        from tui.dialogs.form import FormPage

        intro, volumes = restore.cleanup_words(left)
        if not any(one.get("can_go") for one in left):
            self.tell(title, "\n".join(intro))
            return
        words = ((False, "keep for a retry"), (True, "DELETE too"))
        option = Option("delete_volume", "Volumes", "bool")
        fields = [ChoiceField(option, words, False)] if volumes else []

        def submit(values: dict[str, Any]) -> None:
            async def clean_up() -> None:
                body = {"delete_volume": bool(values.get("delete_volume")), "typed": values.get("typed") or ""}
                answer = await self._ask_restore(job, "cleanup", body, "")
                self.notice(restore.cleaned_words(answer))

            self._send_form(form, clean_up)

        name = restore.machine_of(job)
        form = FormPage(title, name, fields, submit, self.close_dialog, go="Clean up", intro=intro)
        self.show_page(form)

    def action_restore_storage(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Delete what a finished REPLACE left: the old root volume, the restore point if wanted."""
        from store.types.actions import Option
        from tui import restore
        from tui.dialogs.fields import ChoiceField, PhraseField
        from tui.dialogs.form import FormPage

        job = self._restore_for("restore_storage")
        if job is None:
            return
        name = clean(job.get("vm_name") or job.get("server_name") or job.get("id") or "")
        words = ((False, "keep"), (True, "DELETE"))
        fields = [
            ChoiceField(Option("delete_old_volume", "Old root volume", "bool"), words, True),
            ChoiceField(Option("delete_source_snapshot", "Restore point", "bool"), words, False),
            PhraseField(Option("name", "Its name", required=True), name),
        ]
        intro = [
            "Volumes that are attached or in use are left alone. What is deleted can't be brought back.",
            f"To go on type the machine's name:  {name}",
        ]

        def submit(values: dict[str, Any]) -> None:
            async def delete() -> None:
                body: dict[str, Any] = {part: bool(values.get(part)) for part in STORAGE}
                body["typed"] = values.get("typed") or ""
                answer = await self._ask_restore(job, "cleanup-storage", body, "")
                self.notice(restore.cleaned_words(answer))

            self._send_form(form, delete)

        title = f"old storage of restore {clean(job.get('number') or '')}"
        form = FormPage(title, name, fields, submit, self.close_dialog, go="Delete", intro=intro)
        self.show_page(form)

    def action_restore_answer(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Yes or no, where the job asks a person whether the machine answers."""
        from tui.dialogs.menu import Choice, MenuPage

        job = self._restore_for("restore_answer")
        if job is None:
            return
        choices = [
            Choice("yes", "y", "It answers", help="the restore goes on to its end"),
            Choice("no", "n", "It does not", help="everything is put back: the old machine is as it was"),
            Choice("log", "l", "Its console log", help="look first; the job waits"),
        ]

        def choose(choice: Choice) -> None:
            self.close_dialog()
            if choice.id == "log":
                self.action_restore_log()
                return
            said = "it goes on" if choice.id == "yes" else "everything is put back"
            self.in_background(self._ask_restore(job, "answer", {"answer": choice.id}, said))

        about = clean(job.get("asks") or "does it answer?")
        self.show_page(MenuPage(about, choices, choose, self.close_dialog, does="say so"))

    def action_restore_log(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The console log of the machine it made; before there is one, of the one it is about."""
        from tui import restore

        job = self._restore_here()
        key = (restore.server_of(job) or restore.old_server_of(job)) if job else None
        if key is None:
            self.notice("no machine to show the log of")
        else:
            self.open_view(View("log", "server", subject=key))

    def action_restore_machine(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The machine it made; else the one it is about."""
        from tui import restore

        job = self._restore_here()
        key = (restore.server_of(job) or restore.old_server_of(job)) if job else None
        if key is None:
            self.notice("no machine is known of it")
        else:
            self.open_view(View("detail", "server", subject=key))

    # What is kept

    def _kept_for(self: QuarterdeckApp, id: str) -> dict[str, Any] | None:  # type: ignore[misc]
        row = self.table.current
        if reason := self.pane.why_not(id, row):  # type: ignore[attr-defined]
            self.notice(reason)
            return None
        one: dict[str, Any] | None = self.pane.kept_here(row)  # type: ignore[attr-defined]
        return one

    async def _ask_kept(  # type: ignore[misc]
        self: QuarterdeckApp, one: Mapping[str, Any], what: str, body: Mapping[str, Any], said: str
    ) -> None:
        from tui import restore

        await self.world.post(restore.path_of(restore.KEPT, one.get("id"), what), json=dict(body))
        self.notice(said)
        self._restores_again()

    def action_keep_longer(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """So many more days."""
        one = self._kept_for("keep_longer")
        if one is None:
            return
        name = clean(one.get("name") or "")

        def answered(text: str) -> str | None:
            text = text.strip()
            if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_DAYS):
                return f"a number of days, 1 to {MOST_DAYS}"
            days = int(text)
            self.in_background(self._ask_kept(one, "extend", {"days": days}, f"{name} is kept {days} days longer"))
            return None

        self.ask_line(f"keep {name[:30]} for how many more days? ", answered)

    def action_release_kept(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """It stays, and is nobody's to remove any more."""
        one = self._kept_for("release_kept")
        if one is None:
            return
        name = clean(one.get("name") or "")

        async def release() -> None:
            await self._ask_kept(one, "release", {}, f"{name} is released: it stays until somebody deletes it")

        self._confirm(f"release {name[:30]}? it stays, unlocked. y: ", release)

    def action_remove_kept(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Gone for good, once its name is typed."""
        from store.types.actions import Option
        from tui.dialogs.fields import PhraseField
        from tui.dialogs.form import FormPage

        one = self._kept_for("remove_kept")
        if one is None:
            return
        name = clean(one.get("name") or one.get("resource_id") or "")

        def submit(values: dict[str, Any]) -> None:
            async def remove() -> None:
                await self._ask_kept(one, "remove", {"typed": values.get("typed") or ""}, f"{name} is being removed")

            self._send_form(form, remove)

        intro = ["It is deleted now. What was on it and is in no restore point is lost.", f"To go on type:  {name}"]
        fields = [PhraseField(Option("typed", "Its name", required=True), name)]
        form = FormPage(f"remove {name}", "", fields, submit, self.close_dialog, go="Remove it", intro=intro)
        self.show_page(form)


def ask_phrase(form: Any, phrase: str) -> None:
    """A form asks for a phrase too: that of a production cloud is told only when it was not given."""
    from store.types.actions import Option
    from tui.dialogs.fields import PhraseField

    form.fields = [field for field in form.fields if field.name != "typed"]
    field = PhraseField(Option("typed", "The phrase", required=True), phrase)
    form.fields.append(field)
    form.intro = [line for line in form.intro if not line.startswith("To go on type:  ")]
    form.intro.append(f"To go on type:  {phrase}")
    form.focus = field
