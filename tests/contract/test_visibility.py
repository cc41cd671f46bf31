"""Who sees what: refused with 403, or silently filtered with 200."""

from __future__ import annotations

import pytest

from tests.contract.conftest import Cloud
from tests.contract.wire import error_of, rows_of
from tests.live.projects import Project

ROLES = ("admin", "member", "reader", "system")
ADMIN_ONLY = (200, 403, 403, 403)
EVERYBODY = (200, 200, 200, 200)
IDENTITY = (200, 403, 403, 200)
NOT_SYSTEM = (200, 200, 200, 403)

STATUSES = [
    ("compute", "/servers/detail?all_tenants=1", ADMIN_ONLY),
    ("compute", "/servers/detail", NOT_SYSTEM),
    ("compute", "/flavors/detail?is_public=None", EVERYBODY),
    ("compute", "/os-hypervisors/detail", ADMIN_ONLY),
    ("compute", "/os-services", ADMIN_ONLY),
    ("compute", "/os-aggregates", ADMIN_ONLY),
    ("compute", "/os-availability-zone", NOT_SYSTEM),
    ("compute", "/os-availability-zone/detail", ADMIN_ONLY),
    ("compute", "/os-server-groups?all_projects=true", NOT_SYSTEM),
    ("compute", "/os-keypairs", NOT_SYSTEM),
    ("compute", "/limits", NOT_SYSTEM),
    ("network", "/v2.0/ports", EVERYBODY),
    ("network", "/v2.0/agents", EVERYBODY),
    ("network", "/v2.0/networks", EVERYBODY),
    ("image", "/v2/images", NOT_SYSTEM),
    ("placement", "/resource_providers", ADMIN_ONLY),
    ("identity", "/domains", IDENTITY),
    ("identity", "/projects", IDENTITY),
    ("identity", "/users", IDENTITY),
    ("identity", "/roles", IDENTITY),
    ("identity", "/role_assignments?include_names", IDENTITY),
    ("identity", "/services", IDENTITY),
    ("identity", "/endpoints", IDENTITY),
]


@pytest.mark.parametrize(("service", "path", "statuses"), STATUSES)
def test_status_by_role(cloud: Cloud, service: str, path: str, statuses: tuple[int, ...]) -> None:
    found = tuple(cloud.actor(role)(service, path).status_code for role in ROLES)
    assert dict(zip(ROLES, found, strict=True)) == dict(zip(ROLES, statuses, strict=True))


@pytest.mark.parametrize("path", ["/os-services", "/scheduler-stats/get_pools?detail=true"])
def test_volume_services_and_pools_are_for_administrators(cloud: Cloud, path: str) -> None:
    assert len(rows_of(cloud.admin.get("block-storage", path))) >= 1
    assert cloud.member("block-storage", path).status_code == 403
    assert cloud.reader("block-storage", path).status_code == 403


@pytest.mark.parametrize(
    ("service", "path", "message"),
    [
        (
            "compute",
            "/servers/detail?all_tenants=1",
            "Policy doesn't allow os_compute_api:servers:detail:get_all_tenants to be performed.",
        ),
        (
            "compute",
            "/os-hypervisors/detail",
            "Policy doesn't allow os_compute_api:os-hypervisors:list-detail to be performed.",
        ),
        ("block-storage", "/os-services", "Policy doesn't allow volume_extension:services:index to be performed."),
        ("identity", "/users", "You are not authorized to perform the requested action: identity:list_users."),
    ],
)
def test_refusals_name_the_rule(cloud: Cloud, service: str, path: str, message: str) -> None:
    answer = cloud.member(service, path)
    assert answer.status_code == 403
    assert error_of(answer)[1] == message


class TestSilentFilters:
    """A member asks for everything, is answered 200, and gets only what is the project's own."""

    @pytest.mark.parametrize("collection", ["volumes", "snapshots"])
    def test_block_storage_all_tenants(self, cloud: Cloud, tenant: Project, collection: str) -> None:
        volume = tenant.volume()
        own = volume["id"] if collection == "volumes" else tenant.snapshot(volume["id"])["id"]
        path = f"/{collection}/detail?all_tenants=1&limit=1000"
        for actor in (tenant.member, tenant.reader):
            assert [row["id"] for row in actor.get("block-storage", path)[collection]] == [own]
        everything = {row["id"] for row in cloud.admin.get("block-storage", path)[collection]}
        assert own in everything
        assert len(everything) > 1

    def test_network_ports_and_agents(self, cloud: Cloud, tenant: Project) -> None:
        network = tenant.network_id
        seen = tenant.member.get("network", "/v2.0/ports")["ports"]
        assert {port["network_id"] for port in seen} <= {network}
        assert len(cloud.admin.get("network", "/v2.0/ports")["ports"]) > len(seen)
        assert tenant.member.get("network", "/v2.0/agents")["agents"] == []
        assert cloud.admin.get("network", "/v2.0/agents")["agents"]

    def test_system_scope_sees_no_network_at_all(self, cloud: Cloud) -> None:
        for collection in ("networks", "ports", "routers", "agents"):
            assert cloud.system.get("network", f"/v2.0/{collection}")[collection] == []

    def test_system_scope_reads_volumes_without_a_project_in_the_address(self, cloud: Cloud) -> None:
        base = cloud.admin.endpoints["block-storage"].rsplit("/", 1)[0]
        answer = cloud.system("block-storage", f"{base}/volumes/detail?all_tenants=1")
        assert answer.status_code == 200
        assert len(answer.json()["volumes"]) > 1

    def test_server_groups_of_all_projects(self, cloud: Cloud, tenant: Project) -> None:
        path = "/os-server-groups?all_projects=true"
        assert tenant.member.get("compute", path, "2.64")["server_groups"] == []
        assert cloud.admin.get("compute", path, "2.64")["server_groups"]


class TestFieldsByRole:
    """The same row, with more in it for an administrator."""

    def test_server(self, cloud: Cloud, tenant: Project) -> None:
        server = tenant.server()
        path = f"/servers/{server['id']}"
        seen = {
            name: set(actor.get("compute", path, "2.90")["server"])
            for name, actor in (("admin", cloud.admin), ("member", tenant.member), ("reader", tenant.reader))
        }
        assert seen["member"] == seen["reader"]
        hidden = seen["admin"] - seen["member"]
        assert {"OS-EXT-SRV-ATTR:host", "OS-EXT-SRV-ATTR:user_data", "host_status"} <= hidden
        assert all(name.startswith("OS-EXT-SRV-ATTR:") or name == "host_status" for name in hidden)

    def test_volume(self, cloud: Cloud, tenant: Project) -> None:
        path = f"/volumes/{tenant.volume()['id']}"
        admin = set(cloud.admin.get("block-storage", path, "3.60")["volume"])
        member = set(tenant.member.get("block-storage", path, "3.60")["volume"])
        assert {"os-vol-host-attr:host", "os-vol-mig-status-attr:migstat"} <= admin - member
        assert "os-vol-tenant-attr:tenant_id" in member

    def test_network(self, cloud: Cloud, tenant: Project) -> None:
        path = f"/v2.0/networks/{tenant.network_id}"
        hidden = set(cloud.admin.get("network", path)["network"])
        hidden -= set(tenant.member.get("network", path)["network"])
        assert {"provider:network_type", "provider:physical_network", "provider:segmentation_id"} == hidden

    def test_port(self, cloud: Cloud, tenant: Project) -> None:
        made = tenant.create("network", "/v2.0/ports", {"port": {"network_id": tenant.network_id}})["port"]
        path = f"/v2.0/ports/{made['id']}"
        hidden = set(cloud.admin.get("network", path)["port"])
        hidden -= set(tenant.member.get("network", path)["port"])
        assert {"binding:host_id", "binding:profile", "binding:vif_details", "binding:vif_type"} <= hidden


class TestOthersThings:
    """What belongs to another project is not found, not forbidden."""

    @pytest.mark.parametrize(
        ("service", "listing", "one"),
        [
            ("compute", "/servers?all_tenants=1&limit=1", "/servers/"),
            ("block-storage", "/volumes?all_tenants=1&limit=1", "/volumes/"),
            ("network", "/v2.0/routers?limit=1", "/v2.0/routers/"),
        ],
    )
    def test_not_found(self, cloud: Cloud, tenant: Project, service: str, listing: str, one: str) -> None:
        foreign = rows_of(cloud.admin.get(service, listing))[0]["id"]
        answer = tenant.member(service, one + foreign)
        assert answer.status_code == 404
        assert "could not be found" in error_of(answer)[1]

    def test_volumes_below_another_project_are_a_malformed_address(self, cloud: Cloud, tenant: Project) -> None:
        answer = tenant.member("block-storage", cloud.admin.endpoints["block-storage"] + "/volumes/detail")
        assert answer.status_code == 400
        assert error_of(answer) == ("badRequest", "Malformed request url")

    def test_a_reader_changes_nothing(self, tenant: Project) -> None:
        volume = tenant.volume()
        answer = tenant.reader("block-storage", f"/volumes/{volume['id']}", "DELETE")
        assert answer.status_code == 403
        assert error_of(answer)[1] == "Policy doesn't allow volume:delete to be performed."
        made = tenant.reader("block-storage", "/volumes", "POST", json={"volume": {"size": 1}})
        assert made.status_code == 403
        network = tenant.reader("network", "/v2.0/networks", "POST", json={"network": {"name": "x"}})
        assert network.status_code == 403
