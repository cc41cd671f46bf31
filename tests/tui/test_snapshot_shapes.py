"""The fake engine of these tests answers as the real one says it does: every field that a page reads is there."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from engine.snapshots.compliance import models as compliance
from engine.snapshots.policies import answers
from engine.snapshots.policies.schedule_routes import ScheduleAnswer
from engine.snapshots.runs import models as runs
from engine.snapshots.standing_routes import PolicyCloudStates
from tests.tui.snapshots_fake import SnapshotClient
from tui import snapshots as paths


def unknown(told: Any, model: type[BaseModel]) -> set[str]:
    """Names in the rows of an answer that the engine's model does not have."""
    fields = model.model_fields
    return {name for item in told for name in item if name not in fields and not model.model_config.get("extra")}


@pytest.mark.parametrize(
    ("path", "row"),
    [
        (paths.POLICIES, answers.PolicyAnswer),
        (paths.SETS, answers.SetAnswer),
        (paths.EXCLUSIONS, answers.ExclusionAnswer),
        (paths.DUE, answers.DueAnswer),
        (paths.RUNS, runs.Run),
        (paths.CLOUDS, PolicyCloudStates.model_fields["items"].annotation.__args__[0]),
    ],
)
async def test_rows_hold_nothing_that_the_engine_does_not_tell(path: str, row: type[BaseModel]) -> None:
    told = (await SnapshotClient().get(path))["items"]
    assert told and unknown(told, row) == set()


@pytest.mark.parametrize(
    ("path", "model"),
    [
        (paths.SUMMARY, compliance.Overview),
        (paths.STATE, runs.State),
        (f"{paths.SCHEDULE}", ScheduleAnswer),
    ],
)
async def test_whole_answers_are_of_the_engines_shape(path: str, model: type[BaseModel]) -> None:
    told = await SnapshotClient().get(path, {"timezone": "UTC"})
    assert set(told) - set(model.model_fields) == set()


@pytest.mark.parametrize(
    ("path", "model"), [(paths.COMPLIANCE, compliance.Kept), (paths.POINTS, compliance.PointAnswer)]
)
async def test_rows_that_may_hold_more_hold_what_the_engine_always_tells(path: str, model: type[BaseModel]) -> None:
    told = (await SnapshotClient().get(path))["items"]
    read = {"usable", "made_by", "manual", "level"}  # told by the engine, read nowhere as a must
    assert all(set(model.model_fields) - set(item) <= read for item in told)


async def test_a_preview_and_its_parts() -> None:
    told = await SnapshotClient().post(paths.PREVIEW, {})
    assert set(told) == set(answers.Preview.model_fields)
    assert unknown(told["projects"], answers.ProjectCost) == unknown(told["items"], answers.Taken) == set()


async def test_why() -> None:
    told = await SnapshotClient().get(paths.why_path(("a", "b", "c")))
    assert unknown([told], answers.Why) == set()
    assert unknown(told["reasons"], answers.ReasonAnswer) == unknown(told["policies"], answers.HeldAnswer) == set()
