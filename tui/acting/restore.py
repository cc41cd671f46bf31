"""The restore wizard: from the machine under the cursor to a running job, a plan between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tui.faults import is_expected, sentence
from tui.state import View
from tui.table.cells import clean

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp
    from tui.dialogs.page import Page
    from tui.dialogs.restore_review import ReviewPage
    from tui.dialogs.restore_user_data import UserDataField

OVER = ("changed", "expired", "executed")  # codes of refusals after which a plan is of no use any more
NO_MACHINE = "a restore is of a machine; none is under the cursor"
WAITS = "the machine, its disks, its restore points and its host are read live …"


class Restoring:
    """Mixed into the app."""

    def action_restore(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The wizard for the machine under the cursor or on screen; several marked ones get one plan."""
        if self.table.marks.start is not None:
            self.notice("end the range with v first, esc forgets it")
            return
        if self.pane.view.kind == "list" and self.pane.view.type == "server" and self.table.marks:
            targets = self.chosen()
            if targets is not None and targets.count != 1:
                self.restore_marked(targets)
                return
        found = self._protected_here()
        if found is None:
            self.notice(NO_MACHINE)
        elif found[0] == "server":
            self.begin_restore(found[1], found[2], point=self._point_here())
        else:
            self.in_background(self._restore_of_volume(found[1], self._point_here()))

    def _point_here(self: QuarterdeckApp) -> str:  # type: ignore[misc]
        """The id of the restore point under the cursor; "" where the list is no list of points."""
        row = self.table.current
        return row.key[2] if self.pane.view.kind == "points" and row is not None and len(row.key) == 4 else ""

    async def _restore_of_volume(  # type: ignore[misc]
        self: QuarterdeckApp, key: tuple[str, ...], point: str, at: str = ""
    ) -> None:
        """The machine that has the volume, with this disk chosen."""
        from tui.panes.resources import resource_params, resource_path

        pane = self.pane
        answer = await self.world.get(resource_path("volume", key), resource_params(key, self.pane.view.at))
        server = str((answer.get("row") or {}).get("server_id") or "")
        if self.pane is not pane:
            return
        if server:
            self.begin_restore((key[0], key[1], server), "", point=point, disk=key[2], at=at)
        else:
            self.notice("this volume is attached to no machine; R on a machine restores it, deleted ones are in :find")

    # Where it begins

    def begin_restore(  # type: ignore[misc]
        self: QuarterdeckApp, key: tuple[str, ...], name: str, *, point: str = "", disk: str = "", at: str = ""
    ) -> None:
        """Ask what is known of the machine now, and show it. Nothing is changed by that.

        `at`: local time; the newest point taken by then is chosen, where no `point` is.
        """
        from tui import restore
        from tui.dialogs.telling import WaitPage

        called = clean(name or key[2])
        page = WaitPage(f"RESTORE {called}", WAITS, self.close_dialog)
        self.show_page(page)
        asked = {"cloud": key[0], "region": key[1], "id": key[2]}

        async def ask() -> None:
            try:
                answer = await self.world.get(restore.START, asked)
            except Exception as error:
                self._restore_fails(page, f"{called} can't be restored from here", error)
                return
            if self.page_is(page):
                self._show_start(key, answer if isinstance(answer, dict) else {}, point, disk, at)

        self.in_background(ask())

    def _restore_fails(self: QuarterdeckApp, page: Page, title: str, error: Exception) -> None:  # type: ignore[misc]
        """A sentence in place of what was waited for. Raises what nobody expected."""
        if self.page_is(page):
            text = sentence(error) if is_expected(error) else "the console met an error; :activity shows it"
            if getattr(error, "status", None) == 404:
                text += "\nRestores may be switched off (setting restore.enabled), or nothing is known of this machine."
            self.tell(title, text)
        if not is_expected(error):
            raise error

    def _show_start(  # type: ignore[misc]
        self: QuarterdeckApp, key: tuple[str, ...], answer: Mapping[str, Any], point: str, disk: str, at: str = ""
    ) -> None:
        from tui.dialogs.restore_start import StartPage

        machine = answer.get("machine") or {}

        def plan(way: str, point_id: str, disk_id: str) -> None:
            request: dict[str, Any] = {"cloud": key[0], "region": key[1], "server_id": key[2], "way": way}
            request |= {"project_id": str(machine.get("project_id") or ""), "restore_point_id": point_id}
            if disk_id:
                request["volume_id"] = disk_id
            if way == "REPLACE":  # its successor takes over; the engine's own default is meant for copies
                request["ip_strategy"] = "SAME_IPS_OR_FAIL"
            self.plan_restore(request, start=page, answer=answer)

        def log() -> None:
            self.close_dialog()
            self.open_view(View("log", "server", subject=tuple(key)))

        page = StartPage(answer, plan=plan, back=self.close_dialog, log=log, point=point, disk=disk, at=at)
        self.show_page(page)

    # The plan

    def plan_restore(  # type: ignore[misc]
        self: QuarterdeckApp, request: dict[str, Any], *, start: Page | None = None, answer: Mapping[str, Any] = {}
    ) -> None:
        """Have the engine make a plan, and show it."""
        from tui import restore
        from tui.dialogs.telling import WaitPage

        back = self.close_dialog if start is None else lambda: self.show_page(start)
        way = restore.WAY_WORDS.get(str(request.get("way")), "")
        page = WaitPage(f"RESTORE {way}", "making the plan: quotas, hosts and addresses are looked at …", back)
        self.show_page(page)

        async def ask() -> None:
            try:
                plan = await self.world.post(restore.PLANS, json=request)
            except Exception as error:
                if start is not None and self.page_is(page) and is_expected(error):
                    self.show_page(start)
                    start.saying = sentence(error)  # type: ignore[attr-defined]
                    start.changed()
                    return
                self._restore_fails(page, "no plan could be made", error)
                return
            if self.page_is(page):
                self.show_restore_plan(plan, request, start=start, answer=answer)

        self.in_background(ask())

    def show_restore_plan(  # type: ignore[misc]
        self: QuarterdeckApp,
        plan: Mapping[str, Any],
        request: Mapping[str, Any],
        *,
        start: Page | None = None,
        answer: Mapping[str, Any] = {},
    ) -> None:
        """The review: from here it is carried out, changed, saved, or not."""
        from tui.dialogs.restore_review import Does, ReviewPage

        def leave() -> None:
            self.keep_words({name: page.value(name) for name in ("reason", "ticket")})
            if start is None:
                self.close_dialog()
            else:
                self.show_page(start)

        def ways() -> None:
            if start is None:
                self.begin_restore(_key(page.request), "")
            else:
                leave()

        def show_again() -> None:
            self.show_page(page)

        does = Does(
            back=leave,
            execute=lambda body: self.in_background(self._execute_restore(page, body)),
            plan=lambda wanted: self.in_background(self._plan_anew(page, wanted)),
            point=lambda disk: self._choose_point(page, disk, answer, show_again),
            address=lambda nic: self.in_background(self._choose_address(page, nic, show_again)),
            options=lambda: self._choose_options(page, show_again),
            ways=ways,
            copy=lambda text: (
                page.say(self.copy_text(text)) if text else page.say("the engine knows no command for it")
            ),
            save=lambda: self._save_restore(page, show_again),
        )
        page: ReviewPage = ReviewPage(plan, request, self.kept_words, does, ways=answer.get("ways") or ())
        self.show_page(page)

    async def _plan_anew(self: QuarterdeckApp, page: ReviewPage, wanted: dict[str, Any]) -> None:  # type: ignore[misc]
        """The plan for something that was changed, or the same one read again."""
        from tui import restore

        try:
            plan = await self.world.post(restore.PLANS, json=wanted)
        except Exception as error:
            page.say(sentence(error) if is_expected(error) else "the console met an error: nothing was changed")
            if not is_expected(error):
                raise
            return
        page.take_plan(plan, wanted)

    # What can be chosen

    def _choose_point(  # type: ignore[misc]
        self: QuarterdeckApp, page: ReviewPage, disk: Mapping[str, Any] | None, answer: Mapping[str, Any], back: Any
    ) -> None:
        from tui import restore
        from tui.dialogs.menu import Choice, MenuPage
        from tui.dialogs.restore_choose import point_choices

        volume = str((disk or {}).get("volume_id") or "")
        choices = point_choices(answer.get("points") or (), answer.get("disks") or page.disks, volume)

        def choose(choice: Choice) -> None:
            self.show_page(page)
            if disk is not None:
                page.choose(disk, restore.POINT + choice.id)
            else:
                page.choose_point(choice.id)
            page.changed()

        if not choices:
            page.say("no other restore point is known; w shows the timeline")
            return
        about = f"restore points of {restore.short_disk(disk)}" if disk is not None else "restore points"
        self.show_page(MenuPage(about, choices, choose, back, does="take this one"))

    async def _choose_address(  # type: ignore[misc]
        self: QuarterdeckApp, page: ReviewPage, nic: Mapping[str, Any], back: Any
    ) -> None:
        from tui import restore
        from tui.dialogs.restore_choose import AddressPage

        request = page.request
        asked = {"cloud": request.get("cloud"), "region": request.get("region")}
        asked |= {"network": nic.get("network_id"), "project": request.get("project_id")}
        try:
            answer = await self.world.get(restore.ADDRESSES, asked)
        except Exception as error:
            page.say(sentence(error) if is_expected(error) else "the console met an error")
            if not is_expected(error):
                raise
            return

        def take(address: str) -> None:
            self.show_page(page)
            page.choose_address(nic, address)
            page.changed()

        if self.page_is(page):
            title = f"free addresses of {clean(nic.get('network_name') or nic.get('network_id') or '')}"
            self.show_page(AddressPage(title, answer if isinstance(answer, dict) else {}, take, back))

    def _choose_options(self: QuarterdeckApp, page: ReviewPage, back: Any) -> None:  # type: ignore[misc]
        from tui.dialogs.form import FormPage
        from tui.dialogs.restore_choose import changed_request, option_fields

        cloud = str(page.request.get("cloud") or "")
        fields = option_fields(
            page.plan,
            page.request,
            lambda field, text: self.search_resource(field, text, cloud),
            lambda field: self.in_background(self._look_at_user_data(form, field, page.request)),
        )

        before = {field.name: field.value() for field in fields}

        def submit(values: dict[str, Any]) -> None:
            self.show_page(page)
            page.planning = True
            changed = [
                name for name, value in before.items() if values.get(name) != value
            ]  # defaults stay the engine's
            wanted = changed_request(page.request, values, changed)
            self.in_background(self._plan_anew(page, wanted))
            page.changed()

        if not fields:
            page.say("this way has no more to choose")
            return
        form = FormPage("more about this restore", "", fields, submit, back, go="Plan it so")
        self.show_page(form)

    async def _look_at_user_data(  # type: ignore[misc]
        self: QuarterdeckApp, form: Page, field: UserDataField, request: Mapping[str, Any]
    ) -> None:
        """Its first lines, into the form and nowhere else."""
        from tui import restore

        cloud, region, id = _key(request)
        try:
            answer = await self.world.get(restore.USER_DATA, {"cloud": cloud, "region": region, "id": id})
        except Exception as error:
            field.refuse(sentence(error) if is_expected(error) else "the console met an error")
            form.changed()
            if not is_expected(error):
                raise
            return
        if self.page_is(form) and isinstance(answer, dict):
            field.tell(answer)
            form.changed()

    def _save_restore(self: QuarterdeckApp, page: ReviewPage, back: Any) -> None:  # type: ignore[misc]
        from tui.dialogs.menu import Choice, MenuPage
        from tui.dialogs.restore_lines import as_json, as_markdown

        def save(choice: Choice) -> None:
            self.show_page(page)
            text = as_json(page.plan) if choice.id == "json" else as_markdown(page.plan)
            page.say(self.save_text(text, f"qdeck-restore-{page.plan.get('id')}", choice.id))

        choices = [
            Choice("md", "m", "Markdown", help="for a change record: everything the plan says"),
            Choice("json", "j", "JSON", help="for programs: the plan as the engine made it"),
        ]
        self.show_page(MenuPage("save the plan as a new file", choices, save, back, does="save it"))

    # Carrying it out

    async def _execute_restore(self: QuarterdeckApp, page: ReviewPage, body: dict[str, Any]) -> None:  # type: ignore[misc]
        """Carry a plan out: once, and never again by itself. The job's view takes over."""
        from tui import restore
        from tui.api.errors import ApiError, EngineUnavailable

        self.keep_words(body)
        try:
            answer = await self.world.post(restore.path_of(restore.PLANS, page.plan.get("id"), "execute"), json=body)
        except ApiError as error:
            differences = error.fields.get("differences")
            told = [str(one) for one in differences] if isinstance(differences, list) else []
            again = bool(told) or error.status == 404 or error.fields.get("code") in OVER
            page.refuse(sentence(error), again=again, differences=told)
            return
        except EngineUnavailable as error:
            page.refuse(f"{sentence(error)}; 4 shows whether the job began", again=True)
            return
        except Exception:
            page.refuse("the console met an error; 4 shows whether the job began", again=True)
            raise
        if self.page_is(page):
            self.close_dialog()
        self.table.marks.clear()
        told_job = answer.get("job") if isinstance(answer, dict) and isinstance(answer.get("job"), dict) else answer
        if isinstance(told_job, dict) and (told_job.get("id") or told_job.get("job_id")):
            self.open_view(View("restore", subject=(str(told_job.get("id") or told_job.get("job_id")),)))
        else:
            self.action_restores()


def _key(request: Mapping[str, Any]) -> tuple[str, str, str]:
    cloud, region, id = (str(request.get(name) or "") for name in ("cloud", "region", "server_id"))
    return cloud, region, id
