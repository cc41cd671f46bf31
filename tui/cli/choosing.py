"""Which resource a typed reference means; when none or several, which ones it may have meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from store.types.declaration import ResourceType
from tui.api.client import ApiError, SyncClient
from tui.cli.exits import FAILED, NOT_FOUND, leave, note
from tui.cli.inventory import quoted

MOST_NAMED = 20  # candidates that are listed with their ids
_MOST_NEAR = 3  # names that are mentioned when there is none of that name
_TELLING = ("project_name", "status", "host", "cidr", "direction", "protocol")


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
    what = kind.title.lower()
    if found:
        by_id = any(item["match"] == "prefix" for item in found)
        means = "may be any of" if by_id else "is the name of"
        note(f'"{ref}" {means} {len(found)} {what}; say which by its id:')
        for line in _lines(client, kind, found[:MOST_NAMED]):
            note(f"  {line}")
        leave(FAILED)
    try:
        gone: list[str] = client.get(f"/q/resources/{kind.name}/{quoted(ref)}", params=given)["key"]
        return gone
    except ApiError as error:
        if error.status != 404:
            raise
    near = _near(client, kind, ref, cloud, region)
    perhaps = f" ({', '.join(near)}?)" if near else ""
    leave(NOT_FOUND, f'no {what} with the id or name "{ref}"{perhaps}; `qdeck find {ref}` looks everywhere')


def _lines(client: SyncClient, kind: ResourceType, found: Sequence[dict[str, Any]]) -> list[str]:
    """A line of each: its key, its name, and what tells it from the others."""
    columns = [column.name for column in kind.view_columns if column.name in _TELLING]
    ids = ",".join(f'="{item["key"][2]}"' for item in found)
    asked = {"type": kind.name, "filter": f"id:{ids}", "columns": columns, "after": 10 * MOST_NAMED}
    rows: dict[tuple[str, ...], list[Any]] = {}
    if columns:
        rows = {tuple(row[:3]): row[3:] for row in client.post("/q/windows", json=asked)["rows"]}
    return [
        "  ".join(str(part) for part in (*item["key"], item.get("name"), *rows.get(tuple(item["key"]), ())) if part)
        for item in found
    ]


def _near(client: SyncClient, kind: ResourceType, ref: str, cloud: str | None, region: str | None) -> list[str]:
    """Names that hold the reference, a few of them; [] when none does, or it cannot be looked for."""
    if '"' in ref or not ref.isprintable():
        return []
    asked: dict[str, Any] = {"type": kind.name, "filter": f'name:"{ref}"', "columns": ["name"], "after": _MOST_NEAR}
    asked |= {"clouds": [cloud]} if cloud is not None else {}
    asked |= {"regions": [region]} if region is not None else {}
    try:
        rows = client.post("/q/windows", json=asked)["rows"]
    except ApiError:
        return []  # a type without names
    return list(dict.fromkeys(str(row[3]) for row in rows))
