"""What uses what: the links of all declarations, read in both directions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from store.types import registry
from store.types.declaration import Link, ResourceType

Direction = Literal["uses", "used_by"]
_IDENTITIES = ("id", "name")  # columns by which others name a resource
# References from the thing used to its user: a volume names the machine that it is attached to.
_HELD = frozenset(
    {
        ("volume", "server_ids"), ("volume_attachment", "server_id"), ("port", "device_id"),
        ("floating_ip", "server_id"), ("server_group", "server_ids"), ("aggregate", "hosts"),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Relation:
    """A link, and whether this resource names the other one ("uses") or the other one names it ("used_by")."""

    link: Link
    direction: Direction


@cache
def relations(type: ResourceType) -> tuple[Relation, ...]:
    """The type's own links, then those of other types that lead to it; each once, what it uses first."""
    found: dict[tuple[str, str, str], Relation] = {}
    for link in type.links:
        found[link.type, link.column, link.own] = Relation(link, _direction(type, link))
    for other in registry.ALL.values():
        for link in other.links:
            if link.type != type.name:
                continue
            back = Link(other.name, link.own, link.column, other.plural.replace("_", " "))
            found.setdefault((back.type, back.column, back.own), Relation(back, _direction(type, back)))
    return tuple(sorted(found.values(), key=lambda relation: relation.direction == "used_by"))


def _direction(type: ResourceType, link: Link) -> Direction:
    names = link.column in _IDENTITIES and link.own != "id"  # this type holds the reference
    reference = (type.name, link.own) if names else (link.type, link.column)
    return "uses" if names != (reference in _HELD) else "used_by"
