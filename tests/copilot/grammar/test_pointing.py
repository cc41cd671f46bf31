"""Words that point at nothing are asked back: an answer about everything would be wrong."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from copilot.answers import Answer, Context, Named
from copilot.linking.names import Names
from copilot.service import Copilot
from tests.copilot.evaluation.sources import Fake


def asked(north: Fake, question: str, *selected: str) -> Answer:
    names = Names.of(north)
    chosen: list[Named] = [one for name in selected for one in names.exact(name, ("server",))[:1]]
    context = Context(north.world.now, ZoneInfo("Europe/Berlin"), tuple(chosen))
    return Copilot().ask(question, context, north)


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("this vm", "this vm"),
        ("is this machine running", "this machine"),
        ("volumes of this vm", "this vm"),
        ("which host is it on", "it"),
        ("its ips", "its"),
        ("which of these are stopped", "these"),
        ("stop this", "this"),
        ("show the marked vms", "marked vms"),
    ],
)
def test_nothing_is_selected(north: Fake, question: str, word: str) -> None:
    answer = asked(north, question)
    assert (answer.outcome, answer.sure) == ("ask_back", False)
    assert f"“{word}”" in answer.text and "Nothing is selected" in answer.text


@pytest.mark.parametrize("question", ["vms in this project", "this host"])
def test_something_else_is_selected(north: Fake, question: str) -> None:
    answer = asked(north, question, "web-01")
    assert answer.outcome == "ask_back" and "What is selected is a server" in answer.text


@pytest.mark.parametrize(
    "question",
    ["how many vms are in this cloud", "vms created this week", "how do i use this", "vms and their flavors"],
)
def test_what_points_at_nothing_in_particular(north: Fake, question: str) -> None:
    assert asked(north, question).outcome == "answer"


def test_several_that_are_selected(north: Fake) -> None:
    answer = asked(north, "how much ram do these have together", "web-01", "db-01")
    assert "2 servers" in answer.text
