"""The worker: opens the stores, serves the API on the socket its parent holds, and ends when told or orphaned."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
import uvicorn

from engine.process import logs
from engine.process.control import Control
from engine.process.failures import StartFailure, of_error
from engine.process.models import Exit, Home
from engine.process.protocol import socket_protocol
from engine.process.status import Status

_log = structlog.get_logger("qdeck.process")

ANSWER_SECONDS = 5  # that running requests have when the engine stops
_ORPHAN_SECONDS = 30.0  # that an orphaned worker has to end in good order


class Parts(Protocol):
    """What `open_engine` of the application module returns."""

    settings: Any  # .current (Settings), .on_change(callback)
    feed: Any  # .close() answers the waiting clients
    ops: Any
    estate: Any
    audit: Any

    def status(self) -> dict[str, Any]:
        """What the services do."""

    def close(self) -> None:
        """End the services and close the stores."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the parent gives a worker.

    application  module with `open_engine(home, *, demo, servers, past) -> Parts` and `create_app(parts, control)`
    listener     the listening socket; life: read end of a pipe that closes when the parent is gone
    report       write end of a pipe for one JSON message a line: {"event": "ready" | "failed" | "stop" | "restart"}
    """

    home: Home
    demo: bool
    servers: int | None
    application: str
    listener: socket.socket
    life: int
    report: int
    status: Status
    echo: bool
    past: int | None = None


def run(assignment: Assignment) -> int:
    """Serve until told to stop; returns the process's exit code. Failures to start are told to the parent."""
    tell = _teller(assignment.report)
    parts: Parts | None = None
    gc.disable()  # a start makes many objects and little garbage; a quarter of its time went into looking for it
    try:
        parts = _open(assignment)
        _configure_logs(assignment, parts.settings)
        control = Control(assignment.status, lambda event: tell(event=event))
        control.attach(parts.ops, parts.estate, parts.status, getattr(parts.audit, "record", None))
        app = _module(assignment).create_app(parts, control)
        gc.freeze()  # what a start made stays: looking through it again holds up whoever waits for an answer
        gc.enable()
        asyncio.run(_serve(assignment, app, parts, lambda: tell(event="ready")))
    except Exception as error:
        failure = of_error(error)
        if failure.code is Exit.FAILED:
            _log.exception("the worker failed")
        else:
            _log.error("the worker failed", reason=str(failure), code=int(failure.code))
        tell(event="failed", message=str(failure), code=int(failure.code))
        return failure.code
    finally:
        if parts is not None:
            parts.close()
    return Exit.OK


def _module(assignment: Assignment) -> Any:
    return importlib.import_module(assignment.application)


def _open(assignment: Assignment) -> Parts:
    given = {"servers": assignment.servers, "past": assignment.past}
    asked = {name: value for name, value in given.items() if value is not None}
    return _module(assignment).open_engine(assignment.home, demo=assignment.demo, **asked)


def _configure_logs(assignment: Assignment, settings: Any) -> None:
    wanted = settings.current.logging
    logs.configure(
        assignment.home.logs,
        logs.WORKER_LOG,
        level=wanted.level,
        most_megabytes=wanted.max_megabytes,
        keep=wanted.keep_files,
        echo=assignment.echo,
    )
    settings.on_change(lambda changed: logs.set_level(changed.logging.level))


def _teller(descriptor: int) -> Callable[..., None]:
    lock = threading.Lock()

    def tell(**message: Any) -> None:
        # A parent that is gone hears nothing; the life pipe ends this process then.
        with lock, contextlib.suppress(OSError):
            os.write(descriptor, json.dumps(message).encode() + b"\n")

    return tell


class _Server(uvicorn.Server):
    """A server that says when it listens; signals are the worker's own business."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None] | None = None, lifespan: _Lifespan | None = None
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._lifespan = lifespan

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:
            error = self._lifespan.error if self._lifespan else None
            raise (error if isinstance(error, Exception) else StartFailure("the API did not start")) from None
        if self._ready is not None and self.started and not self.should_exit:
            self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Lifespan:
    """Remembers why the application's own start failed; uvicorn only says that it did."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.error: BaseException | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        except BaseException as error:
            self.error = error
            raise


async def _serve(assignment: Assignment, app: Any, parts: Parts, ready: Callable[[], None]) -> None:
    settings = parts.settings.current
    wrapped = _Lifespan(app)
    common: dict[str, Any] = {
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "ws": "none",
        "proxy_headers": False,
        "timeout_graceful_shutdown": ANSWER_SECONDS,
    }
    config = uvicorn.Config(
        wrapped,
        http=socket_protocol(shared=settings.shared),
        lifespan="on",
        timeout_keep_alive=75,
        backlog=1024,
        **common,
    )
    servers = [_Server(config, ready, wrapped)]
    sockets: list[list[socket.socket]] = [[assignment.listener]]
    if (tcp := _tcp(settings)) is not None:
        options, listener = tcp
        servers.append(_Server(uvicorn.Config(app, lifespan="off", http="h11", **{**common, **options})))
        sockets.append([listener])
    loop = asyncio.get_running_loop()

    def stop() -> None:
        parts.feed.close()
        for server in servers:
            server.should_exit = True

    loop.add_signal_handler(signal.SIGTERM, stop)
    _watch_parent(assignment.life, loop, stop)
    await asyncio.gather(*(server.serve(listeners) for server, listeners in zip(servers, sockets, strict=True)))


def _tcp(settings: Any) -> tuple[dict[str, Any], socket.socket] | None:
    """Options and listening socket of the TCP listener; None when none is configured."""
    from engine.access.tcp import tcp_options

    options = tcp_options(settings)
    if options is None:
        return None
    host, port = options.pop("host"), options.pop("port")
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        failure = of_error(error)
        raise StartFailure(
            f"engine.tcp.listen {host}:{port} can't be used: {failure if failure.permanent else error.strerror}",
            Exit.ADDRESS_TAKEN,
        ) from error
    listener.setblocking(False)
    return options, listener


def _watch_parent(life: int, loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Stop when the parent is gone: in good order, and in any case after half a minute."""

    def watch() -> None:
        while os.read(life, 1):
            pass
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(stop)
        threading.Event().wait(_ORPHAN_SECONDS)
        os._exit(Exit.FAILED)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
