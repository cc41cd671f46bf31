"""What populate puts into the lab: a small company, as plain data.

Two domains, four projects with a member and a reader each, twelve servers. The
names and shapes are fixed, because tests look for some of them.
"""

from __future__ import annotations

import base64
import random
from dataclasses import dataclass, field

DOMAINS = {"retail": "shops and payments", "research": "computing for the labs"}
PROJECTS = ["retail-web", "retail-pay", "research-hpc", "research-bio"]
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
IMAGES = {"cirros-0.6.2": ("cirros", "0.6.2", 1), "debian-12": ("debian", "12", 2), "rocky-9": ("rocky", "9", 10)}
# name -> (kind, VLAN, addresses, external)
NETWORKS = {
    "public": ("flat", None, "198.18.0.0/20", True),
    "backbone": ("vlan", 300, "172.30.0.0/22", False),
}
# name -> (availability zone, which compute hosts)
AGGREGATES = {"zone-b": ("zone-b", slice(2, None)), "fast-cpu": (None, slice(0, 2))}

# A value that no store, log or answer of the product may ever contain.
PLANTED = "planted-value-that-must-never-be-stored"


@dataclass(frozen=True)
class ServerPlan:
    """One server: `volume` boots from a new volume of that size in GiB, `data` are (GiB, volume type)."""

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
        ServerPlan("db-01", "v1.small", tier="db", image="rocky-9", volume=12, snapshots=2),
        ServerPlan("broken-01", "m1.tiny", image="cirros-0.6.2", metadata={"lab_fault": "boot"}, end="ERROR"),
    ],
    "research-hpc": [
        ServerPlan("batch-01", "c2.large", image="rocky-9", metadata={"env": "test"}),
        ServerPlan("batch-02", "v1.large", image="rocky-9", volume=20, end="PAUSED"),
        ServerPlan("bastion-01", "m1.tiny", image="cirros-0.6.2", floating=True, trunk=True),
    ],
    "research-bio": [
        ServerPlan("app-01", "v1.small", volume=5, data=((2, "standard"), (2, "premium"))),
        ServerPlan("app-02", "m1.small", end="LOCKED"),
        ServerPlan("cache-01", "m1.tiny", image="cirros-0.6.2", end="SUSPENDED"),
    ],
}
