"""What stands on a snapshot: volumes that were made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.estate.reading.capacity import select
from store.estate.reading.models import Scope

if TYPE_CHECKING:
    import duckdb


def clones(connection: duckdb.DuckDBPyConnection, scope: Scope, key: tuple[str, str, str]) -> int:
    """How many volumes that are there now were made from the snapshot (cloud, region, id)."""
    cloud, region, id = key
    where = "t.snapshot_id = ? AND t.cloud = ? AND t.region = ?"
    (row,) = select(connection, "volume", "count(*) AS n", scope, where=where, parameters=(id, cloud, region))
    return int(row["n"])
