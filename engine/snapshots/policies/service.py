"""Which policies there are, which volumes have which, what is due. Blocks; thread-safe.

What people decided is small and read whole; it is kept in memory until it changes. Volumes come from the estate.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from engine.access.models import Caller
from engine.api.errors import NotFound
from engine.inventory.reads import scope_of
from engine.snapshots.models import Decision, Key, Policy, Volume
from engine.snapshots.policies import kept, metadata, schedule, telling
from engine.snapshots.policies.naming import made_up
from engine.snapshots.policies.rules import Decider, Said
from engine.snapshots.volumes import volumes
from store import times
from store.estate.reading.models import Scope

if TYPE_CHECKING:
    from engine.audit.service import AuditService
    from engine.inventory.reads import InventoryReads
    from store.ops.ops import Ops

Clock = Callable[[], datetime]
_FACTS = ("volume", "project", "domain", "server")  # whose rows decisions are made of
_COUNTED_MOST = 16
# Volumes come and go every minute; whether a policy is in use at all is not asked for more often than that.
_COUNTED_FOR = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many volumes of a scope have what: by (cloud, region, policy), by set that decides, and altogether."""

    policies: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    sets: Mapping[int, int] = field(default_factory=dict)
    volumes: int = 0
    protected: int = 0
    excluded: int = 0


class PolicyService:
    """See the module. Changes are in `changing.Changing`, which calls `moved`."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        reads: InventoryReads,
        changed: Callable[[], Any] = lambda: None,
        clock: Clock = times.utcnow,
        timezone: Callable[[], str] = lambda: "UTC",
    ) -> None:
        """`changed` is called after every change, on the caller's thread; `timezone`: of policies that nobody made."""
        self.ops, self.audit, self.reads, self.clock = ops, audit, reads, clock
        self._changed, self._timezone = changed, timezone
        self._lock = threading.Lock()
        self._version = 1
        self._state: kept.State | None = None
        self._decider: tuple[Any, datetime, datetime | None, Decider] | None = None
        self._made_up: dict[tuple[str, str], Policy] = {}
        self._counts: OrderedDict[Scope, tuple[Any, datetime, Counts]] = OrderedDict()

    # What counts now

    @property
    def version(self) -> int:
        """Moves with every change."""
        return self._version

    def moved(self) -> None:
        """Something was changed: what is kept in memory is read again, and those who wait are told."""
        with self._lock:
            self._version += 1
            self._state = None
        self._changed()

    def state(self) -> kept.State:
        """All that people decided."""
        return self._now()[1]

    def _now(self) -> tuple[int, kept.State]:
        with self._lock:
            if self._state is None:
                with self.ops.read() as connection:
                    self._state = kept.read(connection)
            return self._version, self._state

    # Policies

    def policy(self, name: str) -> Policy:
        """The policy of that name; one that nobody made is what its name says."""
        row = self.state().policies.get(name)
        return self._by_name(name) if row is None else kept.policy_of(row)

    def policies(self) -> list[Policy]:
        """Those that somebody made, by name."""
        return [kept.policy_of(row) for _, row in sorted(self.state().policies.items())]

    def _by_name(self, name: str) -> Policy:
        zone = self._timezone()
        found = self._made_up.get((name, zone))
        if found is None:
            if len(self._made_up) > 10_000:
                self._made_up.clear()
            found = self._made_up[name, zone] = made_up(name, zone)
        return found

    # Decisions

    def decide(self, volumes: Iterable[Volume], now: datetime | None = None) -> dict[Key, Decision]:
        """The decision for each of the volumes."""
        return self._deciding(now or self.clock()).decide(volumes)

    def decider(self, now: datetime, said: Said) -> Decider:
        """Decides as if this had been decided by people, with the policies that there are."""
        state = self.state()
        made = {name: kept.policy_of(row) for name, row in state.policies.items()}
        return Decider(said, lambda name: made.get(name) or self._by_name(name), now)

    def _deciding(self, now: datetime) -> Decider:
        """The decider as of now: another one when something was changed, or an exclusion has ended meanwhile."""
        version, state = self._now()
        mark = (version, self._timezone())
        known = self._decider
        if known is not None and known[0] == mark and known[1] <= now and (known[2] is None or now < known[2]):
            return known[3]
        made = self.decider(now, state.said)
        ends = [one.expires_at for one in state.said.exclusions if one.expires_at is not None and one.expires_at > now]
        self._decider = (mark, now, min(ends, default=None), made)
        return made

    def counts(self, scope: Scope, now: datetime | None = None) -> Counts:
        """How many volumes have what; a minute old at most when volumes changed, never when a decision did."""
        now = now or self.clock()
        decider = self._deciding(now)
        facts = (decider, self.facts())
        with self._lock:
            known = self._counts.get(scope)
        if known is not None and known[0][0] is decider:
            fresh = abs(now - known[1]) < _COUNTED_FOR
            if known[0] == facts or fresh:
                return known[2]
        found = _count(decider, volumes(self.reads, scope))
        with self._lock:
            self._counts[scope] = (facts, now, found)
            self._counts.move_to_end(scope)
            while len(self._counts) > _COUNTED_MOST:
                self._counts.popitem(last=False)
        return found

    def facts(self) -> tuple[int, ...]:
        """Moves when rows do that decisions are made of."""
        return tuple(self.reads.estate.data_version(type) for type in _FACTS)

    # What is due

    def names(self, cloud: str, region: str, now: datetime | None = None) -> dict[str, int]:
        """policy -> how many volumes there have it."""
        counted = self.counts(Scope(in_clouds=(cloud,), in_regions=(region,)), now)
        return {policy: number for (_, _, policy), number in counted.policies.items()}

    def due(self, cloud: str, region: str, now: datetime | None = None) -> dict[str, datetime]:
        """policy -> the occurrence that should be made there now and was not taken up; of policies that a volume has.

        A policy that is looked for there for the first time is due from its next occurrence on.
        """
        now = now or self.clock()
        names = self.names(cloud, region, now)
        with self.ops.read() as connection:
            known = kept.handled(connection, cloud, region)
        if any(name not in known for name in names):
            with self.ops.begin() as connection:
                kept.notice(connection, cloud, region, names, now)
        found = {name: self.due_of(cloud, name, known.get(name, (now, None)), now) for name in sorted(names)}
        return {name: occurrence for name, occurrence in found.items() if occurrence is not None}

    def due_of(self, cloud: str, name: str, known: tuple[datetime, datetime | None], now: datetime) -> datetime | None:
        """The due occurrence of one policy; `known`: since when it was looked for there, and what was taken up."""
        policy, row = self.policy(name), self.state().policies.get(name)
        since = max(known[0], row["since"]) if row is not None else known[0]
        return schedule.due(policy, known[1], now - schedule.jitter(policy, cloud), since)

    def handled(
        self, cloud: str, region: str, taken: Mapping[str, datetime], run_id: str | int, connection: Connection
    ) -> None:
        """These occurrences are a run's, in the transaction that stores the run: they are never due again."""
        kept.handle(connection, cloud, region, taken, run_id, self.clock())

    # Metadata of volumes

    def assignments(
        self, volumes: Iterable[Volume], now: datetime | None = None
    ) -> list[tuple[Volume, dict[str, str | None]]]:
        """Volumes whose metadata do not say what was decided, and what to write: key -> value, None takes it away.

        Excluded volumes and those whose metadata a person wrote are left as they are. Exclusions are not written.
        """
        decider, wrote = self._deciding(now or self.clock()), self.state().wrote
        found = []
        for volume in volumes:
            decision = decider.of(volume)
            if decision.excluded is None:
                entries = metadata.relevant(volume.metadata) if volume.metadata else {}
                changes = metadata.changes(entries, wrote.get(volume.key, ()), decision.held)
                if changes:
                    found.append((volume, changes))
        return found

    def wrote(self, key: Key, changes: Mapping[str, str | None], *, done: bool = True) -> None:
        """These changes (of `assignments`) are in the volume's metadata now; `done` false: they are about to be sent,
        so that a crash between call and record leaves nothing that looks like a person's word.

        On disk when it returns, and known to the next decision. Nobody is told: a job calls `moved` at its end.
        """
        with self.ops.begin() as connection:
            blocks = kept.write_down(connection, key, changes, self.clock(), done=done)
        with self._lock:
            if self._state is not None:
                self._state.wrote[key] = blocks

    # Why

    def why(self, caller: Caller, key: Key) -> dict[str, Any]:
        """The decision for one volume with every reason, as sentences. Raises NotFound."""
        found = volumes(self.reads, scope_of(caller), [key])
        if not found:
            raise NotFound(f"there is no volume {key[2]!r:.80} in {key[0]!r:.70}")
        now, volume = self.clock(), found[0]
        decision = self._deciding(now).of(volume)
        entries, wrote = metadata.relevant(volume.metadata), self.state().wrote.get(volume.key, ())
        return {
            "cloud": volume.cloud,
            "region": volume.region,
            "volume_id": volume.id,
            "volume_name": volume.name,
            "tenant_id": volume.project_id,
            "tenant_name": volume.project_name,
            "domain_name": volume.domain_name,
            "excluded": decision.excluded,
            "policies": [self._held(one, now) for one in decision.held],
            "reasons": [telling.reason(one) for one in decision.reasons],
            "metadata": entries,
            "metadata_written_here": bool(entries) and metadata.derived_from(entries, wrote) is not None,
        }

    def _held(self, held: Any, now: datetime) -> dict[str, Any]:
        policy = self.policy(held.policy)
        return {
            "policy": held.policy,
            "keep": held.keep,
            "kind": held.kind,
            "source": held.source,
            "source_id": held.source_id,
            "schedule": schedule.when(policy),
            "method": policy.method,
            "known": policy.known,
            "next_at": schedule.next_occurrence(policy, now),
        }


def _count(decider: Decider, found: Iterable[Volume]) -> Counts:
    policies: Counter[tuple[str, str, str]] = Counter()
    sets: Counter[int] = Counter()
    number = protected = excluded = 0
    for volume in found:
        decision = decider.of(volume)
        number += 1
        excluded += decision.excluded is not None
        protected += bool(decision.held)
        for held in decision.held:
            policies[volume.cloud, volume.region, held.policy] += 1
        if decision.held and decision.held[0].kind == "set":
            sets[int(decision.held[0].source_id)] += 1
    return Counts(policies, sets, number, protected, excluded)
