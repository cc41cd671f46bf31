"""Tenants and how healthy they are: score, band, what they lost points for."""

from __future__ import annotations

from typing import Any

from tui.board.tenants import BANDS, about, name_of, reasons, view_of_tenant, worst_first
from tui.charts.heat import shade
from tui.panes.pane import Parts, Rows
from tui.panes.told import AskedPane
from tui.state import View
from tui.table.layout import Head
from tui.table.spec import Key, Row

PATH = "/tenant-health/overview"
COLUMNS = ("tenant", "score", "band", "why", "use", "servers", "volumes", "drift", "kept", "domain", "cloud")
FIELDS = (*COLUMNS, "running", "id")


class HealthPane(AskedPane):
    """Every tenant, the worst first; `enter` opens one."""

    places = ("list", "health")
    topics = frozenset({"data", "drift"})
    noun = "tenant"
    columns = COLUMNS
    fields = FIELDS

    async def ask(self, filter: str) -> Rows:
        """Read them."""
        params = {"cloud": self.view.clouds[0]} if len(self.view.clouds) == 1 else None
        self.answer: dict[str, Any] = await self.world.get(PATH, params)
        self.records.clear()
        self.items: dict[Key, dict[str, Any]] = {}
        rows: Rows = []
        for tenant in worst_first(self.answer.get("tenants") or ()):
            key = (str(tenant.get("cloud")), str(tenant.get("project_id")))
            use = tenant.get("utilization_score")
            values = {
                "tenant": name_of(tenant),
                "score": tenant.get("health_score"),
                "band": tenant.get("health_status"),
                "why": reasons(tenant),
                "use": None if use is None else f"{shade(use)}{use:>4.0f}%",
                "servers": tenant.get("total_servers"),
                "volumes": tenant.get("total_volumes"),
                "drift": tenant.get("total_drift_events"),
                "kept": tenant.get("compliance_pct"),
                "domain": tenant.get("domain_name"),
                "cloud": tenant.get("cloud"),
            }
            self.items[key] = dict(tenant)
            self.records[key] = {**values, "use": use, "running": tenant.get("active_servers"), "id": key[1]}
            rows.append((key, [values[name] for name in COLUMNS]))
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Name and score first, then why."""
        several = self.world.several_clouds
        return [
            Head("tenant", "TENANT", "name", 20, 0),
            Head("score", "SCORE", "number", 5, 1),
            Head("band", "HEALTH", "status", 8, 2, levels=BANDS),
            Head("use", "USE", "text", 6, 4),
            Head("why", "LOST POINTS FOR", "text", 46, 3),
            Head("servers", "SERVERS", "number", 7, 5, False),
            Head("volumes", "VOLUMES", "number", 7, 6, False),
            Head("drift", "DRIFT", "number", 5, 7, False),
            Head("kept", "POLICY %", "number", 8, 8, False),
            Head("domain", "DOMAIN", "name", 10, 9, False),
            Head("cloud", "CLOUD", "name", 10, 10, several, not several),
        ]

    def title(self) -> str:
        """What it is, and the mean."""
        mean = (getattr(self, "answer", {}).get("summary") or {}).get("avg_health_score")
        return "tenant health" if mean is None else f"tenant health, mean {mean:.0f},"

    def empty(self) -> str:
        """None, or filtered away."""
        if self.view.filter:
            return "no tenant passes this filter\nesc clears it"
        return "judging the tenants …" if self.asked.stale else "no tenant can be seen with these accounts"

    def enter(self, row: Row) -> View:
        """One tenant."""
        return view_of_tenant({"cloud": row.key[0], "project_id": row.key[1]})

    def strip(self, row: Row) -> list[Parts]:
        """Score, reasons, what it has."""
        tenant = getattr(self, "items", {}).get(row.key)
        return [] if tenant is None else about(tenant)
