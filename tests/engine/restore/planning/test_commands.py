"""The commands that show what is done, and the estimate of how long it takes."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from engine.restore.models import WAYS, Strategy
from engine.restore.planning.commands import seconds
from tests.engine.restore.planning.given import (
    DATA,
    ROOT,
    data,
    facts,
    floating,
    image_facts,
    machine,
    nic,
    plan,
    point,
    root,
)  # fmt: skip


def test_a_new_machine() -> None:
    assert plan(disks={DATA: "leave_out"}).commands == (
        "openstack volume create --snapshot r1 --size 20 --type ssd restore-web-root",
        "openstack port create --network net1 --project p1 --fixed-ip subnet=sub1 --security-group sg1 restore-port-1",
        "openstack server create --flavor f1 --volume restore-web-root --port restore-port-1 --key-name mykey --wait "
        "web-01-restored-20260504-1200",
    )


@pytest.mark.parametrize(("end", "last"), [("keep", "openstack server lock --reason kept s1"),
                                           ("delete", "openstack server delete s1")])  # fmt: skip
def test_a_replace_ends_as_asked(end: Any, last: str) -> None:
    same: Strategy = "SAME_IPS_OR_FAIL"
    known = facts(nics=(nic(floating=floating()),))
    found = plan(known, way="REPLACE", end=end, ip_strategy=same, disks={DATA: "keep_current"}).commands
    assert found[0] == f"openstack volume snapshot create --force --volume {DATA} safety"
    for line in (
        "openstack server stop s1",
        "openstack server shelve --offload s1",
        f"openstack server remove volume s1 {DATA}",
        "openstack port set --no-fixed-ip port-0",
        "openstack floating ip set --port restore-port-1 fip1",
    ):
        assert line in found
    assert found[-1] == last
    assert any("ip-address=10.0.0.5 --mac-address fa:16:3e:00:00:00" in line for line in found)


def test_in_place() -> None:
    assert plan(way="IN_PLACE").commands[-1] == (
        "openstack server rebuild --image restore-image --reimage-boot-volume --wait s1"
    )
    assert plan(image_facts(), way="IN_PLACE").commands == (
        "openstack server image create --name safety s1",
        "openstack server rebuild --image i1 --wait s1",
    )


def test_the_small_ways() -> None:
    beside = plan(way="DISK_BESIDE").commands
    assert beside[1] == "openstack server add volume s1 restore-web-root"
    assert beside[2].startswith("mount -o ro,nouuid")
    assert len(plan(way="DISK_BESIDE", helper="none").commands) == 1
    back = plan(facts(disks=(root(), data(tag="db"))), way="DATA_VOLUME_BACK", stop=True).commands
    assert back[1:] == (
        "openstack server stop s1",
        f"openstack server remove volume s1 {DATA}",
        "openstack server add volume --tag db s1 restore-web-data",
        "openstack server start s1",
    )


def test_from_a_backup() -> None:
    known = facts(points={ROOT: (point("b1", kind="backup", back_end="backup"),)})
    assert "openstack volume backup restore b1 restore-web-root" in plan(known).commands


@pytest.mark.parametrize("way", WAYS)
def test_names_of_tenants_cannot_end_a_command(way: Any) -> None:
    evil = "x; rm -rf / #"
    known = facts(machine=machine(key_name=evil), disks=(root(name=evil), data(name=evil)))
    found = plan(known, way=way, new_name=evil).commands
    assert found
    for line in found:
        words = shlex.split(line, comments=True)
        assert "rm" not in words
        assert words[0] in ("openstack", "mount")


# How long


def test_the_slowest_volume_counts_for_they_are_made_side_by_side() -> None:
    quick = facts(points={ROOT: (point("r1", seconds=10),), DATA: (point("d1", DATA, seconds=10),)})
    slow = facts(points={ROOT: (point("r1", seconds=10),), DATA: (point("d1", DATA, seconds=600),)})
    one, other = plan(quick).seconds, plan(slow).seconds
    assert one is not None and other is not None
    assert other - one == 590


def test_what_is_not_known_is_not_guessed() -> None:
    assert plan(facts(points={ROOT: (point("r1", seconds=None),)})).seconds is None


def test_in_place_counts_the_copies_of_the_image() -> None:
    found = plan(way="IN_PLACE")
    fast, slow = seconds(found, 1000), seconds(found, 100)
    assert fast is not None and slow is not None
    assert slow - fast == 2 * 20 * 1024 // 100 - 2 * 20 * 1024 // 1000
