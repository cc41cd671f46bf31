"""Machines for the tests of planning, with everything that is known of them; each test changes what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.restore.models import Disk, FixedIp, Floating, Machine, Nic, Plan, Request, Source
from engine.restore.planning.facts import Facts, Hosts, NetworkAddresses, Rights, Subnet
from engine.restore.planning.planner import make_plan

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
CLOUD, REGION, PROJECT, SERVER = "lab", "R1", "p1", "s1"
ROOT, DATA = "v-root", "v-data"
LIMITED = {"limit": 10, "in_use": 3, "reserved": 0}
ROOM = {"limit": 1000, "in_use": 100, "reserved": 0}


def machine(**changes: Any) -> Machine:
    """A machine that runs and boots from a volume."""
    found = Machine(
        (CLOUD, REGION, SERVER), "web-01", PROJECT, project_name="shop", user_id="u1", status="ACTIVE",
        vm_state="active", power_state=1, host="c1", host_status="UP", zone="nova",
        flavor={"name": "m1", "vcpus": 2, "ram": 2048, "disk": 20, "ephemeral": 0, "swap": 0}, flavor_id="f1",
        hostname="web-01", key_name="mykey",
    )  # fmt: skip
    return replace(found, **changes)


def image_machine(**changes: Any) -> Machine:
    """The same, booted from an image."""
    return machine(**{"boot": "image", "image_id": "base", **changes})


def root(**changes: Any) -> Disk:
    """Its root volume."""
    return replace(Disk(ROOT, "web-root", 20, "ssd", status="in-use", root=True, bootable=True), **changes)


def data(id: str = DATA, **changes: Any) -> Disk:
    """A data volume of it."""
    return replace(Disk(id, "web-data", 50, "hdd", status="in-use", order=1), **changes)


def point(id: str, volume: str = ROOT, hours: float = 24, **changes: Any) -> Source:
    """A snapshot that was taken so many hours ago."""
    found = Source(
        "snapshot", id, f"daily-{id}", volume_id=volume, project_id=PROJECT, size_gb=20, status="available",
        taken_at=NOW - timedelta(hours=hours), policy="daily", seconds=10,
    )  # fmt: skip
    return replace(found, **changes)


def image(id: str, hours: float = 24, **changes: Any) -> Source:
    """An image snapshot of a machine that boots from an image."""
    return point(id, "", hours, **{"kind": "image", "status": "active", "size_gb": 2, **changes})


def nic(number: int = 0, **changes: Any) -> Nic:
    """A port on the project's own network, with one address."""
    found = Nic(
        f"port-{number}", "net1", "private", order=number, mac=f"fa:16:3e:00:00:0{number}",
        fixed=(FixedIp(f"10.0.0.{number + 5}", "sub1"),), security_groups=("sg1",),
    )  # fmt: skip
    return replace(found, **changes)


def floating() -> tuple[Floating, ...]:
    """A floating IP at the first port."""
    return (Floating("fip1", "203.0.113.7", "10.0.0.5"),)


def network(**changes: Any) -> NetworkAddresses:
    """What is free on that network."""
    found = NetworkAddresses(
        "net1", "private", subnets=(Subnet("sub1", "private4", "10.0.0.0/24", "10.0.0.1", free=("10.0.0.50",)),),
        used=frozenset({"10.0.0.1", "10.0.0.5", "10.0.0.6", "10.0.0.9"}),
    )  # fmt: skip
    return replace(found, **changes)


def facts(**changes: Any) -> Facts:
    """Everything known of a healthy machine with a root and a data volume, a snapshot of each, and room for more."""
    found = Facts(
        machine(), (root(), data()), (nic(),),
        {ROOT: (point("r1"), point("r2", hours=48)), DATA: (point("d1", DATA, size_gb=50),)},
        events=(), console=(), service=("up", NOW - timedelta(seconds=5)),
        compute_quota={"instances": LIMITED, "cores": ROOM, "ram": {"limit": 50_000, "in_use": 4096, "reserved": 0}},
        storage_quota={"volumes": LIMITED, "gigabytes": ROOM, "snapshots": LIMITED},
        network_quota={"port": LIMITED}, hosts=Hosts(3), networks={"net1": network()},
        rights=Rights(admin=True, user_id="engine", key="copied", user_data=True), compute_top="2.96",
        volume_top="3.70",
    )  # fmt: skip
    return replace(found, **changes)


def image_facts(**changes: Any) -> Facts:
    """The same of a machine that boots from an image, with one data volume."""
    points = {"": (image("i1"), image("i2", 48)), DATA: (point("d1", DATA, size_gb=50),)}
    return facts(**{"machine": image_machine(), "disks": (data(order=0),), "points": points, **changes})


def request(**changes: Any) -> Request:
    """Asking for a new machine, with all defaults."""
    return replace(Request(PROJECT, SERVER, CLOUD, REGION), **changes)


def plan(known: Facts | None = None, **asked: Any) -> Plan:
    """The plan of these facts."""
    return make_plan(known or facts(), request(**asked), NOW, id="plan-1")


def names(found: Plan, phase: str = "do") -> list[str]:
    """Names of its steps."""
    return [step.name for step in found.steps if step.phase == phase]
