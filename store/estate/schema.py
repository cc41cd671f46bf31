"""Tables: numbered SQL migrations, and one generated version table per declared type.

All of it happens in one transaction at open, so a file is either of the old schema or of the new one, never between.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib import resources
from typing import TYPE_CHECKING

from store.estate.errors import EstateForeign, EstateNewer
from store.times import naive, utcnow

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from store.types.declaration import ResourceType

APPLICATION = "quarterdeck"

# Columns of every version table before and after the type's own. `hash` and `seen_visibility` describe the row as it
# was last listed; the typed columns and `doc` hold everything known of the version, which is more when a token that
# sees less was the last to list it.
LEADING = (
    ("cloud", "VARCHAR"),
    ("region", "VARCHAR"),
    ("scope", "VARCHAR"),
    ("id", "VARCHAR"),
    ("valid_from", "TIMESTAMP"),
    ("valid_to", "TIMESTAMP"),
    ("seen_visibility", "INTEGER"),
    ("hash", "BLOB"),
    ("denied", "VARCHAR[]"),
)
TRAILING = (("search", "VARCHAR"), ("doc", "VARCHAR"))

# How columns lie in the file, measured on 1,300,000 servers. What every page sorts by or filters on is nearly
# unique, and
# DuckDB's dictionary of it saves little and has to be undone for all rows: without it the first page takes 110
# ms of CPU
# in place of 265, a filtered one 159 in place of 382, a page of the past 135 in place of 299, for 76 bytes more a row.
# Documents are read one at a time and written by the thousand: zstd makes them less than half as large as the default
# does, and a checkpoint two to three times cheaper. Everything else (states, projects, hosts) repeats: the default.
_STORAGE = {
    "id": "uncompressed",
    "name": "uncompressed",
    "search": "uncompressed",
    "hash": "uncompressed",
    "doc": "zstd",
}


def quoted(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def own_columns(type: ResourceType) -> list[tuple[str, str]]:
    """(name, SQL type) of the type's stored columns that the leading ones do not already hold."""
    taken = {name for name, _ in (*LEADING, *TRAILING)}
    return [(column.name, column.sql) for column in type.columns if column.name not in taken]


def migrations() -> list[tuple[int, str]]:
    """(number, SQL) of every migration, in order."""
    found = []
    for entry in resources.files("store.estate.migrations").iterdir():
        if entry.name.endswith(".sql"):
            found.append((int(entry.name.split("_", 1)[0]), entry.read_text("utf-8")))
    return sorted(found)


def prepare(connection: duckdb.DuckDBPyConnection, path: Path, types: Iterable[ResourceType]) -> list[str]:
    """Bring the file to this program's schema; answers the names of types whose tables gained columns.

    Raises EstateForeign for a DuckDB file that is not ours (before anything is written) and EstateNewer.
    """
    steps = migrations()
    version = _version(connection, path)
    newest = steps[-1][0]
    if version > newest:
        raise EstateNewer(
            f"{path} was written by a newer version of this program (schema {version}, this one knows {newest}): "
            "install that version, or open a backup made before the upgrade."
        )
    connection.execute("BEGIN")
    try:
        if version == 0:
            connection.execute("CREATE TABLE meta (key VARCHAR, value VARCHAR)")
            rows = [
                ("application", APPLICATION),
                ("schema_version", "0"),
                ("created_at", f"{naive(utcnow()).isoformat()}Z"),
            ]
            connection.executemany("INSERT INTO meta VALUES (?, ?)", rows)
        for number, sql in steps:
            if number > version:
                connection.execute(sql)
                connection.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", [str(number)])
        grown = _version_tables(connection, types)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return grown


def _version(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """The file's schema version, 0 when it is empty."""
    tables = {
        name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal").fetchall()
    }
    if not tables:
        return 0
    meta: dict[str, str] = {}
    if "meta" in tables:
        columns = [row[0] for row in connection.execute("DESCRIBE meta").fetchall()]
        if columns == ["key", "value"]:
            meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    if meta.get("application") != APPLICATION:
        raise EstateForeign(
            f"{path} is a DuckDB database of another application; it was left untouched: "
            "move it away or name another home."
        )
    return int(meta["schema_version"])


def _version_tables(connection: duckdb.DuckDBPyConnection, types: Iterable[ResourceType]) -> list[str]:
    """Create missing version tables, add missing columns; answers types that gained a column."""
    found: dict[str, dict[str, str]] = {}
    query = "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
    for table, column, sql in connection.execute(query).fetchall():
        found.setdefault(table, {})[column] = sql
    grown = []
    for type in types:
        existing = found.get(type.table)
        if existing is None:
            body = ", ".join(_definition(name, sql) for name, sql in (*LEADING, *own_columns(type), *TRAILING))
            connection.execute(f"CREATE TABLE {quoted(type.table)} ({body})")
            continue
        added = [(name, sql) for name, sql in own_columns(type) if name not in existing]
        for name, sql in added:
            connection.execute(f"ALTER TABLE {quoted(type.table)} ADD COLUMN {_definition(name, sql)}")
        if added:
            grown.append(type.name)
    return grown


def _definition(name: str, sql: str) -> str:
    compression = f" USING COMPRESSION {_STORAGE[name]}" if name in _STORAGE else ""
    return f"{quoted(name)} {sql}{compression}"


def hash_rule(type: ResourceType) -> str:
    """A fingerprint of what goes into a type's hashes; when it moves, stored hashes are made again from the
    documents."""
    text = repr((1, sorted(type.volatile_paths), sorted(c.path for c in type.columns if c.volatile), type.id_path))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
