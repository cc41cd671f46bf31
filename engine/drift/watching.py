"""From rules to what the store is told to watch: SQL over a version `v`, made from the declared columns only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from engine.drift.rules import RULES, TYPES, Rule, Severity
from store.estate.drift_models import TypeWatch, Watch
from store.types import registry
from store.types.declaration import Column, ResourceType

# How a type's resources are called, where it is not by their name.
_NAMES = {
    "floating_ip": "v.address",
    "port": "coalesce(nullif(v.name, ''), v.fixed_ips[1], v.mac_address)",
    "security_group_rule": (
        "concat_ws(' ', v.direction, v.ethertype, coalesce(v.protocol, 'any'), "
        "CASE WHEN v.port_range_min IS NULL THEN NULL WHEN v.port_range_min = v.port_range_max "
        "THEN v.port_range_min::VARCHAR ELSE v.port_range_min || '-' || v.port_range_max END, "
        "CASE WHEN v.direction = 'egress' THEN 'to' ELSE 'from' END, "
        "coalesce(v.remote_ip_prefix, v.remote_group_id, v.remote_address_group_id, 'anywhere'))"
    ),
    "role_assignment": (
        "concat_ws(' ', v.role_name, 'for', coalesce(v.user_name, v.group_name, v.user_id, v.group_id), 'on', "
        "coalesce(v.project_name, v.domain_name, v.scope_kind))"
    ),
    "quota": "NULL",
}
_OWNERS = {
    "server": "v.id",
    "volume": "v.server_ids[1]",
    "port": "CASE WHEN starts_with(v.device_owner, 'compute:') THEN v.device_id END",
    "floating_ip": "v.server_id",
}


@dataclass(frozen=True, slots=True)
class Switch:
    """A rule that a person changed: whether it is on, since when if it was off before, and its severity if another."""

    enabled: bool
    since: datetime | None = None
    severity: Severity | None = None


def watch_of(type_name: str, switches: Mapping[int, Switch]) -> TypeWatch | None:
    """All rules of a type as the store takes them; None when it has none."""
    type = registry.ALL.get(type_name)
    if type is None or type_name not in TYPES:
        return None
    watches = tuple(_watch(type, rule, switches.get(rule.number)) for rule in RULES.values() if rule.type == type_name)
    names = {column.name for column in type.columns}
    return TypeWatch(
        type_name,
        watches,
        name=_NAMES.get(type_name, "v.name" if "name" in names else "v.id"),
        project=f"v.{type.owner}" if type.owner else "NULL",
        domain=f"v.{type.domain}" if type.domain in names else "NULL",
        tags="v.tags" if "tags" in names else "NULL",
        owner=_OWNERS.get(type_name, "NULL"),
    )


def _watch(type: ResourceType, rule: Rule, switch: Switch | None) -> Watch:
    columns = [_column(type, name) for name in rule.columns]
    hidden = f"list_contains(v.denied, '{rule.only_hidden}')" if rule.only_hidden else ""
    return Watch(
        rule=rule.number,
        kind=rule.kind,
        field=rule.field,
        severity=(switch and switch.severity) or rule.severity,
        value=_value(rule, columns),
        grave=rule.grave,
        guarded=tuple(column.name for column in columns if column.guarded),
        passing=rule.passing,
        alarming=type.faults if rule.field == "status" else (),
        first=rule.first,
        unseen=rule.unseen,
        only_if=hidden,
        state=rule.state,
        enabled=switch is None or switch.enabled,
        enabled_at=None if switch is None else switch.since,
    )


def _column(type: ResourceType, name: str) -> Column:
    column = type.column(name)
    assert isinstance(column, Column), f"{type.name}.{name} is no stored column"
    return column


def _value(rule: Rule, columns: list[Column]) -> str:
    """SQL of a text: an order of a list means nothing, an empty text or list is no value."""
    if len(columns) == 1:
        return _text(columns[0])
    parts = ", ".join(f"'{_label(column)} ' || {_text(column)}" for column in columns)
    return f"nullif(concat_ws(', ', {parts}), '')" if columns else ""


def _label(column: Column) -> str:
    return column.name.removeprefix("flavor_").replace("_", " ")


def _text(column: Column) -> str:
    name = f'v."{column.name}"'
    if column.sql == "VARCHAR[]":
        return f"nullif(array_to_string(list_sort({name}), ', '), '')"
    if column.sql == "VARCHAR":
        return f"nullif({name}, '')"
    return f"{name}::VARCHAR"
