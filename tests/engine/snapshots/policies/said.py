"""Volumes and decisions to test with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from engine.snapshots.models import Decision, Policy, Volume
from engine.snapshots.policies.naming import made_up
from engine.snapshots.policies.rules import Assignment, Decider, Exclusion, PolicySet, Said

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
GOLD = Policy("gold", "0 1 * * *", "Europe/Berlin", 14)
OFF = Policy("off", "0 1 * * *", enabled=False)
MADE = {"gold": GOLD, "off": OFF}


def policy(name: str) -> Policy:
    return MADE.get(name) or made_up(name)


def volume(**more: Any) -> Volume:
    fields: dict[str, Any] = {
        "cloud": "prod", "region": "one", "id": "v1", "name": "db-data", "status": "in-use", "size_gb": 100,
        "volume_type": "ssd", "project_id": "p1", "project_name": "shop", "domain_id": "d1", "domain_name": "Retail",
    }  # fmt: skip
    return Volume(**fields | more)


def a_set(id: int, *policies: str, **more: Any) -> PolicySet:
    return PolicySet(id, more.pop("name", f"set {id}"), policies or ("daily_5",), **more)


def decide(
    what: Volume,
    *sets: PolicySet,
    assigned: tuple[Assignment, ...] = (),
    excluded: tuple[Exclusion, ...] = (),
    wrote: dict[str, str] | None = None,
) -> Decision:
    said = Said(sets, {what.key: assigned} if assigned else {}, excluded, {what.key: (wrote,)} if wrote else {})
    return Decider(said, policy, NOW).of(what)


def kept(decision: Decision) -> dict[str, int]:
    """policy -> how many are kept."""
    return {held.policy: held.keep for held in decision.held}
