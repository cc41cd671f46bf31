"""Opening and closing dialogs. Their screens are imported when the first one opens."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.table.cells import clean

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.console import QuarterdeckApp
    from tui.dialogs.completion import ResourceField
    from tui.dialogs.dialog import Dialog
    from tui.dialogs.page import Page

SEARCH_DELAY = 0.12  # seconds between the last key in a field and its question to the engine


class Dialogs:
    """Mixed into the app."""

    dialog: Dialog | None
    search_timer: Timer | None
    held_back: bool  # the list has newer data, but must not move under an open dialog or range

    def show_page(self: QuarterdeckApp, page: Page, line: int | None = None) -> None:  # type: ignore[misc]
        """Show a page: in the dialog that is open, else in a new one. `line` of the screen stays in sight."""
        if self.dialog is not None:
            self.dialog.show(page)
            return
        from tui.dialogs.dialog import Dialog

        self.dialog = Dialog(self, page, line)

    def close_dialog(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Back to the list, which now shows what came meanwhile."""
        if self.dialog is None:
            return
        dialog, self.dialog = self.dialog, None
        dialog.close()
        self.show_footer()
        self.let_in()
        self.show_lines()

    def let_in(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Show what was held back while rows had to keep their places."""
        if self.held_back:
            self.held_back = False
            self.pane.expire()
            self.table.reload()

    def page_is(self: QuarterdeckApp, page: Page) -> bool:  # type: ignore[misc]
        """Whether this page is still the one on screen."""
        return self.dialog is not None and self.dialog.page is page

    def tell(self: QuarterdeckApp, title: str, text: str) -> None:  # type: ignore[misc]
        """Show some sentences until somebody has read them."""
        from tui.dialogs.telling import TellPage

        self.show_page(TellPage(title, text, self.close_dialog))

    def cursor_line(self: QuarterdeckApp) -> int | None:  # type: ignore[misc]
        """Line of the screen with the cursor's row; None when no row is there."""
        if self.table.current is None:
            return None
        return self.table.region.y + 1 + self.table.buffer.cursor - self.table.buffer.top

    # What fields of forms ask the engine

    def search_resource(self: QuarterdeckApp, field: ResourceField, text: str, cloud: str) -> None:  # type: ignore[misc]
        """Look for the resources that a typed text may mean, once nothing was typed for a moment."""
        if self.search_timer is not None:
            self.search_timer.stop()
        work = lambda: self.in_background(self._search(field, text, cloud))  # noqa: E731
        self.search_timer = self.set_timer(SEARCH_DELAY, work)

    async def _search(self: QuarterdeckApp, field: ResourceField, text: str, cloud: str) -> None:  # type: ignore[misc]
        from tui.dialogs.completion import MOST, Match

        body: dict[str, Any] = {"type": field.option.type, "filter": quoted(text), "sort": [["name", False]]}
        body |= {"anchor": "start", "before": 0, "after": MOST - 1} | ({"clouds": [cloud]} if cloud else {})
        matches: list[Match] = []
        try:
            answer = await self.world.post("/q/windows", json=body)
            for values in answer.get("rows") or ():
                row = dict(zip(answer.get("columns") or (), values, strict=False))
                more = [row.get(name) for name in ("project_name", "domain_name", "status") if row.get(name)]
                place = row.get("cloud") if not cloud else ""
                words = "  ".join(clean(word) for word in (*more, place, str(row.get("id"))[:8]) if word)
                matches.append(Match(str(row.get("id")), clean(row.get("name") or ""), words))
        finally:  # a field never waits for ever
            field.offer(text, matches)
            if self.dialog is not None:
                self.dialog.redraw()

    # Where plans go (commands: `copy_text`)

    def save_text(self: QuarterdeckApp, text: str, name: str, ending: str = "txt") -> str:  # type: ignore[misc]
        """Write a text to a new file, in the folder where the console was started or at home; where it is, in words."""
        safe = "".join(char if char.isascii() and (char.isalnum() or char in "-_") else "-" for char in name)[:80]
        problem = ""
        for folder in (Path.cwd(), Path.home()):
            for number in range(1, 100):
                file = folder / f"{safe}{'' if number == 1 else f'-{number}'}.{ending}"
                try:
                    handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
                    with os.fdopen(handle, "w", encoding="utf-8") as out:
                        out.write(text)
                    return f"saved in {file}"
                except FileExistsError:
                    continue
                except OSError as error:
                    problem = error.strerror or str(error)
                    break
        return f"the plan could not be saved: {problem or 'too many files of that name'}"


def quoted(text: str) -> str:
    """A text as one word of the filter grammar."""
    plain = "".join(char for char in text if char not in '"\\')
    return f'"{plain}"' if plain else ""
