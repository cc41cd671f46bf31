"""What a preview compares with: own points, and quota read live, per volume type too."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from engine.snapshots.models import Point
from engine.snapshots.policies.costs import KEPT_SECONDS, MOST_ASKED, Costs
from tests.engine.api.furniture import ADMIN


def entry(limit: int | None, used: int | None, reserved: int | None = 0) -> dict[str, int | None]:
    return {"limit": limit, "in_use": used, "reserved": reserved}


class Cloud:
    def __init__(self) -> None:
        self.now = 0.0
        self.points = [
            Point("prod", "one", f"s{n}", "snapshot", volume, policy=policy)
            for n, (volume, policy) in enumerate([("v1", "a"), ("v1", "a"), ("v1", "b"), ("v2", "a"), ("v9", "a")])
        ]
        self.quota: dict[str, Any] = {}
        self.asked: list[list[str]] = []

    def own(self, cloud: str, region: str, ids: Collection[str] | None) -> list[Point]:
        return [one for one in self.points if one.cloud == cloud and (ids is None or one.volume_id in ids)]

    def storage(self, cloud: str, region: str, projects: Sequence[str]) -> dict[str, Any]:
        self.asked.append(list(projects))
        return {project: self.quota.get(project, "no account may ask") for project in projects}


def row(project: str, snapshots: int = 4, gigabytes: int = 40, type: str = "ssd") -> dict[str, Any]:
    types = {type: {"snapshots": snapshots, "gigabytes": gigabytes}}
    return {"cloud": "prod", "region": "one", "tenant_id": project, "more_snapshots": snapshots,
            "more_gigabytes": gigabytes, "types": types, "quota": None}  # fmt: skip


def told(cloud: Cloud, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    Costs(cloud.own, cloud.storage, clock=lambda: cloud.now).headroom(ADMIN, list(rows))
    return [one["quota"] for one in rows]


def test_own_points_are_counted_by_volume_and_policy() -> None:
    cloud = Cloud()
    costs = Costs(cloud.own, cloud.storage)
    keys = [("prod", "one", "v1"), ("prod", "one", "v2"), ("other", "one", "v1")]
    v1, v2 = keys[:2]
    assert costs.existing(keys) == {(v1, "a"): 2, (v1, "b"): 1, (v2, "a"): 1}
    many = [("prod", "one", f"v{n}") for n in range(1, 600)]
    assert costs.existing(many)[("prod", "one", "v9"), "a"] == 1


def test_quota_says_what_does_not_fit() -> None:
    cloud = Cloud()
    cloud.quota = {
        "fits": {"snapshots": entry(10, 5, 1), "gigabytes": entry(-1, 900), "volumes": entry(1, 1)},
        "full": {"snapshots": entry(10, 6, 1), "gigabytes": entry(500, 470)},
        "type": {"snapshots": entry(-1, 0), "gigabytes": entry(-1, 0), "snapshots_ssd": entry(0, 0),
                 "gigabytes_hdd": entry(0, 0)},
        "odd": {"snapshots": entry(None, None), "gigabytes": entry(10, 0)},
    }  # fmt: skip
    fits, full, of_type, odd, unknown = told(cloud, *(row(name) for name in (*cloud.quota, "unknown")))
    assert fits == {"snapshots": {"limit": 10, "used": 6}, "gigabytes": {"limit": -1, "used": 900}, "problem": None}
    assert full["problem"] == "snapshots: 7 used and 4 more of 10; gigabytes: 470 used and 40 more of 500"
    assert of_type["problem"] == "snapshots_ssd: 0 used and 4 more of 0"
    assert odd["problem"] == "the cloud does not say its quota of snapshots; gigabytes: 0 used and 40 more of 10"
    assert unknown == {"problem": "no account may ask"}


def test_answers_are_kept_for_a_while_and_only_the_dearest_projects_are_asked_about() -> None:
    cloud = Cloud()
    costs = Costs(cloud.own, cloud.storage, clock=lambda: cloud.now)
    costs.headroom(ADMIN, [row("p1"), row("p2")])
    costs.headroom(ADMIN, [row("p1"), row("p3")])
    assert cloud.asked == [["p1", "p2"], ["p3"]]
    cloud.now = KEPT_SECONDS
    costs.headroom(ADMIN, [row("p1")])
    assert cloud.asked[-1] == ["p1"]
    many = [row(f"q{n}", gigabytes=n) for n in range(MOST_ASKED + 1)]
    costs.headroom(ADMIN, many)
    assert len(cloud.asked[-1]) == MOST_ASKED and "q0" not in cloud.asked[-1]
    assert many[0]["quota"]["problem"].startswith("not asked")
