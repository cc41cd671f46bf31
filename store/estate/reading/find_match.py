"""By which of its values a row fits a term. Pure; the same judgement as the SQL of `find`, value by value."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from store.estate.reading.find import CONTAINS, EXACT, EXACT_ID, EXACT_NAME, PREFIX, PREFIX_COLUMNS
from store.estate.reading.find_terms import MIN_FRAGMENT, Term
from store.estate.reading.single import label_column
from store.types.declaration import Column, ResourceType

_TOKENS = re.compile(r"[0-9a-fA-F:.]+(?:/\d{1,3})?")


class Match(NamedTuple):
    """How well a row fits, and the column and value that do."""

    rank: int
    column: str
    value: str


@cache
def searched(type: ResourceType) -> tuple[Column, ...]:
    """Columns that are looked through: what names the resource first, then the others as declared."""
    label = label_column(type)
    columns = [column for column in type.columns if column.search and column.name != "id"]
    return tuple(sorted(columns, key=lambda column: column.name != label))


def match(term: Term, type: ResourceType, row: Mapping[str, Any]) -> Match | None:
    """The best fitting value of a row (its id and searched columns); None when it does not fit."""
    label = label_column(type)
    best: Match | None = None
    wanted = set(term.words)
    for column, value in _values(type, row):
        lower = value.lower()
        wanted -= {word for word in wanted if word in lower and (column != "id" or _may_be_in_id(word, lower))}
        rank = _rank(term, type, column, label, lower)
        if rank is not None and (best is None or rank < best.rank):
            best = Match(rank, column, value)
    if wanted:
        return None
    return best


def _values(type: ResourceType, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "id", row["id"]
    for column in searched(type):
        value = row.get(column.name)
        for item in value if isinstance(value, list) else (value,):
            if item is not None and item != "":
                yield column.name, str(item)


def _rank(term: Term, type: ResourceType, column: str, label: str, value: str) -> int | None:
    exact = (term.text,) if term.kind == "prefix" else (term.text, *term.needles)
    if value in exact or (column == "metadata" and value.partition("=")[2] in exact):
        return EXACT_ID if column == "id" else EXACT_NAME if column == label and column != "address" else EXACT
    if value in term.networks and PREFIX_COLUMNS.get(type.name) == column:
        return PREFIX
    if term.kind == "prefix":
        return PREFIX if _inside(term, value) else None
    if term.kind == "address":
        return CONTAINS if re.search(term.pattern, value) else None
    found = [text for text in (*term.needles, *term.words) if text in value]
    if not found or (column == "id" and not any(_may_be_in_id(text, value) for text in found)):
        return None
    begins = column in ("id", label) and any(value.startswith(text) for text in (term.text, *term.needles))
    return PREFIX if begins else CONTAINS


def _may_be_in_id(text: str, id: str) -> bool:
    """Whether a text is long enough to be looked for inside an id."""
    return len(text) >= MIN_FRAGMENT or text == id


def _inside(term: Term, value: str) -> bool:
    """Whether an address or a prefix in the value lies within the term's network."""
    assert term.network is not None
    for token in _TOKENS.findall(value):
        if "." not in token and ":" not in token:
            continue
        try:
            network = ipaddress.ip_network(token, strict=False)
        except ValueError:
            continue
        if network.version == term.network.version and network.subnet_of(term.network):  # type: ignore[arg-type]
            return True
    return False
