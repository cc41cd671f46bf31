"""Periods, moments and ages as they are said on a Monday morning shift in Berlin."""

from __future__ import annotations

import pytest

from tests.copilot.language.timetable import at, cases, meaning

MONDAY = at("Europe/Berlin", "2026-11-30 09:30")

PERIODS = """
since yesterday | Sun 11-29 00:00 ..
in the last 7 days | Mon 11-23 09:30 ..
last week | Mon 11-23 00:00 .. Mon 11-30 00:00
past week | Mon 11-23 09:30 ..
the last week | Mon 11-23 09:30 ..
this week | Mon 11-30 00:00 .. Mon 12-07 00:00
last month | Thu 10-01 00:00 .. Sun 11-01 00:00
this month | Sun 11-01 00:00 .. Tue 12-01 00:00
on Tuesday | Tue 11-24 00:00 .. Wed 11-25 00:00
on monday | Mon 11-30 00:00 .. Tue 12-01 00:00
before noon | .. Sun 11-29 12:00
after 14:00 | Sun 11-29 14:00 ..
until yesterday | .. Mon 11-30 00:00
between 9 and 10 this morning | Mon 11-30 09:00 .. Mon 11-30 10:00
between 2 and 4 this afternoon | Mon 11-30 14:00 .. Mon 11-30 16:00
over the weekend | Sat 11-28 00:00 .. Mon 11-30 00:00
last weekend | Sat 11-28 00:00 .. Mon 11-30 00:00
this weekend | Sat 11-28 00:00 .. Mon 11-30 00:00
since 2026-11-20 | Fri 11-20 00:00 ..
since 2026-11-20T09:00:00Z | Fri 11-20 10:00 ..
on 20 nov | Fri 11-20 00:00 .. Sat 11-21 00:00
nov 20th | Fri 11-20 00:00 .. Sat 11-21 00:00
20/11/2026 | Fri 11-20 00:00 .. Sat 11-21 00:00
20.11.2026 | Fri 11-20 00:00 .. Sat 11-21 00:00
q3 | Wed 07-01 00:00 .. Thu 10-01 00:00
since the 1st | Sun 11-01 00:00 ..
since midnight | Mon 11-30 00:00 ..
overnight | Sun 11-29 20:00 .. Mon 11-30 06:00
last night | Sun 11-29 20:00 .. Mon 11-30 06:00
tonight | Mon 11-30 20:00 .. Tue 12-01 06:00
this morning | Mon 11-30 06:00 .. Mon 11-30 12:00
tomorrow | Tue 12-01 00:00 .. Wed 12-02 00:00
between monday and wednesday | Mon 11-23 00:00 .. Thu 11-26 00:00
from 9 to 5 yesterday | Sun 11-29 09:00 .. Sun 11-29 17:00
between 22:00 and 06:00 | Sun 11-29 22:00 .. Mon 11-30 06:00
yesterday between 9 and 10 | Sun 11-29 09:00 .. Sun 11-29 10:00
on monday from 9:00 to 10:30 | Mon 11-30 09:00 .. Mon 11-30 10:30
monday 9-10am | Mon 11-30 09:00 .. Mon 11-30 10:00
9-5pm | Sun 11-29 09:00 .. Sun 11-29 17:00
between 20 and 25 nov | Fri 11-20 00:00 .. Thu 11-26 00:00
from nov 20 to 25 | Fri 11-20 00:00 .. Thu 11-26 00:00
from the 1st to the 5th | Sun 11-01 00:00 .. Fri 11-06 00:00
november 2025 | Sat 2025-11-01 00:00 .. Mon 2025-12-01 00:00
in november | Sun 11-01 00:00 .. Tue 12-01 00:00
in 2025 | Wed 2025-01-01 00:00 .. Thu 01-01 00:00
since yesterdy | Sun 11-29 00:00 ..
on mondey | Mon 11-30 00:00 .. Tue 12-01 00:00
last 24 hourz | Sun 11-29 09:30 ..
in the lsat 24 hours | Sun 11-29 09:30 ..
1-2 weeks ago | Mon 11-16 09:30 .. Mon 11-23 09:30
less than 2 hours ago | Mon 11-30 07:30 ..
more than 3 days ago | .. Fri 11-27 09:30
the day before yesterday | Sat 11-28 00:00 .. Sun 11-29 00:00
the week before last | Mon 11-16 00:00 .. Mon 11-23 00:00
tuesday last week | Tue 11-24 00:00 .. Wed 11-25 00:00
last week on tuesday | Tue 11-24 00:00 .. Wed 11-25 00:00
last tuesday | Tue 11-24 00:00 .. Wed 11-25 00:00
last monday | Mon 11-23 00:00 .. Tue 11-24 00:00
monday night | Mon 11-23 20:00 .. Tue 11-24 06:00
friday evening | Fri 11-27 18:00 .. Sat 11-28 00:00
since the beginning of the month | Sun 11-01 00:00 ..
since the start of the week | Mon 11-30 00:00 ..
on sat | Sat 11-28 00:00 .. Sun 11-29 00:00
since sun 22:00 | Sun 11-29 22:00 ..
since 0900h | Mon 11-30 09:00 ..
recently | Mon 11-23 09:30 ..
last few hours | Mon 11-30 06:30 ..
last couple of days | Sat 11-28 09:30 ..
week 47 | Mon 11-16 00:00 .. Mon 11-23 00:00
in the week of 16 nov | Mon 11-16 00:00 .. Mon 11-23 00:00
since monday until thursday | Mon 11-23 00:00 .. Fri 11-27 00:00
after monday and before thursday | Tue 11-24 00:00 .. Thu 11-26 00:00
from monday on | Mon 11-30 00:00 ..
from monday onwards | Mon 11-30 00:00 ..
from 9:00 | Mon 11-30 09:00 ..
by friday | .. Sat 11-28 00:00
today | Mon 11-30 00:00 .. Tue 12-01 00:00
today so far | Mon 11-30 00:00 .. Tue 12-01 00:00
since feb 29 | Thu 2024-02-29 00:00 ..
on the 15th | Sun 11-15 00:00 .. Mon 11-16 00:00
on the 31st | Sat 10-31 00:00 .. Sun 11-01 00:00
in the morning | Mon 11-30 06:00 .. Mon 11-30 12:00
in the afternoon | Sun 11-29 12:00 .. Sun 11-29 18:00
earlier today | Mon 11-30 00:00 .. Tue 12-01 00:00
early this morning | Mon 11-30 06:00 .. Mon 11-30 12:00
late last night | Sun 11-29 20:00 .. Mon 11-30 06:00
later than monday | Tue 11-24 00:00 ..
earlier this week | Mon 11-30 00:00 .. Mon 12-07 00:00
in the last day or two | Sat 11-28 09:30 ..
after monday | Tue 11-24 00:00 ..
after tuesday | Wed 11-25 00:00 ..
on 20 nov between 9:00 and 10:00 | Fri 11-20 09:00 .. Fri 11-20 10:00
from 20 nov 9:00 to 21 nov 17:00 | Fri 11-20 09:00 .. Sat 11-21 17:00
between 2026-11-01 and 2026-11-15 | Sun 11-01 00:00 .. Mon 11-16 00:00
from monday to now | Mon 11-30 00:00 ..
from friday until today | Fri 11-27 00:00 .. Mon 11-30 09:30
more than 30m ago | .. Mon 11-30 09:00
yesterday after 2pm | Sun 11-29 14:00 .. Mon 11-30 00:00
after 2pm yesterday | Sun 11-29 14:00 ..
yesterday before noon | Sun 11-29 00:00 .. Sun 11-29 12:00
between yesterday 22:00 and 06:00 | Sun 11-29 22:00 .. Mon 11-30 06:00
from yesterday 22:00 to 6 | Sun 11-29 22:00 .. Mon 11-30 06:00
9am to 5 | Mon 11-30 09:00 .. Mon 11-30 17:00
9am to 5pm yesterday | Sun 11-29 09:00 .. Sun 11-29 17:00
between 10pm and 6am | Sun 11-29 22:00 .. Mon 11-30 06:00
between 10pm yesterday and 6am today | Sun 11-29 22:00 .. Mon 11-30 06:00
last night between 22:00 and 2:00 | Sun 11-29 22:00 .. Mon 11-30 02:00
from 11 to 1 last night | Sun 11-29 23:00 .. Mon 11-30 01:00
since 3 days | Fri 11-27 09:30 ..
since 3 days ago | Fri 11-27 09:30 ..
before 30 days | .. Sat 10-31 09:30
1 to 5 nov | Sun 11-01 00:00 .. Fri 11-06 00:00
this friday | Fri 12-04 00:00 .. Sat 12-05 00:00
next friday | Fri 12-04 00:00 .. Sat 12-05 00:00
in 2 hours | Mon 11-30 07:30 ..
within 2 hours | Mon 11-30 07:30 ..
in the next 2 hours | Mon 11-30 09:30 .. Mon 11-30 11:30
over the next week | Mon 11-30 09:30 .. Mon 12-07 09:30
over the past 2 weeks | Mon 11-16 09:30 ..
during november | Sun 11-01 00:00 .. Tue 12-01 00:00
for november | Sun 11-01 00:00 .. Tue 12-01 00:00
through november | .. Tue 12-01 00:00
until the end of the year | .. Fri 2027-01-01 00:00
by the end of the month | .. Tue 12-01 00:00
the first of november | Sun 11-01 00:00 .. Mon 11-02 00:00
first of the month | Sun 11-01 00:00 .. Mon 11-02 00:00
since first of nov | Sun 11-01 00:00 ..
since 1st nov | Sun 11-01 00:00 ..
november 1st | Sun 11-01 00:00 .. Mon 11-02 00:00
1 november 2025 | Sat 2025-11-01 00:00 .. Sun 2025-11-02 00:00
sept 3rd 2025 | Wed 2025-09-03 00:00 .. Thu 2025-09-04 00:00
3-sep-2025 | Wed 2025-09-03 00:00 .. Thu 2025-09-04 00:00
2025-09 | Mon 2025-09-01 00:00 .. Wed 2025-10-01 00:00
last november | Sat 2025-11-01 00:00 .. Mon 2025-12-01 00:00
this year | Thu 01-01 00:00 .. Fri 2027-01-01 00:00
last year | Wed 2025-01-01 00:00 .. Thu 01-01 00:00
last quarter | Wed 07-01 00:00 .. Thu 10-01 00:00
this quarter | Thu 10-01 00:00 .. Fri 2027-01-01 00:00
q1 2026 | Thu 01-01 00:00 .. Wed 04-01 00:00
since q2 | Wed 04-01 00:00 ..
since the 20th | Fri 11-20 00:00 ..
on 20/11 | Fri 11-20 00:00 .. Sat 11-21 00:00
the weekend | Sat 11-28 00:00 .. Mon 11-30 00:00
weekend before last | Sat 11-21 00:00 .. Mon 11-23 00:00
2026-11-20..2026-11-25 | Fri 11-20 00:00 .. Thu 11-26 00:00
mon-wed | Mon 11-23 00:00 .. Thu 11-26 00:00
from mon to wed | Mon 11-23 00:00 .. Thu 11-26 00:00
fri-sun | Fri 11-27 00:00 .. Mon 11-30 00:00
20th nov | Fri 11-20 00:00 .. Sat 11-21 00:00
1st november | Sun 11-01 00:00 .. Mon 11-02 00:00
in march | Sun 03-01 00:00 .. Wed 04-01 00:00
since march | Sun 03-01 00:00 ..
last march | Sun 03-01 00:00 .. Wed 04-01 00:00
next month | Tue 12-01 00:00 .. Fri 2027-01-01 00:00
next hour | Mon 11-30 10:00 .. Mon 11-30 11:00
this hour | Mon 11-30 09:00 .. Mon 11-30 10:00
the current month | Sun 11-01 00:00 .. Tue 12-01 00:00
the next month | Mon 11-30 09:30 .. Wed 12-30 09:30
last minute | Mon 11-30 09:29 ..
last half hour | Mon 11-30 09:00 ..
past 15 mins | Mon 11-30 09:15 ..
previous 3 months | Sun 08-30 09:30 ..
in the previous week | Mon 11-23 00:00 .. Mon 11-30 00:00
the previous month | Thu 10-01 00:00 .. Sun 11-01 00:00
yesterday morning | Sun 11-29 06:00 .. Sun 11-29 12:00
tuesday afternoon | Tue 11-24 12:00 .. Tue 11-24 18:00
tomorrow night | Tue 12-01 20:00 .. Wed 12-02 06:00
the morning of 20 nov | Fri 11-20 06:00 .. Fri 11-20 12:00
wensday | Wed 11-25 00:00 .. Thu 11-26 00:00
thrusday | Thu 11-26 00:00 .. Fri 11-27 00:00
tommorow | Tue 12-01 00:00 .. Wed 12-02 00:00
since last tuesday | Tue 11-24 00:00 ..
before last week | .. Mon 11-23 00:00
after last week | Mon 11-30 00:00 ..
before tuesday 14:00 | .. Tue 11-24 14:00
until tuesday noon | .. Tue 11-24 12:00
"""

MOMENTS = """
as of Monday 9:00 | @ Mon 11-30 09:00
as of monday 10:00 | @ Mon 11-23 10:00
at 9am on monday | @ Mon 11-30 09:00
at 9 | @ Mon 11-30 09:00
yesterday at 14:00 | @ Sun 11-29 14:00
yesterday 2pm | @ Sun 11-29 14:00
a week ago | @ Mon 11-23 09:30
an hour ago | @ Mon 11-30 08:30
as of yesterday | @ Mon 11-30 00:00
as of now | @ Mon 11-30 09:30
as of last night | @ Mon 11-30 06:00
monday morning at 8 | @ Mon 11-30 08:00
sunday at 3 in the morning | @ Sun 11-29 03:00
at 3 in the morning | @ Mon 11-30 03:00
beginning of the month | @ Sun 11-01 00:00
end of last week | @ Mon 11-30 00:00
14:00 utc | @ Sun 11-29 15:00
yesterday at 14:00 UTC | @ Sun 11-29 15:00
at 0900 | @ Mon 11-30 09:00
half past nine | @ Mon 11-30 09:30
a couple of days ago | @ Sat 11-28 09:30
couple of hours ago | @ Mon 11-30 07:30
today at 22:00 | @ Mon 11-30 22:00
at 22:00 | @ Sun 11-29 22:00
2 days ago at 9:00 | @ Sat 11-28 09:00
1.5 hours ago | @ Mon 11-30 08:00
half an hour ago | @ Mon 11-30 09:00
an hour and a half ago | @ Mon 11-30 08:00
2h30m ago | @ Mon 11-30 07:00
sunday 3pm | @ Sun 11-29 15:00
this time yesterday | @ Sun 11-29 09:30
same time last week | @ Mon 11-23 09:30
a day or two ago | @ Sat 11-28 09:30
10:30 last night | @ Sun 11-29 22:30
at 9 last night | @ Sun 11-29 21:00
noon yesterday | @ Sun 11-29 12:00
midnight yesterday | @ Sun 11-29 00:00
at 9 on tuesday | @ Tue 11-24 09:00
at 9 tuesday | @ Tue 11-24 09:00
tuesday at 9 utc | @ Tue 11-24 10:00
at noon | @ Sun 11-29 12:00
at midnight | @ Mon 11-30 00:00
tonight at 10 | @ Mon 11-30 22:00
tomorrow at 9 | @ Tue 12-01 09:00
at the end of last month | @ Sun 11-01 00:00
at 9.30am | @ Mon 11-30 09:30
at 9.30 | @ Mon 11-30 09:30
as of 2026-11-20 | @ Sat 11-21 00:00
as of 2026-11-20 09:00 | @ Fri 11-20 09:00
as of 20 nov 2025 at 9pm | @ Thu 2025-11-20 21:00
at 2026-11-20T09:00:00+05:30 | @ Fri 11-20 04:30
2026-11-20 9am | @ Fri 11-20 09:00
on 2026-11-20 at 14:00 UTC | @ Fri 11-20 15:00
same time yesterday | @ Sun 11-29 09:30
on monday at 8 pm | @ Mon 11-23 20:00
yesterday evening at 8 | @ Sun 11-29 20:00
thursday midnight | @ Thu 11-26 00:00
"""

AGES = """
older than 30 days | .. Sat 10-31 09:30 age
newer than a week | Mon 11-23 09:30 .. age
for more than 2 hours | .. Mon 11-30 07:30 age
3 days old | Thu 11-26 09:30 .. Fri 11-27 09:30 age
between 1 and 2 weeks old | Mon 11-16 09:30 .. Mon 11-23 09:30 age
30+ days old | .. Sat 10-31 09:30 age
30 days or older | .. Sat 10-31 09:30 age
not older than 2 weeks | Mon 11-16 09:30 .. age
no older than monday | Mon 11-30 00:00 .. age
over 2 hours | .. Mon 11-30 07:30 age
in over a month | .. Fri 10-30 09:30 age
newer than monday | Tue 11-24 00:00 .. age
for 30m | .. Mon 11-30 09:00 age
older than 2026-01-01 | .. Thu 01-01 00:00 age
older than last week | .. Mon 11-23 00:00 age
newer than yesterday | Mon 11-30 00:00 .. age
more recent than 2 days | Sat 11-28 09:30 .. age
longer than a week | .. Mon 11-23 09:30 age
at least 2 hours | .. Mon 11-30 07:30 age
at least 30 days old | .. Sat 10-31 09:30 age
up to 2 hours | Mon 11-30 07:30 .. age
up to 3 days old | Fri 11-27 09:30 .. age
under 2 hours old | Mon 11-30 07:30 .. age
younger than an hour | Mon 11-30 08:30 .. age
a year old | Sat 2024-11-30 09:30 .. Sun 2025-11-30 09:30 age
two days old | Fri 11-27 09:30 .. Sat 11-28 09:30 age
1 day old | Sat 11-28 09:30 .. Sun 11-29 09:30 age
"""


@pytest.mark.parametrize(("text", "meant"), cases(PERIODS + MOMENTS.lstrip() + AGES.lstrip()))
def test_what_is_meant(text: str, meant: str) -> None:
    assert meaning(text, MONDAY) == meant
