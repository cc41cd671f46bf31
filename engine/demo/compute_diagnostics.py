"""Nova's diagnostics of a server: what libvirt counts. An administrator may ask, of a machine that runs."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer
from engine.demo.compute import require_admin
from engine.demo.records import Server
from engine.demo.routing import Call
from engine.demo.serving import Response
from engine.demo.tenants import DAY

if TYPE_CHECKING:
    from engine.demo.compute import Compute

_NANOSECONDS = 1_000_000_000
_SWING = 0.6  # of the mean, between noon and midnight


def add_diagnostics(compute: Compute) -> None:
    """Route the diagnostics."""
    state = compute.state

    def diagnostics(call: Call, id: str) -> Response:
        require_admin(call, "os_compute_api:os-server-diagnostics")
        server = state.servers.get(id)
        if server is None:
            raise Refusal(404, f"Instance {id} could not be found.")
        if server.status not in ("ACTIVE", "RESCUE"):
            raise Refusal(
                409, f"Cannot 'get_diagnostics' instance {id} while it is in vm_state {server.status.lower()}"
            )
        return answer(document(server, call.now) if call.version >= (2, 48) else _old(server, call.now))

    compute.routes.on("GET", "/servers/{id}/diagnostics")(diagnostics)


def document(server: Server, now: int) -> dict[str, Any]:
    """The answer from 2.48 on."""
    flavor = server.flavor
    cpus = [{"id": n, "time": cpu_time(server, n, now), "utilisation": None} for n in range(flavor.vcpus)]
    return {
        "state": "running",
        "driver": "libvirt",
        "hypervisor": "kvm",
        "hypervisor_os": "linux",
        "uptime": max(0, now - (server.launched or server.created)),
        "config_drive": False,
        "num_cpus": flavor.vcpus,
        "num_nics": len(server.ports),
        "num_disks": max(1, len(server.volumes)),
        "cpu_details": cpus,
        "nic_details": [],
        "disk_details": [],
        "memory_details": {"maximum": flavor.ram, "used": flavor.ram},  # the balloon, which is never let out
    }


def _old(server: Server, now: int) -> dict[str, Any]:
    """Before 2.48: what the driver calls things."""
    times = {f"cpu{n}_time": cpu_time(server, n, now) for n in range(server.flavor.vcpus)}
    return {**times, "memory": server.flavor.ram * 1024, "memory-actual": server.flavor.ram * 1024}


def cpu_time(server: Server, number: int, now: int) -> int:
    """Nanoseconds that a vCPU has worked since its machine was started: a load of its own that swings over the day."""
    share = hashlib.sha256(f"{server.id} {number}".encode()).digest()[0] / 255
    mean, since = 0.02 + 0.55 * share**2, server.launched or server.created
    turn = 2 * math.pi / DAY

    def worked(at: int) -> float:
        return mean * (at - _SWING / turn * math.cos(turn * at + share))

    return int(max(0.0, worked(max(now, since)) - worked(since)) * _NANOSECONDS)
