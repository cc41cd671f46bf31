"""What is handed to a statement: the asker's rows and the columns that it mentions, nothing else."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from copilot.guard.parsing import check
from copilot.guard.refusing import Refused
from copilot.guard.scoping import columns_of, loads
from copilot.guard.walking import VIEWS
from store.estate.reading.models import Scope
from store.types import registry
from tests.copilot.guard.estate import ACME, NOW, PLANTED, Asker


def handed(sql: str, world: duckdb.DuckDBPyConnection, scope: Scope | None = None) -> dict[str, tuple[list[str], Any]]:
    """Names of columns and rows by table."""
    asker: Any = Asker(world, scope)
    found = {}
    for load in loads(check(sql, duckdb.connect(), NOW), asker):
        rows = world.cursor().execute(load.sql, list(load.parameters))
        found[load.table] = ([column[0] for column in rows.description], sorted(rows.fetchall(), key=str))
    return found


def test_only_what_is_mentioned(everything: duckdb.DuckDBPyConnection) -> None:
    found = handed("SELECT name FROM servers WHERE host = 'cmp-02'", everything)
    assert found["servers"][0] == ["id", "name", "host"]
    assert ("s3", "db-01", "cmp-02") in found["servers"][1]


@pytest.mark.parametrize("plural", VIEWS)
def test_the_whole_view_is_the_public_one(plural: str, everything: duckdb.DuckDBPyConnection) -> None:
    view = everything.cursor().execute(f"SELECT * FROM {plural}")
    names, rows = [column[0] for column in view.description], sorted(view.fetchall(), key=str)
    assert handed(f"SELECT * FROM {plural}", everything)[plural] == (names, rows)
    assert columns_of(VIEWS[plural]) == tuple(names)


def test_a_moment(everything: duckdb.DuckDBPyConnection) -> None:
    found = handed("SELECT status FROM servers_at('2026-11-12') WHERE id = 's2'", everything)
    assert ("s2", "ACTIVE") in found["servers_at_1"][1]


@pytest.mark.parametrize(
    ("scope", "servers"),
    [
        (Scope(), 6),
        (ACME, 3),
        (Scope(projects=()), 0),
        (Scope(clouds=("elsewhere",)), 0),
        (Scope(clouds=("c",), projects=("p2",)), 3),
        (Scope(domains=("d1",)), 3),
        (Scope(in_projects=("p1",)), 3),
        (Scope(in_regions=("nowhere",)), 0),
    ],
)
def test_the_scope(scope: Scope, servers: int, everything: duckdb.DuckDBPyConnection) -> None:
    for sql, table in (("SELECT id FROM servers", "servers"), ("SELECT id FROM servers_at(now())", "servers_at_1")):
        assert len(handed(sql, everything, scope)[table][1]) == servers


@pytest.mark.parametrize("plural", VIEWS)
def test_a_limited_asker_is_handed_nothing_of_others(plural: str, everything: duckdb.DuckDBPyConnection) -> None:
    for sql in (f"SELECT * FROM {plural}", f"SELECT * FROM {plural}_at(now())"):
        assert PLANTED not in str(handed(sql, everything, ACME))


def test_a_type_that_may_not_be_read(everything: duckdb.DuckDBPyConnection) -> None:
    asker: Any = Asker(everything, without=("user",))
    for sql in ("SELECT 1 FROM users", "SELECT 1 FROM servers, users_at(now())", "WITH a AS (FROM users) SELECT 1"):
        with pytest.raises(Refused, match="The view users may not be read here"):
            loads(check(sql, duckdb.connect(), NOW), asker)


def test_every_type_has_a_view() -> None:
    assert {type.name for type in VIEWS.values()} == set(registry.ALL)
