"""Questions about what the console itself knows: records, logins, policies and runs, restores, roles, who has most."""

from __future__ import annotations

from typing import Any

import pytest

from tests.copilot.topics.conftest import Ask

# Question, topic, value, rows; None = not looked at.
CASES: tuple[tuple[str, str, Any, int | None], ...] = (
    ("changes made through this console", "recent_activity", None, 9),
    ("how many changes were made through the console today", "recent_activity", 4, None),
    ("what did the team do yesterday", "recent_activity", None, 2),
    ("who did the most this week", "recent_activity", 3, None),
    ("what did carla and alice do today", "recent_activity", None, 3),
    ("last thing alice did", "recent_activity", None, 5),
    ("who stopped servers", "recent_activity", None, 1),
    ("who rebooted servers this week", "recent_activity", None, 1),
    ("who took snapshots this week", "recent_activity", None, 2),
    ("was anything done today", "recent_activity", True, 4),
    ("who could not log in", "recent_activity", None, 3),
    ("how many times did alice log in", "recent_activity", 2, None),
    ("has mallory ever logged in", "recent_activity", False, 0),
    ("who logged in last", "recent_activity", None, 5),
    ("which user logged in most often", "recent_activity", 2, None),
    ("did alice's last action fail", "jobs", False, None),
    ("did the last job work", "jobs", False, None),
    ("who started the last restore", "jobs", "alice", None),
    ("why did the last restore fail", "jobs", "quota exceeded", None),
    ("was the last run successful", "jobs", False, None),
    ("was report-02 restored", "jobs", True, 1),
    ("has web-03 been restored", "jobs", False, 0),
    ("which machines were restored", "jobs", None, 2),
    ("which vms are being restored", "jobs", None, 1),
    ("who restored report-02", "jobs", "alice", 1),
    ("how many snapshots does daily_5 keep", "snapshot_policies", 5, 1),
    ("is hourly_24 enabled", "snapshot_policies", False, 1),
    ("volumes under policy daily_5", "snapshot_policies", None, 271),
    ("volumes without a snapshot policy", "snapshot_policies", None, 64),
    ("which policy does db-01-data1 have", "snapshot_policies", "daily_5", 1),
    ("failed runs", "snapshot_policies", None, 1),
    ("how many snapshots were made in the last run", "snapshot_policies", 3, None),
    ("how many snapshots failed yesterday", "snapshot_policies", 2, None),
    ("were all runs successful", "snapshot_policies", False, 2),
    ("overdue volumes in acme-prod", "compliance_summary", None, 19),
    ("who has the admin role", "roles", None, 3),
    ("who is admin on acme-prod", "roles", None, 1),
    ("is alice an admin", "roles", True, 3),
    ("is carla an operator", "roles", True, 0),
    ("is bertram an admin on acme-prod", "roles", False, 0),
    ("which users are viewers", "roles", None, 2),
    ("who submitted the most jobs", "most_of_a_list", 5, None),
    ("which project has the most drift", "most_of_a_list", 6, None),
    ("how many projects are healthy", "tenant_health", 4, 4),
    ("health of domain acme", "tenant_health", None, 3),
    ("compare health of acme-prod and acme-dev", "tenant_health", None, 2),
    ("which vms changed status today", "recent_changes", 3, 3),
    ("vms that changed host today", "recent_changes", 0, 0),
)  # fmt: skip


@pytest.mark.parametrize(("question", "topic", "value", "rows"), CASES, ids=[case[0] for case in CASES])
def test_is_answered_from_the_lists_of_the_console(
    ask: Ask, question: str, topic: str, value: Any, rows: int | None
) -> None:
    answer = ask(question)
    assert (answer.topic, answer.sure, answer.unknown) == (topic, True, ())
    assert value is None or answer.value == value
    assert rows is None or (answer.table is not None and answer.table.total == rows)


@pytest.mark.parametrize(
    "question",
    ["failed actions", "actions per user", "last 3 actions", "audit records by action", "logins per user",
     "failed logins today", "jobs by user", "snapshot runs this week", "disabled policies", "logins from 127.0.0.1",
     "did any restore fail", "background tasks"],
)  # fmt: skip
def test_what_is_one_query_of_a_list_is_left_to_the_grammar(ask: Ask, question: str) -> None:
    answer = ask(question)
    assert answer.topic == "" and answer.frame is not None and answer.sure


@pytest.mark.parametrize(
    "question",
    ["what purple changes were made through this console", "who painted servers", "is alice a gardener",
     "runs of policy nightly_9", "who logged in to the moon", "which project has the most purple jobs"],
)  # fmt: skip
def test_what_is_not_known_is_not_answered_surely(ask: Ask, question: str) -> None:
    assert not ask(question).sure


@pytest.mark.parametrize("question", ["who did the most", "failed actions", "who logged in", "who is admin"])
def test_whoever_may_not_read_a_list_is_told_so(ask: Ask, question: str) -> None:
    answer = ask(question, projects=("none",))
    assert answer.outcome == "apology" and answer.table is None


def test_a_restore_to_a_time_says_how_its_point_is_chosen(ask: Ask) -> None:
    answer = ask("restore web-03 to yesterday 9:00")
    assert "filled in" not in answer.text and "newest restore point taken by" in answer.text
    assert dict(answer.proposals[0].values).keys() == {"at"}
