"""The parent: holds lock and socket, keeps the heavy modules warm, and replaces its worker when that dies.

It has one thread, always: a fork copies only the thread that forks, and a lock held by another would stay locked for
ever in the child. So everything here is one loop over a signal pipe and the worker's report pipe.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from engine.process.backoff import Backoff
from engine.process.failures import StartFailure
from engine.process.models import Exit, Home
from engine.process.notify import notify
from engine.process.status import Status
from engine.process.streams import let_go

_log = structlog.get_logger("qdeck.parent")

STOP_SECONDS = 20.0  # that a worker has to end in good order
_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


@dataclass(slots=True)
class Worker:
    """One forked worker. Times are of the monotonic clock."""

    pid: int
    report: int
    started: float
    ready: float | None = None
    failure: StartFailure | None = None
    buffer: bytes = b""


@dataclass(slots=True)
class Holdings:
    """What the parent holds and hands on: to its workers by forking, to its successor by descriptor numbers."""

    home: Home
    lock: int
    listener: socket.socket
    demo: bool = False
    servers: int | None = None
    application: str = "engine.app"
    echo: bool = False
    past: int | None = None


@dataclass(slots=True)
class Parent:
    """Runs workers until told to stop.

    announce  called with the status at every change of state (the client that started the engine listens)
    """

    holdings: Holdings
    status: Status
    announce: Callable[[Status], None]
    worker: Worker | None = None
    backoff: Backoff = field(default_factory=Backoff)
    _asked: str = ""  # "stop" or "restart" once somebody wants it
    _kill_at: float | None = None
    _next_at: float | None = 0.0
    _served_once: bool = False
    _life: tuple[int, int] = (-1, -1)
    _wake: tuple[int, int] = (-1, -1)

    def run(self) -> tuple[str, int]:
        """Supervise until the end; ("stop" or "restart", exit code)."""
        self._life = os.pipe()
        self._wake = os.pipe()
        for end in self._wake:
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)
        # Objects that live now are shared with every worker: keep the collector from touching (and so copying) them.
        gc.collect()
        gc.freeze()
        code = Exit.OK
        try:
            code = self._loop()
        finally:
            signal.set_wakeup_fd(-1)
            for end in (*self._life, *self._wake):
                os.close(end)
        return self._asked or "stop", code

    def _loop(self) -> Exit:
        while True:
            now = time.monotonic()
            if self.worker is None:
                if self._asked:
                    return Exit.OK
                if self._next_at is None:
                    return self._give_up()
                if now >= self._next_at:
                    self._fork()
                    continue
            elif self._kill_at is not None and now >= self._kill_at:
                _log.warning("the worker did not end in time and is killed", worker_pid=self.worker.pid)
                os.kill(self.worker.pid, signal.SIGKILL)
                self._kill_at = None
            self._wait(now)
            self._reap()

    def _wait(self, now: float) -> None:
        times = [t for t in (self._kill_at, self._next_at if self.worker is None else None) if t is not None]
        readers = [self._wake[0], *([self.worker.report] if self.worker else [])]
        readable, _, _ = select.select(readers, [], [], max(0.0, min(times) - now) if times else None)
        if self._wake[0] in readable:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake[0], 4096)
        if self.worker and self.worker.report in readable:
            self._hear(self.worker)

    def _on_signal(self, number: int, frame: Any) -> None:
        if number in (signal.SIGTERM, signal.SIGINT):
            self._ask("stop")
        elif number == signal.SIGUSR1:
            self._ask("restart")
        # SIGHUP: the terminal or session that started the engine is gone. The engine outlives it.

    def _ask(self, what: str) -> None:
        if self._asked == "stop" or self._asked == what:
            return
        self._asked = what
        self._set("stopping" if what == "stop" else "restarting")
        if self.worker is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.worker.pid, signal.SIGTERM)
            self._kill_at = time.monotonic() + STOP_SECONDS

    def _fork(self) -> None:
        from engine.process.worker import Assignment

        held = self.holdings
        reader, writer = os.pipe()
        assignment = Assignment(
            held.home, held.demo, held.servers, held.application, held.listener, self._life[0], writer, self.status,
            held.echo, held.past,
        )  # fmt: skip
        for stream in (sys.stdout, sys.stderr):
            # So that the child does not write it too; a terminal that went away takes nothing any more.
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        pid = os.fork()
        if pid == 0:
            _become_worker(assignment, [self._life[1], *self._wake, reader], blocked)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        os.close(writer)
        os.set_blocking(reader, False)
        self.worker = Worker(pid, reader, time.monotonic())
        self._next_at = None
        self.status.worker_pid = pid
        self._set("restarting" if self._served_once else "starting")

    def _hear(self, worker: Worker) -> None:
        with contextlib.suppress(BlockingIOError):
            while data := os.read(worker.report, 65536):
                worker.buffer += data
        *lines, worker.buffer = worker.buffer.split(b"\n")
        for line in lines:
            message = json.loads(line)
            match message["event"]:
                case "ready":
                    worker.ready = time.monotonic()
                    self._served_once = True
                    if not self._asked:
                        self._set("running")
                case "failed":
                    worker.failure = StartFailure(message["message"], Exit(message["code"]))
                case "stop" | "restart" as what:
                    self._ask(what)

    def _reap(self) -> None:
        worker = self.worker
        if worker is None:
            return
        pid, status = os.waitpid(worker.pid, os.WNOHANG)
        if not pid:
            return
        self._hear(worker)
        os.close(worker.report)
        self.worker, self._kill_at, self.status.worker_pid = None, None, None
        if self._asked:
            return
        died = time.monotonic()
        self._next_at = self._after_death(worker, status, died)

    def _after_death(self, worker: Worker, status: int, now: float) -> float | None:
        """When the next worker starts; None when no further one would do better."""
        failure = worker.failure or StartFailure(_how_it_ended(status))
        self.status.failed(str(failure), failure.code)
        served = None if worker.ready is None else now - worker.ready
        pause = None if failure.permanent else self.backoff.pause(served)
        _log.error(
            "the worker ended", reason=str(failure), worker_pid=worker.pid, served_seconds=served, next_in_seconds=pause
        )
        if pause is None:
            return None
        self.status.restarts += 1
        self._set("restarting" if self._served_once else "starting")
        return now + pause

    def _give_up(self) -> Exit:
        failure = self.status.last_failure or {"message": "the engine failed", "code": Exit.FAILED}
        self._set("failed")
        return Exit(failure["code"]) if failure["code"] else Exit.FAILED

    def _set(self, state: str) -> None:
        changed = self.status.state != state
        self.status.state = state
        self.status.write(self.holdings.home)
        if changed:
            _log.info("the engine is " + state, worker_pid=self.status.worker_pid, restarts=self.status.restarts)
        self.announce(self.status)
        if state == "running":
            notify(READY="1", STATUS=f"running, worker {self.status.worker_pid}")
        elif state in ("stopping", "failed"):
            message = (self.status.last_failure or {}).get("message", "") if state == "failed" else state
            notify(STOPPING="1", STATUS=message)


def _become_worker(assignment: Any, foreign: list[int], mask: Any) -> None:
    """In the child: shed what is the parent's and run the worker. Does not return."""
    code: int = Exit.FAILED
    try:
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            # The terminal's signals reach the whole group; only the parent decides what they mean.
            ignored = number in (signal.SIGINT, signal.SIGHUP)
            signal.signal(number, signal.SIG_IGN if ignored else signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for descriptor in foreign:
            os.close(descriptor)
        os.environ.pop("NOTIFY_SOCKET", None)
        from engine.process import logs, worker

        if not assignment.echo:
            let_go(assignment.home.logs)
        logs.configure(assignment.home.logs, logs.WORKER_LOG, echo=assignment.echo)
        code = worker.run(assignment)
        logs.close()
    except BaseException as error:
        import traceback

        traceback.print_exception(error)
    finally:
        # Not sys.exit: what the parent registered for its own end must not run twice.
        os._exit(code)


def _how_it_ended(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
        hint = " (the kernel does that when memory runs out)" if number == signal.SIGKILL else ""
        return f"the worker was ended by {name}{hint}"
    return f"the worker ended with code {os.WEXITSTATUS(status)}"


def threads() -> int:
    """Threads of this process, those of libraries included."""
    try:
        return len(list(Path("/proc/self/task").iterdir()))
    except OSError:
        return 1
