"""What a plan relies on: what changes its hash, what does not, and how the differences are told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.restore.kept import plan_of, to_json
from engine.restore.planning.facts import Facts, Rights
from engine.restore.planning.relying import differences, hashed, relied
from tests.engine.restore.planning.given import (
    DATA,
    NOW,
    ROOT,
    data,
    facts,
    floating,
    image_facts,
    machine,
    network,
    nic,
    plan,
    point,
    root,
)  # fmt: skip

LATER = NOW + timedelta(minutes=10)
POINTS = facts().points
REPLACE: dict[str, Any] = {"way": "REPLACE", "ip_strategy": "SAME_IPS_OR_FAIL", "disks": {DATA: "keep_current"}}


def again(found: Any, now_known: Facts) -> tuple[str, ...]:
    return differences(found.relied, relied(found, now_known, LATER))


@pytest.mark.parametrize("way", ["NEW", "REPLACE", "IN_PLACE", "DISK_BESIDE", "DATA_VOLUME_BACK"])
def test_a_plan_that_was_stored_relies_on_the_same(way: Any) -> None:
    found = plan_of(json.loads(json.dumps(to_json(plan(way=way)))))
    assert found.relied and found.hash == hashed(found.relied) == hashed(relied(found, facts(), LATER))
    assert again(found, facts()) == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"machine": machine(name="web-02")}, ["machine's name", "web-01", "web-02"]),
        ({"machine": machine(vm_state="stopped", status="SHUTOFF")}, ["machine's status", "ACTIVE", "SHUTOFF"]),
        ({"machine": machine(task_state="rebuilding")}, ["task state", "none", "rebuilding"]),
        ({"machine": machine(host="c2")}, ["machine's host", "c1", "c2"]),
        ({"machine": machine(host_status="DOWN")}, ["host dead", "not so", "so"]),
        ({"machine": machine(locked=True)}, ["locked", "not so"]),
        ({"machine": machine(flavor_id="")}, ["flavor id", "f1", "none"]),
        ({"machine": machine(flavor={"name": "m2"})}, ["flavor", "m2"]),
        ({"machine": machine(project_id="p2")}, ["project", "p1", "p2"]),
        ({"disks": (root(),)}, [f"the disk {DATA}", "gone"]),
        ({"disks": (root(), data(status="error"))}, [DATA, "error"]),
        ({"disks": (root(), data(size_gb=99))}, [DATA, "99"]),
        ({"disks": (root(), data(), data("v-3"))}, ["disks", "v-3"]),
        ({"points": {**POINTS, ROOT: ()}}, ["the point r1", "gone"]),
        ({"points": {**POINTS, ROOT: (point("r1", status="deleting"),)}}, ["the point r1", "deleting"]),
        ({"nics": ()}, ["the port port-0", "gone"]),
        ({"nics": (nic(mac="fa:16:3e:99:99:99"),)}, ["port-0", "99:99"]),
        ({"nics": (nic(floating=floating()),)}, ["port-0", "fip1"]),
        ({"rights": Rights(admin=False)}, ["the right admin", "so"]),
        ({"rights": Rights(admin=True, access="none")}, ["the right access", "not so"]),
        ({"refused": {"held": "another job"}}, ["refused", "held"]),
    ],
)
def test_what_is_no_longer_so_is_told(changes: dict[str, Any], words: list[str]) -> None:
    told = again(plan(**REPLACE), facts(**changes))
    assert told
    assert any(all(word in text for word in words) for text in told), told


@pytest.mark.parametrize(
    "changes",
    [
        {"console": ("new line",)},
        {"service": ("up", LATER)},
        {"compute_quota": "not read"},
        {"points": {**POINTS, ROOT: (point("r0", hours=0.1), *POINTS[ROOT])}},  # a newer point is no reason to stop
        {"refused": {"read_only": "the window closed"}},  # the gate says that itself
        {"compute_top": "2.100"},
        {"rights": Rights(admin=True, access="lend")},  # a role that another job has lent just now is as good
    ],
)
def test_what_does_no_harm_is_not_told(changes: dict[str, Any]) -> None:
    assert again(plan(**REPLACE), facts(**changes)) == ()


def test_ways_that_touch_no_port_do_not_rely_on_ports() -> None:
    for way in ("IN_PLACE", "DISK_BESIDE", "DATA_VOLUME_BACK"):
        assert again(plan(way=way), facts(nics=())) == ()


def test_an_address_that_somebody_took_meanwhile() -> None:
    found = plan(ip_strategy="MANUAL_IP", manual_ips={"net1": "10.0.0.77"})
    taken = {"net1": network(used=network().used | {"10.0.0.77"})}
    assert again(found, facts(networks=taken)) == (
        "the address 10.0.0.77 was free when it was planned, and is in use now",
    )


def test_user_data_counts_where_it_is_passed_on() -> None:
    other = facts(machine=machine(user_data_sha256="bb"))
    assert again(plan(user_data=True), other)
    assert again(plan(), other) == ()


def test_the_helper_and_the_image_are_relied_on() -> None:
    helper = machine(key=("lab", "R1", "s9"), name="helper")
    found = plan(facts(helper=helper), way="DISK_BESIDE", helper="s9")
    assert again(found, facts(helper=replace(helper, status="SHUTOFF")))
    assert again(found, facts(helper=None))
    imaged = plan(image_facts())
    assert again(imaged, image_facts(points={DATA: POINTS[DATA]})) == (
        'the point i1 was {"project": "p1", "size_gb": 2, "status": "active"} when it was planned, and is gone now',
    )


def test_the_order_of_what_was_read_does_not_matter() -> None:
    two = facts(nics=(nic(0), nic(1)))
    assert again(plan(two), facts(nics=(nic(1), nic(0)))) == ()
