"""The points of a machine as people choose among them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from engine.restore.models import Disk, Machine, Source
from engine.restore.planning import timeline
from engine.restore.planning.facts import Facts

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MACHINE = Machine(("east", "r1", "m1"), "web-1", "p1")
DISKS = (Disk("v1", root=True), Disk("v2", order=1))


def source(id: str, volume: str, hours: float, **more: Any) -> Source:
    values: dict[str, Any] = {"kind": "snapshot", "status": "available", "project_id": "p1"}
    at = NOW - timedelta(hours=hours)
    return Source(**{**values, "id": id, "volume_id": volume, "taken_at": at, **more})


def entries(points: Any, disks: Any = DISKS) -> list[dict[str, Any]]:
    return timeline.points(Facts(MACHINE, disks=disks, points=points), NOW)


def test_an_entry_is_a_root_with_what_goes_with_it() -> None:
    found = entries({
        "v1": (source("r2", "v1", 1), source("r1", "v1", 25)),
        "v2": (source("d2", "v2", 1.01), source("d0", "v2", 50)),
    })  # fmt: skip
    assert [(one["id"], one["volumes"], one["missing"]) for one in found] == [
        ("r2", ["v1", "v2"], []), ("r1", ["v1"], ["v2"]), ("d0", ["v2"], ["v1"]),
    ]  # fmt: skip
    assert found[0]["spread_ms"] == 36_000
    assert found[0]["age_seconds"] == 3600
    assert found[1]["spread_ms"] is None


def test_points_made_as_one_stay_together() -> None:
    found = entries({
        "v1": (source("r1", "v1", 5, group="g"),),
        "v2": (source("d2", "v2", 5.001), source("d1", "v2", 5, group="g")),
    })  # fmt: skip
    assert [(one["id"], one["volumes"]) for one in found] == [("r1", ["v1", "v2"]), ("d2", ["v2"])]
    assert found[0]["spread_ms"] == 0


def test_what_cannot_be_used_is_shown_with_the_reason() -> None:
    found = entries({"v1": (source("r1", "v1", 1, status="creating"), source("r0", "v1", 2, project_id="admin"))})
    assert [one["usable"] for one in found] == [False, False]
    assert "creating" in found[0]["problem"]
    assert "admin" in found[1]["problem"]


def test_a_root_that_is_no_volume_has_images() -> None:
    disks = (Disk("v2"),)
    found = entries({"": (source("i1", "", 1, kind="image", status="active"),), "v2": (source("d", "v2", 1),)}, disks)
    assert [(one["id"], one["kind"], one["volumes"]) for one in found] == [("i1", "image", ["", "v2"])]


def test_points_without_a_time_come_last() -> None:
    found = entries({"v1": (source("r1", "v1", 1, taken_at=None), source("r2", "v1", 9))})
    assert [(one["id"], one["age_seconds"]) for one in found] == [("r2", 32_400), ("r1", None)]


def test_a_machine_without_points_has_no_entries() -> None:
    assert entries({"v1": (), "v2": ()}) == []
