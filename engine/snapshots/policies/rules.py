"""Which policies a volume has, and why. Pure: what people decided and the time are arguments.

1. An exclusion in force wins over everything; `auto_snapshot=false` in a volume's metadata is its owner's exclusion.
2. What is said of this very volume: its own metadata, united with what was assigned to it.
3. Otherwise the most specific set that matches, alone: the volume itself before the tenant, the domain, the region, the
   cloud and everything; of equally specific ones the smaller priority number, then the older set.

How many are kept, the first that is given: an assignment's own number, `retention_<policy>` in the metadata, its
`retention`, the retention map of the set (for metadata: of the set that would decide), the policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.snapshots.models import Decision, Held, Key, Policy, Reason, Volume
from engine.snapshots.policies import metadata, telling
from engine.snapshots.policies.matching import (
    LEVEL_ASSIGNMENT,
    LEVEL_EXCLUSION,
    LEVEL_METADATA,
    Test,
    place_tests,
    specificity,
    volume_tests,
)

_SHARED_MOST = 50_000  # decisions kept for volumes that are alike


@dataclass(frozen=True, slots=True)
class PolicySet:
    """A set of policies for the volumes that it matches; "" stands for any.

    `is_global`: it matches without naming anything. A set that names nothing and is not global matches no volume: it is
    there to be assigned. `retention`: policy -> how many are kept, for policies that keep another number in this set.
    """

    id: int
    name: str
    policies: tuple[str, ...]
    retention: Mapping[str, int] = field(default_factory=dict)
    priority: int = 100
    active: bool = True
    is_global: bool = False
    tenant_id: str = ""
    tenant_name: str = ""
    cloud: str = ""
    region: str = ""
    match: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tenant(self) -> bool:
        return bool(self.tenant_id or self.tenant_name)

    @property
    def specificity(self) -> int:
        """The greater wins."""
        return specificity(self.match, tenant=self.tenant, region=bool(self.region), cloud=bool(self.cloud))

    @property
    def matches_something(self) -> bool:
        return self.is_global or bool(self.tenant or self.cloud or self.match)

    @property
    def order(self) -> tuple[int, int, int]:
        """Sets sorted by this: the one that decides first."""
        return (-self.specificity, self.priority, self.id)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What was assigned to one volume: a set, or one policy with its own `keep` (None: what the policy says)."""

    id: int
    key: Key
    set_id: int = 0
    policy: str = ""
    keep: int | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What no policy takes; everything that it names must hold. "" stands for any."""

    id: int
    reason: str
    source: str = "manual"
    cloud: str = ""
    region: str = ""
    volume_id: str = ""
    tenant_id: str = ""
    tenant_name: str = ""
    match: Mapping[str, Any] = field(default_factory=dict)
    expires_at: datetime | None = None
    by: str = ""

    def in_force(self, now: datetime) -> bool:
        return self.expires_at is None or self.expires_at > now


@dataclass(frozen=True, slots=True)
class Said:
    """Everything that people decided: sets, assignments, exclusions; and what we wrote to which volume's metadata."""

    sets: tuple[PolicySet, ...] = ()
    assignments: Mapping[Key, tuple[Assignment, ...]] = field(default_factory=dict)
    exclusions: tuple[Exclusion, ...] = ()
    wrote: Mapping[Key, Sequence[Mapping[str, str]]] = field(default_factory=dict)


@dataclass(slots=True)
class _Compiled:
    """A set or exclusion with its tests: where a volume is, and what it is."""

    what: Any
    place: list[Test]
    own: list[Test]


class Decider:
    """Decides for volumes, many or one, as things stand at `now`. Volumes that are alike share one Decision.

    policy  the policy of a name, also of one that nobody made
    """

    def __init__(self, said: Said, policy: Callable[[str], Policy], now: datetime) -> None:
        self._said, self._policy, self._now = said, policy, now
        ordered = sorted((one for one in said.sets if one.active and one.policies), key=lambda one: one.order)
        self._sets = [_compiled(one) for one in ordered if one.matches_something]
        self._set_by_id = {one.id: one for one in said.sets}
        in_force = [one for one in said.exclusions if one.in_force(now)]
        self._excluded: dict[str, list[_Compiled]] = {}  # by volume id; "" = those that name no volume
        for one in sorted(in_force, key=lambda one: one.id):
            self._excluded.setdefault(one.volume_id, []).append(_compiled(one))
        self._places: dict[tuple[str, ...], tuple[list[_Compiled], list[_Compiled]]] = {}
        self._shared: dict[Any, Decision] = {}
        self._relevant: dict[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]] = {}

    def decide(self, volumes: Iterable[Volume]) -> dict[Key, Decision]:
        """The decision for each."""
        return {volume.key: self.of(volume) for volume in volumes}

    def of(self, volume: Volume) -> Decision:
        """The decision for one volume."""
        key = volume.key
        exclusions, sets = self._of_place(volume)
        exclusion = _first(exclusions, volume)
        if exclusion is None and volume.id in self._excluded:
            named = (one for one in self._excluded[volume.id] if _holds(one.place, volume))
            exclusion = _first(named, volume)
        matching = tuple([one.what.id for one in sets if not one.own or _holds(one.own, volume)])
        entries = self._entries(volume.metadata) if volume.metadata else ()
        wrote = self._said.wrote.get(key) if entries else None
        ours = metadata.derived_from(dict(entries), wrote) if wrote else None
        if ours is not None:
            # What is there beside it is a person's: how many are to be kept, say.
            entries = tuple([item for item in entries if item[0] not in ours])
        assigned = self._said.assignments.get(key, ())
        alike = (exclusion.id if exclusion else 0, matching, entries, ours is not None, assigned)
        found = self._shared.get(alike)
        if found is None:
            if len(self._shared) >= _SHARED_MOST:
                self._shared.clear()
            wish = metadata.read(dict(entries)) if entries else metadata.NOTHING
            found = self._shared[alike] = self._decide(exclusion, matching, wish, ours is not None, assigned)
        return found

    def _entries(self, whole: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """The entries about policies, sorted: made once for volumes whose metadata are alike."""
        items = tuple(whole.items())
        found = self._relevant.get(items)
        if found is None:
            if len(self._relevant) >= _SHARED_MOST:
                self._relevant.clear()
            found = self._relevant[items] = tuple(sorted(metadata.relevant(whole).items()))
        return found

    def _of_place(self, volume: Volume) -> tuple[list[_Compiled], list[_Compiled]]:
        place = (volume.cloud, volume.region, volume.project_id, volume.project_name, volume.domain_name)
        found = self._places.get(place)
        if found is None:
            exclusions = [one for one in self._excluded.get("", []) if _holds(one.place, volume)]
            sets = [one for one in self._sets if _holds(one.place, volume)]
            found = self._places[place] = (exclusions, sets)
        return found

    def _decide(
        self,
        exclusion: Exclusion | None,
        matching: Sequence[int],
        wish: metadata.Wish,
        derived: bool,
        assigned: Sequence[Assignment],
    ) -> Decision:
        sets = [self._set_by_id[id] for id in matching]
        own = self._own(wish, assigned, sets[0] if sets else None)
        excluded = telling.exclusion(exclusion) if exclusion else telling.OWNER if wish.auto is False else None
        of_volume = any(claim.policies for claim in own)
        deciding = own if of_volume else [self._of_set(one, wish) for one in sets[:1]]
        held = {} if excluded else self._held(deciding)
        reasons: list[Reason] = []
        if excluded is not None:
            reasons.append(_exclusion_reason(exclusion, excluded))
        for claim in own:
            applies = bool(claim.policies) and excluded is None
            reasons.append(self._reason(claim, applies, telling.of_volume(claim, wish, excluded is not None)))
        if derived:
            reasons.append(Reason("metadata", "", "metadata of the volume", 0, {}, False, telling.DERIVED))
        for index, one in enumerate(sets):
            applies = index == 0 and excluded is None and not of_volume
            text = telling.of_set(one, sets[0], index, overruled=of_volume, excluded=excluded is not None)
            reasons.append(self._reason(self._of_set(one, wish), applies, text))
        if not reasons or (excluded is None and not any(reason.applies for reason in reasons)):
            reasons.append(Reason("none", "", "", 0, {}, True, telling.NOTHING))
        reasons.sort(key=lambda reason: not reason.applies)
        return Decision(tuple(held.values()), tuple(reasons), excluded)

    def _own(self, wish: metadata.Wish, assigned: Sequence[Assignment], first: PolicySet | None) -> list[_Claim]:
        """What is said of the volume itself; assignments last, because their word counts."""
        found: list[_Claim] = []
        if wish.auto is not None or wish.policies or wish.problems:
            names = wish.policies if wish.auto else ()
            inherited = first.retention if first else {}
            own = {name: wish.keep.get(name, wish.keep_all) or inherited.get(name) for name in names}
            found.append(_Claim("metadata", "", "metadata of the volume", LEVEL_METADATA, own))
        for one in assigned:
            if one.policy:
                keep = {one.policy: one.keep or wish.keep.get(one.policy, wish.keep_all)}
                found.append(_Claim("assignment", str(one.id), one.policy, LEVEL_ASSIGNMENT, keep, one.by, one.keep))
            elif (given := self._set_by_id.get(one.set_id)) is not None and given.active:
                of_set = self._of_set(given, wish).policies
                found.append(_Claim("assignment", str(one.id), given.name, LEVEL_ASSIGNMENT, of_set, one.by))
        return found

    def _of_set(self, one: PolicySet, wish: metadata.Wish) -> _Claim:
        keep = {name: wish.keep.get(name, wish.keep_all) or one.retention.get(name) for name in one.policies}
        return _Claim("set", str(one.id), one.name, one.specificity, keep)

    def _held(self, claims: Sequence[_Claim]) -> dict[str, Held]:
        """Each policy once: the last assignment that gives its own number, else who names it first."""
        found: dict[str, Held] = {}
        for claim in claims:
            for name, keep in claim.policies.items():
                policy = self._policy(name)
                stays = name in found and claim.fixed is None
                if policy.enabled and not stays:
                    source = "metadata" if claim.kind == "metadata" else claim.name
                    found[name] = Held(name, keep or policy.keep, claim.kind, source, claim.id)
        return found

    def _reason(self, claim: _Claim, applies: bool, text: str) -> Reason:
        if applies:
            policies = [self._policy(name) for name in claim.policies]
            text += telling.of_policies(policies)
        return Reason(claim.kind, claim.id, claim.name, claim.level, claim.policies, applies, text)


@dataclass(frozen=True, slots=True)
class _Claim:
    """Policies that somebody gives a volume: {policy: keep or None}. `fixed`: the number that an assignment states."""

    kind: Any
    id: str
    name: str
    level: int
    policies: Mapping[str, int | None]
    by: str = ""
    fixed: int | None = None


def _compiled(one: PolicySet | Exclusion) -> _Compiled:
    place = place_tests(one.match, one.cloud, one.region, one.tenant_id, one.tenant_name)
    return _Compiled(one, place, volume_tests(one.match))


def _holds(tests: Sequence[Test], volume: Volume) -> bool:
    # A loop: this is asked for every volume and set, and `all` costs three times as much.
    for test in tests:  # noqa: SIM110
        if not test(volume):
            return False
    return True


def _first(exclusions: Iterable[_Compiled], volume: Volume) -> Exclusion | None:
    for one in exclusions:
        if _holds(one.own, volume):
            found: Exclusion = one.what
            return found
    return None


def _exclusion_reason(exclusion: Exclusion | None, text: str) -> Reason:
    if exclusion is None:
        return Reason("exclusion", "", "metadata of the volume", LEVEL_EXCLUSION, {}, True, text)
    return Reason("exclusion", str(exclusion.id), exclusion.reason, LEVEL_EXCLUSION, {}, True, text)
