"""A machine and its disks out of documents, of old and new clouds, and of hostile ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.restore.planning import reading_machine as docs

KEY = ("east", "r1", "m1")
DEVICE = "OS-EXT-SRV-ATTR:root_device_name"


def server(**more: Any) -> dict[str, Any]:
    return {"id": "m1", "name": "web-1", "tenant_id": "p1", "user_id": "u1", "status": "ACTIVE", "image": "", **more}


def attached(id: str, device: str | None = None, **more: Any) -> dict[str, Any]:
    return {"volumeId": id, "serverId": "m1", "device": device, **more}


def volume(id: str, *servers: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "status": "in-use", "size": 5, "attachments": [{"server_id": one} for one in servers], **more}


def test_a_machine_of_a_new_cloud_has_everything() -> None:
    doc = server(
        **{
            "OS-EXT-STS:vm_state": "active", "OS-EXT-STS:task_state": None, "OS-EXT-STS:power_state": 1,
            "OS-EXT-SRV-ATTR:host": "c1", "OS-EXT-SRV-ATTR:hostname": "web", "OS-EXT-AZ:availability_zone": "z",
            "OS-EXT-SRV-ATTR:user_data": {"sha256": "ab", "size": 49149},
        },
        host_status="UP", pinned_availability_zone="z", locked=True, locked_reason="freeze", key_name="k",
        config_drive="True", metadata={"a": "b", "n": 7}, tags=["x", 1], description=None,
        security_groups=[{"name": "web"}, {"name": "web"}, {"name": "db"}],
        flavor={"original_name": "m1", "vcpus": 2, "ram": 1024, "disk": 5, "ephemeral": 1, "swap": 512,
                "extra_specs": {"hw:x": "y"}},
    )  # fmt: skip
    found = docs.machine_of(KEY, doc, boot="volume", project=("shop", "retail"))
    assert (found.name, found.project_name, found.domain_name, found.boot) == ("web-1", "shop", "retail", "volume")
    assert (found.host, found.host_status, found.zone, found.pinned_zone) == ("c1", "UP", "z", "z")
    assert (found.locked, found.locked_reason, found.config_drive, found.power_state) == (True, "freeze", True, 1)
    assert (found.metadata, found.tags, found.security_groups) == ({"a": "b"}, ("x",), ("web", "db"))
    assert (found.user_data_bytes, found.user_data_sha256) == (49149, "ab")
    assert found.flavor == {"name": "m1", "vcpus": 2, "ram": 1024, "disk": 5, "ephemeral": 1, "swap": 512,
                            "extra_specs": {"hw:x": "y"}}  # fmt: skip
    assert docs.readable_user_data(doc)


def test_a_member_of_an_old_cloud_is_told_less_and_nothing_is_made_up() -> None:
    found = docs.machine_of(KEY, {"id": "m1", "flavor": {"id": "7"}, "image": {"id": "i1"}})
    assert (found.name, found.host_status, found.pinned_zone, found.flavor) == ("m1", "", "", {})
    assert (found.image_id, found.power_state, found.user_data_sha256) == ("i1", None, "")
    assert not docs.readable_user_data({})


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = (
    "id", "name", "flavor", "image", "metadata", "tags", "security_groups", "locked", "config_drive", "addresses",
    "os-extended-volumes:volumes_attached", "OS-EXT-SRV-ATTR:user_data", "OS-EXT-STS:power_state", DEVICE,
    "attachments", "volumeId", "device", "server_id", "size", "bootable", "server_groups", "events", "result",
    "message",
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(NAMES), json), st.lists(st.dictionaries(st.sampled_from(NAMES), json)))
def test_hostile_documents_make_no_trouble(doc: dict[str, Any], more: list[dict[str, Any]]) -> None:
    docs.machine_of(KEY, doc)
    docs.boots_from_volume(doc, more)
    docs.disks_of(doc, more, {"v1": doc})
    docs.disagreements("m1", ["v1", "v2"], {"v1": doc}, more)
    docs.events_of(more, {"": doc})
    docs.flavor_now(docs.flavor_of(doc, more), more)
    docs.group_policy(doc)


# Disks


@pytest.mark.parametrize(
    ("image", "device", "attachments", "boots"),
    [
        ("", None, [], True),
        ({"id": "i"}, "/dev/vda", [], False),
        ({"id": "i"}, "/dev/vda", [("v1", "/dev/vdb")], False),
        # An image is named, and the root device is a volume all the same.
        ({"id": "i"}, "/dev/vda", [("v1", "/dev/vda")], True),
        # A member is not told the root device: what Nova says of the image counts.
        ({"id": "i"}, None, [("v1", "/dev/vda")], False),
    ],
)
def test_where_it_boots_from(image: Any, device: str | None, attachments: list[Any], boots: bool) -> None:
    doc = server(image=image, **{DEVICE: device})
    assert docs.boots_from_volume(doc, [attached(*one) for one in attachments]) is boots


def disks(doc: dict[str, Any], attachments: list[dict[str, Any]], **volumes: dict[str, Any]) -> list[tuple[str, bool]]:
    return [(disk.volume_id, disk.root) for disk in docs.disks_of(doc, attachments, volumes)]


def test_the_root_comes_first_then_the_devices_in_their_order() -> None:
    three = [attached("v3", "/dev/vdaa"), attached("v2", "/dev/vdb"), attached("v1", "/dev/vda"), attached("v0")]
    every = {id: volume(id, "m1", bootable=str(id == "v2").lower()) for id in ("v0", "v1", "v2", "v3")}
    at = {DEVICE: "/dev/vda"}
    assert disks(server(**at), three, **every) == [("v1", True), ("v2", False), ("v3", False), ("v0", False)]
    # Without a root device the first one that can boot, else the first.
    assert disks(server(), three, **every)[0] == ("v2", True)
    assert disks(server(), three)[0] == ("v1", True)
    assert not any(root for _, root in disks(server(image={"id": "i"}, **at), three[:2], **every))


def test_a_disk_has_what_its_attachment_and_its_volume_say() -> None:
    attachments = [attached("v1", "/dev/vdb", tag="data", delete_on_termination=True)]
    document = volume(
        "v1", "m1", "m2", name="db", size=7, volume_type="fast", bootable="false", multiattach=True, encrypted=True,
        availability_zone="z", metadata={"auto_snapshot": "yes"}, volume_image_metadata={"hw_x": "y"}, description="d",
    )  # fmt: skip
    (found,) = docs.disks_of(server(image={"id": "i"}), attachments, {"v1": document})
    assert (found.name, found.size_gb, found.volume_type, found.status, found.zone) == ("db", 7, "fast", "in-use", "z")
    assert (found.device, found.tag, found.delete_on_termination) == ("/dev/vdb", "data", True)
    assert (found.multiattach, found.encrypted, found.bootable, found.root) == (True, True, False, False)
    assert (found.metadata, found.image_metadata) == ({"auto_snapshot": "yes"}, {"hw_x": "y"})
    assert found.attached_elsewhere == ("m2",)


def test_an_old_cloud_says_what_goes_with_the_machine_in_its_document_alone() -> None:
    doc = server(**{"os-extended-volumes:volumes_attached": [{"id": "v1", "delete_on_termination": True}]})
    (found,) = docs.disks_of(doc, [], {})
    assert (found.volume_id, found.delete_on_termination, found.status) == ("v1", True, "")


@pytest.mark.parametrize(
    ("nova", "volumes", "cinder", "words"),
    [
        (["v1"], {"v1": volume("v1", "m1")}, [{"volume_id": "v1", "status": "attached"}], []),
        (["v1"], {}, [], ["Cinder has no such volume"]),
        (["v1"], {"v1": volume("v1", status="available")}, [], ["Cinder does not: it is available"]),
        # While the machine is shelved its volumes are only reserved.
        (["v1"], {"v1": volume("v1", status="reserved")}, [], []),
        ([], {}, [{"volume_id": "v9", "status": "attached"}], ["and Nova does not"]),
        ([], {}, [{"volume_id": "v9", "status": "reserved"}], []),
        ([], {}, "it said no", []),
    ],
)
def test_where_nova_and_cinder_disagree(nova: Any, volumes: Any, cinder: Any, words: list[str]) -> None:
    found = docs.disagreements("m1", nova, volumes, cinder)
    assert len(found) == len(words)
    assert all(word in sentence for word, sentence in zip(words, found, strict=True))


# Flavors


def listed(**more: Any) -> dict[str, Any]:
    return {"id": "f1", "name": "m1", "vcpus": 2, "ram": 1024, "disk": 5, "OS-FLV-EXT-DATA:ephemeral": 0, "swap": "",
            **more}  # fmt: skip


@pytest.mark.parametrize(
    ("flavors", "id"),
    [
        ([listed()], "f1"),
        ([listed(name="other"), listed(id="f2")], "f2"),
        ([listed(vcpus=4)], ""),
        ([listed(swap=512)], ""),
        ([listed(**{"OS-FLV-EXT-DATA:ephemeral": 10})], ""),
        ([], ""),
    ],
)
def test_a_flavor_is_the_same_by_name_and_numbers(flavors: Any, id: str) -> None:
    doc = server(flavor={"original_name": "m1", "vcpus": 2, "ram": 1024, "disk": 5, "ephemeral": 0, "swap": 0})
    assert docs.flavor_now(docs.embedded(doc), flavors) == id


def test_a_cloud_that_embeds_no_flavor_names_its_id() -> None:
    doc = server(flavor={"id": "f1", "links": []})
    assert docs.embedded(doc) == {}
    assert docs.flavor_of(doc, [listed(id="f0"), listed()])["vcpus"] == 2
    assert docs.flavor_of(doc, [listed(id="f0")]) == {}


# Events


def test_an_action_that_failed_says_why() -> None:
    actions = [
        {"action": "rebuild", "start_time": "2026-03-02T09:00:00.000000", "message": "Error", "request_id": "req-1"},
        {"action": "stop", "start_time": "x", "message": "Error", "request_id": "req-2"},
        {"action": "create", "start_time": "2026-03-01T09:00:00", "message": None, "request_id": "req-3"},
    ]
    steps = [
        {"event": "compute_rebuild_instance", "result": "Error", "details": "No valid host\n was found"},
        {"event": "later", "result": "Success"},
    ]
    found = docs.events_of(actions, {"req-1": {"events": steps}, "req-2": "it said no"})
    assert [one.error for one in found] == [
        "rebuild instance: No valid host was found",
        "it failed; Nova does not say why",
        "",
    ]
    assert found[0].at is not None
    assert found[1].at is None
    old = {"events": [{"event": "compute_stop", "result": "Error", "traceback": "File x\nBoom: no\n"}]}
    assert docs.events_of(actions[:1], {"req-1": old})[0].error == "stop: Boom: no"


def test_a_group_has_one_policy_whatever_the_version() -> None:
    assert docs.group_policy({"policy": "affinity"}) == "affinity"
    assert docs.group_policy({"policies": ["anti-affinity"]}) == "anti-affinity"
    assert docs.group_policy({}) == ""
