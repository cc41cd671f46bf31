"""What requests about the past have in common: which types, which resource, between which times. Raises ApiErrors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from engine.access import rules
from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.errors import BadRequest, Conflict, NotFound
from engine.api.instants import instant
from engine.inventory.reads import InventoryReads, find_type
from store.estate.reading import changes
from store.estate.reading.changes import Span
from store.estate.reading.models import Key, Scope
from store.times import naive
from store.types.declaration import ResourceType

DAY = timedelta(days=1)
LONGEST = timedelta(days=3660)


def types_for(access: AccessService, caller: Caller, words: Sequence[str] = ()) -> list[ResourceType]:
    """Types with a history that the caller may read; those named, if any are. Forbidden when a named one is not."""
    if words:
        found = [find_type(word) for word in dict.fromkeys(words)]
        for type in found:
            access.check(caller, f"{rules.resource_of_type(type.plural)}:read")
        return list(dict.fromkeys(found))
    return [
        type for type in changes.tracked() if rules.allows(caller.role, f"{rules.resource_of_type(type.plural)}:read")
    ]


def type_for(access: AccessService, caller: Caller, word: str) -> ResourceType:
    """The one type called so."""
    return types_for(access, caller, [word])[0]


def key_for(reads: InventoryReads, type: ResourceType, id: str, scope: Scope) -> Key:
    """The one resource of that id that ever was within the scope. NotFound, or Conflict when a choice is left."""
    keys = reads.keys(type, id, None, scope)
    if len(keys) > 1:
        places = ", ".join("/".join(part for part in key[:2] if part) for key in keys[:10])
        raise Conflict(f"{type.name} {id!r:.80} is in {places}: say which with cloud and region")
    if not keys:
        raise NotFound(f"there is no {type.name.replace('_', ' ')} {id!r:.80} in the history")
    return keys[0]


def span_for(since: str | None, until: str | None, now: datetime, default: timedelta = DAY) -> Span:
    """The time between two instants given as texts; without `until` up to now, without `since` `default` before it."""
    end = instant("to", until) or now
    begin = instant("from", since) or end - default
    return _checked(begin, min(end, now), "from", "to")


def instants_for(since: str | None, until: str | None, now: datetime) -> tuple[datetime, datetime]:
    """Two instants (naive UTC) in any order, which may be the same; without `until` now, without `since` a day before
    it.
    """
    end = min(instant("to", until) or now, now)
    return naive(instant("from", since) or end - DAY), naive(end)


def days_for(first: str | None, last: str | None, now: datetime, default: timedelta) -> Span:
    """The time between two days or instants given as texts; the last day belongs to it."""
    end = min(_day("end_date", last, whole=True) or now, now)
    begin = _day("start_date", first, whole=False) or end - default
    return _checked(begin, end, "start_date", "end_date")


def _checked(begin: datetime, end: datetime, first: str, last: str) -> Span:
    if begin >= end:
        raise BadRequest(f"Invalid parameter: {first} has to lie before {last}, and in the past")
    if end - begin > LONGEST:
        raise BadRequest(f"Invalid parameter: {first} and {last} are more than {LONGEST.days} days apart")
    return Span.of(begin, end)


def _day(name: str, text: str | None, *, whole: bool) -> datetime | None:
    if text is None or len(text.strip()) != len("2026-02-08"):
        return instant(name, text)
    try:
        day = date.fromisoformat(text.strip())
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return start + DAY if whole else start
    except (ValueError, OverflowError):
        raise BadRequest(f"Invalid parameter: {name}: {text!r:.60} is not a day; write it like 2026-02-08") from None
