"""Changing things: the action menu, its forms, the plan, and carrying it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from store.types import registry
from tui.faults import is_expected, sentence
from tui.state import OF_ONE, View
from tui.table.cells import clean

if TYPE_CHECKING:
    from store.types.actions import ActionDeclaration
    from tui.console import QuarterdeckApp
    from tui.dialogs.form import FormPage
    from tui.dialogs.menu import Choice
    from tui.dialogs.page import Page
    from tui.targets import Targets

PLANS = "/q/plans"
WORDS = ("reason", "ticket")


class Changing:
    """Mixed into the app."""

    kept_words: dict[str, str]  # reason and ticket of the last plan, offered again in this session

    # What it is about

    def chosen(self: QuarterdeckApp) -> Targets | None:  # type: ignore[misc]
        """The marked rows, else the row under the cursor, else the resource on screen; None when there is none."""
        from tui.targets import Targets

        view, past = self.pane.view, bool(self.pane.view.at)
        if view.kind in OF_ONE:
            row = getattr(self.pane, "answer", {}).get("row") or {}
            name = str(row.get("name") or "")
            return Targets(view.type, {"keys": [list(view.subject)]}, 1, view.subject[:1], name, row, past)
        if view.kind != "list":
            return None
        marks, current = self.table.marks, self.table.current
        if marks.keys or marks.of is not None:
            body = marks.targets()
            clouds = {key[0] for key in marks.keys} if marks.of is None else set(marks.of.clouds or self.cloud_names)
            if marks.of is None and len(marks.keys) == 1:
                return self._one(next(iter(marks.keys)))
            return Targets(view.type, body, marks.count, tuple(sorted(clouds)), past=past)
        return None if current is None or current.gone else self._one(current.key)

    def _one(self: QuarterdeckApp, key: tuple[str, ...]) -> Targets:  # type: ignore[misc]
        from tui.targets import Targets

        found = next((row for row in self.table.buffer.rows if row.key == key), None)
        values = dict(zip(self.table.buffer.columns, found.values, strict=False)) if found is not None else {}
        view, name = self.pane.view, str(values.get("name") or "")
        return Targets(view.type, {"keys": [list(key)]}, 1, key[:1], name, values, bool(view.at))

    def _type_here(self: QuarterdeckApp) -> str:  # type: ignore[misc]
        view = self.pane.view
        return view.type if view.kind in ("list", *OF_ONE) else ""

    def _against(self: QuarterdeckApp, declaration: ActionDeclaration, targets: Targets | None) -> str:  # type: ignore[misc]
        from tui.targets import reason_against

        if self.world.offline_since is not None:
            return "the engine does not answer"
        names = self._creating_clouds() if declaration.creates else targets.clouds if targets else ()
        clouds = [cloud for name in names if (cloud := self.world.cloud(name)) is not None]
        return reason_against(declaration, targets, clouds, str(self.world.me.get("role") or ""))

    def _creating_clouds(self: QuarterdeckApp) -> tuple[str, ...]:  # type: ignore[misc]
        view = self.pane.view
        return view.clouds or (view.subject[:1] if view.kind in OF_ONE else self.cloud_names)

    # Keys

    def action_actions(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The menu of what can be done to the row or the marks."""
        if self.pane.view.kind == "clouds":
            self.action_writes()
            return
        if self.table.marks.start is not None:
            self.notice("end the range with v first, esc forgets it")
            return
        from tui.dialogs.menu import MenuPage

        targets, type = self.chosen(), registry.ALL[self._type_here()]
        about = "actions   " + (targets.words() if targets else type.plural.replace("_", " "))
        line = self.cursor_line() if targets is not None and targets.count == 1 else None
        page = MenuPage(about, self._choices(targets), lambda choice: self._take(choice, targets), self.close_dialog)
        self.show_page(page, line)
        self.in_background(self._learn_me(page, targets))

    def _choices(self: QuarterdeckApp, targets: Targets | None) -> list[Choice]:  # type: ignore[misc]
        from store.types.actions import for_type
        from tui.dialogs.menu import Choice

        found = [
            Choice(d.id, d.key, d.title, d.danger, d.help, self._against(d, targets))
            for d in for_type(self._type_here())
        ]
        names = targets.clouds if targets else self._creating_clouds()
        closed = [name for name in names if not (self.world.cloud(name) or {}).get("writable")]
        if closed and (targets is not None or len(closed) == 1):
            found.append(Choice("writes", "W", f"Lift read-only of {clean(closed[0])[:20]} …", help="for a while"))
        return found

    def _take(self: QuarterdeckApp, choice: Choice, targets: Targets | None) -> None:  # type: ignore[misc]
        from store.types.actions import ACTIONS

        if choice.id == "writes":
            names = targets.clouds if targets else self._creating_clouds()
            closed = next(n for n in names if not (self.world.cloud(n) or {}).get("writable"))
            self.ask_to_lift(closed, then=self.action_actions)
        else:
            self.begin_action(ACTIONS[choice.id], targets)

    async def _learn_me(self: QuarterdeckApp, page: Any, targets: Targets | None) -> None:  # type: ignore[misc]
        """Who the engine takes us for, once; the open menu then knows what the role forbids."""
        if await self.learn_me() and self.page_is(page):
            page.choices = self._choices(targets)
            page.changed()

    def action_rename(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The type's rename."""
        self._begin_verb("rename", "renamed")

    def action_delete(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The type's delete."""
        self._begin_verb("delete", "deleted")

    def _begin_verb(self: QuarterdeckApp, verb: str, done: str) -> None:  # type: ignore[misc]
        from store.types.actions import ACTIONS

        type, targets = self._type_here(), self.chosen()
        declaration = ACTIONS.get(f"{type}.{verb}")
        if declaration is None:
            self.notice(f"{registry.ALL[type].plural.replace('_', ' ')} can't be {done} here; x shows what can be done")
        elif reason := self._against(declaration, targets):
            self.notice(f"{declaration.title}: {reason}")
        else:
            self.begin_action(declaration, targets)

    # From an action to its plan

    def begin_action(  # type: ignore[misc]
        self: QuarterdeckApp,
        declaration: ActionDeclaration,
        targets: Targets | None,
        values: Mapping[str, str] = {},
    ) -> None:
        """Ask what the action needs to know, then for its plan. `values` are filled in, by the names of options."""
        from tui.dialogs.asking import fields_for

        request: dict[str, Any] = {"action": declaration.id, "options": {}}
        about = targets.words() if targets and not declaration.creates else ""
        request["targets"] = {} if declaration.creates or targets is None else dict(targets.body)
        places = self._places(declaration, targets)
        fields = fields_for(declaration, targets, places, self.search_resource)
        for field in fields:
            if field.name in values:
                field.fill(values[field.name])
        if not fields:
            self.ask_plan(declaration, request, about)
            return
        from tui.dialogs.form import FormPage

        def submit(values: dict[str, Any]) -> None:
            place = values.pop("place", None) or next(iter(places), None)
            body = request | {"options": values}
            self.keep_words({name: values[name] for name in WORDS if values.get(name)})  # why is asked once
            if place is not None:
                body |= {"cloud": place[0], "region": place[1]}
            self.ask_plan(declaration, body, about, form)

        intro = [declaration.help] if declaration.help else []
        form: FormPage = FormPage(declaration.title, about, fields, submit, self.close_dialog, intro=intro)
        self.show_page(form, self.cursor_line() if about else None)

    def _places(self: QuarterdeckApp, declaration: ActionDeclaration, targets: Targets | None) -> list[tuple[str, str]]:  # type: ignore[misc]
        """(cloud, region) pairs that a new resource may be made in, the likeliest first; [] for other actions."""
        if not declaration.creates:
            return []
        here = tuple(targets.body["keys"][0][:2]) if targets and targets.count == 1 else ("", "")
        places = []
        for name in self._creating_clouds():
            cloud = self.world.cloud(name) or {}
            places += [(name, str(region)) for region in cloud.get("regions") or [""]]
        return sorted(places, key=lambda place: place != here)

    def ask_plan(  # type: ignore[misc]
        self: QuarterdeckApp,
        declaration: ActionDeclaration,
        request: dict[str, Any],
        about: str,
        form: FormPage | None = None,
    ) -> None:
        """Have the engine make a plan, and show it. Nothing is changed by that."""
        from tui.dialogs.telling import WaitPage

        back: Callable[[], None] = self.close_dialog if form is None else lambda: self.show_page(form)
        page = WaitPage(f"{declaration.title}  {about}", "making the plan: every target is read from its cloud …", back)
        self.show_page(page)

        async def ask() -> None:
            try:
                plan = await self.world.post(PLANS, json=request)
            except Exception as error:
                if not is_expected(error):
                    if self.page_is(page):
                        self.close_dialog()
                    raise
                self._no_plan(page, form, declaration, sentence(error))
                return
            if self.page_is(page):
                self.show_plan(plan, back, lambda: self.ask_plan(declaration, request, about, form))

        self.in_background(ask())

    def _no_plan(  # type: ignore[misc]
        self: QuarterdeckApp, page: Page, form: FormPage | None, declaration: ActionDeclaration, text: str
    ) -> None:
        if not self.page_is(page):
            return
        if form is not None:
            self.show_page(form)
            form.say(text)
        else:
            self.tell(f"{declaration.title}: no plan could be made", text)

    def show_plan(  # type: ignore[misc]
        self: QuarterdeckApp, plan: Mapping[str, Any], back: Callable[[], None], again: Callable[[], None]
    ) -> None:
        """Show a plan; from here it is carried out, or not."""
        from tui.dialogs.plan import PlanPage

        def after_keeping(go: Callable[[], None]) -> Callable[[], None]:
            def leave() -> None:
                self.keep_words({name: page.value(name) for name in WORDS})
                go()

            return leave

        page: PlanPage = PlanPage(
            plan,
            self.kept_words,
            back=after_keeping(back),
            execute=lambda body: self.in_background(self._execute(page, body)),
            again=after_keeping(again),
            copy=lambda text: (
                page.say(self.copy_text(text)) if text else page.say("the engine knows no command for it")
            ),
            save=lambda text: page.say(self.save_text(text, f"qdeck-plan-{plan.get('id')}")),
        )
        self.show_page(page)

    def keep_words(self: QuarterdeckApp, words: Mapping[str, Any]) -> None:  # type: ignore[misc]
        """What somebody typed is offered again, also when it led to nothing."""
        self.kept_words = self.kept_words | {name: str(words.get(name) or "") for name in WORDS if name in words}

    async def _execute(self: QuarterdeckApp, page: Any, body: dict[str, Any]) -> None:  # type: ignore[misc]
        """Carry a plan out: once, and never again by itself. The job's view takes over."""
        from tui.api.errors import ApiError, EngineUnavailable

        self.keep_words(body)
        try:
            answer = await self.world.post(f"{PLANS}/{page.plan['id']}/execute", json=body)
        except ApiError as error:
            differences = error.fields.get("differences")
            told = [str(one) for one in differences] if isinstance(differences, list) else []
            again = error.status == 409 or error.status == 404
            page.refuse(sentence(error), again=again, differences=told)
            return
        except EngineUnavailable as error:
            page.refuse(f"{sentence(error)} (7 shows the jobs)", again=True)
            return
        except Exception:
            page.refuse("the console met an error; 7 shows whether the job began", again=True)
            raise
        job = answer.get("job") if isinstance(answer, dict) else None
        if self.page_is(page):
            self.close_dialog()
        self.table.marks.clear()
        if isinstance(job, dict):
            self.take_job(job)
            self.open_view(View("job", subject=(str(job.get("id")),)))
