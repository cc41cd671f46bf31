"""What was stored of a few resources over time, and the names of the people and projects that a time line mentions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from store.estate.reading import limits
from store.estate.reading.models import Scope
from store.estate.reading.order import run
from store.estate.reading.relation import Moment, Relation, quoted
from store.types import registry
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb

MOST_VERSIONS = 400
EVERYTHING = Scope()
# Limits are judged by what is known now, also of versions that are long gone: a project is in the domain it is in.
_NOW = Moment(None)


def versions_of(
    connection: duckdb.DuckDBPyConnection,
    type: ResourceType,
    place: tuple[str, str],
    ids: Sequence[str],
    scope: Scope = EVERYTHING,
    limit: int = MOST_VERSIONS,
) -> list[dict[str, Any]]:
    """The newest `limit` versions of these resources of one (cloud, region), newest first.

    [{id, valid_from, valid_to, denied, doc: JSON text, row: {stored column: value}}]; times are naive UTC datetimes.
    """
    if not ids:
        return []
    relation = Relation(type, _NOW)
    condition, parameters = limits.condition(relation, scope)
    names = [column.name for column in type.columns]
    leading = ("id", "valid_from", "valid_to", "denied", "doc")
    picked = ", ".join(relation.column(name) for name in (*leading, *names))
    marks = ", ".join("?" * len(ids))
    sql = (
        f"SELECT {picked} {relation.from_clause} WHERE t.cloud = ? AND t.region = ? AND t.id IN ({marks})"
        f" AND ({condition}) ORDER BY t.valid_from DESC, t.id LIMIT {int(limit)}"
    )
    rows = run(connection, sql, [*place, *ids, *parameters]).fetchall()
    return [
        {
            "id": row[0],
            "valid_from": row[1],
            "valid_to": row[2],
            "denied": tuple(row[3] or ()),
            "doc": row[4],
            "row": dict(zip(names, row[5:], strict=True)),
        }
        for row in rows
    ]


def ever_linked(
    connection: duckdb.DuckDBPyConnection,
    type: ResourceType,
    place: tuple[str, str],
    column: str,
    value: str,
    scope: Scope = EVERYTHING,
    limit: int = 50,
) -> list[str]:
    """Ids of resources of the type that have, or once had, `value` in that column; the latest first."""
    relation = Relation(type, _NOW)
    condition, parameters = limits.condition(relation, scope)
    expression = relation.column(column)
    is_list = type.column(column).sql == "VARCHAR[]"
    match = f"list_contains({expression}, ?)" if is_list else f"{expression} = ?"
    sql = (
        f"SELECT t.id, max(t.valid_from) AS seen {relation.from_clause} WHERE t.cloud = ? AND t.region = ? AND {match}"
        f" AND ({condition}) GROUP BY t.id ORDER BY seen DESC, t.id LIMIT {int(limit)}"
    )
    return [row[0] for row in run(connection, sql, [*place, value, *parameters]).fetchall()]


def latest_names(
    connection: duckdb.DuckDBPyConnection,
    type_name: str,
    cloud: str,
    ids: Iterable[str],
    scope: Scope = EVERYTHING,
) -> dict[str, str]:
    """id -> name as it was last, of resources of a type in one cloud, also of those that are gone."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    type = registry.ALL[type_name]
    relation = Relation(type, _NOW)
    condition, parameters = limits.condition(relation, scope)
    name = relation.column("name")
    marks = ", ".join("?" * len(wanted))
    sql = (
        f"SELECT t.id, arg_max({name}, t.valid_from) {relation.from_clause} WHERE t.cloud = ? AND t.id IN ({marks})"
        f" AND {name} IS NOT NULL AND ({condition}) GROUP BY t.id"
    )
    return dict(run(connection, sql, [cloud, *wanted, *parameters]).fetchall())


def messages_about(
    connection: duckdb.DuckDBPyConnection, place: tuple[str, str], ids: Sequence[str], limit: int = 200
) -> list[tuple[str, str | None]]:
    """(id, JSON text) of Cinder's messages about these resources as they were read before, the newest first."""
    if not ids:
        return []
    table = quoted(registry.ALL["cinder_message"].table)
    marks = ", ".join("?" * len(ids))
    sql = (
        f"SELECT id, arg_max(doc, valid_from), max(created_at) AS made FROM {table}"
        f" WHERE cloud = ? AND region = ? AND resource_id IN ({marks}) GROUP BY id"
        f" ORDER BY made DESC LIMIT {int(limit)}"
    )
    return [(row[0], row[1]) for row in run(connection, sql, [*place, *ids]).fetchall()]


def service_projects(connection: duckdb.DuckDBPyConnection, cloud: str) -> set[str]:
    """Ids of the projects in which a cloud's own services act (by their usual names)."""
    table = quoted(registry.ALL["project"].table)
    sql = f"SELECT DISTINCT id FROM {table} WHERE cloud = ? AND lower(name) IN ('service', 'services')"
    return {row[0] for row in run(connection, sql, [cloud]).fetchall()}
