"""What changed, when and by whom: of everything, a type, a project or one resource, from the history."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from copilot.answering.wording import clean, number
from copilot.answers import MOST_ROWS, Answer, Field, Key, Named, Proposal, Shown, Table
from copilot.grammar.asking_back import asked_back
from copilot.grammar.items import Item
from copilot.model.registry import entity
from copilot.topics.topic import Asked, Topic
from store import times

INTENT = "recent_changes"
RECENT = timedelta(hours=24)  # where no time was said, of everything
EVER = timedelta(days=3650)  # where no time was said, of one resource
MOST_READ = 1000  # changes that the engine hands over
_MOST_SAID = 3
_ASKING = (
    "filler", "list", "what", "which", "who", "when", "is", "do", "past", "of", "on", "in", "any", "all", "exist",
    "them", "this", "how_many", "change", "gone", "born", "newest", "newest_first", "and", "with", "named", "or",
    "belong", "most",
)  # fmt: skip
_WORDS = """by new done on in of to for from with at
timeline log record records resource resources thing things object objects item items event events history
go went gone going come came become became get got turn turned into state status recently lately time times last latest
person people somebody someone exact whom made them one whole entire full"""
_SAID = frozenset(_WORDS.split())
_RESTARTED = ("restarted", "rebooted", "restarts", "reboots")
_COLUMN_CHANGED: Mapping[str, str] = {
    "host": r"\bhost \S+ -> ",
    "hosts": r"\bhost \S+ -> ",
    "flavor": r"\b(flavor\w*) \S+ -> ",
    "flavors": r"\b(flavor\w*) \S+ -> ",
    "size": r"\bsize\w*( gb)? \S+ -> ",
    "name": r"\bname \S+ -> ",
    "status": r"\bstatus (\S+ -> )?\w+",
    "state": r"\b(status|state) (\S+ -> )?\w+",
}  # the column that is said behind "changed", where something else is spoken of before
_LAST = ("last change", "last changes", "latest change", "last modification", "last changed")
# What happened, by the words for the state that came of it: a pattern of the history's sentences.
_TURNED: Mapping[str, str] = {
    "stopped": "SHUTOFF", "down": "SHUTOFF|down", "off": "SHUTOFF", "powered": "SHUTOFF", "shut": "SHUTOFF",
    "shutdown": "SHUTOFF", "started": "ACTIVE", "up": "ACTIVE|up", "running": "ACTIVE", "error": "ERROR|error",
    "failed": "ERROR|error", "errored": "ERROR|error", "paused": "PAUSED", "suspended": "SUSPENDED",
    "shelved": "SHELVED\\w*", "disabled": "disabled", "enabled": "enabled", "attached": "in-use",
    "detached": "available", "crashed": "ERROR|SHUTOFF",
}  # fmt: skip
_FIELDS_TURNED: Mapping[str, str] = {
    "resized": r"\b(flavor\w*|vcpus|ram\w*) \S+ -> |status (\S+ -> )?VERIFY_RESIZE",
    "migrated": r"\bhost \S+ -> ",
    "moved": r"\bhost \S+ -> ",
    "renamed": r"\bname \S+ -> ",
    "locked": r"\blocked \S+ -> (yes|True|true)",
    "unlocked": r"\blocked \S+ -> (no|False|false)",
    "extended": r"\bsize\w*( gb)? \S+ -> ",
}
_COLUMNS = (
    Field("at", "WHEN", "time"),
    Field("type", "TYPE"),
    Field("name", "NAME", "name"),
    Field("project_name", "PROJECT", "name"),
    Field("what", "WHAT"),
    Field("kind", "KIND", "status"),
    Field("actor", "BY", "name"),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which changes are asked for.

    pattern  of the sentence, for "stopped", "resized", which is `turned`; "" = any
    kinds    "created", "changed", "deleted"; () = any
    """

    since: datetime
    until: datetime | None
    words: str
    pattern: str = ""
    kinds: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    one: Named | None = None
    projects: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    turned: str = ""

    def fits(self, change: Mapping[str, Any]) -> bool:
        """Whether a change is one of those."""
        cloud, region, _ = change["key"]
        return (
            (not self.kinds or change["kind"] in self.kinds)
            and (not self.types or change["type"] in self.types)
            and (not self.projects or change["project_name"] in self.projects)
            and (not self.places or cloud in self.places or region in self.places)
            and (not self.users or change["actor"] in self.users)
            and (not self.pattern or re.search(self.pattern, change["what"]) is not None)
        )


def claims(asked: Asked) -> float:
    """Sure where the question speaks of changes and of nothing that no change tells."""
    if _restarts(asked):
        return 0.97 if all(_told(item) for item in asked.items) else 0.0
    if any(item.senses is None and not item.named and item.period is None for item in asked.items if not _told(item)):
        return 0.0
    if not all(_told(item) for item in asked.items) or any(one.age for one in asked.parse.periods):
        return 0.0
    if asked.topics("drift") or any(one.at is not None for one in asked.parse.periods):
        return 0.0
    if any(item.is_concept("change") and not item.columns for item in asked.items):
        return 0.99
    of_other = asked.frame is None or not any(n.type == asked.frame.entity for n in asked.named)
    if any(item.said in _LAST for item in asked.items) and of_other:
        return 1.0
    one = len(asked.named) == 1 or asked.parse.wh in ("who", "when")
    if _turned(asked.items)[0] and (asked.period is not None or (one and asked.parse.wh in ("who", "when"))):
        said = asked.parse.past or asked.parse.wh == "when" or _is_happening(asked)
        by_whom = one and asked.parse.wh in ("who", "when") and bool(asked.named)
        return 1.0 if by_whom else 0.96 if said or asked.parse.doubts else 0.0
    if asked.frame is None and any(item.is_concept("born") or item.said == "new" for item in asked.items):
        return 0.9
    if any(_is_gone(item, asked) for item in asked.items):
        who = any(item.is_concept("who") for item in asked.items)
        lost = asked.frame is None or bool(asked.left) or who or (asked.parse.wh == "when" and bool(asked.named))
        return 1.0 if lost and (who or asked.parse.wh == "when") else 0.9 if lost else 0.0
    return 0.0


def _is_gone(item: Item, asked: Asked) -> bool:
    """ "deleted"; "what did we delete"."""
    return item.is_concept("gone") or (item.is_concept("deletes") and asked.parse.past)


def _restarts(asked: Asked) -> bool:
    return any(item.text.lower() in _RESTARTED for item in asked.items)


def _untold() -> Answer:
    """What no listing of a cloud shows."""
    text = (
        "A restart leaves no trace in what clouds list, so it is not known from here. "
        "Restarts that were asked for in this console stand in the audit."
    )
    return Answer(
        "apology", text, intent=INTENT, confidence=0.9, proposals=(Proposal("pane", "open the audit", "audit"),)
    )


def _is_happening(asked: Asked) -> bool:
    """ "servers stopped today": when it happened, not how it is."""
    return bool(asked.parse.periods) and bool(asked.parse.doubts)


def _told(item: Item) -> bool:
    """Whether the item is something that changes can be asked by."""
    if item.period is not None or item.named:
        return True
    words = set(item.said.split())
    if (
        item.text.lower() in _RESTARTED
        or words <= _SAID
        or (words | set(_states(item))) & (set(_TURNED) | set(_FIELDS_TURNED))
        or item.text in (",", "-")
    ):
        return True
    if item.senses is None:
        return False
    if item.said in _LAST or item.only(_ASKING) or item.is_concept("change", "gone", "born", "deletes"):
        return True
    return bool(item.entities) and entity(item.entities[0]).type is not None


def _turned(items: Sequence[Item]) -> tuple[str, str]:
    """The word for what happened, and a pattern of the history's sentences about it; "" for none."""
    words: list[str] = []
    for item in items:
        if not item.named and item.period is None:
            words += [*item.said.split(), *_states(item)]
    for word in words:
        if word in _FIELDS_TURNED:
            return word, _FIELDS_TURNED[word]
    found = [word for word in words if word in _TURNED]
    if not found:
        return "", ""
    value = _TURNED[found[-1]]
    return found[-1], rf"status (\S+ -> )?({value})\b|\bstate \S+ -> ({value})\b"


def _states(item: Item) -> list[str]:
    senses = item.senses
    if senses is None or senses.concepts:  # "on" is a state of policies, but not what is meant in "on web-03"
        return []
    return [state.says for name, state in senses.states.items() if entity(name).type is not None]


def wanted_of(asked: Asked) -> Wanted:
    """Which changes are asked for."""
    named = _chosen(asked)
    one = next((n for n in named if n.type not in ("project", "cloud", "region", "user", "domain")), None)
    projects = tuple(n.name for n in named if n.type == "project")
    if one is None and len(named) == 1 and asked.parse.wh in ("when", "who") and named[0].type == "project":
        one, projects = named[0], ()
    period, now = asked.period, asked.context.now
    if period is not None:
        since, until, words = period.since or now - EVER, period.until, period.words
    else:
        since, until = now - (EVER if one is not None else RECENT), None
        words = "" if one is not None else "in the last 24 hours"
    turned, pattern = _turned(asked.items)
    column = _column_changed(asked)
    if column is not None and not pattern:
        turned, pattern = column.text.lower(), _COLUMN_CHANGED[column.text.lower()]
    kinds = []
    if not any(item.is_concept("change") or item.said in _LAST for item in asked.items):
        kinds += ["deleted"] if any(_is_gone(item, asked) for item in asked.items) else []
        kinds += ["created"] if any(item.is_concept("born") for item in asked.items) and not pattern else []
        kinds += ["changed"] if pattern else []
    types = tuple(
        item.entities[0]
        for item in asked.items
        if item.entities
        and not item.named
        and not item.is_concept("change", "gone")
        and item.said not in _SAID
        and item is not column
    )
    return Wanted(
        since,
        until,
        words,
        pattern,
        tuple(kinds),
        types if one is None else (),
        one,
        projects,
        tuple(n.name for n in named if n.type in ("cloud", "region")),
        tuple(n.name for n in named if n.type == "user"),
        turned if pattern else "",
    )


def _column_changed(asked: Asked) -> Item | None:
    """ "vms that changed host": the column, where a type was said before it."""
    for before, item in zip(asked.items, asked.items[1:], strict=False):
        if not before.is_concept("change") or item.named or item.text.lower() not in _COLUMN_CHANGED:
            continue
        ahead = asked.items[: asked.items.index(before)]
        return item if any(one.entities or one.named for one in ahead) else None
    return None


def _chosen(asked: Asked) -> list[Named]:
    waiting = [one for found, _, _ in asked.parse.waiting_named for one in found]
    limits = [n for target in asked.parse.targets() for piece in target.pieces for n in piece.named]
    chosen = [*asked.parse.subject, *waiting, *limits]
    return list(dict.fromkeys(chosen or asked.named))


def answer(asked: Asked) -> Answer | None:
    """The changes; who or when, where that is asked."""
    if asked.parse.ambiguous:
        return asked_back(asked)
    if _restarts(asked):
        return _untold()
    wanted = wanted_of(asked)
    key = None if wanted.one is None else (wanted.one.type, wanted.one.key)
    read = asked.sources.changes(wanted.since, wanted.until, key)
    found = [change for change in read if wanted.fits(change)]
    if _only_newest(asked):
        found = found[:1]
    rows = tuple({field.name: _cell(change.get(field.name)) for field in _COLUMNS} for change in found[:MOST_ROWS])
    keys: tuple[tuple[str, Key], ...] = tuple((c["type"], tuple(c["key"])) for c in found[:MOST_ROWS])
    asks_who = any(item.is_concept("who") for item in asked.items)
    made = Answer(
        "answer",
        _text(found, wanted, asked),
        intent=INTENT,
        value=len(found),
        table=Table(_COLUMNS, rows, len(found), keys),
        shown=(Shown(_call(wanted), "list"),),
        scope=tuple(word for word in (wanted.words, *wanted.projects) if word),
        data_at=asked.sources.data_at([wanted.one.type] if wanted.one is not None else ["server"]),
        named=(wanted.one,) if wanted.one is not None else (),
        proposals=_opens(wanted),
    )
    if asks_who:
        return _who(found, made)
    if asked.parse.wh == "when":
        return _when(found, wanted, made, asked)
    if asked.parse.wh == "is" or (asked.parse.any and not asked.parse.count):
        said = "Yes" if found else "No"
        return replace(made, value=bool(found), text=f"{said}: {made.text[0].lower()}{made.text[1:]}")
    if len(read) >= MOST_READ:
        return replace(made, text=f"{made.text}\nOnly the newest {number(MOST_READ)} changes were looked at.")
    return made


def _only_newest(asked: Asked) -> bool:
    newest = any(item.is_concept("newest") for item in asked.items)
    one = newest and any(item.said in ("change", "event") for item in asked.items)
    return one or any(item.said in _LAST and not item.said.endswith("s") for item in asked.items)


def _cell(value: Any) -> Any:
    return times.text(value) if isinstance(value, datetime) else value


def _call(wanted: Wanted) -> str:
    until = f"&end={times.text(wanted.until)}" if wanted.until is not None else ""
    about = f"/{wanted.one.type}/{wanted.one.key[2]}" if wanted.one is not None else ""
    return f"changes{about}?start={times.text(wanted.since)}{until}"


def _opens(wanted: Wanted) -> tuple[Proposal, ...]:
    if wanted.one is None:
        return (Proposal("pane", "open the changes", "changes"),)
    label = f"history of {clean(wanted.one.name)}"
    return (Proposal("pane", label, "history", type=wanted.one.type, keys=(wanted.one.key,)),)


def _about(wanted: Wanted) -> str:
    parts = []
    if wanted.one is not None:
        parts.append(f"of {entity(wanted.one.type).singular} {clean(wanted.one.name)}")
    elif wanted.types:
        parts.append(f"of {' and '.join(entity(type).plural for type in wanted.types)}")
    parts += [f"in project {clean(name)}" for name in wanted.projects]
    parts += [f"in {clean(name)}" for name in wanted.places]
    parts += [f"by {clean(name)}" for name in wanted.users]
    if wanted.turned:
        parts.append(f"of the {wanted.turned}" if wanted.turned in _COLUMN_CHANGED else f"to {wanted.turned!r}")
    return " ".join((*parts, wanted.words)).strip()


def _local(at: datetime, asked: Asked) -> str:
    return at.astimezone(asked.context.zone).strftime("%a %d %b %H:%M")


def _line(change: Mapping[str, Any], asked: Asked) -> str:
    by = f", by {clean(change['actor'])}" if change.get("actor") else ""
    kind = entity(change["type"]).singular
    return f"{_local(change['at'], asked)}: {kind} {clean(change['name'])}, {clean(change['what'], 120)}{by}"


def _text(found: Sequence[Mapping[str, Any]], wanted: Wanted, asked: Asked) -> str:
    about = _about(wanted)
    if not found and wanted.kinds and not wanted.turned:
        return f"Nothing was {' or '.join(wanted.kinds)} {about}".strip().replace("  ", " ") + "."
    if not found:
        return f"There are no changes {about}.".replace(" .", ".")
    kinds = Counter(change["kind"] for change in found)
    resources = len({(change["type"], tuple(change["key"])) for change in found})
    counts = ", ".join(f"{number(kinds[kind])} {kind}" for kind in ("created", "changed", "deleted") if kinds[kind])
    count = f"{number(len(found))} change{'s' if len(found) != 1 else ''}"
    of = f" ({number(resources)} resources; {counts})" if wanted.one is None else ""
    lines = "\n".join(_line(change, asked) for change in found[:_MOST_SAID])
    return f"There {'is' if len(found) == 1 else 'are'} {count} {about}{of}. The newest:\n{lines}".replace("  ", " ")


def _who(found: Sequence[Mapping[str, Any]], made: Answer) -> Answer:
    """Who did it, as far as that is known."""
    if not found:
        return made
    actors = Counter(str(change["actor"]) for change in found if change.get("actor"))
    if not actors:
        text = "Who did it is not known: it was not done from this console, or the cloud did not tell."
        return replace(made, value=None, text=f"{text}\n{made.text}")
    told = ", ".join(f"{clean(name)} ({number(count)})" for name, count in actors.most_common(5))
    unknown = len(found) - sum(actors.values())
    rest = f"; of {number(unknown)} it is not known" if unknown else ""
    return replace(made, value=actors.most_common(1)[0][0], text=f"{told}{rest}.\n{made.text}")


def _when(found: Sequence[Mapping[str, Any]], wanted: Wanted, made: Answer, asked: Asked) -> Answer:
    """When it happened last."""
    if found:
        newest = found[0]
        first = f"On {_local(newest['at'], asked)}."
        return replace(made, value=times.text(newest["at"]), text=f"{first}\n{made.text}")
    if wanted.one is not None and wanted.kinds == ("deleted",):
        return replace(made, value=None, text=f"{clean(wanted.one.name)} was not deleted: it is still there.")
    return replace(made, value=None)


TOPIC = Topic(INTENT, claims, answer)
