"""`qdeck events`: everything that is known to have happened to a resource."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tui.cli.choosing import the_resource
from tui.cli.engine_link import connected
from tui.cli.exits import PARTIAL, leave, note
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
