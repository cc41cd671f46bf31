"""Help, greetings and thanks."""

from __future__ import annotations

from copilot.answers import Answer, Proposal
from copilot.sources import Sources
from copilot.topics.speech import Speech, knows
from copilot.topics.topic import Asked, Topic

_HELP = (
    r"^(help|help me|manual|examples?|usage help|instructions|\?+)$"
    r"|\b(what|which|how|where) .*\b(can|could|do|should|may|are|to|am) .*\b(you|i|copilot|it|this)\b.*"
    r"\b(do|ask|help|know|able|answer|understand|use|capable|questions?|commands?)\b"
    r"|\bwhat can (i|you)\b|\bhow (do|can|to) (i )?use\b|\b(what|which) (kind|kinds|sort|types?) of questions?\b"
    r"|\bshow (me )?(help|examples)\b|^who are you|^what are you\b|\bwhat do you (know|do)\b"
    r"|^(can|could) you help( me)?"
)
_GREETING = (
    r"^(hello|hi|hey|good (morning|evening|afternoon|day)|greetings|howdy|hey there|hi there|hello there|moin|"
    r"servus|yo)( (there|copilot|all|again|everyone))*( how are you( doing)?( today)?)?$|^how are you\b"
)
_THANKS = (
    r"^(ok |okay |great |perfect |cool |nice |good |many |super )*(thanks|thank you|thx|ty|cheers|merci|danke)"
    r"( (a lot|very much|so much|again|copilot|you|mate|guys|man|for .*))*$"
    r"|^(great|perfect|cool|nice|awesome|ok|okay|bye|goodbye|well done|good job|nice work)$"
)
_KNOWN = knows(
    "help manual examples example usage instructions what can could do should may ask able know answer understand use "
    "capable questions question commands command kind kinds sort type types of who are you how to this copilot here "
    "assistant things thing sort am i me be with for about your capabilities features feature tool using was"
)
# What is asked for -> the entity whose reading it needs; "" = everybody may ask.
_EXAMPLES = (
    ("How many servers are in error?", "server"),
    ("Top 5 projects by RAM", "project"),
    ("Which volumes are not protected?", "volume"),
    ("How full is the cloud?", "hypervisor"),
    ("Which projects are above 90 % of a quota?", "quota"),
    ("What changed since yesterday?", ""),
    ("Is there any drift?", "drift_event"),
    ("What is wrong right now?", "problem"),
)


def _claims(asked: Asked) -> float:
    heard = Speech.of(asked)
    if asked.named or asked.values:
        return 0.0
    if _polite(asked):
        return 1.0
    return _KNOWN.claim(asked) if heard.matches(_HELP) else 0.0


def _polite(asked: Asked) -> str:
    """ "greeting", "thanks" or ""."""
    said = " ".join(asked.question.lower().strip(" .!?,").replace(",", " ").replace("!", " ").split())
    heard = Speech("", frozenset())
    return (
        "greeting"
        if Speech(said, heard.words).matches(_GREETING)
        else ("thanks" if Speech(said, heard.words).matches(_THANKS) else "")
    )


def _answer(asked: Asked) -> Answer | None:
    examples = _examples(asked.sources)
    polite = _polite(asked)
    if polite == "thanks":
        return Answer("answer", "You are welcome.", intent="help", choices=examples[:3])
    lead = "Hello. " if polite else ""
    text = (
        f"{lead}Ask about servers, hosts, projects, volumes, networks and everything else that was "
        f"collected: how many, "
        "which, the largest, by project, since when.\n"
        "Also: quota and usage, capacity, health of tenants, drift, protection and restores, jobs, logins, problems, "
        "what changed and who did it.\n"
        "Questions go on from each other (“only the stopped ones”), “this machine” is what is selected, and nothing is "
        "ever changed: for an action I open its plan."
    )
    return Answer(
        "answer",
        text,
        intent="help",
        choices=examples,
        proposals=(Proposal("pane", "open the inventory", name="inventory"),),
    )


def _examples(sources: Sources) -> tuple[str, ...]:
    return tuple(text for text, entity in _EXAMPLES if not entity or sources.may(entity))


TOPIC = Topic("help", _claims, _answer)
