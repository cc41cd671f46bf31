"""What the columns of the rooms' lists are declared with: those that many lists have, and short forms."""

from __future__ import annotations

from collections.abc import Mapping

from copilot.model.declaration import Attribute, State
from copilot.query import Condition, Test
from store.types.declaration import Role, SqlType

_SQL: Mapping[str, SqlType] = {"number": "BIGINT", "size_gb": "BIGINT", "size_mb": "BIGINT", "size_bytes": "BIGINT",
                               "time": "TIMESTAMP", "bool": "BOOLEAN", "list": "VARCHAR[]"}  # fmt: skip
# Columns that many lists have: role, head, words.
COMMON: Mapping[str, tuple[Role, str, tuple[str, ...]]] = {
    "cloud": ("text", "cloud", ("cloud",)),
    "region": ("text", "region", ("region",)),
    "project_name": ("name", "project", ("project", "tenant", "project name", "tenant name")),
    "project_id": ("id", "project id", ("project id", "tenant id")),
    "domain_name": ("name", "domain", ("domain",)),
    "resource_type": ("text", "type", ("resource type", "type", "kind of resource")),
    "resource_id": ("id", "id", ("id", "resource id")),
    "resource_name": ("name", "name", ("name", "resource", "resource name")),
    "server_name": ("name", "server", ("server", "vm", "machine", "instance")),
}
PLACE = ("cloud", "region", "project_name", "project_id")
SCOPES = {"cloud": "cloud", "project": "project_name"}
STARTED, ENDED = ("started", "start", "begin", "start time"), ("ended", "end", "finished", "end time", "finish time")


def is_(column: str, *values: str | int | float | bool) -> Test:
    """The column is one of these."""
    return Test(column, "=", values)


def states(*found: tuple[tuple[str, ...], Condition]) -> tuple[State, ...]:
    """States as (words, condition); the first word of each is how an answer says it."""
    return tuple(State(words, condition, words[0]) for words, condition in found)


def attributes(*given: str | tuple[str, Role, str, tuple[str, ...]]) -> dict[str, Attribute]:
    """Columns by name: a name of COMMON, or (name, role, head, words)."""
    found = {}
    for one in given:
        name, role, title, words = (one, *COMMON[one]) if isinstance(one, str) else one
        sql: SqlType = "DOUBLE" if name.endswith(("percent", "hours")) else _SQL.get(role, "VARCHAR")
        found[name] = Attribute(name, role, title, sql, words)
    return found
