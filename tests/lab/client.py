"""For the parts that talk to the lab's APIs: run in its Python, connect, wait."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.lab.places import CLOUDS, HOME, REGION, VENV, binary, url

SETTLED_BADLY = ("error", "error_deleting")


def in_venv() -> None:
    """Start this script again with the lab's Python, which has the SDK, when it is not that."""
    python = binary("python")
    if not Path(python).exists():
        raise SystemExit(f"There is no lab in {HOME}: run up.py first.")
    if Path(sys.prefix).absolute() != VENV:
        os.execv(python, [python, "-B", *sys.argv])


def connect(cloud: str = "lab-admin") -> Any:
    """An openstacksdk connection with an entry of the lab's clouds.yaml, whatever OS_* says."""
    import openstack

    for key in [key for key in os.environ if key.startswith("OS_")]:
        del os.environ[key]
    os.environ["OS_CLIENT_CONFIG_FILE"] = str(CLOUDS)
    return openstack.connect(cloud=cloud)


def connect_as(user: str, password: str, project: str, domain: str) -> Any:
    """A connection of one of the populated projects' users."""
    import openstack

    auth = {
        "auth_url": url("keystone", "/v3"),
        "username": user,
        "password": password,
        "user_domain_name": domain,
        "project_name": project,
        "project_domain_name": domain,
    }
    return openstack.connect(auth=auth, region_name=REGION)


def wait(get: Callable[[], Any], wanted: str | Iterable[str], seconds: float = 90) -> Any:
    """Poll `get()` until its status is a wanted one, and return what it gave.

    Raises RuntimeError when the status is an error that was not wanted, TimeoutError after `seconds`.
    """
    statuses = {wanted} if isinstance(wanted, str) else set(wanted)
    deadline = time.monotonic() + seconds
    while True:
        item = get()
        if item.status in statuses:
            return item
        if str(item.status).lower() in SETTLED_BADLY:
            raise RuntimeError(f"{item.name or item.id} is {item.status} {getattr(item, 'fault', None) or ''}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{item.name or item.id} is still {item.status} after {seconds:.0f} s")
        time.sleep(0.3)
