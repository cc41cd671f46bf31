from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from tests.copilot.guard.estate import world


@pytest.fixture(scope="session")
def everything() -> Iterator[duckdb.DuckDBPyConnection]:
    """All of the small estate; tests only read it."""
    with world() as connection:
        yield connection


@pytest.fixture(scope="session")
def parser() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB without anything in it."""
    with duckdb.connect() as connection:
        yield connection
