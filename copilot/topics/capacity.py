"""Capacity: processors, memory and disks of clouds and hosts, what is used of them and what is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from copilot.answering import wording
from copilot.answers import Answer, Field, Shown, Table
from copilot.execution.run import run
from copilot.model.registry import entity
from copilot.query import AnyOf, Query, Test
from copilot.topics import capacity_hosts
from copilot.topics.capacity_words import KNOWN, Capacity, Kind, base, heard
from copilot.topics.measures import listed, of, percent
from copilot.topics.speech import Knows, telling
from copilot.topics.topic import Asked, Topic

_INTENTS = {"vcpus": "capacity_cpu", "ram_mb": "capacity_memory", "disk_gb": "capacity_storage",
            "pool_gb": "capacity_storage"}  # fmt: skip
NAMES: Mapping[Kind, str] = {"vcpus": "vCPUs", "ram_mb": "RAM", "disk_gb": "local disk", "pool_gb": "storage pools"}
UNITS: Mapping[Kind, str] = {"vcpus": "", "ram_mb": "MB", "disk_gb": "GB", "pool_gb": "GB"}
_COLUMNS = (Field("cloud", "CLOUD"), Field("resource", "RESOURCE"), Field("used", "USED", "number"),
            Field("total", "TOTAL", "number"), Field("free", "FREE", "number"), Field("unit", "UNIT"),
            Field("percent", "USED %", "number"))  # fmt: skip


def _claims(asked: Asked) -> float:
    found = base(asked)
    if found and _is_a_state(asked):
        return 0.0
    return _known(asked).claim(asked, found) if found else 0.0


def _is_a_state(asked: Asked) -> bool:
    """ "list free disks": volumes and addresses that are attached to nothing are the grammar's."""
    frame = asked.frame
    if frame is None or asked.left or frame.entity not in ("volume", "port", "floating_ip"):
        return False
    plural = any(item.said in entity(frame.entity).plural_words for item in asked.items)
    return plural and any(piece.dimension.startswith(("column:", "state:")) for piece in frame.pieces)


def _known(asked: Asked) -> Knows:
    return replace(KNOWN, numbers=True) if heard(asked).counts_all else KNOWN


def _answer(asked: Asked) -> Answer | None:
    wanted = heard(asked)
    if wanted.hosts or wanted.each:
        return capacity_hosts.answer(asked, wanted)
    rows = [row for kind in wanted.kinds for row in _rows(asked, wanted, kind)]
    if not rows:
        return Answer("answer", "None: no hosts or storage pools were collected, or your role does not cover them.")
    sums = [_sum(kind, [row for row in rows if row["kind"] == kind]) for kind in wanted.kinds]
    sums = [one for one in sums if one["total"] is not None]
    return Answer(
        "answer",
        _text(wanted, sums) + capacity_hosts.not_usable(asked, wanted.clouds),
        intent=_INTENTS[wanted.kinds[0]] if wanted.said else "infrastructure_overview",
        value=_value(wanted, sums),
        unit=_unit(wanted, sums),
        table=Table(_COLUMNS, tuple({f.name: row[f.name] for f in _COLUMNS} for row in rows), len(rows)),
        shown=(Shown("capacity of hosts and storage pools, by cloud", "list"),),
        scope=tuple(f"cloud {wording.clean(cloud)}" for cloud in wanted.clouds),
        data_at=asked.sources.data_at(("hypervisor",)),
    )


def _rows(asked: Asked, wanted: Capacity, kind: Kind) -> Iterable[dict[str, Any]]:
    if kind == "pool_gb":
        found: Iterable[tuple[str, Any, Any]] = _pools(asked)
    else:
        found = [(one["cloud"], one[kind], one[f"{kind}_used"]) for one in asked.sources.capacity()]
    for cloud, total, used in found:
        if total is None or (wanted.clouds and cloud not in wanted.clouds):
            continue
        free = None if used is None else total - used
        yield {"kind": kind, "cloud": cloud, "resource": NAMES[kind], "used": used, "total": total, "free": free,
               "unit": UNITS[kind], "percent": percent(used, total)}  # fmt: skip


def _pools(asked: Asked) -> list[tuple[str, Any, Any]]:
    if not asked.sources.may("storage_pool"):
        return []
    query = Query("storage_pool", AnyOf((Test("total_gb", ">", (0,)),)), columns=("cloud", "total_gb", "free_gb"))
    sums: dict[str, list[float]] = {}
    for row in run(query, asked.sources, asked.context.now).rows:
        if row["free_gb"] is not None:
            one = sums.setdefault(row["cloud"], [0, 0])
            one[0] += row["total_gb"]
            one[1] += row["total_gb"] - row["free_gb"]
    return [(cloud, total, used) for cloud, (total, used) in sorted(sums.items())]


def _sum(kind: Kind, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    known = [row for row in rows if row["used"] is not None]
    total = sum(row["total"] for row in rows) if rows else None
    used = sum(row["used"] for row in known) if known and len(known) == len(rows) else None
    return {"kind": kind, "total": total, "used": used, "percent": percent(used, total)}


def _text(wanted: Capacity, sums: Sequence[Mapping[str, Any]]) -> str:
    if wanted.overcommit:
        return _overcommit(sums)
    parts = []
    for one in sums:
        kind, unit = one["kind"], UNITS[one["kind"]]
        if one["used"] is None:
            parts.append(f"{wording.measured(one['total'], unit)} {NAMES[kind]} in all, what is used is not known")
            continue
        left = one["total"] - one["used"]
        over = left < 0
        rest = f"{wording.measured(abs(left), unit)} {'more than there is' if over else 'left'}"
        parts.append(f"{of(one['used'], one['total'], unit)} {NAMES[kind]} used, {rest}")
    return f"{'; '.join(parts)[:1].upper()}{'; '.join(parts)[1:]}."


def _overcommit(sums: Sequence[Mapping[str, Any]]) -> str:
    told = [
        f"{NAMES[one['kind']]} {one['used'] / one['total']:.2f} ({of(one['used'], one['total'], UNITS[one['kind']])})"
        for one in sums
        if one["used"] is not None and one["total"] and one["kind"] in ("vcpus", "ram_mb")
    ]
    return f"Promised to machines for each one that there is: {listed(told)}. Above 1.00 it is overcommitted."


def _value(wanted: Capacity, sums: Sequence[Mapping[str, Any]]) -> Any:
    if not wanted.said or not sums:
        return None
    one = sums[0]
    if wanted.overcommit:
        return round(one["used"] / one["total"], 2) if one["used"] is not None and one["total"] else None
    if wanted.wanted == "free":
        return None if one["used"] is None else one["total"] - one["used"]
    return one[{"used": "used", "percent": "percent", "total": "total"}[wanted.wanted]]


def _unit(wanted: Capacity, sums: Sequence[Mapping[str, Any]]) -> str:
    if not wanted.said or not sums or wanted.overcommit:
        return ""
    return "%" if wanted.wanted == "percent" else UNITS[sums[0]["kind"]]


TOPIC = Topic("capacity", _claims, telling(_answer, _known))
