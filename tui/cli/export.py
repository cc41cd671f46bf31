"""Lists as files: what `qdeck ls` has the engine make."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from tui.api.client import SyncClient
from tui.cli.exits import FAILED, USAGE, leave, note
from tui.cli.output import ListFormat
from tui.files import NewFile, SaveError, size_text

EXPORTED = (ListFormat.csv, ListFormat.xlsx, ListFormat.parquet)  # made by the engine; JSON when it goes to a file
_BINARY = (ListFormat.xlsx, ListFormat.parquet)


class Stdout:
    """The process's own output as a sink."""

    def write(self, data: bytes) -> None:
        """See tui.api.download.Sink; a reader that has gone ends the program quietly."""
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(0) from None


def check_target(output: ListFormat, file: Path | None) -> None:
    """End the command when this format can't go there."""
    if file is not None and output not in (*EXPORTED, ListFormat.json):
        leave(USAGE, f"--file takes -o csv, xlsx, parquet or json, not {output.value}")
    if file is None and output in _BINARY and sys.stdout.isatty():
        leave(USAGE, f"{output.value} is not for a terminal: name a file with --file, or redirect the output")


def export(client: SyncClient, body: dict[str, Any], format: str, file: Path | None) -> None:
    """Write the list to a new file, or to stdout."""
    body = {name: value for name, value in body.items() if name not in ("anchor", "before", "after")}
    body["format"] = format
    if file is None:
        sys.stdout.flush()
        client.download("/q/exports", body, Stdout())
        return
    try:
        with NewFile(file) as new:
            headers = client.download("/q/exports", body, new)
    except SaveError as error:
        leave(FAILED, str(error))
    note(f"{headers.get('x-qdeck-rows', 'all')} rows, {size_text(new.size)}, in {new.path}")
