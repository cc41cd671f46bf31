"""Which function performs which step. The names stand in the journal: none is ever changed, and none means another."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import cache

from engine.jobs.models import StepResult
from engine.restore.steps.work import Work

Perform = Callable[[Work], StepResult]
# Modules of this folder that have STEPS.
MODULES = (
    "beginning", "safety", "volumes", "images", "rebuilding", "attaching", "protecting", "undo_volumes", "parking",
    "addresses", "ports", "servers", "proving", "old_machine", "undo_machine",
    "quotas",
)  # fmt: skip


@cache
def steps() -> Mapping[str, Perform]:
    """{name: function} of all of them. Raises ValueError when two modules have the same name."""
    found: dict[str, Perform] = {}
    for name in MODULES:
        own = importlib.import_module(f"engine.restore.steps.{name}").STEPS
        if twice := found.keys() & own.keys():
            raise ValueError(f"the steps {', '.join(sorted(twice))} are in two modules")
        found |= own
    return found
