#!/usr/bin/env python3
"""Stop what up.py started. With --purge also remove the lab's folder."""

from __future__ import annotations

import argparse
import concurrent.futures
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.lab import places, processes, services


def bring_down() -> list[str]:
    """Stop all services, the data stores last, and return the names of those that ran."""
    stores = [service.name for service in services.stores()]
    # Pid files, not only today's list: an older checkout may have started others.
    names = {service.name for service in services.everything()}
    names |= {file.stem for file in places.RUN.glob("*.pid")}
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        others = sorted(names - set(stores))
        stopped = [name for name, ran in zip(others, pool.map(processes.stop, others), strict=True) if ran]
    return stopped + [name for name in reversed(stores) if processes.stop(name, 40)]


def purge() -> None:
    """Remove the lab's folder; SystemExit when it does not look like one."""
    if places.HOME.exists() and not places.SECRETS.exists():
        raise SystemExit(f"{places.HOME} does not look like a lab and was not removed.")
    if places.HOME.exists():
        shutil.rmtree(places.HOME)
        places.say(f"removed {places.HOME}")


def main() -> int:
    """Always 0, unless the folder to purge is not a lab's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--purge", action="store_true")
    args = parser.parse_args()
    stopped = bring_down()
    places.say("stopped: " + (", ".join(stopped) or "nothing was running"))
    if args.purge:
        purge()
    return 0


if __name__ == "__main__":
    sys.exit(main())
