"""Neutron's `revision_number`: kept outside the versions, because it moves with every write, also when nothing that is
shown does. A jump without a visible change says that something was changed and changed back between two listings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from store.estate.rows import COUNTED, to_arrow

if TYPE_CHECKING:
    import duckdb

    from store.estate.compare import Target

_COLUMNS = [("id", "VARCHAR"), ("revision", "BIGINT")]


def note(target: Target, seen: Mapping[str, int]) -> int:
    """Keep the numbers of a listing's rows, and the jumps of those that have no new version; answers how many jumped.

    Runs in the listing's transaction, after its rows were written.
    """
    if not seen:
        return 0
    key = (target.cloud, target.region, target.type.name)
    target.connection.register("counted", to_arrow(_COLUMNS, list(seen.items())))
    try:
        target.connection.execute(
            """CREATE OR REPLACE TEMP TABLE revisions_found AS
            SELECT c.id, c.revision, r.rowid AS known, r.revision AS before, r.seen_at
            FROM counted c LEFT JOIN drift_revisions r
              ON r.id = c.id AND r.cloud = ? AND r.region = ? AND r.type = ?
            WHERE r.revision IS DISTINCT FROM c.revision""",
            list(key),
        )
    finally:
        target.connection.unregister("counted")
    if not target.rows("SELECT count(*) FROM revisions_found")[0][0]:
        return 0
    jumps = target.run(
        f"""INSERT INTO drift_jumps SELECT ?, ?, ?, f.id, f.before, f.revision, f.seen_at, ?
        FROM revisions_found f JOIN {target.table} v ON v.id = f.id AND v.cloud = ? AND v.region = ?
        WHERE v.valid_to IS NULL AND f.before < f.revision AND v.valid_from <= f.seen_at""",
        *key, target.started, target.cloud, target.region,
    )  # fmt: skip
    target.run(
        """UPDATE drift_revisions AS r SET revision = f.revision, seen_at = ?
        FROM revisions_found f WHERE r.rowid = f.known""",
        target.started,
    )
    target.run(
        "INSERT INTO drift_revisions SELECT ?, ?, ?, id, revision, ? FROM revisions_found WHERE known IS NULL",
        *key, target.started,
    )  # fmt: skip
    target.connection.execute("DROP TABLE revisions_found")
    return jumps


def retain(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, str]) -> None:
    """Forget the numbers of resources that are gone. `tables`: SQL name of each type's version table."""
    for name in COUNTED & tables.keys():
        connection.execute(
            f"""DELETE FROM drift_revisions r WHERE r.type = ? AND NOT EXISTS (SELECT 1 FROM {tables[name]} v
            WHERE v.id = r.id AND v.cloud = r.cloud AND v.region = r.region AND v.valid_to IS NULL)""",
            [name],
        )
