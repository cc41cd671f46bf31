"""Start, find and stop the lab's processes. Standard library only.

A service is known by its pid file, which holds the pid and the kernel's start
time of that pid: a recycled pid is never taken for ours. Each service is the
leader of its own process group.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.places import ADDRESS, HOME, LOG, RUN, VENV

FORGET = ("OS_CLOUD", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


class Failure(Exception):
    """The lab cannot go on; the text is one sentence for the person who started it."""


@dataclass(frozen=True)
class Service:
    """One process of the lab: its command, and the port it answers on (None: it has none)."""

    name: str
    command: list[str]
    port: int | None = None
    env: dict[str, str] = field(default_factory=dict)


def environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """Environment of everything the lab runs: its own programs first in PATH."""
    full = {key: value for key, value in os.environ.items() if key not in FORGET}
    full.update(extra or {})
    ours = [str(HOME / "bin"), str(VENV / "bin"), full.get("PATH", "/usr/bin:/bin"), "/usr/sbin", "/sbin"]
    full["PATH"] = os.pathsep.join(ours)
    return full


def stat_fields(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on; empty when the process is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return []
    return [] if fields[0] == "Z" else fields


def started_at(pid: int) -> str | None:
    """Start time of a process in clock ticks since boot, or None."""
    fields = stat_fields(pid)
    return fields[19] if fields else None


def read_pid(name: str) -> int | None:
    """The pid of a service that was started by the lab and still runs, or None."""
    try:
        pid, started = (RUN / f"{name}.pid").read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid) if started_at(int(pid)) == started else None


def group_members(pgid: int) -> list[int]:
    """Pids of the living processes of a process group."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = stat_fields(int(entry.name))
            if fields and int(fields[2]) == pgid:
                found.append(int(entry.name))
    return found


def memory_kib(pgid: int) -> int:
    """Proportional memory of a process group in KiB: shared pages count once."""
    total = 0
    for pid in group_members(pgid):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total


def port_open(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((ADDRESS, port)) == 0


def start(service: Service) -> bool:
    """Start a service in its own session; False when it was running already.

    Raises Failure when something that is not ours has its port.
    """
    if read_pid(service.name):
        return False
    if service.port and not _port_frees(service.port, 5):
        raise Failure(
            f"Port {service.port}, which {service.name} needs, is taken by another process: "
            "end that, or choose other ports with QDECK_LAB_PORT_OFFSET."
        )
    with (LOG / f"{service.name}.out").open("ab") as out:
        process = subprocess.Popen(
            service.command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment(service.env),
            cwd=HOME,
            start_new_session=True,
            umask=0o022,
        )
    (RUN / f"{service.name}.pid").write_text(f"{process.pid} {started_at(process.pid)}\n")
    return True


def _port_frees(port: int, seconds: float) -> bool:
    # A process whose leader is a zombie may have threads that still hold its sockets for a moment.
    deadline = time.monotonic() + seconds
    while port_open(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def stop(name: str, grace: float = 20) -> bool:
    """End a service: TERM to its leader, then to its group, then KILL. False when it did not run."""
    pid = read_pid(name)
    if pid:
        for number, wait in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
            # The leader first: supervisors then end their own children.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            if _group_ends(pid, wait):
                break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, number)
            if _group_ends(pid, 2):
                break
    (RUN / f"{name}.pid").unlink(missing_ok=True)
    return pid is not None


def _group_ends(pgid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while group_members(pgid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
