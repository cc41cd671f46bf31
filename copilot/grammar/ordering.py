"""Groups, order and limits: "per host", "the 5 largest", "the project with the most servers"."""

from __future__ import annotations

from dataclasses import dataclass, field

from copilot.grammar.items import Item
from copilot.grammar.lexicon import lexicon
from copilot.grammar.parse import COUNTS, Parse, attribute_of, is_plural
from copilot.model import paths
from copilot.model.declaration import Entity
from copilot.model.registry import entity
from copilot.query import EVERYTHING, Condition, Counted

USUAL_LIMIT = 10  # of "the largest volumes"
# What makes one busy.
_BUSY = {
    "hypervisor": "server", "project": "server", "flavor": "server", "image": "server", "network": "port",
        "volume_type": "volume",
    "storage_pool": "volume", "user": "server", "security_group": "port", "availability_zone": "server",
        "server": "volume",
    "domain": "project", "router": "port", "subnet": "port", "aggregate": "hypervisor", "keypair": "server",
    "server_group": "server",
}  # fmt: skip
# Words for columns that a project or host has through what belongs to it.
THROUGH = {
    "vcpus": ("server", "vcpus", "vCPUs"),
    "ram_mb": ("server", "ram_mb", "RAM"),
    "disk_gb": ("server", "disk_gb", "disk"),
    "size_gb": ("volume", "size_gb", "storage"),
}


@dataclass(slots=True)
class Order:
    """Order, limit, and the numbers of related rows that they speak of."""

    order: list[tuple[str, bool]] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)
    limit: int | None = None
    columns: list[str] = field(default_factory=list)
    where: dict[str, Condition] = field(default_factory=dict)


def ordered(parse: Parse, head: Entity, plural: bool) -> Order:
    """What was said about order, for rows of an entity."""
    made = Order(limit=parse.limit, where=parse.counted_where)
    said = list(parse.order)
    numbers = any(item.quantity is not None for item in parse.items) or bool(parse.periods)
    if parse.vague and not said and not numbers and not parse.superlative:
        said.append((None, parse.vague))
        parse.doubt(0.85)
    if parse.newish and not parse.periods and not said:
        said.append((None, "newest"))
    if parse.superlative in ("most", "fewest") and parse.groups:
        parse.descending = parse.superlative == "most"  # "most vms per host"
        parse.doubt(0.9)
    elif parse.superlative in ("largest", "smallest", "most", "fewest") and not any(
        item is not None and item in parse.groups for item, _ in said
    ):  # "smallest network by ports" has its order
        said.append((None, parse.superlative))
    ranks = {kind for item, kind in said if item is None and kind in ("oldest", "newest", "largest", "smallest")}
    if len(ranks) > 1:
        parse.unresolved.append(" and ".join(sorted(ranks)))  # "oldest and newest vm": two questions
    for item, kind in said:
        if not _one(parse, head, item, kind, made):
            parse.unresolved.append(item.text if item else kind)
    if parse.top and parse.top != "first" and not said and not parse.groups:
        if head.size:
            made.order = [(head.size, parse.top == "top")]
        elif head.name in _BUSY:
            _count(head, _BUSY[head.name], parse.top == "top", made)
        made.limit = made.limit or USUAL_LIMIT
        parse.doubt(0.7 if head.name in ("flavor", "image", "volume_type") else 0.9)
    if parse.descending is not None and not said and not made.order and head.size and not parse.groups:
        made.order = [(head.size, parse.descending)]  # "largest first"
    superlative = any(
        kind
        for item, kind in said
        if kind not in ("", "oldest_first", "newest_first", "each") and item not in parse.groups
    )
    superlative = superlative or parse.superlative in ("largest", "smallest")
    if made.order and superlative and made.limit is None:
        made.limit = USUAL_LIMIT if plural or parse.newish else 1
    if parse.descending is not None and made.order:
        made.order[0] = (made.order[0][0], parse.descending)
    return made


def _one(parse: Parse, head: Entity, item: Item | None, kind: str, made: Order) -> bool:
    if kind.removesuffix("_first") in ("oldest", "newest"):
        column = head.born
        if not column:
            return False
        made.order.append((column, kind.startswith("newest")))
        made.columns.append(column)
        return True
    if kind in ("busiest", "idlest"):
        target = _BUSY.get(head.name)
        return target is not None and _count(head, target, kind == "busiest", made)
    falling = kind not in ("fewest", "smallest")
    busy = _BUSY.get(head.name)
    if item is None and busy and (kind in ("most", "fewest") or not head.size):  # "which flavor is used most"
        parse.doubt(0.95 if kind in ("most", "fewest") else 0.9)
        return _count(head, busy, falling, made)
    if item is None:
        if not head.size:
            return False
        made.order.append((head.size, falling))
        return True
    return _by_item(head, item, kind, falling, made)


def _by_item(head: Entity, item: Item, kind: str, falling: bool, made: Order) -> bool:
    attribute = attribute_of(head, item)
    amount = attribute is not None and attribute.is_number and not is_plural(item)  # "most disk", not "most disks"
    if (kind or is_plural(item)) and not amount:
        for name in item.entities:
            if name != head.name and _count(head, name, falling or not kind, made):
                return True
    if attribute is not None:
        down = falling if kind else attribute.is_number or attribute.role == "time"
        made.order.append((attribute.column, down))
        made.columns.append(attribute.column)
        return True
    for name in item.entities:
        if name in head.scopes:
            made.order.append((head.scopes[name], bool(kind) and falling))
            return True
        if not kind and name != head.name and _count(head, name, True, made):
            return True
    if _through(head, item.columns, falling, made):
        return True
    plain = lexicon().without_use(item.said)
    return plain is not None and _through(head, plain[1].columns, falling, made)


def _count(head: Entity, name: str, falling: bool, made: Order) -> bool:
    way = paths.path(head.name, name)
    if len(way) != 1:
        column = COUNTS.get((head.name, name))
        if column is not None and name not in made.where:
            made.order.append((column, falling))
            made.columns.append(column)
        return column is not None and name not in made.where
    counted = Counted(entity(name).plural, way[0].name, made.where.get(name, EVERYTHING))
    made.counted.append(counted)
    made.order.append((counted.name, falling))
    return True


def _through(head: Entity, named: dict[str, list[str]], falling: bool, made: Order) -> bool:
    """ "the project with the most RAM": added up over what belongs to it."""
    for columns in named.values():
        for column in columns:
            if column not in THROUGH:
                continue
            name, column, title = THROUGH[column]
            way = paths.path(head.name, name)
            if len(way) == 1:
                counted = Counted(title, way[0].name, kind="sum", column=column)
                made.counted.append(counted)
                made.order.append((counted.name, falling))
                return True
    return False


def group_columns(parse: Parse, head: Entity) -> tuple[tuple[str, ...], Entity | None]:
    """Columns to group by; or the entity whose rows the head's are counted for, where the head has no such column.

    Words that only give an order ("hosts by number of servers") are put there; so it comes before `ordered`.
    """
    columns: list[str] = []
    for item in parse.groups:
        attribute = attribute_of(head, item)
        scope = next((head.scopes[name] for name in item.entities if name in head.scopes), None)
        own = next((name for name in item.entities if head.name in entity(name).scopes), None)
        if head.name in item.entities and scope is None:
            continue  # "number of vcpus per server" of servers
        if scope is not None:
            columns.append(scope)
        elif own is not None:  # "projects by storage", "hosts by vms": what belongs to them gives an order
            few = parse.top == "bottom" or parse.superlative in ("smallest", "fewest")
            parse.order.append((item, "fewest" if few else "most"))
        elif attribute is not None and (
            item in parse.fixed or (parse.count and parse.limit is None and attribute.is_number)
        ):
            columns.append(attribute.column)
        elif attribute is not None and (attribute.is_number or attribute.role == "time" or attribute.column == "name"):
            parse.order.append((item, ""))
        elif attribute is not None:
            columns.append(attribute.column)
        elif item.columns and not item.entities:
            parse.order.append((item, "most"))
        else:
            through = next((name for name in item.entities if len(paths.path(name, head.name)) == 1), None)
            if through is not None and len(parse.groups) == 1:
                return (), entity(through)
            parse.unresolved.append(item.text)
    return tuple(columns), None
