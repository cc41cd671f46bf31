"""Which point each disk comes from, and what becomes of the disks that have none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.restore.models import Plan
from engine.restore.planning.choosing import choose, companion, point_problem, size_gb
from engine.restore.planning.facts import Facts
from tests.engine.restore.planning.given import (
    DATA,
    NOW,
    ROOT,
    data,
    facts,
    image,
    image_facts,
    machine,
    plan,
    point,
    request,
    root,
)  # fmt: skip

GONE = machine(gone=True, status="DELETED", vm_state="deleted", host="", host_status="")


def sources(found: Plan) -> dict[str, str]:
    """{volume: id of its point, or its choice}."""
    return {disk.volume_id: disk.source.id if disk.source else disk.choice for disk in found.disks}


def test_the_newest_usable_point_is_the_default() -> None:
    points = {ROOT: (point("broken", hours=1, status="error"), point("r1", hours=24), point("r2", hours=48)), DATA: ()}
    found = plan(facts(points=points))
    assert found.point is not None and found.point.id == "r1"
    assert sources(found) == {ROOT: "r1", DATA: "leave_out"}


def test_a_safety_snapshot_is_not_taken_unasked() -> None:
    safety = point("s", hours=1, name="safety-web-01-root-20260504-1100")
    known = facts(points={ROOT: (safety, point("r1")), DATA: ()})
    assert sources(plan(known))[ROOT] == "r1"
    assert sources(plan(known, restore_point_id="s"))[ROOT] == "s"
    assert sources(plan(facts(points={ROOT: (safety,), DATA: ()})))[ROOT] == "s"


@pytest.mark.parametrize(
    ("way", "data_points", "choice"),
    [
        ("NEW", (point("d1", DATA),), "d1"),
        ("NEW", (point("d1", DATA, hours=30),), "leave_out"),  # hours away from the root's: another round
        ("REPLACE", (point("d1", DATA, hours=24.5),), "d1"),
        ("REPLACE", (), "keep_current"),
        ("REPLACE", (point("d1", DATA, hours=30),), "keep_current"),
        ("IN_PLACE", (point("d1", DATA),), "keep_current"),
    ],
)
def test_defaults_of_a_data_disk(way: Any, data_points: Any, choice: str) -> None:
    found = plan(facts(points={ROOT: (point("r1"),), DATA: data_points}), way=way)
    assert found.eligible, found.problems
    assert sources(found)[DATA] == choice


def test_what_was_made_as_one_goes_together_though_others_are_nearer() -> None:
    points = {
        ROOT: (point("r1", group="g1"),),
        DATA: (point("near", DATA, hours=24), point("d1", DATA, hours=24.2, group="g1")),
    }
    found = plan(facts(points=points))
    assert sources(found)[DATA] == "d1"
    assert not any("mixes times" in text for text in found.warnings)
    assert sources(plan(facts(points=points), restore_point_id="g1")) == {ROOT: "r1", DATA: "d1"}


def test_of_two_companions_the_nearest_is_taken() -> None:
    mine = (point("a", DATA, hours=24.4), point("b", DATA, hours=24.1), point("c", DATA, hours=23.5))
    found = companion(point("r1"), mine, machine())
    assert found is not None and found.id == "b"


def test_a_plan_says_by_how_much_it_mixes_times() -> None:
    points = {ROOT: (point("r1"),), DATA: (point("d1", DATA, hours=24.5),)}
    assert (
        "this mixes times: the disk web-data is 30 min older than the root disk" in plan(facts(points=points)).warnings
    )
    kept = plan(way="REPLACE", disks={DATA: "keep_current"}).warnings
    assert "this mixes times: the disk web-data is as it is now, 24 h newer than the root disk" in kept


def test_the_newest_points_not_after_a_time() -> None:
    found = plan(at=NOW - timedelta(hours=30))
    assert sources(found) == {ROOT: "r2", DATA: "leave_out"}  # of the data disk there is none that old
    none = plan(at=NOW - timedelta(days=9))
    assert none.problems == (
        "the root disk has no usable restore point that was taken by 2026-04-25 12:00 UTC: "
        "nothing can be restored from it",
    )


@pytest.mark.parametrize(
    ("disks", "wanted"),
    [
        ({DATA: "leave_out"}, {ROOT: "r1", DATA: "leave_out"}),
        ({DATA: "restore_point"}, {ROOT: "r1", DATA: "d1"}),
        ({DATA: "point:d2"}, {ROOT: "r1", DATA: "d2"}),
        ({ROOT: "point:r2"}, {ROOT: "r2", DATA: "d2"}),
    ],
)
def test_what_was_asked_for_a_disk(disks: dict[str, str], wanted: dict[str, str]) -> None:
    points = {ROOT: (point("r1"), point("r2", hours=48)), DATA: (point("d1", DATA), point("d2", DATA, hours=48))}
    found = plan(facts(points=points), disks=disks)
    assert found.eligible, found.problems
    assert sources(found) == wanted


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"restore_point_id": "foreign"}, "is not of this machine's disks, or is gone"),
        ({"restore_point_id": "d1"}, "is of another disk than the one that is restored"),
        ({"restore_point_id": "error"}, "is error, not available"),
        ({"restore_point_id": "theirs"}, "belongs to the project p2, not to the machine's"),
        ({"disks": {"v-other": "leave_out"}}, "'v-other' is no disk of this machine"),
        ({"disks": {DATA: "delete"}}, "'delete' is no choice for a disk"),
        ({"disks": {DATA: "point:r1"}}, "is of another disk than the one that is restored"),
        ({"disks": {ROOT: "keep_current"}}, "the root disk comes from a restore point"),
        ({"disks": {ROOT: "leave_out"}}, "the root disk comes from a restore point"),
        ({"disks": {DATA: "keep_current"}}, "cannot be kept in a new machine beside the old one"),
        ({"way": "IN_PLACE", "disks": {DATA: "restore_point"}}, "in place only the root disk changes"),
        ({"way": "DISK_BESIDE", "volume_id": "v-other"}, "'v-other' is no disk of this machine"),
        ({"way": "DISK_BESIDE", "disks": {DATA: "leave_out"}}, "this way is about one disk"),
        ({"way": "DATA_VOLUME_BACK", "volume_id": ROOT}, "the root disk of a machine cannot be taken off it"),
    ],
)
def test_what_is_refused(asked: dict[str, Any], problem: str) -> None:
    extra = (point("error", hours=3, status="error"), point("theirs", hours=2, project_id="p2"))
    known = facts(points={ROOT: (*extra, point("r1")), DATA: (point("d1", DATA, size_gb=50),)})
    found = plan(known, **asked)
    assert not found.eligible
    assert any(problem in text for text in found.problems), found.problems


def test_points_of_other_projects_are_never_taken_unasked() -> None:
    known = facts(points={ROOT: (point("theirs", hours=1, project_id="p2"), point("r1")), DATA: ()})
    assert sources(plan(known))[ROOT] == "r1"


@pytest.mark.parametrize(
    ("changes", "word"),
    [({"status": "deleting"}, "deleting"), ({"status": ""}, "unknown"), ({"project_id": "p2"}, "project")],
)
def test_a_point_that_cannot_be_used(changes: dict[str, Any], word: str) -> None:
    assert word in (point_problem(point("r1", **changes), machine()) or "")
    assert point_problem(point("r1"), machine()) is None
    assert point_problem(point("b", kind="backup", back_end="backup"), machine()) is None


def test_a_new_volume_is_never_smaller_than_the_original() -> None:
    found = choose(facts(disks=(root(size_gb=40),), points={ROOT: (point("r1", size_gb=20),)}), request(), NOW)
    assert size_gb(found.disks[0]) == 40
    assert "it had 20 GB then, and gets 40 GB" in found.disks[0].note
    assert size_gb(choose(facts(disks=(root(size_gb=5),)), request(), NOW).disks[0]) == 20


def test_a_disk_whose_size_nobody_knows_is_refused() -> None:
    known = facts(disks=(root(size_gb=0),), points={ROOT: (point("r1", size_gb=0),)})
    assert any("how large" in text for text in plan(known).problems)


@pytest.mark.parametrize(
    ("way", "refused"), [("NEW", True), ("REPLACE", True), ("IN_PLACE", False), ("DISK_BESIDE", False)]
)
def test_encrypted_disks_are_refused_where_they_are_touched(way: Any, refused: bool) -> None:
    found = plan(facts(disks=(root(), data(encrypted=True))), way=way)
    assert any("is encrypted" in text for text in found.problems) == refused
    assert found.eligible != refused


def test_a_disk_that_others_use_is_not_copied_unasked() -> None:
    shared = (root(), data(multiattach=True, attached_elsewhere=("s2",)))
    assert sources(plan(facts(disks=shared)))[DATA] == "leave_out"
    assert sources(plan(facts(disks=shared), way="REPLACE"))[DATA] == "keep_current"
    copied = plan(facts(disks=shared), disks={DATA: "restore_point"})
    assert any("used by 1 other machines, too" in text for text in copied.warnings)


def test_what_is_lost_is_counted_from_the_point() -> None:
    found = plan(way="REPLACE", disks={DATA: "keep_current"})
    assert {disk.volume_id: disk.lost_seconds for disk in found.disks} == {ROOT: 24 * 3600, DATA: None}
    ahead = plan(facts(points={ROOT: (point("r1", hours=-1),)}))  # a clock that is ahead
    assert ahead.disks[0].lost_seconds == 0


# One disk


def test_which_disk_a_copy_is_of() -> None:
    assert sources(plan(way="DISK_BESIDE")) == {ROOT: "r1", DATA: "keep_current"}
    assert sources(plan(way="DISK_BESIDE", volume_id=DATA)) == {ROOT: "keep_current", DATA: "d1"}
    assert sources(plan(way="DISK_BESIDE", restore_point_id="d1")) == {ROOT: "keep_current", DATA: "d1"}
    assert sources(plan(way="DISK_BESIDE", volume_id=ROOT, restore_point_id="r2"))[ROOT] == "r2"


def test_which_data_volume_comes_back() -> None:
    assert sources(plan(way="DATA_VOLUME_BACK")) == {ROOT: "keep_current", DATA: "d1"}
    two = facts(disks=(root(), data(), data("v-log", order=2)))
    assert any("which disk comes back is not clear" in text for text in plan(two, way="DATA_VOLUME_BACK").problems)
    assert sources(plan(two, way="DATA_VOLUME_BACK", volume_id=DATA))[DATA] == "d1"


# Machines that boot from an image, and machines that are gone


def test_the_image_of_a_machine_that_boots_from_one() -> None:
    found = plan(image_facts())
    assert found.eligible, found.problems
    assert (found.root_image, found.point and found.point.kind, sources(found)) == ("i1", "image", {DATA: "d1"})
    assert plan(image_facts(), restore_point_id="i2").root_image == "i2"
    assert plan(image_facts(), disks={"root": "point:i2"}).root_image == "i2"
    unready = image_facts(points={"": (image("i1", status="queued"),)})
    assert any("no usable" in text for text in plan(unready).problems)


def test_volumes_that_survived_a_deleted_machine_are_used_as_they_are() -> None:
    known = facts(machine=GONE, survived=(ROOT, DATA), nics=())
    found = plan(known)
    assert found.eligible, found.problems
    assert sources(found) == {ROOT: "keep_current", DATA: "keep_current"}
    assert found.lost == ()
    assert sources(plan(known, restore_point_id="r2")) == {ROOT: "r2", DATA: "keep_current"}


def test_what_did_not_survive_comes_from_its_point() -> None:
    known = facts(machine=GONE, survived=(DATA,), points={ROOT: (point("r1"),), DATA: ()}, nics=())
    assert sources(plan(known)) == {ROOT: "r1", DATA: "keep_current"}
    nothing: Facts = facts(machine=GONE, points={}, nics=())
    assert any("no usable restore point" in text for text in plan(nothing).problems)


def test_nothing_is_taken_off_a_machine_on_a_dead_host() -> None:
    known = facts(machine=machine(host_status="DOWN"), points={ROOT: (point("r1"),), DATA: ()})
    fenced = "the old host c1 is fenced"
    assert sources(plan(known, way="REPLACE", fenced=fenced))[DATA] == "leave_out"
    kept = plan(known, way="REPLACE", fenced=fenced, disks={DATA: "keep_current"})
    assert any("cannot be taken off a machine whose host is dead" in text for text in kept.problems)
