"""Words that are values of a room's list: people who are no users of a cloud, rules, reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from copilot.grammar.frames import Piece
from copilot.grammar.items import Item
from copilot.grammar.parse import Parse
from copilot.query import Test
from copilot.sources import Sources

# Columns that say who or what; the first that has the value is meant.
_ROLES = ("name", "text", "status", "address")


def settle(parse: Parse, sources: Sources) -> None:
    """Of a question about a list: what was not understood, and names that its rows don't know by their type, is looked
    for among the values of its rows.

    Raises NotAllowed, NotAvailable.
    """
    target = parse.head
    if target is None or target.entity.type is not None:
        return
    open_items = [item for item in parse.items if _is_open(parse, item)]
    if not open_items:
        return
    rows = sources.rows(target.entity.name)
    for item in open_items:
        column = _column(target.entity.attributes, rows, item.text)
        if column is None:
            continue
        said = target.entity.attributes[column].words[:1] or (column,)
        target.add(Piece(f"column:{column}", Test(column, "=", (item.text,)), f"with {said[0]} {item.text}"))
        item.used = True
        parse.unresolved = [text for text in parse.unresolved if text.casefold() != item.text.casefold()]


def _is_open(parse: Parse, item: Item) -> bool:
    if item.dropped or len(item.text) < 2:
        return False
    if not item.used:
        return item.senses is None or bool(item.senses.topics)
    return item.text in parse.unresolved or any(one.name in parse.unresolved for one in item.named)


def _column(attributes: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], text: str) -> str | None:
    wanted = text.casefold()
    for name, attribute in attributes.items():
        if attribute.role in _ROLES and any(str(row.get(name) or "").casefold() == wanted for row in rows):
            return name
    return None
