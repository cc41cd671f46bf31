"""What changed, from the history."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from tests.copilot.evaluation.sources import Fake
from tests.copilot.evaluation.world import key
from tests.copilot.topics.conftest import Ask


@pytest.mark.parametrize(
    "question",
    [
        "what changed today", "what happened today", "show changes of today", "list everything that changed today",
        "changes today", "how many changes were there today", "timeline of today", "what has been modified today",
        "any changes today", "anything new today?", "did anything change today",
    ],
)  # fmt: skip
def test_all_changes_of_a_period(ask: Ask, fake: Fake, question: str) -> None:
    now = fake.world.now.astimezone(UTC)
    since = now.replace(hour=0, minute=0, second=0, microsecond=0)
    expected = {key(row) for _, _, _, row in fake.world.events(since, now)}
    answer = ask(question)
    assert answer.sure and answer.table is not None
    assert {found for _, found in answer.table.keys} == expected != set()


def test_without_a_time_the_last_day_is_meant_and_said(ask: Ask, fake: Fake) -> None:
    answer = ask("what changed")
    now = fake.world.now
    assert answer.value == len(fake.world.events(now - timedelta(hours=24), now))
    assert "in the last 24 hours" in answer.text


@pytest.mark.parametrize(
    ("question", "fits"),
    [
        ("what changed in acme-prod since monday", lambda type, row: row.get("project") == "acme-prod"),
        ("which vms changed since monday", lambda type, row: type == "server"),
        ("volume changes since monday", lambda type, row: type == "volume"),
    ],
)
def test_changes_of_a_project_or_type(ask: Ask, question: str, fits: object) -> None:
    answer = ask(question)
    assert answer.table is not None and answer.table.total
    for (type, _), row in zip(answer.table.keys, answer.table.rows, strict=True):
        assert fits(type, {"project": row["project_name"]})  # type: ignore[operator]


def test_what_was_stopped_today_is_not_what_is_stopped(ask: Ask) -> None:
    answer = ask("which vms were stopped today")
    assert answer.table is not None and 0 < answer.table.total < 10
    assert all("SHUTOFF" in row["what"] for row in answer.table.rows)
    assert ask("stopped vms").topic == ""


@pytest.mark.parametrize("question", ["who changed queue-08", "what was deleted by whom"])
def test_who_did_it_is_not_made_up(ask: Ask, question: str) -> None:
    answer = ask(question)
    assert "is not known" in answer.text and answer.value is None


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("when was web-03 deleted", "still there"),
        ("when did db-01 go down", "no changes of server db-01 to 'down'"),
        ("who stopped web-03", "no changes of server web-03 to 'stopped'"),
        ("what was created last night", "Nothing was created"),
        ("what changed on web-03 since monday", "no changes of server web-03 since"),
        ("changes to web-03", "no changes of server web-03"),
        ("which vms were restarted today", "A restart leaves no trace"),
    ],
)
def test_what_did_not_happen_is_said_so(ask: Ask, question: str, words: str) -> None:
    assert words in ask(question).text


@pytest.mark.parametrize(
    "question",
    ["stopped vms", "list deleted servers", "created vms since monday", "when was db-01 created", "drift today"],
)
def test_what_is_one_query_is_left_to_the_grammar(ask: Ask, question: str) -> None:
    assert ask(question).topic != "recent_changes"
