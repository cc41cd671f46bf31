"""Quota with usage, per project, in the three services' own ways."""

from __future__ import annotations

import pytest

from tests.contract.conftest import Cloud
from tests.live.projects import COMPUTE, Project

PATHS = {
    "compute": "/os-quota-sets/{id}/detail",
    "block-storage": "/os-quota-sets/{id}?usage=true",
    "network": "/v2.0/quotas/{id}/details.json",
}


def quota(cloud: Cloud, service: str, tenant: Project) -> dict[str, dict[str, int]]:
    """The quota document of the project, as the administrator reads it."""
    version = COMPUTE if service == "compute" else None
    document = cloud.admin.get(service, PATHS[service].format(id=tenant.id), version)
    return dict(document["quota" if service == "network" else "quota_set"])


def test_compute_counts_what_runs(cloud: Cloud, tenant: Project) -> None:
    assert quota(cloud, "compute", tenant)["instances"] == {"limit": 10, "in_use": 0, "reserved": 0}
    server = tenant.server()
    used = quota(cloud, "compute", tenant)
    assert used["instances"]["in_use"] == 1
    assert used["cores"]["in_use"] == server["flavor"]["vcpus"]
    assert used["ram"]["in_use"] == server["flavor"]["ram"]


def test_block_storage_counts_gigabytes_of_volumes_and_snapshots(cloud: Cloud, tenant: Project) -> None:
    volume = tenant.volume(size=2)
    tenant.snapshot(volume["id"])
    used = quota(cloud, "block-storage", tenant)
    assert {"limit", "in_use", "reserved", "allocated"} >= set(used["volumes"]) >= {"limit", "in_use", "reserved"}
    assert (used["volumes"]["in_use"], used["snapshots"]["in_use"]) == (1, 1)
    assert used["gigabytes"]["in_use"] == 4
    of_type = f"gigabytes_{volume['volume_type']}"
    assert used[of_type]["in_use"] == 4
    assert used[of_type]["limit"] == -1


def test_network_counts_with_other_words(cloud: Cloud, tenant: Project) -> None:
    assert tenant.network_id
    used = quota(cloud, "network", tenant)
    assert set(used["network"]) == {"limit", "used", "reserved"}
    assert (used["network"]["used"], used["subnet"]["used"]) == (1, 1)
    assert {"port", "router", "floatingip", "security_group", "security_group_rule"} <= set(used)


@pytest.mark.parametrize("service", ["compute", "block-storage", "network"])
def test_a_member_reads_its_own_quota_and_no_other(cloud: Cloud, tenant: Project, service: str) -> None:
    own = tenant.member(service, PATHS[service].format(id=tenant.id))
    assert own.status_code == 200
    other = tenant.member(service, PATHS[service].format(id=cloud.admin.project_id))
    assert other.status_code == 403
