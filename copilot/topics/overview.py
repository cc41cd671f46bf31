"""Overview: how much of everything there is, and what is wrong."""

from __future__ import annotations

from copilot.answers import Answer, Field, Proposal, Shown, Table
from copilot.model.registry import entity
from copilot.query import EVERYTHING, Condition, Not, Test
from copilot.sources import NotAllowed
from copilot.topics.listing import count, plural
from copilot.topics.measures import listed
from copilot.topics.speech import Speech, knows, telling
from copilot.topics.topic import Asked, Topic

_COUNTED = ("server", "hypervisor", "project", "domain", "volume", "snapshot", "network", "floating_ip", "image",
            "user")  # fmt: skip
_WRONG: tuple[tuple[str, Condition, str, str], ...] = (
    ("server", Test("status", "=", ("ERROR",)), "server in error", "servers in error"),
    ("hypervisor", Not(Test("state", "=", ("up",))), "host down", "hosts down"),
    ("volume", Test("status", "starts", ("error",)), "volume in error", "volumes in error"),
    ("problem", Test("severity", "=", ("critical",)), "critical problem", "critical problems"),
    ("drift_event", Test("state", "=", ("open",)), "open drift event", "open drift events"),
    ("tenant_health", Test("grade", "=", ("critical",)), "tenant in critical health", "tenants in critical health"),
)
_OVERVIEW = ("overview", "summary", "summarize", "summarise", "picture", "glance", "statistics", "stats", "dashboard",
             "sitrep", "rundown", "recap", "numbers")  # fmt: skip
_KNOWN = knows(
    "overview summary summarize summarise big picture glance statistics stats dashboard sitrep rundown recap numbers "
    "state status report cloud clouds infrastructure inventory environment estate everything whole openstack general "
    "quick short brief full overall total platform key main basic current doing what's whats in going whats's looks "
    "look like up how here today there today's system fleet complete datacenter",
    ("cloud",),
)
_WHOLE = r"\b(cloud|clouds|infrastructure|environment|estate|platform|openstack|inventory|system|fleet)\b"


def _claims(asked: Asked) -> float:
    heard = Speech.of(asked)
    if _KNOWN.beyond(asked):
        return 0.0  # an overview of something else
    if heard.has(*_OVERVIEW):
        return _KNOWN.claim(asked)
    if heard.matches(rf"\b(state|status|status report|report) (of|on) (the |our |my )?{_WHOLE[2:]}"):
        return _KNOWN.claim(asked)
    if heard.matches(
        r"\bhow (is|are|does) (the |our |my )?(cloud|clouds|things|infrastructure)( doing| look| looking)?$"
    ):
        return _KNOWN.claim(asked)
    if heard.matches(r"\bwhat('s| is|s)? (is )?in (the |our |my |this )?(cloud|inventory)$") or heard.matches(
        r"^(the )?(cloud|infrastructure|overall|inventory) (status|state|report)$"
    ):
        return _KNOWN.claim(asked)
    if heard.matches(
        r"^(so |and )?(what is up|whats up|what's up|how are things|whats the status|what is the status)$"
    ):
        return 1.0
    return 0.0


def _answer(asked: Asked) -> Answer | None:
    where: list[Condition] = [Test("cloud", "=", (one.name,)) for one in asked.of_type("cloud")]
    if len(where) > 1:
        return None
    rows = [{"what": entity(name).plural, "count": _count(asked, name, where[0] if where else EVERYTHING)}
            for name in _COUNTED if asked.sources.may(name)]  # fmt: skip
    rows = [row for row in rows if row["count"] is not None]
    data_at = asked.sources.data_at([name for name in _COUNTED if asked.sources.may(name)])
    if data_at is None and not any(row["count"] for row in rows):
        text = (
            "Nothing was collected yet: `qdeck clouds` lists the clouds that are watched, `qdeck collect` reads them."
        )
        return Answer("apology", text, intent="infrastructure_overview", confidence=0.0)
    one_of = {entity(name).plural: entity(name).singular for name in _COUNTED}
    parts = [plural(int(row["count"] or 0), one_of[str(row["what"])], str(row["what"])) for row in rows]
    wrong = []
    for name, condition, one, several in () if where else _WRONG:
        found = _count(asked, name, condition) if asked.sources.may(name) else 0
        if found:
            wrong.append(plural(found, one, several))
            rows.append({"what": several, "count": found})
    ending = f" Wrong now: {listed(wrong)}." if wrong else (" Nothing is wrong that is known of." if not where else "")
    return Answer(
        "answer",
        f"There are {listed(parts)}.{ending}",
        intent="infrastructure_overview",
        table=Table((Field("what", "WHAT"), Field("count", "COUNT", "number")), tuple(rows), len(rows)),
        shown=(Shown("counts of resources, problems, drift and tenant health", "list"),),
        data_at=data_at,
        proposals=(Proposal("pane", "open the dashboard", name="dashboard"),),
    )


def _count(asked: Asked, name: str, where: Condition) -> int | None:
    try:
        return count(asked, name, where)
    except NotAllowed:
        return None


TOPIC = Topic("infrastructure_overview", _claims, telling(_answer, _KNOWN))
