"""`qdeck ls`, `qdeck show` and `qdeck types`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from store.filters import Filter, FilterError, parse
from store.types import registry
from store.types.declaration import ResourceType
from tui.api.client import ApiError, SyncClient
from tui.cli.engine_link import connected, detail
from tui.cli.exits import FAILED, NOT_FOUND, PARTIAL, USAGE, leave, note
from tui.cli.export import EXPORTED, check_target, export
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, ListFormat, write_document, write_pairs, write_rows
from tui.ondemand import one_value
from tui.times import TimeError, age
from tui.times import parse as parse_time

PAGE = 500
UNITS = {"size_mb": "MB", "size_gb": "GB", "size_bytes": "BYTES"}


def ls(
    options: GlobalOptions,
    type_word: str,
    filter_text: str,
    sort_words: list[str],
    column_words: str | None,
    limit: int,
    at_words: str | None,
    cloud: str | None,
    region: str | None,
    output: ListFormat,
    file: Path | None = None,
) -> None:
    """Print all rows (or `limit`) of a type that pass the filter, or write them to a new file."""
    kind = find_type(type_word)
    try:
        condition = parse(filter_text)
    except FilterError as error:
        leave(USAGE, f"filter: {error} (at character {error.position + 1} of {filter_text!r})")
    check_target(output, file)
    chosen = _columns(kind, column_words, output)
    request: dict[str, Any] = {
        "type": kind.name,
        "filter": filter_text,
        "sort": [_sort(kind, word) for word in sort_words],
        "anchor": "start",
        "before": 0,
        "columns": [name for name in chosen if name not in ("cloud", "region", "id")],
        "at": instant(at_words),
    }
    if cloud:
        request["clouds"] = [cloud]
    if region is not None:
        request["regions"] = [region]
    with connected(options) as client:
        on_demand = kind.listing.on_demand and at_words is None
        fresh = _read_now(client, kind, condition, cloud, region) if on_demand else True
        if output in EXPORTED or file is not None:
            answer = client.post("/q/windows", request | {"after": 1, "columns": []})
            export(client, request | {"columns": chosen, "limit": limit or None}, output.value, file)
        else:
            rows, answer = _all_rows(client, request, limit)
            if len({row["cloud"] for row in rows}) <= 1 and column_words is None and output is ListFormat.table:
                chosen = [name for name in chosen if name not in ("cloud", "region")]
            write_rows(rows, chosen, Format(output.value), titles=_titles(kind))
        _say_state(kind, answer)
    if not fresh:
        leave(PARTIAL)


def _read_now(client: SyncClient, kind: ResourceType, condition: Filter, cloud: str | None, region: str | None) -> bool:
    """Have rows of a type that no collection reads read from the cloud, if the filter names their resource.

    False when the cloud did not give them: what was read before is shown then. Raises ApiError for a resource or cloud
    that does not exist, or a choice that must be made.
    """
    column = registry.parents(kind)[0][1]
    resource = one_value(condition, column)
    if resource is None:
        note(f"{kind.plural} are read when asked for: add {column}:=ID to read those of one resource now")
        return True
    wanted = {"type": kind.name, "resource_id": resource, "cloud": cloud, "region": region}
    try:
        client.post("/q/collections/on-demand", {name: value for name, value in wanted.items() if value})
    except ApiError as error:
        if error.status < 500:
            raise
        note(f"not read now: {detail(error.detail)}; what was read before follows")
        return False
    return True


def _all_rows(client: SyncClient, request: dict[str, Any], limit: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while True:
        request["after"] = min(PAGE, limit - len(rows)) if limit else PAGE
        answer = client.post("/q/windows", request)
        page = [dict(zip(answer["columns"], values, strict=True)) for values in answer["rows"]]
        if rows and page and _key(page[0]) == _key(rows[-1]):
            page = page[1:]  # The anchor itself is part of a window.
        rows += page
        if not page or not answer["has_after"] or (limit and len(rows) >= limit):
            return rows[:limit] if limit else rows, answer
        request["anchor"] = {"key": list(_key(rows[-1]))}


def _key(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["cloud"], row["region"], row["id"]


def show(
    options: GlobalOptions,
    type_word: str,
    ref: str,
    at_words: str | None,
    cloud: str | None,
    region: str | None,
    raw: bool,
    output: Format,
) -> None:
    """Print one resource, found by id, start of an id, or name."""
    kind = find_type(type_word)
    at = instant(at_words)
    with connected(options) as client:
        where = {"type": kind.name, "ref": ref, "at": at, "cloud": cloud, "region": region}
        found = client.get("/q/resolve", params={name: value for name, value in where.items() if value is not None})[
            "items"
        ]
        if not found:
            leave(
                NOT_FOUND,
                f'no {kind.title.lower()} with the id or name "{ref}"' + (f" at {at}" if at else ""),
            )
        if len(found) > 1:
            note(f'"{ref}" is the name of {len(found)} {kind.title.lower()}; say which by its id:')
            for item in found[:20]:
                note("  " + "  ".join(str(part) for part in (*item["key"], item.get("name") or "") if part))
            leave(FAILED)
        key = found[0]["key"]
        query = {"cloud": key[0], "region": key[1], "at": at}
        answer = client.get(
            f"/q/resources/{kind.name}/{quoted(key[2])}",
            params={name: value for name, value in query.items() if value is not None},
        )
    if raw:
        write_document(answer["doc"], Format.yaml if output is Format.table else output)
    else:
        denied = dict.fromkeys(
            answer.get("denied") or (), "(not visible to this account)" if output is Format.table else None
        )
        write_pairs({**answer["row"], **denied}, output)


def quoted(text: str) -> str:
    """An id as one segment of a path."""
    from urllib.parse import quote

    return quote(text, safe="")


def types(output: Format) -> None:
    """Print the resource types."""
    rows = [
        {
            "type": kind.name,
            "list": kind.plural,
            "aliases": list(kind.aliases),
            "columns": [c.name for c in kind.view_columns],
        }
        for kind in registry.ALL.values()
    ]
    write_rows(rows, ["type", "list", "aliases", "columns"], output)


def find_type(word: str) -> ResourceType:
    """The type that the word names; ends the command when there is none."""
    try:
        return registry.find(word)
    except KeyError as error:
        leave(USAGE, str(error.args[0]))


def instant(words: str | None) -> str | None:
    """Time words of the operator's zone as RFC 3339 in UTC; says on stderr which instant was understood."""
    if words is None:
        return None
    now = datetime.now().astimezone()
    try:
        moment = parse_time(words, now)
    except TimeError as error:
        leave(USAGE, str(error))
    if moment > now:
        leave(USAGE, f'"{words}" lies in the future ({moment:%Y-%m-%d %H:%M %Z}); the past is what is kept')
    note(f"as of {moment:%a %Y-%m-%d %H:%M:%S %Z}")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _columns(kind: ResourceType, words: str | None, output: ListFormat) -> list[str]:
    every = [column.name for column in kind.view_columns]
    if words == "all" or (words is None and output is not ListFormat.table):
        return ["cloud", "region", "id", *every]
    if words is None:
        return ["cloud", "region", "id", *kind.default_columns]
    chosen = [word.strip() for word in words.split(",") if word.strip()]
    for word in chosen:
        if word not in (*every, "cloud", "region", "id"):
            leave(
                USAGE,
                f"{kind.plural} have no column {word}; they have {', '.join(['cloud', 'region', 'id', *every])}",
            )
    return chosen


def _titles(kind: ResourceType) -> dict[str, str]:
    """Column heads; sizes carry their unit, since a script reads the bare number below."""
    return {
        column.name: f"{column.title} {UNITS[column.role]}" if column.role in UNITS else column.title
        for column in kind.view_columns
        if column.title
    }


def _sort(kind: ResourceType, word: str) -> list[Any]:
    name, _, direction = word.partition(":")
    if direction not in ("", "asc", "desc"):
        leave(USAGE, f"--sort {word}: the direction is asc or desc")
    return [name, direction == "desc"]


def _say_state(kind: ResourceType, answer: dict[str, Any]) -> None:
    """What a reader of the rows must know: stale, suspect, failed or missing data, on stderr."""
    if kind.listing.on_demand:
        return  # It was said when they were asked for.
    if answer.get("data_age_seconds") is None and not answer["rows"]:
        note(f"nothing has been collected of {kind.plural} yet; run `qdeck collect --wait`")
    elif answer.get("data_age_seconds") is not None:
        note(f"data {age(answer['data_age_seconds'])} old")
    for state in answer.get("states") or ():
        where = "/".join(part for part in (state.get("cloud"), state.get("region")) if part)
        note(f"{where}: {kind.plural} {state.get('state')}: {state.get('reason') or 'no reason given'}")
