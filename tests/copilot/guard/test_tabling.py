"""Columns are titled as in the lists where they are the lists' columns, and texts act on nothing."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.guard.parsing import check
from copilot.guard.tabling import MAX_CELL, harmless, table
from tests.copilot.guard.estate import NOW

PARSER = duckdb.connect()


@pytest.mark.parametrize(
    ("sql", "name", "kind", "expected"),
    [
        ("SELECT ram_mb FROM servers", "ram_mb", "BIGINT", ("RAM", "size_mb")),
        ("SELECT sum(ram_mb) AS ram_mb FROM servers", "ram_mb", "HUGEINT", ("RAM", "size_mb")),
        ("SELECT count(*) AS name FROM servers", "name", "BIGINT", ("NAME", "number")),
        ("SELECT name FROM servers", "name", "VARCHAR", ("NAME", "name")),
        ("SELECT status FROM servers", "status", "VARCHAR", ("STATUS", "status")),
        ("SELECT created_at FROM servers", "created_at", "TIMESTAMP", ("AGE", "time")),
        ("SELECT tags FROM servers", "tags", "VARCHAR[]", ("TAGS", "list")),
        ("SELECT addresses FROM servers", "addresses", "VARCHAR[]", ("ADDRESSES", "address")),
        ("SELECT 1 AS how_many", "how_many", "INTEGER", ("HOW MANY", "number")),
        ("SELECT 1.5 AS share", "share", "DECIMAL(2,1)", ("SHARE", "number")),
        ("SELECT true AS there", "there", "BOOLEAN", ("THERE", "bool")),
        ("SELECT today() AS day", "day", "DATE", ("DAY", "time")),
        ("SELECT INTERVAL 1 DAY AS gap", "gap", "INTERVAL", ("GAP", "text")),
        ("SELECT cloud FROM servers", "cloud", "VARCHAR", ("CLOUD", "name")),
    ],
)
def test_titles_and_roles(sql: str, name: str, kind: str, expected: tuple[str, str]) -> None:
    answer = {"columns": [{"name": name, "type": kind}], "rows": [[None]], "total": 1}
    column = table(answer, check(sql, PARSER, NOW)).columns[0]
    assert (column.title, column.role) == expected


def test_each_column_has_a_name_of_its_own() -> None:
    columns = [{"name": name, "type": "INTEGER"} for name in ("a", "a", "a_2", "", "\x1b[2J", "x" * 200)]
    made = table({"columns": columns, "rows": [list(range(6))], "total": 1}, check("SELECT 1", PARSER, NOW))
    assert len({one.name for one in made.columns}) == 6
    assert list(made.rows[0].values()) == list(range(6))
    assert all(one.name.isprintable() and len(one.name) <= 60 and one.title for one in made.columns)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in _texts(part)]
    return [text for part in value for text in _texts(part)] if isinstance(value, list) else []


@given(_VALUES | st.text(alphabet=st.characters(categories=("Cc", "Cf", "Zl", "Zp")), min_size=1))
def test_no_value_acts_on_a_screen(value: Any) -> None:
    for text in _texts(harmless(value)):
        assert len(text) <= MAX_CELL
        assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in text)
        assert not any(0x202A <= ord(character) <= 0x202E or 0x2066 <= ord(character) <= 0x2069 for character in text)
