#!/usr/bin/env python3
"""Fill the lab through its APIs with what the tests need. Running it again adds only what is missing."""

from __future__ import annotations

import collections
import concurrent.futures
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.lab import places, special, tenants
from tests.lab.client import connect, connect_as, in_venv
from tests.lab.filling import ProjectFiller


def main() -> int:
    """Exit code 1 when a project could not be filled; the reasons are printed."""
    in_venv()
    began = time.monotonic()
    password = places.load_secrets()["member"]
    admin = connect()
    projects = tenants.make_accounts(admin, password)
    tenants.make_shared(admin)
    special.make_special(admin)
    host_down = threading.Event()

    def fill(number: int) -> None:
        project, domain = projects[number]
        cloud = connect_as(f"{project.name}-member", password, project.name, domain.name)
        kind = special.FILLERS.get(project.name, ProjectFiller)
        kind(cloud, project.name, number, admin, host_down).fill()

    problems = []
    with concurrent.futures.ThreadPoolExecutor(len(projects)) as pool:
        running = {pool.submit(fill, number): project.name for number, (project, _) in enumerate(projects)}
        for done in concurrent.futures.as_completed(running):
            if done.exception():
                problems.append(f"{running[done]}: {done.exception()}")
    states = collections.Counter(server.status for server in admin.compute.servers(all_projects=True))
    for problem in problems:
        places.say(f"problem: {problem}")
    places.say(f"populated in {time.monotonic() - began:.0f}s; servers: {dict(states)}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
