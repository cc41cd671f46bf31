"""`qdeck ask` against an engine, as a user has it: a process per question."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from tests.tui.cli.asked_demo import TYPES, Expected, questions
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


def _right(answer: dict[str, Any], expected: Expected) -> bool:
    table = answer["table"] or {"rows": [], "keys": [], "total": 0}
    if isinstance(expected, frozenset):
        return table["total"] == len(expected) and {one["key"][2] for one in table["keys"]} == expected
    if isinstance(expected, str):
        return expected in answer["text"]
    if isinstance(expected, bool):
        return answer["value"] is expected
    if isinstance(expected, Mapping):
        groups = {next(iter(row.values())): row["#"] for row in table["rows"]}
        return {name: number for name, number in groups.items() if number} == {
            name: number for name, number in expected.items() if number
        }
    return (answer["value"] or 0) == pytest.approx(expected, abs=0.05)


def test_what_is_answered_is_what_is_listed(deck: Deck) -> None:
    deck("collect", "--wait")
    lists = {type: json.loads(deck("ls", type, "-o", "json").stdout) for type in TYPES}
    socket = json.loads(deck("--demo", "engine", "status", "-o", "json", demo=False).stdout)["socket"]
    wrong, asked = [], 0
    with httpx.Client(transport=httpx.HTTPTransport(uds=socket), base_url="http://engine", timeout=30) as engine:
        for asked, (question, expected) in enumerate(questions(lists), 1):
            for turn in question.split(" >> "):
                body = {"question": turn, "conversation": f"asked {asked}"}
                answer = engine.post("/q/copilot/questions", json=body).raise_for_status().json()["answer"]
            if not (_right(answer, expected) and answer["sure"]):
                wrong.append((question, answer["text"], expected))
            assert not (answer["table"] and answer["table"]["keys"]) or answer["data_at"], question
    assert asked >= 60 and not wrong


def test_an_unknown_cloud_and_an_unnamed_thing_are_said(deck: Deck) -> None:
    unknown = deck("ask", "--cloud", "nowhere", "how many vms are there")
    assert unknown.returncode != 0 and "no cloud 'nowhere'" in unknown.stderr
    pointless = deck("ask", "--new", "is this machine running")
    assert pointless.returncode == 7 and "Nothing is selected" in pointless.stdout
