"""Asking only for what changed since a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.contract.conftest import Cloud
from tests.contract.wire import Actor, error_of, rows_of, wait_for
from tests.live.projects import COMPUTE, STORAGE, Project


def cloud_time(actor: Actor, tenant: Project) -> datetime:
    """The cloud's clock now: the demo's may run ahead of ours."""
    made = tenant.create("network", "/v2.0/security-groups", {"security_group": {"name": "clock"}})
    created = made["security_group"]["created_at"]
    return datetime.fromisoformat(created.replace("Z", "+00:00"))


def since(moment: datetime, seconds: float = 0) -> str:
    """A time for Nova and Cinder, to the second."""
    return (moment + timedelta(seconds=seconds)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def changed_servers(actor: Actor, moment: str, everywhere: bool = True) -> dict[str, dict[str, Any]]:
    """Servers changed since a time, by id."""
    scope = "&all_tenants=1" if everywhere else ""
    path = f"/servers/detail?changes-since={moment}Z{scope}&limit=1000"
    return {row["id"]: row for row in actor.get("compute", path, COMPUTE)["servers"]}


def test_changes_since_reports_deleted_servers(cloud: Cloud, tenant: Project) -> None:
    start = since(cloud_time(cloud.admin, tenant), -1)
    server = tenant.server("short-lived")
    assert changed_servers(cloud.admin, start)[server["id"]]["status"] == "ACTIVE"
    tenant.delete("compute", f"/servers/{server['id']}")
    for actor, everywhere in ((cloud.admin, True), (tenant.member, False)):
        row = changed_servers(actor, start, everywhere)[server["id"]]
        assert row["status"] == "DELETED"
        assert row["name"] == "short-lived"
        assert row["OS-EXT-STS:vm_state"] == "deleted"
        assert row["OS-SRV-USG:terminated_at"]
        assert row["addresses"] == {}
    whole = rows_of(cloud.admin.get("compute", "/servers/detail?all_tenants=1&limit=1000", COMPUTE))
    assert server["id"] not in {row["id"] for row in whole}


def test_changes_since_leaves_out_what_did_not_change(cloud: Cloud, tenant: Project) -> None:
    server = tenant.server()
    updated = datetime.fromisoformat(server["updated"].replace("Z", "+00:00"))
    assert server["id"] not in changed_servers(cloud.admin, since(updated, 2))
    assert server["id"] in changed_servers(cloud.admin, since(updated, -1))


def test_changes_since_pages_like_any_listing(cloud: Cloud, tenant: Project) -> None:
    start = since(cloud_time(cloud.admin, tenant), -1)
    tenant.server("one")
    tenant.server("two")
    path = f"/servers/detail?all_tenants=1&changes-since={start}Z&project_id={tenant.id}&limit=1"
    pages = list(cloud.admin.pages("compute", path, COMPUTE))
    assert {row["name"] for page in pages for row in page["servers"]} == {"one", "two"}


def test_changes_since_wants_a_time(cloud: Cloud) -> None:
    answer = cloud.admin("compute", "/servers/detail?changes-since=yesterday", version=COMPUTE)
    assert answer.status_code == 400
    assert "changes-since" in error_of(answer)[1]


def test_volumes_by_updated_at(cloud: Cloud, tenant: Project) -> None:
    volume = tenant.volume()
    moment = datetime.fromisoformat(volume["updated_at"]).replace(tzinfo=UTC)

    def changed(after: str) -> set[str]:
        path = f"/volumes/detail?all_tenants=1&updated_at=gte:{after}&limit=1000"
        return {row["id"] for row in cloud.admin.get("block-storage", path, STORAGE)["volumes"]}

    assert volume["id"] in changed(since(moment, -1))
    assert volume["id"] not in changed(since(moment, 2))
    path = f"/volumes/{volume['id']}"

    def touch_and_list() -> set[str]:
        change = {"volume": {"description": "changed"}}
        assert tenant.member("block-storage", path, "PUT", json=change).status_code == 200
        return changed(since(moment, 1))

    wait_for(touch_and_list, lambda ids: volume["id"] in ids, 10)


def test_deleted_volumes_are_not_reported(cloud: Cloud, tenant: Project) -> None:
    volume = tenant.volume()
    moment = datetime.fromisoformat(volume["created_at"]).replace(tzinfo=UTC)
    tenant.delete("block-storage", f"/volumes/{volume['id']}")
    path = f"/volumes/detail?all_tenants=1&updated_at=gte:{since(moment, -5)}&limit=1000"
    rows = cloud.admin.get("block-storage", path, STORAGE)["volumes"]
    assert volume["id"] not in {row["id"] for row in rows}


@pytest.mark.parametrize("value", ["gte:yesterday", "zz:2020-01-01T00:00:00"])
def test_updated_at_wants_an_operator_and_a_time(cloud: Cloud, value: str) -> None:
    answer = cloud.admin("block-storage", f"/volumes/detail?updated_at={value}", version=STORAGE)
    assert answer.status_code == 400


def test_updated_at_is_ignored_by_old_versions(cloud: Cloud) -> None:
    path = "/volumes/detail?all_tenants=1&updated_at=gte:2099-01-01T00:00:00"
    assert cloud.admin.get("block-storage", path, "3.60")["volumes"] == []
    assert cloud.admin.get("block-storage", path, "3.0")["volumes"]


def test_the_network_service_has_no_deltas(cloud: Cloud) -> None:
    """Its filter validation, on by default, refuses `changed_since` although the extension is there."""
    answer = cloud.admin("network", "/v2.0/ports?changed_since=2020-01-01T00:00:00Z")
    assert answer.status_code == 400
    assert error_of(answer)[1] == "['changed_since'] is invalid attribute for filtering"


def test_images_by_updated_at(cloud: Cloud) -> None:
    assert cloud.admin.get("image", "/v2/images?updated_at=gte:2000-01-01T00:00:00Z")["images"]
    assert cloud.admin.get("image", "/v2/images?updated_at=gte:2099-01-01T00:00:00Z")["images"] == []
    assert cloud.admin("image", "/v2/images?updated_at=gte:yesterday").status_code == 400
