"""What "most" and "fewest" rank: the entity that stands behind them, or the values of a column."""

from __future__ import annotations

from copilot.grammar.parse import Parse, attribute_of
from copilot.model.declaration import Entity


def ranks(parse: Parse, found: Entity) -> bool:
    """Whether "most" is about this entity: not in "most vms on one host", "vms on the host with the most vms"."""
    assert parse.head is not None
    if found is parse.head.entity and parse.current is not parse.head:
        return False
    for one in reversed(parse.items[: parse.at]):
        if one.is_concept("most", "fewest"):
            return True
        if one.entities and not one.named and not (one.senses and one.senses.states):
            return False
    return True


def tops_column(parse: Parse, found: Entity) -> bool:
    """ "which type has the most volumes": the values of a column, by how many have it."""
    asked = parse.asked[-1][0] if len(parse.asked) == 1 else None
    attribute = attribute_of(found, asked) if asked is not None else None
    if asked is None or attribute is None or attribute.is_number or attribute.role == "time":
        return False
    parse.groups.append(asked)
    parse.fixed.append(asked)
    parse.asked, parse.count, parse.having = [], True, False
    parse.descending, parse.superlative = parse.superlative == "most", ""
    parse.limit = parse.limit or 1
    return True
