"""Restore points: whose they are, what proves them, in which order; and what hostile or odd documents do to that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.access.models import Caller
from engine.snapshots.models import Point
from engine.snapshots.points import Observed, grouped, joined, marked_as_one, newest_first, parts_of, size_of
from store.estate.reading.models import Scope
from tests.engine.inventory.reading import server
from tests.engine.snapshots.compliance.place import (
    NOW,
    Place,
    backup,
    days,
    documents,
    made,
    snapshot,
    take_in,
    volume,
)

SERVER = server(2)["id"]
LIMITED = Caller(name="v", role="viewer", projects=("p2",), via="embedded")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


def image(id: str, *snapshots: str, **more: Any) -> dict[str, Any]:
    """An image of a volume-booted machine, as Nova leaves it in Glance: no bytes, and where the data are."""
    mapping = [{"snapshot_id": one, "volume_size": 10, "source_type": "snapshot", "boot_index": 0} for one in snapshots]
    return {"id": id, "name": id, "status": "active", "owner": "p1", "size": 0, "visibility": "private",
            "created_at": "2026-11-19T15:30:00Z", "block_device_mapping": json.dumps(mapping), **more}  # fmt: skip


async def points(place: Place, **query: Any) -> list[dict[str, Any]]:
    return list((await place.get("/q/snapshot/points", **query))["items"])


async def test_a_timeline_of_everything_that_a_volume_has(place: Place) -> None:
    place.run()
    place.snapshots(
        snapshot(1, 1, "p1", days(3)),
        made(2, 1, "p1", days(2)),
        snapshot(3, 1, "p1", days(9)),  # ours: the cloud's clock is another
        {**snapshot(4, 1, "p1", days(0.1)), "status": "error"},
        {**snapshot(5, 1, "p1", days(4)), "metadata": {"created_by": "quarterdeck", "container": "mine"}},
        snapshot(6, 2, "p1", days(0.2)),
    )
    place.ours("snap-3", "vol-1", days(1), consistency="quiesced", proof="the guest agent froze it")
    more = {"is_incremental": True, "container": "backups", "availability_zone": "az2", "has_dependent_backups": True}
    take_in(place.estate, "backup", [backup(1, 1, "p1", days(1.5), **more)])
    found = await points(place, volume="vol-1")
    assert [item["id"] for item in found] == ["snap-4", "snap-3", "bak-1", "snap-2", "snap-1", "snap-5"]
    by_id = {item["id"]: item for item in found}
    ours, tool, hand = by_id["snap-3"], by_id["snap-2"], by_id["snap-1"]
    assert (ours["own"], ours["policy"], ours["made_by"]) == (True, "daily_5", "policy daily_5")
    assert (ours["consistency"], ours["proof"]) == ("quiesced", "the guest agent froze it")
    assert ours["taken_at"] == "2026-11-19T15:30:00Z"
    assert (tool["own"], tool["policy"]) == (False, "daily_5") and "by its metadata" in tool["made_by"]
    assert (hand["own"], hand["policy"], hand["made_by"]) == (False, "", "a person or another tool")
    assert {item["consistency"] for item in (tool, hand)} == {"unknown"}, "nothing shows it"
    assert by_id["snap-5"]["made_by"].startswith("by hand, with this console")
    assert by_id["snap-4"]["usable"] is False and hand["usable"] is True
    kept = by_id["bak-1"]
    assert (kept["kind"], kept["back_end"], kept["incremental"]) == ("backup", "backup", True)
    assert (kept["container"], kept["dependents"]) == ("backups az2", True)
    assert hand["back_end"] == "same" and "container" not in by_id["snap-5"]
    assert [item["id"] for item in await points(place, volume="vol-1", policy="daily_5")] == ["snap-3", "snap-2"]


async def test_metadata_make_no_point_ours(place: Place) -> None:
    """Who owns a volume can write whatever he likes on his snapshots: retention must not believe it."""
    forged = {"qdeck_mark": "0" * 32, "qdeck_taken_at": "2030-01-01T00:00:00Z", "qdeck_consistency": "quiesced"}
    place.snapshots(made(1, 1, "p1", days(3), **forged))
    (point,) = place.room.points.of_volumes(Scope(), [("prod", "RegionOne", "vol-1")])["prod", "RegionOne", "vol-1"]
    assert (point.own, point.taken_at, point.consistency, point.proof) == (False, days(3), "", "")


async def test_an_image_of_no_bytes_is_a_machines_point(place: Place) -> None:
    disks = [{"server_id": SERVER, "device": "/dev/vda"}]
    volumes = [volume(n, "p1", attachments=disks) for n in (1, 2)] + [volume(3, "p1")]
    take_in(place.estate, "volume", volumes, NOW)
    place.snapshots(*(snapshot(n, n, "p1", days(1)) for n in (1, 2, 3)), snapshot(4, 1, "p1", days(2)))
    take_in(place.estate, "image", [image("img-a", "snap-1", "snap-2"), image("img-b", "snap-3"),
                                    {"id": "plain", "name": "debian", "status": "active", "owner": "p1",
                                     "visibility": "public", "size": 5}], NOW)  # fmt: skip
    found = await points(place, server=SERVER)
    assert [(item["kind"], item["id"], item["group"]) for item in found] == [
        ("image", "img-a", "img-a"), ("snapshot", "snap-1", "img-a"), ("snapshot", "snap-2", "img-a"),
        ("snapshot", "snap-4", ""),
    ]  # fmt: skip
    assert (found[0]["size_gb"], found[0]["usable"], found[0]["server_id"]) == (20, True, SERVER)
    whole = await place.get("/q/snapshot/points", server=SERVER, grouped=True)
    assert (whole["total"], [len(item.get("parts", ())) for item in whole["items"]]) == (2, [2, 0])
    assert [item["id"] for item in await points(place, volume="vol-2")] == ["snap-2"]
    assert await points(place, server="nobody") == []


async def test_the_journal_of_an_image_holds_for_its_parts(place: Place) -> None:
    take_in(place.estate, "volume", [volume(1, "p1", attachments=[{"server_id": SERVER, "device": "/dev/vda"}])], NOW)
    place.run()
    place.ours("img-a", "", days(1), kind="image", group="img-a", consistency="quiesced", proof="agent")
    place.snapshots(snapshot(1, 1, "p1", days(0.9)))
    take_in(place.estate, "image", [image("img-a", "snap-1")], NOW)
    found = {item["id"]: item for item in await points(place, server=SERVER)}
    assert {name: (item["own"], item["consistency"]) for name, item in found.items()} == {
        "img-a": (True, "quiesced"), "snap-1": (True, "quiesced"),
    }  # fmt: skip
    assert [item["id"] for item in await points(place, volume="vol-1")] == ["snap-1"]


async def test_points_outlive_their_volume(place: Place) -> None:
    take_in(place.estate, "volume", documents()["volume"][1:], NOW)
    take_in(
        place.estate, "backup", [backup(1, 1, "p1", days(2)), backup(2, 5, "p2", days(1)), backup(3, 9, "p2", days(1))]
    )
    assert [item["id"] for item in await points(place, volume="vol-1")] == ["snap-1", "bak-1"]
    gone = await points(place, gone=True)
    assert [(item["id"], item["volume_name"]) for item in gone] == [("bak-3", None), ("snap-1", None), ("bak-1", None)]
    assert [item["id"] for item in (await place.get("/q/snapshot/points", LIMITED, gone=True))["items"]] == ["bak-3"]
    assert (await place.get("/q/snapshot/points", LIMITED, volume="vol-1"))["total"] == 0


async def test_pages_and_wrong_questions(place: Place) -> None:
    place.snapshots(*(snapshot(n, 1, "p1", days(n)) for n in range(1, 8)))
    whole = [item["id"] for item in await points(place, volume="vol-1")]
    parts = [
        item["id"] for page in (1, 2, 3, 4) for item in await points(place, volume="vol-1", page=page, page_size=2)
    ]
    assert parts == whole == [f"snap-{n}" for n in range(1, 8)]
    await place.get("/q/snapshot/points", expect=400)
    await place.get("/q/snapshot/points", expect=400, volume="vol-1", gone=True)


async def test_what_was_made_since_the_last_listing_is_there_already(place: Place) -> None:
    place.run()
    place.snapshots(snapshot(1, 1, "p1", days(3)), at=days(1))
    place.ours("snap-8", "vol-1", days(0.5))
    place.ours("snap-9", "vol-2", days(2))  # older than the listing that does not have it: somebody removed it
    assert [item["id"] for item in await points(place, volume="vol-1")] == ["snap-8", "snap-1"]
    assert await points(place, volume="vol-2") == []
    for caller in (LIMITED, Caller(name="d", role="viewer", domains=("d2",), via="embedded"),
                   Caller(name="e", role="viewer", clouds=("other",), via="embedded")):  # fmt: skip
        found = await place.get("/q/snapshot/points", caller, volume="vol-1")
        assert found["items"] == [], "it is in no listing that this role may see, and in p1"


@pytest.mark.parametrize(
    ("mapping", "ids", "size"),
    [
        (None, [], 0),
        ("", [], 0),
        ("[", [], 0),
        ("{}", [], 0),
        ("null", [], 0),
        ("[1, null, {}]", [], 0),
        ('[{"snapshot_id": null, "volume_size": 5}]', [], 5),
        ('[{"snapshot_id": "a", "volume_size": true}, {"snapshot_id": 3, "volume_size": -1}]', ["a"], 0),
        ([{"snapshot_id": "a", "volume_size": 2}, {"snapshot_id": "b", "volume_size": 3}], ["a", "b"], 5),
        ("[" * 100_000, [], 0),
    ],
)
def test_a_mapping_may_be_anything(mapping: Any, ids: list[str], size: int) -> None:
    assert parts_of(mapping) == ids
    assert size_of(mapping) == size


def point(id: str, **more: Any) -> Point:
    return Point("c", "r", id, more.pop("kind", "snapshot"), more.pop("volume_id", "v"), **more)


POINTS = st.lists(
    st.builds(
        lambda number, group, kind, hours: point(
            f"{kind}-{number}", kind=kind, group=group if kind != "backup" else "",
            taken_at=None if hours is None else NOW - timedelta(hours=hours),
        ),
        st.integers(0, 99), st.sampled_from(["", "g1", "g2"]), st.sampled_from(["snapshot", "backup"]),
        st.none() | st.integers(0, 500),
    ),
    max_size=30, unique_by=lambda one: one.id,
)  # fmt: skip


@given(POINTS)
def test_order_and_groups_lose_nothing(points: list[Point]) -> None:
    ordered = newest_first(points)
    assert sorted(one.id for one in ordered) == sorted(one.id for one in points)
    known = [one.taken_at for one in ordered if one.taken_at is not None]
    assert known == sorted(known, reverse=True)
    assert all(one.taken_at is None for one in ordered[len(known) :])
    groups = grouped(ordered)
    seen = [one.id for whole, parts in groups for one in (parts or [whole])]
    assert sorted(seen) == sorted(one.id for one in points)


@given(st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef")))
def test_only_the_journal_makes_a_point_ours(seen: set[str], noted: set[str]) -> None:
    row = {"cloud": "c", "region": "r", "name": "", "status": "available", "size_gb": 1, "volume_id": "v",
           "volume_name": "v", "project_id": "p", "project_name": "p", "created_at": NOW, "policy": "daily",
           "metadata": ["created_by=p9_auto_snapshots", "policy=daily"]}  # fmt: skip
    found = joined(
        Observed([{**row, "id": id} for id in sorted(seen)], listed={("c", "r"): NOW}),
        [point(id, policy="daily", taken_at=NOW - timedelta(hours=1)) for id in sorted(noted)],
    )
    assert {one.id for one in found} == seen, "what the listing does not have is gone"
    assert {one.id for one in found if one.own} == seen & noted


HAND = {"created_by": "quarterdeck", "qdeck_mark": "0f" * 16}


async def test_snapshots_of_a_machine_by_hand_are_one_point_by_their_mark(place: Place) -> None:
    """A machine that boots from an image has no image as its point: the mark alone holds the parts together."""
    disks = [{"server_id": SERVER, "device": "/dev/vda"}]
    take_in(place.estate, "volume", [volume(n, "p1", attachments=disks) for n in (1, 2)] + [volume(3, "p1")], NOW)
    rows = [{**snapshot(n, of, "p1", at), "metadata": HAND} for n, of, at in
            ((1, 1, days(1)), (2, 2, days(1) + timedelta(seconds=9)), (3, 3, days(1)), (4, 1, days(0.5)))]  # fmt: skip
    place.snapshots(*rows, snapshot(5, 2, "p1", days(1)))
    whole = (await place.get("/q/snapshot/points", server=SERVER, grouped=True))["items"]
    assert [(item["id"], [one["id"] for one in item.get("parts", ())]) for item in whole] == [
        ("snap-4", []), ("snap-2", ["snap-2", "snap-1"]), ("snap-5", []),
    ], "not that of a volume of no machine, nor what was made at another time"  # fmt: skip
    assert {(one["own"], one["consistency"]) for one in whole[1]["parts"]} == {(False, "unknown")}


def by_hand(id: str, volume: str, minutes: float = 0, **more: Any) -> Point:
    metadata = {**HAND, **more.pop("metadata", {})}
    return Point("c", "r", id, "snapshot", volume, taken_at=NOW + timedelta(minutes=minutes),
                 **{"project_id": "p1", "metadata": metadata, **more})  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [
        by_hand("b", "v2", 10.1), by_hand("b", "v2", -10.1), by_hand("b", "v1"), by_hand("b", "v2", project_id="p2"),
        by_hand("b", "v2", metadata={"created_by": "p9_auto_snapshots"}),
        by_hand("b", "v2", metadata={"created_by": ""}),
        by_hand("b", "v2", metadata={"qdeck_mark": ""}), by_hand("b", "v2", metadata={"qdeck_mark": "ee" * 16}),
        by_hand("b", "v2", own=True), by_hand("b", "v2", group="img"),
        Point("c", "r", "b", "snapshot", "v2", "p1", metadata=HAND),
        Point("c", "r", "b", "backup", "v2", "p1", metadata=HAND, taken_at=NOW),
    ],
)  # fmt: skip
def test_what_a_mark_does_not_hold_together(other: Point) -> None:
    """Anybody may write a mark on his own snapshots."""
    found = marked_as_one([by_hand("a", "v1"), other])
    assert [point.group for point in found] == ["", other.group]


def test_a_mark_that_is_written_again_takes_nothing_apart() -> None:
    whole = [by_hand("a", "v1"), by_hand("b", "v2", 9)]
    forged = [by_hand("c", "v1", 3), by_hand("d", "v3", -60), by_hand("e", "v3", 400)]
    groups = {point.id: point.group for point in marked_as_one([*forged, *whole])}
    assert groups["a"] == groups["b"] != "" and {groups[one] for one in "cde"} == {""}


def test_a_mark_makes_nothing_part_of_an_image() -> None:
    image = Point("c", "r", "img-a", "image", "", group="img-a")
    marked = {"qdeck_mark": "img-a"}
    found = marked_as_one([image, by_hand("a", "v1", metadata=marked), by_hand("b", "v2", metadata=marked)])
    assert [[one.id for one in parts] for _, parts in grouped(found)] == [[], ["a", "b"]]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 4), st.integers(0, 40), st.booleans()), max_size=12))
def test_marks_change_nothing_but_groups(drawn: list[tuple[str, int, int, bool]]) -> None:
    points = [by_hand(f"s{number}", f"v{volume}", minutes, metadata={"qdeck_mark": mark}, own=own)
              for number, (mark, volume, minutes, own) in enumerate(drawn)]  # fmt: skip
    found = marked_as_one(points)
    assert [replace(point, group="") for point in found] == points
    members: dict[str, list[Point]] = {}
    for point in found:
        if point.group:
            members.setdefault(point.group, []).append(point)
    for group in members.values():
        times = [point.taken_at for point in group if point.taken_at is not None]
        assert len({point.volume_id for point in group}) == len(group) > 1
        assert max(times) - min(times) <= timedelta(minutes=10) and not any(point.own for point in group)
        assert len({point.metadata["qdeck_mark"] for point in group}) == 1


async def test_a_volume_that_took_anothers_place_has_its_points_too(place: Place) -> None:
    take_in(place.estate, "volume", [volume(2, "p1")])
    place.snapshots(snapshot(1, 1, "p1", days(3)), snapshot(2, 2, "p1", days(1)), snapshot(3, 3, "p1", days(2)))
    assert [item["id"] for item in await points(place, volume="vol-2")] == ["snap-2"]
    lines = {"vol-2": (["vol-1"], []), "vol-1": ([], ["vol-2"])}
    place.room.points.lineage = lambda cloud, region, ids: {id: lines[id] for id in ids if id in lines}
    assert [item["id"] for item in await points(place, volume="vol-2")] == ["snap-2", "snap-1"]
    assert [item["id"] for item in await points(place, volume="vol-1")] == ["snap-1"], "not the other way"
    place.room.points.lineage = lambda cloud, region, ids: lines if cloud == "elsewhere" else {}
    assert [item["id"] for item in await points(place, volume="vol-2")] == ["snap-2"], "ids are unique in a place only"
