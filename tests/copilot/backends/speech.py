"""What the three makers' servers say on the wire."""

from __future__ import annotations

import json
from typing import Any

from tests.copilot.backends.server import Reply


def say(maker: str, *parts: Any, **more: Any) -> Reply:
    """A good answer of one maker: texts, and tool calls as (name, arguments)."""
    return {"ollama": ollama, "anthropic": anthropic, "openai": openai}[maker](*parts, **more)


def refuse(maker: str, status: int, message: str, kind: str = "", **headers: str) -> Reply:
    """An HTTP error as the maker words it."""
    body: dict[str, Any]
    if maker == "ollama":
        body = {"error": message}
    elif maker == "anthropic":
        body = {"type": "error", "error": {"type": kind or "error", "message": message}, "request_id": "req_1"}
    else:
        body = {"error": {"message": message, "type": kind or "error", "param": None, "code": kind or None}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply([json.dumps(body).encode()], status, {"content-type": "application/json", **named})


# --- Ollama: one JSON object a line


def line(**part: Any) -> bytes:
    return (
        json.dumps({"model": "small", "created_at": "2026-11-30T10:00:00Z", **part}, ensure_ascii=False).encode()
        + b"\n"
    )


def ollama_parts(*parts: Any) -> list[bytes]:
    made = []
    for part in parts:
        if isinstance(part, str):
            message: dict[str, Any] = {"role": "assistant", "content": part}
        else:
            calls = part if isinstance(part, list) else [part]
            functions = [{"function": {"name": name, "arguments": arguments}} for name, arguments in calls]
            message = {"role": "assistant", "content": "", "tool_calls": functions}
        made.append(line(message=message, done=False))
    return made


def ollama_end(reason: str = "stop", read: int | None = 20, written: int | None = 7) -> bytes:
    counts = {"prompt_eval_count": read, "eval_count": written, "total_duration": 1_000_000, "load_duration": 1}
    kept = {name: value for name, value in counts.items() if value is not None}
    return line(message={"role": "assistant", "content": ""}, done=True, done_reason=reason, **kept)


def ollama(*parts: Any, end: str = "stop") -> Reply:
    return Reply([*ollama_parts(*parts), ollama_end(end)], 200, {"content-type": "application/x-ndjson"})


# --- Anthropic: named server-sent events


def event(name: str, **data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **data}, ensure_ascii=False)}\n\n".encode()


def anthropic_start(read: int = 20) -> bytes:
    message = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "large", "content": [], "stop_reason": None,
        "stop_sequence": None, "usage": {"input_tokens": read, "output_tokens": 1},
    }  # fmt: skip
    return event("message_start", message=message)


def anthropic_text(index: int, *pieces: str) -> list[bytes]:
    made = [event("content_block_start", index=index, content_block={"type": "text", "text": ""})]
    made += [event("content_block_delta", index=index, delta={"type": "text_delta", "text": one}) for one in pieces]
    return [*made, event("content_block_stop", index=index)]


def anthropic_call(index: int, name: str, *pieces: str) -> list[bytes]:
    block = {"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": {}}
    made = [event("content_block_start", index=index, content_block=block)]
    made += [
        event("content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": one})
        for one in pieces
    ]
    return [*made, event("content_block_stop", index=index)]


def anthropic_end(reason: str = "end_turn", written: int = 7) -> bytes:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return event("message_delta", delta=delta, usage={"output_tokens": written}) + event("message_stop")


def anthropic(*parts: Any, end: str = "") -> Reply:
    steps = [anthropic_start(), event("ping")]
    flat = [one for part in parts for one in (part if isinstance(part, list) else [part])]
    for index, part in enumerate(flat):
        if isinstance(part, str):
            steps += anthropic_text(index, part[: len(part) // 2], part[len(part) // 2 :])
        else:
            text = json.dumps(part[1], ensure_ascii=False)
            steps += anthropic_call(index, part[0], "", text[: len(text) // 2], text[len(text) // 2 :])
    called = any(not isinstance(part, str) for part in flat)
    steps.append(anthropic_end(end or ("tool_use" if called else "end_turn")))
    return Reply(steps, 200, {"content-type": "text/event-stream; charset=utf-8"})


# --- OpenAI: unnamed server-sent events


def data(value: Any) -> bytes:
    return (
        b"data: "
        + (value.encode() if isinstance(value, str) else json.dumps(value, ensure_ascii=False).encode())
        + b"\n\n"
    )


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}]
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "gpt"}
    return data({**head, "choices": choices, **more})


def piece(index: int | None, arguments: str = "", id: str | None = None, name: str | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"function": {"arguments": arguments, **({"name": name} if name else {})}}
    if index is not None:
        made["index"] = index
    if id:
        made |= {"id": id, "type": "function"}
    return made


def usage(read: int = 20, written: int = 7) -> bytes:
    counts = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    return chunk(None, usage=counts)


DONE = data("[DONE]")


def openai(*parts: Any, end: str = "", told: bool = True) -> Reply:
    steps = [chunk({"role": "assistant", "content": ""})]
    flat = [one for part in parts for one in (part if isinstance(part, list) else [part])]
    number = 0
    for part in flat:
        if isinstance(part, str):
            steps += [chunk({"content": part[: len(part) // 2]}), chunk({"content": part[len(part) // 2 :]})]
        else:
            text = json.dumps(part[1], ensure_ascii=False)
            steps.append(chunk({"tool_calls": [piece(number, "", f"call_{number}", part[0])]}))
            cut = len(text) // 2
            steps += [chunk({"tool_calls": [piece(number, one)]}) for one in (text[:cut], text[cut:])]
            number += 1
    steps.append(chunk({}, end or ("tool_calls" if number else "stop")))
    steps += [usage()] if told else []
    return Reply([*steps, DONE], 200, {"content-type": "text/event-stream"})
