"""The first steps: testing an entry of clouds.yaml, adding it, or looking around in a demo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.faults import is_expected, sentence
from tui.state import View
from tui.table.cells import clean
from tui.table.spec import Row

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp


class Setup:
    """Mixed into the app."""

    leads_to_demo: bool  # whether a demo follows when the console has ended
    testing: bool  # whether an entry is being tested or added

    def open_in_setup(self: QuarterdeckApp, row: Row) -> None:  # type: ignore[misc]
        """Test the entry; when it works, ask whether to add it."""
        name, file = row.key
        if str(row.values[2]).startswith("yes"):
            self.notice(f"{clean(name)} is watched already")
        elif not self.testing:
            self.testing = True
            self.in_background(self._try_entry({"account": name, **({"file": file} if file else {})}))

    async def _try_entry(self: QuarterdeckApp, entry: dict[str, str]) -> None:  # type: ignore[misc]
        name = clean(entry["account"])
        self.notice(f"◐ signing in to {name} …", lasting=True)
        try:
            found = await self.world.post("/q/clouds/candidates/test", json=entry)
        except Exception as error:
            if not is_expected(error):
                raise
            self.notice(sentence(error))
            return
        finally:
            self.testing = False
        self.end_notice()
        if self.pane.view.kind == "setup" and not self.bar.is_open:
            self.ask_line(f"{name} works; add it READ-ONLY? y", self._answer_add(entry))
            self.explain(_told(found))

    def _answer_add(self: QuarterdeckApp, entry: dict[str, str]) -> Any:  # type: ignore[misc]
        def answered(text: str) -> str | None:
            if text.strip().lower() not in ("y", "yes"):
                return "y adds it, esc leaves it"
            self.testing = True
            self.in_background(self._add_cloud(entry))
            return None

        return answered

    async def _add_cloud(self: QuarterdeckApp, entry: dict[str, str]) -> None:  # type: ignore[misc]
        name = clean(entry["account"])
        self.notice(f"◐ adding {name} …", lasting=True)
        try:
            await self.world.post("/q/clouds", json=entry)
        finally:
            self.testing = False
            self.end_notice()
        self.notice(f"{name} is set up, READ-ONLY; collecting")
        await self.world.post("/q/collections", json={})
        await self.learn_clouds()
        self.open_view(View("collections"))

    def action_demo(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Leave this console; the command line then opens another one on a demo."""
        self.leads_to_demo = True
        self.detach()


def _told(found: Any) -> str:
    """Who one would be there, and where."""
    user, scope = clean(found.get("user") or ""), clean(found.get("scope_name") or found.get("scope") or "no scope")
    regions = [clean(region) for region in found.get("regions") or ()]
    roles = ", ".join(clean(role) for role in (found.get("roles") or ())[:4])
    told = f"signed in as {user} in {scope}" + (f" ({roles})" if roles else "")
    told += f", region{'s' if len(regions) > 1 else ''} {', '.join(regions[:4])}" if regions else ""
    return told + (f"; but {clean(found['problem'])}" if found.get("problem") else "")
