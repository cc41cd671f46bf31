"""`qdeck note` and `qdeck notes`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from tui import deadlines
from tui.api.client import SyncClient
from tui.cli.choosing import the_resource
from tui.cli.engine_link import connected
from tui.cli.exits import USAGE, leave, note
from tui.cli.inventory import find_type, quoted
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, write_document, write_pairs, write_rows
from tui.times import TimeError

COLUMNS = ("at", "who", "about", "note", "until", "id")


def add(
    options: GlobalOptions,
    type_word: str,
    ref: str,
    text: str,
    until_words: str | None,
    cloud: str | None,
    region: str | None,
    output: Format,
) -> None:
    """Write a note on a resource, a job (type "job") or a problem (type "problem", ref CLOUD[/REGION][/TYPE])."""
    until = _until(until_words)
    with connected(options) as client:
        subject = _subject(client, type_word, ref, cloud, region)
        made = client.post("/q/notes", json={"subject": subject, "text": text, "until": until})
    if output is Format.table:
        note(f"noted on {_about(made['subject'])}" + (f", until {until}" if until else ""))
    else:
        write_pairs(made, output)


def notes(
    options: GlobalOptions,
    type_word: str | None,
    ref: str | None,
    cloud: str | None,
    region: str | None,
    past: bool,
    output: Format,
) -> None:
    """Print notes, the newest first: all, or those on one thing."""
    if (type_word is None) != (ref is None):
        leave(USAGE, "give a type and an id or name, as for `qdeck show`; or nothing, for all notes")
    query: dict[str, Any] = {"past": past, "limit": 1000}
    with connected(options) as client:
        if type_word is not None and ref is not None:
            query["subject"] = json.dumps(_subject(client, type_word, ref, cloud, region))
        elif cloud is not None:
            query["cloud"] = cloud
        answer = client.get("/q/notes", params=query)
    items = answer["items"]
    if output in (Format.json, Format.yaml):
        write_document(items, output)
    else:
        rows = [
            {
                "at": item["created_at"],
                "who": item["created_by"],
                "about": _about(item["subject"]),
                "note": item["text"],
                "until": item["until"],
                "id": item["id"],
            }
            for item in items
        ]
        write_rows(rows, COLUMNS, output)
    if answer["total"] > len(items):
        note(f"these are the newest {len(items)} of {answer['total']}")


def remove(options: GlobalOptions, id: str) -> None:
    """Take a note back."""
    with connected(options) as client:
        client.delete(f"/q/notes/{quoted(id)}")
    note("taken back")


def _subject(client: SyncClient, type_word: str, ref: str, cloud: str | None, region: str | None) -> dict[str, Any]:
    word = type_word.lower()
    if word in ("job", "jobs"):
        job = client.get(f"/q/jobs/{quoted(ref)}")
        return {"kind": "job", "type": "", "key": [job["id"]], "name": str(job.get("title") or "")[:255]}
    if word in ("problem", "problems"):
        parts = ref.split("/")
        key = parts if len(parts) != 2 else [parts[0], "", parts[1]]
        if len(key) == 3:
            key[2] = find_type(key[2]).name
        return {"kind": "problem", "type": "listing", "key": key, "name": ref}
    kind = find_type(type_word)
    return {
        "kind": "resource",
        "type": kind.name,
        "key": the_resource(client, kind, ref, cloud, region),
        "name": ref[:255],
    }


def _until(words: str | None) -> str | None:
    if words is None:
        return None
    try:
        moment = deadlines.parse(words, datetime.now().astimezone())
    except TimeError as error:
        leave(USAGE, str(error))
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _about(subject: dict[str, Any]) -> str:
    where = f" @{subject['key'][0]}" if subject["kind"] == "resource" else ""
    return f"{subject['type'] if where else subject['kind']} {subject['name'] or subject['key'][-1]}{where}"
