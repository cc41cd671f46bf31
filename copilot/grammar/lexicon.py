"""Every phrase that the copilot knows, and what it may mean. Made once of the model; looked up longest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from copilot.model.concepts import CONCEPTS
from copilot.model.declaration import State
from copilot.model.entity_words import plural
from copilot.model.registry import entities
from copilot.topics.words import TOPICS

# Words of numbers and times, which are read by copilot.language.
_COMPARING = """more than less least most greater bigger larger smaller fewer over under above below between exactly
older newer younger minimum maximum equal equals about around after before since until till today
yesterday tomorrow week weeks month months hour hours day days year years minute minutes second
seconds quarter fortnight weekend weekends noon midday midnight morning afternoon evening night
nights tonight overnight early late earlier later monday tuesday wednesday thursday friday saturday
sunday january february march april june july august september october november december last past
previous ago half dozen single double first second third fourth fifth one two three four five six
seven eight nine ten eleven twelve twenty thirty forty fifty sixty seventy eighty ninety hundred
thousand million couple gigs gigabytes gig terabyte terabytes megabytes bytes tera giga"""
COMPARING = frozenset(_COMPARING.split())


_USE = ("used", "usage", "allocated", "utilization", "utilisation", "consumed", "consumption")


@dataclass(slots=True)
class Senses:
    """What a phrase may mean.

    entities    entities that it names
    columns     entity -> columns that it names, the likeliest first
    states      entity -> the state that it names
    concepts    concepts (copilot.model.concepts)
    topics      topic words (copilot.topics.words)
    """

    entities: list[str] = field(default_factory=list)
    columns: dict[str, list[str]] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    concepts: list[str] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)


class Lexicon:
    """Phrases by their words."""

    def __init__(self) -> None:
        self.phrases: dict[tuple[str, ...], Senses] = {}
        self.longest = 1
        self.ranked: dict[tuple[str, ...], Senses] = {}
        asking = frozenset(word for name, words in CONCEPTS.items() if name != "born" for word in words)
        for one in entities().values():
            for word in (*one.words, *one.plural_words):
                _once(self._of(word).entities, one.name)
            for attribute in one.attributes.values():
                for word in attribute.words:
                    for form in _forms(word):
                        if form in asking:  # a column called "by" or "what" would hide how it is asked
                            continue
                        _once(self._of(form).columns.setdefault(one.name, []), attribute.column)
            for state in one.states:
                for word in state.words:
                    self._of(word).states.setdefault(one.name, state)
        for concept, words in CONCEPTS.items():
            for word in words:
                _once(self._of(word).concepts, concept)
        for topic, words in TOPICS.items():
            for word in words:
                _once(self._of(word).topics, topic)
        self._leave_out_composed()
        self.words = frozenset(word for phrase in self.phrases for word in phrase)
        self.spoken = self.words | COMPARING
        # Words worth mending a typo to: short ones are too easily hit by chance.
        self.correctable = frozenset(word for word in self.spoken if len(word) > 3)

    def _of(self, phrase: str) -> Senses:
        key = tuple(phrase.lower().split())
        self.longest = max(self.longest, len(key))
        return self.phrases.setdefault(key, Senses())

    def _leave_out_composed(self) -> None:
        """A column called "stopped servers" would hide that these are servers which are stopped."""
        for phrase, senses in list(self.phrases.items()):
            if len(phrase) < 2 or senses.entities or senses.states or senses.concepts or senses.topics:
                continue
            if (phrase[:2] == ("number", "of") or phrase[-1] in ("count", "counts")) and self._is_thing(phrase):
                del self.phrases[phrase]
                continue
            for cut in range(1, len(phrase)):
                one, other = self.phrases.get(phrase[:cut]), self.phrases.get(phrase[cut:])
                if one and other and _is_ranked(one, other):
                    self.ranked[phrase] = senses  # "last backup": a column only behind "whose"
                if one and other and one.entities and {"born", "gone"} & set(other.concepts):
                    del self.phrases[phrase]  # "snapshots made", of runs: snapshots that were made
                    break
                if one and other and (_is_state_of(one, other) or _is_state_of(other, one) or _is_ranked(one, other)):
                    del self.phrases[phrase]
                    break

    def _is_thing(self, phrase: tuple[str, ...]) -> bool:
        """ "number of servers", "backup count": a thing that is counted."""
        rest = phrase[2:] if phrase[:2] == ("number", "of") else phrase[:-1]
        senses = self.phrases.get(rest)
        return senses is not None and bool(senses.entities)

    def longest_at(self, words: Sequence[str], start: int) -> tuple[Senses, int] | None:
        """The longest phrase that begins at a word, with its length."""
        for length in range(min(self.longest, len(words) - start), 0, -1):
            found = self.phrases.get(tuple(words[start : start + length]))
            if found is not None:
                return found, length
        return None

    def without_use(self, said: str) -> tuple[str, Senses] | None:
        """ "vcpus used" as "vcpus": the words without those for use, and what they mean; None where it is no pair."""
        words = [word for word in said.split() if word not in _USE]
        senses = self.get(words)
        if senses is None or not senses.columns or len(words) == len(said.split()):
            return None
        return " ".join(words), senses

    def get(self, phrase: Iterable[str]) -> Senses | None:
        """What exactly this phrase means."""
        return self.phrases.get(tuple(phrase))


def _is_state_of(state: Senses, thing: Senses) -> bool:
    return any(name in state.states for name in thing.entities)


def _is_ranked(first: Senses, second: Senses) -> bool:
    return bool(second.entities) and any(name in first.concepts for name in ("newest", "oldest", "largest", "smallest"))


def _forms(word: str) -> tuple[str, ...]:
    """A phrase in the singular and in the plural."""
    low = word.lower()
    return (low,) if low.endswith("s") else (low, plural(low))


def _once(values: list[str], value: str) -> None:
    if value not in values:
        values.append(value)


@cache
def lexicon() -> Lexicon:
    """The one lexicon."""
    return Lexicon()
