"""The vocabulary in which a resource type is declared: pure data, standard library only.

A type is one file in this folder that binds `TYPE = ResourceType(...)`. The store's tables, the API, the panes, the `:` jump, the
command line and the copilot are all made from it, so nothing about a type is written a second time anywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

SqlType = Literal["VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "TIMESTAMP", "VARCHAR[]"]

Role = Literal[
    "id",  # a UUID or other opaque id; cut in the middle
    "name",  # a human's name; cut at the end
    "status",  # a state word; the app colours it and adds a glyph
    "text",
    "number",
    "size_mb",  # MiB
    "size_gb",  # GiB
    "size_bytes",
    "time",  # an instant; shown as an age
    "bool",
    "address",  # IP address, prefix or MAC
    "list",
]


@dataclass(frozen=True, slots=True)
class Column:
    """One typed column of a type's version table.

    name      SQL and API name, as the documented API spells it where it documents one
    sql       DuckDB type; TIMESTAMP is UTC microseconds
    path      where the value lies in the raw document: keys from the root down; () when `derive` makes it
    role      what the value means; decides alignment, shortening and colour
    title     column head in lists, at most 12 characters; unit included ("RAM MB")
    width     preferred width in cells
    derive    name of a function in store.types.derive that makes the value from the whole document
    shown     shown by default in lists
    guarded   absent from the document means that the token may not see it (kept apart from null)
    volatile  a measurement: goes to `samples`, never into a version's hash
    values    lower-cased values that count as faulty ("error") are not here: see ResourceType.faults
    """

    name: str
    sql: SqlType = "VARCHAR"
    path: tuple[str, ...] = ()
    role: Role = "text"
    title: str = ""
    width: int = 12
    derive: str = ""
    shown: bool = False
    guarded: bool = False
    volatile: bool = False
    search: bool = False


@dataclass(frozen=True, slots=True)
class Joined:
    """A column of the public view that belongs to another resource, joined as of the same time.

    `on` is this type's column that holds the other resource's id (or, with `key`, another column of it); `take` is the column taken.
    """

    name: str
    type: str
    on: str
    take: str = "name"
    key: str = "id"
    sql: SqlType = "VARCHAR"
    role: Role = "name"
    title: str = ""
    width: int = 14
    shown: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A related type one key away: rows of `type` whose `column` equals (or, for lists, contains) this resource's `own` column."""

    type: str
    column: str
    own: str = "id"
    title: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """How a type is read from its service.

    service      catalog type ("compute", "block-storage", "network", "image", "identity")
    path         path below the service's endpoint, with `{project_id}` where the call is made per project
    key          the list's key in the answer
    microversion highest microversion asked for ("" = none); the collector takes the highest that both know
    query        fixed query parameters
    page         rows per page to ask for; 0 = the call has no paging
    all_projects query parameter that asks for all projects' rows ("" = the call has none)
    delta        query parameter (or filter) for rows changed since T ("" = no deltas)
    per          "" (one listing), "project" (one call per project), "region" is implied
    on_demand    not part of a collection; read for one resource when asked
    needs        who gets all rows: "admin", "reader" (any token sees the same), "owner" (silently filtered by project)
    """

    service: str
    path: str
    key: str
    microversion: str = ""
    query: tuple[tuple[str, str], ...] = ()
    page: int = 1000
    all_projects: str = ""
    delta: str = ""
    per: str = ""
    on_demand: bool = False
    needs: Literal["admin", "reader", "owner"] = "owner"
    global_: bool = False  # identity resources: one per cloud, region ''


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One resource type: `name` is singular ("server"), `plural` names its public view and list ("servers")."""

    name: str
    plural: str
    title: str
    listing: Listing
    columns: tuple[Column, ...]
    joined: tuple[Joined, ...] = ()
    links: tuple[Link, ...] = ()
    aliases: tuple[str, ...] = ()
    default_sort: tuple[str, ...] = ("name",)
    volatile_paths: tuple[tuple[str, ...], ...] = ()  # document fields left out of the hash: counters, heart-beats, links
    faults: tuple[str, ...] = ("error",)  # lower-cased status words that mean trouble
    id_path: tuple[str, ...] = ("id",)
    documented: dict[str, str] = field(default_factory=dict)  # documented API field -> column of the public view
    actions: tuple[str, ...] = ()

    @property
    def table(self) -> str:
        """Name of the version table, for example `server_versions`."""
        return f"{self.name}_versions"

    def column(self, name: str) -> Column | Joined:
        """The stored or joined column of that name; raises KeyError."""
        for column in (*self.columns, *self.joined):
            if column.name == name:
                return column
        raise KeyError(name)
