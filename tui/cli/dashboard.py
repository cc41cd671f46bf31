"""`qdeck dashboard` and `qdeck health`: the numbers of the first screen, and how healthy tenants are and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from store.filter_rows import passes
from store.filter_rows import problem as filter_problem
from store.filters import parse
from tui.api.client import ApiError, SyncClient
from tui.board.capacity import capacity_about, long_reach, overcommit
from tui.board.tenants import reasons, worst_first
from tui.charts.bars import number
from tui.charts.sparklines import since_known, sparkline
from tui.cli.engine_link import connected, detail
from tui.cli.exits import NOT_FOUND, PARTIAL, USAGE, leave, note
from tui.cli.inventory import quoted
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, write_document, write_pairs, write_rows
from tui.problems import counts_words

PARTS = {
    "problems": ("/q/problems", {"limit": 100, "muted": False}),
    "summary": ("/dashboard/health-summary", {}),
    "capacity": ("/dashboard/capacity-pressure", {}),
    "drift": ("/q/drift/summary", {}),
    "coverage": ("/dashboard/coverage-risks", {"limit": 1}),
    "compliance": ("/dashboard/compliance-drift", {"days": 14}),
    "tenants": ("/tenant-health/overview", {}),
    "trends": ("/dashboard/trendlines", {"period": 30}),
}
TENANT_COLUMNS = ("tenant", "score", "band", "use", "servers", "volumes", "why", "cloud")
TENANT_FIELDS = (*TENANT_COLUMNS, "running", "drift", "kept", "domain", "id")


def dashboard(options: GlobalOptions, cloud: str | None, output: Format) -> None:
    """Print the first screen's numbers; what could not be read is named on stderr."""
    found: dict[str, Any] = {}
    missing: dict[str, str] = {}
    with connected(options) as client:
        for name, (path, params) in PARTS.items():
            try:
                found[name] = client.get(path, params={**params, **({"cloud": cloud} if cloud else {})})
            except ApiError as error:
                missing[name] = detail(error.detail)
    if output in (Format.json, Format.yaml):
        write_document(found, output)
    else:
        write_pairs(figures(found), output)
    for name, why in missing.items():
        note(f"{name} is not known: {why}")
    if missing:
        leave(PARTIAL)


def figures(found: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers with their meaning, from the answers that are there."""
    shown: dict[str, Any] = {}
    if problems := found.get("problems"):
        shown["problems"] = counts_words(problems["counts"]) or "nothing is wrong"
        if problems["items"]:
            shown["worst"] = problems["items"][0]["title"]
    if summary := found.get("summary"):
        for field in ("total_vms", "vms_running", "vms_error", "total_volumes", "total_hosts", "total_tenants"):
            shown[field.removeprefix("total_").replace("vms", "servers").replace("_", " ")] = summary[field]
        cpu, memory = number(summary["avg_cpu_utilization"]), number(summary["avg_memory_utilization"])
        shown["hosts use"] = f"CPU {cpu}, RAM {memory}, by {summary['metrics']['source']}"
        shown["source"] = summary["metrics"]["sentence"]
    for one in (found.get("capacity") or {}).get("estate") or ():
        name = {"vcpu": "vCPU", "ram": "RAM", "storage": "disk"}.get(one["resource"], one["resource"])
        used = "".join(text for text, _ in capacity_about(name, one)[0]).removeprefix(name).strip()
        due = overcommit(one) or f"90 % {long_reach(one['forecast'], 90)}"
        shown[name] = f"{number(one['used_percent'])}: {used}; {due}"
        if course := sparkline(since_known(one["series"]), 30):
            shown[f"{name} 30 days"] = course
    if drift := found.get("drift"):
        shown["drift"] = counts_words(drift["triage"]) or "none"
    if coverage := found.get("coverage"):
        shown["unprotected volumes"] = f"{coverage['total_at_risk']:,} of {coverage['total_volumes']:,}"
        shown[f"not within {coverage['stale_days']} days"] = coverage["stale"]
    if compliance := found.get("compliance"):
        kept = compliance["current_compliance"]
        shown["policy kept"] = "no policy" if kept is None else f"{number(kept, 1)}, {compliance['trend']}"
    if tenants := found.get("tenants"):
        summary = tenants["summary"]
        shown["tenants"] = ", ".join(f"{summary[name]} {name}" for name in ("critical", "warning", "healthy"))
    return shown


# Tenants


def health(options: GlobalOptions, filter: str, cloud: str | None, output: Format) -> None:
    """List tenants, the worst first."""
    if sentence := filter_problem(filter, TENANT_FIELDS):
        leave(USAGE, sentence)
    with connected(options) as client:
        answer = client.get("/tenant-health/overview", params={"cloud": cloud} if cloud else None)
    tree, now = parse(filter), datetime.now(UTC)
    tenants = [one for one in worst_first(answer["tenants"]) if passes(tree, shown(one), now)]
    if output in (Format.json, Format.yaml):
        write_document({**answer, "tenants": tenants}, output)
    else:
        write_rows([shown(one) for one in tenants], TENANT_FIELDS if output is Format.csv else TENANT_COLUMNS, output)
    if not tenants:
        note("no tenant passes" if filter else "no tenant can be seen")


def shown(tenant: Mapping[str, Any]) -> dict[str, Any]:
    """A tenant as a row."""
    return {
        "tenant": tenant["project_name"] or tenant["project_id"],
        "score": tenant["health_score"],
        "band": tenant["health_status"],
        "use": tenant.get("utilization_score"),
        "servers": tenant.get("total_servers"),
        "running": tenant.get("active_servers"),
        "volumes": tenant.get("total_volumes"),
        "drift": tenant.get("total_drift_events"),
        "kept": tenant.get("compliance_pct"),
        "why": reasons(tenant),
        "domain": tenant.get("domain_name"),
        "cloud": tenant["cloud"],
        "id": tenant["project_id"],
    }


def one_tenant(
    options: GlobalOptions, reference: str, cloud: str | None, days: int, quota: bool, output: Format
) -> None:
    """Print one tenant: score, what it lost points for, its trend, and its live quota when that is asked for."""
    with connected(options) as client:
        tenant = _find(client, reference, cloud)
        path, at = quoted(tenant["project_id"]), {"cloud": tenant["cloud"]}
        found = {
            "detail": client.get(f"/tenant-health/{path}", params=at),
            "trends": client.get(f"/tenant-health/trends/{path}", params={**at, "days": days}),
        }
        if quota:
            found["quota"] = client.get(f"/tenant-health/quota/{path}", params=at)
    if output in (Format.json, Format.yaml):
        write_document(found, output)
        return
    scores = since_known([day["health_score"] for day in reversed(found["trends"]["trends"])])
    write_pairs({**shown(found["detail"]), f"{days} days": sparkline(scores, 60, 0, 100) or "not known yet"}, output)
    if quota:
        _write_quota(found["quota"], output)


def _write_quota(quota: Mapping[str, Any], output: Format) -> None:
    if not quota["available"]:
        note(f"no quota: {quota.get('reason')}")
        return
    rows = [
        {"quota": name, **{field: values.get(field) for field in ("in_use", "reserved", "limit")}}
        for part in ("compute", "storage")
        for name, values in (quota.get(part) or {}).items()
        if isinstance(values, Mapping)
    ]
    write_rows(rows, ("quota", "in_use", "reserved", "limit"), output)


def _find(client: SyncClient, reference: str, cloud: str | None) -> Mapping[str, Any]:
    """The tenant of that id or name."""
    answer = client.get("/tenant-health/overview", params={"cloud": cloud} if cloud else None)
    wanted = reference.lower()
    found = [one for one in answer["tenants"] if reference == one["project_id"]]
    found = found or [one for one in answer["tenants"] if wanted == str(one["project_name"] or "").lower()]
    if not found:
        leave(NOT_FOUND, f'there is no tenant "{reference}"; `qdeck health` lists them')
    if len(found) > 1:
        places = ", ".join(f"{one['project_id']} @{one['cloud']}" for one in found[:5])
        leave(USAGE, f'"{reference}" is the name of {len(found)} tenants: {places}; give the id, or --cloud')
    one: Mapping[str, Any] = found[0]
    return one
