"""What a microversion adds, takes away, and how a wrong one is refused."""

from __future__ import annotations

import pytest

from tests.contract.conftest import Cloud
from tests.contract.wire import error_of, rows_of

SERVERS = "/servers/detail?all_tenants=1&limit=1"
HYPERVISORS = "/os-hypervisors/detail"
FLAVORS = "/flavors/detail?limit=1"
VOLUMES = "/volumes/detail?all_tenants=1&limit=1"
SNAPSHOTS = "/snapshots/detail?all_tenants=1&limit=1"
CAPACITY = "vcpus vcpus_used memory_mb memory_mb_used local_gb local_gb_used running_vms free_disk_gb cpu_info"


@pytest.mark.parametrize(
    ("service", "path", "version", "present", "absent"),
    [
        ("compute", SERVERS, "2.1", "tenant_id OS-EXT-SRV-ATTR:host key_name", "OS-EXT-SRV-ATTR:user_data"),
        ("compute", SERVERS, "2.3", "OS-EXT-SRV-ATTR:user_data OS-EXT-SRV-ATTR:hostname", "locked"),
        ("compute", SERVERS, "2.9", "locked", "host_status description"),
        ("compute", SERVERS, "2.16", "host_status", "description"),
        ("compute", SERVERS, "2.19", "description", "tags"),
        ("compute", SERVERS, "2.26", "tags", "trusted_image_certificates"),
        ("compute", SERVERS, "2.63", "trusted_image_certificates", "locked_reason"),
        ("compute", SERVERS, "2.73", "locked_reason", "pinned_availability_zone"),
        ("compute", SERVERS, "2.90", "locked_reason tags host_status", "pinned_availability_zone"),
        ("compute", FLAVORS, "2.54", "vcpus ram disk swap", "description extra_specs"),
        ("compute", FLAVORS, "2.55", "description", "extra_specs"),
        ("compute", FLAVORS, "2.61", "description extra_specs", ""),
        ("compute", HYPERVISORS, "2.87", CAPACITY, "uptime"),
        ("compute", HYPERVISORS, "2.88", "uptime state status service", CAPACITY),
        ("block-storage", VOLUMES, "3.0", "os-vol-host-attr:host bootable", "group_id service_uuid"),
        ("block-storage", VOLUMES, "3.27", "group_id provider_id", "shared_targets"),
        ("block-storage", VOLUMES, "3.60", "service_uuid shared_targets", "volume_type_id cluster_name"),
        ("block-storage", SNAPSHOTS, "3.0", "os-extended-snapshot-attributes:project_id", "user_id"),
        ("block-storage", SNAPSHOTS, "3.60", "user_id group_snapshot_id", "consumes_quota"),
    ],
)
def test_fields_by_version(cloud: Cloud, service: str, path: str, version: str, present: str, absent: str) -> None:
    row = rows_of(cloud.admin.get(service, path, version))[0]
    assert set(present.split()) <= set(row)
    assert not set(absent.split()) & set(row)


def test_flavor_is_embedded_without_an_id_from_2_47(cloud: Cloud) -> None:
    before = rows_of(cloud.admin.get("compute", SERVERS, "2.46"))[0]["flavor"]
    after = rows_of(cloud.admin.get("compute", SERVERS, "2.47"))[0]["flavor"]
    assert set(before) == {"id", "links"}
    assert {"vcpus", "ram", "disk", "ephemeral", "swap", "original_name", "extra_specs"} == set(after)


def test_hypervisor_ids_are_uuids_from_2_53(cloud: Cloud) -> None:
    assert isinstance(rows_of(cloud.admin.get("compute", HYPERVISORS, "2.52"))[0]["id"], int)
    row = rows_of(cloud.admin.get("compute", HYPERVISORS, "2.53"))[0]
    assert len(row["id"]) == 36
    assert len(row["service"]["id"]) == 36


def test_without_a_version_the_lowest_one_answers(cloud: Cloud) -> None:
    answer = cloud.admin("compute", SERVERS)
    assert "OS-EXT-SRV-ATTR:user_data" not in rows_of(answer.json())[0]
    assert answer.headers["OpenStack-API-Version"] == "compute 2.1"


@pytest.mark.parametrize(
    ("service", "path", "version", "header"),
    [("compute", SERVERS, "2.90", "compute 2.90"), ("block-storage", VOLUMES, "3.60", "volume 3.60")],
)
def test_the_answer_names_its_version(cloud: Cloud, service: str, path: str, version: str, header: str) -> None:
    answer = cloud.admin(service, path, version=version)
    assert answer.headers["OpenStack-API-Version"] == header
    assert "OpenStack-API-Version" in answer.headers["Vary"]
    assert answer.headers["X-OpenStack-Request-Id"].startswith("req-")


def test_compute_still_knows_its_old_header(cloud: Cloud) -> None:
    answer = cloud.admin("compute", SERVERS, headers={"X-OpenStack-Nova-API-Version": "2.26"})
    assert answer.headers["X-OpenStack-Nova-API-Version"] == "2.26"
    assert "tags" in rows_of(answer.json())[0]


@pytest.mark.parametrize("service", ["compute", "block-storage"])
def test_latest_is_the_highest(cloud: Cloud, service: str) -> None:
    path = SERVERS if service == "compute" else VOLUMES
    answer = cloud.admin(service, path, version="latest")
    assert answer.status_code == 200
    major, minor = answer.headers["OpenStack-API-Version"].split()[1].split(".")
    assert (int(major), int(minor)) >= ((2, 90) if service == "compute" else (3, 60))


@pytest.mark.parametrize(
    ("service", "path", "version", "status", "message"),
    [
        ("compute", SERVERS, "2.999", 406, "Version 2.999 is not supported by the API. Minimum is 2.1 and"),
        ("compute", SERVERS, "1.9", 406, "Version 1.9 is not supported by the API. Minimum is 2.1 and"),
        ("compute", SERVERS, "abc", 400, "API Version String abc is of invalid format. Must be of format"),
        ("block-storage", VOLUMES, "3.999", 406, "Version 3.999 is not supported by the API. Minimum is 3.0"),
        ("block-storage", VOLUMES, "abc", 400, "API Version String abc is of invalid format. Must be of for"),
        ("placement", "/resource_providers", "1.999", 406, "Unacceptable version header: 1.999"),
        ("placement", "/resource_providers", "abc", 400, "invalid version string: abc"),
    ],
)
def test_wrong_versions(cloud: Cloud, service: str, path: str, version: str, status: int, message: str) -> None:
    answer = cloud.admin(service, path, version=version)
    assert answer.status_code == status
    assert message in error_of(answer)[1]
