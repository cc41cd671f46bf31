""" "This machine", "it", "these": words that point at what is selected, or was spoken of, where there is nothing such.

To answer as if they were not there would be to speak of everything. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from copilot.answers import Answer, Context
from copilot.grammar.frames import Frame
from copilot.grammar.items import Item
from copilot.model.registry import entity

_THIS = frozenset({"this", "this one", "selected", "the selected", "highlighted", "marked", "chosen"})
_PRONOUNS = frozenset({"it", "its", "these", "those", "of these", "of those"})
_DATA = frozenset({"live", "fresh", "current", "up to date", "real time", "stale", "outdated"})
_EVERYTHING = frozenset(
    {"cloud", "clouds", "estate", "environment", "infrastructure", "installation", "place", "console", "portal",
     "tool", "application", "data", "information"}
)  # fmt: skip


def pointless(items: Sequence[Item], context: Context) -> str:
    """The word that points at nothing; "" where none does."""
    if any(isinstance(turn.frame, Frame) or turn.named for turn in context.turns):
        return ""  # at what was spoken of
    for at, item in enumerate(items):
        if item.named or item.value or item.period or item.quantity:
            if item.named:
                return ""  # "does web-03 have a snapshot of it"
            continue
        behind = items[at + 1] if at + 1 < len(items) else None
        if item.said in _THIS and item.is_concept("this"):
            if behind is not None and (set(behind.said.split()) & _EVERYTHING or behind.said in _DATA):
                continue
            if behind is not None and behind.entities:
                return f"{item.text} {behind.text}"
            if not context.selected:
                return item.text
        if (
            item.said in _PRONOUNS
            and not context.selected
            and not any(one.named for one in items)  # "is it possible to stop web-03"
            and not (item.said == "its" and any(one.entities for one in items[:at]))  # "a project over its quota"
            and not (behind is not None and behind.entities == ["cloud"])
        ):
            return item.text.removeprefix("of ")
    return ""


def nothing_there(word: str, context: Context) -> Answer:
    """What would help."""
    if not context.selected:
        text = f"Nothing is selected that “{word}” could mean: say its name, or mark it in a list and ask there."
    else:
        kinds = dict.fromkeys(entity(one.type).singular for one in context.selected)
        text = f"What is selected is a {' or '.join(kinds)}, so it is not clear what “{word}” means: say its name."
    return Answer("ask_back", text, confidence=0.5, unknown=(word,))
