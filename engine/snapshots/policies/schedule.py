"""When a policy is due: cron lines and calendar words, in their zone. Pure; `now` is an argument.

Occurrences are wall-clock times of the policy's zone, given as aware UTC. A time that the change to summer time leaves
out comes as soon as the clock goes on; one that comes twice in autumn counts once (as Debian's cron does it). Lines
whose minute or hour begins with `*` follow elapsed time: an hourly one comes in both hours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from engine.snapshots.models import Policy
from engine.snapshots.policies.words import from_words, in_words

LONGEST_LINE = 100
CLOSEST = timedelta(minutes=10)  # occurrences that lie nearer to each other are refused
LEAST_GRACE, MOST_GRACE = timedelta(hours=1), timedelta(hours=24)
_REFERENCE = datetime(2024, 1, 1, tzinfo=UTC)  # a leap year
# How far back the newest occurrence is looked for, step by step; the last is longer than from one 29 February to the
# next that falls on the same weekday can be in this century.
_BACK = tuple(timedelta(hours=hours) for hours in (3, 27, 24 * 9, 24 * 63, 24 * 800, 24 * 366 * 41))


def parse(text: str) -> str:
    """The cron line of a schedule: five fields, or words (`hourly`, `daily 02:00`, `weekly sun 03:00`, `monthly L`).

    Raises ValueError with a sentence: no schedule, never due, or due more often than every ten minutes.
    """
    line = _listed(from_words(" ".join(text.split())))
    if len(line) > LONGEST_LINE:
        raise ValueError(f"a schedule has at most {LONGEST_LINE} characters")
    if len(line.split()) != 5:
        raise ValueError(
            f"{text!r:.60} is no schedule: write five cron fields (minute hour day month weekday), or words such as "
            "hourly, daily 02:00, weekly sun 03:00, monthly 1 04:00, monthly L"
        )
    try:
        first = list(islice(CronSim(line, _REFERENCE), 200))
    except (CronSimError, ValueError, ArithmeticError) as error:
        raise ValueError(f"{text!r:.60} is no schedule: {str(error).lower() or 'a field is wrong'}") from None
    if not first:
        raise ValueError(f"{text!r:.60} is no schedule: that day never comes")
    if any(later - earlier < CLOSEST for earlier, later in pairwise(first)):
        raise ValueError(f"{text!r:.60} is due too often: at most every {CLOSEST // timedelta(minutes=1)} minutes")
    return line.upper() if "L" in line.upper() else line


def _listed(line: str) -> str:
    """A line whose minutes are a step within fixed hours, with the minutes listed: it is about times on the wall, and
    one that the change to summer time leaves out shall come all the same."""
    minute, hour, *rest = [*line.split(), "", ""]
    step = minute.removeprefix("*/")
    if (
        len(rest) != 5
        or hour.startswith("*")
        or step == minute
        or not (step.isascii() and step.isdecimal() and int(step))
    ):
        return line
    minutes = ",".join(str(number) for number in range(0, 60, int(step)))
    return " ".join([minutes, hour, *rest[:3]])


def check_zone(name: str) -> str:
    """The name of a time zone that is known here. Raises ValueError with a sentence."""
    try:
        if 0 < len(name) <= 64:
            return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise ValueError(f"{name!r:.60} is no time zone; write one like UTC or Europe/Berlin")


def occurrence(policy: Policy, now: datetime) -> datetime | None:
    """The newest occurrence at or before now; None when there was none in 41 years."""
    return _newest(policy.cron, policy.timezone, now.astimezone(UTC).replace(microsecond=0))


def next_occurrence(policy: Policy, now: datetime) -> datetime | None:
    """The first occurrence after now; None when none comes in 50 years."""
    return next((at for at in _from(policy.cron, policy.timezone, now) if at > now), None)


def due(policy: Policy, last_handled: datetime | None, now: datetime, since: datetime | None = None) -> datetime | None:
    """The occurrence that should be made now, or None.

    last_handled  the newest that a run took up; nothing at or before it is due again
    since         when the schedule began to hold; nothing before it is made up for
    After downtime it is the newest missed one alone, unless that is older than the policy's `catch_up_hours`.
    """
    if not policy.enabled:
        return None
    found = occurrence(policy, now)
    if found is None or (since is not None and found < since) or (last_handled is not None and found <= last_handled):
        return None
    if policy.catch_up_hours is not None and now - found > timedelta(hours=policy.catch_up_hours):
        return None
    return found


def window(policy: Policy, now: datetime) -> timedelta:
    """How old the newest restore point may be: the policy's own word, else the longest distance between occurrences
    around now (three before, two after), with a grace for the run itself: a quarter of it, an hour to a day, and the
    jitter."""
    if policy.window_hours is not None:
        return timedelta(hours=policy.window_hours)
    return _gap(policy, now) + timedelta(minutes=policy.jitter_minutes)


def _gap(policy: Policy, now: datetime) -> timedelta:
    around: list[datetime] = []
    at = now
    for _ in range(3):
        found = occurrence(policy, at)
        if found is None:
            break
        around.insert(0, found)
        at = found - timedelta(seconds=1)
    around += list(islice((at for at in _from(policy.cron, policy.timezone, now) if at > now), 2))
    gap = max((later - earlier for earlier, later in pairwise(around)), default=timedelta(days=366))
    return gap + min(MOST_GRACE, max(LEAST_GRACE, gap / 4))


def jitter(policy: Policy, cloud: str) -> timedelta:
    """How much later than the schedule says this policy's runs begin in this cloud: always the same."""
    if policy.jitter_minutes <= 0:
        return timedelta()
    seed = hashlib.sha256(f"{policy.name}\0{cloud}".encode("utf-8", "replace")).digest()
    return timedelta(seconds=int.from_bytes(seed[:8], "big") % (policy.jitter_minutes * 60))


def when(policy: Policy) -> str:
    """The schedule in words: "daily at 02:00 Europe/Berlin"."""
    return f"{in_words(policy.cron)} {policy.timezone}"


def words(policy: Policy) -> str:
    """The policy in words: "daily at 02:00 Europe/Berlin, keep 5"."""
    return f"{when(policy)}, keep {policy.keep}"


def _from(cron: str, zone: str, start: datetime) -> Iterator[datetime]:
    """Occurrences from about `start` on; the first may lie before it, when the clock is set back just then."""
    for at in CronSim(cron, start.astimezone(ZoneInfo(zone))):
        yield at.astimezone(UTC)


@lru_cache(maxsize=4096)
def _newest(cron: str, zone: str, now: datetime) -> datetime | None:
    # Forward from some time before: going backward, the library takes an hour that comes twice for its first pass.
    for back in _BACK:
        newest = None
        for at in _from(cron, zone, now - back):
            if at > now:
                break
            newest = at
        if newest is not None:
            return newest
    return None
