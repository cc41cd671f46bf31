"""Collecting a real cloud: everything is there once, and nothing is written that did not change."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.wire import Actor, rows_of
from tests.live.console import Console
from tests.live.lab_cloud import LabCloud
from tests.live.projects import Project

pytestmark = pytest.mark.live

# type -> (service, path of the whole listing, microversion)
LISTINGS = {
    "domain": ("identity", "/domains", None),
    "project": ("identity", "/projects", None),
    "user": ("identity", "/users", None),
    "group": ("identity", "/groups", None),
    "role": ("identity", "/roles", None),
    "service": ("identity", "/services", None),
    "endpoint": ("identity", "/endpoints", None),
    "server": ("compute", "/servers/detail?all_tenants=1&limit=1000", "2.90"),
    "flavor": ("compute", "/flavors/detail?is_public=None&limit=1000", "2.90"),
    "hypervisor": ("compute", "/os-hypervisors/detail", "2.87"),
    "server_group": ("compute", "/os-server-groups?all_projects=true&limit=1000", "2.64"),
    "compute_service": ("compute", "/os-services", "2.87"),
    "volume": ("block-storage", "/volumes/detail?all_tenants=1&limit=1000", "3.60"),
    "snapshot": ("block-storage", "/snapshots/detail?all_tenants=1&limit=1000", "3.60"),
    "backup": ("block-storage", "/backups/detail?all_tenants=1&limit=1000", "3.60"),
    "volume_type": ("block-storage", "/types?is_public=None", "3.60"),
    "volume_attachment": ("block-storage", "/attachments?all_tenants=1&limit=1000", "3.60"),
    "image": ("image", "/v2/images?limit=1000", None),
    "network": ("network", "/v2.0/networks?limit=1000", None),
    "subnet": ("network", "/v2.0/subnets?limit=1000", None),
    "port": ("network", "/v2.0/ports?limit=1000", None),
    "router": ("network", "/v2.0/routers?limit=1000", None),
    "floating_ip": ("network", "/v2.0/floatingips?limit=1000", None),
    "security_group": ("network", "/v2.0/security-groups?limit=1000", None),
    "security_group_rule": ("network", "/v2.0/security-group-rules?limit=1000", None),
    "trunk": ("network", "/v2.0/trunks?limit=1000", None),
    "network_agent": ("network", "/v2.0/agents?limit=1000", None),
}
# Types whose rows have no id of the cloud's own: only their number can be compared.
COUNTED = {"aggregate": 2, "availability_zone": 2, "volume_service": 4, "storage_pool": 3}


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    made = Console(tmp_path / "home")
    yield made
    made.close()


def ids_in_cloud(admin: Actor, type: str) -> list[str]:
    """The ids that the API itself lists for an administrator."""
    service, path, version = LISTINGS[type]
    return sorted(str(row["id"]) for row in rows_of(admin.get(service, path, version)))


@pytest.mark.parametrize("account", ["lab-admin", "lab-outsider-admin"])
def test_an_administrator_sees_everything_once(lab: LabCloud, console: Console, admin: Actor, account: str) -> None:
    """Also the administrator who has no role in any tenant's project."""
    console.add(account, lab.clouds_yaml, "lab")
    ended = console.collect()
    bad = {name: row for name, row in ended.items() if row["state"] != "done"}
    assert not bad
    for type in LISTINGS:
        assert console.current(type) == ids_in_cloud(admin, type), type
    for type, least in COUNTED.items():
        assert len(console.current(type)) >= least, type
    projects = ids_in_cloud(admin, "project")
    assert len(console.current("quota")) == len(projects)


def test_an_unchanged_cloud_adds_no_version(lab: LabCloud, console: Console) -> None:
    console.add("lab-admin", lab.clouds_yaml, "lab")
    console.collect()
    before = console.versions()
    assert sum(before.all.values()) > 150
    for full in (True, True, False):
        ended = console.collect(full=full)
        assert {name: row["error"] for name, row in ended.items() if row["state"] != "done"} == {}
        assert console.versions().since(before) == {}


def test_accounts_of_one_cloud_give_each_resource_once(lab: LabCloud, console: Console, admin: Actor) -> None:
    names = {console.add("lab-admin", lab.clouds_yaml, "lab")}
    for account in ("lab-member", "lab-reader", "lab-system", "lab-outsider-admin"):
        names.add(console.add(account, lab.clouds_yaml))
    assert names == {"lab"}
    console.collect()
    for type in LISTINGS:
        found = console.current(type)
        assert len(found) == len(set(found)), type
        assert found == ids_in_cloud(admin, type), type
    before = console.versions()
    console.collect()
    assert console.versions().since(before) == {}


@pytest.mark.parametrize(
    ("account", "seen", "refused"),
    [
        ("lab-member", ("project", "flavor", "image", "network"), ("hypervisor", "user", "compute_service")),
        ("lab-reader", ("project", "flavor", "image", "network"), ("hypervisor", "user", "compute_service")),
        ("lab-system", ("project", "user", "role", "domain"), ("server", "hypervisor", "image")),
    ],
)
def test_lesser_tokens_get_what_they_may_and_say_what_not(
    lab: LabCloud, console: Console, account: str, seen: tuple[str, ...], refused: tuple[str, ...]
) -> None:
    console.add(account, lab.clouds_yaml, "lab")
    ended = console.collect()
    assert {type: ended[type]["state"] for type in seen} == dict.fromkeys(seen, "done")
    assert all(console.current(type) for type in seen)
    assert {type: ended[type]["state"] for type in refused} == dict.fromkeys(refused, "not_permitted")
    assert not [name for name, row in ended.items() if row["state"] == "failed"]


def test_a_system_token_does_not_take_silence_for_an_empty_network(lab: LabCloud, console: Console) -> None:
    """Neutron answers it 200 with no rows at all; what the administrator saw before must stay."""
    console.add("lab-admin", lab.clouds_yaml, "lab")
    console.collect("network", "port", "router")
    before = console.versions()
    console.add("lab-system", lab.clouds_yaml)
    console.collect("network", "port", "router")
    assert console.versions().since(before) == {}


def test_a_server_appears_and_disappears(lab: LabCloud, console: Console, project: Project) -> None:
    console.add("lab-admin", lab.clouds_yaml, "lab")
    console.collect("server")
    server = project.server("short-lived")
    for full in (False, True):
        console.collect("server", full=full)
        assert server["id"] in console.current("server")
    before = console.versions()
    project.delete("compute", f"/servers/{server['id']}")
    console.collect("server", full=False)
    assert server["id"] not in console.current("server")
    assert console.versions().since(before)["server"] == (0, 1)
    versions = console.rows(
        "SELECT name, status, valid_from < valid_to FROM server_versions WHERE id = ?", server["id"]
    )
    assert versions[-1] == ("short-lived", "ACTIVE", True)


def test_volumes_appear_and_disappear_between_full_listings(lab: LabCloud, console: Console, project: Project) -> None:
    """Cinder reports no deletions in a delta, so an id sweep has to find them."""
    console.add("lab-admin", lab.clouds_yaml, "lab")
    console.collect("volume", "snapshot")
    volume = project.volume()
    snapshot = project.snapshot(volume["id"])
    console.collect("volume", "snapshot", full=False)
    assert volume["id"] in console.current("volume")
    assert snapshot["id"] in console.current("snapshot")
    project.delete("block-storage", f"/snapshots/{snapshot['id']}")
    project.delete("block-storage", f"/volumes/{volume['id']}")
    console.collect("volume", "snapshot", full=False)
    assert volume["id"] not in console.current("volume")
    assert snapshot["id"] not in console.current("snapshot")


def test_a_renamed_server_is_one_new_version(lab: LabCloud, console: Console, project: Project) -> None:
    console.add("lab-admin", lab.clouds_yaml, "lab")
    server = project.server("before")
    console.collect("server")
    before = console.versions()
    change = {"server": {"name": "after"}}
    assert project.member("compute", f"/servers/{server['id']}", "PUT", json=change).status_code == 200
    console.collect("server", full=False)
    assert console.versions().since(before)["server"] == (1, 1)
    names = console.rows("SELECT name FROM server_versions WHERE id = ? ORDER BY valid_from", server["id"])
    assert [name for (name,) in names][-2:] == ["before", "after"]


class TestSecrets:
    """User data, passwords and the like never reach the disk."""

    def test_large_user_data_costs_a_hundred_bytes(
        self, lab: LabCloud, console: Console, project: Project, admin: Actor
    ) -> None:
        console.add("lab-admin", lab.clouds_yaml, "lab")
        data = base64.b64encode(secrets.token_bytes(49149)).decode()
        server = project.server("heavy", user_data=data)
        console.collect("server")
        raw = admin.get("compute", f"/servers/{server['id']}", "2.96")["server"]
        assert raw["OS-EXT-SRV-ATTR:user_data"] == data
        ((stored,),) = console.rows("SELECT doc FROM server_versions WHERE id = ?", server["id"])
        without = json.dumps({**raw, "OS-EXT-SRV-ATTR:user_data": ""}, separators=(",", ":"))
        assert len(stored) <= len(without) + 100
        ((row,),) = console.rows("SELECT t::VARCHAR FROM server_versions t WHERE id = ?", server["id"])
        ((other,),) = console.rows("SELECT max(length(t::VARCHAR)) FROM server_versions t WHERE id != ?", server["id"])
        assert len(row) <= other + 1000

    def test_planted_secrets_are_nowhere(self, lab: LabCloud, console: Console, project: Project) -> None:
        planted = {place: secrets.token_hex(16) for place in ("user_data", "metadata", "volume", "image")}
        project.server(
            "planted",
            user_data=base64.b64encode(f"#!/bin/sh\nPASSWORD={planted['user_data']}\n".encode()).decode(),
            metadata={"db_password": planted["metadata"], "harmless": "kept-as-it-is"},
        )
        project.volume("planted", metadata={"api_token": planted["volume"]})
        image = {"name": "planted", "container_format": "bare", "disk_format": "raw", "secret": planted["image"]}
        project.create("image", "/v2/images", image)
        console.add("lab-admin", lab.clouds_yaml, "lab")
        console.collect()
        base = base64.b64encode(planted["user_data"].encode()).decode()[4:-8]
        looked = list(console.texts())
        assert any("kept-as-it-is" in text for text in looked)
        for place, value in {**planted, "base64": base}.items():
            assert not [text[:200] for text in looked if value in text], place
        for path, content in console.files():
            for place, value in planted.items():
                assert value.encode() not in content, f"{place} in {path.name}"

    def test_passwords_of_clouds_yaml_stay_there(self, lab: LabCloud, console: Console) -> None:
        console.add("lab-admin", lab.clouds_yaml, "lab")
        console.collect("project")
        password = lab.entries["lab-admin"]["auth"]["password"]
        assert not [text for text in console.texts() if password in text]
        assert not [path for path, content in console.files() if password.encode() in content]
