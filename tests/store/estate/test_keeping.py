"""What happens to the file over time: upgrades, retention, samples, backups, readers beside the writer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from store.estate import consistency
from store.estate.errors import EstateDiskFull, EstateError
from store.estate.estate import Estate
from store.times import naive
from store.types.declaration import Column
from tests.store.estate.cloud import THING, at, collect, current, open_estate, rows, thing, versions


def test_a_column_that_a_declaration_gains_is_filled_from_the_documents(tmp_path: Path) -> None:
    docs = [thing(n, zone=f"z{n}", used=n) for n in range(5)]
    with open_estate(tmp_path) as estate:
        collect(estate, 0, docs)
        collect(estate, 1, [thing(0, zone="z9"), *docs[1:]])
        collect(estate, 2, [thing(0, zone="z9", used=77), *docs[1:]])
    grown = replace(THING, columns=(*THING.columns, Column("zone", path=("zone",), search=True)))
    with open_estate(tmp_path, grown) as estate:
        history = rows(estate, "SELECT zone FROM thing_versions WHERE id = 'id-0' ORDER BY valid_from")
        assert history == [("z0",), ("z9",)]
        assert current(estate, "zone", "used", "search")[0] == ("z9", 77, "thing 0 z9 id-0")
        assert collect(estate, 3, [thing(0, zone="z9", used=77), *docs[1:]]).unchanged == 5
    with open_estate(tmp_path) as estate:  # an older program reads the file of a newer declaration
        assert collect(estate, 4, docs[1:]).gone == 1


def test_a_field_that_becomes_volatile_makes_no_versions(tmp_path: Path) -> None:
    with open_estate(tmp_path) as estate:
        collect(estate, 0, [thing(n, beat=1) for n in range(5)])
    calmer = replace(THING, volatile_paths=(*THING.volatile_paths, ("beat",)))
    with open_estate(tmp_path, calmer) as estate:
        outcome = collect(estate, 1, [thing(n, beat=2) for n in range(5)])
        assert (outcome.changed, outcome.unchanged) == (0, 5)


def test_retention_drops_old_history_and_never_the_current_state(estate: Estate) -> None:
    for minute in range(6):
        collect(estate, minute, [thing(1, size=minute), thing(2)])
    assert versions(estate) == 7
    assert estate.retain(at(3)) == 2  # ended at 1 and 2; what ended at 3 was current until then
    assert versions(estate) == 5
    assert estate.retain(at(1000)) == 3
    assert current(estate, "id", "size") == [("id-1", 5), ("id-2", 2)]
    assert rows(estate, "SELECT count(*) FROM listings") == [(1,)]
    assert collect(estate, 2000, [thing(1, size=5), thing(2)]).unchanged == 2


def test_forget_cloud(estate: Estate) -> None:
    collect(estate, 0, [thing(1, used=3, big="x" * 70_000)])
    before = estate.data_version("thing")
    estate.forget_cloud("other")
    assert (versions(estate), estate.data_version("thing")) == (1, before)
    estate.forget_cloud("cloud")
    assert versions(estate) == 0 and estate.states() == [] and estate.data_version("thing") > before
    for table in ("listings", "samples", "blobs", "blob_uses", "missing"):
        assert rows(estate, f"SELECT count(*) FROM {table}") == [(0,)]


def test_samples_are_summed_up_by_the_hour_once(estate: Estate) -> None:
    def sample(minutes: float, value: float, id: str = "a") -> tuple[str, str, str, str, str, object, float]:
        return ("cloud", "one", "thing", id, "used", at(minutes), value)

    estate.add_samples([sample(0, 1), sample(30, 3), sample(59, 2), sample(60, 10), sample(5, 7, "b")])  # type: ignore[list-item]
    assert estate.add_samples([]) == 0
    now = at(0) + timedelta(days=7, minutes=61)
    assert estate.roll_up_samples(now) == 4
    hourly = "SELECT id, hour, count, minimum, maximum, total, last FROM samples_hourly ORDER BY id, hour"
    assert rows(estate, hourly) == [
        ("a", naive(at(0)), 3, 1.0, 3.0, 6.0, 2.0),
        ("b", naive(at(0)), 1, 7.0, 7.0, 7.0, 7.0),
    ]
    assert rows(estate, "SELECT value FROM samples") == [(10.0,)]
    estate.add_samples([sample(10, 9)])  # type: ignore[list-item]
    assert estate.roll_up_samples(now) == 1
    assert rows(estate, hourly)[0] == ("a", naive(at(0)), 4, 1.0, 9.0, 15.0, 2.0)
    assert estate.roll_up_samples(now) == 0
    estate.roll_up_samples(at(0) + timedelta(days=500))
    assert rows(estate, "SELECT count(*) FROM samples_hourly") == [(1,)] or rows(estate, hourly) == []


def test_a_backup_made_while_running_is_whole(estate: Estate, tmp_path: Path) -> None:
    collect(estate, 0, [thing(n) for n in range(100)])
    target = tmp_path / "copy.duckdb"
    with estate.reader() as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM thing_versions").fetchall()
        collect(estate, 1, [thing(n, size=1000) for n in range(100)])
        estate.backup(target)
        reader.execute("ROLLBACK")
    collect(estate, 2, [thing(n) for n in range(50)])
    assert target.stat().st_mode & 0o777 == 0o600
    with Estate.open(target, types={"thing": THING}) as copy, copy.reader() as connection:
        assert connection.execute("SELECT count(*) FROM thing_versions").fetchall() == [(200,)]
        assert consistency.check(connection) == []
    with pytest.raises(EstateError, match="already exists"):
        estate.backup(target)


def test_a_backup_that_fails_leaves_nothing(estate: Estate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    from store.estate import backup

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    collect(estate, 0, [thing(1)])
    monkeypatch.setattr(backup.shutil, "copyfileobj", full)
    with pytest.raises(EstateDiskFull, match="no space is left"):
        estate.backup(tmp_path / "copy.duckdb")
    assert not list(tmp_path.glob("copy*"))
    assert collect(estate, 1, [thing(1)]).unchanged == 1


def test_readers_see_whole_listings_only(estate: Estate) -> None:
    collect(estate, 0, [thing(n, size=0) for n in range(200)])
    stop, seen = threading.Event(), set()

    def read() -> None:
        while not stop.is_set():
            query = "SELECT count(*), min(size), max(size) FROM thing_versions WHERE valid_to IS NULL"
            seen.add(rows(estate, query)[0])

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for minute in range(1, 5):
            collect(estate, minute, [thing(n, size=minute) for n in range(200)], batch=20)
        stop.set()
        for reader in readers:
            reader.result()
    assert all(count == 200 and low == high for count, low, high in seen)


def test_listings_side_by_side(estate: Estate) -> None:
    """Many collections at once, of regions of their own: each is as if it were alone."""
    docs = [thing(n) for n in range(300)]
    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(collect, estate, 0, docs, region=f"r{n}", batch=50) for n in range(8)]
        assert [future.result().new for future in work] == [300] * 8
    assert versions(estate) == 2400
    with estate.reader() as connection:
        assert consistency.check(connection) == []


def test_large_listings_go_through_a_temporary_table(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estate.budget, "_limit", 200_000)
    monkeypatch.setattr(estate.budget, "share", 10_000)
    docs = [thing(n, filler="x" * 100) for n in range(5000)]
    assert collect(estate, 0, [*docs, thing(1, size=4242)]).new == 5000
    assert rows(estate, "SELECT size FROM thing_versions WHERE id = 'id-1'") == [(4242,)]
    assert collect(estate, 1, [thing(n, filler="y" * 100) for n in range(5000)]).changed == 5000
    estate.write(lambda connection: None).result()  # what the listing left behind is dropped before this
    assert estate.budget._used == 0
    tables = rows(estate, "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'stage%'")
    assert tables == []


def test_an_error_in_a_write_rolls_back_and_the_writer_goes_on(estate: Estate) -> None:
    def fails(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("INSERT INTO meta VALUES ('x', 'y')")
        connection.execute("SELECT * FROM nothing")

    with pytest.raises(duckdb.CatalogException):
        estate.write(fails).result()
    assert rows(estate, "SELECT * FROM meta WHERE key = 'x'") == []
    assert collect(estate, 0, [thing(1)]).new == 1
    assert estate.broken is None


def test_a_failing_callback_disturbs_nobody(estate: Estate) -> None:
    heard = []
    estate.on_change(lambda *_: 1 / 0)
    estate.on_change(lambda *hint: heard.append(hint))
    assert collect(estate, 0, [thing(1)]).new == 1
    assert len(heard) == 1


def test_a_reader_that_fails_is_replaced(estate: Estate) -> None:
    for _ in range(10):
        with pytest.raises(duckdb.Error), estate.reader() as connection:
            connection.execute("BEGIN")
            connection.execute("SELECT * FROM nothing")
    assert rows(estate, "SELECT 1") == [(1,)]
