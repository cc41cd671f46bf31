"""An estate whose names are hard to hide, and who asks about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import duckdb

from copilot.linking.names import Names
from copilot.linking.shelves import Shelves
from copilot.redaction.index import index_of
from copilot.redaction.redactor import Redactor
from tests.copilot.guard.estate import Asker
from tests.store.estate.reading.tables import database, put

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
PROJECTS = ("acme-prod", "Größe & Söhne", "test", "server-1", "测试项目", "project-2", 'O\'Reilly "Media"', "name")
SERVERS = (
    "web-01", "WEB-01", "web_01", "web", "active", "7", "12345", "server-1", "host-2", "text-1", "r9", "a.b.c",
    "x' OR '1'='1", "db 01 (old)", "naïve café", "\uff57\uff49\uff44\uff45\uff0d\uff19",
    "🔥prod", "数据库-主", "cmp-01-console", "10-0-0-7",
    "acme-prod", "gro\u0308sser", "myMachine", "two\u200bparts", "end.", "-lead", "stub-", "[web](http://x/y)",
    "https://host/path?q=1", "key=value", "web-01.example.net", "%2e%2e", "user@host", "C:\\\\temp", "$(reboot)", "--",
    "the big one of Jones", "Straße 9", "null", "SELECT", "select-me", "ok", "rows", "columns", "question", "x" * 200,
)  # fmt: skip
DESCRIPTION = "belongs to Katzenberger"
FIXED = frozenset(
    ("$(reboot)", "end.", "active", "7", "--", "null", "SELECT", "ok", "rows", "columns", "question", "name")
)


def estate() -> duckdb.DuckDBPyConnection:
    """All of it, in memory."""
    connection = database()
    put(connection, "domain", "9d0c1f4e5b6a4c3d8e7f000000000001", name="Hohenheim", enabled=True, cloud="Nordwolke")
    for number, name in enumerate(PROJECTS):
        id = f"b{number:031x}"
        values: dict[str, Any] = {"domain_id": "9d0c1f4e5b6a4c3d8e7f000000000001", "description": DESCRIPTION}
        put(connection, "project", id, name=name, enabled=True, cloud="Nordwolke", **values)
        mail = f"chief{number}@firm{number}.example"
        put(connection, "user", f"c{number:031x}", name=f"chief{number}", email=mail, cloud="Nordwolke")
    place = {"cloud": "Nordwolke", "region": "Ulmendorf"}
    for number, name in enumerate(SERVERS):
        values = {
            "project_id": f"b{number % len(PROJECTS):031x}", "status": "ACTIVE", "vcpus": 2, "ram_mb": 2048,
            "host": f"cmp-{number % 3:02}.rack.example.net", "created_at": datetime(2026, 11, 1, 8),
            "tags": ["Katzenberger"], "fixed_ips": [f"10.11.{number}.7", f"2001:db8::{number + 0x1000:x}"],
        }  # fmt: skip
        put(connection, "server", server_id(number), name=name, **values, **place)
        values = {"mac_address": f"fa:16:3e:aa:bb:{number:02x}", "fixed_ips": [f"10.11.{number}.7"]}
        put(connection, "port", f"5f8d1c2e-0000-4000-9000-{number:012x}", name=f"port of {name}", **values, **place)
    for number in range(3):
        name = f"cmp-{number:02}.rack.example.net"
        put(connection, "hypervisor", f"hyper{number}", name=name, state="up", status="enabled", vcpus=64, **place)
    put(connection, "network", "6f8d1c2e-0000-4000-9000-000000000001", name="Ringnetz", shared=True, **place)
    put(connection, "subnet", "7f8d1c2e-0000-4000-9000-000000000001", name="Ringnetz v4", cidr="10.11.0.0/16", **place)
    return connection


def server_id(number: int) -> str:
    """Id of a server by its place in SERVERS."""
    return f"4f8d1c2e-0000-4000-9000-{number:012x}"


def inventory() -> set[str]:
    """Every value that must not leave, but those that are words of the fixed vocabulary."""
    servers = range(len(SERVERS))
    found = {*PROJECTS, *SERVERS, "Hohenheim", "Nordwolke", "Ulmendorf", "Ringnetz", "Ringnetz v4", "Katzenberger"}
    found |= {server_id(n) for n in servers} | {f"10.11.{n}.7" for n in servers} | {"10.11.0.0/16", "rack.example"}
    found |= {f"2001:db8::{n + 0x1000:x}" for n in servers} | {f"fa:16:3e:aa:bb:{n:02x}" for n in servers}
    found |= {f"chief{n}" for n in range(len(PROJECTS))} | {f"firm{n}" for n in range(len(PROJECTS))}
    found |= {f"b{n:031x}" for n in range(len(PROJECTS))} | {"cmp-00", "cmp-01", "cmp-02"}
    # Pseudonyms look as some of the names do; that those are never handed out is tested apart.
    return found - FIXED - {"server-1", "project-2", "host-2", "text-1", "r9"}


class Person(Asker):
    """Who asks, with what the tools need besides."""

    def data_at(self, types: Any) -> datetime | None:
        return NOW

    def version(self, type: str | None = None) -> int:
        return 1

    def find(self, text: str, at: datetime | None = None) -> Mapping[str, Any]:
        key = ["Nordwolke", "Ulmendorf", server_id(0)]
        item = {"type": "server", "key": key, "name": "web-01", "says": "is web-01", "project": "acme-prod"}
        return {"items": [item | {"host": "cmp-00.rack.example.net"}], "more": False}


def redactor(connection: duckdb.DuckDBPyConnection) -> Redactor:
    """For everything in it; not through what the process keeps of another test's estate."""
    person: Any = Person(connection)
    return Redactor(index_of(Names.of(person, Shelves())))
