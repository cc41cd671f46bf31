"""Numbers of related things: "average number of vms per host", "most popular flavor", "volumes per host"."""

from __future__ import annotations

from copilot.grammar import naming, ordering
from copilot.grammar.frames import Form, Frame, Piece
from copilot.grammar.parse import Parse, Target
from copilot.model import paths
from copilot.model.declaration import Entity
from copilot.model.registry import entity
from copilot.query import Counted, Measure, Test, both

# Kinds of things, one of the same name in each region: the most used is a name.
KINDS = {"flavor": "server", "image": "server", "volume_type": "volume"}


def average_count(parse: Parse, head: Entity, pieces: tuple[Piece, ...]) -> Frame | None:
    """ "average number of vms per host": of the numbers that each has."""
    if not parse.of_values or parse.asked or len(parse.groups) != 1:
        return None
    for name in parse.groups[0].entities:
        way = paths.path(name, head.name)
        if len(way) == 1:
            where = both(*(piece.condition for piece in pieces))
            counted = Counted(head.plural, way[0].name, where)
            measure = Measure(parse.measure, counted.name)  # type: ignore[arg-type]
            return Frame(name, "value", measure=measure, counted=(counted,))
    return None


def by_name(head: Entity, order: ordering.Order, pieces: tuple[Piece, ...]) -> Frame:
    """ "most popular flavor": what uses it, counted by its name."""
    user = entity(KINDS[head.name])
    group = (user.scopes[head.name],)
    order_ = (("#", order.order[0][1]),)
    scopes = [naming.belonging(Target(user), piece.named) for piece in pieces]
    where = (
        *(piece for piece in scopes if piece is not None),
        Piece(f"column:{group[0]}", Test(group[0], "any"), f"with a {head.singular}"),
    )
    counted = order.counted[0]
    measure = Measure("sum", counted.column) if counted.kind == "sum" else Measure("count")
    form: Form = "value" if counted.kind == "sum" else "count"
    return Frame(user.name, form, where, measure=measure, group=group, order=order_, limit=order.limit)


def counted_for(
    through: Entity, head: Entity, pieces: tuple[Piece, ...], measure: Measure, order: ordering.Order
) -> Frame:
    """ "volumes per host" and the like: rows of the other entity, with the number of theirs."""
    way = paths.path(through.name, head.name)
    kind = measure.kind if measure.kind in ("sum", "average", "maximum", "minimum") else "count"
    counted = Counted(head.plural, way[0].name, both(*(piece.condition for piece in pieces)), kind, measure.column)  # type: ignore[arg-type]
    return Frame(through.name, "list", counted=(counted,), order=((counted.name, True),), limit=order.limit)
