"""What is said when it is not clear what was meant: which of several, or the nearest questions."""

from __future__ import annotations

from copilot.answers import Answer, Named
from copilot.model.registry import entity
from copilot.topics.topic import Asked

MOST_CHOICES = 8
# Questions that always make sense; the nearest are offered when one was not understood.
EXAMPLES = (
    "how many servers are there",
    "list servers in error",
    "which servers are stopped",
    "how many servers per project",
    "top 5 servers by ram",
    "which hosts are down",
    "servers on host {hypervisor}",
    "servers in project {project}",
    "quota and usage for project {project}",
    "how much storage does {project} use",
    "list unattached volumes",
    "largest volumes",
    "total size of volumes per project",
    "volumes without snapshots",
    "list unused floating ips",
    "list networks",
    "security groups open to the world",
    "which images are not used",
    "list flavors",
    "how much cpu capacity is left",
    "how much memory is free",
    "what changed in the last 24 hours",
    "servers created in the last 7 days",
    "deleted servers since yesterday",
    "is there any drift",
    "which volumes are not protected",
    "snapshot compliance",
    "what problems are there",
    "health of the tenants",
    "which jobs are running",
    "recent logins",
    "give me an overview",
    "who owns {server}",
    "where does {server} run",
    "is {server} protected",
    "what is {address}",
)


def asked_back(asked: Asked) -> Answer:
    """Which of several things of one name is meant: the question again, once for each."""
    one = asked.parse.ambiguous[0]
    choices = one.choices[:MOST_CHOICES]
    several_types = len({choice.type for choice in choices}) > 1
    told = asked.names.told_apart(choices)
    named = [
        f"{entity(c.type).singular} {text}" if several_types else text for c, text in zip(choices, told, strict=True)
    ]
    if len(set(named)) < len(named):  # nothing tells them apart but their ids
        named = [choice.key[2] for choice in choices]
    questions = tuple(_put(asked.question, one.typed, text) for text in named)
    kind = entity(choices[0].type).plural if not several_types else "things"
    more = f" (the first {len(choices)} of {len(one.choices)})" if len(one.choices) > len(choices) else ""
    text = f"{len(one.choices)} {kind} fit {one.typed!r}{more}. Which one is meant?"
    return Answer("ask_back", text, confidence=0.5, choices=questions, named=tuple(choices))


def _put(question: str, typed: str, text: str) -> str:
    """The question with other words for a name."""
    at = question.lower().find(typed.lower())
    return f"{question[:at]}{text}{question[at + len(typed) :]}" if at >= 0 else f"{question} ({text})"


def unsure(asked: Asked) -> Answer:
    """Nothing was understood well enough: say what was not, and offer what is near."""
    unknown = asked.left
    if unknown:
        text = f"I did not understand {', '.join(repr(word) for word in unknown[:4])}. The nearest questions are:"
    else:
        text = "I am not sure what is asked. The nearest questions are:"
    return Answer("unsure", text, confidence=0.0, unknown=unknown, choices=nearest(asked))


def nearest(asked: Asked, most: int = 5) -> tuple[str, ...]:
    """Questions like the one asked, with what was named in it."""
    from rapidfuzz import fuzz, process

    filled = [text for text in (_filled(example, asked.named, asked.values) for example in EXAMPLES) if text]
    words = " ".join(item.corrected or item.text for item in asked.items).lower()
    found = process.extract(words, filled, scorer=fuzz.token_set_ratio, limit=most)
    return tuple(text for text, _, _ in found)


def _filled(example: str, named: tuple[Named, ...], values: tuple[str, ...]) -> str:
    """An example with the first fitting name; "" where it needs one that was not named."""
    if "{" not in example:
        return example
    kind = example[example.index("{") + 1 : example.index("}")]
    if kind == "address":
        value = next((value for value in values if "." in value or ":" in value), None)
    else:
        value = next((one.name for one in named if one.type == kind), None)
    return example.replace("{" + kind + "}", value) if value else ""
