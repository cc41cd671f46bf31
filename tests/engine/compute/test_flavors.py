"""Flavors: what is refused, what is sent, and how an interrupted create is found again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.compute import flavors
from engine.gate.models import Operation
from engine.gate.refusals import NotDone
from store.types.actions import ACTIONS
from tests.engine.compute.operating import Answers, by_id, context, target

GIVEN = {"name": "m1.pico", "vcpus": 1, "ram": 64}


def operation(verb: str) -> Operation:
    return by_id(flavors.operations(), f"flavor.{verb}")


def values(**more: Any) -> dict[str, Any]:
    found, problems = ACTIONS["flavor.create"].values(GIVEN | more)
    assert not problems
    return found


@pytest.mark.parametrize(
    ("more", "answers", "problem"),
    [
        ({}, {}, None),
        ({"id": "pico"}, {}, None),
        ({"id": "pi co"}, {}, "is no id of a flavor"),
        ({"id": "../x"}, {}, "is no id of a flavor"),
        ({"id": "pico"}, {"/flavors/pico": {"flavor": {}}}, "there is a flavor with the id pico already"),
        ({}, {"/flavors": {"flavors": [{"id": "7", "name": "m1.pico"}]}}, "called m1.pico already (id 7)"),
    ],
)
def test_create_check(more: dict[str, Any], answers: Answers, problem: str | None) -> None:
    found = operation("create").check(context(answers), target("flavor", "", "m1.pico"), values(**more)).problem
    assert (found is None) if problem is None else (found is not None and problem in found)


def test_what_is_sent() -> None:
    done, options = operation("create"), values(id="pico", swap=512, public=False)
    (call,) = done.calls(context(token="t"), target("flavor", "", "m1.pico"), options)
    assert (call.method, call.path, call.creates) == ("POST", "/flavors", False)
    assert call.body == {
        "flavor": {
            "name": "m1.pico", "vcpus": 1, "ram": 64, "disk": 0, "OS-FLV-EXT-DATA:ephemeral": 0, "swap": 512,
            "os-flavor-access:is_public": False, "id": "pico",
        }
    }  # fmt: skip
    assert done.commands is not None
    (command,) = done.commands(context(), target("flavor", "", "m1.pico"), options)
    assert command == (
        "flavor", "create", "--vcpus", "1", "--ram", "64", "--swap", "512", "--id", "pico", "--private", "m1.pico",
    )  # fmt: skip


def test_a_create_is_found_by_the_id_that_its_token_gives() -> None:
    done, options, ctx = operation("create"), values(), context(token="secret", attempt=2)
    (call,) = done.calls(ctx, target("flavor", "", "m1.pico"), options)
    assert call.body is not None
    id = call.body["flavor"]["id"]
    assert done.find is not None
    assert done.find(ctx, target("flavor", ""), options) is None
    made = context({f"/flavors/{id}": {"flavor": {"name": "m1.pico"}}}, token="secret", attempt=2)
    assert done.find(made, target("flavor", ""), options) == id
    other = context({f"/flavors/{id}": {"flavor": {"name": "other"}}}, token="secret", attempt=2)
    assert done.find(other, target("flavor", ""), options) is None
    assert done.find(context(token="another", attempt=2), target("flavor", ""), options) is None


def test_deleting_says_what_is_lost_and_who_is_left() -> None:
    flavor = target("flavor", "7", "m1.pico", extra_specs={"a": "1"}, **{"os-flavor-access:is_public": False})
    used = context({"/servers": {"servers": [{"id": "x"}]}})
    check = operation("delete").check(used, flavor, {})
    assert check.problem is None
    assert check.lost == ("1 extra spec", "which projects may use it")
    assert "keep running" in check.warnings[0]
    silent: tuple[Answers, ...] = ({"/servers": {"servers": []}}, {"/servers": NotDone("403")})
    for answers in silent:
        assert operation("delete").check(context(answers), flavor, {}).warnings == ()
    (call,) = operation("delete").calls(used, flavor, {})
    assert (call.method, call.path, call.key) == ("DELETE", "/flavors/7", ("c", "r", "7"))


def test_a_delete_is_over_when_it_is_gone() -> None:
    done = operation("delete")
    assert done.settled is not None
    assert done.already is not None
    gone, there = replace(target("flavor", "7"), doc={}), target("flavor", "7")
    assert done.settled(context(), there, {}) is None
    assert done.settled(context(), gone, {}) is not None
    assert (done.already(context(), gone, {}), done.already(context(), there, {})) == (True, False)
