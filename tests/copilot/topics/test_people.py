"""What people did, who logged in, and who may use the console."""

from __future__ import annotations

import pytest

from tests.copilot.evaluation.sources import Fake
from tests.copilot.topics.conftest import Ask


@pytest.mark.parametrize("question", ["what did {} do", "what has {} done", "what has {} been doing", "activity of {}"])
@pytest.mark.parametrize("name", ["alice", "bertram"])
def test_what_somebody_did_stands_in_the_audit(ask: Ask, fake: Fake, question: str, name: str) -> None:
    answer = ask(question.format(name))
    records = [row for row in fake.world.rooms["audit_record"] if row["actor"] == name]
    assert answer.table is not None, answer.text
    assert answer.table.total == len(records)
    assert {row["actor"] for row in answer.table.rows} <= {name}


@pytest.mark.parametrize("question", ["who logged in?", "who loged in", "who signed in"])
def test_logins_that_succeeded(ask: Ask, fake: Fake, question: str) -> None:
    answer = ask(question)
    assert answer.table is not None
    assert answer.table.total == sum(row["outcome"] == "ok" for row in fake.world.rooms["login"])


@pytest.mark.parametrize(
    "question", ["who may use this console", "who can log in to the console", "who has access to this console"]
)
def test_users_of_the_console_with_those_that_are_switched_off(ask: Ask, fake: Fake, question: str) -> None:
    answer = ask(question)
    users = fake.world.rooms["console_user"]
    assert answer.table is not None and answer.table.total == len(users)
    assert all(row["name"] in answer.text.partition("Not active")[2] for row in users if not row["active"])


def test_a_watcher_of_one_project_is_refused(ask: Ask, fake: Fake) -> None:
    project = fake.world.rows("project")[0]["id"]
    answer = ask("what did alice do", projects=(project,))
    assert answer.outcome == "apology" and answer.table is None


def test_nobody_is_said_so(ask: Ask) -> None:
    answer = ask("what did zoltan do")
    assert "Nobody called 'zoltan'" in answer.text and not answer.sure
