"""Tables of what is said and what is meant by it, in one form: "text | since .. until", "text | @ moment", " age"."""

from __future__ import annotations

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from copilot.language.times import period
from copilot.language.tokens import tokenise
from copilot.reading import Period


def cases(table: str) -> list[tuple[str, str]]:
    """Lines "text | meaning" as pairs."""
    return [tuple(part.strip() for part in line.split(" | ")) for line in table.strip().splitlines()]  # type: ignore[misc]


def at(zone: str, now: str) -> tuple[datetime, tzinfo]:
    """Now and the zone, for `meaning`."""
    return datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(zone)), ZoneInfo(zone)


def read(text: str, seen: tuple[datetime, tzinfo], i: int = 0) -> tuple[Period, int] | None:
    """The period at token i."""
    return period(tokenise(text), i, *seen)


def meaning(text: str, seen: tuple[datetime, tzinfo]) -> str:
    """What all of the text means; what is left over is shown behind a bar."""
    found = read(text, seen)
    if found is None:
        return "-"
    rest = " ".join(token.word for token in tokenise(text)[found[1] :])
    return shown(found[0], seen) + (f" | {rest}" if rest else "")


def shown(period: Period, seen: tuple[datetime, tzinfo]) -> str:
    """ "since .. until" or "@ moment" by the zone's clocks; the year where it is not this one."""
    now, zone = seen

    def one(moment: datetime | None) -> str:
        local = None if moment is None else moment.astimezone(zone)
        if local is None:
            return ""
        return f"{local:%a %m-%d %H:%M}" if local.year == now.year else f"{local:%a %Y-%m-%d %H:%M}"

    text = f"@ {one(period.at)}" if period.at is not None else f"{one(period.since)} .. {one(period.until)}".strip()
    return text + " age" * period.age
