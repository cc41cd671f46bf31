"""The dashboard's short list: what was made, what went, what became another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from store.estate.reading.capacity_recent import recent
from store.estate.reading.models import Scope
from tests.store.estate.reading.tables import T0, database, put

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SINCE = NOW - timedelta(hours=24)


def hours(back: float) -> datetime:
    return (NOW - timedelta(hours=back)).replace(tzinfo=None)


@pytest.fixture
def store() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = database()
    put(connection, "project", "p1", name="acme", domain_id="d1")
    put(connection, "user", "u1", name="dana")
    yield connection
    connection.close()


def test_made_gone_and_changed(store: duckdb.DuckDBPyConnection) -> None:
    made = {"name": "web", "project_id": "p1", "user_id": "u1", "created_at": hours(3), "flavor_name": "m1"}
    put(store, "server", "s1", **made, status="BUILD", valid_from=hours(3), valid_to=hours(2))
    put(store, "server", "s1", **made, status="ACTIVE", valid_from=hours(2), valid_to=hours(1))
    put(store, "server", "s1", **{**made, "name": "web 2"}, status="ACTIVE", valid_from=hours(1))
    put(store, "volume", "v1", name="disk", project_id="p1", size_gb=5, created_at=hours(99), valid_to=hours(4))
    put(store, "volume", "v2", name="old", project_id="p1", created_at=hours(99), valid_to=hours(30))
    total, rows = recent(store, Scope(), SINCE, NOW, 20)
    assert total == 3
    told = [(row["kind"], row["type"], row["id"], row["at"]) for row in rows]
    assert told == [
        ("changed", "server", "s1", hours(2).replace(tzinfo=UTC)),
        ("created", "server", "s1", hours(3).replace(tzinfo=UTC)),
        ("deleted", "volume", "v1", hours(4).replace(tzinfo=UTC)),
    ]
    changed, created, deleted = rows
    assert changed["fields"] == [{"field": "status", "from": "BUILD", "to": "ACTIVE"}]
    assert (changed["user_name"], created["user_name"], created["project_name"]) == (None, "dana", "acme")
    assert (created["name"], created["flavor"], deleted["size_gb"]) == ("web 2", "m1", 5)


def test_what_came_back_has_not_gone(store: duckdb.DuckDBPyConnection) -> None:
    put(store, "network", "n1", name="net", valid_to=hours(5))
    put(store, "network", "n1", name="net", valid_from=hours(4))
    assert recent(store, Scope(), SINCE, NOW, 20) == (0, [])


def test_the_newest_of_all_and_how_many_there_are(store: duckdb.DuckDBPyConnection) -> None:
    for number in range(30):
        put(store, "snapshot", f"s{number}", project_id=f"p{number % 2}", created_at=hours(number / 2), valid_from=T0)
    total, rows = recent(store, Scope(), SINCE, NOW, 4)
    assert (total, [row["id"] for row in rows]) == (30, ["s0", "s1", "s2", "s3"])
    assert recent(store, Scope(), SINCE, NOW, 1000)[0] == 30
    assert recent(store, Scope(projects=("p1",)), SINCE, NOW, 2)[0] == 15
    assert recent(store, Scope(clouds=("other",)), SINCE, NOW, 2) == (0, [])


def test_a_role_limited_to_a_domain_sees_its_own(store: duckdb.DuckDBPyConnection) -> None:
    put(store, "volume", "v1", name="gone", project_id="p1", valid_to=hours(1))
    put(store, "volume", "v2", name="foreign", project_id="p9", valid_to=hours(1))
    total, rows = recent(store, Scope(domains=("d1",)), SINCE, NOW, 9)
    assert (total, [row["id"] for row in rows]) == (1, ["v1"])
