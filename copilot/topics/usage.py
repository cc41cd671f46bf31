"""What projects use: servers, vCPUs, RAM, volumes and storage, of one or of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from copilot.answering import wording
from copilot.answers import Answer, Shown, Table
from copilot.execution.run import run
from copilot.query import EVERYTHING, AnyOf, Condition, Counted, Query, Test
from copilot.topics.measures import listed, resources_in
from copilot.topics.speech import Speech, knows, telling
from copilot.topics.topic import Asked, Topic

MOST_PROJECTS = 30  # of all of them, by what they use
_USAGE = ("usage", "consumption", "consume", "consumes", "consuming", "consumed", "footprint", "utilization",
          "utilisation")  # fmt: skip
_WHOLE = ("resources", "resource")
_USE = ("use", "uses", "used", "using", "occupy", "occupies", "take", "takes")
_NOUNS = ("project", "projects", "tenant", "tenants", "customer", "customers", "<project>", "each", "every",
          "everybody", "who")  # fmt: skip
_KNOWN = knows(
    "usage consumption consume consumes consuming consumed footprint utilization utilisation resources resource use "
    "uses used using occupy occupies taken takes take up total overall project projects tenant tenants customer "
    "customers by per each details summary report overview statistics stats everybody who most top biggest table "
    "account cloud compute",
    ("project",),
)
# name of the number, column of the answer, head, unit
_NUMBERS = (("servers", "server", "count", "", ""), ("vcpus", "server", "sum", "vcpus", ""),
            ("ram_mb", "server", "sum", "ram_mb", "MB"), ("volumes", "volume", "count", "", ""),
            ("volume_gb", "volume", "sum", "size_gb", "GB"))  # fmt: skip
_SAID = {"servers": ("server", "servers"), "vcpus": ("vCPU", "vCPUs"), "ram_mb": ("RAM", "RAM"),
         "volumes": ("volume", "volumes"), "volume_gb": ("of storage", "of storage")}  # fmt: skip


def _claims(asked: Asked) -> float:
    heard = Speech.of(asked)
    if heard.has("quota", "quotas", "limit", "limits") or resources_in(heard):
        return 0.0
    about_all = (
        heard.has(*_USAGE)
        or (heard.has(*_WHOLE) and heard.has(*_USE))
        or heard.matches(r"^(so |and )?what (is|are|does|do) <project> (using|use|consuming)$")
        or heard.matches(r"^(show |give |the |list |total |overall )*resource (usage|consumption)( overview| report)?$")
        or heard.matches(r"^(and )?what (do|does) (each|every|all|the|all the) (projects?|tenants?) (use|consume)$")
        or heard.matches(r"^(show |list |the |all |what )*resources (of|in|for) <project>$")
        or heard.matches(r"^(and )?how much (do|does|is) <project> (use|uses|using|used|take|takes)$")
    )
    plain = heard.matches(r"\bresource (usage|consumption)\b")
    if not (about_all and (asked.of_type("project") or heard.has(*_NOUNS) or plain)):
        return 0.0
    return _KNOWN.claim(asked)


def _answer(asked: Asked) -> Answer | None:
    projects = asked.of_type("project")
    counted = tuple(
        Counted(name, relation, EVERYTHING, kind, column)  # type: ignore[arg-type]
        for name, relation, kind, column, _ in _NUMBERS
    )
    query = Query(
        "project",
        _these([one.key[2] for one in projects]),
        counted=counted,
        order=(("vcpus", True), ("servers", True), ("name", False)),
        limit=MOST_PROJECTS,
        columns=("name",),
    )
    result = run(query, asked.sources, asked.context.now)
    rows = [{**row, **{name: row.get(name) or 0 for name, *_ in _NUMBERS}} for row in result.rows]
    return Answer(
        "answer",
        _text(rows, bool(projects), result.total),
        intent="resource_usage",
        table=Table(result.columns, tuple(rows), result.total, result.keys),
        shown=(Shown(result.sql),),
        data_at=asked.sources.data_at(("project", "server", "volume")),
        named=projects,
        query=query,
    )


def _these(ids: Sequence[str]) -> Condition:
    return AnyOf(tuple(Test("id", "=", (one,)) for one in dict.fromkeys(ids))) if ids else EVERYTHING


def _text(rows: Sequence[dict[str, Any]], named: bool, total: int) -> str:
    if not rows:
        return "None: there are no projects."
    told = [f"{wording.clean(str(row['name']))} uses {_parts(row)}." for row in rows[: 3 if named else 1]]
    if named:
        return f"Project {' Project '.join(told)}"
    count = f"{total} projects" if total > 1 else "1 project"
    return f"What {count} use, the largest first: {' '.join(told)}"


def _parts(row: dict[str, Any]) -> str:
    return listed([_part(name, row[name], unit) for name, *_, unit in _NUMBERS])


def _part(name: str, value: float, unit: str) -> str:
    one, several = _SAID[name]
    return f"{wording.measured(value, unit)} {one if value == 1 else several}"


TOPIC = Topic("resource_usage", _claims, telling(_answer, _KNOWN))
