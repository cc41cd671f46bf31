"""Lists of policies, sets and what is due, with how many volumes have what, within the caller's part."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from engine.access.models import Caller
from engine.api.errors import NotFound
from engine.inventory.reads import scope_of
from engine.snapshots.policies import answers, kept, schedule
from engine.snapshots.policies.visible import part_of
from engine.snapshots.volumes import volumes

if TYPE_CHECKING:
    from engine.snapshots.policies.service import PolicyService

Row = dict[str, Any]
MOST_OWNERS = 1000


class Listing:
    """See the module."""

    def __init__(self, service: PolicyService) -> None:
        self._service = service

    def policies(self, caller: Caller) -> list[Row]:
        """Every policy by name: those that somebody made, and names that volumes or sets of the caller's part use."""
        state, now = self._service.state(), self._service.clock()
        used: Counter[str] = Counter()
        for (_, _, name), number in self._service.counts(scope_of(caller), now).policies.items():
            used[name] += number
        part = part_of(self._service.reads, caller)
        sets: dict[str, list[str]] = {}
        for row in state.sets.values():
            for name in row["policies"] if part.sees(row) else ():
                sets.setdefault(name, []).append(row["name"])
        return [
            answers.policy(
                self._service.policy(name), state.policies.get(name), now, used[name], sorted(sets.get(name, []))
            )
            for name in sorted({*state.policies, *used, *sets})
        ]

    def policy(self, caller: Caller, name: str) -> Row:
        """One of them. Raises NotFound."""
        found = next((row for row in self.policies(caller) if row["name"] == name), None)
        if found is None:
            raise NotFound(f"there is no policy {name!r:.80}, and nothing names it")
        return found

    def sets(self, caller: Caller) -> list[Row]:
        """Sets that may touch the caller's part, in the order in which they decide."""
        part, decided = part_of(self._service.reads, caller), self._service.counts(scope_of(caller)).sets
        rows = [(kept.set_of(row), row) for row in self._service.state().sets.values() if part.sees(row)]
        rows.sort(key=lambda pair: pair[0].order)
        return [answers.a_set(row, one, decided.get(one.id, 0)) for one, row in rows]

    def one_set(self, caller: Caller, id: int) -> Row:
        """One of them. Raises NotFound."""
        found = next((row for row in self.sets(caller) if row["id"] == id), None)
        if found is None:
            raise NotFound(f"there is no policy set {id}")
        return found

    def owners(self, caller: Caller) -> tuple[int, list[Row]]:
        """Volumes whose owner's metadata say auto_snapshot=no, and that nobody here excluded: how many, and the first
        MOST_OWNERS of them.
        """
        found = volumes(self._service.reads, scope_of(caller))
        decided = self._service.decide(found)
        rows = []
        for volume in found:
            decision = decided[volume.key]
            if decision.excluded is not None and not decision.reasons[0].id:
                rows.append({
                    "cloud": volume.cloud, "region": volume.region, "volume_id": volume.id,
                    "volume_name": volume.name, "tenant_id": volume.project_id, "tenant_name": volume.project_name,
                })  # fmt: skip
        return len(rows), rows[:MOST_OWNERS]

    def due(self, caller: Caller, cloud: str | None = None, region: str | None = None) -> list[Row]:
        """Policies that volumes of the caller's part have, by place: what is due now first, then by the next time."""
        now = self._service.clock()
        scope = scope_of(caller, [cloud] if cloud else None, [region] if region else None)
        counted = self._service.counts(scope, now).policies
        rows = []
        with self._service.ops.read() as connection:
            places = {(cloud, region) for cloud, region, _ in counted}
            handled = {place: kept.occurrences_of(connection, *place) for place in places}
        for (where, within, name), number in counted.items():
            policy, known = self._service.policy(name), handled[where, within].get(name)
            since, taken, run_id = known or (now, None, None)
            coming, late = schedule.next_occurrence(policy, now), schedule.jitter(policy, where)
            newest = schedule.occurrence(policy, now)
            if newest is not None and newest + late > now and (taken is None or newest > taken) and newest >= since:
                coming = newest  # its time has come, but not yet in this cloud
            rows.append({
                "cloud": where,
                "region": within,
                "policy": name,
                "words": schedule.words(policy),
                "enabled": policy.enabled,
                "known": policy.known,
                "volumes": number,
                "due_at": self._service.due_of(where, name, (since, taken), now),
                "taken_at": taken,
                "run_id": run_id,
                "next_at": coming,
                "begins_at": None if coming is None else coming + late,
            })  # fmt: skip
        rows.sort(key=lambda row: (row["due_at"] is None, row["begins_at"] or now, row["cloud"], row["policy"]))
        return rows
