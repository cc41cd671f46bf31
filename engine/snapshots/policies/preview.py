"""What a set or an assignment would do before it is kept: which volumes it takes, and what that costs in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.access.models import Caller
from engine.api.errors import NotFound
from engine.inventory.reads import scope_of
from engine.snapshots.models import Decision, Key, Volume
from engine.snapshots.policies import kept, schedule
from engine.snapshots.policies.models import AssignmentBody, PreviewBody
from engine.snapshots.policies.rules import Assignment, PolicySet, Said
from engine.snapshots.policies.visible import part_of
from engine.snapshots.volumes import find, volumes
from store.estate.reading.models import Scope

if TYPE_CHECKING:
    from engine.snapshots.policies.service import PolicyService

Row = dict[str, Any]
SHOWN = 500  # volumes that are listed; the sums are of all
# (volume, policy) -> our own restore points that there are now.
Existing = Callable[[Sequence[Key]], Mapping[tuple[Key, str], int]]
_ROOM = 10**6  # the number of a set or assignment that is not kept yet: the newest


class Previewer:
    """See the module.

    existing  own points of volumes, by policy; None: nothing is known of them
    headroom  told the caller and the rows by project, it adds `quota` to each: what is left there
    """

    def __init__(self, service: PolicyService) -> None:
        self._service = service
        self.existing: Existing | None = None
        self.headroom: Callable[[Caller, list[Row]], None] | None = None
        # The volumes of the last preview: the next one comes with the next key that is typed.
        self._last: tuple[tuple[Scope, tuple[int, ...]], list[Volume]] | None = None

    def of_set(self, caller: Caller, body: PreviewBody) -> Row:
        """A new set, or one with changes. Raises NotFound for the id of a set that the caller does not see."""
        said = self._service.state().said
        one = self._candidate(caller, body)
        after = replace(said, sets=(*(other for other in said.sets if other.id != one.id), one))
        scope = scope_of(caller, [one.cloud] if one.cloud else None, [one.region] if one.region else None)
        found = self._volumes(scope)
        return {"name": one.name, **self._compared(caller, found, after, "set", {str(one.id)}, list(one.policies))}

    def of_assignment(self, caller: Caller, body: AssignmentBody) -> Row:
        """Assignments to volumes. Raises NotFound for a set or volume that the caller does not see."""
        state = self._service.state()
        clouds, regions = [body.cloud] if body.cloud else None, [body.region] if body.region else None
        found = find(self._service.reads, scope_of(caller, clouds, regions), body.ids())
        if missing := set(body.ids()) - {volume.id for volume in found}:
            raise NotFound(f"there is no volume {min(missing)!r:.80}")
        given = [Assignment(_ROOM, ("", "", ""), body.policy_set_id or 0)]
        names: list[str] = body.names()
        if body.policy_set_id is None:
            keep = body.retention_map
            given = [
                Assignment(_ROOM + n, ("", "", ""), 0, name, keep.get(name, body.keep)) for n, name in enumerate(names)
            ]
        else:
            row = state.sets.get(body.policy_set_id)
            if row is None or not part_of(self._service.reads, caller).sees(row):
                raise NotFound(f"there is no policy set {body.policy_set_id}")
            names = list(row["policies"])
        assigned = dict(state.said.assignments)
        for volume in found:
            fresh = [replace(one, key=volume.key) for one in given]
            replaced = {(one.set_id, one.policy) for one in fresh}
            before = [one for one in assigned.get(volume.key, ()) if (one.set_id, one.policy) not in replaced]
            assigned[volume.key] = (*before, *fresh)
        ids = {str(one.id) for one in given}
        after = replace(state.said, assignments=assigned)
        return {"name": ", ".join(names), **self._compared(caller, found, after, "assignment", ids, names)}

    def _volumes(self, scope: Scope) -> list[Volume]:
        mark = (scope, self._service.facts())
        last = self._last
        if last is None or last[0] != mark:
            last = self._last = (mark, volumes(self._service.reads, scope))
        return last[1]

    def _candidate(self, caller: Caller, body: PreviewBody) -> PolicySet:
        values = body.values(whole=body.id is None)
        values.pop("id", None)
        if body.id is None:
            return kept.set_of({**values, "id": _ROOM})
        row = self._service.state().sets.get(body.id)
        if row is None or not part_of(self._service.reads, caller).sees(row):
            raise NotFound(f"there is no policy set {body.id}")
        return kept.set_of({**row, **values})

    def _compared(
        self, caller: Caller, found: Sequence[Volume], after: Said, kind: str, ids: set[str], policies: Sequence[str]
    ) -> Row:
        now = self._service.clock()
        earlier, later = self._service.decide(found, now), self._service.decider(now, after).decide(found)
        taken, lost = [], 0
        overridden = excluded = 0
        judged: dict[int, tuple[bool, bool]] = {}  # by the decision, which volumes share
        for volume in found:
            decision = later[volume.key]
            if id(decision) not in judged:
                judged[id(decision)] = _place(decision, kind, ids)
            takes, matches = judged[id(decision)]
            if takes:
                taken.append(volume)
            elif matches:
                excluded += decision.excluded is not None
                overridden += decision.excluded is None
            lost += not takes and _place(earlier[volume.key], kind, ids)[0]
        projects = self._by_project(taken, earlier, later)
        if self.headroom is not None and projects:
            self.headroom(caller, projects)
        names = ("volumes", "new", "size_gb", "snapshots", "gigabytes", "existing_snapshots", "more_snapshots",
                 "more_gigabytes")  # fmt: skip
        return {
            "policies": [schedule.words(self._service.policy(name)) for name in policies],
            **{name: sum(row[name] for row in projects) for name in names},
            "overridden": overridden,
            "excluded": excluded,
            "lost": lost,
            "existing_known": self.existing is not None,
            "projects": projects,
            "items": [_item(volume, earlier[volume.key], later[volume.key]) for volume in taken[:SHOWN]],
        }

    def _by_project(
        self, taken: Sequence[Volume], earlier: Mapping[Key, Decision], later: Mapping[Key, Decision]
    ) -> list[Row]:
        there = self.existing([volume.key for volume in taken]) if self.existing is not None and taken else {}
        rows: dict[tuple[str, str, str], Row] = {}
        for volume in taken:
            place = (volume.cloud, volume.region, volume.project_id)
            row = rows.get(place)
            if row is None:
                row = rows[place] = _empty(volume)
            row["volumes"] += 1
            row["new"] += not earlier[volume.key].held
            row["size_gb"] += volume.size_gb
            for held in later[volume.key].held:
                exists = there.get((volume.key, held.policy), 0)
                more = max(0, held.keep - exists)
                row["snapshots"] += held.keep
                row["gigabytes"] += held.keep * volume.size_gb
                row["existing_snapshots"] += min(exists, held.keep)
                row["more_snapshots"] += more
                row["more_gigabytes"] += more * volume.size_gb
                of_type = row["types"].setdefault(volume.volume_type, {"snapshots": 0, "gigabytes": 0})
                of_type["snapshots"] += more
                of_type["gigabytes"] += more * volume.size_gb
        return sorted(rows.values(), key=lambda row: (-row["more_gigabytes"], row["tenant_name"], row["tenant_id"]))


def _place(decision: Decision, kind: str, ids: set[str]) -> tuple[bool, bool]:
    """(whether it decides, whether it matches)."""
    takes = any(held.kind == kind and held.source_id in ids for held in decision.held)
    return takes, takes or any(reason.kind == kind and reason.id in ids for reason in decision.reasons)


def _empty(volume: Volume) -> Row:
    sums = ("volumes", "new", "size_gb", "snapshots", "gigabytes", "existing_snapshots", "more_snapshots",
            "more_gigabytes")  # fmt: skip
    return {
        "cloud": volume.cloud, "region": volume.region, "tenant_id": volume.project_id,
        "tenant_name": volume.project_name, "domain_name": volume.domain_name, **dict.fromkeys(sums, 0), "types": {},
        "quota": None,
    }  # fmt: skip


def _item(volume: Volume, before: Decision, after: Decision) -> Row:
    return {
        "cloud": volume.cloud,
        "region": volume.region,
        "volume_id": volume.id,
        "volume_name": volume.name,
        "tenant_name": volume.project_name,
        "size_gb": volume.size_gb,
        "volume_type": volume.volume_type,
        "policies": {held.policy: held.keep for held in after.held},
        "before": {held.policy: held.keep for held in before.held},
    }
