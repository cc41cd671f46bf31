"""What the blocks of the boards say, from the engine's answers: every number, its list, and what is not known."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui.figures import (
    ANSWERS,
    COMPLIANCE,
    COVERAGE,
    DETAIL,
    DRIFT,
    DRIFT_DAYS,
    HOSTS,
    LINES,
    METRICS,
    PRESSURE,
    QUOTA,
    SUMMARY,
    TENANTS,
    TRENDS,
    behind,
    forecast,
    tenant,
)
from tests.tui.troubles import USUAL, problem
from tui.board import capacity, figures, hosts, tenant_blocks, tenants, troubles
from tui.board.links import view_of
from tui.board.pieces import Block
from tui.state import View
from tui.world import World

FACTS = {
    "summary": SUMMARY, "pressure": PRESSURE, "coverage": COVERAGE, "compliance": COMPLIANCE, "drift": DRIFT,
    "drift days": DRIFT_DAYS, "lines": LINES, "tenants": TENANTS, "hosts": HOSTS,
}  # fmt: skip


def texts(block: Block) -> list[str]:
    """The lines of a block, its title first."""
    return ["".join(piece.text for piece in line) for line in (block.title, *block.lines)]


def told(items: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """An answer of /q/problems."""
    counts = {name: sum(i["severity"] == name and not i["muted_until"] for i in items) for name in
              ("critical", "warning", "info")}  # fmt: skip
    return {"items": items, "counts": {**counts, "muted": sum(bool(i["muted_until"]) for i in items)},
            "problems": [], **more}  # fmt: skip


# The list behind a number


@pytest.mark.parametrize(
    ("told", "view"),
    [
        (behind("server", "status:error"), View("list", "server", "status:error")),
        (behind("server") | {"at": "2026-01-01T00:00:00Z"}, View("list", "server", at="2026-01-01T00:00:00Z")),
        (
            behind("drift", severity="critical", project="p 1"),
            View("drift", filter='severity:=critical project:="p 1"'),
        ),
        (behind("problem", severity="warning"), View("problems", filter="severity:=warning muted:=no")),
        (behind("problem"), View("problems", filter="muted:=no")),
        (
            behind("compliance", status=["missing", "quota_blocked"], by="volume", tenant_id="p1", cloud="prod"),
            View("compliance", filter="status:=missing,=quota_blocked cloud:=prod tenant_id:=p1"),
        ),
        (behind("of a later release"), None),
        (None, None),
        ({}, None),
    ],
)
def test_the_list_behind_a_number(told: Any, view: View | None) -> None:
    assert view_of(told) == view


# Problems and clouds


def test_problems_are_told_worst_first_with_since_and_owner() -> None:
    block = troubles.problems(told(list(USUAL)), "", 80, 4, ())
    title, *lines = texts(block)
    assert title == " PROBLEMS ✖ 1 critical ▲ 4 warning ○ 1 info  1 muted"
    assert lines[0].startswith(" ✖ cmp-02: nova-compute is down") and "6m" in lines[0]
    assert "dana" in lines[1] and "6m+" in lines[2] and lines[3] == " … 3 more" and len(lines) == 4
    assert block.spots["problem 0"].view == View("detail", "compute_service", subject=("prod-eu", "eu-1", "7"))
    assert block.spots["problems critical"].view == View("problems", filter="severity:=critical muted:=no")


def test_no_problem_and_no_knowledge_are_two_things() -> None:
    assert texts(troubles.problems(told([]), "", 80, 4, ()))[1:] == [" ● nothing is wrong"]
    missed = texts(troubles.problems(told([], problems=["the store could not be judged"]), "", 80, 4, ()))
    assert missed[1:] == [" ▲ not everything could be judged: the store could not be judged"]
    assert texts(troubles.problems(None, "", 80, 4, ())) == [" PROBLEMS  …"]
    assert texts(troubles.problems(None, "your role does not allow it", 80, 4, ())) == [
        " PROBLEMS  not known: your role does not allow it"
    ]


@pytest.mark.parametrize(("rows", "count"), [(1, 1), (2, 2), (3, 3), (9, 7)])
def test_problems_take_no_more_lines_than_they_are_given(rows: int, count: int) -> None:
    items = [problem(str(n), f"problem {n}") for n in range(7)]
    assert len(troubles.problems(told(items), "", 80, rows, ()).lines) == count


def test_clouds_are_told_worst_first_and_counted_where_there_is_no_room() -> None:
    world = World()
    world.clouds = [{"name": f"prod-{n}", "state": "ok", "age_seconds": 42} for n in range(9)]
    world.clouds.append({"name": "away", "state": "unreachable", "age_seconds": 720, "reason": "does not answer"})
    [_, line] = texts(troubles.clouds(world, (), 80))
    assert (
        line.startswith(" CLOUDS  ✖ away unreachable 12m  ● prod-0 42s") and line.endswith(" more") and len(line) <= 80
    )
    assert texts(troubles.clouds(world, ("prod-3",), 80))[1] == " CLOUDS  ● prod-3 42s "
    world.clouds, world.clouds_known = [], True
    assert "none is watched" in texts(troubles.clouds(world, (), 80))[1]


# Capacity


def test_capacity_says_how_full_how_soon_and_by_what() -> None:
    block = capacity.capacity(FACTS, {}, 40, ())
    vcpu, ram, disk, use = texts(block)[1:]
    assert vcpu.startswith(" vCPU ███████░░░  71%") and vcpu.endswith("90% in 41d")
    assert ram.endswith("90% in 5d") and disk.endswith("not enough data")
    assert use == " hosts CPU 71% RAM 88% by allocation"
    assert all(len(line) <= 40 for line in texts(block))
    assert block.spots["capacity ram"].view == View("list", "hypervisor", sort=(("memory_mb_used", True),))
    about = ["".join(text for text, _ in line) for line in block.spots["capacity vcpu"].about]
    assert "5,110 vCPU of 7,200 vCPU" in about[0] and "over 30 days" in about[1]
    assert "90 % in 41d (33d to 62d)" in about[2]
    assert "no metrics source is configured" in block.spots["hosts use"].about[1][0][0]


def test_with_room_the_interval_is_on_the_line() -> None:
    assert texts(capacity.capacity(FACTS, {}, 80, ()))[1].endswith("90% in 41d (33d to 62d)")


@pytest.mark.parametrize(("source", "words"), [("prometheus", "by prometheus"), ("nova", "by nova diagnostics")])
def test_a_measured_use_says_by_what(source: str, words: str) -> None:
    facts = FACTS | {"summary": SUMMARY | {"metrics": METRICS | {"source": source}}}
    assert texts(capacity.capacity(facts, {}, 60, ()))[-1].endswith(words)


@pytest.mark.parametrize(
    ("days", "reason", "words"),
    [
        (41.0, "", "90% in 41d"),
        (0.0, "", "90% now"),
        (1500.0, "", "90% in 4y"),
        (None, "it does not grow", "no growth"),
        (None, "not enough data: 3 of 7 days", "not enough data"),
        (None, "not within ten years", "90% not near"),
        (None, "", "not enough data"),
    ],
)
def test_when_it_is_full(days: float | None, reason: str, words: str) -> None:
    found = forecast(60, 1.0) | {
        "reaches": [{"level": 90, "days": days, "soonest": None, "latest": None, "reason": reason}]
    }
    assert capacity.reach_words(found, 90) == words


def test_more_virtual_than_real_cpus_are_no_alarm() -> None:
    over = PRESSURE["estate"][0] | {"used": 1539.0, "total": 896.0, "used_percent": 171.8, "status": "ok"}
    block = capacity.capacity({"pressure": {"estate": [over]}}, {}, 40, ())
    assert texts(block)[1].endswith(" 1.7 per CPU") and "172%" in texts(block)[1]
    assert not {piece.style for piece in block.lines[0]} & {"bad", "warn"}


def test_what_was_not_watched_yet_is_not_drawn() -> None:
    found = PRESSURE["estate"][0] | {"series": [None] * 28 + [70.0, 71.0]}
    [_, line] = texts(capacity.capacity({"pressure": {"estate": [found]}}, {}, 80, ()))
    assert not set("·▁") & set(line)


def test_an_open_end_is_said() -> None:
    found = {"reaches": [{"level": 90, "days": 41.0, "soonest": 30.0, "latest": None, "reason": ""}]}
    assert capacity.long_reach(found, 90) == "in 41d (30d to never)"
    found = {"reaches": [{"level": 90, "days": None, "soonest": 80.0, "latest": None, "reason": "it does not grow"}]}
    assert capacity.long_reach(found, 90) == "it does not grow, 80d at the soonest"


# Drift, protection, counts


def test_drift_and_protection_are_numbers_with_lists() -> None:
    drift = figures.drift(FACTS, {}, 20, ())
    assert texts(drift)[1:] == [" critical      2", " warning       9", " info         31", " 7 days  ▁▂▃▅▆▇█"]
    assert drift.spots["drift critical"].view == View("drift", filter="severity:=critical")
    protected = figures.protection(FACTS, {}, 40, ())
    assert [line.split()[:2] for line in texts(protected)[1:]] == [
        ["covered", "94.1%"], ["unprotected", "2,013"], ["older", "7d"], ["policy", "kept"],
    ]  # fmt: skip
    assert protected.spots["unprotected"].view == View("list", "volume", "protected:no")
    assert protected.spots["policy"].view == View("list", "volume", "kept:no")


def test_without_volumes_and_policies_nothing_is_claimed() -> None:
    none = COVERAGE | {"total_volumes": 0, "total_at_risk": 0, "risk_percentage": None, "stale": 0}
    facts = FACTS | {"coverage": none, "compliance": COMPLIANCE | {"current_compliance": None}}
    lines = texts(figures.protection(facts, {}, 40, ()))
    assert lines[1].split() == ["covered", "no", "volumes"] and lines[-1].split() == ["policy", "none"]


@pytest.mark.parametrize("room", [40, 80, 160])
def test_counts_have_their_course_and_their_list(room: int) -> None:
    block = figures.counts(FACTS, {}, room, ())
    assert all(len(line) <= room for line in texts(block)) and len(block.lines) <= 2
    assert "12,408 servers" in texts(block)[1] and "✖ 7 in error" in "".join(texts(block))
    assert block.spots["count vms_error"].view == View("list", "server", "status:error")
    assert ("↑" in texts(block)[1]) == (room >= 60)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (capacity.capacity, "pressure"),
        (figures.drift, "drift"),
        (figures.protection, "coverage"),
        (figures.counts, "summary"),
    ],
)
def test_what_is_not_known_is_said(make: Any, name: str) -> None:
    assert " …" in texts(make({}, {}, 40, ()))
    assert " not known: nova 503" in texts(make({}, {name: "nova 503"}, 40, ()))


# Tenants


def test_the_worst_tenants_come_first_in_a_row_or_one_a_line() -> None:
    row = tenants.tenants(FACTS, {}, 80, (), 2)
    title, first, second = texts(row)
    assert title == " tenants ✖ 2 critical ▲ 3 warning ● 36 healthy  mean 87"
    assert first.startswith(" ✖ acme-prod 46  ✖ retail 49 ") and second.endswith(" more") and len(second) <= 80
    listed = tenants.tenants(FACTS, {}, 80, (), 6)
    assert texts(listed)[1].startswith(" ✖ acme-prod           46  -20 2 servers in ERROR (10 each), -10 7 servers")
    assert listed.spots["tenant 0"].view == View("tenant", subject=("prod-eu", "id-acme-prod"))
    assert listed.spots["tenants warning"].view == View("health", filter="band:=warning")


def test_of_the_same_score_the_one_with_more_machines_is_worse() -> None:
    found = tenants.worst_first([tenant("b", 50, servers=1), tenant("a", 50, servers=1), tenant("c", 50, servers=9)])
    assert [one["project_name"] for one in found] == ["c", "a", "b"]


def test_the_heatmap_has_a_cell_for_each_tenant_with_anything() -> None:
    found = [
        tenant("big", 90, servers=50),
        tenant("small", 90, servers=1, utilization_score=100.0),
        tenant("empty", 90, servers=0, total_floating_ips=0),
    ]
    facts = {"tenants": {"tenants": found}}
    block = tenants.heatmap(facts, 80, (), 5)
    assert texts(block)[1:] == [" ▓▓ big        62%  ██ small     100% "]
    assert all(len(line) <= 80 for line in texts(tenants.heatmap(FACTS, 80, (), 9)))
    assert texts(tenants.heatmap({}, 80, (), 5, "nova 503"))[1] == " not known: nova 503"


def test_the_page_of_a_tenant_has_reasons_with_lists_and_a_trend() -> None:
    facts = {"detail": DETAIL, "trends": TRENDS, "quota": QUOTA}
    score = tenant_blocks.score(facts, {}, 80, "prod-eu")
    assert "✖ 46 of 100 critical" in texts(score)[0] and texts(score)[1] == "    -20 2 servers in ERROR (10 each)"
    assert score.spots["deduction 0"].view == View("list", "server", "status:error")
    assert "no policy" in texts(score)[-1]
    states = tenant_blocks.states(facts, {}, 24, False)
    assert states.spots["servers error"].view == View("list", "server", "status:error project_id:=id-acme-prod")
    trend = texts(tenant_blocks.trend(facts, {}, 40, False))
    assert any("score 71 ↓ 46" in line for line in trend) and any("60 snapshots made" in line for line in trend)


@pytest.mark.parametrize(
    ("quota", "asked", "words"),
    [
        (None, False, ["u asks the cloud"]),
        (None, True, ["…"]),
        (QUOTA, True, ["instances", "310/400", "RAM", "977G, no limit", "5G/0G"]),
        ({"available": False, "reason": "nova answered 403"}, True, ["not known: nova answered 403"]),
    ],
)
def test_live_quota(quota: Any, asked: bool, words: list[str]) -> None:
    lines = "\n".join(texts(tenant_blocks.quota({"quota": quota}, {}, 40, asked)))
    assert all(word in lines for word in words)


def test_hosts_are_told_with_their_source_and_what_has_no_value() -> None:
    block = hosts.hosts(FACTS, {}, 80, (), 4)
    assert texts(block)[0] == " busiest hosts by allocation" and len(block.lines) == 4
    assert texts(block)[4].split()[-3:] == ["?", "37", "VMs"]
    assert block.spots["host 0"].view == View("detail", "hypervisor", subject=("prod-eu", "eu-1", "h0"))


# The answers that these tests are made of are those of the engine


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/dashboard/health-summary", "engine.dashboard.models.HealthSummary"),
        ("/dashboard/capacity-pressure", "engine.dashboard.models.CapacityPressure"),
        ("/dashboard/coverage-risks", "engine.dashboard.models.CoverageRisks"),
        ("/dashboard/compliance-drift", "engine.dashboard.models.ComplianceDrift"),
        ("/dashboard/trendlines", "engine.dashboard.models.Trendlines"),
        ("/dashboard/top-hosts-utilization", "engine.dashboard.models.TopHosts"),
        ("/tenant-health/overview", "engine.tenants.models.Overview"),
        ("/tenant-health/id-acme-prod", "engine.tenants.models.Detail"),
        ("/tenant-health/trends/id-acme-prod", "engine.tenants.models.Trends"),
        ("/tenant-health/quota/id-acme-prod", "engine.tenants.models.Quota"),
    ],
)
def test_the_answers_are_shaped_as_the_engine_says(path: str, model: str) -> None:
    from importlib import import_module

    module, _, name = model.rpartition(".")
    getattr(import_module(module), name).model_validate(ANSWERS[path])
