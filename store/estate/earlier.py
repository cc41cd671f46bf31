"""Earlier history put behind what an estate knows, so that the past can be read newest part first.

A part is collected into an estate of its own, oldest listing first, like any history. `prepend` joins it to the estate
whose history begins later; every version then is what it would be had all listings come in their order:

- a version that was open at the end of the part and with which the later estate begins is one version with it;
- any other that was open ended when the later estate first saw something else, or first saw that it is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from store.estate.documents import differs, without
from store.estate.rows import to_arrow, volatile_paths
from store.estate.schema import LEADING, TRAILING, own_columns, quoted
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb
    import pyarrow

    from store.estate.estate import Estate

# Listings that showed everything there was: only they say that something is gone.
_WHOLE = "kind <> 'delta' AND state = 'ok'"
_JOINS = [("region", "VARCHAR"), ("id", "VARCHAR"), ("began", "TIMESTAMP"), ("next", "TIMESTAMP")]


@dataclass(frozen=True, slots=True)
class Prepended:
    """Versions that came in, versions of the later estate that began earlier, and types that were there already."""

    versions: int = 0
    extended: int = 0
    known: tuple[str, ...] = ()


def prepend(estate: Estate, part: Estate, cloud: str) -> Prepended:
    """Put the part's history of a cloud behind the estate's. Types that the estate never saw whole are left out.

    One transaction per type, and a type whose history already reaches that far back is left alone: after a crash the
    same part may be collected and put in again. Raises the estate's errors.
    """
    versions, extended, known = 0, 0, []
    for type in estate.types.values():
        if type.name not in part.types or type.listing.on_demand:
            continue

        def work(connection: duckdb.DuckDBPyConnection, type: ResourceType = type) -> tuple[int, int] | None:
            with part.reader() as reader:
                return _Joint(connection, reader, type, cloud).run()

        def announce(done: tuple[int, int] | None, name: str = type.name) -> None:
            if done and any(done):
                estate.changed(cloud, name)

        done = estate.submit(work, after=announce).result()
        if done is None:
            known.append(type.name)
        else:
            versions, extended = versions + done[0], extended + done[1]
    return Prepended(versions, extended, tuple(known))


@dataclass(slots=True)
class _Joint:
    """One type of one cloud, inside the later estate's transaction; `part` is the earlier estate's connection."""

    estate: duckdb.DuckDBPyConnection
    part: duckdb.DuckDBPyConnection
    type: ResourceType
    cloud: str

    def run(self) -> tuple[int, int] | None:
        """(versions put in, versions that begin earlier); None when this history is there already."""
        begins = self._whole(self.estate, "min")
        ends = self._whole(self.part, "max")
        regions = [region for region in ends if region in begins]
        if any(begins[region] <= ends[region] for region in regions):
            return None
        versions = extended = 0
        for region in regions:
            joins = self._joins(region, begins[region])
            rows = self._rows(region, begins[region], joins)
            extended += self._extend(joins)
            versions += self._insert(rows)
        if regions:
            self._listings()
            self._samples()
            self._blobs()
        return versions, extended

    def _whole(self, connection: duckdb.DuckDBPyConnection, which: str) -> dict[str, datetime]:
        """When the first or the last whole listing of each region began."""
        sql = f"""SELECT region, {which}(started_at) FROM listings
            WHERE cloud = ? AND type = ? AND {_WHOLE} GROUP BY region"""
        return dict(connection.execute(sql, [self.cloud, self.type.name]).fetchall())

    def _joins(self, region: str, begins: datetime) -> pyarrow.Table:
        """Versions open at the part's end that are one with the first version of the estate.

        Columns: region, id, `began` in the part, `next`: where it begins in the estate so far.
        """
        firsts = self.estate.execute(
            f"""SELECT id, min(valid_from) AS next, arg_min(hash, valid_from) AS hash FROM {self._table}
            WHERE cloud = ? AND region = ? GROUP BY id HAVING min(valid_from) <= ?""",
            [self.cloud, region, begins],
        ).to_arrow_table()
        self.part.register("firsts", firsts)
        sql = f"""SELECT v.region, v.id, v.valid_from AS began, f.next {{more}}
            FROM {self._table} v JOIN firsts f ON f.id = v.id
            WHERE v.cloud = ? AND v.region = ? AND v.valid_to IS NULL AND v.hash {{equal}} f.hash"""
        key = [self.cloud, region]
        same = self.part.execute(sql.format(more="", equal="="), key).to_arrow_table()
        others = self.part.execute(sql.format(more=", v.doc", equal="<>"), key).fetchall()
        alike = self._alike(region, others)
        if not alike:
            return same
        import pyarrow as pa

        return pa.concat_tables([same.select([name for name, _ in _JOINS]), to_arrow(_JOINS, alike)])

    def _alike(self, region: str, others: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Of versions with another hash those that say the same with their lists in another order."""
        if not others:
            return []
        paths = volatile_paths(self.type)
        self.estate.register("wanted", to_arrow(_JOINS, [row[:4] for row in others]))
        try:
            found = self.estate.execute(
                f"""SELECT v.id, v.doc FROM {self._table} v JOIN wanted w ON w.id = v.id AND w.next = v.valid_from
                WHERE v.cloud = ? AND v.region = ?""",
                [self.cloud, region],
            ).fetchall()
        finally:
            self.estate.unregister("wanted")
        later = {id: without(orjson.loads(doc), paths) for id, doc in found}
        return [
            row[:4]
            for row in others
            if not differs(without(orjson.loads(row[4]), paths), later[row[1]], shared_only=False)
        ]

    def _rows(self, region: str, begins: datetime, joins: pyarrow.Table) -> pyarrow.Table:
        """The part's versions as they go into the estate: those that were open end where something else begins."""
        names = ["scope", "id", "valid_from", "seen_visibility", "hash", "denied"]
        names += [name for name, _ in (*own_columns(self.type), *TRAILING)]
        columns = ", ".join(f"v.{quoted(name)}" for name in names)
        self.part.register("joins", joins)
        try:
            return self.part.execute(
                f"""SELECT v.cloud, v.region, {columns}, coalesce(v.valid_to, f.next, ?) AS valid_to
                FROM {self._table} v LEFT JOIN firsts f ON f.id = v.id
                WHERE v.cloud = ? AND v.region = ?
                  AND NOT (v.valid_to IS NULL AND v.id IN (SELECT id FROM joins))""",
                [begins, self.cloud, region],
            ).to_arrow_table()
        finally:
            self.part.unregister("joins")
            self.part.unregister("firsts")

    def _extend(self, joins: pyarrow.Table) -> int:
        if not joins.num_rows:
            return 0
        return self._with(
            "joins", joins,
            f"""UPDATE {self._table} AS v SET valid_from = j.began FROM joins j
            WHERE v.id = j.id AND v.region = j.region AND v.cloud = ? AND v.valid_from = j.next""",
            self.cloud,
        )  # fmt: skip

    def _insert(self, rows: pyarrow.Table) -> int:
        if not rows.num_rows:
            return 0
        names = [name for name, _ in (*LEADING, *own_columns(self.type), *TRAILING)]
        columns = ", ".join(f"n.{quoted(name)}" if name != "seen_visibility" else "s.number" for name in names)
        seers = to_arrow([("own", "INTEGER"), ("number", "INTEGER")], list(self._visibilities().items()))
        self.estate.register("seers", seers)
        try:
            return self._with(
                "arriving", rows,
                f"INSERT INTO {self._table} SELECT {columns} FROM arriving n JOIN seers s ON s.own = n.seen_visibility",
            )  # fmt: skip
        finally:
            self.estate.unregister("seers")

    def _visibilities(self) -> dict[int, int]:
        """The estate's number of each of the part's visibilities."""
        query = "SELECT id, endpoint, user_id, token_scope, roles, all_projects, listing_scope FROM visibilities"
        have = {repr(row): number for number, *row in self.estate.execute(query).fetchall()}
        numbers = {}
        for own, *row in self.part.execute(query).fetchall():
            number = have.get(repr(row))
            if number is None:
                number = have[repr(row)] = max(have.values(), default=0) + 1
                self.estate.execute("INSERT INTO visibilities VALUES (?, ?, ?, ?, ?, ?, ?)", [number, *row])
            numbers[own] = number
        return numbers

    def _listings(self) -> None:
        numbers = self._visibilities()
        key = [self.cloud, self.type.name]
        rows = self.part.execute("SELECT * FROM listings WHERE cloud = ? AND type = ?", key).fetchall()
        place = [row[0] for row in self.part.execute("DESCRIBE listings").fetchall()].index("visibility")
        for row in rows:
            values = [numbers[value] if index == place else value for index, value in enumerate(row)]
            self.estate.execute(f"INSERT INTO listings VALUES ({', '.join('?' * len(values))})", values)

    def _samples(self) -> None:
        self._copy("samples", "INSERT INTO samples SELECT * FROM arriving")

    def _blobs(self) -> None:
        self._copy(
            "blob_uses",
            """INSERT INTO blob_uses SELECT * FROM arriving a WHERE NOT EXISTS (SELECT 1 FROM blob_uses b
            WHERE b.hash = a.hash AND b.id = a.id AND b.type = a.type AND b.cloud = a.cloud AND b.region = a.region)""",
        )
        uses = "SELECT hash FROM blob_uses WHERE cloud = ? AND type = ?"
        values = self.part.execute(
            f"SELECT * FROM blobs WHERE hash IN ({uses})", [self.cloud, self.type.name]
        ).to_arrow_table()
        if values.num_rows:
            self._with(
                "arriving",
                values,
                "INSERT INTO blobs SELECT * FROM arriving WHERE hash NOT IN (SELECT hash FROM blobs)",
            )

    def _copy(self, table: str, sql: str) -> None:
        query = f"SELECT * FROM {table} WHERE cloud = ? AND type = ?"
        rows = self.part.execute(query, [self.cloud, self.type.name]).to_arrow_table()
        if rows.num_rows:
            self._with("arriving", rows, sql)

    @property
    def _table(self) -> str:
        return quoted(self.type.table)

    def _with(self, name: str, rows: pyarrow.Table, sql: str, *parameters: Any) -> int:
        """Execute a changing statement that reads an Arrow table; answers the number of rows it changed."""
        self.estate.register(name, rows)
        try:
            row = self.estate.execute(sql, list(parameters)).fetchone()
        finally:
            self.estate.unregister(name)
        return int(row[0]) if row else 0
