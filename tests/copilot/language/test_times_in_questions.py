"""Times found in whole questions: all of their words are taken, and no others (Monday morning, Berlin)."""

from __future__ import annotations

import pytest

from copilot.language.times import period
from copilot.language.tokens import tokenise
from tests.copilot.language.timetable import at, cases, shown

MONDAY = at("Europe/Berlin", "2026-11-30 09:30")

QUESTIONS = """
vms in error over 8 vcpus | -
list the first 10 vms | -
top 3 hosts by cpu | -
vms on second network | -
on host 3 to 5 | -
volumes between 10 and 20 gb | -
images from windows 2019 | -
vms from image ubuntu 22.04 | -
vms of flavor m1.small with 2 to 4 vms | -
which hosts have 9 to 12 vms | -
is the end of the queue near | -
end of life images | -
half of the vms | -
a few vms | -
the last vm | -
last vm created | -
last created vm | -
the latest snapshot of web-01 | -
last snapshot this week | this week: Mon 11-30 00:00 .. Mon 12-07 00:00
current quota of tenant prod | -
this vm | -
this host | -
next host | -
previous owner of 10.0.0.1 | -
what changed on cmp-03 since yesterday 18:00 | since yesterday 18:00: Sun 11-29 18:00 ..
who had 10.20.0.7 on tuesday at 9:00 | on tuesday at 9:00: @ Tue 11-24 09:00
what was running on host cmp-01 last friday at noon | last friday at noon: @ Fri 11-27 12:00
what did tenant acme use last month | last month: Thu 10-01 00:00 .. Sun 11-01 00:00
vms that have been stopped for more than 30 days | for more than 30 days: .. Sat 10-31 09:30 age
vms not rebooted since january | since january: Thu 01-01 00:00 ..
snapshots older than 2 weeks in project demo | older than 2 weeks: .. Mon 11-16 09:30 age
volumes unattached for over a month | for over a month: .. Fri 10-30 09:30 age
images nobody used in the last 90 days | in the last 90 days: Tue 09-01 09:30 ..
gone between monday 9:00 and tuesday 17:00 | between monday 9:00 and tuesday 17:00: Mon 11-23 09:00 .. Tue 11-24 17:00
gone between 9:00 and 17:00 on monday | between 9:00 and 17:00 on monday: Mon 11-23 09:00 .. Mon 11-23 17:00
failed backups overnight | overnight: Sun 11-29 20:00 .. Mon 11-30 06:00
failed jobs over the weekend in project demo | over the weekend: Sat 11-28 00:00 .. Mon 11-30 00:00
how many vms did we have a month ago | a month ago: @ Fri 10-30 09:30
how many vms did we have on the 1st of november | on the 1st of november: Sun 11-01 00:00 .. Mon 11-02 00:00
vms created today after 8 | today after 8: Mon 11-30 08:00 .. Tue 12-01 00:00
vms created yesterday afternoon | yesterday afternoon: Sun 11-29 12:00 .. Sun 11-29 18:00
logins between 2am and 4am last night | between 2 am and 4 am last night: Mon 11-30 02:00 .. Mon 11-30 04:00
this week vs last week | this week: Mon 11-30 00:00 .. Mon 12-07 00:00; last week: Mon 11-23 00:00 .. Mon 11-30 00:00
compare vms now with last week | last week: Mon 11-23 00:00 .. Mon 11-30 00:00
compare today with yesterday | today: Mon 11-30 00:00 .. Tue 12-01 00:00; yesterday: Sun 11-29 00:00 .. Mon 11-30 00:00
november or october | november: Sun 11-01 00:00 .. Tue 12-01 00:00; october: Thu 10-01 00:00 .. Sun 11-01 00:00
vms up for 2 days | for 2 days: .. Sat 11-28 09:30 age
uptime more than 90 days | more than 90 days: .. Tue 09-01 09:30 age
vms created less than an hour ago | less than an hour ago: Mon 11-30 08:30 ..
created within the last hour | within the last hour: Mon 11-30 08:30 ..
created within an hour | within an hour: Mon 11-30 08:30 ..
newest 5 vms since friday | since friday: Fri 11-27 00:00 ..
vms created by bob in october | in october: Thu 10-01 00:00 .. Sun 11-01 00:00
vms named march | -
list vms in may | in may: Fri 05-01 00:00 .. Mon 06-01 00:00
server sun-01 | -
vms at 80% cpu | -
at 80 percent | -
at least 3 nics | -
in 2 networks | -
2 of 3 volumes | -
more than 2 days old snapshots | more than 2 days old: .. Sat 11-28 09:30 age
snapshots more than two weeks old | more than two weeks old: .. Mon 11-16 09:30 age
any changes from 8am to 10am | from 8 am to 10 am: Sun 11-29 08:00 .. Sun 11-29 10:00
any changes 8 to 10 am | 8 to 10 am: Sun 11-29 08:00 .. Sun 11-29 10:00
events at 9:30 | at 9:30: @ Mon 11-30 09:30
events around 9:30 yesterday | around 9:30 yesterday: @ Sun 11-29 09:30
events at about 9am | at about 9 am: @ Mon 11-30 09:00
events on 24.11. at 9 | on 24.11. at 9: @ Tue 11-24 09:00
events since 2026-11-24 09:00:00 | since 2026-11-24 09:00:00: Tue 11-24 09:00 ..
events since 2026-11-24 09:00 utc | since 2026-11-24 09:00 utc: Tue 11-24 10:00 ..
since my shift began | -
since the reboot | -
after the upgrade | -
until further notice | -
before restart | -
who rebooted web-01 the day before yesterday | the day before yesterday: Sat 11-28 00:00 .. Sun 11-29 00:00
drift since last monday | since last monday: Mon 11-23 00:00 ..
changes made monday | monday: Mon 11-30 00:00 .. Tue 12-01 00:00
changes made mon | -
by monday | by monday: .. Tue 12-01 00:00
within the past month | within the past month: Fri 10-30 09:30 ..
every day | -
per day in the last week | in the last week: Mon 11-23 09:30 ..
by day since monday | since monday: Mon 11-30 00:00 ..
a day in november | in november: Sun 11-01 00:00 .. Tue 12-01 00:00
on november 3 | on november 3: Tue 11-03 00:00 .. Wed 11-04 00:00
november 3rd at 5pm | november 3rd at 5 pm: @ Tue 11-03 17:00
between november 3 and november 7 | between november 3 and november 7: Tue 11-03 00:00 .. Sun 11-08 00:00
between 3 and 7 november | between 3 and 7 november: Tue 11-03 00:00 .. Sun 11-08 00:00
3-7 nov | 3 - 7 nov: Tue 11-03 00:00 .. Sun 11-08 00:00
2 hrs ago | 2 hrs ago: @ Mon 11-30 07:30
2hrs ago | 2 hrs ago: @ Mon 11-30 07:30
2 hour ago | 2 hour ago: @ Mon 11-30 07:30
2h ago | 2 h ago: @ Mon 11-30 07:30
2d ago | 2 d ago: @ Sat 11-28 09:30
90 min ago | 90 min ago: @ Mon 11-30 08:00
in last 2 days | in last 2 days: Sat 11-28 09:30 ..
in last week | in last week: Mon 11-23 00:00 .. Mon 11-30 00:00
on last week | on last week: Mon 11-23 00:00 .. Mon 11-30 00:00
for last month | for last month: Thu 10-01 00:00 .. Sun 11-01 00:00
during last night | during last night: Sun 11-29 20:00 .. Mon 11-30 06:00
from last 3 days | from last 3 days: Fri 11-27 09:30 ..
since last 3 days | since last 3 days: Fri 11-27 09:30 ..
last 3days | last 3 days: Fri 11-27 09:30 ..
past 1 week | past 1 week: Mon 11-23 09:30 ..
last one hour | last one hour: Mon 11-30 08:30 ..
last 1h | last 1 h: Mon 11-30 08:30 ..
last 24 hrs | last 24 hrs: Sun 11-29 09:30 ..
30 days+ | 30 days +: .. Sat 10-31 09:30 age
30d+ | 30 d +: .. Sat 10-31 09:30 age
> 1 year | > 1 year: .. Sun 2025-11-30 09:30 age
>1y old | > 1 y old: .. Sun 2025-11-30 09:30 age
old vms | -
oldest vms | -
vms older then 1 yr | older then 1 yr: .. Sun 2025-11-30 09:30 age
older than 6 months | older than 6 months: .. Sat 05-30 09:30 age
older than six months | older than six months: .. Sat 05-30 09:30 age
older than a year and a half | older than a year and a half: .. Fri 2025-05-30 09:30 age
older 30 days | older 30 days: .. Sat 10-31 09:30 age
olderthan 30 days | olderthan 30 days: .. Sat 10-31 09:30 age
failed jobs lastweek | last week: Mon 11-23 00:00 .. Mon 11-30 00:00
what broke lastnight | last night: Sun 11-29 20:00 .. Mon 11-30 06:00
at 9 o'clock | at 9 o'clock: @ Mon 11-30 09:00
events at around 9am yesterday | at around 9 am yesterday: @ Sun 11-29 09:00
yesterdays backups | yesterdays: Sun 11-29 00:00 .. Mon 11-30 00:00
todays failures | todays: Mon 11-30 00:00 .. Tue 12-01 00:00
older then monday | older then monday: .. Mon 11-30 00:00 age
older than 3 weeks or newer than 2d | older than 3 weeks: .. Mon 11-09 09:30 age; newer than 2 d: Sat 11-28 09:30 .. age
no changes since monday morning | since monday morning: Mon 11-30 06:00 ..
anything new since friday 5pm | since friday 5 pm: Fri 11-27 17:00 ..
between friday 17:00 and monday 8:00 | between friday 17:00 and monday 8:00: Fri 11-27 17:00 .. Mon 11-30 08:00
from friday evening to monday morning | from friday evening to monday morning: Fri 11-27 18:00 .. Mon 11-30 12:00
from friday 6pm until monday 6am | from friday 6 pm until monday 6 am: Fri 11-27 18:00 .. Mon 11-30 06:00
since yesterday evening | since yesterday evening: Sun 11-29 18:00 ..
after yesterday 18:00 | after yesterday 18:00: Sun 11-29 18:00 ..
before yesterday | before yesterday: .. Sun 11-29 00:00
before today | before today: .. Mon 11-30 00:00
after today | after today: Tue 12-01 00:00 ..
until today | until today: .. Tue 12-01 00:00
until now | until now: .. Mon 11-30 09:30
up to now | up to now: .. Mon 11-30 09:30
up until yesterday | up until yesterday: .. Mon 11-30 00:00
vms oldr than 30 days | oldr than 30 days: .. Sat 10-31 09:30 age
snapshots yonger than 2 weeks | yonger than 2 weeks: Mon 11-16 09:30 .. age
stopped lnoger than a week | lnoger than a week: .. Mon 11-23 09:30 age
rather than 30 days | -
other than 2 days | -
"""


@pytest.mark.parametrize(("question", "times"), cases(QUESTIONS))
def test_times_in_questions(question: str, times: str) -> None:
    tokens, i, found = tokenise(question), 0, []
    while i < len(tokens):
        read = period(tokens, i, *MONDAY)
        if read is not None:
            found.append(f"{' '.join(token.word for token in tokens[i : i + read[1]])}: {shown(read[0], MONDAY)}")
        i += read[1] if read is not None else 1
    assert ("; ".join(found) or "-") == times
