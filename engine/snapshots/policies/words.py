"""Calendar words and cron lines, each as the other. Pure."""

from __future__ import annotations

import re

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAY_NAMES = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
# When something is due of which only the day was said: backups of the day before, one kind after the other.
DEFAULT_TIMES = {"daily": "02:00", "weekly": "03:00", "monthly": "04:00", "yearly": "05:00"}


def from_words(text: str) -> str:
    """The cron line that the words mean; what does not begin with such a word stays as it is.

    Raises ValueError with a sentence for words that do not go on as they should.
    """
    kind, *rest = text.lower().split() or [""]
    if kind == "hourly":
        minute = rest[0].removeprefix(":") if rest else "0"
        if len(rest) > 1 or not re.fullmatch(r"[0-5]?\d", minute):
            raise ValueError("hourly is followed by nothing, or by the minute, as hourly :15")
        return f"{int(minute)} * * * *"
    if kind not in DEFAULT_TIMES:
        return text
    time = rest.pop() if rest and ":" in rest[-1] else DEFAULT_TIMES[kind]
    found = _TIME.fullmatch(time)
    if found is None:
        raise ValueError(f"{time!r:.20} is no time of day; write it like 02:00")
    return f"{int(found[2])} {int(found[1])} {_days(kind, rest)}"


def _days(kind: str, rest: list[str]) -> str:
    if kind == "daily" and not rest:
        return "* * *"
    if kind == "weekly" and len(rest) <= 1:
        named = [day[:3] for day in (rest[0].split(",") if rest else ["sun"])]
        if all(day in DAYS for day in named):
            return "* * " + ",".join(str(DAYS.index(day)) for day in named)
    if kind == "monthly" and len(rest) <= 1:
        day = rest[0] if rest else "1"
        if day == "l" or _is_day(day):
            return f"{day.upper()} * *"
    if kind == "yearly" and (not rest or (len(rest) == 2 and rest[0].isdecimal() and _is_day(rest[1]))):
        month, day = rest or ("1", "1")
        if 1 <= int(month) <= 12:
            return f"{int(day)} {int(month)} *"
    raise ValueError(
        "write daily 02:00, weekly sun 03:00 (or mon,thu), monthly 1 04:00 (a day 1 to 31, or L for the last), "
        "yearly 12 31 05:00 (month and day)"
    )


def _is_day(text: str) -> bool:
    return re.fullmatch(r"[1-9]|[12]\d|3[01]", text) is not None


def in_words(cron: str) -> str:
    """A cron line in words, without its zone: "daily at 02:00", "monthly on the last day at 04:00"."""
    minute, hour, day, month, weekday = cron.upper().split()
    if day == month == weekday == "*" and minute.isdecimal() and not hour.isdecimal():
        if hour == "*":
            return f"hourly at :{int(minute):02}"
        if every := re.fullmatch(r"\*/(\d+)", hour):
            return f"every {int(every[1])} hours at :{int(minute):02}"
    if minute.isdecimal() and hour.isdecimal():
        time = f"at {int(hour):02}:{int(minute):02}"
        if day == month == weekday == "*":
            return f"daily {time}"
        if day == month == "*" and (named := _weekdays(weekday)):
            return f"weekly on {named} {time}"
        if month == weekday == "*" and day == "L":
            return f"monthly on the last day {time}"
        if month == weekday == "*" and day.isdecimal():
            return f"monthly on day {int(day)} {time}"
        if weekday == "*" and day.isdecimal() and month.isdecimal():
            return f"yearly on {int(day)} {_MONTHS[int(month) - 1]} {time}"
    return f"by cron {cron}"


def _weekdays(field: str) -> str:
    """Names of the days that a weekday field lists; "" when it is more than a list of days."""
    days = []
    if found := re.fullmatch(r"([0-6])-([0-7])", field):
        return f"{_DAY_NAMES[int(found[1])]} to {_DAY_NAMES[int(found[2]) % 7]}"
    for part in field.split(","):
        if part.isdecimal() and int(part) <= 7:
            days.append(_DAY_NAMES[int(part) % 7])
        elif part.lower() in DAYS:
            days.append(_DAY_NAMES[DAYS.index(part.lower())])
        else:
            return ""
    return ", ".join(days[:-1]) + " and " + days[-1] if len(days) > 1 else days[0]
