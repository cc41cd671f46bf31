"""How long it takes until a volume of a restore point is there: measured at earlier restores of the same cloud."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from statistics import median
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from store.ops.jobs_tables import job_steps, jobs

if TYPE_CHECKING:
    from engine.snapshots.models import Point
    from store.ops.ops import Ops

KEPT_SECONDS = 60.0
NEWEST = 200  # restores of a cloud that are looked at
COPY_MB_S = 100  # of a backup, as long as nothing was measured
_BEGIN, _END = "CREATE_VOLUME_FROM_SNAPSHOT", "WAIT_VOLUME_AVAILABLE"
_MB = 1024

Measured = tuple[str, int, float]  # (kind of the source, GiB, seconds)


class Durations:
    """Thread-safe."""

    def __init__(self, ops: Ops) -> None:
        self._ops = ops
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, list[Measured]]] = {}

    def seconds(self, cloud: str, region: str, point: Point) -> int | None:
        """The estimate for one point; None where nothing was measured and nothing can be reckoned."""
        return estimate(self._measured(cloud), point.kind, point.size_gb)

    def _measured(self, cloud: str) -> list[Measured]:
        with self._lock:
            at, kept = self._kept.get(cloud, (float("-inf"), []))
            if time.monotonic() - at < KEPT_SECONDS:
                return kept
        found = list(self._read(cloud))
        with self._lock:
            self._kept[cloud] = (time.monotonic(), found)
        return found

    def _read(self, cloud: str) -> Iterable[Measured]:
        where = (jobs.c.cloud == cloud, jobs.c.kind == "restore", job_steps.c.name.in_((_BEGIN, _END)),
                 job_steps.c.state == "done")  # fmt: skip
        columns = (jobs.c.id, jobs.c.plan, job_steps.c.name, job_steps.c.started_at, job_steps.c.ended_at)
        query = select(*columns).join(job_steps, job_steps.c.job_id == jobs.c.id).where(*where)
        spans: dict[str, dict[str, Any]] = {}
        with self._ops.read() as connection:
            for row in connection.execute(query.order_by(jobs.c.number.desc()).limit(2 * NEWEST)):
                spans.setdefault(row.id, {"plan": row.plan})[row.name] = (row.started_at, row.ended_at)
        for span in spans.values():
            if _BEGIN in span and _END in span:
                took = (span[_END][1] - span[_BEGIN][0]).total_seconds()
                yield from _of(span["plan"], took)


def estimate(measured: Iterable[Measured], kind: str, size_gb: int) -> int | None:
    """Seconds for a source of that kind and size (GiB).

    Of a snapshot or image the middle of what was measured: most back ends make it without copying. A backup is copied,
    so the middle of seconds per GiB; before anything was measured, COPY_MB_S.
    """
    own = [(size, took) for one, size, took in measured if one == kind]
    if kind != "backup":
        return round(median(took for _, took in own)) if own else None
    per_gib = median(took / max(1, size) for size, took in own) if own else _MB / COPY_MB_S
    return max(1, round(per_gib * max(1, size_gb)))


def _of(plan: Mapping[str, Any], seconds: float) -> Iterable[Measured]:
    """What a job measured, of volumes that were made side by side; nothing where they were of several kinds."""
    disks = (plan.get("restore") or {}).get("disks") or ()
    sources = [disk["source"] for disk in disks if disk.get("choice") == "restore_point" and disk.get("source")]
    kinds = {str(source.get("kind")) for source in sources}
    if len(kinds) == 1:
        yield kinds.pop(), max(int(source.get("size_gb") or 0) for source in sources), seconds
