"""The end of a listing: the one transaction in which its rows, its absences and its state are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from store.estate import compare, suspects
from store.estate.compare import Changes, Target
from store.estate.models import BROKEN, Listing, Outcome, State
from store.estate.rows import to_arrow
from store.estate.staging import Stage
from store.estate.visibility import Visibility
from store.times import naive

if TYPE_CHECKING:
    import duckdb

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

    def run(self, connection: duckdb.DuckDBPyConnection) -> Outcome:
        """Runs on the writer thread, inside its transaction."""
        listing = self.listing
        seen_by = Seers(connection, listing)
        stage = self.stage.open(connection, self.superseded) if self.apply and self.stage else ""
        target = Target(
            connection, self.type, listing.cloud, listing.region, naive(listing.started_at), seen_by.own, stage
        )
        whole = self.state not in BROKEN
        changes = compare.apply_rows(target, close_deleted=whole) if self.apply else Changes()
        unknown: tuple[str, ...] = ()
        gone, verdict = 0, suspects.Verdict(self.state, self.reason, close=False)
        if self.apply:
            unknown, gone, verdict = self._seen_rows(target, seen_by, whole)
            if self.measures:
                compare.measure(target, self.measures.open(connection, []), changes)
            self._use_blobs(target)
        gone += changes.deleted
        before = _state(target, listing)
        state, reason = _next_state(before, verdict, listing.kind)
        _write_state(target, listing, self, seen_by.own, state, reason, before, whole)
        counts = (changes.new, changes.changed, gone)
        _write_listing(target, listing, self, seen_by.own, state, reason, counts)
        moved = any((*counts, changes.filled, changes.measured)) or before is None or before["state"] != state
        return Outcome(
            new=changes.new,
            changed=changes.changed,
            gone=gone,
            unchanged=len(self.seen) - changes.new - changes.changed - changes.reported,
            filled=changes.filled,
            suspect=state == "suspect",
            reason=reason,
            state=state,
            unknown_ids=unknown,
            moved=moved,
        )

    def _seen_rows(self, target: Target, seen_by: Seers, whole: bool) -> tuple[tuple[str, ...], int, suspects.Verdict]:
        """Note who saw the rows last, and decide about those not seen: (ids without a document, rows closed,
        verdict)."""
        verdict = suspects.Verdict(self.state, self.reason, close=False)
        unknown: tuple[str, ...] = ()
        gone = 0
        if not self.seen and not (whole and self.listing.kind != "delta"):
            return unknown, gone, verdict
        rows = [(id, id in self.bare) for id in self.seen]
        target.connection.register("seen", to_arrow(_SEEN, rows))
        try:
            _touch(target)
            if self.listing.kind == "ids":
                unknown = tuple(
                    id for (id,) in target.rows(
                        f"SELECT id FROM seen WHERE id NOT IN (SELECT id FROM {target.table} "
                        "WHERE cloud = ? AND region = ? AND valid_to IS NULL)", target.cloud, target.region)
                )  # fmt: skip
            if whole and self.listing.kind != "delta":
                gone, verdict = _absent(target, self.listing, seen_by)
            else:
                target.run(
                    "DELETE FROM missing WHERE cloud = ? AND region = ? AND type = ? AND id IN (SELECT id FROM seen)",
                    target.cloud, target.region, self.type.name,
                )  # fmt: skip
        finally:
            target.connection.unregister("seen")
        return unknown, gone, verdict

    def _use_blobs(self, target: Target) -> None:
        if self.blob_uses:
            target.with_table(
                "uses", to_arrow([("hash", "VARCHAR"), ("id", "VARCHAR")], sorted(set(self.blob_uses))),
                """INSERT INTO blob_uses SELECT u.hash, ?, ?, ?, u.id FROM uses u WHERE NOT EXISTS (
                    SELECT 1 FROM blob_uses b
                    WHERE b.hash = u.hash AND b.id = u.id AND b.type = ? AND b.cloud = ? AND b.region = ?)""",
                *(self.type.name, target.cloud, target.region) * 2,
            )  # fmt: skip


class Seers:
    """The visibilities table as one listing needs it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, listing: Listing) -> None:
        self._relations: dict[int, str] = {}
        self.covered: list[int] = []  # visibilities of listings of the same scope
        self.own = 0
        vis = listing.visibility
        highest = 0
        query = "SELECT id, endpoint, user_id, token_scope, roles, all_projects, listing_scope FROM visibilities"
        for number, endpoint, user, scope, roles, all_projects, listing_scope in connection.execute(query).fetchall():
            highest = max(highest, number)
            other = Visibility(endpoint, user, scope, tuple(roles), all_projects)
            self._relations[number] = vis.covers(other)
            if listing_scope == listing.scope:
                self.covered.append(number)
                if other == vis:
                    self.own = number
        if not self.own:
            self.own = highest + 1
            self._relations[self.own] = "same"
            self.covered.append(self.own)
            row = [self.own, vis.endpoint, vis.user_id, vis.scope, list(vis.roles), vis.all_projects, listing.scope]
            connection.execute("INSERT INTO visibilities VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def relation(self, number: int | None) -> Any:
        """This listing's visibility against another: "same", "wider" ...; None for none."""
        return None if number is None else self._relations.get(number, "different")

    @property
    def closable(self) -> list[int]:
        """Visibilities that saw no more than this listing does."""
        return [number for number, relation in self._relations.items() if relation in ("same", "wider")]


def _touch(target: Target) -> None:
    """Rows that were seen unchanged were last seen by this listing's visibility."""
    target.run(
        f"""UPDATE {target.table} AS v SET seen_visibility = ? FROM seen s
        WHERE v.id = s.id AND NOT s.bare AND v.cloud = ? AND v.region = ? AND v.valid_to IS NULL AND
        v.seen_visibility <> ?""",
        target.visibility, target.cloud, target.region, target.visibility,
    )  # fmt: skip


def _absent(target: Target, listing: Listing, seen_by: Seers) -> tuple[int, suspects.Verdict]:
    """Rows that a whole listing does not show: close them, or keep them and say why."""
    key = (listing.cloud, listing.region, listing.type, listing.scope)
    cover, parameters = "true", []
    if listing.scope != "all":
        cover, parameters = "(v.scope = ? OR list_contains(?, v.seen_visibility))", [listing.scope, seen_by.covered]
    covered = f"FROM {target.table} v WHERE v.cloud = ? AND v.region = ? AND v.valid_to IS NULL AND {cover}"
    count = target.rows(f"SELECT count(*) {covered}", target.cloud, target.region, *parameters)[0][0]
    target.connection.execute(
        f"""CREATE TEMP TABLE absent AS
        SELECT a.id, a.old, m.since, CASE WHEN m.kept THEN 'kept' WHEN NOT a.closable THEN 'blocked'
               WHEN m.id IS NOT NULL THEN 'repeated' ELSE 'fresh' END AS kind
        FROM (SELECT v.id, v.rowid AS old, list_contains(?, v.seen_visibility) AS closable
              {covered} AND v.id NOT IN (SELECT id FROM seen)) a
        LEFT JOIN (SELECT id, since, kept FROM missing WHERE {_KEY}) m ON m.id = a.id""",
        [seen_by.closable, target.cloud, target.region, *parameters, *key],
    )
    kinds = dict(target.rows("SELECT kind, count(*) FROM absent GROUP BY kind"))
    before = _state(target, listing)
    relation = seen_by.relation(before["whole_visibility"]) if before else None
    verdict = suspects.judge(suspects.Absence(covered=count, **kinds), relation)
    gone = 0
    if verdict.close and (kinds.get("fresh") or kinds.get("repeated")):
        gone = target.run(
            f"""UPDATE {target.table} AS v SET valid_to = greatest(?::TIMESTAMP, v.valid_from + INTERVAL 1 MICROSECOND)
            FROM absent a WHERE v.rowid = a.old AND a.kind IN ('fresh', 'repeated')""",
            target.started,
        )  # fmt: skip
    target.run(f"DELETE FROM missing WHERE {_KEY}", *key)
    stay = "('blocked', 'kept')" if verdict.close else "('blocked', 'kept', 'fresh', 'repeated')"
    if kinds:
        target.run(
            f"""INSERT INTO missing SELECT ?, ?, ?, ?, id, coalesce(since, ?), kind = 'kept'
            FROM absent WHERE kind IN {stay}""",
            *key, target.started,
        )  # fmt: skip
    target.connection.execute("DROP TABLE absent")
    return gone, verdict


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


def _write_state(
    target: Target, listing: Listing, end: End, visibility: int, state: State, reason: str,
    before: dict[str, Any] | None, whole: bool,
) -> None:  # fmt: skip
    started, ended = target.started, naive(end.ended_at)
    row = dict(before or {})
    row.update(cloud=listing.cloud, region=listing.region, type=listing.type, scope=listing.scope)
    row.update(
        state=state, reason=reason, visibility=visibility, listing_id=listing.id, started_at=started, ended_at=ended
    )
    if whole:
        row.update(fresh_started_at=started, fresh_ended_at=ended)
        if listing.kind != "delta":
            row.update(whole_listing_id=listing.id, whole_visibility=visibility)
            row.update(whole_started_at=started, whole_ended_at=ended, rows=len(end.seen))
    key = (listing.cloud, listing.region, listing.type, listing.scope)
    target.run(f"DELETE FROM states WHERE {_KEY}", *key)
    names = ", ".join(row)
    target.run(f"INSERT INTO states ({names}) VALUES ({', '.join('?' * len(row))})", *row.values())


def _write_listing(
    target: Target, listing: Listing, end: End, visibility: int, state: State, reason: str, counts: tuple[int, int, int]
) -> None:
    target.run(
        f"INSERT INTO listings VALUES ({', '.join('?' * 15)})",
        listing.id, listing.cloud, listing.region, listing.type, listing.kind, listing.scope, visibility,
        target.started, naive(end.ended_at), state, reason, len(end.seen), *counts,
    )  # fmt: skip
