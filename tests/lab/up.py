#!/usr/bin/env python3
"""Bring the lab up: install what is missing, configure, start, wait.

Safe to run again at any time: finished steps are skipped, running services
are left alone, dead ones are started.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.lab import catalog, configuration, databases, install, places, processes, services
from tests.lab.processes import Failure
from tests.lab.steps import Stamp, digest, run, timed


def wait_http(service: processes.Service, seconds: float = 300) -> None:
    """Wait until an API answers with anything but a 5xx; Failure when it ends or takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and processes.read_pid(service.name):
        try:
            with urllib.request.urlopen(f"http://{places.ADDRESS}:{service.port}/", timeout=20):
                return
        except urllib.error.HTTPError as error:
            if error.code < 500:
                return
        except OSError:
            pass  # not listening yet
        time.sleep(0.3)
    raise Failure(f"{service.name} does not answer; see {places.LOG / service.name}.out.")


def bring_up() -> None:
    """All steps, in order. Raises Failure."""
    known = places.load_secrets()
    for folder in (places.LOG, places.RUN, places.STATE, places.DATA):
        folder.mkdir(parents=True, exist_ok=True)
    install.install_packages()
    install.install_python()
    install.install_fakes()
    configuration.write_all(known)
    catalog.write_clouds(known)
    with timed("data stores"):
        databases.start(known)
    stamp = Stamp("schemas", digest(install.LOCK))
    if not stamp.fresh:
        with timed("schemas"):
            databases.sync_schemas(known)
        stamp.write()
    with timed("keystone"):
        processes.start(services.keystone())
        wait_http(services.keystone())
    script = places.HERE / "catalog.py"
    python = [places.binary("python"), "-B", str(script)]
    stamp = Stamp("accounts and catalog", f"{digest(script)} {places.OFFSET}")
    if not stamp.fresh:
        with timed("accounts and catalog"):
            run([*python, "catalog"], "catalog")
        stamp.write()
    with timed("services"):
        for service in services.apis() + services.workers():
            processes.start(service)
        for service in services.apis():
            wait_http(service)
    with timed("hosts and defaults"):
        run([*python, "finish"], "catalog")


def main() -> int:
    """Exit code 0 when every service answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--populate", action="store_true", help="then fill it with what the tests need")
    args = parser.parse_args()
    began = time.monotonic()
    os.umask(0o022)
    try:
        install.check_machine()
        places.HOME.mkdir(parents=True, exist_ok=True)
        with (places.HOME / "up.lock").open("w") as guard:
            try:
                fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Failure(f"Another up.py is at work in {places.HOME}: wait for it.") from None
            bring_up()
    except Failure as failure:
        places.say(f"The lab is not up. {failure}")
        return 1
    places.say(f"The lab is up after {time.monotonic() - began:.0f}s: export OS_CLIENT_CONFIG_FILE={places.CLOUDS}")
    if args.populate:
        return os.spawnv(
            os.P_WAIT,
            places.binary("python"),
            [places.binary("python"), "-B", str(places.HERE / "populate.py")],
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
