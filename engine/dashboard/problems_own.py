"""Faults of the console's own: clouds that cannot be read, lists that are old, a full disk, jobs that failed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from engine.dashboard.problems_rules import Problem, Severity, counted
from store import times

STALE_INTERVALS = 3  # collections that a list may miss before it counts as old
FAILED_JOBS = timedelta(hours=24)
WAITING_LONG = timedelta(minutes=10)
DISK_WARNING, DISK_CRITICAL = 0.10, 0.03
DISK_LEAST = 512 * 2**20  # bytes: below this it is critical, whatever the share
_WORST = ("failed", "suspect", "partial", "degraded")
_SAYS = {
    "failed": "could not be read",
    "suspect": "show far fewer rows than before; nothing was deleted: somebody must decide",
    "partial": "were read in part",
    "degraded": "are not complete",
}


@dataclass(frozen=True, slots=True)
class Own:
    """What the console knows of itself.

    clouds    as GET /q/clouds
    states    as InventoryReads.states, with age_seconds
    interval  time between two collections
    disk      (path, free bytes, total bytes) of the engine's home
    jobs      open jobs, and those that ended badly lately, as GET /q/jobs
    errors    sentences about parts of the engine that do not work
    """

    clouds: Iterable[Mapping[str, Any]] = ()
    states: Iterable[Mapping[str, Any]] = ()
    interval: timedelta = timedelta(minutes=15)
    disk: tuple[str, int, int] | None = None
    jobs: Iterable[Mapping[str, Any]] = ()
    errors: Iterable[str] = field(default_factory=tuple)


def judge(own: Own, now: datetime) -> list[Problem]:
    """All of them."""
    closed = list(unreachable(own.clouds))
    names = {problem.cloud for problem in closed}
    states = [state for state in own.states if state["cloud"] not in names]
    return [*closed, *listings(states), *stale(states, own.interval, now), *disk(own.disk), *jobs(own.jobs, now),
            *errors(own.errors)]  # fmt: skip


def unreachable(clouds: Iterable[Mapping[str, Any]]) -> Iterator[Problem]:
    """Clouds none of whose accounts gets in, and single accounts that do not."""
    for cloud in clouds:
        broken = [account for account in cloud["accounts"] if account["last_error"]]
        for account in broken:
            every = len(broken) == len(cloud["accounts"])
            yield Problem(
                "account",
                (cloud["name"], account["name"], account["file"]),
                "critical" if every else "warning",
                f"{cloud['name']} cannot be read" if every else f"account {account['name']} does not work",
                account["last_error"],
                cloud=cloud["name"] if every else None,
                opens="clouds",
                since_exact=False,
            )
            if every:
                break


def listings(states: Iterable[Mapping[str, Any]]) -> Iterator[Problem]:
    """Lists that are not whole, one problem for each cloud, region and state."""
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for state in states:
        if state["state"] in _WORST:
            groups.setdefault((state["cloud"], state["region"], state["state"]), []).append(state)
    for (cloud, region, word), members in groups.items():
        types = sorted({state["type"] for state in members})
        reasons = {state["reason"] for state in members if state["reason"]}
        since = [state["fresh_ended_at"] for state in members if state["fresh_ended_at"]]
        severity: Severity = "info" if word == "degraded" else "warning"
        yield Problem(
            f"list_{word}",
            (cloud, region),
            severity,
            f"{_place(cloud, region)}: {_some(types)} {_SAYS[word]}",
            sorted(reasons)[0] if reasons else "",
            cloud=cloud,
            region=region,
            opens="clouds",
            since=min(since, default=None),
            since_exact=False,
            count=len(types),
        )


def stale(states: Iterable[Mapping[str, Any]], interval: timedelta, now: datetime) -> Iterator[Problem]:
    """Lists that were not read for several intervals: one problem for each cloud."""
    limit = STALE_INTERVALS * interval
    old: dict[str, list[Mapping[str, Any]]] = {}
    for state in states:
        if state["state"] in ("ok", "degraded") and state["fresh_ended_at"] and now - state["fresh_ended_at"] > limit:
            old.setdefault(state["cloud"], []).append(state)
    for cloud, members in old.items():
        last = min(state["fresh_ended_at"] for state in members)
        types = sorted({state["type"] for state in members})
        yield Problem(
            "list_stale",
            (cloud,),
            "warning",
            f"{cloud} is stale: {_some(types)}",
            f"last read {times.text(last.replace(microsecond=0))}; a collection is due every "
            f"{int(interval.total_seconds() // 60)} min",
            cloud=cloud,
            opens="clouds",
            since=last,
            count=len(types),
        )


def disk(found: tuple[str, int, int] | None) -> Iterator[Problem]:
    """The file system of the engine's home is nearly full."""
    if found is None:
        return
    path, free, total = found
    share = free / total if total else 1.0
    if share >= DISK_WARNING and free >= DISK_LEAST:
        return
    critical = share < DISK_CRITICAL or free < DISK_LEAST
    yield Problem(
        "disk",
        (path,),
        "critical" if critical else "warning",
        f"{path} has {free / 2**30:.1f} GB left",
        f"{100 * share:.0f} % of {total / 2**30:.0f} GB; without space jobs wait and nothing is collected",
        since_exact=False,
    )


def jobs(found: Iterable[Mapping[str, Any]], now: datetime) -> Iterator[Problem]:
    """Jobs that wait for something, and those that failed within the last day; restores tell of themselves."""
    for job in found:
        if job.get("kind") == "restore":
            continue
        number, state = job["number"], job["state"]
        if state == "waiting":
            since = times.parse(job["started_at"] or job["created_at"])
            severity: Severity = "critical" if now - since > WAITING_LONG else "warning"
            title, detail = f"job {number} waits: {job['title']}", job["detail"] or ""
        elif state in ("failed", "partial") and job["ended_at"]:
            since = times.parse(job["ended_at"])
            if now - since > FAILED_JOBS:
                continue
            severity = "warning"
            failed = f"{counted(job['failed'], 'step')} of {job['total']} failed"
            title, detail = f"job {number} {state}: {job['title']}", f"{failed}; {job['detail'] or ''}".strip("; ")
        else:
            continue
        yield Problem(
            f"job_{state}",
            (job["id"],),
            severity,
            title,
            f"by {job['by']}; {detail}" if detail else f"by {job['by']}",
            cloud=job["cloud"],
            opens=f"job:{number}",
            since=since,
            machines=0,
        )


def errors(sentences: Iterable[str]) -> Iterator[Problem]:
    """Parts of the engine that do not work."""
    for sentence in sentences:
        subject = sentence.partition(":")[0]
        yield Problem("engine", (subject,), "critical", subject, sentence, since_exact=False)


def _place(cloud: str, region: str) -> str:
    return f"{cloud} {region}" if region else cloud


def _some(types: list[str]) -> str:
    """ "servers, volumes and 3 more"."""
    from store.types import registry

    words = [registry.ALL[name].plural.replace("_", " ") if name in registry.ALL else name for name in types]
    return ", ".join(words) if len(words) <= 3 else f"{', '.join(words[:2])} and {len(words) - 2} more"
