"""Forms of drift: what is ignored, and maintenance windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.drift.models import MOST_NOTE, SEVERITIES
from store.types import registry
from store.types.actions import Option
from tui.dialogs.fields import ChoiceField, Field, TextField
from tui.table.cells import clean

_NAME = Option("name", "Name", help="* and ? stand for more, as in web-*")
_TAG = Option("tag", "Tag", help="a tag that the resource has")
_PROJECT = Option("project", "Project", help="name or id")
_RULE = Option("rule", "Rule", "number", help="its number in :drift-rules", minimum=1)
_FIELD = Option("field", "Field", help="what changed, as status")
_REASON = Option("reason", "Why", required=True, help="others see it", maximum=MOST_NOTE)


def ignore_fields(item: Mapping[str, Any], clouds: Sequence[str]) -> list[Field]:
    """Fields of an entry; those of an event fill in what it is about: name, type, project and rule."""
    rule = item.get("rule_id")
    return [
        TextField(_NAME, clean(item.get("resource_name") or "")),
        _type_field(str(item.get("resource_type") or "")),
        TextField(_RULE, str(rule) if rule else ""),
        TextField(_FIELD),
        TextField(_PROJECT, clean(item.get("project_name") or "")),
        TextField(_TAG),
        _severity_field(),
        *_cloud_field(clouds),
        TextField(_REASON),
        TextField(Option("until", "Until", help="2d, friday 18:00; empty: for good")),
    ]


def window_fields(clouds: Sequence[str]) -> list[Field]:
    """Fields of a maintenance window."""
    return [
        TextField(Option("since", "From", help="now, 22:00, saturday 20:00, 1h ago"), "now"),
        TextField(Option("until", "Until", required=True, help="2h, 23:30, sunday 6:00")),
        TextField(_REASON),
        *_cloud_field(clouds),
        TextField(_PROJECT),
        _type_field(""),
        TextField(_NAME),
        TextField(_TAG),
    ]


def _type_field(start: str) -> ChoiceField:
    words = [(name, name.replace("_", " ")) for name in registry.ALL]
    option = Option("type", "Type", "choice", tuple(registry.ALL), help="a letter goes to the next that begins so")
    return ChoiceField(option, words, start or None, optional=True)


def _severity_field() -> ChoiceField:
    words = [(name, name) for name in SEVERITIES]
    return ChoiceField(Option("severity", "Severity", "choice", SEVERITIES), words, optional=True)


def _cloud_field(clouds: Sequence[str]) -> list[Field]:
    if len(clouds) < 2:
        return []
    option = Option("cloud", "Cloud", "choice", tuple(clouds))
    return [ChoiceField(option, [(name, clean(name)) for name in clouds], optional=True)]
