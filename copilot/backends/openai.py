"""OpenAI and the many servers that speak its chat completions, through OpenAI's client.

The servers differ: some take no `stream_options`, no tools, or only one of the two names for the most tokens. What a
server refuses is left out or renamed, and remembered for as long as the backend lives.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from copilot.backends import wire
from copilot.backends.base import Config, Done, Event, Limits, Message, Request, Stop, Tokens
from copilot.backends.errors import (
    BackendError,
    BrokenStream,
    NotAccepted,
    ToolsNotSupported,
    WrongServer,
    from_status,
    seconds,
)
from copilot.backends.gathering import Gathered, PartialCall, transport_error
from copilot.backends.pump import PumpedBackend

_STOPS: dict[str, Stop] = {
    "stop": "end",
    "tool_calls": "tools",
    "function_call": "tools",
    "length": "length",
    "content_filter": "refused",
}
_CHARACTERS_PER_TOKEN = 4  # where a server tells no usage


class OpenAI(PumpedBackend):
    """A model of an OpenAI-compatible server."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._usage = True
        own = wire.url_of(config) == wire.DEFAULT_URLS["openai"]
        self._most = "max_completion_tokens" if own else "max_tokens"

    def _client(self, limits: Limits) -> Any:
        import httpx2
        import openai

        where = wire.place(self._config)
        return openai.AsyncOpenAI(
            api_key=self._config.key or "none",  # given, so that none is looked for; the transport sends only ours
            base_url=where.url,
            max_retries=0,
            http_client=httpx2.AsyncClient(**wire.http_options(httpx2, self._config, where, limits)),
        )

    async def _events(self, request: Request, limits: Limits) -> AsyncIterator[Event | None]:
        answer = _Answer(limits, sum(len(str(message.content)) for message in request.messages) + len(request.system))
        async with self._client(limits) as client:
            stream = await self._begin(client, request, limits)
            async with stream:
                _check(stream)
                async for chunk in stream:
                    for made in answer.take(chunk):
                        yield made
                    yield None
        for made in answer.end():
            yield made

    async def _begin(self, client: Any, request: Request, limits: Limits) -> Any:
        """The stream, after what the server refuses was left out."""
        import openai

        for _ in range(3):
            options = {"stream_options": {"include_usage": True}} if self._usage else {}
            try:
                return await client.chat.completions.create(
                    model=self._config.model,
                    messages=_messages(request),
                    stream=True,
                    **{self._most: limits.tokens},
                    **options,
                    **_tools(request),
                )
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                refused = self._error(error)
                if not self._gives_way(f"{error.message} {error.param}", refused, bool(request.tools)):
                    raise refused from None
        raise NotAccepted(f"{wire.WHO['openai']} does not take the request in any form.")

    def _gives_way(self, said: str, refused: BackendError, with_tools: bool) -> bool:
        """Whether to send the request once more with less in it. Raises ToolsNotSupported where tools may be why."""
        said = said.lower()
        if self._usage and ("stream_options" in said or "include_usage" in said):
            self._usage = False
            return True
        if "max_completion_tokens" in said or "max_tokens" in said:
            before = self._most
            wanted = "max_completion_tokens" if "max_completion_tokens" in said and before == "max_tokens" else ""
            self._most = wanted or ("max_tokens" if before == "max_completion_tokens" else before)
            return self._most != before
        if type(refused) is not NotAccepted:
            return False
        if self._usage:  # not said what is wrong: the least needed goes first
            self._usage = False
            return True
        if with_tools:
            raise ToolsNotSupported(str(refused))
        return False

    async def _names(self, limits: Limits) -> AsyncIterator[str | None]:
        async with self._client(limits) as client:
            for model in (await client.models.list()).data:
                yield model.id

    def _error(self, error: BaseException) -> BackendError:
        import openai

        who = wire.WHO["openai"]
        if isinstance(error, openai.APIStatusError):
            return from_status(
                error.status_code,
                _said(error.body, error.message),
                who,
                self._config.model,
                kind=f"{error.code or ''} {error.type or ''}".strip(),
                key=self._config.key,
                after=seconds(error.response.headers.get("retry-after")),
            )
        if type(error) is openai.APIError:  # an error told inside the stream
            kind = str(error.code or error.type or "")
            status = int(kind) if kind.isdigit() and len(kind) == 3 else 200
            return from_status(status, str(error.message), who, self._config.model, kind=kind, key=self._config.key)
        return transport_error(error, who)


def _said(body: Any, otherwise: str) -> str:
    """What the server said: its error's message, wherever it puts it."""
    if isinstance(body, dict):
        for name in ("message", "detail", "error"):
            if isinstance(body.get(name), str):
                return str(body[name])
    return body if isinstance(body, str) else otherwise


def _check(stream: Any) -> None:
    kind = stream.response.headers.get("content-type", "").lower()
    if kind and "event-stream" not in kind and "text/plain" not in kind and "octet-stream" not in kind:
        raise WrongServer(f"{wire.WHO['openai']} does not stream its answer; it is no chat completions server.")


@dataclass(slots=True)
class _Answer:
    """An answer as its chunks arrive; `asked` = characters sent."""

    limits: Limits
    asked: int
    gathered: Gathered = field(init=False)
    calls: list[PartialCall] = field(default_factory=list)
    places: dict[int, PartialCall] = field(default_factory=dict)
    stop: str = ""
    refused: bool = False
    usage: Any = None

    def __post_init__(self) -> None:
        self.gathered = Gathered(self.limits)

    def take(self, chunk: Any) -> list[Event]:
        """What one chunk adds."""
        if getattr(chunk, "usage", None):
            self.usage = chunk.usage
        made: list[Event] = []
        for choice in (chunk.choices or ())[:1]:
            delta = choice.delta
            if delta is not None:
                if delta.content:
                    made.append(self.gathered.text(delta.content))
                self.refused = self.refused or bool(getattr(delta, "refusal", None))
                for piece in delta.tool_calls or ():
                    self._piece(piece)
            self.stop = choice.finish_reason or self.stop
        return made

    def _piece(self, piece: Any) -> None:
        """A part of a tool call. The index says of which; servers without one send an id with each new call."""
        index = piece.index if isinstance(piece.index, int) else len(self.places) - (0 if piece.id else 1)
        call = self.places.get(index)
        if call is None or (piece.id and call.id and piece.id != call.id):
            call = self.places[index] = PartialCall(str(piece.id or ""))
            self.calls.append(call)
            if len(self.calls) > self.limits.calls:
                self.gathered.count = self.limits.calls
                self.gathered.call(call.finish(0, self.limits))
        call.id = call.id or str(piece.id or "")
        if piece.function is not None:
            call.name = call.name or str(piece.function.name or "")
            if piece.function.arguments:
                arguments = piece.function.arguments
                call.add(arguments if isinstance(arguments, str) else json.dumps(arguments), self.limits)

    def end(self) -> list[Event]:
        """Tool calls and the end. Raises BrokenStream where the stream ended before it."""
        if not self.stop:
            raise BrokenStream(f"{wire.WHO['openai']} broke off in the middle of its answer.")
        stop = "refused" if self.refused else _STOPS.get(self.stop, "end")
        whole = self.calls if stop in ("tools", "end") else []  # a call that was cut is none
        made: list[Event] = [self.gathered.call(one.finish(n, self.limits)) for n, one in enumerate(whole, 1)]
        return [*made, Done(self._tokens(), "tools" if made else stop)]

    def _tokens(self) -> Tokens:
        read, written = getattr(self.usage, "prompt_tokens", None), getattr(self.usage, "completion_tokens", None)
        if isinstance(read, int) and isinstance(written, int):
            return Tokens(read, written)
        output = self.gathered.characters + sum(one.length for one in self.calls)
        return Tokens(self.asked // _CHARACTERS_PER_TOKEN, output // _CHARACTERS_PER_TOKEN, estimated=True)


def _tools(request: Request) -> dict[str, Any]:
    if not request.tools:
        return {}
    tools = [
        {
            "type": "function",
            "function": {"name": one.name, "description": one.description, "parameters": dict(one.parameters)},
        }
        for one in request.tools
    ]
    return {"tools": tools, "tool_choice": "none" if request.final else "auto"}


def _messages(request: Request) -> list[dict[str, Any]]:
    return [{"role": "system", "content": request.system}, *map(_message, request.messages)]


def _message(message: Message) -> dict[str, Any]:
    content = message.content if isinstance(message.content, str) else json.dumps(message.content, ensure_ascii=False)
    if message.role == "tool":
        return {"role": "tool", "content": content, "tool_call_id": message.call.id if message.call else ""}
    if not message.calls:
        return {"role": message.role, "content": content}
    calls = [
        {
            "id": one.id,
            "type": "function",
            "function": {"name": one.name, "arguments": json.dumps(dict(one.arguments), ensure_ascii=False)},
        }
        for one in message.calls
    ]
    return {"role": "assistant", "content": content or None, "tool_calls": calls}
