"""The declared actions are whole, and their options judge values."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.types import registry
from store.types.actions import ACTIONS, ActionDeclaration, Option, for_type


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.id)
def test_each_declaration_is_whole(action: ActionDeclaration) -> None:
    assert action.type in registry.ALL
    assert action.id == f"{action.type}.{action.verb}" and action.verb
    assert action.title and action.permission.endswith((":write", ":admin"))
    assert not (action.creates and action.many), "a plan makes one new resource"
    names = [option.name for option in action.options]
    assert len(names) == len(set(names))
    for option in action.options:
        assert bool(option.choices) == (option.kind == "choice")
        assert (option.type in registry.ALL) if option.kind == "resource" else not option.type
        assert option.default is None or option.problem(option.default) is None


def test_letters_of_a_menu_are_used_once() -> None:
    for type in {action.type for action in ACTIONS.values()}:
        keys = [action.key for action in for_type(type) if action.key]
        assert len(keys) == len(set(keys)), type


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        (Option("n", "N", required=True), None, "is required"),
        (Option("n", "N", required=True), "", "is required"),
        (Option("n", "N", required=True, default="x"), None, None),
        (Option("n", "N"), "a\nb", "may not contain"),
        (Option("n", "N"), "a\x1b[31mb", "may not contain"),
        (Option("n", "N", maximum=3), "abcd", "at most 3 characters"),
        (Option("n", "N"), 5, "must be a text"),
        (Option("n", "N", "number", minimum=1, maximum=9), 0, "at least 1"),
        (Option("n", "N", "number", minimum=1, maximum=9), 10, "at most 9"),
        (Option("n", "N", "number"), True, "whole number"),
        (Option("n", "N", "number"), 1.5, "whole number"),
        (Option("n", "N", "number"), 7, None),
        (Option("n", "N", "bool"), "yes", "true or false"),
        (Option("n", "N", "choice", choices=("A", "B")), "C", "one of A, B"),
        (Option("n", "N", "choice", choices=("A", "B")), ["A"], "one of A, B"),
        (Option("n", "N", "list"), "a", "list of texts"),
        (Option("n", "N", "list", maximum=1), ["a", "b"], "at most 1 items"),
        (Option("n", "N", "list"), ["a", "b\n"], "may not contain"),
    ],
)
def test_values_are_judged(option: Option, value: Any, problem: str | None) -> None:
    found = option.problem(value)
    assert (found is None) if problem is None else (found is not None and problem in found)


def test_values_fill_in_defaults_and_name_what_is_unknown() -> None:
    assert ACTIONS["server.reboot"].values({}) == ({"type": "SOFT"}, [])
    values, problems = ACTIONS["server.reboot"].values({"type": "SOFTLY", "colour": "red"})
    assert values == {}
    assert problems == ["colour is not an option of server.reboot", "type must be one of SOFT, HARD"]


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(string.printable),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(action=st.sampled_from(sorted(ACTIONS)), given=st.dictionaries(st.text(max_size=8), _ANY, max_size=4))
def test_whatever_is_given_values_are_of_their_kind(action: str, given: dict[str, Any]) -> None:
    values, _ = ACTIONS[action].values(given)
    for name, value in values.items():
        assert ACTIONS[action].option(name).problem(value) is None
