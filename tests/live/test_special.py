"""The lab has one of every odd thing that restores and snapshot policies must cope with, as the services tell it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.wire import Actor, rows_of
from tests.lab import company, places
from tests.live.lab_cloud import LabCloud
from tests.live.projects import COMPUTE, STORAGE

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def looker(lab: LabCloud) -> Actor:
    return lab.actor("lab-admin")


@pytest.fixture(scope="module")
def servers(looker: Actor) -> dict[str, dict[str, Any]]:
    rows = rows_of(looker.get("compute", "/servers/detail?all_tenants=1&limit=1000", COMPUTE))
    return {row["name"]: row for row in rows}


def ports_of(looker: Actor, server: dict[str, Any]) -> list[dict[str, Any]]:
    return rows_of(looker.get("network", f"/v2.0/ports?device_id={server['id']}"))


def project_id(looker: Actor, name: str) -> str:
    (found,) = (row["id"] for row in rows_of(looker.get("identity", f"/projects?name={name}")))
    return str(found)


def test_ports_of_every_kind(looker: Actor, servers: dict[str, dict[str, Any]]) -> None:
    ports = ports_of(looker, servers["plant-scada-router-01"])
    assert len(ports) == 2 and {len(port["fixed_ips"]) for port in ports} == {3, 1}
    several = next(port for port in ports if len(port["fixed_ips"]) == 3)
    assert sum(":" in item["ip_address"] for item in several["fixed_ips"]) == 1
    assert {port["port_security_enabled"] for port in ports} == {True, False}
    trunks = rows_of(looker.get("network", "/v2.0/trunks"))
    (sub,) = (trunk["sub_ports"] for trunk in trunks if trunk["port_id"] in {port["id"] for port in ports})
    assert [item["segmentation_id"] for item in sub] == [101]
    (chosen,) = ports_of(looker, servers["plant-scada-historian-01"])
    assert len(chosen["allowed_address_pairs"]) == 2 and chosen["mac_address"].endswith(":00:77")
    assert set(chosen["tags"]) == {"front", "historian"} and chosen["description"]
    (guest,) = ports_of(looker, servers["plant-guest-kiosk-01"])
    network = looker.get("network", f"/v2.0/networks/{guest['network_id']}")["network"]
    assert network["shared"] and network["project_id"] != guest["project_id"]


def test_machines_that_are_hard_to_make_again(looker: Actor, servers: dict[str, dict[str, Any]]) -> None:
    historian = servers["plant-scada-historian-01"]
    assert len(historian["OS-EXT-SRV-ATTR:user_data"]) > 60_000
    assert historian["config_drive"] and historian["key_name"] == "plant-scada-key"
    volumes = historian["os-extended-volumes:volumes_attached"]
    assert len(volumes) == 3 and all(item["delete_on_termination"] for item in volumes)
    assert servers["research-bio-app-02"]["locked"]
    pinned = servers["plant-scada-cluster-01"]
    assert pinned["OS-EXT-SRV-ATTR:host"] == places.COMPUTES[2]
    stranded = servers[company.STRANDED_SERVER]
    assert stranded["OS-EXT-SRV-ATTR:host"] == places.COMPUTES[-1]
    down = [row["host"] for row in rows_of(looker.get("compute", "/os-services", COMPUTE)) if row["forced_down"]]
    assert down == [stranded["OS-EXT-SRV-ATTR:host"]]
    old = servers[company.RETIRED_SERVER]
    known = {row["name"] for row in rows_of(looker.get("compute", "/flavors/detail?is_public=None"))}
    assert old["flavor"]["original_name"] == company.RETIRED_FLAVOR not in known
    assert looker.get("image", f"/v2/images/{old['image']['id']}")["status"] == "deactivated"
    uefi = looker.get("image", f"/v2/images/{servers['plant-scada-uefi-01']['image']['id']}")
    assert uefi["hw_firmware_type"] == "uefi"


def test_a_group_with_a_member_on_every_host(looker: Actor, servers: dict[str, dict[str, Any]]) -> None:
    groups = rows_of(looker.get("compute", "/os-server-groups?all_projects=true", COMPUTE))
    (apart,) = (group for group in groups if group["name"] == "plant-scada-apart")
    hosts = {row["OS-EXT-SRV-ATTR:host"] for row in servers.values() if row["id"] in apart["members"]}
    assert apart["policy"] == "anti-affinity" and hosts == set(places.COMPUTES[:-1])


def test_volumes_and_snapshots(looker: Actor) -> None:
    volumes = rows_of(looker.get("block-storage", "/volumes/detail?all_tenants=1&limit=1000", STORAGE))
    by_name = {row["name"]: row for row in volumes}
    assert by_name["plant-scada-quorum"]["multiattach"] and len(by_name["plant-scada-quorum"]["attachments"]) == 2
    assert by_name["plant-scada-ledger-1"]["group_id"] == by_name["plant-scada-ledger-2"]["group_id"] is not None
    frozen = by_name["plant-scada-historian-01-root"]["volume_image_metadata"]
    assert (frozen["hw_qemu_guest_agent"], frozen["os_require_quiesce"]) == ("yes", "yes")
    assert by_name["retail-pay-db-01-root"]["metadata"]["snapshot_policies"] == "daily_5,monthly_1st"
    snapshots = rows_of(looker.get("block-storage", "/snapshots/detail?all_tenants=1&limit=1000", STORAGE))
    made = [row for row in snapshots if row["metadata"].get("created_by") == "p9_auto_snapshots"]
    assert by_name["retail-pay-db-01-root"]["id"] in {row["volume_id"] for row in made}


def test_machines_that_can_come_back_from_elsewhere(looker: Actor, servers: dict[str, dict[str, Any]]) -> None:
    backups = rows_of(looker.get("block-storage", "/backups/detail?all_tenants=1&limit=1000", STORAGE))
    saved = {row["volume_id"] for row in backups if row["status"] == "available"}
    attached = servers[company.BACKED_UP_SERVER]["os-extended-volumes:volumes_attached"]
    assert {item["id"] for item in attached} <= saved
    (image,) = rows_of(looker.get("image", f"/v2/images?name={company.IMAGED_SERVER}-weekly"))
    assert (image["status"], image["instance_uuid"]) == ("active", servers[company.IMAGED_SERVER]["id"])
    assert image["hw_firmware_type"] == "uefi"


def test_a_project_at_its_limits(looker: Actor) -> None:
    full = project_id(looker, company.FULL)
    quota = looker.get("block-storage", f"/os-quota-sets/{full}?usage=true")["quota_set"]
    for name in ("volumes", "snapshots", "gigabytes", "snapshots_premium", "gigabytes_premium"):
        assert quota[name]["limit"] == quota[name]["in_use"] > 0, name
    quota = looker.get("compute", f"/os-quota-sets/{full}/detail", COMPUTE)["quota_set"]
    assert quota["instances"]["limit"] == quota["instances"]["in_use"] == 1
    (tight,) = rows_of(looker.get("network", "/v2.0/subnets?name=plant-full-tight-v4"))
    (pool,) = tight["allocation_pools"]
    taken = rows_of(looker.get("network", f"/v2.0/ports?network_id={tight['network_id']}"))
    assert pool["start"] == pool["end"] == taken[0]["fixed_ips"][0]["ip_address"]


def test_the_administrator_has_no_role_in_one_project(looker: Actor) -> None:
    closed, user = project_id(looker, company.CLOSED), looker.token["user"]["id"]
    assigned = looker.get("identity", f"/role_assignments?user.id={user}&scope.project.id={closed}&effective")
    assert assigned["role_assignments"] == []
    assert {row["name"] for row in rows_of(looker.get("identity", f"/users?name={company.CLOSED}-member"))}
