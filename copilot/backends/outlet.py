"""The one place through which anything goes to a language model.

Texts are hidden by the Redactor before they leave and revealed in what comes back. Without a Redactor only what holds
nothing of an estate may be sent, or the model must be on this machine: `outlet_for` decides that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from copilot.backends.base import (
    Backend,
    Cancel,
    Event,
    Limits,
    Message,
    Nothing,
    Redactor,
    Request,
    Text,
    ToolCall,
    ToolSpec,
)
from copilot.backends.sql_text import reveal_in_sql
from copilot.backends.tools import SPECS
from store.types import registry

_SQL = {tool.name: tool.sql for tool in SPECS}


@dataclass(slots=True)
class Sent:
    """What went out in one conversation."""

    requests: int = 0
    characters: int = 0
    external: bool = False  # to another machine


class Outlet:
    """Sends to one backend, through one Redactor, and counts."""

    def __init__(self, backend: Backend, redactor: Redactor | None, *, external: bool = True) -> None:
        self._backend = backend
        self._redactor: Redactor = redactor or Nothing()
        self._external = external
        self.sent = Sent()
        self.raw = ""  # the last answer's text as the model wrote it

    @property
    def backend(self) -> Backend:
        """The backend that answers."""
        return self._backend

    def send(self, request: Request, cancel: Cancel, limits: Limits) -> Iterator[Event]:
        """The answer as it arrives, pseudonyms undone. Raises BackendError."""
        hidden = self._hidden(request)
        self.sent.requests += 1
        self.sent.characters += _length(hidden)
        self.sent.external = self.sent.external or self._external
        revealer = self._redactor.revealer()
        self.raw = ""
        events = self._backend.stream(hidden, cancel, limits)
        try:
            for event in events:
                if isinstance(event, Text):
                    self.raw += event.text
                    shown = revealer.feed(event.text)
                    if shown:
                        yield Text(shown)
                    continue
                rest = revealer.end()
                if rest:
                    yield Text(rest)
                yield self.revealed(event, request.tools) if isinstance(event, ToolCall) else event
        finally:
            close: Callable[[], None] | None = getattr(events, "close", None)
            if close is not None:
                close()

    def _hidden(self, request: Request) -> Request:
        """The request as it leaves. The rules and the tools' declarations are the program's own words."""
        messages = tuple(self._hidden_message(one) for one in request.messages)
        return replace(request, messages=messages, notes=self._redactor.hide(request.notes) if request.notes else "")

    def _hidden_message(self, message: Message) -> Message:
        """Opaque parts came from the model as they are and know no real names."""
        calls = tuple(replace(one, arguments=self._hidden_arguments(one.name, one.arguments)) for one in message.calls)
        content = message.content
        if message.role == "assistant" and isinstance(content, Mapping) and {"tool", "arguments"} == set(content):
            arguments = self._hidden_arguments(str(content["tool"]), content["arguments"])
            return replace(message, content={**content, "arguments": arguments}, calls=calls)
        return replace(message, content=self._hidden_value(content), calls=calls)

    def _hidden_arguments(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """A call as the model made it: in SQL, names were put inside quotes only."""
        hide = self._redactor.hide
        sql = _SQL.get(tool, ())
        return {
            hide(key): reveal_in_sql(value, hide) if key in sql and isinstance(value, str) else _walk(value, hide)
            for key, value in arguments.items()
        }

    def _hidden_value(self, value: Any) -> Any:
        """A JSON value: rows by their columns, everything else as texts."""
        hide = self._redactor.hide
        if isinstance(value, list | tuple):
            return [self._hidden_value(one) for one in value]
        if not isinstance(value, Mapping):
            return _walk(value, hide)
        if value.get("type") in registry.ALL and "name" in value:  # a resource
            return {key: self._cell(one, key) for key, one in value.items()}
        columns, rows = value.get("columns"), value.get("rows")
        made = {hide(str(key)): self._hidden_value(one) for key, one in value.items() if key != "rows"}
        if isinstance(columns, list) and isinstance(rows, list):
            made["rows"] = [
                [self._cell(cell, str(name)) for cell, name in zip(row, columns, strict=False)] for row in rows
            ]
        elif "rows" in value:
            made["rows"] = self._hidden_value(rows)
        return made

    def _cell(self, value: Any, column: str) -> Any:
        """A value in a row, with what is in it; keys of objects are others' words too."""
        if isinstance(value, str):
            return self._redactor.hide_cell(value, column)
        if isinstance(value, Mapping):
            return {self._redactor.hide_cell(str(key), ""): self._cell(one, "") for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._cell(one, column) for one in value]
        return value

    def revealed(self, call: ToolCall, tools: tuple[ToolSpec, ...]) -> ToolCall:
        """The call with pseudonyms undone; in SQL as quoted values."""
        sql = next((tool.sql for tool in tools if tool.name == call.name), ())
        reveal = self._redactor.reveal
        arguments = {
            key: reveal_in_sql(value, reveal) if key in sql and isinstance(value, str) else _walk(value, reveal)
            for key, value in call.arguments.items()
        }
        return replace(call, arguments=arguments)


def outlet_for(backend: Backend, redactor: Redactor | None) -> Outlet:
    """The outlet for a question: through `redactor`, or as it is when the model is on this machine and None is given.

    Raises ValueError when nothing would be hidden from a model elsewhere.
    """
    from copilot.backends.connection import is_local

    local = is_local(backend.config)
    if redactor is None and not local:
        raise ValueError("a model on another machine is asked through a redactor only")
    return Outlet(backend, redactor, external=not local)


def _walk(value: Any, change: Callable[[str], str]) -> Any:
    """The JSON value with every text in it changed, keys too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(str(key)): _walk(one, change) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_walk(one, change) for one in value]
    return value


def _length(request: Request) -> int:
    contents = [one.content for one in request.messages] + [
        dict(c.arguments) for m in request.messages for c in m.calls
    ]
    texts = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False, default=str) for one in contents]
    return len(request.system) + sum(map(len, texts))
