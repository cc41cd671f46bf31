"""A small estate with the inventory's routes over it, filled by real listings of documents as services give them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from engine.access.models import Caller
from engine.access.service import CALLER, AccessService
from engine.api import errors
from engine.api.changes import ChangeFeed
from engine.audit.service import AuditService
from engine.inventory.reads import InventoryReads
from engine.inventory.routes import routes
from engine.settings.loading import Loaded
from store.estate.estate import Estate
from store.estate.models import Listing
from store.estate.visibility import Visibility
from store.ids import uuid7
from store.ops.ops import Ops
from store.types import registry
from tests.engine.api.furniture import ADMIN, client

START = datetime(2026, 11, 20, 10, tzinfo=UTC)
SEEN = Visibility("http://keystone", "u-admin", "project:admin", ("admin",), True)


def server(number: int, **more: Any) -> dict[str, Any]:
    """A server as Nova answers an administrator."""
    return {
        "id": f"5e000000-0000-4000-8000-{number:012d}",
        "name": f"web-{number}",
        "status": "ACTIVE",
        "tenant_id": f"p{number % 2 + 1}",
        "user_id": "u1",
        "created": "2026-11-01T00:00:00Z",
        "flavor": {"original_name": "m1.small", "vcpus": 2, "ram": 2048, "disk": 20, "ephemeral": 0, "swap": 0},
        "image": {"id": "img-1"},
        "addresses": {"net": [{"addr": f"10.0.0.{number}", "OS-EXT-IPS:type": "fixed"}]},
        "os-extended-volumes:volumes_attached": [],
        "OS-EXT-SRV-ATTR:hypervisor_hostname": "cmp-1",
        "OS-EXT-SRV-ATTR:host": "cmp-1",
        "OS-EXT-SRV-ATTR:instance_name": f"instance-{number}",
        "OS-EXT-SRV-ATTR:user_data": None,
        "OS-EXT-STS:power_state": 1,
        "host_status": "UP",
        "metadata": {},
        **more,
    }


FROM_VOLUME = {
    "image": "",
    "flavor": {"original_name": "v1", "vcpus": 4, "ram": 4096, "disk": 0, "ephemeral": 5, "swap": 0},
    "os-extended-volumes:volumes_attached": [{"id": "v1"}, {"id": "v2"}],
}
FLOATING = {
    "addresses": {
        "net": [
            {"addr": "10.0.0.2", "OS-EXT-IPS:type": "fixed"},
            {"addr": "203.0.113.2", "OS-EXT-IPS:type": "floating"},
        ]
    }
}
SERVER_ID = server(1)["id"]
VOLUME_TENANT = "os-vol-tenant-attr:tenant_id"
DOCUMENTS: dict[str, list[dict[str, Any]]] = {
    "domain": [{"id": "d1", "name": "acme", "enabled": True}, {"id": "d2", "name": "labs", "enabled": False}],
    "project": [
        {"id": "p1", "name": "acme-prod", "domain_id": "d1", "enabled": True, "is_domain": False},
        {"id": "p2", "name": "labs-dev", "domain_id": "d2", "enabled": True, "is_domain": False},
    ],
    "user": [
        {"id": "u1", "name": "root", "domain_id": "d1", "enabled": True, "email": "root@acme.example"},
        {"id": "u2", "name": "ada", "domain_id": "d2", "enabled": False},
    ],
    "role": [{"id": "r1", "name": "member", "domain_id": None}],
    "role_assignment": [
        {
            "role": {"id": "r1", "name": "member"},
            "user": {"id": "u1", "name": "root", "domain": {"id": "d1", "name": "acme"}},
            "scope": {"project": {"id": "p1", "name": "acme-prod", "domain": {"id": "d1", "name": "acme"}}},
        }
    ],
    "server": [
        server(1),
        server(2, **FROM_VOLUME, **FLOATING),
        server(3, status="SHUTOFF", **{"OS-EXT-STS:power_state": 4}),
    ],
    "image": [{"id": "img-1", "name": "debian-12", "visibility": "public", "status": "active", "owner": "p1"}],
    "flavor": [
        {"id": "f1", "name": "m1.small", "vcpus": 2, "ram": 2048, "disk": 20, "os-flavor-access:is_public": True}
    ],
    "hypervisor": [
        {
            "id": "h1",
            "hypervisor_hostname": "cmp-1",
            "state": "up",
            "status": "enabled",
            "vcpus": 64,
            "vcpus_used": 8,
            "memory_mb": 262144,
            "memory_mb_used": 9000,
            "local_gb": 8000,
            "local_gb_used": 45,
            "running_vms": 3,
            "service": {"host": "cmp-1", "disabled_reason": None},
        }
    ],
    "volume": [
        {
            "id": "v1",
            "name": "root",
            "status": "in-use",
            "size": 40,
            VOLUME_TENANT: "p1",
            "bootable": "true",
            "volume_image_metadata": {"image_id": "img-1", "image_name": "debian-12"},
            "attachments": [{"server_id": server(2)["id"], "device": "/dev/vda"}],
            "metadata": {"auto_snapshot": "true", "retention_daily": "7", "note": "x=y"},
            "os-vol-host-attr:host": "h@b#p",
        },
        {
            "id": "v2",
            "name": "data",
            "status": "in-use",
            "size": 100,
            VOLUME_TENANT: "p1",
            "attachments": [{"server_id": server(2)["id"], "device": "/dev/vdb"}],
            "metadata": {},
            "os-vol-host-attr:host": "h@b#p",
        },
        {
            "id": "v3",
            "name": "spare",
            "status": "available",
            "size": 5,
            VOLUME_TENANT: "p2",
            "attachments": [],
            "metadata": {},
            "os-vol-host-attr:host": "h@b#p",
        },
    ],
    "snapshot": [
        {
            "id": "s1",
            "name": "nightly",
            "status": "available",
            "size": 40,
            "volume_id": "v1",
            "os-extended-snapshot-attributes:project_id": "p1",
        }
    ],
    "network": [
        {"id": "n1", "name": "net", "status": "ACTIVE", "project_id": "p1", "shared": False, "router:external": False}
    ],
    "subnet": [{"id": "sub1", "name": "net-v4", "cidr": "10.0.0.0/24", "network_id": "n1", "project_id": "p1"}],
    "port": [
        {
            "id": "po1",
            "name": "",
            "network_id": "n1",
            "project_id": "p1",
            "mac_address": "fa:16:3e:00:00:01",
            "status": "ACTIVE",
            "device_id": SERVER_ID,
            "device_owner": "compute:nova",
            "security_groups": ["sg1"],
            "fixed_ips": [{"ip_address": "10.0.0.1", "subnet_id": "sub1"}],
        },
        {
            "id": "po2",
            "name": "",
            "network_id": "n1",
            "project_id": "p1",
            "mac_address": "fa:16:3e:00:00:02",
            "status": "ACTIVE",
            "device_id": "r",
            "device_owner": "network:router_interface",
            "security_groups": [],
            "fixed_ips": [],
        },
    ],
    "floating_ip": [
        {
            "id": "fip1",
            "floating_ip_address": "203.0.113.2",
            "status": "ACTIVE",
            "project_id": "p1",
            "floating_network_id": "ext",
            "port_id": "po1",
        }
    ],
    "security_group": [
        {"id": "sg1", "name": "web", "project_id": "p1", "description": "", "security_group_rules": []},
        {"id": "sg2", "name": "default", "project_id": "p2", "description": "", "security_group_rules": []},
    ],
    "security_group_rule": [
        {
            "id": "ru1",
            "security_group_id": "sg1",
            "direction": "ingress",
            "ethertype": "IPv4",
            "protocol": "tcp",
            "port_range_min": 80,
            "port_range_max": 80,
            "remote_ip_prefix": "0.0.0.0/0",
            "project_id": "p1",
        },
        {"id": "ru2", "security_group_id": "sg1", "direction": "egress", "ethertype": "IPv4", "project_id": "p1"},
    ],
}


class NoCollections:
    """Stands for the collector's service: one finished collection."""

    item = {"id": "c1", "cloud": "prod", "state": "done", "types": []}

    def start(self, caller: Caller, clouds: Any, types: Any, full: bool) -> list[dict[str, Any]]:
        if clouds and "nowhere" in clouds:
            from engine.clouds.errors import CloudError

            raise CloudError("unknown", "there is no cloud nowhere")
        return [{**self.item, "types": [{"type": name} for name in types or ()], "full": full}]

    def list(self, caller: Caller) -> list[dict[str, Any]]:
        return [self.item]

    def get(self, id: str, caller: Caller) -> dict[str, Any]:
        return {"c1": self.item}[id]

    def cancel(self, caller: Caller, id: str) -> dict[str, Any]:
        return {**self.item, "state": "cancelled"}


def take_in(
    estate: Estate, type: str, documents: list[dict[str, Any]], at: datetime = START, cloud: str = "prod"
) -> None:
    """A whole listing of the type."""
    region = "" if registry.ALL[type].listing.global_ else "RegionOne"
    writer = estate.begin(Listing(uuid7(), cloud, region, type, "full", "all", SEEN, at))
    builder = writer.builder()
    for document in documents:
        builder.add(document)
    writer.add(builder.take())
    writer.finish(ended_at=at)


@dataclass
class Inventory:
    """The room's routes over a filled estate."""

    home: Path
    documents: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: DOCUMENTS)

    def __post_init__(self) -> None:
        self.ops = Ops.open(self.home / "ops.sqlite")
        self.estate = Estate.open(self.home / "estate.duckdb")
        self.feed = ChangeFeed(interval=0)
        self.audit = AuditService(self.ops)
        self.reads = InventoryReads(self.estate)
        access = AccessService(self.ops, Loaded().settings)
        self.app = FastAPI(openapi_url=None)
        collections: Any = NoCollections()
        self.app.include_router(routes(self.reads, collections, access, self.feed, self.audit))
        errors.install(self.app)
        access.check_routes(self.app)
        for type, documents in self.documents.items():
            take_in(self.estate, type, documents)

    def close(self) -> None:
        self.reads.close()
        self.estate.close()
        self.ops.close()

    def as_(self, caller: Caller = ADMIN) -> httpx.AsyncClient:
        """A client of this caller."""
        return client(self.app, {CALLER: caller})
