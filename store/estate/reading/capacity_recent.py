"""What was made, what went and what changed its state lately; for the dashboard's short list. The whole history of one
resource, with every field, is elsewhere.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from store.estate.reading import limits
from store.estate.reading.capacity import NOW
from store.estate.reading.models import Scope
from store.estate.reading.order import run
from store.estate.reading.problems import Rows, aware
from store.estate.reading.relation import Relation, literal, quoted
from store.types import registry

if TYPE_CHECKING:
    import duckdb

TYPES = ("server", "volume", "snapshot", "network", "router", "floating_ip")
# What of a resource is told when it becomes another.
WATCHED = {"server": ("status", "flavor_name", "host"), "volume": ("status", "size_gb", "volume_type")}


def recent(
    connection: duckdb.DuckDBPyConnection, scope: Scope, since: datetime, now: datetime, limit: int
) -> tuple[int, Rows]:
    """(how many, the newest `limit`) changes since then: at, kind ("created", "deleted", "changed"), type, cloud,
    region, id, name, project_id, project_name, user_id (who made it, where the cloud says so), flavor or size, and
    `fields` [{field, from, to}] of what changed.
    """
    total, found = 0, []
    for type in TYPES:
        for part in (_created, _deleted, _changed):
            count, rows = part(connection, type, scope, since, now, limit)
            total += count
            found += rows
    found.sort(key=lambda row: (row["at"], row["id"]), reverse=True)
    chosen = found[:limit]
    _named(connection, chosen)
    return total, chosen


def _columns(type: str) -> dict[str, str]:
    """Columns that all types are asked for, as SQL over `t`; NULL where a type has none of the name."""
    has = {column.name for column in registry.ALL[type].columns}
    named = {"name": "address" if type == "floating_ip" else "name", "project_id": "project_id", "user_id": "user_id",
             "flavor": "flavor_name", "size_gb": "size_gb"}  # fmt: skip
    return {name: f"t.{quoted(column)}" if column in has else "NULL" for name, column in named.items()}


def _answer(
    connection: duckdb.DuckDBPyConnection, type: str, kind: str, sql: str, parameters: list[object], limit: int
) -> tuple[int, Rows]:
    """The rows, and how many there are without the limit."""
    counted = f"SELECT *, count(*) OVER () AS of_all FROM ({sql}) ORDER BY moment DESC, id LIMIT {int(limit)}"
    found = run(connection, counted, parameters)
    names = [column[0] for column in found.description or ()]
    rows = [{"kind": kind, "type": type, "fields": [], **aware(dict(zip(names, row, strict=True)))}
            for row in found.fetchall()]  # fmt: skip
    for row in rows:
        row["at"] = row.pop("moment")
    return (rows[0]["of_all"] if rows else 0), rows


def _created(
    connection: duckdb.DuckDBPyConnection, type: str, scope: Scope, since: datetime, now: datetime, limit: int
) -> tuple[int, Rows]:
    if "created_at" not in {column.name for column in registry.ALL[type].columns}:
        return 0, []
    relation = Relation(registry.ALL[type], NOW)
    inside, parameters = limits.condition(relation, scope)
    picked = ", ".join(f"arg_max({sql}, t.valid_from) AS {name}" for name, sql in _columns(type).items())
    sql = f"""SELECT t.cloud, t.region, t.id, min(t.created_at) AS moment, {picked} {relation.from_clause}
        WHERE t.created_at >= {literal(since)} AND t.created_at <= {literal(now)} AND ({inside})
        GROUP BY t.cloud, t.region, t.id"""
    return _answer(connection, type, "created", sql, parameters, limit)


def _deleted(
    connection: duckdb.DuckDBPyConnection, type: str, scope: Scope, since: datetime, now: datetime, limit: int
) -> tuple[int, Rows]:
    relation = Relation(registry.ALL[type], NOW)
    inside, parameters = limits.condition(relation, scope)
    picked = ", ".join(f"arg_max({sql}, t.valid_from) AS {name}" for name, sql in _columns(type).items())
    # What went within the time and has no version that goes on.
    sql = f"""SELECT t.cloud, t.region, t.id, max(t.valid_to) AS moment, {picked} {relation.from_clause}
        WHERE t.valid_to >= {literal(since)} AND t.valid_to <= {literal(now)} AND ({inside})
            AND NOT EXISTS (SELECT 1 FROM {relation.source} later WHERE later.cloud = t.cloud
                AND later.region = t.region AND later.id = t.id AND later.valid_from >= t.valid_to)
        GROUP BY t.cloud, t.region, t.id"""
    return _answer(connection, type, "deleted", sql, parameters, limit)


def _changed(
    connection: duckdb.DuckDBPyConnection, type: str, scope: Scope, since: datetime, now: datetime, limit: int
) -> tuple[int, Rows]:
    watched = WATCHED.get(type, ())
    if not watched:
        return 0, []
    relation = Relation(registry.ALL[type], NOW)
    inside, parameters = limits.condition(relation, scope)
    picked = ", ".join(f"{sql} AS {name}" for name, sql in _columns(type).items() if name != "user_id")
    was = ", ".join(f'b.{name}::VARCHAR AS "from_{name}", t.{name}::VARCHAR AS "to_{name}"' for name in watched)
    moved = " OR ".join(f"t.{name} IS DISTINCT FROM b.{name}" for name in watched)
    sql = f"""SELECT t.cloud, t.region, t.id, t.valid_from AS moment, {picked}, {was} {relation.from_clause}
        JOIN {relation.source} b ON b.cloud = t.cloud AND b.region = t.region AND b.id = t.id
            AND b.valid_to = t.valid_from
        WHERE t.valid_from >= {literal(since)} AND t.valid_from <= {literal(now)} AND ({moved}) AND ({inside})"""
    count, rows = _answer(connection, type, "changed", sql, parameters, limit)
    for row in rows:
        pairs = [(name, row.pop(f"from_{name}"), row.pop(f"to_{name}")) for name in watched]
        row["fields"] = [{"field": name, "from": old, "to": new} for name, old, new in pairs if old != new]
        row["user_id"] = None
    return count, rows


def _named(connection: duckdb.DuckDBPyConnection, rows: Rows) -> None:
    """Names of projects and users, as they were last."""
    for type, column, name in (("project", "project_id", "project_name"), ("user", "user_id", "user_name")):
        wanted = sorted({row[column] for row in rows if row[column]})
        known: dict[tuple[str, str], str | None] = {}
        if wanted:
            sql = f"""SELECT cloud, id, arg_max(name, valid_from) FROM {quoted(registry.ALL[type].table)}
                WHERE id IN (SELECT unnest(?)) GROUP BY ALL"""
            known = {(cloud, id): found for cloud, id, found in connection.execute(sql, [wanted]).fetchall()}
        for row in rows:
            row[name] = known.get((row["cloud"], row[column] or ""))
