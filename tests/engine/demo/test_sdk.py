"""openstacksdk, as people use it, on the demo's own clouds.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.demo.launch import DemoCloud


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoCloud]:
    cloud = DemoCloud.start(tmp_path_factory.mktemp("cloud"), servers=25, seed="sdk", still=True)
    yield cloud
    cloud.stop()


def connect(path: Path, name: str) -> Any:
    from openstack.config import OpenStackConfig
    from openstack.connection import Connection

    return Connection(config=OpenStackConfig(config_files=[str(path)], load_envvars=False).get_one(name))


LISTS = [
    ("compute", "servers", {"all_projects": True}),
    ("compute", "flavors", {}),
    ("compute", "hypervisors", {"details": True}),
    ("compute", "services", {}),
    ("compute", "aggregates", {}),
    ("compute", "availability_zones", {"details": True}),
    ("compute", "server_groups", {"all_projects": True}),
    ("block_storage", "volumes", {"all_projects": True}),
    ("block_storage", "snapshots", {"all_projects": True}),
    ("block_storage", "types", {}),
    ("block_storage", "services", {}),
    ("block_storage", "backend_pools", {}),
    ("network", "networks", {}),
    ("network", "subnets", {}),
    ("network", "ports", {}),
    ("network", "routers", {}),
    ("network", "ips", {}),
    ("network", "security_groups", {}),
    ("network", "security_group_rules", {}),
    ("network", "agents", {}),
    ("image", "images", {}),
    ("identity", "domains", {}),
    ("identity", "projects", {}),
    ("identity", "users", {}),
    ("identity", "roles", {}),
    ("identity", "role_assignments", {}),
    ("placement", "resource_providers", {}),
]


@pytest.fixture(scope="module")
def admin(demo: DemoCloud) -> Any:
    return connect(demo.clouds_yaml, "demo")


@pytest.mark.parametrize(("service", "name", "given"), LISTS)
def test_lists(admin: Any, service: str, name: str, given: dict[str, Any]) -> None:
    rows = list(getattr(getattr(admin, service), name)(**given))
    assert rows
    if name == "servers":
        assert len(rows) == 25 and all(row.flavor.original_name for row in rows)


def test_a_server_is_made_waited_for_and_removed(admin: Any) -> None:
    flavor = admin.compute.find_flavor("m1.tiny")
    image = admin.image.find_image("cirros-0.6")
    server = admin.compute.create_server(name="sdk", flavor_id=flavor.id, image_id=image.id, networks="none")
    server = admin.compute.wait_for_server(server, interval=0.2, wait=30)
    assert server.status == "ACTIVE" and server.compute_host
    admin.compute.stop_server(server)
    admin.compute.wait_for_server(server, status="SHUTOFF", interval=0.2, wait=30)
    admin.compute.delete_server(server)
    admin.compute.wait_for_delete(server, interval=0.1, wait=30)


def test_a_member_sees_its_own(demo: DemoCloud) -> None:
    from openstack.exceptions import ForbiddenException

    member = connect(demo.clouds_yaml, "demo-member")
    assert list(member.compute.servers())
    with pytest.raises(ForbiddenException, match="get_all_tenants"):
        list(member.compute.servers(all_projects=True))
    assert list(member.network.agents()) == []


def test_a_wrong_password(demo: DemoCloud, tmp_path: Path) -> None:
    from openstack.exceptions import SDKException

    wrong = yaml.safe_load(demo.clouds_yaml.read_text())
    wrong["clouds"]["demo"]["auth"]["password"] = "wrong"
    (tmp_path / "clouds.yaml").write_text(yaml.safe_dump(wrong))
    with pytest.raises(SDKException, match="requires authentication"):
        connect(tmp_path / "clouds.yaml", "demo").authorize()
