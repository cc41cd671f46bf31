"""Statements run beside the engine: it goes on, and everything that can fail says so in a sentence."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pytest

from copilot.guard import running
from copilot.guard.process import Process
from copilot.guard.refusing import Refused
from copilot.guard.running import run
from copilot.guard.scoping import Load
from copilot.sources import NotAvailable
from store.estate.estate import Estate
from store.estate.reading.models import Scope
from tests.copilot.guard.estate import NOW, Asker
from tests.store.estate.reading.tables import database, put

T = TypeVar("T")
BOMB = "SELECT count(*) FROM generate_series(1, 1000000000000)"


@pytest.fixture
def asker(everything: duckdb.DuckDBPyConnection) -> Any:
    return Asker(everything)


def test_rows_with_titles_roles_and_keys(asker: Any) -> None:
    ran = run("SELECT cloud, region, id, name, ram_mb, created_at FROM servers WHERE id = 's1'", asker, now=NOW)
    assert [(one.title, one.role) for one in ran.table.columns][3:] == [
        ("NAME", "name"),
        ("RAM", "size_mb"),
        ("AGE", "time"),
    ]
    assert ran.table.rows[0]["created_at"] == "2026-11-01T08:00:00Z"
    assert ran.table.keys == (("server", ("c", "r", "s1")),)
    assert set(ran.took_ms) == {"check", "load", "run"}
    assert 0 < ran.peak < 200 << 20


def test_rows_are_limited_and_counted(asker: Any) -> None:
    ran = run("SELECT i FROM range(5000) t(i)", asker, limit=7, now=NOW)
    assert [row["i"] for row in ran.table.rows] == list(range(7))
    assert ran.table.total == 5000
    assert len(run("SELECT i FROM range(5000) t(i)", asker, limit=10_000, now=NOW).table.rows) == 200
    assert run("SELECT i FROM range(1000000) t(i)", asker, now=NOW).table.total == 100_001


def test_large_cells_are_cut_and_large_answers_too(asker: Any) -> None:
    one = run("SELECT string_agg(i::VARCHAR, ' ') AS text FROM range(100000) t(i)", asker, now=NOW)
    assert len(one.table.rows[0]["text"]) == 500
    wide = ", ".join(f"a AS a{number}" for number in range(40))
    sql = f"SELECT {wide} FROM (SELECT string_agg('12345678', '') AS a FROM range(1000)) x, range(300)"
    many = run(sql, asker, now=NOW)
    assert many.cut
    assert len(many.table.rows) < 40
    assert many.table.total >= 300


def test_names_act_on_nothing() -> None:
    world = database()
    put(world, "server", "x", name="a\x1b]0;owned\x07\u202eb", tags=["\x9b31m"], project_id="p")
    asker: Any = Asker(world)
    table = run("SELECT name, tags, {'k': name} AS pair FROM servers", asker).table
    text = "".join(str(value) for row in table.rows for value in row.values())
    assert "a\ufffd]0;owned\ufffd\ufffdb" in text
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("SELECT ram FROM servers", 'There is no column "ram" here. servers has ram_mb'),
        ("SELECT s.size FROM servers s JOIN volumes v ON v.server_id = s.id", 'There is no column "size" here.'),
        ("SELECT nothing", 'There is no column "nothing" here. Name the view that it belongs to in FROM.'),
        ("SELECT CAST(name AS INTEGER) FROM servers", "Could not convert string"),
        ("SELECT name FROM servers, volumes", "Ambiguous reference"),
        ("SELECT sum(name) FROM servers", "No function matches"),
        ("SELECT host, name FROM servers GROUP BY host", "must appear in the GROUP BY"),
        ("SELECT (SELECT name FROM servers)", "More than one row"),
    ],
)
def test_what_a_model_can_correct(sql: str, sentence: str, asker: Any) -> None:
    with pytest.raises(Refused) as caught:
        run(sql, asker, now=NOW)
    assert sentence in str(caught.value)
    assert str(caught.value).isprintable()


def test_too_long(asker: Any) -> None:
    began = time.monotonic()
    with pytest.raises(Refused, match="ended after 1 s") as caught:
        run(BOMB, asker, seconds=1, now=NOW)
    assert time.monotonic() - began < 15
    assert caught.value.peak > 0


def test_too_much(asker: Any) -> None:
    with pytest.raises(Refused, match=r"memory|MB and was ended|broke off") as caught:
        run("SELECT list(i) FROM range(200000000) t(i)", asker, memory=200 << 20, seconds=30, now=NOW)
    assert caught.value.peak < 330 << 20


def test_reading_the_store_ends_in_time_too(asker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Load("servers", "SELECT count(*) AS id FROM range(10000000) a, range(1000000) b WHERE a.range > b.range", ())
    monkeypatch.setattr(running, "loads", lambda checked, sources: [slow])
    began = time.monotonic()
    with pytest.raises(Refused, match="ended after 1 s"):
        run("SELECT id FROM servers", asker, seconds=1, now=NOW)
    assert time.monotonic() - began < 15


def test_the_store_says_that_it_is_not_there(everything: duckdb.DuckDBPyConnection) -> None:
    class Closed(Asker):
        def read(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
            raise NotAvailable("The store is being closed.")

    closed: Any = Closed(everything)
    with pytest.raises(NotAvailable, match="The store is being closed"):
        run("SELECT id FROM servers", closed, now=NOW)
    assert run("SELECT 1 AS one", closed, now=NOW).table.rows == ({"one": 1},)


def test_a_process_that_does_not_start(asker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for executable in ("/nonexistent/python", "/bin/false"):
        monkeypatch.setattr("copilot.guard.process.sys.executable", executable)
        with pytest.raises(NotAvailable):
            run("SELECT 1", asker, now=NOW)


def test_only_a_few_at_a_time(asker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_TOGETHER", threading.BoundedSemaphore(1))
    assert running._TOGETHER.acquire(blocking=False)
    with pytest.raises(NotAvailable, match="Other questions"):
        run("SELECT 1", asker, seconds=0.1, now=NOW)
    running._TOGETHER.release()
    assert run("SELECT 1 AS one", asker, now=NOW).table.rows == ({"one": 1},)
    with pytest.raises(Refused):
        run("DROP TABLE meta", asker, now=NOW)
    assert running._TOGETHER.acquire(blocking=False)  # given back, also after a refusal


def test_the_engine_goes_on(tmp_path: Path) -> None:
    """While a statement takes all that it may, the real store is read and written."""
    with Estate.open(tmp_path / "estate.duckdb") as estate:
        estate.write(lambda c: put(c, "server", "s1", name="web", project_id="p")).result()  # type: ignore[arg-type]

        class Engine:
            scope = Scope()

            def may(self, entity: str) -> bool:
                return True

            def read(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
                with estate.reader() as connection:
                    connection.execute("BEGIN TRANSACTION READ ONLY")
                    answer = work(connection)
                    connection.execute("COMMIT")
                    return answer

        refusals: list[str] = []
        engine: Any = Engine()

        def bomb() -> None:
            try:
                run("SELECT count(*) FROM servers, generate_series(1, 1000000000000)", engine, seconds=2)
            except Refused as error:
                refusals.append(str(error))

        thread = threading.Thread(target=bomb)
        thread.start()
        answered = 0
        while thread.is_alive():
            estate.write(lambda c, id=f"n{answered}": put(c, "server", id, name="n")).result(timeout=5)  # type: ignore
            answered += 1
            found = engine.read(lambda c: c.execute("SELECT count(*) FROM servers").fetchone())
            assert found == (answered + 1,)
        thread.join()
        assert "ended after 2 s" in refusals[0]
        assert answered > 5
        assert run("SELECT count(*) AS n FROM servers", engine).table.rows == ({"n": answered + 1},)


def test_the_process_can_do_nothing_else() -> None:
    """Whatever came through the guard would find no file, no setting and no library to load."""
    with Process(seconds=20, memory=256 << 20) as process:
        for sql in (
            "SELECT * FROM read_text('/etc/passwd')",
            "COPY (SELECT 1) TO '/tmp/quarterdeck-guard-test'",
            "ATTACH '/tmp/quarterdeck-guard-test' AS x",
            "INSTALL httpfs",
            "SET enable_external_access = true",
            "SET memory_limit = '100GB'",
            "SELECT * FROM process",  # no variable of the program is a table
        ):
            with pytest.raises(Exception, match=r".") as caught:
                process.ask(sql, [])
            assert type(caught.value).__name__ == "Failed"
        assert process.ask("SELECT 1", []) == [[1]]
        assert process.ask("SELECT table_name FROM duckdb_tables()", []) == []
