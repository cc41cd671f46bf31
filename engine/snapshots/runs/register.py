"""The register of restore points that policies made: the only points that retention may remove.

A point is noted before the cloud is asked for it, with the token that goes into what is made. What the register does
not have was made by somebody else, whatever its metadata say.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from engine.snapshots.models import POLICY, PROJECT, TAKEN_AT, TOKEN, VOLUME, Point
from store import times
from store.ops.snapshot_run_tables import snapshot_points as points

if TYPE_CHECKING:
    from store.ops.ops import Ops

# Points that are, or may be, in the cloud.
THERE = ("made", "deleting")
_MOST = 500  # ids in one statement


class Register:
    """Thread-safe. Methods with a `connection` write in the caller's transaction."""

    def __init__(self, ops: Ops, clock: Callable[[], datetime] = times.utcnow) -> None:
        self._ops, self._clock = ops, clock

    # Making

    def begin(
        self,
        connection: Connection,
        token: str,
        place: tuple[str, str, str],
        volumes: Iterable[Mapping[str, Any]],
        **facts: Any,
    ) -> bool:
        """Note that points are about to be made, one of each volume.

        place    (cloud, region, project id)
        volumes  {"volume_id", "size_gb", ...} each; facts: policy, occurrence, run_id, kind, server_id, name, taken_at
        False, and nothing is noted, when another token has a point of that policy and occurrence for one of them.
        Harmless when this token noted them before; what failed then is begun again.
        """
        rows = [
            {"token": token, "cloud": place[0], "region": place[1], "project_id": place[2], **facts, **volume,
             "state": "begun", "changed_at": self._clock()}
            for volume in volumes
        ]  # fmt: skip
        ids = [row["volume_id"] for row in rows if row["volume_id"]]
        at_once = select(points.c.token).where(
            points.c.cloud == place[0], points.c.region == place[1], points.c.volume_id.in_(ids),
            points.c.policy == facts["policy"], points.c.occurrence == facts["occurrence"], points.c.state != "failed",
        )  # fmt: skip
        found = set(connection.execute(at_once).scalars())
        if found - {token}:
            return False
        known = set(connection.execute(select(points.c.volume_id).where(points.c.token == token)).scalars())
        again = [row["volume_id"] for row in rows if row["volume_id"] in known]
        failed = (points.c.token == token, points.c.volume_id.in_(again), points.c.state == "failed")
        values = {"state": "begun", "detail": "", "kind": facts["kind"], "taken_at": facts["taken_at"]}
        connection.execute(update(points).where(*failed).values(**values))
        if new := [row for row in rows if row["volume_id"] not in known]:
            connection.execute(insert(points), new)
        return True

    def made(self, connection: Connection, token: str, volume_id: str, point_id: str, **facts: Any) -> None:
        """The point is there and usable; facts: consistency, proof, spread_ms, group, size_gb, taken_at."""
        values = {"state": "made", "point_id": point_id, "changed_at": self._clock(), **facts}
        self._set(connection, token, volume_id, values, ("begun", "made"))

    def failed(self, connection: Connection, token: str, detail: str, volume_id: str | None = None) -> None:
        """Nothing usable was made with this token (of that volume)."""
        where = [points.c.token == token, points.c.state == "begun"]
        where += [] if volume_id is None else [points.c.volume_id == volume_id]
        values = {"state": "failed", "detail": detail[:500], "changed_at": self._clock()}
        connection.execute(update(points).where(*where).values(**values))

    def forget(self, connection: Connection, token: str, volume_id: str) -> None:
        """The cloud was not asked for this point after all."""
        where = (points.c.token == token, points.c.volume_id == volume_id, points.c.state == "begun")
        connection.execute(delete(points).where(*where))

    # Removing

    def deleting(self, connection: Connection, token: str, volume_id: str) -> None:
        """Retention is about to remove it."""
        self._set(connection, token, volume_id, {"state": "deleting", "changed_at": self._clock()}, THERE)

    def kept(self, connection: Connection, token: str, volume_id: str, detail: str) -> None:
        """It could not be removed, and is still there."""
        values = {"state": "made", "changed_at": self._clock(), "detail": detail[:500]}
        self._set(connection, token, volume_id, values, THERE)

    def deleted(self, connection: Connection, token: str, volume_id: str) -> None:
        """Retention removed it."""
        self._set(connection, token, volume_id, {"state": "deleted", "changed_at": self._clock()}, THERE)

    def lost(self, connection: Connection, token: str, volume_id: str) -> None:
        """It is gone, and it was not retention that removed it."""
        self._set(connection, token, volume_id, {"state": "lost", "changed_at": self._clock()}, THERE)

    def _set(
        self, connection: Connection, token: str, volume_id: str, values: Mapping[str, Any], states: Sequence[str]
    ) -> None:
        where = (points.c.token == token, points.c.volume_id == volume_id, points.c.state.in_(states))
        connection.execute(update(points).where(*where).values(**values))

    # Looking

    def rows(
        self,
        cloud: str,
        region: str,
        volume_ids: Collection[str] | None = None,
        policy: str | None = None,
        states: Sequence[str] = THERE,
    ) -> list[dict[str, Any]]:
        """The register's rows, newest first by our clock."""
        where: list[Any] = [points.c.cloud == cloud, points.c.region == region, points.c.state.in_(states)]
        if policy is not None:
            where.append(points.c.policy == policy)
        if volume_ids is not None and len(volume_ids) <= _MOST:
            where.append(points.c.volume_id.in_(list(volume_ids)))
        query = select(points).where(*where).order_by(points.c.taken_at.desc(), points.c.token)
        with self._ops.read() as connection:
            found = [dict(row) for row in connection.execute(query).mappings()]
        if volume_ids is not None and len(volume_ids) > _MOST:
            wanted = set(volume_ids)
            found = [row for row in found if row["volume_id"] in wanted]
        return found

    def of_token(self, token: str) -> list[dict[str, Any]]:
        """Every row of one token."""
        with self._ops.read() as connection:
            query = select(points).where(points.c.token == token).order_by(points.c.volume_id)
            return [dict(row) for row in connection.execute(query).mappings()]

    def own(self, cloud: str, region: str, volume_ids: Collection[str] | None = None) -> list[Point]:
        """Our points that retention has not removed and nobody else has, as far as we know; newest first."""
        return [point(row) for row in self.rows(cloud, region, volume_ids)]

    def by_ids(self, cloud: str, region: str, ids: Collection[str]) -> dict[str, Point]:
        """Our points of these ids, whatever became of them."""
        found: dict[str, Point] = {}
        wanted = list(dict.fromkeys(id for id in ids if id))
        with self._ops.read() as connection:
            for start in range(0, len(wanted), _MOST):
                part = wanted[start : start + _MOST]
                where = (points.c.cloud == cloud, points.c.region == region, points.c.point_id.in_(part))
                found |= {
                    row["point_id"]: point(row) for row in connection.execute(select(points).where(*where)).mappings()
                }
        return found

    def newest(self, cloud: str, region: str) -> dict[tuple[str, str], datetime]:
        """{(volume id, policy): newest occurrence that has a point, or had one}."""
        query = select(points.c.volume_id, points.c.policy, points.c.occurrence).where(
            points.c.cloud == cloud,
            points.c.region == region,
            points.c.state.not_in(("begun", "failed")),  # what was only begun is looked for by the next step
            points.c.volume_id != "",
        )
        found: dict[tuple[str, str], datetime] = {}
        with self._ops.read() as connection:
            for volume, policy, occurrence in connection.execute(query):
                key = (volume, policy)
                found[key] = max(found.get(key, occurrence), occurrence)
        return found


def unit(row: Mapping[str, Any] | RowMapping) -> str:
    """What is removed as one: an image or a group snapshot with its snapshots, else each snapshot by itself."""
    return str(row["group"] or f"{row['token']}/{row['volume_id']}")


def point(row: Mapping[str, Any] | RowMapping) -> Point:
    """A row of the register as a restore point."""
    return Point(
        cloud=row["cloud"],
        region=row["region"],
        id=row["point_id"],
        kind=row["kind"],
        volume_id=row["volume_id"],
        project_id=row["project_id"],
        name=row["name"],
        status="available" if row["state"] == "made" else row["state"],
        size_gb=row["size_gb"],
        policy=row["policy"],
        own=True,
        taken_at=row["taken_at"],
        server_id=row["server_id"],
        group=row["group"],
        consistency=row["consistency"],
        proof=row["proof"],
        spread_ms=row["spread_ms"],
        metadata={TOKEN: row["token"], POLICY: row["policy"], VOLUME: row["volume_id"], PROJECT: row["project_id"],
                  TAKEN_AT: times.text(row["taken_at"])},
    )  # fmt: skip
