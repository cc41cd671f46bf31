"""Anthropic, through its own client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from copilot.backends import wire
from copilot.backends.base import Done, Event, Limits, Message, Request, Stop, Tokens
from copilot.backends.errors import BackendError, BrokenStream, from_status, seconds
from copilot.backends.gathering import Gathered, PartialCall, transport_error
from copilot.backends.pump import PumpedBackend

_STOPS: dict[str, Stop] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "tool_use": "tools",
    "max_tokens": "length",
    "refusal": "refused",
    "model_context_window_exceeded": "context",
}


class Anthropic(PumpedBackend):
    """A model of Anthropic, or of a server that speaks its protocol."""

    def _client(self, limits: Limits) -> Any:
        import anthropic
        import httpx2

        where = wire.place(self._config)
        return anthropic.AsyncAnthropic(
            api_key=self._config.key or "none",  # given, so that none is looked for; the transport sends only ours
            base_url=where.url,
            max_retries=0,
            open_telemetry=False,
            http_client=httpx2.AsyncClient(**wire.http_options(httpx2, self._config, where, limits)),
        )

    async def _events(self, request: Request, limits: Limits) -> AsyncIterator[Event | None]:
        answer = _Answer(limits)
        async with self._client(limits) as client:
            stream = await client.messages.create(
                model=self._config.model,
                max_tokens=limits.tokens,
                system=request.system,
                messages=_messages(request.messages),
                stream=True,
                **_tools(request),
            )
            async with stream:
                async for event in stream:
                    for made in answer.take(event):
                        yield made
                    yield None
                    if event.type == "message_stop":
                        break
        yield answer.done()

    async def _names(self, limits: Limits) -> AsyncIterator[str | None]:
        async with self._client(limits) as client:
            for model in (await client.models.list(limit=1000)).data:
                yield model.id

    def _error(self, error: BaseException) -> BackendError:
        import anthropic

        if isinstance(error, anthropic.APIStatusError):
            return from_status(
                error.status_code,
                str(error.api_message or ""),
                "Anthropic",
                self._config.model,
                kind=str(error.type or ""),
                key=self._config.key,
                after=seconds(error.response.headers.get("retry-after")),
            )
        return transport_error(error, "Anthropic")


@dataclass(slots=True)
class _Answer:
    """An answer as its events arrive."""

    limits: Limits
    gathered: Gathered = field(init=False)
    calls: dict[int, PartialCall] = field(default_factory=dict)
    whole: dict[int, Mapping[str, Any]] = field(default_factory=dict)  # arguments that came with a block's start
    thoughts: dict[int, dict[str, Any]] = field(default_factory=dict)
    read: int = 0
    written: int = 0
    stop: str = ""
    ended: bool = False

    def __post_init__(self) -> None:
        self.gathered = Gathered(self.limits)

    def take(self, event: Any) -> list[Event]:
        """What one event of the stream adds."""
        match event.type:
            case "message_start":
                self._count(event.message.usage)
            case "content_block_start":
                return self._begin(event.index, event.content_block)
            case "content_block_delta":
                return self._add(event.index, event.delta)
            case "content_block_stop" if event.index in self.calls:
                call = self.calls.pop(event.index)
                if not call.length and self.whole.get(event.index):
                    call.add(json.dumps(self.whole[event.index]), self.limits)
                return [self.gathered.call(call.finish(self.gathered.count + 1, self.limits))]
            case "message_delta":
                self.stop = event.delta.stop_reason or self.stop
                self._count(event.usage)
            case "message_stop":
                self.ended = True
        return []

    def _begin(self, index: int, block: Any) -> list[Event]:
        if block.type == "tool_use":
            self.calls[index] = PartialCall(str(block.id), str(block.name))
            self.whole[index] = block.input if isinstance(block.input, dict) else {}
        elif block.type in ("thinking", "redacted_thinking"):
            self.thoughts[index] = block.model_dump(exclude_none=True)
        elif block.type == "text" and block.text:
            return [self.gathered.text(block.text)]
        return []

    def _add(self, index: int, delta: Any) -> list[Event]:
        if delta.type == "text_delta" and delta.text:
            return [self.gathered.text(delta.text)]
        if delta.type == "input_json_delta" and index in self.calls:
            self.calls[index].add(delta.partial_json, self.limits)
        elif delta.type == "thinking_delta" and index in self.thoughts:
            self.thoughts[index]["thinking"] = self.thoughts[index].get("thinking", "") + delta.thinking
        elif delta.type == "signature_delta" and index in self.thoughts:
            self.thoughts[index]["signature"] = delta.signature
        return []

    def _count(self, usage: Any) -> None:
        """Counts in the stream are running totals; cached tokens were read too."""
        names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        self.read = max(self.read, sum(getattr(usage, name, None) or 0 for name in names))
        self.written = max(self.written, getattr(usage, "output_tokens", None) or 0)

    def done(self) -> Done:
        """The end. Raises BrokenStream where the stream ended before it."""
        if not self.ended or self.stop == "pause_turn":
            raise BrokenStream("Anthropic broke off in the middle of its answer.")
        tokens = Tokens(self.read, self.written)
        return Done(
            tokens, _STOPS.get(self.stop, "end"), tuple(self.thoughts[index] for index in sorted(self.thoughts))
        )


def _tools(request: Request) -> dict[str, Any]:
    if not request.tools:
        return {}
    tools = [
        {"name": one.name, "description": one.description, "input_schema": dict(one.parameters)}
        for one in request.tools
    ]
    return {"tools": tools, "tool_choice": {"type": "none" if request.final else "auto"}}


def _messages(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    """Results of tools are blocks of one user message, which must follow the message that called them."""
    made: list[dict[str, Any]] = []
    for message in messages:
        role = "assistant" if message.role == "assistant" else "user"
        blocks = _blocks(message)
        if made and made[-1]["role"] == role:
            made[-1]["content"] += blocks
        else:
            made.append({"role": role, "content": blocks})
    return made


def _blocks(message: Message) -> list[dict[str, Any]]:
    content = message.content if isinstance(message.content, str) else json.dumps(message.content, ensure_ascii=False)
    if message.role == "tool" and message.call is not None:
        return [{"type": "tool_result", "tool_use_id": message.call.id, "content": content}]
    blocks: list[dict[str, Any]] = list(message.opaque)
    if content.strip():  # empty text blocks are refused
        blocks.append({"type": "text", "text": content})
    blocks += [
        {"type": "tool_use", "id": one.id, "name": one.name, "input": dict(one.arguments)} for one in message.calls
    ]
    return blocks
