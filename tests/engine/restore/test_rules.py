"""Tests of what the service of restores decides."""

from __future__ import annotations

from typing import Any

import pytest

from engine.restore import rules
from tests.engine.restore import small_cloud

BEGIN = ("VALIDATE_LIVE_STATE", "CREATE_VOLUME_FROM_SNAPSHOT", "CREATE_PORTS", "CREATE_SERVER", "WAIT_SERVER_ACTIVE")
UNDO = ("UNDO_SERVER", "UNDO_PORTS", "UNDO_VOLUMES")


def ended(failed: str, undone: tuple[str, ...] = UNDO) -> dict[str, Any]:
    """A job of a new machine that failed at a step, whose undo steps were done."""
    at = BEGIN.index(failed)
    states = ["done"] * at + ["failed"] + ["pending"] * len(BEGIN)
    rows = [{"name": name, "phase": "do", "state": state} for name, state in zip(BEGIN, states, strict=False)]
    rows += [{"name": name, "phase": "undo", "state": "done" if name in undone else "failed"} for name in UNDO]
    return {"state": "failed", "steps": rows}


@pytest.mark.parametrize(
    ("job", "reused", "step"),
    [
        (ended("CREATE_PORTS"), {"root": "v-new"}, "CREATE_PORTS"),
        # The ports and the machine were taken back: they are made again.
        (ended("WAIT_SERVER_ACTIVE"), {"root": "v-new"}, "CREATE_PORTS"),
        (ended("WAIT_SERVER_ACTIVE", ("UNDO_SERVER", "UNDO_VOLUMES")), {"root": "v-new"}, "CREATE_SERVER"),
        # Somebody cleaned up: the volume is made again, too.
        (ended("WAIT_SERVER_ACTIVE"), {}, "CREATE_VOLUME_FROM_SNAPSHOT"),
        (ended("CREATE_VOLUME_FROM_SNAPSHOT"), {"root": "v-new"}, "CREATE_VOLUME_FROM_SNAPSHOT"),
        (ended("VALIDATE_LIVE_STATE"), {}, "VALIDATE_LIVE_STATE"),
        ({"state": "failed", "steps": []}, {}, ""),
    ],
)
def test_a_retry_goes_on_from_the_first_step_that_is_done_again(
    job: dict[str, Any], reused: dict[str, str], step: str
) -> None:
    assert rules.resumed_from(small_cloud.plan("NEW"), job, reused) == step
