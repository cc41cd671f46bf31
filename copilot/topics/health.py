"""Health of tenants: scores, who is worst, why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from copilot.answering.wording import clean, number
from copilot.answers import Answer, Proposal
from copilot.query import Condition, Test, both
from copilot.topics.listing import called, fetch, plural, shown, table
from copilot.topics.measures import listed
from copilot.topics.speech import Knows, Speech, knows, telling
from copilot.topics.topic import Asked, Topic

_HEALTH = ("health", "healthy", "unhealthy", "healthiest", "unhealthiest", "healthier", "sick", "sickest", "scores",
           "score", "healthscore", "wellbeing")  # fmt: skip
_NOUNS = ("project", "projects", "tenant", "tenants", "<project>", "customer", "customers", "org", "orgs", "who")
_WORST = ("worst", "lowest", "sickest", "unhealthiest", "bottom", "poorest", "least", "weakest")
_BEST = ("best", "healthiest", "highest", "top", "most")
_WORST_ONES = (
    r"^(who|which|what|show|list|the|are|is|me|give|top|<number>| )*(worst|sickest)( <number>)?"
    r" (tenants?|projects?|customers?)$"
)
_BARE = (
    r"^(the |what is the |whats the )?(worst|lowest|best|highest) health( score)?$"
    r"|\bhow are the (tenants|projects) doing\b"
)
_SEVERE = {"critical": "critical", "red": "critical", "bad": "critical", "warning": "warning", "yellow": "warning",
           "green": "healthy"}  # fmt: skip
_KNOWN = knows(
    "score low lower bad high reason reasons why because so average mean status state report list overview summary "
    "check grade grades cause caused causes wrong with unwell not doing well poor problem problems points as below "
    "compare versus vs above rank ranking ranked by order table overall over under",
    ("project", "cloud", "domain"),
    also={*_HEALTH, *_NOUNS, *_WORST, *_BEST, *_SEVERE},
)


def _claims(asked: Asked) -> float:
    heard = Speech.of(asked)
    if heard.matches(_WORST_ONES):
        return _known(asked).claim(asked, 0.9)
    if not heard.has(*_HEALTH) or asked.of_type("server", "hypervisor", "volume", "network"):
        return 0.0
    about_tenants = heard.has(*_NOUNS) or any("project" in item.entities for item in asked.items)
    alone = (
        bool(asked.of_type("domain"))
        or heard.matches(_BARE)
        or heard.has("scores")
        or heard.matches(r"\bhealth (score|scores|report|check|status|list)\b")
    )
    if not (about_tenants or alone) or heard.matches(r"\b(vms?|servers?|hosts?|volumes?|cloud)\b"):
        return 0.0
    return _known(asked).claim(asked)


def _known(asked: Asked) -> Knows:
    return Knows(_KNOWN.words, _KNOWN.types, numbers=_number(asked) is not None)


def _number(asked: Asked) -> Condition | int | None:
    """ "score below 60" as a condition, "the 3 worst" as a count."""
    found = [item.quantity for item in asked.items if item.quantity]
    if len(found) != 1 or found[0].unit not in ("", "%"):
        return None
    one = found[0]
    if one.comparison and one.comparison != "!=" and one.upper is None:
        return Test("score", one.comparison, (one.value,))
    return int(one.value) if not one.comparison else None


def _answer(asked: Asked) -> Answer | None:
    heard = Speech.of(asked)
    projects = asked.of_type("project")
    if heard.has("average", "mean"):
        return _average(asked, called(asked, "project_name", "project"))
    if projects:
        return _of_projects(asked, heard)
    wanted = _number(asked)
    where: list[Condition] = [*called(asked, "cloud", "cloud"), *called(asked, "domain_name", "domain")]
    severe = next((grade for word, grade in _SEVERE.items() if heard.has(word)), None)
    if isinstance(wanted, Test):
        where.append(wanted)
    elif severe:
        where.append(Test("grade", "=", (severe,)))
    elif heard.has("unhealthy", "sick", "unwell") or heard.matches(r"\bnot (healthy|well)\b"):
        where.append(Test("grade", "=", ("warning", "critical")))
    elif heard.has("healthy") and not heard.has(*_WORST, *_BEST) and (heard.has("many") or not heard.has("how")):
        where.append(Test("grade", "=", ("healthy",)))
    best = heard.has(*_BEST) and not heard.has("unhealthy", "sick")
    ranked = best or heard.has(*_WORST)
    one = ranked and not heard.matches(r"\b(tenants|projects|customers|orgs|scores)\b") and wanted is None
    limit = 1 if one else wanted if isinstance(wanted, int) else None
    result = fetch(asked, "tenant_health", both(*where), order=(("score", best), ("project_name", False)), limit=limit)
    return Answer(
        "answer",
        _listed(result.rows, result.total, ranked, best, bool(where), limit),
        intent="tenant_health",
        value=_value(result.rows, result.total, one, heard),
        table=table(result),
        shown=shown(result),
        data_at=asked.sources.data_at(("tenant_health",)),
        proposals=(Proposal("pane", "open the health of tenants", name="health"),),
    )


def _value(rows: Sequence[Mapping[str, Any]], total: int, one: bool, heard: Speech) -> Any:
    if heard.matches(r"^(how many|number of|count)\b"):
        return total
    if heard.matches(r"^(is|are|do|does) (any|there|some|we)\b"):
        return total > 0
    return rows[0]["project_name"] if one and rows else None


def _average(asked: Asked, where: Sequence[Condition]) -> Answer:
    result = fetch(asked, "tenant_health", both(*where))
    scores = [row["score"] for row in result.rows if row["score"] is not None]
    value = round(sum(scores) / len(scores), 1) if scores else None
    text = f"The average health score of {plural(len(scores), 'project')} is {value:g}." if scores else "None is known."
    return Answer("answer", text, intent="tenant_health", value=value, table=table(result), shown=shown(result))


def _of_projects(asked: Asked, heard: Speech) -> Answer | None:
    columns = ("project_name", "domain_name", "score", "grade", "reasons", "stopped", "in_error", "critical_drift")
    result = fetch(asked, "tenant_health", both(*called(asked, "project_name", "project")), columns=columns)
    if not result.rows:
        return None
    text = " ".join(_scored(row) for row in result.rows[:5])
    value: Any = result.rows[0]["score"] if result.total == 1 else None
    if heard.matches(r"^(is|are)\b"):
        well = all(row["grade"] == "healthy" for row in result.rows)
        value = not well if heard.has("unhealthy", "sick", "unwell", "critical") else well
        text = f"{'Yes' if value else 'No'}: {text[0].lower()}{text[1:]}"
    return Answer(
        "answer",
        text,
        intent="tenant_health",
        value=value,
        table=table(result),
        shown=shown(result),
        data_at=asked.sources.data_at(("tenant_health",)),
        named=asked.of_type("project"),
        proposals=(Proposal("pane", "open the project", name="tenant", keys=(asked.of_type("project")[0].key,)),),
    )


def _scored(row: Mapping[str, Any]) -> str:
    reasons = [clean(str(one), 80) for one in row["reasons"] or ()]
    why = f", because of {listed(reasons)}" if reasons and row["grade"] != "healthy" else (
        f" (points off for {listed(reasons)})" if reasons and (row["score"] or 0) < 100 else "")  # fmt: skip
    grade = {"critical": "critical", "warning": "in warning"}.get(str(row["grade"]), str(row["grade"]))
    return f"Project {clean(str(row['project_name']))} has a health score of {number(row['score'])}, {grade}{why}."


def _listed(rows: Sequence[Mapping[str, Any]], total: int, ranked: bool, best: bool, limited: bool,
            limit: int | None) -> str:  # fmt: skip
    if not rows:
        return "None: no project is so." if limited else "None: no health of tenants is known."
    names = [f"{clean(str(row['project_name']))} {number(row['score'])} ({row['grade']})" for row in rows]
    if limit == 1:
        return f"{clean(str(rows[0]['project_name']))} has the {'best' if best else 'worst'} health: {_scored(rows[0])}"
    shown = listed(names[:8]) + (f" and {total - 8} more" if total > 8 and limit is None else "")
    lead = plural(total if limit is None else len(rows), "project")
    order = f", the {'best' if best else 'worst'} first" if ranked or not limited else ""
    return f"{lead}{order}: {shown}."


TOPIC = Topic("tenant_health", _claims, telling(_answer, _known))
