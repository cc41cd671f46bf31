"""What a restore takes of which limit, and what is said where it does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from engine.restore.models import Fit, Plan
from engine.restore.planning.facts import Hosts
from engine.restore.planning.fitting import COMPUTE, NETWORK, STORAGE, needs, problems
from engine.restore.planning.planner import make_plan
from tests.engine.restore.planning.given import (
    DATA,
    LIMITED,
    NOW,
    ROOM,
    ROOT,
    facts,
    image_facts,
    machine,
    nic,
    plan,
    request,
)  # fmt: skip

FENCED = "the old host c1 is fenced"
KEEP = {"disks": {DATA: "keep_current"}}
MACHINE = {"instances": 1, "cores": 2, "ram": 2048}


def fit(found: Plan, what: str) -> Fit:
    return next(one for one in found.fits if one.what == what)


def full(name: str, **more: int) -> dict[str, Any]:
    """Storage with room, but for one limit."""
    entries = {"volumes": LIMITED, "gigabytes": ROOM, "snapshots": LIMITED}
    return {**entries, name: {"limit": 10, "in_use": 10, "reserved": 0, **more}}


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (
            {"way": "NEW"},
            {
                STORAGE: {"volumes": 2, "volumes_ssd": 1, "volumes_hdd": 1, "gigabytes": 70, "gigabytes_ssd": 20,
                          "gigabytes_hdd": 50},
                COMPUTE: MACHINE, NETWORK: {"port": 1},
            },
        ),
        (
            {"way": "REPLACE", **KEEP},  # a safety snapshot of what moves; nothing of the old machine is given back
            {
                STORAGE: {"volumes": 1, "volumes_ssd": 1, "gigabytes": 70, "gigabytes_ssd": 20, "snapshots": 1,
                          "snapshots_hdd": 1, "gigabytes_hdd": 50},
                COMPUTE: MACHINE, NETWORK: {"port": 1},
            },
        ),
        (
            {"way": "IN_PLACE"},  # a temporary volume and a safety snapshot, of the root disk only
            {STORAGE: {"volumes": 1, "volumes_ssd": 1, "snapshots": 1, "snapshots_ssd": 1, "gigabytes": 40,
                       "gigabytes_ssd": 40}},
        ),
        ({"way": "DISK_BESIDE"}, {STORAGE: {"volumes": 1, "volumes_ssd": 1, "gigabytes": 20, "gigabytes_ssd": 20}}),
        (
            {"way": "DATA_VOLUME_BACK"},
            {STORAGE: {"volumes": 1, "volumes_hdd": 1, "gigabytes": 50, "gigabytes_hdd": 50}},
        ),
    ],
)  # fmt: skip
def test_the_sums_are_for_both_machines(asked: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert needs(plan(**asked)) == wanted


def test_a_machine_of_an_image_needs_no_storage() -> None:
    assert needs(plan(image_facts(disks=()), way="IN_PLACE")) == {}
    assert needs(plan(image_facts(disks=(), nics=()))) == {COMPUTE: MACHINE}


def test_volumes_that_a_failed_job_has_made_are_counted_already() -> None:
    found = make_plan(facts(), request(), NOW, id="p", reused={ROOT: "made-1"})
    assert needs(found)[STORAGE]["volumes"] == 1
    assert any("made already by the job that failed" in text for text in found.creates)


@pytest.mark.parametrize(
    ("changes", "asked", "problem"),
    [
        ({"storage_quota": full("volumes")}, {}, "quota volumes: 10 of 10 used, 2 more needed"),
        ({"storage_quota": full("volumes", in_use=8, reserved=1)}, {}, "quota volumes: 9 of 10 used, 2 more needed"),
        ({"storage_quota": full("gigabytes_ssd")}, {}, "quota gigabytes_ssd: 10 of 10 used, 20 GB more needed"),
        ({"storage_quota": full("volumes_ssd")}, {}, "quota volumes_ssd"),
        ({"storage_quota": full("snapshots")}, {"way": "REPLACE", **KEEP}, "quota snapshots: 10 of 10 used, 1 more"),
        ({"storage_quota": full("snapshots_hdd")}, {"way": "REPLACE", **KEEP}, "quota snapshots_hdd"),
        ({"storage_quota": full("per_volume_gigabytes", limit=30)}, {}, "the largest one needs 50 GB"),
        ({"compute_quota": {"instances": {"limit": 3, "in_use": 3}}}, {"way": "REPLACE"}, "quota instances: 3 of 3"),
        ({"compute_quota": {"ram": {"limit": 4096, "in_use": 4096}}}, {}, "quota ram: 4096 of 4096 used, 2048 MB more"),
        ({"network_quota": {"port": {"limit": 1, "in_use": 1}}, "nics": (nic(0), nic(1))}, {}, "quota port: 1 of 1"),
        ({"hosts": Hosts(0)}, {}, "no host has room for a second machine"),
        ({"hosts": Hosts(3, 1, 0)}, {}, "replacing the machine by shelving it makes room"),
        ({"hosts": Hosts(3, 0, 0)}, {"way": "REPLACE"}, "leaves 0 hosts for it"),
        ({"compute_quota": {"cores": {"limit": 1, "in_use": None}}}, {}, "what is used is not told"),
    ],
)
def test_what_is_known_to_be_full_ends_the_plan(changes: Any, asked: Any, problem: str) -> None:
    found = plan(facts(**changes), **asked)
    assert not found.eligible
    assert any(problem in text for text in found.problems), found.problems
    assert any(not one.ok and problem in one.text for one in found.fits)


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"compute_quota": "Nova says 403"}, "the compute quota could not be read, so it is tried: Nova says 403"),
        ({"storage_quota": "Cinder says 503"}, "Cinder says 503"),
        ({"network_quota": {"port": {"limit": None, "in_use": None}}}, "the quota of port is not told"),
        ({"storage_quota": {"volumes": LIMITED, "snapshots": LIMITED}}, "the quota of gigabytes is not told"),
    ],
)
def test_what_could_not_be_read_is_said_and_tried(changes: Any, warning: str) -> None:
    found = plan(facts(**changes))
    assert found.eligible, found.problems
    assert any(warning in text for text in found.warnings)


@pytest.mark.parametrize(
    "changes",
    [
        {"storage_quota": full("gigabytes_other")},  # of a type that no disk has
        {"storage_quota": full("backups")},
        {"storage_quota": full("volumes", limit=-1)},
        {"storage_quota": full("per_volume_gigabytes", limit=-1)},
        {"hosts": Hosts()},
    ],
)
def test_limits_that_do_not_matter(changes: Any) -> None:
    found = plan(facts(**changes))
    assert found.eligible, found.problems
    assert found.warnings == ()


def test_the_last_place_is_enough() -> None:
    assert plan(facts(storage_quota=full("volumes", in_use=8))).eligible
    assert fit(plan(), "volumes").ok
    assert fit(plan(), "volumes").text == "quota volumes: 3 of 10 used, 2 more needed"


def test_a_machine_that_is_shelved_makes_room_for_itself() -> None:
    found = plan(facts(hosts=Hosts(0, 1, 0)), way="REPLACE")
    assert found.eligible, found.problems
    assert fit(found, "server group").ok
    left = plan(facts(hosts=Hosts(3, 1, 0), machine=machine(host_status="DOWN")), way="REPLACE", fenced=FENCED)
    assert not left.eligible  # one that is left where it is keeps its place in the group
    assert any("leaves 0 hosts for it" in text for text in left.problems)


def test_where_it_does_not_fit_in_place_is_offered_where_that_is_possible() -> None:
    tight = {"compute_quota": {"instances": {"limit": 3, "in_use": 3}}}
    assert any("restoring it in place needs no second machine" in text for text in plan(facts(**tight)).problems)
    without = plan(facts(**tight, compute_top="2.1"))
    assert any("an administrator raises it with: openstack quota set" in text for text in without.problems)
    assert not any("delete" in text for text in (*plan(facts(**tight)).problems, *without.problems))


@pytest.mark.parametrize(
    ("fit", "command"),
    [
        (Fit("ram", False, "", 2048, 1024, 2000), "openstack quota set --ram 3072 p1"),
        (Fit("port", False, "", 2, 9, 10), "openstack quota set --ports 11 p1"),
        (
            Fit("gigabytes_fast ssd", False, "", 5, 1, 2),
            "openstack quota set --volume-type 'fast ssd' --gigabytes 6 p1",
        ),
        (Fit("per_volume_gigabytes", False, "", 50, None, 40), "openstack quota set --per-volume-gigabytes 50 p1"),
    ],
)
def test_how_a_quota_is_raised_is_said(fit: Fit, command: str) -> None:
    (alone,) = problems((fit,), in_place=False, project="p1")
    assert alone.endswith(f"; an administrator raises it with: {command}")
    (beside,) = problems((fit,), in_place=True, project="p1")
    assert beside.endswith(f"needs no second machine, or an administrator raises it with: {command}")


def test_hosts_are_no_quota() -> None:
    hosts = Fit("hosts", False, "no host has room", 1, None, 0)
    assert problems((hosts,), in_place=False, project="p1")[0].endswith("; ask an administrator")
    assert "openstack" not in problems((hosts,), in_place=True, project="p1")[0]
