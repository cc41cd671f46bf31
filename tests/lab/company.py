"""What populate puts into the lab: a small company, as plain data.

Three domains, eight projects with a member and a reader each. The names and
shapes are fixed, because tests look for some of them. The domain `plant` holds
what goes wrong elsewhere: one odd thing of every kind (`special.py`).
"""

from __future__ import annotations

import base64
import random
from dataclasses import dataclass, field

DOMAINS = {"retail": "shops and payments", "research": "computing for the labs", "plant": "the factory"}
PROJECTS = [
    *("retail-web", "retail-pay", "research-hpc", "research-bio"),
    *("plant-scada", "plant-full", "plant-closed", "plant-guest"),
]
# The project that uses up its quota, and the one in which the lab's `admin` has no role.
FULL, CLOSED = "plant-full", "plant-closed"
# Projects whose member has a key pair that its servers use.
WITH_KEY = ("retail-web", "plant-scada")
# Suffix of a user's name -> role in the project.
USERS = {"member": "member", "reader": "reader"}

# name -> (vCPU, MiB of memory, GiB of disk); v1 flavors are for volume-booted servers.
FLAVORS = {
    "m1.tiny": (1, 512, 1),
    "m1.small": (1, 2048, 20),
    "m1.large": (4, 8192, 80),
    "c2.large": (8, 8192, 40),
    "v1.small": (1, 2048, 0),
    "v1.large": (4, 8192, 0),
}
# name -> (distribution, version, smallest disk in GiB)
IMAGES = {
    "cirros-0.6.2": ("cirros", "0.6.2", 1),
    "debian-12": ("debian", "12", 2),
    "rocky-9": ("rocky", "9", 10),
    "debian-12-agent": ("debian", "12", 2),
    "windows-2022": ("windows", "2022", 20),
}
# What else these images say: the guest can be frozen; the machine starts by UEFI.
IMAGE_PROPERTIES = {
    "debian-12-agent": {"hw_qemu_guest_agent": "yes", "os_require_quiesce": "yes"},
    "windows-2022": {"hw_firmware_type": "uefi", "hw_machine_type": "q35", "os_type": "windows"},
}
# A flavor that is deleted and an image that is deactivated as soon as their one server runs.
RETIRED_FLAVOR, RETIRED_IMAGE, RETIRED_SERVER = "m1.retired", "centos-6", "plant-scada-legacy-01"
# This server stays on a host that is then forced down.
STRANDED_SERVER, STRANDED_ZONE = "plant-scada-stranded-01", "zone-c"
# All volumes of the one have backups; of the other there is an image snapshot.
BACKED_UP_SERVER, IMAGED_SERVER = "plant-scada-historian-01", "plant-scada-uefi-01"
# A volume type whose volumes can be attached twice, and a group type for consistent snapshots.
MULTIATTACH, CONSISTENT = "shared", "consistent"
# name -> (kind, VLAN, addresses, external)
NETWORKS = {
    "public": ("flat", None, "198.18.0.0/20", True),
    "backbone": ("vlan", 300, "172.30.0.0/22", False),
}
# name -> (availability zone, which compute hosts)
AGGREGATES = {
    "zone-b": ("zone-b", slice(2, 3)),
    "zone-c": (STRANDED_ZONE, slice(3, None)),
    "fast-cpu": (None, slice(0, 2)),
}

# A value that no store, log or answer of the product may ever contain.
PLANTED = "planted-value-that-must-never-be-stored"


@dataclass(frozen=True)
class ServerPlan:
    """One server.

    volume  boots from a new volume of that size in GiB; 0: from the image
    data    (GiB, volume type) of its data volumes; `data_goes`: they are deleted with the server
    nics    how each port is made (`special.py`); "plain" is one on the network of the tier
    apart   member of the group whose servers must not share a host
    cluster shares one multi-attached volume with the others of its project that do
    policy  metadata of its volumes
    """

    name: str
    flavor: str
    image: str = "debian-12"
    tier: str = "app"
    volume: int = 0
    data: tuple[tuple[int, str], ...] = ()
    snapshots: int = 0
    floating: bool = False
    end: str = "ACTIVE"
    metadata: dict[str, str] = field(default_factory=dict)
    user_data: str | None = None
    trunk: bool = False
    zone: str = ""
    apart: bool = False
    cluster: bool = False
    data_goes: bool = False
    config_drive: bool = False
    nics: tuple[str, ...] = ("plain",)
    policy: dict[str, str] = field(default_factory=dict)


def large_user_data() -> str:
    """As much user data as Nova takes (65,535 characters of base64), with a planted secret in it."""
    text = f"#!/bin/sh\nDB_PASSWORD={PLANTED}\n# ".encode()
    filling = random.Random("user data").randbytes(49149 - len(text))
    return base64.b64encode(text + filling).decode()


SERVERS: dict[str, list[ServerPlan]] = {
    "retail-web": [
        ServerPlan("web-01", "m1.small", floating=True, metadata={"env": "prod", "role": "web"}),
        ServerPlan("db-01", "v1.large", tier="db", volume=10, data=((10, "premium"),), snapshots=1),
        ServerPlan("app-01", "m1.large", data=((5, "standard"),), end="SHUTOFF"),
    ],
    "retail-pay": [
        ServerPlan(
            "web-01",
            "m1.small",
            floating=True,
            metadata={"env": "prod", "db_password": PLANTED},
            user_data=large_user_data(),
        ),
        ServerPlan(
            "db-01",
            "v1.small",
            tier="db",
            image="rocky-9",
            volume=12,
            snapshots=2,
            policy={"auto_snapshot": "true", "snapshot_policies": "daily_5,monthly_1st", "retention_daily_5": "4"},
        ),
        ServerPlan("broken-01", "m1.tiny", image="cirros-0.6.2", metadata={"lab_fault": "boot"}, end="ERROR"),
    ],
    "research-hpc": [
        ServerPlan("batch-01", "c2.large", image="rocky-9", metadata={"env": "test"}),
        ServerPlan("batch-02", "v1.large", image="rocky-9", volume=20, end="PAUSED"),
        ServerPlan("bastion-01", "m1.tiny", image="cirros-0.6.2", floating=True, trunk=True),
    ],
    "research-bio": [
        ServerPlan(
            "app-01",
            "v1.small",
            volume=5,
            data=((2, "standard"), (2, "premium")),
            # Written by an older release of the tool: one policy, one retention for all.
            policy={"auto_snapshot": "yes", "snapshot_policy": "daily", "retention": "3"},
        ),
        ServerPlan("app-02", "m1.small", end="LOCKED"),
        ServerPlan("cache-01", "m1.tiny", image="cirros-0.6.2", end="SUSPENDED"),
    ],
    "plant-scada": [
        ServerPlan("stranded-01", "m1.tiny", image="cirros-0.6.2", zone=STRANDED_ZONE),
        ServerPlan("router-01", "m1.tiny", image="cirros-0.6.2", nics=("dual", "open"), trunk=True),
        ServerPlan("cluster-01", "v1.small", volume=2, apart=True, cluster=True, zone="zone-b"),
        ServerPlan("cluster-02", "v1.small", volume=2, apart=True, cluster=True),
        ServerPlan(
            "historian-01",
            "v1.small",
            image="debian-12-agent",
            volume=2,
            data=((1, "premium"), (1, "standard")),
            data_goes=True,
            apart=True,
            config_drive=True,
            user_data=large_user_data(),
            nics=("pairs",),
        ),
        ServerPlan("uefi-01", "m1.small", image="windows-2022"),
        ServerPlan("legacy-01", RETIRED_FLAVOR, image=RETIRED_IMAGE),
    ],
    FULL: [ServerPlan("line-01", "v1.small", volume=2, data=((1, "premium"),), snapshots=1)],
    CLOSED: [
        ServerPlan(
            "cell-01",
            "v1.small",
            volume=2,
            policy={"auto_snapshot": "yes", "snapshot_policies": "weekly_4", "retention_weekly_4": "4"},
        )
    ],
    "plant-guest": [ServerPlan("kiosk-01", "m1.tiny", image="cirros-0.6.2", nics=("backbone",))],
}
