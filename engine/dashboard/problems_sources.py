"""Where the facts for problems come from in a running engine."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from engine.dashboard.problems import Sources
from engine.dashboard.problems_own import Own
from engine.inventory.reads import InventoryReads
from store.estate.reading import problems

if TYPE_CHECKING:
    from engine.clouds.service import CloudService
    from engine.jobs.service import JobService
    from engine.settings.models import Settings

_OPEN = ("queued", "running", "waiting")
_BAD = ("failed", "partial")
MOST_JOBS = 100


def sources(
    reads: InventoryReads, clouds: CloudService, jobs: JobService, settings: Callable[[], Settings], home: Path
) -> Sources:
    """The store, the clouds, the jobs and the disk below the engine's home."""

    def own() -> Own:
        known = clouds.clouds()
        _, open_jobs = jobs.page(state=_OPEN, limit=MOST_JOBS)
        _, bad_jobs = jobs.page(state=_BAD, limit=MOST_JOBS)
        broken = reads.estate.broken
        return Own(
            clouds=known,
            states=reads.states(),
            interval=timedelta(minutes=settings().collection.interval_minutes),
            disk=_disk(home),
            jobs=[*open_jobs, *bad_jobs],
            errors=() if broken is None else (f"the store must be opened again: {broken}",),
        )

    return Sources(reads.estate.data_version, lambda: reads.read(problems.read), own)


def _disk(home: Path) -> tuple[str, int, int] | None:
    """(path, bytes free for us, bytes in all); None where the file system does not say."""
    try:
        found = os.statvfs(home)
    except OSError:
        return None
    if not found.f_blocks:
        return None
    return str(home), found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
