"""Quota: limits and what is used of them, asked of the cloud now; over all projects, as it was last collected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from copilot.answering.wording import clean
from copilot.answers import Answer, Field, Key, Named, Proposal, Shown, Table
from copilot.topics import measures
from copilot.topics.measures import RESOURCE_WORDS, amount, level, listed, percent, resources_in, said
from copilot.topics.quota_stored import over_all, threshold
from copilot.topics.speech import Knows, Speech, knows, telling
from copilot.topics.topic import Asked, Topic

MOST_PROJECTS = 5  # that the cloud is asked for at once
_QUOTA = ("quota", "quotas", "limit", "limits", "allowance", "allotment", "qouta")
_LEFT = ("left", "remaining", "remains", "free", "available", "more", "headroom", "spare", "room", "unused",
         "still")  # fmt: skip
_USED = ("used", "use", "uses", "using", "usage", "consumed", "consumption", "utilization", "utilisation", "consume",
         "consumes")  # fmt: skip
_SHARE = ("full", "percent", "percentage", "%", "share", "utilization", "utilisation", "fraction", "part")
_OVER = ("over", "above", "exceed", "exceeds", "exceeded", "exceeding", "beyond")
_AT = ("full", "reached", "hit", "at", "exhausted", "out", "maxed", "up")
_NEAR = ("near", "close", "nearly", "almost", "approaching", "running", "soon")
_WITHIN = ("within", "below", "under", "inside")
_MAY = r"\b(may|can|could|allowed|permitted|entitled|able)\b"
_CREATES = (
    r"^(so |and )?(can|may|could|is|are|will) <project> (still )?(allowed to |able to )?"
    r"(create|have|use|run|launch|start|build|make|get|add|boot|deploy) (another|<number>|one more)"
)
_KNOWN = knows(
    "may might allowed permitted entitled able create run have use uses its configured live maximum max high big large "
    "details status defined set current actual vs versus against compared compare utilized spent over limit project "
    "projects tenant tenants resource resources does still yet much launch build start add own report check level "
    "what's make another deploy enough highest most run ran get gets given got fully completely actually reach "
    "hits fit fits boot",
    ("project",),
    numbers=True,
    also={*RESOURCE_WORDS, *_QUOTA, *_LEFT, *_USED, *_SHARE, *_OVER, *_AT, *_NEAR, *_WITHIN},
)
_FOLLOWING: Knows = knows("what about same how and for", ("project",), also=RESOURCE_WORDS)
_COLUMNS = (Field("resource", "RESOURCE"), Field("limit", "LIMIT", "number"), Field("used", "USED", "number"),
            Field("left", "LEFT", "number"), Field("percent", "USED %", "number"),
            Field("level", "LEVEL", "status"))  # fmt: skip


def _claims(asked: Asked) -> float:
    heard = Speech.of(asked)
    if _goes_on(asked):
        return 0.97
    if not asked.of_type("project"):
        return _KNOWN.claim(asked, 1.0) if heard.has(*_QUOTA) and over_all(heard) else 0.0
    if heard.has(*_QUOTA) or _asks_what_is_allowed(heard):
        return _KNOWN.claim(asked)
    return 0.0


def _asks_what_is_allowed(heard: Speech) -> bool:
    if resources_in(heard) and heard.matches(_CREATES):
        return True
    return heard.matches(_MAY) and heard.matches(r"^(and )?how (many|much)\b") and bool(resources_in(heard))


def _goes_on(asked: Asked) -> bool:
    """ "and of acme-dev?" behind a question for a quota."""
    before = asked.context.turns[-1].topic if asked.context.turns else ""
    if before not in ("configured_quota", "quota_and_usage") or _FOLLOWING.beyond(asked):
        return False
    heard = Speech.of(asked)
    return bool(asked.of_type("project") or resources_in(heard)) and asked.parse.follow != set()


def _answer(asked: Asked) -> Answer | None:
    heard = Speech.of(asked)
    projects = list(dict.fromkeys(one for one in asked.of_type("project")))
    if not projects and _goes_on(asked):
        projects = [one for one in asked.context.turns[-1].named if one.type == "project"]
    if not projects:
        from copilot.topics.quota_stored import answer

        return answer(asked, heard)
    if len(projects) > MOST_PROJECTS:
        return None
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    for project in projects:
        found = asked.sources.quota(project.key)
        problems += [clean(str(one), 200) for one in found.get("problems", ())]
        rows += [_row(project, item) for item in found["items"]]
    wanted = resources_in(heard)
    chosen = [row for row in rows if not wanted or row["resource"].partition(" of ")[0] in wanted]
    if wanted and not chosen:
        return _unknown(projects, wanted, asked)
    return _told(asked, heard, projects, chosen, wanted, problems)


def _row(project: Named, item: Mapping[str, Any]) -> dict[str, Any]:
    limit = item["limit"] if item["limit"] is not None and item["limit"] >= 0 else None
    used = item["used"]
    share = percent(used, limit)
    left = None if limit is None or used is None else max(limit - used, 0)
    return {"project": project.name, "cloud": item["cloud"], "region": item["region"], "resource": item["resource"],
            "limit": limit, "used": used, "left": left, "percent": share, "level": level(share),
            "key": project.key}  # fmt: skip


def _unknown(projects: Sequence[Named], wanted: Sequence[str], asked: Asked) -> Answer:
    what, name = listed([said(one) for one in wanted]), clean(projects[0].name)
    return Answer("answer", f"The cloud told no quota of {what} for project {name}.", live=True, named=tuple(projects),
                  intent="configured_quota")  # fmt: skip


def _told(asked: Asked, heard: Speech, projects: Sequence[Named], rows: list[dict[str, Any]], wanted: Sequence[str],
          problems: Sequence[str]) -> Answer:  # fmt: skip
    both = heard.has(*_USED, *_SHARE, *_LEFT, "vs", "versus", "against") or not wanted or _is_yes_no(heard)
    if heard.has(*_USED, *_SHARE):
        rows.sort(key=lambda row: -(row["percent"] if row["percent"] is not None else -1.0))
    value, unit = _value(heard, rows)
    text = _text(heard, projects, rows, both)
    if _is_yes_no(heard):
        value, unit = _holds(asked, heard, rows), ""
        text = f"{'Yes' if value else 'No'}: {text[0].lower()}{text[1:]}" if text else ""
    if problems:
        text += f" Not asked: {'; '.join(problems[:3])}."
    keys = tuple(("project", row["key"]) for row in rows)
    asked_for = " and ".join(clean(one.name) for one in projects)
    return Answer(
        "answer",
        text,
        intent="quota_and_usage" if heard.has(*_USED, *_SHARE) else "configured_quota",
        value=value,
        unit=unit,
        table=_table(rows, len(projects) > 1, keys),
        shown=(Shown(f"quota of project {asked_for}, asked of the cloud now", "live"),),
        live=True,
        named=tuple(projects),
        proposals=(Proposal("open", f"open project {asked_for}", type="project", keys=(projects[0].key,)),),
    )


def _table(rows: Sequence[Mapping[str, Any]], several: bool, keys: tuple[tuple[str, Key], ...]) -> Table:
    columns = list(_COLUMNS)
    for name in ("region", "cloud", *(("project",) if several else ())):
        if name == "project" or len({row[name] for row in rows}) > 1:
            columns.insert(0, Field(name, name.upper()))
    shown = tuple({name: value for name, value in row.items() if name != "key"} for row in rows)
    return Table(tuple(columns), shown, len(rows), keys)


def _value(heard: Speech, rows: Sequence[Mapping[str, Any]]) -> tuple[Any, str]:
    """The one number that was asked for: of one resource in one region."""
    if len(rows) != 1:
        return None, ""
    row = rows[0]
    if heard.has(*_LEFT):
        return row["left"], measures.unit(row["resource"])
    if heard.has(*_SHARE) or heard.matches("how much of"):
        return row["percent"], "%" if row["percent"] is not None else ""
    if heard.has("used", "usage", "uses", "consumed", "consumes", "using") and not _asks_what_is_allowed(heard):
        return row["used"], measures.unit(row["resource"])
    return row["limit"], measures.unit(row["resource"])


def _is_yes_no(heard: Speech) -> bool:
    if heard.matches(_CREATES):
        return True
    if not heard.matches(r"^(and |so |but )?(is|are|has|have|does|do|did|will|can)\b"):
        return False
    return heard.has(*_OVER, *_AT, *_NEAR, *_WITHIN) or heard.matches(r"\b(any|some|enough|room|left|free)\b")


def _holds(asked: Asked, heard: Speech, rows: Sequence[Mapping[str, Any]]) -> bool:
    if heard.has(*_LEFT, "enough") or heard.matches(_CREATES):
        wanted = next((item.quantity.value for item in asked.items if item.quantity), 1)
        return all(row["limit"] is None or (row["left"] or 0) >= wanted for row in rows)
    share, strictly = threshold(asked, heard)
    over = any(measures.exceeds(row["used"], row["limit"], share, strictly) for row in rows)
    return not over if heard.has(*_WITHIN) else over


def _text(heard: Speech, projects: Sequence[Named], rows: Sequence[Mapping[str, Any]], both: bool) -> str:
    sentences = []
    for project in projects:
        own = [row for row in rows if row["key"] == project.key]
        places = list(dict.fromkeys((row["cloud"], row["region"]) for row in own))
        for place in places:
            here = [row for row in own if (row["cloud"], row["region"]) == place]
            where = f" in {clean(place[1] or place[0])}" if len(places) > 1 else ""
            told = listed([_said(row, both, heard) for row in here])
            sentences.append(f"Project {clean(project.name)}{where} {'uses' if both else 'may use'} {told}.")
    full = [row for row in rows if row["level"] == "critical"]
    if both and full and len(rows) > 1:
        sentences.append(f"Critical (90% and more): {listed(_distinct(said(row['resource']) for row in full))}.")
    return " ".join(sentences)


def _distinct(names: Any) -> list[str]:
    return list(dict.fromkeys(names))


def _said(row: Mapping[str, Any], both: bool, heard: Speech) -> str:
    resource = row["resource"]
    if not both:
        return f"{amount(row['limit'], resource)} {said(resource)}"
    used = amount(row["used"], resource) if row["used"] is not None else "an unknown number"
    if row["limit"] is None:
        return f"{used} {said(resource)} (unlimited)"
    left = f", {amount(row['left'], resource)} left" if heard.has(*_LEFT) else ""
    share = f" ({row['percent']:g}%{left})" if row["percent"] is not None else ""
    return f"{used} of {amount(row['limit'], resource)} {said(resource)}{share}"


TOPIC = Topic("configured_quota", _claims, telling(_answer, _KNOWN))
