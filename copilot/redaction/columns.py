"""What a result's column holds, by its name: names, ids and addresses are hidden whatever their values look like."""

from __future__ import annotations

from functools import cache

from copilot.redaction.book import kind_of_type
from store.types import registry

_HIDDEN = frozenset(("name", "id", "address"))
_KINDS = {
    "host": "host", "hosts": "host", "hostname": "host", "service_host": "host", "machine": "server",
    "cloud": "cloud", "clouds": "cloud", "region": "region", "regions": "region", "key_name": "keypair",
    "owner": "user", "by": "user", "actor": "user", "made_by": "user", "triggered_by": "user", "created_by": "user",
    "acknowledged_by": "user", "project": "project", "projects": "project", "domain": "domain", "domains": "domain",
    "new_name": "server", "boot_image_name": "image", "email": "mail", "user_email": "mail",
    "availability_zone": "zone", "zone": "zone",
    "volume_type": "volumetype", "network_names": "network", "security_groups": "secgroup",
    "value": "text", "description": "text", "tags": "text", "metadata": "text", "text": "text", "says": "text",
    "title": "text", "about": "text", "target": "text", "typed": "name",
}  # fmt: skip
_PROGRAM = frozenset(("resource_type", "action", "rule", "binary"))  # the console's own words


@cache
def _hidden() -> frozenset[str]:
    from copilot.model.registry import entities

    columns = {one.name: one.role for type in registry.ALL.values() for one in type.view_columns}
    of_rooms = {one.column: one.role for entity in entities().values() for one in entity.attributes.values()}
    return frozenset(name for name, role in (*columns.items(), *of_rooms.items()) if role in _HIDDEN) - _PROGRAM


@cache
def column_kind(column: str) -> str | None:
    """The kind of pseudonym for all of a column's values; None = words, numbers and times in it may stay."""
    name = column.lower()
    if name in _KINDS:
        return _KINDS[name]
    if name not in _hidden():
        return None
    if name == "id" or name.endswith("_id"):
        return "id"
    owner = name.removesuffix("_name")
    return kind_of_type(owner) if owner in registry.ALL else "name"
