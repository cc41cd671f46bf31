"""What routes, reports and the command line are told of compliance: chosen rows, groups of them, and sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from engine.snapshots.compliance import telling
from engine.snapshots.compliance.facts import Promise
from engine.snapshots.compliance.rules import ORDER, RANK, Group, Sums, worst
from engine.snapshots.compliance.service import (
    NO_POLICY,
    ComplianceService,
    Row,
    domain_of,
    of_volumes,
    policy_of,
    sums,
    tenant_of,
    worst_level,
)
from engine.snapshots.compliance.telling import Item
from store.estate.reading.models import Scope

By = Literal["rows", "volume", "tenant", "domain", "policy"]
BY_POLICY = "each policy's own window"


@dataclass(frozen=True, slots=True)
class Choice:
    """What of the rows is wanted; () and None are everything."""

    statuses: Sequence[str] = ()
    levels: Sequence[str] = ()
    policies: Sequence[str] = ()
    volume: str | None = None
    domain: str | None = None
    days: int | None = None

    def takes(self, promise: Promise) -> bool:
        """Whether it is about what is wanted, whatever its status."""
        return (
            (not self.policies or promise.policy in self.policies)
            and (self.volume is None or promise.volume.id == self.volume)
            and (self.domain is None or promise.volume.domain_id == self.domain)
        )

    def shows(self, status: str, level: str) -> bool:
        """Whether a line with these words is wanted."""
        return (not self.statuses or status in self.statuses) and (not self.levels or level in self.levels)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Rows that a choice takes, in order, those of them that it shows, and the volumes without a policy."""

    every: Sequence[Row]
    shown: Sequence[Row]
    ungoverned: Sequence[Promise]
    now: datetime


class Answers:
    """See the module. Blocks; safe on any thread."""

    def __init__(self, service: ComplianceService) -> None:
        self.service = service

    def chosen(self, scope: Scope, choice: Choice) -> Chosen:
        """The rows of a choice."""
        every = [row for row in self.service.rows(scope, choice.days) if choice.takes(row.promise)]
        shown = [row for row in every if choice.shows(row.status, row.level)]
        ungoverned = [promise for promise in self.service.ungoverned(scope) if choice.takes(promise)]
        return Chosen(every, shown, ungoverned, self.service.now)

    def report(self, scope: Scope, choice: Choice) -> tuple[list[Row], Item]:
        """(rows in their order, what is said of all of them)."""
        chosen = self.chosen(scope, choice)
        return list(chosen.shown), {**_head(chosen, choice), "timestamp": chosen.now}

    def listing(self, scope: Scope, by: By, choice: Choice) -> tuple[list[Item], Item]:
        """(all items, what is said of them). Rows and volumes end with those that no policy takes."""
        chosen = self.chosen(scope, choice)
        if by == "rows":
            items = [telling.shown(row) for row in chosen.shown]
        elif by == "volume":
            items = by_volume(chosen, choice)
        else:
            items = by_group(chosen, by)
        if by in ("rows", "volume") and choice.shows(telling.NO_POLICY, telling.NO_POLICY):
            items += [telling.ungoverned(promise) for promise in chosen.ungoverned]
        return items, {"by": by, **_head(chosen, choice), "timestamp": chosen.now}

    def overview(self, scope: Scope) -> Item:
        """An Overview without its trends: volumes by the worst of their policies, and by what covers them; policies."""
        chosen = self.chosen(scope, Choice())
        total = sums(chosen.every, lambda row: "").get("", Group()).volumes
        cover = Counter(telling.COVER[promise.coverage] for promise in chosen.ungoverned)
        volumes = {row.volume.key: row.promise.coverage for row in chosen.every}
        cover.update(telling.COVER[word] for word in volumes.values())
        policies = []
        for name, group in sorted(sums(chosen.every, policy_of).items()):
            if name:
                policies.append({"policy": name, **group.rows.told(), "percent": group.rows.percent})
        return {
            "counts": {**{status: getattr(total, status) for status in ORDER}, "none": len(chosen.ungoverned)},
            "percent": total.percent,
            "cover": {**{word: cover[word] for word in ("backup", "same", "nothing")}, "total": cover.total()},
            "policies": policies,
        }


def judged_by(days: int | None) -> str:
    """What compliance is judged by, in words."""
    if days is None:
        return BY_POLICY
    return f"the newest point at most {days} day{'' if days == 1 else 's'} old, whatever the policy"


def _head(chosen: Chosen, choice: Choice) -> Item:
    return {
        "days": choice.days,
        "policy": judged_by(choice.days) if any(row.promise.policy for row in chosen.every) else NO_POLICY,
        "summary": summary(chosen.every, chosen.ungoverned),
    }


def summary(rows: Sequence[Row], ungoverned: Sequence[Promise]) -> Item:
    """A Summary."""
    group = sums(rows, lambda row: "").get("", Group())
    manual = {row.volume.key: row.promise.manual for row in rows}
    return {
        "rows": group.rows.told(),
        "volumes": group.volumes.told(),
        "ungoverned": len(ungoverned),
        "manual_snapshots": sum(manual.values()) + sum(promise.manual for promise in ungoverned),
    }


def volumes_of(rows: Iterable[Row]) -> list[tuple[Row, list[Row]]]:
    """Each volume once, the worst first: (the row of its worst policy, with the words for the volume; all its rows)."""
    found = []
    for every in of_volumes(rows).values():
        status, level = worst(row.status for row in every), worst_level(every)
        first = min(every, key=lambda row: (row.status != status, row.level != level))
        found.append((replace(first, status=status, level=level), every))
    found.sort(key=lambda one: RANK[one[0].status])  # stable: within one word the order of the rows
    return found


def by_volume(chosen: Chosen, choice: Choice) -> list[Item]:
    """Volumes, worst first: the row of the worst policy, and `policies` with all of its rows."""
    return [
        {**telling.shown(first), "policies": telling.of_policies(every)}
        for first, every in volumes_of(chosen.every)
        if choice.shows(first.status, first.level)
    ]


def by_group(chosen: Chosen, by: By) -> list[Item]:
    """Tenants, domains or policies, the least compliant first; a status or level chooses groups that have such rows."""
    keys: dict[str, Callable[[Row], Any]] = {"tenant": tenant_of, "domain": domain_of, "policy": policy_of}
    key_of = keys[by]
    groups = sums(chosen.every, key_of)
    first = {key_of(row): row for row in reversed(chosen.every)}
    shown = {key_of(row) for row in chosen.shown}
    found = []
    for key, group in groups.items():
        if key in shown:
            item = {**_named(by, first[key]), "rows": group.rows.told(), "volumes": group.volumes.told()}
            found.append((_least(group.rows), str(item.get("tenant_name") or item.get("domain_name") or ""), key, item))
    found.sort(key=lambda one: (one[0], one[1].lower(), one[2]))
    return [item for _, _, _, item in found]


def _least(counted: Sums) -> float:
    return 1000.0 if counted.percent is None else counted.percent


def _named(by: By, row: Row) -> Item:
    volume = row.volume
    if by == "policy":
        hours = round(row.window.total_seconds() / 3600, 2)
        named = bool(row.promise.policy)
        return {"policy": row.promise.policy if named else None, "window_hours": hours if named else None}
    domain = {"domain_id": volume.domain_id, "domain_name": volume.domain_name}
    if by == "domain":
        return {"cloud": volume.cloud, **domain}
    return {"cloud": volume.cloud, "tenant_id": volume.project_id, "tenant_name": volume.project_name, **domain}


def coverage(rows: Iterable[Item], wanted: str | None) -> tuple[list[Item], dict[str, int]]:
    """(volumes with the wanted coverage, how many there are of each)."""
    every = list(rows)
    counts: dict[str, Any] = {"both": 0, "backup": 0, "snapshots": 0, "nothing": 0, "total": len(every)}
    for row in every:
        counts[row["coverage"]] += 1
    return [row for row in every if wanted in (None, row["coverage"])], counts
