"""Who is spoken of: "12 stopped servers in project acme-prod"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from copilot.answering.wording import clean, number
from copilot.answers import Named
from copilot.model.declaration import Entity

Form = Literal["list", "count", "value", "yes_no", "every", "share", "lookup", "compare"]

# Words that begin what stands behind the noun.
_BEHIND = frozenset(
    {
        "in", "on", "at", "as", "with", "without", "of", "from", "to", "by", "for", "since", "older", "newer",
        "younger", "larger", "smaller", "bigger", "more", "less", "fewer", "created", "made", "attached", "connected",
        "named", "called", "under", "over", "that", "which", "whose", "behind", "using", "between", "before", "after",
        "last", "belonging", "open", "not", "used", "running", "owned", "beginning", "ending", "exactly",
    }
)  # fmt: skip
_ALONE = frozenset({"open", "running", "used", "attached", "connected"})  # words that stand before it by themselves
_NEEDS_BEING = re.compile(r"(not|used|open|being|attached|connected|owned|running) ")


@dataclass(frozen=True, slots=True)
class Said:
    """What was asked, in words of an answer.

    form     how it was asked (as in copilot.grammar.frames)
    limits   what limits the rows: "stopped", "in project acme-prod", "with more than 8 vCPUs"
    asked    of "share", "yes_no" and "every": what is asked about those rows
    subject  resources whose attributes are asked for
    whole    of "every": how many rows there are in all; the result has those that are not so
    """

    form: Form = "list"
    limits: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    subject: tuple[Named, ...] = ()
    whole: int | None = None


def things(entity: Entity, limits: Sequence[str], one: bool) -> str:
    """ "stopped servers in project acme-prod", in the singular for `one`."""
    said = [clean(words, 120) for words in limits if words]
    before = [words for words in said if " " not in words and words not in _BEHIND - _ALONE]
    behind = []
    for words in said:
        if words in before:
            continue
        first = words.partition(" ")[0].lower()
        plainly = first in _BEHIND and not _NEEDS_BEING.match(words)
        behind.append(words if plainly else f"that {'is' if one else 'are'} {words}")
    noun = entity.singular if one else entity.plural
    return " ".join((*before, noun, *behind))


def counted(count: int, entity: Entity, limits: Sequence[str]) -> str:
    """ "1 server", "37 servers in project acme-prod"."""
    return f"{number(count)} {things(entity, limits, count == 1)}"


def are(words: Sequence[str], one: bool, negated: bool = False) -> str:
    """What is said of the rows, as a verb: "are stopped", "is not in error", "have more than 8 vCPUs"."""
    said = " and ".join(clean(one, 120) for one in words if one) or "there"
    if said.startswith("with ") and not negated:
        return f"{'has' if one else 'have'} {said.removeprefix('with ')}"
    verb = "is" if one else "are"
    if negated and said.startswith("not "):
        return f"{verb} {said.removeprefix('not ')}"
    return f"{verb} {'not ' if negated else ''}{said}"
