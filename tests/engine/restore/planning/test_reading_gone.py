"""A deleted machine out of stored documents, and what of it is still there. See test_service.py for a real one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.restore.planning import reading_gone as gone
from store.estate.reading.models import Scope
from tests.engine.history.estates import Past, volume
from tests.engine.restore.planning.clouds import Cloud

KEY = ("prod", "RegionOne", "m1")
MAC, OLD_MAC = "fa:16:3e:00:00:01", "fa:16:3e:00:00:02"


def server(**more: Any) -> dict[str, Any]:
    return {
        "id": "m1", "name": "web-1", "status": "ACTIVE", "tenant_id": "p1", "image": "",
        "addresses": {"app": [{"addr": "10.0.0.5", "OS-EXT-IPS-MAC:mac_addr": MAC}]},
        "os-extended-volumes:volumes_attached": [{"id": "v1", "delete_on_termination": True}, {"id": "v2"}],
        "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda", **more,
    }  # fmt: skip


def attached(number: int, device: str, **more: Any) -> dict[str, Any]:
    return volume(number, status="in-use", attachments=[{"server_id": "m1", "device": device}], **more)


def port(id: str, mac: str, device: str = "m1") -> dict[str, Any]:
    return {"id": id, "mac_address": mac, "device_id": device, "device_owner": "compute:nova", "project_id": "p1",
            "network_id": "n1", "fixed_ips": []}  # fmt: skip


@pytest.fixture
def past(tmp_path: Path) -> Iterator[Past]:
    """A machine with two volumes and a port; one port it gave up before; then it is deleted, as listings saw it."""
    with closing(Past(tmp_path)) as made:
        made.list(0, "project", [{"id": "p1", "name": "shop", "domain_id": "d1", "enabled": True, "is_domain": False}])
        made.list(0, "server", [server(name="old-name")])
        made.list(0, "volume", [attached(1, "/dev/vda"), attached(2, "/dev/vdb"), volume(3)])
        made.list(0, "port", [port("q1", MAC), port("q0", OLD_MAC)])
        floating = {"id": "f1", "port_id": "q1", "floating_ip_address": "198.18.0.7", "project_id": "p1"}
        made.list(0, "floating_ip", [floating])
        made.list(1, "server", [server()])
        made.list(1, "port", [port("q1", MAC)])
        # It goes: Nova says so for a moment, and its volumes and ports are listed first.
        made.list(2, "volume", [volume(2, name="data"), volume(3)])
        made.list(2, "port", [])
        made.list(2, "floating_ip", [{**floating, "port_id": None}])
        fading = {"OS-EXT-STS:task_state": "deleting", "addresses": {}, "os-extended-volumes:volumes_attached": []}
        made.list(2, "server", [server(**fading)])
        made.list(3, "server", [])
        yield made


def test_it_is_remembered_as_it_was_before_it_went(past: Past) -> None:
    kept = gone.remembered(past.reads, KEY, Scope())
    assert kept is not None
    assert (kept.server["name"], len(kept.server["os-extended-volumes:volumes_attached"])) == ("web-1", 2)
    assert {id: doc["attachments"][0]["device"] for id, doc in kept.volumes.items()} == {
        "v1": "/dev/vda", "v2": "/dev/vdb",
    }  # fmt: skip
    assert [one["id"] for one in kept.ports] == ["q1"]
    assert [(one["id"], one["port_id"]) for one in kept.floating] == [("f1", "q1")]


def test_its_disks_have_the_state_of_today(past: Past) -> None:
    kept = gone.remembered(past.reads, KEY, Scope())
    assert kept is not None
    live = {"v1": None, "v2": {"id": "v2", "status": "Available"}}
    found = gone.disks(kept, gone.attachments(kept), live)
    assert [(one.volume_id, one.device, one.root, one.status) for one in found] == [
        ("v1", "/dev/vda", True, "deleted"), ("v2", "/dev/vdb", False, "available"),
    ]  # fmt: skip
    assert [one.delete_on_termination for one in found] == [True, False]
    assert gone.survivors(live) == ("v2",)
    assert gone.survivors({"v2": {"status": "in-use"}}) == ()


@pytest.mark.parametrize("scope", [Scope(projects=("p2",)), Scope(clouds=("other",)), Scope(projects=("p1",)), Scope()])
def test_it_is_remembered_for_those_who_may_see_it(past: Past, scope: Scope) -> None:
    may = scope.clouds is None and scope.projects in (None, ("p1",))
    assert (gone.remembered(past.reads, KEY, scope) is not None) is may


def test_what_never_was_is_not_remembered(past: Past) -> None:
    assert gone.remembered(past.reads, ("prod", "RegionOne", "m9"), Scope()) is None
    assert gone.remembered(past.reads, ("prod", "RegionTwo", "m1"), Scope()) is None


@pytest.mark.parametrize(
    ("rows", "ids"),
    [
        ([{"id": "f1", "port_id": None}], ["f1"]),
        # Somebody else has it by now.
        ([{"id": "f1", "port_id": "q9"}], []),
        ([], []),
    ],
)
def test_floating_ips_are_given_back_while_nobody_uses_them(rows: Any, ids: list[str]) -> None:
    cloud = Cloud()
    cloud.put("network", "/floatingips", {"floatingips": rows})
    was = [{"id": "f1", "port_id": "q1"}]
    assert [one["id"] for one in gone.free_floating(cloud.asking(), was)] == ids
    assert gone.free_floating(cloud.asking(), []) == []
