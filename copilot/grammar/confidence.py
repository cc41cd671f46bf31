"""How surely a question was understood: every word of content must have a place."""

from __future__ import annotations

from math import prod

from copilot.grammar.parse import Parse

UNKNOWN = 0.55  # factor for each word of content that nothing was made of
CORRECTED = 0.98  # for each forgiven typo


def unknown_words(parse: Parse) -> tuple[str, ...]:
    """Content of the question that the grammar made nothing of."""
    left = [item.text for item in parse.items if not item.used and not item.dropped]
    pending = [parse.attribute.text] if parse.attribute is not None else []
    if parse.quantity is not None:
        said = [item.text for item in parse.items if item.quantity is parse.quantity]
        pending.append(said[0] if said else f"{parse.quantity.value:g}")
    if parse.negation and not parse.count:
        pending.append("not")
    if parse.pattern:
        pending.append(parse.pattern)
    if parse.grouping or parse.sorting:
        pending.append("by")
    pending += [item.text for item, _ in parse.waiting_states]
    if parse.superlative == "each":
        pending.append("each")
    return tuple(dict.fromkeys((*left, *parse.unresolved, *pending)))


def confidence_of(parse: Parse, left: tuple[str, ...]) -> float:
    """0..1."""
    corrected = sum(1 for item in parse.items if item.corrected)
    return float(prod(parse.doubts)) * UNKNOWN ** len(left) * CORRECTED**corrected
