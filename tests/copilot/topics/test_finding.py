"""What something is, and who had it: names, addresses, ids, and what is gone."""

from __future__ import annotations

import pytest

from tests.copilot.evaluation.sources import Fake
from tests.copilot.evaluation.world import key
from tests.copilot.topics.conftest import Ask


@pytest.mark.parametrize(
    ("question", "type", "name"),
    [
        ("web-03", "server", "web-03"),
        ("what is web-03", "server", "web-03"),
        ("find web-03", "server", "web-03"),
        ("tell me about web-03", "server", "web-03"),
        ("everything about web-03", "server", "web-03"),
        ("describe cmp-01", "hypervisor", "cmp-01"),
        ("tell me about acme-prod", "project", "acme-prod"),
        ("details of volume db-01-data1", "volume", "db-01-data1"),
        ("what is m1.small", "flavor", "m1.small"),
        ("find snapshot snap-db-01-data1-40", "snapshot", "snap-db-01-data1-40"),
        ("who is alice", "user", "alice"),
    ],
)
def test_one_resource_is_described(ask: Ask, question: str, type: str, name: str) -> None:
    answer = ask(question)
    assert answer.sure and f"{name} is a" in answer.text
    assert [(one.type, one.name) for one in answer.named] == [(type, name)]


def test_what_belongs_to_it_is_counted(ask: Ask, fake: Fake) -> None:
    servers = [row for row in fake.world.rows("server") if row["project"] == "acme-prod"]
    assert f"{len(servers)} servers" in ask("tell me about acme-prod").text


def test_the_next_question_speaks_of_it(ask: Ask) -> None:
    after = ask("which volumes does it have", "what is db-01")
    direct = ask("which volumes does db-01 have")
    assert after.table is not None and direct.table is not None
    assert after.table.keys == direct.table.keys != ()


@pytest.mark.parametrize("words", ["{}", "what is {}", "who has {}", "which vm uses {}", "whats {} ???", "find {}"])
@pytest.mark.parametrize("column", ["fixed", "id"])
def test_a_value_is_found(ask: Ask, fake: Fake, words: str, column: str) -> None:
    row = fake.world.one("server", lambda one: one["name"] == "web-03")
    answer = ask(words.format(row[column]))
    assert answer.sure
    assert key(row) in {one.key for one in answer.named}


def test_who_had_an_address_then_is_not_who_has_it_now(ask: Ask, fake: Fake) -> None:
    before, after = fake.world.slots["address_before"], fake.world.slots["address_after"]
    address = before["fixed"]
    assert after["name"] in ask(f"who has {address}").text
    then = ask(f"who had {address} on 18 Nov").text
    assert before["name"] in then and after["name"] not in then


@pytest.mark.parametrize("question", ["what is 10.99.99.99", "who has 10.99.99.99", "find zzz-77"])
def test_what_is_nowhere_is_said_so(ask: Ask, question: str) -> None:
    answer = ask(question)
    assert "Nothing" in answer.text and answer.table is None and not answer.named


@pytest.mark.parametrize("question", ["what happened to batch-06", "where is batch-06?", "when was batch-06 deleted"])
def test_what_is_gone_is_found_too(ask: Ask, question: str) -> None:
    assert "batch-06 was a server until" in ask(question).text


def test_nothing_beyond_the_asker_is_told(ask: Ask, fake: Fake) -> None:
    row = fake.world.one("server", lambda one: one["name"] == "web-03")
    other = next(one for one in fake.world.rows("project") if one["id"] != row["project_id"])
    answer = ask(f"who has {row['fixed']}", projects=(other["id"],))
    assert "web-03" not in answer.text and answer.table is None


@pytest.mark.parametrize(
    "question",
    ["how many vms are on cmp-01", "volumes of db-01", "is web-03 running", "flavor of web-03", "web-03 and db-01"],
)
def test_what_says_more_than_a_name_is_left_to_others(ask: Ask, question: str) -> None:
    assert ask(question).topic != "find_resource"


@pytest.mark.parametrize(("words", "yes"), [("is {} in use", True), ("is {} taken?", True), ("is {} free", False)])
def test_whether_an_address_is_taken(ask: Ask, fake: Fake, words: str, yes: bool) -> None:
    row = fake.world.one("server", lambda one: one["name"] == "web-03")
    assert ask(words.format(row["fixed"])).value is yes
    assert ask(words.format("10.99.99.99")).value is not yes
