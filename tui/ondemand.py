"""Types that no collection reads: which question a list of them is an answer to."""

from __future__ import annotations

from store.filters import And, Filter, FilterError, Match, parse
from store.types import registry
from store.types.declaration import ResourceType


def question(type: ResourceType, text: str) -> dict[str, str] | None:
    """The body of `POST /q/collections/on-demand` for a list with this filter; None when it names no one resource."""
    try:
        condition = parse(text)
    except FilterError:
        return None
    resource = one_value(condition, registry.parents(type)[0][1])
    if resource is None:
        return None
    places = {name: one_value(condition, name) for name in ("cloud", "region")}
    return {"type": type.name, "resource_id": resource} | {name: value for name, value in places.items() if value}


def one_value(condition: Filter, column: str) -> str | None:
    """The one value that every row must have in the column; None when the filter leaves a choice."""
    terms = condition.items if isinstance(condition, And) else (condition,)
    for term in terms:
        if isinstance(term, Match) and term.column == column and [value.operator for value in term.values] == ["="]:
            return term.values[0].text
    return None


def way_there(type: ResourceType) -> str:
    """How to have rows of the type read: two short sentences, one a line."""
    noun = type.plural.replace("_", " ")
    parents = ", ".join(parent.plural.replace("_", " ") for parent, _ in registry.parents(type))
    return f"{noun} are read for one resource when asked for\nopen one of {parents}, then its link to them"
