"""Running queries on the estate: rows, numbers, order, limits, scope, and what cannot be asked."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import pytest

from copilot.execution.result import QueryError
from copilot.execution.run import run
from copilot.query import Counted, Measure, Query, Related, Test
from copilot.sources import NotAllowed
from store.estate.reading.models import Scope
from tests.copilot.execution.estates import NOW, Handed
from tests.store.estate.reading.tables import T0, database, put


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    opened = database()
    put(opened, "project", "p1", name="acme-prod", domain_id="d1")
    put(opened, "project", "p2", name="beta", domain_id="d2")
    put(opened, "project", "p1", name="acme-prod", domain_id="d2", valid_from=T0 - timedelta(days=9), valid_to=T0)
    for number in range(6):
        put(
            opened,
            "server",
            f"s{number}",
            name=f"web-0{number}",
            status="ACTIVE" if number % 2 else "SHUTOFF",
            project_id="p1" if number < 4 else "p2",
            vcpus=number,
            created_at=T0,
        )
        put(opened, "volume", f"v{number}", size_gb=10 * number, server_ids=[f"s{number}"], project_id="p1")
    gone = T0 + timedelta(days=3)
    put(opened, "server", "old", name="old-01", project_id="p1", valid_from=T0, valid_to=gone)
    put(opened, "server", "s0", name="web-00", valid_from=T0 - timedelta(days=9), valid_to=T0)  # came back
    return opened


def names(query: Query, handed: Handed) -> list[str]:
    return [row["name"] for row in run(query, handed, NOW).rows]


def test_rows_have_keys_columns_and_a_total_beyond_the_limit(connection: duckdb.DuckDBPyConnection) -> None:
    query = Query(
        "server", Test("project_name", "=", ("ACME-PROD",)), order=(("vcpus", True),), limit=2, columns=("created_at",)
    )
    result = run(query, Handed(connection), NOW)
    assert [field.name for field in result.columns] == ["name", "created_at", "vcpus"]
    assert result.rows[0] == {"name": "web-03", "created_at": "2026-11-01T00:00:00Z", "vcpus": 3}
    assert result.total == 4
    assert result.keys == (("server", ("c", "r", "s3")), ("server", ("c", "r", "s2")))
    assert connection.execute(result.sql).fetchall() == [("web-03", T0, 3), ("web-02", T0, 2)]


def test_no_rows(connection: duckdb.DuckDBPyConnection) -> None:
    result = run(Query("server", Test("name", "=", ("nothing",))), Handed(connection), NOW)
    assert (result.rows, result.total, result.keys) == ((), 0, ())
    assert run(Query("server", limit=0), Handed(connection), NOW).total == 6


def test_what_vanished(connection: duckdb.DuckDBPyConnection) -> None:
    day = timedelta(days=1)
    since = (NOW.replace(hour=0) - timedelta(days=22), None)  # 3 November
    handed = Handed(connection)
    result = run(Query("server", gone=(None, None)), handed, NOW)
    assert [(row["name"], row["project_name"], row["valid_to"]) for row in result.rows] == [
        ("old-01", "acme-prod", "2026-11-04T00:00:00Z")
    ]
    assert names(Query("server", gone=since), handed) == ["old-01"]
    assert names(Query("server", gone=(since[0] + 2 * day, None)), handed) == []
    assert names(Query("server", gone=(None, since[0] + day)), handed) == []  # ended then: not within
    assert connection.execute(result.sql).fetchone()[0] == "old-01"  # type: ignore[index]


def test_the_state_of_a_time(connection: duckdb.DuckDBPyConnection) -> None:
    at = NOW - timedelta(days=23)
    result = run(Query("server", measure=Measure("count"), at=at), Handed(connection), NOW)
    assert result.value == 7
    assert "servers_at(TIMESTAMP '2026-11-02 12:00:00.000000')" in result.sql
    assert connection.execute(result.sql).fetchone() == (7,)


SCOPES = [
    (Scope(clouds=("other",)), 0, 0),
    (Scope(projects=("p1",)), 4, 3),
    (Scope(domains=("d2",)), 2, 0),
    (Scope(in_projects=("p2",)), 2, 0),
    (Scope(in_regions=("r",)), 6, 5),
]


@pytest.mark.parametrize(("scope", "servers", "holding"), SCOPES)
def test_nobody_sees_beyond_the_scope(
    connection: duckdb.DuckDBPyConnection, scope: Scope, servers: int, holding: int
) -> None:
    """All volumes are project p1's: of who sees p2 alone, no server has one."""
    handed = Handed(connection, scope)
    with_volume = Related("volume", Test("size_gb", ">", (0,)))
    for where, expected in ((Query("server").where, servers), (with_volume, holding)):
        result = run(Query("server", where, Measure("count")), handed, NOW)
        assert result.value == expected
        assert connection.execute(result.sql).fetchone() == (expected,)


WRONG = [
    Query("nothing"),
    Query("server", Test("colour", "=", ("red",))),
    Query("server", Test("vcpus", "=", ("many",))),
    Query("server", Test("vcpus", "contains", (4,))),
    Query("server", Test("name", "<", ("a",))),
    Query("server", Test("created_at", ">", (4,))),
    Query("server", Test("locked", "=", ("maybe",))),
    Query("server", Related("colour")),
    Query("server", measure=Measure("sum", "name")),
    Query("server", measure=Measure("count"), group=("status",), order=(("name", False),)),
    Query("server", measure=Measure("count"), group=("tags", "metadata")),
    Query("server", counted=(Counted("n", "volume", kind="sum", column="name"),)),
    Query("server", order=(("doc", False),)),
]


@pytest.mark.parametrize("query", WRONG, ids=str)
def test_what_the_model_does_not_have(connection: duckdb.DuckDBPyConnection, query: Query) -> None:
    with pytest.raises(QueryError, match=r"\w{3}"):
        run(query, Handed(connection), NOW)


def test_types_that_the_role_does_not_include(connection: duckdb.DuckDBPyConnection) -> None:
    handed = Handed(connection, hidden=("volume",))
    with pytest.raises(NotAllowed, match="volumes"):
        run(Query("volume"), handed, NOW)
    with pytest.raises(NotAllowed, match="volumes"):
        run(Query("server", Related("volume")), handed, NOW)
    assert run(Query("server", measure=Measure("count")), handed, NOW).value == 6
