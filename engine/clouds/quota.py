"""What Nova and Cinder say of a project's quota just now: of one project for people, of many for a run of policies."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import orjson

from engine.clouds.errors import CloudError, of_status
from engine.clouds.session import microversion_header, negotiate

if TYPE_CHECKING:
    from engine.clouds.service import CloudService

KEPT_SECONDS = 20.0
# Section and key of the answer -> the service's own name for it.
COMPUTE = {"instances": "instances", "cores": "cores", "ram_mb": "ram"}
STORAGE = {
    "volumes": "volumes",
    "gigabytes": "gigabytes",
    "snapshots": "snapshots",
    "backups": "backups",
    "backup_gigabytes": "backup_gigabytes",
}
# Limits of one volume type are called like the common ones, with "_<type>" after it.
TYPED = ("volumes", "gigabytes", "snapshots")
WIDTH = 8  # projects asked about side by side
_CALLS = (
    ("compute", "compute", "/os-quota-sets/{project}/detail", "2.87", COMPUTE),
    ("storage", "block-storage", "/os-quota-sets/{project}?usage=true", "3.65", STORAGE),
)

Read = Callable[[str, str], dict[str, Any]]
Entries = dict[str, dict[str, int | None]]


def entries(quota_set: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, dict[str, int | None]]:
    """{name: {limit, in_use, reserved}} of a service's quota set; None for what it does not say."""
    return {name: _entry(quota_set.get(key)) for name, key in names.items()}


def every(quota_set: Mapping[str, Any]) -> Entries:
    """All limits of a quota set by the service's own names, those of volume types among them."""
    return {name: _entry(value) for name, value in quota_set.items() if isinstance(value, dict)}


def types(quota_set: Mapping[str, Any]) -> dict[str, Entries]:
    """{volume type: {volumes, gigabytes, snapshots}} of the types that have a limit of their own."""
    found: dict[str, Entries] = {}
    for name, value in quota_set.items():
        kind, _, type = name.partition("_")
        if kind in TYPED and type and type != "__DEFAULT__" and isinstance(value, dict):
            found.setdefault(type, {})[kind] = _entry(value)
    return {type: own for type, own in sorted(found.items()) if any((e["limit"] or 0) >= 0 for e in own.values())}


def _entry(value: Any) -> dict[str, int | None]:
    value = value if isinstance(value, dict) else {}
    return {
        part: number if isinstance(number := value.get(part), int) and not isinstance(number, bool) else None
        for part in ("limit", "in_use", "reserved")
    }


class LiveQuota:
    """Asks; an answer is kept for a few seconds, so that a screen that redraws is no load on the cloud."""

    def __init__(self, clouds: CloudService, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clouds = clouds
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str, str], tuple[float, dict[str, Any]]] = {}

    def read(self, cloud: str, region: str, project: str, *, now: bool = False) -> dict[str, Any]:
        """{"available": True, "compute": ..., "storage": ...}, or {"available": False, "reason": ...}.

        now: an answer that was kept will not do, because it is told as one of this moment.
        """
        key = (cloud, region, project)
        with self._lock:
            at, kept = self._kept.get(key, (float("-inf"), {}))
        if not now and self._clock() - at < KEPT_SECONDS:
            return kept
        answer = self._ask(cloud, region, project)
        with self._lock:
            if len(self._kept) > 1000:
                self._kept.clear()
            self._kept[key] = (self._clock(), answer)
        return answer

    def storage(self, cloud: str, region: str, projects: Sequence[str]) -> dict[str, Entries | str]:
        """Every block storage limit of each project, read now; or the sentence why it cannot be read.

        One login for all of them; another account is asked about what the first may not know.
        """
        left: dict[str, str] = dict.fromkeys(projects, "OpenStack credentials not configured")
        found: dict[str, Entries | str] = {}
        try:
            accounts = self._clouds.accounts(cloud)
        except CloudError as error:
            return dict.fromkeys(projects, str(error))
        for account in accounts:
            if not left:
                break
            try:
                session = self._clouds.connect(account).session
            except CloudError as error:
                left = dict.fromkeys(left, str(error))
                continue
            try:
                for project, answer in self._of_many(session, region, list(left)):
                    if isinstance(answer, str):
                        left[project] = answer
                    else:
                        found[project] = answer
                        del left[project]
            finally:
                session.close()
        return found | left

    def _of_many(self, session: Any, region: str, projects: list[str]) -> list[tuple[str, Entries | str]]:
        def one(project: str) -> tuple[str, Entries | str]:
            try:
                return project, every(self._quota_set(session, region, project, _CALLS[1]))
            except CloudError as error:
                return project, str(error)

        with ThreadPoolExecutor(WIDTH, thread_name_prefix="quota") as pool:
            return list(pool.map(one, projects))

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
        for call in _CALLS:
            quota_set = self._quota_set(session, region, project, call)
            found[call[0]] = entries(quota_set, call[4])
            if call[0] == "storage" and (typed := types(quota_set)):
                found["storage_types"] = typed
        return found

    def _quota_set(
        self, session: Any, region: str, project: str, call: tuple[str, str, str, str, Mapping[str, str]]
    ) -> dict[str, Any]:
        _, service, path, highest, _ = call
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
        return quota_set if isinstance(quota_set, dict) else {}
