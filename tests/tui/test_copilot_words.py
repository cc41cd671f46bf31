"""Words, letters and views made of the copilot's answers, which may hold anything."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui.copilot_fake import LISTED, answer, proposal, table
from tui import copilot
from tui.copilot import Chip
from tui.dialogs import ask_lines
from tui.dialogs.ask import AskPage, Does
from tui.state import View

KEY = ["prod-eu", "eu-1", "x"]


def said(**more: Any) -> str:
    return "".join(words for words, _ in copilot.facts(answer(**more), 3.0))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "sure · data 45s old · all projects"),
        ({"sure": False, "scope": []}, "NOT SURE: check it · data 45s old"),
        ({"outcome": "unsure", "sure": False, "unknown": ["flurb"]},
         "not understood: flurb · data 45s old · all projects"),
        ({"outcome": "ask_back", "scope": [], "data_age_seconds": None}, "which one is meant?"),
        ({"outcome": "apology", "scope": [], "data_age_seconds": None}, "could not be answered"),
        ({"outcome": "proposal", "scope": [], "data_age_seconds": None}, "nothing is done yet: a key opens the plan"),
        ({"live": True, "scope": []}, "sure · asked of the cloud just now"),
        ({"table": table(1), "scope": []}, "1 row · sure · data 45s old"),
        ({"table": table(3, 1200), "scope": []}, "3 of 1,200 rows · sure · data 45s old"),
        ({"scope": [], "backend_used": "anthropic", "model": "m", "data_sent_external": True, "tokens_used": 1200,
          "cost": 0.01},
         "sure · data 45s old · worded by anthropic m, sent outside, redacted, 1,200 tokens, cost 0.0100"),
        ({"scope": [], "fallback_reason": "it took longer than 30 s"},
         "sure · data 45s old · the model has not answered: it took longer than 30 s"),
    ],
)  # fmt: skip
def test_what_an_answer_stands_on(more: dict[str, Any], words: str) -> None:
    assert said(**more) == words


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"backend": "builtin"}, "built-in answers only, no model"),
        ({"backend": "ollama", "model": "llama3", "local": True, "ready": True}, "ollama llama3, local"),
        ({"backend": "openai", "model": "x", "local": False, "external": True, "ready": True},
         "openai x, outside: what is sent is redacted"),
        ({"backend": "openai", "model": "x", "external": True, "ready": False, "reason": "there is no key"},
         "openai x, not ready: there is no key"),
    ],
)  # fmt: skip
def test_who_is_asked(status: dict[str, Any], words: str) -> None:
    assert copilot.status_words(status) == words


def test_letters_of_proposals_are_those_of_the_lists_and_never_taken_twice() -> None:
    many = [proposal("pane", str(n), name="drift") for n in range(30)]
    prefills = [proposal("prefill", name, name=name, type="server", keys=[KEY]) for name in ("snapshot", "restore")]
    listed = proposal("open", "list", type="server", filter="x")
    keys = [key for key, _ in copilot.proposals_of(answer(proposals=[*prefills, listed, *many]))]
    assert keys[:3] == ["S", "R", "enter"] and len(keys) == len(set(keys))
    assert not set(keys) & set("ynscijkq123456789")
    model = answer(proposals=[listed], backend_used="ollama", table=table(3))
    assert [key for key, _ in copilot.proposals_of(model)] == ["o"]


@pytest.mark.parametrize(
    ("one", "view"),
    [
        (proposal("open", "", type="server", filter="status:error"), View("list", "server", "status:error")),
        (proposal("open", "", type="server", sort=[["ram_mb", True]], at="2026-11-01T00:00:00Z"),
         View("list", "server", "", (("ram_mb", True),), at="2026-11-01T00:00:00Z")),
        (proposal("open", "", type="volume", keys=[KEY]), View("detail", "volume", subject=tuple(KEY))),
        (proposal("open", "", type="volume", keys=[KEY, KEY]), None),
        (proposal("open", "", type="nosuch", filter="x"), None),
        (proposal("pane", "", name="drift", filter="web"), View("drift", filter="web")),
        (proposal("pane", "", name="snapshots"), View("protection")),
        (proposal("pane", "", name="problems"), View("problems")),
        (proposal("pane", "", name="points", type="volume", keys=[KEY]), View("points", "volume", subject=tuple(KEY))),
        (proposal("pane", "", name="history", type="server", keys=[KEY]),
         View("history", "server", subject=tuple(KEY))),
        (proposal("pane", "", name="tenant", keys=[KEY]), View("tenant", subject=("prod-eu", "x"))),
        (proposal("pane", "", name="detail"), None),
        (proposal("pane", "", name="tenant"), None),
        (proposal("pane", "", name="readonly off"), None),
        (proposal("pane", "", name="q"), None),
    ],
)  # fmt: skip
def test_views_of_proposals(one: dict[str, Any], view: View | None) -> None:
    assert copilot.view_of(one) == view


def test_rows_and_their_keys() -> None:
    rows = copilot.rows_of(LISTED)
    assert len(rows) == len({key for key, _ in rows}) == 12
    assert rows[1][0][3:] == ("server", "1") and rows[1][1][0] == "0000001-db"
    bare = answer(table={"columns": [{"name": "a"}], "rows": [{"a": 1}, {}], "keys": [], "total": 2})
    assert copilot.rows_of(bare) == [(("", "", "", "", "0"), [1]), (("", "", "", "", "1"), [None])]


CHIPS = [Chip("How many VMs?", "one"), Chip("List all hosts", "one"), Chip("VMs on tenant ", "two", True)]


@pytest.mark.parametrize(
    ("typed", "asked", "selected", "wanted"),
    [
        ("", (), "", ["How many VMs?", "VMs on tenant "]),
        ("", (), "volume", ["is this volume protected?", "what is this volume attached to?", "How many VMs?",
                            "VMs on tenant "]),
        ("vm", (), "", ["VMs on tenant ", "How many VMs?"]),
        ("ten vm", (), "", ["VMs on tenant "]),
        ("how many", ("how many hosts?",), "", ["How many VMs?", "how many hosts?"]),
        ("how many vms?", ("how many vms?",), "", []),
        ("flurb", ("x",), "", []),
    ],
)  # fmt: skip
def test_what_is_offered(typed: str, asked: tuple[str, ...], selected: str, wanted: list[str]) -> None:
    assert [chip.question for chip in copilot.offers(typed, CHIPS, asked, selected, 8)] == wanted


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
TEXTS = st.text(max_size=300)
ANSWERS = st.fixed_dictionaries({
    "text": TEXTS, "understood": TEXTS, "scope": st.lists(TEXTS, max_size=3), "choices": st.lists(TEXTS, max_size=12),
    "unknown": st.lists(TEXTS, max_size=2), "sure": st.booleans(), "outcome": TEXTS, "backend_used": TEXTS,
    "table": st.none() | st.fixed_dictionaries({
        "columns": st.lists(st.fixed_dictionaries({"name": TEXTS, "title": TEXTS, "role": TEXTS}), max_size=4),
        "rows": st.lists(st.dictionaries(TEXTS, ANY, max_size=3), max_size=4),
        "keys": st.just([]), "total": st.integers(0, 9)}),
    "proposals": st.lists(st.fixed_dictionaries({
        "kind": st.sampled_from(["open", "pane", "prefill", "x"]), "label": TEXTS, "name": TEXTS, "type": TEXTS,
        "filter": TEXTS, "keys": st.just([])}), max_size=4),
    "queries": st.lists(st.fixed_dictionaries({"kind": TEXTS, "text": TEXTS}), max_size=2),
})  # fmt: skip


def page() -> AskPage:
    nothing: Any = lambda *given: None  # noqa: E731
    return AskPage(Does(*[nothing] * 8))


@given(ANSWERS, st.integers(1, 200), st.integers(1, 60))
def test_any_answer_is_drawn_in_any_size(said: dict[str, Any], cells: int, rows: int) -> None:
    drawer = page()
    drawer.asks("why?")
    drawer.take({"id": "1", "state": "done", "answer": said})
    drawn = drawer.draw(cells, rows)
    assert len(drawn.lines) <= max(rows, 1)
    for left, right in drawn.lines:
        for words, _ in (*left, *right):
            assert "\x1b" not in words and "\n" not in words
            assert cell_len(words) <= 2000


@given(ANSWERS, st.lists(st.sampled_from(["enter", "tab", "down", "up", "pagedown", "escape", *"isyncq1oR"])))
def test_any_keys_on_any_answer(said: dict[str, Any], keys: list[str]) -> None:
    drawer = page()
    drawer.asks("why?")
    drawer.take({"id": "1", "state": "done", "answer": said})
    for key in keys:
        drawer.take_key(key, key if len(key) == 1 else None)
        drawer.draw(80, 20)
        drawer.keys()


def test_the_first_rows_fit_their_room() -> None:
    for rows in range(12):
        assert len(ask_lines.preview(LISTED, 78, rows)) in (0, *range(2, max(rows, 0) + 1))
