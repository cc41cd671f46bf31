"""`qdeck history` and `qdeck diff`: one resource over time, and what is different between two times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from store.filters import FilterError, parse
from tui.api.client import SyncClient
from tui.changes import KINDS, kind_word, side
from tui.cli.choosing import the_resource
from tui.cli.engine_link import connected
from tui.cli.exits import NOT_FOUND, USAGE, leave, note
from tui.cli.inventory import find_type, instant, quoted
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, write_document, write_rows

PAGE = 2000
HISTORY = ("when", "change", "what", "by")
HISTORY_CSV = ("recorded_at", "change_type", "change_description", "changed_fields", "user", "sequence", "valid_from",
               "valid_to", "change_hash")  # fmt: skip
DIFF = ("change", "type", "name", "what", "when", "project", "cloud", "id")
DIFF_ALL = ("change", "type", "name", "what", "field", "at", "project", "cloud", "region", "id")
FIELDS = ("field", "old", "new")
ORDER = tuple(KINDS)


def history(
    options: GlobalOptions,
    words: Sequence[str],
    fields: bool,
    limit: int,
    cloud: str | None,
    region: str | None,
    output: Format,
) -> None:
    """Print every version of a resource and what changed in it, the newest first."""
    with connected(options) as client:
        type, key = named(client, words, cloud, region)
        query = {"cloud": key[0], "region": key[1], "limit": limit}
        answer = client.get(f"/history/details/{type}/{quoted(key[2])}", params=query)
    if output in (Format.json, Format.yaml):
        write_document(answer, output)
        return
    if output is Format.csv:
        write_rows(answer["changes"], HISTORY_CSV, output)
        return
    rows: list[dict[str, Any]] = []
    for item in answer["changes"]:
        told = {"what": item["change_description"], "by": item["user"], "change": kind_word(item["change_type"])}
        rows.append({"when": local(item["recorded_at"]), **told})
        for change in item["changes"] if fields else ():
            words_of = f"  {change['field']}: {side(change['old_value'])} -> {side(change['new_value'])}"
            rows.append({"when": "", "change": "", "what": words_of, "by": ""})
    write_rows(rows, HISTORY if any(row["by"] for row in rows) else HISTORY[:-1], output)
    gone = "" if answer["exists"] else "; it is gone"
    note(f"{answer['resource_name'] or answer['resource_id']}: {answer['total_versions']} versions{gone}")
    if answer["total_versions"] > limit:
        note(f"older versions than these {limit} are left out; --limit shows more")


def diff(
    options: GlobalOptions,
    words: Sequence[str],
    since: str,
    until: str | None,
    types: Sequence[str],
    filter_text: str,
    each: bool,
    limit: int,
    cloud: str | None,
    region: str | None,
    output: Format,
) -> None:
    """Print what is different between two times: of one resource its fields, else the resources."""
    span = {"from": instant(since), "to": instant(until)}
    with connected(options) as client:
        if words:
            _fields(client, words, span, cloud, region, output)
            return
        try:
            parse(filter_text)
        except FilterError as error:
            leave(USAGE, f"filter: {error} (at character {error.position + 1} of {filter_text!r})")
        body: dict[str, Any] = {"mode": "each" if each else "net", **span, "filter": filter_text}
        body |= {"types": [find_type(word).name for word in types]} if types else {}
        body |= {"clouds": [cloud]} if cloud else {}
        body |= {"regions": [region]} if region is not None else {}
        rows, answer = _all_rows(client, body, limit)
    if output in (Format.json, Format.yaml):
        shown = [{name: row[name] for name in (*DIFF_ALL, "times", "old", "new")} for row in rows]
        head = {name: answer[name] for name in ("from", "to", "total", "counts", "left_out")}
        write_document({**head, "items": shown}, output)
    elif output is Format.csv:
        write_rows(rows, DIFF_ALL, output)
    else:
        several = len({row["cloud"] for row in rows}) > 1
        told = [
            {
                **row,
                "change": kind_word(row["change"]),
                "type": row["type"].replace("_", " "),
                "name": row["name"] or "-",
                "when": local(row["at"]),
            }
            for row in rows
        ]
        write_rows(told, [name for name in DIFF if several or name != "cloud"], output)
    counts = ", ".join(f"{answer['counts'][kind]:,} {kind_word(kind)}" for kind in ORDER if answer["counts"].get(kind))
    note(f"{local(answer['from'])} to {local(answer['to'])}: {counts or 'nothing is different'}")
    if len(rows) < answer["total"]:
        note(f"these are {len(rows):,} of {answer['total']:,}; --limit 0 prints all")
    if answer["left_out"]:
        note(f"{answer['left_out']:,} older ones are left out: choose a shorter time")


def _all_rows(client: SyncClient, body: dict[str, Any], limit: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows as mappings, page by page, and the last answer."""
    rows: list[dict[str, Any]] = []
    anchor: Any = "start"
    while True:
        more = PAGE if not limit else min(PAGE, limit - len(rows))
        answer = client.post("/q/history/windows", json={**body, "anchor": anchor, "before": 0, "after": more})
        found = [dict(zip(answer["columns"], values, strict=True)) for values in answer["rows"]]
        # The row that the page hangs on was printed with the page before.
        rows += found[1:] if anchor != "start" and answer["anchor_index"] == 0 else found
        if not answer["has_after"] or not found or (limit and len(rows) >= limit):
            return rows[: limit or None], answer
        anchor = {"key": found[-1]["key"]}


def _fields(
    client: SyncClient,
    words: Sequence[str],
    span: dict[str, Any],
    cloud: str | None,
    region: str | None,
    output: Format,
) -> None:
    type, key = named(client, words, cloud, region)
    query = {name: at for name, at in span.items() if at is not None} | {"cloud": key[0], "region": key[1]}
    answer = client.get(f"/q/history/compare/{type}/{quoted(key[2])}", params=query)
    if output in (Format.json, Format.yaml):
        write_document(answer, output)
        return
    there = {"old": answer["previous"], "new": answer["current"]}
    rows = [
        {"field": one["field"], "old": one["old_value"], "new": one["new_value"]}
        for one in answer["fields"]
        if one["changed"] is not False and not one["volatile"]
    ]
    if output is not Format.csv:
        rows = [{"field": row["field"], **{name: side(row[name]) for name in there}} for row in rows]
    write_rows(rows, FIELDS, output)
    for name, version in there.items():
        note(f"{name}: " + ("it was not there" if version is None else f"as of {local(version['recorded_at'])}"))
    if answer["identical"]:
        note("nothing differs but measurements and time stamps")


def named(client: SyncClient, words: Sequence[str], cloud: str | None, region: str | None) -> tuple[str, Sequence[str]]:
    """(type, key) of the one resource that `TYPE REF` or `REF` alone means, also of one that is gone when it is a
    whole id of a named type; ends the command when there is none or a choice is left.
    """
    if len(words) > 2:
        leave(USAGE, "name one resource: TYPE and its name or id, or that alone")
    if len(words) == 2:
        kind = find_type(words[0])
        return kind.name, the_resource(client, kind, words[1], cloud, region)
    query = {"ref": words[0], "cloud": cloud, "region": region}
    items = client.get("/q/resolve", params={name: value for name, value in query.items() if value is not None})[
        "items"
    ]
    if not items:
        leave(NOT_FOUND, f'nothing is called "{words[0]}" now; of what is gone name the type too: history server ID')
    if len(items) > 1:
        for item in items:
            place = "/".join(part for part in item["key"][:2] if part)
            note(f"  {item['type']} {item['key'][2]}  {item['name'] or ''}  {place}")
        leave(USAGE, f'"{words[0]}" means {len(items)} resources; say which with the type and the id')
    return items[0]["type"], items[0]["key"]


def local(at: str) -> str:
    """A time in the operator's zone, to the second."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return at
