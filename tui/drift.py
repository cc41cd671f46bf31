"""Drift in words: what changed, who did it and how sure that is, never more than is known. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.drift.models import GRADE_MEANING, GRADE_WORDS, NOT_ASKED, STATE_WORDS
from tui.table.cells import clean
from tui.table.format import moment_of

Event = Mapping[str, Any]

# How bad severities and states are, for the table's glyphs and colours.
LEVELS = {"critical": "bad", "warning": "warn", "info": "none"}
# Words of the state column, short; the detail says them whole.
_NAME = "name "  # how the part of a value begins that names it
_SERVICE = " (a service of the cloud)"  # how the engine calls one
SHORT_STATES = {**STATE_WORDS, "resolved_unseen": "back, unseen"}


def change_words(event: Event) -> str:
    """What became of it: status ACTIVE → SHUTOFF; subnet deleted; new port; subnet changed and back, 2 writes."""
    kind, field = event.get("kind"), clean(event.get("field_changed") or "")
    if kind == "created":
        return f"new {type_words(event)}"
    if kind == "deleted":
        return f"{type_words(event)} deleted"
    if kind == "unseen":
        return f"{type_words(event)} changed and back{writes_words(event)}"
    old, new = differing(side_words(event, "old"), side_words(event, "new"))
    return f"{field} {old} → {new}"


def differing(old: str, new: str) -> tuple[str, str]:
    """What of two values is in one of them alone, where they are made of parts: a flavor's sizes, groups, metadata."""
    before, after = old.split(", "), new.split(", ")
    gone = [part for part in before if part not in after]
    come = [part for part in after if part not in before]
    if (len(before) == 1 and len(after) == 1) or not (gone or come):
        return old, new
    named = [next((part.removeprefix(_NAME) for part in parts if part.startswith(_NAME)), "") for parts in (gone, come)]
    if all(named):  # of a flavor: the detail has its sizes
        return named[0], named[1]
    return ", ".join(gone) or "none", ", ".join(come) or "none"


def subject_words(event: Event) -> str:
    """What and what became of it: server web-3: status ACTIVE → SHUTOFF; web-net: subnet deleted."""
    name = clean(event.get("resource_name") or event.get("resource_id") or "")
    before = f"{type_words(event)} " if event.get("kind") == "changed" else ""
    return f"{before}{name}: {change_words(event)}"


def type_words(event: Event) -> str:
    """The resource's type as people write it."""
    return clean(event.get("resource_type") or "").replace("_", " ")


def writes_words(event: Event) -> str:
    """How often it was written between two listings, as far as that can be counted: ", 2 writes"."""
    old, new = str(event.get("old_value") or ""), str(event.get("new_value") or "")
    if not (old.isdecimal() and new.isdecimal() and len(old) < 19 and len(new) < 19):
        return ""
    count = int(new) - int(old)
    return f", {count} write{'' if count == 1 else 's'}" if count > 0 else ""


def side_words(event: Event, side: str) -> str:
    """The old or the new value: the name of what its id means where that is known; "none" for no value."""
    value, name = event.get(f"{side}_value"), event.get(f"{side}_name")
    return "none" if value in (None, "") else clean(name or value)


def full_side(event: Event, side: str) -> str:
    """The whole value, with the id behind a name."""
    value, name = event.get(f"{side}_value"), event.get(f"{side}_name")
    if value in (None, ""):
        return "none"
    return f"{clean(name)} ({clean(value)})" if name and name != value else clean(value)


def who_words(event: Event) -> str:
    """Who did it, short, and never more than is known: anna; one of 3; cinder, a service; unknown."""
    grade, actor = event.get("grade"), clean(event.get("actor") or "")
    if event.get("job"):
        return f"{actor + ', ' if actor else ''}job {clean(event['job'])}"
    if grade is None:
        return NOT_ASKED
    if grade == "one_of":
        return f"one of {len(event.get('candidates') or ())}"
    if grade == "service":
        return f"{actor.removesuffix(_SERVICE)}, a service" if actor else "a service"
    if grade == "unknown" or not actor:
        return "unknown"
    return actor


def sure_words(event: Event) -> str:
    """Who did it and how sure that is, in one line: m.levi, from the cloud (nova: resize)."""
    grade, source = event.get("grade"), f" ({clean(event['source'])})" if event.get("source") else ""
    if grade is None:
        return f"{NOT_ASKED}: enter asks the cloud"
    if grade == "one_of":
        found = [f"{clean(c.get('action'))} by {clean(c.get('actor') or 'unknown')}" for c in event["candidates"]]
        return f"one of {', '.join(found)}"
    if grade == "unknown":
        return f"unknown: {GRADE_MEANING['unknown']}"
    if grade == "service":
        return f"{who_words(event)}: {GRADE_MEANING['service']}{source}"
    return f"{who_words(event)}, {GRADE_WORDS.get(str(grade), clean(grade))}{source}"


def state_words(event: Event) -> str:
    """The state as a sentence: who accepted it and until when, why it is ignored, which job did it."""
    state = str(event.get("state") or "")
    if state == "acknowledged":
        words = f"acknowledged by {clean(event.get('acknowledged_by') or '?')}"
        if event.get("acknowledged_until"):
            words += f" until {when(event['acknowledged_until'])}"
        return words + (f": {clean(event['acknowledge_note'])}" if event.get("acknowledge_note") else "")
    if state == "ignored" and event.get("ignored_by"):
        return f"ignored: {clean(event['ignored_by'])}"
    if state == "expected":
        return "expected: a job of this console did it"
    if state == "resolved_unseen":
        return "it went back by itself, and nobody has looked"
    return STATE_WORDS.get(state, clean(state))


def when(at: Any) -> str:
    """A time in the operator's zone: today as 14:02:11, else Tue 24 Nov 14:02."""
    moment = moment_of(at) if isinstance(at, str) else None
    if moment is None:
        return clean(at or "?")
    local = moment.astimezone()
    today = local.date() == datetime.now().astimezone().date()
    return f"{local:%H:%M:%S}" if today else f"{local:%a %d %b %H:%M}"


def between_words(event: Event) -> str:
    """When it happened: between the two listings that saw the old and the new value."""
    before, after = event.get("seen_before"), event.get("seen_at") or event.get("opened_at")
    return f"between {when(before)} and {when(after)}" if before else f"before {when(after)}"


def counts_words(counts: Mapping[str, Any]) -> str:
    """Numbers of the triage: ✖2 ▲9 ·31; "none" when there is nothing to look at."""
    glyphs = (("critical", "✖"), ("warning", "▲"), ("info", "·"))
    found = [f"{glyph}{int(counts.get(name) or 0):,}" for name, glyph in glyphs if counts.get(name)]
    return " ".join(found) or "none"
