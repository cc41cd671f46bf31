"""Tenant health: scores, detail, trends and heatmap. Blocks; safe on any thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from engine.access.models import Caller
from engine.api.errors import Conflict, NotFound
from engine.snapshots.compliance.course import Course
from engine.snapshots.compliance.rules import BROKEN, Sums
from engine.tenants import rules
from engine.tenants.behind import asked, listed, place
from engine.tenants.drift_source import ALL, OPEN, SEVERITIES, Drift
from store import times
from store.estate.reading import capacity, capacity_history, capacity_protection
from store.estate.reading.models import Scope

if TYPE_CHECKING:
    import duckdb

    from engine.inventory.reads import InventoryReads
    from engine.settings.models import Settings

Tenant = tuple[str, str]  # (cloud, project id)
Row = dict[str, Any]
SOURCE = "snapshot policies"
GOVERNED = ("compliant", *BROKEN, "pending")
SORTS = ("health_score", "project_name", "domain_name", "total_servers", "total_volumes", "total_networks",
         "total_drift_events", "compliance_pct")  # fmt: skip
RECENT_DAYS, RECENT_EVENTS, LARGEST = 30, 20, 10
# Number of a tenant -> type and filter of the list behind it.
LISTS: Mapping[str, tuple[str, str]] = {
    "total_servers": ("server", ""),
    "active_servers": ("server", "status:active"),
    "shutoff_servers": ("server", "status:shutoff"),
    "error_servers": ("server", "status:error"),
    "other_servers": ("server", "!status:active,shutoff,error"),
    "total_volumes": ("volume", ""),
    "available_volumes": ("volume", "status:available"),
    "in_use_volumes": ("volume", "status:in-use"),
    "error_volumes": ("volume", "status:~^error"),
    "other_volumes": ("volume", "!status:available,in-use !status:~^error"),
    "total_snapshots": ("snapshot", ""),
    "available_snapshots": ("snapshot", "status:available"),
    "error_snapshots": ("snapshot", "status:~^error"),
    "total_networks": ("network", ""),
    "total_floating_ips": ("floating_ip", ""),
}
# What a day's score is made of: type -> count -> what one resource counts for.
_STATES: Mapping[str, Mapping[str, str]] = {
    "server": {
        "error_servers": "(upper(t.status) = 'ERROR')::INT",
        "shutoff_servers": "(upper(t.status) = 'SHUTOFF')::INT",
    },
    "volume": {"error_volumes": f"({capacity.ERROR})::INT"},
    "snapshot": {"error_snapshots": f"({capacity.ERROR})::INT"},
}


class TenantHealth:
    """The health of the tenants of one estate."""

    def __init__(self, reads: InventoryReads, settings: Callable[[], Settings], drift: Drift, course: Course) -> None:
        self._reads = reads
        self._settings = settings
        self._drift = drift
        self._course = course

    # --- answers ---

    def overview(
        self,
        caller: Caller,
        scope: Scope,
        domain: str | None = None,
        search: str | None = None,
        order: tuple[str, bool] = ("health_score", True),
    ) -> Row:
        """An Overview. `order`: column and descending; tenants without the sorted value come last, whichever way."""
        sort_by, descending = order
        rows = [row for row in self.rows(caller, scope) if _fits(row, domain, search)]
        rows.sort(key=lambda row: ((row["project_name"] or "").lower(), row["cloud"], row["project_id"]))
        known = [row for row in rows if row[sort_by] is not None]
        known.sort(key=lambda row: _comparable(row[sort_by]), reverse=descending)
        return {
            "summary": rules.summary(row["health_score"] for row in rows),
            "tenants": known + [row for row in rows if row[sort_by] is None],
            "rules": self._rules(),
        }

    def detail(self, caller: Caller, project: str, scope: Scope) -> Row:
        """A Detail. Raises NotFound, Conflict."""
        row, inside = self._one(caller, project, scope)
        volumes = self._reads.read(lambda c: capacity.big_volumes(c, (row["cloud"], project), inside, LARGEST))
        events = self._drift.events(caller, inside, self._reads.clock() - timedelta(days=RECENT_DAYS))
        return {
            **row,
            "resources": {
                "servers": _states(row, "servers", "total", "active", "shutoff", "error", "other"),
                "volumes": _states(row, "volumes", "total", "available", "in_use", "error", "other"),
                "snapshots": _states(row, "snapshots", "total", "available", "error"),
                "networks": _states(row, "networks", "total"),
                "floating_ips": _states(row, "floating_ips", "total"),
            },
            "top_volumes": [
                {
                    "volume_id": one["id"],
                    "volume_name": one["name"],
                    "size_gb": one["size_gb"],
                    "status": one["status"],
                    "attached_to": one["server_name"] or one["server_id"],
                    "region": one["region"],
                }
                for one in volumes
            ],
            "recent_drift_events": [
                {
                    "id": event.id,
                    "resource_type": event.type,
                    "resource_id": event.resource_id,
                    "resource_name": event.resource_name,
                    "field_name": event.field,
                    "old_value": event.old_value,
                    "new_value": event.new_value,
                    "severity": event.severity,
                    "detected_at": event.opened_at,
                }
                for event in events[:RECENT_EVENTS]
            ],
        }

    def trends(self, caller: Caller, project: str, scope: Scope, days: int) -> Row:
        """Trends of a tenant. Raises NotFound, Conflict."""
        row, inside = self._one(caller, project, scope)
        now, settings = self._reads.clock(), self._settings().tenants
        dates = capacity_history.days_of(now, days)
        ends = capacity_history.ends(dates, now)
        window = timedelta(days=settings.drift_days)
        events = self._drift.events(caller, inside, ends[0] - timedelta(days=1) - window)

        def work(connection: duckdb.DuckDBPyConnection) -> tuple[list[Row], list[int]]:
            made = capacity_history.created(connection, "snapshot", dates, inside)
            return _daily_states(connection, dates, now, inside), made

        states, made = self._reads.read(work)
        course = self._course.days(inside, dates, now, settings.snapshot_days)
        trends = []
        for index, (day, end) in enumerate(zip(dates, ends, strict=True)):
            opened = [event.severity for event in events if event.opened_at.date() == day]
            open_then = [
                event.severity
                for event in events
                if end - window <= event.opened_at <= end
                and not (settings.drift_open_only and event.ended_at is not None and event.ended_at <= end)
            ]
            judged = course[index]
            compliance = None if judged is None else judged.volumes.percent
            known = states[index]
            if known:
                known |= {f"{name}_drift_events": open_then.count(name) for name in SEVERITIES}
                known["compliance_pct"] = None if settings.compliance == "off" else compliance
            trends.append(
                {
                    "date": day.isoformat(),
                    "drift_events": len(opened),
                    "critical_drift_events": opened.count("critical"),
                    "warning_drift_events": opened.count("warning"),
                    "snapshots_created": made[index],
                    "compliance_pct": compliance,
                    "health_score": rules.health(known).score if known else None,
                }
            )
        trends.reverse()
        names = ("cloud", "project_id", "project_name")
        return {**{name: row[name] for name in names}, "period_days": days, "trends": trends}

    def heatmap(self, caller: Caller, scope: Scope, domain: str | None = None) -> Row:
        """A Heatmap."""
        found = []
        for row in self.rows(caller, scope):
            owns = row["total_servers"] or row["total_volumes"] or row["total_floating_ips"]
            if owns and _fits(row, domain, None):
                found.append({**row, "critical_drift": row["critical_drift_events"]})
        found.sort(key=lambda row: (-row["total_servers"], -row["total_volumes"], row["cloud"], row["project_id"]))
        return {"tenants": found}

    # --- how a tenant is judged ---

    def rows(self, caller: Caller, scope: Scope) -> list[Row]:
        """A TenantAnswer of every tenant in the scope, in no order."""
        settings, now = self._settings().tenants, self._reads.clock()
        since = now - timedelta(days=settings.drift_days)
        drift = self._drift.counts(caller, scope, since, self._states())
        found = self._reads.read(lambda connection: capacity.tenants(connection, scope))
        judged = self._course.service.by_tenant(scope)
        region = scope.in_regions[0] if scope.in_regions else None
        for tenant, row in found.items():
            promises = judged[tenant].volumes if tenant in judged else Sums()
            self._judge(row, drift.get(tenant, {}), promises, since, region)
        return list(found.values())

    def _judge(self, row: Row, drift: Mapping[str, int], judged: Sums, since: datetime, region: str | None) -> None:
        """Fill in what is worked out from the counts."""
        settings = self._settings().tenants
        governed = judged.total - judged.excluded
        row["other_servers"] = row["total_servers"] - sum(row[f"{n}_servers"] for n in ("active", "shutoff", "error"))
        row["other_volumes"] = row["total_volumes"] - sum(row[f"{n}_volumes"] for n in ("available", "in_use", "error"))
        row["power_on_pct"] = rules.power_on(row["active_servers"], row["total_servers"])
        row["utilization_score"] = rules.utilization(
            row["active_servers"], row["total_servers"], row["in_use_volumes"], row["total_volumes"]
        )
        row["compliance_pct"] = judged.percent
        off = settings.compliance == "off"
        row["policy"] = {
            "state": "off" if off else "judged" if governed else "no policy",
            "source": SOURCE,
            "governed": governed,
            "compliant": judged.compliant,
            "broken": judged.broken,
            "pending": judged.pending,
        }
        row |= {f"{name}_drift_events": drift.get(name, 0) for name in SEVERITIES}
        row["total_drift_events"] = sum(drift.values())
        health = rules.health({**row, "compliance_pct": None} if off else row)
        behind = self._behind(row, since, region)
        row["health_score"], row["health_status"] = health.score, health.status
        row["deductions"] = [
            {
                "name": one.name,
                "count": one.count,
                "points": one.points,
                "reason": one.reason,
                "behind": behind["not_compliant" if one.name == "compliance" else one.name],
            }
            for one in health.deductions
        ]
        row["behind"] = behind

    def _behind(self, row: Row, since: datetime, region: str | None) -> dict[str, Row]:
        cloud, project = row["cloud"], row["project_id"]
        where = {type: place(type, cloud, region, project) for type, _ in LISTS.values()}
        found = {name: listed(type, where[type], text, count=row[name]) for name, (type, text) in LISTS.items()}
        policy = row["policy"]
        for name, count, statuses in (
            ("governed", policy["governed"], GOVERNED),
            ("compliant", policy["compliant"], ("compliant",)),
            ("not_compliant", policy["broken"], BROKEN),
        ):
            found[name] = asked(
                "compliance", count, cloud=cloud, region=region, tenant_id=project, by="volume", status=list(statuses)
            )
        query = {"cloud": cloud, "region": region, "project": project, "since": times.text(since)}
        states = list(self._states())
        for name in SEVERITIES:
            count = row[f"{name}_drift_events"]
            found[f"{name}_drift_events"] = asked("drift", count, **query, state=states, severity=name)
        found["total_drift_events"] = asked("drift", row["total_drift_events"], **query, state=states)
        return found

    def _rules(self) -> Row:
        settings = self._settings().tenants
        drift = "open drift" if settings.drift_open_only else "drift"
        compliance = {
            "latest": f"volumes that {SOURCE} take, each by the policy's own window",
            "off": "left out",
        }
        return {
            "healthy_from": rules.HEALTHY,
            "warning_from": rules.WARNING,
            "drift": f"{drift} of the last {settings.drift_days} days",
            "compliance": compliance[settings.compliance],
        }

    def _states(self) -> tuple[str, ...]:
        return OPEN if self._settings().tenants.drift_open_only else ALL

    # --- one tenant ---

    def one(self, caller: Caller, project: str, scope: Scope) -> Tenant:
        """(cloud, project id) of the tenant. Raises NotFound, Conflict."""
        row, _ = self._one(caller, project, scope)
        return row["cloud"], row["project_id"]

    def _one(self, caller: Caller, project: str, scope: Scope) -> tuple[Row, Scope]:
        """The tenant's row, and the scope of what is its own."""
        inside = replace(scope, in_projects=(project,))
        found = [row for row in self.rows(caller, inside) if row["project_id"] == project]
        if not found:
            raise NotFound(f"there is no project {project!r:.80}")
        if len(found) > 1:
            clouds = ", ".join(sorted(row["cloud"] for row in found))
            raise Conflict(f"project {project!r:.80} is in several clouds ({clouds}): name one with cloud")
        return found[0], replace(inside, in_clouds=(found[0]["cloud"],))


def _fits(row: Row, domain: str | None, search: str | None) -> bool:
    if domain is not None and row["domain_id"] != domain:
        return False
    words = (search or "").lower()
    return any(words in (row[name] or "").lower() for name in ("project_name", "domain_name", "project_id"))


def _comparable(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _states(row: Row, things: str, *names: str) -> dict[str, int]:
    return {name: row[f"{name}_{things}"] for name in names}


def _daily_states(connection: duckdb.DuckDBPyConnection, dates: list[Any], now: datetime, scope: Scope) -> list[Row]:
    """What there was in bad states at each day's end; an empty row before everything was listed whole."""
    known = capacity_protection.first_known(connection, scope, tuple(_STATES))
    ends = capacity_history.ends(dates, now)
    found: list[Row] = [{} for _ in dates]
    for type, measures in _STATES.items():
        sums = capacity_history.daily(connection, type, measures, dates, now, scope)
        for index, end in enumerate(ends):
            if known is not None and known <= end:
                for name in measures:
                    found[index][name] = int(sum(series.values[name][index] or 0 for series in sums))
    return found
