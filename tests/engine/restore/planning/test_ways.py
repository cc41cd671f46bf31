"""Which ways are offered for which machine, in which order, and the sentence for those that are not possible."""

from __future__ import annotations

from typing import Any

import pytest

from engine.restore.models import WAYS, Way
from engine.restore.planning.facts import Event, Facts, Rights
from engine.restore.planning.ways import offers, version, why_not
from tests.engine.restore.planning.given import (
    DATA,
    NOW,
    ROOT,
    data,
    facts,
    image_facts,
    image_machine,
    machine,
    nic,
    plan,
    point,
    root,
)  # fmt: skip

GONE = machine(gone=True, status="DELETED", vm_state="deleted", host="", host_status="")


def possible(known: Facts) -> list[Way]:
    return [offer.way for offer in offers(known, NOW) if offer.possible]


def first(known: Facts) -> list[Way]:
    return [offer.way for offer in offers(known, NOW) if offer.first]


def test_everything_is_possible_with_a_healthy_machine_the_smallest_first() -> None:
    assert possible(facts()) == list(WAYS)
    assert possible(image_facts()) == list(WAYS)


@pytest.mark.parametrize(
    ("known", "suggested"),
    [
        (facts(), "DISK_BESIDE"),
        (image_facts(), "IN_PLACE"),
        (facts(machine=machine(vm_state="error", status="ERROR")), "IN_PLACE"),
        (facts(events=(Event("start", NOW, "failed"),)), "IN_PLACE"),
        (facts(machine=machine(vm_state="error", status="ERROR"), compute_top="2.90"), "NEW"),
        (facts(machine=machine(host_status="DOWN")), "NEW"),
        (facts(machine=GONE), "NEW"),
    ],
)
def test_the_suggested_way_fits_the_case(known: Facts, suggested: Way) -> None:
    assert first(known) == [suggested]


def test_nothing_is_suggested_where_nothing_is_possible() -> None:
    assert first(facts(points={})) == []
    assert all(offer.why for offer in offers(facts(points={}), NOW))


@pytest.mark.parametrize(
    ("known", "ways", "why"),
    [
        (facts(compute_top="2.92"), ["IN_PLACE"], "from Nova 2.93 on; it has 2.92"),
        (facts(volume_top="3.67"), ["IN_PLACE"], "from Cinder 3.68 on; it has 3.67"),
        (facts(compute_top=""), ["IN_PLACE"], "does not tell its version"),
        (image_facts(compute_top="2.1", volume_top=""), [], ""),
        (facts(disks=(root(),)), ["DATA_VOLUME_BACK"], "no data volume"),
        (facts(nics=(nic(trunk_id="t1"),)), ["REPLACE"], "parent of a trunk"),
        (facts(machine=machine(flavor_id="")), ["NEW", "REPLACE"], "the flavor m1 does not exist any more"),
        (facts(points={DATA: (point("d1", DATA),)}), ["IN_PLACE", "NEW", "REPLACE"], "no usable restore point"),
        (facts(points={ROOT: (point("r1"),)}), ["DATA_VOLUME_BACK"], "no disk that it could be about"),
        (image_facts(points={DATA: (point("d1", DATA),)}), ["IN_PLACE", "NEW", "REPLACE"], "no usable image snapshot"),
        (facts(machine=machine(host_status="DOWN")), ["DATA_VOLUME_BACK", "IN_PLACE"], "evacuate the machine"),
        (facts(machine=machine(vm_state="building")), list(WAYS), "still being built"),
        (facts(machine=machine(vm_state="paused")), ["IN_PLACE"], "the machine is paused"),
        (facts(disks=(root(), data(status="available"))), ["IN_PLACE"], "Cinder has not"),
        (facts(machine=machine(vm_state="shelved_offloaded")), ["IN_PLACE"], "is shelved_offloaded"),
        (facts(machine=machine(vm_state="rescued")), ["DATA_VOLUME_BACK", "IN_PLACE", "REPLACE"], "is rescued"),
        (facts(machine=machine(task_state="x")), ["DATA_VOLUME_BACK", "IN_PLACE", "REPLACE"], "busy with the machine"),
        (
            facts(machine=machine(locked=True, locked_reason="month end")),
            ["DATA_VOLUME_BACK", "IN_PLACE", "REPLACE"], "is locked: month end",
        ),
        (facts(refused={"locked": "L"}), ["DATA_VOLUME_BACK", "IN_PLACE", "REPLACE"], "L"),
        (facts(refused={"held": "another job"}), list(WAYS), "another job"),
        (facts(refused={"hands_off": "freeze"}), list(WAYS), "freeze"),
        (facts(refused={"read_only": "read-only"}), [], ""),
        (
            facts(rights=Rights(access="none", access_problem="no role", access_command="openstack role add x")),
            list(WAYS), "no role; an administrator has to run: openstack role add x",
        ),
        (facts(machine=GONE), ["DATA_VOLUME_BACK", "IN_PLACE", "REPLACE"], "the machine is deleted"),
        (facts(disks=(data(),)), ["IN_PLACE", "NEW", "REPLACE"], "which volume the machine boots from is not known"),
    ],
)  # fmt: skip
def test_what_is_not_possible_says_why(known: Facts, ways: list[Way], why: str) -> None:
    refused = {offer.way: offer.why for offer in offers(known, NOW) if not offer.possible}
    assert sorted(refused) == sorted(ways)
    assert all(why in text for text in refused.values()), refused


@pytest.mark.parametrize("way", WAYS)
def test_the_plan_says_the_same_as_the_offer(way: Any) -> None:
    known = facts(refused={"held": "another job holds web-01"})
    assert why_not(way, known, NOW) in plan(known, way=way).problems


def test_in_place_comes_before_new_for_machines_of_an_image() -> None:
    order = [offer.way for offer in offers(image_facts(machine=image_machine()), NOW)]
    assert order.index("IN_PLACE") < order.index("NEW") < order.index("REPLACE")


def test_what_is_not_possible_comes_last() -> None:
    order = [offer.way for offer in offers(facts(compute_top="2.1"), NOW)]
    assert order == ["DISK_BESIDE", "DATA_VOLUME_BACK", "NEW", "REPLACE", "IN_PLACE"]


@pytest.mark.parametrize(
    ("text", "numbers"), [("2.93", (2, 93)), ("3.7", (3, 7)), ("", (0, 0)), ("latest", (0, 0)), ("2.9999999", (0, 0))]
)
def test_microversions_are_compared_as_numbers(text: str, numbers: tuple[int, int]) -> None:
    assert version(text) == numbers
