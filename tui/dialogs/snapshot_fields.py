"""Fields of the forms of snapshots, and from their values to what the API takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from store.types.actions import Option
from tui.dialogs.fields import ChoiceField, Field, TextField
from tui.periods import body_of
from tui.table.cells import clean

MATCH = (
    "tenant_name", "domain_name", "volume_type", "volume_name_prefix", "volume_name_contains", "bootable",
    "min_size_gb", "max_size_gb", "metadata_equals", "metadata_contains",
)  # fmt: skip
FEW = ("tenant_name", "volume_type", "volume_name_prefix")
MOST_KEPT = 1000
NOBODY, ALL, SOME = "nobody", "all", "match"
_POLICY_HOURS = ("catch_up_hours", "window_hours")
_WHEN = "daily 02:00; weekly sun 03:00; monthly 1 04:00; monthly L; hourly; cron"


def _text(name: str, title: str, start: Any = "", help: str = "", kind: Any = "text", **more: Any) -> TextField:
    return TextField(Option(name, title, kind, help=help, **more), written(start))


def _number(name: str, title: str, start: Any = "", help: str = "", least: int = 0, **more: Any) -> TextField:
    return _text(name, title, start, help, "number", minimum=least, **more)


def written(value: Any) -> str:
    """A value as it is typed: lists by commas, key=value of mappings."""
    if isinstance(value, Mapping):
        return clean(", ".join(f"{name}={one}" for name, one in value.items()))
    if isinstance(value, list | tuple):
        return clean(", ".join(map(str, value)))
    return "" if value in (None, "") else clean(value)


def policy_fields(item: Mapping[str, Any], *, new: bool) -> list[Field]:
    """When a point is due and how many are kept; of a new one also which volumes it is for."""
    name = str(item.get("name") or "")
    named: Field = _text("name", "Name", name, "as it is written on volumes", required=True, maximum=64)
    if not new:
        named = ChoiceField(Option("name", "Name", "choice", (name,)), ((name, name),))
    per = (("volume", "volume"), ("server", "machine, all at once"))
    fields: list[Field] = [
        named,
        _text("schedule", "When", item.get("schedule"), _WHEN, required=True, maximum=100),
        _text("timezone", "Zone", item.get("timezone") or "UTC", "as Europe/Berlin", required=True),
        _number("keep", "Keep", item.get("keep") or 7, "of each volume; older ones go", 1, required=True, maximum=1000),
        ChoiceField(Option("method", "Per", "choice", ("volume", "server")), per, item.get("method") or "volume"),
    ]
    if new:
        whom = ((ALL, "all volumes"), (SOME, "those below"), (NOBODY, "none yet"))
        fields += [
            ChoiceField(Option("for", "For", "choice", (ALL, SOME, NOBODY)), whom, item.get("for") or ALL),
            *match_fields({}, FEW),
        ]
    return [
        *fields,
        _number("jitter_minutes", "Up to min late", item.get("jitter_minutes"), "clouds do not begin at once"),
        _number("catch_up_hours", "Caught up h", item.get("catch_up_hours"), "empty: until the next one is due"),
        _number("window_hours", "Complies h", item.get("window_hours"), "empty: from the schedule", 1),
        _text("description", "About", None if item.get("known") is False else item.get("description"), maximum=255),
    ]


def set_fields(item: Mapping[str, Any], clouds: Sequence[str]) -> list[Field]:
    """Which policies, for which volumes, how many kept."""
    tenant = {"tenant_name": item["tenant_name"]} if item.get("tenant_name") else {}
    return [
        _text("name", "Name", item.get("name"), required=True, maximum=255),
        _text("policies", "Policies", item.get("policies"), "daily_5, weekly_4", "list", required=True),
        *match_fields({**tenant, **(item.get("match") or {})}, MATCH),
        *cloud_field(clouds, str(item.get("cloud") or "")),
        _number("priority", "Priority", item.get("priority"), "of two alike the smaller wins", maximum=100_000),
        _text("retention_map", "Keeps", item.get("retention_map"), "daily_5=7; empty: as the policy says", "list"),
        _text("description", "About", item.get("description"), maximum=255),
    ]


def match_fields(match: Mapping[str, Any], names: Sequence[str]) -> list[Field]:
    """Conditions on volumes; all that are filled in must hold."""
    yes_no = ((True, "yes"), (False, "no"))
    known: dict[str, Field] = {
        "tenant_name": _text("tenant_name", "Project", match.get("tenant_name"), "name; empty: every project"),
        "domain_name": _text("domain_name", "Domain", match.get("domain_name")),
        "volume_type": _text("volume_type", "Volume type", match.get("volume_type"), "or several by commas", "list"),
        "volume_name_prefix": _text("volume_name_prefix", "Name begins", match.get("volume_name_prefix")),
        "volume_name_contains": _text("volume_name_contains", "Name has", match.get("volume_name_contains")),
        "bootable": ChoiceField(Option("bootable", "Bootable", "bool"), yes_no, match.get("bootable"), optional=True),
        "min_size_gb": _number("min_size_gb", "At least GB", match.get("min_size_gb")),
        "max_size_gb": _number("max_size_gb", "At most GB", match.get("max_size_gb")),
        "metadata_equals": _text("metadata_equals", "Metadata is", match.get("metadata_equals"), "tier=gold", "list"),
        "metadata_contains": _text("metadata_contains", "Metadata has", match.get("metadata_contains"), "tier=go",
                                   "list"),
    }  # fmt: skip
    return [known[name] for name in names]


def exclusion_fields(item: Mapping[str, Any], clouds: Sequence[str]) -> list[Field]:
    """What is left out: a volume, a project, what matches; why; until when."""
    return [
        _text("volume_id", "Volume", item.get("volume_id"), "its id; empty: those below"),
        *match_fields(item.get("match") or {}, FEW),
        *cloud_field(clouds, str(item.get("cloud") or "")),
        _text("reason", "Why", item.get("reason"), "others see it", required=True, maximum=500),
        _text("until", "Until", "", "30d, friday 18:00; empty: until it is ended"),
    ]


def cloud_field(clouds: Sequence[str], start: str) -> list[Field]:
    """Which cloud, where there are several."""
    if len(clouds) < 2:
        return []
    option = Option("cloud", "Cloud", "choice", tuple(clouds))
    return [ChoiceField(option, [(name, clean(name)) for name in clouds], start or None, optional=True)]


def enable_fields(items: Sequence[Mapping[str, Any]], reason: str) -> list[Field]:
    """Which cloud, whether policies may run in it, and why; a production cloud asks for its name."""
    names = [
        (one["cloud"], f"{clean(one['cloud'])}: {'allowed' if one.get('enabled') else 'not allowed'}") for one in items
    ]
    allow = ((True, "allowed"), (False, "not allowed"))
    fields: list[Field] = [
        ChoiceField(Option("cloud", "Cloud", "choice", tuple(one["cloud"] for one in items)), names),
        ChoiceField(Option("allow", "Policy runs", "bool"), allow, not items[0].get("enabled")),
        _text("reason", "Reason", reason, "stands in the audit", required=True, maximum=255),
    ]
    if any(one.get("production") for one in items):
        fields.append(_text("typed", "Its name", "", "typed, where it is a production cloud"))
    return fields


def run_fields(clouds: Sequence[str], policies: str) -> list[Field]:
    """Where, which policies, dry or for real."""
    how = (("dry", "dry run: only say what"), ("make", "make them"), ("pipeline", "pipeline"))
    return [
        ChoiceField(Option("cloud", "Cloud", "choice", tuple(clouds)), [(name, clean(name)) for name in clouds]),
        _text("policies", "Policies", policies, "by commas; empty: all", "list"),
        ChoiceField(Option("how", "How", "choice", tuple(name for name, _ in how)), how, "dry"),
    ]


# From values to bodies


def match_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """The conditions among a form's values, as the API takes them."""
    found: dict[str, Any] = {name: values[name] for name in MATCH if values.get(name) not in (None, "", [])}
    types = found.get("volume_type")
    if isinstance(types, list) and len(types) == 1:
        found["volume_type"] = types[0]
    for name in ("metadata_equals", "metadata_contains"):
        if name in found:
            found[name] = pairs(found[name])
    return found


def pairs(words: Sequence[str]) -> dict[str, str]:
    """key=value words; a word without = has an empty value."""
    return {name.strip(): value.strip() for name, _, value in (str(word).partition("=") for word in words)}


def retention_of(words: Sequence[str]) -> dict[str, Any]:
    """daily_5=7 as {"daily_5": 7}; what is no number stays as it is, for the engine to refuse."""
    return {
        name: int(value) if value.isascii() and value.isdecimal() else value for name, value in pairs(words).items()
    }


def policy_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """The policy in a form's values. What was left empty goes back to what the schedule says."""
    found = {name: values.get(name) for name in ("schedule", "timezone", "keep", "method", *_POLICY_HOURS)}
    return {
        **found,
        "jitter_minutes": values.get("jitter_minutes") or 0,
        "description": values.get("description") or "",
    }


def set_of(values: Mapping[str, Any], item: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The set in a form's values; `item` is the set that is changed. One without any condition is for all volumes."""
    match = match_of(values)
    tenant, cloud = match.pop("tenant_name", ""), values.get("cloud") or ""
    found = {
        "name": values.get("name"), "policies": values.get("policies") or [], "match": match, "tenant_name": tenant,
        "is_global": not (match or tenant or cloud), "retention_map": retention_of(values.get("retention_map") or ()),
        "priority": 100 if values.get("priority") is None else values["priority"], "cloud": cloud,
        "description": values.get("description") or "",
    }  # fmt: skip
    if item and item.get("tenant_id") and tenant != (item.get("tenant_name") or ""):
        found["tenant_id"] = ""  # it named the project that is no longer meant
    return found


def set_for(values: Mapping[str, Any]) -> dict[str, Any]:
    """The set that a form of a new policy brings: this policy for all volumes, or for those that match."""
    name = str(values.get("name") or "")
    match = match_of(values) if values.get("for") == SOME else {}
    return set_of({**match_values(match), "name": name, "policies": [name] if name else []})


def match_values(match: Mapping[str, Any]) -> dict[str, Any]:
    """Conditions as a form's values again."""
    return {
        name: [f"{key}={one}" for key, one in value.items()] if isinstance(value, Mapping) else value
        for name, value in match.items()
    }


def policy_preview(values: Mapping[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """What is asked about a policy while it is typed: its schedule, and the set that it would bring."""
    keep = values.get("keep")
    schedule = {
        "schedule": values.get("schedule") or "", "timezone": values.get("timezone") or "UTC",
        "keep": keep if isinstance(keep, int) and 1 <= keep <= MOST_KEPT else 1,
    }  # fmt: skip
    brings = values.get("for") in (ALL, SOME) and values.get("name")
    body = {**set_for(values), "retention_map": {str(values["name"]): schedule["keep"]}} if brings else None
    return schedule, body


def set_preview(values: Mapping[str, Any], item: Mapping[str, Any]) -> tuple[None, dict[str, Any] | None]:
    """What is asked about a set while it is typed; nothing yet while it names no policy."""
    body = set_of(values, item)
    more = {"id": item["id"]} if item.get("id") is not None else {}
    return None, {**body, "name": body["name"] or "this set", **more} if body["policies"] else None


def exclusion_of(
    values: Mapping[str, Any], item: Mapping[str, Any], clouds: Sequence[str], now: datetime
) -> dict[str, Any] | str:
    """The exclusion in a form's values; a sentence when it says nothing, or its end can't be read."""
    match = match_of(values)
    volume = values.get("volume_id") or ""
    if not volume and not match:
        return "name a volume or at least one condition: everything is excluded by switching the sets off"
    body = body_of({"reason": values.get("reason"), "until": values.get("until")}, now)
    if isinstance(body, str):
        return body
    if "until" in body:
        body["expires_at"] = body.pop("until")
    same = bool(volume) and volume == item.get("volume_id")
    cloud = values.get("cloud") or (item.get("cloud") if same else "") or (clouds[0] if len(clouds) == 1 else "")
    found = {**body, "cloud": cloud, "match": match, "volume_id": volume}
    return {**found, "region": item["region"]} if same and item.get("region") else found
