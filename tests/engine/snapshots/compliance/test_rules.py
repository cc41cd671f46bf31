"""Judging promises: a table of cases, and what holds whatever the facts are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.snapshots.compliance import rules
from engine.snapshots.compliance.rules import ORDER, Sums, judge, was_due, worst
from engine.snapshots.compliance.service import level, sla
from engine.snapshots.models import ComplianceStatus, Policy
from engine.snapshots.policies import schedule

NOW = datetime(2026, 11, 3, 15, 30, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("window", "newest", "blocked", "due", "expected"),
    [
        (DAY, NOW - HOUR, None, True, "compliant"),
        (DAY, NOW - DAY, None, True, "compliant"),  # the window's end belongs to it
        (DAY, NOW - DAY - timedelta(microseconds=1), None, True, "missing"),
        (DAY, None, None, True, "missing"),
        (DAY, None, None, False, "pending"),
        (DAY, NOW - 9 * DAY, None, False, "missing"),  # it did run once: this is not the first that is waited for
        (DAY, NOW - 2 * DAY, NOW - 47 * HOUR, True, "quota_blocked"),
        (DAY, NOW - 2 * DAY, NOW - 49 * HOUR, True, "missing"),
        (DAY, None, NOW - HOUR, False, "quota_blocked"),  # a run asked for by hand was blocked before any was due
        (DAY, NOW - HOUR, NOW - timedelta(minutes=5), True, "compliant"),  # what there is counts, not the last try
        (DAY, NOW + HOUR, None, True, "compliant"),  # a clock that goes ahead
        (31 * DAY, NOW - 3 * DAY, None, True, "compliant"),
    ],
)
def test_one_promise(window: timedelta, newest: Any, blocked: Any, due: bool, expected: str) -> None:
    assert judge(NOW, window, newest, blocked, due=due) == expected


@pytest.mark.parametrize(
    ("since", "occurrence", "expected"),
    [
        (None, None, False),
        (None, NOW, True),
        (NOW - HOUR, NOW, True),
        (NOW, NOW, False),  # made for at the next one
        (NOW, NOW - HOUR, False),
    ],
)
def test_whether_a_point_was_due(since: Any, occurrence: Any, expected: bool) -> None:
    assert was_due(since, occurrence) is expected


def test_a_monthly_point_is_not_missing_after_two_days() -> None:
    monthly, daily = Policy("monthly_1st", "0 4 1 * *", keep=1), Policy("daily_5", "0 2 * * *", keep=5)
    taken = datetime(2026, 11, 1, 4, 5, tzinfo=UTC)
    for days in range(30):
        now = taken + timedelta(days=days)
        assert judge(now, schedule.window(monthly, now), taken, None, due=True) == "compliant", days
    late = datetime(2026, 12, 4, tzinfo=UTC)
    assert judge(late, schedule.window(monthly, late), taken, None, due=True) == "missing", "December's is not there"
    assert judge(NOW, schedule.window(daily, NOW), taken, None, due=True) == "missing", "the same age, another promise"
    assert judge(NOW, timedelta(days=2), taken, None, due=True) == "missing", "two days, when somebody asks for them"


TIMES = st.none() | st.integers(-2_000_000, 20_000_000).map(lambda seconds: NOW - timedelta(seconds=seconds))
WINDOWS = st.integers(1, 400 * 24).map(lambda hours: timedelta(hours=hours))


@given(WINDOWS, TIMES, TIMES, st.booleans())
def test_what_holds_of_every_promise(window: timedelta, newest: Any, blocked: Any, due: bool) -> None:
    found = judge(NOW, window, newest, blocked, due=due)
    young = newest is not None and NOW - newest <= window
    assert (found == "compliant") is young, "never with a point older than the window, always with a younger one"
    assert found in ORDER and found != "excluded"
    assert level(NOW, found, window, newest) in (
        {"compliant": ("ok",), "pending": ("pending",)}.get(found, ("late", "lost"))
    )
    if found == "pending":
        assert newest is None and not due
    wider = judge(NOW, window * 2, newest, blocked, due=due)
    assert not (found == "compliant" and wider != "compliant"), "a wider window takes nothing away"


STATUSES = st.sampled_from(ORDER)
ROWS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, 9), st.sampled_from("pq"), STATUSES),
    max_size=60,
)


@given(ROWS)
def test_groups_add_up_to_the_rows(rows: list[tuple[str, str, int, str, ComplianceStatus]]) -> None:
    # (domain, tenant, volume, policy, status): a volume belongs to one tenant, a tenant to one domain.
    kept = [(row[0], (row[0], row[1]), (row[0], row[1], row[2]), row[3], row[4]) for row in rows]
    everything = rules.grouped(kept, lambda row: "", lambda row: row[2], lambda row: row[4])
    for place in (0, 1):
        groups = rules.grouped(kept, lambda row, at=place: row[at], lambda row: row[2], lambda row: row[4])
        for of in ("rows", "volumes"):
            for status in ORDER:
                parts = sum(getattr(getattr(group, of), status) for group in groups.values())
                whole = getattr(getattr(everything[""], of), status) if everything else 0
                assert parts == whole
    if everything:
        assert everything[""].rows.total == len(kept)
        assert everything[""].volumes.total == len({row[2] for row in kept})
    by_policy = rules.grouped(kept, lambda row: row[3], lambda row: row[2], lambda row: row[4])
    assert sum(group.rows.total for group in by_policy.values()) == len(kept)


@given(st.lists(STATUSES, max_size=50))
def test_percent(statuses: list[ComplianceStatus]) -> None:
    counted = Sums()
    for status in statuses:
        counted.add(status)
    told = counted.told()
    assert told["total"] == len(statuses) == sum(getattr(counted, status) for status in ORDER)
    assert counted.broken == sum(status in rules.BROKEN for status in statuses)
    if not counted.judged:
        assert told["compliance_pct"] is None, "what is only waited for neither keeps nor breaks anything"
    else:
        assert (told["compliance_pct"] == 100.0) is (counted.broken == 0)


def test_nearly_all_is_not_all() -> None:
    assert rules.percent(9_999, 10_000) == 99.9
    assert rules.percent(10_000, 10_000) == 100.0
    assert rules.percent(0, 3) == 0.0


@given(st.lists(STATUSES, min_size=1, max_size=5))
def test_a_volume_is_as_bad_as_its_worst_policy(statuses: list[ComplianceStatus]) -> None:
    found = worst(statuses)
    assert found in statuses
    if set(statuses) & set(rules.BROKEN):
        assert found in rules.BROKEN
    elif "pending" in statuses:
        assert found == "pending"
    assert set(get_args(ComplianceStatus)) == set(ORDER)


@pytest.mark.parametrize(
    ("text", "days"),
    [("7", 7), (" 14 ", 14), ("0", 0), ("", 0), ("-3", 0), ("2.5", 0), ("soon", 0), ("99999", 0), ("²", 0)],
)
def test_days_that_an_owner_allows(text: str, days: int) -> None:
    assert sla({"sla_days": text}) == timedelta(days=days)


@pytest.mark.parametrize(
    ("snapshots", "backups", "coverage", "risk"),
    [
        (0, 0, "nothing", "all"),
        (3, 0, "snapshots", "back end"),
        (0, 2, "backup", "none"),
        (1, 1, "both", "none"),
    ],
)
def test_snapshots_alone_are_lost_with_the_back_end(snapshots: int, backups: int, coverage: str, risk: str) -> None:
    assert rules.coverage(snapshots, backups) == coverage
    assert rules.RISK[rules.coverage(snapshots, backups)] == risk
