"""Schedules: what is accepted, when it is due, how clocks that are set and engines that stood still are taken."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.snapshots.models import Policy
from engine.snapshots.policies import schedule
from engine.snapshots.policies.naming import is_name, made_up

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def policy(words: str, zone: str = "UTC", **more: object) -> Policy:
    return replace(Policy("p", schedule.parse(words), zone), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "cron", "words"),
    [
        ("hourly", "0 * * * *", "hourly at :00"),
        ("hourly :15", "15 * * * *", "hourly at :15"),
        ("daily", "0 2 * * *", "daily at 02:00"),
        ("Daily  23:05 ", "5 23 * * *", "daily at 23:05"),
        ("weekly", "0 3 * * 0", "weekly on Sunday at 03:00"),
        ("weekly saturday 22:30", "30 22 * * 6", "weekly on Saturday at 22:30"),
        ("weekly mon,thu 1:00", "0 1 * * 1,4", "weekly on Monday and Thursday at 01:00"),
        ("monthly", "0 4 1 * *", "monthly on day 1 at 04:00"),
        ("monthly 15", "0 4 15 * *", "monthly on day 15 at 04:00"),
        ("monthly L 21:00", "0 21 L * *", "monthly on the last day at 21:00"),
        ("yearly", "0 5 1 1 *", "yearly on 1 January at 05:00"),
        ("yearly 12 31 06:00", "0 6 31 12 *", "yearly on 31 December at 06:00"),
        ("0 */6 * * *", "0 */6 * * *", "every 6 hours at :00"),
        ("0 2 * * 1-5", "0 2 * * 1-5", "weekly on Monday to Friday at 02:00"),
        ("0 2 * * sun,3", "0 2 * * sun,3", "weekly on Sunday and Wednesday at 02:00"),
        ("0 0 l * *", "0 0 L * *", "monthly on the last day at 00:00"),
        ("0 12 * * 1#1", "0 12 * * 1#1", "by cron 0 12 * * 1#1"),
        ("*/30 2 * * *", "0,30 2 * * *", "by cron 0,30 2 * * *"),
        ("*/20 * * * *", "*/20 * * * *", "by cron */20 * * * *"),
        ("7,37 8-18 * * *", "7,37 8-18 * * *", "by cron 7,37 8-18 * * *"),
        ("0 0 29 2 *", "0 0 29 2 *", "yearly on 29 February at 00:00"),
    ],
)
def test_what_a_schedule_means(text: str, cron: str, words: str) -> None:
    assert schedule.parse(text) == cron
    assert schedule.words(Policy("p", cron, BERLIN, 5)) == f"{words} {BERLIN}, keep 5"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "five cron fields"),
        ("sometimes", "five cron fields"),
        ("0 2 * *", "five cron fields"),
        ("0 0 2 * * *", "five cron fields"),
        ("0 25 * * *", "bad hour"),
        ("0 0 30 2 *", "bad day-of-month"),
        ("0 0 31 2,4 *", "bad day-of-month"),
        ("0 2 * * MON#6", "bad day-of-week"),
        ("* * * * *", "too often"),
        ("*/5 * * * *", "too often"),
        ("*/5 2 * * *", "too often"),
        ("*/0 2 * * *", "bad minute"),
        ("*/30 2", "five cron fields"),
        ("0,5 2 * * *", "too often"),
        ("58 * * * *" + " " * 200 + "x", "five cron fields"),
        ("0," * 60 + "1 * * * *", "at most 100"),
        ("daily 24:00", "no time of day"),
        ("daily mon 02:00", "write daily 02:00"),
        ("weekly never", "write daily 02:00"),
        ("monthly 32", "write daily 02:00"),
        ("yearly 13 1", "write daily 02:00"),
        ("hourly 60", "hourly is followed"),
        ("0 2 * * \u0663", "bad day-of-week"),
    ],
)
def test_what_is_no_schedule(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        schedule.parse(text)


def test_zones_are_checked() -> None:
    assert schedule.check_zone(BERLIN) == BERLIN
    for wrong in ("", "Europe/Atlantis", "../etc/passwd", "/etc/passwd", "x" * 100, "\0"):
        with pytest.raises(ValueError, match="no time zone"):
            schedule.check_zone(wrong)


@pytest.mark.parametrize(
    ("words", "zone", "now", "newest", "following"),
    [
        ("daily 02:00", "UTC", "2026-03-05T02:00", "2026-03-05T02:00", "2026-03-06T02:00"),
        ("daily 02:00", "UTC", "2026-03-05T01:59", "2026-03-04T02:00", "2026-03-05T02:00"),
        ("daily 02:00", BERLIN, "2026-01-05T01:00", "2026-01-05T01:00", "2026-01-06T01:00"),
        ("daily 02:00", BERLIN, "2026-07-05T00:00", "2026-07-05T00:00", "2026-07-06T00:00"),
        ("weekly sun 03:00", "UTC", "2026-11-30T00:00", "2026-11-29T03:00", "2026-12-06T03:00"),
        ("monthly 31 04:00", "UTC", "2026-11-30T12:00", "2026-10-31T04:00", "2026-12-31T04:00"),
        ("monthly L 04:00", "UTC", "2026-03-01T00:00", "2026-02-28T04:00", "2026-03-31T04:00"),
        ("monthly L 04:00", "UTC", "2028-03-01T00:00", "2028-02-29T04:00", "2028-03-31T04:00"),
        ("0 0 29 2 *", "UTC", "2026-11-30T00:00", "2024-02-29T00:00", "2028-02-29T00:00"),
        # Summer time begins in Berlin on 29 March 2026: 02:30 is left out, 03:00 is the next there is.
        ("daily 02:30", BERLIN, "2026-03-29T00:59", "2026-03-28T01:30", "2026-03-29T01:00"),
        ("daily 02:30", BERLIN, "2026-03-29T01:00", "2026-03-29T01:00", "2026-03-30T00:30"),
        ("daily 02:30", BERLIN, "2026-03-29T09:00", "2026-03-29T01:00", "2026-03-30T00:30"),
        ("*/30 2 * * *", BERLIN, "2026-03-29T02:00", "2026-03-29T01:00", "2026-03-30T00:00"),
        ("hourly", BERLIN, "2026-03-29T01:10", "2026-03-29T01:00", "2026-03-29T02:00"),
        # It ends on 25 October 2026: 02:30 comes twice, and counts once.
        ("daily 02:30", BERLIN, "2026-10-25T00:29", "2026-10-24T00:30", "2026-10-25T00:30"),
        ("daily 02:30", BERLIN, "2026-10-25T00:45", "2026-10-25T00:30", "2026-10-26T01:30"),
        ("daily 02:30", BERLIN, "2026-10-25T01:10", "2026-10-25T00:30", "2026-10-26T01:30"),
        ("daily 02:30", BERLIN, "2026-10-25T01:31", "2026-10-25T00:30", "2026-10-26T01:30"),
        ("hourly", BERLIN, "2026-10-25T01:10", "2026-10-25T01:00", "2026-10-25T02:00"),
        ("hourly", BERLIN, "2026-10-25T00:10", "2026-10-25T00:00", "2026-10-25T01:00"),
        # A zone that is half an hour off, and one that left out a whole day.
        ("daily 00:00", "Asia/Kolkata", "2026-05-05T18:29", "2026-05-04T18:30", "2026-05-05T18:30"),
        ("daily 12:00", "Pacific/Apia", "2011-12-31T00:00", "2011-12-30T22:00", "2011-12-31T22:00"),
    ],
)
def test_occurrences(words: str, zone: str, now: str, newest: str, following: str) -> None:
    one = policy(words, zone)
    assert schedule.occurrence(one, at(now)) == at(newest)
    assert schedule.next_occurrence(one, at(now)) == at(following)


@pytest.mark.parametrize(
    ("words", "handled", "now", "since", "more", "due"),
    [
        ("daily 02:00", "2026-03-04T02:00", "2026-03-05T02:00", None, {}, "2026-03-05T02:00"),
        ("daily 02:00", "2026-03-05T02:00", "2026-03-05T23:00", None, {}, None),
        # Three days of standing still: the newest alone is made up for.
        ("daily 02:00", "2026-03-01T02:00", "2026-03-04T12:00", None, {}, "2026-03-04T02:00"),
        ("monthly 1 04:00", "2026-02-01T04:00", "2026-03-20T00:00", None, {}, "2026-03-01T04:00"),
        ("monthly 1 04:00", "2026-02-01T04:00", "2026-03-20T00:00", None, {"catch_up_hours": 48}, None),
        ("monthly 1 04:00", "2026-02-01T04:00", "2026-03-02T00:00", None, {"catch_up_hours": 48}, "2026-03-01T04:00"),
        ("daily 02:00", None, "2026-03-05T12:00", "2026-03-05T11:00", {}, None),
        ("daily 02:00", None, "2026-03-06T02:00", "2026-03-05T11:00", {}, "2026-03-06T02:00"),
        ("daily 02:00", None, "2026-03-05T12:00", "2026-03-05T02:00", {}, "2026-03-05T02:00"),
        ("daily 02:00", None, "2026-03-05T12:00", None, {"enabled": False}, None),
        # The clock of the host was set back: what was taken up is not made again.
        ("daily 02:00", "2026-03-05T02:00", "2026-03-04T12:00", None, {}, None),
    ],
)
def test_what_is_due(
    words: str, handled: str | None, now: str, since: str | None, more: dict[str, object], due: str | None
) -> None:
    found = schedule.due(policy(words, **more), at(handled) if handled else None, at(now), at(since) if since else None)
    assert found == (at(due) if due else None)


@pytest.mark.parametrize(
    ("words", "now", "hours"),
    [
        ("hourly", "2026-03-05T12:00", 2),
        ("daily 02:00", "2026-03-05T12:00", 30),
        ("weekly sun 03:00", "2026-03-05T12:00", 8 * 24),
        ("monthly 1 04:00", "2026-03-05T12:00", 32 * 24),
        ("monthly 1 04:00", "2026-02-05T12:00", 32 * 24),
        ("0 2 * * 1-5", "2026-03-02T01:00", 90),  # on a Monday the newest is Friday's
        ("0 2 * * 1-5", "2026-03-06T12:00", 90),
        ("0 4 1,15 * *", "2026-03-16T12:00", 18 * 24),
    ],
)
def test_the_window_is_the_schedule_s_longest_gap_and_a_grace(words: str, now: str, hours: float) -> None:
    one = policy(words)
    assert schedule.window(one, at(now)) == timedelta(hours=hours)
    assert schedule.window(replace(one, jitter_minutes=30), at(now)) == timedelta(hours=hours + 0.5)
    assert schedule.window(replace(one, window_hours=5), at(now)) == timedelta(hours=5)


SCHEDULES = st.sampled_from(
    ["hourly", "hourly :37", "daily 02:30", "weekly sun 03:00", "monthly 1 04:00", "monthly L", "0 2 * * 1-5",
     "15 */6 * * *", "0,30 2 * * *", "0 12 31 * *"]
)  # fmt: skip
ZONES = st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))
POLICIES = st.builds(policy, SCHEDULES, ZONES)
HOURS = st.integers(0, 24 * 70).map(lambda hours: timedelta(hours=hours))


@given(POLICIES, MOMENTS)
def test_occurrences_before_and_after_fit_together(one: Policy, now: datetime) -> None:
    newest, following = schedule.occurrence(one, now), schedule.next_occurrence(one, now)
    assert newest is not None and following is not None and newest <= now < following
    assert schedule.occurrence(one, following) == following
    assert schedule.occurrence(one, following - timedelta(seconds=1)) == newest
    assert schedule.next_occurrence(one, newest) == following


@given(POLICIES, MOMENTS, HOURS)
def test_the_newest_occurrence_never_goes_back(one: Policy, now: datetime, later: timedelta) -> None:
    earlier, after = schedule.occurrence(one, now), schedule.occurrence(one, now + later)
    assert earlier is not None and after is not None and earlier <= after


@given(POLICIES, MOMENTS, st.lists(HOURS, min_size=1, max_size=30), st.none() | st.floats(1, 500))
def test_every_occurrence_is_made_at_most_once_and_none_before_its_time(
    one: Policy, begun: datetime, pauses: list[timedelta], catch_up: float | None
) -> None:
    """An engine that looks now and then, with pauses of any length, and is asked twice each time."""
    one = replace(one, catch_up_hours=catch_up)
    handled: datetime | None = None
    now = begun
    for pause in pauses:
        now += pause
        first = schedule.due(one, handled, now, begun)
        assert first == schedule.due(one, handled, now, begun)
        if first is not None:
            assert begun <= first <= now and (handled is None or first > handled)
            assert catch_up is None or now - first <= timedelta(hours=catch_up)
            handled = first
            assert schedule.due(one, handled, now, begun) is None
        elif catch_up is None:
            newest = schedule.occurrence(one, now)
            assert newest is not None and (newest < begun or newest == handled)


@given(POLICIES, MOMENTS)
def test_a_point_made_at_every_occurrence_always_complies(one: Policy, now: datetime) -> None:
    newest = schedule.occurrence(one, now)
    assert newest is not None
    before = schedule.occurrence(one, newest - timedelta(seconds=1))
    assert before is not None
    # At any moment the newest is young enough; and the one before it until a while after the newest was due.
    assert now - newest < schedule.window(one, now)
    assert newest + timedelta(minutes=59) - before < schedule.window(one, newest)


@given(st.text(max_size=40), st.text(max_size=20), st.integers(1, 1440))
def test_jitter_is_bounded_and_always_the_same(name: str, cloud: str, minutes: int) -> None:
    one = Policy(name, "0 2 * * *", jitter_minutes=minutes)
    found = schedule.jitter(one, cloud)
    assert timedelta() <= found < timedelta(minutes=minutes) and found == schedule.jitter(one, cloud)
    assert schedule.jitter(replace(one, jitter_minutes=0), cloud) == timedelta()


def test_jitter_spreads_clouds_and_policies() -> None:
    found = {schedule.jitter(Policy(f"p{n}", "0 2 * * *", jitter_minutes=60), f"c{n % 7}") for n in range(50)}
    assert len(found) > 40


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hourly_24", "hourly at :00 UTC, keep 24"),
        ("daily_5", "daily at 02:00 UTC, keep 5"),
        ("daily", "daily at 02:00 UTC, keep 7"),
        ("Weekly_4", "weekly on Sunday at 03:00 UTC, keep 4"),
        ("monthly_1st", "monthly on day 1 at 04:00 UTC, keep 1"),
        ("monthly_15th", "monthly on day 15 at 04:00 UTC, keep 1"),
        ("monthly_12", "monthly on day 1 at 04:00 UTC, keep 12"),
        ("yearly_3", "yearly on 1 January at 05:00 UTC, keep 3"),
        ("gold", "daily at 02:00 UTC, keep 7"),
        ("gold_0", "daily at 02:00 UTC, keep 7"),
        ("gold_99999", "daily at 02:00 UTC, keep 7"),
        ("gold_\u0663", "daily at 02:00 UTC, keep 7"),
    ],
)
def test_a_name_that_nobody_made_is_what_it_says(name: str, words: str) -> None:
    one = made_up(name)
    assert schedule.words(one) == words and not one.known and one.name == name
    assert schedule.parse(one.cron) == one.cron


@pytest.mark.parametrize(
    ("name", "fits"),
    [("daily_5", True), ("Gold tier", True), ("täglich", True), ("", False), (" x", False), ("a,b", False),
     ("a=b", False), ("a/b", False), ("a\nb", False), ("a\u202eb", False), ("x" * 64, True), ("x" * 65, False)],
)  # fmt: skip
def test_names(name: str, fits: bool) -> None:
    assert is_name(name) is fits
