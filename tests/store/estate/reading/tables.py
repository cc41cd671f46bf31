"""Version tables in memory, filled by the tests with plain rows."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from store.estate import schema
from store.estate.reading import views
from store.types import registry

T0 = datetime(2026, 11, 1)


def database() -> duckdb.DuckDBPyConnection:
    """All tables and views, empty."""
    connection = duckdb.connect(":memory:", config={"threads": 1})
    schema.prepare(connection, Path(":memory:"), registry.ALL.values())
    views.create(connection)
    return connection


def put(connection: duckdb.DuckDBPyConnection, type: str, id: str, **values: Any) -> None:
    """One version; cloud "c", region "r" ('' for identity), valid from T0 and current unless told otherwise."""
    declared = registry.ALL[type]
    owner = values.get(declared.owner) if declared.owner else ""
    row = {
        "cloud": "c",
        "region": "" if declared.listing.global_ else "r",
        "scope": owner or "",
        "id": id,
        "valid_from": T0,
        "denied": [],
        "search": f"{values.get('name', '')} {id}".lower(),
        "doc": "{}",
        **values,
    }
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {declared.table} ({names}) VALUES ({marks})", list(row.values()))
