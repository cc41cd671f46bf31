"""The operations database: what it keeps, and each way it can refuse to open, against real files."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import create_mock_engine, func, insert, inspect, select
from sqlalchemy.exc import IntegrityError

from store.ops import errors, migrations, tables
from store.ops.ops import Ops

NOW = datetime(2026, 2, 8, 9, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ops.sqlite"


@pytest.fixture
def ops(path: Path):
    opened = Ops.open(path)
    yield opened
    opened.close()


def _setting(key: str, value: object = 1):
    return insert(tables.settings).values(key=key, value=value, updated_at=NOW, updated_by="x")


def test_new_file_is_private_and_durable(ops: Ops, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with ops.read() as connection:
        pragma = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    assert ops.schema_version() == migrations.LATEST


def test_migrated_tables_are_the_declared_ones(ops: Ops) -> None:
    with ops.read() as connection:
        found = inspect(connection)
        names = {name: {c["name"] for c in found.get_columns(name)} for name in found.get_table_names()}
    assert names == {t.name: {c.name for c in t.columns} for t in tables.metadata.tables.values()}


def test_the_same_tables_compile_for_postgresql() -> None:
    statements: list[str] = []
    engine = create_mock_engine(
        "postgresql://", lambda sql, *a, **k: statements.append(str(sql.compile(dialect=engine.dialect)))
    )
    tables.metadata.create_all(engine, checkfirst=False)
    assert sum("CREATE TABLE" in s for s in statements) == len(tables.metadata.tables)
    assert all("AUTOINCREMENT" not in s for s in statements)


def test_what_was_committed_is_there_after_reopening(path: Path) -> None:
    first = Ops.open(path)
    with first.begin() as connection:
        connection.execute(_setting("a", {"deep": [1, None, "ü"]}))
    first.close()
    again = Ops.open(path)
    with again.read() as connection:
        row = connection.execute(select(tables.settings)).one()
    again.close()
    assert (row.value, row.updated_at) == ({"deep": [1, None, "ü"]}, NOW)


def test_a_block_that_raises_leaves_nothing(ops: Ops) -> None:
    with pytest.raises(ZeroDivisionError), ops.begin() as connection:
        connection.execute(_setting("a"))
        raise ZeroDivisionError
    with ops.begin() as connection:
        connection.execute(_setting("b"))
    with ops.read() as connection:
        assert connection.scalars(select(tables.settings.c.key)).all() == ["b"]


def test_errors_of_the_block_itself_stay_what_they_are(ops: Ops) -> None:
    with pytest.raises(FileNotFoundError), ops.begin():
        Path("/nonexistent/file").read_text()
    with pytest.raises(IntegrityError), ops.begin() as connection:
        connection.execute(_setting("a"))
        connection.execute(_setting("a"))


def test_foreign_keys_hold(ops: Ops) -> None:
    session = {"id": "s", "user_id": "nobody", "created_at": NOW, "expires_at": NOW}
    with pytest.raises(IntegrityError), ops.begin() as connection:
        connection.execute(insert(tables.sessions).values(**session))


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
def test_the_audit_table_refuses_changes(ops: Ops, path: Path, statement: str) -> None:
    with ops.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO audit (seq, id, at, actor, role, via, action, target, detail, outcome, previous_hash, hash) "
            "VALUES (1, 'i', 0, 'a', 'r', 'v', 'a', 't', '{}', 'ok', '', '')"
        )
    with pytest.raises(IntegrityError, match="append-only"), ops.begin() as connection:
        connection.exec_driver_sql(statement)
    with closing(sqlite3.connect(path)) as other, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        other.execute(statement)


def test_writers_from_many_threads_lose_nothing(ops: Ops) -> None:
    def write(name: str) -> None:
        for number in range(20):
            with ops.begin() as connection:
                count = connection.scalar(select(func.count()).select_from(tables.settings))
                connection.execute(_setting(f"{name}{number}", count))

    threads = [threading.Thread(target=write, args=(f"t{n}-",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ops.read() as connection:
        seen = connection.scalars(select(tables.settings.c.value)).all()
    assert sorted(seen) == list(range(120))


def test_a_transaction_inside_another_is_an_error_and_no_deadlock(ops: Ops) -> None:
    with ops.begin() as connection:
        with pytest.raises(RuntimeError, match="hand its connection on"), ops.begin():
            pass
        connection.execute(_setting("a"))
    with ops.begin() as connection:
        assert connection.scalars(select(tables.settings.c.key)).all() == ["a"]


def test_many_readers_at_once(ops: Ops) -> None:
    inside = threading.Barrier(60)

    def read() -> None:
        with ops.read() as connection:
            connection.scalar(select(func.count()).select_from(tables.settings))
            inside.wait(30)

    threads = [threading.Thread(target=read) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not inside.broken


def test_a_reader_does_not_wait_for_a_writer(ops: Ops) -> None:
    with ops.begin() as writer:
        writer.execute(_setting("a"))
        with ops.read() as reader:
            assert reader.scalar(select(func.count()).select_from(tables.settings)) == 0


def test_instants_keep_microseconds_and_zone_and_refuse_naive_times(ops: Ops) -> None:
    local = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    with ops.begin() as connection:
        connection.execute(insert(tables.settings).values(key="a", value=1, updated_at=local, updated_by="x"))
        assert connection.scalar(select(tables.settings.c.updated_at)) == NOW
    with pytest.raises(Exception, match="time zone"), ops.begin() as connection:
        connection.execute(_setting("b").values(updated_at=datetime(2026, 1, 1)))


# -- ways to fail -----------------------------------------------------------------------------------------------


def _refused(path: Path, kind: type[errors.OpsError], *words: str) -> None:
    with pytest.raises(kind) as caught:
        Ops.open(path, busy_timeout=0.05)
    sentence = str(caught.value)
    assert str(path) in sentence and "\n" not in sentence
    for word in words:
        assert word in sentence


def test_locked_by_another_process(path: Path) -> None:
    Ops.open(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        _refused(path, errors.OpsLocked, "locked by another process", "qdeck engine status")


def test_write_lock_held_at_run_time(path: Path) -> None:
    ops = Ops.open(path, busy_timeout=0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(errors.OpsLocked), ops.begin():
            pass
    with ops.begin() as connection:
        connection.execute(_setting("a"))
    ops.close()


def test_written_by_a_later_release(path: Path) -> None:
    Ops.open(path).close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE meta SET value = '999' WHERE key = 'schema_version'")
        other.commit()
    _refused(path, errors.OpsNewer, "schema 999", "install that release")


@pytest.mark.parametrize(
    "schema", ["CREATE TABLE songs (id)", "CREATE TABLE meta (a, b)", "CREATE TABLE meta (key, value)"]
)
def test_database_of_another_program_is_left_alone(path: Path, schema: str) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute(schema)
    before = path.read_bytes()
    _refused(path, errors.OpsForeign, "another program")
    assert path.read_bytes() == before


def test_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"%PDF-1.7 something else entirely" * 100)
    _refused(path, errors.OpsForeign, "not an SQLite database")


@pytest.mark.parametrize("damage", ["middle", "truncated"])
def test_damaged_pages(path: Path, damage: str) -> None:
    ops = Ops.open(path)
    with ops.begin() as connection:
        for number in range(200):
            connection.execute(_setting(f"k{number}", "x" * 400))
    ops.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        if damage == "truncated":
            file.truncate(size // 2)
        else:
            file.seek(4096)
            file.write(b"\xa5" * (size - 8192))
    _refused(path, errors.OpsCorrupt, "damaged", "backup")


def test_full_disk_while_writing_loses_nothing_committed(path: Path) -> None:
    ops = Ops.open(path)
    with ops.begin() as connection:
        connection.execute(_setting("kept"))
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    with pytest.raises(errors.OpsDiskFull, match="disk is full"), ops.begin() as connection:
        # SQLite answers SQLITE_FULL at this limit exactly as it does for ENOSPC.
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        connection.execute(_setting("big", "x" * 200_000))
    with ops.read() as connection:
        assert connection.scalars(select(tables.settings.c.key)).all() == ["kept"]
    ops.close()


def test_missing_folder(tmp_path: Path) -> None:
    _refused(tmp_path / "none" / "ops.sqlite", errors.OpsReadOnly, "folder exists")


_AS_ORDINARY_USER = """
import os, sys
from pathlib import Path
from store.ops.errors import OpsReadOnly
from store.ops.ops import Ops
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
try:
    Ops.open(Path(sys.argv[1]))
except OpsReadOnly as error:
    print(error)
else:
    print("opened")
"""


@pytest.mark.parametrize(("existing", "words"), [(True, "permission"), (False, "permission")])
def test_read_only_home_as_an_ordinary_user(tmp_path: Path, existing: bool, words: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    path = home / "ops.sqlite"
    if existing:
        Ops.open(path).close()
        path.chmod(0o444)
    home.chmod(0o555)
    for folder in [home, *home.parents][: len(home.parts) - 2]:
        if folder != home and folder.owner() == home.owner() and "pytest" in str(folder):
            folder.chmod(0o755)
    try:
        done = subprocess.run(
            [sys.executable, "-c", _AS_ORDINARY_USER, str(path)], capture_output=True, text=True, timeout=60
        )
    finally:
        home.chmod(0o755)
    assert words in done.stdout and str(path) in done.stdout, done


@pytest.mark.parametrize("code", sorted(errors._BY_CODE))
def test_every_known_code_becomes_one_sentence(code: int) -> None:
    failure = sqlite3.OperationalError("internal words")
    failure.sqlite_errorcode = code | (3 << 8)  # extended codes keep the primary one in the low byte
    found = errors.translate(failure, "/x/ops.sqlite")
    assert found is not None and "internal" not in str(found) and "/x/ops.sqlite" in str(found)


def test_programming_errors_are_not_dressed_up() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute("SELEC 1")
        except sqlite3.Error as error:
            assert errors.translate(error, "x") is None


# -- backup -----------------------------------------------------------------------------------------------------


def test_backup_during_writes_is_whole_and_opens(ops: Ops, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            with ops.begin() as connection:  # pairs: a torn copy would show an odd count
                connection.execute(_setting(f"a{number}"))
                connection.execute(_setting(f"b{number}"))
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    target = tmp_path / "copy.sqlite"
    try:
        for _ in range(5):
            ops.backup(target)
            assert stat.S_IMODE(target.stat().st_mode) == 0o600
            copy = Ops.open(target)
            with copy.read() as connection:
                assert connection.scalar(select(func.count()).select_from(tables.settings)) % 2 == 0
            copy.close()
    finally:
        stop.set()
        writer.join()
    assert not list(tmp_path.glob("*partial*"))


def test_backup_into_a_missing_folder_says_so(ops: Ops, tmp_path: Path) -> None:
    target = tmp_path / "none" / "copy.sqlite"
    with pytest.raises(errors.OpsReadOnly, match="none"):
        ops.backup(target)
