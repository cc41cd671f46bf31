"""What is dropped again: history that is too old, and everything of a cloud that was removed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from store.estate import drift_revisions
from store.estate.schema import quoted
from store.times import naive

if TYPE_CHECKING:
    import duckdb

    from store.types.declaration import ResourceType

DRIFT = ("drift_events", "drift_revisions", "drift_jumps")
_BY_CLOUD = ("listings", "states", "missing", "samples", "samples_hourly", "blob_uses", *DRIFT)


def retain(connection: duckdb.DuckDBPyConnection, types: Iterable[ResourceType], before: datetime) -> int:
    """Drop versions that ended before `before`, listings that ended before it, and values that no version
    refers to any more.

    Never a current version, and never the last listing of a state. Answers the number of versions dropped.
    """
    limit = naive(before)
    types = list(types)
    dropped = 0
    for type in types:
        sql = f"DELETE FROM {quoted(type.table)} WHERE valid_to < ?"
        dropped += connection.execute(sql, [limit]).fetchall()[0][0]
    connection.execute(
        """DELETE FROM listings WHERE ended_at < ? AND id NOT IN (
            SELECT listing_id FROM states WHERE listing_id IS NOT NULL
            UNION ALL SELECT whole_listing_id FROM states WHERE whole_listing_id IS NOT NULL)""",
        [limit],
    )
    # What our own jobs did deviates as it was meant to, so it is not kept for ever either.
    connection.execute("DELETE FROM drift_events WHERE (state = 'resolved' OR expected) AND last_at < ?", [limit])
    drift_revisions.retain(connection, {type.name: quoted(type.table) for type in types})
    _drop_blobs(connection, types)
    return dropped


def forget_cloud(connection: duckdb.DuckDBPyConnection, types: Iterable[ResourceType], cloud: str) -> list[str]:
    """Drop everything of one cloud; answers the types that had rows."""
    types = list(types)
    had = []
    for type in types:
        if connection.execute(f"DELETE FROM {quoted(type.table)} WHERE cloud = ?", [cloud]).fetchall()[0][0]:
            had.append(type.name)
    for table in _BY_CLOUD:
        connection.execute(f"DELETE FROM {table} WHERE cloud = ?", [cloud])
    _drop_blobs(connection, types)
    return had


def _drop_blobs(connection: duckdb.DuckDBPyConnection, types: list[ResourceType]) -> None:
    used = [name for (name,) in connection.execute("SELECT DISTINCT type FROM blob_uses").fetchall()]
    for type in types:
        if type.name in used:
            connection.execute(
                f"""DELETE FROM blob_uses b WHERE b.type = ? AND NOT EXISTS (
                    SELECT 1 FROM {quoted(type.table)} v
                    WHERE v.id = b.id AND v.cloud = b.cloud AND v.region = b.region AND contains(v.doc, b.hash))""",
                [type.name],
            )
    connection.execute("DELETE FROM blobs WHERE hash NOT IN (SELECT hash FROM blob_uses)")
