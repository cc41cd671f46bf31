"""One listing against the store, set-based: which rows are new, changed, filled in, seen; runs inside the
writer's transaction.

Only rows whose hash was not known came here wide, in a staging table, so an unchanged listing costs next to
nothing. Everything finds
its rows by `rowid`, looked up once by one join: the tables have no indexes, which would have to be kept up by
every insert.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from store.estate.documents import differs, without
from store.estate.rows import RowBuilder, to_arrow, volatile_paths
from store.estate.schema import own_columns, quoted

if TYPE_CHECKING:
    import duckdb
    import pyarrow

    from store.types.declaration import ResourceType

_CHUNK = 1000
_TICK = "INTERVAL 1 MICROSECOND"


@dataclass(slots=True)
class Target:
    """Where a listing goes.

    started     naive UTC: new versions are valid from it
    visibility  id of the listing's visibility in `visibilities`
    stage       name of the staging table, "" when no row came wide
    """

    connection: duckdb.DuckDBPyConnection
    type: ResourceType
    cloud: str
    region: str
    started: datetime
    visibility: int
    stage: str

    @property
    def table(self) -> str:
        return quoted(self.type.table)

    def run(self, sql: str, *parameters: Any) -> int:
        """Execute a changing statement; answers the number of rows it changed."""
        row = self.connection.execute(sql, list(parameters)).fetchone()
        return int(row[0]) if row else 0

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Execute a query."""
        return self.connection.execute(sql, list(parameters)).fetchall()

    def with_table(self, name: str, table: pyarrow.Table, sql: str, *parameters: Any) -> int:
        """Execute a changing statement that reads an Arrow table under `name`."""
        self.connection.register(name, table)
        try:
            return self.run(sql, *parameters)
        finally:
            self.connection.unregister(name)


@dataclass(slots=True)
class Changes:
    """Numbers of rows by what happened to them; `reported` are those that the API says are deleted, known here
    or not."""

    new: int = 0
    changed: int = 0
    filled: int = 0
    deleted: int = 0
    reported: int = 0
    measured: int = 0


def apply_rows(target: Target, *, close_deleted: bool) -> Changes:
    """Bring the staged rows into the version table. A statement costs a millisecond or two, so none runs for
    nothing."""
    changes = Changes()
    if not target.stage:
        return changes
    _classify(target)
    verdicts = _verdicts(target)
    if verdicts.get("changed"):
        _look_closer(target, changes)
        verdicts = _verdicts(target)
    changes.reported = verdicts.get("deleted", 0)
    if verdicts.get("changed"):
        changes.changed = _close(target, "changed")
    if changes.reported and close_deleted:
        changes.deleted = _close(target, "deleted")
    if verdicts.keys() == {"new"} and not _any_ended_later(target):
        changes.new = _insert_all(target)
    elif verdicts.get("changed") or verdicts.get("new"):
        changes.new = _insert(target) - changes.changed
    if verdicts.get("kept"):
        _keep(target)
    target.connection.execute("DROP TABLE found")
    return changes


def _verdicts(target: Target) -> dict[str, int]:
    return dict(target.rows("SELECT verdict, count(*) FROM found GROUP BY verdict"))


def _classify(target: Target) -> None:
    """Make `found`: every staged row with its current version, if any, and a verdict."""
    target.connection.execute(
        f"""CREATE TEMP TABLE found AS
        SELECT s.seq, s.id, v.rowid AS old, v.valid_from, v.seen_visibility,
               CASE WHEN s.deleted THEN 'deleted' WHEN v.rowid IS NULL THEN 'new'
                    WHEN v.hash = s.hash THEN 'same' ELSE 'changed' END AS verdict
        FROM {target.stage} s LEFT JOIN {target.table} v
          ON v.id = s.id AND v.cloud = ? AND v.region = ? AND v.valid_to IS NULL""",
        [target.cloud, target.region],
    )


def _look_closer(target: Target, changes: Changes) -> None:
    """Rows whose hash moved without a change: seen with other rights, or lists in another order.

    They get no version. What was hidden before is filled in; what is hidden now stays as it was last known.
    """
    target.connection.execute(
        f"""CREATE TEMP TABLE closer AS SELECT f.seq, f.seen_visibility, v.doc AS old_doc, s.doc AS new_doc
        FROM found f JOIN {target.table} v ON v.rowid = f.old JOIN {target.stage} s ON s.seq = f.seq
        WHERE f.verdict = 'changed'"""
    )
    builder = RowBuilder(target.type)
    paths = volatile_paths(target.type)
    guarded = any(column.guarded for column in target.type.columns)
    sequence = [seq for (seq,) in target.rows("SELECT seq FROM closer ORDER BY seq")]
    for start in range(0, len(sequence), _CHUNK):
        chunk = sequence[start : start + _CHUNK]
        query = "SELECT seq, seen_visibility, old_doc, new_doc FROM closer WHERE seq BETWEEN ? AND ?"
        kept: list[tuple[int]] = []
        fills: list[tuple[Any, ...]] = []
        for seq, seen, old_text, new_text in target.rows(query, chunk[0], chunk[-1]):
            old, new = orjson.loads(old_text), orjson.loads(new_text)
            shared_only = guarded and seen != target.visibility
            if differs(without(old, paths), without(new, paths), shared_only=shared_only):
                continue
            if shared_only and new.keys() - old.keys():
                fills.append(_fill(builder, seq, {**old, **new}))
            else:
                kept.append((seq,))
        changes.filled += _write_fills(target, fills)
        _mark(target, "kept", kept)
    target.connection.execute("DROP TABLE closer")


def _mark(target: Target, verdict: str, sequence: list[tuple[int]]) -> None:
    if sequence:
        sql = f"UPDATE found SET verdict = '{verdict}' FROM marked WHERE found.seq = marked.seq"
        target.with_table("marked", to_arrow([("seq", "BIGINT")], sequence), sql)


def _fill(builder: RowBuilder, seq: int, doc: dict[str, Any]) -> tuple[Any, ...]:
    _, denied, values, search = builder.values(doc)
    identity = builder.identity(doc) or ""
    return (
        seq,
        denied,
        *values,
        f"{search} {identity.lower()}",
        orjson.dumps(doc, option=orjson.OPT_SORT_KEYS).decode(),
    )


def _close(target: Target, verdict: str) -> int:
    """End the current versions of rows with that verdict; answers how many."""
    # The clock may have stepped back since the version began: it still ends after it began.
    return target.run(
        f"""UPDATE {target.table} AS v SET valid_to = greatest(?::TIMESTAMP, v.valid_from + {_TICK})
        FROM found f WHERE v.rowid = f.old AND f.verdict = ?""",
        target.started, verdict,
    )  # fmt: skip


def _any_ended_later(target: Target) -> bool:
    """Whether a version ended after this listing began: only when the clock stepped back."""
    sql = f"SELECT 1 FROM {target.table} WHERE cloud = ? AND region = ? AND valid_to > ? LIMIT 1"
    return bool(target.rows(sql, target.cloud, target.region, target.started))


def _insert_all(target: Target) -> int:
    """All staged rows are new, as in a cloud's first collection: without the join that costs as much as the insert."""
    own = "".join(f", {quoted(name)}" for name, _ in own_columns(target.type))
    return target.run(
        f"""INSERT INTO {target.table}
        SELECT ?, ?, scope, id, ?::TIMESTAMP, NULL, ?, hash, denied{own}, search, doc FROM {target.stage}""",
        target.cloud, target.region, target.started, target.visibility,
    )  # fmt: skip


def _insert(target: Target) -> int:
    """New versions of new and of changed rows."""
    own = "".join(f", s.{quoted(name)}" for name, _ in own_columns(target.type))
    return target.run(
        f"""INSERT INTO {target.table}
        SELECT ?, ?, s.scope, s.id,
               greatest(?::TIMESTAMP, coalesce(f.valid_from + {_TICK}, e.ended, ?::TIMESTAMP)), NULL, ?,
               s.hash, s.denied{own},
               s.search, s.doc
        FROM found f JOIN {target.stage} s ON s.seq = f.seq
        LEFT JOIN (SELECT id, max(valid_to) AS ended FROM {target.table}
                   WHERE cloud = ? AND region = ? AND valid_to > ? AND id IN (SELECT id FROM found WHERE
                   verdict = 'new')
                   GROUP BY id) e ON e.id = s.id
        WHERE f.verdict IN ('new', 'changed')""",
        target.cloud, target.region, target.started, target.started, target.visibility,
        target.cloud, target.region, target.started,
    )  # fmt: skip


def _keep(target: Target) -> None:
    """Rows that look different but did not change: as they look now."""
    target.run(
        f"""UPDATE {target.table} AS v SET hash = s.hash, seen_visibility = ?
        FROM found f JOIN {target.stage} s ON s.seq = f.seq WHERE v.rowid = f.old AND f.verdict = 'kept'""",
        target.visibility,
    )  # fmt: skip


def _write_fills(target: Target, fills: list[tuple[Any, ...]]) -> int:
    """Write what was hidden before into the current versions, and forget their row numbers: an update of a
    list moves the row."""
    if not fills:
        return 0
    own = own_columns(target.type)
    columns = [("seq", "BIGINT"), ("denied", "VARCHAR[]"), *own, ("search", "VARCHAR"), ("doc", "VARCHAR")]
    assignments = ", ".join(f"{quoted(name)} = n.{quoted(name)}" for name, _ in columns[1:])
    count = target.with_table(
        "fills", to_arrow(columns, fills),
        f"""UPDATE {target.table} AS v SET hash = n.hash, seen_visibility = ?, {assignments}
        FROM (SELECT fills.*, f.old, s.hash FROM fills JOIN found f ON f.seq = fills.seq
              JOIN {target.stage} s ON s.seq = f.seq) n
        WHERE v.rowid = n.old""",
        target.visibility,
    )  # fmt: skip
    _mark(target, "filled", [(row[0],) for row in fills])
    return count


def measure(target: Target, stage: str, changes: Changes) -> None:
    """Volatile columns: the current version shows the last value, `samples` keeps the numbers; neither makes a
    version."""
    volatile = [column for column in target.type.columns if column.volatile]
    names = [quoted(column.name) for column in volatile]
    differs_ = " OR ".join(f"v.{name} IS DISTINCT FROM m.{name}" for name in names)
    changes.measured = target.run(
        f"""UPDATE {target.table} AS v SET {", ".join(f"{name} = m.{name}" for name in names)}
        FROM {stage} m WHERE v.id = m.id AND v.cloud = ? AND v.region = ? AND v.valid_to IS NULL AND ({differs_})""",
        target.cloud, target.region,
    )  # fmt: skip
    for column in volatile:
        if column.sql in ("BIGINT", "DOUBLE"):
            target.run(
                f"""INSERT INTO samples SELECT ?, ?, ?, id, ?, ?, {quoted(column.name)} FROM {stage}
                WHERE {quoted(column.name)} IS NOT NULL""",
                target.cloud, target.region, target.type.name, column.name, target.started,
            )  # fmt: skip
