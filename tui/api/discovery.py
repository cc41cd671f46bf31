"""Starting an engine when none answers, and waiting until it does."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

from engine.process.models import Exit, Home
from tui.api.errors import ConnectionLost, EngineUnavailable
from tui.api.survival import Host, this_host
from tui.api.target import Target
from tui.api.transport import Connection

if TYPE_CHECKING:
    import subprocess

Progress = Callable[[str], object]

START_SECONDS = 60.0
_SAY_AFTER = 1.0  # seconds: a start that is quick needs no words
_SAY_EVERY = 10.0

# Engines started by this process: kept, so that their end is noticed and not warned about.
_started: list[Any] = []


def last_words(home: Home) -> dict[str, Any]:
    """What the engine of `home` wrote last into its status file; {} when there is none."""
    try:
        found = json.loads(home.status.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def connect(target: Target, progress: Progress | None = None, *, start: bool = True) -> Connection:
    """A connection to the target's engine, started when none listens and this client may start it.

    Raises EngineUnavailable, with the engine's own sentence when it could not start.
    """
    try:
        return Connection(target)
    except ConnectionLost as error:
        if target.home is None or not start:
            raise EngineUnavailable(nobody(target)) from error
    return start_engine(target, progress)


def nobody(target: Target) -> str:
    """Why there is nobody to talk to, and what to do."""
    if target.shared:
        return f"no engine listens on {target.socket}; start it with `systemctl start qdeck-engine`"
    if target.home is None:
        return f"no engine answers at {target.address}"
    words = last_words(target.home)
    failure = words.get("last_failure") or {}
    if words.get("state") == "failed" and failure.get("message"):
        return f"no engine runs for {target.home.path}; the last one failed: {failure['message']}"
    return f"no engine runs for {target.home.path}; `qdeck engine start` starts one"


def start_engine(target: Target, progress: Progress | None = None, seconds: float = START_SECONDS) -> Connection:
    """Start the target's engine in the background and connect to it as soon as it answers.

    Another client may do the same at the same time: one engine comes of it. Raises EngineUnavailable.
    """
    say = _Saying(progress, target.demo)
    deadline = time.monotonic() + seconds
    host = this_host()
    if host.warning and progress is not None:
        progress(host.warning)
    while time.monotonic() < deadline:
        outcome = _Start(target, host).run(deadline, say)
        if outcome == Exit.OK:
            return _connected(target, deadline, say)
        if outcome == Exit.ALREADY_RUNNING:
            # Somebody else's start: it listens soon, or has failed and left the lock for us to try.
            found = _connected(target, min(deadline, time.monotonic() + 5.0), say, fails=False)
            if found is not None:
                return found
    assert target.home is not None
    raise EngineUnavailable(f"the engine did not start within {seconds:.0f} s; see {target.home.logs} for what it does")


def _connected(target: Target, deadline: float, say: _Saying, *, fails: bool = True) -> Any:
    pause = 0.005
    while True:
        try:
            return Connection(target)
        except ConnectionLost:
            if time.monotonic() >= deadline:
                if fails:
                    raise EngineUnavailable(nobody(target)) from None
                return None
        say.still()
        time.sleep(pause)
        pause = min(0.1, pause * 2)


class _Saying:
    """Says that a start takes time, once it does."""

    def __init__(self, progress: Progress | None, demo: bool) -> None:
        self._progress = progress
        self._what = "the demo's engine" if demo else "the engine"
        self._began = time.monotonic()
        self._next = self._began + _SAY_AFTER

    def still(self) -> None:
        now = time.monotonic()
        if self._progress is not None and now >= self._next:
            first = now - self._began < _SAY_EVERY
            self._progress(f"starting {self._what} ..." if first else f"{self._what} is still starting")
            self._next = now + _SAY_EVERY


class _Start:
    """One process that becomes the engine, or says why not."""

    def __init__(self, target: Target, host: Host) -> None:
        self._target = target
        self._host = host
        self._said: list[str] = []

    def run(self, deadline: float, say: _Saying) -> int:
        """Start it and listen until it runs or has failed; Exit.OK or Exit.ALREADY_RUNNING.

        Raises EngineUnavailable with its reason.
        """
        scopes = [True, False] if self._host.scope else [False]
        for scope in scopes:
            process = _spawn(command(self._target), scope)
            _started.append(process)
            assert process.stdout is not None
            with process.stdout:
                last = self._listen(process.stdout, deadline, say)
            if last is not None:
                return self._judge(last)
            if time.monotonic() >= deadline:
                raise EngineUnavailable("the engine's process says nothing; end it and look at its log")
            # systemd-run could not make the scope: the engine itself never spoke.
        text = self._said[-1] if self._said else "it said nothing"
        raise EngineUnavailable(f"the engine's process ended at once: {text}", Exit.FAILED)

    def _judge(self, last: dict[str, Any]) -> int:
        code = int(last.get("code") or 0)
        if last["state"] == "running":
            return Exit.OK
        if code == Exit.ALREADY_RUNNING:
            return code
        raise EngineUnavailable(str(last.get("message") or "the engine ended while it started"), code or Exit.FAILED)

    def _listen(self, pipe: IO[bytes], deadline: float, say: _Saying) -> dict[str, Any] | None:
        """The last message: of running, failed or the end; None when there was none."""
        import select

        last: dict[str, Any] | None = None
        buffer = b""
        while time.monotonic() < deadline:
            if not select.select([pipe], [], [], 0.1)[0]:
                say.still()
                continue
            data = os.read(pipe.fileno(), 65536)
            *lines, buffer = (buffer + data).split(b"\n")
            for line in lines:
                last = self._message(line) or last
            if not data or (last and last["state"] in ("running", "failed", "stopped")):
                return last
        return last

    def _message(self, line: bytes) -> dict[str, Any] | None:
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if isinstance(found, dict) and "state" in found:
            return found
        if line.strip():
            self._said.append(line.decode("utf-8", "replace").strip()[:300])
        return None


def command(target: Target) -> list[str]:
    """The engine's command line. `-P` and the current folder `/` keep a stranger's `engine.py` from being it."""
    assert target.home is not None
    if not sys.executable:
        raise EngineUnavailable("this Python does not know its own path, so it can't start an engine")
    words = [sys.executable, "-P", "-m", "engine.process.main", "run", "--home", str(target.home.path), "--background"]
    words += ["--demo"] if target.demo else []
    words += ["--servers", str(target.servers)] if target.servers is not None else []
    words += ["--past", str(target.past)] if target.past is not None else []
    return words


def _spawn(words: list[str], scope: bool) -> subprocess.Popen[bytes]:
    import subprocess

    if scope:
        unit = ["systemd-run", "--user", "--scope", "--quiet", "--collect", "--description=Quarterdeck engine", "--"]
        words = [*unit, *words]
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
        )
    except OSError as error:
        raise EngineUnavailable(f"{words[0]} can't be run: {error.strerror}") from error


def locked(home: Home) -> bool:
    """Whether an engine, or what is left of one, holds the home's lock."""
    import fcntl

    try:
        descriptor = os.open(home.lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False
