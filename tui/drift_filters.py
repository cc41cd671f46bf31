"""What filters know of drift events, and what of a filter the engine is asked for. Pure: panes and command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.drift.models import SEVERITIES, STATES, TRIAGE
from store.filters import And, Filter, FilterError, Match, Value, Word, all_of, format, matches, parse
from tui.drift import SHORT_STATES, Event, change_words, side_words, type_words, who_words
from tui.times import UNITS

COLUMNS = (
    "resource", "type", "change", "at", "severity", "who", "project", "state", "cloud", "rule", "count", "field", "old",
    "new", "region", "id", "grade",
)  # fmt: skip
FIELDS = (*COLUMNS, "name", "about", "domain", "note", "rule_id", "flapping", "job", "event")
_LONGEST = 100 * 365 * 86400.0
_WHOLE = 32  # characters of an id
_EQUAL = {"type": "type", "cloud": "cloud", "region": "region", "project": "project"}  # of the filter: parameter
_TEXTS = ("resource", "name", "field", "old", "new", "who")


def shown_event(item: Event) -> dict[str, Any]:
    """An event's values by column."""
    state = str(item.get("state") or "")
    return {
        "resource": item.get("resource_name") or item.get("resource_id"),
        "type": type_words(item),
        "change": change_words(item),
        "at": item.get("opened_at"),
        "severity": item.get("severity"),
        "who": who_words(item),
        "project": item.get("project_name") or item.get("project_id"),
        "state": SHORT_STATES.get(state, state),
        "cloud": item.get("cloud"),
        "rule": item.get("rule_name"),
        "count": item.get("count"),
        "field": item.get("field_changed"),
        "old": side_words(item, "old"),
        "new": side_words(item, "new"),
        "region": item.get("region"),
        "id": item.get("resource_id"),
        "grade": item.get("grade_words"),
    }


def record_of(item: Event) -> dict[str, Any]:
    """An event's values as filters know them."""
    texts = {
        side: " ".join(str(item[f"{side}_{part}"]) for part in ("name", "value") if item.get(f"{side}_{part}"))
        for side in ("old", "new")
    }
    return {
        **shown_event(item),
        **texts,
        "name": item.get("resource_name"),
        "about": f"{item.get('resource_id')} {item.get('owner_id') or ''}",
        "type": item.get("resource_type"),
        "state": state_field(str(item.get("state") or "")),
        "domain": item.get("domain_name"),
        "note": item.get("acknowledge_note"),
        "rule_id": item.get("rule_id"),
        "flapping": "yes" if item.get("flapping") else "no",
        "job": item.get("job"),
        "event": item.get("id"),
    }


def shown_states(filter: str) -> tuple[str, ...]:
    """The states that a filter may show: those of the triage unless it names others."""
    values = term(filter, "state")
    if values is None:
        return STATES if _speaks_of_states(filter) else TRIAGE
    if any(value.operator for value in values):
        return STATES
    found = [state for value in values for state in STATES if value.text.lower() in state_field(state)]
    return tuple(dict.fromkeys(found))


def _speaks_of_states(filter: str) -> bool:
    try:
        return any(match.column == "state" for match in matches(parse(filter)))
    except FilterError:
        return False


def state_field(state: str) -> str:
    """What a filter's `state:` is compared with: the state, and "triage" for what is to be looked at."""
    return f"{state} triage" if state in TRIAGE else state


def term(filter: str, column: str) -> tuple[Value, ...] | None:
    """The values that a filter requires of a column, None when it requires none."""
    try:
        found = [item for item in required(parse(filter)) if isinstance(item, Match) and item.column == column]
    except FilterError:
        return None
    return found[-1].values if found else None


def with_term(filter: str, column: str, values: Sequence[str]) -> str:
    """The filter, requiring that the column has one of the values (none: requiring nothing of it)."""
    try:
        kept = [item for item in required(parse(filter)) if not (isinstance(item, Match) and item.column == column)]
    except FilterError:
        kept = []
    added = [Match(column, tuple(Value("", value) for value in values))] if values else []
    return format(all_of(*kept, *added))


def toggled(filter: str, states: Sequence[str]) -> str:
    """The filter with these states shown too; without them when they were."""
    shown = shown_states(filter)
    wanted = [s for s in shown if s not in states] if set(states) <= set(shown) else [*shown, *states]
    if set(wanted) == set(TRIAGE):
        return with_term(filter, "state", ())
    if set(TRIAGE) <= set(wanted):
        wanted = ["triage", *(s for s in wanted if s not in TRIAGE)]
    return with_term(filter, "state", wanted)


def next_severity(filter: str) -> str:
    """The filter with the next severity alone: critical, warning, info, all."""
    values = term(filter, "severity")
    current = values[0].text.lower() if values is not None and len(values) == 1 else ""
    order = ("", *SEVERITIES)
    following = order[(order.index(current) + 1) % len(order)] if current in order else SEVERITIES[0]
    return with_term(filter, "severity", (following,) if following else ())


def question(filter: str, *, narrow: bool = False) -> dict[str, Any]:
    """What of a filter the engine is asked for (parameters of GET /q/drift/events). Its answer is sifted by the filter
    again, so it is asked for at least what passes.

    narrow  ask for texts too: where more events were found than are read at once. The engine looks for them in fewer
            fields than the filter does
    """
    params: dict[str, Any] = {"state": list(shown_states(filter)) or list(STATES)}
    texts: list[str] = []
    try:
        tree = parse(filter)
    except FilterError:
        return params
    for item in required(tree):
        if isinstance(item, Word):
            texts.append(item.text)
        elif isinstance(item, Match):
            _ask(params, texts, item, narrow)
    if texts and narrow:
        params["text"] = max(texts, key=len)[:255]
    return params


def _ask(params: dict[str, Any], texts: list[str], item: Match, narrow: bool) -> None:
    value, plain = item.values[0], all(v.operator in ("", "=") for v in item.values)
    exact = [v.text for v in item.values if v.operator == "="]
    if item.column == "severity" and plain:
        words = [s for s in SEVERITIES if any(v.text.lower() in s for v in item.values)]
        params |= {"severity": words} if words else {}
    elif item.column == "rule_id" and plain and all(v.text.isdecimal() for v in item.values):
        params |= {"rule": [int(v.text[:9]) for v in item.values]} if len(exact) == len(item.values) else {}
    elif item.column == "about" and len(item.values) == 1 and not value.operator and len(value.text) >= _WHOLE:
        params["id"] = value.text
    elif item.column in _EQUAL and narrow and len(exact) == len(item.values):
        params[_EQUAL[item.column]] = exact
    elif item.column == "age" and len(item.values) == 1 and value.operator in ("", "<", "<="):
        digits, unit = value.text[:-1], value.text[-1:]
        if digits.replace(".", "", 1).isdecimal() and unit in UNITS:
            since = datetime.now(UTC) - timedelta(seconds=min(float(digits) * UNITS[unit], _LONGEST))
            params["since"] = since.isoformat().replace("+00:00", "Z")
    elif item.column in _TEXTS and len(item.values) == 1 and value.operator in ("", "="):
        texts.append(value.text)


def required(tree: Filter) -> Iterator[Filter]:
    """The terms that a row must all pass."""
    if isinstance(tree, And):
        for item in tree.items:
            yield from required(item)
    else:
        yield tree
