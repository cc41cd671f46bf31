"""Whose something is."""

from __future__ import annotations

import pytest

from tests.copilot.evaluation.sources import Fake
from tests.copilot.topics.conftest import Ask


@pytest.mark.parametrize(
    "words",
    [
        "who owns {}", "owner of {}", "whose is {}", "whose vm is {}", "who is responsible for {}",
        "who is in charge of {}",
        "who does {} belong to", "to whom does {} belong",
    ],
)  # fmt: skip
def test_a_machine_is_its_projects_and_its_makers(ask: Ask, fake: Fake, words: str) -> None:
    row = fake.world.one("server", lambda one: one["name"] == "web-03")
    answer = ask(words.format("web-03"))
    assert answer.sure, answer.text
    assert row["project"] in answer.text


@pytest.mark.parametrize("words", ["who owns {}", "owner of {}", "whose is {}"])
def test_an_address_is_its_machines(ask: Ask, fake: Fake, words: str) -> None:
    row = fake.world.one("server", lambda one: one["name"] == "web-03")
    answer = ask(words.format(row["fixed"]))
    assert answer.value == row["project"] and "web-03" in answer.text


@pytest.mark.parametrize("words", ["who uses volume {}", "who is using volume {}"])
def test_a_volume_is_used_by_a_machine(ask: Ask, words: str) -> None:
    assert ask(words.format("db-01-data1")).value == "db-01"


def test_what_many_use_is_told_by_project(ask: Ask, fake: Fake) -> None:
    answer = ask("who uses cmp-03")
    projects = {row["project"] for row in fake.world.rows("server") if row["host"] == "cmp-03"}
    assert answer.table is not None
    assert {row["project_name"] for row in answer.table.rows} == projects


def test_a_project_has_people_with_roles(ask: Ask) -> None:
    answer = ask("who owns acme-prod")
    assert "roles in it have" in answer.text and answer.value
