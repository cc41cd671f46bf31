"""`qdeck collect`: start collections, and with --wait follow them to their end."""

from __future__ import annotations

import sys
import time
from typing import Any

from tui.api.client import SyncClient
from tui.cli.engine_link import connected
from tui.cli.exits import FAILED, PARTIAL, leave, note
from tui.cli.inventory import find_type
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, printable, write_document, write_rows

ENDED = ("done", "failed", "cancelled", "partial")
COLUMNS = ["cloud", "type", "region", "state", "rows", "new", "changed", "gone", "error"]


def collect(
    options: GlobalOptions, clouds: list[str], types: list[str], full: bool, wait: bool, output: Format
) -> None:
    """Start a collection per cloud; with `wait`, end with an exit code that tells how they went."""
    request: dict[str, Any] = {"full": full}
    if clouds:
        request["clouds"] = clouds
    if types:
        request["types"] = [find_type(word).name for word in types]
    with connected(options) as client:
        started = client.post("/q/collections", request)["items"]
        if not started:
            leave(FAILED, "no cloud is watched yet; `qdeck cloud add NAME` adds one of your clouds.yaml")
        ended = _follow(client, [item["id"] for item in started]) if wait else started
    if output in (Format.json, Format.yaml):
        write_document(ended, output)
    elif wait:
        write_rows([{"cloud": one["cloud"], **row} for one in ended for row in one.get("types", ())], COLUMNS, output)
    else:
        write_rows(ended, ["id", "cloud", "state"], output)
    if wait:
        _judge(ended)


def _follow(client: SyncClient, ids: list[str]) -> list[dict[str, Any]]:
    shown = 0.0
    while True:
        items = [client.get(f"/q/collections/{one}") for one in ids]
        if all(item["state"] in ENDED for item in items):
            if sys.stderr.isatty():
                sys.stderr.write("\r\033[K")
            return items
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K" + printable(_progress(items)))
            sys.stderr.flush()
        elif time.monotonic() - shown > 10:
            note(_progress(items))
            shown = time.monotonic()
        time.sleep(0.2)


def _progress(items: list[dict[str, Any]]) -> str:
    parts = []
    for item in items:
        types = item.get("types", ())
        running = [
            f"{t['type']} {t.get('rows') or 0} ({round(t.get('rate') or 0)}/s)"
            for t in types
            if t.get("state") == "running"
        ]
        done = sum(t.get("state") not in ("queued", "running") for t in types)
        parts.append(f"{item['cloud']} {done}/{len(types)} types {' '.join(running[:3])}")
    return "  ".join(parts)[:160]


def _judge(ended: list[dict[str, Any]]) -> None:
    for item in ended:
        if item["state"] != "done" and item.get("error"):
            note(f"{item['cloud']}: {item['error']}")
    if any(item["state"] in ("failed", "cancelled") for item in ended):
        leave(FAILED)
    if any(item["state"] == "partial" for item in ended):
        leave(PARTIAL, "not everything could be read; nothing that was not read is treated as deleted")
