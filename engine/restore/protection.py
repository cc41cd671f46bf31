"""What protects a volume goes over to the one that takes its place: metadata, assignments, exclusions.

Policies are decided for each volume by its metadata, by what was assigned to it, else by the most specific set; so a
restored volume, which has another id and perhaps another name, would be without them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, select

from engine.access.models import Caller
from engine.gate.models import Call
from engine.gate.rules import path_problem
from engine.snapshots.models import AUTO_SNAPSHOT, NO, Volume
from engine.snapshots.policies import giving, metadata
from store.ops.snapshot_policy_tables import snapshot_assignments, snapshot_exclusions

if TYPE_CHECKING:
    from engine.snapshots.policies.service import PolicyService

Send = Callable[[Call], object]
_COPIED = ("reason", "source", "tenant_id", "tenant_name", "match", "expires_at")  # of an exclusion


class Protection:
    """See the module; what the steps call Protection (engine/restore/steps/work.py). Thread-safe."""

    def __init__(self, policies: PolicyService) -> None:
        self._policies = policies

    def held(self, volume: Volume) -> tuple[str, ...]:
        """The policies that hold for a volume, with how many points are kept: ("daily, 5 kept",)."""
        decision = self._policies.decide([volume])[volume.key]
        return tuple(sorted(f"{one.policy}, {one.keep} kept" for one in decision.held))

    def take_over(self, caller: Caller, old: Volume, new: Volume, send: Send, why: str) -> tuple[str, ...]:
        """Give the new volume what protects the old one; sentences of what was done. May be done again.

        old, new  as they are now; the old one with the metadata that it had when the restore was planned
        Raises what `send` does, and OpsError.
        """
        told = self._copied(caller, old, new, why)
        after, words = self._written(old, new, send)
        told += words
        if set(self.held(old)) - set(self.held(after)):
            # A set went by something that the new volume has not, such as its name: then it is said of the volume.
            told += self._assigned(caller, old, after, why)
        return tuple(told)

    def retire(self, old: Volume, send: Send) -> str:
        """Have policies leave a volume alone from now on: its own metadata say so, to other tools, too."""
        if old.metadata.get(AUTO_SNAPSHOT, "").strip().lower() in NO:
            return ""
        if not metadata.relevant(old.metadata) and not self.held(old):
            return ""
        send(_set(old, {AUTO_SNAPSHOT: "false"}))
        return f"policies leave {old.name or old.id} alone from now on ({AUTO_SNAPSHOT}=false)"

    # Inside

    def _copied(self, caller: Caller, old: Volume, new: Volume, why: str) -> list[str]:
        """Assignments and exclusions that name the old volume, for the new one, too."""
        state = self._policies.state()
        given = [row for row in state.assignments.values() if _of(row, old)]
        excluded = [row for row in state.exclusions.values() if row["volume_id"] == old.id and _there(row, old)]
        if not given and not excluded:
            return []
        made = 0
        now = self._policies.clock()
        with self._policies.ops.begin() as connection:
            for row in given:
                if not _known(connection, new, row):
                    giving.put(connection, caller, new, row["policy_set_id"], row["policy"], row["keep"], why, now)
                    made += 1
            for row in excluded:
                made += _exclude(connection, row, new, now)
            if made:
                self._note(caller, new, {"taken over": made, "from": old.id, "reason": why}, connection)
        if made:
            self._policies.moved()
        return [f"{made} assignments and exclusions taken over"] if made else []

    def _written(self, old: Volume, new: Volume, send: Send) -> tuple[Volume, list[str]]:
        """The new volume with the metadata about policies that the old one has, and what was done."""
        entries, live = metadata.relevant(old.metadata), metadata.relevant(new.metadata)
        wrote = self._policies.state().wrote.get(old.key, ())
        ours = bool(entries) and metadata.derived_from(entries, wrote) is not None
        changes: dict[str, str | None] = {key: value for key, value in entries.items() if live.get(key) != value}
        # A backup brings the metadata of its time with it.
        changes |= {key: None for key in live if key not in entries}
        if ours:
            # What we wrote is no person's word: that it was us is known before it is there.
            self._policies.wrote(new.key, dict(entries), done=False)
        values = {key: value for key, value in changes.items() if value is not None}
        if values:
            send(_set(new, values))
        gone = [key for key, value in changes.items() if value is None and _removable(new, key)]
        for key in gone:
            send(_unset(new, key))
        if ours:
            self._policies.wrote(new.key, dict(entries))
            self._policies.moved()
        kept = {key: value for key, value in new.metadata.items() if key not in gone}
        told = [f"metadata: {', '.join(sorted(values))}"] if values else []
        return replace(new, metadata=kept | values), told

    def _assigned(self, caller: Caller, old: Volume, new: Volume, why: str) -> list[str]:
        held = self._policies.decide([old])[old.key].held
        now = self._policies.clock()
        with self._policies.ops.begin() as connection:
            for one in held:
                giving.put(connection, caller, new, 0, one.policy, one.keep, why, now)
            names = [one.policy for one in held]
            self._note(caller, new, {"policies": names, "from": old.id, "reason": why}, connection)
        self._policies.moved()
        return [f"{', '.join(names)} assigned"]

    def _note(self, caller: Caller, new: Volume, detail: Mapping[str, Any], connection: Connection) -> None:
        self._policies.audit.record(
            caller, "snapshot.assign", new.name or new.id, {"cloud": new.cloud, "volume": new.id, **detail},
            connection=connection,
        )  # fmt: skip


def _of(row: Mapping[str, Any], volume: Volume) -> bool:
    return bool((row["cloud"], row["region"], row["volume_id"]) == volume.key)


def _there(row: Mapping[str, Any], volume: Volume) -> bool:
    return row["cloud"] in ("", volume.cloud) and row["region"] in ("", volume.region)


def _known(connection: Connection, new: Volume, row: Mapping[str, Any]) -> bool:
    table = snapshot_assignments
    where = [table.c.cloud == new.cloud, table.c.region == new.region, table.c.volume_id == new.id]
    where += [table.c[name] == row[name] for name in ("policy_set_id", "policy")]
    found = connection.execute(select(table.c.keep).where(*where)).one_or_none()
    return found is not None and found.keep == row["keep"]


def _exclude(connection: Connection, row: Mapping[str, Any], new: Volume, now: Any) -> int:
    """An exclusion of the old volume for the new one; 1 when there was none like it."""
    table = snapshot_exclusions
    known = connection.execute(select(table.c.reason).where(table.c.volume_id == new.id, table.c.cloud == new.cloud))
    if any(one.reason == row["reason"] for one in known):
        return 0
    values = {name: row[name] for name in _COPIED}
    values |= {"cloud": new.cloud, "region": new.region, "volume_id": new.id, "volume_name": new.name[:255]}
    connection.execute(insert(table).values(**values, created_at=now, created_by=row["created_by"]))
    return 1


def _removable(volume: Volume, key: str) -> bool:
    return "/" not in key and path_problem(_path(volume, key)) is None


def _path(volume: Volume, key: str) -> str:
    return f"/volumes/{volume.id}/metadata/{key}"


def _set(volume: Volume, values: Mapping[str, str]) -> Call:
    return Call(
        volume.cloud, volume.region, "block-storage", "POST", f"/volumes/{volume.id}/metadata",
        {"metadata": dict(values)}, session="tenant", project_id=volume.project_id,
        what=f"policies in the metadata of {volume.name or volume.id}", key=volume.key, type="volume",
    )  # fmt: skip


def _unset(volume: Volume, key: str) -> Call:
    return Call(
        volume.cloud, volume.region, "block-storage", "DELETE", _path(volume, key), session="tenant",
        project_id=volume.project_id, what=f"{key} out of the metadata of {volume.name or volume.id}", key=volume.key,
        type="volume",
    )  # fmt: skip
