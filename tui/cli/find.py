"""`qdeck find`: what a text is or was, whatever its type."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tui.cli.engine_link import connected
from tui.cli.exits import NOT_FOUND, leave, note
from tui.cli.inventory import instant
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, write_document, write_rows
from tui.found import period, sentence

COLUMNS = ("what", "type", "project", "owner", "host", "cloud", "since")
CSV = (
    "type", "cloud", "region", "id", "name", "what", "value", "why", "project", "domain", "creator", "owner",
    "machine", "host", "network", "status", "from", "to", "gone", "in_place_of",
    "replaced_by",
)  # fmt: skip


def find(
    options: GlobalOptions, text: str, at_words: str | None, cloud: str | None, limit: int, output: Format
) -> None:
    """Print what the text is or was, the best answer first."""
    query: dict[str, Any] = {"q": text, "at": instant(at_words), "cloud": cloud, "limit": limit}
    with connected(options) as client:
        answer = client.get("/q/find", params={name: value for name, value in query.items() if value is not None})
    items = answer["items"]
    if output in (Format.json, Format.yaml):
        write_document(answer, output)
    elif output is Format.csv:
        write_rows([_flat(item) for item in items], CSV, output)
    elif items:
        now = datetime.now().astimezone()
        rows = [
            {**item, "what": sentence(item, now), "cloud": item["key"][0], "since": period(item, now)} for item in items
        ]
        shown = [name for name in COLUMNS if name != "cloud" or len({row["cloud"] for row in rows}) > 1]
        write_rows(rows, shown, output, titles={"since": "WHEN"})
    if answer["more"]:
        note(f"these are the best {len(items)}; more are left out: write more of it, or raise --limit")
    if not items:
        leave(NOT_FOUND, f'nothing has or had "{text}" (looked for as {answer["understood"]})')


def _flat(item: dict[str, Any]) -> dict[str, Any]:
    cloud, region, id = item["key"]
    machine = item["machine"] or {}
    return {**item, "cloud": cloud, "region": region, "id": id, "machine": machine.get("name")}
