"""The page on drift says what the engine does."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.drift import causes, grading, reference
from engine.drift.grading import Action
from engine.drift.reference import EXAMPLES, Example
from engine.drift.rules import DOCUMENTED, RULES

NOON = datetime(2026, 11, 20, 12)
# By which instant action Nova would tell of the change.
ACTIONS = {
    "resize": "resize", "the same, when": "resize", "stop": "stop", "its ports": "stop", "delete a server": "delete",
    "volume of a deleted": "delete", "floating IP of a deleted": "delete", "detach": "detach_volume",
    "extend an attached": "extend_volume",
}  # fmt: skip
VALUES = {"status": "SHUTOFF", "vm_state": "stopped", "existence": "deleted"}


def test_every_rule_is_on_it() -> None:
    page = reference.markdown()
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)]
    assert numbers == sorted(RULES) and sum(number <= DOCUMENTED for number in numbers) == 24
    assert all(f"| `{name}` |" in page for name in causes.NOVA)
    assert all(len(line) <= 120 or line.startswith("|") for line in page.splitlines())


@pytest.mark.parametrize("example", EXAMPLES, ids=[one.change for one in EXAMPLES])
def test_an_example_is_what_is_answered(example: Example) -> None:
    """With the action that Nova records for it, if any, between the two listings, and nothing else."""
    name = next((action for words, action in ACTIONS.items() if example.change.startswith(words)), None)
    service = name in causes.OF_SERVICES
    told = [] if name is None else [Action(name, NOON, NOON, "req-1", "ada", service, False)]
    for number in example.rules:
        rule = RULES[number]
        alone = "attached to nothing" in example.change
        values: dict[str, str] = {**VALUES, "status": "available" if rule.type == "volume" else "SHUTOFF"}
        event: dict[str, Any] = {
            "type": rule.type, "field": rule.field, "new_value": values.get(rule.field, "x"), "kind": rule.kind,
            "cloud": "prod", "resource_id": "r", "owner_id": "m", "seen_before": NOON - timedelta(minutes=5),
            "seen_at": NOON + timedelta(minutes=5), "opened_at": NOON,
        }  # fmt: skip
        found = grading.judge(event, [] if alone else told, [])
        assert found.grade == example.grade, rule.name
        assert (found.actor == "ada") == bool(example.actor)
