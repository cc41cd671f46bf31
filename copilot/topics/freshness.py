"""How old the data is that answers are made from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from copilot.answering.attributes import at as instant
from copilot.answering.wording import clean, span
from copilot.answers import Answer, Field, Proposal, Shown, Table
from copilot.model.registry import entity
from copilot.query import Not, Test
from copilot.sources import NotAllowed
from copilot.topics.listing import fetch
from copilot.topics.speech import Speech, knows, telling
from copilot.topics.topic import Asked, Topic
from store import times

FRESH = 30 * 60  # seconds: older data are not called up to date
_TYPES = ("server", "hypervisor", "volume", "network", "project", "image")
_DATA = r"\b(data|inventory|information|info|numbers|figures|answers?|what you (show|know|see)|this|view|cache|" \
        r"collection|collections|collected|listing|sync|synced|refresh|refreshed|update|updated|"\
        r"collector)\b"  # fmt: skip
_AGE = r"\b(how (old|fresh|current|recent|stale|up to date)|up to date|fresh|stale|outdated|out of date|current|age)\b"
_WHEN = r"\b(when|last|latest|newest|how long ago)\b.*" \
        r"\b(collection|collected|synced|sync|refreshed?|data|polled|updated|collect)\b"  # fmt: skip
_PHRASES = r"\b(data age|data freshness|how old is the data|last collection|age of the data|freshness|how fresh)\b"
_LIVE = r"^(is|are) (this|it|the data|these|that|the answers?) (data |answers? )?(live|real ?time|realtime)( data)?$"
_ABOUT = ("data", "inventory", "information", "info", "numbers", "figures", "answers", "answer", "collection", "cache",
          "view")  # fmt: skip
_KNOWN = knows(
    "data inventory information info numbers figures answer answers you know see view cache collection collections "
    "collected collector listing sync synced refresh refreshed update updated old fresh current recent stale up to "
    "date outdated out age last latest newest when long ago run ran happen happened freshness polled collect time so "
    "shown here being made taken cloud clouds servers volumes hosts networks projects images server volume host vm vms "
    "did done newest finish finished your state real live",
    ("cloud",),
)
_WORDS = {"server": ("server", "servers", "vm", "vms"), "volume": ("volume", "volumes"), "network": ("networks",),
          "hypervisor": ("host", "hosts"), "project": ("projects",), "image": ("images",)}  # fmt: skip


def _claims(asked: Asked) -> float:
    heard = Speech.of(asked)
    spoken = heard.has(*_ABOUT) or heard.matches(r"^is (this|it) (up to date|current|fresh|live|stale|outdated)$")
    if heard.matches(_LIVE):
        return 1.0
    about = spoken and heard.matches(_DATA) and heard.matches(_AGE)
    if about or heard.matches(_WHEN) or heard.matches(_PHRASES):
        return _KNOWN.claim(asked)
    return 0.0


def _answer(asked: Asked) -> Answer | None:
    heard = Speech.of(asked)
    only = [type for type, words in _WORDS.items() if heard.has(*words)]
    read: dict[str, datetime] = {}
    for type in only or _TYPES:
        if asked.sources.may(type) and (at := asked.sources.data_at((type,))) is not None:
            read[type] = at
    if not read:
        return Answer("answer", "Nothing was collected yet.", intent="data_age")
    now = asked.context.now
    oldest, newest = min(read.values()), max(read.values())
    age = max((now - oldest).total_seconds(), 0)
    what = "The data" if not only else f"The data of {entity(only[0]).plural}"
    text = f"{what} were collected {span(age)} ago ({instant(times.text(oldest), now.astimezone(asked.context.zone))})."
    if (newest - oldest).total_seconds() > 60:
        late = next(type for type, at in read.items() if at == oldest)
        ago = span((now - newest).total_seconds())
        text = f"{text[:-1]}, the oldest of them {entity(late).plural}; the newest {ago} ago."
    failing = _failing(asked)
    rows = tuple({"type": entity(type).plural, "collected": times.text(at),
                  "age": int((now - at).total_seconds())} for type, at in read.items())  # fmt: skip
    value, unit = _value(heard, age, oldest, newest, bool(failing))
    if isinstance(value, bool):
        text = f"{'Yes' if value else 'No'}: {text[0].lower()}{text[1:]}"
    return Answer(
        "answer",
        text + failing,
        intent="data_age",
        value=value,
        unit=unit,
        table=Table((Field("type", "TYPE"), Field("collected", "COLLECTED", "time"),
                     Field("age", "AGE (s)", "number")), rows, len(rows)),
        shown=(Shown("when each resource type was last collected", "list"),),
        data_at=oldest,
        proposals=(Proposal("pane", "open the clouds", name="clouds"),),
    )  # fmt: skip


def _value(heard: Speech, age: float, oldest: datetime, newest: datetime, failing: bool) -> tuple[Any, str]:
    if heard.matches(_LIVE):
        return False, ""
    if heard.matches(r"^(and |so )?(is|are|was)\b"):
        fresh = age <= FRESH and not failing
        return (not fresh if heard.has("stale", "outdated", "old") or heard.matches("out of date") else fresh), ""
    if heard.has("when", "last", "latest"):
        return times.text(newest if heard.has("last", "latest") else oldest), ""
    return round(age), "seconds"


def _failing(asked: Asked) -> str:
    """The listings that did not work; "" where all did or the asker may not read them."""
    if not asked.sources.may("collection"):
        return ""
    try:
        found = fetch(
            asked, "collection", Not(Test("state", "=", ("ok",))), columns=("resource_type", "cloud", "state")
        )
    except NotAllowed:
        return ""
    if not found.total:
        return ""
    names = [f"{clean(str(row['resource_type']))} of {clean(str(row['cloud']))}" for row in found.rows[:3]]
    more = f" and {found.total - 3} more" if found.total > 3 else ""
    return f" Not collected well: {', '.join(names)}{more}."


TOPIC = Topic("data_age", _claims, telling(_answer, _KNOWN))
