"""Quotas of all projects as they were last collected: who is above a share of a limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from copilot.answering.wording import clean
from copilot.answers import Answer, Field, Shown, Table
from copilot.execution.run import run
from copilot.query import Query, Test
from copilot.topics import measures
from copilot.topics.speech import Speech
from copilot.topics.topic import Asked

_LIMITS = ("instances", "cores", "ram_mb", "volumes", "gigabytes", "snapshots", "backups", "backup_gigabytes",
           "networks", "subnets", "ports", "routers", "floating_ips", "security_groups", "security_group_rules",
           "server_groups")  # fmt: skip
_COLUMNS = (Field("project", "PROJECT", "name"), Field("cloud", "CLOUD"), Field("region", "REGION"),
            Field("resource", "RESOURCE"), Field("used", "USED", "number"), Field("limit", "LIMIT", "number"),
            Field("percent", "USED %", "number"))  # fmt: skip
_WHO = ("projects", "project", "tenants", "tenant", "anyone", "anybody", "who", "any", "all", "every", "customers",
        "customer", "everybody", "somebody", "someone")  # fmt: skip
_HOW = ("over", "above", "exceed", "exceeds", "exceeded", "exceeding", "near", "close", "nearly", "almost", "reached",
        "hit", "full", "beyond", "approaching", "exhausted", "running", "maxed", "<number>")  # fmt: skip


def over_all(heard: Speech) -> bool:
    """Whether it asks which projects are near or above their limits."""
    ranked = heard.has("highest", "most", "fullest") and heard.has("used", "usage", "use", "percent")
    return heard.has(*_WHO) and (heard.has(*_HOW) or ranked)


def threshold(asked: Asked, heard: Speech) -> tuple[float, bool]:
    """(percent, whether it must be more than that) that the question speaks of."""
    for item in asked.items:
        if item.quantity and item.quantity.unit == "%":
            return item.quantity.value, item.quantity.comparison == ">"
        if item.quantity and 50 <= item.quantity.value <= 100:
            return item.quantity.value, item.quantity.comparison == ">"
    if heard.has("near", "close", "nearly", "almost", "approaching", "running", "soon"):
        return 90.0, False
    if heard.has("highest", "most", "fullest"):
        return 0.0, False
    return 100.0, heard.has("over", "above", "exceed", "exceeds", "exceeded", "exceeding", "beyond")


def answer(asked: Asked, heard: Speech) -> Answer:
    """Every limit of which the share is used, the fullest first."""
    share, strictly = threshold(asked, heard)
    columns = ("project_name", "project_id", "cloud", "region", *(f"{one}_limit" for one in _LIMITS),
               *(f"{one}_used" for one in _LIMITS))  # fmt: skip
    # The column is rounded; which limits are really above the share is compared below.
    query = Query("quota", Test("fullest_percent", ">=", (share - 0.1,)), columns=columns,
                  order=(("fullest_percent", True),))  # fmt: skip
    result = run(query, asked.sources, asked.context.now)
    wanted = measures.resources_in(heard)
    found = sorted(_full(result.rows, share, strictly, wanted), key=lambda row: -row["percent"])
    projects = list(dict.fromkeys(clean(str(row["project"])) for row in found))
    said = measures.listed([measures.said(one) for one in wanted]) if wanted else "a"
    quota = f"{'their' if wanted else 'a'} {said if wanted else ''} quota".replace("  ", " ")
    how = f"{'more than' if strictly else 'at least'} {share:g}% of {quota}"
    yes_no = heard.matches(r"^(is|are|does|do|has|have)\b")
    if found:
        most = [f"{clean(str(r['project']))} {measures.said(r['resource'])} {r['percent']:g}%" for r in found[:6]]
        more = f" and {len(found) - 6} more" if len(found) > 6 else ""
        count = f"{len(projects)} project{'s use' if len(projects) > 1 else ' uses'}"
        text = f"{count} {how}: {', '.join(most)}{more}."
    else:
        text = f"No project uses {how}."
    if found and not share:
        text = f"The fullest first: {', '.join(most)}{more}."
    if yes_no:
        text = f"{'Yes' if found else 'No'}: {text[0].lower()}{text[1:]}"
    shown = tuple({name: value for name, value in row.items() if name != "id"} for row in found[:200])
    return Answer(
        "answer",
        text,
        intent="quota_and_usage",
        value=bool(found) if yes_no else None,
        table=Table(_COLUMNS, shown, len(found), tuple(("project", (r["cloud"], "", r["id"])) for r in found[:200])),
        shown=(Shown(result.sql),),
        data_at=asked.sources.data_at(("quota",)),
    )


def _full(
    rows: tuple[dict[str, Any], ...], share: float, strictly: bool, wanted: list[str]
) -> Iterator[dict[str, Any]]:
    for row in rows:
        for name in _LIMITS:
            resource = name.removesuffix("_mb")
            used = _percent(row, name)
            if (wanted and resource not in wanted) or used is None:
                continue
            if measures.exceeds(row[f"{name}_used"], row[f"{name}_limit"], share, strictly):
                yield {"project": row["project_name"], "id": row["project_id"], "cloud": row["cloud"],
                       "region": row["region"], "resource": resource, "used": row[f"{name}_used"],
                       "limit": row[f"{name}_limit"], "percent": used}  # fmt: skip


def _percent(row: Mapping[str, Any], name: str) -> float | None:
    return measures.percent(row[f"{name}_used"], row[f"{name}_limit"])
