"""Every type, column and relation of the model can be asked for, and what is shown of it can be run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import duckdb
import pytest

from copilot.execution.run import run
from copilot.model import registry
from copilot.model.declaration import Entity
from copilot.query import Counted, Measure, Query, Related
from tests.copilot.execution.estates import NOW, Handed
from tests.store.estate.reading.tables import database, put

TYPES = [one for one in registry.entities().values() if one.type is not None]


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    opened = database()
    for one in TYPES:
        put(opened, one.name, "x")
    return opened


def queries(one: Entity) -> Iterator[Query]:
    """Everything that the entity has, asked for once."""
    yield Query(one.name, columns=tuple(one.attributes))
    yield Query(one.name, columns=tuple(one.attributes), at=NOW - timedelta(days=1))
    yield Query(one.name, gone=(NOW - timedelta(days=2), NOW), columns=tuple(one.attributes))
    for column in one.attributes:
        yield Query(one.name, measure=Measure("count"), group=(column,))
    for state in one.states:
        yield Query(one.name, measure=Measure("share", of=state.condition))
    for name, leads in one.relations.items():
        yield Query(one.name, Related(name, comparison="=", count=0), Measure("count"))
        size = registry.entity(leads.to).size
        if size:
            yield Query(one.name, counted=(Counted("n", name, kind="sum", column=size),), order=(("n", True),))


@pytest.mark.parametrize("one", TYPES, ids=lambda one: one.name)
def test_everything_of_a_type(connection: duckdb.DuckDBPyConnection, one: Entity) -> None:
    handed = Handed(connection)
    for query in queries(one):
        result = run(query, handed, NOW)
        shown = connection.execute(result.sql).fetchall()
        assert len(shown) == (len(result.rows) if result.columns else 1)
        if query.measure.kind == "rows":
            assert result.total == (0 if query.gone else 1)
