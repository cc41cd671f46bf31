"""No byte that leaves holds anything of the estate: a model that asks for everything, over a long conversation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from copilot.answers import Answer, Context, Named, Turn
from copilot.backends.asking import Setup, ask_model
from copilot.backends.base import Cancel, Config, Limits
from copilot.backends.conversation import Budget
from tests.copilot.backends import speech
from tests.copilot.backends.asking import MAKERS
from tests.copilot.backends.server import Asked, Reply, Server, serving
from tests.copilot.redaction.estate import NOW, SERVERS, Person, estate, inventory, redactor, server_id

TABLES = ("servers", "projects", "users", "ports", "hypervisors", "networks", "subnets", "domains")
QUESTION = "why is web-01 of ACME PROD (acmeprod, Größe & Söhne, chief3@firm3.example) slower than gro\u0308sser?"
NOTES = "cmp-00.rack.example.net is old, 10.11.3.7 is the door of Hohenheim. Ask chief1. Ringnetz v4 is 10.11.0.0/16."
BUILT_IN = Answer(
    "unsure", "?", understood="machines of acme-prod", unknown=("Katzenbergers-web-01",), scope=("project acme-prod",),
    named=(Named("project", ("Nordwolke", "", "b0"), "acme-prod", "ACME PROD"),),
)  # fmt: skip


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    with estate() as made:
        yield made


def seen_at(place: str) -> Any:
    """What the model was last told, with all that it was told before."""
    return re.findall(r"[a-z]+-\d+", place)


class Curious:
    """A model that reads everything, says what it got, and asks on with it."""

    def __init__(self, maker: str) -> None:
        self.maker = maker
        self.turn = 0

    def __call__(self, asked: Asked) -> Reply:
        self.turn += 1
        told = sorted(set(seen_at(asked.body.decode())))
        if self.turn <= len(TABLES):
            sql = f"SELECT * FROM {TABLES[self.turn - 1]} LIMIT 50"
            return speech.say(self.maker, "I look at " + ", ".join(told[:20]), [("query", {"sql": sql})])
        if self.turn == len(TABLES) + 1:
            every = "SELECT name AS status, tags, host h FROM servers WHERE true OR name IN"
            some = "', '".join(told[:40])
            return speech.say(
                self.maker,
                [
                    (
                        "query",
                        {"sql": f"{every} ('{some}')"},
                    ),
                    ("query", {"entity": "server", "where": [{"column": "name", "values": told[:40]}]}),
                    ("find_resource", {"text": told[0]}),
                    ("open_pane", {"type": "server", "filter": f"name:{told[0]}"}),
                    ("query", {"sql": f"SELECT {told[0]} FROM nowhere"}),
                    ("prefill_wizard", {"action": "server.stop", "refs": told}),
                ],
            )
        return speech.say(self.maker, f"{told[0]} and {told[-1]} have 99 things.")


@pytest.mark.parametrize("maker", MAKERS)
def test_no_byte_that_leaves_is_of_the_estate(maker: str, connection: Any) -> None:
    person: Any = Person(connection)
    place = ("Nordwolke", "Ulmendorf")
    selected = tuple(Named("server", (*place, server_id(n)), name) for n, name in enumerate(SERVERS[:15]))
    context = Context(NOW, NOW.tzinfo, selected, (Turn("vms in 测试项目"), Turn("and on cmp-01.rack.example.net?")))  # type: ignore[arg-type]
    hides = redactor(connection)
    with serving(Curious(maker)) as server:
        url = server.url + ("/v1" if maker == "openai" else "")
        setup = Setup(
            Config(maker, "small", url), hides, NOTES, Budget(rounds=14, calls=40, tokens=10_000_000),  # type: ignore[arg-type]
            Limits(first=20, between=20, total=60),
        )  # fmt: skip
        ask_model(QUESTION, context, person, BUILT_IN, setup, Cancel())
        assert len(server.asked) >= len(TABLES) + 2
        _nothing_in(server)


def _nothing_in(server: Server) -> None:
    rules = texts_of(server.asked[0].json)[0] if isinstance(server.asked[0].json, dict) else ""
    for asked in server.asked:
        assert b"ZZZ" not in asked.body
        texts = [text.replace(rules, "") if len(rules) > 1000 else text for text in texts_of(asked.json)]
        everything = "\n".join((asked.path, *texts))
        for value in inventory():
            found = re.search(pattern_of(value), everything, re.IGNORECASE)
            assert found is None, everything[max(0, found.start() - 80) : found.end() + 80]


def pattern_of(value: str) -> str:
    """Plain words as words of their own: "web" is no part of "website"; whatever has a sign or digit, anywhere."""
    plain = re.escape(value)
    return rf"(?<![^\W_]){plain}(?![^\W_])" if value.isalpha() and value.isascii() else plain


def texts_of(value: Any) -> list[str]:
    """All texts in a JSON value, and in the JSON that texts hold."""
    if isinstance(value, str):
        try:
            inner = json.loads(value)
        except ValueError:
            return [value]
        return texts_of(inner) if isinstance(inner, dict | list) else [value]
    if isinstance(value, dict):
        return [text for key, one in value.items() for text in (key, *texts_of(one)) if key not in ("tools", "model")]
    if isinstance(value, list):
        return [text for one in value for text in texts_of(one)]
    return []
