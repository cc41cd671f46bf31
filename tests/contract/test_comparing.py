"""What compares a restored machine with the original sees every field, and excuses only what a plan names."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tests.live import comparing
from tests.live.comparing import Whole, differences, unexplained

SERVER: dict[str, Any] = {
    "id": "s1", "name": "db", "tenant_id": "p", "user_id": "u", "status": "ACTIVE", "metadata": {"env": "prod"},
    "tags": ["b", "a"], "security_groups": [{"name": "web"}, {"name": "web"}], "image": "", "locked": False,
    "OS-EXT-SRV-ATTR:host": "h1", "OS-EXT-SRV-ATTR:hypervisor_hostname": "h1", "hostId": "x", "key_name": "k",
    "OS-EXT-SRV-ATTR:user_data": "eA==", "OS-EXT-STS:vm_state": "active", "config_drive": "True",
}  # fmt: skip
PORT: dict[str, Any] = {
    "id": "n1", "mac_address": "fa:16:3e:00:00:01", "fixed_ips": [{"ip_address": "10.0.0.5", "subnet_id": "v4"}],
    "tags": ["front"], "security_groups": ["g"], "allowed_address_pairs": [{"ip_address": "10.0.0.9"}],
    "device_owner": "compute:nova", "extra_dhcp_opts": [], "description": "of the cluster", "qos_policy_id": None,
}  # fmt: skip
VOLUME: dict[str, Any] = {
    "id": "v1", "name": "data", "size": 5, "metadata": {"auto_snapshot": "yes"}, "volume_type": "premium",
    "volume_image_metadata": {"os_distro": "debian"}, "bootable": "true", "created_at": "then", "description": None,
    "attachments": [{"server_id": "s1"}, {"server_id": "s9"}], "user_id": "u", "group_id": None,
}  # fmt: skip
ATTACHMENT = {"volumeId": "v1", "device": "/dev/vdb", "tag": "t", "delete_on_termination": True}
NICS, DISKS = [(0, "n1", "n1")], [(0, "v1", "v1")]


def whole() -> Whole:
    return deepcopy(Whole(SERVER, {"n1": PORT}, {"v1": VOLUME}, {"v1": ATTACHMENT}, {"n1": {"198.18.0.1": "10.0.0.5"}}))


def test_the_same_is_equal() -> None:
    assert differences(whole(), whole(), NICS, DISKS) == {}


@pytest.mark.parametrize(
    ("kind", "name"),
    [("server", name) for name in SERVER] + [("nic", name) for name in PORT] + [("disk", name) for name in VOLUME],
)
def test_every_field_counts(kind: str, name: str) -> None:
    after: Any = whole()
    document = {"server": after.server, "nic": after.ports["n1"], "disk": after.volumes["v1"]}[kind]
    changed = {"fixed_ips": [], "security_groups": [], "tags": [], "metadata": {}, "attachments": [{"server_id": "s1"}],
               "allowed_address_pairs": [], "extra_dhcp_opts": [{"opt_name": "a"}], "volume_image_metadata": {},
               "image": {"id": "i"}, "device_owner": "network:dhcp"}  # fmt: skip
    document[name] = changed.get(name, "another")
    nics, disks = [(0, "n1", "n1")], [(0, "v1", "v1")]
    found = differences(whole(), after, nics, disks)
    assert any(path.startswith(kind) for path in found), f"{name} is not compared"
    assert unexplained(found, set()) == found


@pytest.mark.parametrize("name", ["device", "tag", "delete_on_termination"])
def test_how_a_disk_is_attached_counts(name: str) -> None:
    after: Any = whole()
    after.attachments["v1"][name] = None
    assert set(differences(whole(), after, NICS, DISKS)) == {f"disk.0.{name}"}


def test_what_the_console_writes_for_itself_is_not_compared() -> None:
    after: Any = whole()
    after.server["metadata"]["qdeck_mark"] = after.volumes["v1"]["metadata"]["qdeck_restore"] = "x"
    after.ports["n1"]["tags"].append("qdeck_restore:7")
    after.ports["n1"]["allowed_address_pairs"][0]["mac_address"] = PORT["mac_address"]
    assert differences(whole(), after, NICS, DISKS) == {}


def test_what_is_missing_or_too_much_is_one_path() -> None:
    after: Any = whole()
    del after.ports["n1"], after.volumes["v1"]
    after.volumes["v7"] = VOLUME
    found = differences(whole(), after, [(0, "n1", "")], [(0, "v1", "")])
    assert set(found) == {"nic.0", "disk.0", "disk.more"}
    assert set(unexplained(found, {"disk.0"})) == {"nic.0", "disk.more"}


def test_what_follows_from_a_named_difference_is_excused_for_that_disk_only() -> None:
    found = dict.fromkeys(["disk.1.created", "disk.1.user_id", "disk.0.user_id", "server.hypervisor", "nic.0.mac"])
    assert set(unexplained(found, {"disk.1.id", "server.host"})) == {"disk.0.user_id", "nic.0.mac"}
    assert comparing.unexplained({"disk.1.tag": 1}, {"disk.1.id", "disk.0"}) == {"disk.1.tag": 1}
