"""Moments and calendar periods in words: "yesterday at 14:00", "Monday night", "last week", "20 Nov", "2 days ago".

Whatever floats is the last that began: a weekday today or in the six days before, "20 Nov" this year or last, "9:00"
today or yesterday. "last Tuesday" is one before today. "last week" is the calendar week before this one, "the last
week" and "the past week" are the seven days up to now; weeks begin on Monday. A morning is 06:00 to 12:00 (from
midnight while it is not yet six), an afternoon lasts to 18:00, an evening to midnight, a night from 20:00 to 06:00.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from copilot.language import timewords
from copilot.language.civil import Civil, Span
from copilot.language.clocks import Clock, clock
from copilot.language.dates import Day, day_of_month, month_of, written
from copilot.language.phrases import number, word
from copilot.language.pieces import MONTHS, WEEKDAYS
from copilot.language.timewords import said
from copilot.reading import Token

PARTS: dict[str, tuple[int, int]] = {
    "morning": (6, 12),
    "mornings": (6, 12),
    "afternoon": (12, 18),
    "evening": (18, 24),
    "night": (20, 30),
    "overnight": (20, 30),
}
_EDGES = frozenset({"start", "begin", "beginning", "end", "middle"})
_CALENDAR = frozenset({"week", "month", "quarter", "year", "weekend"})
_SHORT_WEEKDAYS = frozenset({"mon", "wed", "fri", "sat", "sun"})  # words of their own, or parts of names
_SHORT_MONTHS = frozenset({"may", "march", "mar", "jan", "dec", "sep", "jun"})
_JOINERS = frozenset({"at", "around", "about", "@", ","})


@dataclass(frozen=True, slots=True)
class Moment:
    """What was read.

    span     the time itself
    clock    set when only a time of day was said: the day is another's
    floats   it would be another one if the limit were another
    daylong  a day or a part of one, in which a time of day can be looked for
    """

    span: Span
    clock: Clock | None = None
    floats: bool = False
    daylong: bool = False


Found = tuple[Moment, int]


def moment(tokens: Sequence[Token], i: int, civil: Civil, *, led: bool = False, hours: bool = False) -> Found | None:
    """The moment or period at i and where it ends.

    led    a preposition stands before it: "in 2025", "on sat", "since the 1st"
    hours  an hour alone is a time of day when nothing follows it ("since 9"), or a day does ("at 9 on Monday")

    Raises ValueError and OverflowError for times that do not exist.
    """
    for read in (_instant, _ago, _edge, _clock_first, _day_first, _period):
        found = read(tokens, i, civil, led or hours) if read is not _clock_first else read(tokens, i, civil, hours)
        if found is not None:
            return found
    return None


def _instant(tokens: Sequence[Token], i: int, civil: Civil, _led: bool) -> Found | None:
    """ "2026-11-20T09:00:00Z"; without a zone, by the clocks of ours."""
    if i >= len(tokens) or tokens[i].kind != "name" or "t" not in tokens[i].word or not tokens[i].word[0].isdecimal():
        return None
    try:
        at = datetime.fromisoformat(tokens[i].word.upper())
    except ValueError:
        return None
    at = at.replace(tzinfo=civil.zone) if at.tzinfo is None else at
    return Moment(_point(civil.local(at).astimezone(civil.now.tzinfo))), i + 1


def _point(at: datetime) -> Span:
    return Span(at, at, point=True)


def _ago(tokens: Sequence[Token], i: int, civil: Civil, _led: bool) -> Found | None:
    """ "2 days ago": the same time that day; "2 days ago at 9:00"."""
    k = i + (word(tokens, i) in ("around", "about", "roughly", "nearly", "almost", "~", "some"))
    found = timewords.lasting(tokens, k)
    if found is None:
        return _same_time(tokens, i, civil)
    length, k = found
    if word(tokens, k) == "from" and word(tokens, k + 1) == "now":
        return Moment(_point(civil.shifted(length, 1))), k + 2
    if word(tokens, k) not in ("ago", "back", "earlier"):
        return None
    at = civil.shifted(length)
    if length.by_day and (timed := _timed(tokens, k + 1)) is not None:
        day = civil.days(civil.local(at).date())
        return Moment(_point(timed[0].within(day, civil))), timed[1]
    return Moment(_point(at)), k + 1


def _same_time(tokens: Sequence[Token], i: int, civil: Civil) -> Found | None:
    """ "this time yesterday", "the same time last week"."""
    k = i + (word(tokens, i) == "the")
    if word(tokens, k) not in ("this", "same") or word(tokens, k + 1) != "time":
        return None
    if said(tokens, k + 2) == "yesterday":
        return Moment(_point(civil.shifted(timewords.of(1, "day")))), k + 3
    what = said(tokens, k + 3)
    if said(tokens, k + 2) != "last" or what not in ("week", "month", "year"):
        return None
    return Moment(_point(civil.shifted(timewords.of(1, what)))), k + 4


def _edge(tokens: Sequence[Token], i: int, civil: Civil, _led: bool) -> Found | None:
    """ "the beginning of the month", "end of last week"."""
    k = i + (word(tokens, i) in ("the", "very"))
    edge = said(tokens, k)
    if edge not in _EDGES or word(tokens, k + 1) != "of":
        return None
    k += 2
    if said(tokens, k + (word(tokens, k) == "the")) in _EDGES:
        return None  # never an edge of an edge
    found = moment(tokens, k, civil, led=True)
    bare = k + (word(tokens, k) in ("the", "this"))
    if (found is None or found[0].span.rolling) and said(tokens, bare) in (*_CALENDAR, "day"):
        found = Moment(civil.unit(said(tokens, bare))), bare + 1
    if found is None or found[0].span.point:
        return None
    span = found[0].span
    at = {"end": span.end, "middle": span.start + (span.end - span.start) / 2}.get(edge, span.start)
    return Moment(_point(at)), found[1]


def _clock_first(tokens: Sequence[Token], i: int, civil: Civil, hours: bool) -> Found | None:
    """ "9am", "9am yesterday", "14:00 on Monday", "9 in the morning"; "at 9" where hours alone are meant."""
    found = clock(tokens, i, bare=True)
    if found is None:
        return None
    one, k = found
    strict = clock(tokens, i)
    on = k + (word(tokens, k) in ("on", "of", ","))
    day = _day(tokens, on, civil, True) if strict is not None or hours else None
    if day is not None and not (word(tokens, k) == "," and strict is None):
        return Moment(_point(_choose(day[0], civil, None, one))), day[1]
    part = _in_the(tokens, k)
    if part is not None and (strict is not None or hours):
        for span in _spans(Day(_back(civil)), civil, PARTS[part[0]]):
            at = one.within(span, civil)
            if at <= civil.limit:
                return Moment(_point(at), floats=True), part[1]
    if strict is not None:
        return Moment(_point(strict[0].last(civil)), clock=strict[0], floats=True), strict[1]
    ends = k >= len(tokens) or tokens[k].kind == "mark"
    if not hours or not ends or word(tokens, k) in ("%", "+", "/", "*"):
        return None
    return Moment(_point(one.last(civil)), clock=one, floats=True), k


def _in_the(tokens: Sequence[Token], k: int) -> tuple[str, int] | None:
    """ "in the morning", "at night"."""
    if word(tokens, k) == "in" and word(tokens, k + 1) == "the" and said(tokens, k + 2) in PARTS:
        return said(tokens, k + 2), k + 3
    return ("night", k + 2) if word(tokens, k) == "at" and said(tokens, k + 1) == "night" else None


def _timed(tokens: Sequence[Token], k: int) -> tuple[Clock, int] | None:
    """A time of day behind a day: "at 9", "9:00", ", 9 am"."""
    joined = k + (word(tokens, k) in _JOINERS)
    joined += word(tokens, joined) in _JOINERS
    return clock(tokens, joined, bare=word(tokens, joined - 1) == "at" and joined > k)


def _day_first(tokens: Sequence[Token], i: int, civil: Civil, led: bool) -> Found | None:
    """A day, a part of it, and a time of day in it."""
    found = _day(tokens, i, civil, led)
    if found is None:
        return None
    day, k = found
    part: tuple[int, int] | None = None
    if said(tokens, k) in PARTS and day.hours is None:
        part, k = PARTS[said(tokens, k)], k + 1
    elif day.hours is None and (in_the := _in_the(tokens, k)) is not None:
        part, k = PARTS[in_the[0]], in_the[1]
    timed = _timed(tokens, k)
    if timed is not None:
        if part is None and day.hours is None and (in_the := _in_the(tokens, timed[1])) is not None:
            part, timed = PARTS[in_the[0]], (timed[0], in_the[1])
        at = _choose(day, civil, part, timed[0])
        return Moment(_point(at), floats=day.floats), timed[1]
    for span in _spans(day, civil, part):
        if not day.floats or _fits(span.start, span.end, civil):
            return Moment(span, floats=day.floats, daylong=True), k
    return None


def _fits(start: datetime, end: datetime, civil: Civil) -> bool:
    return end > civil.now if civil.ahead else start <= civil.limit


def _choose(day: Day, civil: Civil, part: tuple[int, int] | None, one: Clock) -> datetime:
    """A time of day on that day; of days that float, on the last one on which it has been that time."""
    for span in _spans(day, civil, part):
        at = one.within(span, civil)
        if not day.floats or _fits(at, at, civil):
            return at
    raise ValueError("no such time")


def _spans(day: Day, civil: Civil, part: tuple[int, int] | None) -> Iterator[Span]:
    first, last = part or day.hours or (0, 24)
    for one in day.dates:
        yield civil.hours(one, first, last)


def _back(civil: Civil) -> Iterator[date]:
    first = civil.local(civil.limit).date() + timedelta(days=1)
    return (first - timedelta(days=n) for n in range(4))


def _day(tokens: Sequence[Token], i: int, civil: Civil, led: bool) -> tuple[Day, int] | None:
    """A day, without its parts and times."""
    readers: tuple[Callable[..., tuple[Day, int] | None], ...] = (_relative, _this_part, _weekday, written)
    for read in (*readers, day_of_month):
        found = read(tokens, i, civil, led)
        if found is not None:
            return found
    return None


def _relative(tokens: Sequence[Token], i: int, civil: Civil, _led: bool) -> tuple[Day, int] | None:
    """ "today", "yesterday", "the day before yesterday"."""
    k = i + (word(tokens, i) == "the")
    shift, first = 0, said(tokens, k)
    if first == "day" and said(tokens, k + 1) in ("before", "after"):
        shift, k = (-1 if said(tokens, k + 1) == "before" else 1), k + 2
        first = said(tokens, k)
        if first not in ("yesterday", "tomorrow"):
            return None
    days = {"today": 0, "yesterday": -1, "tomorrow": 1}.get(first)
    if days is None:
        return None
    return Day(iter((civil.today + timedelta(days=days + shift),)), floats=False), k + 1


def _this_part(tokens: Sequence[Token], i: int, civil: Civil, led: bool) -> tuple[Day, int] | None:
    """ "this morning", "tonight", "last night", "overnight", "the night"."""
    first, second, today = said(tokens, i), said(tokens, i + 1), civil.today
    early = civil.local(civil.now).hour < 6
    if first == "overnight" or (first == "over" and second == "night"):
        return _fixed(today - timedelta(days=1), "night"), i + (1 if first == "overnight" else 2)
    if first == "tonight":
        return _fixed(today - timedelta(days=early), "night"), i + 1
    if second not in PARTS or first not in ("this", "last", "the"):
        return None
    if first == "the":
        if word(tokens, i + 2) == "of":  # "the morning of 20 Nov"
            day = _day(tokens, i + 3, civil, True)
            return None if day is None or day[0].hours else (replace(day[0], hours=PARTS[second]), day[1])
        if second == "night":
            return _fixed(today - timedelta(days=1), "night"), i + 2
        return (Day(_back(civil), True, PARTS[second]), i + 2) if led else None
    if first == "last" or second == "night":
        yesterday = first == "last" or early
        return _fixed(today - timedelta(days=yesterday), second), i + 2
    if second == "morning" and early:
        return Day(iter((today,)), False, (0, 12)), i + 2
    return _fixed(today, second), i + 2


def _fixed(day: date, part: str) -> Day:
    return Day(iter((day,)), False, PARTS[part])


def _weekday(tokens: Sequence[Token], i: int, civil: Civil, led: bool) -> tuple[Day, int] | None:
    """ "Tuesday", "last Tuesday", "Tuesday last week", "last week on Tuesday"."""
    k = i + (word(tokens, i) == "the")
    shift = _week(tokens, k)
    if shift is not None:
        k = shift[1] + (word(tokens, shift[1]) in ("on", "'s"))
        target = WEEKDAYS.get(said(tokens, k))
        return None if target is None else (_of_week(civil, shift[0], target), k + 1)
    which = said(tokens, k)
    if which in ("last", "this", "next", "past", "previous", "coming"):
        k += 1
    else:
        which = ""
    name = said(tokens, k)
    target = WEEKDAYS.get(name)
    if target is None or name.endswith("days") or (name in _SHORT_WEEKDAYS and not (led or which)):
        return None
    k += 1
    shift = _week(tokens, k + (word(tokens, k) == "of"))
    if shift is not None and not which:
        return _of_week(civil, shift[0], target), shift[1]
    if which == "this":
        return _of_week(civil, 0, target), k
    today = civil.today
    if which in ("last", "past", "previous"):
        return Day(iter((today - timedelta(days=(today.weekday() - target - 1) % 7 + 1),)), False), k
    if which:
        return Day(iter((today + timedelta(days=(target - today.weekday() - 1) % 7 + 1),)), False), k
    back = today if civil.ahead else civil.local(civil.limit).date()
    if civil.ahead:
        first = back + timedelta(days=(target - back.weekday()) % 7)
        return Day(first + timedelta(weeks=n) for n in range(3)), k
    first = back - timedelta(days=(back.weekday() - target) % 7)
    return Day(first - timedelta(weeks=n) for n in range(3)), k


def _week(tokens: Sequence[Token], k: int) -> tuple[int, int] | None:
    """ "last week", "this week", "the week before last": how many weeks from this one."""
    k += word(tokens, k) == "the"
    words = tuple(said(tokens, k + place) for place in range(3))
    if words == ("week", "before", "last"):
        return -2, k + 3
    shift = {"last": -1, "previous": -1, "this": 0, "current": 0, "next": 1, "coming": 1}.get(words[0])
    return None if shift is None or words[1] != "week" else (shift, k + 2)


def _of_week(civil: Civil, shift: int, weekday: int) -> Day:
    monday = civil.today - timedelta(days=civil.today.weekday()) + timedelta(weeks=shift)
    return Day(iter((monday + timedelta(days=weekday),)), floats=False)


def _period(tokens: Sequence[Token], i: int, civil: Civil, led: bool) -> Found | None:
    """ "last week", "the past month", "this quarter", "November 2025", "2025", "Q3", "the weekend"."""
    the = word(tokens, i) == "the"
    k = i + the
    which, what = said(tokens, k), timewords.UNITS.get(said(tokens, k + 1), said(tokens, k + 1))
    if what in (*_CALENDAR, "hour", "minute", "day"):
        if which in ("last", "past", "preceding", "previous"):
            calendar = what == "weekend" or (
                what in _CALENDAR and (which == "previous" or (which == "last" and not the))
            )
            back = 0 if what == "weekend" and civil.today.weekday() < 5 else -1
            span = civil.unit(what, back) if calendar else civil.rolling(timewords.of(1, what))
            return Moment(span), k + 2
        if which in ("this", "current", "next", "coming", "following"):
            if the and which != "this" and what != "weekend" and which != "current":  # "the next week"
                return Moment(Span(civil.now, civil.shifted(timewords.of(1, what), 1))), k + 2
            return Moment(_current(civil, what, which)), k + 2
    if timewords.UNITS.get(which, which) in _CALENDAR and tuple(said(tokens, k + n) for n in (1, 2)) == (
        "before",
        "last",
    ):
        back = -1 if which == "weekend" and civil.today.weekday() < 5 else -2
        return Moment(civil.unit(timewords.UNITS.get(which, which), back)), k + 3
    if which == "weekend" and (the or led):
        return Moment(civil.weekend(int(civil.ahead and civil.today.weekday() < 5))), k + 1
    if which == "week" and (the or led or number(tokens, k + 1) is not None):
        return _numbered_week(tokens, k, civil)
    return month_period(tokens, i, civil, led)


def _current(civil: Civil, what: str, which: str) -> Span:
    ahead = which not in ("this", "current")
    if what == "weekend" and civil.today.weekday() < 5:
        ahead = ahead or civil.ahead
    return civil.unit(what, int(ahead))


def _numbered_week(tokens: Sequence[Token], k: int, civil: Civil) -> Found | None:
    """ "week 47" as ISO counts them, "the week of 16 Nov"."""
    if word(tokens, k + 1) == "of":
        found = _day_first(tokens, k + 2, civil, True)
        if found is None or not found[0].daylong:
            return None
        day = civil.local(found[0].span.start).date()
        return Moment(civil.days(day - timedelta(days=day.weekday()), 7)), found[1]
    count = number(tokens, k + 1)
    if count is None or not 1 <= count <= 53 or count != int(count):
        return None
    for year in (civil.today.year, civil.today.year - 1):
        monday = date.fromisocalendar(year, int(count), 1)
        if civil.ahead or civil.at(monday) <= civil.limit:
            return Moment(civil.days(monday, 7), floats=True), k + 2
    return None


def month_period(tokens: Sequence[Token], i: int, civil: Civil, led: bool) -> Found | None:
    """ "November", "last November", "Nov 2025", "2026-11", "Q3 2026", "2025"."""
    which = said(tokens, i) if said(tokens, i) in ("last", "this", "next", "past", "previous") else ""
    k = i + bool(which)
    name = said(tokens, k)
    if name in MONTHS and i and (tokens[i - 1].kind == "number" or word(tokens, i - 1)[:1].isdecimal()):
        return None  # "31 June"
    to = said(tokens, k + 1) in ("to", "-", "until", "through") and said(tokens, k + 2) in MONTHS
    if name in _SHORT_MONTHS and not (which or led or to) and number(tokens, k + 1) is None:
        return None
    found = month_of(tokens, k, civil, which, led)
    return None if found is None else (Moment(found[0], floats=found[1]), found[2])
