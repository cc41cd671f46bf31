"""Lists of rooms: whose rows they are about, what they lead to in the estate, and what is not known of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import duckdb
import pytest

from copilot.answers import Key
from copilot.execution.result import QueryError
from copilot.execution.run import run
from copilot.model import registry
from copilot.model.declaration import Entity, Relation
from copilot.query import Counted, Measure, Query, Related, Test
from copilot.sources import NotAllowed
from store.estate.reading.models import Scope
from tests.copilot.execution.estates import NOW, Handed
from tests.store.estate.reading.tables import database, put

ROWS = [
    {
        "volume_name": name, "resource_id": id, "cloud": "c", "region": "r", "status": status, "points": points,
        "last_at": NOW - timedelta(days=points),
    }
    for name, id, status, points in (("a", "v1", "missing", 0), ("b", "v2", "compliant", 3), ("c", "", "missing", 1))
]  # fmt: skip


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    opened = database()
    put(opened, "volume", "v1", name="a", size_gb=10, project_id="p1")
    put(opened, "volume", "v2", name="b", size_gb=20, project_id="p2")
    put(opened, "volume", "v2", cloud="other", name="b", size_gb=40, project_id="p1")
    return opened


def model(name: str) -> Entity:
    """The model, where a row of compliance leads to its volume."""
    one = registry.entity(name)
    leads = {"volume": Relation("volume", "volume", "resource_id", "id")}
    return replace(one, relations=leads) if name == "compliance" else one


def test_rows_of_a_list(connection: duckdb.DuckDBPyConnection) -> None:
    handed = Handed(connection, lists={"compliance": ROWS})
    query = Query("compliance", Test("status", "=", ("MISSING",)), order=(("last_at", False),), columns=("last_at",))
    result = run(query, handed, NOW)
    none: tuple[str, Key] = ("", ("", "", ""))
    assert result.keys == (none, ("volume", ("c", "r", "v1")))
    assert result.rows[0] == {"volume_name": "c", "last_at": "2026-11-24T12:00:00Z"}
    assert (result.total, result.sql, result.types) == (2, "", ("compliance",))


def test_a_list_leads_to_the_estate(connection: duckdb.DuckDBPyConnection) -> None:
    handed = Handed(connection, lists={"compliance": ROWS})
    big = Query("compliance", Related("volume", Test("size_gb", ">", (15,))))
    result = run(big, handed, NOW, model)
    assert [row["volume_name"] for row in result.rows] == ["b"]
    assert result.types == ("compliance", "volume")
    counted = Query("compliance", counted=(Counted("gb", "volume", kind="sum", column="size_gb"),), columns=("gb",))
    assert {row["volume_name"]: row["gb"] for row in run(counted, handed, NOW, model).rows} == {
        "a": 10,
        "b": 20,
        "c": None,
    }
    handed.scope = Scope(projects=("p1",))
    assert run(big, handed, NOW, model).rows == ()


def test_what_a_list_does_not_know(connection: duckdb.DuckDBPyConnection) -> None:
    handed = Handed(connection, lists={"compliance": ROWS})
    for query in (
        Query("compliance", at=NOW - timedelta(days=1)),
        Query("compliance", gone=(None, None)),
        Query("compliance", Related("server")),
        Query("compliance", Test("colour", "any")),
        Query("compliance", measure=Measure("sum", "status")),
        Query("compliance", measure=Measure("count"), group=("colour",)),
    ):
        with pytest.raises(QueryError):
            run(query, handed, NOW)


def test_what_the_role_does_not_include(connection: duckdb.DuckDBPyConnection) -> None:
    handed = Handed(connection, lists={"compliance": ROWS}, hidden=("volume",))
    with pytest.raises(NotAllowed, match="volumes"):
        run(Query("compliance", Related("volume")), handed, NOW, model)
    handed.hidden = ("compliance",)
    with pytest.raises(NotAllowed):
        run(Query("compliance"), handed, NOW)
