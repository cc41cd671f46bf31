"""Plans and requests as JSON and back: what the journal keeps, and what a later release reads again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from engine.restore.models import PLAN_VERSION, Plan, Request

READS = (PLAN_VERSION,)  # versions that can be read, and so at least be taken back


class UnknownPlan(ValueError):
    """A stored plan cannot be read by this release; one sentence."""


@cache
def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def to_json(value: Plan | Request) -> dict[str, Any]:
    """As JSON values: times as RFC 3339 text, tuples as lists."""
    kind: Any = type(value)
    found: dict[str, Any] = _adapter(kind).dump_python(value, mode="json")
    return found


def plan_of(stored: Mapping[str, Any]) -> Plan:
    """A plan that `to_json` wrote, also in an earlier release. Raises UnknownPlan."""
    from pydantic import ValidationError

    if int(stored.get("version", 0)) not in READS:
        raise UnknownPlan(f"this release cannot read version {stored.get('version')} of a restore plan")
    try:
        plan: Plan = _adapter(Plan).validate_python(stored)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnknownPlan(f"the stored restore plan cannot be read: {where}: {first['msg']}") from error
    return plan


def request_of(stored: Mapping[str, Any]) -> Request:
    """A request that `to_json` wrote. Raises ValueError."""
    request: Request = _adapter(Request).validate_python(stored)
    return request
