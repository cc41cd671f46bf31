"""What restores of many machines decide from what they were told: pure, so that tables of cases can say all of it."""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from engine.restore.bulk.models import IN_IT, NOT_WELL, Decision, Limits, Place, Standing, State, Status, Sum
from engine.restore.models import Fit, Plan, Strategy, Way
from engine.restore.planning import fitting

GUESS_SECONDS = 300  # for a machine whose plan knows no time
_SEPARATORS = re.compile(r"[,\s]+")
_ILL: tuple[tuple[State, str], ...] = (
    ("FAILED", "failed"), ("CANCELED", "cancelled"), ("SKIPPED", "skipped"), ("NOT_BEGUN", "not begun"),
)  # fmt: skip


# Before it begins


def place_of(name: str, order: Sequence[str]) -> int:
    """Which group a machine is in: the first with a glob that fits its name; those that fit none come last.

    Each group is globs with commas or blanks between them: "db-*, mq-?".
    """
    for number, group in enumerate(order):
        if any(fnmatchcase(name, glob) for glob in _SEPARATORS.split(group.strip()) if glob):
            return number
    return len(order)


def strategy(way: Way, asked: Strategy | None) -> Strategy:
    """What becomes of addresses when nobody said: a successor takes over, a copy does not."""
    return asked or ("SAME_IPS_OR_FAIL" if way == "REPLACE" else "NEW_IPS")


def phrase(way: Way, count: int, production: Iterable[str]) -> str | None:
    """What has to be typed: the names of production clouds, then how many machines are replaced. None for nothing."""
    parts = sorted(set(production))
    if way == "REPLACE":
        parts.append(f"DELETE AND RESTORE {count} {'MACHINE' if count == 1 else 'MACHINES'}")
    return " ".join(parts) or None


def sums(plans: Sequence[Plan], fresh: Mapping[Place, Sequence[Fit]] | None = None) -> list[Sum]:
    """Every quota of every project with the sum of what all plans need; those that are too small first.

    fresh: {project: fits that were read a moment ago}; else what the plans found is taken.
    """
    need: dict[Place, Counter[str]] = defaultdict(Counter)
    told: dict[Place, dict[str, Fit]] = defaultdict(dict)
    names: dict[Place, str] = {}
    for plan in plans:
        place = (*plan.machine.key[:2], plan.machine.project_id)
        names[place] = plan.machine.project_name or plan.machine.project_id
        for wanted in fitting.needs(plan).values():
            need[place].update(wanted)
        told[place] |= {fit.what: fit for fit in plan.fits}
    for place, fits in (fresh or {}).items():
        told[place] |= {fit.what: fit for fit in fits}
    found = [
        _sum(place, names[place], what, amount, told[place][what])
        for place, wanted in need.items()
        for what, amount in wanted.items()
        if what in told[place]
    ]
    return sorted(found, key=lambda one: (one.ok, one.project, one.what))


def _sum(place: Place, name: str, what: str, need: int, fit: Fit) -> Sum:
    limit, used = fit.limit, fit.used
    bounded = limit is not None and limit >= 0
    ok = not bounded or (used or 0) + need <= (limit or 0)
    if not bounded:
        text = f"{what} of {name}: {need} needed, no limit is known"
    else:
        text = f"{what} of {name}: {need} needed by all of them, {'?' if used is None else used} of {limit} used"
    return Sum(place, name, what, need, used, limit, ok, text)


def shape(plan: Plan) -> dict[str, Any]:
    """What a person agreed to: how, and what of which disk comes back or is lost. JSON values."""
    disks = {
        disk.volume_id or "root": [disk.choice, disk.source.id if disk.source is not None else ""]
        for disk in plan.disks
    }
    point = plan.point.id if plan.point is not None else ""
    return {
        "way": plan.way, "strategy": plan.strategy, "point": point, "disks": disks, "park": plan.park,
        "end": plan.request.end, "project": plan.machine.project_id,
    }  # fmt: skip


def changed(was: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """Why a plan that was made anew is not what was shown; None when it is."""
    if was["way"] != now["way"] or was["park"] != now["park"]:
        return "it would be restored in another way than was shown"
    if was["disks"] != now["disks"] or was["point"] != now["point"]:
        return "another loss than was shown: its disks or restore points have changed since"
    if was != now:
        return "its addresses or its project are not as they were shown"
    return None


def seconds(machines: Sequence[Standing], lasting: Mapping[int, int | None], limits: Limits) -> int:
    """How long all of it takes when nothing fails, within the limits and in their order."""
    now, ends = 0, list[tuple[int, int]]()
    states: dict[int, Standing] = {one.seq: replace(one, state="WAITING", rests=False) for one in machines}
    while True:
        decision = decide(list(states.values()), limits)
        if decision.over:
            return now
        for seq in decision.begin:
            states[seq] = replace(states[seq], state="RUNNING")
            heapq.heappush(ends, (now + (lasting.get(seq) or GUESS_SECONDS), seq))
        now, seq = heapq.heappop(ends)
        states[seq] = replace(states[seq], state="SUCCEEDED")


# While it goes on


def decide(
    machines: Sequence[Standing],
    limits: Limits,
    *,
    elsewhere: Sequence[Standing] = (),
    passed: int = -1,
    forgiven: int = 0,
) -> Decision:
    """What is begun now.

    elsewhere  machines of other plans whose restores run: back ends and projects carry them, too
    passed     groups up to this one may have ended badly
    forgiven   failures that do not count
    """
    waiting = [one for one in machines if one.state == "WAITING"]
    running = [one for one in machines if one.state == "RUNNING"]
    if not waiting:
        return Decision(over=not running)
    failures = sum(one.state == "FAILED" for one in machines) - forgiven
    if failures >= limits.stop_after:
        return Decision(
            pause=f"{failures} {'restore has' if failures == 1 else 'restores have'} failed: no further one begins"
        )
    place = min(one.place for one in waiting)
    if any(one.place < place for one in running):
        return Decision()
    ill = sum(passed < one.place < place and one.state in NOT_WELL for one in machines)
    if ill:
        return Decision(pause=f"{ill} of the group before did not come back: the next group does not begin")
    return Decision(begin=_within(waiting, running, elsewhere, place, limits))


def _within(
    waiting: Sequence[Standing], running: Sequence[Standing], elsewhere: Sequence[Standing], place: int, limits: Limits
) -> tuple[int, ...]:
    busy = [*running, *elsewhere]
    back_ends = Counter(name for one in busy for name in one.back_ends)
    projects = Counter(one.project for one in busy)
    room = limits.parallel - len(running)
    begin: list[int] = []
    for one in sorted(waiting, key=lambda one: one.seq):
        if one.place != place or one.rests or len(begin) >= room or projects[one.project] >= limits.per_project:
            continue
        if any(back_ends[name] >= limits.per_backend for name in one.back_ends):
            continue
        begin.append(one.seq)
        back_ends.update(one.back_ends)
        projects[one.project] += 1
    return tuple(begin)


def resumed(machines: Sequence[Standing]) -> tuple[int, int]:
    """(passed, forgiven) when a person says to go on whatever has failed so far."""
    waiting = [one.place for one in machines if one.state == "WAITING"]
    return min(waiting, default=0) - 1, sum(one.state == "FAILED" for one in machines)


# How it went


def counts(states: Iterable[State]) -> dict[str, int]:
    """{state: how many}, of those that there are."""
    return dict(Counter(states))


def outcome(states: Sequence[State], cancelled: bool) -> tuple[Status, str]:
    """(status, sentence) when everything has ended."""
    found = Counter(state for state in states if state in IN_IT)
    total, well = sum(found.values()), found["SUCCEEDED"]
    said = f"{well} of {total} machines restored"
    for state, word in _ILL:
        said += f", {found[state]} {word}" if found[state] else ""
    if cancelled and well < total:
        return "CANCELED", said
    return ("SUCCEEDED" if well == total else "PARTIAL" if well else "FAILED"), said
