"""Machines to restore, made as a tenant makes them, and what a cloud has of them afterwards."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from engine.demo.launch import DemoCloud
from engine.restore.models import MARK
from tests.contract.wire import Actor, Login, rows_of, wait_for

Doc = dict[str, Any]
PLENTY = 100_000


@dataclass
class Machine:
    """A machine of the tests: its server, its volumes (the root first, where it boots from one), ports and address."""

    name: str
    server: str
    volumes: list[str] = field(default_factory=list)
    ports: list[str] = field(default_factory=list)
    point: str = ""  # the restore point of its root: a snapshot, or an image
    data_point: str = ""


class Tenant:
    """A project of a demo cloud with a network, and machines in it. `admin` sees and may do everything."""

    def __init__(self, cloud: DemoCloud) -> None:
        entries = yaml.safe_load(Path(cloud.clouds_yaml).read_text())["clouds"]
        self.admin = Actor(Login.from_entry(entries["demo"]["auth"]))
        self.member = Actor(Login.from_entry(entries["demo-member"]["auth"]))
        self.project = self.member.project_id
        self._numbers = itertools.count(1)
        for project in (self.project, self.admin.project_id):
            for service, names in (
                ("compute", ("instances", "cores", "ram")),
                ("block-storage", ("volumes", "gigabytes", "snapshots")),
            ):
                body = {"quota_set": dict.fromkeys(names, PLENTY)}
                self._put(self.admin, service, f"/os-quota-sets/{project}", body)
        self.network = self.post("network", "/v2.0/networks", {"network": {"name": "restores"}})["network"]["id"]
        subnet = {"network_id": self.network, "ip_version": 4, "cidr": "10.77.0.0/16", "name": "restores"}
        self.subnet = self.post("network", "/v2.0/subnets", {"subnet": subnet})["subnet"]["id"]
        self.flavor = min(self.member.get("compute", "/flavors/detail")["flavors"], key=lambda one: one["ram"])["id"]
        images = rows_of(self.member.get("image", "/v2/images?status=active&visibility=public"))
        self.image = next(one["id"] for one in images)

    # Asking and telling

    def post(self, service: str, path: str, body: Doc, version: str | None = None) -> Doc:
        """A create that must succeed, as the tenant."""
        answer = self.member(service, path, "POST", json=body, version=version)
        assert answer.status_code in (200, 201, 202), f"{path}: {answer.status_code} {answer.text}"
        return dict(answer.json()) if answer.content else {}

    @staticmethod
    def _put(actor: Actor, service: str, path: str, body: Doc) -> None:
        answer = actor(service, path, "PUT", json=body)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"

    def get(self, service: str, path: str, version: str | None = None) -> Doc:
        """A document, as the administrator sees it; {} when it is gone."""
        answer = self.admin(service, path, version=version)
        assert answer.status_code in (200, 404), answer.text
        return dict(answer.json()) if answer.status_code == 200 else {}

    def every(self, service: str, path: str, version: str | None = None) -> Iterator[Doc]:
        """The rows of a listing of all projects."""
        for page in self.admin.pages(service, path, version):
            yield from rows_of(page)

    # Making

    def machine(self, *, boot: str = "volume", data: int = 1, points: bool = True) -> Machine:
        """A machine that runs, on a port of its own, with data disks; `points`: restore points of all its disks."""
        name = f"restored-{next(self._numbers):03}"
        port = {"network_id": self.network, "name": f"{name}-port"}
        one = Machine(name, "", ports=[self.post("network", "/v2.0/ports", {"port": port})["port"]["id"]])
        root = boot == "volume"
        for number in range(data + root):
            one.volumes.append(self._volume(f"{name}-{number}", self.image if root and number == 0 else ""))
        mapping: list[Doc] = [] if root else [
            {"uuid": self.image, "source_type": "image", "destination_type": "local", "boot_index": 0,
             "delete_on_termination": True},
        ]  # fmt: skip
        mapping += [
            {"uuid": id, "source_type": "volume", "destination_type": "volume", "delete_on_termination": False,
             "boot_index": 0 if root and number == 0 else -1} for number, id in enumerate(one.volumes)
        ]  # fmt: skip
        body: Doc = {"name": name, "flavorRef": self.flavor, "networks": [{"port": one.ports[0]}],
                     "block_device_mapping_v2": mapping, "metadata": {"owner": "night shift"}}  # fmt: skip
        if not root:
            body["imageRef"] = self.image
        one.server = self.post("compute", "/servers", {"server": body})["server"]["id"]
        wait_for(lambda: self.server(one.server)["status"], lambda status: status == "ACTIVE")
        if points:
            one.point = self.point(one.volumes[0]) if root else self.image_point(one)
            one.data_point = self.point(one.volumes[root]) if data else ""
        return one

    def _volume(self, name: str, image: str = "") -> str:
        body: Doc = {"size": 20, "name": name, **({"imageRef": image} if image else {})}
        id = str(self.post("block-storage", "/volumes", {"volume": body})["volume"]["id"])
        wait_for(lambda: self.volume(id)["status"], lambda status: status == "available")
        return id

    def point(self, volume: str, **more: Any) -> str:
        """A snapshot of a volume."""
        body = {"snapshot": {"volume_id": volume, "name": "point", "force": True, **more}}
        id = str(self.post("block-storage", "/snapshots", body)["snapshot"]["id"])
        wait_for(lambda: self.get("block-storage", f"/snapshots/{id}")["snapshot"]["status"], "available".__eq__)
        return id

    def image_point(self, machine: Machine) -> str:
        """An image of a machine that boots from an image."""
        body = {"createImage": {"name": f"{machine.name}-point"}}
        id = str(self.post("compute", f"/servers/{machine.server}/action", body, "2.45")["image_id"])
        wait_for(lambda: self.get("image", f"/v2/images/{id}").get("status"), "active".__eq__)
        return id

    # Looking

    def server(self, id: str) -> Doc:
        """The server's document; {} when it is gone."""
        return dict(self.get("compute", f"/servers/{id}", "2.96").get("server") or {})

    def volume(self, id: str) -> Doc:
        """The volume's document; {} when it is gone."""
        return dict(self.get("block-storage", f"/volumes/{id}").get("volume") or {})

    def ports_of(self, server: str) -> list[Doc]:
        """The ports of a server."""
        return list(self.get("network", f"/v2.0/ports?device_id={server}")["ports"])

    def addresses(self, server: str) -> set[str]:
        """The fixed addresses of a server's ports."""
        return {fixed["ip_address"] for port in self.ports_of(server) for fixed in port["fixed_ips"]}

    def all(self) -> dict[str, dict[str, Doc]]:
        """{type: {id: document}} of everything that a restore could touch, in all projects."""
        listings = {
            "server": ("compute", "/servers/detail?all_tenants=1", "2.96"),
            "volume": ("block-storage", "/volumes/detail?all_tenants=1", None),
            "snapshot": ("block-storage", "/snapshots/detail?all_tenants=1", None),
            "backup": ("block-storage", "/backups/detail?all_tenants=1", None),
            "port": ("network", "/v2.0/ports", None),
            "image": ("image", "/v2/images", None),
        }
        return {type: {row["id"]: row for row in self.every(*listing)} for type, listing in listings.items()}


def marked(row: Doc) -> str:
    """The mark in a resource's metadata, property, description or tags; "" for none."""
    found = (row.get("metadata") or {}).get(MARK) or row.get(MARK)
    if not found:
        tags = [tag for tag in row.get("tags") or () if str(tag).startswith(MARK)]
        found = tags[0].partition("=")[2] if tags else ""
    return str(found or "")
