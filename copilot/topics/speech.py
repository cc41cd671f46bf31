"""What a question says to a topic: its words, with names told apart from them, and how much of it the topic knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from copilot.answers import Answer
from copilot.grammar.confidence import CORRECTED, UNKNOWN
from copilot.grammar.items import Item
from copilot.topics.topic import Asked


def words(text: str) -> frozenset[str]:
    """Words written one behind the other, as a set."""
    return frozenset(text.split())


# Concepts that only shape a sentence: a topic may pass over them.
_SHAPING = frozenset({
    "filler", "of", "in", "on", "is", "do", "what", "which", "how_much", "how_many", "how", "list", "exist", "and",
    "with", "belong", "when", "where", "why", "who", "how_long", "how_old", "past", "as", "this", "all", "per", "sort",
})  # fmt: skip
# Words of everybody that say nothing to a topic.
_PASSED = words(
    "a an the is are was were be been do does did has have had of in on at for to by from with my our me us i we you "
    "it its their this that these those there any anything some something all every each per and or how what whats "
    "which when why show tell give get list please now currently still much many about can could would should will"
)


@dataclass(frozen=True, slots=True)
class Speech:
    """A question as a topic hears it.

    text   all of it in lower case, names as <type>, times as <time>, numbers as <number>: "quota of <project>"
    words  its words
    """

    text: str
    words: frozenset[str]

    @classmethod
    def of(cls, asked: Asked) -> Speech:
        """The question's."""
        parts = [_heard(item) for item in asked.items]
        return cls(" ".join(parts), frozenset(word for part in parts for word in part.split()))

    def has(self, *phrases: str) -> bool:
        """Whether one of these words or phrases stands in it."""
        padded = f" {self.text} "
        return any(phrase in self.words or (" " in phrase and f" {phrase} " in padded) for phrase in phrases)

    def matches(self, pattern: str) -> bool:
        """Whether the expression is found in it."""
        return re.search(pattern, self.text) is not None


def _heard(item: Item) -> str:
    if item.named:
        return f"<{item.typed_as or item.named[0].type}>"
    if item.period:
        return "<time>"
    if item.quantity:
        return "<number>"
    return f"<{item.value}>" if item.value else (item.said or item.text.lower())


@dataclass(frozen=True, slots=True)
class Knows:
    """What a topic understands of a question.

    words    words that it takes into account
    types    types of names that it takes
    numbers, periods   whether it takes numbers and times
    """

    words: frozenset[str]
    types: frozenset[str] = frozenset()
    numbers: bool = False
    periods: bool = False

    def claim(self, asked: Asked, base: float = 1.0) -> float:
        """`base`, lower for each piece that the topic does not understand, and for forgiven typos; 0 where a name may
        be one of several: then it is asked back which."""
        if asked.parse.ambiguous or any(len(item.named) > 1 and not item.exact for item in asked.items):
            return 0.0
        corrected = sum(1 for item in asked.items if item.corrected)
        return base * UNKNOWN ** len(self.beyond(asked)) * CORRECTED**corrected

    def beyond(self, asked: Asked) -> tuple[str, ...]:
        """Pieces that it does not understand."""
        return tuple(item.text for item in asked.items if not self._knows(item))

    def _knows(self, item: Item) -> bool:
        if item.named:
            return any(one.type in self.types for one in item.named)
        if item.period:
            return self.periods
        if item.quantity:
            return self.numbers
        if item.value:
            return False
        if any(entity in self.types for entity in item.entities):
            return True
        heard = (item.said or item.text.lower()).split()
        if all(word in self.words or word in _PASSED for word in heard):
            return True
        return item.only(_SHAPING) or not any(character.isalnum() for character in item.text)


def knows(
    text: str, types: Iterable[str] = (), *, numbers: bool = False, periods: bool = False, also: Iterable[str] = ()
) -> Knows:
    """A topic's knowledge, its words written one behind the other."""
    return Knows(words(text) | frozenset(also), frozenset(types), numbers, periods)


def named(asked: Asked, type: str) -> list[tuple[str, str, str]]:
    """Keys of what was named of a type, each once."""
    return list(dict.fromkeys(one.key for one in asked.of_type(type)))


def telling(
    answer: Callable[[Asked], Answer | None], known: Knows | Callable[[Asked], Knows]
) -> Callable[[Asked], Answer | None]:
    """The answer of a topic, with the pieces of the question that the topic passed over."""

    def told(asked: Asked) -> Answer | None:
        found = answer(asked)
        if found is None or found.unknown:
            return found
        return replace(found, unknown=(known if isinstance(known, Knows) else known(asked)).beyond(asked))

    return told
