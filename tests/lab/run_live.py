#!/usr/bin/env python3
"""Run the live tests: lab up, populate, pytest; prints how long each stage took.

usage: run_live.py PYTHON [pytest arguments...]

PYTHON is the interpreter of the project's virtual environment. The exit code is
pytest's, or 1 when the lab did not come up. With CI=true the lab gets a folder
and ports of its own and is purged at the end, also after a failure or SIGTERM;
otherwise the usual lab is used, and stays up for the next run.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.lab import install, places
from tests.lab.processes import Failure

# Seconds after which a stage is hopeless: several times what it takes on two idle cores (130, 100, 900, 30), because a
# machine that is busy with other things is slow and not broken. Purging is given all the time it may need.
LIMITS = {"lab up": 900, "populate": 600, "tests": 3000, "purge": 1200}
TESTS = ["-m", "live", "tests/live", "tests/contract"]


class Stopped(Exception):
    """A signal asked us to end."""


def on_signal(number: int, frame: FrameType | None) -> None:
    """Turn a signal into an exception, so that the lab is purged on the way out."""
    raise Stopped(signal.Signals(number).name)


def free_offset() -> int:
    """A port offset at which every port of the lab is free now.

    All of them stay below 32768, where the kernel starts to hand out ports of its own.
    """
    for offset in range(10000, 23000, 250):
        if all(_free(base + offset) for base in places.BASE_PORTS.values()):
            return offset
    raise Failure("No port range for the lab is free on this machine: end the other labs.")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((places.ADDRESS, port))
        except OSError:
            return False
    return True


def stage(name: str, command: list[str], env: dict[str, str]) -> int:
    """Run one stage in a process group of its own and return its exit code (124: took too long)."""
    began = time.monotonic()
    process = subprocess.Popen(command, env=env, cwd=places.HERE.parents[1], start_new_session=True)
    try:
        code = process.wait(LIMITS[name])
    except subprocess.TimeoutExpired:
        places.say(f"{name} was ended after {LIMITS[name]} s.")
        code = 124
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    places.say(f"== {name}: {time.monotonic() - began:.0f} s, exit code {code}")
    return code


def run(python: str, arguments: list[str], env: dict[str, str]) -> int:
    """All stages; stops at the first that fails."""
    lab = [sys.executable, str(places.HERE / "up.py")]
    code = stage("lab up", lab, env)
    if code == 0:
        code = stage("populate", [sys.executable, str(places.HERE / "populate.py")], env)
    if code == 0:
        code = stage("tests", [python, "-m", "pytest", *(arguments or TESTS)], env)
    return code


def main() -> int:
    """See the module's docstring."""
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    own = os.environ.get("CI", "").lower() in ("1", "true")
    env = dict(os.environ)
    try:
        install.check_machine()
        if own:
            env["QDECK_LAB_PORT_OFFSET"] = str(free_offset())
    except Failure as failure:
        places.say(f"The live tests cannot run. {failure}")
        return 1
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, on_signal)
    if own:
        env["QDECK_LAB_HOME"] = tempfile.mkdtemp(prefix="qdeck-lab-", dir="/var/tmp")
    try:
        return run(sys.argv[1], sys.argv[2:], env)
    except Stopped as stopped:
        places.say(f"stopped by {stopped}")
        return 1
    finally:
        if own:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            stage("purge", [sys.executable, str(places.HERE / "down.py"), "--purge"], env)


if __name__ == "__main__":
    sys.exit(main())
