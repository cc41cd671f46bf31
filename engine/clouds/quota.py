"""What Nova and Cinder say of a project's quota just now."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from engine.clouds.errors import CloudError, of_status
from engine.clouds.session import microversion_header, negotiate

if TYPE_CHECKING:
    from engine.clouds.service import CloudService

KEPT_SECONDS = 20.0
# Section and key of the answer -> the service's own name for it.
COMPUTE = {"instances": "instances", "cores": "cores", "ram_mb": "ram"}
STORAGE = {"volumes": "volumes", "gigabytes": "gigabytes", "snapshots": "snapshots"}
_CALLS = (
    ("compute", "compute", "/os-quota-sets/{project}/detail", "2.87", COMPUTE),
    ("storage", "block-storage", "/os-quota-sets/{project}?usage=true", "3.65", STORAGE),
)

Read = Callable[[str, str], dict[str, Any]]


def entries(quota_set: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, dict[str, int | None]]:
    """{name: {limit, in_use, reserved}} of a service's quota set; None for what it does not say."""
    found: dict[str, dict[str, int | None]] = {}
    for name, key in names.items():
        entry = quota_set.get(key)
        entry = entry if isinstance(entry, dict) else {}
        found[name] = {
            part: value if isinstance(value := entry.get(part), int) and not isinstance(value, bool) else None
            for part in ("limit", "in_use", "reserved")
        }
    return found


class LiveQuota:
    """Asks; an answer is kept for a few seconds, so that a screen that redraws is no load on the cloud."""

    def __init__(self, clouds: CloudService, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clouds = clouds
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str, str], tuple[float, dict[str, Any]]] = {}

    def read(self, cloud: str, region: str, project: str) -> dict[str, Any]:
        """{"available": True, "compute": ..., "storage": ...}, or {"available": False, "reason": ...}."""
        key = (cloud, region, project)
        with self._lock:
            at, kept = self._kept.get(key, (float("-inf"), {}))
        if self._clock() - at < KEPT_SECONDS:
            return kept
        answer = self._ask(cloud, region, project)
        with self._lock:
            if len(self._kept) > 1000:
                self._kept.clear()
            self._kept[key] = (self._clock(), answer)
        return answer

    def _ask(self, cloud: str, region: str, project: str) -> dict[str, Any]:
        """Ask with the first account that may know; the reason of the last one that did not."""
        reason = "OpenStack credentials not configured"
        try:
            accounts = self._clouds.accounts(cloud)
        except CloudError as error:
            return {"available": False, "reason": str(error)}
        for account in accounts:
            try:
                connected = self._clouds.connect(account)
            except CloudError as error:
                reason = str(error)
                continue
            try:
                regions = [region] if region else list(connected.session.regions())
                found = self._of(connected.session, regions[0] if regions else "", project)
                return {"available": True, **found, "region": regions[0] if regions else ""}
            except CloudError as error:
                reason = str(error)
            finally:
                connected.session.close()
        return {"available": False, "reason": reason}

    def _of(self, session: Any, region: str, project: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for section, service, path, highest, names in _CALLS:
            endpoint = session.endpoint(service, region)
            version = negotiate(highest, endpoint.top)
            url = f"{endpoint.url}{path.format(project=project)}"
            answer = session.get(url, headers=microversion_header(service, version))
            if answer.status != 200:
                raise of_status(answer.status, answer.body, f"the quota of {service}")
            try:
                quota_set = orjson.loads(answer.body).get("quota_set")
            except (orjson.JSONDecodeError, AttributeError):
                raise CloudError("broken", f"the quota of {service} could not be read: no JSON object") from None
            found[section] = entries(quota_set if isinstance(quota_set, dict) else {}, names)
        return found
