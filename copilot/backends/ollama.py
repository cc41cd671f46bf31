"""Ollama, through its own client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from copilot.backends import wire
from copilot.backends.base import Done, Event, Limits, Message, Request, Stop, Tokens, ToolCall
from copilot.backends.errors import BackendError, BrokenStream, from_status
from copilot.backends.gathering import Gathered, arguments_of, transport_error
from copilot.backends.pump import PumpedBackend

_STOPS: dict[str, Stop] = {"stop": "end", "length": "length"}


class Ollama(PumpedBackend):
    """A model of an Ollama server."""

    def _client(self, limits: Limits) -> Any:
        import httpx
        import ollama

        where = wire.place(self._config)
        return ollama.AsyncClient(host=where.url, **wire.http_options(httpx, self._config, where, limits))

    async def _events(self, request: Request, limits: Limits) -> AsyncIterator[Event | None]:
        gathered = Gathered(limits)
        stop: Stop | None = None
        tokens = Tokens()
        async with self._client(limits) as client:
            parts = await client.chat(
                model=self._config.model,
                messages=_messages(request),
                tools=None if request.final else [_tool(one) for one in request.tools] or None,
                stream=True,
                options={"num_ctx": self._config.context, "num_predict": limits.tokens, "temperature": 0},
            )
            async for part in parts:
                if part.message.content:
                    yield gathered.text(part.message.content)
                for called in part.message.tool_calls or ():
                    yield gathered.call(_call(called.function, gathered.count, limits))
                yield None
                if part.done:
                    stop = _STOPS.get(part.done_reason or "stop", "end")
                    tokens = Tokens(part.prompt_eval_count or 0, part.eval_count or 0)
                    break
        if stop is None:
            raise BrokenStream("Ollama broke off in the middle of its answer.")
        yield Done(tokens, "tools" if gathered.count and stop == "end" else stop)

    async def _names(self, limits: Limits) -> AsyncIterator[str | None]:
        async with self._client(limits) as client:
            for model in (await client.list()).models:
                yield model.model

    def _error(self, error: BaseException) -> BackendError:
        import ollama

        if isinstance(error, ollama.ResponseError):
            said = str(error.error)
            return from_status(error.status_code, said, "Ollama", self._config.model, key=self._config.key)
        return transport_error(error, "Ollama")


def _call(function: Any, number: int, limits: Limits) -> ToolCall:
    arguments, problem = arguments_of(json.dumps(dict(function.arguments)), limits)
    return ToolCall(f"call_{number + 1}", str(function.name), arguments, problem)


def _tool(spec: Any) -> dict[str, Any]:
    function = {"name": spec.name, "description": spec.description, "parameters": dict(spec.parameters)}
    return {"type": "function", "function": function}


def _messages(request: Request) -> list[Mapping[str, Any]]:
    """Ollama knows no ids of calls: results follow in the order of the calls, each with the tool's name."""
    return [{"role": "system", "content": request.system}, *map(_message, request.messages)]


def _message(message: Message) -> Mapping[str, Any]:
    content = message.content if isinstance(message.content, str) else json.dumps(message.content, ensure_ascii=False)
    if message.role == "tool":
        return {"role": "tool", "content": content, "tool_name": message.call.name if message.call else ""}
    if message.calls:
        calls = [{"function": {"name": one.name, "arguments": dict(one.arguments)}} for one in message.calls]
        return {"role": "assistant", "content": content, "tool_calls": calls}
    return {"role": message.role, "content": content}
