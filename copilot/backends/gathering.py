"""What the three backends share while an answer arrives: its limits, tool calls in pieces, errors of the transport."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from copilot.backends.base import Limits, Text, ToolCall
from copilot.backends.errors import BackendError, BrokenStream, NotReachable, TimedOut, TooMuch


class Gathered:
    """Counts what has arrived of one answer and stops what does not end."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.characters = 0
        self.count = 0  # tool calls

    def text(self, piece: str) -> Text:
        """A piece of text. Raises TooMuch beyond the limit."""
        self.characters += len(piece)
        if self.characters > self._limits.characters:
            raise TooMuch("The model's answer does not end; it was broken off.")
        return Text(piece)

    def call(self, call: ToolCall) -> ToolCall:
        """A tool call. Raises TooMuch beyond the limit."""
        self.count += 1
        if self.count > self._limits.calls:
            raise TooMuch("The model calls more tools at once than it may; it was broken off.")
        return call


@dataclass(slots=True)
class PartialCall:
    """A tool call whose arguments arrive in pieces of JSON."""

    id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list)
    length: int = 0

    def add(self, piece: str, limits: Limits) -> None:
        """One more piece; beyond the limit only the length is kept."""
        self.length += len(piece)
        if self.length <= limits.arguments:
            self.pieces.append(piece)

    def finish(self, number: int, limits: Limits) -> ToolCall:
        """The whole call; `number` makes an id for servers that give none."""
        id = self.id or f"call_{number}"
        if self.length > limits.arguments:
            return ToolCall(id, self.name, problem=_LONG)
        arguments, problem = arguments_of("".join(self.pieces), limits)
        return ToolCall(id, self.name, arguments, problem)


_LONG = "the arguments are too long"


def arguments_of(text: str, limits: Limits) -> tuple[dict[str, Any], str]:
    """A tool call's arguments from JSON, and what is wrong with them ("" = nothing)."""
    if len(text) > limits.arguments:
        return {}, _LONG
    if not text.strip():
        return {}, ""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}, "the arguments are not JSON"
    if not isinstance(value, dict):
        return {}, "the arguments are not a JSON object"
    return value, ""


def transport_error(error: BaseException, who: str) -> BackendError:
    """The error for an exception of httpx, httpx2 or of reading an answer."""
    for one in _chain(error):
        name = type(one).__name__
        if name == "ConnectTimeout":
            return TimedOut(f"{who} cannot be reached: the connection took too long.")
        if name in ("WriteTimeout", "PoolTimeout", "ReadTimeout"):
            return TimedOut(f"{who} took too long.")
        if name in ("ConnectError", "ProxyError", "UnsupportedProtocol", "gaierror"):
            return NotReachable(f"{who} cannot be reached; is it running, and is its address right?")
        if name in ("RemoteProtocolError", "ReadError", "WriteError", "LocalProtocolError", "CloseError"):
            return BrokenStream(f"{who} broke off the connection before its answer was complete.")
    return BrokenStream(f"{who} answers with something that cannot be understood.")


def _chain(error: BaseException | None) -> list[BaseException]:
    """The exception and those it was raised from, the innermost first."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found[::-1]
