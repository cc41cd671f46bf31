"""Snapshots in words: policies and when they are due, compliance, runs, restore points and what proves them. Pure.

Everything here comes from the engine and, behind it, from clouds: it is cleaned before it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from tui.table.cells import clean
from tui.table.format import moment_of
from tui.times import age

Item = Mapping[str, Any]

BASE = "/q/snapshot"
POLICIES, EXCLUSIONS, DUE, POINTS = f"{BASE}/policies", f"{BASE}/exclusions", f"{BASE}/due", f"{BASE}/points"
SETS, PREVIEW, SCHEDULE = "/snapshot-policies", f"{BASE}/sets/preview", f"{BASE}/schedule"
COMPLIANCE, SUMMARY, CLOUDS = f"{BASE}/compliance", f"{BASE}/compliance/summary", f"{BASE}/clouds"
STATE = f"{BASE}/runs/state"
RUN_NOW, PIPELINE = "/snapshot/run-now", "/snapshot/run-now/status"
RUNS, RUN, ACTIVE = "/snapshot-runs", f"{BASE}/runs", "/snapshot/runs/active/progress"

# How bad the words are, for glyphs and colours.
COMPLIANCE_LEVELS = {
    "compliant": "ok",
    "missing": "bad",
    "pending": "busy",
    "quota_blocked": "warn",
    "excluded": "idle",
    "no_policy": "warn",
}
RUN_LEVELS = {
    "pending": "none", "running": "busy", "completed": "ok", "partial": "warn", "failed": "bad", "cancelled": "idle",
    "skipped": "idle", "dry_run_completed": "idle",
}  # fmt: skip
RECORD_LEVELS = {"ok": "ok", "skipped": "idle", "error": "bad", "dry_run": "none", "quota_blocked": "warn"}
STATUS_WORDS = {"quota_blocked": "quota blocked", "dry_run_completed": "dry run done"}
REASON_WORDS = {
    "exclusion": "excluded", "metadata": "the volume's own metadata", "assignment": "assigned to it",
    "set": "policy set", "none": "nothing",
}  # fmt: skip
BLOCK_WORDS = {
    "snapshots_exceeded": "no room for another snapshot", "gigabytes_exceeded": "no room for its gigabytes",
    "quota_unknown": "its quota could not be read, so nothing is made",
}  # fmt: skip
BY_HAND = "by hand"
STEP_WORDS = {
    "policy_assign": "write policies to the metadata", "rvtools_pre": "collect", "auto_snapshots": "snapshot",
    "rvtools_post": "collect again",
}  # fmt: skip
# Name, calendar words, how many are kept: what the empty page offers.
PRESETS = (
    ("daily_5", "daily 02:00", 5, "every night, the last five"),
    ("weekly_4", "weekly sun 03:00", 4, "every Sunday, the last four"),
    ("monthly_1st", "monthly 1 04:00", 1, "on the 1st, the last one"),
)


def status_word(status: object) -> str:
    """A status as people read it."""
    return STATUS_WORDS.get(str(status), clean(status or "").replace("_", " "))


def when_words(at: object, now: datetime) -> str:
    """in 3h; now; 2h ago. "" for no time."""
    moment = moment_of(str(at or ""))
    if moment is None:
        return ""
    seconds = (moment - now).total_seconds()
    if abs(seconds) < 60:
        return "now"
    return f"in {age(seconds)}" if seconds > 0 else f"{age(-seconds)} ago"


def zoned(at: object, zone: str) -> str:
    """A time in a policy's own zone: Tue 01 Dec 02:00. The text itself where it is none."""
    moment = moment_of(str(at or ""))
    if moment is None:
        return clean(at or "")
    try:
        moment = moment.astimezone(ZoneInfo(zone or "UTC"))
    except (KeyError, ValueError, OSError):
        return f"{moment:%a %d %b %H:%M} UTC"
    return f"{moment:%a %d %b %H:%M}"


def next_words(times: Sequence[object], zone: str) -> str:
    """The next times of a schedule in its own zone: Tue 01 Dec 02:00, Wed 02 Dec 02:00 (Europe/Berlin)."""
    shown = ", ".join(zoned(at, zone) for at in times)
    return f"{shown} ({clean(zone or 'UTC')})" if shown else ""


def policy_words(item: Item) -> str:
    """daily at 02:00 Europe/Berlin, keep 5: as the engine says it, else its cron line."""
    told = clean(item.get("words") or "")
    return (
        told or f"{clean(item.get('schedule') or '')} {clean(item.get('timezone') or 'UTC')}, keep {item.get('keep')}"
    )


def match_words(item: Item) -> str:
    """Which volumes a set or an exclusion takes: type ssd, name begins with db-; all volumes without a condition."""
    names = {
        "tenant_name": "project", "domain_name": "domain", "volume_type": "type", "volume_name_prefix": "name begins",
        "volume_name_contains": "name has", "bootable": "bootable", "min_size_gb": "at least GB",
        "max_size_gb": "at most GB", "metadata_equals": "metadata", "metadata_contains": "metadata has",
    }  # fmt: skip
    found = [f"{word} {_value(match[name])}" for name, word in names.items()
             if (match := item.get("match") or {}).get(name) not in (None, "", [], {})]  # fmt: skip
    for name, word in (("tenant_name", "project"), ("cloud", "cloud"), ("region", "region")):
        if item.get(name):
            found.append(f"{word} {clean(item[name])}")
    return ", ".join(found) or "all volumes"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return clean(", ".join(f"{name}={one}" for name, one in value.items()))
    if isinstance(value, list | tuple):
        return clean(" or ".join(map(str, value)))
    return clean(value)


def made_by(point: Item) -> str:
    """The policy that made a restore point, or that a person or another tool did."""
    return clean(point.get("policy") or BY_HAND)


def consistency_words(point: Item) -> str:
    """What a restore point is, never more than is proven: group-consistent (spread 120 ms), quiesced."""
    word = clean(point.get("consistency") or "")
    spread = point.get("spread_ms")
    if word in ("", "unknown"):
        return "not known"
    return f"{word}, spread {spread:,} ms" if isinstance(spread, int) else word


def place_words(point: Item) -> str:
    """Where a restore point lies: whether it survives the storage of its volume."""
    return "backup" if point.get("back_end") == "backup" else "same back end"


def block_words(item: Item) -> str:
    """Why quota blocks a volume, with the numbers: no room for its gigabytes: 480 of 500 used, 50 needed."""
    reason = str(item.get("reason") or item.get("block_reason") or "")
    words = BLOCK_WORDS.get(reason, clean(item.get("block_reason") or reason) or "blocked by quota")
    limit, used, needed = (item.get(name) for name in ("limit", "used", "needed"))
    if not isinstance(limit, int | float) or not isinstance(used, int | float):
        return words
    more = f", {needed:,} needed" if isinstance(needed, int | float) else ""
    return f"{words}: {used:,} of {limit:,} used{more}"


def run_words(item: Item) -> str:
    """What came of a run: 34 made, 2 skipped, 1 failed, 3 blocked by quota."""
    counts = [
        (int(item.get("snapshots_created") or 0), "made"),
        (int(item.get("snapshots_deleted") or 0), "removed"),
        (int(item.get("volumes_skipped") or 0), "skipped"),
        (int(item.get("snapshots_failed") or 0), "failed"),
        (int(item.get("quota_blocked") or 0), "blocked by quota"),
    ]
    return ", ".join(f"{count:,} {word}" for count, word in counts if count) or "nothing made"


def policies_of(item: Item) -> str:
    """Names of the policies of a run or set, by commas."""
    names = item.get("policy_names") or item.get("policies") or ()
    return clean(", ".join(map(str, names)) if isinstance(names, list | tuple) else names)


def key_of(item: Item) -> tuple[str, str, str]:
    """(cloud, region or '', id) of the volume of a row."""
    key = item.get("key")
    if isinstance(key, list | tuple) and len(key) == 3:
        return str(key[0] or ""), str(key[1] or ""), str(key[2] or "")
    id = item.get("volume_id") or item.get("id") or ""
    return str(item.get("cloud") or ""), str(item.get("region") or ""), str(id)


def items_of(answer: Any) -> list[dict[str, Any]]:
    """The items of a list's answer; what is no object is left out."""
    found = answer.get("items") if isinstance(answer, dict) else answer
    return [item for item in found or () if isinstance(item, dict)]


def unread(answer: Any) -> int:
    """How many rows a list has beyond the page of it that was answered; 0 where that is not told."""
    total = answer.get("total") if isinstance(answer, Mapping) else None
    return max(0, total - len(items_of(answer))) if isinstance(total, int) else 0


def unread_words(count: int, which: str) -> str:
    """3,312 older not shown; "" when nothing is left out."""
    return f"{count:,} {which} not shown" if count > 0 else ""


def job_of(run: Item) -> str:
    """Id of the newest job of a run; "" when it has none."""
    jobs = run.get("job_ids")
    return str(jobs[-1]) if isinstance(jobs, list) and jobs else str(run.get("job_id") or "")


def next_status(filter: str) -> str:
    """The filter with the next status of compliance alone: missing, blocked by quota, pending, then all."""
    words = filter.split()
    now = next((word.removeprefix("status:=") for word in words if word.startswith("status:=")), "")
    rest = [word for word in words if not word.startswith("status:")]
    order = ("", "missing", "quota_blocked", "pending")
    after = order[(order.index(now) + 1) % len(order)] if now in order else ""
    return " ".join([*rest, *([f"status:={after}"] if after else [])])


def why_path(key: Sequence[str]) -> str:
    """Where it is told why a volume has its policies."""
    cloud, region, id = (quote(str(part), safe="") for part in key)
    return f"{BASE}/why/{cloud}/{region or '-'}/{id}"


def cloud_path(cloud: str) -> str:
    """Where policy runs are allowed in a cloud, or that is ended."""
    return f"{CLOUDS}/{quote(cloud, safe='')}"


def preview_of(answer: Any, schedule: Any) -> dict[str, Any]:
    """What a policy or set would do, in the words of the editor (tui/dialogs/snapshots.py), from the engine's answers.

    Either may be missing. `items` are the first volumes alone: what they lose is counted over them.
    """
    found: dict[str, Any] = {"problems": {}}
    if isinstance(schedule, Mapping):
        found |= {name: schedule.get(name) for name in ("problems", "next", "timezone", "words")}
    if not isinstance(answer, Mapping):
        return found
    items = items_of(answer)
    return found | {
        **{name: _whole(answer.get(name)) for name in ("volumes", "new", "overridden", "excluded", "lost")},
        "first": [clean(item.get("volume_name") or item.get("volume_id") or "") for item in items[:10]],
        "snapshots": _whole(answer.get("more_snapshots")), "gb": _whole(answer.get("more_gigabytes")),
        "taken_from": taken_from(items),
        "projects": [_cost_of(one) for one in answer.get("projects") or () if isinstance(one, Mapping)],
    }  # fmt: skip


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def taken_from(items: Sequence[Item]) -> list[dict[str, Any]]:
    """Policies that volumes have now and would have no more: {"name", "volumes", "first"}, the most first."""
    lost: dict[str, list[str]] = {}
    for item in items:
        for name in item.get("before") or {}:
            if name not in (item.get("policies") or {}):
                lost.setdefault(str(name), []).append(clean(item.get("volume_name") or item.get("volume_id") or ""))
    ordered = sorted(lost.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return [{"name": name, "volumes": len(names), "first": names[:3]} for name, names in ordered]


def _cost_of(one: Item) -> dict[str, Any]:
    """What it costs a project: what is added, on what is used of which limit; `problem` where that is too much."""
    told = one.get("quota")
    quota: Item = told if isinstance(told, Mapping) else {}
    found: dict[str, Any] = {
        "project_name": one.get("tenant_name") or one.get("tenant_id"),
        "volumes": _whole(one.get("volumes")),
    }
    problems = []
    for name, own, unit in (("snapshots", "snapshots", "snapshots"), ("gigabytes", "gb", "GB")):
        more = _whole(one.get(f"more_{name}")) or 0
        entry = quota.get(name)
        entry = entry if isinstance(entry, Mapping) else {}
        limit, used = entry.get("limit"), entry.get("used", entry.get("in_use"))
        found |= {own: more, f"{own}_used": used, f"{own}_limit": limit}
        if isinstance(limit, int) and isinstance(used, int) and 0 <= limit < used + more:
            problems.append(f"{used + more:,} {unit} of {limit:,}")
    reason = quota.get("reason") or quota.get("problem")
    return found | {"problem": ", ".join(problems) or clean(reason or "")}
