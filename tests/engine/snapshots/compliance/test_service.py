"""Compliance over a small company: what counts as a point, what a window is, who sees what, and sums that add up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.access.models import Caller
from engine.snapshots.compliance.service import inside
from engine.snapshots.volumes import volumes
from store.estate.reading.models import Scope
from tests.engine.snapshots.compliance.place import NOW, Place, backup, days, documents, made, snapshot, take_in, volume

LIMITED = Caller(name="v", role="viewer", projects=("p2",), via="embedded")
DOMAIN = Caller(name="d", role="viewer", domains=("d1",), via="embedded")
ELSEWHERE = Caller(name="e", role="viewer", clouds=("other",), via="embedded")
NOBODY = Caller(name="x", role="stranger", via="embedded")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


async def statuses(place: Place, **query: Any) -> dict[str, str]:
    answer = await place.get("/snapshot/compliance", **query)
    return {f"{item['volume_id']} {item['policy']}": item["status"] for item in answer["items"]}


async def test_snapshots_by_hand_keep_no_promise(place: Place) -> None:
    # documents(): snapshots of a day or five, made by nobody knows whom.
    assert await statuses(place) == {"vol-1 daily_5": "missing", "vol-2 daily_5": "missing", "vol-5 daily_5": "missing"}
    answer = await place.get("/snapshot/compliance")
    first = answer["items"][0]
    assert (first["snapshot_count"], first["manual_snapshots"], first["last_snapshot_at"]) == (0, 1, None)
    assert answer["summary"]["manual_snapshots"] == 3, "one of four is in error, and is nothing to go back to"
    assert first["reason"] == "there is no usable point"


async def test_points_of_another_tool_count_by_their_metadata(place: Place) -> None:
    place.snapshots(
        made(1, 1, "p1", days(1)),
        made(2, 2, "p1", days(3)),
        made(3, 2, "p1", days(0.1), policy="weekly_4"),
        {**made(4, 5, "p2", days(0.1)), "status": "error"},
    )
    assert await statuses(place) == {
        "vol-1 daily_5": "compliant", "vol-2 daily_5": "missing", "vol-5 daily_5": "missing",
    }  # fmt: skip
    row = (await place.get("/snapshot/compliance", status="compliant"))["items"][0]
    assert (row["last_snapshot_at"], row["snapshot_count"], row["age_hours"]) == ("2026-11-19T15:30:00Z", 1, 24.0)
    assert (row["retention"], row["tenant_name"], row["window_hours"]) == (5, "acme-prod", 30.0)
    late = {item["volume_id"]: item["level"] for item in (await place.get("/snapshot/compliance"))["items"]}
    assert late == {"vol-1": "ok", "vol-2": "lost", "vol-5": "lost"}
    assert (await place.get("/snapshot/compliance", days=3))["summary"]["rows"]["compliant"] == 2, "asked for in days"
    assert (await place.get("/snapshot/compliance", days=2))["items"][0]["level"] == "late"


async def test_our_own_points_count_by_our_clock(place: Place) -> None:
    """The cloud's clock, and metadata that a tenant wrote, say something else."""
    place.run()
    place.snapshots(
        snapshot(1, 1, "p1", days(9)),
        made(2, 2, "p1", days(0.01)),
        snapshot(3, 5, "p2", days(0.5)),
    )
    place.ours("snap-1", "vol-1", days(0.5))
    place.ours("snap-2", "vol-2", days(9))
    place.ours("snap-9", "vol-5", days(0.1))  # not in the cloud any more
    assert await statuses(place) == {
        "vol-1 daily_5": "compliant", "vol-2 daily_5": "missing", "vol-5 daily_5": "missing",
    }  # fmt: skip


async def test_two_policies_are_two_promises(place: Place) -> None:
    asked = {"auto_snapshot": "true", "snapshot_policies": "daily_5,monthly_1st"}
    take_in(place.estate, "volume", [volume(1, "p1", metadata=asked, created_at="2026-09-01T00:00:00")], NOW)
    place.snapshots(made(1, 1, "p1", days(19.4), policy="monthly_1st"))
    assert await statuses(place) == {"vol-1 monthly_1st": "compliant", "vol-1 daily_5": "missing"}
    place.snapshots(made(1, 1, "p1", days(19.4), policy="monthly_1st"), made(2, 1, "p1", days(0.5)))
    assert set((await statuses(place)).values()) == {"compliant"}
    assert await statuses(place, days=2) == {"vol-1 daily_5": "compliant", "vol-1 monthly_1st": "missing"}
    answer = await place.get("/q/snapshot/compliance", by="volume", days=2)
    (one,) = answer["items"]
    assert (one["status"], one["policy"]) == ("missing", "monthly_1st"), "a volume is as bad as its worst policy"
    assert {item["policy"]: item["status"] for item in one["policies"]} == {
        "daily_5": "compliant", "monthly_1st": "missing",
    }  # fmt: skip
    assert (answer["summary"]["rows"]["total"], answer["summary"]["volumes"]["total"]) == (2, 1)


async def test_what_was_not_due_yet_is_pending(place: Place) -> None:
    asked = {"auto_snapshot": "true", "snapshot_policies": "monthly_1st"}
    young = volume(1, "p1", metadata=asked, created_at="2026-11-02T00:00:00")
    old = volume(2, "p1", metadata=asked, created_at="2026-10-02T00:00:00")
    take_in(place.estate, "volume", [young, old], NOW)
    assert await statuses(place) == {"vol-2 monthly_1st": "missing", "vol-1 monthly_1st": "pending"}
    answer = await place.get("/snapshot/compliance")
    assert answer["summary"]["rows"]["compliance_pct"] == 0.0, "what is pending is not judged"
    place.now = NOW + timedelta(days=11)  # the first of December, before the run had its time
    place.now = place.now.replace(hour=0, minute=30)
    assert (await statuses(place))["vol-1 monthly_1st"] == "pending"
    place.now = place.now.replace(hour=6)
    assert (await statuses(place))["vol-1 monthly_1st"] == "missing"


async def test_a_promise_begins_when_somebody_makes_it(place: Place) -> None:
    take_in(place.estate, "volume", [volume(1, "p1", created_at="2026-01-02T00:00:00")], NOW)
    place.assign("vol-1", "monthly_1st", days(2))
    assert await statuses(place) == {"vol-1 monthly_1st": "pending"}, "assigned two days ago, due on the first"
    place.assign("vol-1", "daily_5", days(2))
    assert (await statuses(place))["vol-1 daily_5"] == "missing"


async def test_a_blocked_volume_says_so_for_two_days(place: Place) -> None:
    place.run()
    place.blocked("vol-1", days(1.9))
    place.blocked("vol-2", days(2.1))
    assert await statuses(place) == {
        "vol-1 daily_5": "quota_blocked", "vol-2 daily_5": "missing", "vol-5 daily_5": "missing",
    }  # fmt: skip
    first = (await place.get("/snapshot/compliance"))["items"][0]
    assert first["volume_id"] == "vol-1", "what somebody can do something about comes first"
    assert first["reason"].startswith("there is no usable point: the project's quota had no room at 2026-11-18T")
    place.snapshots(made(1, 1, "p1", days(0.5)))
    assert (await statuses(place))["vol-1 daily_5"] == "compliant"


async def test_an_exclusion_is_neither_kept_nor_broken(place: Place) -> None:
    place.exclude("vol-2", "scratch space", NOW + timedelta(hours=1))
    answer = await place.get("/snapshot/compliance")
    row = answer["items"][-1]
    assert (row["volume_id"], row["status"], row["policy"]) == ("vol-2", "excluded", None)
    assert "scratch space" in row["reason"]
    counts = answer["summary"]["rows"]
    assert (counts["excluded"], counts["judged"], counts["total"]) == (1, 2, 3)
    place.now = NOW + timedelta(hours=2)
    assert (await statuses(place))["vol-2 daily_5"] == "missing", "it is over"


async def test_days_of_the_owner_widen_a_window(place: Place) -> None:
    asked = {"auto_snapshot": "true", "snapshot_policies": "daily_5"}
    take_in(place.estate, "volume", [volume(1, "p1", metadata={**asked, "sla_days": "4"}),
                                     volume(2, "p1", metadata={**asked, "sla_days": "0"})], NOW)  # fmt: skip
    place.snapshots(made(1, 1, "p1", days(3)), made(2, 2, "p1", days(1)))
    assert set((await statuses(place)).values()) == {"compliant"}


async def test_sums_by_tenant_domain_and_policy_are_the_rows(place: Place) -> None:
    place.run()
    place.set_of("daily_5", "weekly_4")
    place.exclude("vol-4", "no")
    place.blocked("vol-3", days(1))
    place.snapshots(made(1, 1, "p1", days(1)), made(2, 5, "p2", days(1)), made(3, 3, "p1", days(2), policy="weekly_4"))
    rows = (await place.get("/snapshot/compliance"))["items"]
    assert len(rows) >= 6
    for by, names in (("tenant", ("cloud", "tenant_id")), ("domain", ("cloud", "domain_id")), ("policy", ("policy",))):
        answer = await place.get("/q/snapshot/compliance", by=by)
        seen = 0
        for item in answer["items"]:
            mine = [row for row in rows if all(row[name] == item[name] for name in names)]
            seen += len(mine)
            for status in ("compliant", "missing", "pending", "quota_blocked", "excluded"):
                assert item["rows"][status] == sum(row["status"] == status for row in mine), (by, item, status)
            assert item["volumes"]["total"] == len({row["volume_id"] for row in mine})
        assert seen == len(rows) == answer["summary"]["rows"]["total"]
    volumes = await place.get("/q/snapshot/compliance", by="volume")
    every = await place.get("/q/snapshot/compliance")
    assert volumes["total"] == 5 and every["total"] == len(rows)
    overview = await place.get("/q/snapshot/compliance/summary")
    for status in ("compliant", "missing", "pending", "quota_blocked", "excluded"):
        found = await place.get("/q/snapshot/compliance", by="volume", status=status)
        assert found["total"] == overview["counts"][status] == answer["summary"]["volumes"][status]
    assert sum(overview["counts"].values()) == 5
    for word in ("backup", "same", "nothing"):
        assert overview["cover"][word] == sum(item["cover"] == word for item in volumes["items"])


async def test_what_no_policy_takes_is_told_when_asked_for(place: Place) -> None:
    found = await place.get("/q/snapshot/compliance", status="no_policy")
    assert [item["volume_id"] for item in found["items"]] == ["vol-3", "vol-4"]
    assert found["summary"]["ungoverned"] == 2
    everything = await place.get("/q/snapshot/compliance", by="volume")
    assert everything["total"] == 5
    take_in(place.estate, "volume", [volume(1, "p1"), volume(5, "p2")], NOW)
    answer = await place.get("/snapshot/compliance")
    assert (answer["total"], answer["summary"]["rows"]["compliance_pct"]) == (0, None)
    assert answer["policy"].startswith("no policy")


async def test_roles_see_their_own(place: Place) -> None:
    for caller, seen in ((LIMITED, {"vol-5"}), (DOMAIN, {"vol-1", "vol-2"}), (ELSEWHERE, set())):
        answer = await place.get("/snapshot/compliance", caller)
        assert {item["volume_id"] for item in answer["items"]} == seen
        assert answer["summary"]["rows"]["total"] == len(seen)
        assert {i["volume_id"] for i in (await place.get("/q/snapshot/coverage", caller))["items"]} <= (
            seen | {"vol-3", "vol-4"}
        )
    for path in ("/snapshot/compliance", "/q/snapshot/compliance", "/q/snapshot/coverage", "/q/snapshot/points",
                 "/q/snapshot/compliance/trend", "/q/snapshot/compliance/report",
                 "/q/snapshot/compliance/summary"):  # fmt: skip
        await place.get(path, NOBODY, expect=403)
    mine = await place.get("/snapshot/compliance", tenant_id="p2")
    assert [item["volume_id"] for item in mine["items"]] == ["vol-5"]
    assert (await place.get("/snapshot/compliance", cloud="other"))["total"] == 0
    assert (await place.get("/snapshot/compliance", project_id="p1", region="RegionOne"))["total"] == 2


@pytest.mark.parametrize(
    "scope",
    [
        Scope(),
        Scope(clouds=("prod", "other")),
        Scope(clouds=()),
        Scope(in_clouds=("other",)),
        Scope(in_regions=("RegionOne",)),
        Scope(in_regions=("",)),
        Scope(projects=("p2", "p9")),
        Scope(projects=("p1", "p2"), in_projects=("p1",)),
        Scope(domains=("d2",)),
        Scope(domains=("d1",), projects=("p2",)),
    ],
    ids=str,
)
async def test_a_scope_is_the_same_here_and_in_the_store(place: Place, scope: Scope) -> None:
    place.set_of("daily_5")
    everything = volumes(place.reads, Scope())
    assert [one.key for one in everything if inside(scope, one)] == [one.key for one in volumes(place.reads, scope)]


async def test_pages_hold_every_row_once(place: Place) -> None:
    place.set_of("daily_5", "weekly_4")
    whole = (await place.get("/snapshot/compliance", limit=100, offset=0))["results"]
    parts: list[Any] = []
    for offset in range(0, len(whole), 2):
        parts += (await place.get("/snapshot/compliance", limit=2, offset=offset))["results"]
    assert [(row["volume_id"], row["policy"]) for row in parts] == [(row["volume_id"], row["policy"]) for row in whole]


async def test_coverage_tells_backups_from_snapshots(place: Place) -> None:
    take_in(place.estate, "backup", [backup(1, 4, "p1", days(1)), backup(2, 1, "p1", days(1)),
                                     backup(3, 2, "p1", days(1), "error")])  # fmt: skip
    answer = await place.get("/q/snapshot/coverage")
    found = {item["volume_id"]: (item["coverage"], item["risk"]) for item in answer["items"]}
    assert found == {
        "vol-1": ("both", "none"), "vol-2": ("snapshots", "back end"), "vol-3": ("nothing", "all"),
        "vol-4": ("backup", "none"), "vol-5": ("snapshots", "back end"),
    }  # fmt: skip
    assert answer["items"][0]["volume_id"] == "vol-3", "the most to lose comes first"
    assert answer["summary"] == {"both": 1, "backup": 1, "snapshots": 2, "nothing": 1, "total": 5}
    assert (await place.get("/q/snapshot/coverage", coverage="snapshots"))["total"] == 2
    covers = {item["volume_id"]: item["cover"] for item in
              (await place.get("/q/snapshot/compliance", by="volume"))["items"]}  # fmt: skip
    assert covers == {"vol-1": "backup", "vol-2": "same", "vol-3": "nothing", "vol-4": "backup", "vol-5": "same"}


async def test_facts_are_read_again_when_anything_moved(place: Place) -> None:
    service = place.room.service
    before = service.rows(Scope())[0].promise
    assert service.rows(Scope())[0].promise is before, "nothing moved: nothing is read"
    place.run()
    place.ours("snap-1", "vol-1", days(0.5))
    assert (await statuses(place))["vol-1 daily_5"] == "compliant", "the journal moved"
    place.exclude("vol-1", "no")
    assert "vol-1 daily_5" not in await statuses(place), "what people decided moved"
    take_in(place.estate, "volume", documents()["volume"][1:], NOW)
    assert all("vol-1" not in name for name in await statuses(place)), "the estate moved"


async def test_days_must_be_days(place: Place) -> None:
    for days_ in (0, -1, 366, "x"):
        await place.get("/snapshot/compliance", expect=422, days=days_)
    await place.get("/snapshot/compliance", expect=422, status="fine")
    await place.get("/q/snapshot/compliance", expect=422, by="colour")


async def test_documented_snapshots_say_whether_their_policy_is_kept(place: Place) -> None:
    place.run()
    place.snapshots(
        snapshot(1, 1, "p1", days(9)),
        made(2, 2, "p1", days(5)),
        made(3, 5, "p2", days(0.1), policy="weekly_4"),
        snapshot(4, 3, "p1", days(1)),
    )
    place.ours("snap-1", "vol-1", days(0.5))
    answer = await place.get("/snapshots")
    found = {one["snapshot_id"]: (one["policy"], one["own"], one["compliance_status"]) for one in answer["items"]}
    assert found == {
        "snap-1": ("daily_5", True, "compliant"), "snap-2": ("daily_5", False, "missing"),
        "snap-3": ("weekly_4", False, None), "snap-4": (None, False, None),
    }  # fmt: skip
    assert answer["items"][0].keys() >= {"snapshot_name", "volume_name", "tenant_name", "domain_name", "size_gb"}
    mine = await place.get("/snapshots", LIMITED)
    assert [one["snapshot_id"] for one in mine["items"]] == ["snap-3"]
    only = await place.get("/snapshots", volume_id="vol-2", limit=5, offset=0)
    assert [one["snapshot_id"] for one in only["results"]] == ["snap-2"]
    await place.get("/snapshots", NOBODY, expect=403)
