"""Whether a question asks for an action, and for which: "pls reboot web-03", "shut web-03 down". Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from copilot.grammar.items import Item
from copilot.grammar.lexicon import Senses, lexicon
from copilot.language.tokens import tokenise
from copilot.topics import acting_words as known

_NAME = "\0"  # stands for a name or value among words
_OBJECT_FIRST = frozenset({"reboot", "unlock", "rename", "migrate", "resize"})
_BEHIND_NOUN = frozenset({"of", "for", "from", "on", "to"})
_BEFORE_NOUN = frozenset({"a", "an", "new", "another", "one", "full", "quick", "manual", "the", "live", *known.HOW})
_PHRASES = {tuple(said.split()): verb for verb, phrases in known.PHRASES.items() for said in phrases}
_BETWEEN = frozenset({"to", "be", "needs", "must", "should", "get", "has"})
_WISHES = frozenset({"need", "needs", "want", "wants", "must", "should", "be", "get", "like", "please"})
_EVERY = frozenset({"of every", "of each", "for every", "for each", "each", "every", "on every", "on each"})
_HOW_TO_WORDS = """how do can to would should i we you does one could"""
_HOW_TO = frozenset(_HOW_TO_WORDS.split())
_LONGEST = max(len(words) for words in _PHRASES)


@dataclass(frozen=True, slots=True)
class Request:
    """An action that was asked for.

    verb  of the action: "stop"; `said` is the word that stood for it: "halt"
    rest  what was said besides the verb: its targets and values
    how   "HARD" or "SOFT" where it was said
    """

    verb: str
    rest: tuple[Item, ...]
    how: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    item: int
    first: bool
    last: bool


def request_of(items: Sequence[Item]) -> Request | None:
    """The action that a question asks for; None when it asks for none."""
    words = _words(items)
    at, how = _polite(words)
    found = _noun(words, at) or _phrase(words, at)
    if found is not None:
        verb, end = found
        rest = _rest(items, range(words[end].item if end < len(words) else len(items), len(items)))
        if end < len(words) and end and words[end].item == words[end - 1].item:
            return None
        said = " ".join(word.text for word in words[at:end])
        if said in known.TWOFOLD and not _begins_target(rest):
            return None
        if verb == "create" and any(item.is_concept("list", "sure") for item in rest):  # "make a list of"
            return None
        return Request(verb, rest, how or _how(words[at:end]), said)
    return _split(items, words, at, how) or _object_first(items, words) or _wished(items, words, at)


def asked_how(items: Sequence[Item]) -> Request | None:
    """What "how do I stop a vm" is about."""
    if not items or items[0].said.split()[:1] != ["how"]:
        return None
    at = 0
    while at < len(items) and items[at].senses is not None and set(items[at].said.split()) <= _HOW_TO:
        at += 1
    return request_of(items[at:]) if 0 < at < len(items) else None


def typed(question: str, items: Sequence[Item]) -> str:
    """The items as they stand in the question; quotes around them are left out."""
    if not items:
        return ""
    tokens = tokenise(question, lexicon().words)
    return question[tokens[items[0].start].start : tokens[items[-1].end - 1].end].strip("\"'`")


def _words(items: Sequence[Item]) -> list[_Word]:
    words = []
    for number, item in enumerate(items):
        said = [_NAME] if item.named or item.value else item.said.split()
        for at, text in enumerate(said):
            words.append(_Word(text, number, at == 0, at == len(said) - 1))
    return words


def _polite(words: Sequence[_Word]) -> tuple[int, str]:
    """The first word that is no politeness; how it shall be done."""
    at, how = 0, ""
    while at < len(words) and (words[at].text in known.POLITE or words[at].text in known.HOW or words[at].text == ","):
        how = known.HOW.get(words[at].text, how)
        at += 1
    return at, how


def _how(words: Sequence[_Word]) -> str:
    said = [word.text for word in words]
    if ("cycle" in said and "power" in said) or "powercycle" in said or "reset" in said:
        return "HARD"
    return next((known.HOW[text] for text in said if text in known.HOW), "")


def _phrase(words: Sequence[_Word], at: int) -> tuple[str, int] | None:
    for length in range(min(_LONGEST, len(words) - at), 0, -1):
        said = [word.text for word in words[at : at + length]]
        verb = _PHRASES.get((known.GERUNDS.get(said[0], said[0]), *said[1:]))
        if verb is not None and words[at].first and words[at + length - 1].last:
            return verb, at + length
    return None


def _noun(words: Sequence[_Word], at: int) -> tuple[str, int] | None:
    """ "take a snapshot of"."""
    if at >= len(words) or words[at].text not in known.MADE_OF:
        return None
    place = at + 1
    while place < len(words) and words[place].text in _BEFORE_NOUN:
        place += 1
    verb = known.NOUNS.get(words[place].text) if place < len(words) else None
    if verb is None or not (words[place].first and words[place].last):
        return None
    place += 1
    if place < len(words) and words[place].text in _BEHIND_NOUN and words[place].last:
        place += 1
    return verb, place


def _split(items: Sequence[Item], words: Sequence[_Word], at: int, how: str) -> Request | None:
    """ "shut web-03 down"."""
    if at >= len(words):
        return None
    for place in range(len(words) - 1, at + 1, -1):
        verb = known.SPLIT.get((words[at].text, words[place].text))
        if verb is None or words[at].item == words[place].item:
            continue
        gone = {words[at].item, words[place].item}
        rest = _rest(items, (one for one in range(words[at].item, len(items)) if one not in gone))
        said = f"{words[at].text} {words[place].text}"
        return Request(verb, rest, how, said) if _begins_target(rest) else None
    return None


def _object_first(items: Sequence[Item], words: Sequence[_Word]) -> Request | None:
    """ "web-03 reboot please"."""
    if not items or not items[0].named:
        return None
    at = 1
    while at < len(words) and words[at].text in known.POLITE | {"needs", "a", "should", "has"}:
        at += 1
    found = _phrase(words, at)
    if found is None or found[0] not in _OBJECT_FIRST or not words[at].first:
        return None
    if any(word.text not in known.TRAILING for word in words[found[1] :]):
        return None
    return Request(found[0], _rest(items, range(1)), said=found[0])


def _wished(items: Sequence[Item], words: Sequence[_Word], at: int) -> Request | None:
    """ "i need web-03 stopped", "can web-03 be restarted"."""
    if at >= len(words) or words[at].text != _NAME or len(words) < at + 2:
        return None
    wish = {word.text for word in (*words[:at], *words[at + 1 :])}
    place = at + 1
    while place < len(words) and words[place].text in _BETWEEN:
        place += 1
    verb = known.PARTICIPLES.get(" ".join(word.text for word in words[place:] if word.text not in known.TRAILING))
    if verb is None or not wish & _WISHES:
        return None
    return Request(verb, _rest(items, (words[at].item,)), said=verb)


def _rest(items: Sequence[Item], numbers: Iterable[int]) -> tuple[Item, ...]:
    """Copies of these items as if nothing had been made of them yet, without politeness at the end."""
    kept = [replace(items[number], used=False, dropped=False) for number in numbers]
    if kept and kept[0].said in _EVERY:
        kept[0].senses = Senses(concepts=["all"])
    while kept and not kept[-1].named and kept[-1].said in known.TRAILING:
        kept.pop()
    return tuple(kept)


def _begins_target(rest: Sequence[Item]) -> bool:
    """Whether what follows the verb is something that an action can be done to."""
    if not rest:
        return False
    first = rest[0]
    return bool(first.named or first.value) or first.said.split()[0] in known.DETERMINERS
