"""A machine made of volumes and ports that are there: what it keeps, what is refused, what stays when it goes."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.contract.conftest import Cloud
from tests.contract.restoring import (
    COMPUTE,
    STORAGE,
    boot,
    booted,
    disk,
    gone,
    image_of,
    port_now,
    port_of,
    refused,
    root_of,
    show,
    volume_is,
)
from tests.contract.wire import wait_for
from tests.live.projects import Project

NOWHERE = "00000000-0000-4000-8000-000000000000"
USER_DATA = base64.b64encode(b"#cloud-config\n").decode()


def test_it_is_what_was_asked_for(cloud: Cloud, tenant: Project) -> None:
    root, data = root_of(tenant), tenant.volume("data")
    ports = [port_of(tenant, name="first"), port_of(tenant)]
    server = booted(
        tenant, "web",
        networks=[{"port": ports[0]["id"], "tag": "front"}, {"port": ports[1]["id"]}],
        block_device_mapping_v2=[
            disk(root, 0, tag="system"), disk(data, delete_on_termination=True, tag="data"),
        ],
        user_data=USER_DATA, config_drive=True, hostname="web-host", description="restored", tags=["a", "b"],
        metadata={"k": "v"},
    )  # fmt: skip
    seen = show(cloud.admin, server["id"])
    assert (seen["tenant_id"], seen["user_id"], seen["image"]) == (tenant.id, tenant.users["member"], "")
    assert (seen["OS-EXT-SRV-ATTR:hostname"], seen["OS-EXT-SRV-ATTR:user_data"]) == ("web-host", USER_DATA)
    assert (seen["description"], seen["tags"], seen["metadata"]) == ("restored", ["a", "b"], {"k": "v"})
    assert (seen["config_drive"], seen["pinned_availability_zone"], seen["host_status"]) == ("True", None, "UP")
    assert [row["delete_on_termination"] for row in seen["os-extended-volumes:volumes_attached"]] == [False, True]
    rows = tenant.member.get("compute", f"/servers/{server['id']}/os-volume_attachments", COMPUTE)["volumeAttachments"]
    assert [(row["volumeId"], row["tag"]) for row in rows] == [(root["id"], "system"), (data["id"], "data")]
    cards = tenant.member.get("compute", f"/servers/{server['id']}/os-interface", COMPUTE)["interfaceAttachments"]
    assert {row["port_id"]: row["tag"] for row in cards} == {ports[0]["id"]: "front", ports[1]["id"]: None}
    port = port_now(tenant, ports[0]["id"])
    assert (port["device_id"], port["status"], port["mac_address"]) == (server["id"], "ACTIVE", ports[0]["mac_address"])
    assert port["binding:host_id"] == seen["OS-EXT-SRV-ATTR:host"]
    told = {row["addr"] for rows in seen["addresses"].values() for row in rows}
    assert told == {port["fixed_ips"][0]["ip_address"] for port in ports}
    assert volume_is(tenant, data["id"], "in-use")["attachments"][0]["server_id"] == server["id"]


def test_given_ports_and_volumes_stay_and_others_go(tenant: Project) -> None:
    root, data, port = root_of(tenant), tenant.volume("data"), port_of(tenant, description="mine")
    server = booted(
        tenant, networks=[{"port": port["id"]}, {"uuid": tenant.network_id}],
        block_device_mapping_v2=[disk(root, 0), disk(data, delete_on_termination=True)],
    )  # fmt: skip
    cards = tenant.member.get("compute", f"/servers/{server['id']}/os-interface", COMPUTE)["interfaceAttachments"]
    (made,) = {row["port_id"] for row in cards} - {port["id"]}
    gone(tenant, server["id"])
    left = wait_for(lambda: port_now(tenant, port["id"]), lambda now: now["device_id"] == "")
    assert (left["status"], left["binding:host_id"], left["device_owner"]) == ("DOWN", "", "")
    assert (left["mac_address"], left["fixed_ips"]) == (port["mac_address"], port["fixed_ips"])
    wait_for(lambda: tenant.admin("network", f"/v2.0/ports/{made}").status_code, lambda now: now == 404)
    volume_is(tenant, root["id"], "available")
    path = f"/volumes/{data['id']}"
    wait_for(lambda: tenant.admin("block-storage", path, version=STORAGE).status_code, lambda now: now == 404)


def test_an_image_and_a_volume_beside_it(tenant: Project) -> None:
    """As soon as a volume is named, the local disk has to be named too."""
    data, image = tenant.volume("data"), image_of(tenant)
    words = "Boot sequence for the instance and image/block device mapping combination is not valid."
    found = refused(boot(tenant, block_device_mapping_v2=[disk(data)]))
    assert found == (400, f"Block Device Mapping is Invalid: {words}")
    local = {"boot_index": 0, "uuid": image["id"], "source_type": "image", "destination_type": "local"}
    mapping = [{**local, "delete_on_termination": True}, disk(data)]
    server = booted(tenant, imageRef=image["id"], block_device_mapping_v2=mapping)
    assert server["image"]["id"] == image["id"]
    assert [row["id"] for row in server["os-extended-volumes:volumes_attached"]] == [data["id"]]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"key_name": "nobodys"}, 400, "Invalid key_name provided."),
        ({"availability_zone": "nowhere"}, 400, "The requested availability zone is not available"),
        ({"networks": [{"port": NOWHERE}]}, 400, f"Port id {NOWHERE} could not be found."),
        ({"hints": {"group": NOWHERE}}, 400, f"Instance group {NOWHERE} could not be found."),
        (
            {"block_device_mapping_v2": [disk({"id": NOWHERE}, 0)]},
            400,
            f"Block Device Mapping is Invalid: failed to get volume {NOWHERE}.",
        ),
        (
            {"networks": [{"port": NOWHERE, "fixed_ip": "10.99.0.9"}]},
            400,
            f"Specified Fixed IP '10.99.0.9' cannot be used with port '{NOWHERE}': the two cannot be specified "
            "together.",
        ),
    ],
)
def test_what_is_not_there_is_refused(tenant: Project, body: dict[str, Any], status: int, words: str) -> None:
    assert refused(boot(tenant, **body)) == (status, words)


def test_a_volume_or_a_port_that_is_in_use_is_refused(tenant: Project) -> None:
    root, port = root_of(tenant), port_of(tenant)
    booted(tenant, networks=[{"port": port["id"]}], block_device_mapping_v2=[disk(root, 0)])
    status, words = refused(boot(tenant, block_device_mapping_v2=[disk(root, 0)]))
    assert status == 400 and "status must be available or downloading to reserve" in words
    assert refused(boot(tenant, networks=[{"port": port["id"]}])) == (409, f"Port {port['id']} is still in use.")


def test_a_volume_that_does_not_boot_is_refused(tenant: Project) -> None:
    data = tenant.volume("data")
    status, words = refused(boot(tenant, block_device_mapping_v2=[disk(data, 0)]))
    assert (status, words) == (400, f"Block Device {data['id']} is not bootable.")


def test_somebody_elses_port_is_found_out_too_late(cloud: Cloud, tenant: Project) -> None:
    """Accepted, and then in ERROR: the owner of the network sees ports of others there."""
    foreign = port_of(tenant, cloud.admin)
    assert foreign["project_id"] != tenant.id
    server = booted(tenant, status="ERROR", networks=[{"port": foreign["id"]}])
    assert f"Port {foreign['id']} not usable for instance {server['id']}" in server["fault"]["message"]
    assert cloud.admin("network", f"/v2.0/ports/{foreign['id']}", "DELETE").status_code == 204


def test_no_room_is_said_at_once(cloud: Cloud, tenant: Project) -> None:
    path, body = f"/os-quota-sets/{tenant.id}", {"quota_set": {"instances": 0}}
    assert cloud.admin("compute", path, "PUT", version=COMPUTE, json=body).status_code == 200
    status, words = refused(boot(tenant))
    assert status == 403 and words.startswith("Quota exceeded for instances: Requested 1, but already used 0 of 0")
    assert tenant.member("compute", path, "PUT", version=COMPUTE, json=body).status_code == 403


def test_a_zone_is_pinned_by_asking_for_it(tenant: Project) -> None:
    # The default zone is no aggregate: a machine that asks for it may run in any zone.
    zones = tenant.member.get("compute", "/os-availability-zone")["availabilityZoneInfo"]
    zone = "zone-b" if any(one["zoneName"] == "zone-b" for one in zones) else "nova"
    server = booted(tenant, availability_zone=zone)
    assert (server["pinned_availability_zone"], server["OS-EXT-AZ:availability_zone"]) == (zone, zone)


def test_what_came_later_is_refused_before(tenant: Project) -> None:
    body = {"name": "x", "imageRef": NOWHERE, "flavorRef": "1", "networks": "none", "hostname": "x"}
    answer = tenant.member("compute", "/servers", "POST", version="2.89", json={"server": body})
    assert answer.status_code == 400 and "('hostname' was unexpected)" in answer.text
