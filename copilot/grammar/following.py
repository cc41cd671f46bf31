"""A question that goes on from the one before: "only the stopped ones", "and on host 3?", "how many is that?"."""

from __future__ import annotations

from dataclasses import replace

from copilot.answers import Context
from copilot.grammar import naming, ordering, timing, wording
from copilot.grammar.attaching import add_state, column_piece, compare, sized
from copilot.grammar.finishing import split_measure
from copilot.grammar.frames import Frame, Piece, replaced
from copilot.grammar.parse import Parse, Target, attribute_of, close
from copilot.model import paths
from copilot.model.declaration import Entity
from copilot.model.registry import entity
from copilot.query import Measure, Not


def follows(parse: Parse, before: Frame) -> bool:
    """Whether the question only makes sense after another one: it names nothing that is asked for, or points back."""
    first = parse.items[0] if parse.items else None
    if first is not None and parse.head is not None and first.is_concept("with", "no") and not parse.subject:
        return bool(paths.path(before.entity, parse.head.entity.name))  # "without floating ip"
    if first is not None and parse.head is None and first.is_concept("of", "in", "on", "belong", "except"):
        return True
    pointing = bool(parse.follow & {"same", "what_about", "instead", "and"}) or bool(parse.pointing)
    if parse.head is None and not parse.subject:
        return True
    if parse.head is None:
        known = {one.type for piece in before.pieces for one in piece.named}
        bare = not parse.asked and not parse.waiting_states and all(one.type in known for one in parse.subject)
        return pointing or bool(parse.follow) or bare
    return pointing and not (parse.subject and "and" not in parse.follow)


def follow(before: Frame, parse: Parse, context: Context) -> Frame | None:
    """The frame before with what is new; None when nothing new was said."""
    head = entity(before.entity)
    _as_condition(parse, head)
    other = parse.head.entity if parse.head is not None and parse.head.entity is not head else None
    if other is not None:
        return _other_entity(before, parse, context)
    target = parse.head or Target(head)
    if parse.head is None:
        parse.head = parse.current = target
    said = _pieces(parse, target)
    moment = timing.timed(parse, head, context)
    if moment.piece is not None:
        said.append(moment.piece)
    frame = replace(before, pieces=replaced(before.pieces + before.predicate, tuple(said)), predicate=())
    if frame.form in ("yes_no", "every", "share"):
        frame = replace(frame, form="list")
    frame = replace(frame, at=moment.at or frame.at, gone=moment.gone or frame.gone)
    frame = _measured(frame, parse)
    frame = _ordered(frame, parse)
    scope = tuple(piece.words for piece in frame.pieces if piece.dimension.startswith("scope:"))
    frame = replace(frame, scope_words=(*scope, *((moment.words,) if moment.words else ())))
    return None if frame == before and not parse.follow else frame


def _as_condition(parse: Parse, head: Entity) -> None:
    """ "without floating ip": what is named is related to the rows before, not asked for."""
    first = parse.items[0]
    if parse.head is None or parse.head.entity is head or not first.is_concept("with", "no") or parse.subject:
        return
    child, parse.head = parse.head, Target(head)
    parse.current = parse.head
    child.parent, child.negated = parse.head, first.is_concept("no")
    parse.children.append(child)


def _pieces(parse: Parse, target: Target) -> list[Piece]:
    """What was said now, as pieces of the entity asked for before."""
    head = target.entity
    for item, negation in parse.waiting_states:
        if not add_state(parse, item, negation, target):
            parse.unresolved.append(item.text)
    parse.waiting_states = []
    for named, negation, _ in parse.waiting_named:
        naming.limit(parse, named, negation, target)
    parse.waiting_named = []
    for number_of, number in parse.waiting_numbers:
        if not (compare(parse, number_of, number) if number_of is not None else sized(parse, number)):
            parse.unresolved.append(f"{number.value:g}")
    parse.waiting_numbers = []
    if parse.quantity is not None and parse.quantity.unit == "MB" and not parse.asked and sized(parse, parse.quantity):
        parse.quantity = None
    by_type: dict[str, list] = {}
    for one in parse.subject:
        by_type.setdefault(one.type, []).append(one)
    for found in by_type.values():
        naming.limit(parse, tuple(found), "", target)
    if parse.quantity is not None and parse.asked:
        attribute = attribute_of(head, parse.asked[-1][0])
        piece = column_piece(head, attribute, parse.quantity) if attribute else None
        if piece is not None:
            target.add(piece)
            parse.asked.pop()
            parse.quantity = None
    for child in reversed(parse.children):
        piece = close(child)
        if piece is None or child.parent is None:
            parse.unresolved.append(child.entity.singular)
        else:
            child.parent.add(piece)
    return list(target.pieces)


def _measured(frame: Frame, parse: Parse) -> Frame:
    head = entity(frame.entity)
    if parse.total and not parse.asked and head.size:  # "how big are they in total"
        return replace(frame, measure=Measure("sum", head.size), form="value", columns=(), order=(), limit=None)
    wording.asked_by_word(parse, head)
    if parse.count:
        return replace(frame, measure=Measure("count"), form="count", columns=(), limit=None)
    columns = []
    for item, kind in parse.asked:
        attribute = attribute_of(head, item)
        if attribute is None and (split := split_measure(item, head)) is not None:
            attribute, kind = split
        if attribute is None:
            parse.unresolved.append(item.text)
        elif (kind or parse.measure) and attribute.is_number:
            measure = Measure(kind or parse.measure, attribute.column)  # type: ignore[arg-type]
            return replace(frame, measure=measure, form="value", columns=(), order=(), limit=None)
        else:
            columns.append(attribute.column)
    if columns:
        shown = dict.fromkeys((head.name_column, *columns))
        return replace(frame, columns=tuple(shown), form="list", measure=Measure())
    if parse.wh in ("list", "which", "what") and frame.measure.kind != "rows" and not frame.group:
        return replace(frame, measure=Measure(), form="list")
    return frame


def _ordered(frame: Frame, parse: Parse) -> Frame:
    head = entity(frame.entity)
    group, _ = ordering.group_columns(parse, head)
    order = ordering.ordered(parse, head, plural=True)
    if group:
        measure = frame.measure if frame.measure.kind != "rows" else Measure("count")
        return replace(frame, group=group, measure=measure, form="count", order=(("#", True),), columns=(), limit=None)
    if frame.group:
        falling = order.order[0][1] if order.order else True
        return replace(frame, order=(("#", falling),), limit=order.limit) if order.order or order.limit else frame
    if order.order:
        frame = replace(frame, order=tuple(order.order), counted=tuple(order.counted))
        if frame.measure.kind != "rows" and not frame.group:
            frame = replace(frame, measure=Measure(), form="list")
    if order.limit is not None:
        frame = replace(frame, limit=order.limit)
    return frame


def _other_entity(before: Frame, parse: Parse, context: Context) -> Frame | None:
    """ "and the volumes?": the same limits for something else."""
    assert parse.head is not None
    target = parse.head
    said = _pieces(parse, target)
    kept: list[Piece] = []
    for piece in before.pieces:
        if not piece.named or any(piece.named[0].type == one.named[0].type for one in said if one.named):
            continue
        if piece.named[0].type == target.entity.name:
            continue
        found = naming.belonging(Target(target.entity), piece.named)
        if found is not None:
            kept.append(found.negated() if isinstance(piece.condition, Not) else found)
    if "them" in parse.follow and not parse.subject and before.pieces:
        condition = paths.related(target.entity.name, before.entity, before.query().where)
        if condition is not None:
            kept = [Piece(f"related:{before.entity}", condition, f"of these {entity(before.entity).plural}")]
    form = "count" if parse.count or (before.form == "count" and parse.wh not in ("list", "which")) else "list"
    measure = Measure("count") if form == "count" else Measure()
    scope = tuple(piece.words for piece in kept if piece.dimension.startswith("scope:"))
    return Frame(target.entity.name, form, (*kept, *said), measure=measure, at=before.at, scope_words=scope)  # type: ignore[arg-type]
