"""How full things are and how they grow: pressure, trends, forecasts, recent changes. Blocks; safe on any thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from engine.access.models import Caller
from engine.dashboard import forecast, rules
from engine.dashboard.figures import chosen_place, told_host
from engine.dashboard.forecast import Growth
from engine.dashboard.utilisation import CPU, Measurements, host_rows, metric
from engine.tenants.behind import listed, place, term
from store.estate.reading import capacity, capacity_history, capacity_recent
from store.estate.reading.models import Scope

if TYPE_CHECKING:
    import duckdb

    from engine.dashboard.figures import Figures
    from engine.inventory.reads import InventoryReads

Row = dict[str, Any]
Values = list[float | None]
Sampled = dict[tuple[str, str, str, str], dict[date, dict[str, float]]]
LEVELS = (80, 90, 100)
PRESSURE_DAYS = 30  # that forecasts of pressure look back
# Lines of growth: name -> (type, what one resource counts for).
LINES: Mapping[str, tuple[str, str]] = {
    "vms": ("server", "1"),
    "volumes": ("volume", "1"),
    "volume_gb": ("volume", "t.size_gb"),
    "snapshots": ("snapshot", "1"),
    "networks": ("network", "1"),
}
COUNTED = tuple(name for name, (_, sql) in LINES.items() if sql == "1")
_NOUNS = {"server": "vm"}  # the documented word of a change


class Growing:
    """See the module."""

    def __init__(self, reads: InventoryReads, measurements: Measurements, figures: Figures) -> None:
        self._reads = reads
        self._measurements = measurements
        self._figures = figures

    # --- answers ---

    def pressure(self, caller: Caller, scope: Scope) -> Row:
        """A CapacityPressure."""
        now, chosen = self._reads.clock(), self._measurements.choose("hypervisor", scope)
        days = capacity_history.days_of(now, PRESSURE_DAYS)

        def work(connection: duckdb.DuckDBPyConnection) -> tuple[list[Row], list[Row], Sampled, dict[str, Values]]:
            pools = capacity.pools(connection, scope)
            free = capacity_history.sampled(connection, ["free_gb"], days, scope, "storage_pool") if pools else {}
            return pools, capacity.hosts(connection, scope), free, estate(connection, days, now, scope)

        pools, hosts, free, series = self._reads.read(work)
        rows = host_rows(hosts, chosen)
        pressed = [row for row in rows if row["status"] != "ok"]
        pressed.sort(key=lambda row: (-max(row["cpu"] or 0.0, row["memory"] or 0.0), row["name"] or ""))
        return {
            "storage_pressure": sorted(
                (_pool(pool, free, days) for pool in pools),
                key=lambda one: (-(one["used_percent"] or 0.0), one["pool_name"]),
            ),
            "compute_pressure": [_pressed(row) for row in pressed],
            "estate": [
                _resource("vcpu", series["vcpus"], series["vcpus_total"], "vCPU", days, judged=False),
                _resource("ram", series["ram_mb"], series["memory_mb"], "MiB", days),
                _storage(pools, free, days),
            ],
            "thresholds": {"warning": rules.WARNING, "critical": rules.CRITICAL},
            "metrics": self._figures.metrics(chosen, rows, scope),
        }

    def capacity_trends(self, caller: Caller, scope: Scope, days: int) -> Row:
        """A CapacityTrends."""
        now, chosen = self._reads.clock(), self._measurements.choose("hypervisor", scope)
        dates = capacity_history.days_of(now, days)

        def work(
            connection: duckdb.DuckDBPyConnection,
        ) -> tuple[list[Row], list[Row], Sampled, Values, dict[str, Values]]:
            pools, hosts = capacity.pools(connection, scope), capacity.hosts(connection, scope)
            free = capacity_history.sampled(connection, ["free_gb"], dates, scope, "storage_pool") if pools else {}
            busy: Values = [None] * days
            if hosts and chosen.source != "allocation":
                name = metric(CPU, chosen.source)
                busy = capacity_history.sampled_means(connection, name, dates, scope, "hypervisor")
            return pools, hosts, free, busy, estate(connection, dates, now, scope)

        pools, hosts, free, busy, series = self._reads.read(work)
        total, used = _pools_used(pools, free, dates)
        promised = _percents(series["vcpus"], series["vcpus_total"])
        storage = _percents(used, [total] * days)
        cpu = promised if chosen.source == "allocation" else [_digits(value, 1) for value in busy]
        lines = {"storage": _line(storage, dates), "cpu": _line(cpu, dates)}
        known = sum(value is not None for value in used)
        return {
            "period_days": days,
            "storage_trend": [
                {
                    "date": day.isoformat(),
                    "used_percent": storage[index],
                    "available_gb": None if one is None or total is None else round(total - one, 1),
                    "volume_gb": series["volume_gb"][index],
                }
                for index, (day, one) in enumerate(zip(dates, used, strict=True))
            ],
            "cpu_trend": [
                {"date": day.isoformat(), "avg_utilization": cpu[index], "allocated_percent": promised[index]}
                for index, day in enumerate(dates)
            ],
            "forecast": {
                "storage_full_date": lines["storage"]["reaches"][-1]["date"],
                "cpu_saturation_date": lines["cpu"]["reaches"][-1]["date"],
                "storage_days": known,
                **lines,
            },
            "metrics": self._figures.metrics(chosen, host_rows(hosts, chosen), scope),
        }

    def trendlines(self, caller: Caller, scope: Scope, period: int) -> Row:
        """A Trendlines: what there was at the ends of `period` days before today, and now."""
        now = self._reads.clock()
        dates = capacity_history.days_of(now, period + 1)
        ends = capacity_history.ends(dates, now)

        def work(connection: duckdb.DuckDBPyConnection) -> dict[str, Values]:
            found: dict[str, Values] = {}
            for type in dict.fromkeys(type for type, _ in LINES.values()):
                measures = {name: sql for name, (of, sql) in LINES.items() if of == type}
                found |= _added(capacity_history.daily(connection, type, measures, dates, now, scope), measures, dates)
            return found

        series = self._reads.read(work)
        lines, forecasts = {}, {}
        for name, values in series.items():
            type = LINES[name][0]
            lines[name] = _grown(values, dates, ends, place(type, *chosen_place(scope)), type, name in COUNTED)
            forecasts[name] = _in_30_days(values, dates)
        return {
            "period_days": period,
            "metrics": lines,
            "forecast_30_days": {name: one["value"] for name, one in forecasts.items()},
            "forecast_detail": forecasts,
        }

    def recent(self, caller: Caller, scope: Scope, hours: int, limit: int) -> Row:
        """A RecentChanges."""
        now = self._reads.clock()
        total, rows = self._reads.read(
            lambda connection: capacity_recent.recent(connection, scope, now - timedelta(hours=hours), now, limit)
        )
        return {"changes": [_change(row) for row in rows], "total_changes": total, "period_hours": hours}


# --- series ---


def estate(
    connection: duckdb.DuckDBPyConnection, days: Sequence[date], now: datetime, scope: Scope
) -> dict[str, Values]:
    """At each day's end: vcpus and ram_mb promised to machines, vcpus_total and memory_mb of the hosts, volume_gb."""
    wanted: Mapping[str, Mapping[str, str]] = {
        "server": {"vcpus": "t.vcpus", "ram_mb": "t.ram_mb"},
        "hypervisor": {"vcpus_total": "t.vcpus", "memory_mb": "t.memory_mb"},
        "volume": {"volume_gb": "t.size_gb"},
    }
    found: dict[str, Values] = {}
    for type, measures in wanted.items():
        found |= _added(capacity_history.daily(connection, type, measures, days, now, scope), measures, days)
    return found


def _added(
    series: Sequence[capacity_history.Series], measures: Mapping[str, str], days: Sequence[date]
) -> dict[str, Values]:
    """The sums over all places; not known while one of them is not."""
    found: dict[str, Values] = {name: [] for name in measures}
    for name, values in found.items():
        for index in range(len(days)):
            parts = [one.values[name][index] for one in series]
            values.append(None if not parts or None in parts else sum(part for part in parts if part is not None))
    return found


def _percents(parts: Sequence[float | None], wholes: Sequence[float | None]) -> Values:
    return [rules.percent(part, whole) for part, whole in zip(parts, wholes, strict=True)]


def _free_of(pool: Row, free: Sampled, days: Sequence[date]) -> Values:
    """What the pool said is free: of each day the mean, of today what it says now."""
    by_day = free.get((pool["cloud"], pool["region"], "storage_pool", pool["id"]), {})
    values: Values = [by_day.get(day, {}).get("free_gb") for day in days]
    values[-1] = pool["free_gb"]
    return values


def _pools_used(pools: Sequence[Row], free: Sampled, days: Sequence[date]) -> tuple[float | None, Values]:
    """(GB of all pools that say what is free, used of it on each day; None on days when one of them did not say)."""
    telling = [pool for pool in pools if pool["free_gb"] is not None]
    if not telling:
        return None, [None] * len(days)
    total = sum(pool["total_gb"] for pool in telling)
    left = [_free_of(pool, free, days) for pool in telling]
    used: Values = []
    for index in range(len(days)):
        parts = [one[index] for one in left]
        used.append(None if None in parts else round(total - sum(part for part in parts if part is not None), 1))
    return total, used


# --- answers' parts ---


def _line(values: Sequence[float | None], days: Sequence[date]) -> Row:
    """A Forecast of percentages."""
    points = [(day, value) for day, value in zip(days, values, strict=True) if value is not None]
    grown, current = forecast.growth(points), values[-1] if values else None
    return {
        "current": current,
        "per_day": _digits(grown.per_day),
        "low": _digits(grown.low),
        "high": _digits(grown.high),
        "points": grown.points,
        "reason": grown.reason,
        "reaches": [_reach(current, level, grown, days[-1]) for level in LEVELS],
    }


def _reach(current: float | None, level: int, grown: Growth, today: date) -> Row:
    found = forecast.Reach(None, reason="not known") if current is None else forecast.reach(current, level, grown)
    day = forecast.day_of(found, today)
    return {
        "level": level,
        "days": _digits(found.days, 1),
        "soonest": _digits(found.soonest, 1),
        "latest": _digits(found.latest, 1),
        "date": day.isoformat() if day else None,
        "reason": found.reason,
    }


def _pool(pool: Row, free: Sampled, days: Sequence[date]) -> Row:
    left = _free_of(pool, free, days)
    values = [None if one is None else rules.percent(pool["total_gb"] - one, pool["total_gb"]) for one in left]
    used = rules.pool_used(pool)
    values[-1] = used
    line = _line(values, days)
    full = line["reaches"][-1]
    behind = listed("volume", place("volume", pool["cloud"], pool["region"]), term("host", pool["name"]))
    return {
        "cloud": pool["cloud"],
        "region": pool["region"],
        "pool_id": pool["id"],
        "pool_name": pool["name"],
        "used_percent": used,
        "provisioned_percent": rules.percent(pool["provisioned_gb"], pool["total_gb"]),
        "available_gb": pool["free_gb"],
        "total_gb": pool["total_gb"],
        "status": rules.level(used),
        "forecast_full": rules.in_words(full["days"], full["reason"]),
        "forecast": line,
        "behind": {"volumes": {**behind, "count": pool["volumes"]}},
    }


def _pressed(row: Row) -> Row:
    host = told_host(row)
    kept = ("cloud", "region", "host_id", "hostname", "allocated_cpu_percent", "allocated_memory_percent", "status",
            "behind")  # fmt: skip
    return {
        **{name: host[name] for name in kept},
        "cpu_used_percent": host["cpu_percent"],
        "memory_used_percent": host["memory_percent"],
    }


def _resource(name: str, used: Values, total: Values, unit: str, days: Sequence[date], *, judged: bool = True) -> Row:
    """A Pressed. `judged` false: promised several times over on purpose, so no share of it is bad by itself."""
    series = _percents(used, total)
    return {
        "resource": name,
        "used": used[-1],
        "total": total[-1],
        "unit": unit,
        "used_percent": series[-1],
        "status": rules.level(series[-1]) if judged else "ok",
        "forecast": _line(series, days),
        "series": series,
    }


def _storage(pools: Sequence[Row], free: Sampled, days: Sequence[date]) -> Row:
    total, used = _pools_used(pools, free, days)
    return _resource("storage", used, [total] * len(days), "GB", days)


def _grown(
    values: Values, dates: Sequence[date], ends: Sequence[datetime], where: str, type: str, counted: bool
) -> Row:
    """A Line from the first day that is known."""
    first = next((index for index, value in enumerate(values) if value is not None), None)
    current = values[-1]
    start = None if first is None else values[first]
    days = 0 if first is None else len(values) - 1 - first
    found = rules.change(_whole(start), _whole(current) or 0, days)
    behind = {"current": listed(type, where, count=found["current"] if counted else None)}
    if first is not None:
        behind["start"] = listed(type, where, count=found["start"] if counted else None, at=ends[first])
    return {
        **found,
        "since": None if first is None else dates[first].isoformat(),
        "series": [_whole(value) for value in values],
        "behind": behind,
    }


def _in_30_days(values: Values, dates: Sequence[date]) -> Row:
    """A Forecast30."""
    points = [(day, value) for day, value in zip(dates, values, strict=True) if value is not None]
    grown, current = forecast.growth(points), values[-1]
    if current is None or grown.per_day is None or grown.low is None or grown.high is None:
        return {"value": None, "low": None, "high": None, "reason": grown.reason or "not known"}
    value, low, high = (max(0, round(current + 30 * slope)) for slope in (grown.per_day, grown.low, grown.high))
    return {"value": value, "low": low, "high": high, "reason": ""}


def _change(row: Row) -> Row:
    """A ChangeAnswer."""
    noun = _NOUNS.get(row["type"], row["type"])
    return {
        "timestamp": row["at"],
        "type": f"{noun}_{row['kind']}",
        "resource_type": row["type"],
        "resource_id": row["id"],
        "resource_name": row["name"],
        "project_id": row["project_id"],
        "project_name": row["project_name"],
        "user": row["user_name"] or row["user_id"],
        "details": _details(row),
        "key": [row["cloud"], row["region"], row["id"]],
    }


def _details(row: Row) -> str:
    if row["kind"] == "changed":
        return ", ".join(f"{one['field']}: {one['from'] or '-'} → {one['to'] or '-'}" for one in row["fields"])
    if row["type"] == "server" and row["flavor"]:
        size = f"with flavor {row['flavor']}"
    else:
        size = f"of {row['size_gb']} GB" if row["size_gb"] else ""
    noun = "VM" if row["type"] == "server" else row["type"].replace("_", " ")
    said = f"New {noun} created {size}" if row["kind"] == "created" else f"{noun[:1].upper()}{noun[1:]} deleted {size}"
    return said.strip()


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _digits(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)
