"""Good answers of the three makers' servers, as they stream them."""

from __future__ import annotations

import json

import pytest

from copilot.backends.base import Done, Message, Request, Text, Tokens, ToolCall
from tests.copilot.backends import speech
from tests.copilot.backends.asking import KEY, MAKERS, QUERY, QUESTION, ask, calls_of, done_of, text_of
from tests.copilot.backends.server import Reply, serving

SQL = {"sql": "SELECT count(*) FROM servers"}
CALL = ToolCall("call_7", "query", SQL)
ROWS = {"columns": ["n"], "rows": [[12]]}


@pytest.mark.parametrize("maker", MAKERS)
def test_a_text_arrives_in_pieces_and_is_counted(maker: str) -> None:
    with serving(speech.say(maker, "There are 12 servers, größer als 8 — ok")) as server:
        events = ask(maker, server)
    assert text_of(events) == "There are 12 servers, größer als 8 — ok"
    assert done_of(events) == Done(Tokens(20, 7), "end")


@pytest.mark.parametrize("maker", MAKERS)
def test_a_tool_is_called(maker: str) -> None:
    with serving(speech.say(maker, "I look.", ("query", SQL))) as server:
        events = ask(maker, server)
    (call,) = calls_of(events)
    assert (call.name, call.arguments, call.problem) == ("query", SQL, "")
    assert call.id and text_of(events) == "I look." and done_of(events).stop == "tools"


@pytest.mark.parametrize("maker", MAKERS)
def test_tools_are_called_side_by_side_in_their_order(maker: str) -> None:
    with serving(speech.say(maker, [("query", SQL), ("find_resource", {"text": "web"}), ("query", {})])) as server:
        calls = calls_of(ask(maker, server))
    assert [(one.name, one.arguments) for one in calls] == [
        ("query", SQL),
        ("find_resource", {"text": "web"}),
        ("query", {}),
    ]
    assert len({one.id for one in calls}) == 3


@pytest.mark.parametrize("maker", MAKERS)
def test_a_cut_answer_says_so(maker: str) -> None:
    ends = {"ollama": "length", "anthropic": "max_tokens", "openai": "length"}
    with serving(speech.say(maker, "There are", end=ends[maker])) as server:
        assert done_of(ask(maker, server)).stop == "length"


def _openai_result(body: dict) -> tuple[str, str, str]:
    call, result = body["messages"][2:]
    return call["tool_calls"][0]["id"], result["tool_call_id"], result["content"]


def _anthropic_result(body: dict) -> tuple[str, str, str]:
    call, result = body["messages"][1:]
    return call["content"][-1]["id"], result["content"][0]["tool_use_id"], result["content"][0]["content"]


def _ollama_result(body: dict) -> tuple[str, str, str]:
    call, result = body["messages"][2:]
    assert call["tool_calls"][0]["function"] == {"name": "query", "arguments": SQL}
    return "by order", "by order" if result["tool_name"] == "query" else "?", result["content"]


@pytest.mark.parametrize(
    ("maker", "found"), [("ollama", _ollama_result), ("anthropic", _anthropic_result), ("openai", _openai_result)]
)
def test_a_result_goes_back_to_its_call(maker: str, found) -> None:
    messages = (*QUESTION.messages, Message("assistant", "", (CALL,)), Message("tool", ROWS, call=CALL))
    with serving(speech.say(maker, "12.")) as server:
        ask(maker, server, Request("You answer.", messages, (QUERY,)))
        called, answered, content = found(server.asked[0].json)
    assert called == answered
    assert json.loads(content) == ROWS


@pytest.mark.parametrize("maker", MAKERS)
def test_a_final_request_lets_no_tool_be_called(maker: str) -> None:
    with serving(speech.say(maker, "12.")) as server:
        ask(maker, server, Request("You answer.", QUESTION.messages, (QUERY,), final=True))
        body = server.asked[0].json
    choice = {"anthropic": {"type": "none"}, "openai": "none"}.get(maker)
    assert body.get("tool_choice") == choice
    assert maker != "ollama" or not body.get("tools")


@pytest.mark.parametrize("maker", MAKERS)
def test_notes_of_the_administrator_follow_the_rules(maker: str) -> None:
    with serving(speech.say(maker, "12.")) as server:
        ask(maker, server, Request("Rules.", QUESTION.messages, notes="Answer in German."))
        body = server.asked[0].json
    system = body["system"] if maker == "anthropic" else body["messages"][0]["content"]
    assert system == "Rules.\n\nAnswer in German."


def test_results_of_several_tools_are_one_message_for_anthropic() -> None:
    calls = (CALL, ToolCall("call_8", "query", SQL))
    messages = (
        *QUESTION.messages,
        Message("assistant", "Let me see.", calls, opaque=({"type": "thinking", "thinking": "hm", "signature": "s"},)),
        *(Message("tool", ROWS, call=one) for one in calls),
    )
    with serving(speech.say("anthropic", "12.")) as server:
        ask("anthropic", server, Request("You answer.", messages, (QUERY,)))
        sent = server.asked[0].json["messages"]
    assert [one["role"] for one in sent] == ["user", "assistant", "user"]
    assert [one["type"] for one in sent[1]["content"]] == ["thinking", "text", "tool_use", "tool_use"]
    assert [one["tool_use_id"] for one in sent[2]["content"]] == ["call_7", "call_8"]


def test_reasoning_of_anthropic_is_kept_to_be_sent_back_and_not_shown() -> None:
    block = {"type": "thinking", "thinking": "", "signature": ""}
    steps = [
        speech.anthropic_start(),
        speech.event("content_block_start", index=0, content_block=block),
        speech.event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "So "}),
        speech.event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "then"}),
        speech.event("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "sig"}),
        speech.event("content_block_stop", index=0),
        *speech.anthropic_call(1, "query", json.dumps(SQL)),
        speech.anthropic_end("tool_use"),
    ]
    with serving(Reply(steps, headers={"content-type": "text/event-stream"})) as server:
        events = ask("anthropic", server)
    assert text_of(events) == ""
    assert done_of(events).opaque == ({"type": "thinking", "thinking": "So then", "signature": "sig"},)


def test_arguments_may_come_with_the_start_of_anthropics_block() -> None:
    block = {"type": "tool_use", "id": "t", "name": "query", "input": SQL}
    steps = [
        speech.anthropic_start(),
        speech.event("content_block_start", index=0, content_block=block),
        speech.event("content_block_stop", index=0),
        speech.anthropic_end("tool_use"),
    ]
    with serving(Reply(steps, headers={"content-type": "text/event-stream"})) as server:
        assert calls_of(ask("anthropic", server))[0].arguments == SQL


def test_events_and_blocks_nobody_knows_are_passed_over() -> None:
    steps = [
        speech.anthropic_start(),
        speech.event("something_new", value=1),
        speech.event("content_block_start", index=0, content_block={"type": "something", "data": "x"}),
        speech.event("content_block_delta", index=0, delta={"type": "something_delta", "data": "x"}),
        speech.event("content_block_stop", index=0),
        *speech.anthropic_text(1, "12."),
        speech.anthropic_end(),
    ]
    with serving(Reply(steps, headers={"content-type": "text/event-stream"})) as server:
        assert text_of(ask("anthropic", server)) == "12."


@pytest.mark.parametrize(("reason", "stop"), [("refusal", "refused"), ("model_context_window_exceeded", "context")])
def test_why_anthropic_stops(reason: str, stop: str) -> None:
    with serving(speech.say("anthropic", "I", end=reason)) as server:
        assert done_of(ask("anthropic", server)).stop == stop


def test_tokens_read_from_a_cache_count_as_read() -> None:
    usage = {"input_tokens": 5, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 5, "output_tokens": 1}
    start = {"id": "m", "type": "message", "role": "assistant", "model": "x", "content": [], "usage": usage}
    steps = [
        speech.event("message_start", message=start),
        *speech.anthropic_text(0, "12."),
        speech.anthropic_end(written=9),
    ]
    with serving(Reply(steps, headers={"content-type": "text/event-stream"})) as server:
        assert done_of(ask("anthropic", server)).tokens == Tokens(100, 9)


def test_a_model_without_counts_is_no_failure() -> None:
    reply = Reply([*speech.ollama_parts("12."), speech.ollama_end(read=None, written=None)])
    with serving(reply) as server:
        assert done_of(ask("ollama", server)).tokens == Tokens(0, 0)


def test_reasoning_of_a_local_model_is_not_shown() -> None:
    thought = speech.line(message={"role": "assistant", "content": "", "thinking": "hm"}, done=False)
    with serving(Reply([thought, *speech.ollama_parts("12."), speech.ollama_end()])) as server:
        assert [one for one in ask("ollama", server) if isinstance(one, Text)] == [Text("12.")]


@pytest.mark.parametrize("maker", MAKERS)
def test_bytes_may_be_split_anywhere(maker: str) -> None:
    whole = b"".join(speech.say(maker, "größer … ok", ("query", {"sql": "ü"})).steps)
    with serving(Reply([bytes([one]) for one in whole], headers={"content-type": "text/event-stream"})) as server:
        events = ask(maker, server)
    assert text_of(events) == "größer … ok"
    assert calls_of(events)[0].arguments == {"sql": "ü"}


@pytest.mark.parametrize("maker", MAKERS)
def test_the_key_is_sent_in_the_makers_header_and_nothing_of_the_environment(maker: str, monkeypatch) -> None:
    for name in ("OLLAMA_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY", "OPENAI_ORG_ID"):
        monkeypatch.setenv(name, "from-environment")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Extra: from-environment")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Extra: from-environment")
    with serving(speech.say(maker, "12.")) as server:
        ask(maker, server)
        ask(maker, server, key="")
        first, second = (one.headers for one in server.asked)
    assert first["x-api-key" if maker == "anthropic" else "authorization"].removeprefix("Bearer ") == KEY
    assert "x-api-key" not in second and "authorization" not in second
    for headers in (first, second):
        assert "from-environment" not in headers.values()
        assert not [name for name in headers if name.startswith(("x-stainless", "x-extra", "openai-"))]
        assert headers["user-agent"] == "quarterdeck"
