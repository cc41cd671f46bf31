"""The command bar's words: what a line means, and what it could become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from store.filters import FilterError
from store.types import registry
from tui.actions import ACTIONS
from tui.found import is_value
from tui.state import PAGES, SPANS, View, find_view, view_of_text
from tui.themes.palette import NAMES as THEMES
from tui.times import TimeError

# Word -> action of the console. Types come from the registry.
WORDS = {
    "q": "close_all", "quit": "close_all", "detach": "close_all", "help": "help", "clouds": "clouds", "home": "home",
    "dashboard": "home",
    "inventory": "inventory", "collection": "collections", "collections": "collections", "refresh": "refresh",
    "scope": "scope", "cloud": "scope", "project": "scope", "pause": "pause", "setup": "add_cloud",
}  # fmt: skip
# Word -> what may follow it. `command_<word>` of the console gets the rest of the line.
VERBS = {
    "theme": THEMES, "find": (), "shift": ("start", "show"), "handover": (), "view": (), "at": (),
    "export": ("csv", "xlsx", "parquet", "json", "txt", "yaml"),
    "readonly": ("on", "off"), "job": (), "restore": (), "ask": (), "bell": ("on", "off"),
}  # fmt: skip
# What the words do, for the offers under the bar.
VERB_TITLES = {
    "theme": "colours: dark, light, contrast, the terminal's own (ansi), none", "find": "what is or was this?",
    "keys": "every key, and the file with your own", "shift": "start your shift, or show when it began",
    "handover": "what happened since the shift began", "view": "open a saved view; save NAME, share NAME, delete NAME",
    "at": "this view as it was at a time", "quit": "leave; the engine goes on", "detach": "leave; the engine goes on",
    "help": "the keys that work here", "clouds": "how each cloud is doing",
    "home": "the first screen: is anything wrong?", "dashboard": "the first screen: is anything wrong?",
    "inventory": "every type with its count", "collection": "the collection in progress",
    "collections": "the collection in progress", "refresh": "ask the clouds for newer data",
    "scope": "choose cloud or project", "cloud": "choose cloud or project", "project": "choose cloud or project",
    "pause": "pause or go on with live refresh", "setup": "add a cloud of clouds.yaml",
    "readonly": "on, or off 60 CLOUD: read-only mode of a cloud", "job": "one job by its number",
    "restore": "restore the machine here; with a number that restore",
    "restores": "restores: what runs, ran and is planned", "restore-kept": "what restores keep, and until when",
    "restores-many": "restores of many machines at once, and how far they are",
    "jobs": "jobs that run or ran",
    "export": "what is shown as a file: csv PATH, xlsx, parquet, json",
    "audit": "who did what to what", "notes": "notes that people wrote", "views": "saved views",
    "settings": "every setting, its value and where that comes from", "activity": "what was said, collections, jobs",
    "listings": "how each list was read last", "problems": "everything that is wrong, worst first",
    "health": "tenants, how healthy they are and why",
    "bell": "on, off: whether a new critical problem rings",
    "changes": "what changed: yesterday 14:00 .. now servers /field:status",
    "deletions": "what was deleted, with its last known state: 7d ago volumes",
    "timeline": "changes counted by hour or day: 30d ago servers",
    "report": "compliance report: what changed in a period, and what may have been missed",
    "drift": "what is other than it was, by whom", "drift-rules": "what drift looks for: on, off, how bad",
    "ignores": "drift that is left out", "windows": "maintenance windows: what changes then is no drift",
    "protection": "snapshots: what is due, runs, is not kept or not covered",
    "policies": "snapshot policies, and the sets that give them to volumes",
    "compliance": "volumes, and whether their policies are kept: status:missing policy:daily_5",
    "runs": "runs of snapshot policies: what was made, what not and why",
    "exclusions": "volumes that get no snapshots, and why",
    "ask": "ask in plain words: how many machines are on cmp-03?", "copilot": "the questions that you have asked",
    "suggestions": "what the copilot can be asked",
}  # fmt: skip
ACTION_IDS = frozenset(action.id for action in ACTIONS)
MOST_CHOICES = 12
USUAL = ("server", "volume", "network", "image", "project", "hypervisor", "port")


class CommandError(Exception):
    """The line means nothing; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Command:
    """What a line means: a view to open, an action of the registry, or a verb with the rest of its line."""

    view: View | None = None
    action: str = ""
    anywhere: bool = True  # the action works on every view
    verb: str = ""
    argument: str = ""


def understand(line: str, current: View) -> Command:
    """What a line of the command bar means. Raises CommandError."""
    words = line.split()
    if not words:
        raise CommandError("type a resource type, for example servers; tab completes, esc leaves")
    first = words[0].lower()
    rest = line.strip()[len(first) :].strip()
    if first == "find":
        if not rest:
            raise CommandError("write :find and a name, an address, a MAC, or part of an id")
        return Command(view=find_view(rest, current))
    if is_value(words[0]):
        return Command(view=find_view(line, current))
    if first in VERBS:
        if VERBS[first] and rest.split(" ")[0] not in VERBS[first]:
            raise CommandError(f"write :{first} with one of {', '.join(VERBS[first])}")
        return Command(verb=first, argument=rest)
    if first in WORDS:
        return Command(action=WORDS[first])
    action = first.replace("-", "_")
    if len(words) == 1 and action in ACTION_IDS and first not in (*PAGES, *SPANS) and not _names_type(first):
        return Command(action=action, anywhere=False)
    try:
        return Command(view=view_of_text(line, current))
    except (FilterError, KeyError, TimeError) as error:
        if isinstance(error, KeyError) and _is_text(words):
            return Command(view=find_view(line, current))
        raise CommandError(str(error.args[0] if error.args else error)) from None


def _names_type(word: str) -> bool:
    return any(word in registry.words(type) for type in registry.ALL.values())


def _is_text(words: Sequence[str]) -> bool:
    """Whether a line that names no type is something to find: it isn't when it goes on as a view does, or begins
    like several types."""
    begun = any(word.startswith(words[0].lower()) for type in registry.ALL.values() for word in registry.words(type))
    return not begun and not any(word[0] in "/@" or word.startswith("sort:") for word in words)


def completions(line: str, current: View, clouds: Sequence[str]) -> list[str]:
    """Whole lines that the line could become, best first."""
    head, _, last = line.rpartition(" ")
    if not head:
        return _first_words(last)[:MOST_CHOICES]
    if head.strip() in VERBS:
        return [f"{head} {word}" for word in VERBS[head.strip()] if word.startswith(last)]
    try:
        type_name = registry.find(head.split()[0]).name
    except KeyError:
        type_name = current.type
    return [f"{head} {word}" for word in last_words(last, type_name, clouds)][:MOST_CHOICES]


def filter_completions(text: str, type_name: str) -> list[str]:
    """Whole filters that a filter could become."""
    head, blank, last = text.rpartition(" ")
    return [f"{head}{blank}{word}" for word in last_words(last, type_name, ())][:MOST_CHOICES]


def _first_words(start: str) -> list[str]:
    wanted = start.lower()
    # Without a letter: what operators look at most comes first.
    usual = [registry.ALL[name] for name in USUAL]
    types = (
        [*usual, *(type for type in registry.ALL.values() if type not in usual)] if not start else registry.ALL.values()
    )
    plurals = [type.plural for type in types]
    found = [p for p in plurals if p.startswith(wanted)]
    for type in registry.ALL.values():
        if type.plural not in found and any(word.startswith(wanted) for word in registry.words(type)):
            found.append(type.plural)
    words = (*WORDS, *VERBS, *PAGES, *SPANS, "deletions")
    found += [word for word in words if word.startswith(wanted) and len(word) > 1]
    found += [p for p in plurals if wanted and wanted in p and p not in found]
    return list(dict.fromkeys(found))


def last_words(start: str, type_name: str, clouds: Sequence[str]) -> list[str]:
    """What the last word of a line could become: columns, an order, a cloud."""
    if start.startswith("@"):
        return [f"@{name}" for name in clouds if name.startswith(start[1:])]
    type = registry.ALL.get(type_name)
    if type is None or not start.lstrip("/!"):
        return []
    columns = [*type.default_columns, *(c.name for c in type.view_columns if c.name not in type.default_columns)]
    if start.startswith("sort:"):
        name, colon, _ = start[5:].partition(":")
        if colon:
            return [word for word in (f"sort:{name}:asc", f"sort:{name}:desc") if word.startswith(start)]
        return [f"sort:{column}" for column in columns if column.startswith(name)]
    if ":" in start:
        return []
    sign = start[: len(start) - len(start.lstrip("/!"))]
    word = start[len(sign) :].lower()
    found = [f"{sign}{column}:" for column in (*columns, "sort") if column.startswith(word)]
    return found
