"""SQL of filters: the same rows as a naive evaluation in Python, bound parameters only, clear refusals."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.filter_sql import check, check_regex, columns, resolve, to_sql
from store.filters import And, Filter, FilterError, Match, Not, Or, Value, Word, parse
from store.types import registry
from store.types.declaration import Column, ResourceType
from store.types.server import TYPE as SERVER

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
THINGS = ResourceType(
    name="thing",
    plural="things",
    title="Things",
    listing=SERVER.listing,
    columns=(
        Column("name", path=("name",), role="name", title="NAME"),
        Column("status", path=("s",), role="status", title="STATUS"),
        Column("vcpus", "BIGINT", ("v",), role="number", title="vCPU"),
        Column("ram_mb", "BIGINT", ("r",), role="size_mb", title="RAM"),
        Column("load", "DOUBLE", ("l",), role="number", title="LOAD"),
        Column("locked", "BOOLEAN", ("k",), role="bool", title="LOCKED"),
        Column("tags", "VARCHAR[]", ("t",), role="list", title="TAGS"),
        Column("created_at", "TIMESTAMP", ("c",), role="time", title="AGE"),
    ),
)


def sql_of(text: str, type: ResourceType = SERVER) -> tuple[str, list[Any]]:
    return to_sql(parse(text), type, NOW, lambda name: f'"{name}"')


@pytest.mark.parametrize(
    ("text", "sql", "parameters"),
    [
        ("", "true", []),
        ("Web", 'contains("search", ?)', ["web"]),
        ("status:ERROR", 'lower("status") = lower(?)', ["ERROR"]),
        ("name:=x", '"name" = ?', ["x"]),
        ("ram:8G", '"ram_mb" = ?', [8192]),
        ("disk:>1.5T", '"disk_gb" > ?', [1536]),
        ("age:<2d", '"created_at" > ?', [datetime(2026, 11, 23, 12)]),
        ("age:>=1h", '"created_at" <= ?', [datetime(2026, 11, 25, 11)]),
        (
            "created_at:2026-11-01",
            '"created_at" BETWEEN ? AND ?',
            [datetime(2026, 11, 1), datetime(2026, 11, 1, 23, 59, 59, 999999)],
        ),
        ("created_at:>2026-11-01T10:00+02:00", '"created_at" > ?', [datetime(2026, 11, 1, 8)]),
        ("locked:yes", '"locked" = ?', [True]),
        ("project:acme", 'contains(lower("project_name"), lower(?))', ["acme"]),
        ("vm_name:a", 'contains(lower("name"), lower(?))', ["a"]),
        ("host:none", """("host" IS NULL OR "host" = '')""", []),
        ("name:a..b", 'contains(lower("name"), lower(?))', ["a..b"]),
        ("cloud:=prod", '"cloud" = ?', ["prod"]),
    ],
)
def test_sql(text: str, sql: str, parameters: list[Any]) -> None:
    assert sql_of(text) == (sql, parameters)


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("nope:1", 0, "have no column"),
        ("web v:1", 4, "several columns"),
        ("vcpus:many", 6, "is a number"),
        ("vcpus:4,many", 8, "is a number"),
        ("vcpus:~4", 6, "regular expression"),
        ("ram:8X", 4, "is not a size"),
        ("name:>b", 5, "is a text"),
        ("locked:maybe", 7, "yes or no"),
        ("locked:>1", 7, "yes or no"),
        ("created_at:yesterday", 11, "is not a time"),
        ("age:2026-11-01", 4, "span"),
        ("age:2d", 4, "younger"),
        ("age:1d..2026-11-01", 4, "two ages or"),
        ("age:<99999999y", 4, "before time began"),
        ("name:~(a", 5, "cannot be read"),
        ("name:~(?=a)", 5, "look-around"),
        (r"name:~(a)\1", 5, "after a backslash"),
        ("name:~a{5000}", 5, "repeat takes at most"),
        ("name:~" + "a" * 300, 5, "longer"),
        ("name:~" + "(a*)*" * 20, 5, "repeats too much"),
    ],
)
def test_refused(text: str, position: int, words: str) -> None:
    with pytest.raises(FilterError, match=words) as error:
        check(parse(text), SERVER, NOW)
    assert error.value.position == position


def test_columns_are_those_looked_at() -> None:
    assert columns(parse("web (status:error or !age:>2d) project:x"), SERVER) == {
        "status",
        "created_at",
        "project_name",
    }


@pytest.mark.parametrize("type", registry.ALL.values(), ids=lambda type: type.name)
def test_every_column_resolves_to_itself(type: ResourceType) -> None:
    for column in type.view_columns:
        assert resolve(type, column.name) is column


_row = st.fixed_dictionaries(
    {
        "name": st.none()
        | st.sampled_from(["", "web-1", "WEB-2", "db é", "a,b", "x\ny"])
        | st.text("abWé'\";- ", max_size=4),
        "status": st.none() | st.sampled_from(["ACTIVE", "Error", "SHUTOFF"]),
        "vcpus": st.none() | st.integers(0, 9),
        "ram_mb": st.none() | st.sampled_from([512, 1024, 8192, 16384]),
        "load": st.none() | st.floats(-2, 10).map(lambda value: round(value, 1)),
        "locked": st.none() | st.booleans(),
        "tags": st.none() | st.lists(st.sampled_from(["a", "Ab", "web", ""]), max_size=3),
        "created_at": st.none() | st.integers(0, 20).map(lambda days: datetime(2026, 11, 25, 6) - timedelta(days=days)),
    }
)
_word = st.sampled_from(["web", "WEB", "a", "é", "'", "';--", "1", "b"]).map(Word)
_text_value = st.builds(
    Value, st.sampled_from(["", "="]), st.sampled_from(["web", "web-1", "a", "Ab", "'", '"', "%", "_", "é", "Error"])
)
_presence = st.sampled_from([Value("none"), Value("any")])
_order = st.sampled_from(["", "=", ">", ">=", "<", "<="])


def _matches(column: str, values: st.SearchStrategy[Value]) -> st.SearchStrategy[Filter]:
    return st.lists(values | _presence, min_size=1, max_size=3).map(lambda found: Match(column, tuple(found)))


_leaf = st.one_of(
    _word,
    *(_matches(column, _text_value | st.just(Value("~", "^[aw].*b"))) for column in ("name", "tags")),
    _matches("status", st.builds(Value, st.sampled_from(["", "="]), st.sampled_from(["active", "ERROR", "SHUTOFF"]))),
    _matches(
        "vcpus", st.builds(Value, _order, st.sampled_from(["0", "3", "3.5", "8"])) | st.just(Value("..", "2", "5"))
    ),
    _matches("ram", st.builds(Value, _order, st.sampled_from(["1G", "1024", "0.5G", "8192M"]))),
    _matches("load", st.builds(Value, _order, st.sampled_from(["0", "-1.5", "2.5"])) | st.just(Value("..", "", "1"))),
    _matches("locked", st.builds(Value, st.just(""), st.sampled_from(["true", "no"]))),
    _matches("age", st.builds(Value, st.sampled_from([">", "<", ">=", "<="]), st.sampled_from(["2d", "36h", "0.5w"]))),
    _matches("created_at", st.builds(Value, _order, st.sampled_from(["2026-11-20", "2026-11-20T06:00"]))),
)
_trees = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda items: And(tuple(items))),
        st.lists(inner, min_size=2, max_size=3).map(lambda items: Or(tuple(items))),
    ),
    max_leaves=6,
)
_SPANS = {"2d": timedelta(days=2), "36h": timedelta(hours=36), "0.5w": timedelta(days=3.5)}
_SIZES = {"1G": 1024, "1024": 1024, "0.5G": 512, "8192M": 8192}


def naive(filter: Filter, row: dict[str, Any]) -> bool:
    if isinstance(filter, Word):
        return filter.text.lower() in row["search"]
    if isinstance(filter, Not):
        return not naive(filter.item, row)
    if isinstance(filter, And):
        return all(naive(item, row) for item in filter.items)
    if isinstance(filter, Or):
        return any(naive(item, row) for item in filter.items)
    assert isinstance(filter, Match)
    column = {"ram": "ram_mb", "age": "created_at"}.get(filter.column, filter.column)
    return any(naive_value(filter.column, column, value, row[column]) for value in filter.values)


def naive_value(called: str, column: str, value: Value, found: Any) -> bool:
    if value.operator in ("none", "any"):
        return (found in (None, "", [])) == (value.operator == "none")
    if found is None:
        return False
    if column in ("name", "tags", "status"):
        items = found if isinstance(found, list) else [found]
        if value.operator == "~":
            return any(re.search(value.text, item, re.IGNORECASE) for item in items)
        if value.operator == "=":
            return value.text in items
        if column == "status":
            return bool(found.lower() == value.text.lower())
        return any(value.text.lower() in item.lower() for item in items)
    if column == "locked":
        return bool(found == (value.text == "true"))
    if called == "age":
        return compare(value.operator, NOW.replace(tzinfo=None) - found, _SPANS[value.text])
    if column == "created_at":
        at = datetime.fromisoformat(value.text)
        if "T" not in value.text:
            found = found.replace(hour=0, minute=0)
        return compare(value.operator, found, at)
    if value.operator == "..":
        return (not value.text or found >= float(value.text)) and (not value.upper or found <= float(value.upper))
    return compare(value.operator, found, _SIZES[value.text] if called == "ram" else float(value.text))


def compare(operator: str, a: Any, b: Any) -> bool:
    return bool({"": a == b, "=": a == b, ">": a > b, ">=": a >= b, "<": a < b, "<=": a <= b}[operator])


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    body = ", ".join(f"{column.name} {column.sql}" for column in THINGS.columns)
    connection.execute(f"CREATE TABLE things (number INTEGER, search VARCHAR, {body})")
    return connection


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(_row, min_size=1, max_size=8), trees=st.lists(_trees, min_size=1, max_size=6))
def test_sql_agrees_with_python(
    connection: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], trees: list[Filter]
) -> None:
    connection.execute("DELETE FROM things")
    for number, row in enumerate(rows):
        row["search"] = " ".join([row["name"] or "", row["status"] or ""]).lower()
        values = [number, row["search"], *(row[column.name] for column in THINGS.columns)]
        connection.execute(f"INSERT INTO things VALUES ({', '.join('?' * len(values))})", values)
    for tree in trees:
        sql, parameters = to_sql(tree, THINGS, NOW, lambda name: f'"{name}"')
        found = connection.execute(f"SELECT number FROM things WHERE {sql} ORDER BY number", parameters).fetchall()
        assert [number for (number,) in found] == [n for n, row in enumerate(rows) if naive(tree, row)], tree


@settings(max_examples=200, deadline=None)
@given(
    text=st.text("abn'\";-\\%()!:,.~<>=0 é*", max_size=20), column=st.sampled_from(["name", "status", "tags", "ram_mb"])
)
def test_no_typed_text_reaches_the_sql(connection: duckdb.DuckDBPyConnection, text: str, column: str) -> None:
    """The condition is made of our own words; what DuckDB does with it is an answer, whatever was typed."""
    for tree in (Word(text or "a"), *(Match(column, (Value(operator, text or "a"),)) for operator in ("", "=", "~"))):
        try:
            sql, parameters = to_sql(tree, THINGS, NOW, lambda name: f'"{name}"')
        except FilterError:
            continue
        known = "contains|lower|regexp_matches|len|list_filter|list_contains|array_to_string|lambda|item|chr"
        known += "|BETWEEN|AND|OR|IS|NULL"
        rest = re.sub(rf"{known}|\"[a-z_]+\"|'i'|10|[()?,=:> 0]", "", sql)
        assert rest == "", rest
        connection.execute(f"SELECT count(*) FROM things WHERE {sql}", parameters)


@settings(max_examples=200, deadline=None)
@given(pattern=st.text(r"ab(|)[]*+?{1,9}^$.\dwAZ:P<>i&-", max_size=12))
def test_an_accepted_pattern_is_one_that_the_database_reads(
    connection: duckdb.DuckDBPyConnection, pattern: str
) -> None:
    try:
        check_regex(pattern)
    except FilterError:
        return
    connection.execute("SELECT regexp_matches('abc', ?, 'i')", [pattern])
