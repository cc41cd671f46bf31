"""The words of the past: from a line of the command bar to a view of changes, and how changes are named on screen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from store.filters import parse
from store.types import registry
from tui.state import View, instant_of_words
from tui.table.cells import clean
from tui.table.format import moment_of
from tui.times import TimeError, age

FROM = "24h ago"  # unless somebody says another time
MODES = ("net", "each", "most")  # the lists of changes, in the order in which one key leads through them
MODE_WORDS = {
    "net": "what is different between the two times",
    "each": "every single change, newest first",
    "most": "what changed most often",
}
# How each kind of change is named, and how bad it looks.
KINDS = {
    "new": ("new", "ok"),
    "created": ("new", "ok"),
    "first_seen": ("first seen", "none"),
    "discovered": ("found", "none"),
    "returned": ("back", "busy"),
    "changed": ("changed", "warn"),
    "gone": ("gone", "bad"),
    "deleted": ("gone", "bad"),
}
LEVELS: Mapping[str, str] = dict(KINDS.values())


def kind_word(kind: object) -> str:
    """The word of a kind of change."""
    return KINDS.get(str(kind), (clean(kind), ""))[0]


def view_of_words(word: str, rest: str, current: View) -> View:
    """`changes [from] [to] [type] [/filter] [@cloud]`; the same for `timeline`, `report` and `deletions`.

    Times are time words, with `..` or a blank between them. Raises TimeError, FilterError and KeyError.
    """
    kind = "changes" if word == "deletions" else word
    head, slash, filter = rest.strip().partition("/")
    parse(filter)
    names, clouds, type = [], current.clouds, ""
    for name in head.split():
        if name.startswith("@"):
            clouds = () if name == "@" else (name[1:],)
        elif not type and (found := _type_of(name)):
            type = found
        else:
            names.append(name)
    span = span_of_words(" ".join(names))
    projects = current.projects if clouds == current.clouds else ()
    chosen = filter.strip() if slash else ""
    if word == "deletions":
        chosen = f"change:deleted {chosen}".strip()
    mode = "each" if word == "deletions" else "net"
    return View(kind, type, chosen, clouds=clouds, projects=projects, format=mode, span=span)


def _type_of(word: str) -> str:
    """The type that is called exactly so; "" for a word of a time."""
    wanted = word.lower()
    return next((name for name, type in registry.ALL.items() if wanted in registry.words(type)), "")


def span_of_words(words: str) -> tuple[str, str]:
    """("yesterday 14:00", "today 9:00") of words that name one or two times; the second is "" for now.

    Raises TimeError.
    """
    text = " ".join(words.split())
    if not text:
        return FROM, ""
    first, dots, last = text.partition("..")
    if dots:
        pair = (first.strip() or FROM, last.strip())
        for part in pair:
            instant_of_words(part)
        return pair[0], "" if pair[1] == "now" else pair[1]
    try:
        instant_of_words(text)
        return text, ""
    except TimeError as error:
        problem = error
    parts = text.split(" ")
    for number in range(1, len(parts)):
        one, other = " ".join(parts[:number]), " ".join(parts[number:])
        try:
            instant_of_words(one), instant_of_words(other)
        except TimeError:
            continue
        return one, "" if other == "now" else other
    raise problem


def words_of_view(view: View) -> str:
    """The line of the command bar that leads back to a view of changes."""
    since, until = view.span or (FROM, "")
    words = [view.kind, f"{since} .. {until or 'now'}"]
    if view.type:
        words.append(registry.ALL[view.type].plural)
    if len(view.clouds) == 1:
        words.append(f"@{view.clouds[0]}")
    if view.filter:
        words.append(f"/{view.filter}")
    return " ".join(words)


def instants(span: tuple[str, ...]) -> tuple[str, str]:
    """(RFC 3339, RFC 3339 or "" for now) of a view's two times, as they are at this moment. Raises TimeError."""
    since, until = (*span, "", "")[:2]
    return _instant(since or FROM) or _now(), _instant(until) if until else ""


def _instant(words: str) -> str:
    """An instant stays as it is, to the microsecond: versions are told apart by it."""
    return words if moment_of(words) is not None else instant_of_words(words)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def short(at: object) -> str:
    """A time in the operator's zone in at most 14 cells; "now" for none."""
    moment = moment_of(at) if isinstance(at, str) else None
    if moment is None:
        return clean(at or "now")
    local, today = moment.astimezone(), today_here()
    if local.date() == today.date():
        return local.strftime("%H:%M:%S")
    return local.strftime("%m-%d %H:%M" if abs((today - local).days) < 300 else "%Y-%m-%d")


def long_ago(at: object) -> str:
    """A time to the second with the zone, and its age."""
    moment = moment_of(at) if isinstance(at, str) else None
    if moment is None:
        return clean(at or "now")
    passed = age((today_here() - moment).total_seconds())
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S %Z} ({passed} ago)"


def today_here() -> datetime:
    """Now, in the operator's zone."""
    return datetime.now().astimezone()


def side(value: Any) -> str:
    """A value of a field on one line: "-" for nothing."""
    if value is None or value == "" or value == []:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return clean(", ".join(value))
    if isinstance(value, dict | list):
        import json

        return clean(json.dumps(value, ensure_ascii=False, default=str))
    return clean(value)
