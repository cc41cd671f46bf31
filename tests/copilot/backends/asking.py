"""A model asked as the copilot asks it, on a server of the tests."""

from __future__ import annotations

from typing import Any

from copilot.backends.base import (
    Backend,
    Cancel,
    Config,
    Done,
    Event,
    Limits,
    Message,
    Request,
    Text,
    ToolCall,
    ToolSpec,
)
from copilot.backends.connection import open_backend
from tests.copilot.backends.server import Server

MAKERS = ("ollama", "anthropic", "openai")
KEY = "test-key-000"
QUICK = Limits(connect=10.0, first=20.0, between=20.0, total=60.0)

QUERY = ToolSpec(
    "query",
    "Runs SQL.",
    {"type": "object", "properties": {"sql": {"type": "string", "description": "one SELECT"}}, "required": ["sql"]},
    sql=("sql",),
)
QUESTION = Request("You answer.", (Message("user", {"question": "how many?"}),), (QUERY,))


def backend(maker: str, server: Server | str, **more: Any) -> Backend:
    url = server if isinstance(server, str) else server.url + ("/v1" if maker == "openai" else "")
    config = {"model": "small", "key": KEY, **more}
    return open_backend(Config(maker, url=url, **config))  # type: ignore[arg-type]


def ask(
    maker: str, server: Server | str, request: Request = QUESTION, limits: Limits = QUICK, **more: Any
) -> list[Event]:
    return list(backend(maker, server, **more).stream(request, Cancel(), limits))


def text_of(events: list[Event]) -> str:
    return "".join(one.text for one in events if isinstance(one, Text))


def calls_of(events: list[Event]) -> list[ToolCall]:
    return [one for one in events if isinstance(one, ToolCall)]


def done_of(events: list[Event]) -> Done:
    last = events[-1]
    assert isinstance(last, Done)
    return last
