"""Problems as the engine tells them, in the client's words: where one leads, how bad it is, who has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from store.filters import Match, Value, format
from store.types import registry
from tui.early import PATH as PATH
from tui.state import View
from tui.table.cells import clean
from tui.table.format import GLYPHS, moment_of
from tui.times import age

Problem = Mapping[str, Any]
# How bad the words are; a muted problem is quiet whatever it is.
LEVELS: Mapping[str, str] = {"critical": "bad", "warning": "warn", "info": "idle", "muted": "none"}
SEVERITIES = ("critical", "warning", "info")


def word(problem: Problem) -> str:
    """critical, warning, info, or muted."""
    return "muted" if problem.get("muted_until") else str(problem.get("severity") or "info")


def view_of(problem: Problem) -> View | None:
    """What a problem is about: the broken thing, the list of the broken things, its job, the clouds."""
    opens, type = str(problem.get("opens") or ""), str(problem.get("type") or "")
    if opens.startswith("job:"):
        restored = str(problem.get("rule") or "").startswith("restore_")
        return View("restore" if restored else "job", subject=(opens[4:],))
    if opens.startswith("many:"):
        return View("restores-many", subject=(opens[5:],))
    if opens == "kept":
        return View("restore-kept")
    if opens in ("jobs", "clouds", "runs", "protection"):
        return View(opens)
    if opens == "compliance":
        tenant = str(problem.get("project_id") or "")
        words = [format(Match("tenant_id", (Value("=", tenant),)))] if tenant else []
        cloud = str(problem.get("cloud") or "")
        filter = " ".join([*words, "status:=missing,=quota_blocked"])
        return View("compliance", filter=filter, clouds=(cloud,) if cloud else ())
    if type not in registry.ALL:
        return None
    key = tuple(str(part) for part in problem.get("key") or ())
    if len(key) == 3:
        return View("detail", type, subject=key)
    cloud = str(problem.get("cloud") or "")
    return View("list", type, filter=str(problem.get("filter") or ""), clouds=(cloud,) if cloud else ())


def since(problem: Problem) -> str:
    """How long it has been so: 6m; 6m+ when it was so already when it was first looked at."""
    seconds = problem.get("age_seconds")
    if not isinstance(seconds, int | float):
        return ""
    return age(seconds) + ("" if problem.get("since_exact") else "+")


def subject_of(problem: Problem | None) -> dict[str, Any] | None:
    """A problem as what a note is about."""
    if not problem or not problem.get("note_key"):
        return None
    key = [str(part) for part in problem["note_key"]]
    rule, title = str(problem.get("rule") or "")[:64], str(problem.get("title") or "")[:255]
    return {"kind": "problem", "type": rule, "key": key, "name": title}


def muted_words(problem: Problem) -> str:
    """until Sun 14:05, by anna: new disks come at two; "" when it is not muted."""
    if not problem.get("muted_until"):
        return ""
    moment = moment_of(str(problem["muted_until"]))
    until = clean(problem["muted_until"]) if moment is None else moment.astimezone().strftime("%a %H:%M")
    why = f": {clean(problem['mute_reason'])}" if problem.get("mute_reason") else ""
    return f"until {until}, by {clean(problem.get('muted_by') or '?')}{why}"


def record(problem: Problem) -> dict[str, Any]:
    """The fields that a filter knows."""
    key = problem.get("key") or ()
    return {
        "severity": problem.get("severity"),
        "title": problem.get("title"),
        "detail": problem.get("detail"),
        "rule": problem.get("rule"),
        "at": problem.get("since") or problem.get("first_seen"),
        "cloud": problem.get("cloud"),
        "region": problem.get("region"),
        "type": problem.get("type"),
        "project": problem.get("project_name"),
        "owner": problem.get("owner"),
        "note": problem.get("note"),
        "muted": "yes" if problem.get("muted_until") else "no",
        "machines": problem.get("machines"),
        "resource": key[-1] if key else None,
        "id": problem.get("id"),
    }


FIELDS = tuple(record({}))


def counts_words(counts: Mapping[str, Any]) -> str:
    """2 critical, 9 warning, 1 info, 3 muted; "" of none."""
    return ", ".join(f"{counts[name]:,} {name}" for name in (*SEVERITIES, "muted") if counts.get(name))


def counts_glyphs(counts: Mapping[str, Any]) -> str:
    """✖2 ▲9 ○1, and in words how many are muted; "" of none."""
    parts = [f"{GLYPHS[LEVELS[name]]}{counts[name]:,}" for name in SEVERITIES if counts.get(name)]
    return " ".join([*parts, *([f"{counts['muted']:,} muted"] if counts.get("muted") else [])])
