"""Queries that a model gives as fields."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from copilot.backends.structured import query_of
from copilot.query import EVERYTHING, All, Measure, Not, Query, Related
from copilot.query import Test as Where
from tests.copilot.backends.estate import NOW

SINCE = "2026-11-29T10:00:00Z"


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({"entity": "server"}, Query("server")),
        ({"entity": "vms"}, Query("server")),
        ({"entity": " Servers "}, Query("server")),
        ({"entity": "drift_event"}, Query("drift_event")),
        ({"entity": "server", "measure": "count"}, Query("server", measure=Measure("count"))),
        (
            {"entity": "volume", "measure": "sum", "measured": "size_gb"},
            Query("volume", measure=Measure("sum", "size_gb")),
        ),
        (
            {"entity": "server", "where": [{"column": "status", "values": ["ERROR"]}]},
            Query("server", Where("status", "=", ("ERROR",))),
        ),
        (
            {"entity": "server", "where": [{"column": "ram_mb", "operator": ">", "values": ["8192"], "not": True}]},
            Query("server", Not(Where("ram_mb", ">", (8192.0,)))),
        ),
        (
            {"entity": "server", "where": [{"column": "created_at", "operator": ">=", "values": [SINCE]}]},
            Query("server", Where("created_at", ">=", (datetime(2026, 11, 29, 10, tzinfo=UTC),))),
        ),
        (
            {
                "entity": "server",
                "where": [{"column": "locked", "values": ["true"]}, {"relation": "volume", "count": 2}],
            },
            Query("server", All((Where("locked", "=", (True,)), Related("volume", EVERYTHING, ">=", 2)))),
        ),
        (
            {
                "entity": "server",
                "where": [
                    {"relation": "volume", "comparison": "=", "count": 0, "where": [{"column": "name", "value": "x"}]}
                ],
            },
            Query("server", Related("volume", Where("name", "=", ("x",)), "=", 0)),
        ),
        (
            {"entity": "server", "where": [{"column": "host", "operator": "none"}], "columns": ["name", "status"]},
            Query("server", Where("host", "none"), columns=("name", "status")),
        ),
        (
            {"entity": "server", "measure": "count", "group": ["host"], "order": ["-#"], "limit": 5},
            Query("server", measure=Measure("count"), group=("host",), order=(("#", True),), limit=5),
        ),
        ({"entity": "server", "limit": 10**9}, Query("server", limit=10_000)),
        ({"entity": "server", "at": SINCE}, Query("server", at=datetime(2026, 11, 29, 10, tzinfo=UTC))),
        ({"entity": "server", "at": "2030-01-01T00:00:00Z"}, Query("server")),  # the future is now
        ({"entity": "server", "where": None, "group": None, "unknown": 5}, Query("server")),
    ],
)
def test_queries(given: dict[str, Any], query: Query) -> None:
    assert query_of(given, NOW) == query


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"entity": ""},
        {"entity": 5},
        {"entity": ["server"]},
        {"entity": "sqlite_master"},
        {"entity": "server", "measure": "drop"},
        {"entity": "server", "measure": ["count"]},
        {"entity": "server", "measure": "sum"},
        {"entity": "server", "measure": "sum", "measured": "password"},
        {"entity": "server", "where": {"column": "name"}},
        {"entity": "server", "where": ["name"]},
        {"entity": "server", "where": [{}]},
        {"entity": "server", "where": [{"column": "nothing", "values": [1]}]},
        {"entity": "server", "where": [{"column": "name"}]},
        {"entity": "server", "where": [{"column": "name", "values": []}]},
        {"entity": "server", "where": [{"column": "name", "values": ["x"] * 60}]},
        {"entity": "server", "where": [{"column": "name", "values": ["x" * 300]}]},
        {"entity": "server", "where": [{"column": "name", "values": [{"a": 1}]}]},
        {"entity": "server", "where": [{"column": "name", "operator": "LIKE", "values": ["x"]}]},
        {"entity": "server", "where": [{"column": "ram_mb", "values": ["lots"]}]},
        {"entity": "server", "where": [{"column": "ram_mb", "values": [True]}]},
        {"entity": "server", "where": [{"column": "created_at", "values": ["yesterday"]}]},
        {"entity": "server", "where": [{"column": "locked", "values": ["maybe"]}]},
        {"entity": "server", "where": [{"column": "name", "values": ["x"]}] * 20},
        {"entity": "server", "where": [{"relation": "nothing"}]},
        {"entity": "server", "where": [{"relation": "volume", "count": -1}]},
        {"entity": "server", "where": [{"relation": "volume", "count": "many"}]},
        {"entity": "server", "where": [{"relation": "volume", "where": [{"relation": "server"}]}]},
        {"entity": "server", "order": [5]},
        {"entity": "server", "order": ["-nothing"]},
        {"entity": "server", "group": ["name; DROP TABLE servers"]},
        {"entity": "server", "group": ["name"] * 9},
        {"entity": "server", "limit": 0},
        {"entity": "server", "limit": "5"},
        {"entity": "server", "at": "now"},
        {"entity": "server", "columns": "name"},
        {"entity": "server", "columns": [["name"]]},
    ],
)
def test_what_is_no_query(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as caught:
        query_of(given, NOW)
    assert str(caught.value).isprintable()
