"""The eleven routes: each number by its definition, as long as the list behind it, and only what a role may see."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.access.models import Caller
from engine.dashboard.utilisation import Reading
from tests.engine.dashboard.company import BEGAN, Firm, days, estate, pools, server, snapshot, take_in, volume
from tests.engine.tenants.company import NOW

LIMITED = Caller(name="v", role="viewer", projects=("p2",), via="embedded")
DOMAIN = Caller(name="d", role="viewer", domains=("d1",), via="embedded")
NOBODY = Caller(name="x", role="stranger", via="embedded")
ELSEWHERE = Caller(name="e", role="viewer", clouds=("other",), via="embedded")
PATHS = ("health-summary", "snapshot-sla-compliance", "top-hosts-utilization", "recent-changes", "coverage-risks",
         "capacity-pressure", "vm-hotspots", "tenant-risk-scores", "compliance-drift", "capacity-trends",
         "trendlines")  # fmt: skip


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Firm]:
    firm = Firm(tmp_path)
    yield firm
    firm.close()


async def test_the_estate_in_numbers(firm: Firm) -> None:
    answer = await firm.get("/dashboard/health-summary")
    counts = {name: answer[name] for name in ("total_tenants", "total_vms", "vms_running", "vms_error", "total_volumes",
                                              "total_networks", "total_hosts", "total_snapshots")}  # fmt: skip
    assert list(counts.values()) == [3, 6, 3, 1, 5, 1, 3, 4]
    assert answer["alerts"] == {"critical": 1, "warning": 2, "info": 3}
    # By allocation: the mean of 8/64, 40/16 and 0/8, and of 9000/262144, 60000/65536, 48000/65536.
    assert (answer["avg_cpu_utilization"], answer["avg_memory_utilization"]) == (87.5, 56.1)
    assert answer["metrics"]["source"] == "allocation"
    assert answer["metrics"]["sentence"].startswith(
        "allocation: what machines were promised, not what they use (Nova: "
    )
    assert answer["metrics_last_update"] == "2026-11-10T15:30:00Z", "allocation is as old as the listing"


@pytest.mark.parametrize("path", PATHS)
async def test_each_number_is_as_long_as_its_list(firm: Firm, path: str) -> None:
    take_in(firm.estate, "snapshot", [*estate()["snapshot"], snapshot(8, 4, "p1", days(9))], days(1))
    firm.compliance.trend.record(days(2))
    take_in(firm.estate, "volume", [*estate()["volume"], volume(9, "p2")], days(1))
    answer = await firm.get(f"/dashboard/{path}")
    counted = await firm.check_counts(answer)
    assert counted or path in ("recent-changes", "capacity-trends")
    for caller in (LIMITED, DOMAIN, ELSEWHERE):
        await firm.check_counts(await firm.get(f"/dashboard/{path}", caller), caller)
    narrow = await firm.get(f"/dashboard/{path}", cloud="prod", region="RegionOne")
    assert await firm.check_counts(narrow) == counted


@pytest.mark.parametrize("path", PATHS)
async def test_nothing_is_known_of_an_empty_store(tmp_path: Path, path: str) -> None:
    firm = Firm(tmp_path, {})
    answer = await firm.get(f"/dashboard/{path}")
    text = str(answer)
    assert "nan" not in text.lower().replace("tenant", "")
    for name in ("overall_compliance", "avg_cpu_utilization", "risk_percentage", "current_compliance"):
        assert answer.get(name) is None, "no data is not 0 and not 100"
    firm.close()


@pytest.mark.parametrize("path", PATHS)
async def test_who_may_look(firm: Firm, path: str) -> None:
    await firm.get(f"/dashboard/{path}", NOBODY, expect=403)
    answer = str(await firm.get(f"/dashboard/{path}", LIMITED))
    for foreign in ("p1", "acme-prod", "vol-1", "web-2", "cmp-2", "h@b#p"):
        assert f"'{foreign}'" not in answer


async def test_compliance_by_tenant(firm: Firm) -> None:
    answer = await firm.get("/dashboard/snapshot-sla-compliance")
    assert (answer["overall_compliance"], answer["total_volumes"], answer["compliant"]) == (66.7, 3, 2)
    first = answer["tenants"][0]
    assert (first["tenant_name"], first["domain_name"], first["compliance_percentage"]) == ("acme-prod", "acme", 50.0)
    names = ("total_volumes", "compliant", "warning", "critical", "pending", "excluded", "ungoverned")
    assert [first[name] for name in names] == [2, 1, 0, 1, 0, 0, 2]
    warning = {"volume_id": "vol-2", "volume_name": "disk-2", "policy": "daily_5", "cloud": "prod",
               "last_snapshot": "2026-11-15T15:30:00Z", "region": "RegionOne"}  # fmt: skip
    assert first["warnings"] == [{**warning, "message": "the newest point is older than 30 h"}]
    assert (answer["days"], answer["policy"]) == (None, "each policy's own window")
    two = await firm.get("/dashboard/snapshot-sla-compliance", days=2)
    assert two["tenants"][0]["warnings"] == [{**warning, "message": "No snapshot in last 2 days"}]
    assert (await firm.get("/dashboard/snapshot-sla-compliance", days=6))["overall_compliance"] == 100.0
    week = (await firm.get("/dashboard/snapshot-sla-compliance", days=3))["tenants"][0]
    assert (week["warning"], week["critical"]) == (1, 0)
    await firm.get("/dashboard/snapshot-sla-compliance", expect=422, days=0)


async def test_without_a_policy_nothing_complies_and_nothing_breaks(firm: Firm) -> None:
    take_in(firm.estate, "volume", [volume(1, "p1"), volume(2, "p2")], NOW)
    answer = await firm.get("/dashboard/snapshot-sla-compliance")
    assert (answer["overall_compliance"], answer["ungoverned"]) == (None, 2)
    assert answer["policy"].startswith("no policy")
    drift = await firm.get("/dashboard/compliance-drift")
    assert drift["drift_events"][-1]["compliance_percent"] is None and drift["policy"].startswith("no policy")


async def test_the_busiest_hosts_are_sorted_before_they_are_cut(firm: Firm) -> None:
    answer = await firm.get("/dashboard/top-hosts-utilization", limit=1)
    assert [(one["hostname"], one["cpu_percent"]) for one in answer["hosts"]] == [("cmp-2", 250.0)]
    answer = await firm.get("/dashboard/top-hosts-utilization", sort="memory")
    found = [(one["hostname"], one["memory_percent"], one["status"], one["vm_count"]) for one in answer["hosts"]]
    assert found == [("cmp-2", 91.6, "critical", 0), ("cmp-3", 73.2, "warning", 0), ("cmp-1", 3.4, "ok", 6)]
    assert answer["total_hosts"] == 3
    await firm.get("/dashboard/top-hosts-utilization", expect=422, limit=21)
    await firm.get("/dashboard/top-hosts-utilization", expect=422, sort="name")


async def test_measured_hosts_and_those_that_are_not(firm: Firm) -> None:
    readings = {
        ("prod", "RegionOne", "cmp-1"): Reading(91.23, 10.0, days(0.001)),
        ("prod", "RegionOne", "cmp-3"): Reading(None, 75.0, days(0.001)),
        ("prod", "RegionOne", "cmp-2"): Reading(99.0, 99.0, days(0.5)),  # too old
    }
    firm.measure(prometheus_url="http://127.0.0.1:1")
    firm.measurements.take_in("hypervisor", "prometheus", readings)
    answer = await firm.get("/dashboard/top-hosts-utilization")
    found = [(one["hostname"], one["cpu_percent"], one["memory_percent"], one["status"]) for one in answer["hosts"]]
    assert found == [("cmp-1", 91.2, 10.0, "critical"), ("cmp-3", None, 75.0, "warning"), ("cmp-2", None, None, "ok")]
    assert answer["hosts"][2]["allocated_cpu_percent"] == 250.0
    metrics = answer["metrics"]
    assert (metrics["source"], metrics["known"], metrics["total"]) == ("prometheus", 2, 3)
    assert metrics["sentence"] == "measured by Prometheus"
    summary = await firm.get("/dashboard/health-summary")
    assert (summary["avg_cpu_utilization"], summary["avg_memory_utilization"]) == (91.2, 42.5)
    pressure = await firm.get("/dashboard/capacity-pressure")
    assert [(one["hostname"], one["status"]) for one in pressure["compute_pressure"]] == [
        ("cmp-1", "critical"), ("cmp-3", "warning"),
    ]  # fmt: skip
    firm.measure(prometheus_url="http://127.0.0.1:1", source="allocation")
    assert (await firm.get("/dashboard/health-summary"))["metrics"]["source"] == "allocation"
    firm.measure(prometheus_url="http://127.0.0.1:1", source="nova")
    firm.measurements.failed("nova", "nobody may ask")
    metrics = (await firm.get("/dashboard/health-summary"))["metrics"]
    assert (metrics["source"], metrics["sentence"].split("(")[1]) == ("allocation", "Nova: nobody may ask)")


async def test_hotspots(firm: Firm) -> None:
    answer = await firm.get("/dashboard/vm-hotspots", sort="storage", limit=2)
    assert [(one["vm_name"], one["storage_gb"]) for one in answer["hotspots"]] == [("web-2", 40), ("web-1", 20)]
    answer = await firm.get("/dashboard/vm-hotspots")
    # By allocation: 2 of the host's 64 vCPUs, 2048 of its 262144 MiB.
    assert {(one["cpu_percent"], one["memory_percent"]) for one in answer["hotspots"]} == {(3.1, 0.8)}
    assert (answer["total_vms"], answer["metrics"]["total"], len(answer["hotspots"])) == (6, 3, 3)
    key = {n: ("prod", "RegionOne", server(n)["id"]) for n in (1, 2, 3)}
    firm.measurements.take_in("server", "nova", {key[n]: Reading(30.0 * n, 95.0 - n, NOW) for n in key})
    answer = await firm.get("/dashboard/vm-hotspots", limit=2)
    found = [(one["vm_name"], one["cpu_percent"], one["status"]) for one in answer["hotspots"]]
    assert found == [("web-3", 90.0, "critical"), ("web-2", 60.0, "critical")]
    assert (answer["metrics"]["source"], answer["metrics"]["known"]) == ("nova", 3)
    by_memory = await firm.get("/dashboard/vm-hotspots", sort="memory")
    assert [one["vm_name"] for one in by_memory["hotspots"]] == ["web-1", "web-2", "web-3"]
    mine = await firm.get("/dashboard/vm-hotspots", LIMITED)
    assert [one["vm_name"] for one in mine["hotspots"]] == ["web-3", "web-1"]


async def test_recent_changes(firm: Firm) -> None:
    take_in(firm.estate, "server", [one for one in estate()["server"] if one["id"] != server(4)["id"]], days(0.1))
    take_in(firm.estate, "volume", [*estate()["volume"][1:], volume(1, "p1", size=77)], days(0.2))
    answer = await firm.get("/dashboard/recent-changes", hours=24)
    found = [(one["type"], one["resource_name"], one["details"]) for one in answer["changes"]]
    assert ("vm_deleted", "web-4", "VM deleted with flavor m1.small") in found
    assert ("volume_changed", "disk-1", "size_gb: 10 → 77") in found
    assert answer["total_changes"] == len(found) and answer["period_hours"] == 24
    times = [one["timestamp"] for one in answer["changes"]]
    assert times == sorted(times, reverse=True)
    assert len((await firm.get("/dashboard/recent-changes", hours=24, limit=1))["changes"]) == 1
    await firm.get("/dashboard/recent-changes", expect=422, hours=0)


async def test_what_nothing_protects(firm: Firm) -> None:
    backup = {"id": "b1", "volume_id": "vol-4", "status": "available", "size": 1, "created_at": "2026-11-01T00:00:00"}
    take_in(firm.estate, "backup", [{**backup, "os-backup-project-attr:project_id": "p1"}])
    answer = await firm.get("/dashboard/coverage-risks")
    assert (answer["total_at_risk"], answer["total_volumes"], answer["risk_percentage"]) == (1, 5, 20.0)
    assert (answer["with_snapshot"], answer["with_backup"], answer["stale"]) == (3, 1, 1)
    assert answer["same_back_end_only"] == 3
    (risky,) = answer["volumes"]
    assert (risky["volume_id"], risky["tenant_name"], risky["attached"]) == ("vol-3", "acme-prod", False)
    assert risky["risk_score"] == 1 + 1 + 2 and "no machine" in risky["recommendation"]


async def test_risk_of_tenants(firm: Firm) -> None:
    answer = await firm.get("/dashboard/tenant-risk-scores")
    first, second = answer["tenants"]
    # Half of its volumes are not protected (50, weight 0.5) and a quota is 90 % full (weight 0.3).
    assert (first["tenant_name"], first["risk_score"], first["risk_level"]) == ("acme-prod", 65, "medium")
    assert first["factors"] == {"overutilization": 90.0, "missing_snapshots": 50.0, "cost_trend": None}
    assert len(first["recommendations"]) == 2
    assert (second["tenant_name"], second["risk_score"], second["recommendations"]) == ("labs-dev", 0, [])


async def test_compliance_day_by_day(firm: Firm) -> None:
    answer = await firm.get("/dashboard/compliance-drift", days=14)
    found = [one["compliance_percent"] for one in answer["drift_events"]]
    assert found[:3] == [None, None, None], "nobody looked then"
    assert found[-1] == answer["current_compliance"] == 66.7
    assert answer["drift_events"][-1]["violations"] == 1
    assert len(found) == 14 and answer["drift_events"][0]["date"] == "2026-11-07"
    assert {one["known_by"] for one in answer["drift_events"]} == {None, "metadata", "now"}
    firm.compliance.trend.record(days(2))
    take_in(firm.estate, "snapshot", [], NOW)
    answer = await firm.get("/dashboard/compliance-drift", days=14)
    kept = answer["drift_events"][-3]
    assert (kept["known_by"], kept["compliance_percent"], kept["behind"]) == ("recorded", 66.7, {})
    assert answer["current_compliance"] == 0.0, "what was recorded stays, and today is what there is"


async def test_pressure_and_when_it_is_full(firm: Firm) -> None:
    take_in(firm.estate, "storage_pool", pools(400.0), NOW)
    for back in range(1, 11):
        firm.sample("storage_pool", "h@b#p", "free_gb", {days(back): 400.0 + 10 * back})
    answer = await firm.get("/dashboard/capacity-pressure")
    full, growing = answer["storage_pressure"]
    assert (full["pool_name"], full["used_percent"], full["status"]) == ("h@b#full", 95.0, "critical")
    assert full["forecast_full"] == "not enough data: 2 of 7 days"
    assert full["forecast"]["reaches"][0]["days"] == 0, "80 % is reached already"
    assert (growing["used_percent"], growing["provisioned_percent"], growing["available_gb"]) == (60.0, 150.0, 400.0)
    assert growing["forecast"]["per_day"] == 1.0 and growing["forecast_full"] == "40 days"
    level = growing["forecast"]["reaches"][0]
    assert (level["level"], level["days"], level["date"]) == (80, 20.0, "2026-12-10")
    vcpu, ram, storage = answer["estate"]
    assert (vcpu["used"], vcpu["total"], vcpu["used_percent"], vcpu["status"]) == (12, 88, 13.6, "ok")
    assert (ram["used"], ram["total"]) == (12288, 262144 + 2 * 65536)
    assert (storage["used"], storage["total"], storage["used_percent"]) == (695.0, 1100.0, 63.2)
    assert len(vcpu["series"]) == 30 and vcpu["series"][-1] == 13.6
    assert [one["hostname"] for one in answer["compute_pressure"]] == ["cmp-2", "cmp-3"]


async def test_capacity_day_by_day(firm: Firm) -> None:
    take_in(firm.estate, "storage_pool", pools(400.0), NOW)
    for back in range(1, 11):
        firm.sample("storage_pool", "h@b#p", "free_gb", {days(back): 400.0 + 10 * back})
        firm.sample("storage_pool", "h@b#full", "free_gb", {days(back): 5.0})
        firm.sample("hypervisor", "cmp-1", "cpu:prometheus", {days(back): 60.0 - back, days(back + 0.01): 62.0 - back})
    answer = await firm.get("/dashboard/capacity-trends", days=10)
    storage = answer["storage_trend"]
    assert storage[-1]["date"] == "2026-11-20" and storage[-1]["available_gb"] == 405.0
    assert storage[-2]["available_gb"] == 415.0 and storage[-2]["used_percent"] == round(100 * 685 / 1100, 1)
    assert answer["cpu_trend"][-1] == {"date": "2026-11-20", "avg_utilization": 13.6, "allocated_percent": 13.6}
    assert answer["forecast"]["storage_full_date"] is not None
    assert answer["forecast"]["cpu_saturation_date"] is None
    assert answer["forecast"]["cpu"]["reason"] == "" and answer["forecast"]["cpu"]["per_day"] == 0.0
    firm.measure(prometheus_url="http://127.0.0.1:1")
    firm.measurements.take_in("hypervisor", "prometheus", {("prod", "RegionOne", "cmp-1"): Reading(1.0, 1.0, NOW)})
    answer = await firm.get("/dashboard/capacity-trends", days=10)
    assert [one["avg_utilization"] for one in answer["cpu_trend"]][-3:] == [59.0, 60.0, None]
    assert answer["metrics"]["source"] == "prometheus"


async def test_growth(firm: Firm) -> None:
    for back in (8, 6, 4, 2):
        more = [server(100 + n) for n in range(10 - back)]
        take_in(firm.estate, "server", [*estate()["server"], *more], days(back))
    answer = await firm.get("/dashboard/trendlines")
    vms = answer["metrics"]["vms"]
    assert (vms["current"], vms["start"], vms["change"], vms["velocity_per_day"]) == (14, 6, 8, 1.14) or vms
    assert vms["series"][-1] == 14 and len(vms["series"]) == 8
    assert answer["forecast_30_days"]["vms"] > 14
    assert answer["forecast_detail"]["vms"]["low"] <= answer["forecast_30_days"]["vms"]
    volumes = answer["metrics"]["volumes"]
    assert (volumes["change"], volumes["change_percent"]) == (0, 0.0)
    month = (await firm.get("/dashboard/trendlines", period=30))["metrics"]["vms"]
    assert month["since"] == "2026-11-10" and month["start"] == 6, "from when it is known, not from zero"
    assert month["series"][:3] == [None, None, None]
    assert (await firm.get("/dashboard/trendlines"))["metrics"]["networks"]["current"] == 1
    await firm.get("/dashboard/trendlines", expect=422, period=14)


async def test_few_days_are_not_enough_data(firm: Firm) -> None:
    firm.now = BEGAN + timedelta(days=3)
    answer: Any = await firm.get("/dashboard/trendlines")
    assert answer["forecast_30_days"]["vms"] is None
    assert answer["forecast_detail"]["vms"]["reason"] == "not enough data: 4 of 7 days"
    trends = await firm.get("/dashboard/capacity-trends")
    assert trends["forecast"]["cpu"]["reason"] == "not enough data: 4 of 7 days"
    assert trends["forecast"]["storage_full_date"] is None
