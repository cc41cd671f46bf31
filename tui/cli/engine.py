"""`qdeck engine run|start|stop|restart|status|logs|backup`."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tui.cli.exits import FAILED, NO_ENGINE, OK, USAGE, leave, note
from tui.cli.output import Format, write_pairs

if TYPE_CHECKING:
    from tui.api.target import Target

app = typer.Typer(
    help="The engine: the background process that holds the databases and reads the clouds.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

STOP_SECONDS = 40.0
Output = Annotated[Format, typer.Option("-o", "--output", help="How results are written to stdout.")]


class Level(StrEnum):
    """Least serious entries that `logs` shows."""

    debug = "debug"
    info = "info"
    warning = "warning"
    error = "error"


@app.command()
def run(
    context: typer.Context,
    socket: Annotated[Path | None, typer.Option("--socket", help="Listen here instead of in the home.")] = None,
) -> None:
    """Run an engine in the foreground, for systemd."""
    from tui.api.discovery import command

    target = _own(_target(context))
    words = [word for word in command(target) if word != "--background"]
    words += ["--socket", os.path.abspath(socket)] if socket else []  # noqa: PTH100
    os.execv(words[0], words)


@app.command()
def start(context: typer.Context, output: Output = Format.table) -> None:
    """Start the engine in the background, unless it runs."""
    from tui.api.client import SyncClient
    from tui.api.discovery import connect
    from tui.api.survival import this_host

    target = _own(_target(context))
    with _errors(), SyncClient(target, connect(target, note)) as client:
        _show(client.get("/q/engine"), output)
    if warning := this_host().warning:
        note(warning)


@app.command()
def stop(context: typer.Context) -> None:
    """Stop the engine; what is being written is finished first."""
    from tui.api.client import EngineUnavailable, SyncClient
    from tui.api.discovery import connect

    target = _target(context)
    try:
        connection = connect(target, start=False)
    except EngineUnavailable as error:
        leave(OK if target.home is not None else NO_ENGINE, str(error))
    with _errors(), SyncClient(target, connection) as client:
        try:
            client.request("POST", "/q/engine/stop", seconds=10)
        except EngineUnavailable:
            if not _signal_parent(target):
                raise
            note("the engine did not answer; its process was told to end")
    _wait_for_end(target)


@app.command()
def restart(context: typer.Context, output: Output = Format.table) -> None:
    """Replace the engine by a fresh one, of the release that is installed now; clients see a pause."""
    from tui.api.client import SyncClient
    from tui.api.discovery import connect

    target = _target(context)
    with _errors(), SyncClient(target, connect(target, note, start=False)) as client:
        before = client.get("/q/engine")
        client.post("/q/engine/restart")
        deadline = time.monotonic() + STOP_SECONDS
        while (now := client.get("/q/engine"))["worker_pid"] == before["worker_pid"]:
            if time.monotonic() > deadline:
                leave(FAILED, f"the engine still answers with its old worker after {STOP_SECONDS:.0f} s")
            time.sleep(0.05)
        _show(now, output)


@app.command()
def status(context: typer.Context, output: Output = Format.table) -> None:
    """Show the engine; exit code 0 when it runs, 3 when it does not."""
    from tui.api.client import EngineUnavailable, SyncClient
    from tui.api.discovery import connect

    target = _target(context)
    try:
        connection = connect(target, start=False)
    except EngineUnavailable as error:
        _show(_absent(target), output)
        leave(NO_ENGINE, str(error))
    with _errors(), SyncClient(target, connection) as client:
        _show(client.get("/q/engine"), output)


@app.command()
def logs(
    context: typer.Context,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with new entries.")] = False,
    level: Annotated[Level, typer.Option("--level", help="Least serious entries shown.", case_sensitive=False)] = (
        Level.info
    ),
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, max=1000, help="Entries to begin with.")] = 50,
    output: Annotated[Format, typer.Option("-o", "--output", help="table (text) or json (a line each).")] = (
        Format.table
    ),
) -> None:
    """Show the engine's log."""
    from tui.cli.engine_logs import show

    if output not in (Format.table, Format.json):
        leave(USAGE, "logs are written as table or json")
    with _errors():
        show(_target(context), level.value.upper(), lines, follow, as_json=output is Format.json)


@app.command()
def backup(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(help="Folder of the engine's host that gets a new folder with copies.")],
    output: Output = Format.table,
) -> None:
    """Copy both databases consistently, while the engine runs."""
    from tui.api.client import SyncClient
    from tui.api.discovery import connect

    target = _target(context)
    place = os.path.abspath(directory.expanduser())  # noqa: PTH100
    with _errors(), SyncClient(target, connect(target, note)) as client:
        made = client.request("POST", "/q/engine/backup", json={"directory": place}, seconds=3600)
    write_pairs(made, output)


def _target(context: typer.Context) -> Target:
    from tui.api.errors import EngineUnavailable
    from tui.api.target import find

    try:
        return find(context.obj)
    except EngineUnavailable as error:
        leave(USAGE, str(error))


def _own(target: Target) -> Target:
    """A target whose engine this user may start; for a shared one that is not the default here, its own home."""
    if target.home is None and not target.shared:
        leave(USAGE, "--engine names an engine that runs already; leave it out to start one of your own")
    if target.home is None:
        leave(USAGE, "this host has a shared engine (`systemctl start qdeck-engine`); --home names one of your own")
    return target


class _errors:
    """Ends the process with the sentence and exit code of what goes wrong with the engine."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        from tui.api.client import ApiError, EngineUnavailable, ProtocolMismatch
        from tui.cli.engine_link import detail
        from tui.cli.exits import of_status

        if isinstance(error, EngineUnavailable):
            # A start that failed for a known reason has its own exit code.
            leave(error.code or NO_ENGINE, str(error))
        if isinstance(error, ProtocolMismatch):
            leave(FAILED, str(error))
        if isinstance(error, ApiError):
            leave(of_status(error.status), detail(error.detail))


def _show(found: dict[str, Any], output: Format) -> None:
    if output is Format.table:
        found = dict(found)
        found["clouds"] = [f"{cloud.get('name')} ({cloud.get('state', '-')})" for cloud in found.get("clouds") or ()]
        found["jobs"] = _jobs(found.get("jobs") or ())
        found["reserve"] = _reserve(found.get("reserve") or {})
        if failure := found.get("last_failure"):
            found["last_failure"] = f"{failure.get('at')} {failure.get('message')}"
        found = {name: value for name, value in found.items() if value not in ([], None, "")}
    write_pairs(found, output)


def _jobs(jobs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The open jobs, each with what is wrong with it."""
    return [
        f"{job['number']} {job['title']} ({job['done']} of {job['total']}"
        + (f", {job['failed']} failed" if job["failed"] else "")
        + (f"; {job['problem']})" if job["problem"] else ")")
        for job in jobs
    ]


def _reserve(found: Mapping[str, Any]) -> str:
    """The space kept back for records, or why there is none; "" when none is wanted."""
    return found.get("problem") or (f"{found['megabytes']} MB" if found.get("state") == "held" else "")


def _absent(target: Target) -> dict[str, Any]:
    """The status of an engine that does not run: what it said last."""
    from engine.process.models import PROTOCOL, VERSION
    from tui.api.discovery import last_words

    words = last_words(target.home) if target.home is not None else {}
    return {
        "state": "failed" if words.get("state") == "failed" else "stopped",
        "pid": None,
        "worker_pid": None,
        "version": VERSION,
        "protocol": PROTOCOL,
        "home": None if target.home is None else str(target.home.path),
        "socket": target.address,
        "started_at": None,
        "demo": target.demo,
        "last_failure": words.get("last_failure"),
        "clouds": [],
        "jobs": [],
    }


def _signal_parent(target: Target) -> bool:
    """Tell the parent of an engine that hangs to end it; False when that is not ours to do."""
    from tui.api.discovery import last_words, locked

    if target.home is None or not locked(target.home):
        return False
    pid = last_words(target.home).get("pid")
    if not isinstance(pid, int):
        return False
    try:
        os.kill(pid, signal.SIGTERM)
    except OSError:
        return False
    return True


def _wait_for_end(target: Target) -> None:
    from tui.api.discovery import locked
    from tui.api.errors import ConnectionLost
    from tui.api.transport import Connection

    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        try:
            Connection(target).close()
        except ConnectionLost:
            if target.home is None or not locked(target.home):
                return
        time.sleep(0.05)
    sys.stdout.flush()
    leave(FAILED, f"the engine still runs after {STOP_SECONDS:.0f} s; `qdeck engine logs` shows what it does")
