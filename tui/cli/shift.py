"""`qdeck shift` and `qdeck handover`."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Any

from tui.cli.engine_link import connected
from tui.cli.exits import PARTIAL, leave, note
from tui.cli.inventory import instant
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, printable, write_document, write_rows


class Page(StrEnum):
    """Forms of the hand-over."""

    markdown = "markdown"
    csv = "csv"
    json = "json"


def start(options: GlobalOptions, words: str) -> None:
    """Begin a shift now."""
    with connected(options) as client:
        mark = client.post("/q/shift/start", json={"note": words})
    note(f"your shift began {mark['at']}; `qdeck handover` tells what happened since")


def show(options: GlobalOptions, output: Format) -> None:
    """Print whose shift began when, the newest first."""
    with connected(options) as client:
        answer = client.get("/q/shift")
    if output in (Format.json, Format.yaml):
        write_document(answer, output)
    else:
        write_rows(answer["items"], ("at", "by", "note", "mine"), output)
    if answer["mine"] is None:
        note("you have not begun a shift; `qdeck shift start` does")


def handover(options: GlobalOptions, since: str | None, until: str | None, output: Page) -> None:
    """Print the hand-over page; ends with 6 when a section could not be made."""
    given: dict[str, Any] = {"since": instant(since), "until": instant(until)}
    query = {name: value for name, value in given.items() if value is not None}
    with connected(options) as client:
        page = client.get("/q/handover", params=query)
        if output is not Page.json:
            text = client.get(
                "/q/handover", params={**query, "since": page["since"], "until": page["until"], "format": output.value}
            )
    if output is Page.json:
        write_document(page, Format.json)
    else:
        sys.stdout.write("\n".join(printable(line) for line in str(text).splitlines()) + "\n")
    bad = [section["title"] for section in page["sections"] if section["problem"]]
    if bad:
        leave(PARTIAL, f"not known: {', '.join(bad)}")
