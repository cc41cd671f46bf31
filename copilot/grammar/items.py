"""A question as a row of items: known phrases, names that are in the store, quantities, times, and the rest."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from copilot.answers import Named
from copilot.grammar.lexicon import Senses
from copilot.reading import Period, Quantity, Token


@dataclass(slots=True)
class Item:
    """A piece of the question.

    start, end  tokens [start, end)
    text        as typed
    senses      what the phrase may mean, of a known one
    named       resources that the piece may stand for: one, several of the same name,
        or candidates of which none is clear
    typed_as    entity that stood beside the name: "host cmp-03"
    exact       the name was typed exactly
    value       an address, MAC, id or quoted text as typed
    corrected   what a typo was taken for
    said        the words as the lexicon knows them: lower case, slips mended, contractions written out
    used        the assembly made something of it
    """

    start: int
    end: int
    text: str
    senses: Senses | None = None
    named: tuple[Named, ...] = ()
    typed_as: str = ""
    plural: bool = False
    exact: bool = True
    period: Period | None = None
    quantity: Quantity | None = None
    value: str = ""
    corrected: str = ""
    said: str = ""
    used: bool = False
    dropped: bool = field(default=False)

    def is_concept(self, *names: str) -> bool:
        """Whether the phrase may mean one of these concepts."""
        return self.senses is not None and any(name in self.senses.concepts for name in names)

    def is_topic(self, *names: str) -> bool:
        """Whether the phrase may call for one of these topics."""
        return self.senses is not None and any(name in self.senses.topics for name in names)

    @property
    def entities(self) -> list[str]:
        """Entities that the phrase names."""
        return self.senses.entities if self.senses else []

    @property
    def columns(self) -> dict[str, list[str]]:
        """Entity -> columns that the phrase names."""
        return self.senses.columns if self.senses else {}

    @property
    def known(self) -> bool:
        """Whether anything at all is known for it."""
        return bool(self.senses or self.named or self.period or self.quantity or self.value)

    def only(self, concepts: Collection[str]) -> bool:
        """Whether it means nothing but these concepts."""
        s = self.senses
        if s is None or self.named:
            return False
        return not (s.entities or s.columns or s.states) and all(c in concepts for c in s.concepts) and bool(s.concepts)


def words_of(tokens: tuple[Token, ...]) -> list[str]:
    """The tokens' words, as the lexicon spells them."""
    return [token.word for token in tokens]
