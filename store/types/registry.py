"""All resource types by name, and the one way to find a type by what a person typed."""

from __future__ import annotations

from store.types import (
    aggregate,
    availability_zone,
    backup,
    cinder_message,
    compute_service,
    domain,
    endpoint,
    flavor,
    floating_ip,
    group,
    hypervisor,
    image,
    keypair,
    network,
    network_agent,
    port,
    project,
    quota,
    role,
    role_assignment,
    router,
    security_group,
    security_group_rule,
    server,
    server_group,
    service,
    snapshot,
    storage_pool,
    subnet,
    trunk,
    user,
    volume,
    volume_attachment,
    volume_service,
    volume_type,
)
from store.types.declaration import ResourceType

_MODULES = (
    # Identity first: other types' names are joined from it. Then the order in which people look.
    domain, project, user, group, role, role_assignment, service, endpoint,
    server, flavor, hypervisor, keypair, server_group, aggregate, availability_zone, compute_service,
    volume, snapshot, volume_type, volume_attachment, backup, volume_service, storage_pool, cinder_message,
    image,
    network, subnet, port, router, floating_ip, security_group, security_group_rule, trunk, network_agent,
    quota,
)  # fmt: skip

ALL: dict[str, ResourceType] = {module.TYPE.name: module.TYPE for module in _MODULES}


def words(type: ResourceType) -> tuple[str, ...]:
    """Everything the type is called: singular, plural, aliases."""
    return (type.name, type.plural, *type.aliases)


def parents(type: ResourceType) -> list[tuple[ResourceType, str]]:
    """Types whose resources lead to rows of this one, each with this one's column that names the resource.

    A type that is read on demand is asked for by the id in that column, which all its parents share.
    """
    return [(parent, link.column) for parent in ALL.values() for link in parent.links if link.type == type.name]


_BY_WORD: dict[str, ResourceType] = {word: type for type in ALL.values() for word in words(type)}


def find(text: str) -> ResourceType:
    """The type called `text`: its singular, plural or alias, or a prefix that only one type has.

    Case, and `-` or blanks for `_`, do not matter. Raises KeyError with one clear sentence that names the nearest
    types.
    """
    word = "_".join(text.strip().lower().replace("-", " ").replace("_", " ").split())
    if word in _BY_WORD:
        return _BY_WORD[word]
    if not word:
        raise KeyError(f"no resource type was named; one of: {', '.join(type.plural for type in ALL.values())}")
    prefixed = {type.name: type for known, type in _BY_WORD.items() if known.startswith(word)}
    if len(prefixed) == 1:
        return next(iter(prefixed.values()))
    if prefixed:
        choices = ", ".join(type.plural for type in prefixed.values())
        raise KeyError(f"{text.strip()!r:.60} fits several resource types: {choices}")
    import difflib  # costs 3 ms, needed for the error alone

    near = difflib.get_close_matches(word[:40], _BY_WORD, n=5, cutoff=0.5)
    names = list(dict.fromkeys(_BY_WORD[known].plural for known in near))
    hint = f"did you mean {', '.join(names)}?" if names else f"known are {', '.join(t.plural for t in ALL.values())}"
    raise KeyError(f"there is no resource type {text.strip()[:40]!r}; {hint}")
