"""Problems of restores: those that failed or ask a person, what is kept beyond its time, and what was left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from engine.dashboard.problems_rules import Problem, counted
from store import times

if TYPE_CHECKING:
    from engine.restore.room import RestoreRoom

RECENT = timedelta(hours=24)  # a restore that ended before it is history; what it left is not
NEWEST = 100
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is looked at.

    restores  heads of restores that were carried out, newest first; those that ask have `asks`, a sentence, and
              those that failed `old_machine`, another; `retried`: a later job goes on with it
    kept      what is kept, as GET /q/restore/kept answers it
    left      {restore id: types of what it made that is neither in use nor gone}, of restores that have ended
    many      restores of many machines that have not ended
    """

    restores: Sequence[Item] = ()
    kept: Sequence[Item] = ()
    left: Mapping[str, Sequence[str]] | None = None
    many: Sequence[Item] = ()


def provider(room: RestoreRoom) -> Callable[[datetime], list[Problem]]:
    """The source for ProblemService.register."""

    def found(now: datetime) -> list[Problem]:
        restores, kept, left = room.concerns()
        return judge(Facts(restores, kept, left, room.bulk.service.open()), now)

    return found


def judge(facts: Facts, now: datetime) -> list[Problem]:
    """All of them."""
    left = facts.left or {}
    return [*restores(facts.restores, left, now), *kept(facts.kept), *many(facts.many)]


def restores(found: Iterable[Item], left: Mapping[str, Sequence[str]], now: datetime) -> Iterable[Problem]:
    """A restore that asks, is interrupted, failed or did not do all, and what one left."""
    for one in found:
        ended = times.parse(one["finished_at"]) if one["finished_at"] else None
        fresh = ended is None or now - ended <= RECENT
        name, number = one["vm_name"] or one["vm_id"], one["number"]
        if one.get("asks"):
            yield _of(one, "restore_asks", "critical", f"restore {number} of {name} asks: {one['asks']}", "")
        elif one["status"] == "INTERRUPTED":
            yield _of(
                one, "restore_interrupted", "critical", f"restore {number} of {name} is interrupted", one["detail"]
            )
        elif one["status"] == "FAILED" and fresh and not one["retried"]:
            detail = "; ".join(part for part in (one["detail"], one.get("old_machine")) if part)
            yield _of(one, "restore_failed", "critical", f"restore {number} of {name} failed", detail, ended)
        elif one["incomplete"] and fresh:
            title = f"restore {number} of {name} succeeded, and not all of its last steps did"
            yield _of(one, "restore_incomplete", "warning", title, one["detail"], ended)
        if types := left.get(one["id"]):
            words = ", ".join(counted(types.count(type), type) for type in sorted(set(types)))
            title = f"restore {number} of {name} left {words}"
            detail = "clean up after it, or retry it: it uses its volumes again"
            yield _of(one, "restore_left", "warning", title, detail, ended, count=len(types))


def _of(
    one: Item, rule: str, severity: Any, title: str, detail: str | None, since: datetime | None = None, count: int = 1
) -> Problem:
    return Problem(
        rule,
        (one["id"],),
        severity,
        title,
        detail or "",
        cloud=one["cloud"],
        region=one["region"],
        type="server",
        key=(one["cloud"], one["region"], one["vm_id"]),
        project_id=one["project_id"],
        project_name=one["project_name"],
        since=since,
        since_exact=since is not None,
        count=count,
        machines=1,
        opens=f"job:{one['number']}",
    )


def kept(found: Iterable[Item]) -> Iterable[Problem]:
    """What is kept beyond its time, and what could not be removed at its end."""
    for one in found:
        if not (one["over"] or one["problem"]):
            continue
        name = one["name"] or one["resource_id"]
        words = {"machine": "the old machine", "volume": "the old volume", "disk_beside": "the copy"}
        title = f"{words[one['kind']]} {name} is kept, and its time is over"
        yield Problem(
            "restore_kept",
            (one["id"],),
            "warning",
            title,
            one["problem"] or "keep it longer, release it, or remove it",
            cloud=one["cloud"],
            region=one["region"],
            type="server" if one["kind"] == "machine" else "volume",
            key=(one["cloud"], one["region"], one["resource_id"]),
            project_id=one["project_id"],
            project_name=one["project_name"],
            since=times.parse(one["until"]) if one["until"] else None,
            since_exact=one["until"] is not None,
            opens="kept",
        )


def many(found: Iterable[Item]) -> Iterable[Problem]:
    """Restores of many machines that are paused: nobody begins the rest."""
    for one in found:
        waiting = one["counts"].get("WAITING", 0)
        if one["status"] == "PAUSED" and waiting:
            yield Problem(
                "restore_many_paused",
                (one["id"],),
                "warning",
                f"a restore of many machines is paused with {counted(waiting, 'machine')} to come",
                one["detail"],
                cloud=one["clouds"][0] if len(one["clouds"]) == 1 else None,
                machines=waiting,
                opens=f"many:{one['id']}",
            )
