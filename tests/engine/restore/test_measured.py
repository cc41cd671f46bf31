"""How long a restore point takes: what was measured counts, by kind and by size where it is copied."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from engine.restore.measured import Durations, Measured, estimate
from engine.snapshots.models import Point
from store.ops.jobs_tables import job_steps, jobs
from store.ops.ops import Ops

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("measured", "kind", "size", "seconds"),
    [
        ([], "snapshot", 100, None),
        ([], "backup", 100, 1024),
        ([("snapshot", 10, 4.0), ("snapshot", 500, 6.0), ("snapshot", 20, 5.0)], "snapshot", 2000, 5),
        ([("backup", 10, 20.0)], "snapshot", 10, None),
        ([("backup", 10, 20.0), ("backup", 100, 300.0), ("backup", 50, 150.0)], "backup", 200, 600),
        ([("backup", 0, 5.0)], "backup", 0, 5),
    ],
    ids=str,
)
def test_the_estimate(measured: list[Measured], kind: str, size: int, seconds: int | None) -> None:
    assert estimate(measured, kind, size) == seconds


def job(ops: Ops, number: int, kind: str, sizes: list[int], took: float, cloud: str = "lab") -> None:
    disks: list[dict[str, Any]] = [
        {"choice": "restore_point", "source": {"kind": kind, "size_gb": size}} for size in sizes
    ]
    plan = {"restore": {"disks": [*disks, {"choice": "keep_current", "source": None}]}}
    values: dict[str, Any] = {
        "id": f"j{number}", "number": number, "kind": "restore", "title": "", "state": "done", "plan_version": 1,
        "plan": plan, "options": {}, "cloud": cloud, "caller": {}, "by": "ops", "owner": "ops", "reason": "",
        "ticket": "", "created_at": BEGAN, "total": 2,
    }  # fmt: skip
    with ops.begin() as connection:
        connection.execute(insert(jobs).values(**values))
        for seq, name in enumerate(("CREATE_VOLUME_FROM_SNAPSHOT", "WAIT_VOLUME_AVAILABLE"), 1):
            ends = BEGAN + timedelta(seconds=1 if seq == 1 else took)
            connection.execute(
                insert(job_steps).values(
                    job_id=f"j{number}", seq=seq, group=seq, name=name, args={}, state="done", started_at=BEGAN,
                    ended_at=ends,
                )
            )  # fmt: skip


def test_it_is_measured_by_earlier_jobs_of_that_cloud(tmp_path: Path) -> None:
    ops = Ops.open(tmp_path / "ops.sqlite")
    try:
        job(ops, 1, "backup", [10, 40], 80.0)
        job(ops, 2, "backup", [100], 1e6, cloud="another")
        durations = Durations(ops)
        point = Point("lab", "", "b1", "backup", "v1", size_gb=100)
        assert durations.seconds("lab", "", point) == 200
        assert durations.seconds("lab", "", Point("lab", "", "s1", "snapshot", "v1", size_gb=100)) is None
    finally:
        ops.close()
