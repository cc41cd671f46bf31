"""Glance and Placement."""

from __future__ import annotations

import pytest

from tests.engine.demo.harness import Wire


@pytest.mark.parametrize(
    ("query", "roles"),
    [
        ("", {"admin": 200, "member": 200, "reader": 200, "system": 403}),
        ("?visibility=zzz", {"admin": 400}),
        ("?sort_key=zzz", {"admin": 400}),
        ("?updated_at=gte:yesterday", {"admin": 400}),
        ("?limit=abc", {"admin": 400}),
    ],
)
def test_images(wire: Wire, query: str, roles: dict[str, int]) -> None:
    assert {role: wire("image", f"/v2/images{query}", role).status for role in roles} == roles


def test_members_see_public_and_their_own(wire: Wire) -> None:
    project = wire.token("member").project_id
    mine = wire.rows("image", "/v2/images", "images", "member")
    assert all(row["visibility"] == "public" or row["owner"] == project for row in mine)
    everything = wire.rows("image", "/v2/images", "images")
    assert len(everything) > len(mine)
    other = next(row["id"] for row in everything if row["visibility"] == "private" and row["owner"] != project)
    answer = wire("image", f"/v2/images/{other}", "member")
    assert answer.json["message"] == f"No image found with ID {other}<br /><br />\n\n\n"


def test_properties_stand_at_the_top(wire: Wire) -> None:
    (row,) = wire("image", "/v2/images?os_distro=windows").json["images"]
    assert (row["name"], row["os_version"], row["hw_qemu_guest_agent"]) == ("windows-2022", "2022", "yes")
    hidden = wire("image", "/v2/images?os_hidden=true").json["images"]
    assert [row["name"] for row in hidden] == ["centos-7-legacy"]


def test_an_image_is_made_and_removed(own: Wire) -> None:
    assert own("image", "/v2/images", "reader", "POST", {"name": "x"}).status == 403
    assert own("image", "/v2/images", "member", "POST", {"name": "x", "visibility": "public"}).status == 403
    assert own("image", "/v2/images", "member", "POST", {"zzz": {"a": 1}}).status == 400
    made = own("image", "/v2/images", "member", "POST", {"name": "x", "os_distro": "arch"}).json
    assert (made["status"], made["size"], made["os_distro"]) == ("queued", None, "arch")
    assert own("image", f"/v2/images/{made['id']}", "member", "DELETE").status == 204
    protected = next(row for row in own.cloud.state.images if row.protected)
    assert own("image", f"/v2/images/{protected.id}", method="DELETE").status == 403


def test_refusal_without_a_token_is_a_page(wire: Wire) -> None:
    answer = wire("image", "/v2/images", None)
    assert answer.status == 401 and b"401 Unauthorized" in answer.response.body


def test_providers_have_what_the_hosts_have(wire: Wire) -> None:
    rows = wire("placement", "/resource_providers").json["resource_providers"]
    assert len(rows) == len(wire.cloud.state.hosts)
    for row in rows:
        host = next(found for found in wire.cloud.state.hosts if found.provider_id == row["uuid"])
        path = f"/resource_providers/{row['uuid']}"
        assert wire("placement", f"{path}/inventories").json["inventories"]["VCPU"]["total"] == host.vcpus
        usages = wire("placement", f"{path}/usages").json["usages"]
        allocations = wire("placement", f"{path}/allocations").json["allocations"]
        for name in ("VCPU", "MEMORY_MB", "DISK_GB"):
            assert usages[name] == sum(held["resources"].get(name, 0) for held in allocations.values())


@pytest.mark.parametrize(
    ("version", "status", "fields"),
    [
        ("1.0", 200, {"uuid", "name", "generation", "links"}),
        ("1.14", 200, {"uuid", "name", "generation", "links", "parent_provider_uuid", "root_provider_uuid"}),
        ("1.40", 406, set()),
        ("abc", 400, set()),
    ],
)
def test_placement_versions(wire: Wire, version: str, status: int, fields: set[str]) -> None:
    answer = wire("placement", "/resource_providers", OpenStack_API_Version=f"placement {version}")
    assert answer.status == status
    if fields:
        assert set(answer.json["resource_providers"][0]) == fields
    if status == 406:
        assert answer.json["errors"][0]["max_version"] == "1.39"


def test_placement_is_for_administrators(wire: Wire) -> None:
    assert [wire("placement", "/resource_providers", role).status for role in ("member", "reader", "system")] == [
        403
    ] * 3
    assert wire("placement", "/resource_providers/nope").status == 404
    assert wire("placement", "/nothing").status == 404
