"""Takes the lab's compute cell away from the API, as when its database is down, and gives it back."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.contract.wire import Actor, rows_of, wait_for
from tests.lab import configuration, databases, places, processes, services

# Without limit or any other parameter: Nova leaves the servers of a down cell out of paged listings.
SERVERS = "/servers/detail?all_tenants=1"


def _cell_id() -> str:
    listing = subprocess.run(
        [*databases.nova_manage(), "cell_v2", "list_cells"], capture_output=True, text=True, check=True
    )
    cells = [line.split("|") for line in listing.stdout.splitlines() if "cell1" in line]
    return cells[0][2].strip()


def _point_cell_at(cell: str, database: str, transport: str) -> None:
    """Change where the API looks for the cell, and restart the API, which reads that only at its start."""
    change = ["--cell_uuid", cell, "--database_connection", database, "--transport-url", transport]
    subprocess.run([*databases.nova_manage(), "cell_v2", "update_cell", *change], capture_output=True, check=True)
    (api,) = (service for service in services.apis() if service.name == "nova-api")
    processes.stop(api.name)
    processes.start(api)
    databases.wait_port(api)


@contextmanager
def cell_down(admin: Actor) -> Iterator[list[str]]:
    """While in the block, Nova can say no more of its servers than their ids, which are given."""
    known = places.load_secrets()
    cell, database = _cell_id(), configuration.database("nova", known)
    transport = str(configuration.defaults("nova", known)["transport_url"])
    # Nothing listens on port 1, so the connection is refused at once instead of timing out.
    nowhere = database.replace(f":{places.PORT['mariadb']}/", ":1/")

    def servers() -> list[dict[str, object]]:
        answer = admin("compute", SERVERS, version="2.90")
        return rows_of(answer.json()) if answer.status_code == 200 else []

    ids = [str(server["id"]) for server in servers()]
    try:
        _point_cell_at(cell, nowhere, transport)
        wait_for(servers, lambda rows: any(row["status"] == "UNKNOWN" for row in rows), 90)
        yield ids
    finally:
        _point_cell_at(cell, database, transport)
        wait_for(servers, lambda rows: len(rows) >= len(ids) and all("name" in row for row in rows), 90)
