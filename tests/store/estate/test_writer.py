"""The writer gives way to people who read, and always goes on."""

from pathlib import Path

import duckdb
import pytest

from store.estate import writer as writing
from store.estate.writer import STATEMENT_SECONDS, WORK_SECONDS, Writer


class Crowd:
    """People who read without a pause: whoever gives way waits as long as it may, by a clock of our own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> Crowd:
    crowd = Crowd()
    monkeypatch.setattr(writing, "time", crowd)
    return crowd


def statements(count: int) -> writing.Work:
    def work(connection: duckdb.DuckDBPyConnection) -> list[int]:
        return [connection.execute("SELECT ?", [number]).fetchall()[0][0] for number in range(count)]

    return work


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(duckdb.connect(), tmp_path / "estate.duckdb")


def test_statements_wait_for_nobody_until_told(writer: Writer, crowd: Crowd) -> None:
    assert writer.submit(statements(3)).result() == [0, 1, 2]
    assert crowd.waits == []
    writer.close()


def test_each_statement_gives_way(writer: Writer, crowd: Crowd) -> None:
    writer.give_way(crowd.wait)
    assert writer.submit(statements(2)).result() == [0, 1]
    assert crowd.waits == [STATEMENT_SECONDS] * 4  # BEGIN and COMMIT are statements too
    writer.close()


@pytest.mark.parametrize("transaction", [True, False])
def test_work_is_done_when_people_never_stop_reading(writer: Writer, crowd: Crowd, transaction: bool) -> None:
    writer.give_way(crowd.wait)
    for done in (1, 2):
        assert writer.submit(statements(100), transaction=transaction).result() == list(range(100))
        assert crowd.now == pytest.approx(done * WORK_SECONDS)
    writer.close()


def test_an_error_of_a_statement_is_the_works(writer: Writer, crowd: Crowd) -> None:
    writer.give_way(crowd.wait)
    with pytest.raises(duckdb.CatalogException):
        writer.submit(lambda connection: connection.execute("SELECT * FROM nothing")).result()
    assert writer.submit(statements(1)).result() == [0]
    writer.close()
