"""The small company of tests/engine/tenants with the routes of the dashboard."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from engine.access.models import Caller
from engine.dashboard import routes
from engine.dashboard.figures import Figures
from engine.dashboard.growing import Growing
from engine.dashboard.protecting import Protection
from engine.dashboard.utilisation import Measurements
from engine.settings.models import Settings
from store.types.derive import quota_document
from tests.engine.inventory.reading import DOCUMENTS, server, take_in
from tests.engine.tenants.company import BEGAN, Company, days, documents, snapshot, volume


def pools(free: float) -> list[dict[str, Any]]:
    """One of which so much is free, a full one, and one that has no size."""
    first = {"total_capacity_gb": 1000.0, "free_capacity_gb": free, "provisioned_capacity_gb": 1500.0}
    return [
        {"name": "h@b#p", "capabilities": {**first, "backend_state": "up"}},
        {"name": "h@b#full", "capabilities": {"total_capacity_gb": 100.0, "free_capacity_gb": 5.0}},
        {"name": "h@b#endless", "capabilities": {"total_capacity_gb": "infinite", "free_capacity_gb": "infinite"}},
    ]


def host(name: str, vcpus: int, used: int, memory: int, memory_used: int) -> dict[str, Any]:
    first = DOCUMENTS["hypervisor"][0]
    return {**first, "id": name, "hypervisor_hostname": name, "vcpus": vcpus, "vcpus_used": used, "memory_mb": memory,
            "memory_mb_used": memory_used, "service": {"host": name, "disabled_reason": None}}  # fmt: skip


def estate() -> dict[str, list[dict[str, Any]]]:
    """The company's, with hosts, pools and quotas."""
    cores = {"limit": 10, "in_use": 9, "reserved": 0}
    quotas = [quota_document("p1", {"compute": {"cores": cores}})]
    hosts = [host("cmp-1", 64, 8, 262144, 9000), host("cmp-2", 16, 40, 65536, 60000), host("cmp-3", 8, 0, 65536, 48000)]
    return {**documents(), "hypervisor": hosts, "storage_pool": pools(500.0), "quota": quotas, "backup": []}


class Firm(Company):
    """See the module. `alerts` is what the problems count."""

    def __init__(self, home: Path, given: dict[str, list[dict[str, Any]]] | None = None) -> None:
        super().__init__(home, estate() if given is None else given)
        self.alerts = {"critical": 1, "warning": 2, "info": 3}
        self.measurements = Measurements(self.reads, lambda: self.settings.metrics)
        figures = Figures(self.reads, self.measurements, self._alerts)
        protection = Protection(self.reads, lambda: self.settings, self.compliance.course)
        growing = Growing(self.reads, self.measurements, figures)
        self.app.include_router(routes.routes(self.reads, figures, protection, growing, self.access, self.kept))

    def _alerts(self, caller: Caller, cloud: str | None) -> Mapping[str, int]:
        return self.alerts

    def measure(self, **metrics: Any) -> None:
        """Other settings of the metrics."""
        self.settings = Settings.model_validate({"metrics": metrics, "tenants": self.settings.tenants.model_dump()})

    def sample(
        self, type: str, id: str, metric: str, values: Mapping[datetime, float], region: str = "RegionOne"
    ) -> None:
        self.estate.add_samples(("prod", region, type, id, metric, at, value) for at, value in values.items())

    async def rows_behind(self, behind: dict[str, Any], caller: Caller | None = None) -> int:
        if behind["type"] == "problem":
            return self.alerts[behind["query"]["severity"]]
        return await super().rows_behind(behind, *([caller] if caller else []))


__all__ = [
    "BEGAN",
    "Firm",
    "days",
    "documents",
    "estate",
    "host",
    "server",
    "snapshot",
    "take_in",
    "timedelta",
    "volume",
]
