"""What is lost, what will be another, and what still points at the old machine."""

from __future__ import annotations

from typing import Any

import pytest

from engine.restore.models import WAYS, Plan
from engine.restore.planning.facts import Rights
from store.redact import HIDDEN
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

ALWAYS_NEW = {"server.id", "server.user_id", "server.created", "server.host", "server.zone", "server.scheduler_hints"}
GONE = machine(gone=True, status="DELETED", vm_state="deleted", host="", host_status="")


def fields(found: Plan) -> set[str]:
    """Paths of what will differ, in the machine and its parts; what only the guest sees is left out."""
    return {one.field for one in found.differs if not one.field.startswith("inside.")}


def test_a_new_machine() -> None:
    assert fields(plan()) == {
        *ALWAYS_NEW, "server.name", "disk.0.id", "disk.0.created", "disk.0.name", "disk.1.id", "disk.1.created",
        "nic.0.port_id", "nic.0.mac", "nic.0.fixed",
    }  # fmt: skip


def test_a_machine_in_the_place_of_the_old_one() -> None:
    found = plan(way="REPLACE", ip_strategy="SAME_IPS_OR_FAIL", disks={DATA: "keep_current"})
    assert fields(found) == {*ALWAYS_NEW, "disk.0.id", "disk.0.created", "disk.0.name", "nic.0.port_id"}


def test_in_place_nearly_everything_stays() -> None:
    assert fields(plan(way="IN_PLACE")) == {"disk.0.image_metadata", "server.updated"}
    assert fields(plan(image_facts(), way="IN_PLACE")) == {"server.image", "server.updated"}
    assert "inside.ssh_host_keys" in [one.field for one in plan(way="IN_PLACE").differs]


def test_the_small_ways_change_one_disk_or_nothing() -> None:
    assert plan(way="DISK_BESIDE").differs == ()
    assert fields(plan(way="DATA_VOLUME_BACK")) == {"disk.1.id", "disk.1.created"}


@pytest.mark.parametrize(
    ("known", "asked", "field"),
    [
        (facts(machine=machine(user_data_bytes=900)), {}, "server.user_data"),
        (facts(rights=Rights(admin=True, key="unreadable")), {}, "server.key_name"),
        (facts(rights=Rights(admin=True, key="clash")), {}, "server.key_name"),
        (facts(machine=machine(pinned_zone="az2")), {}, "server.pinned_zone"),
        (facts(machine=machine(vm_state="stopped", status="SHUTOFF")), {}, "server.status"),
        (facts(machine=machine(locked=True)), {}, "server.locked"),
        (facts(machine=machine(metadata={"db_password": HIDDEN})), {}, "server.metadata"),
        (facts(disks=(root(metadata={"token": HIDDEN}),)), {}, "disk.0.metadata"),
        (facts(machine=machine(config_drive=True)), {}, "inside.config_drive"),
        (facts(machine=machine(flavor={"name": "m1", "ephemeral": 10, "swap": 512})), {}, "inside.ephemeral"),
        (facts(machine=machine(flavor={"name": "m1", "ephemeral": 10, "swap": 512})), {}, "inside.swap"),
        (facts(), {"security_group_ids": ("sg9",)}, "server.security_groups"),
        (facts(), {"security_group_ids": ("sg9",)}, "nic.0.security_groups"),
        (facts(), {"disks": {DATA: "leave_out"}}, "disk.1"),
        (facts(disks=(root(device="/dev/vda"), data(device="/dev/vdc"))), {}, "disk.1.device"),
        (facts(disks=(root(device="/dev/vdb"),)), {}, "disk.0.device"),
        (facts(disks=(root(size_gb=5),)), {}, "disk.0.size_gb"),
        (facts(disks=(root(attached_elsewhere=("s2",)),)), {"disks": {ROOT: "point:r1"}}, "disk.0.attached_elsewhere"),
        (facts(nics=(nic(trunk_id="t1"),)), {}, "nic.0.trunk_id"),
        (facts(nics=(nic(dns_name="web"),)), {}, "nic.0.dns_assignment"),
        (facts(nics=(nic(floating=floating()),)), {}, "nic.0.floating"),
        (image_facts(), {}, "server.image"),
        (facts(), {"way": "REPLACE", "new_name": "web-02"}, "server.name"),
        (facts(machine=machine(vm_state="error", status="ERROR")), {"way": "IN_PLACE"}, "server.status"),
    ],
)
def test_what_differs_is_named(known: Any, asked: dict[str, Any], field: str) -> None:
    found = plan(known, **asked)
    assert found.eligible, found.problems
    assert field in [one.field for one in found.differs]


@pytest.mark.parametrize(
    ("known", "asked", "field"),
    [
        (facts(machine=machine(user_data_bytes=900)), {"user_data": True}, "server.user_data"),
        (facts(), {"zone": True}, "server.zone"),
        (facts(machine=machine(pinned_zone="nova")), {}, "server.zone"),
        (facts(nics=(nic(floating=floating()),)), {"way": "REPLACE"}, "nic.0.floating"),
        (facts(), {"way": "REPLACE"}, "server.name"),
        (facts(disks=(root(device="/dev/vda"), data(device="/dev/vdb"))), {}, "disk.1.device"),
        (image_facts(disks=(data(order=0, device="/dev/vdd"),)), {}, "disk.0.device"),  # local disks come first
        (facts(disks=(root(), data(delete_on_termination=True))), {}, "disk.1.delete_on_termination"),
    ],
)
def test_what_does_not_differ_is_not_named(known: Any, asked: dict[str, Any], field: str) -> None:
    assert field not in [one.field for one in plan(known, **asked).differs]


@pytest.mark.parametrize("way", WAYS)
def test_no_field_is_named_twice(way: Any) -> None:
    named = [one.field for one in plan(way=way).differs]
    assert len(named) == len(set(named))


def test_a_disk_that_is_left_out_moves_those_behind_it() -> None:
    all_of_it = (root(device="/dev/vda"), data(device="/dev/vdb"), data("v-3", order=2, device="/dev/vdc"))
    points = {**facts().points, "v-3": (point("p3", "v-3", size_gb=50),)}
    known = facts(disks=all_of_it, points=points)
    assert not any(one.field.endswith(".device") for one in plan(known).differs)
    moved = [one for one in plan(known, disks={DATA: "leave_out"}).differs if one.field.endswith(".device")]
    assert [(one.field, one.text) for one in moved] == [
        ("disk.2.device", "the disk web-data is /dev/vdb, no longer /dev/vdc")
    ]


# What is lost


def test_what_is_lost_per_disk() -> None:
    points = {ROOT: (point("r1", hours=26.5),), DATA: (point("d1", DATA, hours=26.5),)}
    found = plan(facts(points=points), way="REPLACE")
    assert found.lost == (
        "the root disk web-root: what was written in the last 26.5 h, since 2026-05-03 09:30 UTC",
        "the disk web-data: what was written in the last 26.5 h, since 2026-05-03 09:30 UTC",
    )


def test_a_copy_loses_nothing_and_says_how_old_it_is() -> None:
    (text,) = plan(way="DISK_BESIDE").lost
    assert (
        text == "the root disk web-root: the copy is 24 h old, of 2026-05-03 12:00 UTC; the original goes on as it is"
    )


def test_the_root_of_an_image_and_local_disks() -> None:
    small = {"name": "m1", "vcpus": 1, "ram": 512, "ephemeral": 10, "swap": 0}
    found = plan(image_facts(disks=(), machine=image_facts().machine), way="IN_PLACE")
    assert found.lost == ("the root disk: what was written in the last 24 h, since 2026-05-03 12:00 UTC",)
    for way in ("DISK_BESIDE", "DATA_VOLUME_BACK"):
        of_data = plan(image_facts(), way=way, volume_id=DATA)
        assert [text.split(":")[0] for text in of_data.lost] == ["the disk web-data"], "the root is not touched"
    local = plan(facts(machine=machine(flavor=small)), way="IN_PLACE")
    assert "the local ephemeral disk (10 GB): nothing brings its content back" in local.lost


def test_a_deleted_machine_lost_what_its_points_do_not_have() -> None:
    found = plan(facts(machine=GONE, nics=()))
    ran = plan(facts(machine=machine(gone=True, vm_state="active"), nics=()))
    assert "server.status" not in fields(ran), "it ran when it was last seen"
    assert found.lost[0].startswith("the root disk web-root: what was written in the last 24 h")


def test_of_a_deleted_machine_no_device_tag_is_known() -> None:
    found = fields(plan(facts(machine=GONE, nics=())))
    assert {"disk.0.tag", "disk.1.tag"} <= found
    assert not any(field.endswith(".tag") for field in fields(plan()))


def test_what_is_left_out_is_said() -> None:
    assert "the disk web-data is left out: the old one keeps it" in plan(disks={DATA: "leave_out"}).lost
    assert (
        "the disk web-data is left out: it stays with the old machine"
        in plan(way="REPLACE", disks={DATA: "leave_out"}).lost
    )


# What points at the old one


def test_what_points_at_the_old_machine() -> None:
    port = nic(allowed_address_pairs=({"ip_address": "10.0.0.99"},), dns_name="web", trunk_id="t1")
    marks = {"metering.stack": "x", "terraform_id": "y", "purpose": "web"}
    known = facts(
        machine=machine(group_id="g1", group_name="web-group", metadata=marks), nics=(port,),
        references=("pool member lb1 has 10.0.0.5",),
    )  # fmt: skip
    found = plan(known).points_at_old
    for words in ("pool member lb1", "10.0.0.99", "DNS name web", "trunk t1", "web-group", "Heat", "Terraform"):
        assert any(words in text for text in found), words
    assert not any("purpose" in text for text in found)
    assert plan(known, way="IN_PLACE").points_at_old == ()


def test_what_is_made_is_told() -> None:
    found = plan(way="REPLACE", disks={DATA: "keep_current"})
    assert found.creates == (
        "a safety snapshot of the disk web-data, 50 GB",
        "a volume of 20 GB of the type ssd from the snapshot daily-r1",
        "1 port",
        "the machine web-01 (m1)",
    )
    assert plan(way="IN_PLACE").creates[-1] == "a temporary image of the root disk, removed afterwards"
    assert plan(image_facts(), way="IN_PLACE").creates == ("a safety image of the root disk of web-01",)
