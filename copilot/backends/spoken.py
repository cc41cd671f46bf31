"""Tools for models that know none: they write a call as a JSON object instead of an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from copilot.backends.base import Message, Request, ToolCall
from copilot.backends.prompts import spoken_rules

_MOST = 20_000


def spoken(request: Request) -> Request:
    """The same request without tools: calls and results become messages of text."""
    messages = tuple(_message(one) for one in request.messages)
    rules = request.rules if request.final else f"{request.rules}\n\n{spoken_rules()}"
    return replace(request, rules=rules, messages=messages, tools=())


def _message(message: Message) -> Message:
    if message.role == "tool" and message.call is not None:
        return Message("user", {"result_of": message.call.name, "result": message.content})
    if message.calls:
        call = message.calls[0]
        return Message("assistant", {"tool": call.name, "arguments": dict(call.arguments)})
    return message


def begins_call(text: str) -> bool:
    """Whether what has arrived of an answer may become a call: it is not shown then."""
    start = text.lstrip()
    return not start or start.startswith(("{", "`"))


def call_in(text: str, number: int) -> ToolCall | None:
    """The call that an answer is, if it is one: a JSON object with a tool's name, alone or in a fence of code."""
    body = text.strip()
    if body.startswith("```"):
        body = body.strip("`").removeprefix("json").strip()
    if not body.startswith("{") or len(body) > _MOST:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(body)
    except (ValueError, RecursionError):
        return None
    name = value.get("tool", value.get("name")) if isinstance(value, dict) else None
    if not isinstance(name, str):
        return None
    arguments: Any = value.get("arguments", value.get("parameters", {}))
    if not isinstance(arguments, Mapping):
        return ToolCall(f"spoken_{number}", name, problem="the arguments are not a JSON object")
    return ToolCall(f"spoken_{number}", name, arguments)
