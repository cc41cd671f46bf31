"""Every key of the console, once: footer, help and bindings are made from this list.

Plain keys only: letters, marks, arrows and page keys. Ctrl and Alt chords belong to tmux, the terminal and the shell.
A capital letter starts something that changes a cloud, and only opens a plan; `G` and `N` are vim's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

# Where a key works: everywhere; in every list; in lists of resources; in the views of one resource.
PLACES = {
    "all": "everywhere",
    "list": "in lists",
    "resources": "in lists of resources",
    "detail": "in the view of one resource",
    "raw": "in YAML and JSON",
    "log": "in a console log",
    "events": "in the events of one resource",
    "find": "in what was found",
    "tree": "in a tree of what uses what",
    "audit": "in the audit",
    "notes": "in the notes",
    "saved": "in the saved views",
    "columns": "in the column chooser",
    "clouds": "on the page of clouds",
    "jobs": "in the list of jobs",
    "job": "in the view of one job",
    "setup": "on the page of clouds that can be added",
    "listings": "in the listings",
    "settings": "in the settings",
    "health": "in tenant health",
    "tenant": "on the page of a tenant",
    "heatmap": "on the heatmap of tenants",
    "history": "in the history of one resource",
    "compare": "in two states side by side",
    "changes": "in what changed",
    "timeline": "in the timeline of changes",
    "report": "in the report on a period",
    "problems": "in the problems",
    "board": "on the dashboard and the page of a tenant",
    "dashboard": "on the dashboard",
    "drift": "in the drift",
    "drift_event": "in the view of one drift event",
    "rules": "in the rules of drift",
    "ignores": "in what drift leaves out",
    "windows": "in the maintenance windows",
    "room": "on the pages of snapshots",
    "protection": "on the overview of snapshots",
    "policies": "in the policies and sets of snapshots",
    "kept": "in the volumes by compliance",
    "runs": "in the runs of snapshots, and in one",
    "exclusions": "in the exclusions from snapshots",
    "points": "in the restore points of one resource",
    "why": "on the page of why a volume has its policies",
    "restores": "in the list of restores",
    "restore": "in the view of one restore",
    "restore_kept": "in what restores keep for a while",
    "restore_many": "in restores of many machines",
    "copilot": "in questions to the copilot",
}
FORBIDDEN = ("ctrl+", "alt+", "f1", "f10", "f11", "tilde")


@dataclass(frozen=True, slots=True)
class Action:
    """One thing the console can do. `id` is also the name of the method: `action_<id>`.

    keys   Textual names of keys; the first one is shown
    where  places of PLACES
    label  short word for the footer, "" = not in the footer
    weight footer order, smaller first; what doesn't fit is left to the help
    but    places where its key means something else
    """

    id: str
    keys: tuple[str, ...]
    title: str
    where: tuple[str, ...] = ("all",)
    label: str = ""
    weight: int = 50
    but: tuple[str, ...] = ()

    def works_in(self, places: Iterable[str]) -> bool:
        """Whether it works where all these places are at once."""
        here = {"all", *places}
        return bool(here.intersection(self.where)) and not here.intersection(self.but)


ACTIONS: tuple[Action, ...] = (
    Action("open", ("enter",), "open what is under the cursor", ("list", "job", "restore", "tree", "board"), "open",
           10),
    Action("raw", ("y",), "the whole document as YAML; again: as JSON", ("resources", "detail", "raw"), "yaml", 20),
    Action("filter", ("slash",), "filter: words, col:value, !not, age:<2d; esc clears",
           ("list", "job", "restore", "tree"), "filter", 12),
    Action("command", ("colon",), "command bar: any type, for example :servers /web sort:age", ("all",), "go to", 11),
    Action("scope", ("at",), "choose cloud or project", ("all",), "cloud", 30),
    Action("home", ("0",), "dashboard: is anything wrong?", ("all",), "dashboard", 40),
    Action("clouds", ("c",), "clouds: how each one is doing", ("board",), "clouds", 14),
    Action("problems", ("exclamation_mark",), "everything that is wrong, worst first", ("board", "clouds"),
           "problems", 12),
    Action("health", ("t",), "tenants: how healthy they are, and why", ("dashboard",), "tenants", 15),
    Action("quota", ("u",), "live quota: asked of the cloud now", ("tenant",), "quota", 11),
    Action("heatmap", ("v",), "tenants as a heatmap of use, or as a list", ("health", "heatmap"), "heatmap", 13),
    Action("board_down", ("j", "down"), "to the line below", ("board",)),
    Action("board_up", ("k", "up"), "to the line above", ("board",)),
    Action("board_left", ("left",), "to what stands on the left", ("board",)),
    Action("board_right", ("right",), "to what stands on the right", ("board",)),
    Action("board_next", ("tab",), "to the next number or line", ("board",), "next", 13),
    Action("board_previous", ("shift+tab",), "to the number or line before", ("board",)),
    Action("board_top", ("g", "home"), "to the first number or line", ("board",)),
    Action("board_end", ("G", "end"), "to the last number or line", ("board",)),
    Action("inventory", ("1",), "inventory: every type with its count", ("all",), "inventory", 41),
    Action("refresh", ("r",), "refresh now: ask the clouds for newer data", ("all",), "refresh", 35),
    Action("pause", ("p",), "pause or go on with live refresh", ("all",), "pause", 60),
    Action("collections", ("c",), "collection in progress, type by type", ("clouds",), "collection", 15),
    Action("listings", ("l",), "how each list of the cloud was read last: what is doubtful or old", ("clouds",),
           "listings", 17),
    Action("decide", ("equals_sign",), "rows that vanished suspiciously: say whether they are gone",
           ("resources", "listings", "clouds"), "", 18),
    Action("demo", ("d",), "leave, and open the console on a demo cloud", ("setup",), "demo", 13),
    Action("activity", ("a",), "activity: what was said, collections, jobs", ("all",), "activity", 57,
           but=("drift", "drift_event", "policies")),
    Action("reset_setting", ("delete",), "go back to the default of the setting", ("settings",), "default", 13),
    Action("add_cloud", ("plus",), "add a cloud of clouds.yaml", ("clouds",), "add cloud", 14),
    Action("step_back", ("escape",), "back one step: bar, filter, marks, view", ("all",), "back", 55),
    Action("close", ("q",), "close the view; at the last one, leave (the engine goes on)", ("all",), "close", 56),
    Action("previous", ("left_square_bracket",), "previous view", ("all",)),
    Action("next", ("right_square_bracket",), "next view", ("all",)),
    Action("swap", ("minus",), "the view before this one, and back", ("all",)),
    Action("help", ("question_mark",), "this help", ("all",)),
    Action("down", ("j", "down"), "down", ("list", "log", "job", "restore", "tree")),
    Action("up", ("k", "up"), "up", ("list", "log", "job", "restore", "tree")),
    Action("top", ("g", "home"), "first row", ("list", "job", "restore", "tree")),
    Action("end", ("G", "end"), "last row", ("list", "job", "restore", "tree")),
    Action("page_down", ("pagedown",), "one page down", ("list", "log", "job", "restore", "tree")),
    Action("page_up", ("pageup",), "one page up", ("list", "log", "job", "restore", "tree")),
    Action("half_down", ("right_curly_bracket", "shift+down"), "half a page down",
           ("list", "log", "job", "restore", "tree")),
    Action("half_up", ("left_curly_bracket", "shift+up"), "half a page up", ("list", "log", "job", "restore", "tree")),
    Action("column_left", ("left",), "column cursor to the left", ("list", "job", "restore")),
    Action("column_right", ("right",), "column cursor to the right; columns scroll", ("list", "job", "restore")),
    Action("sort", ("o",), "sort by the column under the cursor; again: reverse, as before", ("list",), "sort", 25),
    Action("wide", ("w",), "wide or narrow columns", ("list",), "wide", 45, but=("kept", "points", "policies")),
    Action("log", ("l",), "console log of a server, events of anything else; again: the other one",
           ("resources", "detail", "raw", "log", "events"), "log", 22),
    Action("history", ("h",), "history: every version, and what changed in it",
           ("resources", "detail", "raw", "log", "events", "find", "tree", "drift", "drift_event", "changes",
            "compare", "problems", "notes", "kept", "points"), "history", 23),
    Action("compare", ("equals_sign",), "side by side: two marked versions, or this one and the newest",
           ("history", "changes"), "compare", 14),
    Action("mark_version", ("space",), "mark the version: two can be compared", ("history",), "mark", 15),
    Action("all_fields", ("space",), "only what differs, or every field", ("compare",), "all fields", 13),
    Action("as_then", ("d",), "the resource as it was then", ("history", "compare", "changes"), "as it was", 16),
    Action("changes", ("comma",), "what changed between two times, over the whole estate", ("all",), "changes", 54,
           but=("drift", "drift_event")),
    Action("next_mode", ("tab",), "differences, single changes, what changed most; again: the next", ("changes",),
           "other list", 13),
    Action("previous_mode", ("shift+tab",), "the list of changes before this one", ("changes",)),
    Action("timeline", ("t",), "the same times, counted by hour or day", ("changes", "report"), "timeline", 17),
    Action("span", ("u",), "other times: yesterday 14:00 .. now", ("changes", "timeline", "report"), "times", 18),
    Action("follow", ("f",), "follow: read the end again every 2 s while the cursor is there", ("log",), "follow", 10),
    Action("log_end", ("G", "end"), "last line, and follow", ("log",), "end", 13),
    Action("log_top", ("g", "home"), "first line", ("log",)),
    Action("search", ("slash",), "search in the text", ("log",), "search", 12),
    Action("search_next", ("n",), "next line with the text", ("log",)),
    Action("search_previous", ("N",), "previous line with the text", ("log",)),
    Action("wrap", ("w",), "long lines: broken to the width, or cut", ("log",), "wrap", 44),
    Action("log_times", ("t",), "with or without the times in front of the lines", ("log",), "times", 45),
    Action("copy", ("c",), "copy id, name, cell, row or a command: to the terminal, tmux, or a file",
           ("resources", "detail", "raw", "log", "events", "find", "audit", "tree", "drift", "drift_event", "kept",
            "points"), "copy", 23),
    Action("export", ("E",), "save as a new file: lists as csv, xlsx, parquet or json, texts as text",
           ("list", "log", "job", "restore", "tree"), "save", 53),
    Action("tree", ("t",), "tree: what it uses and what uses it",
           ("resources", "detail", "raw", "events", "find", "tree", "drift", "drift_event", "kept", "points"), "tree",
           24),
    Action("describe", ("d",), "all that is known of it",
           ("resources", "raw", "log", "events", "find", "tree", "drift", "drift_event", "kept", "points")),
    Action("expand", ("right",), "open the branch; again: into it", ("tree",), "open branch", 12),
    Action("collapse", ("left",), "close the branch; again: to what it hangs on", ("tree",), "close", 13),
    Action("toggle_branch", ("space",), "open or close the branch", ("tree",)),
    Action("related", ("tab",), "what hangs on it: volumes, ports, …; again: the next",
           ("resources", "detail", "raw", "events"), "related", 16),
    Action("related_back", ("shift+tab",), "the same, the other way round", ("resources", "detail", "raw", "events")),
    Action("as_of", ("u",), "as it was at a time: yesterday 14:00, 2h ago",
           ("resources", "detail", "raw", "events", "tree"), "as of", 43),
    Action("columns", ("vertical_line",), "choose columns and their order", ("resources",), "columns", 49),
    Action("column_earlier", ("less_than_sign",), "move the column to the left", ("resources", "columns")),
    Action("column_later", ("greater_than_sign",), "move the column to the right", ("resources", "columns")),
    Action("toggle_column", ("space",), "show or hide the column", ("columns",), "show or hide", 12),
    Action("declared_columns", ("delete",), "the columns that the type declares", ("columns",), "as declared", 13),
    Action("mark", ("space",), "mark the row", ("resources", "drift", "kept", "points"), "mark", 46),
    Action("note", ("n",), "write a note on it; until:2h at its end says how long it holds",
           ("resources", "detail", "raw", "events", "clouds", "notes", "jobs", "job", "problems", "drift",
            "drift_event", "restores", "restore"), "note", 47),
    Action("audit", ("8",), "audit: who did what to what, under which ticket", ("all",)),
    Action("saved_views", ("apostrophe",), "saved views: yours and shared ones", ("all",)),
    Action("bookmark", ("b",), "keep this view under a name", ("list",)),
    Action("remove_note", ("delete",), "take the note back", ("notes",), "take back", 48),
    Action("remove_view", ("delete",), "delete the saved view", ("saved",), "delete", 48),
    Action("actions", ("x",), "what can be done to the row or the marks; a plan comes first",
           ("resources", "detail", "raw", "events", "clouds"), "actions", 13),
    Action("rename", ("e",), "rename the row or the marks (a plan comes first)", ("resources", "detail"), "rename", 51),
    Action("delete", ("D",), "delete the row or the marks (a plan comes first)", ("resources", "detail"), "delete", 52),
    Action("writes", ("W",), "read-only mode of the cloud: lift it for a while, or end it", ("clouds",),
           "writable", 16),
    Action("jobs", ("7",), "jobs: what runs and what ran", ("all",), "jobs", 42),
    Action("take_problem", ("t",), "say that you have it; again: that nobody has", ("problems",), "take", 13),
    Action("mute_problem", ("m",), "mute it: no bell, no line, not counted until then; off ends that",
           ("problems",), "mute", 14),
    Action("cancel_job", ("c",), "cancel the job: no further step begins", ("jobs", "job"), "cancel", 17),
    Action("retry_job", ("t",), "try what failed or was skipped again, as a new job", ("jobs", "job"), "retry", 18),
    Action("open_machine", ("o",), "the machine of the step", ("job",), "machine", 19),
    Action("range", ("v",), "begin a range; again: mark what lies between",
           ("resources", "drift", "kept", "points")),
    Action("mark_all", ("asterisk",), "mark all rows that pass the filter; again: none",
           ("resources", "drift", "kept", "points")),
    Action("drift", ("2",), "drift: what is other than it was, by whom, how bad", ("all",), "drift", 41),
    Action("acknowledge", ("a",), "acknowledge the event or the marks, with a note", ("drift", "drift_event"),
           "acknowledge", 11),
    Action("acknowledge_all", ("A",), "acknowledge all events that pass the filter", ("drift",), "all", 13),
    Action("unacknowledge", ("u",), "take the acknowledgement back; on others: the last one made",
           ("drift", "drift_event"), "undo", 14),
    Action("by_severity", ("exclamation_mark",), "critical alone; again: warning, info, all", ("drift",),
           "severity", 15),
    Action("show_acknowledged", ("full_stop",), "show or hide what was acknowledged", ("drift",), "acknowledged", 16),
    Action("show_expected", ("comma",), "show or hide what is expected (our own jobs) or ignored", ("drift",),
           "expected", 17),
    Action("drift_pages", ("tab",), "the rules, the ignores, the maintenance windows, and back",
           ("drift", "rules", "ignores", "windows"), "pages", 18),
    Action("ignore_like", ("plus",), "leave out events like this one: an entry of the ignores",
           ("drift", "drift_event"), "ignore", 19),
    Action("add_entry", ("plus",), "add an entry, a maintenance window", ("ignores", "windows"), "add", 12),
    Action("remove_entry", ("delete",), "take the entry back, end the window", ("ignores", "windows"), "remove", 20),
    Action("toggle_rule", ("space",), "switch the rule on or off", ("rules",), "on or off", 12),
    Action("rule_severity", ("e",), "another severity for the rule's events", ("rules",), "severity", 13),
    Action("snapshots", ("3",), "snapshots: what is due, runs, failed, is not covered", ("all",), "snapshots", 41),
    Action("points", ("m",), "moments it can go back to: its restore points, the newest first",
           ("resources", "detail", "raw", "events", "find", "tree", "kept", "why"), "points", 50),
    Action("take_snapshot", ("S",), "take a snapshot of it now (a plan comes first)",
           ("resources", "detail", "tree"), "snapshot", 51),
    Action("take_point", ("S",), "take a snapshot of what this is about, or of the marks (a plan comes first)",
           ("kept", "points", "why"), "snapshot", 12),
    Action("delete_points", ("D",), "delete the marked restore points (a plan comes first)", ("points",),
           "delete", 13),
    Action("room_next", ("tab",), "policies, volumes, runs, exclusions, and back",
           ("policies", "kept", "runs", "exclusions"), "pages", 18),
    Action("room_previous", ("shift+tab",), "the page of snapshots before this one",
           ("policies", "kept", "runs", "exclusions")),
    Action("policies", ("s",), "policies, and the sets that give them to volumes", ("room",), "policies", 13),
    Action("kept_volumes", ("v",), "volumes, and whether their policies are kept", ("room",), "volumes", 13,
           but=("kept", "points")),
    Action("runs", ("u",), "runs: what was made, what not and why", ("room",), "runs", 13),
    Action("exclusions", ("x",), "volumes that get no snapshots, and why", ("room",), "exclusions", 14,
           but=("points",)),
    Action("enable_cloud", ("W",), "allow policy runs in a cloud, or end that", ("protection", "policies", "runs"),
           "allow runs", 30),
    Action("run_policies", ("S",), "take what a policy wants, now (a dry run says what that is)",
           ("protection", "policies", "runs"), "run now", 20),
    Action("add_policy", ("a",), "add a policy or a set", ("policies",), "add", 11),
    Action("edit_policy", ("e",), "change the policy or set", ("policies",), "edit", 12),
    Action("toggle_policy", ("space",), "switch the policy or set on or off", ("policies",), "on or off", 13),
    Action("delete_policy", ("D",), "delete the policy or set, once its name is typed", ("policies",), "delete", 19),
    Action("why", ("w",), "why the volume has its policies, or has none", ("kept", "points"), "why", 11),
    Action("by_compliance", ("exclamation_mark",), "missing alone; again: blocked by quota, pending, all", ("kept",),
           "status", 15),
    Action("exclude", ("plus",), "exclude a volume, a project or what matches, with a reason",
           ("exclusions", "kept", "why"), "exclude", 14),
    Action("end_exclusion", ("delete",), "end the exclusion", ("exclusions",), "end", 20),
    Action("cancel_run", ("c",), "cancel the run: no further snapshot begins", ("runs",), "cancel", 14),
    Action("retry_run", ("t",), "try what failed or was skipped again", ("runs",), "retry", 15),
    Action("open_job", ("l",), "the job of the run, step by step", ("runs",), "job", 16),
    Action("restores", ("4",), "restores: what runs, ran and is planned, and what is kept", ("all",), "restores", 41),
    Action("restore", ("R",), "restore the machine (triage and a plan come first)",
           ("resources", "detail", "raw", "log", "events", "find", "tree", "history", "kept", "points", "problems"),
           "restore", 19),
    Action("restore_answer", ("y",), "say whether the restored machine answers", ("restores", "restore"),
           "answer", 11),
    Action("restore_cancel", ("c",), "cancel the restore: all is put back as it was", ("restores", "restore"),
           "cancel", 14),
    Action("restore_retry", ("t",), "try the restore again from the step that failed", ("restores", "restore"),
           "retry", 15),
    Action("restore_cleanup", ("u",), "list what the restore left behind, and remove it", ("restores", "restore"),
           "clean up", 16),
    Action("restore_storage", ("s",), "delete the old root volume of a finished REPLACE", ("restores", "restore"),
           "old storage", 17),
    Action("restore_log", ("l",), "console log of the machine that the restore made", ("restores", "restore"),
           "log", 18),
    Action("restore_machine", ("o",), "the machine that the restore made, or is of", ("restore",), "machine", 19),
    Action("restore_pages", ("tab", "shift+tab"), "restores, what is kept, and back", ("restores", "restore_kept"),
           "pages", 20),
    Action("many_pause", ("space",), "begin no further machine for now; again: go on", ("restore_many",), "pause", 12),
    Action("many_cancel", ("c",), "cancel the machines that have not begun, or all", ("restore_many",), "cancel", 13),
    Action("keep_longer", ("e",), "keep it for more days", ("restore_kept",), "longer", 12),
    Action("release_kept", ("f",), "keep it for good: it is no longer removed at a date", ("restore_kept",),
           "release", 13),
    Action("ask", ("i",), "ask in plain words; what is selected goes along", ("all",), "ask", 13),
    Action("copilot", ("9",), "copilot: your questions, what can be asked, the model", ("all",), "copilot", 43),
    Action("copilot_pages", ("tab", "shift+tab"), "your questions, what can be asked, and back", ("copilot",),
           "pages", 12),
    Action("answer_helpful", ("y",), "the answer was helpful", ("copilot",), "helpful", 13),
    Action("answer_unhelpful", ("n",), "the answer was not helpful", ("copilot",), "not helpful", 14),
    Action("test_model", ("t",), "ask the model whether it answers, and how fast", ("copilot",), "test model", 15),
    Action("model_settings", ("s",), "settings of the copilot: which model, where, what may leave", ("copilot",),
           "settings", 16),
    Action("forget_questions", ("delete",), "forget all your questions and answers", ("copilot",), "forget", 17),
    Action("remove_kept", ("D",), "remove it now, once its name is typed", ("restore_kept",), "remove", 14),
)  # fmt: skip

_SYMBOLS = {
    "slash": "/", "colon": ":", "at": "@", "left_square_bracket": "[", "right_square_bracket": "]", "minus": "-",
    "question_mark": "?", "escape": "esc", "pagedown": "pgdn", "pageup": "pgup", "right_curly_bracket": "}",
    "left_curly_bracket": "{", "plus": "+", "down": "↓", "up": "↑", "left": "←", "right": "→", "shift+down": "shift ↓",
    "shift+up": "shift ↑", "apostrophe": "'", "delete": "del", "asterisk": "*", "shift+tab": "shift tab",
    "vertical_line": "|", "equals_sign": "=", "less_than_sign": "<", "greater_than_sign": ">",
    "exclamation_mark": "!", "full_stop": ".", "comma": ",",
}  # fmt: skip


# What people call keys in keys.toml, beside the characters on them.
_NAMES = {
    "esc": "escape", "return": "enter", "del": "delete", "pgdn": "pagedown", "pgup": "pageup", "shift tab": "shift+tab",
    "shift up": "shift+up", "shift down": "shift+down", "backtab": "shift+tab",
}  # fmt: skip
_KEYS = frozenset(
    {
        *("escape", "enter", "tab", "shift+tab", "space", "delete", "insert", "backspace", "home", "end", "pageup"),
        *("pagedown", "up", "down", "left", "right", "shift+up", "shift+down", "shift+left", "shift+right"),
        *(f"f{number}" for number in range(2, 13)),
    }
)


def symbol(key: str) -> str:
    """What is written on the key."""
    return _SYMBOLS.get(key) or _character(key) or key


def _character(key: str) -> str:
    """The character of a key that Textual calls by its Unicode name."""
    if len(key) == 1 or key in _KEYS:
        return key
    try:
        return unicodedata.lookup(_UNUSUAL.get(key, key).replace("_", " "))
    except KeyError:
        return ""


# Where Textual's names are not those of Unicode.
_UNUSUAL = {
    "slash": "solidus", "backslash": "reverse_solidus", "at": "commercial_at", "underscore": "low_line",
    "minus": "hyphen-minus", "plus": "plus_sign",
}  # fmt: skip


def key_named(word: str) -> str | None:
    """Textual's name of the key that a person calls so; None when there is none."""
    from textual.keys import _character_to_key  # here: the command line needs no Textual

    name = _NAMES.get(word.lower(), word.lower())
    if name in _KEYS or reserved(name):
        return name
    if len(word) == 1:
        return "space" if word == " " else _character_to_key(word) if word.isprintable() else None
    found = _character(word.lower())
    return word.lower() if len(found) == 1 and found.isprintable() else None


def reserved(key: str) -> bool:
    """Whether something between the keyboard and the console takes a key."""
    return any(key.startswith(bad) if bad.endswith("+") else key == bad for bad in FORBIDDEN)


def actions_in(places: Iterable[str], actions: Iterable[Action] = ACTIONS) -> list[Action]:
    """The actions that work in any of these places, in the order of the registry."""
    places = tuple(places)
    return [action for action in actions if action.works_in(places)]


def action_of(key: str, places: Iterable[str], actions: Iterable[Action] = ACTIONS) -> Action | None:
    """What a key does in these places."""
    return next((action for action in actions_in(places, actions) if key in action.keys), None)


def footer_actions(places: Iterable[str], actions: Iterable[Action] = ACTIONS) -> list[Action]:
    """The actions of the footer, most useful first."""
    return sorted((a for a in actions_in(places, actions) if a.label and a.keys), key=lambda action: action.weight)


def clashes(actions: Iterable[Action] = ACTIONS) -> list[str]:
    """Sentences about keys that are bound twice where both would work, or must not be bound at all."""
    from tui.keymap import overlaps  # here: it needs the registry

    actions = list(actions)
    found = [
        f"{action.id}: {key} is taken by terminals, shells or tmux"
        for action in actions
        for key in action.keys
        if reserved(key)
    ]
    for first, second, key, places in overlaps(actions):
        found.append(f"{second.id} and {first.id} both want {key} {', '.join(PLACES.get(p, p) for p in places)}")
    return found
