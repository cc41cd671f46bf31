"""Drift: what is open, by severity; what drifted since when."""

from __future__ import annotations

from collections import Counter

from copilot.answering.wording import clean, listed
from copilot.answers import Answer, Proposal
from copilot.query import AnyOf, Condition, Test, both
from copilot.topics.listing import called, fetch, plural, shown, table, within
from copilot.topics.speech import Knows, Speech, knows, telling
from copilot.topics.topic import Asked, Topic

_SUMMARY = ("status", "summary", "overview", "report", "situation", "state", "statistics", "stats", "state")
_STATES = {"open": "open", "unresolved": "open", "resolved": "resolved", "fixed": "resolved", "ignored": "ignored",
           "expected": "expected"}  # fmt: skip
_SEVERITIES = ("critical", "warning", "info", "severe")
_TYPES = {"server": ("server", "servers", "vm", "vms", "machine", "machines", "instance", "instances"),
          "volume": ("volume", "volumes", "disk", "disks"), "network": ("network", "networks"),
          "security_group": ("security group", "security groups"), "port": ("port", "ports"),
          "router": ("router", "routers"), "image": ("image", "images"), "flavor": ("flavor", "flavors"),
          "project": ("project", "projects", "tenant", "tenants")}  # fmt: skip
_DRIFT = ("drift", "drifts", "drifted", "drifting")
_CAUSED = ("cause", "caused", "make", "made", "do", "done", "trigger", "triggered")
_KNOWN: Knows = knows(
    "configuration config event events so far there all detected found new recent recently did has see seen change "
    "changes unexpected cloud open new security group groups number resources resource yes happen happened occurred",
    ("project", "server", "volume", "network", "cloud"),
    periods=True,
    also={*_SUMMARY, *_STATES, *_SEVERITIES, *_DRIFT, *(word for words in _TYPES.values() for word in words)},
)


def _claims(asked: Asked) -> float:
    heard = Speech.of(asked)
    if not heard.has(*_DRIFT) or asked.parse.negation or asked.parse.groups or heard.has("rule", "rules"):
        return 0.0
    if _actor(asked):
        return _known(asked).claim(asked, 0.97)
    sure = heard.has(*_SUMMARY, "drifted", "drifting") or heard.matches(r"\bdid <(server|volume)> drift")
    sure = sure or heard.matches(
        r"^(is there |are there |do we have )?(any )?(open )?drifts?( open| there| now)?( (in|of|on|for) "
        r"<(project|cloud)>)?$"
    )
    return _KNOWN.claim(asked, 1.0 if sure else 0.9)


def _actor(asked: Asked) -> str:
    """Who did it: "did alice cause", "by alice"; "" where nobody is spoken of."""
    for one, other in zip(asked.items, asked.items[1:], strict=False):
        if one.text.lower() not in ("by", "did", "has", "of", "from"):
            continue
        if other.named and other.named[0].type == "user":
            return other.named[0].name
        behind = asked.items[asked.items.index(other) + 1 :]
        caused = behind and behind[0].text.lower() in _CAUSED
        unknown = (other.senses is None and not other.known) or other.corrected
        if unknown and (one.text.lower() == "by" or caused):
            return other.text
    return ""


def _said_as(asked: Asked, actor: str) -> set[str]:
    """The actor's name as it was heard: a name may look like a slip in a plain word."""
    return {word for item in asked.items if item.text == actor for word in (item.said or actor.lower()).split()}


def _known(asked: Asked) -> Knows:
    actor = _actor(asked)
    return Knows(
        _KNOWN.words | {*_said_as(asked, actor), *(_CAUSED if actor else ())}, _KNOWN.types | {"user"}, periods=True
    )


def _answer(asked: Asked) -> Answer | None:
    heard = Speech.of(asked)
    where: list[Condition] = called(asked, "project_name", "project")
    where += called(asked, "cloud", "cloud") + within("opened_at", asked.period)
    where += called(asked, "resource_name", "server", "volume", "network")
    if actor := _actor(asked):
        where.append(Test("actor", "=", (actor,)))
    types = [type for type, words in _TYPES.items() if heard.has(*words) and type != "project"]
    if types:
        where.append(Test("resource_type", "=", tuple(types)))
    severity = [word for word in _SEVERITIES if heard.has(word)]
    if severity:
        where.append(Test("severity", "=", tuple("critical" if word == "severe" else word for word in severity)))
    state = next((state for word, state in _STATES.items() if heard.has(word)), None)
    summary = heard.has(*_SUMMARY)
    yes_no = not actor and heard.matches(r"^(and )?(is|are|did|has|have|do|does|any)\b")
    # Events of a period and of one thing are asked for whatever became of them; "any drift?" means what is open.
    if state == "resolved":
        where.append(Test("state", "=", ("resolved", "resolved_unseen")))
    elif state:
        where.append(Test("state", "=", (state,)))
    elif summary or (yes_no and asked.period is None):
        where.append(AnyOf((Test("state", "=", ("open",)),)))
    result = fetch(asked, "drift_event", both(*where))
    every = fetch(asked, "drift_event", both(*where), columns=("severity", "resource_name", "what"))
    severities = Counter(str(row["severity"]) for row in every.rows)
    said = state or ("open" if summary or (yes_no and asked.period is None) else "")
    kind = f"{said + ' ' if said else ''}drift event"
    if result.total == 0:
        text = f"None: there are no {kind}s" + (f" {asked.period.words}" if asked.period else "") + "."
    else:
        by = ", ".join(f"{severities[one]} {one}" for one in ("critical", "warning", "info") if severities[one])
        newest = [f"{clean(str(row['resource_name']))} ({clean(str(row['what']), 80)})" for row in every.rows[:3]]
        when = f" {asked.period.words}" if asked.period else ""
        text = f"{plural(result.total, kind)}{when}: {by}. Newest: {listed(newest, len(newest))}."
    if yes_no:
        text = f"{'Yes' if result.total else 'No'}: {text[0].lower()}{text[1:]}"
    return Answer(
        "answer",
        text,
        intent="drift_summary",
        value=result.total > 0 if yes_no else (result.total if summary else None),
        table=table(result),
        shown=shown(result),
        data_at=asked.sources.data_at(("drift_event",)),
        scope=(asked.period.words,) if asked.period else (),
        proposals=(Proposal("pane", "open the drift", name="drift"),),
    )


TOPIC = Topic("drift_summary", _claims, telling(_answer, _known))
