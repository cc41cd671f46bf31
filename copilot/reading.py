"""A question as it was read: tokens, and what the words in it stand for. Topics and grammar both work on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from copilot.answers import Named


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the question.

    text    as typed; `word` is lower-cased, without accents, quotes and possessive 's
    start   its first character in the question; `end` behind its last
    kind    "word", "number" (a bare number), "quoted" (a text in quotes, all of it), "address" (IPv4/IPv6, prefix),
            "mac", "id" (a UUID or 8 and more hex digits with a digit), "name" (has a digit, dash, dot or underscore
            inside: probably a name) or "mark" (punctuation that matters: , = < > etc.)
    """

    text: str
    word: str
    start: int
    end: int
    kind: Literal["word", "number", "quoted", "address", "mac", "id", "name", "mark"] = "word"


@dataclass(frozen=True, slots=True)
class Period:
    """Time words understood: [since, until), aware; None = open.

    at     a moment rather than a period ("as of Monday 9:00", "on Tuesday at 9"): then since = until = None
    words  as understood, with the zone: "since Sun 29 Nov 00:00 CET"
    age    said as an age ("older than 30 days", "for more than 2 hours"): the bound says how long something was so
    """

    since: datetime | None = None
    until: datetime | None = None
    at: datetime | None = None
    words: str = ""
    age: bool = False


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with what is said about it.

    comparison  "" when none was said ("16 GB")
    upper       of "between A and B" the upper end
    unit        "" (none said), "MB" (all sizes are turned into it), "%", or "s" (all spans of time)
    """

    value: float
    unit: str = ""
    comparison: Literal["", "=", "!=", "<", "<=", ">", ">="] = ""
    upper: float | None = None


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """A name that stands for several things: asked back.

    typed    as typed
    choices  what it may be, best first; never fewer than two
    """

    typed: str
    choices: tuple[Named, ...]
