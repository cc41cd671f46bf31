"""What the product has no data for: said plainly, with what comes nearest."""

from __future__ import annotations

from copilot.answers import Answer
from copilot.topics.speech import Speech
from copilot.topics.topic import Asked, Topic

# Words -> (what is asked for, what there is instead).
_MISSING: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (r"\b(costs?|costing|price|prices|pricing|bill|bills|billing|billed|invoices?|chargeback|showback|charge|charges|"
     r"charged|spend|spending|expensive|cheapest|cheap|cheaper|euros?|dollars?|budget|budgets|money|"
     r"metering|metered|rate "
     r"card|revenue|pay|paying)\b",
     "costs or metering", "What projects use is known, not what it costs.",
     ("resource usage per project", "quota and usage for project {project}")),
    (r"\b(slas?|service levels?|service level agreements?|uptime percentage|availability percentage|mttr|mtbf)\b",
     "service levels or availability over time", "Problems that are there now and snapshot compliance are known.",
     ("what problems are there", "snapshot compliance")),
    (r"\b(runbooks?|playbooks?|automations?|workflows?)\b",
     "runbooks or automation", "Jobs and what was done at the console are known.",
     ("which jobs are running", "recent activity")),
    (r"\b(weather|forecast for (today|tomorrow)|rain|raining|temperatures?|joke|jokes|news|football|stock price|recipe|"
     r"movie|song|poem|bitcoin|president|capital of)\b",
     "that", "I answer questions about this estate only.", ()),
    (r"\b(cpu load|load average|iops|latency|throughput|bandwidth|packet loss|traffic|disk io|io wait|cpu wait|steal "
     r"time|response times?|dropped packets|requests per second)\b",
     "load or traffic measured inside machines and networks",
     "What was promised to machines and what hosts have is known, not what is really consumed.",
     ("how full is the cloud", "which hosts have the least free ram")),
    (r"\b(licen[cs]es?|licensing|carbon|co2|emissions?|energy|power consumption|watts?|kwh|electricity)\b",
     "licences, energy or emissions", "", ()),
    (r"\b(forecasts?|predict|prediction|predicted|run out|extrapolate|projected)\b",
     "forecasts", "Capacity as it is now is known.", ("how much cpu capacity is left", "how much storage is left")),
    (r"\b(vulnerabilit(y|ies)|cves?|patch levels?|malware|virus|viruses|antivirus|missing patches)\b",
     "vulnerabilities or what is installed inside machines", "Images and open security groups are known.",
     ("security groups open to the world", "which images are not used")),
    (r"\b(notifications?|e-?mails? sent|pager|pagerduty|slack|webhooks?|escalations?)\b",
     "notifications", "Problems are known.", ("what problems are there",)),
    (r"\b(tickets?|service ?now|jira)\b.*\b(open|closed|pending|mine|assigned)\b|\bmigration "
     r"projects?\b|\bmigration waves?\b",
     "tickets or migration projects", "", ()),
)  # fmt: skip

_CERTAIN = (
    "forecasts",
    "costs or metering",
    "service levels or availability over time",
    "load or traffic measured inside machines and networks",
)


def _found(asked: Asked) -> tuple[str, str, str, tuple[str, ...]] | None:
    heard = Speech.of(asked)
    return next((one for one in _MISSING if heard.matches(one[0])), None)


def _claims(asked: Asked) -> float:
    """Below what the grammar understands fully: a machine may well be called after a price list."""
    found = _found(asked)
    if found is None:
        return 0.0
    if asked.left or asked.frame is None:
        return 0.9
    spoken_of = Speech.of(asked).has("called", "named", "like", "containing", "contains", "starting", "ending")
    return 1.0 if found[1] in _CERTAIN and not spoken_of else 0.4


def _answer(asked: Asked) -> Answer | None:
    found = _found(asked)
    if found is None:
        return None
    _, what, instead, nearest = found
    project = next((one.name for one in asked.of_type("project")), None)
    choices = [one.replace("{project}", project) if project else one for one in nearest]
    text = f"Not here: there is no data about {what}." if what != "that" else "Not here."
    return Answer(
        "apology",
        f"{text} {instead}".strip(),
        intent="not_available",
        confidence=0.0,
        choices=tuple(one for one in choices if "{" not in one),
        unknown=(),
    )


TOPIC = Topic("not_available", _claims, _answer)
