"""From a number of the engine's answers to the view that lists what it counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from store.filters import Match, Value, format
from store.types import registry
from tui.state import View

DRIFT_TERMS = ("severity", "state", "type", "cloud", "region", "project", "rule", "field", "grade")
COMPLIANCE_TERMS = ("status", "level", "policy", "cloud", "region", "tenant_id")
PROBLEM_TERMS = ("severity", "cloud", "rule", "type", "project")


def view_of(behind: Mapping[str, Any] | None, clouds: tuple[str, ...] = ()) -> View | None:
    """The list behind a number, as the engine describes it (`Behind`); None when there is none."""
    if not behind:
        return None
    type, query = str(behind.get("type") or ""), behind.get("query") or {}
    if type == "drift":
        return View("drift", filter=terms(query, DRIFT_TERMS), clouds=clouds)
    if type == "problem":
        return View("problems", filter=f"{terms(query, PROBLEM_TERMS)} muted:=no".strip(), clouds=clouds)
    if type == "compliance":
        return View("compliance", filter=terms(query, COMPLIANCE_TERMS), clouds=clouds)
    if type not in registry.ALL:
        return None
    return View("list", type, filter=str(behind.get("filter") or ""), clouds=clouds, at=str(behind.get("at") or ""))


def terms(query: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Parameters of a route as the terms of a pane's filter; of a repeated one any value."""
    found = {name: query[name] for name in names if query.get(name)}
    values = {name: given if isinstance(given, list) else [given] for name, given in found.items()}
    return " ".join(format(Match(name, tuple(Value("=", str(one)) for one in many))) for name, many in values.items())
