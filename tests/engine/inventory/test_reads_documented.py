"""The documented reads: exact fields, filters, paging, sorting, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.access.models import Caller
from store.types import registry
from tests.engine.inventory.reading import DOCUMENTS, SERVER_ID, START, Inventory, server, take_in

LISTS = [
    *("/domains", "/projects", "/tenants", "/servers", "/volumes", "/volumes/metadata/bulk", "/networks"),
    *("/subnets", "/ports", "/floatingips", "/security-groups", "/security-group-rules", "/flavors", "/images"),
    *("/hypervisors", "/users", "/roles", "/role-assignments", "/user-activity-summary"),
]
LIMITED = Caller(name="v", role="viewer", projects=("p1",), via="embedded")


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inventory]:
    inventory = Inventory(tmp_path_factory.mktemp("home"))
    yield inventory
    inventory.close()


async def get(inventory: Inventory, path: str, caller: Caller | None = None, expect: int = 200, **query: Any) -> Any:
    async with inventory.as_(caller) if caller else inventory.as_() as client:
        answer = await client.get(path, params=query)
    assert answer.status_code == expect, answer.text
    return answer.json()


async def test_servers_exactly_as_documented(inventory: Inventory) -> None:
    answer = await get(inventory, "/servers", sort_by="vm_name")
    assert (answer["total"], answer["page"], answer["page_size"], len(answer["items"])) == (3, 1, 50, 3)
    host = {
        "hypervisor_hostname": "cmp-1",
        "host_vcpus_total": 64,
        "host_vcpus_used": 8,
        "host_ram_total_mb": 262144,
        "host_ram_used_mb": 8192,
        "host_disk_total_gb": 8000,
        "host_disk_used_gb": 45,
        "host_running_vms": 2,
        "cloud": "prod",
        "region": "RegionOne",
    }
    assert answer["items"][0] == {
        "vm_id": SERVER_ID,
        "vm_name": "web-1",
        "domain_name": "labs",
        "tenant_name": "labs-dev",
        "status": "ACTIVE",
        "flavor_name": "m1.small",
        "vcpus": 2,
        "ram_mb": 2048,
        "disk_gb": 20,
        "ips": "10.0.0.1",
        "image_name": "debian-12",
        **host,
    }
    assert answer["items"][1] == {
        "vm_id": server(2)["id"],
        "vm_name": "web-2",
        "domain_name": "acme",
        "tenant_name": "acme-prod",
        "status": "ACTIVE",
        "flavor_name": "v1",
        "vcpus": 4,
        "ram_mb": 4096,
        "disk_gb": 140,
        "ips": "10.0.0.2, 203.0.113.2",
        "image_name": "debian-12",
        **host,
    }


@pytest.mark.parametrize("path", LISTS)
async def test_every_list(inventory: Inventory, path: str) -> None:
    """Items in the one shape, place filters, both ways of paging."""
    answer = await get(inventory, path)
    assert set(answer) == {"total", "page", "page_size", "items"}
    assert answer["total"] == len(answer["items"]) > 0
    assert all(item["cloud"] == "prod" and "region" in item for item in answer["items"])
    assert (await get(inventory, path, cloud="other"))["items"] == []
    assert (await get(inventory, path, cloud="prod", region=answer["items"][0]["region"] or "any"))["total"] > 0
    second = await get(inventory, path, limit=1, offset=1)
    assert set(second) == {"total", "page", "page_size", "limit", "offset", "results"}
    assert second["results"] == answer["items"][1:2]
    assert (await get(inventory, path, page=2, page_size=1))["items"] == answer["items"][1:2]


@pytest.mark.parametrize("path", ["/servers", "/security-groups", "/volumes/metadata/bulk", "/user-activity-summary"])
@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ({"page": 0}, 422, "page"),
        ({"page_size": 1001}, 422, "page_size"),
        ({"limit": "many"}, 422, "limit"),
        ({"offset": -1}, 422, "offset"),
        ({"page": 1, "limit": 5}, 400, "not both"),
        ({"page": 1000, "page_size": 1000}, 400, "10000 rows deep"),
        ({"sort_by": "nope"}, 400, "sort_by must be one of"),
        ({"sort_dir": "sideways"}, 422, "sort_dir"),
    ],
)
async def test_bad_parameters(inventory: Inventory, path: str, query: Any, status: int, words: str) -> None:
    assert words in (await get(inventory, path, expect=status, **query))["detail"]


@pytest.mark.parametrize(
    ("path", "query", "field", "values"),
    [
        ("/servers", {"status": "active"}, "vm_name", {"web-1", "web-2"}),
        ("/servers", {"tenant_id": "p1"}, "vm_name", {"web-2"}),
        ("/servers", {"domain_name": "labs"}, "vm_name", {"web-1", "web-3"}),
        ("/servers", {"domain_name": "lab"}, "vm_name", set()),
        ("/projects", {"domain_id": "d1"}, "project_name", {"acme-prod"}),
        ("/tenants", {"domain_id": "d2"}, "name", {"labs-dev"}),
        ("/volumes", {"project_id": "p1", "status": "in-use"}, "volume_name", {"root", "data"}),
        ("/volumes", {"status": "available"}, "name", {"spare"}),
        ("/ports", {"device_id": SERVER_ID}, "id", {"po1"}),
        ("/security-groups", {"name": "EB"}, "name", {"web"}),
        ("/security-groups", {"tenant_name": "labs-dev"}, "name", {"default"}),
        ("/security-groups", {"domain_name": "acme"}, "name", {"web"}),
        ("/security-group-rules", {"direction": "ingress"}, "rule_id", {"ru1"}),
        ("/users", {"enabled": "false"}, "user_name", {"ada"}),
        ("/users", {"domain_id": "d1"}, "user_name", {"root"}),
        ("/role-assignments", {"user_id": "u1", "role_id": "r1", "project_id": "p1"}, "user_name", {"root"}),
        ("/role-assignments", {"user_id": "u2"}, "user_name", set()),
        ("/user-activity-summary", {"enabled": True}, "user_name", {"root"}),
    ],
)
async def test_filters(inventory: Inventory, path: str, query: Any, field: str, values: set[str]) -> None:
    assert {item[field] for item in (await get(inventory, path, **query))["items"]} == values


@pytest.mark.parametrize("value", ["a b", "x:y", '"', "(", "none", ">1", "~.*", "a,b", "\\", "'; DROP TABLE"])
async def test_a_filter_value_is_only_a_value(inventory: Inventory, value: str) -> None:
    for path, name in (("/servers", "tenant_id"), ("/servers", "status"), ("/security-groups", "name")):
        assert (await get(inventory, path, **{name: value}))["items"] == []


async def test_a_control_character_is_refused(inventory: Inventory) -> None:
    await get(inventory, "/servers", expect=400, tenant_id="a\x00")


async def test_sorting(inventory: Inventory) -> None:
    async def names(**query: Any) -> list[str]:
        return [item["vm_name"] for item in (await get(inventory, "/servers", **query))["items"]]

    assert await names(sort_by="vm_name", sort_dir="desc") == ["web-3", "web-2", "web-1"]
    assert await names(sort_by="disk_gb", sort_dir="desc") == ["web-2", "web-1", "web-3"]
    assert await names(sort_by="tenant_name") == ["web-2", "web-1", "web-3"]


async def test_counts(inventory: Inventory) -> None:
    domains = {item["name"]: item for item in (await get(inventory, "/domains"))["items"]}
    assert domains["acme"]["project_count"] == 1
    projects = {item["name"]: item for item in (await get(inventory, "/projects"))["items"]}
    acme = projects["acme-prod"]
    counts = ("server_count", "volume_count", "volume_gb", "snapshot_count", "network_count", "security_group_count")
    assert [acme[name] for name in counts] == [1, 2, 140, 1, 1, 1]
    groups = {item["name"]: item for item in (await get(inventory, "/security-groups"))["items"]}
    web = groups["web"]
    counts = ("rule_count", "ingress_rule_count", "egress_rule_count", "attached_vm_count", "attached_network_count")
    assert [web[name] for name in counts] == [2, 1, 1, 1, 1]
    assert groups["default"]["rule_count"] == 0


async def test_volume_metadata(inventory: Inventory) -> None:
    answer = await get(inventory, "/volumes/v1/metadata")
    assert answer["metadata"] == {"auto_snapshot": "true", "retention_daily": "7"}
    bulk = await get(inventory, "/volumes/metadata/bulk")
    assert [(item["volume_id"], item["metadata"]) for item in bulk["items"]] == [("v1", answer["metadata"])]
    assert (await get(inventory, "/volumes/v2/metadata"))["metadata"] == {}


async def test_single_security_group(inventory: Inventory) -> None:
    answer = await get(inventory, "/security-groups/sg1")
    assert (answer["name"], answer["tenant_name"]) == ("web", "acme-prod")
    assert [rule["id"] for rule in answer["ingress_rules"]] == ["ru1"]
    assert [rule["id"] for rule in answer["egress_rules"]] == ["ru2"]
    assert answer["attached_vms"] == [{"vm_id": SERVER_ID, "vm_name": "web-1"}]
    assert answer["attached_networks"] == [{"network_id": "n1", "network_name": "net"}]


async def test_single_people(inventory: Inventory) -> None:
    user = await get(inventory, "/users/u1")
    assert (user["user_name"], user["email"], user["domain_name"]) == ("root", "root@acme.example", "acme")
    assert user["role_assignments"][0]["role_name"] == "member"
    role = await get(inventory, "/roles/r1")
    assert role["role_assignments"][0]["user_name"] == "root"


@pytest.mark.parametrize("path", ["/users/x", "/roles/x", "/security-groups/x", "/volumes/x/metadata"])
async def test_unknown_ids(inventory: Inventory, path: str) -> None:
    assert "not found" in (await get(inventory, path, expect=404))["detail"]


async def test_one_id_in_two_clouds_must_be_told_apart(tmp_path: Any) -> None:
    inventory = Inventory(tmp_path, {"user": DOCUMENTS["user"]})
    take_in(inventory.estate, "user", DOCUMENTS["user"], START, "second")
    assert "several clouds (prod, second)" in (await get(inventory, "/users/u1", expect=409))["detail"]
    assert (await get(inventory, "/users/u1", cloud="second"))["cloud"] == "second"
    inventory.close()


async def test_activity_is_what_the_audit_holds(inventory: Inventory) -> None:
    before = {item["user_name"]: item for item in (await get(inventory, "/user-activity-summary"))["items"]}
    assert before["ada"]["last_activity"] is None and before["ada"]["action_count"] == 0
    inventory.audit.record(Caller(name="ada"), "cloud.test", "prod")
    after = {item["user_name"]: item for item in (await get(inventory, "/user-activity-summary"))["items"]}
    assert (after["ada"]["action_count"], after["ada"]["last_action"]) == (1, "cloud.test")
    assert after["ada"]["last_activity"].endswith("Z")


async def test_limits_of_a_role(inventory: Inventory) -> None:
    assert [item["vm_name"] for item in (await get(inventory, "/servers", LIMITED))["items"]] == ["web-2"]
    assert [item["id"] for item in (await get(inventory, "/projects", LIMITED))["items"]] == ["p1"]
    assert (await get(inventory, "/hypervisors", LIMITED))["items"] == []
    assert (await get(inventory, "/flavors", LIMITED))["total"] == 1
    await get(inventory, "/security-groups/sg2", LIMITED, 404)
    technical = Caller(name="t", role="technical", via="embedded")
    assert (await get(inventory, "/users", technical))["total"] == 2


def test_every_documented_field_is_answered() -> None:
    from engine.inventory.documented import fields

    for type in registry.ALL.values():
        assert set(type.documented) <= set(fields(type, False))
