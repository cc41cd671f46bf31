"""Assignments to single volumes, and exclusions: made, changed and removed, each with its record in the audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, func, insert, select, update

from engine.access.models import Caller
from engine.api.errors import BadRequest, Conflict, Forbidden, NotFound
from engine.api.instants import instant
from engine.inventory.reads import scope_of
from engine.snapshots.models import Key, Volume
from engine.snapshots.policies.changing import number_of
from engine.snapshots.policies.models import AssignmentBody, ExclusionBody, ExclusionChange
from engine.snapshots.policies.visible import Part, part_of, within
from engine.snapshots.volumes import find
from store import times
from store.ops.snapshot_policy_tables import snapshot_assignments, snapshot_exclusions

if TYPE_CHECKING:
    from engine.snapshots.policies.service import PolicyService

Row = dict[str, Any]
MOST_EXCLUSIONS = 5000
_TOLD = 200  # volumes that one record of the audit names


class Giving:
    """See the module. Callers are checked for their part here, for their role by the routes."""

    def __init__(self, service: PolicyService) -> None:
        self._service = service
        self._ops, self._audit = service.ops, service.audit

    # Assignments

    def assignments(self, caller: Caller, volume_id: str | None = None, policy_set_id: int | None = None) -> list[Row]:
        """Assignments to volumes that the caller may see, the oldest first."""
        rows = [
            row
            for row in self._service.state().assignments.values()
            if volume_id in (None, row["volume_id"]) and policy_set_id in (None, row["policy_set_id"])
        ]
        visible = within(self._service.reads, caller, [_key(row) for row in rows])
        return [row for row in rows if _key(row) in visible]

    def assign(self, caller: Caller, body: AssignmentBody) -> tuple[list[Row], int]:
        """Give a set or policies to volumes: (their assignments, how many of these are new). What a volume has already
        gets the numbers given. Raises NotFound for a volume or set, BadRequest for an id of several volumes."""
        found = self._volumes(caller, body.ids(), body.cloud, body.region)
        part, state, now = part_of(self._service.reads, caller), self._service.state(), self._service.clock()
        if body.policy_set_id is not None:
            row = state.sets.get(body.policy_set_id)
            if row is None or not part.sees(row):
                raise NotFound(f"there is no policy set {body.policy_set_id}")
            wanted: list[tuple[int, str, int | None]] = [(body.policy_set_id, "", None)]
            called = row["name"]
        else:
            wanted = [(0, name, body.retention_map.get(name, body.keep)) for name in body.names()]
            called = ", ".join(body.names())
        made, new = [], 0
        with self._ops.begin() as connection:
            for volume in found:
                for set_id, policy, keep in wanted:
                    row, is_new = put(connection, caller, volume, set_id, policy, keep, body.reason, now)
                    made.append(row)
                    new += is_new
            detail: Row = {"volumes": [_named(volume) for volume in found[:_TOLD]], "count": len(found), "new": new}
            detail |= _place(found) | ({"reason": body.reason} if body.reason else {})
            detail |= {"keep": keeps} if (keeps := {policy: keep for _, policy, keep in wanted if keep}) else {}
            self._audit.record(caller, "snapshot.assign", called[:200], detail, connection=connection)
        self._service.moved()
        return made, new

    def unassign(self, caller: Caller, ids: Sequence[int]) -> list[Row]:
        """Take assignments back; answers their rows. Raises NotFound when one is not there, or not the caller's."""
        visible = {row["id"]: row for row in self.assignments(caller)}
        for id in ids:
            if id not in visible:
                raise NotFound(f"there is no assignment {id}")
        rows = [visible[id] for id in dict.fromkeys(ids)]
        with self._ops.begin() as connection:
            for row in rows:
                connection.execute(delete(snapshot_assignments).where(snapshot_assignments.c.id == row["id"]))
            sets = self._service.state().sets
            called = {row["policy"] or sets.get(row["policy_set_id"], {}).get("name", "?") for row in rows}
            detail = {"volumes": [row["volume_name"] or row["volume_id"] for row in rows[:_TOLD]], "count": len(rows),
                      **({"cloud": rows[0]["cloud"]} if len({row["cloud"] for row in rows}) == 1 else {})}  # fmt: skip
            self._audit.record(
                caller, "snapshot.unassign", ", ".join(sorted(called))[:200], detail, connection=connection
            )
        self._service.moved()
        return rows

    def _volumes(self, caller: Caller, ids: Sequence[str], cloud: str | None, region: str | None) -> list[Volume]:
        scope = scope_of(caller, [cloud] if cloud else None, [region] if region else None)
        found: dict[str, Volume] = {}
        for volume in find(self._service.reads, scope, ids):
            if volume.id in found:
                raise BadRequest(
                    f"Invalid parameter: volume {volume.id} is in several places ({_where(found[volume.id])}, "
                    f"{_where(volume)}); name its cloud and region"
                )
            found[volume.id] = volume
        for id in ids:
            if id not in found:
                raise NotFound(f"there is no volume {id!r:.80}" + (f" in {cloud}" if cloud else ""))
        return [found[id] for id in ids]

    # Exclusions

    def exclusions(self, caller: Caller) -> list[Row]:
        """Exclusions that touch the caller's part, ended ones too, the oldest first; each with `in_force`."""
        now, rows = self._service.clock(), list(self._service.state().exclusions.values())
        if caller.limited:
            part, visible = part_of(self._service.reads, caller), self._of_volumes(caller, rows)
            rows = [row for row in rows if self._sees(part, visible, row)]
        return [{**row, "in_force": row["expires_at"] is None or row["expires_at"] > now} for row in rows]

    def exclude(self, caller: Caller, body: ExclusionBody) -> Row:
        """A new exclusion; answers its row. Raises NotFound for a volume, BadRequest, Conflict, Forbidden."""
        now = self._service.clock()
        row: Row = {
            **body.model_dump(exclude={"match", "expires_at"}), "reason": body.reason.strip(), "volume_name": "",
            "match": body.match.given(), "expires_at": self._end(body.expires_at, now), "created_at": now,
            "created_by": caller.name[:255],
        }  # fmt: skip
        if not row["reason"]:
            raise BadRequest("Invalid parameter: reason is empty; it tells others why nothing protects these volumes")
        if body.volume_id:
            row |= self._named(caller, body)
        elif caller.limited and not part_of(self._service.reads, caller).may_change(row):
            raise Forbidden(_BEYOND)
        with self._ops.begin() as connection:
            number = connection.scalar(select(func.count()).select_from(snapshot_exclusions)) or 0
            if number >= MOST_EXCLUSIONS:
                raise Conflict(f"there are {MOST_EXCLUSIONS} exclusions already; remove some of them first")
            done = connection.execute(insert(snapshot_exclusions).values(row))
            row["id"] = number_of(done)
            self._record(caller, "exclude", row, connection)
        self._service.moved()
        return {**row, "in_force": True}

    def change_exclusion(self, caller: Caller, id: int, body: ExclusionChange) -> Row:
        """Another reason or end; answers the row. Raises NotFound, BadRequest, Forbidden."""
        before, now = self._changeable(caller, id), self._service.clock()
        change: Row = {}
        if "expires_at" in body.model_fields_set:
            change["expires_at"] = self._end(body.expires_at, now)
        if body.reason.strip():
            change["reason"] = body.reason.strip()
        if not change:
            raise BadRequest("Invalid parameter: say reason or expires_at")
        row = {name: value for name, value in before.items() if name != "in_force"} | change
        with self._ops.begin() as connection:
            connection.execute(update(snapshot_exclusions).where(snapshot_exclusions.c.id == id).values(change))
            self._record(caller, "exclusion.change", row, connection)
        self._service.moved()
        return {**row, "in_force": row["expires_at"] is None or row["expires_at"] > now}

    def include(self, caller: Caller, id: int) -> Row:
        """Take an exclusion back; answers its row. Raises NotFound, Forbidden."""
        row = self._changeable(caller, id)
        with self._ops.begin() as connection:
            connection.execute(delete(snapshot_exclusions).where(snapshot_exclusions.c.id == id))
            self._record(caller, "include", row, connection)
        self._service.moved()
        return row

    def _changeable(self, caller: Caller, id: int) -> Row:
        row = next((one for one in self.exclusions(caller) if one["id"] == id), None)
        if row is None:
            raise NotFound(f"there is no exclusion {id}")
        # One of a volume was found because the caller sees the volume.
        if not row["volume_id"] and not part_of(self._service.reads, caller).may_change(row):
            raise Forbidden(_BEYOND)
        return row

    def _sees(self, part: Part, visible: set[Key], row: Mapping[str, Any]) -> bool:
        if not row["volume_id"]:
            return part.sees(row)
        return any(key[2] == row["volume_id"] and row["cloud"] in ("", key[0]) for key in visible)

    def _of_volumes(self, caller: Caller, rows: Sequence[Mapping[str, Any]]) -> set[Key]:
        ids = [row["volume_id"] for row in rows if row["volume_id"]]
        return {volume.key for volume in find(self._service.reads, scope_of(caller), ids)} if ids else set()

    def _named(self, caller: Caller, body: ExclusionBody) -> Row:
        """The volume's place and names, as columns."""
        [volume] = self._volumes(caller, [body.volume_id], body.cloud, body.region)
        return {"cloud": volume.cloud, "region": volume.region, "volume_name": volume.name[:255]}

    def _end(self, text: str | None, now: datetime) -> datetime | None:
        until = instant("expires_at", text)
        if until is not None and until <= now:
            raise BadRequest("Invalid parameter: expires_at is past; an exclusion holds until a time to come")
        return until

    def _record(self, caller: Caller, action: str, row: Mapping[str, Any], connection: Connection) -> None:
        names = ("id", "reason", "source", "cloud", "region", "volume_id", "tenant_id", "tenant_name", "match")
        detail = {name: row[name] for name in names if row[name] not in ("", {})}
        detail |= {"until": times.text(row["expires_at"])} if row["expires_at"] else {}
        target = row["volume_name"] or row["volume_id"] or row["tenant_name"] or row["tenant_id"] or "what matches"
        self._audit.record(caller, f"snapshot.{action}", target[:200], detail, connection=connection)


_BEYOND = (
    "Permission denied: this reaches beyond your clouds, domains or projects; an exclusion of yours names a volume of "
    "yours, or one of your clouds and one of your tenants by its id"
)


def _key(row: Mapping[str, Any]) -> Key:
    return (row["cloud"], row["region"], row["volume_id"])


def _named(volume: Volume) -> str:
    return volume.name[:100] or volume.id


def _where(volume: Volume) -> str:
    return f"{volume.cloud} {volume.region}".strip()


def _place(found: Sequence[Volume]) -> Row:
    return {"cloud": found[0].cloud} if len({volume.cloud for volume in found}) == 1 else {}


def put(
    connection: Connection,
    caller: Caller,
    volume: Volume,
    set_id: int,
    policy: str,
    keep: int | None,
    reason: str,
    now: datetime,
) -> tuple[Row, bool]:
    """Give one volume a set or a policy: (the assignment's row, whether it is new)."""
    table = snapshot_assignments
    where = {"cloud": volume.cloud, "region": volume.region, "volume_id": volume.id, "policy_set_id": set_id,
             "policy": policy}  # fmt: skip
    by = caller.name[:255]
    values: Row = {
        "volume_name": volume.name[:255], "tenant_id": volume.project_id[:64], "tenant_name": volume.project_name[:255],
        "keep": keep, "reason": reason, "updated_at": now, "updated_by": by,
    }  # fmt: skip
    conditions = [table.c[name] == value for name, value in where.items()]
    known = connection.execute(select(table).where(*conditions)).mappings().one_or_none()
    if known is not None:
        connection.execute(update(table).where(table.c.id == known["id"]).values(values))
        return {**known, **values}, False
    row = {**where, **values, "created_at": now, "created_by": by}
    done = connection.execute(insert(table).values(row))
    return {"id": number_of(done), **row}, True
