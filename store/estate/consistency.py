"""What must hold in every estate file, whatever happened to the process that wrote it. For tests and for support."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.estate.schema import quoted

if TYPE_CHECKING:
    import duckdb

_KEY = "cloud, region, id"


def check(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Every violated rule as one sentence; empty when the file is consistent. Reads all version tables."""
    found: list[str] = []
    query = "SELECT table_name FROM duckdb_tables() WHERE NOT internal AND table_name LIKE '%\\_versions' ESCAPE '\\'"
    for (table,) in sorted(connection.execute(query).fetchall()):
        found += _versions(connection, table)
    found += _listings(connection)
    return found


def _count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM ({sql})").fetchall()[0][0])


def _versions(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    name = quoted(table)
    rules = {
        "keys with two current versions": f"""SELECT 1 FROM {name} WHERE valid_to IS NULL
            GROUP BY {_KEY} HAVING count(*) > 1""",
        "versions that do not begin before they end": f"SELECT 1 FROM {name} WHERE valid_from >= valid_to",
        "versions that overlap the next one of their key": f"""SELECT 1 FROM (
            SELECT valid_to, lead(valid_from) OVER (PARTITION BY {_KEY} ORDER BY valid_from) AS next FROM {name})
            WHERE next IS NOT NULL AND (valid_to IS NULL OR valid_to > next)""",
        "versions without a key, begin, hash or document": f"""SELECT 1 FROM {name}
            WHERE cloud IS NULL OR region IS NULL OR scope IS NULL OR id IS NULL OR valid_from IS NULL OR hash IS NULL
               OR doc IS NULL OR denied IS NULL""",
        "versions seen by a visibility that is not recorded": f"""SELECT 1 FROM {name} v
            WHERE NOT EXISTS (SELECT 1 FROM visibilities s WHERE s.id = v.seen_visibility)""",
    }
    type = table.removesuffix("_versions")
    waiting = f"""SELECT 1 FROM missing m WHERE m.type = '{type}' AND NOT EXISTS (
        SELECT 1 FROM {name} v WHERE v.id = m.id AND v.cloud = m.cloud AND v.region = m.region AND v.valid_to
        IS NULL)"""
    rules["rows that wait for a decision but are not current"] = waiting
    return [f"{table}: {count} {rule}" for rule, sql in rules.items() if (count := _count(connection, sql))]


def _listings(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rules = {
        "states: {} have two rows for one scope": """SELECT 1 FROM states
            GROUP BY cloud, region, type, scope HAVING count(*) > 1""",
        "states: {} name a listing that is not there": """SELECT 1 FROM states s
            WHERE NOT EXISTS (SELECT 1 FROM listings l WHERE l.id = s.listing_id)""",
        "listings: {} ids are there twice": "SELECT 1 FROM listings GROUP BY id HAVING count(*) > 1",
        "visibilities: {} ids are there twice": "SELECT 1 FROM visibilities GROUP BY id HAVING count(*) > 1",
        "missing: {} rows are there twice": """SELECT 1 FROM missing
            GROUP BY cloud, region, type, scope, id HAVING count(*) > 1""",
        "blob_uses: {} refer to a value that is not there": """SELECT 1 FROM blob_uses u
            WHERE NOT EXISTS (SELECT 1 FROM blobs b WHERE b.hash = u.hash)""",
    }
    return [rule.format(count) for rule, sql in rules.items() if (count := _count(connection, sql))]
