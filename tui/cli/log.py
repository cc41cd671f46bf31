"""`qdeck log`: a server's console log, and what is written to it from now on."""

from __future__ import annotations

import sys
import time
from typing import Any

from tui.api.client import SyncClient
from tui.cli.choosing import the_resource
from tui.cli.engine_link import connected
from tui.cli.exits import note
from tui.cli.inventory import find_type, quoted
from tui.cli.options import GlobalOptions
from tui.cli.output import printable
from tui.logtext import new_lines

EVERY = 2.0  # seconds between two looks while following
LEAST_FOLLOWED = 200  # lines asked for then, so that a burst between two looks is not lost


def log(
    options: GlobalOptions, ref: str, length: int, follow: bool, cloud: str | None, region: str | None, every: float
) -> None:
    """Print the last `length` lines; with `follow` also those that come, until interrupted."""
    with connected(options) as client:
        key = the_resource(client, find_type("server"), ref, cloud, region)
        asked = max(length, LEAST_FOLLOWED) if follow else length
        answer = _read(client, key, asked)
        lines = _lines(answer)
        if answer["truncated"] and not follow and len(lines) >= length:
            note(f"the last {len(lines)} lines; -n shows more")
        elif not lines:
            note(f"{answer['name'] or key[2]} has written nothing to its console")
        _write(lines[-length:])
        while follow:
            time.sleep(every)
            now = _lines(_read(client, key, asked))
            new = new_lines(lines, now)
            if new == len(now) and lines and now:
                note("the log began anew, or more was written than could be read")
            _write(now[len(now) - new :])
            lines = now


def _read(client: SyncClient, key: list[str], length: int) -> dict[str, Any]:
    query = {"cloud": key[0], "region": key[1], "length": length}
    answer: dict[str, Any] = client.get(f"/q/servers/{quoted(key[2])}/console-log", params=query)
    return answer


def _lines(answer: dict[str, Any]) -> list[str]:
    return str(answer["text"]).split("\n") if answer["lines"] else []


def _write(lines: list[str]) -> None:
    sys.stdout.writelines(f"{printable(line)}\n" for line in lines)
    sys.stdout.flush()
