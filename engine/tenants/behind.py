"""The list behind a number, as `Behind`: a filter's text that lists exactly what was counted. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from store import times
from store.filters import Match, Value, format
from store.types import registry


def term(column: str, value: str) -> str:
    """`column:=value`, quoted where it must be."""
    return format(Match(column, (Value("=", value),)))


def place(type: str, cloud: str | None = None, region: str | None = None, project: str | None = None) -> str:
    """The terms of a place that a request chose; identity resources belong to no region."""
    declared = registry.ALL[type]
    terms = [term("cloud", cloud)] if cloud else []
    if region and not declared.listing.global_:
        terms.append(term("region", region))
    if project is not None:
        terms.append(term(declared.limited_by or declared.owner, project))
    return " ".join(terms)


def listed(
    type: str, where: str, text: str = "", *, count: int | None = None, at: datetime | None = None
) -> dict[str, Any]:
    """Rows of a resource type: `where` as `place` gives it, and `text`, whose terms must all fit."""
    filter = f"{where} {text}".strip()
    return {"type": type, "filter": filter, "query": {}, "at": times.text(at) if at else None, "count": count}


def resources(
    type: str,
    text: str = "",
    *,
    cloud: str | None = None,
    region: str | None = None,
    project: str | None = None,
    count: int | None = None,
    at: datetime | None = None,
) -> dict[str, Any]:
    """`listed` at a place."""
    return listed(type, place(type, cloud, region, project), text, count=count, at=at)


def asked(type: str, count: int | None, **query: str | Sequence[str] | None) -> dict[str, Any]:
    """Rows of "drift", "problem" or "compliance", by the parameters of their route; None is left out."""
    given = {name: value for name, value in query.items() if value is not None}
    return {"type": type, "filter": "", "query": given, "at": None, "count": count}
