"""What a model would write is run, and is right: by the rows written down, and by DuckDB on the views themselves."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from copilot.guard.running import run
from tests.copilot.guard.estate import NOW, Asker
from tests.copilot.guard.harness import Harness

GOOD = tomllib.loads(Path(__file__).with_name("good.toml").read_text())["good"]


@pytest.fixture(scope="module")
def harness(everything: duckdb.DuckDBPyConnection) -> Iterator[Harness]:
    with Harness(everything) as opened:
        yield opened


def test_there_are_enough() -> None:
    assert len(GOOD) >= 60
    assert len({case["sql"] for case in GOOD}) == len(GOOD)


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case["sql"][:60])
def test_is_run_and_right(case: dict[str, str], harness: Harness, everything: duckdb.DuckDBPyConnection) -> None:
    asker: Any = Asker(everything)
    table = run(case["sql"], asker, now=NOW).table if "_at(" in case["sql"] else harness.run(case["sql"])
    rows = [list(row.values()) for row in table.rows]
    assert rows == json.loads(case["rows"])
    assert table.total == len(rows)
    assert rows == _directly(case["sql"], everything)


def _directly(sql: str, world: duckdb.DuckDBPyConnection) -> list[list[Any]]:
    """What DuckDB itself says, on the public views, at the time of the question."""
    now = "TIMESTAMP '2026-11-30 12:00:00'"
    sql = sql.replace("now()", now).replace("current_date", "DATE '2026-11-30'").replace("age(", f"age({now}, ")
    return [[_as_json(value) for value in row] for row in world.cursor().execute(sql).fetchall()]


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z"
    if isinstance(value, date):
        return value.isoformat()
    return (int(value) if value == int(value) else float(value)) if isinstance(value, Decimal) else value
