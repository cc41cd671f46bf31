"""One attribute of one thing, as a sentence: "web-03 runs on cmp-11"."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from copilot.answering import wording
from copilot.answers import Field
from copilot.model.declaration import Attribute, Entity
from store import times

# (entity, column) or column -> how it is said with a value, and without one
_SAID: Mapping[tuple[str, str] | str, tuple[str, str]] = {
    ("server", "host"): ("{name} runs on {value}.", "{name} is on no host."),
    ("server", "flavor_name"): ("{name} has the flavor {value}.", "The flavor of {name} is not known."),
    ("volume", "server_name"): ("{name} is attached to {value}.", "{name} is attached to nothing."),
    ("floating_ip", "server_name"): ("{name} belongs to server {value}.", "{name} belongs to no server."),
    "project_name": ("{name} belongs to project {value}.", "{name} belongs to no project."),
    "domain_name": ("{name} belongs to domain {value}.", "{name} belongs to no domain."),
    "status": ("{name} is {value}.", "The status of {name} is not known."),
    "state": ("{name} is {value}.", "The state of {name} is not known."),
    "created_at": ("{name} was created {value}.", "When {name} was created is not known."),
    "launched_at": ("{name} was launched {value}.", "{name} was never launched."),
    "attached_at": ("{name} was attached {value}.", "{name} is attached to nothing."),
    "valid_from": ("{name} is as it is now since {value}.", "Nothing is known of {name}."),
    "valid_to": ("{name} vanished {value}.", "{name} has not vanished."),
}  # fmt: skip


def word(attribute: Attribute) -> str:
    """How the column is named in a sentence."""
    fitting = (words for words in attribute.words if not words.startswith("all "))
    return next(fitting, attribute.column.replace("_", " "))


def amount(attribute: Attribute) -> str:
    """How a sum or average of it is named: "RAM", "number of vCPUs"."""
    called = word(attribute)
    return f"number of {called}" if attribute.role == "number" and called.endswith("s") else called


def sentence(name: str, entity: Entity, attribute: Attribute, held: Any, now: datetime) -> str:
    """The attribute of the thing called `name`."""
    field = Field(attribute.column, attribute.title, attribute.role)
    called = word(attribute)
    value = wording.value(held, field, now)
    if attribute.role == "time" and held:
        value = f"{value} ({at(held, now)})"
    found = _SAID.get((entity.name, attribute.column)) or _SAID.get(attribute.column)
    empty = held is None or held == "" or held == []
    if found is not None:
        return found[empty].format(name=name, value=value)
    if empty:
        return f"{name} has no {called}."
    if isinstance(held, bool):
        return f"{name} is {'' if held else 'not '}{called}."
    if attribute.role == "number":
        return f"{name} has {value} {called}." if called.endswith("s") else f"The {called} of {name} is {value}."
    several = isinstance(held, list) and len(held) > 1
    return f"The {called} of {name} {'are' if several else 'is'} {value}."


def at(text: str, now: datetime) -> str:
    """An instant in the zone of `now`: 26 Nov 2026 09:00 CET."""
    moment = times.parse(text).astimezone(now.tzinfo)
    return f"{moment.day} {moment:%b %Y %H:%M %Z}"
