"""Making and changing policies, sets and exclusions; allowing policy runs in a cloud; running policies now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tui.faults import is_expected, sentence
from tui.table.cells import clean

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.console import QuarterdeckApp
    from tui.dialogs.snapshots import EditorPage

PREVIEW_DELAY = 0.25  # seconds between the last key in a field and the question what it would do
Entry = tuple[str, dict[str, Any]]  # "policy" or "set", and what is known of it


class SnapshotPolicies:
    """Mixed into the app."""

    preview_timer: Timer | None = None

    # Policies and sets

    def action_add_policy(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """A menu: the usual policies, one of your own, a set."""
        from tui.dialogs.menu import Choice, MenuPage
        from tui.snapshots import PRESETS

        choices = [
            Choice(name, name[0], name, help=f"{words}, keeps {keep}: {about}") for name, words, keep, about in PRESETS
        ]
        choices += [
            Choice("policy", "p", "a policy of your own", help="when, how many are kept, for which volumes"),
            Choice("set", "s", "a set", help="gives policies to the volumes that match"),
        ]
        known = {name: {"name": name, "schedule": words, "keep": keep} for name, words, keep, _ in PRESETS}

        def choose(choice: Choice) -> None:
            if choice.id == "set":
                self.edit_set({})
            else:
                self.edit_policy(known.get(choice.id, {}), new=True)

        self.show_page(MenuPage("add", choices, choose, self.close_dialog, "fill in the form"))

    def _entry_here(self: QuarterdeckApp) -> Entry | None:  # type: ignore[misc]
        from tui.panes.snapshots_policies import PoliciesPane

        row, pane = self.table.current, self.pane
        item = pane.items.get(row.key) if row is not None and isinstance(pane, PoliciesPane) else None
        if row is None or item is None:
            self.notice("no policy or set is under the cursor")
            return None
        return row.key[0], item

    def action_edit_policy(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The policy or set under the cursor, in a form."""
        found = self._entry_here()
        if found is None:
            return
        if found[0] == "policy":
            self.edit_policy(found[1], new=False)
        else:
            self.edit_set(found[1])

    def edit_policy(self: QuarterdeckApp, item: Mapping[str, Any], *, new: bool) -> None:  # type: ignore[misc]
        """A form with what the policy would do under it; a new one may bring a set that gives it to volumes."""
        from tui.dialogs import snapshot_fields as fields
        from tui.snapshots import POLICIES, SETS

        made_up = item.get("known") is False  # a name that somebody uses: now it gets a row

        async def save(values: dict[str, Any]) -> str:
            body, name = fields.policy_of(values), str(values["name"])
            if new or made_up:
                await self.world.post(POLICIES, json={"name": name, **body})
            else:
                await self.world.put(f"{POLICIES}/{quote(name, safe='')}", json=body)
            whom = values.get("for")
            if new and whom in (fields.ALL, fields.SOME):
                await self.world.post(SETS, json=fields.set_for(values))
            return f"policy {clean(name)} {'made' if new else 'changed'}"

        title = "a policy" if new else f"policy {clean(item.get('name') or '')}"
        page = self._editor(title, fields.policy_fields(item, new=new), save, fields.policy_preview, new=new)
        self.show_page(page)
        page.ask_again()

    def edit_set(self: QuarterdeckApp, item: Mapping[str, Any]) -> None:  # type: ignore[misc]
        """A form with the volumes that the set would take under it."""
        from tui.dialogs import snapshot_fields as fields
        from tui.snapshots import SETS

        id = item.get("id")

        async def save(values: dict[str, Any]) -> str:
            body = fields.set_of(values, item)
            if id is None:
                await self.world.post(SETS, json=body)
            else:
                await self.world.put(f"{SETS}/{quote(str(id), safe='')}", json=body)
            return f"set {clean(body['name'] or '')} {'made' if id is None else 'changed'}"

        def preview(values: dict[str, Any]) -> Any:
            return fields.set_preview(values, item)

        title = f"set {clean(item.get('name') or '')}" if item else "a set"
        page = self._editor(title, fields.set_fields(item, self.cloud_names), save, preview, new=id is None)
        self.show_page(page)
        page.ask_again()

    def _editor(self: QuarterdeckApp, title: str, fields: Any, save: Any, body_of: Any, *, new: bool) -> EditorPage:  # type: ignore[misc]
        from tui.dialogs.snapshots import EditorPage

        def submit(values: dict[str, Any]) -> None:
            self.in_background(self._save(page, save, values))

        def ask(page: EditorPage) -> None:
            if self.preview_timer is not None:
                self.preview_timer.stop()
            work = lambda: self.in_background(self._preview(page, body_of))  # noqa: E731
            self.preview_timer = self.set_timer(PREVIEW_DELAY, work)

        page = EditorPage(title, "", fields, submit, self.close_dialog, ask, go="Make it" if new else "Change it")
        return page

    async def _preview(self: QuarterdeckApp, page: EditorPage, body_of: Any) -> None:  # type: ignore[misc]
        """What the values would do; an answer that came too late is not shown."""
        from tui.snapshots import PREVIEW, SCHEDULE, preview_of

        if not self.page_is(page):
            return
        asked = schedule, body = body_of(page.values())
        told, answer = None, None
        try:
            if schedule is not None:
                told = await self.world.get(SCHEDULE, schedule)
            if body is not None and not (told or {}).get("problems"):
                answer = await self.world.post(PREVIEW, json=body)
        except Exception as error:
            if not is_expected(error):
                page.no_preview("the console met an error")
                raise
            page.no_preview(sentence(error))
            return
        if self.page_is(page) and asked == body_of(page.values()):
            page.take_preview(preview_of(answer, told))

    async def _save(self: QuarterdeckApp, page: Any, save: Any, values: dict[str, Any]) -> None:  # type: ignore[misc]
        """Send it; what is refused stays in the form with the reason, at its field where the engine names one."""
        try:
            words = await save(values)
        except Exception as error:
            if not is_expected(error):
                page.say("the console met an error")
                raise
            refuse = getattr(page, "refuse", None)  # an editor says it at the field
            if refuse is None or not refuse(sentence(error)):
                page.say(sentence(error))
            return
        if self.page_is(page):
            self.close_dialog()
        self.notice(words)
        self._room_again()

    def action_toggle_policy(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Switch the policy or set on or off."""
        found = self._entry_here()
        if found is not None:
            self.in_background(self._toggle(*found))

    async def _toggle(self: QuarterdeckApp, kind: str, item: dict[str, Any]) -> None:  # type: ignore[misc]
        from tui.snapshots import POLICIES, SETS

        name = clean(item.get("name") or "")
        if kind == "policy" and item.get("known") is False:
            self.notice(f"{name} was made up from its name: e makes it a policy that can be switched off")
            return
        if kind == "policy":
            on = not item.get("enabled", True)
            await self.world.put(f"{POLICIES}/{quote(str(item['name']), safe='')}", json={"enabled": on})
        else:
            on = not item.get("is_active", True)
            await self.world.put(f"{SETS}/{quote(str(item['id']), safe='')}", json={"is_active": on})
        off = "nothing is made" if kind == "policy" else "it gives nothing to any volume"
        self.notice(f"{kind} {name} is {'on' if on else f'off: {off}'}")
        self._room_again()

    def action_delete_policy(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Ask for its name, then delete the policy or set. Restore points stay."""
        found = self._entry_here()
        if found is None:
            return
        from store.types.actions import Option
        from tui.dialogs.fields import PhraseField
        from tui.dialogs.form import FormPage
        from tui.snapshots import POLICIES, SETS

        kind, item = found
        name = clean(item.get("name") or "")
        if kind == "policy" and item.get("known") is False:
            self.notice(f"{name} is nobody's policy: it is made up from a name on volumes or in a set")
            return
        path = f"{POLICIES}/{quote(name, safe='')}" if kind == "policy" else f"{SETS}/{item.get('id')}"

        async def delete(values: dict[str, Any]) -> str:
            await self.world.delete(path)
            return f"{kind} {name} deleted; its restore points stay"

        def submit(values: dict[str, Any]) -> None:
            self.in_background(self._save(form, delete, values))

        count = item.get("volumes")
        whom = f"{count:,} volumes lose it. " if isinstance(count, int) and count else ""
        intro = [f"{whom}Restore points that it made stay, and are removed by nobody any more."]
        phrase = PhraseField(Option("typed", "Its name", required=True), name)
        form = FormPage(f"delete {kind} {name}", "", [phrase], submit, self.close_dialog, go="Delete it", intro=intro)
        self.show_page(form)

    # Exclusions

    def action_exclude(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """A form; it begins with the volume under the cursor."""
        from tui.dialogs.form import FormPage
        from tui.dialogs.snapshot_fields import exclusion_fields, exclusion_of
        from tui.snapshots import EXCLUSIONS

        here = getattr(self.pane, "volume_here", lambda row: None)(self.table.current)
        item = {"cloud": here[1][0], "region": here[1][1], "volume_id": here[1][2]} if here else {}

        async def save(values: dict[str, Any]) -> str:
            body = exclusion_of(values, item, self.cloud_names, datetime.now().astimezone())
            if isinstance(body, str):
                return body
            await self.world.post(EXCLUSIONS, json=body)
            return "excluded: no policy takes it from now on; restore points it has stay"

        def submit(values: dict[str, Any]) -> None:
            body = exclusion_of(values, item, self.cloud_names, datetime.now().astimezone())
            if isinstance(body, str):
                form.say(body)
            else:
                self.in_background(self._save(form, save, values))

        intro = ["An exclusion wins over every policy, set and the volume's own metadata."]
        fields = exclusion_fields(item, self.cloud_names)
        about = clean(here[2]) if here else ""
        form = FormPage("exclude from snapshots", about, fields, submit, self.close_dialog, go="Exclude", intro=intro)
        self.show_page(form)

    def action_end_exclusion(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Once that is confirmed."""
        from tui.panes.snapshots_policies import ExclusionsPane, exclusion_words
        from tui.snapshots import EXCLUSIONS

        row, pane = self.table.current, self.pane
        item = pane.items.get(row.key) if row is not None and isinstance(pane, ExclusionsPane) else None
        if row is None or item is None:
            self.notice("no exclusion is under the cursor")
            return
        if item.get("source") == "metadata-tag" and not str(item.get("id") or "").isdecimal():
            self.notice("the volume's owner says so in its metadata auto_snapshot; it ends when that is changed")
            return
        words = exclusion_words(item)[:40]
        path = f"{EXCLUSIONS}/{quote(row.key[0], safe='')}"
        self._confirm(f"exclude {words} no longer? y", self._remove(path, "the exclusion has ended"))

    # Allowing, and running now

    def action_enable_cloud(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Which cloud, whether it may be changed by policy runs, and why."""
        self.in_background(self._ask_enable())

    async def _ask_enable(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        from tui.dialogs.form import FormPage
        from tui.dialogs.snapshot_fields import enable_fields
        from tui.snapshots import CLOUDS, cloud_path, items_of

        chosen = self.pane.view.clouds
        items = [one for one in items_of(await self.world.get(CLOUDS)) if not chosen or one.get("cloud") in chosen]
        if not items:
            self.notice("no cloud is set up yet")
            return
        items = [one for one in items if not one.get("demo")]
        if not items:
            self.notice("policy runs are always allowed here: this is a demo cloud")
            return
        items.sort(key=lambda one: bool(one.get("enabled")))
        fields = enable_fields(items, self.kept_words.get("reason", ""))

        async def save(values: dict[str, Any]) -> str:
            name, allow = str(values["cloud"]), bool(values["allow"])
            self.keep_words({"reason": values["reason"]})
            if allow:
                body = {"reason": values["reason"], "typed": values.get("typed") or ""}
                await self.world.post(cloud_path(name), json=body)
            else:
                await self.world.delete(f"{cloud_path(name)}?reason={quote(str(values['reason']), safe='')}")
            state = "allowed: what is due begins by itself" if allow else "not allowed any more"
            return f"policy runs in {clean(name)} are {state}"

        def submit(values: dict[str, Any]) -> None:
            self.in_background(self._save(form, save, values))

        intro = [
            "Policy runs may then make and remove snapshots and write snapshot metadata there by themselves, also "
            "while the cloud is READ-ONLY. Nothing else is allowed by it."
        ]
        form = FormPage("policy runs in a cloud", "", fields, submit, self.close_dialog, go="Do it", intro=intro)
        self.show_page(form)

    def action_run_policies(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Ask which policies to run where, dry or for real."""
        from tui.api.errors import ApiError
        from tui.dialogs.form import FormPage
        from tui.dialogs.snapshot_fields import run_fields
        from tui.snapshots import POLICIES, RUN, RUN_NOW, items_of

        row = self.table.current
        start = row.key[1] if row is not None and row.key[0] == "policy" else ""
        clouds = self.pane.view.clouds or self.cloud_names
        if not clouds:
            self.notice("no cloud is set up yet")
            return
        fields = run_fields(clouds, clean(start))

        async def save(values: dict[str, Any]) -> str:
            policies = values.get("policies")
            if values["how"] == "pipeline":
                if policies:
                    raise ApiError(400, "the pipeline makes every policy in every cloud: leave Policies empty")
                await self.world.post(RUN_NOW)
                return f"the pipeline has begun; {self.world.keymap.shown('runs')} shows its steps"
            if policies:
                known = {str(item.get("name")) for item in items_of(await self.world.get(POLICIES))}
                if unknown := [name for name in policies if name not in known]:
                    raise ApiError(404, f"there is no policy {clean(unknown[0])}, and nothing names it")
            body = {"cloud": values["cloud"], "policies": policies, "dry_run": values["how"] == "dry"}
            answer = await self.world.post(RUN, json=body)
            run = answer.get("run") if isinstance(answer, dict) and isinstance(answer.get("run"), dict) else answer
            return f"run {run.get('id')} has begun" if isinstance(run, dict) and run.get("id") else "it has begun"

        def submit(values: dict[str, Any]) -> None:
            self.in_background(self._save(form, save, values))

        intro = [
            "Takes now what the policies want of every volume that has them; what is too many is removed after. The "
            "whole pipeline: write metadata, collect, snapshot, collect; every policy in every cloud."
        ]
        form = FormPage("run policies now", "", fields, submit, self.close_dialog, go="Run", intro=intro)
        self.show_page(form)
