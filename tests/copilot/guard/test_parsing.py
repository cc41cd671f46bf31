"""Which statements may run, how they are written again, and that nothing else comes through."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from copilot.guard import allowed
from copilot.guard.allowed import words
from copilot.guard.parsing import MAX_TEXT, check
from copilot.guard.refusing import Refused, shown
from copilot.guard.walking import AT_A_TIME, VIEWS, Walk
from tests.copilot.guard.estate import NOW

GOOD = [case["sql"] for case in tomllib.loads(Path(__file__).with_name("good.toml").read_text())["good"]]
PARSER = duckdb.connect()


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("select name from servers", 'SELECT "name" FROM servers'),
        ("SELECT name FROM Servers -- all", 'SELECT "name" FROM servers'),
        ("SELECT now()", "SELECT CAST('2026-11-30 12:00:00' AS TIMESTAMP)"),
        ("SELECT current_timestamp AS t", "SELECT CAST('2026-11-30 12:00:00' AS TIMESTAMP) AS t"),
        ("SELECT today()", "SELECT CAST('2026-11-30' AS DATE)"),
        ("SELECT '2026-11-01T00:00:00Z'::TIMESTAMPTZ", "SELECT CAST('2026-11-01T00:00:00Z' AS TIMESTAMP)"),
        ("SELECT '2026-11-01 10:00+02'::TIMESTAMP", "SELECT CAST('2026-11-01 08:00:00.000000' AS TIMESTAMP)"),
        ("SELECT id FROM servers_at(now())", "SELECT id FROM servers_at_1 AS servers_at"),
        ("SELECT b.id FROM servers_at('2026-11-01') b", "SELECT b.id FROM servers_at_1 AS b"),
    ],
)
def test_is_written_again(sql: str, text: str) -> None:
    assert check(sql, PARSER, NOW).text == text


def test_times_of_the_question_are_in_utc() -> None:
    from datetime import timedelta, timezone

    there = datetime(2026, 12, 1, 3, 0, tzinfo=timezone(timedelta(hours=9)))
    assert check("SELECT current_date", PARSER, there).text == "SELECT CAST('2026-11-30' AS DATE)"


def test_a_column_may_be_called_today() -> None:
    assert check("SELECT name AS today FROM servers ORDER BY today", PARSER, NOW).text.endswith("ORDER BY today")


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("'2026-11-12'", datetime(2026, 11, 12)),
        ("TIMESTAMP '2026-11-12 09:30:00'", datetime(2026, 11, 12, 9, 30)),
        ("DATE '2026-11-12'", datetime(2026, 11, 12)),
        ("now() - INTERVAL 2 DAY", datetime(2026, 11, 28, 12)),
        ("date_trunc('month', now())", datetime(2026, 11, 1)),
        ("current_date - 7", datetime(2026, 11, 23)),
        ("'2026-11-12T10:00:00+02:00'::TIMESTAMPTZ", datetime(2026, 11, 12, 8)),
    ],
)
def test_a_moment_is_worked_out(moment: str, expected: datetime) -> None:
    checked = check(f"SELECT id FROM volumes_at({moment})", PARSER, NOW)
    assert checked.moments == (expected,)
    assert [(one.type.name, one.table) for one in checked.wanted] == [("volume", "volumes_at_1")]


def test_one_moment_is_read_once() -> None:
    sql = (
        "SELECT a.id FROM servers_at('2026-11-01') a, servers_at('2026-11-01') b, servers_at('2026-11-02') c, servers d"
    )
    assert [one.table for one in check(sql, PARSER, NOW).wanted] == ["servers_at_1", "servers_at_2", "servers"]


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT count(*) FROM servers", set()),
        ("SELECT s.name FROM servers s WHERE s.ram_mb > 1", {"s", "name", "ram_mb"}),
        ("SELECT name FROM servers JOIN volumes USING (cloud)", {"name", "cloud"}),
        ("SELECT * FROM servers", None),
        ("SELECT s FROM servers s", None),
        ("SELECT servers FROM servers", None),
        ("SELECT a FROM servers AS x(a, b)", None),
        ("SELECT a FROM servers_at('2026-11-01') AS x(a, b)", None),
        ("SELECT id FROM servers NATURAL JOIN volumes", None),
        ("SELECT id FROM (SELECT * FROM servers)", None),
        ("SELECT status FROM servers ORDER BY ALL", None),
    ],
)
def test_which_columns_are_meant(sql: str, columns: set[str] | None) -> None:
    assert check(sql, PARSER, NOW).columns == columns


@pytest.mark.parametrize(
    ("sql", "about"),
    [
        ("SELECT * FROM servers", "server"),
        ("SELECT cloud, region, id, name FROM servers WHERE ram_mb > 1", "server"),
        ("SELECT v.cloud, v.region, v.id FROM volumes_at('2026-11-01') v", "volume"),
        ("SELECT id FROM servers", None),
        ("SELECT project_id AS id, cloud, region FROM servers", None),
        ("SELECT * REPLACE (project_id AS id) FROM servers", None),
        ("SELECT cloud, region, id, count(*) FROM servers GROUP BY ALL", None),
        ("SELECT s.* FROM servers s JOIN volumes v ON v.server_id = s.id", None),
        ("SELECT * FROM (SELECT * FROM servers)", None),
        ("SELECT * FROM servers AS x(id, region, cloud)", None),
    ],
)
def test_whose_rows_they_are(sql: str, about: str | None) -> None:
    found = check(sql, PARSER, NOW).about
    assert (found.type.name if found else None) == about


@pytest.mark.parametrize("sql", ["", "  ", "x" * (MAX_TEXT + 1), None, 7, "SELECT \ud800"])
def test_what_is_no_text_is_refused(sql: Any) -> None:
    with pytest.raises(Refused):
        check(sql, PARSER, NOW)


def test_names_from_a_model_are_shown_harmless() -> None:
    assert shown("a\x1b[31m\n" + "b" * 99).isprintable()
    assert len(shown("b" * 99)) < 70


# What is not known is refused, whatever DuckDB learns to write.


def _places(value: Any) -> list[dict[str, Any]]:
    """Every object in a tree."""
    found = [value] if isinstance(value, dict) else []
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        found += _places(part)
    return found


@pytest.mark.parametrize("sql", GOOD[::6], ids=lambda sql: sql[:40])
def test_an_unknown_field_is_refused_anywhere(sql: str) -> None:
    serialized = PARSER.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()[0][0]
    for number in range(len(_places(json.loads(serialized)["statements"][0]))):
        statement = json.loads(serialized)["statements"][0]
        _places(statement)[number]["novelty"] = {"class": "NEW", "path": "/etc/passwd"}
        _refused_or_left_out(statement, "novelty")


@pytest.mark.parametrize("sql", GOOD[1::6], ids=lambda sql: sql[:40])
def test_an_unknown_kind_is_refused_anywhere(sql: str) -> None:
    serialized = PARSER.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()[0][0]
    for number, place in enumerate(_places(json.loads(serialized)["statements"][0])):
        # What orders hold is known by where it stands: DuckDB reads the direction from it, and nothing else.
        for name in {"class", "type"} & place.keys() if not {"orders", "null_order"} & place.keys() else ():
            if isinstance(place[name], str):
                statement = json.loads(serialized)["statements"][0]
                _places(statement)[number][name] = "novelty"
                _refused_or_left_out(statement, "novelty")


def _refused_or_left_out(statement: dict[str, Any], word: str) -> None:
    """`now()` and `servers_at(t)` are taken out whole; everything else that is unknown is refused."""
    try:
        Walk(NOW).statement(statement)
    except Refused:
        return
    assert word not in json.dumps(statement)


# Whatever is put into a statement: what comes through is one SELECT of the views with known functions, by the word of
# DuckDB's own analysis and of a look at the text, not of the walk.

HOSTILE = [
    *("server_versions", "meta", "main.servers", "'/etc/passwd'", '"x.csv"', "information_schema.tables"),
    *("read_text('/etc/passwd')", "getenv('HOME')", "query('SELECT 1')", "duckdb_settings()", "current_setting('x')"),
    *(
        "; DROP TABLE meta",
        "; SELECT 1",
        "--",
        "/*",
        "*/",
        "'",
        '"',
        "$$",
        ")",
        "(",
        ",",
        "*",
        "COLUMNS('.*')",
        "#1",
        "?",
    ),
    *("UNION SELECT doc FROM server_versions", "(SELECT doc FROM server_versions)", "doc", "rowid", "servers", "1"),
    *("WITH RECURSIVE x AS (SELECT 1)", "WITH servers AS (SELECT 1)", "COPY servers TO 'x'", "ATTACH 'x'", "PIVOT"),
    *("INSERT INTO meta VALUES (1)", "DELETE FROM", "EXPLAIN", "DESCRIBE", "servers_at(now())", "servers_at(x)"),
    *("LATERAL", "NATURAL JOIN volumes", "POSITIONAL JOIN volumes", "USING SAMPLE 1", "FOR UPDATE", "INTO x", "::JSON"),
    *("x -> getenv(x)", "repeat('x', 1000000)", "AS servers", "AS x(a, b)", "\u202e", "\x00", "\u0455ervers", "NULL"),
]
_TOKENS = re.compile(r"\w+|'[^']*'|\s+|.", re.DOTALL)
_CALLS = re.compile(r'(?:(\w+|"[^"]+")\.)?(\w+|"[^"]+")\s*\(')
_WORDS = words(
    "in as values over filter exists any all and or not on using sets when then else case cast try_cast exclude "
    "replace rename by select from where having qualify limit offset coalesce grouping distinct interval between is "
    "union except intersect with materialized try decimal columns join like order partition group"
)


@st.composite
def spoilt(draw: st.DrawFn) -> str:
    """A good statement with hostile tokens put into it."""
    tokens = _TOKENS.findall(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(tokens) - 1))
        taken = draw(st.integers(0, 2))
        tokens[at : at + taken] = [" ", draw(st.sampled_from(HOSTILE)), " "]
    return "".join(tokens)


@settings(max_examples=200)
@given(
    spoilt() | st.lists(st.sampled_from([*HOSTILE, "SELECT", "FROM", "WHERE", " ", "name"]), max_size=12).map(" ".join)
)
def test_nothing_else_comes_through(sql: str) -> None:
    try:
        checked = check(sql, PARSER, NOW)
    except Refused as error:
        assert str(error).isprintable()
        return
    statements = PARSER.extract_statements(checked.text)
    assert [one.type for one in statements] == [duckdb.StatementType.SELECT]
    try:
        tables = {table.strip('"').lower() for table in PARSER.get_table_names(checked.text)}
    except duckdb.BinderException:
        tables = set()  # nothing could be run of it either
    assert tables <= {one.table for one in checked.wanted}
    assert {one.table for one in checked.wanted} <= VIEWS.keys() | {f"{n}_{i}" for n in AT_A_TIME for i in range(1, 5)}
    without_texts = re.sub(r"'(?:[^']|'')*'", "''", checked.text)
    for schema, name in _CALLS.findall(without_texts):
        word = name.strip('"').lower()
        assert word in allowed.FUNCTIONS | allowed.WINDOWS | allowed.ROWS | _WORDS or f"{name} (" in checked.text
        assert schema in ("", "main")


@given(st.text(max_size=200))
def test_any_text_is_answered(sql: str) -> None:
    try:
        check(sql, PARSER, NOW)
    except Refused as error:
        assert str(error).isprintable()


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)))
def test_any_time_of_a_view(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    assume(moment.tzinfo is None)
    checked = check(f"SELECT id FROM servers_at(TIMESTAMP '{moment}')", PARSER, moment.replace(tzinfo=UTC))
    assert checked.moments == (moment,)
