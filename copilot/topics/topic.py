"""What a topic is: a kind of question with a handler of its own, beside those that are one query."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from copilot.answers import Answer, Context, Named
from copilot.grammar.frames import Frame
from copilot.grammar.items import Item
from copilot.grammar.parse import Parse
from copilot.linking.names import Names
from copilot.reading import Period
from copilot.sources import Sources


@dataclass(frozen=True, slots=True)
class Asked:
    """A question for a topic.

    items      all pieces of the question, in order
    parse      what the grammar noted: `wh`, `periods`, `negation`, `subject`, `head`, flags
    frame      what the grammar would ask, None when it made nothing of it
    left       texts of content that the grammar did not understand
    """

    question: str
    items: tuple[Item, ...]
    parse: Parse
    frame: Frame | None
    left: tuple[str, ...]
    context: Context
    sources: Sources
    names: Names

    def topics(self, *names: str) -> bool:
        """Whether a word of one of these topics (copilot.topics.words) stands in the question."""
        return any(item.is_topic(*names) for item in self.items)

    def concepts(self, *names: str) -> bool:
        """Whether a word of one of these concepts (copilot.model.concepts) stands in it."""
        return any(item.is_concept(*names) for item in self.items)

    def word(self, *words: str) -> bool:
        """Whether one of these phrases, lower case, stands in it as a piece of its own."""
        return any(item.text.lower() in words or item.corrected in words for item in self.items)

    @property
    def named(self) -> tuple[Named, ...]:
        """Everything that was named, in order, candidates of one name side by side; then what "this" points at."""
        found = [one for item in self.items for one in item.named]
        return tuple(found) or (self.context.selected if self.parse.selection else ())

    def of_type(self, *types: str) -> tuple[Named, ...]:
        """What was named of these types."""
        return tuple(one for one in self.named if one.type in types)

    @property
    def values(self) -> tuple[str, ...]:
        """Addresses, MACs, ids and quoted texts."""
        return tuple(item.value for item in self.items if item.value)

    @property
    def period(self) -> Period | None:
        """The time spoken of."""
        return self.parse.periods[0] if self.parse.periods else None

    def unread(self, *expected: str) -> tuple[str, ...]:
        """Content words that say something beyond the topic: no function words, nothing of the topics `expected`, no
        names, values or times. A topic that ignores them would answer another question."""
        extra = []
        for item in self.items:
            if item.named or item.value or item.period or item.is_topic(*expected):
                continue
            if item.senses is None or item.senses.states or item.senses.columns or item.quantity:
                extra.append(item.text)
        return tuple(extra)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic.

    name    documented intent where there is one, else a name of ours
    claims  how surely the question is of this topic, 0..1; the grammar's own confidence competes with it. Reads nothing
    answer  the answer; None when it turns out to be something else
    """

    name: str
    claims: Callable[[Asked], float]
    answer: Callable[[Asked], Answer | None]
