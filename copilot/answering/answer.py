"""A result as an answer: one to a few sentences, the table, how it was found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from copilot.answering import attributes, groups, lists, wording
from copilot.answering.phrases import Said, are, counted, things
from copilot.answers import Answer, Named, Shown, Table
from copilot.execution.level import attribute_of
from copilot.execution.result import QueryError, Result
from copilot.model.declaration import Attribute
from copilot.query import Query

_ADDED = ("MB", "GB", "bytes")  # units of what makes sense as a sum
_MEASURED = {"sum": "total", "average": "average", "maximum": "highest", "minimum": "lowest"}


def answer(
    query: Query,
    result: Result,
    *,
    said: Said,
    now: datetime,
    intent: str = "",
    confidence: float = 1.0,
    scope: tuple[str, ...] = (),
    data_at: datetime | None = None,
    named: tuple[Named, ...] = (),
    frame: object = None,
) -> Answer:
    """The answer. Where and as of when it holds is said by its own fields, not in the text.

    now  in the zone that times are told in
    """
    value, unit = value_of(query, result, said)
    return Answer(
        "answer",
        text(query, result, said, now) + "".join(map(_older, result.left_out)),
        intent=intent,
        value=value,
        unit=unit,
        confidence=confidence,
        table=Table(result.columns, result.rows, result.total, result.keys) if result.columns else None,
        shown=(Shown(result.sql, "sql"),) if result.sql else (Shown(result.entity.name, "list"),),
        scope=scope,
        data_at=data_at,
        query=query,
        named=named,
        frame=frame,
    )


def _older(left: tuple[str, int]) -> str:
    plural, count = left
    return f" {wording.number(count)} older {plural} were not looked at."


def value_of(query: Query, result: Result, said: Said) -> tuple[Any, str]:
    """(value, unit) that the text states."""
    if said.form == "every":
        return result.total == 0, ""
    if said.form == "yes_no" or query.measure.kind == "exists":
        return result.total > 0, ""
    if said.form == "lookup" and result.total == 1 and len(query.columns) >= 1 and result.rows:
        asked = _asked(query, result)
        if len(asked) == 1:
            return result.rows[0].get(asked[0].column), asked[0].unit
    if (together := _together(query, result)) is not None:
        return together
    return result.value, result.unit


def text(query: Query, result: Result, said: Said, now: datetime) -> str:
    """What the result says."""
    if said.form == "every":
        return _every(result, said)
    if said.form == "yes_no" or query.measure.kind == "exists":
        return _yes_no(result, said, now, query)
    if result.total == 0:
        return nothing(result, said, query)
    if query.group:
        return groups.text(query, result, said.limits, now)
    if query.measure.kind == "count":
        return f"{_there(result.value, query)} {counted(result.value, result.entity, said.limits)}."
    if query.measure.kind == "share":
        return _share(result, said)
    if query.measure.kind != "rows":
        return _measure(query, result, said, now)
    if said.form == "lookup" and query.columns:
        return _lookup(query, result, now)
    listed = lists.text(query, result, said.limits, now)
    if (together := _together(query, result)) is not None:
        amount, unit = together
        called = attributes.amount(_asked(query, result)[0])
        return f"{listed} Together, their {called} is {wording.measured(amount, unit)}."
    return listed


def _together(query: Query, result: Result) -> tuple[Any, str] | None:
    """(sum, unit) of the one amount that is asked of several: "the size of the volumes of acme"."""
    if query.measure.kind != "rows" or query.group or query.limit is not None or not query.columns:
        return None
    asked = _asked(query, result)
    if len(asked) != 1 or not (asked[0].unit in _ADDED or asked[0].column == "vcpus"):
        return None
    held = [row.get(asked[0].column) for row in result.rows]
    if len(held) < 2 or len(held) < result.total or None in held:
        return None
    return sum(held), asked[0].unit


def _there(count: int, query: Query) -> str:
    past = query.at is not None
    return f"There {('was' if past else 'is') if count == 1 else ('were' if past else 'are')}"


def nothing(result: Result, said: Said, query: Query) -> str:
    """That there is none, with what was looked for."""
    looked_for = things(result.entity, (*said.limits, *said.asked) if said.form != "share" else said.limits, False)
    if query.gone is not None:
        return f"None: no {looked_for} vanished."
    return f"None: there {'were' if query.at is not None else 'are'} no {looked_for}."


def _share(result: Result, said: Said) -> str:
    whole, part = result.total, result.part
    if part == 0:
        of = f"The {things(result.entity, said.limits, True)}" if whole == 1 else ""
        return (
            f"{of} {are(said.asked, True, negated=True)}."
            if of
            else (f"None of {counted(whole, result.entity, said.limits)} {are(said.asked, True)}.")
        )
    if part == whole:
        every = (
            f"All {counted(whole, result.entity, said.limits)}"
            if whole > 1
            else (f"The only {things(result.entity, said.limits, True)}")
        )
        return f"{every} {are(said.asked, whole == 1)} (100%)."
    of = counted(whole, result.entity, said.limits)
    return f"{wording.number(part)} of {of} {are(said.asked, part == 1)} ({wording.measured(result.value, '%')})."


def _measure(query: Query, result: Result, said: Said, now: datetime) -> str:
    attribute = _attribute(query, result, query.measure.column)
    of = counted(result.total, result.entity, said.limits)
    called = attributes.amount(attribute)
    if result.value is None:
        return f"None: the {called} of {of} is not known."
    if attribute.role == "time":
        which = "latest" if query.measure.kind == "maximum" else "earliest"
        value = f"{wording.moment(result.value, now)} ({attributes.at(result.value, now)})"
        return f"The {which} time of {called!r} among {of} is {value}."
    among = "among" if query.measure.kind in ("maximum", "minimum") else "of"
    value = wording.measured(result.value, result.unit)
    return f"The {_MEASURED[query.measure.kind]} {called} {among} {of} is {value}."


def _yes_no(result: Result, said: Said, now: datetime, query: Query) -> str:
    total, entity = result.total, result.entity
    if said.asked and len(said.subject) == 1:
        name = wording.clean(said.subject[0].name)
        return (
            f"Yes: {name} {are(said.asked, True)}." if total else f"No: {name} {are(said.asked, True, negated=True)}."
        )
    names = lists.names(result)
    shown = f": {wording.listed(names, total)}" if names else ""
    if not said.asked:
        if total == 0:
            return f"No: there {'were' if query.at is not None else 'are'} no {things(entity, said.limits, False)}."
        return f"Yes: {_there(total, query).lower()} {counted(total, entity, said.limits)}{shown}."
    if total == 0:
        return f"No: no {things(entity, said.limits, True)} {are(said.asked, True)}."
    return f"Yes: {counted(total, entity, said.limits)} {are(said.asked, total == 1)}{shown}."


def _every(result: Result, said: Said) -> str:
    """The result has the rows that are not so."""
    entity, left = result.entity, result.total
    whole = said.whole if said.whole is not None else left
    if whole == 0:
        return f"None: there are no {things(entity, said.limits, False)}."
    if left == 0:
        if whole == 1:
            return f"Yes: the only {things(entity, said.limits, True)} {are(said.asked, True)}."
        return f"Yes: all {counted(whole, entity, said.limits)} {are(said.asked, False)}."
    names = lists.names(result)
    shown = f": {wording.listed(names, left)}" if names else ""
    of = counted(whole, entity, said.limits)
    return f"No: {wording.number(left)} of {of} {are(said.asked, left == 1, negated=True)}{shown}."


def _lookup(query: Query, result: Result, now: datetime) -> str:
    asked = _asked(query, result)
    names = lists.names(result)
    if not asked or not names:
        return lists.text(query, result, (), now)
    if len(result.rows) == 1 and len(asked) == 1:
        held = result.rows[0].get(asked[0].column)
        return attributes.sentence(names[0], result.entity, asked[0], held, now)
    fields = {field.name: field for field in result.columns}
    parts = []
    for name, row in list(zip(names, result.rows, strict=True))[:5]:
        held = [wording.value(row.get(one.column), fields[one.column], now) for one in asked]
        said = [f"{attributes.word(one)} {value}" for one, value in zip(asked, held, strict=True)]
        parts.append(f"{name}: {held[0] if len(asked) == 1 else ', '.join(said)}")
    left = result.total - len(parts)
    return "; ".join(parts) + (f"; and {left:,} more." if left > 0 else ".")


def _asked(query: Query, result: Result) -> list[Attribute]:
    """The columns asked for, but the name."""
    return [
        _attribute(query, result, name) for name in dict.fromkeys(query.columns) if name != result.entity.name_column
    ]


def _attribute(query: Query, result: Result, name: str) -> Attribute:
    try:
        return attribute_of(result.entity, name, query.gone is not None)
    except QueryError:  # a counted number
        return Attribute(name, "number", name.upper(), "BIGINT", (lists.counted_word(query, result, name),))
