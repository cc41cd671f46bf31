"""What the command bar offers while somebody types: earlier lines, types, verbs, and every action that works here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from store.types import registry
from tui.actions import Action, symbol
from tui.commands import VERB_TITLES, WORDS, completions
from tui.state import View
from tui.table.cells import clean

RECENT = 3  # earlier lines that are offered before anything was typed
_TITLE = 0.6  # how much less what an action does says than its name
_GAPS = 2.0  # letters between the first and the last one found, for each letter asked for


@dataclass(frozen=True, slots=True)
class Offer:
    """One line of the list under the bar.

    text    what the bar's line would be
    title   what it does
    key     what is written on its key
    action  id of the action of the registry; "" = the text is a line of the bar
    why_not why it can't be done now; "" = it can
    """

    text: str
    title: str = ""
    key: str = ""
    action: str = ""
    why_not: str = ""


def offers(
    line: str,
    current: View,
    clouds: Sequence[str],
    actions: Sequence[Action],
    why_not: Callable[[str], str],
    recent: Sequence[str] = (),
    most: int = 8,
) -> list[Offer]:
    """The best offers for what was typed so far.

    actions  those that work on the view, in the order of their use
    recent   earlier lines, the newest last
    """
    typed = line.strip()
    lines = [_line_offer(text) for text in completions(line.lstrip(), current, clouds)]
    if not typed:
        earlier = [Offer(clean(text), "as before") for text in reversed(recent[-RECENT:])]
        half = max(1, (most - len(earlier)) // 2)
        return [*earlier, *lines[:half], *(_action_offer(a, why_not) for a in actions)][:most]
    ranked = []
    for number, action in enumerate(actions):
        name, title = score(typed, action.id.replace("_", "-")), score(typed, action.title)
        best = name if name is not None else None if title is None else title + _TITLE
        if best is not None:
            ranked.append((best, number, action))
    found_actions = [_action_offer(action, why_not) for _, _, action in sorted(ranked, key=lambda r: r[:2])]
    # A word that begins a type is most likely that type; one that begins none is most likely an action.
    first = min(len(lines), max(most - len(found_actions), (most + 1) // 2))
    return [*lines[:first], *found_actions][:most]


def score(query: str, text: str) -> float | None:
    """How well all words of a query are found in a text, 0 best: at the start of a word, inside one, as letters in
    their order not far from each other. None when one isn't.
    """
    text, total = text.lower(), 0.0
    for word in query.lower().split():
        at = text.find(word)
        if at >= 0:
            total += 0.0 if at == 0 else 0.5 if not text[at - 1].isalnum() else 1.0
            continue
        span = _span(word, text)
        if span is None or span > _GAPS * len(word):
            return None
        total += 2.0 + span / len(word)
    return total


def _span(word: str, text: str) -> int | None:
    """Length of the shortest stretch of a text that holds the letters of a word in order, begun at a word's start."""
    best: int | None = None
    for start in range(len(text)):
        if text[start] != word[0] or (start and text[start - 1].isalnum()):
            continue
        at = start
        for letter in word[1:]:
            at = text.find(letter, at + 1)
            if at < 0:
                break
        else:
            best = at - start + 1 if best is None else min(best, at - start + 1)
    return best


def _line_offer(text: str) -> Offer:
    words = text.split()
    word = words[0].lower() if words else ""
    if len(words) == 1 and word in WORDS:
        return Offer(text, VERB_TITLES.get(word, ""))
    if len(words) == 1 and word in VERB_TITLES:
        return Offer(text, VERB_TITLES[word])
    try:
        type = registry.find(word)
    except KeyError:
        return Offer(text)
    return Offer(text, f"the list of {type.plural.replace('_', ' ').replace('-', ' ')}" if len(words) == 1 else "")


def _action_offer(action: Action, why_not: Callable[[str], str]) -> Offer:
    key = symbol(action.keys[0]) if action.keys else ""
    return Offer(action.id.replace("_", "-"), action.title, key, action.id, why_not(action.id))
