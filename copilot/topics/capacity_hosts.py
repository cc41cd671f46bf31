"""Capacity of single hosts: how full one is, which one has the most left."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from copilot.answering import wording
from copilot.answers import Answer, Field, Shown, Table
from copilot.execution.result import Result
from copilot.execution.run import run
from copilot.query import EVERYTHING, AnyOf, Condition, Counted, Query, Test
from copilot.topics.capacity_words import Capacity, Kind
from copilot.topics.measures import listed, of, percent
from copilot.topics.topic import Asked

COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_TOTALS: Mapping[Kind, str] = {"vcpus": "vcpus", "ram_mb": "memory_mb", "disk_gb": "local_gb"}
_USED: Mapping[Kind, tuple[str, ...]] = {"vcpus": ("vcpus_used", "vm_vcpus"), "ram_mb": ("memory_mb_used", "vm_ram"),
                                         "disk_gb": ("local_gb_used",)}  # fmt: skip
_NAMES: Mapping[Kind, str] = {"vcpus": "vCPUs", "ram_mb": "RAM", "disk_gb": "local disk"}
_UNITS: Mapping[Kind, str] = {"vcpus": "", "ram_mb": "MB", "disk_gb": "GB"}
_ROLES: Mapping[Kind, Any] = {"vcpus": "number", "ram_mb": "size_mb", "disk_gb": "size_gb"}
_SHORT: Mapping[Kind, str] = {"vcpus": "VCPUS", "ram_mb": "RAM", "disk_gb": "DISK"}


def hosts(asked: Asked, where: Condition = EVERYTHING) -> tuple[Result, list[dict[str, Any]]]:
    """All hosts with used, total, free and percent of each kind; used and free are None where nobody knows."""
    counted = (Counted("vm_vcpus", "server", kind="sum", column="vcpus"),
               Counted("vm_ram", "server", kind="sum", column="ram_mb"))  # fmt: skip
    columns = ("name", "cloud", "region", "state", "status", *_TOTALS.values(),
               *(names[0] for names in _USED.values()))  # fmt: skip
    query = Query("hypervisor", where, counted=counted, order=(("name", False),), columns=columns)
    result = run(query, asked.sources, asked.context.now)
    return result, [_host(row, key) for row, key in zip(result.rows, result.keys, strict=True)]


def _host(row: Mapping[str, Any], key: Any) -> dict[str, Any]:
    made = {"name": row["name"], "cloud": row["cloud"], "key": key,
            "usable": row["state"] == "up" and row["status"] == "enabled"}  # fmt: skip
    for kind, column in _TOTALS.items():
        total = row[column]
        used = next((row[name] for name in _USED[kind] if row.get(name) is not None), None)
        if used is None and kind != "disk_gb":
            used = 0
        made[f"{kind}_total"], made[f"{kind}_used"] = total, used
        made[f"{kind}_free"] = None if used is None or total is None else total - used
        made[f"{kind}_percent"] = percent(used, total)
    return made


def answer(asked: Asked, wanted: Capacity) -> Answer:
    """How full the named hosts are, or the hosts in order of what was asked."""
    ids = [Test("id", "=", (one.key[2],)) for one in wanted.hosts]
    clouds = [Test("cloud", "=", (cloud,)) for cloud in wanted.clouds]
    result, rows = hosts(asked, AnyOf(tuple(ids or clouds)) if ids or clouds else EVERYTHING)
    kinds = [kind for kind in wanted.kinds if kind in _TOTALS] or list(_TOTALS)
    if not wanted.said and wanted.ranked:
        kinds = ["vcpus", "ram_mb", "disk_gb"]
    if not wanted.hosts:
        rows = [row for row in _ordered(rows, kinds[0], wanted) if _is_enough(row, kinds[0], wanted)]
    if not rows and wanted.least_amount:
        return Answer("answer", "None: no host has that.", value=0, shown=(Shown(result.sql),))
    if not rows:
        return Answer("answer", "None: no hosts were collected, or your role does not cover them.")
    text = _of_hosts(rows, kinds) if wanted.hosts else _ranked(rows, kinds[0], wanted)
    value, unit = _value(rows, kinds[0], wanted)
    return Answer(
        "answer",
        text,
        intent={"vcpus": "capacity_cpu", "ram_mb": "capacity_memory"}.get(kinds[0], "capacity_storage"),
        value=value,
        unit=unit,
        table=_table(rows[: wanted.most_rows], kinds),
        shown=(Shown(result.sql),),
        scope=tuple(f"host {wording.clean(one.name)}" for one in wanted.hosts),
        data_at=asked.sources.data_at(("hypervisor",)),
        named=wanted.hosts,
    )


def _ordered(rows: list[dict[str, Any]], kind: Kind, wanted: Capacity) -> list[dict[str, Any]]:
    what = {"free": "free", "used": "used", "percent": "percent", "total": "percent"}[wanted.wanted]
    if wanted.overcommit:
        what = "percent"
    known = [row for row in rows if row[f"{kind}_{what}"] is not None]
    return sorted(known, key=lambda row: row[f"{kind}_{what}"] * (1 if wanted.least else -1))


def _is_enough(row: Mapping[str, Any], kind: Kind, wanted: Capacity) -> bool:
    """Whether the host has as much as was asked for."""
    asked = wanted.least_amount
    if asked is None:
        return True
    share = asked.unit == "%"
    has = row[f"{kind}_percent" if share else f"{kind}_{'free' if wanted.wanted == 'free' else 'used'}"]
    if share and wanted.wanted == "free":
        has = 100 - has
    amount = asked.value / 1024 if kind == "disk_gb" and not share else asked.value
    return COMPARE[asked.comparison or "="](has, amount)


def _value(rows: Sequence[Mapping[str, Any]], kind: Kind, wanted: Capacity) -> tuple[Any, str]:
    if wanted.each and wanted.ranked:
        return rows[0]["name"], ""
    if len(rows) != 1 or not wanted.said:
        return None, ""
    if wanted.overcommit:
        return round(rows[0][f"{kind}_used"] / rows[0][f"{kind}_total"], 2), ""
    what = {"free": "free", "used": "used", "percent": "percent", "total": "total"}[wanted.wanted]
    return rows[0][f"{kind}_{what}"], "%" if what == "percent" else _UNITS[kind]


def _said(row: Mapping[str, Any], kind: Kind) -> str:
    unit, used, total = _UNITS[kind], row[f"{kind}_used"], row[f"{kind}_total"]
    if total is None:
        return f"{_NAMES[kind]} unknown"
    if used is None:
        return f"{wording.measured(total, unit)} {_NAMES[kind]}, what is used is not known"
    left = row[f"{kind}_free"]
    rest = f"{wording.measured(left, unit)} left" if left >= 0 else f"{wording.measured(-left, unit)} overcommitted"
    return f"{of(used, total, unit)} {_NAMES[kind]} used, {rest}"


def _of_hosts(rows: Sequence[Mapping[str, Any]], kinds: Sequence[Kind]) -> str:
    told = []
    for row in rows[:5]:
        state = "" if row["usable"] else " (not up or disabled)"
        told.append(f"Host {wording.clean(row['name'])}{state}: {'; '.join(_said(row, kind) for kind in kinds)}.")
    return " ".join(told)


def _ranked(rows: Sequence[Mapping[str, Any]], kind: Kind, wanted: Capacity) -> str:
    if wanted.least_amount:
        names = wording.listed([wording.clean(row["name"]) for row in rows], len(rows))
        return f"{len(rows)} {'host has' if len(rows) == 1 else 'hosts have'} it, by {_NAMES[kind]}: {names}."
    rows = rows[: wanted.most_rows]
    first = f"Host {wording.clean(rows[0]['name'])}{'' if rows[0]['usable'] else ' (down or disabled)'}"
    what = {"free": "free", "used": "used", "percent": "full", "total": "full"}[wanted.wanted]
    order = f"the {'least' if wanted.least else 'most'} {what}, by {_NAMES[kind]}"
    lead = f"{first} comes first ({order}): {_said(rows[0], kind)}."
    then = [f"{wording.clean(row['name'])}{'' if row['usable'] else ' (down or disabled)'}" for row in rows[1:4]]
    return f"{lead} Then {', '.join(then)}." if then else lead


def _table(rows: Sequence[dict[str, Any]], kinds: Sequence[Kind]) -> Table:
    columns = [Field("name", "HOST", "name"), Field("cloud", "CLOUD")]
    for kind in kinds:
        columns += [Field(f"{kind}_used", f"{_SHORT[kind]} USED", _ROLES[kind]),
                    Field(f"{kind}_total", f"{_SHORT[kind]} TOTAL", _ROLES[kind]),
                    Field(f"{kind}_free", f"{_SHORT[kind]} FREE", _ROLES[kind]),
                    Field(f"{kind}_percent", f"{_SHORT[kind]} %", "number")]  # fmt: skip
    shown = tuple({field.name: row[field.name] for field in columns} for row in rows[:200])
    return Table(tuple(columns), shown, len(rows), tuple(row["key"] for row in rows[:200]))


def not_usable(asked: Asked, clouds: Sequence[str]) -> str:
    """That hosts which take no machines are in the sums; "" where all do."""
    _, rows = hosts(asked)
    out = [wording.clean(row["name"]) for row in rows if not row["usable"] and (not clouds or row["cloud"] in clouds)]
    if not out:
        return ""
    return f" This counts {listed(out) if len(out) <= 3 else f'{len(out)} hosts'}, which {_IS[len(out) > 1]}."


_IS = {False: "is down or disabled", True: "are down or disabled"}
