"""What a key does: the bar first, then the view on screen, then the console."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from textual import events

from tui.actions import action_of

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp


class Keys:
    """Mixed into the app: from a key to the method of its action."""

    def take_event(self: QuarterdeckApp, event: events.Event) -> bool:  # type: ignore[misc]
        """Do what a key or a pasted text means; False for any other event, and for what means nothing here."""
        if isinstance(event, events.Key):
            return self.press_key(event.key, event.character)
        return isinstance(event, events.Paste) and self.take_paste(event.text)

    def press_key(self: QuarterdeckApp, key: str, character: str | None) -> bool:  # type: ignore[misc]
        """Do what a key means now; False when it means nothing here.

        Everything happens before the next key is looked at. Textual would hand keys from queue to queue: of a line
        that arrives in one packet, as over a slow SSH connection, the first letters would miss the bar they open.
        """
        if key == "ctrl+j":  # enter, pressed while the console was still starting and the terminal was not yet its own
            key, character = "enter", "\r"
        if self.dialog is not None:  # it takes every key, except the one that leaves the console
            if key != "ctrl+c":
                self.dialog.page.take_key(key, character)
            return key != "ctrl+c"
        if self.bar.is_open and self.bar.take_key(key, character):
            return True
        action = action_of(key, self.pane.places, self.world.keymap.actions)
        if action is None:
            return False
        self.act(action.id)
        return True

    def take_paste(self: QuarterdeckApp, text: str) -> bool:  # type: ignore[misc]
        """Give a pasted text to whatever text is typed into; False when nothing is."""
        if self.dialog is not None:
            self.dialog.page.take_paste(text)
        elif self.bar.is_open:
            self.bar.take_paste(text)
        else:
            return False
        return True

    def act(self: QuarterdeckApp, id: str) -> None:  # type: ignore[misc]
        """Do an action of the registry: the pane's own way to do it, else the console's."""
        (getattr(self.pane, f"action_{id}", None) or getattr(self, f"action_{id}"))()

    def in_background(self: QuarterdeckApp, work: Coroutine[Any, Any, None]) -> None:  # type: ignore[misc]
        """Run something that waits for the engine; its errors become one line on screen."""

        async def guarded() -> None:
            try:
                await work
            except Exception as error:
                self.report(error)

        task = asyncio.create_task(guarded())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
