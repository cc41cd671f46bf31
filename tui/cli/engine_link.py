"""The command line's way to the engine: one client per command, errors turned into a sentence and an exit code."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tui.api.client import ApiError, EngineUnavailable, ProtocolMismatch, SyncClient
from tui.cli.exits import FAILED, NO_ENGINE, leave, note, of_status
from tui.cli.options import GlobalOptions

DEMO_SECONDS = 60.0  # that a command waits for the first data of a demo


@contextmanager
def connected(options: GlobalOptions) -> Iterator[SyncClient]:
    """A client of the engine that the options mean, started when none answers; ends the process on what goes wrong."""
    try:
        with SyncClient.connect(options, progress=note) as client:
            if options.demo:
                await_demo(client, options.servers)
            yield client
    except EngineUnavailable as error:
        leave(NO_ENGINE, str(error))
    except ProtocolMismatch as error:
        leave(FAILED, str(error))
    except ApiError as error:
        leave(of_status(error.status), detail(error.detail))


def await_demo(client: SyncClient, servers: int | None = None) -> None:
    """Wait (at most DEMO_SECONDS) until a demo that has just been started has its first data; say how it is.

    `servers`: the size asked for on this command line. Raises what the client raises.
    """
    deadline, told = time.monotonic() + DEMO_SECONDS, False
    while (demo := client.get("/q/engine").get("demo") or {}).get("state") == "starting":
        if time.monotonic() > deadline:
            note(f"the demo cloud has no data after {DEMO_SECONDS:.0f} s; `qdeck --demo engine logs` may say why")
            return
        if not told:
            note(f"starting the demo cloud of {demo['servers']} servers ...")
            told = True
        time.sleep(0.1)
    if demo.get("state") == "failed":
        note(str(demo["problem"]))
    elif demo.get("state") == "past":
        note(f"the demo is collecting the {told_days(demo)} behind it, the newest first")
    if servers is not None and demo and demo["servers"] != servers:
        note(
            f"the demo runs with {demo['servers']} servers; `qdeck --demo engine stop` ends it, --servers {servers} "
            "makes a new one then"
        )


def told_days(demo: dict[str, Any]) -> str:
    """How long a demo's past is to be: "30 days"."""
    past = demo.get("past") or {}
    days = past.get("days") or 30
    return f"{days} day{'s' if days != 1 else ''}"


def detail(value: object) -> str:
    """The sentence in an API error's `detail`: a text, or the validator's list of faults."""
    if isinstance(value, list):
        return "; ".join(_fault(item) for item in value)
    return str(value)


def _fault(item: object) -> str:
    if not isinstance(item, dict):
        return str(item)
    where = ".".join(str(part) for part in item.get("loc", ()) if part not in ("body", "query", "path"))
    return f"{where}: {item.get('msg', item)}" if where else str(item.get("msg", item))
