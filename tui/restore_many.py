"""Restores of many machines in words: lines, what is lost, how far it is. Pure; all is cleaned before it is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tui import restore
from tui.table.cells import clean
from tui.times import TimeError, parse

if TYPE_CHECKING:
    from tui.dialogs.fields import Field

Item = Mapping[str, Any]

BULK = f"{restore.BASE}/bulk"
MOST = 200  # machines of one plan
WAYS = ("IN_PLACE", "NEW", "REPLACE")
OVER = ("SUCCEEDED", "PARTIAL", "FAILED", "CANCELED")
LEVELS = {
    "planned": "none", "running": "busy", "paused": "warn", "canceling": "warn", "succeeded": "ok", "partial": "warn",
    "failed": "bad", "canceled": "idle",
}  # fmt: skip
STATE_LEVELS = {
    "waiting": "none", "running": "busy", "succeeded": "ok", "failed": "bad", "canceled": "idle", "skipped": "warn",
    "left out": "idle", "not possible": "bad", "not begun": "idle",
}  # fmt: skip


def machines_of(plan: Item) -> list[Item]:
    """The lines."""
    return [one for one in plan.get("machines") or () if isinstance(one, Mapping)]


def key_of(line: Item) -> tuple[str, str, str]:
    """(cloud, region, id) of a line's machine."""
    return (str(line.get("cloud") or ""), str(line.get("region") or ""), str(line.get("id") or ""))


def name_of(line: Item) -> str:
    """What the machine is called."""
    return clean(line.get("name") or line.get("id") or "?")


def state_of(line: Item) -> str:
    """waiting, left out …"""
    return clean(line.get("state") or "").lower().replace("_", " ") or "?"


def status_of(plan: Item) -> str:
    """planned, running …; a plan that is too old is expired."""
    return "expired" if plan.get("expired") else clean(plan.get("status") or "").lower() or "?"


def about_line(line: Item, now: datetime, way: str = "") -> str:
    """Where it comes from and what of it is lost; why it cannot; how far it is."""
    state = str(line.get("state") or "")
    if state in ("NOT_POSSIBLE", "SKIPPED", "FAILED", "CANCELED", "NOT_BEGUN", "SUCCEEDED"):
        return restore.told(line.get("detail")) or point_words(line, now, way)
    if state == "RUNNING":
        step, progress = clean(line.get("step") or ""), restore.told(line.get("progress"))
        return f"{step}  {progress}".strip() or restore.told(line.get("detail"))
    return restore.told(line.get("detail")) or point_words(line, now, way)


def point_words(line: Item, now: datetime, way: str = "") -> str:
    """Sat 22:00 daily_5, loses 16h05m; of a copy how old it is."""
    point = line.get("point")
    if not isinstance(point, Mapping):
        return "no restore point"
    lost = restore.span(restore.whole(line.get("lost_seconds")))
    told = f"{lost} old" if way in restore.LOSES_NOTHING or not way else f"loses {lost}"
    return f"{restore.when(point.get('taken_at'), now)} {restore.made_by(point)}, {told}"


def more_of(line: Item) -> list[str]:
    """What a machine's plan says beyond its line: every loss, every warning."""
    found = [one for name in ("lost", "warnings") for one in line.get(name) or ()]
    return (
        [restore.told(line.get("detail"))] if not found and line.get("detail") else [restore.told(one) for one in found]
    )


def counted(plan: Item) -> str:
    """7 succeeded, 2 running, 31 waiting."""
    counts = Counter({state_of({"state": name}): count for name, count in (plan.get("counts") or {}).items()})
    order = (
        "succeeded",
        "running",
        "waiting",
        "failed",
        "skipped",
        "canceled",
        "not begun",
        "left out",
        "not possible",
    )
    return ", ".join(f"{counts[state]} {state}" for state in order if counts[state])


def tight(plan: Item) -> list[str]:
    """Quotas that are too small for all of them."""
    return [restore.told(one.get("text")) for one in plan.get("sums") or () if not one.get("ok")]


def phrase_for(plan: Item, left_out: int) -> str:
    """What has to be typed when so many are left out: the number in it is of those that are replaced."""
    phrase = clean((plan.get("requires") or {}).get("typed") or "")
    count = sum(bool(line.get("eligible")) for line in machines_of(plan))
    word = f"DELETE AND RESTORE {count} {_machines(count)}"
    if not phrase.endswith(word):
        return phrase
    rest = count - left_out
    return f"{phrase.removesuffix(word)}DELETE AND RESTORE {rest} {_machines(rest)}"


def _machines(count: int) -> str:
    return "MACHINE" if count == 1 else "MACHINES"


# What is asked before the plan


def fields() -> list[Field]:
    """What is the same for all of them."""
    from store.types.actions import Option
    from tui.dialogs.fields import ChoiceField, TextField

    ways = [(way, f"{restore.WAY_WORDS[way]}: {restore.WAY_MEANING[way]}") for way in WAYS]
    strategies = [("", "as usual: REPLACE takes over, NEW gets new ones")]
    strategies += [(name, restore.STRATEGY_WORDS[name]) for name in restore.STRATEGIES[:3]]
    return [
        ChoiceField(Option("way", "Way", required=True), ways, "NEW"),
        TextField(Option("at", "As of", help="the newest points by then: yesterday 22:00; empty: the newest")),
        ChoiceField(Option("ip_strategy", "Addresses"), strategies, ""),
        TextField(Option("order", "Order", help="groups of name globs, one after another: db-*; mq-* app-*; the rest")),
        TextField(Option("stop_after", "Stop after", "number", minimum=1, maximum=MOST,
                         help="failures after which no further machine begins", default=3)),
        TextField(Option("parallel", "At once", "number", minimum=1, maximum=MOST,
                         help="at most so many; storage and projects have limits of their own")),
    ]  # fmt: skip


def request(keys: Sequence[Sequence[str]], values: Item, now: datetime) -> dict[str, Any]:
    """The body of POST /q/restore/bulk. Raises TimeError for words that name no time, or one to come."""
    body: dict[str, Any] = {"keys": [list(key) for key in keys], "way": values.get("way") or "NEW"}
    if words := values.get("at"):
        moment = parse(str(words), now)
        if moment > now:
            raise TimeError(f'"{words}" lies in the future; a restore point is of the past')
        body["at"] = moment.isoformat()
    if groups := [group.strip() for group in str(values.get("order") or "").split(";") if group.strip()]:
        body["order"] = groups
    if values.get("parallel"):
        body["limits"] = {"parallel": values["parallel"]}
    for name in ("ip_strategy", "stop_after"):
        if values.get(name):
            body[name] = values[name]
    return body
