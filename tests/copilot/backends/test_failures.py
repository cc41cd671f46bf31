"""What goes wrong with a model's server, and what the person is told."""

from __future__ import annotations

import json
import socket

import pytest

from copilot.backends import errors
from copilot.backends.base import Limits
from tests.copilot.backends import speech
from tests.copilot.backends.asking import KEY, MAKERS, QUICK, ask, calls_of
from tests.copilot.backends.server import Cut, Endless, Reply, Reset, Stall, serving

SHORT = Limits(connect=5.0, first=0.3, between=20.0, total=60.0)
PAUSE = Limits(connect=5.0, first=20.0, between=0.3, total=60.0)
SSE = {"content-type": "text/event-stream"}

# status, what the maker says, kind of error, whether it may pass
STATUSES = [
    (400, "something is wrong", "invalid_request_error", errors.NotAccepted, False),
    (401, f"Incorrect API key provided: {KEY}", "authentication_error", errors.RefusedKey, False),
    (403, "no permission", "permission_error", errors.RefusedKey, False),
    (402, "Payment required", "billing_error", errors.OutOfCredit, False),
    (404, 'model "small" not found', "not_found_error", errors.UnknownModel, False),
    (413, "Request exceeds the maximum size", "request_too_large", errors.TooLong, False),
    (429, "slow down", "rate_limit_error", errors.RateLimited, True),
    (500, "Internal server error", "api_error", errors.Overloaded, True),
    (503, "server busy, please try again", "", errors.Overloaded, True),
    (504, "upstream", "timeout_error", errors.TimedOut, True),
    (529, "Overloaded", "overloaded_error", errors.Overloaded, True),
]


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize(("status", "said", "kind", "error", "passing"), STATUSES)
def test_statuses(maker: str, status: int, said: str, kind: str, error: type, passing: bool) -> None:
    with serving(speech.refuse(maker, status, said, kind)) as server:
        plain = ask_plainly(maker, server)
    assert type(plain) is error and plain.passing is passing
    assert KEY not in str(plain) and KEY not in repr(plain)
    assert str(plain)[0].isupper() and str(plain).endswith(".")
    assert len(server.asked) <= 2  # no retries of the client's; OpenAI's once without what may be in the way


def ask_plainly(maker: str, server, limits: Limits = QUICK) -> errors.BackendError:
    """The error that a question without tools ends with."""
    from copilot.backends.base import Message, Request

    with pytest.raises(errors.BackendError) as caught:
        ask(maker, server, Request("You answer.", (Message("user", "how many?"),)), limits)
    return caught.value


@pytest.mark.parametrize("maker", ["anthropic", "openai"])
@pytest.mark.parametrize(("after", "seconds"), [("7", 7.0), ("0.5", 0.5), ("soon", None), ("-3", 0.0), ("nan", None)])
def test_how_long_to_wait(maker: str, after: str, seconds: float | None) -> None:
    with serving(speech.refuse(maker, 429, "slow down", retry_after=after)) as server:
        assert ask_plainly(maker, server).retry_after == seconds


def test_how_long_to_wait_may_be_a_date() -> None:
    wait = errors.seconds("Fri, 31 Dec 2100 23:59:59 GMT")
    assert wait == 3600.0
    assert errors.seconds("Fri, 01 Jan 1999 00:00:00 GMT") == 0.0


@pytest.mark.parametrize(
    ("maker", "status", "said", "kind", "error"),
    [
        ("openai", 429, "You exceeded your current quota", "insufficient_quota", errors.OutOfCredit),
        ("openai", 400, "This model's maximum context length is 8192 tokens", "", errors.TooLong),
        ("openai", 400, "too big", "context_length_exceeded", errors.TooLong),
        ("openai", 400, "the request exceeds the available context size", "exceed_context_size_error", errors.TooLong),
        ("openai", 400, "The model `small` does not exist", "", errors.UnknownModel),
        ("anthropic", 400, "prompt is too long: 210000 tokens > 200000", "invalid_request_error", errors.TooLong),
        ("anthropic", 400, "Your credit balance is too low", "invalid_request_error", errors.OutOfCredit),
        ("ollama", 400, "registry/library/small does not support tools", "", errors.ToolsNotSupported),
        ("ollama", 500, "model requires more system memory", "", errors.Overloaded),
    ],
)
def test_what_a_server_means(maker: str, status: int, said: str, kind: str, error: type) -> None:
    with serving(speech.refuse(maker, status, said, kind)) as server:
        assert type(ask_plainly(maker, server)) is error


@pytest.mark.parametrize("maker", MAKERS)
def test_what_a_server_says_is_quoted_without_control_characters_and_short(maker: str) -> None:
    with serving(speech.refuse(maker, 400, "odd \x1b[31m\u202e" + "x" * 5000)) as server:
        sentence = str(ask_plainly(maker, server))
    assert sentence.isprintable() and len(sentence) < 300


@pytest.mark.parametrize("maker", MAKERS)
def test_an_error_that_is_no_json(maker: str) -> None:
    with serving(Reply([b"<h1>Bad gateway</h1>"], 502, {"content-type": "text/html"})) as server:
        assert type(ask_plainly(maker, server)) is errors.Overloaded


@pytest.mark.parametrize("maker", MAKERS)
def test_nobody_answers_at_the_address(maker: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error = ask_plainly(maker, f"http://127.0.0.1:{port}")
    assert type(error) is errors.NotReachable and error.passing


@pytest.mark.parametrize("maker", MAKERS)
def test_a_name_that_does_not_exist(maker: str) -> None:
    with pytest.raises(errors.NotReachable):
        ask(maker, "http://no-such-host.invalid:9", key="")


@pytest.mark.parametrize("maker", MAKERS)
def test_no_first_word_in_time(maker: str) -> None:
    with serving(None) as server:
        error = ask_plainly(maker, server, SHORT)
        assert type(error) is errors.TimedOut and "did not begin" in str(error)
        assert server.hung_up.wait(10)


@pytest.mark.parametrize("maker", MAKERS)
def test_a_status_but_no_first_word(maker: str) -> None:
    with serving(Reply([Stall()], headers=SSE)) as server:
        assert "did not begin" in str(ask_plainly(maker, server, SHORT))
        assert server.hung_up.wait(10)


BEGUN = {
    "ollama": speech.ollama_parts("There are"),
    "anthropic": [speech.anthropic_start(), *speech.anthropic_text(0, "There", " are")[:-1]],
    "openai": [speech.chunk({"role": "assistant", "content": "There are"})],
}


@pytest.mark.parametrize("maker", MAKERS)
def test_a_stall_in_the_middle(maker: str) -> None:
    with serving(Reply([*BEGUN[maker], Stall()], headers=SSE)) as server:
        error = ask_plainly(maker, server, PAUSE)
        assert type(error) is errors.TimedOut and "in the middle" in str(error)
        assert server.hung_up.wait(10)


@pytest.mark.parametrize("maker", MAKERS)
def test_an_answer_that_takes_too_long_altogether(maker: str) -> None:
    with serving(Reply([*BEGUN[maker], Stall()], headers=SSE)) as server:
        error = ask_plainly(maker, server, Limits(first=20, between=20, total=0.4))
    assert type(error) is errors.TimedOut and "did not finish" in str(error)


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("end", [Cut(), Reset(), None], ids=["cut", "reset", "ended early"])
def test_a_connection_that_ends_in_the_middle(maker: str, end: object) -> None:
    with serving(Reply([*BEGUN[maker], *([end] if end else [])], headers=SSE)) as server:
        error = ask_plainly(maker, server)
    assert type(error) is errors.BrokenStream and error.passing


@pytest.mark.parametrize("maker", MAKERS)
def test_a_connection_that_ends_before_any_answer(maker: str) -> None:
    with serving(Reply([Reset()], headers=SSE)) as server:
        assert type(ask_plainly(maker, server)) is errors.BrokenStream


GARBAGE = {
    "bytes": b"\xff\xfe\x00\x9f\n\n" * 20,
    "bytes as data": b"event: content_block_delta\ndata: \xff\xfe\x00\n\n",
    "half an object": b'data: {"choices": [\n\n',
    "a number": b"event: message_start\ndata: 12\n\n",
    "a list": b"event: message_start\ndata: [1, 2]\n\n",
    "null": b"event: message_start\ndata: null\n\n",
    "other fields": b'event: message_start\ndata: {"type": "message_start", "message": 5, "choices": 7}\n\n',
    "nothing": b"",
}


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_garbage(maker: str, garbage: bytes) -> None:
    with serving(Reply([garbage], headers=SSE)) as server:
        assert type(ask_plainly(maker, server)) is errors.BrokenStream


@pytest.mark.parametrize("body", [b"12\n", b"[]\n", b'{"message": 5}\n', b'{"message": {"role": 1}}\n', b"\n\n"])
def test_garbage_in_ollamas_lines(body: bytes) -> None:
    with serving(Reply([body])) as server:
        assert type(ask_plainly("ollama", server)) is errors.BrokenStream


@pytest.mark.parametrize("maker", MAKERS)
def test_an_answer_without_end(maker: str) -> None:
    piece = {
        "ollama": speech.ollama_parts("x" * 500)[0],
        "anthropic": speech.anthropic_text(0, "x" * 500)[1],
        "openai": speech.chunk({"content": "x" * 500}),
    }[maker]
    with serving(Reply([*BEGUN[maker], Endless(piece)], headers=SSE)) as server:
        error = ask_plainly(maker, server, Limits(characters=20_000))
        assert type(error) is errors.TooMuch and not error.passing
        assert server.hung_up.wait(10)


@pytest.mark.parametrize("maker", MAKERS)
def test_a_line_without_end(maker: str) -> None:
    with serving(Reply([Endless(b"x" * 4096)], headers=SSE)) as server:
        assert type(ask_plainly(maker, server, Limits(bytes=200_000))) is errors.TooMuch
        assert server.hung_up.wait(10)


@pytest.mark.parametrize("maker", MAKERS)
def test_tool_calls_without_end(maker: str) -> None:
    calls = [("query", {"sql": str(n)}) for n in range(50)]
    with serving(speech.say(maker, calls)) as server, pytest.raises(errors.TooMuch):
        ask(maker, server)


@pytest.mark.parametrize("maker", MAKERS)
def test_huge_arguments_are_not_kept(maker: str) -> None:
    with serving(speech.say(maker, ("query", {"sql": "x" * 100_000}))) as server:
        (call,) = calls_of(ask(maker, server))
    assert call.arguments == {} and call.problem == "the arguments are too long"


@pytest.mark.parametrize("text", ["{sql: SELECT", "[1, 2]", "12", '"SELECT 1"', "[" * 3000, "{" * 5])
@pytest.mark.parametrize("maker", ["anthropic", "openai"])
def test_arguments_that_are_no_json_object(maker: str, text: str) -> None:
    if maker == "anthropic":
        body = [speech.anthropic_start(), *speech.anthropic_call(0, "query", text), speech.anthropic_end("tool_use")]
    else:
        called = {"tool_calls": [speech.piece(0, text, "c", "query")]}
        body = [speech.chunk(called), speech.chunk({}, "tool_calls"), speech.DONE]
    with serving(Reply(body, headers=SSE)) as server:
        (call,) = calls_of(ask(maker, server))
    assert call.arguments == {} and "JSON" in call.problem


def test_arguments_of_ollama_that_are_no_object() -> None:
    part = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "query", "arguments": "SELECT"}}]}
    with serving(Reply([speech.line(message=part, done=False), speech.ollama_end()])) as server:
        assert type(ask_plainly("ollama", server)) is errors.BrokenStream


@pytest.mark.parametrize(
    ("maker", "step", "error"),
    [
        ("ollama", b'{"error": "llama runner process has terminated"}\n', errors.Overloaded),
        (
            "anthropic",
            speech.event("error", error={"type": "overloaded_error", "message": "Overloaded"}),
            errors.Overloaded,
        ),
        ("anthropic", speech.event("error", error={"type": "rate_limit_error", "message": "x"}), errors.RateLimited),
        ("anthropic", b"event: error\ndata: what\n\n", errors.Overloaded),
        (
            "openai",
            speech.data({"error": {"message": "bad", "type": "server_error", "code": None}}),
            errors.Overloaded,
        ),
        ("openai", speech.data({"error": {"message": "slow", "code": 429}}), errors.RateLimited),
        ("openai", speech.data({"error": {"message": "x", "code": "rate_limit_exceeded"}}), errors.RateLimited),
    ],
)
def test_errors_told_inside_the_stream(maker: str, step: bytes, error: type) -> None:
    with serving(Reply([*BEGUN[maker], step], headers=SSE)) as server:
        assert type(ask_plainly(maker, server)) is error


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(maker: str, status: int) -> None:
    with serving(speech.say(maker, "12.")) as other, serving(Reply([], status, {"location": other.url})) as server:
        assert type(ask_plainly(maker, server)) is errors.WrongServer
        assert other.asked == [] and len(server.asked) == 1


@pytest.mark.parametrize("maker", MAKERS)
def test_a_web_page_instead_of_an_answer(maker: str) -> None:
    with serving(Reply([b"<html>Log in</html>"], headers={"content-type": "text/html; charset=utf-8"})) as server:
        assert "web page" in str(ask_plainly(maker, server))


@pytest.mark.parametrize("maker", MAKERS)
def test_a_compressed_answer_is_not_unpacked(maker: str) -> None:
    with serving(Reply([b"\x1f\x8b" * 10], headers={**SSE, "content-encoding": "gzip"})) as server:
        assert type(ask_plainly(maker, server)) is errors.BrokenStream
        assert server.asked[0].headers["accept-encoding"] == "identity"


def test_a_server_that_does_not_stream() -> None:
    body = json.dumps({"choices": [{"message": {"role": "assistant", "content": "12"}}]}).encode()
    with serving(Reply([body], headers={"content-type": "application/json"})) as server:
        assert type(ask_plainly("openai", server)) is errors.WrongServer
