"""The entities: every resource type, with the words of people, and the rooms' lists."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from copilot.model.attribute_words import WORDS as ATTRIBUTE_WORDS
from copilot.model.declaration import Attribute, Entity, Relation
from copilot.model.entity_words import WORDS as ENTITY_WORDS
from copilot.model.entity_words import plural
from copilot.model.states import STATES
from store.types import registry
from store.types.declaration import ResourceType

# Columns that mean "large" and "new"; the first that an entity has.
_SIZES = ("size_gb", "ram_mb", "size_bytes", "memory_mb", "total_gb")
_BORN = ("created_at", "attached_at")
# entity -> columns that hold the name of one it belongs to, the first that a type has
_SCOPES: Mapping[str, tuple[str, ...]] = {
    "project": ("project_name",),
    "domain": ("domain_name",),
    "user": ("user_name",),
    "network": ("network_names", "network_name"),
    "router": ("router_name",),
    "server": ("server_name",),
    "volume": ("volume_name",),
    "volume_type": ("volume_type",),
    "availability_zone": ("availability_zone", "zone"),
    "flavor": ("flavor_name",),
    "image": ("boot_image_name", "image_name"),
    "keypair": ("key_name",),
    "security_group": ("security_group_name",),
    "role": ("role_name",),
    "group": ("group_name",),
    "service": ("service_name",),
}
# Columns called `host` that mean a compute host.
_ON_HOST = ("server", "port", "network_agent", "compute_service")
_SUFFIXES = ("_mb", "_gb", "_bytes", "_at")
# The word itself is what a relation's rows are; the column only holds their ids.
_NO_WORDS = ("id", "server_ids", "subnet_ids", "volume_ids", "sub_port_ids", "security_group_ids")


@cache
def entities() -> Mapping[str, Entity]:
    """All entities by name."""
    from copilot.model.rooms import ENTITIES

    made = {type.name: _entity(type) for type in registry.ALL.values()}
    relations = _relations()
    for name, one in made.items():
        one.relations.update(relations.get(name, {}))
    made.update(ENTITIES)
    return made


def entity(name: str) -> Entity:
    """The entity of that name; raises KeyError."""
    return entities()[name]


def _entity(type: ResourceType) -> Entity:
    words = ENTITY_WORDS.get(type.name) or (type.name.replace("_", " "),)
    columns = {column.name: column for column in type.view_columns}
    attributes = {
        column.name: Attribute(column.name, column.role, column.title, column.sql, _words(type, column.name))
        for column in columns.values()
    }
    attributes["cloud"] = Attribute("cloud", "name", "CLOUD", "VARCHAR", ("cloud",))
    attributes["region"] = Attribute("region", "name", "REGION", "VARCHAR", ("region",))
    attributes["id"] = Attribute("id", "id", "ID", "VARCHAR", ("ID", "id", "uuid"))
    scopes = {
        owner: next(name for name in names if name in columns)
        for owner, names in _SCOPES.items()
        if owner != type.name and any(name in columns for name in names)
    }
    if type.name in _ON_HOST:
        scopes["hypervisor"] = "host"
    return Entity(
        name=type.name,
        words=words,
        plural_words=tuple(dict.fromkeys(plural(word) for word in words)),
        attributes=attributes,
        type=type,
        states=STATES.get(type.name, ()),
        scopes=scopes,
        size=next((name for name in _SIZES if name in columns), ""),
        born=next((name for name in _BORN if name in columns), ""),
        columns=type.default_columns,
        default_order=tuple((name, False) for name in type.default_sort),
        name_column="name" if "name" in columns else next(iter(type.default_columns)),
    )


def _words(type: ResourceType, column: str) -> tuple[str, ...]:
    """Words written for the column, then those that its name makes."""
    if column in _NO_WORDS:
        return ()
    written = ATTRIBUTE_WORDS.get((type.name, column)) or ATTRIBUTE_WORDS.get(column) or ()
    plain = column
    for suffix in _SUFFIXES:
        plain = plain.removesuffix(suffix)
    made: tuple[str, ...] = (plain.replace("_", " "), column.replace("_", " "))
    if column == "volume_gb":  # "projects by volumes" is how many
        made = made[1:]
    if type.name == "quota" and column.endswith("_used"):  # "networks used by more than 50 servers" asks for networks
        made = (f"{made[0]} of quota",)
    return tuple(dict.fromkeys((*written, *made)))


def _relations() -> dict[str, dict[str, Relation]]:
    """Every link of the declarations, in both directions; of several between the same two the first is usual."""
    found: dict[str, dict[str, Relation]] = {}

    def add(start: str, end: str, own: str, column: str) -> None:
        known = found.setdefault(start, {})
        if any((one.to, one.own, one.column) == (end, own, column) for one in known.values()):
            return
        name = end if end not in known else f"{end}.{column if column != 'id' else own}"
        known.setdefault(name, Relation(name, end, own, column))

    for type in registry.ALL.values():
        for link in type.links:
            add(type.name, link.type, link.own, link.column)
    for type in registry.ALL.values():
        for link in type.links:
            add(link.type, type.name, link.column, link.own)
    return found
