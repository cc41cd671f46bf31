"""Answers as the API tells them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from store import times

if TYPE_CHECKING:
    from copilot.answers import Answer, Proposal, Table, Usage

Item = dict[str, Any]
MOST_LINES = 25  # rows of a documented answer


@dataclass(frozen=True, slots=True)
class By:
    """Who worded an answer. `fallback`: why the model that is configured did not."""

    backend: str = "builtin"
    model: str | None = None
    usage: Usage | None = None
    external: bool = False
    fallback: str = ""


def answer(found: Answer, by: By, history_id: int | None, now: datetime, took_ms: float) -> Item:
    """An models.Answer."""
    at = found.data_at
    return {
        "history_id": history_id,
        "outcome": found.outcome,
        "text": found.text,
        "value": _plain(found.value),
        "unit": found.unit,
        "intent": found.intent,
        "topic": found.topic,
        "confidence": round(found.confidence, 3),
        "sure": found.sure,
        "understood": found.understood,
        "unknown": list(found.unknown),
        "scope": list(found.scope),
        "data_at": None if at is None else times.text(at),
        "data_age_seconds": None if at is None else max(0.0, round((now - at).total_seconds(), 3)),
        "live": found.live,
        "choices": list(found.choices),
        "table": None if found.table is None else _table(found.table),
        "queries": [{"kind": one.kind, "text": one.text} for one in found.shown],
        "proposals": [_proposal(one) for one in found.proposals],
        "backend_used": by.backend,
        "model": by.model,
        "tokens_used": None if by.usage is None else by.usage.input_tokens + by.usage.output_tokens,
        "cost": None if by.usage is None else by.usage.cost,
        "data_sent_external": by.external,
        "took_ms": round(took_ms, 1),
        "fallback_reason": by.fallback,
    }


def documented(told: Mapping[str, Any]) -> Item:
    """A DocumentedAnswer: the text with its number in **bold**, then the first rows, and choices as lines."""
    lines = [bold(told["text"], told["value"])]
    if told["table"] is not None and told["table"]["rows"]:
        lines += ["", *_markdown(told["table"])]
    lines += [f"- {choice}" for choice in told["choices"]]
    names = ("intent", "backend_used", "confidence", "tokens_used", "data_sent_external", "history_id")
    return {"answer": "\n".join(lines), **{name: told[name] for name in names}}


def _markdown(table: Mapping[str, Any]) -> list[str]:
    columns, rows = table["columns"], table["rows"][:MOST_LINES]
    heads = [_cell(one["title"] or one["name"]) for one in columns]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join(_cell(row.get(one['name'])) for one in columns)} |" for row in rows]
    left = table["total"] - len(rows)
    return [*lines, "", f"... and {left:,} more"] if left > 0 else lines


def _cell(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    text = "" if value is None else "yes" if value is True else "no" if value is False else str(value)
    return " ".join(text.split()).replace("|", "\\|")


def bold(text: str, value: Any) -> str:
    """The text with the number that it states in bold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return text
    whole = isinstance(value, int) or value.is_integer()
    said = [f"{value:,.0f}", f"{value:.0f}"] if whole else [f"{value:,.1f}", f"{value:.1f}", f"{value:.2f}", str(value)]
    for number in dict.fromkeys(said):
        made, count = re.subn(rf"(?<![\w.,:-]){re.escape(number)}(?![\w:-]|[.,]\d)", f"**{number}**", text, count=1)
        if count:
            return made
    return text


def _table(found: Table) -> Item:
    return {
        "columns": [{"name": one.name, "title": one.title, "role": one.role} for one in found.columns],
        "rows": [{name: _plain(value) for name, value in row.items()} for row in found.rows],
        "keys": [{"type": type, "key": list(key)} for type, key in found.keys],
        "total": found.total,
    }


def _proposal(one: Proposal) -> Item:
    return {
        "kind": one.kind,
        "label": one.label,
        "name": one.name,
        "type": one.type,
        "filter": one.filter,
        "sort": [list(pair) for pair in one.sort],
        "at": None if one.at is None else times.text(one.at),
        "keys": [list(key) for key in one.keys],
        "values": [list(pair) for pair in one.values],
        "command": one.command,
    }


def _plain(value: Any) -> Any:
    return times.text(value) if isinstance(value, datetime) else value
