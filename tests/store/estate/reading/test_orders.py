"""Kept orders: the same answers as reading the list, never one of older data."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.estate.reading.fetching import types_shown
from store.estate.reading.models import Scope, Window
from store.estate.reading.orders import CHUNK, Orders, Versions
from store.estate.reading.windows import position, read_window
from tests.store.estate.reading.tables import T0, database, put
from tests.store.estate.reading.test_windows import FILTERS, NOW, SORTS, _fill, _servers

V1 = Versions(1, (1,))
V2 = Versions(2, (2,))
V1_BESIDE_NEWS = Versions(1, (2,))  # rows of another type changed


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return database()


def ask(orders: Orders, connection: duckdb.DuckDBPyConnection, window: Window, version: int = 1) -> Any:
    """The answer at the second asking, when the order is kept."""
    orders.window(connection, window, NOW, Versions(version, (version,)))
    return orders.window(connection, window, NOW, Versions(version, (version,)))


@settings(max_examples=40, deadline=None)
@given(
    servers=st.lists(_servers, max_size=12),
    sort=st.sampled_from(SORTS),
    filter=st.sampled_from(FILTERS),
    before=st.integers(0, 4),
    after=st.integers(0, 4),
    data=st.data(),
)
def test_answers_are_those_of_reading_the_list(
    connection: duckdb.DuckDBPyConnection,
    servers: Any,
    sort: Any,
    filter: str,
    before: int,
    after: int,
    data: st.DataObject,
) -> None:
    rows = _fill(connection, servers)
    keys = [(row["cloud"], row["region"], row["id"]) for row in rows]
    anchor = data.draw(st.sampled_from(["start", "end", 0, 3, 99, *keys]))
    window = Window("server", sort=sort, filter=filter, anchor=anchor, before=before, after=after)
    orders = Orders()
    kept = ask(orders, connection, window)
    if kept is not None:
        assert kept == read_window(connection, window, NOW, None)
    if not isinstance(anchor, int):
        ranked = orders.position(connection, window, NOW, V1)
        assert ranked is None or ranked == position(connection, window, NOW)


def test_whoever_scrolls_on_is_not_looked_for_in_the_whole_list(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.execute("DELETE FROM server_versions")
    for number in range(30):
        put(connection, "server", f"s{number:02}", cloud="c", name=f"n{number:02}")
    orders = Orders()
    first = ask(orders, connection, Window("server", sort=(("name", False),), anchor="start", after=10))

    def scanned(*arguments: Any) -> Any:
        raise AssertionError("the whole list was looked through")

    monkeypatch.setattr("pyarrow.compute.equal", scanned)
    monkeypatch.setattr("store.estate.reading.orders.MOST_PLACES", 5)
    last = tuple(first["rows"][-1][:3])
    onward = orders.window(connection, Window("server", sort=(("name", False),), anchor=last, after=10), NOW, V1)
    assert onward is not None and [row[2] for row in onward["rows"]] == [f"s{n:02}" for n in range(9, 20)]
    with pytest.raises(AssertionError):  # of the earlier page nothing is known any more
        orders.window(
            connection, Window("server", sort=(("name", False),), anchor=tuple(first["rows"][0][:3])), NOW, V1
        )


def test_a_list_asked_for_once_is_not_kept(connection: duckdb.DuckDBPyConnection) -> None:
    orders, window = Orders(), Window("server")
    assert orders.window(connection, window, NOW, V1) is None
    assert orders.window(connection, window, NOW, V1) is not None


@pytest.mark.parametrize(
    "window",
    [
        Window("server", at=NOW),
        Window("server", sort=(("project_name", False),)),
        Window("server", sort=(("disk_gb", False),)),
        Window("server", filter="project:alpha"),
        Window("server", filter="age:<2d"),
        Window("server", scope=Scope(domains=("d1",))),
    ],
)
def test_what_depends_on_more_than_the_rows_is_not_kept(connection: duckdb.DuckDBPyConnection, window: Window) -> None:
    _fill(connection, [])
    assert ask(Orders(), connection, window) is None


def test_a_list_asked_for_from_its_middle_is_kept_at_once(connection: duckdb.DuckDBPyConnection) -> None:
    _fill(connection, [])
    put(connection, "server", "a", name="a")
    assert Orders().window(connection, Window("server", anchor=("c", "r", "a")), NOW, V1) is not None


def test_newer_data_is_read_anew(connection: duckdb.DuckDBPyConnection) -> None:
    _fill(connection, [])
    put(connection, "server", "a", name="a")
    orders, window = Orders(), Window("server", columns=("name",))
    assert len(ask(orders, connection, window)["rows"]) == 1
    put(connection, "server", "b", name="b")
    assert orders.window(None, window, NOW, V2) is None
    assert [row[2] for row in orders.window(connection, window, NOW, V2)["rows"]] == ["a", "b"]


def test_row_numbers_that_moved_are_noticed(connection: duckdb.DuckDBPyConnection) -> None:
    _fill(connection, [])
    for id in "abc":
        put(connection, "server", id, name=id)
    orders, window = Orders(), Window("server", columns=("name",))
    assert ask(orders, connection, window) is not None
    connection.execute("CREATE TEMP TABLE moved AS SELECT * FROM server_versions ORDER BY id DESC")
    connection.execute("DELETE FROM server_versions")
    connection.execute("INSERT INTO server_versions SELECT * FROM moved")
    connection.execute("DROP TABLE moved")
    assert orders.window(connection, window, NOW, V1_BESIDE_NEWS) is None


def test_a_row_that_was_closed_is_not_shown(connection: duckdb.DuckDBPyConnection) -> None:
    _fill(connection, [])
    for id in "abc":
        put(connection, "server", id, name=id)
    orders, window = Orders(), Window("server", columns=("name",))
    assert ask(orders, connection, window) is not None
    connection.execute("UPDATE server_versions SET valid_to = ? WHERE id = 'b'", [T0 + timedelta(days=1)])
    assert orders.window(connection, window, NOW, V1_BESIDE_NEWS) is None


def test_lists_too_long_to_keep_are_left_to_the_store(connection: duckdb.DuckDBPyConnection) -> None:
    _fill(connection, [])
    for id in "abc":
        put(connection, "server", id, name=id)
    assert ask(Orders(most_rows=2), connection, Window("server")) is None
    assert ask(Orders(most_rows=3), connection, Window("server")) is not None


def test_rows_are_fetched_again_only_after_news(connection: duckdb.DuckDBPyConnection) -> None:
    _fill(connection, [])
    put(connection, "server", "a", name="a", project_id="p9")
    orders, window = Orders(), Window("server", columns=("project_name",))
    assert orders.window(None, window, NOW, V1) is None
    shown = ask(orders, connection, window)
    assert orders.window(None, window, NOW, V1) == shown
    put(connection, "project", "p9", name="renamed")
    assert orders.window(None, window, NOW, V1_BESIDE_NEWS) is None
    answer = orders.window(connection, window, NOW, V1_BESIDE_NEWS)
    assert answer is not None
    assert answer["rows"][0][-1] == "renamed"


def test_a_page_across_the_end_of_a_chunk_is_whole(connection: duckdb.DuckDBPyConnection) -> None:
    _fill(connection, [])
    connection.execute(
        "INSERT INTO server_versions BY NAME SELECT 'c' AS cloud, 'r' AS region, format('{:05d}', i) AS id,"
        " TIMESTAMP '2026-01-01' AS valid_from, [] AS denied, 's' AS scope, 1 AS seen_visibility, '' AS search,"
        f" '{{}}' AS doc, '\\x00'::BLOB AS hash FROM range({3 * CHUNK + 10}) t(i)"
    )
    orders = Orders()
    # The chunk in the middle first: what is missing then lies on both sides of it.
    for anchor, after in ((CHUNK + 5, 3), (CHUNK - 7, CHUNK + 20), (3 * CHUNK, 400), ("end", 0), (0, 4 * CHUNK)):
        window = Window("server", columns=("id",), sort=(("id", False),), anchor=anchor, before=9, after=after)
        assert ask(orders, connection, window) == read_window(connection, window, NOW, None)
    _fill(connection, [])


def test_types_that_columns_are_made_of() -> None:
    assert types_shown("server", ("name",)) == ("server",)
    assert types_shown("server", ("project_name", "disk_gb")) == ("project", "server", "volume")
    assert types_shown("project", ("server_count",)) == ("project", "server")
