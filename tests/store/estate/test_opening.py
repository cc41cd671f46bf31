"""Every way in which the file can fail to open says so in one clear sentence and leaves the file as it was."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import duckdb
import pytest

from store.estate import consistency, schema
from store.estate.errors import (
    EstateClosed,
    EstateCorrupt,
    EstateError,
    EstateForeign,
    EstateLocked,
    EstateNewer,
    EstateReadOnly,
)
from store.estate.estate import Estate
from tests.store.estate.cloud import THING, collect, current, open_estate, rows, thing

TYPES = {"thing": THING}


def one_sentence(error: pytest.ExceptionInfo[EstateError], path: Path) -> str:
    text = str(error.value)
    assert str(path) in text and "\n" not in text and len(text) < 400
    return text


def run(code: str, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True, text=True, timeout=60, check=False, **options,  # type: ignore[call-overload]
    )  # fmt: skip


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path.cwd())}


def test_opens_again_with_everything(tmp_path: Path) -> None:
    with open_estate(tmp_path) as estate:
        collect(estate, 0, [thing(1)])
        version = estate.data_version()
    with open_estate(tmp_path) as estate:
        assert len(current(estate, "id")) == 1
        assert estate.data_version() >= version
        assert estate.states()[0]["state"] == "ok"
        assert collect(estate, 1, [thing(1)]).unchanged == 1
    mode = (tmp_path / "estate.duckdb").stat().st_mode & 0o777
    assert mode == 0o600


def test_all_declared_types_have_a_table(tmp_path: Path) -> None:
    from store.types import registry

    with Estate.open(tmp_path / "estate.duckdb", types=registry.ALL) as estate:
        tables = {name for (name,) in rows(estate, "SELECT table_name FROM duckdb_tables()")}
        assert {type.table for type in registry.ALL.values()} <= tables


def test_external_access_is_off_and_configuration_locked(tmp_path: Path) -> None:
    with open_estate(tmp_path) as estate:
        for sql in (
            "SELECT * FROM read_text('/etc/passwd')",
            "SELECT * FROM '/etc/passwd'",
            f"COPY thing_versions TO '{tmp_path}/out.csv'",
            f"ATTACH '{tmp_path}/other.duckdb'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SET threads = 1",
            "SET enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error), estate.reader() as connection:
                connection.execute(sql).fetchall()
        settings = dict(rows(estate, "SELECT name, value FROM duckdb_settings()"))
        assert (settings["threads"], settings["enable_external_access"]) == ("2", "false")
        assert settings["late_materialization_max_rows"] == "20000"
        assert settings["lock_configuration"] == "true"


def test_locked_names_the_process(tmp_path: Path) -> None:
    path = tmp_path / "estate.duckdb"
    open_estate(tmp_path).close()
    code = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdin and holder.stdout
    try:
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(EstateLocked) as error:
            Estate.open(path, types=TYPES)
        assert error.value.pid == holder.pid
        assert f"process {holder.pid}" in one_sentence(error, path)
    finally:
        holder.stdin.close()
        holder.wait(10)
        holder.stdout.close()
    open_estate(tmp_path).close()


def test_newer_schema(tmp_path: Path) -> None:
    path = tmp_path / "estate.duckdb"
    with open_estate(tmp_path) as estate:
        estate.write(
            lambda c: c.execute("UPDATE meta SET value = '999' WHERE key = 'schema_version'") and None
        ).result()
    before = path.read_bytes()
    with pytest.raises(EstateNewer) as error:
        Estate.open(path, types=TYPES)
    assert "999" in one_sentence(error, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"hello world, this is a text file\n" * 10, b"SQLite format 3\x00" + b"\x00" * 4096, b"x"]
)
def test_not_a_duckdb_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "estate.duckdb"
    path.write_bytes(content)
    with pytest.raises(EstateForeign) as error:
        Estate.open(path, types=TYPES)
    assert "not a DuckDB database" in one_sentence(error, path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("sql", ["CREATE TABLE other (a INTEGER)", "CREATE TABLE meta (key VARCHAR, value VARCHAR)"])
def test_a_duckdb_file_of_another_application(tmp_path: Path, sql: str) -> None:
    path = tmp_path / "estate.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)
    before = path.read_bytes()
    with pytest.raises(EstateForeign) as error:
        Estate.open(path, types=TYPES)
    assert "another application" in one_sentence(error, path)
    assert path.read_bytes() == before


def test_a_folder_or_no_folder(tmp_path: Path) -> None:
    with pytest.raises(EstateReadOnly, match="does not exist"):
        Estate.open(tmp_path / "no" / "estate.duckdb", types=TYPES)
    with pytest.raises(EstateForeign, match="not a file"):
        Estate.open(tmp_path, types=TYPES)


@pytest.mark.parametrize("damage", ["header", "middle", "truncated"])
def test_damaged(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "estate.duckdb"
    with open_estate(tmp_path) as estate:
        collect(estate, 0, [thing(n) for n in range(3000)])
    data = bytearray(path.read_bytes())
    if damage == "header":
        data[4096 + 20 : 4096 + 36] = data[8192 + 20 : 8192 + 36] = b"\xff" * 16
    elif damage == "middle":
        for offset in range(12288, len(data) - 16, 4096):
            data[offset + 64 : offset + 80] = b"\xaa" * 16
    else:
        del data[len(data) // 3 :]
    path.write_bytes(data)
    with pytest.raises(EstateCorrupt) as error:
        Estate.open(path, types=TYPES)
    assert "backup" in one_sentence(error, path)


@pytest.mark.parametrize("where", [0.0, 0.2, 0.5, 0.9])
def test_a_damaged_log_is_refused_or_read_up_to_the_damage(tmp_path: Path, where: float) -> None:
    path = tmp_path / "estate.duckdb"
    code = """
        import os, sys
        from pathlib import Path
        from tests.store.estate.cloud import collect, open_estate, thing
        estate = open_estate(Path(sys.argv[1]))
        collect(estate, 0, [thing(n) for n in range(100)])
        for minute in range(1, 6):
            collect(estate, minute, [thing(n, size=minute) for n in range(100)])
        os._exit(9)
    """
    assert run(code, str(tmp_path), cwd=Path.cwd(), env=environment()).returncode == 9
    log = path.with_name("estate.duckdb.wal")
    data = bytearray(log.read_bytes())
    at = int(len(data) * where)
    data[at : at + 64] = b"\xaa" * 64
    log.write_bytes(data)
    try:
        with open_estate(tmp_path) as estate, estate.reader() as connection:
            assert consistency.check(connection) == []
    except EstateCorrupt as error:
        assert str(path) in str(error) and "backup" in str(error)


def test_an_empty_file_that_a_crash_left_is_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "estate.duckdb").touch()
    (tmp_path / "estate.duckdb.new").write_bytes(b"half")
    with open_estate(tmp_path) as estate:
        assert collect(estate, 0, [thing(1)]).new == 1
    assert not (tmp_path / "estate.duckdb.new").exists()


def let_others_pass(path: Path) -> None:
    """Another user may go through the folders down to `path`."""
    for folder in (path, *path.parents):
        if folder.stat().st_uid == os.getuid() and folder.is_relative_to(tempfile.gettempdir()):
            folder.chmod(folder.stat().st_mode | 0o011)


@pytest.mark.parametrize("existing", [False, True])
def test_a_read_only_home(tmp_path: Path, existing: bool) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    home.mkdir()
    other.mkdir()
    if existing:
        open_estate(home).close()
        (home / "estate.duckdb").chmod(0o444)
    home.chmod(0o555)
    let_others_pass(tmp_path)
    # As root nothing is read-only: the child becomes nobody, once everything is imported.
    code = """
        import os, sys
        from pathlib import Path
        from store.estate.errors import EstateReadOnly
        from tests.store.estate.cloud import open_estate
        open_estate(Path(sys.argv[2])).close()
        if os.getuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        try:
            open_estate(Path(sys.argv[1]))
        except EstateReadOnly as error:
            print(error)
    """
    done = run(code, str(home), str(other), cwd=Path.cwd(), env=environment())
    home.chmod(0o755)
    assert re.search(r"can not be written by this user", done.stdout), done.stderr


def test_a_home_that_this_user_may_not_even_search(tmp_path: Path) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    home.mkdir()
    other.mkdir()
    open_estate(home).close()
    let_others_pass(tmp_path)
    home.chmod(0o600)
    code = """
        import os, sys
        from pathlib import Path
        from store.estate.errors import EstateReadOnly
        from tests.store.estate.cloud import open_estate
        open_estate(Path(sys.argv[2])).close()
        if os.getuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        try:
            open_estate(Path(sys.argv[1]))
        except EstateReadOnly as error:
            print(error)
    """
    done = run(code, str(home), str(other), cwd=Path.cwd(), env=environment())
    home.chmod(0o755)
    assert str(home) in done.stdout, done.stderr


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: writing fails in the same place in the same way."""
    code = """
        import resource, signal, sys
        from pathlib import Path
        from store.estate.errors import EstateClosed, EstateDiskFull
        from tests.store.estate.cloud import collect, open_estate, thing
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        estate = open_estate(Path(sys.argv[1]))
        collect(estate, 0, [thing(1)])
        estate.checkpoint()
        size = (Path(sys.argv[1]) / "estate.duckdb").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        import random
        filler = random.Random(1)
        try:
            for minute in range(1, 50):
                collect(estate, minute, [thing(n, filler=filler.randbytes(500).hex()) for n in range(2, 2000)])
            print("no error")
        except EstateDiskFull as error:
            print(error)
        try:
            collect(estate, 60, [thing(1)])
            print("went on")
        except (EstateClosed, EstateDiskFull) as error:
            print(type(error).__name__)
        sys.stdout.flush()
        import os
        os._exit(0)
    """
    done = run(code, str(tmp_path), cwd=Path.cwd(), env=environment())
    lines = done.stdout.splitlines()
    assert len(lines) == 2 and "no space is left" in lines[0], done.stdout + done.stderr
    with open_estate(tmp_path) as estate:
        assert ("id-1",) in current(estate, "id")
        assert collect(estate, 100, [thing(1)], kind="delta").state == "ok"


def test_closed_says_so(tmp_path: Path) -> None:
    estate = open_estate(tmp_path)
    estate.close()
    estate.close()
    with pytest.raises(EstateClosed):
        estate.write(lambda c: None)
    with pytest.raises(EstateClosed), estate.reader():
        pass


def test_migrations_are_numbered_without_gaps() -> None:
    numbers = [number for number, _ in schema.migrations()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_failed_migration_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_estate(tmp_path).close()
    latest = len(schema.migrations())
    steps = [*schema.migrations(), (latest + 1, "CREATE TABLE fresh (a INTEGER); SELECT * FROM not_there;")]
    with monkeypatch.context() as patch:
        patch.setattr(schema, "migrations", lambda: steps)
        with pytest.raises(duckdb.Error):
            open_estate(tmp_path)
    with open_estate(tmp_path) as estate:
        assert rows(estate, "SELECT value FROM meta WHERE key = 'schema_version'") == [(str(latest),)]
        assert rows(estate, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'fresh'") == [(0,)]


def test_duckdb_does_not_look_for_a_pandas_that_is_not_there(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import importlib.util, sys
        from pathlib import Path
        from store.estate.estate import Estate
        there = importlib.util.find_spec("pandas") is not None
        Estate.open(Path(sys.argv[1])).close()
        assert there or sys.modules["pandas"] is None
        try:
            import pandas
        except ModuleNotFoundError:
            assert not there
    """)
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "estate.duckdb")], check=True, timeout=60)
