"""A small estate in memory, and who asks: everything in it is known, so that answers can be written down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import duckdb

from store.estate.reading.models import Scope
from tests.store.estate.reading.tables import database, put

T = TypeVar("T")
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
# Stands in everything that a limited asker may not read, and in every document.
PLANTED = "PLANTED-7Q"


def world(*, others: bool = True) -> duckdb.DuckDBPyConnection:
    """Project acme with three servers; with `others`, project beta besides, of which acme's people may know nothing."""
    connection = database()
    _acme(connection)
    if others:
        _beta(connection)
    return connection


def _acme(connection: duckdb.DuckDBPyConnection) -> None:
    def server(id: str, name: str, status: str, ram: int, host: str, made: datetime, **more: Any) -> None:
        values = {"project_id": "p1", "vcpus": ram // 2048, "ram_mb": ram, "host": host, "created_at": made}
        doc = f'{{"token": "{PLANTED}"}}'
        put(connection, "server", id, name=name, status=status, image_id="i1", doc=doc, **{**values, **more})

    put(connection, "project", "p1", name="acme", domain_id="d1", enabled=True)
    server("s1", "web-01", "ACTIVE", 4096, "cmp-01", datetime(2026, 11, 1, 8), tags=["prod", "web"])
    server("s3", "db-01", "ACTIVE", 16384, "cmp-02", datetime(2026, 10, 1, 8), tags=["prod", "db"])
    until = datetime(2026, 11, 15)
    early = datetime(2026, 11, 10, 8)
    server("s2", "web-02", "ACTIVE", 2048, "cmp-01", early, tags=["prod"], valid_to=until)
    server("s2", "web-02", "SHUTOFF", 4096, "cmp-01", early, tags=["prod"], valid_from=until)
    for id, size, status, attached, made in (
        ("v1", 100, "in-use", ["s1"], datetime(2026, 11, 1, 8)),
        ("v2", 50, "available", [], datetime(2026, 11, 2, 8)),
        ("v3", 500, "in-use", ["s3"], datetime(2026, 10, 1, 8)),
    ):
        first = attached[0] if attached else None
        values = {"size_gb": size, "status": status, "project_id": "p1", "server_ids": attached, "server_id": first}
        put(connection, "volume", id, name=f"vol-{id}", created_at=made, **values)
    for id, day in (("n1", 20), ("n2", 28)):
        made = datetime(2026, 11, day)
        values = {"volume_id": "v1", "size_gb": 100, "status": "available", "project_id": "p1", "created_at": made}
        put(connection, "snapshot", id, name=f"snap-{day}", **values)
    put(connection, "image", "i1", name="ubuntu", visibility="public", project_id="p1", size_bytes=2 << 30)


def _beta(connection: duckdb.DuckDBPyConnection) -> None:
    values: dict[str, Any] = {"project_id": "p2", "status": "ACTIVE", "created_at": datetime(2026, 11, 25)}
    put(connection, "project", "p2", name=f"beta-{PLANTED}", domain_id="d2", enabled=True)
    for number, ram in ((4, 1024), (5, 8192), (6, 65536)):
        name = f"beta-0{number}-{PLANTED}"
        put(connection, "server", f"s{number}", name=name, vcpus=4, ram_mb=ram, host="cmp-03", tags=[PLANTED], **values)
    put(connection, "volume", "v4", name=f"0-{PLANTED}", size_gb=0, server_ids=["s4"], **values)
    put(connection, "image", "i2", name=PLANTED, visibility="private", project_id="p2", size_bytes=1)
    put(connection, "hypervisor", "h1", name=f"cmp-03-{PLANTED}", vcpus=64, state="up", status="enabled")
    put(connection, "user", "u1", name=f"user-{PLANTED}", domain_id="d2", email=f"{PLANTED}@example.com")
    put(connection, "network", "w1", name=f"net-{PLANTED}", project_id="p2", shared=False, external=False)


class Asker:
    """Who asks: what it may read of a world."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, scope: Scope | None = None, without: tuple[str, ...] = ()
    ) -> None:
        self.scope = scope or Scope()
        self._connection = connection
        self._without = without

    def may(self, entity: str) -> bool:
        return entity not in self._without

    def read(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        with self._connection.cursor() as cursor:
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            answer = work(cursor)
            cursor.execute("COMMIT")
            return answer

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the guard has no business with {name}")


ACME = Scope(projects=("p1",))
