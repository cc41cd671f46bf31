"""The documented history: what is answered, and what a role may see of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.access.models import Caller
from engine.settings.roles import Role
from store import times
from tests.engine.history.estates import Past, at, filled

PROJECT_ONE = Caller(name="v", role="viewer", projects=("p1",), via="embedded")
ELSEWHERE = Caller(name="v", role="viewer", clouds=("other",), via="embedded")


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    made = filled(tmp_path_factory.mktemp("home"))
    yield made
    made.close()


def told(items: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(item["resource_id"], item["change_type"]) for item in items]


async def test_recent_changes_newest_first(past: Past) -> None:
    answer = await past.get("/history/recent-changes", hours=4)
    assert told(answer["changes"]) == [("v1", "changed"), ("v3", "deleted"), ("v1", "returned"), ("v2", "changed"),
                                       ("v1", "deleted")]  # fmt: skip
    assert (answer["total_changes"], answer["period_hours"], answer["limit"]) == (5, 4, 100)
    assert answer["changes"][3] == {
        "resource_type": "volume",
        "resource_id": "v2",
        "resource_name": "data-2",
        "project_id": "p2",
        "project_name": "lab",
        "domain_name": "acme",
        "cloud": "prod",
        "region": "RegionOne",
        "change_type": "changed",
        "recorded_at": times.text(at(31)),
        "change_hash": answer["changes"][3]["change_hash"],
        "changed_fields": ["size_gb"],
        "change_description": "size gb 10 -> 20",
        "user": None,
    }


async def test_the_first_listing_is_no_change(past: Past) -> None:
    answer = await past.get("/history/recent-changes", hours=168)
    assert answer["total_changes"] == 9
    assert {item["resource_type"] for item in answer["changes"]} == {"volume", "security_group_rule"}
    assert told(answer["changes"])[-4:] == [("r1", "created"), ("v1", "changed"), ("v1", "changed"), ("v3", "created")]


@pytest.mark.parametrize("limit", [1, 2, 5, 9])
async def test_a_limit_cuts_the_list_and_not_the_count(past: Past, limit: int) -> None:
    whole = await past.get("/history/recent-changes", hours=168)
    answer = await past.get("/history/recent-changes", hours=168, limit=limit)
    assert answer["total_changes"] == 9
    assert answer["changes"] == whole["changes"][:limit]


@pytest.mark.parametrize("hours", [1, 2, 3, 4, 31, 32, 33, 168])
async def test_counts_are_of_exactly_the_hours_asked_for(past: Past, hours: int) -> None:
    answer = await past.get("/history/recent-changes", hours=hours, limit=1000)
    since = times.text(at(33 - hours))
    assert answer["total_changes"] == len(answer["changes"])
    assert all(item["recorded_at"] > since for item in answer["changes"])


async def test_most_changed(past: Past) -> None:
    answer = await past.get("/history/most-changed", hours=168)
    assert [(one["resource_id"], one["change_count"], one["deleted"]) for one in answer["resources"]] == [
        ("v1", 4, False), ("v2", 1, False), ("r1", 1, False), ("v3", 1, True),
    ]  # fmt: skip
    assert answer["total_resources"] == 4
    assert answer["resources"][0]["project_name"] == "shop"
    assert (await past.get("/history/most-changed", hours=168, limit=1))["total_resources"] == 4


async def test_by_timeframe_has_empty_periods_too(past: Past) -> None:
    answer = await past.get("/history/by-timeframe", hours=4)
    assert answer["bucket"] == "hour"
    assert [period["total"] for period in answer["periods"]] == [0, 1, 2, 2, 0]
    assert answer["periods"][1]["deleted"] == 1 and answer["periods"][2]["by_type"] == {"volume": 2}
    days = await past.get("/history/by-timeframe", hours=72)
    assert (days["bucket"], [period["total"] for period in days["periods"]]) == ("day", [0, 0, 4, 5])
    assert days["total_changes"] == 9


async def test_one_resource_from_first_to_last(past: Past) -> None:
    answer = await past.get("/history/resource/volume/v1")
    assert [item["change_type"] for item in answer["history"]] == [
        "changed", "returned", "deleted", "changed", "changed", "first_seen",
    ]  # fmt: skip
    assert (answer["resource_name"], answer["exists"], answer["total_versions"]) == ("data-1", True, 5)
    assert answer["history"][0]["changed_fields"] == ["status", "name"]
    assert answer["history"][0]["change_description"] == "status in-use -> available; name new-name -> data-1"
    gone = await past.get("/history/resource/volumes/v3")
    assert (gone["exists"], [item["change_type"] for item in gone["history"]]) == (False, ["deleted", "created"])
    assert len((await past.get("/history/resource/volume/v1", limit=2))["history"]) == 2


async def test_details_number_the_changes_and_tell_old_and_new(past: Past) -> None:
    answer = await past.get("/history/details/volume/v1")
    newest = answer["changes"][0]
    assert (newest["sequence"], newest["key_fields"]["name"]) == (5, "data-1")
    assert newest["changes"] == [
        {"field": "name", "old_value": "new-name", "new_value": "data-1"},
        {"field": "status", "old_value": "in-use", "new_value": "available"},
    ]
    assert [item["sequence"] for item in answer["changes"]] == [5, 4, 3, 3, 2, 1]


async def test_two_versions_compared(past: Past) -> None:
    history = (await past.get("/history/resource/volume/v1"))["history"]
    newest, first = history[0]["change_hash"], history[-1]["change_hash"]
    query = {"current_hash": newest, "previous_hash": history[1]["change_hash"]}
    answer = await past.get("/history/compare/volume/v1", **query)
    assert [change["field"] for change in answer["changes"]] == ["name", "status"]
    changed = [field for field in answer["fields"] if field["changed"]]
    assert changed == answer["fields"][: len(changed)] and len(answer["fields"]) > len(changed)
    assert answer["current"]["recorded_at"] == times.text(at(32))
    same = await past.get("/history/compare/volume/v1", current_hash=newest, previous_hash=first)
    assert same["identical"] and same["changes"] == []  # it is again as it was at first


@pytest.mark.parametrize("which", ["current_hash", "previous_hash"])
async def test_a_hash_that_is_no_versions(past: Past, which: str) -> None:
    newest = (await past.get("/history/resource/volume/v1"))["history"][0]["change_hash"]
    query = {"current_hash": newest, "previous_hash": newest, which: "ff"}
    assert "no version" in (await past.get("/history/compare/volume/v1", expect=404, **query))["detail"]


async def test_deletions_with_the_last_known_state(past: Past) -> None:
    answer = await past.get("/history/resource/deletion/v3")
    (item,) = answer["history"]
    assert item["resource_type"] == "volume" and item["deleted_at"] == times.text(at(32))
    assert item["last_seen_before_deletion"] == times.text(at(31))
    assert item["raw_json_snapshot"]["name"] == "data-3"
    assert item["reason"] == "a whole listing did not have it any more"
    assert (item["project_name"], item["domain_name"]) == ("shop", "acme")
    assert (await past.get("/history/details/deletion/v3"))["changes"] == [item]
    assert (await past.get("/history/resource/deletion/nothing"))["history"] == []
    compared = await past.get("/history/compare/deletion/v3", current_hash="a", previous_hash="b")
    assert "nothing to compare" in compared["info"]


async def test_timeline_of_a_type(past: Past) -> None:
    answer = await past.get("/audit/resource-timeline/volume", days=3)
    assert (answer["resource_type"], answer["total"], len(answer["items"])) == ("volume", 8, 8)
    assert [day["total"] for day in answer["timeline"]] == [0, 0, 3, 5]
    second = await past.get("/audit/resource-timeline/volume", days=3, page=2, page_size=3)
    assert second["items"] == answer["items"][3:6]


async def test_compliance_report(past: Past) -> None:
    answer = await past.get("/audit/compliance-report", start_date="2026-11-20", end_date="2026-11-21")
    assert answer["summary"]["total"] == 9 and answer["summary"]["deleted"] == 2
    assert answer["access_changes"]["total"] == 1
    assert told(answer["access_changes"]["items"]) == [("r1", "created")]
    assert told(answer["deletions"]["items"]) == [("v3", "deleted"), ("v1", "deleted")]
    assert answer["status"] == "incomplete"  # for more than a day nobody looked at volumes
    assert any("volumes of prod/RegionOne were not listed for 28 h" in remark for remark in answer["remarks"])
    assert sum(day["total"] for day in answer["by_day"]) == 9


async def test_a_report_on_a_time_in_which_everything_was_listed(past: Past) -> None:
    answer = await past.get("/audit/compliance-report", start_date=times.text(at(30)), end_date=times.text(at(33)))
    volumes = next(one for one in answer["by_type"] if one["resource_type"] == "volume")
    assert volumes["remarks"] == [] and volumes["clouds"][0]["listings"] == 3


async def test_a_report_where_nothing_was_listed(past: Past) -> None:
    answer = await past.get("/audit/compliance-report", cloud="other")
    assert (answer["status"], answer["summary"]["total"]) == ("no_data", 0)


@pytest.mark.parametrize(
    ("path", "query", "status", "words"),
    [
        ("/history/recent-changes", {"hours": 169}, 422, "hours"),
        ("/history/recent-changes", {"limit": 1001}, 422, "limit"),
        ("/history/recent-changes", {"resource_type": "spoon"}, 400, "spoon"),
        ("/history/resource/spoon/v1", {}, 400, "spoon"),
        ("/history/resource/volume/nope", {}, 404, "no volume 'nope'"),
        ("/history/compare/volume/v1", {}, 422, "current_hash"),
        ("/audit/resource-timeline/volume", {"days": 0}, 422, "days"),
        ("/audit/resource-timeline/deletion", {}, 400, "one type"),
        ("/audit/compliance-report", {"start_date": "yesterday"}, 400, "start_date"),
        ("/audit/compliance-report", {"start_date": "2026-13-01"}, 400, "not a day"),
        ("/audit/compliance-report", {"start_date": "2026-11-21", "end_date": "2026-11-20"}, 400, "before"),
        ("/audit/compliance-report", {"start_date": "0001-01-01"}, 400, "days apart"),
    ],
)
async def test_refusals(past: Past, path: str, query: Any, status: int, words: str) -> None:
    assert words in (await past.get(path, expect=status, **query))["detail"]


async def test_a_limited_role_sees_its_own_history_only(past: Past) -> None:
    answer = await past.get("/history/recent-changes", PROJECT_ONE, hours=168)
    assert {item["resource_id"] for item in answer["changes"]} == {"v1", "v3", "r1"}
    assert answer["total_changes"] == 8
    most = await past.get("/history/most-changed", PROJECT_ONE, hours=168)
    assert {one["resource_id"] for one in most["resources"]} == {"v1", "v3", "r1"}
    frame = await past.get("/history/by-timeframe", PROJECT_ONE, hours=72)
    assert frame["total_changes"] == 8
    for path in ("resource", "details"):
        await past.get(f"/history/{path}/volume/v2", PROJECT_ONE, expect=404)
    await past.get("/history/compare/volume/v2", PROJECT_ONE, expect=404, current_hash="a", previous_hash="b")
    report = await past.get("/audit/compliance-report", PROJECT_ONE)
    assert report["summary"]["total"] == 8


@pytest.mark.parametrize("caller", [ELSEWHERE, Caller(name="v", role="viewer", domains=("d9",), via="embedded")])
async def test_another_cloud_or_domain_does_not_exist(past: Past, caller: Caller) -> None:
    assert (await past.get("/history/recent-changes", caller, hours=168))["total_changes"] == 0
    assert (await past.get("/history/most-changed", caller, hours=168))["resources"] == []
    assert (await past.get("/history/resource/deletion/v3", caller))["history"] == []
    await past.get("/history/resource/volume/v1", caller, expect=404)
    assert (await past.get("/audit/resource-timeline/volume", caller))["total"] == 0


@pytest.mark.parametrize("role", ["technical"])
async def test_types_that_a_role_may_not_read_are_left_out(past: Past, role: Role) -> None:
    caller = Caller(name="t", role=role, via="embedded")
    await past.get("/history/resource/keypair/k1", caller, expect=403)
    report = await past.get("/audit/compliance-report", caller)
    assert "keypair" not in {one["resource_type"] for one in report["by_type"]}


async def test_a_place_narrows(past: Past) -> None:
    for query in ({"cloud": "other"}, {"region": "RegionTwo"}, {"project_id": "p9"}):
        assert (await past.get("/history/recent-changes", hours=168, **query))["total_changes"] == 0
    assert (await past.get("/history/recent-changes", hours=168, project_id="p2"))["total_changes"] == 1


async def test_a_history_names_what_it_took_the_place_of(past: Past) -> None:
    assert (await past.get("/history/resource/volume/v2"))["in_place_of"] == []
    past.history.lineage = lambda cloud, region, ids: {"v2": (["v1"], ["v7"])} if region == "RegionOne" else {}
    for path in ("/history/resource/volume/v2", "/history/details/volume/v2"):
        answer = await past.get(path)
        assert (answer["in_place_of"], answer["replaced_by"]) == (["v1"], ["v7"])
