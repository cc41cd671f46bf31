"""The copilot's answers for the console: their words, the views they open, and what is offered while somebody types.

Pure. Texts of answers are made by clouds, people and models: every one is cleaned here before it goes anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tui.panes.pane import Parts
from tui.state import KINDS, OF_ONE, PROTECTED, View
from tui.table.cells import clean, cut_end
from tui.table.layout import Head
from tui.table.spec import Key
from tui.times import age

QUESTIONS = "/q/copilot/questions"
SUGGESTIONS = "/q/copilot/suggestions"
HISTORY = "/q/copilot/history"
FEEDBACK = "/q/copilot/feedback"
STATUS = "/q/copilot/status"
TEST = "/api/copilot/test-connection"
MOST_QUESTION = 1000  # characters; the engine takes no more
MOST_SELECTED = 200
DOT = " · "
LONGEST = 20_000  # characters of an answer that are shown
Answer = Mapping[str, Any]

# Cells of a column by its role, where there is room; what is not named takes TEXT_CELLS.
CELLS = {
    "name": 24, "status": 12, "number": 8, "size_mb": 7, "size_gb": 7, "size_bytes": 7, "time": 7, "address": 16,
    "id": 13, "bool": 5,
}  # fmt: skip
TEXT_CELLS = 28
# Panes that an answer may call by the name of their area.
AREAS = {
    "snapshots": "protection", "restore": "restores", "home": "dashboard", "tenants": "health", "cloud": "clouds",
}  # fmt: skip
_LETTERS = {"restore": "R", "snapshot": "S", "delete": "D", "rename": "e"}
_FREE = "opabtvwxzfhlrumd"  # letters for what else is proposed, in order
_ASKED_FIRST = {
    "server": ("is this machine protected?", "what changed on this machine since yesterday?", "who owns this machine?"),
    "volume": ("is this volume protected?", "what is this volume attached to?"),
}


@dataclass(frozen=True, slots=True)
class Chip:
    """A question that is offered; of a template the end is still to be written. `why`: its group, or "asked"."""

    question: str
    why: str = ""
    template: bool = False


def local_zone() -> str | None:
    """The IANA name of the operator's zone; None when the machine doesn't tell."""
    named = os.environ.get("TZ", "").lstrip(":")
    if "/" in named and not named.startswith("/"):
        return named
    try:
        _, found, name = str(Path("/etc/localtime").resolve()).partition("zoneinfo/")
    except OSError:
        return None
    return name if found and not named else None


# Words about an answer


def text_of(answer: Answer) -> list[str]:
    """The answer's lines, cleaned; marks of bold print are left out."""
    return lines_of(str(answer.get("text") or ""))


def lines_of(text: str) -> list[str]:
    """Cleaned lines of a text."""
    return [clean(line, LONGEST).rstrip() for line in text[:LONGEST].replace("**", "").strip().splitlines()]


def sure_words(answer: Answer) -> tuple[str, str]:
    """(words, style) about how surely it was answered."""
    outcome = answer.get("outcome")
    if outcome == "ask_back":
        return "which one is meant?", "warn"
    if outcome == "unsure":
        unknown = ", ".join(clean(word) for word in answer.get("unknown") or ())
        return f"not understood{': ' * bool(unknown)}{unknown}", "warn"
    if outcome == "apology":
        return "could not be answered", "warn"
    if outcome == "proposal":
        return "nothing is done yet: a key opens the plan", "ok"
    if answer.get("sure"):
        return "sure", "ok"
    return "NOT SURE: check it", "warn"


def rows_words(answer: Answer) -> str:
    """How many rows it has: 2 rows; 200 of 1,234 rows; "" without a table."""
    table = answer.get("table") or {}
    shown, total = len(table.get("rows") or ()), int(table.get("total") or 0)
    if not shown:
        return ""
    number = f"{shown:,} of {total:,}" if total > shown else f"{shown:,}"
    return f"{number} row{'s' if max(total, shown) != 1 else ''}"


def age_words(answer: Answer, waited: float) -> tuple[str, str]:
    """(words, style) about how old its data is, `waited` seconds after it came; ("", ...) when there was none."""
    if answer.get("live"):
        return "asked of the cloud just now", "muted"
    seconds = answer.get("data_age_seconds")
    if not isinstance(seconds, int | float):
        return "", "muted"
    return f"data {age(seconds + waited)} old", "warn" if seconds + waited > 1800 else "muted"


def model_words(answer: Answer) -> str:
    """Which model worded it, and that something left the machine for that; "" for the built-in answer."""
    if answer.get("backend_used") in (None, "", "builtin"):
        return ""
    name = clean(" ".join(str(answer[part]) for part in ("backend_used", "model") if answer.get(part)))
    used = [f"{int(answer['tokens_used']):,} tokens"] if answer.get("tokens_used") else []
    used += [f"cost {answer['cost']:.4f}"] if isinstance(answer.get("cost"), int | float) else []
    sent = "sent outside, redacted" if answer.get("data_sent_external") else "nothing left this machine"
    return f"worded by {name}, {', '.join([sent, *used])}"


def status_words(status: Mapping[str, Any]) -> str:
    """Who is asked when the built-in engine is not sure: ollama llama3, local."""
    if status.get("backend") in (None, "", "builtin"):
        return "built-in answers only, no model"
    name = clean(" ".join(str(status[part]) for part in ("backend", "model") if status.get(part)))
    where = "local" if status.get("local") else "outside: what is sent is redacted" if status.get("external") else ""
    if not status.get("ready", True):
        where = f"not ready: {clean(status.get('reason') or 'it does not say why')}"
    return f"{name}, {where}".rstrip(", ")


def facts(answer: Answer, waited: float) -> Parts:
    """Rows, how sure, data age, scope, and the model: what an answer stands on, as one line."""
    found: Parts = []
    if rows := rows_words(answer):
        found.append((rows, "strong"))
    found.append(sure_words(answer))
    found.append(age_words(answer, waited))
    found += [(clean(words), "muted") for words in answer.get("scope") or ()]
    if answer.get("outcome") != "unsure" and (unknown := [clean(word) for word in answer.get("unknown") or ()]):
        found.append((f"not understood: {', '.join(unknown)}", "warn"))
    if model := model_words(answer):
        found.append((model, "warn" if answer.get("data_sent_external") else "muted"))
    if why := clean(answer.get("fallback_reason") or ""):
        found.append((f"the model has not answered: {why}", "warn"))
    parts: Parts = []
    for words, style in found:
        if words:
            parts += [(DOT, "muted")] * bool(parts) + [(words, style)]
    return parts


def as_text(question: str, answer: Answer) -> str:
    """Question and answer for the clipboard."""
    return "\n".join([f"> {clean(question)}", *text_of(answer), "".join(text for text, _ in facts(answer, 0))])


# What can be done with an answer


def proposals_of(answer: Answer) -> list[tuple[str, Mapping[str, Any]]]:
    """(key, proposal) of what can be done with it; "enter" for the list that holds the rows: a list that a model
    proposes need not be that of the rows it talks about.
    """
    own_rows = answer.get("backend_used") in (None, "", "builtin") or not (answer.get("table") or {}).get("rows")
    found: list[tuple[str, Mapping[str, Any]]] = []
    taken = {"y", "n", "s", "c", "i", "j", "k", "q", "g", "G"}
    for one in answer.get("proposals") or ():
        if not isinstance(one, Mapping):
            continue
        is_list = one.get("kind") == "open" and one.get("type") and not one.get("keys")
        if is_list and own_rows and all(key != "enter" for key, _ in found):
            found.append(("enter", one))
            continue
        verb = str(one.get("name") or "").rpartition(".")[2]
        letters = (_LETTERS.get(verb, "") if one.get("kind") == "prefill" else "") + _FREE
        key = next((letter for letter in letters if letter not in taken), "")
        if key:
            taken.add(key)
            found.append((key, one))
    return found


def opens(answer: Answer) -> bool:
    """Whether enter leads to rows."""
    table = answer.get("table") or {}
    return bool(table.get("rows")) or any(key == "enter" for key, _ in proposals_of(answer))


def view_of(proposal: Mapping[str, Any]) -> View | None:
    """The view that a proposal of kind open or pane means; None when this release has none."""
    at, filter = str(proposal.get("at") or ""), str(proposal.get("filter") or "")
    keys = [tuple(str(part) for part in key) for key in proposal.get("keys") or ()]
    if proposal.get("kind") == "open":
        return _resources(str(proposal.get("type") or ""), keys, filter, _sort(proposal), at)
    name = str(proposal.get("name") or "").replace("_", "-").lower()
    kind = AREAS.get(name, name if name in KINDS else name.replace("-", "_"))
    type = str(proposal.get("type") or "")
    if kind in (*OF_ONE, *PROTECTED) and len(keys) == 1 and len(keys[0]) == 3:
        return View(kind, type, subject=keys[0], at=at)
    if kind == "tenant" and keys:
        return View("tenant", subject=(keys[0][0], keys[0][-1]))
    if kind not in KINDS or kind in (*OF_ONE, *PROTECTED, "tenant", "list", "columns", "record", "job"):
        return None
    return View(kind, filter=filter, at=at)


def _sort(proposal: Mapping[str, Any]) -> tuple[tuple[str, bool], ...]:
    return tuple((str(pair[0]), bool(pair[1])) for pair in proposal.get("sort") or () if len(pair) == 2)


def _resources(
    type_name: str, keys: Sequence[Key], filter: str, sort: tuple[tuple[str, bool], ...], at: str
) -> View | None:
    from store.types import registry

    if type_name not in registry.ALL:
        return None
    if len(keys) == 1 and len(keys[0]) == 3:
        return View("detail", type_name, subject=keys[0], at=at)
    return None if keys else View("list", type_name, filter, sort, at=at)


# The rows of an answer


def heads_of(answer: Answer) -> list[Head]:
    """The columns of an answer's table."""
    columns = (answer.get("table") or {}).get("columns") or ()
    return [
        Head(
            str(one.get("name")),
            head_title(one),
            str(one.get("role") or "text"),
            CELLS.get(str(one.get("role")), TEXT_CELLS),
            number,
        )
        for number, one in enumerate(columns)
        if isinstance(one, Mapping)
    ]


def head_title(column: Mapping[str, Any]) -> str:
    """A column's head: as it was written, in capitals where that has none (vCPU stays vCPU)."""
    title = clean(column.get("title") or column.get("name") or "")
    return title if title != title.lower() else title.upper()


def names_of(answer: Answer) -> tuple[str, ...]:
    """Names of its table's columns."""
    return tuple(head.name for head in heads_of(answer))


def rows_of(answer: Answer) -> list[tuple[Key, list[Any]]]:
    """Rows for a table of the console. The key is that of the row's resource, its type, and the row's number."""
    table, names = answer.get("table") or {}, names_of(answer)
    keys = table.get("keys") or ()
    rows: list[tuple[Key, list[Any]]] = []
    for number, row in enumerate(table.get("rows") or ()):
        about = keys[number] if number < len(keys) else {}
        key = tuple(str(part) for part in about.get("key") or ())
        place = key if len(key) == 3 else ("", "", "")
        rows.append(((*place, str(about.get("type") or ""), str(number)), [row.get(name) for name in names]))
    return rows


# What is offered while somebody types


def chips_of(suggestions: Mapping[str, Any]) -> list[Chip]:
    """The chips of `GET /q/copilot/suggestions`, in the order of their groups."""
    found = suggestions.get("suggestions") or {}
    return [
        Chip(clean_question(chip.get("question") or ""), clean(group.get("name") or ""), bool(chip.get("template")))
        for group in found.get("categories") or ()
        for chip in group.get("chips") or ()
    ]


def clean_question(text: object) -> str:
    """A question as one line; the blank at the end of a template stays."""
    return clean(text)[:MOST_QUESTION].lstrip()


def offers(text: str, chips: Sequence[Chip], asked: Sequence[str], selected: str, most: int) -> list[Chip]:
    """What a text could become, the likeliest first: every typed word begins a word of it.

    asked     earlier questions, the oldest first
    selected  type of the resource that goes along, "" = none
    """
    words = text.lower().split()
    here = [Chip(question, "here") for question in _ASKED_FIRST.get(selected, ())]
    if not words:
        firsts: dict[str, Chip] = {}
        for chip in chips:
            firsts.setdefault(chip.why, chip)
        return [*here, *firsts.values()][:most]
    earlier = [Chip(question, "asked") for question in reversed(asked)]
    found: dict[str, Chip] = {}
    for chip in (*here, *chips, *earlier):
        if _fits(words, chip.question.lower()) and chip.question.strip().lower() != text.strip().lower():
            found.setdefault(chip.question.strip().lower(), chip)
    begins = text.strip().lower()
    return sorted(found.values(), key=lambda chip: not chip.question.lower().startswith(begins))[:most]


def _fits(words: Sequence[str], question: str) -> bool:
    known = question.replace("?", " ").split()
    return all(any(one.startswith(word) for one in known) for word in words)


def selected_words(selected: Sequence[Mapping[str, Any]], name: str) -> str:
    """What goes along with a question: db-primary selected; 3 servers selected."""
    if not selected:
        return ""
    if len(selected) == 1:
        return f"{cut_end(clean(name or selected[0]['key'][-1]), 30)} selected"
    return f"{len(selected):,} {clean(selected[0]['type']).replace('_', ' ')}s selected"


def when(at: str, now: datetime) -> str:
    """How long ago a question was asked."""
    from tui.table.format import age_text

    return age_text(at, now)
