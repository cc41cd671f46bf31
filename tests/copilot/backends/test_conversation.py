"""The loop of calls and results, its budget, and what becomes of the model's words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from copilot.backends import errors, prompts
from copilot.backends.base import Cancel, Config, Done, Event, Limits, Price, Request, Text, Tokens, ToolCall
from copilot.backends.conversation import Budget, Conversation, Reply, Watching
from copilot.backends.outlet import Outlet
from tests.copilot.backends import speech
from tests.copilot.backends.asking import MAKERS, QUICK, backend
from tests.copilot.backends.estate import EVIL, Estate
from tests.copilot.backends.pseudonyms import Words
from tests.copilot.backends.server import Asked, Stall, serving
from tests.copilot.backends.server import Reply as Said
from tests.copilot.backends.test_failures import BEGUN, SSE

SQL = ToolCall("a", "query", {"sql": "SELECT 1"})
END = Done(Tokens(100, 10))
TOOLS = Done(Tokens(100, 10), "tools")
ASKED = {"question": "how much memory has web-01?"}
RULES = "Rules."


class Scripted:
    """A backend that gives prepared answers, the last one for ever; an exception is raised."""

    def __init__(self, *answers: list[Any], price: Price | None = None) -> None:
        self.config = Config("ollama", "small", price=price)
        self.answers = list(answers)
        self.requests: list[Request] = []
        self.limits: list[Limits] = []

    def stream(self, request: Request, cancel: Cancel, limits: Limits) -> Iterator[Event]:
        self.requests.append(request)
        self.limits.append(limits)
        for one in self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]:
            if isinstance(one, BaseException):
                raise one
            if callable(one):
                one()
                continue
            yield one

    def models(self, cancel: Cancel, limits: Limits) -> tuple[str, ...]:
        return ()


def ask(model: Scripted, question: str = ASKED["question"], cancel: Cancel | None = None, **more: Any) -> Reply:
    estate = more.pop("estate", None) or Estate()
    talk = Conversation(Outlet(model, more.pop("redactor", None)), estate.toolbox(question), **more)
    return talk.ask(RULES, {"question": question}, cancel or Cancel())


def test_a_tool_is_called_and_the_answer_is_from_its_rows() -> None:
    model = Scripted([Text("I look."), SQL, TOOLS], [Text("web-01 has "), Text("16 GB."), END])
    said, did = [], []
    reply = ask(model, watching=Watching(said.append, did.append))
    assert (reply.text, reply.grounded, reply.unverified, reply.error) == ("web-01 has 16 GB.", True, (), None)
    assert said == ["I look.", "web-01 has", "web-01 has 16 GB."]
    assert did == ["thinks", "reads data", "thinks"]
    first, second = model.requests
    assert [one.role for one in first.messages] == ["user"]
    assert [one.role for one in second.messages] == ["user", "assistant", "tool"]
    assert second.messages[2].content["rows"][0] == ["r1", "web-01", "ACTIVE", 16384]


def test_usage_and_cost_are_summed() -> None:
    reply = ask(Scripted([SQL, TOOLS], [Text("web-01 has 16 GB."), END], price=Price(3.0, 15.0)))
    usage = reply.usage
    assert (usage.input_tokens, usage.output_tokens, usage.calls, usage.tools) == (200, 20, 2, ["query"])
    assert usage.cost == pytest.approx((200 * 3 + 20 * 15) / 1e6)
    assert reply.sent.requests == 2
    assert ask(Scripted([Text("I cannot say."), END])).usage.cost is None


def test_words_with_other_numbers_get_one_more_chance() -> None:
    model = Scripted([SQL, TOOLS], [Text("web-01 has 17 GB."), END], [Text("web-01 has 16 GB."), END])
    reply = ask(model)
    assert reply.text == "web-01 has 16 GB." and reply.unverified == ()
    assert "'17 GB'" in model.requests[2].messages[-1].content


def test_words_with_other_numbers_are_left_out() -> None:
    reply = ask(Scripted([SQL, TOOLS], [Text("web-01 has 17 GB."), END]))
    assert (reply.text, reply.unverified, reply.error) == ("", ("17 GB",), None)
    assert reply.found and reply.grounded


def test_numbers_without_any_tool_are_left_out() -> None:
    reply = ask(Scripted([Text("There are 42 servers."), END]))
    assert (reply.text, reply.unverified, reply.grounded) == ("", ("42",), False)


def test_the_last_round_lets_no_tool_be_called() -> None:
    model = Scripted([SQL, TOOLS])
    reply = ask(model, budget=Budget(rounds=3))
    assert type(reply.error) is errors.CutShort
    assert [one.final for one in model.requests] == [False, False, True]
    assert model.requests[2].messages[-1].content == prompts.ANSWER_NOW
    assert len(reply.found) == 2


def test_most_tokens_end_the_calling_of_tools() -> None:
    model = Scripted([SQL, TOOLS], [Text("web-01 has 16 GB."), END])
    assert ask(model, budget=Budget(tokens=100)).text == "web-01 has 16 GB."
    assert [one.final for one in model.requests] == [False, True]


def test_most_calls_end_the_calling_of_tools() -> None:
    estate = Estate()
    model = Scripted([*[SQL] * 8, TOOLS], [*[SQL] * 8, TOOLS], [Text("web-01 has 16 GB."), END])
    reply = ask(model, budget=Budget(calls=10), estate=estate)
    assert reply.text == "web-01 has 16 GB." and len(estate.sql) == 10
    assert [one.final for one in model.requests] == [False, False, True]


def test_no_tool_is_called_when_the_time_is_over() -> None:
    now, estate = [0.0], Estate()
    model = Scripted([lambda: now.__setitem__(0, 90.0), SQL, TOOLS])
    reply = ask(model, budget=Budget(seconds=60), clock=lambda: now[0], estate=estate)
    assert type(reply.error) is errors.TimedOut and estate.sql == []


def test_the_time_of_a_question_is_shared_by_its_requests() -> None:
    now = [0.0]
    model = Scripted([lambda: now.__setitem__(0, 40.0), SQL, TOOLS], [lambda: now.__setitem__(0, 59.5), SQL, TOOLS])
    reply = ask(model, budget=Budget(seconds=60), clock=lambda: now[0])
    assert type(reply.error) is errors.TimedOut and "60 seconds" in str(reply.error)
    assert [one.total for one in model.limits] == [60.0, 20.0]


@pytest.mark.parametrize(
    ("stop", "error"),
    [("length", errors.CutShort), ("refused", errors.Refused), ("context", errors.TooLong), ("end", errors.CutShort)],
)
def test_answers_that_are_none(stop: Any, error: type) -> None:
    words = [] if stop == "end" else [Text("There are")]
    reply = ask(Scripted([*words, Done(Tokens(5, 5), stop)]))
    assert type(reply.error) is error and reply.text == ""
    assert reply.usage.input_tokens == 5


@pytest.mark.parametrize(
    ("failure", "requests"),
    [
        (errors.Overloaded("busy.", retry_after=0.01), 2),
        (errors.RateLimited("slow.", retry_after=0.0), 2),
        (errors.RateLimited("slow.", retry_after=60.0), 1),  # longer than a person waits
        (errors.RefusedKey("no."), 1),
        (errors.UnknownModel("no."), 1),
        (errors.TooLong("no."), 1),
        (errors.Cancelled(), 1),
    ],
)
def test_what_is_tried_again(failure: errors.BackendError, requests: int) -> None:
    failure.retry_after = failure.retry_after or 0.01
    model = Scripted([failure])
    assert ask(model).error is failure
    assert len(model.requests) == requests


def test_what_passed_is_an_answer() -> None:
    model = Scripted([errors.Overloaded("busy.", retry_after=0.01)], [Text("I cannot say."), END])
    assert ask(model).text == "I cannot say."


def test_an_answer_that_broke_off_is_not_begun_again() -> None:
    model = Scripted([Text("There"), errors.BrokenStream("broke.")])
    reply = ask(model)
    assert type(reply.error) is errors.BrokenStream and len(model.requests) == 1


def test_a_failure_in_the_middle_keeps_what_was_found_and_used() -> None:
    reply = ask(Scripted([SQL, TOOLS], [errors.RefusedKey("no.")]))
    assert type(reply.error) is errors.RefusedKey
    assert len(reply.found) == 1 and reply.usage.input_tokens == 100


def test_cancelled_between_tools() -> None:
    cancel = Cancel()
    estate = Estate()
    model = Scripted([SQL, SQL, cancel.cancel, TOOLS])
    reply = ask(model, cancel=cancel, estate=estate)
    assert type(reply.error) is errors.Cancelled
    assert estate.sql == []


def test_cancelled_while_it_waits_to_try_again() -> None:
    cancel = Cancel()
    model = Scripted([cancel.cancel, errors.Overloaded("busy.", retry_after=4.0)])
    assert type(ask(model, cancel=cancel).error) is errors.Cancelled


def test_text_is_shown_without_control_characters_and_short() -> None:
    said: list[str] = []
    reply = ask(Scripted([Text("a\x1b[2J\u202eb\r\n" + "x" * 9000), END]), watching=Watching(said.append))
    for text in (reply.text, *said):
        assert text.replace("\n", "").isprintable() and len(text) <= 4000


def test_a_name_that_gives_orders_orders_nothing() -> None:
    """The model obeys a machine's name: all it can do is propose, and its claim of a number is not shown."""
    orders = ToolCall("b", "prefill_wizard", {"action": "server.stop", "refs": ["r2"]})
    model = Scripted([SQL, TOOLS], [orders, TOOLS], [Text("All 99 servers were stopped."), END])
    reply = ask(model)
    shown = model.requests[1].messages[2].content["rows"][1][1]
    assert "\x1b" not in shown and "\u202e" not in shown and shown != EVIL
    assert reply.text == "" and reply.unverified == ("99",)
    assert [one.kind for one in reply.proposals] == ["prefill"]


def test_unknown_tools_and_bad_arguments_are_told_to_the_model() -> None:
    bad = ToolCall("c", "query", problem="the arguments are not JSON")
    model = Scripted([ToolCall("b", "rm", {}), bad, TOOLS], [Text("I cannot say."), END])
    assert ask(model).text == "I cannot say."
    results = [one.content for one in model.requests[1].messages if one.role == "tool"]
    assert [one["ok"] for one in results] == [False, False]


class TestWithoutTools:
    """Models that know no tools write calls as JSON."""

    CALL = '{"tool": "query", "arguments": {"sql": "SELECT 1"}}'

    @pytest.mark.parametrize(
        "words", [CALL, f"```json\n{CALL}\n```", f"\n {CALL}\nI wait.", CALL.replace("tool", "name")]
    )
    def test_a_call_in_words(self, words: str) -> None:
        model = Scripted(
            [errors.ToolsNotSupported("no tools.")],
            [Text(words[:5]), Text(words[5:]), END],
            [Text("web-01 has 16 GB."), END],
        )
        said: list[str] = []
        reply = ask(model, watching=Watching(said.append))
        assert reply.text == "web-01 has 16 GB." and reply.grounded
        assert said == ["web-01 has 16 GB."]
        assert [bool(one.tools) for one in model.requests] == [True, False, False]
        assert "How to call a tool" in model.requests[1].rules
        assert [one.role for one in model.requests[2].messages] == ["user", "assistant", "user"]
        assert model.requests[2].messages[2].content["result"]["ok"]

    @pytest.mark.parametrize("words", ["{not json", "{}", '{"tool": 5}', "[" * 2000, '{"a": 1}'])
    def test_words_that_are_no_call_are_an_answer(self, words: str) -> None:
        model = Scripted([errors.ToolsNotSupported("no tools.")], [Text(words), END])
        reply = ask(model)
        assert reply.error is None and not reply.grounded

    def test_arguments_that_are_none(self) -> None:
        words = '{"tool": "query", "arguments": ["SELECT 1"]}'
        model = Scripted([errors.ToolsNotSupported("no tools.")], [Text(words), END], [Text("I cannot say."), END])
        assert ask(model).text == "I cannot say."
        assert not model.requests[2].messages[2].content["result"]["ok"]

    def test_a_server_that_refuses_even_that(self) -> None:
        model = Scripted([errors.ToolsNotSupported("no tools.")])
        assert type(ask(model).error) is errors.ToolsNotSupported
        assert len(model.requests) == 2


# --- the same over the wire


def two_rounds(maker: str, last: str):
    def turn(asked: Asked) -> Said:
        first = b"tool_result" not in asked.body and b'"role":"tool"' not in asked.body.replace(b" ", b"")
        return speech.say(maker, ("query", {"sql": "SELECT 'host-1'"})) if first else speech.say(maker, last)

    return turn


@pytest.mark.parametrize("maker", MAKERS)
def test_a_question_over_the_wire_with_pseudonyms(maker: str) -> None:
    estate = Estate()
    words = Words("web-01")
    with serving(two_rounds(maker, "host-1 has 16 GB.")) as server:
        talk = Conversation(Outlet(backend(maker, server), words), estate.toolbox(ASKED["question"]), limits=QUICK)
        reply = talk.ask(RULES, ASKED, Cancel())
        assert all(b"web-01" not in one.body for one in server.asked)
    assert reply.text == "web-01 has 16 GB." and reply.error is None
    assert estate.sql == ["SELECT 'web-01'"]
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (40, 14)
    assert reply.sent.external and reply.sent.requests == 2


@pytest.mark.parametrize("maker", MAKERS)
def test_a_stall_after_the_first_words_over_the_wire(maker: str) -> None:
    said: list[str] = []
    limits = Limits(first=20, between=0.3, total=60)
    with serving(Said([*BEGUN[maker], Stall()], headers=SSE)) as server:
        outlet = Outlet(backend(maker, server), None)
        talk = Conversation(outlet, Estate().toolbox(), limits=limits, watching=Watching(said.append))
        reply = talk.ask(RULES, ASKED, Cancel())
    assert type(reply.error) is errors.TimedOut
    assert said[-1] == "There are" and reply.text == ""


def test_a_local_model_that_knows_no_tools_over_the_wire() -> None:
    def turn(asked: Asked) -> Said:
        if asked.json.get("tools"):
            return speech.refuse("ollama", 400, "registry/small does not support tools")
        if "result_of" not in asked.json["messages"][-1]["content"]:
            return speech.say("ollama", TestWithoutTools.CALL)
        return speech.say("ollama", "web-01 has 16 GB.")

    with serving(turn) as server:
        outlet = Outlet(backend("ollama", server), None, external=False)
        reply = Conversation(outlet, Estate().toolbox(ASKED["question"]), limits=QUICK).ask(RULES, ASKED, Cancel())
    assert reply.text == "web-01 has 16 GB." and reply.grounded and not reply.sent.external
