"""What questions about a demo must be answered with, worked out from what `qdeck ls` lists. Pure.

An answer must have: a number or yes/no as its value; a set of ids as all of its rows; a dict as its groups; a text
somewhere in its sentence.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Row = Mapping[str, Any]
Lists = Mapping[str, list[Row]]
Expected = float | bool | str | frozenset[str] | Mapping[str | None, float]
TYPES = ("servers", "projects", "volumes", "hypervisors", "snapshots", "networks", "ports", "floating_ips", "images",
         "users", "flavors", "security_groups", "routers", "subnets")  # fmt: skip


def questions(lists: Lists) -> Iterator[tuple[str, Expected]]:
    """Each question with what is right. Turns of a conversation are divided by " >> "."""
    yield from _of_servers(lists["servers"])
    yield from _of_places(lists)
    yield from _of_storage(lists["volumes"], lists["snapshots"])
    yield from _of_networks(lists)
    yield from _of_one(lists)
    yield from _of_turns(lists)


def _ids(rows: Iterable[Row]) -> frozenset[str]:
    return frozenset(row["id"] for row in rows)


def _count(rows: Iterable[Row], column: str) -> Mapping[str | None, float]:
    return Counter(row[column] or None for row in rows)


def _sums(rows: Iterable[Row], column: str, number: str) -> Mapping[str | None, float]:
    sums: dict[str | None, float] = defaultdict(float)
    for row in rows:
        sums[row[column]] += row[number]
    return sums


def _of_servers(servers: list[Row]) -> Iterator[tuple[str, Expected]]:
    running = [one for one in servers if one["status"] == "ACTIVE"]
    yield "how many vms are there", len(servers)
    yield "number of running servers", len(running)
    yield "list all instances", _ids(servers)
    yield "stopped vms", _ids(one for one in servers if one["status"] == "SHUTOFF")
    yield "vms that are not running", _ids(one for one in servers if one["status"] != "ACTIVE")
    yield "are there vms in error", any(one["status"] == "ERROR" for one in servers)
    yield "are all vms running", len(running) == len(servers)
    yield "percentage of vms that are running", round(100 * len(running) / len(servers), 1)
    yield "vms by status", _count(servers, "status")
    yield "vms per tenant", _count(servers, "project_name")
    yield "servers per host", _count(servers, "host")
    yield "servers by flavor", _count(servers, "flavor_name")
    yield "total ram of all vms", sum(one["ram_mb"] for one in servers)
    yield "total number of vcpus of all vms", sum(one["vcpus"] for one in servers)
    yield "average vcpus per vm", sum(one["vcpus"] for one in servers) / len(servers)
    yield "ram per tenant", _sums(servers, "project_name", "ram_mb")
    yield "vms with more than 2 vcpus", _ids(one for one in servers if one["vcpus"] > 2)
    yield "vms with exactly 2 vcpus", _ids(one for one in servers if one["vcpus"] == 2)
    yield "vms with at least 8 GB of ram", _ids(one for one in servers if one["ram_mb"] >= 8192)
    yield "how many vms have less than 8gb memory", sum(one["ram_mb"] < 8192 for one in servers)
    yield "vms with a floating ip", _ids(one for one in servers if one["floating_ips"])
    yield "vms without floating ip", _ids(one for one in servers if not one["floating_ips"])
    yield "locked vms", _ids(one for one in servers if one["locked"])
    yield "vms with web in the name", _ids(one for one in servers if "web" in one["name"].lower())
    yield "vms older than 90 days", _ids(one for one in servers if one["created_at"] < _DAYS[90])
    yield "vms created in the last 90 days", _ids(one for one in servers if one["created_at"] >= _DAYS[90])


def _of_places(lists: Lists) -> Iterator[tuple[str, Expected]]:
    servers, projects = lists["servers"], lists["projects"]
    for name in sorted({one["project_name"] for one in servers})[:3]:
        own = [one for one in servers if one["project_name"] == name]
        disks = [one for one in lists["volumes"] if one["project_name"] == name]
        yield f"how many vms are in {name}", len(own)
        yield f"vms of tenant {name}", _ids(own)
        yield f"vcpus used by {name}", sum(one["vcpus"] for one in own)
        yield f"total size of the volumes in {name}", sum(one["size_gb"] for one in disks)
        yield f"running vms in {name} by host", _count((one for one in own if one["status"] == "ACTIVE"), "host")
        yield f"does {name} have stopped vms", any(one["status"] == "SHUTOFF" for one in own)
        yield f"networks of {name}", _ids(one for one in lists["networks"] if one["project_name"] == name)
    for host in sorted(one["name"] for one in lists["hypervisors"])[:2]:
        yield f"what runs on {host}", _ids(one for one in servers if one["host"] == host)
        yield f"how many vms on host {host}", sum(one["host"] == host for one in servers)
    yield "which hosts are down", _ids(one for one in lists["hypervisors"] if one["state"] == "down")
    yield "total vcpus of all hosts", sum(one["vcpus"] for one in lists["hypervisors"])
    yield "tenants without vms", _ids(one for one in projects if not one["server_count"])
    yield "projects with more than 2 vms", _ids(one for one in projects if one["server_count"] > 2)
    yield "projects per domain", _count(projects, "domain_name")
    yield "disabled users", _ids(one for one in lists["users"] if not one["enabled"])


def _of_storage(volumes: list[Row], snapshots: list[Row]) -> Iterator[tuple[str, Expected]]:
    yield "how many volumes", len(volumes)
    yield "total volume size", sum(one["size_gb"] for one in volumes)
    yield "storage by volume type", _sums(volumes, "volume_type", "size_gb")
    yield "unattached volumes", _ids(one for one in volumes if not one["server_ids"])
    yield "volumes larger than 50 GB", _ids(one for one in volumes if one["size_gb"] > 50)
    yield "volumes without snapshots", _ids(one for one in volumes if not one["snapshot_count"])
    yield "bootable volumes by project", _count((one for one in volumes if one["bootable"]), "project_name")
    yield "unprotected volumes", _ids(one for one in volumes if not one["protected"])
    yield "snapshots per tenant", _count(snapshots, "project_name")
    yield "snapshots older than 7 days", _ids(one for one in snapshots if one["created_at"] < _DAYS[7])


def _of_networks(lists: Lists) -> Iterator[tuple[str, Expected]]:
    yield "external networks", _ids(one for one in lists["networks"] if one["external"])
    yield "ports by status", _count(lists["ports"], "status")
    yield "unused floating ips", _ids(one for one in lists["floating_ips"] if not one["port_id"])
    yield "security groups without rules", _ids(one for one in lists["security_groups"] if not one["rule_count"])
    yield "public images", _ids(one for one in lists["images"] if one["visibility"] == "public")
    yield "flavors with more than 4 vcpus", _ids(one for one in lists["flavors"] if one["vcpus"] > 4)
    yield "routers without external gateway", _ids(one for one in lists["routers"] if not one["external_network_id"])


def _of_one(lists: Lists) -> Iterator[tuple[str, Expected]]:
    called = Counter(one["name"] for one in lists["servers"])
    plain = [one for one in lists["servers"] if one["host"] and called[one["name"]] == 1 and one["name"].isascii()]
    for one in sorted(plain, key=lambda row: str(row["name"]))[-3:]:
        name = one["name"]
        yield f"where does {name} run", one["host"]
        yield f"flavor of {name}", one["flavor_name"]
        yield f"which project does {name} belong to", one["project_name"]
        yield f"is {name} running", one["status"] == "ACTIVE"
        yield f"how many vcpus does {name} have", one["vcpus"]
        yield f"volumes of {name}", _ids(disk for disk in lists["volumes"] if one["id"] in disk["server_ids"])
        yield f"ports of {name}", _ids(port for port in lists["ports"] if port["device_id"] == one["id"])


def _of_turns(lists: Lists) -> Iterator[tuple[str, Expected]]:
    servers = lists["servers"]
    name = min(one["project_name"] for one in servers)
    own = [one for one in servers if one["project_name"] == name]
    yield "list vms >> only the active ones", _ids(one for one in servers if one["status"] == "ACTIVE")
    yield f"vms of {name} >> how many of them are running", sum(one["status"] == "ACTIVE" for one in own)
    yield f"vms of {name} >> by host", _count(own, "host")
    big = sum(one["size_gb"] for one in lists["volumes"] if one["size_gb"] > 50)
    yield "volumes larger than 50 GB >> total size", big


class _Days:
    """Times so many days ago, as the lists write them."""

    def __getitem__(self, days: int) -> str:
        from datetime import timedelta

        from store import times

        return times.text(times.utcnow() - timedelta(days=days))


_DAYS = _Days()
