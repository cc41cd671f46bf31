"""Limits of the simulated cloud: read with what is used, and set by an administrator."""

from __future__ import annotations

from typing import Any

from tests.engine.restore.steps.cloud_base import Base, Doc, refuse, route


class QuotaParts(Base):
    """`limits[service][name]` is [limit, used]. Nova refuses what is below that unless it is forced."""

    def __init__(self) -> None:
        super().__init__()
        self.limits: dict[str, dict[str, list[int]]] = {
            "compute": {"instances": [10, 10], "cores": [20, 4]},
            "block-storage": {"volumes": [10, 10], "gigabytes": [1000, 40]},
        }

    @route("compute", "GET", "/os-quota-sets/{project}/detail")
    def compute_quota(self, project: str) -> Doc:
        return self._shown("compute")

    @route("block-storage", "GET", "/os-quota-sets/{project}")
    def storage_quota(self, project: str) -> Doc:
        return self._shown("block-storage")

    @route("compute", "PUT", "/os-quota-sets/{project}", "quota_set")
    def set_compute(self, project: str, body: Doc) -> tuple[int, Doc]:
        forced = body.pop("force", False)
        for name, limit in body.items():
            if limit < self.limits["compute"][name][1] and not forced:
                raise refuse(400, f"Quota limit {limit} for {name} must be greater than or equal to already used")
        return self._set("compute", body)

    @route("block-storage", "PUT", "/os-quota-sets/{project}", "quota_set")
    def set_storage(self, project: str, body: Doc) -> tuple[int, Doc]:
        if "force" in body:
            raise refuse(400, "Additional properties are not allowed: force")
        return self._set("block-storage", body)

    def _shown(self, service: str) -> Doc:
        shown: dict[str, Any] = {
            name: {"limit": limit, "in_use": used, "reserved": 0}
            for name, (limit, used) in self.limits[service].items()
        }
        return {"quota_set": {"id": "p1", **shown}}

    def _set(self, service: str, body: Doc) -> tuple[int, Doc]:
        assert self.call.session == "admin" and not self.call.creates
        for name, limit in body.items():
            self.limits[service][name][0] = limit
        return 200, {"quota_set": body}
