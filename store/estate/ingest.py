"""Ingest of one listing: rows are staged as they arrive, and compared and written in one transaction at its end.

A process that dies in between leaves nothing behind: staging tables are temporary, and a listing is there
whole or not at all.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from store.estate import ending
from store.estate.errors import EstateClosed, ListingEnded
from store.estate.models import Listing, Outcome
from store.estate.rows import BATCH_ROWS, Batch, RowBuilder, arrow_columns, to_arrow
from store.estate.schema import quoted
from store.estate.staging import Stage

if TYPE_CHECKING:
    import duckdb

    from store.estate.estate import Estate
    from store.types.declaration import ResourceType

_numbers = itertools.count(1)


class ListingWriter:
    """Takes the rows of one listing. Any thread may add.

    Memory holds the ids and hashes of the type, and new and changed rows as Arrow within the estate's `Budget`.
    """

    def __init__(self, estate: Estate, listing: Listing, type: ResourceType) -> None:
        self.listing = listing
        self.type = type
        self._estate = estate
        self._lock = threading.Lock()
        self._ended = False
        self._columns = arrow_columns(type)
        self._volatile = [(column.name, column.sql) for column in type.columns if column.volatile]
        number = next(_numbers)
        self._stage = Stage(estate, f"stage_{number}")
        self._measures = Stage(estate, f"measures_{number}")
        self._held: list[tuple[int, tuple[Any, ...]]] = []  # (seq, wide row), not yet staged
        self._held_volatile: dict[str, tuple[Any, ...]] = {}
        self._uses: list[tuple[str, str]] = []
        self._next = 1
        # id -> seq of its wide row, or -1: unchanged, bare, or an id alone.
        self._seen: dict[str, int] = {}
        self._bare: set[str] = set()
        self._superseded: list[int] = []
        self._revisions: dict[str, int] = {}
        self._rejected = 0
        self._known: dict[str, bytes] | None = None

    @property
    def known(self) -> dict[str, bytes]:
        """id -> hash of the current versions that this listing covers; read once.

        When another listing of the same type changes or closes such a row before this one ends, the other
        one's word stands
        until the next collection: this one has no document of a row that it took for unchanged.
        """
        with self._lock:
            if self._known is None:
                self._known = self._read_known()
            return self._known

    def builder(self) -> RowBuilder:
        """A RowBuilder that does not build rows that the store already has; one per thread."""
        return RowBuilder(self.type, known=self.known)

    @property
    def rows(self) -> int:
        """Resources seen so far."""
        return len(self._seen)

    def missing(self) -> list[str]:
        """Ids of the known rows that this listing has not shown so far."""
        known = self.known
        with self._lock:
            return [id for id in known if id not in self._seen]

    def add(self, batch: Batch) -> None:
        """Take a batch; of rows with the same id the last one wins. Blocks while earlier rows are on their way to disk.

        Raises ListingEnded, and what writing the earlier rows raised.
        """
        with self._lock:
            self._check_open()
            self._take_ids(batch)
            self._uses.extend(batch.blob_uses)
            self._rejected += batch.rejected
            self._revisions.update(batch.revisions)
            self._held_volatile.update(batch.volatile)
            if batch.blobs:
                self._submit_blobs(batch)
            if len(self._held) >= BATCH_ROWS or len(self._held_volatile) >= BATCH_ROWS:
                self._flush()

    def add_ids(self, ids: Iterable[str]) -> None:
        """Ids of an "ids" listing."""
        batch = Batch()
        batch.bare.extend(ids)
        self.add(batch)

    def finish(self, *, ended_at: datetime) -> Outcome:
        """The listing ended whole: compare and write, in one transaction. Raises ListingEnded and the estate's
        errors."""
        if self._rejected:
            reason = f"{self._rejected} rows had no usable id, so it is not known what the listing left out"
            return self._end("partial", reason, ended_at, apply=True)
        return self._end("ok", "", ended_at, apply=True)

    def abandon(
        self,
        state: Literal["failed", "partial", "not_permitted", "degraded"],
        reason: str,
        *,
        apply: bool = True,
        ended_at: datetime | None = None,
    ) -> Outcome:
        """The listing broke off: with `apply`, rows that did arrive may make or change versions, but nothing
        is ever closed.

        "degraded": it ended, and the service said that a part of it does not answer.
        """
        from store.times import utcnow

        return self._end(state, reason, ended_at or utcnow(), apply=apply)

    def _end(self, state: Any, reason: str, ended_at: datetime, *, apply: bool) -> Outcome:
        with self._lock:
            self._check_open()
            self._ended = True
            if apply:
                self._flush()
        try:
            end = ending.End(
                listing=self.listing,
                type=self.type,
                state=state,
                reason=reason,
                ended_at=ended_at,
                apply=apply,
                stage=self._stage,
                measures=self._measures,
                seen=self._seen,
                bare=self._bare,
                superseded=self._superseded,
                blob_uses=self._uses,
                revisions=self._revisions,
            )
            future = self._estate.submit(end.run, after=self._announce)
            outcome = future.result()
        finally:
            with contextlib.suppress(EstateClosed):  # nothing is left to drop then
                self._estate.submit(self._drop, transaction=False)
        return replace(outcome, data_version=self._estate.data_version(self.type.name))

    def _announce(self, outcome: Outcome) -> None:
        if outcome.moved:
            self._estate.changed(self.listing.cloud, self.type.name)

    def _check_open(self) -> None:
        if self._ended:
            raise ListingEnded(f"listing {self.listing.id} of {self.type.plural} has already ended")

    def _take_ids(self, batch: Batch) -> None:
        seen, base = self._seen, self._next
        for id, index in batch.ids.items():
            before = seen.get(id)
            if before is not None and before > 0:
                self._superseded.append(before)
            if index < 0:
                seen[id] = -1
                continue
            seen[id] = base + index
            self._held.append((base + index, batch.rows[index]))
        self._next += len(batch.rows)
        for id in batch.bare:
            # A bare row says only that the resource exists, so it never stands in the way of one that says more.
            if seen.setdefault(id, -1) == -1:
                self._bare.add(id)
        if self._bare:
            self._bare.difference_update(batch.ids)

    def _flush(self) -> None:
        """Make Arrow of what is held. It stays in memory while it is small, and goes to a temporary table when not."""
        if self._held:
            wide = [(seq, *row) for seq, row in self._held]
            self._held = []
            self._stage.add(to_arrow([("seq", "BIGINT"), *self._columns], wide))
        if self._held_volatile:
            measures = [(id, *values) for id, values in self._held_volatile.items()]
            self._held_volatile = {}
            self._measures.add(to_arrow([("id", "VARCHAR"), *self._volatile], measures))

    def _submit_blobs(self, batch: Batch) -> None:
        """Large values go straight to their table: they are found by their hash, and nothing refers to them yet."""
        rows = [(hash, size, value) for hash, (size, value) in batch.blobs.items()]

        def keep(connection: duckdb.DuckDBPyConnection) -> None:
            connection.register(
                "arriving", to_arrow([("hash", "VARCHAR"), ("bytes", "BIGINT"), ("value", "VARCHAR")], rows)
            )
            try:
                connection.execute(
                    "INSERT INTO blobs SELECT * FROM arriving WHERE hash NOT IN (SELECT hash FROM blobs)"
                )
            finally:
                connection.unregister("arriving")

        self._estate.submit(keep).result()

    def _drop(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._stage.drop(connection)
        self._measures.drop(connection)
        self._seen = {}

    def _read_known(self) -> dict[str, bytes]:
        listing = self.listing
        sql = f"SELECT id, hash FROM {quoted(self.type.table)} WHERE cloud = ? AND region = ? AND valid_to IS NULL"
        parameters: list[Any] = [listing.cloud, listing.region]
        if listing.scope != "all":
            # What another project's listing saw is not needed; if this one sees it too, it is compared in the store.
            sql += " AND (scope IN (?, '') OR seen_visibility IN (SELECT id FROM visibilities WHERE listing_scope = ?))"
            parameters += [listing.scope, listing.scope]
        with self._estate.reader() as connection:
            table = connection.execute(sql, parameters).to_arrow_table()
        return dict(zip(table.column(0).to_pylist(), table.column(1).to_pylist(), strict=True))
