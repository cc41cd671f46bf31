"""Machines that are hard to make again, in a project that lives as long as the tests: one kind of trouble each.

All are asked for at once, because each waits mostly for itself.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

from tests.contract.wire import Actor, rows_of, wait_for
from tests.lab.company import MULTIATTACH, PLANTED
from tests.lab.places import COMPUTES
from tests.live.projects import STORAGE, Project

COMPUTE = "2.96"
SLOW = 300.0  # seconds that anything may take on a machine that is busy with other things
POLICIES = {"auto_snapshot": "yes", "snapshot_policies": "daily_5", "retention_daily_5": "5"}
USER_DATA = base64.b64encode(
    f"#!/bin/sh\nDB_PASSWORD={PLANTED}\n# ".encode() + random.Random(1).randbytes(40_000)
).decode()


class Machines:
    """`make()` makes them all; `ids` are theirs by kind, `points` the snapshots, images and backups to restore from."""

    def __init__(self, project: Project) -> None:
        self.project, self.admin, self.member = project, project.admin, project.member
        self.ids: dict[str, str] = {}
        self.volumes: dict[str, list[str]] = {}  # kind -> root and data, in their order
        self.points: dict[str, dict[str, str]] = {}  # kind -> {volume id, or "" for an image: point}

    # -- what all need -------------------------------------------------------------
    @cached_property
    def flavors(self) -> dict[str, str]:
        return {row["name"]: row["id"] for row in rows_of(self.member.get("compute", "/flavors/detail"))}

    @cached_property
    def images(self) -> dict[str, str]:
        return {row["name"]: row["id"] for row in rows_of(self.member.get("image", "/v2/images?limit=100"))}

    @cached_property
    def outside(self) -> str:
        (found,) = rows_of(self.admin.get("network", "/v2.0/networks?name=public"))
        return str(found["id"])

    def ground(self) -> None:
        """Networks of both families behind a router, a security group, a key pair that only the member has."""
        project = self.project
        self.net = project.create("network", "/v2.0/networks", {"network": {"name": f"{project.name}-a"}})["network"][
            "id"
        ]
        self.second = project.create("network", "/v2.0/networks", {"network": {"name": f"{project.name}-b"}})[
            "network"
        ]["id"]
        self.v4 = self._subnet(self.net, 4, "10.98.0.0/24")
        slaac = {"ipv6_address_mode": "slaac", "ipv6_ra_mode": "slaac"}
        self.v6 = self._subnet(self.net, 6, "fd00:98::/64", **slaac)
        self._subnet(self.second, 4, "10.97.0.0/24")
        gateway = {"name": "r", "external_gateway_info": {"network_id": self.outside}}
        router = project.create("network", "/v2.0/routers", {"router": gateway})["router"]["id"]
        path = f"/v2.0/routers/{router}/add_router_interface"
        assert self.member("network", path, "PUT", json={"subnet_id": self.v4}).status_code == 200
        group = {"security_group": {"name": "scada"}}
        self.group = project.create("network", "/v2.0/security-groups", group)["security_group"]["id"]
        self.key = f"{project.name}-key"
        project.create("compute", "/os-keypairs", {"keypair": {"name": self.key}}, "2.91")
        self.apart = project.create(
            "compute", "/os-server-groups", {"server_group": {"name": "apart", "policy": "anti-affinity"}}, "2.64"
        )["server_group"]["id"]
        self._raise_limits()

    def _subnet(self, network: str, family: int, cidr: str, **more: Any) -> str:
        body = {"network_id": network, "ip_version": family, "cidr": cidr, **more}
        return str(self.project.create("network", "/v2.0/subnets", {"subnet": body})["subnet"]["id"])

    def _raise_limits(self) -> None:
        body = {"quota_set": {"volumes": 100, "snapshots": 100, "backups": 50, "gigabytes": 2000}}
        path = f"/os-quota-sets/{self.project.id}"
        assert self.admin("block-storage", path, "PUT", json=body, version=STORAGE).status_code == 200
        body = {"quota_set": {"instances": 60, "cores": 200, "ram": 400_000}}
        assert self.admin("compute", path, "PUT", json=body, version=COMPUTE).status_code == 200

    def make(self) -> None:
        """All of them. A machine on the host that goes down comes first: the others must not be put there."""
        self.ground()
        self._dead()
        kinds: list[Callable[[], None]] = [self.everything, self.fails, self.web, self.store, self.gone, self.router,
                                           self.cluster, *(lambda n=n: self.apart_from(n) for n in (1, 2))]  # fmt: skip
        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(kind) for kind in kinds]:
                done.result()

    # -- the kinds -----------------------------------------------------------------
    def everything(self) -> None:
        """From a volume, with two data volumes (tagged, deleted with it, policies), two ports, one with four addresses,
        allowed pairs and a chosen MAC, a floating IP at the second address, the last place of an anti-affinity group,
        somebody's key, user data, a config drive, tags, another host name."""
        chosen = self._port(
            name="db-front", description="of the cluster", mac_address="fa:16:3e:98:00:77",
            fixed_ips=[{"subnet_id": self.v4, "ip_address": f"10.98.0.{last}"} for last in (77, 78, 79)],
            allowed_address_pairs=[{"ip_address": "10.98.0.200"}, {"ip_address": "192.0.2.0/28"}],
            security_groups=[self.group],
        )  # fmt: skip
        self.member("network", f"/v2.0/ports/{chosen}/tags", "PUT", json={"tags": ["front", "vip"]})
        data = [
            self.project.volume(f"db-data-{n}", 1, volume_type=kind)["id"]
            for n, kind in ((1, "premium"), (2, "standard"))
        ]
        self._boot(
            "db", "debian-12-agent", data, nics=[{"port": chosen}, {"uuid": self.second}], hostname="oracle",
            description="orders", tags=["db", "prod"], key_name=self.key, config_drive=True, user_data=USER_DATA,
            metadata={"env": "prod", "db_password": PLANTED}, hint=self.apart, zone="zone-b",
        )  # fmt: skip
        self._float(chosen, "10.98.0.78")
        for id in self.volumes["db"]:
            path = f"/volumes/{id}/metadata"
            assert self.member("block-storage", path, "POST", json={"metadata": POLICIES}, version=STORAGE).ok
        self._snapshots("db", self.volumes["db"][:2])

    def fails(self) -> None:
        """What a roll-back has to give back: two ports, one Nova-made, a floating IP, a data volume that moved."""
        given = self._port(
            name="pay-front", fixed_ips=[{"subnet_id": self.v4, "ip_address": "10.98.0.60"}, {"subnet_id": self.v6}]
        )
        data = [self.project.volume("pay-data", 1)["id"]]
        self._boot("pay", "debian-12", data, nics=[{"port": given}, {"uuid": self.second}])
        self._float(given, "10.98.0.60")
        self._snapshots("pay", self.volumes["pay"][:1])

    def web(self) -> None:
        """From an image that asks for UEFI, with an image snapshot; locked is nobody's."""
        self._boot("web", "windows-2022", flavor="m1.small", description="shop")
        self._float(self._ports("web")[0], None)
        self._image("web")

    def store(self) -> None:
        """From a volume, with one data volume whose tag and place must stay."""
        self._boot("store", "debian-12", [self.project.volume("store-data", 1)["id"]])
        self._snapshots("store", self.volumes["store"])

    def gone(self) -> None:
        """Deleted, its volumes with it; there are backups of both (made before, kept elsewhere)."""
        self._boot("gone", "debian-12", [self.project.volume("gone-data", 1)["id"]], nics=[{"uuid": self.second}])
        self.points["gone"] = {id: self._backup(id) for id in self.volumes["gone"]}

    def router(self) -> None:
        """From an image: a trunk parent with a sub-port, and a port without port security."""
        parent, child = self._port(name="r-trunk"), self._port(name="r-101")
        trunk = {"port_id": parent, "name": "r", "sub_ports": [
            {"port_id": child, "segmentation_type": "vlan", "segmentation_id": 101}]}  # fmt: skip
        self.project.create("network", "/v2.0/trunks", {"trunk": trunk})
        free = self._port(network=self.second, name="r-open", port_security_enabled=False, security_groups=[])
        self._boot("router", "cirros-0.6.2", flavor="m1.tiny", nics=[{"port": parent}, {"port": free}])
        self._image("router")

    def cluster(self) -> None:
        """Two machines with one volume on both."""
        shared = self.project.volume("quorum", 1, volume_type=MULTIATTACH)["id"]
        self._boot("node", "debian-12", [shared])
        self._boot("peer", "cirros-0.6.2", flavor="m1.tiny")
        self._attach("peer", shared)
        self._snapshots("node", self.volumes["node"])

    def apart_from(self, number: int) -> None:
        """Fills the group: a member on each of the hosts that are up."""
        self._boot(f"apart-{number}", "cirros-0.6.2", flavor="m1.tiny", hint=self.apart, nics=[{"uuid": self.second}],
                   host=COMPUTES[number - 1])  # fmt: skip

    def _dead(self) -> None:
        """On the host that is forced down: it is up for as long as this machine boots."""
        self.host_down(False)
        try:
            self._boot(
                "dead", "cirros-0.6.2", flavor="m1.tiny", host=COMPUTES[-1], nics=[{"port": self._port(name="dead")}]
            )
            self._image("dead")
        finally:
            self.host_down(True)

    def host_down(self, down: bool) -> None:
        """Force the lab's last compute host down or up."""
        rows = rows_of(self.admin.get("compute", "/os-services?binary=nova-compute", COMPUTE))
        (service,) = (row for row in rows if row["host"] == COMPUTES[-1])
        body = {"forced_down": down}
        assert (
            self.admin("compute", f"/os-services/{service['id']}", "PUT", json=body, version=COMPUTE).status_code == 200
        )

    # -- by hand ---------------------------------------------------------------------
    @cached_property
    def admin_here(self) -> Actor:
        """A member of the project who may name a host: an administrator of it."""
        return self.project.user("admin")

    def _port(self, network: str = "", **more: Any) -> str:
        body = {"port": {"network_id": network or self.net, **more}}
        return str(self.project.create("network", "/v2.0/ports", body)["port"]["id"])

    def _boot(
        self, kind: str, image: str, data: list[str] | None = None, *, flavor: str = "v1.small", hint: str = "",
        zone: str = "", host: str = "", nics: list[dict[str, str]] | None = None, **more: Any,
    ) -> None:  # fmt: skip
        body: dict[str, Any] = {
            "name": kind,
            "flavorRef": self.flavors[flavor],
            "networks": nics or [{"uuid": self.net}],
            **more,
        }
        body |= {"availability_zone": zone} if zone else {}
        # Naming the host pins the machine to no zone; only an administrator may.
        body |= {"host": host} if host else {}
        if flavor.startswith("v1"):
            disk = {
                "source_type": "image",
                "uuid": self.images[image],
                "volume_size": 2,
                "boot_index": 0,
                "tag": "root",
            }
            rest = [
                {"source_type": "volume", "uuid": id, "boot_index": -1, "tag": f"data-{n}"}
                for n, id in enumerate(data or (), 1)
            ]
            common = {"destination_type": "volume", "delete_on_termination": True}
            body["block_device_mapping_v2"] = [one | common for one in (disk, *rest)]
        else:
            body["imageRef"] = self.images[image]
        sent: dict[str, Any] = {"server": body} | ({"os:scheduler_hints": {"group": hint}} if hint else {})
        answer = (self.admin_here if host else self.member)("compute", "/servers", "POST", json=sent, version=COMPUTE)
        assert answer.status_code == 202, answer.text
        id = self.ids[kind] = answer.json()["server"]["id"]
        wait_for(lambda: self._server(id), lambda server: server["status"] in ("ACTIVE", "ERROR"), SLOW)
        assert self._server(id)["status"] == "ACTIVE", self._server(id)
        listed = rows_of(self.member.get("compute", f"/servers/{id}/os-volume_attachments", "2.89"))
        have = [item["volumeId"] for item in listed]
        self.volumes[kind] = [one for one in have if one not in (data or ())] + list(data or ())

    def _server(self, id: str) -> dict[str, Any]:
        return dict(self.member.get("compute", f"/servers/{id}", COMPUTE)["server"])

    def _ports(self, kind: str) -> list[str]:
        return [row["id"] for row in rows_of(self.member.get("network", f"/v2.0/ports?device_id={self.ids[kind]}"))]

    def _float(self, port: str, address: str | None) -> None:
        body: dict[str, Any] = {"floating_network_id": self.outside, "port_id": port}
        body |= {"fixed_ip_address": address} if address else {}
        self.project.create("network", "/v2.0/floatingips", {"floatingip": body})

    def _attach(self, kind: str, volume: str) -> None:
        path, body = f"/servers/{self.ids[kind]}/os-volume_attachments", {"volumeAttachment": {"volumeId": volume}}
        self.project.create("compute", path, body, "2.89")
        ids = {self.ids[kind]}

        def there() -> set[str]:
            found = self.member.get("block-storage", f"/volumes/{volume}", STORAGE)["volume"]["attachments"]
            return {item["server_id"] for item in found}

        wait_for(there, lambda found: ids <= found, SLOW)

    def _snapshots(self, kind: str, volumes: list[str]) -> None:
        made = {}
        for id in volumes:
            body = {"snapshot": {"volume_id": id, "name": f"{kind}-point", "force": True}}
            made[id] = self.project.create("block-storage", "/snapshots", body, STORAGE)["snapshot"]["id"]
        for point in made.values():
            self._settles(f"/snapshots/{point}", "snapshot")
        self.points[kind] = made

    def _backup(self, volume: str) -> str:
        body = {"backup": {"volume_id": volume, "name": "weekly", "force": True}}
        made = self.project.create("block-storage", "/backups", body, STORAGE)["backup"]["id"]
        self._settles(f"/backups/{made}", "backup")
        return str(made)

    def _settles(self, path: str, key: str) -> None:
        wait_for(
            lambda: self.member.get("block-storage", path, STORAGE)[key]["status"],
            lambda status: status == "available",
            SLOW,
        )

    def _image(self, kind: str) -> None:
        body = {"createImage": {"name": f"{kind}-point"}}
        answer = self.member("compute", f"/servers/{self.ids[kind]}/action", "POST", json=body, version=COMPUTE)
        assert answer.status_code == 202, answer.text
        id = answer.json()["image_id"]
        wait_for(
            lambda: self.member.get("image", f"/v2/images/{id}")["status"], lambda status: status == "active", SLOW
        )
        wait_for(lambda: self._server(self.ids[kind])["OS-EXT-STS:task_state"], lambda task: task is None, SLOW)
        self.points[kind] = {"": id}
