"""Days, weeks and months of a time zone as spans of real time. All instants are aware and in UTC.

An hour that daylight saving skips is the one after the gap; of an hour that comes twice the first is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """[start, end); `point`: a moment, start = end. `rolling`: up to now, whenever that is."""

    start: datetime
    end: datetime
    point: bool = False
    rolling: bool = False


@dataclass(frozen=True, slots=True)
class Lasting:
    """A length of time as people count it: months and days by the calendar, the rest in seconds.

    said  as it is shown: "2 hours 30 minutes"
    """

    months: int = 0
    days: int = 0
    seconds: float = 0.0
    said: str = ""

    @property
    def by_day(self) -> bool:
        """Whether it is counted in days, weeks, months or years only."""
        return not self.seconds


@dataclass(frozen=True, slots=True)
class Civil:
    """The calendar of a zone as seen at `now`.

    limit  what floats ("Monday", "20 Nov", "9:00") is the last one that began before it
    ahead  the question looks forward ("expiring on Friday"): what floats is the next one
    """

    now: datetime
    zone: tzinfo
    limit: datetime
    ahead: bool = False

    @property
    def today(self) -> date:
        """The date at `now`."""
        return self.now.astimezone(self.zone).date()

    def local(self, moment: datetime) -> datetime:
        """The moment by the zone's clocks."""
        return moment.astimezone(self.zone)

    def at(self, day: date, hour: int = 0, minute: int = 0, second: int = 0, zone: tzinfo | None = None) -> datetime:
        """When clocks of the zone (or of another) show that time of that day; hours from 24 on are the next day's."""
        day += timedelta(days=hour // 24)
        wall = datetime(day.year, day.month, day.day, hour % 24, minute, second, tzinfo=zone or self.zone)
        return wall.astimezone(UTC)

    def hours(self, day: date, first: int, last: int) -> Span:
        """From one hour of a day to another, which may be the next day's."""
        return Span(self.at(day, first), self.at(day, last))

    def days(self, first: date, count: int = 1) -> Span:
        """So many whole days."""
        return Span(self.at(first), self.at(first + timedelta(days=count)))

    def week(self, shift: int = 0) -> Span:
        """Monday to Monday; `shift` weeks from this one."""
        return self.days(self.today - timedelta(days=self.today.weekday()) + timedelta(weeks=shift), 7)

    def weekend(self, shift: int = 0) -> Span:
        """Saturday and Sunday: the last that began, or that `shift` weeks from it."""
        return self.days(self.today - timedelta(days=(self.today.weekday() + 2) % 7) + timedelta(weeks=shift), 2)

    def months(self, year: int, month: int, count: int = 1) -> Span:
        """So many whole months; `month` may be any number, 0 is the December before."""
        return Span(self.at(_first(year, month)), self.at(_first(year, month + count)))

    def unit(self, unit: str, shift: int = 0) -> Span:
        """The minute, hour, day, week, weekend, month, quarter or year that is, or one `shift` of them from it."""
        today = self.today
        if unit == "week":
            return self.week(shift)
        if unit == "weekend":
            return self.weekend(shift)
        if unit == "month":
            return self.months(today.year, today.month + shift)
        if unit == "quarter":
            return self.months(today.year, 3 * ((today.month - 1) // 3 + shift) + 1, 3)
        if unit == "year":
            return self.months(today.year + shift, 1, 12)
        if unit == "day":
            return self.days(today + timedelta(days=shift))
        size = timedelta(hours=1) if unit == "hour" else timedelta(minutes=1)
        local = self.local(self.now)
        start = local - timedelta(minutes=local.minute if unit == "hour" else 0, seconds=local.second)
        start = start.replace(microsecond=0).astimezone(UTC) + shift * size
        return Span(start, start + size)

    def shifted(self, lasting: Lasting, sign: int = -1) -> datetime:
        """So long before now (or after, with sign 1): the same time of day for days and months, exact for hours."""
        local = self.local(self.now)
        if not lasting.months and not lasting.days:
            return self.now + sign * timedelta(seconds=lasting.seconds)
        months = local.month + sign * lasting.months
        first = _first(local.year, months)
        length = (_first(first.year, first.month + 1) - first).days
        day = first + timedelta(days=min(local.day, length) - 1 + sign * lasting.days)
        wall = local.replace(year=day.year, month=day.month, day=day.day)
        return wall.astimezone(UTC) + sign * timedelta(seconds=lasting.seconds)

    def rolling(self, lasting: Lasting) -> Span:
        """The time up to now, of that length."""
        return Span(self.shifted(lasting), self.now, rolling=True)

    def named(self, moment: datetime, *, zone: bool = True, day: bool = False) -> str:
        """ "Mon 23 Nov 09:00 CET"; the year where it is not this one, seconds where there are any."""
        local = self.local(moment)
        text = f"{local:%a} {local.day} {local:%b}"
        if local.year != self.today.year:
            text += f" {local.year}"
        if not day:
            text += f"{local: %H:%M}" + (f"{local::%S}" if local.second else "")
        return f"{text} {self.zone_of(moment)}".rstrip() if zone else text

    def zone_of(self, moment: datetime) -> str:
        """What the zone is called then: "CET", "UTC-03"."""
        name = self.local(moment).tzname() or ""
        return f"UTC{name}" if name[:1] in ("+", "-") else name


def _first(year: int, month: int) -> date:
    """The first of a month; months beyond 1..12 are those of other years."""
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)
