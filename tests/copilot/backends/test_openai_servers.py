"""Servers that speak most of OpenAI's protocol, each in its own way."""

from __future__ import annotations

import json

import pytest

from copilot.backends import errors
from copilot.backends.base import Cancel, Tokens
from tests.copilot.backends import speech
from tests.copilot.backends.asking import QUESTION, QUICK, ask, backend, calls_of, done_of, text_of
from tests.copilot.backends.server import Asked, Reply, serving
from tests.copilot.backends.speech import DONE, chunk, data, piece

SSE = {"content-type": "text/event-stream"}
SQL = '{"sql": "SELECT 1"}'


def refusing(*names: str, said: str = "Unrecognized request argument supplied: {name}"):
    """A server that takes no request with one of these fields."""

    def turn(asked: Asked) -> Reply:
        for name in names:
            if name in asked.json:
                return speech.refuse("openai", 400, said.format(name=name))
        return speech.say("openai", "12.", told=False)

    return turn


def test_without_stream_options() -> None:
    with serving(refusing("stream_options")) as server:
        events = ask("openai", server)
    assert text_of(events) == "12."
    assert done_of(events).tokens.estimated and done_of(events).tokens.input > 0
    assert ["stream_options" in one.json for one in server.asked] == [True, False]


def test_what_was_refused_is_remembered() -> None:
    with serving(refusing("stream_options")) as server:
        model = backend("openai", server)
        for _ in range(2):
            list(model.stream(QUESTION, Cancel(), QUICK))
    assert ["stream_options" in one.json for one in server.asked] == [True, False, False]


def test_only_the_new_name_of_the_most_tokens() -> None:
    said = "Unsupported parameter: '{name}' is not supported with this model. Use 'max_completion_tokens' instead."
    with serving(refusing("max_tokens", said=said)) as server:
        assert text_of(ask("openai", server)) == "12."
    assert [one.json.get("max_completion_tokens") for one in server.asked] == [None, QUICK.tokens]


def test_a_server_that_does_not_say_what_is_wrong() -> None:
    with serving(refusing("stream_options", said="Bad request")) as server:
        assert text_of(ask("openai", server)) == "12."


@pytest.mark.parametrize(
    "said", ["This model does not support {name}", "Bad request", '"auto" tool choice requires a parser']
)
def test_no_tools(said: str) -> None:
    with serving(refusing("tools", said=said)) as server, pytest.raises(errors.ToolsNotSupported):
        ask("openai", server)


def test_refusals_end() -> None:
    with serving(speech.refuse("openai", 400, "max_tokens and stream_options and tools")) as server:
        with pytest.raises(errors.BackendError):
            ask("openai", server)
        assert len(server.asked) <= 3


ODD_CALLS = {
    "an id with each piece": [piece(0, '{"sql": ', "a", "query"), piece(0, '"SELECT 1"}', "a", "query")],
    "no index": [piece(None, '{"sql": ', "a", "query"), piece(None, '"SELECT 1"}')],
    "no id": [piece(0, SQL, None, "query")],
    "everything at once": [piece(0, SQL, "a", "query")],
    "the name comes late": [piece(0, "", "a"), {"index": 0, "function": {"name": "query", "arguments": SQL}}],
    "arguments are an object": [{"index": 0, "id": "a", "function": {"name": "query", "arguments": json.loads(SQL)}}],
}


@pytest.mark.parametrize("pieces", ODD_CALLS.values(), ids=ODD_CALLS)
def test_odd_pieces_of_a_call(pieces: list[dict]) -> None:
    body = [*(chunk({"tool_calls": [one]}) for one in pieces), chunk({}, "tool_calls"), DONE]
    with serving(Reply(body, headers=SSE)) as server:
        (call,) = calls_of(ask("openai", server))
    assert (call.name, call.arguments) == ("query", {"sql": "SELECT 1"}) and call.id


@pytest.mark.parametrize("index", [0, None], ids=["all of them index 0", "no index"])
def test_two_calls_without_an_index_of_their_own(index: int | None) -> None:
    body = [chunk({"tool_calls": [piece(index, SQL, id, "query")]}) for id in ("a", "b")]
    with serving(Reply([*body, chunk({}, "tool_calls"), DONE], headers=SSE)) as server:
        assert [one.id for one in calls_of(ask("openai", server))] == ["a", "b"]


def test_two_calls_in_turns() -> None:
    pieces = [
        piece(0, '{"sql"', "a", "query"),
        piece(1, '{"sql"', "b", "query"),
        piece(0, ': "1"}'),
        piece(1, ': "2"}'),
    ]
    body = [chunk({"tool_calls": [one]}) for one in pieces]
    with serving(Reply([*body, chunk({}, "tool_calls"), DONE], headers=SSE)) as server:
        assert [one.arguments for one in calls_of(ask("openai", server))] == [{"sql": "1"}, {"sql": "2"}]


@pytest.mark.parametrize(
    ("body", "stop"),
    [
        ([chunk({"tool_calls": [piece(0, SQL, "a", "query")]}), chunk({}, "stop"), DONE], "tools"),
        ([chunk({"content": "I"}), chunk({}, "content_filter"), DONE], "refused"),
        ([chunk({"refusal": "I can't"}), chunk({}, "stop"), DONE], "refused"),
        ([chunk({"tool_calls": [piece(0, '{"sq', "a", "query")]}), chunk({}, "length"), DONE], "length"),
        ([chunk({"content": "12."}), chunk({}, "stop")], "end"),  # no [DONE]
        ([chunk({"content": "12."}, "stop"), DONE], "end"),  # the reason with the last piece
        ([b": keep-alive\n\n", chunk({"content": "12."}), b": keep-alive\n\n", chunk({}, "stop"), DONE], "end"),
        ([chunk({"content": "12."}, "stop"), data({"object": "x", "choices": None}), DONE], "end"),
        ([chunk({"content": None, "reasoning_content": "hm"}), chunk({"content": "12."}, "stop"), DONE], "end"),
    ],
)
def test_odd_ends(body: list[bytes], stop: str) -> None:
    with serving(Reply(body, headers=SSE)) as server:
        assert done_of(ask("openai", server)).stop == stop


def test_usage_with_every_chunk() -> None:
    body = [
        chunk({"content": "12."}, usage={"prompt_tokens": 20, "completion_tokens": n, "total_tokens": 20 + n})
        for n in (1, 2)
    ]
    with serving(Reply([*body, chunk({}, "stop"), DONE], headers=SSE)) as server:
        assert done_of(ask("openai", server)).tokens == Tokens(20, 2)


def test_line_ends_of_all_kinds() -> None:
    whole = b"".join(speech.say("openai", "12.").steps)
    for end in (b"\r\n", b"\r"):
        with serving(Reply([whole.replace(b"\n", end)], headers=SSE)) as server:
            assert text_of(ask("openai", server)) == "12."
