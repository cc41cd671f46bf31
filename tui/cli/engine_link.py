"""The command line's way to the engine: one client per command, errors turned into a sentence and an exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tui.api.client import ApiError, EngineUnavailable, ProtocolMismatch, SyncClient
from tui.cli.exits import FAILED, NO_ENGINE, leave, note, of_status
from tui.cli.options import GlobalOptions


@contextmanager
def connected(options: GlobalOptions) -> Iterator[SyncClient]:
    """A client of the engine that the options mean, started when none answers; ends the process on what goes wrong."""
    try:
        with SyncClient.connect(options, progress=note) as client:
            yield client
    except EngineUnavailable as error:
        leave(NO_ENGINE, str(error))
    except ProtocolMismatch as error:
        leave(FAILED, str(error))
    except ApiError as error:
        leave(of_status(error.status), detail(error.detail))


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
