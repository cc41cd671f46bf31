"""A frame carried out: its queries run, its answer put together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from copilot.answers import Answer, Shown, Table
from copilot.execution.result import Result
from copilot.execution.run import run
from copilot.grammar.frames import Frame
from copilot.model.registry import entity
from copilot.query import Measure, Query
from copilot.topics.topic import Asked

_COMPARE = {
    "=": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}  # fmt: skip


def framed(frame: Frame, confidence: float, asked: Asked) -> Answer:
    """The answer to a frame."""
    if frame.also:
        return _several(frame, confidence, asked)
    query = frame.query()
    result = run(query, asked.sources, asked.context.now)
    answer = _base(frame, query, result, confidence, asked)
    if frame.form == "yes_no":
        return replace(answer, value=result.total > 0, text=f"{'Yes' if result.total else 'No'}: {answer.text}")
    if frame.form == "every":
        return _every(frame, answer, result, asked)
    if frame.form == "compare":
        return _compare(frame, answer, result)
    if frame.expected is not None and isinstance(result.value, int | float):
        return _expected(frame, answer, result)
    return answer


def _base(frame: Frame, query: Query, result: Result, confidence: float, asked: Asked) -> Answer:
    table = Table(result.columns, result.rows, result.total, result.keys) if result.columns else None
    value: Any = result.value
    unit = result.unit
    if frame.form == "lookup" and result.total == 1 and len(query.columns) == 2:
        value, unit = result.rows[0].get(query.columns[1]), entity(frame.entity).attributes[query.columns[1]].unit
    shown = (Shown(result.sql),) if result.sql else ()
    one = entity(frame.entity)
    text = f"{result.value if result.value is not None else result.total} {one.plural}"
    types = [name for name in (result.types or (frame.entity,)) if entity(name).type is not None]
    return Answer(
        "answer",
        text,
        value=value,
        unit=unit,
        confidence=confidence,
        table=table,
        shown=shown,
        scope=frame.scope_words,
        data_at=asked.sources.data_at(types) if types else None,
        query=query,
        frame=frame,
        named=frame.subject,
    )


def _every(frame: Frame, answer: Answer, result: Result, asked: Asked) -> Answer:
    """Yes when no row is not so; the rows are those that are not."""
    everything = replace(frame, form="list", predicate=()).query()
    count = run(replace(everything, measure=Measure("count"), order=()), asked.sources, asked.context.now).value
    yes = result.total == 0
    text = f"Yes: all {count}." if yes else f"No: {result.total} of {count} are not."
    return replace(answer, value=yes, text=text)


def _expected(frame: Frame, answer: Answer, result: Result) -> Answer:
    wanted = frame.expected
    assert wanted is not None
    holds = _COMPARE[wanted.comparison or "="](result.value, wanted.value)
    return replace(answer, value=holds, text=f"{'Yes' if holds else 'No'}: {answer.text}")


def _compare(frame: Frame, answer: Answer, result: Result) -> Answer:
    """The first against the second where it is asked so, else who has the most."""
    column = frame.group[0]
    numbers = {str(row.get(column)): row.get("#") or 0 for row in result.rows}
    said = [(one.name, numbers.get(one.name, 0)) for one in frame.subject]
    text = ", ".join(f"{name} {number}" for name, number in said)
    (first, one), (_, other) = said[0], said[1]
    if frame.expected is None and frame.yes:
        more = one > other if frame.order[0][1] else one < other
        return replace(answer, value=more, text=f"{'Yes' if more else 'No'}: {text}.")
    best = (max if frame.order[0][1] else min)(said, key=lambda pair: pair[1])
    return replace(answer, value=best[0] if best[0] else first, text=f"{best[0]}: {text}.")


def _several(frame: Frame, confidence: float, asked: Asked) -> Answer:
    """ "how many vms and volumes": each counted by itself."""
    parts, rows, shown = [], [], []
    for name in (frame.entity, *frame.also):
        query = replace(frame.query(), entity=name, order=())
        result = run(query, asked.sources, asked.context.now)
        one = entity(name)
        parts.append(f"{result.value} {one.singular if result.value == 1 else one.plural}")
        rows.append({"what": one.plural, "count": result.value})
        shown.append(Shown(result.sql))
    from copilot.answers import Field

    table = Table((Field("what", "WHAT"), Field("count", "COUNT", "number")), tuple(rows), len(rows))
    text = f"There are {', '.join(parts[:-1])} and {parts[-1]}."
    return Answer(
        "answer", text, confidence=confidence, table=table, shown=tuple(shown), frame=frame, query=frame.query()
    )
