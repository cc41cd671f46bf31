"""What is done with attacks by, on and through a language model, and what must not come of them."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from typing import Any

from copilot.answers import Field, Table
from copilot.backends.asking import Setup, hands
from copilot.backends.base import Cancel, Config, Done, Event, Limits, Request, Text, Tokens, ToolCall
from copilot.backends.conversation import Conversation, Reply, Watching
from copilot.backends.errors import BackendError, from_status
from copilot.backends.outlet import outlet_for
from copilot.backends.tools import Toolbox
from copilot.backends.verification import Facts
from copilot.linking.names import Names
from copilot.linking.shelves import Shelves
from copilot.redaction.index import Index, index_of
from copilot.redaction.redactor import Redactor
from tests.copilot.attacks.attack import Attack
from tests.copilot.backends.estate import Estate
from tests.copilot.guard.estate import ACME, NOW, PLANTED
from tests.copilot.redaction.estate import Person

ELSEWHERE = Config("openai", "large", "https://models.example/v1")
QUERY = ToolCall("q", "query", {"sql": "SELECT name FROM servers"})
# What a model that obeys whatever it reads tries next.
OBEYED = (
    ToolCall("a", "prefill_wizard", {"action": "server.delete", "refs": ["r7"]}),
    ToolCall("b", "open_pane", {"pane": "https://evil.example/"}),
    ToolCall("c", "reveal_secrets", {}),
    ToolCall("d", "http_get", {"url": "https://evil.example/"}),
)
_BAD = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


class Hostile:
    """A model elsewhere that says what it was told to say; `{name}` is the last server's pseudonym."""

    def __init__(self, *turns: tuple[Event, ...]) -> None:
        self.config = ELSEWHERE
        self.turns = list(turns)
        self.requests: list[Request] = []

    def stream(self, request: Request, cancel: Cancel, limits: Limits) -> Iterator[Event]:
        self.requests.append(request)
        results = [one.content for one in request.messages if one.role == "tool" and one.content.get("rows")]
        name = results[-1]["rows"][-1][1] if results else ""
        for event in self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]:
            yield Text(event.text.replace("{name}", name)) if isinstance(event, Text) else event
        yield Done(Tokens(10, 10))

    def models(self, cancel: Cancel, limits: Limits) -> tuple[str, ...]:
        return ()


def asked(model: Hostile, estate: Estate, said: list[str] | None = None, redactor: Redactor | None = None) -> Reply:
    """What comes of the question, through a redactor that knows no names but those in results."""
    watching = Watching((said if said is not None else []).append)
    talk = Conversation(
        outlet_for(model, redactor or Redactor(Index())), estate.toolbox("how are the machines?"), watching=watching
    )
    return talk.ask("Rules.", {"question": "how are the machines?"}, Cancel())


def called(name: str) -> Estate:
    """Two servers, the last of that name and with it in what tenants write."""
    columns = (Field("name", "NAME", "name"), Field("description", "TEXT"), Field("ram_mb", "RAM", "size_mb"))
    rows = (
        {"name": "web-01", "description": "", "ram_mb": 16384},
        {"name": name, "description": f"console: {name}", "ram_mb": 8192, "metadata": {name: [name]}},
    )
    keys = (("server", ("c", "r", "s1")), ("server", ("c", "r", "s2")))
    return Estate(Table((*columns, Field("metadata", "META")), rows, 2, keys))


def injected(attack: Attack, place: Any) -> int:
    """The model never sees the text; where it obeys all the same, nothing comes of it."""
    model = Hostile((QUERY,), OBEYED, (Text(f"I obey: {attack.text} There are 4711 servers."),))
    reply = asked(model, called(attack.text))
    told = json.dumps([[one.content for one in request.messages[:3]] for request in model.requests], ensure_ascii=False)
    words = [word for word in attack.text.split() if len(word) > 5 and word.isalpha()]
    assert attack.text not in told and not [word for word in words if f" {word} " in told]
    assert _is_clean(told)
    errors = [
        one.content["error"] for one in model.requests[2].messages if one.role == "tool" and "error" in one.content
    ]
    assert len(errors) == len(OBEYED) and reply.proposals == ()
    assert reply.text == "" and reply.unverified
    return 0


def obeyed(attack: Attack, place: Any) -> int:
    """Somebody limited to acme gets nothing of anybody else, no secret, and no word of the inside."""
    result = _limited(place).call(_call(attack))
    said = json.dumps(result, ensure_ascii=False)
    assert PLANTED not in said.replace(attack.text, "") and _is_clean(said)
    assert attack.says in result.get("error", "") and (not attack.says or not result["ok"])
    for word in ("Traceback", ".py", "valid_to", "memory_limit", "beta"):
        assert word not in said
    return 0


def proposed(attack: Attack, place: Any) -> int:
    """Nothing is proposed on what was not found, and nothing hostile is in what is said of it."""
    box = Estate().toolbox()
    assert box.call(ToolCall("f", "find_resource", {"text": "web-01"}))["ok"]
    result = box.call(_call(attack))
    assert not result["ok"] and attack.says in result["error"] and box.proposals == []
    assert _is_clean(json.dumps(result, ensure_ascii=False))
    return 0


def carried(attack: Attack, place: Any) -> int:
    """No link with a real name in it is shown, nor sent back."""
    said: list[str] = []
    model = Hostile((QUERY,), (Text(attack.text),))
    reply = asked(model, called("bluewhale"), said)
    assert reply.text == "" and reply.unverified
    shown = " ".join(said)
    assert "://" not in shown or "bluewhale" not in shown.split("://")[-1].split()[0]
    assert "bluewhale" not in str(model.requests)
    return 0


def untrue(attack: Attack, place: Any) -> int:
    """What no result gives is not the answer."""
    reply = asked(Hostile((QUERY,), (Text(attack.text),)), called("db-02"))
    assert reply.text == "" and reply.unverified
    return 0


def escapes(attack: Attack, place: Any) -> int:
    """No control or invisible character comes through: in names, in words piece by piece, in calls."""
    said: list[str] = []
    wild = ToolCall("x", attack.text, {attack.text: attack.text}, problem=attack.text)
    calls = (wild, ToolCall("y", "query", {"entity": attack.text}), ToolCall("z", "open_pane", {"pane": attack.text}))
    pieces = tuple(Text(one) for one in f"web-01{attack.text} has 16 GB, {{name}} too.")
    model = Hostile((QUERY,), calls, pieces)
    reply = asked(model, called(f"n{attack.text}n"), said)
    assert _is_clean(reply.text) and all(map(_is_clean, said))
    assert all(map(_is_clean, reply.usage.tools))
    for request in model.requests:
        for message in request.messages:
            assert message.role == "assistant" or _is_clean(json.dumps(message.content, ensure_ascii=False))
    box = called(f"n{attack.text}n").toolbox()
    assert _is_clean(json.dumps(box.call(QUERY), ensure_ascii=False))
    assert box.call(ToolCall("o", "open_pane", {"ref": "r2"}))["ok"] and _is_clean(box.proposals[0].label)
    return 0


def errors(attack: Attack, place: Any) -> int:
    """What a server says of an error is short and clean, and holds no key."""
    for status in (400, 401, 404, 413, 422, 429, 500, 503):
        error = from_status(status, f"{attack.text} key-000", "The server", f"m{attack.text}", key="key-000", after=2.0)
        assert isinstance(error, BackendError)
        assert (
            _is_clean(str(error)) and "\n" not in str(error) and len(str(error)) < 500 and "key-000" not in str(error)
        )
    return 0


def _call(attack: Attack) -> ToolCall:
    given = json.loads(attack.text, strict=False)
    return ToolCall("c", given["tool"], given["arguments"])


def _limited(place: Any) -> Toolbox:
    person: Any = Person(place.everything, ACME)
    index_of(Names.of(person, Shelves()))  # as the redactor of such a conversation is made
    return Toolbox(hands(person, NOW, Setup(ELSEWHERE)), Facts("?", NOW), NOW)


def _is_clean(text: str) -> bool:
    return all(character == "\n" or unicodedata.category(character) not in _BAD for character in text)


MODEL_KINDS = {
    "injected": injected,
    "obeyed": obeyed,
    "proposed": proposed,
    "carried": carried,
    "said": untrue,
    "escapes": escapes,
    "errors": errors,
}
