"""The current volumes as far as snapshot policies look at them: one statement, plain tuples, for tens of thousands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from store.estate.reading import limits
from store.estate.reading.models import Key, Scope
from store.estate.reading.order import run
from store.estate.reading.relation import Moment, Relation
from store.types import registry

if TYPE_CHECKING:
    import duckdb

COLUMNS = (
    "cloud", "region", "id", "name", "status", "size_gb", "volume_type", "bootable", "multiattach", "host",
    "project_id", "project_name", "domain_id", "domain_name", "metadata", "server_ids", "server_name", "created_at",
)  # fmt: skip
_CHUNK = 5000  # keys asked for in one statement


def read(
    connection: duckdb.DuckDBPyConnection, scope: Scope, keys: Sequence[Key] | None = None
) -> list[tuple[Any, ...]]:
    """Rows of COLUMNS, ordered by key; `metadata` as `key=value` texts, times naive UTC. None: all in the scope."""
    if keys is None:
        return _rows(connection, scope, "true", [])
    found: dict[Key, tuple[Any, ...]] = {}
    wanted = sorted(set(keys))
    for start in range(0, len(wanted), _CHUNK):
        some = wanted[start : start + _CHUNK]
        rows = _rows(connection, scope, "t.id IN (SELECT unnest(?))", [[id for _, _, id in some]])
        found |= {row[:3]: row for row in rows}
    return [found[key] for key in wanted if key in found]


def _rows(
    connection: duckdb.DuckDBPyConnection, scope: Scope, where: str, parameters: list[Any]
) -> list[tuple[Any, ...]]:
    relation = Relation(registry.ALL["volume"], Moment(None))
    picked = ", ".join(_column(relation, name) for name in COLUMNS)
    inside, values = limits.condition(relation, scope)
    sql = f"""SELECT {picked} {relation.from_clause}
        WHERE {relation.at("t")} AND ({where}) AND ({inside}) ORDER BY t.cloud, t.region, t.id"""
    return run(connection, sql, [*parameters, *values]).fetchall()


def _column(relation: Relation, name: str) -> str:
    """SQL of one of COLUMNS. No list of volumes has their domain's id: it is in the project joined for its name."""
    if name != "domain_id":
        return relation.column(name)
    project, _, _ = relation.column("project_name").rpartition(".")
    return f'{project}."domain_id"'


def by_ids(connection: duckdb.DuckDBPyConnection, scope: Scope, ids: Sequence[str]) -> list[tuple[Any, ...]]:
    """Rows of COLUMNS of the volumes with these ids, in whichever cloud and region, ordered by key."""
    return _rows(connection, scope, "t.id IN (SELECT unnest(?))", [sorted(set(ids))])


def projects(connection: duckdb.DuckDBPyConnection, scope: Scope) -> list[tuple[str, str, str | None]]:
    """(cloud, id, name) of the current projects in the scope."""
    relation = Relation(registry.ALL["project"], Moment(None))
    inside, values = limits.condition(relation, scope)
    sql = f"SELECT t.cloud, t.id, t.name {relation.from_clause} WHERE {relation.at('t')} AND ({inside})"
    return run(connection, sql, values).fetchall()
