"""The process: arguments, sockets, the ready line, and the end when the parent is gone."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
import time
from datetime import datetime
from pathlib import Path

from engine.demo.cloud import Cloud
from engine.demo.control import Control, control_listener
from engine.demo.faults import SERVICES
from engine.demo.serving import HttpServer, Request, Response


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line's options; ends the process with status 2 on one that is wrong."""
    parser = argparse.ArgumentParser(prog="engine.demo", description="A cloud to look at, on this machine only.")
    parser.add_argument("--servers", type=int, default=50, help="how many machines, 1 to 50,000")
    parser.add_argument("--seed", default="1", help="the same seed gives the same cloud")
    parser.add_argument("--port", default="0", help="identity's port, or the six services' with commas; 0: any")
    parser.add_argument("--speak-as", default="", help="ports that its addresses name, where those are another cloud's")
    parser.add_argument("--control", type=Path, required=True, help="Unix socket for the switches")
    parser.add_argument("--password-file", required=True, help="file with the password; - reads one line of stdin")
    parser.add_argument("--epoch", help="when the cloud stood as made (RFC 3339); default: the clock's start")
    parser.add_argument("--until", help="when its nightly snapshots end (RFC 3339); default: the epoch")
    parser.add_argument("--start-days-ago", type=float, default=0.0, help="let the cloud's clock start in the past")
    parser.add_argument("--pace", type=float, default=1.0, help="how long changes take, as a part of the usual")
    parser.add_argument("--still", action="store_true", help="nothing changes by itself")
    parser.add_argument("--keep", action="store_true", help="stay when stdin is closed")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Exit status: 0 stopped, 2 cannot start (the reason is on stderr)."""
    given = arguments(argv)
    try:
        given.ports = _ports(given.port)
        given.named = _ports(given.speak_as or "0")
        password = _password(given.password_file)
        return asyncio.run(_serve(given, password))
    except (OSError, ValueError) as reason:
        print(f"The demo cloud cannot start: {reason}", file=sys.stderr)
        return 2


def _ports(text: str) -> list[int]:
    """One port per service, 0 where any will do. Raises ValueError."""
    parts = text.split(",")
    if len(parts) > len(SERVICES) or not all(part.isdigit() and int(part) < 65536 for part in parts):
        raise ValueError(f"--port takes up to {len(SERVICES)} port numbers with commas between them, not {text!r}")
    return [*map(int, parts), *[0] * (len(SERVICES) - len(parts))]


def _password(source: str) -> str:
    """One line of a file or of stdin. Raises ValueError when it is empty or the file is open to others."""
    if source == "-":
        # Byte by byte: what follows the line must stay unread, stdin's end is the sign to stop.
        line = bytearray()
        while (byte := os.read(0, 1)) not in (b"", b"\n"):
            line += byte
        password = line.decode()
    else:
        path = Path(source)
        if path.stat().st_mode & 0o077:
            raise ValueError(f"{source} can be read by others: it must be 0600")
        password = path.read_text(encoding="utf-8").strip()
    if len(password) < 12:
        raise ValueError("the password must have at least 12 characters")
    return password


async def _serve(given: argparse.Namespace, password: str) -> int:
    listener = control_listener(given.control)
    servers: list[HttpServer] = []
    try:
        cloud = await _open(given, password, servers)
        # What was built lives as long as the process: the collector need not look at it again.
        gc.freeze()
        control = HttpServer(Control(cloud).handle)
        servers.append(control)
        await control.start_socket(listener)
        stop = _stop_event()
        ready = {"auth_url": f"{cloud.identity.url}/v3", "port": given.ports[0], "ports": given.ports}
        print(json.dumps({**ready, "pid": os.getpid()}), flush=True)
        await _until_stopped(stop, keep=given.keep)
    finally:
        for server in servers:
            await server.close()
        listener.close()
        with contextlib.suppress(OSError):
            given.control.unlink()
    return 0


async def _open(given: argparse.Namespace, password: str, servers: list[HttpServer]) -> Cloud:
    """Binds a port for each service (`given.ports`, from then on those it got) and builds the cloud.

    Adds to `servers` what has to be closed.
    """
    # The ports are known only once they are bound, and the catalogue needs them: requests wait for the cloud.
    ready: asyncio.Future[Cloud] = asyncio.get_running_loop().create_future()
    roots: dict[str, str] = {}
    for place, (name, wish, named) in enumerate(zip(SERVICES, given.ports, given.named, strict=True)):

        async def handle(request: Request, name: str = name) -> Response:
            return await (await asyncio.shield(ready)).handle(name, request)

        server = HttpServer(handle)
        servers.append(server)
        try:
            port = await server.start_tcp("127.0.0.1", wish)
        except OSError:
            # Somebody else has it by now: the catalogue will name another one.
            port = await server.start_tcp("127.0.0.1", 0)
        given.ports[place] = port
        roots[name] = f"http://127.0.0.1:{named or port}"
    start = time.time() - given.start_days_ago * 86400
    epoch = int(datetime.fromisoformat(given.epoch).timestamp()) if given.epoch else None
    until = datetime.fromisoformat(given.until).timestamp() if given.until else None
    cloud = Cloud(
        roots=roots, password=password, servers=given.servers, seed=given.seed,
        epoch=epoch, start=start, until=until, still=given.still, pace=given.pace,
    )  # fmt: skip
    ready.set_result(cloud)
    return cloud


def _stop_event() -> asyncio.Event:
    """Set by SIGTERM and SIGINT, from now on."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _until_stopped(stop: asyncio.Event, *, keep: bool) -> None:
    """Returns when the event is set, and when stdin ends: its other end was the parent."""
    if keep:
        await stop.wait()
        return
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    async def watch() -> None:
        while await reader.read(4096):
            pass
        stop.set()

    watcher = asyncio.create_task(watch())
    await stop.wait()
    watcher.cancel()
