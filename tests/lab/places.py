"""Where the lab is: its folder, its ports, its hosts, its secrets.

Standard library only: `up` runs before anything is installed. Everything the
lab writes lives below `HOME`; everything it binds is on `ADDRESS`.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOME = Path(os.environ.get("QDECK_LAB_HOME", "/var/tmp/qdeck-lab")).absolute()
# Added to every usual OpenStack port, so that nothing else is in the way.
OFFSET = int(os.environ.get("QDECK_LAB_PORT_OFFSET", "20000"))
ADDRESS = "127.0.0.1"
REGION = "RegionOne"

VENV = HOME / "venv"
ETC = HOME / "etc"
LOG = HOME / "log"
RUN = HOME / "run"
STATE = HOME / "state"
DATA = HOME / "data"
CLOUDS = HOME / "clouds.yaml"
SECRETS = HOME / "secrets.json"

# The last one is forced down once it has a server (populate.py).
COMPUTES = ["lab-cmp-1", "lab-cmp-2", "lab-cmp-3", "lab-cmp-4"]
NETWORK_HOST = "lab-net-1"
BACKENDS = {"ssd": ["fast"], "hdd": ["bulk-a", "bulk-b"]}
DATABASES = ["keystone", "glance", "placement", "nova_api", "nova", "nova_cell0", "cinder", "neutron"]

BASE_PORTS = {
    "epmd": 4369,
    "mariadb": 3306,
    "rabbitmq": 5673,
    "rabbit-dist": 5674,
    "keystone": 5000,
    "placement": 8778,
    "glance": 9292,
    "nova": 8774,
    "cinder": 8776,
    "neutron": 9696,
    "novnc": 6080,
}
PORT = {name: base + OFFSET for name, base in BASE_PORTS.items()}

SECRET_NAMES = ("db", "rabbit", "admin", "outsider", "service", "member", "reader", "metadata")


def binary(name: str) -> str:
    """Path of a program in the lab's own virtual environment."""
    return str(VENV / "bin" / name)


def url(service: str, suffix: str = "") -> str:
    """Base address of an API, for example `url("keystone", "/v3")`."""
    return f"http://{ADDRESS}:{PORT[service]}{suffix}"


def say(text: str) -> None:
    """Print one line at once, also into a pipe."""
    print(text, flush=True)


def load_secrets() -> dict[str, str]:
    """Passwords of this lab, made up at the first call and kept in `secrets.json` (0600)."""
    known: dict[str, str] = json.loads(SECRETS.read_text()) if SECRETS.exists() else {}
    missing = [name for name in SECRET_NAMES if name not in known]
    if missing:
        known.update((name, secrets.token_hex(12)) for name in missing)
        HOME.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(SECRETS, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
            json.dump(known, handle, indent=1, sort_keys=True)
    return known
