"""Two or more things against each other: "does A have more servers than B", "which has more, A or B"."""

from __future__ import annotations

from dataclasses import replace

from copilot.answers import Named
from copilot.grammar.frames import Frame, Piece
from copilot.grammar.parse import Parse, attribute_of
from copilot.model.declaration import Entity
from copilot.query import Measure


def compared(parse: Parse, head: Entity, frame: Frame) -> Frame:
    """The frame as a comparison, when it is one."""
    asks = bool(parse.compare) or parse.superlative in ("most", "fewest") or bool(parse.order)
    piece = next(
        (piece for piece in frame.pieces if piece.dimension.startswith("scope:") and len(piece.named) > 1), None
    )
    if piece is None and parse.compare:
        return _rows_compared(parse, head, frame)
    if piece is None or not asks or frame.group or len({one.name for one in piece.named}) < 2:
        return frame
    column = head.scopes.get(piece.named[0].type)
    if column is None:
        return frame
    measure = frame.measure if frame.measure.kind not in ("rows", "exists") else Measure("count")
    for wanted, kind in parse.asked:
        attribute = attribute_of(head, wanted)
        if attribute is not None and attribute.is_number and frame.measure.kind in ("rows", "exists"):
            measure = Measure(kind or "sum", attribute.column)  # type: ignore[arg-type]
    for item, kind in parse.order:
        attribute = attribute_of(head, item) if item is not None else None
        if attribute is not None and attribute.is_number and kind:
            measure = Measure("sum", attribute.column)
    falling = parse.compare != "fewer" and "fewest" not in (parse.superlative, *(kind for _, kind in parse.order))
    return replace(
        frame,
        form="compare",
        pieces=_in_order(parse, frame.pieces, piece),
        measure=measure,
        group=(column,),
        order=(("#", falling),),
        counted=(),
        columns=(),
        limit=None,
        subject=_named_in_order(parse, piece),
        yes=parse.wh == "is",
    )


def _rows_compared(parse: Parse, head: Entity, frame: Frame) -> Frame:
    """ "is m1.small smaller than m1.large": two things of one type, by a column of theirs."""
    piece = next((one for one in frame.pieces if one.dimension == "name"), None)
    if piece is None or len({one.name for one in piece.named}) < 2:
        return frame
    attributes = [attribute_of(head, item) for item, _ in parse.asked]
    column = next((one.column for one in attributes if one is not None and one.is_number), head.size)
    if not column:
        return frame
    return replace(
        frame,
        form="compare",
        predicate=(),
        pieces=(*frame.pieces, *frame.predicate),
        measure=Measure("maximum", column),
        group=(head.name_column,),
        order=(("#", parse.compare != "fewer"),),
        columns=(),
        limit=None,
        subject=tuple({one.name: one for one in reversed(_named_in_order(parse, piece))}.values())[::-1],
        yes=parse.wh == "is",
    )


def _named_in_order(parse: Parse, piece: Piece) -> tuple[Named, ...]:
    """The things compared, as they were typed."""
    typed = [one for item in parse.items for one in item.named]
    return tuple(sorted(piece.named, key=lambda one: typed.index(one) if one in typed else len(typed)))


def _in_order(parse: Parse, pieces: tuple[Piece, ...], piece: Piece) -> tuple[Piece, ...]:
    named = _named_in_order(parse, piece)
    return tuple(replace(one, named=named) if one is piece else one for one in pieces)
