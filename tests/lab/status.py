#!/usr/bin/env python3
"""One line per service: name, up, down or deaf, pid, port, memory. Exit code 1 when one is not up."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.lab import places, processes, services


def state_of(service: processes.Service) -> tuple[str, int | None, int]:
    """(up | down | deaf, pid, memory in MiB)."""
    pid = processes.read_pid(service.name)
    if pid is None:
        return "down", None, 0
    deaf = service.port is not None and not processes.port_open(service.port)
    return "deaf" if deaf else "up", pid, processes.memory_kib(pid) // 1024


def main() -> int:
    """Print the table."""
    total, bad = 0, False
    places.say(f"{'service':26} {'state':5} {'pid':>8} {'port':>6} {'MiB':>6}")
    for service in services.everything():
        state, pid, memory = state_of(service)
        total += memory
        bad |= state != "up"
        places.say(f"{service.name:26} {state:5} {pid or '-':>8} {service.port or '-':>6} {memory:6}")
    places.say(f"{'total':26} {'':5} {'':8} {'':6} {total:6}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
