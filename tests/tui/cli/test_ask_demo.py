"""`qdeck ask` against an engine, as a user has it: a process per question."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.tui.cli.test_commands import Deck, small_demo


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    with small_demo(tmp_path_factory.mktemp("ask")) as deck:
        yield deck


def test_a_number_its_rows_and_going_on(deck: Deck) -> None:
    servers = json.loads(deck("ls", "servers", "-o", "json").stdout)
    done = deck("ask", "how many servers are there?")
    assert done.returncode == 0, done.stderr
    assert str(len(servers)) in done.stdout and "sure" in done.stderr
    answer = json.loads(deck("ask", "list servers", "-o", "json").stdout)
    assert answer["table"]["total"] == len(servers) and answer["queries"]
    active = [server for server in servers if server["status"] == "ACTIVE"]
    followed = json.loads(deck("ask", "-o", "json", "only the active ones").stdout)
    assert followed["table"]["total"] == len(active)
    assert json.loads(deck("ask", "--history", "-o", "json").stdout)[0]["question"] == "only the active ones"


def test_what_is_not_understood_says_so_by_its_code(deck: Deck) -> None:
    done = deck("ask", "flurb the gnarly zworp")
    assert done.returncode == 7
    assert "flurb" in done.stdout


def test_feedback_and_what_can_be_asked(deck: Deck) -> None:
    deck("ask", "how many volumes are there?")
    assert deck("ask", "--feedback", "up", "--comment", "right").returncode == 0
    newest = json.loads(deck("ask", "--history", "-o", "json").stdout)[0]
    assert (newest["feedback"], newest["comment"]) == ("up", "right")
    assert "VMs on tenant ..." in deck("ask", "--suggestions").stdout
    assert "forgotten" in deck("ask", "--forget").stderr
    assert json.loads(deck("ask", "--history", "-o", "json").stdout) == []
