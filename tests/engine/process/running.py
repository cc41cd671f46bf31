"""An engine for a test: the real process with the tiny application, in a home of its own, ended at the end."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from engine.process.models import Home
from tui.api.client import SyncClient
from tui.api.errors import ConnectionLost, EngineUnavailable
from tui.api.target import Target
from tui.api.transport import Connection

ROOT = Path(__file__).resolve().parents[3]
TINY = "tests.engine.process.tiny"
T = TypeVar("T")


def wait_for(condition: Callable[[], T], seconds: float = 20.0) -> T:
    """The first true value of the condition; fails the test after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s: {condition}")


@contextlib.contextmanager
def temporary_home() -> Iterator[Home]:
    """A home with a short path (a socket's path is short)."""
    folder = Path(tempfile.mkdtemp(prefix="qd-"))
    try:
        yield Home(folder / "home")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Engine:
    """One engine's parent process."""

    def __init__(self, home: Home, *words: str, env: Mapping[str, str] = {}, application: str = TINY) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "engine.process.main", "run", "--home", str(home.path), "--background",
             "--application", application, *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True, cwd="/", env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        )  # fmt: skip

    @property
    def target(self) -> Target:
        return Target(socket=self.home.socket, home=self.home)

    def messages(self) -> list[dict[str, Any]]:
        """What it announces until it runs or has failed."""
        assert self.process.stdout is not None
        return [json.loads(line) for line in self.process.stdout if line.startswith("{")]

    def until_running(self) -> Engine:
        last = self.messages()[-1]
        assert last["state"] == "running", last
        return self

    def failure(self, seconds: float = 30.0) -> dict[str, Any]:
        """The last message of an engine that does not start; its exit code is checked against it."""
        last = self.messages()[-1]
        assert last["state"] == "failed", last
        assert self.process.wait(seconds) == last["code"]
        return last

    def client(self) -> SyncClient:
        return SyncClient(self.target)

    def get(self, path: str, params: Any = None) -> Any:
        with self.client() as client:
            return client.get(path, params)

    def status(self) -> dict[str, Any]:
        """The status file."""
        return json.loads(self.home.status.read_text())

    def worker(self) -> int:
        return wait_for(lambda: self.status()["worker_pid"] if self.status()["state"] == "running" else None)

    def kill_worker(self) -> int:
        pid = self.worker()
        os.kill(pid, signal.SIGKILL)
        return pid

    def close(self) -> None:
        """End parent and worker, whatever state they are in."""
        with contextlib.suppress(OSError, ValueError):
            worker = self.status()["worker_pid"]
            if self.process.poll() is None:
                self.process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(15)
            if self.process.poll() is None:
                self.process.kill()
            if worker and belongs(worker, self.home):
                os.kill(worker, signal.SIGKILL)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


def belongs(pid: int, home: Home) -> bool:
    """Whether a process is one of the home's engine."""
    try:
        return str(home.path).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def is_alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def answers(target: Target) -> bool:
    """Whether an engine answers."""
    try:
        with SyncClient(target, Connection(target)) as client:
            return client.get("/q/engine")["state"] == "running"
    except (ConnectionLost, EngineUnavailable):
        return False


@contextlib.contextmanager
def engine(*words: str, env: Mapping[str, str] = {}, home: Home | None = None) -> Iterator[Engine]:
    """A running engine with the tiny application."""
    with contextlib.ExitStack() as closing:
        chosen = home or closing.enter_context(temporary_home())
        one = Engine(chosen, *words, env=env)
        closing.callback(one.close)
        yield one.until_running()
