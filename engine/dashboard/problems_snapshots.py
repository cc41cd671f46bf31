"""Problems of snapshot policies: points that are overdue, runs that failed, clouds where policies may not work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from engine.dashboard.problems_rules import Problem, counted
from engine.snapshots.compliance.answers import volumes_of
from engine.snapshots.compliance.rules import BROKEN
from engine.snapshots.compliance.service import Row
from store.estate.reading.models import Scope

if TYPE_CHECKING:
    from engine.snapshots.room import SnapshotsRoom

NEWEST_RUNS = 50
RECENT = timedelta(hours=24)  # a run that ended before it is history
MOST_TENANTS = 10  # of one cloud told one by one; more of them are one problem of the cloud
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Facts:
    """What is looked at.

    rows    every promise, judged now
    runs    rows of the table of runs, newest first
    closed  {cloud: why policies may not work there}, of clouds in which policies take volumes
    errors  sentences about what the room could not do
    """

    rows: Sequence[Row] = ()
    runs: Sequence[Mapping[str, Any]] = ()
    closed: Mapping[str, str] = field(default_factory=dict)
    errors: Sequence[str] = ()


def provider(room: SnapshotsRoom) -> Callable[[datetime], list[Problem]]:
    """The source for ProblemService.register."""

    def found(now: datetime) -> list[Problem]:
        rows = room.compliance.service.rows(Scope())
        clouds = {row.volume.cloud for row in rows if row.promise.policy}
        closed = {cloud: why for cloud in clouds if (why := room.forbidden(cloud)) is not None}
        _, runs = room.records.page(None, [], NEWEST_RUNS)
        problem = room.compliance.nightly.problem
        return judge(Facts(rows, runs, closed, (problem,) if problem else ()), now)

    return found


def judge(facts: Facts, now: datetime) -> list[Problem]:
    """All of them. Where policies may not work, that they have made nothing is no problem of its own."""
    open_rows = [row for row in facts.rows if row.volume.cloud not in facts.closed]
    return [*closed(facts.rows, facts.closed), *overdue(open_rows), *runs(facts.runs, now), *errors(facts.errors)]


def closed(rows: Iterable[Row], clouds: Mapping[str, str]) -> Iterable[Problem]:
    """Clouds in which policies take volumes and may not make anything."""
    every = [row for row in rows if row.promise.policy]
    for cloud, why in sorted(clouds.items()):
        count = len({row.volume.key for row in every if row.volume.cloud == cloud})
        if count:
            yield Problem(
                "snapshots_closed",
                (cloud,),
                "warning",
                f"{cloud}: policies take {counted(count, 'volume')} and may make nothing there",
                why,
                cloud=cloud,
                count=count,
                since_exact=False,
                opens="protection",
            )


def overdue(rows: Iterable[Row]) -> Iterable[Problem]:
    """Volumes whose points are missing or that quota keeps out: by tenant, or by cloud where many tenants have some."""
    tenants: dict[tuple[str, str], list[Row]] = {}
    for first, every in volumes_of(rows):
        if first.status in BROKEN:
            tenants.setdefault((first.volume.cloud, first.volume.project_id), []).extend(
                row for row in every if row.status in BROKEN
            )
    for cloud in sorted({cloud for cloud, _ in tenants}):
        mine = {project: found for (place, project), found in tenants.items() if place == cloud}
        if len(mine) > MOST_TENANTS:
            found = [row for broken in mine.values() for row in broken]
            yield _overdue(found, (cloud,), f"{cloud}, {len(mine)} tenants", cloud=cloud)
            continue
        for project, found in sorted(mine.items()):
            volume = found[0].volume
            about = {"project_id": project, "project_name": volume.project_name, "domain_id": volume.domain_id}
            yield _overdue(found, (cloud, project), volume.project_name or project, cloud=cloud, **about)


def _overdue(rows: Sequence[Row], subject: tuple[str, ...], name: str, **about: Any) -> Problem:
    volumes = {row.volume.key for row in rows}
    blocked = {row.volume.key for row in rows if row.status == "quota_blocked"}
    policies = sorted({row.promise.policy for row in rows})
    more = f" and {len(policies) - _NAMED} more" if len(policies) > _NAMED else ""
    words = [f"of {', '.join(policies[:_NAMED])}{more}"]
    if blocked:
        words.append(f"quota has no room for {counted(len(blocked), 'volume')}")
    newest = [row.promise.newest for row in rows if row.promise.newest is not None]
    return Problem(
        "snapshots_overdue",
        subject,
        "warning",
        f"{name}: {counted(len(volumes), 'volume has', 'volumes have')} no restore point in time",
        "; ".join(words),
        type="volume",
        key=next(iter(volumes)) if len(volumes) == 1 else None,
        since=min(newest, default=None) if len(newest) == len(rows) else None,
        since_exact=False,
        count=len(volumes),
        machines=len({server for row in rows for server in row.volume.server_ids}),
        opens="compliance",
        **about,
    )


def runs(found: Iterable[Mapping[str, Any]], now: datetime) -> Iterable[Problem]:
    """The newest run of each cloud and region, when it failed wholly or in part within a day."""
    seen: set[tuple[str, str]] = set()
    for run in found:
        place = (run["cloud"], run["region"])
        if place in seen or run["dry_run"] or not run["finished_at"]:
            continue
        seen.add(place)
        ended = run["finished_at"]
        if run["status"] not in ("failed", "partial") or now - ended > RECENT:
            continue
        what = "failed" if run["status"] == "failed" else "was not made whole"
        yield Problem(
            f"snapshot_run_{run['status']}",
            (*place,),
            "critical" if run["status"] == "failed" else "warning",
            f"snapshot run {run['id']} of {' '.join(filter(None, place))} {what}",
            run["detail"],
            cloud=run["cloud"],
            region=run["region"],
            since=ended,
            opens="runs",
        )


def errors(sentences: Iterable[str]) -> Iterable[Problem]:
    """What the room could not do by itself."""
    for sentence in sentences:
        subject = sentence.partition(":")[0]
        yield Problem("snapshots_engine", (subject,), "warning", subject, sentence, since_exact=False)
