"""Policies, sets, assignments and exclusions as they lie in the operations database: rows to vocabulary and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from engine.snapshots.models import Key, Policy
from engine.snapshots.policies.rules import Assignment, Exclusion, PolicySet, Said
from store.ops import snapshot_policy_tables as tables
from store.ops.snapshot_policy_tables import snapshot_metadata_written as written
from store.ops.snapshot_policy_tables import snapshot_occurrences as occurrences

Row = dict[str, Any]
POLICY_FIELDS = ("name", "cron", "timezone", "keep", "jitter_minutes", "catch_up_hours", "window_hours", "method",
                 "group_type", "enabled", "description")  # fmt: skip


@dataclass(frozen=True, slots=True)
class State:
    """Everything that counts now: rows as they are told, and what decisions are made of.

    `wrote` is the same mapping that `said` has: it grows while a job writes metadata.
    """

    policies: Mapping[str, Row]
    sets: Mapping[int, Row]
    assignments: Mapping[int, Row]
    exclusions: Mapping[int, Row]
    said: Said
    wrote: dict[Key, Sequence[Mapping[str, str]]]


def read(connection: Connection) -> State:
    """All of it, in one consistent view."""
    policies = {row["name"]: row for row in _rows(connection, tables.snapshot_policies)}
    sets = {row["id"]: row for row in _rows(connection, tables.snapshot_policy_sets)}
    assignments = {row["id"]: row for row in _rows(connection, tables.snapshot_assignments)}
    exclusions = {row["id"]: row for row in _rows(connection, tables.snapshot_exclusions)}
    by_volume: dict[Key, list[Assignment]] = {}
    for row in assignments.values():
        one = assignment_of(row)
        by_volume.setdefault(one.key, []).append(one)
    wrote: dict[Key, Sequence[Mapping[str, str]]] = {
        (row["cloud"], row["region"], row["volume_id"]): _blocks(row["metadata"]) for row in _rows(connection, written)
    }
    said = Said(
        tuple(set_of(row) for row in sets.values()),
        {key: tuple(found) for key, found in by_volume.items()},
        tuple(exclusion_of(row) for row in exclusions.values()),
        wrote,
    )
    return State(policies, sets, assignments, exclusions, said, wrote)


def _rows(connection: Connection, table: Table) -> list[Row]:
    return [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]


def policy_of(row: Mapping[str, Any]) -> Policy:
    """A Policy that somebody made."""
    return Policy(**{name: row[name] for name in POLICY_FIELDS})


def set_of(row: Mapping[str, Any]) -> PolicySet:
    """A PolicySet."""
    return PolicySet(
        row["id"], row["name"], tuple(row["policies"]), row["retention_map"], row["priority"], row["is_active"],
        row["is_global"], row["tenant_id"], row["tenant_name"], row["cloud"], row["region"], row["match"],
    )  # fmt: skip


def assignment_of(row: Mapping[str, Any]) -> Assignment:
    """An Assignment."""
    key = (row["cloud"], row["region"], row["volume_id"])
    return Assignment(row["id"], key, row["policy_set_id"], row["policy"], row["keep"], row["updated_by"])


def exclusion_of(row: Mapping[str, Any]) -> Exclusion:
    """An Exclusion."""
    return Exclusion(
        row["id"], row["reason"], row["source"], row["cloud"], row["region"], row["volume_id"], row["tenant_id"],
        row["tenant_name"], row["match"], row["expires_at"], row["created_by"],
    )  # fmt: skip


# Which occurrences were taken up


def occurrences_of(
    connection: Connection, cloud: str, region: str
) -> dict[str, tuple[datetime, datetime | None, str | None]]:
    """policy -> (since when it was looked for there, the newest occurrence that was taken up, by which run)."""
    picked = (occurrences.c.policy, occurrences.c.since, occurrences.c.occurrence, occurrences.c.run_id)
    rows = connection.execute(select(*picked).where(occurrences.c.cloud == cloud, occurrences.c.region == region))
    return {policy: (since, occurrence, run_id) for policy, since, occurrence, run_id in rows}


def handled(connection: Connection, cloud: str, region: str) -> dict[str, tuple[datetime, datetime | None]]:
    """The same, without the run."""
    return {name: row[:2] for name, row in occurrences_of(connection, cloud, region).items()}


def notice(connection: Connection, cloud: str, region: str, policies: Iterable[str], now: datetime) -> None:
    """Policies are looked for there from now on; those that were already stay as they are."""
    known = handled(connection, cloud, region)
    fresh = [{"cloud": cloud, "region": region, "policy": name, "since": now} for name in policies if name not in known]
    if fresh:
        connection.execute(insert(occurrences), fresh)


def handle(
    connection: Connection, cloud: str, region: str, taken: Mapping[str, datetime], run_id: str | int, now: datetime
) -> None:
    """These occurrences are a run's; an older one than what was taken up before changes nothing."""
    known = handled(connection, cloud, region)
    for policy, occurrence in taken.items():
        values = {"occurrence": occurrence, "run_id": str(run_id), "at": now}
        where = {"cloud": cloud, "region": region, "policy": policy}
        if policy not in known:
            connection.execute(insert(occurrences).values(**where, since=now, **values))
        elif (before := known[policy][1]) is None or before < occurrence:
            conditions = [occurrences.c[name] == value for name, value in where.items()]
            connection.execute(update(occurrences).where(*conditions).values(**values))


# What was written to the metadata of volumes: `now`, and while a call is under way what it leads to, as `next`


def write_down(
    connection: Connection, key: Key, changes: Mapping[str, str | None], now: datetime, *, done: bool
) -> tuple[Mapping[str, str], ...]:
    """Keep what a volume's metadata say by us with these changes (None: taken away): before the call, and after it.

    Answers it as Said.wrote has it.
    """
    cloud, region, id = key
    conditions = (written.c.cloud == cloud, written.c.region == region, written.c.volume_id == id)
    before = connection.execute(select(written.c.metadata).where(*conditions)).scalar_one_or_none() or {"now": {}}
    after = {name: value for name, value in {**before["now"], **changes}.items() if value is not None}
    kept: Row = {"now": after} if done else {"now": before["now"], "next": after}
    connection.execute(delete(written).where(*conditions))
    if any(kept.values()):
        connection.execute(insert(written).values(cloud=cloud, region=region, volume_id=id, metadata=kept, at=now))
    return _blocks(kept)


def _blocks(kept: Mapping[str, Any]) -> tuple[Mapping[str, str], ...]:
    return tuple(block for name in ("now", "next") if (block := kept.get(name)))
