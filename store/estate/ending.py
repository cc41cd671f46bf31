"""The end of a listing: the one transaction in which its rows, its absences and its state are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from store.estate import compare, drift_revisions, suspects
from store.estate.absence import Absent, Seers, settle
from store.estate.compare import Changes, Target
from store.estate.models import BROKEN, Listing, Outcome, State
from store.estate.rows import to_arrow
from store.estate.staging import Stage
from store.times import naive

if TYPE_CHECKING:
    import duckdb
    import pyarrow

    from store.types.declaration import ResourceType

_KEY = "cloud = ? AND region = ? AND type = ? AND scope = ?"
_SEEN = [("id", "VARCHAR"), ("bare", "BOOLEAN")]


@dataclass(slots=True)
class End:
    """Everything the writer thread needs to end a listing. `seen`: see ListingWriter."""

    listing: Listing
    type: ResourceType
    state: State
    reason: str
    ended_at: datetime
    apply: bool
    stage: Stage
    measures: Stage
    seen: dict[str, int]
    bare: set[str]
    superseded: list[int]
    blob_uses: list[tuple[str, str]]
    revisions: dict[str, int]

    def run(self, connection: duckdb.DuckDBPyConnection) -> Outcome:
        """Runs on the writer thread, inside its transaction."""
        listing = self.listing
        seen_by = Seers(connection, listing)
        stage = self.stage.open(connection, self.superseded) if self.apply and self.stage else ""
        target = Target(
            connection, self.type, listing.cloud, listing.region, naive(listing.started_at), seen_by.own, stage
        )
        before = _state(target, listing)
        whole = self.state not in BROKEN
        jumps = 0
        changes, absence = Changes(), Absent(suspects.Verdict(self.state, self.reason, close=False))
        if self.apply:
            changes = compare.apply_rows(target, close_deleted=whole)
            last = before["whole_visibility"] if before else None
            decides = whole and listing.kind != "delta"
            arrived = changes.new if self.type.listing.rotates else 0
            absence = settle(
                target, listing, seen_by, self._seen(), absence.verdict, decides=decides, last=last, arrived=arrived
            )
            if self.measures:
                compare.measure(target, self.measures.open(connection, []), changes)
            self._use_blobs(target)
            jumps = drift_revisions.note(target, self.revisions)
        state, reason = _next_state(before, absence.verdict, listing.kind)
        counts = (changes.new, changes.changed, absence.gone + changes.deleted)
        self._write_state(target, state, reason, before, whole)
        self._write_listing(target, state, reason, counts)
        moved = any((*counts, changes.filled, changes.measured, jumps)) or before is None or before["state"] != state
        return Outcome(
            *counts,
            unchanged=len(self.seen) - changes.new - changes.changed - changes.reported,
            filled=changes.filled,
            suspect=state == "suspect",
            reason=reason,
            state=state,
            unknown_ids=absence.unknown,
            moved=moved,
        )

    def _seen(self) -> pyarrow.Table:
        bare = self.bare
        return to_arrow(_SEEN, [(id, id in bare) for id in self.seen])

    def _use_blobs(self, target: Target) -> None:
        if self.blob_uses:
            target.with_table(
                "uses", to_arrow([("hash", "VARCHAR"), ("id", "VARCHAR")], sorted(set(self.blob_uses))),
                """INSERT INTO blob_uses SELECT u.hash, ?, ?, ?, u.id FROM uses u WHERE NOT EXISTS (
                    SELECT 1 FROM blob_uses b
                    WHERE b.hash = u.hash AND b.id = u.id AND b.type = ? AND b.cloud = ? AND b.region = ?)""",
                *(self.type.name, target.cloud, target.region) * 2,
            )  # fmt: skip

    def _write_state(
        self, target: Target, state: State, reason: str, before: dict[str, Any] | None, whole: bool
    ) -> None:
        started, ended, listing = target.started, naive(self.ended_at), self.listing
        row: dict[str, Any] = {"state": state, "reason": reason, "visibility": target.visibility}
        row.update(listing_id=listing.id, started_at=started, ended_at=ended)
        if whole:
            row.update(fresh_started_at=started, fresh_ended_at=ended)
            if listing.kind != "delta":
                row.update(whole_listing_id=listing.id, whole_visibility=target.visibility)
                row.update(whole_started_at=started, whole_ended_at=ended, rows=len(self.seen))
        key = (listing.cloud, listing.region, listing.type, listing.scope)
        if before is not None:
            assignments = ", ".join(f"{name} = ?" for name in row)
            target.run(f"UPDATE states SET {assignments} WHERE {_KEY}", *row.values(), *key)
            return
        names = f"cloud, region, type, scope, {', '.join(row)}"
        target.run(f"INSERT INTO states ({names}) VALUES ({', '.join('?' * (len(row) + 4))})", *key, *row.values())

    def _write_listing(self, target: Target, state: State, reason: str, counts: tuple[int, int, int]) -> None:
        listing = self.listing
        target.run(
            f"INSERT INTO listings VALUES ({', '.join('?' * 15)}, false)",
            listing.id, listing.cloud, listing.region, listing.type, listing.kind, listing.scope, target.visibility,
            target.started, naive(self.ended_at), state, reason, len(self.seen), *counts,
        )  # fmt: skip


def _state(target: Target, listing: Listing) -> dict[str, Any] | None:
    connection = target.connection
    key = [listing.cloud, listing.region, listing.type, listing.scope]
    cursor = connection.execute(f"SELECT * FROM states WHERE {_KEY}", key)
    names = [column[0] for column in cursor.description]
    row = cursor.fetchone()
    return dict(zip(names, row, strict=True)) if row else None


def _next_state(before: dict[str, Any] | None, verdict: suspects.Verdict, kind: str) -> tuple[State, str]:
    """A delta that went well says nothing about rows that are missing, so it takes no suspicion away."""
    if kind == "delta" and verdict.state == "ok" and before and before["state"] in ("suspect", "degraded"):
        return before["state"], before["reason"]
    return verdict.state, verdict.reason
