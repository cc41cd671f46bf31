"""Every way in which an engine can fail to start: one clear sentence, its own exit code, and nothing lost."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.process.models import Exit, Home
from tests.engine.process.running import ROOT, TINY, Engine, engine, temporary_home
from tests.engine.process.users import STRANGER, as_user, needs_root, squatter


@pytest.fixture
def home() -> Iterator[Home]:
    with temporary_home() as found:
        found.path.mkdir(mode=0o700)
        yield found


@contextlib.contextmanager
def failing(home: Home, code: Exit, *words: str, env: dict[str, str] | None = None) -> Iterator[str]:
    """The sentence of an engine that does not start."""
    one = Engine(home, *words, env=env or {})
    try:
        last = one.failure()
        assert last["code"] == code, last
        assert last["message"] == " ".join(last["message"].splitlines()), "one line"
        yield last["message"]
    finally:
        one.close()


def newer_ops(home: Home) -> None:
    with contextlib.closing(sqlite3.connect(home.ops)) as connection:
        connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)")
        connection.execute("INSERT INTO meta VALUES ('application', 'quarterdeck'), ('schema_version', '999')")
        connection.commit()


def foreign_ops(home: Home) -> None:
    with contextlib.closing(sqlite3.connect(home.ops)) as connection:
        connection.execute("CREATE TABLE music (title TEXT)")
        connection.commit()


def garbage(name: str) -> Callable[[Home], None]:
    return lambda home: (home.path / name).write_bytes(b"this is a letter to my aunt, and no database\n" * 100) and None


@pytest.mark.faults
@pytest.mark.parametrize(
    ("prepare", "code", "words"),
    [
        (newer_ops, Exit.NEWER, "later release"),
        (foreign_ops, Exit.FOREIGN, "another program"),
        (garbage("ops.sqlite"), Exit.FOREIGN, "not an SQLite database"),
        (garbage("estate.duckdb"), Exit.FOREIGN, "not a DuckDB database"),
    ],
)
def test_databases_that_are_not_ours(home: Home, prepare: Callable[[Home], None], code: Exit, words: str) -> None:
    prepare(home)
    before = {path.name: path.read_bytes() for path in (home.ops, home.estate) if path.exists()}
    with failing(home, code) as message:
        assert words in message
    assert {name: (home.path / name).read_bytes() for name in before} == before
    status = json.loads(home.status.read_text())
    assert (status["state"], status["last_failure"]["message"]) == ("failed", message)


@pytest.mark.faults
def test_a_database_that_another_process_has_open(home: Home) -> None:
    code = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); c.execute('CREATE TABLE t (i INT)'); "
        "print('open', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(home.estate)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "open\n"
        with failing(home, Exit.LOCKED) as message:
            assert f"process {holder.pid}" in message
    finally:
        holder.communicate()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[collection]\ninterval_minutes = "often"\n', "line 2"),
        ("[engine]\n\ngruop = 'x'\n", "line 3"),
        ("[engine\n", "line 1"),
    ],
)
def test_bad_configuration_names_the_line(home: Home, text: str, line: str) -> None:
    home.config.write_text(text)
    with failing(home, Exit.CONFIGURATION) as message:
        assert f"{home.config}, {line}" in message
    assert not home.socket.exists()


def test_a_group_that_the_host_does_not_have(home: Home) -> None:
    home.config.write_text('[engine]\ngroup = "no-such-group-here"\n')
    with failing(home, Exit.CONFIGURATION) as message:
        assert "no-such-group-here" in message
    assert not home.socket.exists()


def test_a_home_that_others_may_write_to(home: Home) -> None:
    home.path.chmod(0o777)
    with failing(home, Exit.UNSAFE_HOME) as message:
        assert "chmod go-w" in message


def test_a_home_that_is_a_file(home: Home) -> None:
    home.path.rmdir()
    home.path.write_text("not a folder")
    with failing(home, Exit.READ_ONLY) as message:
        assert str(home.path) in message
    assert home.path.read_text() == "not a folder"


def test_a_socket_path_taken_by_a_file_is_left_alone(home: Home) -> None:
    home.socket.write_text("precious")
    with failing(home, Exit.SOCKET_TAKEN) as message:
        assert "is not a socket" in message
    assert home.socket.read_text() == "precious"


def test_a_socket_on_which_somebody_listens_is_left_alone(home: Home) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(home.socket))
        other.listen()
        with failing(home, Exit.SOCKET_TAKEN) as message:
            assert f"process {os.getpid()}" in message
        assert home.socket.exists()


@needs_root
def test_a_squatted_socket_is_refused(home: Home) -> None:
    with squatter(home.socket) as heard:
        with failing(home, Exit.SOCKET_TAKEN) as message:
            assert "64003" in message
        assert heard() == b""


@pytest.mark.faults
def test_what_a_dead_engine_left_is_removed(home: Home) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(home.socket))
    home.lock.write_text('{"pid": 1}')
    with engine(home=home) as one:
        assert one.get("/who")["role"] == "superadmin"


def test_one_engine_per_home(home: Home) -> None:
    with engine(home=home) as one:
        with failing(home, Exit.ALREADY_RUNNING) as message:
            assert f"process {one.process.pid}" in message
        assert one.status()["state"] == "running"
        assert one.get("/who")["role"] == "superadmin"


@needs_root
def test_a_home_that_an_ordinary_user_may_not_write(home: Home) -> None:
    """In this process's children, since the ordinary user may not be allowed to read the sources."""
    from engine.process import holding

    for folder in (home.path.parent, home.path):
        folder.chmod(0o755)
    found = as_user(lambda: holding.prepare_home(home), STRANGER)
    assert str(found).startswith("StartFailure") and "may not write" in found
    found = as_user(lambda: holding.take_lock(home), STRANGER)
    assert "may not write" in found
    found = as_user(lambda: holding.prepare_home(Home(home.path / "deep" / "er")), STRANGER)
    assert "may not write" in found


def test_a_network_home_is_refused_by_the_process(home: Home) -> None:
    """The mounts are the host's: only the text of the table is another one."""
    code = (
        "import sys; from engine.process import filesystems, main\n"
        "mounts = f'1 0 8:1 / / rw - ext4 /dev/sda rw\\n2 1 0:9 / {sys.argv[1]} rw - nfs4 filer:/x rw\\n'\n"
        "filesystems.mount_table = lambda: mounts\n"
        "sys.exit(main.main(['run', '--home', sys.argv[1]]))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(home.path)],
        capture_output=True, text=True, timeout=30, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == Exit.NETWORK_HOME
    assert "nfs4" in done.stderr and "QDECK_HOME" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.faults
def test_an_address_that_is_taken(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        home.config.write_text(f'[engine.tcp]\nlisten = "127.0.0.1:{port}"\n')
        with failing(home, Exit.ADDRESS_TAKEN) as message:
            assert f"127.0.0.1:{port}" in message and "another program listens" in message


@pytest.mark.faults
@pytest.mark.parametrize(
    ("how", "words"), [("lifespan", "would not begin"), ("error", "nobody expected this"), ("crash", "SIGSEGV")]
)
def test_a_start_that_crashes_every_time_is_given_up(home: Home, how: str, words: str) -> None:
    with failing(home, Exit.FAILED, env={"QDECK_TEST_FAIL": how}) as message:
        assert words in message
    assert json.loads(home.status.read_text())["state"] == "failed"


@pytest.mark.faults
def test_an_application_that_is_not_there(home: Home) -> None:
    one = Engine(home, application="no.such.application")
    try:
        assert one.failure()["code"] == Exit.INSTALLATION
    finally:
        one.close()


def test_the_foreground_says_it_on_stderr(home: Home) -> None:
    home.config.write_text("[engine\n")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "engine.process.main", "run", "--home", str(home.path), "--application", TINY],
        capture_output=True, text=True, timeout=30, cwd="/", env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == Exit.CONFIGURATION
    assert done.stderr.startswith("qdeck: ") and "line 1" in done.stderr
    assert done.stdout == ""


@pytest.mark.faults
def test_a_long_path_gets_its_socket_elsewhere() -> None:
    with temporary_home() as short:
        home = Home(short.path / ("long-" * 20))
        with engine(home=home) as one:
            assert home.socket.parent == Path(f"/tmp/qdeck-{os.getuid()}")
            assert home.socket.parent.stat().st_mode & 0o777 == 0o700
            assert one.get("/who")["role"] == "superadmin"
        assert not home.socket.exists()
