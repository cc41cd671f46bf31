"""Snapshots, backups and risk: who keeps what was promised, what nothing protects. Blocks; safe on any thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from engine.access.models import Caller
from engine.dashboard import forecast, rules
from engine.dashboard.figures import chosen_place
from engine.snapshots.compliance.answers import judged_by, volumes_of
from engine.snapshots.compliance.course import Course, Known
from engine.snapshots.compliance.rules import BROKEN, percent
from engine.snapshots.compliance.service import NO_POLICY, ComplianceService
from engine.snapshots.compliance.service import Row as Judged
from engine.snapshots.compliance.telling import NO_POLICY as UNGOVERNED
from engine.snapshots.compliance.telling import reason
from engine.snapshots.models import Volume
from engine.tenants.behind import asked, listed, place
from store.estate.reading import capacity, capacity_history, capacity_protection
from store.estate.reading.models import Scope
from store.times import text

if TYPE_CHECKING:
    import duckdb

    from engine.inventory.reads import InventoryReads
    from engine.settings.models import Settings

Row = dict[str, Any]
Tenant = tuple[str, str]  # (cloud, project id)
# Number of snapshot-sla-compliance -> the level of the volumes that it counts.
LEVELS: Mapping[str, tuple[str, ...]] = {
    "total_volumes": ("ok", "late", "lost", "pending"),
    "compliant": ("ok",),
    "warning": ("late",),
    "critical": ("lost",),
    "pending": ("pending",),
    "excluded": ("excluded",),
    "ungoverned": (UNGOVERNED,),
}
MOST_WARNINGS = 10
STALE = f"protected:yes !last_snapshot_at:<{capacity_protection.STALE_DAYS}d !last_backup_at:<" \
        f"{capacity_protection.STALE_DAYS}d"  # fmt: skip


class Protection:
    """See the module."""

    def __init__(self, reads: InventoryReads, settings: Callable[[], Settings], course: Course) -> None:
        self._reads = reads
        self._settings = settings
        self._course = course

    @property
    def _compliance(self) -> ComplianceService:
        return self._course.service

    def sla(self, caller: Caller, scope: Scope, days: int | None) -> Row:
        """A SnapshotSla."""
        judged = self._compliance.rows(scope, days)
        counts: dict[Tenant, Counter[str]] = {}
        names: dict[Tenant, tuple[str, str]] = {}
        broken: dict[Tenant, list[Row]] = {}
        for first, rows in volumes_of(judged):
            tenant = _seen(names, first.volume)
            counts.setdefault(tenant, Counter())[first.level] += 1
            if first.level in ("late", "lost"):
                broken.setdefault(tenant, []).append(_broken(first, rows, days))
        for promise in self._compliance.ungoverned(scope):
            counts.setdefault(_seen(names, promise.volume), Counter())[UNGOVERNED] += 1
        cloud, region = chosen_place(scope)
        tenants = []
        for tenant, levels in counts.items():
            where = {"cloud": tenant[0], "region": region, "tenant_id": tenant[1], "days": _text(days)}
            warnings = broken.get(tenant, [])[:MOST_WARNINGS]
            tenants.append(_sla(tenant, names[tenant], levels, warnings, where))
        tenants.sort(key=lambda one: (_last(one["compliance_percentage"]), one["tenant_name"] or "", one["tenant_id"]))
        total = sum(counts.values(), Counter())
        numbers = _numbers(total)
        return {
            "overall_compliance": _percent(total),
            "days": days,
            "policy": _policy(numbers["total_volumes"], judged_by(days)),
            **numbers,
            "tenants": tenants,
            "behind": _behind(numbers, {"cloud": cloud, "region": region, "days": _text(days)}),
        }

    def coverage(self, caller: Caller, scope: Scope, limit: int) -> Row:
        """A CoverageRisks."""
        now = self._reads.clock()

        def work(connection: duckdb.DuckDBPyConnection) -> tuple[list[Row], list[Row]]:
            rows = capacity_protection.protection(connection, scope, now)
            return rows, capacity_protection.uncovered(connection, scope, now, limit)

        rows, volumes = self._reads.read(work)
        promised = {row.volume.key for row in self._compliance.rows(scope) if row.promise.policy}
        sums, where = capacity_protection.sums(rows), place("volume", *chosen_place(scope))
        numbers = {
            "total_at_risk": (sums["uncovered"], "protected:no"),
            "total_volumes": (sums["volumes"], ""),
            "with_snapshot": (sums["with_snapshot"], "snapshot_count:>0"),
            "with_backup": (sums["with_backup"], "backup_count:>0"),
            "same_back_end_only": (sums["same_back_end_only"], "snapshot_count:>0 !backup_count:>0"),
            "stale": (sums["stale"], STALE),
        }
        return {
            **{name: count for name, (count, _) in numbers.items()},
            "risk_percentage": rules.percent(sums["uncovered"], sums["volumes"]),
            "stale_days": capacity_protection.STALE_DAYS,
            "volumes": [_risky(row, (row["cloud"], row["region"], row["id"]) in promised) for row in volumes],
            "behind": {name: listed("volume", where, text, count=n) for name, (n, text) in numbers.items()},
        }

    def risks(self, caller: Caller, scope: Scope) -> Row:
        """A TenantRisks."""
        now = self._reads.clock()

        def work(connection: duckdb.DuckDBPyConnection) -> tuple[list[Row], dict[tuple[str, str], Row]]:
            rows = capacity_protection.protection(connection, scope, now)
            return rows, capacity.fullest_quotas(connection, scope)

        rows, quotas = self._reads.read(work)
        known = {(row["cloud"], row["project_id"]): row for row in rows}
        for key, quota in quotas.items():
            known.setdefault(key, {**quota, "volumes": 0, "uncovered": 0, "stale": 0})
        region = chosen_place(scope)[1]
        tenants = [_risk(row, quotas.get(key), region) for key, row in known.items()]
        tenants.sort(key=lambda one: (-(one["risk_score"] if one["risk_score"] is not None else -1),
                                      one["tenant_name"] or "", one["cloud"], one["tenant_id"]))  # fmt: skip
        return {"tenants": tenants, "weights": dict(rules.RISK_WEIGHTS)}

    def compliance(self, caller: Caller, scope: Scope, days: int) -> Row:
        """A ComplianceDrift."""
        now, window = self._reads.clock(), self._settings().tenants.snapshot_days
        dates = capacity_history.days_of(now, days)
        known = self._course.days(scope, dates, now, window)
        percents = [None if one is None else one.volumes.percent for one in known]
        found = []
        for index, (day, end, one) in enumerate(zip(dates, capacity_history.ends(dates, now), known, strict=True)):
            so_far = [value for value in percents[: index + 1] if value is not None]
            found.append(
                {
                    "date": day.isoformat(),
                    "compliance_percent": percents[index],
                    "violations": None if one is None else one.volumes.broken,
                    "governed": None if one is None else one.volumes.judged,
                    "known_by": None if one is None else one.how,
                    "trend": forecast.trend(so_far),
                    "behind": {} if one is None else _of_day(chosen_place(scope), one, end, window),
                }
            )
        governed = next((one.volumes.judged for one in reversed(known) if one is not None), 0)
        return {
            "period_days": days,
            "window_days": window,
            "policy": _policy(governed, judged_by(None)),
            "drift_events": found,
            "current_compliance": percents[-1],
            "trend": found[-1]["trend"],
        }


def _policy(governed: int, judged_by: str) -> str:
    """What compliance is judged by, in words."""
    return judged_by if governed else NO_POLICY


def _text(days: int | None) -> str | None:
    return None if days is None else str(days)


def _seen(names: dict[Tenant, tuple[str, str]], volume: Volume) -> Tenant:
    """The volume's tenant, its names noted."""
    tenant = (volume.cloud, volume.project_id)
    names.setdefault(tenant, (volume.project_name, volume.domain_name))
    return tenant


def _numbers(levels: Mapping[str, int]) -> dict[str, int]:
    return {name: sum(levels.get(level, 0) for level in counted) for name, counted in LEVELS.items()}


def _percent(levels: Mapping[str, int]) -> float | None:
    """Of the volumes that keep or break a promise: what is pending does neither."""
    ok = levels.get("ok", 0)
    return percent(ok, ok + levels.get("late", 0) + levels.get("lost", 0))


def _behind(numbers: Mapping[str, int], where: Mapping[str, str | None]) -> dict[str, Row]:
    return {
        name: asked("compliance", count, **where, by="volume", level=list(LEVELS[name]))
        for name, count in numbers.items()
    }


def _last(value: float | None) -> float:
    return 1000.0 if value is None else value


def _sla(
    tenant: Tenant,
    names: tuple[str, str],
    levels: Mapping[str, int],
    warnings: list[Row],
    where: Mapping[str, str | None],
) -> Row:
    numbers = _numbers(levels)
    return {
        "cloud": tenant[0],
        "tenant_id": tenant[1],
        "tenant_name": names[0] or None,
        "domain_name": names[1] or None,
        **numbers,
        "compliance_percentage": _percent(levels),
        "warnings": warnings,
        "behind": _behind(numbers, where),
    }


def _broken(first: Judged, rows: list[Judged], days: int | None) -> Row:
    volume, newest = first.volume, first.promise.newest
    also = [row.promise.policy for row in rows if row.status in BROKEN and row.promise.policy != first.promise.policy]
    within = f"No snapshot in last {days} day{_s(days)}" if days is not None and newest is not None else reason(first)
    return {
        "volume_id": volume.id,
        "volume_name": volume.name,
        "policy": first.promise.policy,
        "last_snapshot": newest,
        "message": f"{within}; also {', '.join(also)}" if also else within,
        "cloud": volume.cloud,
        "region": volume.region,
    }


def _risky(row: Row, promised: bool) -> Row:
    if promised:
        advice = "a policy takes it, yet there is no snapshot: look at why"
    elif row["server_id"]:
        advice = "take a snapshot, or have a policy take it"
    else:
        advice = "belongs to no machine: delete it, or back it up"
    return {
        "cloud": row["cloud"],
        "region": row["region"],
        "volume_id": row["id"],
        "volume_name": row["name"],
        "size_gb": row["size_gb"],
        "tenant_id": row["project_id"],
        "tenant_name": row["project_name"],
        "attached": row["server_id"] is not None,
        "risk_score": row["risk"],
        "recommendation": advice,
    }


def _risk(row: Row, quota: Row | None, region: str | None) -> Row:
    factors = {
        "overutilization": min(100.0, quota["percent"]) if quota and quota["percent"] is not None else None,
        "missing_snapshots": rules.missing_snapshots(row["volumes"], row["uncovered"], row["stale"]),
        "cost_trend": None,
    }
    score = rules.risk_score(factors)
    advice = []
    if row["uncovered"]:
        advice.append(f"Protect {row['uncovered']} volume{_s(row['uncovered'])} without snapshot and backup")
    if row["stale"]:
        advice.append(f"Renew the protection of {row['stale']} volume{_s(row['stale'])}: older than a week")
    if quota and quota["percent"] is not None and quota["percent"] >= rules.QUOTA_HIGH:
        advice.append(f"Raise a quota, or give something back: one is {quota['percent']:g} % full")
    where = place("volume", row["cloud"], region, row["project_id"])
    behind = {
        "volumes": listed("volume", where, count=row["volumes"]),
        "missing_snapshots": listed("volume", where, "protected:no", count=row["uncovered"]),
        "stale": listed("volume", where, STALE, count=row["stale"]),
    }
    if quota:
        behind["quota"] = listed("quota", place("quota", row["cloud"], region, row["project_id"]))
    return {
        "cloud": row["cloud"],
        "tenant_id": row["project_id"],
        "tenant_name": row["project_name"],
        "risk_score": score,
        "risk_level": rules.risk_level(score),
        "factors": factors,
        "recommendations": advice,
        "behind": behind,
    }


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _of_day(chosen: tuple[str | None, str | None], known: Known, end: datetime, window: int) -> dict[str, Row]:
    """The lists behind a day. Of a day that was recorded there is none but its nightly report."""
    counts = {"governed": known.volumes.judged, "violations": known.volumes.broken}
    if known.how == "now":
        statuses = {"governed": ["compliant", *BROKEN], "violations": list(BROKEN)}
        where = {"cloud": chosen[0], "region": chosen[1], "by": "volume"}
        return {name: asked("compliance", n, **where, status=statuses[name]) for name, n in counts.items()}
    if known.how == "recorded":
        return {}
    at, young = place("volume", *chosen), f"last_snapshot_at:>{text(end - timedelta(days=window))}"
    filters = {"governed": "auto_snapshot:yes", "violations": f"auto_snapshot:yes !{young}"}
    return {name: listed("volume", at, filters[name], count=n, at=end) for name, n in counts.items()}
