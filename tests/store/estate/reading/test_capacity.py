"""Counts per tenant, host and pool, and of protection: each equals the list behind it, and stays within the scope."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest

from store.estate.reading import capacity, capacity_protection
from store.estate.reading.models import Scope, Window
from store.estate.reading.windows import read_page
from store.times import utcnow
from tests.store.estate.reading.tables import database, put

NOW = utcnow().replace(microsecond=0)
EVERYTHING = Scope()


def ago(days: float) -> datetime:
    return (NOW - timedelta(days=days)).replace(tzinfo=None)


@pytest.fixture(scope="module")
def store() -> Iterator[duckdb.DuckDBPyConnection]:
    """Two domains, four projects, 60 machines and 120 volumes in all states, with snapshots and backups of any age."""
    chance = random.Random(7)
    connection = database()
    for domain in ("d1", "d2"):
        put(connection, "domain", domain, name=domain)
    for number in range(4):
        put(connection, "project", f"p{number}", name=f"team {number}", domain_id=f"d{number % 2 + 1}", is_domain=False)
    put(connection, "project", "d1", name="d1", is_domain=True)
    for host in ("h1", "h2"):
        put(connection, "hypervisor", host, name=host, state="up", status="enabled", vcpus=64, memory_mb=65536)
    put(connection, "storage_pool", "b@c#full", name="b@c#full", total_gb=1000.0, free_gb=100.0, state="up")
    put(connection, "storage_pool", "b@c#endless", name="b@c#endless", total_gb=float("inf"), free_gb=float("inf"))
    for number in range(60):
        put(
            connection, "server", f"s{number}", name=f"vm {number}", project_id=f"p{number % 4}", vcpus=2, ram_mb=2048,
            status=chance.choice(("ACTIVE", "SHUTOFF", "ERROR", "PAUSED")), host=chance.choice(("h1", "h2", None)),
            flavor_disk_gb=20, ephemeral_gb=1, image_id=chance.choice(("i", None)),
        )  # fmt: skip
    for number in range(120):
        governed = chance.random() < 0.5
        put(
            connection, "volume", f"v{number}", name=f"disk {number}", project_id=f"p{number % 4}", size_gb=number * 5,
            status=chance.choice(("available", "in-use", "error", "error_deleting", "creating")), host="b@c#full",
            server_id=chance.choice((None, f"s{number % 60}")), created_at=ago(chance.random() * 20),
            metadata=["auto_snapshot=true", "snapshot_policies=daily_5"] if governed else ["auto_snapshot=no"],
        )  # fmt: skip
        for made in range(chance.choice((0, 0, 1, 3))):
            put(
                connection, "snapshot", f"n{number}-{made}", volume_id=f"v{number}", project_id=f"p{number % 4}",
                status=chance.choice(("available", "available", "error")), created_at=ago(chance.random() * 12),
            )  # fmt: skip
        if chance.random() < 0.2:
            put(
                connection, "backup", f"b{number}", volume_id=f"v{number}", status="available",
                created_at=ago(chance.random() * 20), project_id=f"p{number % 4}",
            )  # fmt: skip
    put(connection, "network", "shared", name="shared", project_id="p9", shared=True)
    put(connection, "network", "own", name="own", project_id="p0", shared=False)
    yield connection
    connection.close()


def rows_behind(store: duckdb.DuckDBPyConnection, type: str, filter: str, scope: Scope = EVERYTHING) -> int:
    total, _, _ = read_page(store, Window(type=type, filter=filter, scope=scope), 0, 1, NOW)
    return total


SCOPES = [
    EVERYTHING,
    Scope(projects=("p0", "p3")),
    Scope(domains=("d1",)),
    Scope(clouds=("c",), in_regions=("r",)),
    Scope(clouds=("elsewhere",)),
    Scope(in_projects=("p1",)),
]
MEASURED = {
    "total_servers": ("server", ""),
    "active_servers": ("server", "status:active"),
    "shutoff_servers": ("server", "status:shutoff"),
    "error_servers": ("server", "status:error"),
    "total_volumes": ("volume", ""),
    "available_volumes": ("volume", "status:available"),
    "in_use_volumes": ("volume", "status:in-use"),
    "error_volumes": ("volume", "status:~^error"),
    "total_snapshots": ("snapshot", ""),
    "available_snapshots": ("snapshot", "status:available"),
    "error_snapshots": ("snapshot", "status:~^error"),
}


@pytest.mark.parametrize("scope", SCOPES, ids=str)
def test_counts_of_a_tenant_are_the_rows_of_its_lists(store: duckdb.DuckDBPyConnection, scope: Scope) -> None:
    found = capacity.tenants(store, scope)
    for (cloud, project), row in found.items():
        for name, (type, filter) in MEASURED.items():
            behind = f"cloud:={cloud} project_id:={project} {filter}"
            assert row[name] == rows_behind(store, type, behind, scope), (project, name)
    if scope is EVERYTHING:
        assert {project for _, project in found} == {"p0", "p1", "p2", "p3", "p9"}
        assert sum(row["total_servers"] for row in found.values()) == 60
        assert found["c", "p1"]["domain_name"] == "d2"
        assert found["c", "p9"]["project_name"] is None


def test_a_limited_role_has_its_own_tenants_only(store: duckdb.DuckDBPyConnection) -> None:
    # It sees the shared network, whose owner is none of its projects.
    assert {key[1] for key in capacity.tenants(store, Scope(projects=("p0", "p3")))} == {"p0", "p3"}
    assert {key[1] for key in capacity.tenants(store, Scope(domains=("d1",)))} == {"p0", "p2"}
    assert capacity.tenants(store, Scope(clouds=("elsewhere",))) == {}


PROTECTION = {
    "volumes": "",
    "with_snapshot": "snapshot_count:>0",
    "with_backup": "backup_count:>0",
    "uncovered": "protected:no",
    "stale": "protected:yes !last_snapshot_at:<7d !last_backup_at:<7d",
    "same_back_end_only": "snapshot_count:>0 !backup_count:>0",
}


@pytest.mark.parametrize("scope", SCOPES, ids=str)
def test_protection_is_the_rows_of_its_lists(store: duckdb.DuckDBPyConnection, scope: Scope) -> None:
    rows = capacity_protection.protection(store, scope, NOW)
    for row in rows:
        for name, filter in PROTECTION.items():
            behind = f"cloud:={row['cloud']} project_id:={row['project_id']} {filter}"
            assert row[name] == rows_behind(store, "volume", behind, scope), (row["project_id"], name)
    sums = capacity_protection.sums(rows)
    for name, filter in PROTECTION.items():
        assert sums[name] == rows_behind(store, "volume", filter, scope)
    if scope is EVERYTHING:
        assert all(sums[name] for name in PROTECTION), "the data have every case"


@pytest.mark.parametrize("scope", SCOPES, ids=str)
def test_what_each_volume_can_be_restored_from(store: duckdb.DuckDBPyConnection, scope: Scope) -> None:
    found = capacity_protection.copies(store, scope, NOW)
    assert len(found) == rows_behind(store, "volume", "", scope)
    alone = [row for row in found if row["snapshot_count"] and not row["backup_count"]]
    assert len(alone) == rows_behind(store, "volume", PROTECTION["same_back_end_only"], scope)
    bare = {
        row["volume_id"]: row["risk_score"] for row in found if not row["snapshot_count"] and not row["backup_count"]
    }
    assert bare == {row["id"]: row["risk"] for row in capacity_protection.uncovered(store, scope, NOW, 1000)}


def test_uncovered_volumes_have_the_greatest_risk_first(store: duckdb.DuckDBPyConnection) -> None:
    found = capacity_protection.uncovered(store, EVERYTHING, NOW, 1000)
    assert len(found) == rows_behind(store, "volume", "protected:no")
    assert [row["risk"] for row in found] == sorted((row["risk"] for row in found), reverse=True)
    for row in found:
        picked = "t.server_id, t.size_gb, t.created_at"
        (volume,) = capacity.select(store, "volume", picked, EVERYTHING, where="t.id = ?", parameters=(row["id"],))
        size = volume["size_gb"]
        expected = (5 if volume["server_id"] else 1) + (3 if size >= 500 else 2 if size >= 100 else size >= 20)
        assert row["risk"] == expected + (2 if volume["created_at"] < NOW - timedelta(days=7) else 0)
    assert len(capacity_protection.uncovered(store, EVERYTHING, NOW, 3)) == 3


def test_hosts_have_what_was_promised_of_them(store: duckdb.DuckDBPyConnection) -> None:
    found = {row["name"]: row for row in capacity.hosts(store, EVERYTHING)}
    for name, row in found.items():
        assert row["vm_count"] == rows_behind(store, "server", f"host:={name}")
        assert (row["vm_vcpus"], row["vm_ram_mb"]) == (2 * row["vm_count"], 2048 * row["vm_count"])
        assert row["vm_active"] == rows_behind(store, "server", f"host:={name} status:active")
    assert capacity.hosts(store, Scope(projects=("p0",))) == [], "hosts are nobody's who is limited"


def test_pools_of_a_known_size(store: duckdb.DuckDBPyConnection) -> None:
    (pool,) = capacity.pools(store, EVERYTHING)
    assert (pool["name"], pool["free_gb"]) == ("b@c#full", 100.0)
    assert pool["volume_gb"] == sum(number * 5 for number in range(120))


def test_large_machines_and_their_disks(store: duckdb.DuckDBPyConnection) -> None:
    found = capacity.big_servers(store, EVERYTHING, "storage", 5)
    every = capacity.big_servers(store, EVERYTHING, "storage", 1000)
    assert found == every[:5] and len(every) == rows_behind(store, "server", "status:active")
    for row in every:
        volumes = capacity.select(store, "volume", "sum(t.size_gb)::BIGINT AS gb", EVERYTHING, where="t.server_id = ?",
                                  parameters=(row["id"],))  # fmt: skip
        (local,) = capacity.select(store, "server", "t.image_id", EVERYTHING, where="t.id = ?", parameters=(row["id"],))
        assert row["disk_gb"] == (volumes[0]["gb"] or 0) + 1 + (20 if local["image_id"] else 0)
    assert [row["id"] for row in capacity.servers(store, [every[0]["id"], "none"], EVERYTHING)] == [every[0]["id"]]
    assert capacity.servers(store, [every[0]["id"]], Scope(projects=("p9",))) == []


def test_totals_leave_domains_that_are_projects_out(store: duckdb.DuckDBPyConnection) -> None:
    found = capacity.totals(store, EVERYTHING)
    assert (found["project"], found["server"], found["volume"]) == (4, 60, 120)
    assert found["project"] == rows_behind(store, "project", "!is_domain:yes")
    assert found["running"] == rows_behind(store, "server", "status:active")


def test_large_volumes(store: duckdb.DuckDBPyConnection) -> None:
    found: list[dict[str, Any]] = capacity.big_volumes(store, ("c", "p1"), EVERYTHING, 4)
    assert [row["size_gb"] for row in found] == [585, 565, 545, 525]
