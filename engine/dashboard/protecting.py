"""Snapshots, backups and risk: who keeps what was promised, what nothing protects. Blocks; safe on any thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from engine.access.models import Caller
from engine.dashboard import forecast, rules
from engine.dashboard.figures import chosen_place
from engine.tenants.behind import listed, place
from store.estate.reading import capacity, capacity_history, capacity_protection
from store.estate.reading.models import Scope
from store.times import text

if TYPE_CHECKING:
    import duckdb

    from engine.inventory.reads import InventoryReads
    from engine.settings.models import Settings

Row = dict[str, Any]
NO_POLICY = "no policy: no volume's metadata ask for automatic snapshots"
BY_METADATA = "volume metadata (auto_snapshot), the newest usable snapshot at most {days} days old"
STALE = f"protected:yes !last_snapshot_at:<{capacity_protection.STALE_DAYS}d !last_backup_at:<" \
        f"{capacity_protection.STALE_DAYS}d"  # fmt: skip


def sla_filters(days: int) -> Mapping[str, str]:
    """Filters of a tenant's governed volumes, by number."""
    return {
        "total_volumes": "auto_snapshot:yes",
        "compliant": f"auto_snapshot:yes last_snapshot_at:<{days}d",
        "warning": f"auto_snapshot:yes last_snapshot_at:{days}d..{2 * days}d",
        "critical": f"auto_snapshot:yes !last_snapshot_at:<={2 * days}d",
        "ungoverned": "!auto_snapshot:yes",
    }


def policy(governed: int, days: int) -> str:
    """What compliance is judged by, in words."""
    return BY_METADATA.format(days=days) if governed else NO_POLICY


class Protection:
    """See the module."""

    def __init__(self, reads: InventoryReads, settings: Callable[[], Settings]) -> None:
        self._reads = reads
        self._settings = settings

    def sla(self, caller: Caller, scope: Scope, days: int) -> Row:
        """A SnapshotSla."""
        now = self._reads.clock()

        def work(connection: duckdb.DuckDBPyConnection) -> tuple[list[Row], list[Row]]:
            rows = capacity_protection.protection(connection, scope, now, days)
            return rows, capacity_protection.broken_promises(connection, scope, now, days)

        rows, broken = self._reads.read(work)
        region = chosen_place(scope)[1]
        by_tenant: dict[tuple[str, str], list[Row]] = {}
        for one in broken:
            by_tenant.setdefault((one["cloud"], one["project_id"]), []).append(_broken(one, days))
        tenants = [_sla(row, by_tenant.get((row["cloud"], row["project_id"]), []), days, region) for row in rows]
        tenants.sort(key=lambda one: (_last(one["compliance_percentage"]), one["tenant_name"] or "", one["tenant_id"]))
        sums, where = capacity_protection.sums(rows), place("volume", *chosen_place(scope))
        counts = {
            "total_volumes": sums["governed"],
            "compliant": sums["compliant"],
            "ungoverned": sums["volumes"] - sums["governed"],
        }
        filters = sla_filters(days)
        return {
            "overall_compliance": rules.percent(sums["compliant"], sums["governed"]),
            "days": days,
            "policy": policy(sums["governed"], days),
            **counts,
            "tenants": tenants,
            "behind": {name: listed("volume", where, filters[name], count=count) for name, count in counts.items()},
        }

    def coverage(self, caller: Caller, scope: Scope, limit: int) -> Row:
        """A CoverageRisks."""
        now = self._reads.clock()

        def work(connection: duckdb.DuckDBPyConnection) -> tuple[list[Row], list[Row]]:
            rows = capacity_protection.protection(connection, scope, now, 1)
            return rows, capacity_protection.uncovered(connection, scope, now, limit)

        rows, volumes = self._reads.read(work)
        sums, where = capacity_protection.sums(rows), place("volume", *chosen_place(scope))
        numbers = {
            "total_at_risk": (sums["uncovered"], "protected:no"),
            "total_volumes": (sums["volumes"], ""),
            "with_snapshot": (sums["with_snapshot"], "snapshot_count:>0"),
            "with_backup": (sums["with_backup"], "backup_count:>0"),
            "stale": (sums["stale"], STALE),
        }
        return {
            **{name: count for name, (count, _) in numbers.items()},
            "risk_percentage": rules.percent(sums["uncovered"], sums["volumes"]),
            "stale_days": capacity_protection.STALE_DAYS,
            "volumes": [_risky(row) for row in volumes],
            "behind": {name: listed("volume", where, text, count=n) for name, (n, text) in numbers.items()},
        }

    def risks(self, caller: Caller, scope: Scope) -> Row:
        """A TenantRisks."""
        now = self._reads.clock()

        def work(connection: duckdb.DuckDBPyConnection) -> tuple[list[Row], dict[tuple[str, str], Row]]:
            rows = capacity_protection.protection(connection, scope, now, 1)
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
        ends = capacity_history.ends(dates, now)
        kept = self._reads.read(lambda c: capacity_protection.kept_promises(c, scope, dates, now, window))
        where = place("volume", *chosen_place(scope))
        percents = [None if one is None else rules.percent(one[1], one[0]) for one in kept]
        found = []
        for index, (day, end, one) in enumerate(zip(dates, ends, kept, strict=True)):
            so_far = [value for value in percents[: index + 1] if value is not None]
            found.append(
                {
                    "date": day.isoformat(),
                    "compliance_percent": percents[index],
                    "violations": None if one is None else one[0] - one[1],
                    "governed": None if one is None else one[0],
                    "trend": forecast.trend(so_far),
                    "behind": {} if one is None else _of_day(where, one, end, window),
                }
            )
        governed = next((one[0] for one in reversed(kept) if one is not None), 0)
        return {
            "period_days": days,
            "window_days": window,
            "policy": policy(governed, window),
            "drift_events": found,
            "current_compliance": percents[-1],
            "trend": found[-1]["trend"],
        }


def _last(value: float | None) -> float:
    return 1000.0 if value is None else value


def _sla(row: Row, warnings: list[Row], days: int, region: str | None) -> Row:
    where = place("volume", row["cloud"], region, row["project_id"])
    counts = {
        "total_volumes": row["governed"],
        "compliant": row["compliant"],
        "warning": row["late"],
        "critical": row["missing"],
        "ungoverned": row["volumes"] - row["governed"],
    }
    filters = sla_filters(days)
    return {
        "cloud": row["cloud"],
        "tenant_id": row["project_id"],
        "tenant_name": row["project_name"],
        "domain_name": row["domain_name"],
        **counts,
        "compliance_percentage": rules.percent(row["compliant"], row["governed"]),
        "warnings": warnings,
        "behind": {name: listed("volume", where, filters[name], count=count) for name, count in counts.items()},
    }


def _broken(row: Row, days: int) -> Row:
    return {
        "volume_id": row["id"],
        "volume_name": row["name"],
        "policy": row["policy"],
        "last_snapshot": row["last"],
        "message": f"No snapshot in last {days} days" if row["last"] else "No usable snapshot at all",
        "cloud": row["cloud"],
        "region": row["region"],
    }


def _risky(row: Row) -> Row:
    if row["governed"]:
        advice = "its metadata ask for automatic snapshots, yet there is none: look at why"
    elif row["server_id"]:
        advice = "take a snapshot, or ask for automatic ones (metadata auto_snapshot=true)"
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


def _of_day(where: str, kept: tuple[int, int], end: datetime, window: int) -> dict[str, Row]:
    governed, compliant = kept
    young = f"last_snapshot_at:>{text(end - timedelta(days=window))}"
    return {
        "governed": listed("volume", where, "auto_snapshot:yes", count=governed, at=end),
        "violations": listed("volume", where, f"auto_snapshot:yes !{young}", count=governed - compliant, at=end),
    }
