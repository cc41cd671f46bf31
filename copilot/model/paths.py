"""How one entity leads to another: the shortest way over relations, and the condition that a named resource makes."""

from __future__ import annotations

from functools import cache

from copilot.answers import Named
from copilot.model.declaration import Entity, Relation
from copilot.model.registry import entity
from copilot.query import AnyOf, Comparison, Condition, Related, Test

# Ways that are short and mean something else: a project's user is nobody who is in it.
_NOT_THROUGH = frozenset(
    {"user", "role_assignment", "availability_zone", "domain", "quota", "cinder_message", "keypair"}
)
# (from, to) -> the way that people mean, where it is not the shortest
_USUAL: dict[tuple[str, str], tuple[str, ...]] = {
    ("volume", "hypervisor"): ("server", "hypervisor"),
    ("snapshot", "server"): ("volume", "server"),
    ("snapshot", "hypervisor"): ("volume", "server", "hypervisor"),
    ("backup", "server"): ("volume", "server"),
    ("hypervisor", "project"): ("server", "project"),
    ("hypervisor", "volume"): ("server", "volume"),
    ("server", "snapshot"): ("volume", "snapshot"),
    ("server", "backup"): ("volume", "backup"),
    ("server", "network"): ("network",),
    ("server", "security_group"): ("port", "security_group"),
    ("security_group", "server"): ("port", "server"),
    ("server", "subnet"): ("port", "subnet"),
    ("subnet", "server"): ("port", "server"),
    ("server", "router"): ("network", "subnet", "port", "router"),
    ("network", "router"): ("port", "router"),
    ("router", "network"): ("port", "network"),
    ("router", "subnet"): ("port", "subnet"),
    ("subnet", "router"): ("port", "router"),
    ("volume", "snapshot"): ("snapshot",),
    ("server", "aggregate"): ("hypervisor", "aggregate"),
    ("aggregate", "server"): ("hypervisor", "server"),
    ("flavor", "project"): ("server", "project"),
    ("flavor", "hypervisor"): ("server", "hypervisor"),
    ("image", "hypervisor"): ("server", "hypervisor"),
    ("volume_type", "project"): ("volume", "project"),
    ("server", "volume_type"): ("volume", "volume_type"),
    ("server", "storage_pool"): ("volume", "storage_pool"),
    ("floating_ip", "hypervisor"): ("server", "hypervisor"),
    ("user", "project"): ("role_assignment", "project"),
    ("project", "user"): ("role_assignment", "user"),
    ("user", "role"): ("role_assignment", "role"),
    ("role", "user"): ("role_assignment", "user"),
    ("group", "project"): ("role_assignment", "project"),
    ("project", "group"): ("role_assignment", "group"),
    ("project", "role"): ("role_assignment", "role"),
}
MOST_STEPS = 3


@cache
def path(start: str, end: str) -> tuple[Relation, ...]:
    """The relations that lead from one entity to another, () when none does."""
    if usual := _USUAL.get((start, end)):
        return _by_names(start, usual)
    waiting: list[tuple[str, tuple[Relation, ...]]] = [(start, ())]
    seen = {start}
    while waiting:
        name, way = waiting.pop(0)
        for relation in entity(name).relations.values():
            if relation.to == end:
                return (*way, relation)
            if relation.to not in seen and relation.to not in _NOT_THROUGH and len(way) + 1 < MOST_STEPS:
                seen.add(relation.to)
                waiting.append((relation.to, (*way, relation)))
    return ()


def is_usual(start: str, end: str) -> bool:
    """Whether the way is one that people mean without saying it: one step, or named as usual."""
    return (start, end) in _USUAL or len(path(start, end)) == 1


def _by_names(start: str, names: tuple[str, ...]) -> tuple[Relation, ...]:
    way: list[Relation] = []
    for name in names:
        relation = entity(start).relations.get(name)
        if relation is None:
            return ()
        way.append(relation)
        start = name
    return tuple(way)


def related(start: str, end: str, where: Condition, comparison: Comparison = ">=", count: int = 1) -> Condition | None:
    """That rows of `end` which fulfil `where` belong to a row of `start`: at least one, or as many as said.

    How many is counted at the last step of the way. None when nothing leads there.
    """
    way = path(start, end)
    if not way:
        return None
    condition: Condition = Related(way[-1].name, where, comparison, count)
    for relation in reversed(way[:-1]):
        condition = Related(relation.name, condition)
    return condition


def belongs(start: Entity, named: Named) -> Condition | None:
    """That a row of `start` belongs to the named resource, or is it. None when the two have nothing to do with each
    other."""
    if named.type in ("cloud", "region"):
        return Test(named.type, "=", (named.name,)) if start.type is not None else None
    if named.type == start.name:
        return Test("id", "=", (named.key[2],))
    if (start.name, named.type) == ("server", "image"):  # also of machines that boot from a volume made of it
        return Test("boot_image_name", "=", (named.name,))
    if named.type == "domain" and "domain_name" in start.attributes:
        return Test("domain_name", "=", (named.name,))
    way = path(start.name, named.type) if start.type is not None else ()
    if named.type == "user" and len(way) > 1 and start.name not in ("project", "role", "group"):
        way = ()  # whoever made the machine did not make its disks
    if not way:
        column = start.scopes.get(named.type)
        return Test(column, "=", (named.name,)) if column else None
    last = way[-1]
    value = named.key[2] if last.column == "id" else named.name if last.column == "name" else None
    condition: Condition = (
        Test(last.own, "=", (value,)) if value is not None else Related(last.name, Test("id", "=", (named.key[2],)))
    )
    for relation in reversed(way[:-1]):
        condition = Related(relation.name, condition)
    return condition


def belongs_to_any(start: Entity, named: tuple[Named, ...]) -> Condition | None:
    """The same for several of one type: one of them."""
    found = [condition for one in named if (condition := belongs(start, one)) is not None]
    if len(found) != len(named):
        return None
    if len(found) == 1:
        return found[0]
    tests = [one for one in found if isinstance(one, Test)]
    if len(tests) == len(found) and len({(one.column, one.operator) for one in tests}) == 1:
        values = tuple(dict.fromkeys(value for one in tests for value in one.values))
        return Test(tests[0].column, tests[0].operator, values)
    return AnyOf(tuple(found))
