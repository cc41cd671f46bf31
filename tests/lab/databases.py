"""The data stores: start them, make databases and accounts, bring schemas up to date."""

from __future__ import annotations

import concurrent.futures
import subprocess
import time

from tests.lab import places, processes, services
from tests.lab.configuration import database
from tests.lab.places import DATABASES, ETC, HOME, LOG, REGION, binary
from tests.lab.processes import Failure
from tests.lab.steps import run

ROOT = ["--keystone-user", "root", "--keystone-group", "root"]


def wait_port(service: processes.Service, seconds: float = 180) -> None:
    """Wait until a service accepts connections; Failure when it ends or takes too long."""
    deadline = time.monotonic() + seconds
    while not processes.port_open(service.port or 0):
        if time.monotonic() > deadline or not processes.read_pid(service.name):
            raise Failure(f"{service.name} does not answer on port {service.port}; see {LOG / service.name}.out.")
        time.sleep(0.2)


def start(known: dict[str, str]) -> None:
    """Start MariaDB and RabbitMQ, and make the databases with their one account."""
    data = places.DATA / "mariadb"
    if not (data / "mysql").exists():
        options = ["--no-defaults", f"--datadir={data}", "--skip-test-db", "--user=root"]
        options += ["--auth-root-authentication-method=socket", "--auth-root-socket-user=root"]
        run(["mariadb-install-db", *options], "mariadb")
    for service in services.stores():
        processes.start(service)
    for service in services.stores():
        wait_port(service)
    sql = [f"CREATE DATABASE IF NOT EXISTS {name};" for name in DATABASES]
    for host in (places.ADDRESS, "localhost"):
        sql.append(f"CREATE USER IF NOT EXISTS 'lab'@'{host}';")
        sql.append(f"ALTER USER 'lab'@'{host}' IDENTIFIED BY '{known['db']}';")
        sql += [f"GRANT ALL ON {name}.* TO 'lab'@'{host}';" for name in DATABASES]
    client = ["mariadb", "--no-defaults", "--user=root", f"--socket={HOME / 'run' / 'mariadb.sock'}"]
    subprocess.run(client, input="\n".join(sql), text=True, check=True)


def _tool(program: str, *configs: str) -> list[str]:
    command = [binary(program)]
    for config in configs:
        command += ["--config-file", str(ETC / config)]
    return command


def nova_manage() -> list[str]:
    """nova-manage with the lab's configuration, databases included."""
    return _tool("nova-manage", "nova/nova.conf", "nova/nova-db.conf")


def sync_schemas(known: dict[str, str]) -> None:
    """Make every schema, in two lanes of about equal length, and Keystone's first account."""
    keystone = _tool("keystone-manage", "keystone/keystone.conf")
    identity = places.url("keystone", "/v3")
    bootstrap = ["bootstrap", "--bootstrap-password", known["admin"], "--bootstrap-region-id", REGION]
    for interface in ("admin", "internal", "public"):
        bootstrap += [f"--bootstrap-{interface}-url", identity]
    first = [
        ("keystone", [*keystone, "db_sync"]),
        ("keystone", [*keystone, "fernet_setup", *ROOT]),
        ("keystone", [*keystone, "credential_setup", *ROOT]),
        ("keystone", keystone + bootstrap),
        ("glance", [*_tool("glance-manage", "glance/glance-api.conf"), "db_sync"]),
        ("placement", [*_tool("placement-manage", "placement/placement.conf"), "db", "sync"]),
        ("cinder", [*_tool("cinder-manage", "cinder/cinder.conf"), "db", "sync"]),
    ]
    nova, cell0 = nova_manage(), database("nova_cell0", known)
    neutron = _tool("neutron-db-manage", "neutron/neutron.conf", "neutron/ml2_conf.ini")
    second = [
        ("nova", [*nova, "api_db", "sync"]),
        ("nova", [*nova, "cell_v2", "map_cell0", "--database_connection", cell0]),
        ("nova", [*nova, "db", "sync"]),
        ("neutron", [*neutron, "upgrade", "head"]),
    ]

    def lane(commands: list[tuple[str, list[str]]]) -> None:
        for log, command in commands:
            run(command, f"sync-{log}")

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for result in [pool.submit(lane, first), pool.submit(lane, second)]:
            result.result()
    # 2 means that the cell is there already.
    run([*nova, "cell_v2", "create_cell", "--name", "cell1"], "sync-nova", allowed=(0, 2))
