"""`python -P -m engine.process.main run --home H`: the engine's parent process.

Nothing heavy is imported before the lock is held: of two clients that start an engine at once, one loses in
milliseconds.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine.process.failures import StartFailure, of_error
from engine.process.models import Exit, Home
from engine.process.streams import let_go

if TYPE_CHECKING:
    from engine.process.parent import Holdings
    from engine.process.status import Status

# Imported before the first fork, so that a worker costs a fork and not two seconds.
WARM = ("duckdb", "pyarrow.compute", "pyarrow.dataset", "sqlalchemy.dialects.sqlite.pysqlite",
        "uvicorn.protocols.http.h11_impl", "httpx", "keystoneauth1.session", "keystoneauth1.identity",
        "uvicorn.lifespan.on", "engine.process.worker", "engine.access.tcp", "engine.settings.loading")  # fmt: skip


def arguments(argv: list[str]) -> argparse.Namespace:
    """The command line; `--inherit` is what a restarting engine hands to its successor."""
    parser = argparse.ArgumentParser(prog="engine.process.main")
    parser.add_argument("command", choices=["run"])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--servers", type=int)
    parser.add_argument("--past", type=int)
    parser.add_argument("--socket", type=Path)
    parser.add_argument("--background", action="store_true")
    parser.add_argument("--application", default="engine.app")
    parser.add_argument("--inherit", help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Run an engine until it is stopped; returns the exit code (engine.process.models.Exit)."""
    options = arguments(argv)
    home = Home.at(options.home)
    announcer = Announcer(options.background)
    os.umask(0o077)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # also while the modules load
    with contextlib.suppress(OSError):
        os.chdir("/")  # so that no file system is kept busy, and no stranger's folder is the current one
    try:
        held = _hold(options, home)
    except StartFailure as failure:
        announcer.failed(failure)
        return failure.code
    # From here on the lock is ours: what goes wrong is written into the status file.
    return _run(options, held, announcer)


def _hold(options: argparse.Namespace, home: Home) -> Holdings:
    """Lock and socket: taken, or inherited from the engine that restarts."""
    from engine.process import holding

    if options.inherit:
        lock, listener = (int(number) for number in options.inherit.split(","))
        for descriptor in (lock, listener):
            os.set_inheritable(descriptor, False)
        return _holdings(options, home, lock, socket.socket(fileno=listener))
    holding.prepare_home(home)
    lock = holding.take_lock(home)
    try:
        group = _group(options, home)
        listener_socket = holding.listen(options.socket or home.socket, group)
    except StartFailure as failure:
        _write_failure(options, home, failure)
        raise
    return _holdings(options, home, lock, listener_socket)


def _group(options: argparse.Namespace, home: Home) -> str | None:
    """The group that shares the engine, by the configuration. The parser is loaded only when there is a file."""
    from engine.settings import loading

    try:
        return loading.load(loading.find(home.path, only_home=options.demo)).settings.engine.group
    except loading.SettingsError as error:
        raise of_error(error) from error


def _holdings(options: argparse.Namespace, home: Home, lock: int, listener: socket.socket) -> Holdings:
    from engine.process.parent import Holdings

    return Holdings(
        home, lock, listener, options.demo, options.servers, options.application, not options.background, options.past
    )


def _status(options: argparse.Namespace, home: Home) -> Status:
    from engine.process.status import Status

    return Status(str(home.path), str(options.socket or home.socket), options.demo)


def _write_failure(options: argparse.Namespace, home: Home, failure: StartFailure) -> None:
    status = _status(options, home)
    status.state = "failed"
    status.failed(str(failure), failure.code)
    status.write(home)


def _run(options: argparse.Namespace, held: Holdings, announcer: Announcer) -> int:
    from engine.process import logs
    from engine.process.parent import Parent, threads

    status = _status(options, held.home)
    status.write(held.home)
    announcer.status(status)
    logs.configure(held.home.logs, logs.PARENT_LOG, echo=not options.background)
    try:
        _warm(options.application)
    except Exception as error:
        failure = of_error(error)
        _write_failure(options, held.home, failure)
        announcer.failed(failure)
        return failure.code
    if (count := threads()) != 1:
        import structlog

        structlog.get_logger("qdeck.parent").warning("libraries started threads before the fork", threads=count)
    ended, code = Parent(held, status, announcer.status).run()
    if ended == "restart" and code == Exit.OK:
        _replace(options, held)
    if code == Exit.OK:
        status.state = "stopped"
        status.worker_pid = None
        status.write(held.home)
    # The lock is still held, so the socket at that path is ours.
    with contextlib.suppress(OSError):
        Path(status.socket).unlink()
    announcer.status(status)
    logs.close()
    return code


def _warm(application: str) -> None:
    import importlib

    # Allocators of libraries start threads of their own unless told not to.
    os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    for name in (*WARM, application):
        importlib.import_module(name)
    # The package opens a database of its own in memory, with threads.
    import duckdb

    duckdb.default_connection().execute("SET threads TO 1")
    duckdb.default_connection().close()


def _replace(options: argparse.Namespace, held: Holdings) -> None:
    """Become a fresh engine of the installed release, with the same process id, lock and listening socket."""
    for descriptor in (held.lock, held.listener.fileno()):
        os.set_inheritable(descriptor, True)
    command = [sys.executable, "-P", "-m", "engine.process.main", "run", "--home", str(held.home.path)]
    command += ["--demo"] if options.demo else []
    command += ["--servers", str(options.servers)] if options.servers is not None else []
    command += ["--past", str(options.past)] if options.past is not None else []
    command += ["--socket", str(options.socket)] if options.socket is not None else []
    command += ["--background"] if options.background else []
    command += ["--application", options.application, "--inherit", f"{held.lock},{held.listener.fileno()}"]
    os.execv(sys.executable, command)


class Announcer:
    """Tells whoever started the engine how the start goes: JSON lines on stdout, until it runs or has failed."""

    def __init__(self, background: bool) -> None:
        self._background = background
        self._listening = background

    def status(self, status: Status) -> None:
        """Say the state; at the first "running" or "failed" let go of the starter's pipes."""
        message = (status.last_failure or {}).get("message", "")
        if status.state == "failed" and not self._background:
            self._write(message)
        if not self._listening:
            return
        self._say(state=status.state, message=message, pid=status.pid, code=(status.last_failure or {}).get("code", 0))
        if status.state in ("running", "failed", "stopped"):
            self._listening = False
            let_go(Path(status.home) / "logs")

    def failed(self, failure: StartFailure) -> None:
        """Say why there is no engine."""
        if self._background:
            if self._listening:
                self._say(state="failed", message=str(failure), code=int(failure.code))
        else:
            self._write(str(failure))

    def _write(self, message: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # the terminal may have gone
            sys.stderr.write(f"qdeck: {message}\n")

    def _say(self, **message: object) -> None:
        with contextlib.suppress(OSError, ValueError):  # the starter may have gone
            sys.stdout.write(json.dumps(message) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
