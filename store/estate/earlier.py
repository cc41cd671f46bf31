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

    One transaction; a type whose history already reaches that far back is left alone, so after a crash the same part
    may be collected and put in again. Raises the estate's errors.
    """
    types = [type for type in estate.types.values() if type.name in part.types and not type.listing.on_demand]
    moved: list[str] = []

    def work(connection: duckdb.DuckDBPyConnection) -> Prepended:
        with part.reader() as reader:
            return _Joint(connection, reader, cloud).run(types, moved)

    def announce(_: Prepended) -> None:
        for name in moved:
            estate.changed(cloud, name)

    return estate.submit(work, after=announce).result()


class _Joint:
    """The joining, inside the later estate's transaction; `part` is the earlier estate's connection."""

    def __init__(self, estate: duckdb.DuckDBPyConnection, part: duckdb.DuckDBPyConnection, cloud: str) -> None:
        self.estate = estate
        self.part = part
        self.cloud = cloud
        self._begins = self._whole(estate, "min")
        self._ends = self._whole(part, "max")
        self._numbers = self._visibilities()

    def run(self, types: list[ResourceType], moved: list[str]) -> Prepended:
        """Join the types; `moved` gets the names of those that have other rows than before."""
        versions, extended = 0, 0
        joined: list[str] = []
        known: list[str] = []
        for type in types:
            regions = [key for key in self._ends if key[0] == type.name and key in self._begins]
            if any(self._begins[key] <= self._ends[key] for key in regions):
                known.append(type.name)
                continue
            put, earlier = 0, 0
            for key in regions:
                one = _Join(self, type, key[1], self._begins[key])
                put, earlier = put + one.versions, earlier + one.extended
            versions, extended = versions + put, extended + earlier
            joined += [type.name] if regions else []
            moved += [type.name] if put or earlier else []
        if joined:
            self._listings(joined)
            self._copy("samples", joined, "INSERT INTO samples SELECT * FROM arriving")
            self._blobs(joined)
        return Prepended(versions, extended, tuple(known))

    def _whole(self, connection: duckdb.DuckDBPyConnection, which: str) -> dict[tuple[str, str], datetime]:
        """(type, region) -> when the first or the last whole listing began."""
        sql = f"""SELECT type, region, {which}(started_at) FROM listings WHERE cloud = ? AND {_WHOLE}
            GROUP BY type, region"""
        return {(row[0], row[1]): row[2] for row in connection.execute(sql, [self.cloud]).fetchall()}

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

    def _listings(self, types: list[str]) -> None:
        rows = self._of("listings", types)
        place = rows.column_names.index("visibility")
        import pyarrow as pa

        numbers = [self._numbers[own] for own in rows.column(place).to_pylist()]
        rows = rows.set_column(place, "visibility", pa.array(numbers, pa.int32()))
        self.change("arriving", rows, "INSERT INTO listings SELECT * FROM arriving")

    def _blobs(self, types: list[str]) -> None:
        self._copy(
            "blob_uses",
            types,
            """INSERT INTO blob_uses SELECT * FROM arriving a WHERE NOT EXISTS (SELECT 1 FROM blob_uses b
            WHERE b.hash = a.hash AND b.id = a.id AND b.type = a.type AND b.cloud = a.cloud AND b.region = a.region)""",
        )
        uses = "SELECT hash FROM blob_uses WHERE cloud = ? AND list_contains(?, type)"
        values = self.part.execute(f"SELECT * FROM blobs WHERE hash IN ({uses})", [self.cloud, types]).to_arrow_table()
        self.change(
            "arriving", values, "INSERT INTO blobs SELECT * FROM arriving WHERE hash NOT IN (SELECT hash FROM blobs)"
        )

    def _of(self, table: str, types: list[str]) -> pyarrow.Table:
        """The part's rows of a table."""
        query = f"SELECT * FROM {table} WHERE cloud = ? AND list_contains(?, type)"
        return self.part.execute(query, [self.cloud, types]).to_arrow_table()

    def _copy(self, table: str, types: list[str], sql: str) -> None:
        self.change("arriving", self._of(table, types), sql)

    def seers(self) -> pyarrow.Table:
        """The part's visibilities (`own`) by the numbers that the estate has for them."""
        return to_arrow([("own", "INTEGER"), ("number", "INTEGER")], list(self._numbers.items()))

    def change(self, name: str, rows: pyarrow.Table, sql: str, *parameters: Any) -> int:
        """Execute a changing statement that reads an Arrow table; answers the number of rows it changed."""
        if not rows.num_rows:
            return 0
        self.estate.register(name, rows)
        try:
            row = self.estate.execute(sql, list(parameters)).fetchone()
        finally:
            self.estate.unregister(name)
        return int(row[0]) if row else 0


class _Join:
    """One type of one region: joined when made. `versions` were put in, `extended` begin earlier."""

    def __init__(self, joint: _Joint, type: ResourceType, region: str, begins: datetime) -> None:
        """`begins`: when the estate's first whole listing began."""
        self._joint = joint
        self.estate, self.part, self.cloud = joint.estate, joint.part, joint.cloud
        self.type = type
        joins = self._joins(region, begins)
        rows = self._rows(region, begins, joins)
        self.extended = self._extend(joins)
        self.versions = self._insert(rows)

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
        return self._joint.change(
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
        self.estate.register("seers", self._joint.seers())
        try:
            return self._joint.change(
                "arriving", rows,
                f"INSERT INTO {self._table} SELECT {columns} FROM arriving n JOIN seers s ON s.own = n.seen_visibility",
            )  # fmt: skip
        finally:
            self.estate.unregister("seers")

    @property
    def _table(self) -> str:
        return quoted(self.type.table)
