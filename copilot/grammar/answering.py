"""A frame carried out: its queries run, its answer put together."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from copilot.answering.answer import answer as told
from copilot.answering.phrases import Said
from copilot.answering.wording import clean, measured
from copilot.answers import Answer, Field, Proposal, Shown, Table
from copilot.execution.filtering import as_filter
from copilot.execution.result import Result
from copilot.execution.run import run
from copilot.grammar.frames import Frame
from copilot.grammar.uncollected import known
from copilot.model.registry import entity
from copilot.query import Measure, Query
from copilot.topics.intents import intent_of
from copilot.topics.topic import Asked
from store import times

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def framed(frame: Frame, confidence: float, asked: Asked) -> Answer:
    """The answer to a frame."""
    if frame.also:
        return _several(frame, confidence, asked)
    query = frame.query()
    if (hidden := _hidden(frame, asked)) is not None:
        return hidden
    result = run(query, asked.sources, asked.context.now)
    answer = known(_base(frame, query, result, confidence, asked), result, asked.sources)
    if answer.outcome != "answer":
        return answer
    if frame.form == "compare":
        return _compare(frame, answer, result)
    if frame.expected is not None and isinstance(result.value, int | float):
        return _expected(frame, answer, result)
    return answer


def _hidden(frame: Frame, asked: Asked) -> Answer | None:
    """That a role limited to projects or domains sees nothing of a type: "there are none" would be untrue."""
    one = entity(frame.entity)
    if one.type is None or not asked.sources.scope.limited or one.type.listing.needs == "reader":
        return None
    if one.type.owner or one.type.limited_by or one.type.domain or one.type.open_when or one.name == "role_assignment":
        return None
    called = f"{one.plural[:1].upper()}{one.plural[1:]}"
    text = f"{called} belong to no project, and your role is limited to projects: it does not see them."
    return Answer("apology", text, intent=intent_of(frame), confidence=1.0)


def _base(frame: Frame, query: Query, result: Result, confidence: float, asked: Asked) -> Answer:
    limits = tuple(piece.words for piece in frame.pieces if piece.dimension != "name" or not frame.subject)
    predicate = tuple(piece.words for piece in frame.predicate)
    whole = _whole(frame, asked) if frame.form == "every" else None
    types = result.types or (frame.entity,)
    answer = told(
        query,
        result,
        said=Said(frame.form, limits, predicate, frame.subject, whole),
        now=asked.context.now.astimezone(asked.context.zone),
        intent=intent_of(frame),
        confidence=confidence,
        scope=frame.scope_words,
        data_at=asked.sources.data_at(types) if types else None,
        named=frame.subject,
        frame=frame,
    )
    answer = replace(answer, proposals=opens(query))
    if frame.length and len(result.rows) == 1:
        held = result.rows[0].get(query.columns[-1]) or []
        return replace(
            answer, value=len(held), unit="", text=f"{len(held)}: {', '.join(map(clean, held))}." if held else "None."
        )
    if frame.limit == 1 and frame.order and len(result.rows) == 1 and answer.value is None:
        column = frame.order[0][0]
        attribute = entity(frame.entity).attributes.get(column)
        if attribute is None or attribute.is_number:
            answer = replace(answer, value=result.rows[0].get(column), unit=attribute.unit if attribute else "")
    if frame.form != "lookup" or len(query.columns) != 2:
        return answer
    values = {str(row.get(query.columns[1])) for row in result.rows}
    if len(result.rows) < 2 or len(values) != 1:
        return answer
    # Several are called so, and all say the same.
    return replace(answer, value=result.rows[0].get(query.columns[1]), unit=_unit(frame, query.columns[1]))


def _unit(frame: Frame, column: str) -> str:
    return entity(frame.entity).attributes[column].unit


def _whole(frame: Frame, asked: Asked) -> int:
    """Of "are all ...": how many there are."""
    query = replace(frame, form="list", predicate=()).query()
    return int(run(replace(query, measure=Measure("count"), order=()), asked.sources, asked.context.now).value or 0)


def opens(query: Query) -> tuple[Proposal, ...]:
    """The same rows as a list of the app, where its filter can say them."""
    one = entity(query.entity)
    if one.type is None or query.gone is not None or query.group:  # groups are read as they are
        return ()
    text = as_filter(query)
    if text is None:
        return ()
    sort = tuple((column, down) for column, down in query.order if column in one.attributes)
    command = f"qdeck ls {one.type.plural}" + (f" '{text}'" if text else "")
    command += f" --at {times.text(query.at)}" if query.at is not None else ""
    return (
        Proposal("open", f"open the {one.plural}", type=one.name, filter=text, sort=sort, at=query.at, command=command),
    )


def _expected(frame: Frame, answer: Answer, result: Result) -> Answer:
    """ "do we have more than 50": the number against what was said."""
    wanted = frame.expected
    assert wanted is not None
    holds = _COMPARE[wanted.comparison or "="](result.value, wanted.value)
    return replace(answer, value=holds, text=f"{'Yes' if holds else 'No'}: {answer.text[:1].lower()}{answer.text[1:]}")


def _compare(frame: Frame, answer: Answer, result: Result) -> Answer:
    """The first against the second where it is asked so, else who has the most."""
    column, falling = frame.group[0], frame.order[0][1]
    numbers = {str(row.get(column)): row.get("#") or 0 for row in result.rows}
    said = [(clean(one.name), numbers.get(one.name, 0)) for one in frame.subject]
    things = entity(frame.entity).plural
    unit = result.unit
    counts = f" {things}" if frame.measure.kind == "count" else ""
    text = ", ".join(f"{name} {measured(number, unit)}" for name, number in said) + counts
    if frame.yes:
        more = said[0][1] > said[1][1] if falling else said[0][1] < said[1][1]
        return replace(answer, value=more, text=f"{'Yes' if more else 'No'}: {text}.")
    best = (max if falling else min)(said, key=lambda pair: pair[1])
    if all(number == best[1] for _, number in said):
        return replace(answer, value="", text=f"The same: {text}.")
    return replace(answer, value=best[0], text=f"{best[0]}: {text}.")


def _several(frame: Frame, confidence: float, asked: Asked) -> Answer:
    """ "how many vms and volumes": each counted by itself."""
    parts, rows, shown = [], [], []
    for name in (frame.entity, *frame.also):
        result = run(replace(frame.query(), entity=name, order=()), asked.sources, asked.context.now)
        one = entity(name)
        parts.append(f"{result.value:,} {one.singular if result.value == 1 else one.plural}")
        rows.append({"what": one.plural, "count": result.value})
        shown.append(Shown(result.sql))
    table = Table((Field("what", "WHAT"), Field("count", "COUNT", "number")), tuple(rows), len(rows))
    text = f"There are {', '.join(parts[:-1])} and {parts[-1]}."
    types = (frame.entity, *frame.also)
    return Answer(
        "answer",
        text,
        intent="query",
        confidence=confidence,
        table=table,
        shown=tuple(shown),
        scope=frame.scope_words,
        data_at=asked.sources.data_at(types),
        frame=frame,
        query=frame.query(),
    )
