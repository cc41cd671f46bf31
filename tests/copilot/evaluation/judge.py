"""Compares an answer with what the oracle expects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

from copilot.answers import Answer
from tests.copilot.evaluation import expect

Verdict = Literal["right", "wrong", "asked back", "unanswered"]
VERDICTS: tuple[Verdict, ...] = ("right", "wrong", "asked back", "unanswered")

_IN_MB = {"MB": 1.0, "GB": 1024.0, "TB": 1024.0 * 1024, "bytes": 1 / 1024 / 1024}
_UNITS = {"size_mb": "MB", "size_gb": "GB", "size_bytes": "bytes"}  # of a column, by its role
ALIKE = 5  # rows: so few that all say the same say it as well as a sentence
FEW = 60  # rows: more than these speak of nothing in particular
_YES = {True: "yes", False: "no"}


def verdict(answer: Answer, expected: expect.Expected) -> Verdict:
    """ "wrong" only where the answer is given with confidence; what is right counts with or without."""
    if isinstance(expected, expect.Unanswerable):
        return "wrong" if answer.sure else "right"
    if right(answer, expected):
        return "right"
    if answer.outcome == "ask_back":
        return "asked back"
    return "wrong" if answer.sure else "unanswered"


def right(answer: Answer, expected: expect.Expected) -> bool:
    """Whether the answer says just what is expected."""
    if isinstance(expected, expect.Either):
        return any(right(answer, one) for one in expected.options)
    if isinstance(expected, expect.Saying):
        return right(answer, expected.of) and _in_words(answer.text, expected.words)
    if isinstance(expected, expect.AskBack):
        said = "\n".join(answer.choices).lower()
        return (
            answer.outcome == "ask_back"
            and len(answer.choices) >= 2
            and all(c.lower() in said for c in expected.choices)
        )
    if isinstance(expected, expect.Propose):
        return answer.outcome == "proposal" and any(_proposes(one, expected) for one in answer.proposals)
    if isinstance(expected, expect.Unanswerable):
        return not answer.sure
    if isinstance(expected, expect.Declines):
        return answer.outcome != "answer" and all(one.kind == "open" for one in answer.proposals)
    if answer.outcome != "answer":
        return False
    return _CHECKS[type(expected)](answer, expected)


def _in_words(text: str, words: tuple[str, ...]) -> bool:
    return any(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text.lower()) for word in words)


def _proposes(proposal: Any, expected: expect.Propose) -> bool:
    words = set(re.split(r"[^a-z]+", f"{proposal.name} {proposal.label} {proposal.command}".lower()))
    return set(proposal.keys) == expected.keys and any(verb in words for verb in expected.verbs)


# --- numbers


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _close(value: float, unit: str, expected: float, wanted: str, loose: float) -> bool:
    if unit in _IN_MB and wanted in _IN_MB:
        value, expected = value * _IN_MB[unit], expected * _IN_MB[wanted]
    elif unit and wanted and unit != wanted:
        return False
    if float(expected).is_integer() and not wanted and abs(expected) < 1e6:
        return (
            abs(value - expected) < 1e-6 if loose < 0.01 else abs(value - expected) <= max(0.01, loose * abs(expected))
        )
    return abs(value - expected) <= max(0.051, loose * abs(expected))


def _is_number(answer: Answer, expected: expect.Number) -> bool:
    value = _number(answer.value)
    if value is not None:
        return _close(value, answer.unit, expected.value, expected.unit, expected.loose)
    table = answer.table
    if table is None or not 0 < len(table.rows) == table.total <= ALIKE:
        return False
    return any(all(_cell_is(row.get(f.name), f.role, expected) for row in table.rows) for f in table.columns)


def _cell_is(value: Any, role: str, expected: expect.Number) -> bool:
    number = _number(value)
    return number is not None and _close(number, _UNITS.get(role, ""), expected.value, expected.unit, expected.loose)


def _groups(answer: Answer, expected: expect.Groups) -> bool:
    if answer.table is None:
        return False
    wanted = {name: n for name, n in expected.numbers.items() if n and name != "None"}
    if answer.table.total < len(wanted):
        return False
    names = [field.name for field in answer.table.columns] or list(answer.table.rows[0]) if answer.table.rows else []
    return any(_same_groups(answer, wanted, expected.unit, a, b) for a in names for b in names if a != b)


def _same_groups(answer: Answer, wanted: dict[str, float], unit: str, label: str, number: str) -> bool:
    assert answer.table is not None
    field = next((f for f in answer.table.columns if f.name == number), None)
    has = _UNITS.get(field.role if field else "", answer.unit)
    said: dict[str, float] = {}
    for row in answer.table.rows:
        name, value = row.get(label), _number(row.get(number))
        if value is None or (isinstance(name, list | dict)):
            return False
        if name not in (None, "", "-") and value:
            said[str(name)] = said.get(str(name), 0) + value
    return said.keys() == wanted.keys() and all(
        _close(said[n], has if unit else "", wanted[n], unit, 0.006) for n in wanted
    )


# --- rows


def _keys(answer: Answer) -> list[tuple[str, str, str]]:
    return [tuple(key) for _, key in answer.table.keys] if answer.table else []  # type: ignore[misc]


def _rows(answer: Answer, expected: expect.Rows) -> bool:
    if answer.table is None:
        return not expected.keys and answer.value in (0, False, None) and not answer.named
    keys = _keys(answer)
    if answer.table.total != len(expected.keys) or len(set(keys)) != len(keys):
        return False
    whole = answer.table.total == len(answer.table.rows)
    types = {type for type, _ in answer.table.keys}
    return types <= {expected.type} and (
        set(keys) == expected.keys if whole else set(keys) <= expected.keys and bool(keys)
    )


def _listed(answer: Answer, expected: expect.Listed) -> bool:
    if answer.table is None:
        return not expected.values and answer.value in (0, False, None)
    if answer.table.total != len(expected.values):
        return False
    names = {name for row in answer.table.rows for name in row}
    candidates = [{expect.cell(row.get(name)) for row in answer.table.rows} for name in names]
    return not expected.values or any(found == expected.values for found in candidates)


def _top(answer: Answer, expected: expect.Top) -> bool:
    keys = _keys(answer)
    if answer.table is not None and not keys and len(expected.values) == 1:
        return False
    if len(set(keys)) != len(keys) or any(one not in expected.of for one in keys):
        return False
    return tuple(expected.of[one] for one in keys) == expected.values


def _winner(answer: Answer, expected: expect.Winner) -> bool:
    names = {name.lower() for name in expected.names}
    if isinstance(answer.value, str):
        return answer.value.lower() in names
    first = _said(answer.table.rows[0]) if answer.table and answer.table.rows else []
    return any(text.lower() in names for text in first)


def _said(row: dict[str, Any]) -> Iterator[str]:
    for value in row.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from (one for one in value if isinstance(one, str))


def _shows(answer: Answer, expected: expect.Shows) -> bool:
    few = answer.table if answer.table and answer.table.total <= FEW else None
    keys = {named.key for named in answer.named} | (set(_keys(answer)) if few else set())
    if keys & expected.keys:
        return True
    cells = [cell.lower() for row in (few.rows if few else ()) for cell in _said(row)]
    said = [answer.text.lower(), str(answer.value).lower()]
    return any(
        name and (name in cells or any(name in text for text in said)) for name in map(str.lower, expected.names)
    )


def _nothing(answer: Answer, expected: expect.Nothing) -> bool:
    empty = answer.table is None or answer.table.total == 0
    return empty and answer.value in (None, 0, False, "") and bool(answer.text)


# --- values


def _yes(answer: Answer, expected: expect.Yes) -> bool:
    value = answer.value
    if isinstance(value, bool):
        return value is expected.yes
    said = re.match(r"(yes|no)\b", (value if isinstance(value, str) else answer.text).strip().lower())
    return said is not None and said.group(1) == _YES[expected.yes]


def _text(answer: Answer, expected: expect.Text) -> bool:
    value = answer.value
    values = [str(one).lower() for one in value] if isinstance(value, list | tuple) else [str(value).lower()]
    joined = ", ".join(values)
    if value is not None and all(
        text.lower() == joined or text.lower() in re.split(r",\s*", joined) for text in expected.texts
    ):
        return True
    if answer.table and answer.table.total == 1:  # one row says it as well as a sentence
        cells = {cell.lower() for cell in _said(answer.table.rows[0])}
        if {text.lower() for text in expected.texts} <= cells:
            return True
    said = answer.text.lower()
    return all(re.search(rf"(?<![\w.-]){re.escape(text.lower())}(?![\w-])", said) for text in expected.texts)


def _moment(answer: Answer, expected: expect.Moment) -> bool:
    wanted = expected.at.astimezone(UTC)
    if isinstance(answer.value, datetime):
        return abs((answer.value.astimezone(UTC) - wanted).total_seconds()) < 61
    if isinstance(answer.value, str):
        try:
            found = datetime.fromisoformat(answer.value)
        except ValueError:
            return f"{expected.at:%H:%M}" in answer.value
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
        return abs((found.astimezone(UTC) - wanted).total_seconds()) < 61
    return f"{expected.at:%H:%M}" in answer.text


def _says(answer: Answer, expected: expect.Says) -> bool:
    found = [float(text.replace(",", "")) for text in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", answer.text)]
    cells = [value for row in (answer.table.rows if answer.table else ()) for value in row.values()]
    found += [n for value in (*cells, answer.value) if (n := _number(value)) is not None]
    factors = (1.0, 1024.0, 1024.0**2, 1 / 1024) if expected.unit else (1.0,)
    return all(
        any(abs(n * f - wanted) <= max(0.051 * f, 0.006 * wanted) for n in found for f in factors)
        for wanted in expected.numbers
    )


def _changes(answer: Answer, expected: expect.Changes) -> bool:
    if not expected.keys:
        return _nothing(answer, expect.Nothing())
    keys = set(_keys(answer))
    whole = answer.table is not None and answer.table.total == len(answer.table.rows)
    return keys == expected.keys if whole else bool(keys) and keys <= expected.keys


_CHECKS: dict[type, Any] = {
    expect.Number: _is_number,
    expect.Groups: _groups,
    expect.Rows: _rows,
    expect.Listed: _listed,
    expect.Top: _top,
    expect.Winner: _winner,
    expect.Shows: _shows,
    expect.Nothing: _nothing,
    expect.Yes: _yes,
    expect.Text: _text,
    expect.Moment: _moment,
    expect.Says: _says,
    expect.Changes: _changes,
}
