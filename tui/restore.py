"""Restores in words: ways, restore points on their timeline, what is lost, jobs and what to do next. Pure.

Everything here comes from the engine and, behind it, from clouds: it is cleaned before it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from tui.panes.pane import Parts
from tui.table.cells import clean, cut_end, width
from tui.table.format import moment_of, size

Item = Mapping[str, Any]

BASE = "/q/restore"
START, PLANS, JOBS = f"{BASE}/start", f"{BASE}/plans", f"{BASE}/jobs"
KEPT, ADDRESSES = f"{BASE}/kept", f"{BASE}/addresses"
USER_DATA = f"{BASE}/user-data"

WAY_WORDS = {
    "DISK_BESIDE": "disk beside", "DATA_VOLUME_BACK": "data volume back", "IN_PLACE": "in place", "NEW": "NEW",
    "REPLACE": "REPLACE",
}  # fmt: skip
WAY_MEANING = {
    "DISK_BESIDE": "a copy of one disk beside the machine, which goes on as it is",
    "DATA_VOLUME_BACK": "one data disk goes back, the rest of the machine stays as it is",
    "IN_PLACE": "the same machine gets its root disk back: id, addresses and data disks stay",
    "NEW": "a new machine beside the old one, which stays as it is",
    "REPLACE": "a new machine takes over addresses and data disks; the old one is parked",
}
OF_ONE_DISK = ("DISK_BESIDE", "DATA_VOLUME_BACK")
LOSES_NOTHING = ("DISK_BESIDE", "NEW")
MAKES_MACHINE = ("NEW", "REPLACE")
STRATEGIES = ("NEW_IPS", "TRY_SAME_IPS", "SAME_IPS_OR_FAIL", "MANUAL_IP")
STRATEGY_WORDS = {
    "NEW_IPS": "new addresses", "TRY_SAME_IPS": "the same, else new ones", "SAME_IPS_OR_FAIL": "the same or none",
    "MANUAL_IP": "chosen by hand",
}  # fmt: skip
CHOICES = ("restore_point", "keep_current", "leave_out")
CHOICE_WORDS = {
    "restore_point": "from the restore point",
    "keep_current": "keep current",
    "leave_out": "leave out",
}
POINT = "point:"  # begins the choice of one disk that names a point of its own

OPEN = ("PENDING", "RUNNING")
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
# How bad the states of jobs and steps are, by the words that are shown.
JOB_LEVELS = {
    "planned": "none", "expired": "idle", "pending": "none", "running": "busy", "asks": "warn", "rolling back": "warn",
    "succeeded": "ok", "failed": "bad", "canceled": "idle", "interrupted": "warn",
}  # fmt: skip
STEP_LEVELS = {"pending": "none", "running": "busy", "succeeded": "ok", "failed": "bad", "skipped": "idle"}
LEVEL_GLYPHS = {"ok": ("●", "ok"), "warning": ("▲", "warn"), "problem": ("✖", "bad")}


def path_of(base: str, id: object, *more: str) -> str:
    """The path of one thing under a list: ids are whatever the engine gave."""
    return "/".join((base, quote(str(id), safe=""), *more))


def items_of(answer: Any) -> list[dict[str, Any]]:
    """The objects of a listing; [] of anything else."""
    found = answer.get("items") or answer.get("jobs") if isinstance(answer, Mapping) else answer
    return [dict(item) for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def whole(value: Any) -> int | None:
    """A number of the API as one; None where it is none."""
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def span(seconds: float | None) -> str:
    """A length of time as it is said of lost work: 42s, 12m, 16h05m, 3d04h; "?" when it is not known."""
    if seconds is None:
        return "?"
    minutes = int(max(0.0, seconds)) // 60
    if minutes < 1:
        return f"{int(max(0.0, seconds))}s"
    if minutes < 60:
        return f"{minutes}m"
    hours = minutes // 60
    return f"{hours}h{minutes % 60:02d}m" if hours < 48 else f"{hours // 24}d{hours % 24:02d}h"


def when(value: Any, now: datetime) -> str:
    """A moment in the operator's zone: Sat 22:00 within a week, 02 Nov 22:00 further away; "?" for none."""
    moment = moment_of(value) if isinstance(value, str) else None
    if moment is None:
        return "?"
    local = moment.astimezone()
    seconds = (now - local).total_seconds()
    if 0 <= seconds < 6 * 86_400:
        return f"{local:%a %H:%M}"
    return f"{local:%d %b %H:%M}" if 0 <= seconds < 300 * 86_400 else f"{local:%Y-%m-%d}"


def user_data_words(answer: Mapping[str, Any]) -> str:
    """What there is of user data, before the first lines of it (the answer of USER_DATA)."""
    if answer.get("kind") == "none":
        return "it has no user data any more"
    size = f"{whole(answer.get('bytes')) or 0:,} bytes, sha256 {clean(answer.get('sha256') or '')[:12]}"
    if answer.get("kind") != "text":
        return f"{size}: {clean(answer.get('kind') or '')}, not shown"
    return f"{size}{', the first lines' if answer.get('more') else ''}:"


def told(text: object) -> str:
    """A sentence of the engine, cleaned, with its times in the operator's zone."""
    return _STAMP.sub(lambda found: _local(found[0]), clean(text or ""))


def local_time(stamp: object) -> str:
    """A stamp in the operator's zone to the minute, which sorts as it reads: "2026-11-23 09:00"; "" for none."""
    moment = moment_of(stamp) if isinstance(stamp, str) else None
    return "" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M}"


def _local(stamp: str) -> str:
    moment = moment_of(stamp)
    return stamp if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M}"


# Machines and disks


def key_of(item: Any) -> tuple[str, str, str]:
    """(cloud, region, id) of a machine as the engine tells it."""
    key = item.get("key") if isinstance(item, Mapping) else None
    parts = [str(part) for part in key] if isinstance(key, list | tuple) else []
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else ("", "", "")


def machine_words(machine: Item, cells: int = 200) -> str:
    """prod-eu/eu-1 · acme-prod · db-primary: where, whose, which. Where there is no room the name is what stays."""
    cloud, region, id = (clean(part) for part in key_of(machine))
    whose = clean(machine.get("project_name") or machine.get("project_id") or "")
    name = clean(machine.get("name") or id)
    place = "/".join(part for part in (cloud, region) if part)
    for parts in ((place, whose, name), (cloud, whose, name), (cloud, name)):
        if width(words := " · ".join(part for part in parts if part)) <= cells:
            return words
    return cut_end(name, cells)


def disk_name(disk: Item) -> str:
    """What a disk is called: root, else its name, its device or its id."""
    name = clean(disk.get("name") or disk.get("device") or disk.get("volume_id") or "disk")
    return f"root ({name})" if disk.get("root") and disk.get("name") else "root" if disk.get("root") else name


def short_disk(disk: Item, machine: str = "") -> str:
    """The same, short: root, data1; the name of the machine in front of it is left out."""
    if disk.get("root"):
        return "root"
    name = disk_name(disk)
    rest = name.removeprefix(machine).lstrip("-_. ") if machine else name
    return rest or name


def disk_size(disk: Item) -> str:
    """80G."""
    gigabytes = whole(disk.get("size_gb"))
    return size(gigabytes, 3) if gigabytes else ""


# Restore points


def made_by(point: Item) -> str:
    """Its policy; of what an earlier restore took before it began that it is a safety copy; else that it is by hand."""
    policy = clean(point.get("policy") or "")
    return policy or ("safety" if str(point.get("name") or "").startswith("safety-") else "by hand")


def is_backup(point: Item) -> bool:
    """Whether it lies elsewhere than its volume, and survives its storage."""
    return point.get("back_end") == "backup" or point.get("kind") == "backup"


def has_disk(point: Item, volume_id: str) -> bool:
    """Whether a point holds this disk; of "" the one it is taken of."""
    return not volume_id or volume_id in (point.get("volumes") or ())


def disks_words(point: Item, disks: Sequence[Item], machine: str = "") -> str:
    """Which disks a point has: all 3 disks; 2 of 3, without data2."""
    missing = {str(id) for id in point.get("missing") or ()}
    if not disks:
        return "the root disk" if point.get("kind") == "image" else ""
    without = [short_disk(disk, machine) for disk in disks if str(disk.get("volume_id")) in missing]
    if not without:
        return "the one disk" if len(disks) == 1 else f"all {len(disks)} disks"
    return f"{len(disks) - len(without)} of {len(disks)}, without {', '.join(without)}"


def consistency_words(point: Item) -> str:
    """What is known of how its disks fit together, with the spread where there is one."""
    words = clean(point.get("consistency") or "")
    spread = whole(point.get("spread_ms"))
    if spread is not None and len(point.get("volumes") or ()) > 1:
        words += f" ({spread / 1000:.1f}s apart)" if words else f"{spread / 1000:.1f}s apart"
    return words or "consistency not known"


def timeline(points: Sequence[Item], chosen: int, cells: int) -> Parts:
    """The points on a line from now (left) to the oldest (right), where their ages put them; the chosen one stands out,
    a backup has a mark of its own.
    """
    ages = [float(whole(point.get("age_seconds")) or 0) for point in points]
    oldest = max([*ages, 1.0])
    end = f" {span(oldest)}"
    room = max(4, cells - len("now ") - len(end))
    marks = ["─"] * room
    for number, point in reversed(list(enumerate(points))):  # the newest on top
        at = min(room - 1, int(ages[number] / oldest * (room - 1)))
        marks[at] = "■" if is_backup(point) else "●"
    parts: Parts = [("now ", "muted")]
    at = min(room - 1, int(ages[chosen] / oldest * (room - 1))) if points else -1
    for number, mark in enumerate(marks):
        style = "key" if number == at else "rule" if mark == "─" else "text"
        shown = "◆" if number == at else mark
        if parts[-1][1] == style:
            parts[-1] = (parts[-1][0] + shown, style)
        else:
            parts.append((shown, style))
    return [*parts, (end, "muted")]


def own_words(point: Item, disks: Sequence[Item], machine: str = "") -> str:
    """Which disks a point is of, where that is not what a way is about."""
    held = [short_disk(disk, machine) for disk in disks if has_disk(point, str(disk.get("volume_id") or "?"))]
    return f"of {', '.join(held)} alone" if held else "of none of the disks it has now"


def back_words(
    way: str, point: Item | None, disks: Sequence[Item], volume_id: str, machine: str = ""
) -> tuple[str, str]:
    """What going back to a point costs, before there is a plan: (sentence, style)."""
    if point is None:
        return "there is no restore point for this way", "bad"
    old = span(whole(point.get("age_seconds")))
    if way in LOSES_NOTHING:
        return f"nothing is lost: what is made is {old} old, the machine stays as it is", "text"
    held = [d for d in disks if has_disk(point, str(d.get("volume_id")))]
    if way == "IN_PLACE":
        held = [disk for disk in held if disk.get("root")]
    elif way in OF_ONE_DISK:
        held = [disk for disk in disks if str(disk.get("volume_id")) == volume_id]
    names = ", ".join(short_disk(disk, machine) for disk in held) or "its root disk"
    return f"LOST: what was written to {names} in the last {old}", "bad"


# Jobs


def status_of(job: Item) -> str:
    """The word of a job's state: what the API says, or that it waits for an answer or is being rolled back."""
    status = str(job.get("status") or "").upper()
    if status == "PLANNED" and job.get("expired"):
        return "expired"
    if status in OPEN and job.get("asks"):
        return "asks"
    if status in OPEN and any(s.get("phase") == "undo" and _begun(s) for s in steps_of(job)):
        return "rolling back"
    return clean(status).lower() or "?"


def steps_of(job: Item) -> list[Item]:
    """Its steps."""
    return [step for step in job.get("steps") or () if isinstance(step, Mapping)]


def _begun(step: Item) -> bool:
    return str(step.get("status")) in ("RUNNING", "SUCCEEDED", "FAILED")


def current_step(job: Item) -> str:
    """The step a job is at: what runs, else what failed, else the last one done; also where only its name is told."""
    steps = steps_of(job)
    for status in ("RUNNING", "FAILED"):
        found = [step for step in steps if step.get("status") == status]
        if found:
            return clean(found[-1 if status == "RUNNING" else 0].get("name") or "")
    told = clean(job.get("current_step") or job.get("step") or "")
    total = whole(job.get("total"))
    counted = bool(total) and not steps_of(job) and str(job.get("status")) not in ("SUCCEEDED", "PLANNED")
    return told or (f"{whole(job.get('done')) or 0} of {total} steps" if counted else "")


def machine_of(job: Item) -> str:
    """The name of the machine a job is about."""
    return clean(job.get("vm_name") or job.get("server_name") or job.get("vm_id") or job.get("server_id") or "?")


def way_of(job: Item) -> str:
    """NEW, IN_PLACE …, as words."""
    return WAY_WORDS.get(way_code(job), clean(way_code(job)))


def abilities(job: Item) -> tuple[str, ...]:
    """What can be asked of a job: as the engine says; of a line of a list that does not say it, what its state lets."""
    if isinstance(job.get("can"), list | tuple):
        return tuple(map(str, job["can"]))
    status = str(job.get("status") or "").upper()
    if status == "PLANNED":
        return () if job.get("expired") else ("cancel",)
    if status in OPEN:
        return ("cancel", "answer") if job.get("asks") else ("cancel",)
    if status in ("FAILED", "CANCELED", "INTERRUPTED"):
        return ("retry", "cleanup")
    return ("cleanup_storage",) if status == "SUCCEEDED" and way_code(job) == "REPLACE" else ()


def way_code(job: Item) -> str:
    """NEW, IN_PLACE, …: as the engine calls it."""
    return str(job.get("way") or job.get("mode") or "")


# What an action asks of a job, and why it can't be done where it does not.
ASKED = {
    "restore_cancel": ("cancel", "it has ended, or is past the point of no return"),
    "restore_retry": ("retry", "nothing of it failed, or it still runs"),
    "restore_cleanup": ("cleanup", "it left nothing behind, or it still runs"),
    "restore_storage": ("cleanup_storage", "only a finished REPLACE leaves an old root volume"),
    "restore_answer": ("answer", "it asks nothing now"),
}


def why_not(id: str, job: Item | None) -> str:
    """Why an action can't be asked of a job now; "" when it can, or when it is no action of jobs."""
    if id not in ASKED:
        return ""
    if not job:
        return "no restore is under the cursor"
    ability, otherwise = ASKED[id]
    if id == "restore_cancel" and job.get("cancel_asked"):
        return "it is being cancelled already"
    return "" if ability in abilities(job) else otherwise


def server_of(job: Item) -> tuple[str, str, str] | None:
    """(cloud, region, id) of the machine that a job made; None before there is one."""
    made = [r for r in job.get("resources") or () if isinstance(r, Mapping) and r.get("type") == "server"]
    id = next((str(r["id"]) for r in made if r.get("id") and r.get("state") != "removed"), "")
    id = id or str(job.get("new_server_id") or job.get("new_vm_id") or "")
    return (str(job.get("cloud") or ""), str(job.get("region") or ""), id) if id else None


def old_server_of(job: Item) -> tuple[str, str, str] | None:
    """(cloud, region, id) of the machine that a job is about."""
    id = str(job.get("vm_id") or job.get("server_id") or "")
    return (str(job.get("cloud") or ""), str(job.get("region") or ""), id) if id else None


def next_words(job: Item, keys: Any) -> str:
    """What to do now, in one sentence; "" while there is nothing but to wait. `keys` gives the key of an action."""
    able, status = abilities(job), str(job.get("status") or "").upper()
    if job.get("asks") and status in OPEN:
        log = keys("restore_log")
        return f"{keys('restore_answer')} answers; {log} shows its console log"
    if status in OPEN:
        if job.get("cancel_asked"):
            return "being cancelled: what runs is finished, then everything is put back"
        back = "what it made goes" if way_code(job) in LOSES_NOTHING else "the machine gets back what is its"
        return f"{keys('restore_cancel')} cancels: {back}" if "cancel" in able else ""
    if status == "SUCCEEDED":
        return _after_success(job, able, keys)
    said = []
    if "retry" in able:
        where = "" if status == "CANCELED" else " from the step that failed"
        said.append(f"{keys('restore_retry')} tries again{where}")
    if "cleanup" in able:
        said.append(f"{keys('restore_cleanup')} lists what it left behind and removes it")
    return "; ".join(said) or ("nothing was left behind; plan it anew" if status in ("FAILED", "CANCELED") else "")


def _after_success(job: Item, able: Sequence[str], keys: Any) -> str:
    after = {
        "DISK_BESIDE": "copy what you need; the copy is removed at the date under kept",
        "NEW": "look whether it does its work, then decide about the old machine",
        "REPLACE": "look whether it does its work; the old machine is kept until its date, release it earlier there",
        "IN_PLACE": "look whether it does its work; the safety snapshot holds what was there before",
        "DATA_VOLUME_BACK": "look whether it does its work; the volume that was there is kept until its date",
    }.get(way_code(job), "look whether it does its work")
    more = f"; {keys('restore_storage')} deletes its old root volume" if "cleanup_storage" in able else ""
    return after + more


def cut_name(name: object, cells: int) -> str:
    """A name, its end cut where it has no room."""
    return cut_end(clean(name or ""), cells)


# Cleaning up


def cleanup_words(left: Sequence[Item]) -> tuple[list[str], bool]:
    """What cleaning up removes and what it leaves, looked at live, as sentences; whether there are volumes to decide
    about.
    """
    going = [one for one in left if one.get("can_go")]
    volumes = [one for one in going if one.get("type") == "volume"]
    others = [one for one in going if one.get("type") != "volume"]
    lines = [f"removed: {', '.join(map(_thing, others)) or ('nothing else' if volumes else 'nothing')}"]
    if volumes:
        lines.append(f"volumes, kept unless said otherwise: {', '.join(map(_thing, volumes))}")
    lines += [f"left alone: {_thing(one)}: {clean(one.get('reason') or '?')}" for one in left if not one.get("can_go")]
    lines.append("Only what this restore made is ever removed; the old machine is not touched.")
    return lines, bool(volumes)


def _thing(one: Item) -> str:
    id = clean(one.get("id") or "?")
    return f"{clean(one.get('type') or '').replace('_', ' ')} {clean(one.get('name') or '') or id[:8]}"


def cleaned_words(answer: Any) -> str:
    """What a clean-up did, in a sentence."""
    told = answer if isinstance(answer, Mapping) else {}
    found = told.get("cleaned") or told.get("result")
    parts = found if isinstance(found, Mapping) else {}
    errors = [clean(error) for error in parts.get("errors") or ()]
    if errors:
        return f"not all of it: {errors[0]}" + (f" (+{len(errors) - 1})" if len(errors) > 1 else "")
    names = ("ports", "deleted_volumes", "deleted_snapshots")
    count = sum(len(parts.get(name) or ()) for name in names) + bool(parts.get("server"))
    return clean(told.get("message") or "") or f"{count} things removed"
