"""Rows that a listing saw unchanged, and rows that it did not see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from store.estate import suspects
from store.estate.compare import Target
from store.estate.models import Listing
from store.estate.visibility import Visibility

if TYPE_CHECKING:
    import duckdb
    import pyarrow

_TYPE = "cloud = ? AND region = ? AND type = ?"


@dataclass(slots=True)
class Absent:
    """What came of the rows not seen. `unknown`: ids seen of which the store has no current version."""

    verdict: suspects.Verdict
    gone: int = 0
    unknown: tuple[str, ...] = ()


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


def settle(
    target: Target,
    listing: Listing,
    seen_by: Seers,
    seen: pyarrow.Table,
    verdict: suspects.Verdict,
    *,
    decides: bool,
    last: int | None,
    arrived: int = 0,
) -> Absent:
    """Note who saw the rows last and, when the listing `decides`, close rows that it does not show or say why not.

    seen     Arrow table (id, bare) of all rows of the listing
    verdict  the answer of a listing that does not decide
    last     id of the visibility of the last whole listing of the same scope
    arrived  new rows, where the type rotates
    """
    absent = Absent(verdict)
    key = (target.cloud, target.region, target.type.name)
    target.connection.register("seen", seen)
    try:
        covered, unseen, stale, found = _counts(target, listing, seen_by)
        if stale:
            _touch(target)
        if listing.kind == "ids" and found < seen.num_rows:
            absent.unknown = _unknown(target)
        waiting = target.rows(f"SELECT count(*) FROM missing WHERE {_TYPE}", *key)[0][0]
        if waiting:
            target.run(f"DELETE FROM missing WHERE {_TYPE} AND id IN (SELECT id FROM seen)", *key)
        if decides and unseen:
            absent.gone, absent.verdict = _absent(target, listing, seen_by, covered, last, arrived)
        elif decides:
            absent.verdict = suspects.judge(suspects.Absence(covered), seen_by.relation(last))
        if waiting:
            # Closed by this listing, as deleted or under another scope: there is nothing left to decide.
            target.run(
                f"""DELETE FROM missing WHERE {_TYPE} AND id NOT IN (
                    SELECT id FROM {target.table} WHERE cloud = ? AND region = ? AND valid_to IS NULL)""",
                *key, target.cloud, target.region,
            )  # fmt: skip
    finally:
        target.connection.unregister("seen")
    return absent


def _cover(listing: Listing, seen_by: Seers) -> tuple[str, list[Any]]:
    """SQL that says whether a version `v` is among the rows that the listing should show."""
    if listing.scope == "all":
        return "true", []
    return "(v.scope = ? OR list_contains(?, v.seen_visibility))", [listing.scope, seen_by.covered]


def _counts(target: Target, listing: Listing, seen_by: Seers) -> tuple[int, int, int, int]:
    """Current versions (covered; covered and not seen; seen, but not by this visibility before; seen).

    One pass over the type, after which a listing without news has nothing more to do.
    """
    cover, parameters = _cover(listing, seen_by)
    return target.rows(
        f"""SELECT count(*) FILTER ({cover}), count(*) FILTER ({cover} AND s.id IS NULL),
               count(*) FILTER (NOT s.bare AND v.seen_visibility <> ?), count(s.id)
        FROM {target.table} v LEFT JOIN seen s ON s.id = v.id
        WHERE v.cloud = ? AND v.region = ? AND v.valid_to IS NULL""",
        *parameters, *parameters, target.visibility, target.cloud, target.region,
    )[0]  # type: ignore[return-value]  # fmt: skip


def _touch(target: Target) -> None:
    """Rows that were seen unchanged were last seen by this listing's visibility."""
    target.run(
        f"""UPDATE {target.table} AS v SET seen_visibility = ? FROM seen s
        WHERE v.id = s.id AND NOT s.bare AND v.cloud = ? AND v.region = ? AND v.valid_to IS NULL
          AND v.seen_visibility <> ?""",
        target.visibility, target.cloud, target.region, target.visibility,
    )  # fmt: skip


def _unknown(target: Target) -> tuple[str, ...]:
    query = f"""SELECT id FROM seen WHERE id NOT IN (
        SELECT id FROM {target.table} WHERE cloud = ? AND region = ? AND valid_to IS NULL)"""
    return tuple(id for (id,) in target.rows(query, target.cloud, target.region))


def _absent(
    target: Target, listing: Listing, seen_by: Seers, covered: int, last: int | None, arrived: int
) -> tuple[int, suspects.Verdict]:
    """Rows that a whole listing does not show: close them, or keep them and say why."""
    key = (listing.cloud, listing.region, listing.type, listing.scope)
    cover, parameters = _cover(listing, seen_by)
    target.connection.execute(
        f"""CREATE TEMP TABLE absent AS
        SELECT a.id, a.old, m.since, CASE WHEN m.kept THEN 'kept' WHEN NOT a.closable THEN 'blocked'
               WHEN m.id IS NOT NULL THEN 'repeated' ELSE 'fresh' END AS kind
        FROM (SELECT v.id, v.rowid AS old, list_contains(?, v.seen_visibility) AS closable FROM {target.table} v
              WHERE v.cloud = ? AND v.region = ? AND v.valid_to IS NULL AND {cover}
                AND v.id NOT IN (SELECT id FROM seen)) a
        LEFT JOIN (SELECT id, since, kept FROM missing WHERE {_TYPE} AND scope = ?) m ON m.id = a.id""",
        [seen_by.closable, target.cloud, target.region, *parameters, *key],
    )
    kinds = dict(target.rows("SELECT kind, count(*) FROM absent GROUP BY kind"))
    verdict = suspects.judge(suspects.Absence(covered, **kinds, arrived=arrived), seen_by.relation(last))
    gone = 0
    if verdict.close and (kinds.get("fresh") or kinds.get("repeated")):
        gone = target.run(
            f"""UPDATE {target.table} AS v
            SET valid_to = greatest(?::TIMESTAMP, v.valid_from + INTERVAL 1 MICROSECOND)
            FROM absent a WHERE v.rowid = a.old AND a.kind IN ('fresh', 'repeated')""",
            target.started,
        )  # fmt: skip
    stay = "('blocked', 'kept')" if verdict.close else "('blocked', 'kept', 'fresh', 'repeated')"
    target.run(f"DELETE FROM missing WHERE {_TYPE} AND scope = ?", *key)
    target.run(
        f"""INSERT INTO missing SELECT ?, ?, ?, ?, id, coalesce(since, ?), kind = 'kept'
        FROM absent WHERE kind IN {stay}""",
        *key, target.started,
    )  # fmt: skip
    target.connection.execute("DROP TABLE absent")
    return gone, verdict
