"""Tenant health through its routes: scores with reasons that recover, counts that are lists, limits of roles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.access.models import Caller
from tests.engine.inventory.reading import server, take_in
from tests.engine.tenants.company import (
    ADMIN,
    BEGAN,
    NOW,
    Company,
    behinds,
    days,
    documents,
    event,
    made,
    named,
    snapshot,
    volume,
)

LIMITED = Caller(name="v", role="viewer", projects=("p2",), via="embedded")
DOMAIN = Caller(name="d", role="viewer", domains=("d1",), via="embedded")
ELSEWHERE = Caller(name="e", role="viewer", clouds=("other",), via="embedded")


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    company = Company(tmp_path)
    yield company
    company.close()


async def test_the_score_of_each_and_why(company: Company) -> None:
    company.drifted(event(1, "critical", days(1)), event(2, "warning", days(2)))
    answer = await company.get("/tenant-health/overview")
    assert answer["summary"] == {
        "total_tenants": 3, "healthy": 2, "warning": 1, "critical": 0, "avg_health_score": 87.0,
    }  # fmt: skip
    rows = named(answer["tenants"])
    sick = rows["acme_prod"]
    # 10 error server, 2 shutoff, 5 volume, 5 snapshot, 5 and 2 drift, half of its promises broken: 10.
    assert (sick["health_score"], sick["health_status"]) == (61, "warning")
    assert [one["name"] for one in sick["deductions"]] == [
        "error_servers", "shutoff_servers", "error_volumes", "error_snapshots", "critical_drift_events",
        "warning_drift_events", "compliance",
    ]  # fmt: skip
    assert sum(one["points"] for one in sick["deductions"]) == 39
    assert (sick["compliance_pct"], sick["policy"]["state"]) == (50.0, "judged")
    assert (sick["power_on_pct"], sick["other_servers"], sick["total_volume_gb"]) == (25.0, 1, 100)
    assert (rows["labs_dev"]["health_score"], rows["labs_dev"]["compliance_pct"]) == (100, 100.0)
    empty = rows["empty"]
    assert (empty["health_score"], empty["compliance_pct"], empty["policy"]["state"]) == (100, None, "no policy")


async def test_each_number_is_as_long_as_its_list(company: Company) -> None:
    company.drifted(
        event(1, "critical", days(1)),
        event(2, "warning", days(6.9)),
        event(3, "warning", days(8)),
        event(4, "info", days(1), project_id="p2"),
        event(5, "critical", days(1), state="resolved", resolved_at=days(0.5)),
        event(6, "critical", days(2), expected=True),
    )
    for open_only in (True, False):
        company.set(drift_open_only=open_only)
        overview = await company.get("/tenant-health/overview")
        assert await company.check_counts(overview) >= 60
        for caller in (LIMITED, DOMAIN):
            limited = await company.get("/tenant-health/overview", caller)
            assert await company.check_counts(limited, caller) >= 20
        assert await company.check_counts(await company.get("/tenant-health/heatmap")) >= 40
    row = named(overview["tenants"])["acme_prod"]
    assert (row["critical_drift_events"], row["warning_drift_events"]) == (2, 1)
    for deduction in row["deductions"]:
        behind = deduction["behind"]
        counted = deduction["count"]
        assert behind["count"] == (row["policy"]["broken"] if counted is None else counted)


async def test_the_score_recovers(company: Company) -> None:
    async def score(**settings: Any) -> int:
        company.set(**settings)
        return int(named((await company.get("/tenant-health/overview"))["tenants"])["acme_prod"]["health_score"])

    before = await score()
    company.drifted(
        event(1, "critical", days(1)),
        event(2, "critical", days(7.5)),
        event(3, "critical", days(1), state="resolved", resolved_at=days(0.9)),
    )
    assert await score() == before - 5, "what is older than a week, or went back, does not count"
    assert await score(drift_days=9) == before - 10
    assert await score(drift_open_only=False) == before - 10
    rows: Any = [{"id": 1, "cloud": "prod", "rule": 2, "type": "server", "resource_id": "x", "resource_name": "x"}]
    company.decisions.acknowledge(ADMIN, rows, "known", None)
    assert await score() == before, "accepted drift does not count"
    company.now = NOW + timedelta(days=9)
    assert await score(drift_open_only=False) == before - 10, "drift's window moves on, and both promises are broken"
    company.now = NOW
    assert await score(compliance="off") == before + 10
    fresh = [*documents()["snapshot"], made(9, 2, "p1", days(0.5))]
    take_in(company.estate, "snapshot", fresh, NOW)
    assert await score() == before + 10, "the newest snapshot is what counts"
    take_in(company.estate, "server", [server(2), server(4), server(6)], NOW)
    take_in(company.estate, "volume", [volume(1, "p1")], NOW)
    take_in(company.estate, "snapshot", [snapshot(1, 1, "p1", days(99))], NOW)
    assert await score() == 100


async def test_order_and_search(company: Company) -> None:
    async def names(**query: Any) -> list[str]:
        return [row["project_name"] for row in (await company.get("/tenant-health/overview", **query))["tenants"]]

    assert await names() == ["empty", "labs-dev", "acme-prod"]
    assert await names(sort_dir="asc") == ["acme-prod", "empty", "labs-dev"]
    assert await names(sort_by="compliance_pct") == ["labs-dev", "acme-prod", "empty"], "not known comes last"
    assert await names(sort_by="compliance_pct", sort_dir="asc") == ["acme-prod", "labs-dev", "empty"]
    assert await names(sort_by="project_name", sort_dir="asc") == ["acme-prod", "empty", "labs-dev"]
    assert await names(domain_id="d2") == ["empty", "labs-dev"]
    assert await names(search="LABS") == ["empty", "labs-dev"], "in the domain's name too"
    assert await names(search="nobody") == []
    assert await names(cloud="other") == []
    await company.get("/tenant-health/overview", expect=422, sort_by="id; drop")


async def test_one_tenant(company: Company) -> None:
    company.drifted(*(event(n, "warning", days(n)) for n in range(1, 35)))
    answer = await company.get("/tenant-health/p1")
    assert answer["resources"] == {
        "servers": {"total": 4, "active": 1, "shutoff": 1, "error": 1, "other": 1},
        "volumes": {"total": 4, "available": 1, "in_use": 2, "error": 1, "other": 0},
        "snapshots": {"total": 3, "available": 2, "error": 1},
        "networks": {"total": 1},
        "floating_ips": {"total": 1},
    }
    assert [one["volume_id"] for one in answer["top_volumes"]] == ["vol-4", "vol-3", "vol-2", "vol-1"]
    assert answer["top_volumes"][2]["attached_to"] == "web-2"
    assert [one["id"] for one in answer["recent_drift_events"]] == list(range(1, 21))
    first = answer["recent_drift_events"][0]
    assert (first["resource_type"], first["old_value"], first["new_value"]) == ("server", "ACTIVE", "ERROR")
    assert first["detected_at"] == "2026-11-19T15:30:00Z"
    assert await company.check_counts(answer) > 20
    await company.get("/tenant-health/p9", expect=404)


async def test_day_by_day(company: Company) -> None:
    take_in(company.estate, "server", [server(2), server(1)], days(3))
    take_in(company.estate, "volume", [one for one in documents()["volume"] if one["id"] != "vol-3"], days(3))
    take_in(company.estate, "snapshot", [snapshot(1, 1, "p1", days(5)), snapshot(2, 2, "p1", days(5))], days(3))
    company.drifted(
        event(1, "critical", days(4)),
        event(2, "warning", days(2), state="resolved", resolved_at=days(1)),
        event(3, "info", days(2)),
    )
    answer = await company.get("/tenant-health/trends/p1", days=14)
    found = {one["date"]: one for one in answer["trends"]}
    assert (answer["project_name"], answer["period_days"], len(found)) == ("acme-prod", 14, 14)
    assert [one["date"] for one in answer["trends"]] == sorted(found, reverse=True)
    before = found["2026-11-09"]
    assert (before["health_score"], before["compliance_pct"], before["drift_events"]) == (None, None, 0)
    assert found["2026-11-15"]["health_score"] == 100 - 22, "states as they began, both promises kept"
    assert found["2026-11-16"]["health_score"] == 100 - 22 - 5, "then the event"
    assert found["2026-11-17"]["health_score"] == 100 - 5 - 20, "all is repaired, no snapshot is young enough"
    assert (found["2026-11-18"]["drift_events"], found["2026-11-18"]["critical_drift_events"]) == (2, 0)
    assert found["2026-11-18"]["health_score"] == 100 - 5 - 2 - 20
    assert found["2026-11-19"]["health_score"] == 100 - 5 - 20, "the warning went back"
    assert found["2026-11-15"]["snapshots_created"] == 2


async def test_the_heatmap_skips_who_owns_nothing(company: Company) -> None:
    answer = await company.get("/tenant-health/heatmap")
    assert [row["project_name"] for row in answer["tenants"]] == ["acme-prod", "labs-dev"]
    sick, well = answer["tenants"]
    assert (sick["utilization_score"], well["utilization_score"]) == (0.6 * 25 + 0.4 * 50, 100.0)
    assert sick["critical_drift"] == 0
    assert [row["project_id"] for row in (await company.get("/tenant-health/heatmap", domain_id="d2"))["tenants"]] == [
        "p2"
    ]


async def test_roles_see_their_own_tenants(company: Company) -> None:
    company.drifted(event(1, "critical", days(1)))
    answers = {caller.name: await company.get("/tenant-health/overview", caller) for caller in (LIMITED, DOMAIN)}
    assert [row["project_id"] for row in answers["v"]["tenants"]] == ["p2"]
    assert [row["project_id"] for row in answers["d"]["tenants"]] == ["p1"]
    for path in ("/tenant-health/p1", "/tenant-health/trends/p1", "/tenant-health/quota/p1"):
        await company.get(path, LIMITED, expect=404)
        await company.get(path, ELSEWHERE, expect=404)
        await company.get(path, DOMAIN)
    nobody = replace(LIMITED, role="stranger")
    await company.get("/tenant-health/overview", nobody, expect=403)
    assert (await company.get("/tenant-health/overview", ELSEWHERE))["tenants"] == []


async def test_a_project_in_two_clouds_needs_one_named(company: Company) -> None:
    take_in(company.estate, "project", documents()["project"], BEGAN, cloud="second")
    await company.get("/tenant-health/p1", expect=409)
    assert (await company.get("/tenant-health/p1", cloud="second"))["resources"]["servers"]["total"] == 0
    assert (await company.get("/tenant-health/p1", cloud="prod"))["resources"]["servers"]["total"] == 4
    await company.get("/tenant-health/quota/p1", cloud="second", region="RegionTwo")
    assert company.quotas == [("second", "RegionTwo", "p1")]


async def test_quota_that_cannot_be_asked_says_why(company: Company) -> None:
    answer = await company.get("/tenant-health/quota/p1")
    assert (answer["available"], answer["reason"]) == (False, "OpenStack credentials not configured")
    assert answer["project_id"] == "p1"


async def test_names_that_are_no_filter(company: Company) -> None:
    hostile = 'x" or !a,(b):\\'
    take_in(company.estate, "server", [server(2, tenant_id=hostile)], NOW)
    answer = await company.get("/tenant-health/overview")
    row = next(row for row in answer["tenants"] if row["project_id"] == hostile)
    assert row["total_servers"] == 1
    assert await company.check_counts(row) > 15
    assert len(behinds(answer)) > 60
