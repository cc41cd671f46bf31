"""A type of the tests' own, and short ways to list it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from store.estate.estate import Estate
from store.estate.models import Kind, Listing, Outcome
from store.estate.visibility import Visibility
from store.ids import uuid7
from store.types.declaration import Column, ResourceType
from store.types.declaration import Listing as Call

THING = ResourceType(
    name="thing",
    plural="things",
    title="Things",
    listing=Call("compute", "/things", "things"),
    owner="project_id",
    columns=(
        Column("name", path=("name",), search=True),
        Column("project_id", path=("project_id",)),
        Column("host", path=("host",), guarded=True),
        Column("size", "BIGINT", ("size",)),
        Column("used", "BIGINT", ("used",), volatile=True),
        Column("tags", "VARCHAR[]", ("tags",), search=True),
        Column("created_at", "TIMESTAMP", ("created_at",)),
    ),
    volatile_paths=(("updated",), ("stats", "beat")),
)

ADMIN = Visibility("https://cloud/compute", "admin", "project:admin", ("admin",), True)
MEMBER = Visibility("https://cloud/compute", "member", "project:p1", ("member",), False)
START = datetime(2026, 1, 1, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """A time of the tests' clock."""
    return START + timedelta(minutes=minutes)


def open_estate(folder: Path, type: ResourceType = THING) -> Estate:
    return Estate.open(folder / "estate.duckdb", types={type.name: type})


def thing(number: int, **fields: Any) -> dict[str, Any]:
    """A document as an administrator sees it."""
    base = {
        "id": f"id-{number}",
        "name": f"thing {number}",
        "project_id": f"p{number % 3}",
        "host": "h1",
        "size": number,
    }
    return {**base, **fields}


def hidden(doc: dict[str, Any]) -> dict[str, Any]:
    """The same document as a member sees it."""
    return {key: value for key, value in doc.items() if key != "host"}


def collect(
    estate: Estate,
    minutes: float,
    docs: Iterable[dict[str, Any]] = (),
    *,
    kind: Kind = "full",
    scope: str = "all",
    visibility: Visibility = ADMIN,
    region: str = "one",
    deleted: Iterable[str] = (),
    bare: Iterable[str] = (),
    ids: Iterable[str] = (),
    broken: str = "",
    batch: int = 1000,
) -> Outcome:
    """One listing that starts at that minute; `broken` is the state it is abandoned with."""
    listing = Listing(uuid7(), "cloud", region, "thing", kind, scope, visibility, at(minutes))
    writer = estate.begin(listing)
    builder = writer.builder()
    gone, plain = set(deleted), set(bare)
    for doc in docs:
        id = doc.get("id") if isinstance(doc, dict) else None
        known = id if isinstance(id, str) else ""
        builder.add(doc, deleted=known in gone, bare=known in plain)
        if len(builder) >= batch:
            writer.add(builder.take())
    for id in ids:
        builder.add_id(id)
    writer.add(builder.take())
    if broken:
        return writer.abandon(broken, "it broke off", ended_at=at(minutes + 0.5))  # type: ignore[arg-type]
    return writer.finish(ended_at=at(minutes + 0.5))


def rows(estate: Estate, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with estate.reader() as connection:
        return connection.execute(sql, list(parameters)).fetchall()


def current(estate: Estate, *columns: str) -> list[tuple[Any, ...]]:
    """Columns of the current versions, by id."""
    return rows(estate, f"SELECT {', '.join(columns)} FROM thing_versions WHERE valid_to IS NULL ORDER BY id")


def versions(estate: Estate) -> int:
    return int(rows(estate, "SELECT count(*) FROM thing_versions")[0][0])
