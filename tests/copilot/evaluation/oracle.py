"""The oracle: plain Python over a world's rows. No database, nothing of the copilot."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from tests.copilot.evaluation import expect
from tests.copilot.evaluation.expect import Expected
from tests.copilot.evaluation.world import Row, World, key


def pick(
    world: World, type: str, test: Callable[[Row], Any] | None = None, at: datetime | None = None, **equal: Any
) -> list[Row]:
    """Rows whose columns are equal to these (a tuple: to one of them) and that fit the test."""
    return [row for row in world.rows(type, at) if fits(row, equal) and (test is None or test(row))]


def fits(row: Row, equal: dict[str, Any]) -> bool:
    """Whether the row's columns are equal to these."""
    return all(row[name] in value if isinstance(value, tuple) else row[name] == value for name, value in equal.items())


def room(world: World, list: str, test: Callable[[Row], Any] | None = None, /, **equal: Any) -> list[Row]:
    """Rows of a room's list."""
    return [row for row in world.rooms[list] if fits(row, equal) and (test is None or test(row))]


def total(rows: Iterable[Row], column: str) -> float:
    """Sum of a column."""
    return sum(row[column] for row in rows)


def mean(rows: Iterable[Row], column: str) -> float:
    """Average of a column."""
    values = [row[column] for row in rows]
    return sum(values) / len(values)


def tally(rows: Iterable[Row], by: str, start: Iterable[str] = ()) -> dict[str, float]:
    """How many rows there are of each value; the names of `start` at least 0."""
    found: dict[str, float] = dict.fromkeys(start, 0)
    for row in rows:
        found[row[by]] = found.get(row[by], 0) + 1
    return found


def add(rows: Iterable[Row], by: str, column: str) -> dict[str, float]:
    """Sum of a column for each value of another."""
    found: dict[str, float] = {}
    for row in rows:
        found[row[by]] = found.get(row[by], 0) + row[column]
    return found


def share(part: Iterable[Row], whole: Iterable[Row]) -> expect.Number:
    """Percent."""
    return expect.Number(100 * len(list(part)) / len(list(whole)), "%", loose=0.012)


def protected(world: World) -> set[str]:
    """Ids of the volumes of which there is a usable snapshot or backup."""
    return {copy["volume_id"] for type in ("snapshot", "backup") for copy in pick(world, type, status="available")}


def copies(world: World, row: Row, type: str = "snapshot") -> list[Row]:
    """Snapshots (or backups) of a volume."""
    return pick(world, type, volume_id=row["id"])


def disks(world: World, server: Row) -> list[Row]:
    """Volumes of a server."""
    return pick(world, "volume", server_id=server["id"])


def groups_of(world: World, name: str) -> list[Row]:
    """Rules of all security groups of the name."""
    return pick(world, "security_group_rule", group=name)


def happened(
    world: World, type: str, kind: str, since: datetime, until: datetime | None = None, column: str = "status"
) -> list[Row]:
    """Rows of a type that were created, changed or deleted within the time, each once. `changed`: in the column, and
    still there."""
    until = until or world.now
    if kind == "created":
        return pick(world, type, lambda row: since <= row["created"] < until)
    if kind == "deleted":
        return world.gone(type, since, until)
    found = {key(row): row for _, one, what, row in world.events(since, until, (type,)) if what == "changed"}
    return list(found.values())


def named(world: World, type: str, row: Row, expected: Expected) -> Expected:
    """Where the name is there several times it may be asked which is meant."""
    column = "address" if type == "floating_ip" else "name"
    several = sum(one[column].lower() == row[column].lower() for one in world.rows(type)) > 1
    return expect.either(expected, expect.AskBack()) if several else expected
