"""Making, changing and removing policies and sets, each in one transaction with its record in the audit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, CursorResult, Table, delete, func, insert, select, update

from engine.access.models import Caller
from engine.api.errors import Conflict, Forbidden, NotFound
from engine.snapshots.models import Policy
from engine.snapshots.policies import kept
from engine.snapshots.policies.models import PolicyBody, PolicyChange, SetBody, SetChange
from engine.snapshots.policies.naming import made_up
from engine.snapshots.policies.visible import check_unlimited, part_of
from store import times
from store.ops.snapshot_policy_tables import (
    snapshot_assignments,
    snapshot_policies,
    snapshot_policy_sets,
)

if TYPE_CHECKING:
    from engine.snapshots.policies.service import PolicyService

Row = dict[str, Any]
MOST_POLICIES, MOST_SETS = 200, 500
_SCHEDULE = ("cron", "timezone", "enabled")  # a change of one of these begins the schedule anew
_NOT_TOLD = ("created_at", "created_by", "updated_at", "updated_by", "since", "id")


class Changing:
    """See the module. Callers are checked for their part here, for their role by the routes."""

    def __init__(self, service: PolicyService) -> None:
        self._service = service
        self._ops, self._audit = service.ops, service.audit

    # Policies

    def add_policy(self, caller: Caller, body: PolicyBody) -> Policy:
        """A new policy. Raises Conflict when its name is taken, or there are too many."""
        check_unlimited(caller, "a policy holds in every cloud and tenant")
        now = self._service.clock()
        row: Row = {"name": body.name, **_policy_values(body.model_dump()), "since": now, **_made(caller, now)}
        with self._ops.begin() as connection:
            if _one(connection, snapshot_policies, "name", body.name) is not None:
                raise Conflict(f"there is a policy {body.name!r} already; change it, or choose another name")
            _check_number(connection, snapshot_policies, MOST_POLICIES, "policies")
            connection.execute(insert(snapshot_policies).values(row))
            self._record(caller, "policy.add", body.name, _told(row), connection)
        self._service.moved()
        return kept.policy_of(row)

    def change_policy(self, caller: Caller, name: str, body: PolicyChange) -> Policy:
        """A policy with what is given changed; one that nobody made is made, from what its name says. Raises NotFound
        when no volume or set has such a name either."""
        check_unlimited(caller, "a policy holds in every cloud and tenant")
        now = self._service.clock()
        change = _policy_values(body.model_dump(exclude_unset=True))
        with self._ops.begin() as connection:
            before = _one(connection, snapshot_policies, "name", name)
            if before is None:
                raise NotFound(f"nobody made a policy {name!r:.80}; make it first")
            after = before | change | {"updated_at": now, "updated_by": caller.name[:255]}
            if any(after[field] != before[field] for field in _SCHEDULE):
                after["since"] = now
            connection.execute(update(snapshot_policies).where(snapshot_policies.c.name == name).values(after))
            self._record(caller, "policy.change", name, _difference(before, after), connection)
        self._service.moved()
        return kept.policy_of(after)

    def remove_policy(self, caller: Caller, name: str) -> Policy:
        """Remove a policy; volumes that have the name go on with what it says by itself, which is answered. Raises
        NotFound, Conflict while sets or assignments name it."""
        check_unlimited(caller, "a policy holds in every cloud and tenant")
        with self._ops.begin() as connection:
            row = _one(connection, snapshot_policies, "name", name)
            if row is None:
                raise NotFound(f"there is no policy {name!r:.80} that somebody made")
            state = kept.read(connection)
            sets = [one["name"] for one in state.sets.values() if name in one["policies"]]
            assigned = sum(one["policy"] == name for one in state.assignments.values())
            if sets or assigned:
                by = [f"set {called!r}" for called in sets[:3]] + ([f"{assigned} assignments"] if assigned else [])
                raise Conflict(f"policy {name!r:.80} is in use by {', '.join(by)}: take it out there, or switch it off")
            connection.execute(delete(snapshot_policies).where(snapshot_policies.c.name == name))
            self._record(caller, "policy.remove", name, _told(row), connection)
        self._service.moved()
        return made_up(name)

    # Sets

    def add_set(self, caller: Caller, body: SetBody) -> Row:
        """A new set; answers its row. Raises Conflict, Forbidden outside of the caller's part."""
        now = self._service.clock()
        row = body.values(whole=True) | _made(caller, now)
        self._check_part(caller, row)
        with self._ops.begin() as connection:
            _check_free(connection, row["name"], 0)
            _check_number(connection, snapshot_policy_sets, MOST_SETS, "policy sets")
            done = connection.execute(insert(snapshot_policy_sets).values(row))
            row["id"] = number_of(done)
            self._record(caller, "set.add", row["name"], {"id": row["id"], **_told(row)}, connection)
        self._service.moved()
        return row

    def change_set(self, caller: Caller, id: int, body: SetChange) -> Row:
        """A set with what is given changed; answers its row. Raises NotFound, Conflict, Forbidden."""
        part, now = part_of(self._service.reads, caller), self._service.clock()
        change = body.values(whole=False)
        with self._ops.begin() as connection:
            before = _one(connection, snapshot_policy_sets, "id", id)
            if before is None or not part.sees(before):
                raise NotFound(f"there is no policy set {id}")
            after = before | change | {"updated_at": now, "updated_by": caller.name[:255]}
            if not (part.may_change(before) and part.may_change(after)):
                raise Forbidden(_BEYOND)
            _check_free(connection, after["name"], id)
            connection.execute(update(snapshot_policy_sets).where(snapshot_policy_sets.c.id == id).values(after))
            told = {"id": id, **_difference(before, after)}
            self._record(caller, "set.change", after["name"], told, connection)
        self._service.moved()
        return after

    def remove_set(self, caller: Caller, id: int) -> tuple[Row, int]:
        """Remove a set and the assignments of it: (its row, how many those were). Raises NotFound, Forbidden."""
        part = part_of(self._service.reads, caller)
        with self._ops.begin() as connection:
            row = _one(connection, snapshot_policy_sets, "id", id)
            if row is None or not part.sees(row):
                raise NotFound(f"there is no policy set {id}")
            if not part.may_change(row):
                raise Forbidden(_BEYOND)
            of_it = snapshot_assignments.c.policy_set_id == id
            gone = connection.execute(delete(snapshot_assignments).where(of_it)).rowcount
            connection.execute(delete(snapshot_policy_sets).where(snapshot_policy_sets.c.id == id))
            told = {"id": id, "assignments": gone, **_told(row)}
            self._record(caller, "set.remove", row["name"], told, connection)
        self._service.moved()
        return row, gone

    def _check_part(self, caller: Caller, row: Mapping[str, Any]) -> None:
        if caller.limited and not part_of(self._service.reads, caller).may_change(row):
            raise Forbidden(_BEYOND)

    def _record(
        self, caller: Caller, action: str, target: str, detail: Mapping[str, Any], connection: Connection
    ) -> None:
        self._audit.record(caller, f"snapshot.{action}", target[:200], detail, connection=connection)


_BEYOND = (
    "Permission denied: this reaches beyond your clouds, domains or projects; a set of yours names one of your clouds "
    "and, where you are limited to projects or domains, one of your tenants by its id"
)


def number_of(done: CursorResult[Any]) -> int:
    """The number that the database gave the row just inserted."""
    key = done.inserted_primary_key
    assert key is not None
    return int(key[0])


def _policy_values(given: Mapping[str, Any]) -> Row:
    """Columns from what a body gives: its `schedule` is the column `cron`."""
    return {"cron" if name == "schedule" else name: value for name, value in given.items()}


def _made(caller: Caller, now: datetime) -> Row:
    by = caller.name[:255]
    return {"created_at": now, "created_by": by, "updated_at": now, "updated_by": by}


def _one(connection: Connection, table: Table, column: str, value: Any) -> Row | None:
    found = connection.execute(select(table).where(table.c[column] == value)).mappings().one_or_none()
    return None if found is None else dict(found)


def _check_number(connection: Connection, table: Table, most: int, what: str) -> None:
    if (connection.scalar(select(func.count()).select_from(table)) or 0) >= most:
        raise Conflict(f"there are {most} {what} already; remove some of them first")


def _check_free(connection: Connection, name: str, but: int) -> None:
    taken = select(snapshot_policy_sets.c.id).where(
        snapshot_policy_sets.c.name == name, snapshot_policy_sets.c.id != but
    )
    if connection.execute(taken).first() is not None:
        raise Conflict(f"there is a policy set {name!r:.80} already; choose another name")


def _plain(value: Any) -> Any:
    return times.text(value) if isinstance(value, datetime) else value


def _told(row: Mapping[str, Any]) -> Row:
    """What the audit keeps of a row: what is not empty."""
    return {name: _plain(value) for name, value in row.items() if name not in _NOT_TOLD and value not in ("", None, {})}


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Row:
    """{field: [before, after]} of what changed."""
    return {
        name: [_plain(before[name]), _plain(after[name])]
        for name in after
        if name not in _NOT_TOLD and before[name] != after[name]
    }
