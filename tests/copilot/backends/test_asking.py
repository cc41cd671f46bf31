"""A question to a model from end to end: server on the wire, tools on a real store, guard and all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from copilot.answers import Answer, Context, Named, Table, Turn, Usage
from copilot.backends import errors
from copilot.backends.asking import CONFIDENCE, LEFT_OUT, Pieces, Setup, answer_of, ask_model
from copilot.backends.base import Cancel, Config, Limits
from copilot.backends.conversation import Budget, Reply
from copilot.backends.outlet import Sent
from copilot.backends.results import Found
from store.estate.reading.models import Scope
from tests.copilot.backends import speech
from tests.copilot.backends.asking import MAKERS
from tests.copilot.backends.pseudonyms import Words
from tests.copilot.backends.server import Asked, Server, serving
from tests.copilot.backends.server import Reply as Said
from tests.copilot.guard.estate import NOW, PLANTED, Asker, world

BUILT_IN = Answer("unsure", "I am not sure.", confidence=0.3, choices=("list vms",), understood="machines")
CONTEXT = Context(NOW, UTC)
LIMITS = Limits(first=20, between=20, total=60)


@pytest.fixture(scope="module")
def estate() -> Iterator[Any]:
    with world() as connection:
        yield connection


class Person(Asker):
    """Who asks, with what the tools need besides."""

    def data_at(self, types: Any) -> datetime | None:
        self.asked_types = tuple(types)
        return NOW

    def find(self, text: str, at: datetime | None = None) -> dict[str, Any]:
        return {
            "items": [{"type": "server", "key": ["c", "r", "s1"], "name": "web-01", "says": "is web-01"}],
            "more": 0,
        }


def in_turns(maker: str, *answers: Any) -> Any:
    """A server that gives these answers one after the other."""
    left = [speech.say(maker, one) for one in answers]

    def turn(asked: Asked) -> Said:
        return left.pop(0) if len(left) > 1 else left[0]

    return turn


def asking(
    server: Server, person: Asker, question: str, maker: str = "ollama", context: Context = CONTEXT, **more: Any
) -> tuple[Answer, Usage, Sent]:
    url = server.url + ("/v1" if maker == "openai" else "")
    setup = Setup(Config(maker, "small", url), limits=LIMITS, **more)  # type: ignore[arg-type]
    return ask_model(question, context, person, BUILT_IN, setup, Cancel())  # type: ignore[arg-type]


@pytest.mark.parametrize("maker", MAKERS)
def test_sql_of_a_model(maker: str, estate: Any) -> None:
    sql = "SELECT name, ram_mb FROM servers WHERE status = 'ACTIVE' AND project_name = 'acme' ORDER BY ram_mb DESC"
    person = Person(estate)
    with serving(in_turns(maker, ("query", {"sql": sql}), "The largest is db-01 with 16 GB.")) as server:
        answer, usage, sent = asking(server, person, "largest running machine of acme?", maker)
    assert (answer.outcome, answer.text, answer.confidence) == (
        "answer",
        "The largest is db-01 with 16 GB.",
        CONFIDENCE,
    )
    assert not answer.sure and answer.intent == "model"
    assert answer.table is not None and [row["name"] for row in answer.table.rows] == ["db-01", "web-01"]
    assert "servers" in answer.shown[0].text and answer.data_at == NOW and person.asked_types == ("server",)
    assert usage.calls == 2 and usage.tools == ["query"] and sent.external is False


def test_a_query_of_fields(estate: Any) -> None:
    where = [{"column": "project_name", "values": ["acme"]}]
    fields = {"entity": "server", "measure": "sum", "measured": "ram_mb", "where": where}
    with serving(in_turns("ollama", ("query", fields), "acme's machines have 24 GB together.")) as server:
        answer, _, _ = asking(server, Person(estate), "memory of acme?")
    assert answer.text == "acme's machines have 24 GB together."
    assert answer.table is not None and answer.table.rows == ({"sum": 24576},)


def test_rows_of_fields_can_be_proposed(estate: Any) -> None:
    fields = {"entity": "server", "where": [{"column": "name", "values": ["web-02"]}]}
    stop = ("prefill_wizard", {"action": "server.stop", "refs": ["r1"]})
    with serving(in_turns("ollama", ("query", fields), stop, "The form to stop web-02 is ready.")) as server:
        answer, _, _ = asking(server, Person(estate), "stop web-02")
    (one,) = answer.proposals
    assert one.name == "server.stop" and one.keys[0][2] == "s2"


def test_a_wrong_number_gives_way_to_the_rows(estate: Any) -> None:
    sql = "SELECT count(*) AS n FROM servers"
    with serving(in_turns("ollama", ("query", {"sql": sql}), "There are 7 servers.")) as server:
        answer, _, _ = asking(server, Person(estate), "how many servers?")
    assert "7" not in answer.text and answer.text.startswith(LEFT_OUT)
    assert answer.table is not None and answer.table.rows == ({"n": 6},)
    assert answer.confidence < CONFIDENCE


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT * FROM servers WHERE name ILIKE '%{PLANTED}%'",
        "SELECT * FROM server_versions",
        "SELECT * FROM read_text('/etc/passwd')",
        "DROP TABLE server_versions",
        "SELECT doc FROM servers",
    ],
)
def test_a_model_reads_no_more_than_the_asker(sql: str, estate: Any) -> None:
    person = Person(estate, Scope(projects=("p1",)))
    with serving(in_turns("ollama", ("query", {"sql": sql}), "I cannot say.")) as server:
        answer, _, _ = asking(server, person, "what is there?")
        outgoing = b"".join(one.body for one in server.asked).replace(sql.encode(), b"")
    assert f"beta-04-{PLANTED}".encode() not in outgoing
    assert b"root:" not in outgoing
    assert answer.table is None or not answer.table.rows


def test_a_model_elsewhere_is_not_asked_without_a_redactor(estate: Any) -> None:
    setup = Setup(Config("ollama", "small", "http://192.0.2.7:1"))
    with pytest.raises(ValueError, match="redactor"):
        ask_model("how many?", CONTEXT, Person(estate), BUILT_IN, setup, Cancel())  # type: ignore[arg-type]


def test_names_are_hidden_in_question_context_and_results(estate: Any) -> None:
    names = ("web-01", "web-02", "db-01", "acme", "cmp-01", "cmp-02")
    redactor = Words(*names)
    context = Context(
        NOW, UTC, (Named("server", ("c", "r", "s1"), "web-01"),), (Turn("what runs on cmp-01?"), Turn("and acme?"))
    )
    calls = [
        ("query", {"sql": "SELECT name, host FROM servers WHERE host = 'host-5'"}),
        ("find_resource", {"text": "x"}),
    ]
    with serving(in_turns("ollama", calls, "host-1 runs on host-5.")) as server:
        answer, _, _ = asking(
            server, Person(estate), "where is web-01?", context=context, redactor=redactor, notes="acme"
        )
        for one in server.asked:
            assert not [name for name in names if name.encode() in one.body]
    assert answer.text == "web-01 runs on cmp-01."


def test_a_failure_says_what_was_used(estate: Any) -> None:
    def turn(asked: Asked) -> Said:
        if len(server.asked) > 1:
            return speech.refuse("ollama", 404, 'model "small" not found')
        return speech.say("ollama", ("query", {"sql": "SELECT count(*) AS n FROM servers"}))

    with serving(turn) as server, pytest.raises(errors.UnknownModel) as caught:
        asking(server, Person(estate), "how many?")
    assert caught.value.usage is not None and caught.value.usage.input_tokens == 20


def test_words_arrive_piece_by_piece(estate: Any) -> None:
    pieces: list[str] = []
    parts = ["I look.", ("query", {"sql": "SELECT count(*) AS n FROM servers"})]
    with serving(in_turns("openai", parts, "There are 6 servers.")) as server:
        setup = Setup(Config("openai", "small", server.url + "/v1"), limits=LIMITS)
        ask_model("how many?", CONTEXT, Person(estate), BUILT_IN, setup, Cancel(), say=pieces.append)  # type: ignore[arg-type]
    assert "".join(pieces) == "I look.\nThere are 6 servers."


ROWS = Found(Table((), ({"n": 1},), 1))
NONE = Found(Table((), (), 0))


@pytest.mark.parametrize(
    ("reply", "outcome", "text"),
    [
        (Reply("So it is.", grounded=True, found=(ROWS,)), "answer", "So it is."),
        (Reply("I do not know."), "unsure", "I do not know."),
        (Reply("", unverified=("7",)), "unsure", LEFT_OUT),
        (Reply("", grounded=True, unverified=("7",), found=(NONE,)), "unsure", LEFT_OUT),
        (Reply("", grounded=True, unverified=("7",), found=(ROWS,)), "answer", f"{LEFT_OUT} This is what was read."),
    ],
)
def test_what_becomes_of_a_reply(reply: Reply, outcome: str, text: str, estate: Any) -> None:
    answer = answer_of(reply, BUILT_IN, Person(estate))  # type: ignore[arg-type]
    assert (answer.outcome, answer.text) == (outcome, text)
    assert not answer.sure
    assert bool(answer.choices) is (outcome == "unsure")


def test_pieces() -> None:
    said: list[str] = []
    show = Pieces(said.append)
    for text in ("a", "ab", "ab", "x", "xy"):
        show(text)
    assert said == ["a", "b", "\nx", "y"]


def test_a_budget_of_one_round_asks_once(estate: Any) -> None:
    with serving(in_turns("ollama", "I cannot say.")) as server:
        asking(server, Person(estate), "how many?", budget=Budget(rounds=1))
        assert (len(server.asked) == 1 and "tools" not in server.asked[0].json) or not server.asked[0].json["tools"]
