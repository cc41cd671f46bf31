"""What leaves is hidden, what comes back is revealed, and there is one way out."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import copilot
from copilot.backends.base import Cancel, Config, Message, Nothing, Request, StreamRevealer, Text, ToolCall
from copilot.backends.connection import open_backend
from copilot.backends.outlet import Outlet, outlet_for
from copilot.backends.sql_text import reveal_in_sql
from tests.copilot.backends import speech
from tests.copilot.backends.asking import MAKERS, QUERY, QUICK, backend, calls_of, text_of
from tests.copilot.backends.pseudonyms import Words
from tests.copilot.backends.server import serving

REAL = ("cmp-03.example", 'o\'brien "x"', "größe")
CALL = ToolCall("a", "query", {"sql": f"SELECT '{REAL[0]}'", "where": [{"values": [REAL[2]]}], REAL[0]: 1})
REQUEST = Request(
    "Rules.",
    (
        Message("user", {"question": f"who owns {REAL[0]}?", "selected": [{"name": REAL[1]}], "n": 3, "none": None}),
        Message("assistant", f"I look at {REAL[2]}.", (CALL,)),
        Message("tool", {"columns": ["name"], "rows": [[REAL[1], 12], [REAL[2], True]]}, call=CALL),
        Message("user", f"again {REAL[2]}"),
    ),
    (QUERY,),
    notes=f"{REAL[0]} is ours.",
)


@pytest.mark.parametrize("maker", MAKERS)
def test_no_real_name_is_in_any_byte_that_leaves(maker: str) -> None:
    with serving(speech.say(maker, "host-1 has 12.")) as server:
        outlet = Outlet(backend(maker, server), Words(*REAL))
        events = list(outlet.send(REQUEST, Cancel(), QUICK))
        sent = server.asked[0]
    everything = sent.path.encode() + repr(sent.headers).encode() + sent.body
    for name in REAL:
        for form in (name, json.dumps(name)[1:-1], json.dumps(name, ensure_ascii=False)[1:-1]):
            assert form.encode() not in everything
    assert b"host-1" in sent.body and b"host-2" in sent.body and b"host-3" in sent.body
    assert text_of(events) == "cmp-03.example has 12."


@pytest.mark.parametrize("maker", MAKERS)
def test_arguments_of_tools_are_revealed_and_sql_stays_sql(maker: str) -> None:
    sql = "SELECT * FROM servers WHERE name = 'host-2' -- host-2"
    with serving(speech.say(maker, ("query", {"sql": sql, "where": ["host-3", {"host-1": "host-1"}]}))) as server:
        (call,) = calls_of(list(Outlet(backend(maker, server), Words(*REAL)).send(REQUEST, Cancel(), QUICK)))
    assert call.arguments["sql"] == "SELECT * FROM servers WHERE name = 'o''brien \"x\"' -- host-2"
    assert call.arguments["where"] == ["größe", {"cmp-03.example": "cmp-03.example"}]


def test_what_was_sent_is_counted() -> None:
    with serving(speech.say("ollama", "12.")) as server:
        outlet = Outlet(backend("ollama", server), None, external=False)
        for _ in range(2):
            list(outlet.send(REQUEST, Cancel(), QUICK))
    assert outlet.sent.requests == 2 and outlet.sent.characters > 200
    assert outlet.sent.external is False


@pytest.mark.parametrize(("url", "allowed"), [("http://127.0.0.1:1", True), ("http://192.0.2.7:1", False)])
def test_nothing_is_sent_elsewhere_without_a_redactor(url: str, allowed: bool) -> None:
    model = open_backend(Config("ollama", "small", url))
    if allowed:
        outlet_for(model, None)
        return
    with pytest.raises(ValueError, match="redactor"):
        outlet_for(model, None)
    outlet_for(model, Words())


def test_a_proxy_makes_a_local_model_external() -> None:
    with pytest.raises(ValueError, match="redactor"):
        outlet_for(open_backend(Config("ollama", "small", "http://127.0.0.1:1", proxy="http://proxy:1")), None)


def test_only_the_outlet_asks_a_backend() -> None:
    """In copilot/, nothing else calls `.stream(`, but the backends on their clients."""
    found = []
    for file in Path(copilot.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "stream":
                found.append(file.name)
    assert found == ["outlet.py"]


@given(st.lists(st.sampled_from(["host-1", "host-12", " ", "a", ".", "\n", '"', "host", "-", "1", "größe"])), st.data())
def test_a_pseudonym_may_be_split_anywhere(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    words = Words(*REAL)
    revealer = StreamRevealer(words.reveal)
    shown, rest = "", text
    while rest:
        cut = data.draw(st.integers(1, len(rest)))
        shown += revealer.feed(rest[:cut])
        rest = rest[cut:]
    assert shown + revealer.end() == words.reveal(text)


def test_words_that_are_too_long_are_not_held_back() -> None:
    revealer = StreamRevealer(str.upper, longest=10)
    assert revealer.feed("x" * 8) == ""
    assert revealer.feed("x" * 8) == "X" * 16
    assert Nothing().revealer().feed("abc") == "abc"


NAMES = {"host-1": "x' OR '1'='1", "host-2": 'a" FROM users --', "host-3": "back\\slash", "host-4": "*/ DROP"}


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("name = 'host-1'", "name = 'x'' OR ''1''=''1'"),
        ("name = 'it''s host-1'", "name = 'it''s x'' OR ''1''=''1'"),
        ("name = '' OR host = 'host-3'", "name = '' OR host = 'back\\slash'"),
        ('SELECT "host-2"', 'SELECT "a"" FROM users --"'),
        ("name = host-1", "name = host-1"),
        ("1 -- 'host-1'", "1 -- 'host-1'"),
        ("1 /* 'host-4' */ + 1", "1 /* 'host-4' */ + 1"),
        ("name = E'host-3\\'s host-1'", "name = E'host-3\\'s host-1'"),
        ("name = $$host-1$$", "name = $$host-1$$"),
        ("name = $t$ 'host-1' $t$", "name = $t$ 'host-1' $t$"),
        ("name = 'host-1", "name = 'host-1"),
        ("'--' || 'host-3'", "'--' || 'back\\slash'"),
        ("type = 'e' AND n = 'host-3'", "type = 'e' AND n = 'back\\slash'"),
    ],
)
def test_a_name_never_becomes_sql(written: str, becomes: str) -> None:
    def reveal(text: str) -> str:
        for pseudonym, name in NAMES.items():
            text = text.replace(pseudonym, name)
        return text

    assert reveal_in_sql(written, reveal) == becomes


@given(st.text(st.sampled_from("'\"-/*$\\e n\n")), st.text(st.sampled_from("'\"-/*$\\e x;")))
def test_a_revealed_value_is_the_name_for_duckdb_too(before: str, name: str) -> None:
    import duckdb

    sql = reveal_in_sql(
        "SELECT 'host-1' AS a, " + "'" + before.replace("'", "''") + "' AS b", lambda t: t.replace("host-1", name)
    )
    assert duckdb.sql(sql).fetchall() == [(name, before)]


def test_text_around_a_call_is_not_lost() -> None:
    with serving(speech.say("openai", "host-1", ("query", {"sql": "SELECT 1"}))) as server:
        events = list(Outlet(backend("openai", server), Words(*REAL)).send(REQUEST, Cancel(), QUICK))
    assert [type(one).__name__ for one in events] == ["Text", "ToolCall", "Done"]
    assert events[0] == Text("cmp-03.example")
