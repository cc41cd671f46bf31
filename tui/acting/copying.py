"""`c`: what is under the cursor, on its way to the clipboard."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tui.table.cells import clean

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp
    from tui.copying import Copy


class Copying:
    """Mixed into the app."""

    def action_copy(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Offer what can be copied here."""
        from tui.copying import choices, subject_of
        from tui.panes.log import LogPane

        pane, row, head = self.pane, self.table.current, self.table.column_head
        column = "" if isinstance(pane, LogPane) or head is None else head.name
        found = choices(pane, row, column, self.table.marks, self.table.spec, self._account)
        if not found:
            self.notice("nothing is here that could be copied")
            return
        from tui.dialogs.copy import CopyPage

        subject = subject_of(pane, row)
        about = f"copy   {clean(subject[2] or subject[1][-1])}" if subject else "copy"
        self.show_page(CopyPage(about, found, self._copy, self.close_dialog), self.cursor_line())

    def _copy(self: QuarterdeckApp, chosen: Copy) -> None:  # type: ignore[misc]
        self.close_dialog()
        self.notice(self.copy_text(chosen.text()))

    def _account(self: QuarterdeckApp, cloud: str) -> str:  # type: ignore[misc]
        """The entry of clouds.yaml that leads to a cloud."""
        accounts = (self.world.cloud(cloud) or {}).get("accounts") or [{}]
        return str(accounts[0].get("name") or "") if isinstance(accounts[0], dict) else ""

    def copy_text(self: QuarterdeckApp, text: str) -> str:  # type: ignore[misc]
        """Take a text towards the clipboard; where it went, in words."""
        from tui.clipboard import copy, many_lines, settings

        return copy(many_lines(text), self.send_sequence, settings(os.environ))

    def send_sequence(self: QuarterdeckApp, sequence: str) -> None:  # type: ignore[misc]
        """Write a sequence to the terminal, between two frames."""
        if self._driver is not None:
            self._driver.write(sequence)
            self._driver.flush()
