"""Makes docs/copilot-questions.md: what can be asked about, with the words for it, out of the model itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from copilot.model.declaration import Entity, State
from copilot.model.registry import entities
from copilot.topics.words import TOPICS

MOST = {"state": 6, "column": 3, "topic": 8}  # words shown of each

_HEAD = """# What the copilot knows

<!-- Generated from copilot/model and copilot/topics/words.py; a test keeps it current. -->

Everything that can be asked about, with the words that are understood for it: resource types and lists of the console,
what their states are called, and their columns. Small and capital letters are the same, so are singular and plural,
and a slip of a letter is forgiven. Of many words for the same, the first are shown. How to ask is in
[copilot.md](copilot.md).

In the tables, the first word is the one that answers use; those in brackets mean the same. A column can be shown
("vms with their ips"), compared ("more than 8 vcpus"), sorted by ("by ram"), grouped by ("per host") and, where it is
marked with +, summed and averaged.
"""


def markdown() -> str:
    """The page."""
    types = [one for one in entities().values() if one.type is not None]
    lists = [one for one in entities().values() if one.type is None]
    lines = [
        _HEAD,
        "## Resource types",
        "",
        *_contents(types),
        "",
        "## Lists of the console",
        "",
        *_contents(lists),
        "",
    ]
    for one in (*types, *lists):
        lines += _entity(one)
    lines += ["## Topics", "", "Words that ask for something that is not one list or number.", ""]
    lines += ["| topic | words |", "|---|---|"]
    lines += [f"| {name} | {_some(words, 'topic')} |" for name, words in sorted(TOPICS.items())]
    return "\n".join(lines).rstrip() + "\n"


def _contents(found: Iterable[Entity]) -> list[str]:
    return [", ".join(f"[{one.plural}](#{_title(one).replace(' ', '-')})" for one in found) + "."]


def _title(one: Entity) -> str:
    return one.plural.lower()


def _entity(one: Entity) -> list[str]:
    lines = [f"## {_title(one)}", "", f"Called: {_cell(', '.join(one.words))}."]
    if one.scopes:
        lines.append(f"Asked for by: {', '.join(entities()[name].singular for name in one.scopes)}.")
    related = dict.fromkeys(relation.to for relation in one.relations.values())
    if related:
        lines.append(f"Hang together with: {', '.join(entities()[name].plural for name in related)}.")
    lines.append("")
    if one.states:
        lines += ["| state | words |", "|---|---|", *map(_state, one.states), ""]
    columns = []
    for attribute in one.attributes.values():
        words = [word for word in attribute.words if word != attribute.column]
        if attribute.words:
            mark = "+" if attribute.is_number else ""
            columns.append(f"`{attribute.column}`{mark}" + (f" ({_some(words, 'column')})" if words else ""))
    return [*lines, f"Columns: {_cell('; '.join(columns))}.", ""]


def _state(one: State) -> str:
    said = one.says or one.words[0]
    return f"| {_cell(said)} | {_some([word for word in one.words if word != said], 'state')} |"


def _some(words: Sequence[str], kind: str) -> str:
    more = ", ..." if len(words) > MOST[kind] else ""
    return _cell(", ".join(words[: MOST[kind]]) + more)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
