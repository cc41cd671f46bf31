"""The routes: the documented ones and ours, who may use them, what they say to nonsense."""

from __future__ import annotations

from typing import Any

import pytest

from engine.snapshots.policies import listing
from tests.engine.snapshots.policies.place import ADMIN, ANNA, BOB, OF_CLOUD, OF_D2, OF_P1, Place, volume

DAILY: dict[str, Any] = {"name": "base", "policies": ["daily_5"], "is_global": True}


async def test_policy_sets_as_documented(place: Place) -> None:
    body = {**DAILY, "description": "all of it", "retention_map": {"daily_5": 3}, "priority": 20, "tenant_id": None}
    made = await place.ask("POST", "/snapshot-policies", ANNA, 201, body)
    fields = {"id", "name", "description", "is_global", "tenant_id", "tenant_name", "policies", "retention_map",
              "priority", "is_active", "created_at", "created_by", "updated_at", "updated_by"}  # fmt: skip
    assert fields <= set(made)
    assert (made["tenant_id"], made["names"], made["volumes"], made["created_by"]) == (None, "everything", 2, "anna")
    listed = await place.ask("GET", "/snapshot-policies", BOB)
    assert (listed["total"], listed["page"], listed["items"]) == (1, 1, [made])
    changed = await place.ask("PUT", f"/snapshot-policies/{made['id']}", ANNA, body={"is_active": False})
    assert changed == {**made, "is_active": False, "volumes": 0}
    await place.ask("PUT", f"/snapshot-policies/{made['id']}", BOB, 403, {"is_active": True})
    await place.ask("POST", "/snapshot-policies", ANNA, 409, DAILY)
    gone = await place.ask("DELETE", f"/snapshot-policies/{made['id']}", ANNA)
    assert gone == {"status": "deleted", "id": made["id"], "assignments_removed": 0}
    await place.ask("DELETE", f"/snapshot-policies/{made['id']}", ANNA, 404)
    await place.ask("PUT", f"/snapshot-policies/{made['id']}", ANNA, 404, {})


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x"},
        {"name": "", "policies": ["a"]},
        {"name": "x" * 256, "policies": ["a"]},
        {"name": "x\u202e", "policies": ["a"]},
        {"name": "x", "policies": []},
        {"name": "x", "policies": ["a,b"]},
        {"name": "x", "policies": ["a"] * 21},
        {"name": "x", "policies": ["a"], "retention_map": {"a": 0}},
        {"name": "x", "policies": ["a"], "retention_map": {"a": 10_000}},
        {"name": "x", "policies": ["a"], "retention_map": {"a": "3"}},
        {"name": "x", "policies": ["a"], "priority": -1},
        {"name": "x", "policies": ["a"], "is_global": "yes"},
        {"name": "x", "policies": ["a"], "match": {"name_regex": ".*"}},
        {"name": "x", "policies": ["a"], "match": {"bootable": "yes"}},
        {"name": "x", "policies": ["a"], "match": {"min_size_gb": 5, "max_size_gb": 4}},
        {"name": "x", "policies": ["a"], "match": {"volume_type": []}},
        {"name": "x", "policies": ["a"], "match": {"metadata_equals": {}}},
        {"name": "x", "policies": ["a"], "whatever": 1},
    ],
)
async def test_sets_that_make_no_sense_are_refused(place: Place, body: dict[str, Any]) -> None:
    await place.ask("POST", "/snapshot-policies", ANNA, 422, body)
    assert place.moves == 0


async def test_assignments_as_documented(place: Place) -> None:
    made = await place.ask("POST", "/snapshot-policies", ANNA, 201, {"name": "web", "policies": ["weekly_4"]})
    body: dict[str, Any] = {"volume_ids": ["vol-3", "vol-4"], "policy_set_id": made["id"]}
    given = await place.ask("POST", "/snapshot-assignments", ANNA, 201, body)
    assert (given["created"], given["updated"], len(given["items"])) == (2, 0, 2)
    again = await place.ask("POST", "/snapshot-assignments", ANNA, 201, body)
    assert (again["created"], again["updated"]) == (0, 2) and again["items"][0]["id"] == given["items"][0]["id"]
    one = {"volume_id": "vol-4", "policies": ["a", "b"], "retention_map": {"a": 2}, "keep": 4}
    own = await place.ask("POST", "/snapshot-assignments", ANNA, 201, one)
    assert [(row["policies"], row["keep"]) for row in own["items"]] == [(["a"], 2), (["b"], 4)]
    everything = await place.ask("GET", "/snapshot-assignments", BOB)
    assert everything["total"] == 4
    of_four = await place.ask("GET", "/snapshot-assignments", BOB, volume_id="vol-4", policy_set_id=made["id"])
    [row] = of_four["items"]
    assert (row["volume_name"], row["tenant_name"], row["policy_set_name"]) == ("disk-4", "acme-prod", "web")
    assert (row["policies"], row["assignment_source"]) == (["weekly_4"], "manual")
    assert place.held("vol-4") == {"weekly_4": 4, "a": 2, "b": 4}
    assert await place.ask("DELETE", f"/snapshot-assignments/{row['id']}", ANNA) == {
        "status": "deleted",
        "id": row["id"],
    }
    await place.ask("DELETE", f"/snapshot-assignments/{row['id']}", ANNA, 404)
    await place.ask("POST", "/snapshot-assignments", BOB, 403, body)
    for status, wrong in (
        (404, {"volume_id": "vol-9", "policy": "a"}),
        (404, {"volume_id": "vol-4", "policy_set_id": 99}),
        (404, {"volume_id": "vol-4", "policy": "a", "cloud": "other"}),
        (422, {"volume_id": "vol-4"}),
        (422, {"policy": "a"}),
        (422, {"volume_id": "vol-4", "policy": "a", "policy_set_id": 1}),
        (422, {"volume_id": "vol-4", "volume_ids": ["vol-3"], "policy": "a"}),
        (422, {"volume_id": "vol-4", "policy_set_id": made["id"], "keep": 3}),
        (422, {"volume_id": "vol-4", "policy": "a", "retention_map": {"b": 3}}),
        (422, {"volume_id": "vol-4", "policy": "a/b"}),
        (422, {"volume_ids": ["v"] * 1001, "policy": "a"}),
    ):
        await place.ask("POST", "/snapshot-assignments", ANNA, status, wrong)


async def test_policies(place: Place) -> None:
    body = {"name": "gold", "schedule": "weekly sun 03:30", "timezone": "Europe/Berlin", "keep": 4, "jitter_minutes": 5}
    made = await place.ask("POST", "/q/snapshot/policies", ANNA, 201, body)
    assert made["schedule"] == "30 3 * * 0" and made["words"] == "weekly on Sunday at 03:30 Europe/Berlin, keep 4"
    assert made["next_at"] == "2026-11-22T02:30:00Z" and (made["known"], made["volumes"]) == (True, 0)
    await place.ask("POST", "/q/snapshot/policies", ANNA, 409, body)
    await place.ask("POST", "/q/snapshot/policies", BOB, 403, {**body, "name": "x"})
    listed = await place.ask("GET", "/q/snapshot/policies", BOB)
    assert [(row["name"], row["known"], row["volumes"]) for row in listed["items"]] == [
        ("daily_5", False, 3), ("gold", True, 0),
    ]  # fmt: skip
    assert await place.ask("GET", "/q/snapshot/policies/gold", BOB) == made
    changed = await place.ask("PUT", "/q/snapshot/policies/gold", ANNA, body={"keep": 5, "window_hours": 200})
    assert (changed["keep"], changed["window"], changed["schedule"]) == (5, 200, "30 3 * * 0")
    # One that nobody made is made under its name.
    await place.ask("PUT", "/q/snapshot/policies/daily_5", ANNA, 404, {"keep": 6})
    await place.ask(
        "POST", "/q/snapshot/policies", ANNA, 201, {"name": "daily_5", "schedule": "daily 03:00", "keep": 6}
    )
    assert place.held("vol-1") == {"daily_5": 6}
    gone = await place.ask("DELETE", "/q/snapshot/policies/daily_5", ANNA)
    assert gone["now"] == "daily at 02:00 UTC, keep 5"
    await place.ask("DELETE", "/q/snapshot/policies/daily_5", ANNA, 404)
    await place.ask("GET", "/q/snapshot/policies/nothing", BOB, 404)
    for wrong in (
        {"schedule": "sometimes"}, {"schedule": "* * * * *"}, {"timezone": "Mars"}, {"timezone": "../../etc/passwd"},
        {"keep": 0}, {"keep": 1.5}, {"keep": True}, {"jitter_minutes": 1441}, {"catch_up_hours": 0},
        {"window_hours": "NaN"}, {"method": "cascade"}, {"name": "a/b"}, {"name": ""}, {"force": True},
    ):  # fmt: skip
        await place.ask("POST", "/q/snapshot/policies", ANNA, 422, {**body, "name": "new", **wrong})


async def test_exclusions(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"volume_id": "vol-1", "reason": "scratch", "expires_at": "2026-12-01T00:00:00Z"}
    made = await place.ask("POST", "/q/snapshot/exclusions", ANNA, 201, body)
    assert (made["volume_name"], made["cloud"], made["region"], made["in_force"]) == (
        "disk-1",
        "prod",
        "RegionOne",
        True,
    )
    assert place.held("vol-1") == {}
    listed = await place.ask("GET", "/q/snapshot/exclusions", BOB)
    assert (listed["total"], listed["items"], listed["owners"]) == (1, [made], None)
    changed = await place.ask("PUT", f"/q/snapshot/exclusions/{made['id']}", ANNA, body={"expires_at": None})
    assert (changed["expires_at"], changed["reason"]) == (None, "scratch")
    await place.ask("PUT", f"/q/snapshot/exclusions/{made['id']}", ANNA, 400, {})
    await place.ask("PUT", f"/q/snapshot/exclusions/{made['id']}", BOB, 403, {"reason": "x"})
    await place.ask("DELETE", f"/q/snapshot/exclusions/{made['id']}", ANNA)
    await place.ask("DELETE", f"/q/snapshot/exclusions/{made['id']}", ANNA, 404)
    assert place.held("vol-1") == {"daily_5": 5}
    for status, wrong in (
        (422, {"reason": "x"}), (422, {"volume_id": "vol-1"}), (422, {"volume_id": "vol-1", "reason": ""}),
        (400, {"volume_id": "vol-1", "reason": "  "}), (404, {"volume_id": "vol-9", "reason": "x"}),
        (400, {"tenant_id": "p1", "reason": "x", "expires_at": "2026-11-01T00:00:00Z"}),
        (400, {"tenant_id": "p1", "reason": "x", "expires_at": "soon"}),
        (422, {"tenant_id": "p1", "reason": "x", "source": "metadata-tag"}),
    ):  # fmt: skip
        await place.ask("POST", "/q/snapshot/exclusions", ANNA, status, wrong)
    place.volumes(volume(1, "p1", metadata={"auto_snapshot": "no"}))
    listed = await place.ask("GET", "/q/snapshot/exclusions", BOB, owners=True)
    assert [row["volume_id"] for row in listed["owners"]] == ["vol-1"] and listed["owners_total"] == 1
    with monkeypatch.context() as patched:
        patched.setattr(listing, "MOST_OWNERS", 0)
        listed = await place.ask("GET", "/q/snapshot/exclusions", BOB, owners=True)
        assert (listed["owners"], listed["owners_total"]) == ([], 1), "what is not listed is counted"


async def test_why_and_due(place: Place) -> None:
    why = await place.ask("GET", "/q/snapshot/why/prod/RegionOne/vol-1", BOB)
    assert why["reasons"][0]["text"].startswith("its own metadata ask for it")
    await place.ask("GET", "/q/snapshot/why/prod/-/vol-1", BOB, 404)
    await place.ask("GET", "/q/snapshot/why/prod/RegionOne/vol-5", OF_P1, 404)
    due = await place.ask("GET", "/q/snapshot/due", BOB)
    [row] = due["items"]
    assert (row["policy"], row["volumes"], row["due_at"], row["next_at"]) == (
        "daily_5",
        3,
        None,
        "2026-11-21T02:00:00Z",
    )
    place.policies.due("prod", "RegionOne")
    place.now = place.now.replace(day=21)
    [row] = (await place.ask("GET", "/q/snapshot/due", OF_P1, cloud="prod"))["items"]
    assert (row["volumes"], row["due_at"], row["taken_at"]) == (2, "2026-11-21T02:00:00Z", None)
    assert (await place.ask("GET", "/q/snapshot/due", BOB, cloud="other"))["items"] == []


async def test_limited_callers_see_and_change_their_part(place: Place) -> None:
    async def sets(caller: Any) -> list[str]:
        return [row["name"] for row in (await place.ask("GET", "/snapshot-policies", caller))["items"]]

    for name, more in (
        ("all", {"is_global": True}), ("of prod", {"cloud": "prod"}), ("of other", {"cloud": "other"}),
        ("of p1", {"tenant_id": "p1"}), ("of labs", {"tenant_name": "labs-dev"}),
        ("matches acme", {"match": {"tenant_name": "acme-prod"}}),
    ):  # fmt: skip
        await place.ask("POST", "/snapshot-policies", ADMIN, 201, {"name": name, "policies": ["a"], **more})
    assert await sets(OF_P1) == ["of p1", "matches acme", "of prod", "all"]
    assert await sets(OF_D2) == ["of labs", "of prod", "all"]
    assert await sets(OF_CLOUD) == ["of p1", "of labs", "matches acme", "of prod", "all"]
    ids = {row["name"]: row["id"] for row in (await place.ask("GET", "/snapshot-policies"))["items"]}
    change = {"description": "mine"}
    for caller, name, status in (
        (OF_P1, "all", 403), (OF_P1, "of prod", 403), (OF_P1, "of labs", 404), (OF_P1, "of other", 404),
        (OF_P1, "of p1", 403),  # it holds in every cloud, and the caller is limited to one
        (OF_CLOUD, "all", 403), (OF_CLOUD, "of prod", 200), (OF_CLOUD, "of other", 404),
    ):  # fmt: skip
        await place.ask("PUT", f"/snapshot-policies/{ids[name]}", caller, status, change)
    mine = {"name": "mine", "policies": ["a"], "cloud": "prod", "tenant_id": "p1"}
    made = await place.ask("POST", "/snapshot-policies", OF_P1, 201, mine)
    for wider in ({"tenant_id": ""}, {"tenant_id": "p2"}, {"cloud": "other"}, {"cloud": ""}):
        await place.ask("PUT", f"/snapshot-policies/{made['id']}", OF_P1, 403, wider)
        await place.ask("POST", "/snapshot-policies", OF_P1, 403, {**mine, "name": "wider", **wider})
    await place.ask("POST", "/q/snapshot/policies", OF_P1, 403, {"name": "gold", "schedule": "daily"})
    await place.ask("DELETE", f"/snapshot-policies/{made['id']}", OF_D2, 404)
    await place.ask("DELETE", f"/snapshot-policies/{made['id']}", OF_P1)
    # Volumes of others are not there.
    await place.ask("POST", "/snapshot-assignments", OF_P1, 404, {"volume_ids": ["vol-4", "vol-5"], "policy": "a"})
    assert place.policies.state().assignments == {}
    given = await place.ask(
        "POST", "/snapshot-assignments", ADMIN, 201, {"volume_ids": ["vol-4", "vol-5"], "policy": "a"}
    )
    assert [row["volume_id"] for row in (await place.ask("GET", "/snapshot-assignments", OF_D2))["items"]] == ["vol-5"]
    await place.ask("DELETE", f"/snapshot-assignments/{given['items'][0]['id']}", OF_D2, 404)
    await place.ask("DELETE", f"/snapshot-assignments/{given['items'][1]['id']}", OF_D2)
    # Exclusions.
    for body, status in (
        ({"volume_id": "vol-4"}, 201), ({"volume_id": "vol-5"}, 404), ({"tenant_id": "p1", "cloud": "prod"}, 201),
        ({"tenant_id": "p1"}, 403), ({"tenant_id": "p2", "cloud": "prod"}, 403),
        ({"match": {"bootable": True}, "cloud": "prod"}, 403),
    ):  # fmt: skip
        await place.ask("POST", "/q/snapshot/exclusions", OF_P1, status, {"reason": "x", **body})
    wide = await place.ask("POST", "/q/snapshot/exclusions", ADMIN, 201, {"reason": "x", "match": {"bootable": True}})
    assert len((await place.ask("GET", "/q/snapshot/exclusions", OF_P1))["items"]) == 3
    assert len((await place.ask("GET", "/q/snapshot/exclusions", OF_D2))["items"]) == 1
    await place.ask("DELETE", f"/q/snapshot/exclusions/{wide['id']}", OF_D2, 403)
    # Counts are of their own volumes.
    listed = {row["name"]: row["volumes"] for row in (await place.ask("GET", "/q/snapshot/policies", OF_D2))["items"]}
    assert listed == {"a": 0, "daily_5": 1}


async def test_a_preview_says_what_a_set_takes_and_costs(place: Place) -> None:
    place.desk.previewer.existing = lambda keys: {(place.key("vol-4"), "weekly_4"): 1}

    def headroom(caller: Any, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row["quota"] = {"snapshots": {"limit": 10, "used": 4}}

    place.desk.previewer.headroom = headroom
    body = {"policies": ["weekly_4", "daily_5"], "tenant_id": "p1", "retention_map": {"daily_5": 2}}
    found = await place.ask("POST", "/q/snapshot/sets/preview", BOB, body=body)
    # vol-1 and vol-2 have policies of their own; vol-3 (30 GB) and vol-4 (40 GB) are taken, with 4 + 2 points each.
    assert [item["volume_id"] for item in found["items"]] == ["vol-3", "vol-4"]
    assert (found["volumes"], found["new"], found["overridden"], found["size_gb"]) == (2, 2, 2, 70)
    assert (found["snapshots"], found["gigabytes"]) == (12, 6 * 30 + 6 * 40)
    assert (found["existing_snapshots"], found["more_snapshots"], found["more_gigabytes"]) == (1, 11, 6 * 30 + 5 * 40)
    [project] = found["projects"]
    assert (project["tenant_name"], project["quota"]["snapshots"]["used"]) == ("acme-prod", 4)
    assert project["types"] == {"": {"snapshots": 11, "gigabytes": 380}}
    assert found["policies"] == ["weekly on Sunday at 03:00 UTC, keep 4", "daily at 02:00 UTC, keep 5"]
    assert place.moves == 0
    made = await place.ask("POST", "/snapshot-policies", ANNA, 201, {"name": "x", **body})
    same = await place.ask("POST", "/q/snapshot/sets/preview", BOB, body={"id": made["id"]})
    assert (same["volumes"], same["new"], same["lost"], same["name"]) == (2, 0, 0, "x")
    narrower = {"id": made["id"], "match": {"min_size_gb": 40}}
    less = await place.ask("POST", "/q/snapshot/sets/preview", BOB, body=narrower)
    assert (less["volumes"], less["lost"]) == (1, 1)
    of_others = await place.ask("POST", "/q/snapshot/sets/preview", OF_D2, body={"policies": ["a"], "is_global": True})
    assert (of_others["volumes"], of_others["overridden"]) == (0, 1)
    await place.ask("POST", "/q/snapshot/sets/preview", OF_D2, 404, {"id": made["id"]})
    given = {"volume_ids": ["vol-1", "vol-4"], "policy": "monthly_1st"}
    assigned = await place.ask("POST", "/q/snapshot/assignments/preview", BOB, body=given)
    assert [(item["volume_id"], item["policies"]) for item in assigned["items"]] == [
        ("vol-1", {"daily_5": 2, "monthly_1st": 1}), ("vol-4", {"monthly_1st": 1}),
    ]  # fmt: skip
    assert assigned["new"] == 0


async def test_metadata_are_written_on_demand(place: Place) -> None:
    await place.ask("POST", "/snapshot-assignments", ANNA, 201, {"volume_id": "vol-4", "policy": "gold"})
    body = {"volume_ids": ["vol-4", "vol-1", "vol-3"]}
    place.cinder.metadata["vol-1"] = {"auto_snapshot": "true", "snapshot_policies": "daily_5"}
    [job] = (await place.ask("POST", "/q/snapshot/assignments/write", ANNA, 202, body))["jobs"]
    assert {step["key"][2]: step["detail"].split(":")[0] for step in job["steps"]} == {
        "vol-1": "not written",
        "vol-3": "it has no policy, and its metadata name none",
        "vol-4": "metadata written",
    }
    await place.ask("POST", "/q/snapshot/assignments/write", BOB, 403, body)
    await place.ask("POST", "/q/snapshot/assignments/write", ANNA, 404, {"volume_ids": ["vol-9"]})
    await place.ask("POST", "/q/snapshot/assignments/write", OF_P1, 404, {"volume_ids": ["vol-4", "vol-5"]})
    place.desk.writing = None
    await place.ask("POST", "/q/snapshot/assignments/write", ANNA, 409, body)
