"""Errors nobody expected, kept from ending what they happened in.

Textual stops a widget's message loop after an error in a handler: the console would hang. Here the error is reported,
the message is lost, and the next one is handled.
"""

from __future__ import annotations

from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen


class Guarded(MessagePump):
    """Mixed into the app and all widgets of ours."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            self.app._handle_exception(error)


class GuardedScreen(Guarded, Screen[None]):
    """The console's one screen."""
