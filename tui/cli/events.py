"""`qdeck events`: everything that is known to have happened to a resource."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from store.types.declaration import ResourceType
from tui.api.client import ApiError, SyncClient
from tui.cli.engine_link import connected
from tui.cli.exits import FAILED, NOT_FOUND, PARTIAL, leave, note
from tui.cli.inventory import find_type, instant, quoted
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, write_document, write_rows

TABLE = ("when", "what", "by", "level", "detail", "from")
CSV = (
    "at", "source", "kind", "title", "detail", "level", "actor", "grade", "request_id", "about_type", "about_id",
    "about_name", "step", "ended_at", "host",
)  # fmt: skip


def events(
    options: GlobalOptions,
    type_word: str,
    ref: str,
    since_words: str | None,
    limit: int,
    cloud: str | None,
    region: str | None,
    output: Format,
) -> None:
    """Print a resource's events, the newest first; what could not be asked goes to stderr."""
    kind = find_type(type_word)
    with connected(options) as client:
        key = the_resource(client, kind, ref, cloud, region)
        query: dict[str, Any] = {"cloud": key[0], "region": key[1], "limit": limit, "since": instant(since_words)}
        answer = client.get(
            f"/q/resources/{kind.name}/{quoted(key[2])}/events",
            params={name: value for name, value in query.items() if value is not None},
        )
    if output in (Format.json, Format.yaml):
        write_document(answer, output)
    elif output is Format.csv:
        write_rows([row for event in answer["items"] for row in _flat(event)], CSV, output)
    else:
        now = datetime.now().astimezone()
        write_rows([row for event in answer["items"] for row in _shown(event, now)], TABLE, output)
    for remark in answer["remarks"]:
        note(remark)
    if answer["more"]:
        note(f"older events than these {limit} are left out; --limit shows more")
    for problem in answer["problems"]:
        note(problem)
    if answer["problems"]:
        leave(PARTIAL)


def the_resource(client: SyncClient, kind: ResourceType, ref: str, cloud: str | None, region: str | None) -> list[str]:
    """Key of the one resource that the reference means: id, start of an id, or name; a whole id also of one that is
    gone. Ends the command when there is none, or a choice is left.
    """
    where = {"cloud": cloud, "region": region}
    given = {name: value for name, value in where.items() if value is not None}
    found = client.get("/q/resolve", params={"type": kind.name, "ref": ref, **given})["items"]
    if len(found) == 1:
        key: list[str] = found[0]["key"]
        return key
    if found:
        note(f'"{ref}" is the name of {len(found)} {kind.title.lower()}; say which by its id:')
        for item in found[:20]:
            note("  " + "  ".join(str(part) for part in (*item["key"], item.get("name") or "") if part))
        leave(FAILED)
    try:
        gone: list[str] = client.get(f"/q/resources/{kind.name}/{quoted(ref)}", params=given)["key"]
        return gone
    except ApiError as error:
        if error.status != 404:
            raise
    leave(NOT_FOUND, f'no {kind.title.lower()} with the id or name "{ref}"; `qdeck find {ref}` looks everywhere')


def _shown(event: dict[str, Any], now: datetime) -> list[dict[str, Any]]:
    about = event.get("about") or {}
    before = f"{about.get('type')} {about.get('name') or about.get('id')}: " if about else ""
    rows = [
        {
            "when": _local(event["at"], now),
            "what": before + str(event["title"]),
            "by": event["actor"],
            "level": None if event["level"] == "info" else event["level"],
            "detail": event["detail"] or None,
            "from": event["source"],
        }
    ]
    for child in event["children"]:
        told = " ".join(str(child[name]) for name in ("host", "detail") if child.get(name))
        level = None if child["level"] == "info" else child["level"]
        rows.append({"when": _local(child["at"], now), "what": f"  {child['title']}", "level": level, "detail": told})
    return rows


def _flat(event: dict[str, Any]) -> list[dict[str, Any]]:
    about = {f"about_{name}": value for name, value in (event.get("about") or {}).items()}
    rows = [{**event, **about}]
    for child in event["children"]:
        step = {name: child[name] for name in ("at", "ended_at", "detail", "level", "host")}
        rows.append({**event, **about, **step, "step": child["title"]})
    return rows


def _local(at: str, now: datetime) -> str:
    try:
        return datetime.fromisoformat(at).astimezone(now.tzinfo).strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return at
