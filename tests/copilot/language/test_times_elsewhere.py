"""The same in other zones and at odd hours: when clocks change, after midnight, at the turn of the year; and what is
no time at all.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.language.times import period
from copilot.language.tokens import tokenise
from tests.copilot.language.timetable import at, cases, meaning, read, shown

MONDAY = at("Europe/Berlin", "2026-11-30 09:30")

CLOCKS_GO_BACK = """
last 24 hours | Sat 10-24 13:00 ..
2 hours ago | @ Sun 10-25 10:00
12 hours ago | @ Sun 10-25 01:00
a day ago | @ Sat 10-24 12:00
yesterday | Sat 10-24 00:00 .. Sun 10-25 00:00
today | Sun 10-25 00:00 .. Mon 10-26 00:00
since midnight | Sun 10-25 00:00 ..
at 02:30 | @ Sun 10-25 02:30
at 1:30 | @ Sun 10-25 01:30
last night | Sat 10-24 20:00 .. Sun 10-25 06:00
last night at 2:30 | @ Sun 10-25 02:30
yesterday at 02:30 | @ Sat 10-24 02:30
since saturday | Sat 10-24 00:00 ..
over the weekend | Sat 10-24 00:00 .. Mon 10-26 00:00
last 2 days | Fri 10-23 12:00 ..
in the last week | Sun 10-18 12:00 ..
older than 1 day | .. Sat 10-24 12:00 age
for more than 24 hours | .. Sat 10-24 13:00 age
this week | Mon 10-19 00:00 .. Mon 10-26 00:00
this month | Thu 10-01 00:00 .. Sun 11-01 00:00
between 1:00 and 4:00 today | Sun 10-25 01:00 .. Sun 10-25 04:00
2026-10-25 | Sun 10-25 00:00 .. Mon 10-26 00:00
2026-10-25 02:30 | @ Sun 10-25 02:30
2026-10-25T02:30:00+01:00 | @ Sun 10-25 02:30
2026-10-25T02:30:00+02:00 | @ Sun 10-25 02:30
2026-10-25 01:00 UTC | @ Sun 10-25 02:00
"""

CLOCKS_GO_FORWARD = """
last 24 hours | Sat 03-28 11:00 ..
12 hours ago | @ Sat 03-28 23:00
a day ago | @ Sat 03-28 12:00
yesterday | Sat 03-28 00:00 .. Sun 03-29 00:00
today | Sun 03-29 00:00 .. Mon 03-30 00:00
at 02:30 | @ Sun 03-29 03:30
since 2:30 | Sun 03-29 03:30 ..
yesterday at 02:30 | @ Sat 03-28 02:30
last night | Sat 03-28 20:00 .. Sun 03-29 06:00
this morning | Sun 03-29 06:00 .. Sun 03-29 12:00
between 1:00 and 4:00 | Sun 03-29 01:00 .. Sun 03-29 04:00
2026-03-29 02:30 | @ Sun 03-29 03:30
last week | Mon 03-16 00:00 .. Mon 03-23 00:00
"""

MONDAY_MORNING = """
over the weekend | Sat 10-31 00:00 .. Mon 11-02 00:00
the weekend | Sat 10-31 00:00 .. Mon 11-02 00:00
last weekend | Sat 10-31 00:00 .. Mon 11-02 00:00
this weekend | Sat 10-31 00:00 .. Mon 11-02 00:00
last 48 hours | Sat 10-31 09:00 ..
last 2 days | Sat 10-31 08:00 ..
2 days ago | @ Sat 10-31 08:00
since friday | Fri 10-30 00:00 ..
since friday 17:00 | Fri 10-30 17:00 ..
since friday evening | Fri 10-30 18:00 ..
friday night | Fri 10-30 20:00 .. Sat 10-31 06:00
last friday | Fri 10-30 00:00 .. Sat 10-31 00:00
on monday | Mon 11-02 00:00 .. Tue 11-03 00:00
last monday | Mon 10-26 00:00 .. Tue 10-27 00:00
today | Mon 11-02 00:00 .. Tue 11-03 00:00
yesterday | Sun 11-01 00:00 .. Mon 11-02 00:00
this morning | Mon 11-02 06:00 .. Mon 11-02 12:00
overnight | Sun 11-01 20:00 .. Mon 11-02 06:00
last week | Mon 10-26 00:00 .. Mon 11-02 00:00
this week | Mon 11-02 00:00 .. Mon 11-09 00:00
at 9 | @ Sun 11-01 09:00
at 7am | @ Mon 11-02 07:00
monday 9:00 | @ Mon 10-26 09:00
as of monday 9:00 | @ Mon 10-26 09:00
since 31 oct | Sat 10-31 00:00 ..
14:00 utc | @ Sun 11-01 09:00
"""

AFTER_MIDNIGHT = """
today | Wed 07-15 00:00 .. Thu 07-16 00:00
yesterday | Tue 07-14 00:00 .. Wed 07-15 00:00
last night | Tue 07-14 20:00 .. Wed 07-15 06:00
tonight | Tue 07-14 20:00 .. Wed 07-15 06:00
this morning | Wed 07-15 00:00 .. Wed 07-15 12:00
this evening | Wed 07-15 18:00 .. Thu 07-16 00:00
this afternoon | Wed 07-15 12:00 .. Wed 07-15 18:00
yesterday evening | Tue 07-14 18:00 .. Wed 07-15 00:00
since midnight | Wed 07-15 00:00 ..
an hour ago | @ Tue 07-14 23:10
at 23:00 | @ Tue 07-14 23:00
since 23:00 | Tue 07-14 23:00 ..
last hour | Tue 07-14 23:10 ..
this hour | Wed 07-15 00:00 .. Wed 07-15 01:00
last night at 23:00 | @ Tue 07-14 23:00
between 22:00 and 23:30 | Tue 07-14 22:00 .. Tue 07-14 23:30
in the last 30 minutes | Tue 07-14 23:40 ..
on wednesday | Wed 07-15 00:00 .. Thu 07-16 00:00
on tuesday | Tue 07-14 00:00 .. Wed 07-15 00:00
tuesday night | Tue 07-14 20:00 .. Wed 07-15 06:00
yesterday at 23:55 | @ Tue 07-14 23:55
since yesterday | Tue 07-14 00:00 ..
overnight | Tue 07-14 20:00 .. Wed 07-15 06:00
in the morning | Tue 07-14 06:00 .. Tue 07-14 12:00
"""

SUNDAY_NIGHT = """
last week | Mon 02-16 00:00 .. Mon 02-23 00:00
this week | Mon 02-23 00:00 .. Mon 03-02 00:00
next week | Mon 03-02 00:00 .. Mon 03-09 00:00
the weekend | Sat 02-28 00:00 .. Mon 03-02 00:00
last weekend | Sat 02-21 00:00 .. Mon 02-23 00:00
this weekend | Sat 02-28 00:00 .. Mon 03-02 00:00
weekend before last | Sat 02-14 00:00 .. Mon 02-16 00:00
yesterday | Sat 02-28 00:00 .. Sun 03-01 00:00
last month | Sun 02-01 00:00 .. Sun 03-01 00:00
this month | Sun 03-01 00:00 .. Wed 04-01 00:00
next month | Wed 04-01 00:00 .. Fri 05-01 00:00
on sunday | Sun 03-01 00:00 .. Mon 03-02 00:00
since sunday | Sun 03-01 00:00 ..
last sunday | Sun 02-22 00:00 .. Mon 02-23 00:00
next sunday | Sun 03-08 00:00 .. Mon 03-09 00:00
sunday 23:55 | @ Sun 02-22 23:55
sunday 22:00 | @ Sun 03-01 22:00
saturday | Sat 02-28 00:00 .. Sun 03-01 00:00
feb 28 | Sat 02-28 00:00 .. Sun 03-01 00:00
since the 29th | Thu 01-29 00:00 ..
on the 31st | Sat 01-31 00:00 .. Sun 02-01 00:00
a month ago | @ Sun 02-01 23:50
a year ago | @ Sat 2025-03-01 23:50
the 1st of the month | Sun 03-01 00:00 .. Mon 03-02 00:00
first of last month | Sun 02-01 00:00 .. Mon 02-02 00:00
this quarter | Thu 01-01 00:00 .. Wed 04-01 00:00
last quarter | Wed 2025-10-01 00:00 .. Thu 01-01 00:00
q1 | Thu 01-01 00:00 .. Wed 04-01 00:00
q4 | Wed 2025-10-01 00:00 .. Thu 01-01 00:00
in january | Thu 01-01 00:00 .. Sun 02-01 00:00
tonight | Sun 03-01 20:00 .. Mon 03-02 06:00
this evening | Sun 03-01 18:00 .. Mon 03-02 00:00
"""

NEW_YEAR = """
last week | Mon 2025-12-29 00:00 .. Mon 01-05 00:00
this week | Mon 01-05 00:00 .. Mon 01-12 00:00
last month | Mon 2025-12-01 00:00 .. Thu 01-01 00:00
last year | Wed 2025-01-01 00:00 .. Thu 01-01 00:00
this year | Thu 01-01 00:00 .. Fri 2027-01-01 00:00
q4 | Wed 2025-10-01 00:00 .. Thu 01-01 00:00
in december | Mon 2025-12-01 00:00 .. Thu 01-01 00:00
in january | Thu 01-01 00:00 .. Sun 02-01 00:00
since 31 dec | Wed 2025-12-31 00:00 ..
since january 10 | Fri 2025-01-10 00:00 ..
on 5 jan | Mon 01-05 00:00 .. Tue 01-06 00:00
on 6 jan | Mon 2025-01-06 00:00 .. Tue 2025-01-07 00:00
week 52 | Mon 2025-12-22 00:00 .. Mon 2025-12-29 00:00
week 1 | Mon 2025-12-29 00:00 .. Mon 01-05 00:00
last friday | Fri 01-02 00:00 .. Sat 01-03 00:00
on friday | Fri 01-02 00:00 .. Sat 01-03 00:00
last quarter | Wed 2025-10-01 00:00 .. Thu 01-01 00:00
yesterday | Sun 01-04 00:00 .. Mon 01-05 00:00
2 weeks ago | @ Mon 2025-12-22 07:00
2 months ago | @ Wed 2025-11-05 07:00
in 2025 | Wed 2025-01-01 00:00 .. Thu 01-01 00:00
dec to jan | Mon 2025-12-01 00:00 .. Sun 02-01 00:00
between 20 dec and 3 jan | Sat 2025-12-20 00:00 .. Sun 01-04 00:00
in the past 90 days | Tue 2025-10-07 07:00 ..
over the weekend | Sat 01-03 00:00 .. Mon 01-05 00:00
"""

LEAP_YEAR = """
a month ago | @ Tue 02-29 10:00
2 months ago | @ Mon 01-31 10:00
a year ago | @ Wed 2027-03-31 10:00
last month | Tue 02-01 00:00 .. Wed 03-01 00:00
in february | Tue 02-01 00:00 .. Wed 03-01 00:00
on the 29th | Wed 03-29 00:00 .. Thu 03-30 00:00
feb 29 | Tue 02-29 00:00 .. Wed 03-01 00:00
last 6 months | Thu 2027-09-30 10:00 ..
past year | Wed 2027-03-31 10:00 ..
older than a year | .. Wed 2027-03-31 10:00 age
"""

TABLES = (
    (at("Europe/Berlin", "2026-10-25 12:00"), CLOCKS_GO_BACK),
    (at("Europe/Berlin", "2026-03-29 12:00"), CLOCKS_GO_FORWARD),
    (at("America/New_York", "2026-11-02 08:00"), MONDAY_MORNING),
    (at("Asia/Kathmandu", "2026-07-15 00:10"), AFTER_MIDNIGHT),
    (at("UTC", "2026-03-01 23:50"), SUNDAY_NIGHT),
    (at("Pacific/Auckland", "2026-01-05 07:00"), NEW_YEAR),
    (at("UTC", "2028-03-31 10:00"), LEAP_YEAR),
)

NO_TIMES = """
03/04/2026 | last 5 vms | more than 2025 | every monday | may i see | mar | sat | 2 hours | over 8 vcpus | by
project | 31 june | the 2nd largest vm | june 31 | 9 last night | over 512m | between 8 and 16 vcpus | from 4 to 8 |
4-8 gb | 20 to 25 | the 20th | on 20.11 | 24/7 | 1/2 | weekends | on 3 hosts | on the first host | in region one |
in use | for project x | may | over 9000 | half an hour | now | right now | currently | vms | since | before | the
last | last | in | over | for 5 vms | at least 8 vcpus | within reason | by 9 | up to 9 | 9 o | 2026-13-45 |
2026-02-30 | 32.01.2026 | 25:00 | at 25:00 | 13 pm | at 9:75 | 0 am | 'since yesterday' | q5 | q3-2026x | web-01 |
10.0.0.1 | mondays | on mondays | each tuesday | march | second | sun | after 9 attempts | in 99999999999999 days |
999999 years ago | since year 0 | on 30 feb | week 99 | the end | end of file | half a terabyte | a gig | more than
a few | list | order by | money | hosts | for the last 3 vms
"""


@pytest.mark.parametrize(
    ("seen", "text", "meant"), [(seen, text, meant) for seen, table in TABLES for text, meant in cases(table)]
)
def test_what_is_meant_elsewhere(seen: tuple[datetime, tzinfo], text: str, meant: str) -> None:
    assert meaning(text, seen) == meant


@pytest.mark.parametrize("text", [text.strip() for text in NO_TIMES.replace("\n", " ").split(" | ")])
def test_what_is_no_time(text: str) -> None:
    assert read(text, MONDAY) is None


@pytest.mark.parametrize(
    ("text", "begins", "meant"),
    [
        ("vms expiring in 30 days", 2, "Mon 11-30 09:30 .. Wed 12-30 09:30"),
        ("certificates expiring on friday", 2, "Fri 12-04 00:00 .. Sat 12-05 00:00"),
        ("expiring within 2 weeks", 1, "Mon 11-30 09:30 .. Mon 12-14 09:30"),
        ("expiring before friday", 1, ".. Fri 12-04 00:00"),
        ("expiring by friday", 1, ".. Sat 12-05 00:00"),
        ("expiring on the 3rd", 1, "Thu 12-03 00:00 .. Fri 12-04 00:00"),
        ("expiring on 20 nov", 1, "Sat 2027-11-20 00:00 .. Sun 2027-11-21 00:00"),
        ("expiring in december", 1, "Tue 12-01 00:00 .. Fri 2027-01-01 00:00"),
        ("due at 9:00", 1, "@ Tue 12-01 09:00"),
        ("due over the weekend", 1, "Sat 12-05 00:00 .. Mon 12-07 00:00"),
        ("jobs scheduled since friday", 2, "Fri 11-27 00:00 .."),
        ("expired on friday", 1, "Fri 11-27 00:00 .. Sat 11-28 00:00"),
        ("expired in 30 days", 1, "Sat 10-31 09:30 .."),
    ],
)
def test_questions_that_look_ahead(text: str, begins: int, meant: str) -> None:
    found = read(text, MONDAY, begins)
    assert found is not None
    assert shown(found[0], MONDAY) == meant


@pytest.mark.parametrize(
    ("text", "meant", "rest"),
    [
        ("yesterday's failed jobs", "Sun 11-29 00:00 .. Mon 11-30 00:00", "failed jobs"),
        ("last week's backups", "Mon 11-23 00:00 .. Mon 11-30 00:00", "backups"),
        ("on tuesday at 9 in prod", "@ Tue 11-24 09:00", "in prod"),
        ("since monday on host 3", "Mon 11-30 00:00 ..", "on host 3"),
        ("since yesterday and stopped", "Sun 11-29 00:00 ..", "and stopped"),
        ("older than 30 days and stopped", ".. Sat 10-31 09:30 age", "and stopped"),
        ("in 2025 on host 3", "Wed 2025-01-01 00:00 .. Thu 01-01 00:00", "on host 3"),
        ("last week by project", "Mon 11-23 00:00 .. Mon 11-30 00:00", "by project"),
        ("yesterday in the lab", "Sun 11-29 00:00 .. Mon 11-30 00:00", "in the lab"),
        ("today, by host", "Mon 11-30 00:00 .. Tue 12-01 00:00", ", by host"),
        ("for more than 2 hours in error", ".. Mon 11-30 07:30 age", "in error"),
    ],
)
def test_only_the_time_is_taken(text: str, meant: str, rest: str) -> None:
    assert meaning(text, MONDAY) == f"{meant} | {rest}"


@pytest.mark.parametrize(
    ("text", "zone", "words"),
    [
        ("since yesterday", "Europe/Berlin", "since Sun 29 Nov 00:00 CET"),
        ("before noon", "America/New_York", "before Sun 29 Nov 12:00 EST"),
        ("on tuesday", "Europe/Berlin", "on Tue 24 Nov CET"),
        ("as of monday 9:00", "Asia/Tokyo", "as of Mon 30 Nov 09:00 JST"),
        ("last month", "Europe/Berlin", "from Thu 1 Oct 00:00 CEST to Sun 1 Nov 00:00 CET"),
        ("last week", "America/Sao_Paulo", "from Mon 23 Nov 00:00 to Mon 30 Nov 00:00 UTC-03"),
        ("on 20 nov 2025", "UTC", "on Thu 20 Nov 2025 UTC"),
        ("older than 30 days", "UTC", "more than 30 days: before Sat 31 Oct 08:30 UTC"),
        ("for less than 2h30m", "UTC", "less than 2 hours 30 minutes: since Mon 30 Nov 06:00 UTC"),
        ("a week old", "UTC", "1 week old: from Mon 16 Nov 08:30 to Mon 23 Nov 08:30 UTC"),
        ("at 2026-11-20T09:00:15Z", "UTC", "as of Fri 20 Nov 09:00:15 UTC"),
    ],
)
def test_it_says_how_it_understood(text: str, zone: str, words: str) -> None:
    found = read(text, (MONDAY[0], ZoneInfo(zone)))
    assert found is not None
    assert found[0].words == words


def test_bounds_are_in_utc_and_hours_that_come_twice_are_the_first() -> None:
    seen = at("Europe/Berlin", "2026-10-25 12:00")
    found = read("at 02:30", seen)
    assert found is not None
    assert found[0].at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert found[0].at.tzinfo is UTC


_WORDS = """since until before after as of on at in the last past next this previous between and to - from week
month year day days hours 2 9 30 2025 monday tue nov 20th 1st morning night noon midnight yesterday
today ago old older newer than more less for over weekend 9:00 14:30 am pm utc 2026-11-20 20.11.2026
29/02 q3 every a an half few couple or so far start end beginning first no not + > <= , expiring
early time same now 2026-11-20T09:00:00Z 31 june feb 24:00 99999 m h 12 00:30+05:30 31st"""
_SAID = st.lists(st.sampled_from(_WORDS.split()), max_size=9).map(" ".join)
_NOWS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)) | st.datetimes(
    datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)
)
_FIXED = timezone(timedelta(hours=-11, minutes=-30))
_NAMES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca")
_ZONES = st.sampled_from([*map(ZoneInfo, _NAMES), _FIXED])


@given(_SAID | st.text(max_size=60), _NOWS, _ZONES)
def test_any_words_at_any_time(text: str, now: datetime, zone: tzinfo) -> None:
    tokens = tokenise(text)
    for i in range(len(tokens) + 1):
        found = period(tokens, i, now, zone)
        if found is None:
            continue
        read, eaten = found
        assert 1 <= eaten <= len(tokens) - i
        assert read.words.isprintable() and read.words
        bounds = [bound for bound in (read.since, read.until, read.at) if bound is not None]
        assert bounds and all(bound.tzinfo is UTC for bound in bounds)
        assert read.at is None or (read.since is None and read.until is None and not read.age)
        assert read.since is None or read.until is None or read.since <= read.until


@pytest.mark.parametrize(
    "piece", ["start of ", "2 h ", "between 9 and ", "the morning of ", "since monday until ", "a "]
)
def test_long_questions_are_read_at_once(piece: str) -> None:
    tokens = tokenise((piece * 500)[:1000])
    began = time.process_time()
    for i in range(len(tokens)):
        period(tokens, i, *MONDAY)
    assert time.process_time() - began < 1.0


@given(st.integers(1, 10_000), st.sampled_from(["minutes", "hours", "days", "weeks"]), _ZONES)
def test_lengths_of_time_are_as_long_as_they_say(count: int, unit: str, zone: tzinfo) -> None:
    now = datetime(2026, 11, 30, 8, 30, tzinfo=UTC)
    found = period(tokenise(f"in the last {count} {unit}"), 0, now, zone)
    assert found is not None
    assert found[0].since is not None
    local = (now.astimezone(zone) - timedelta(**{unit: count})).astimezone(UTC)
    exact = now - timedelta(**{unit: count})
    assert found[0].since == (exact if unit in ("minutes", "hours") else local)
