"""Frames that topics make where the words of a question are no query by themselves, and who is spoken of in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from copilot.answers import Answer, Named
from copilot.grammar.answering import framed
from copilot.grammar.frames import Form, Frame, Piece
from copilot.model.registry import entity
from copilot.query import Measure, Test
from copilot.reading import Period
from copilot.topics.speech import Speech
from copilot.topics.topic import Asked

_COUNTS = r"\b(how many|how often|number of|count)\b"
_YES_NO = r"^(so |and )?(did|do|does|has|have|is|are|was|were)\b"


def form_of(heard: Speech) -> Form:
    """Whether a number, yes or no, or the rows are asked for."""
    if heard.matches(_COUNTS):
        return "count"
    return "yes_no" if heard.matches(_YES_NO) else "list"


def rows_of(
    name: str,
    pieces: Iterable[Piece],
    asked: Asked,
    *,
    form: Form = "list",
    most: str = "",
    newest: bool = False,
    confidence: float = 1.0,
) -> Answer:
    """The answer from a list.

    most    the column whose commonest value is asked for: "who did the most"
    newest  only the newest row
    """
    measure, limit = Measure(), None
    group: tuple[str, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    if most:
        form, measure, group, order, limit = "count", Measure("count"), (most,), (("#", True),), 1
    elif form == "count":
        measure = Measure("count")
    elif newest:
        order, limit = ((entity(name).born, True),), 1
    frame = Frame(name, form, tuple(pieces), measure=measure, group=group, order=order, limit=limit)
    return framed(frame, confidence, asked)


def when(name: str, period: Period | None) -> tuple[Piece, ...]:
    """That a row was made in the period."""
    if period is None:
        return ()
    born = entity(name).born
    since, until = period.since or period.at, period.until
    pieces = []
    if since is not None:
        pieces.append(Piece("born", Test(born, ">=", (since,)), period.words))
    if until is not None:
        pieces.append(Piece("until", Test(born, "<", (until,)), "" if since is not None else period.words))
    return tuple(pieces)


def by_whom(column: str, asked: Asked) -> tuple[Piece, ...]:
    """That it was one of the users of the question."""
    users = asked.of_type("user", "console_user")
    names = tuple(dict.fromkeys(one.name for one in users))
    return (Piece("scope:user", Test(column, "=", names), f"by {' or '.join(names)}", users),) if names else ()


def with_people(asked: Asked, name: str, column: str) -> Asked:
    """With names that are no user of a cloud but one of the console, or somebody in that column of the list.

    Raises NotAvailable.
    """
    strange = [item for item in asked.items if not item.named and (item.senses is None or item.corrected)]
    if not any(item.period is None and item.quantity is None for item in strange):
        return asked
    known: dict[str, str] = {}
    for one, own in (("console_user", "name"), (name, column)):
        if asked.sources.may(one):
            known |= {str(row[own]).casefold(): str(row[own]) for row in asked.sources.rows(one) if row.get(own)}
    items = []
    for item in asked.items:
        found = known.get(item.text.casefold().removesuffix("'s"))
        if found is not None and item in strange:
            person = Named("console_user", ("", "", found), found, item.text)
            item = replace(item, named=(person,), senses=None, corrected="", said=found)
        items.append(item)
    return replace(asked, items=tuple(items))
