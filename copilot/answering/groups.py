"""Groups as a sentence: "37 servers by status: ACTIVE 30, SHUTOFF 5 and none 2"."""

from __future__ import annotations

from datetime import datetime

from copilot.answering import wording
from copilot.answering.lists import tied, word
from copilot.answering.phrases import counted, things
from copilot.execution.result import MEASURE, Result
from copilot.query import Query

NAMED = 8  # groups that are named

_KINDS = {"sum": "Total", "average": "Average", "maximum": "Highest", "minimum": "Lowest"}


def text(query: Query, result: Result, limits: tuple[str, ...], now: datetime) -> str:
    """The first few groups with their numbers."""
    kind, entity = query.measure.kind, result.entity
    by = " and ".join(word(query, result, name) for name in query.group)
    unit = result.unit
    fields = dict(zip(query.group, result.columns, strict=False))
    time = result.columns[-1].role == "time"
    shown = []
    for row in result.rows:
        name = ", ".join(wording.value(row[column], fields[column], now) for column in query.group)
        made = row[MEASURE]
        shown.append((name, wording.moment(made, now) if time and made else wording.measured(made, unit)))
    if query.limit == 1 and len(shown) == 1 and result.total > 1 and kind in ("count", "rows"):
        most = "most" if not query.order or query.order[0] == (MEASURE, True) else "fewest"
        if result.tied:
            others = (
                ", ".join(wording.value(row[name], fields[name], now) for name in query.group) for row in result.tied
            )
            return (
                f"{tied([shown[0][0], *others])} have the {most} {things(entity, limits, False)}: {shown[0][1]} each."
            )
        return f"{shown[0][0]} has the {most} {things(entity, limits, False)}: {shown[0][1]}."
    whole = result.total == len(result.rows)
    if kind in ("count", "rows", "exists"):
        total = sum(row[MEASURE] for row in result.rows)
        # One row stands in several groups where the column is a list: then the groups do not add up.
        adds_up = whole and all(field.role != "list" for field in fields.values())
        what = counted(total, entity, limits) if adds_up else things(entity, limits, False)
        lead = what[:1].upper() + what[1:]
    elif kind == "share":
        lead = f"Share among {things(entity, limits, False)}"
    else:
        lead = f"{_KINDS[kind]} {word(query, result, query.measure.column)} of {things(entity, limits, False)}"
    listed = wording.listed([f"{name} {made}" for name, made in shown], result.total, NAMED)
    return f"{lead} by {by}: {listed}."
