"""The vocabulary in which a resource type is declared: pure data, standard library only.

A type is one file in this folder that binds `TYPE = ResourceType(...)`. The store's tables, the API, the panes, the
`:` jump, the command line and the copilot are all made from it, so nothing about a type is written a second time
anywhere else.
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
    path      where the value lies in the raw document: keys from the root down. With `derive`, only says where a
              guarded value lies
    role      what the value means; decides alignment, shortening and colour
    title     column head in lists, at most 12 characters; unit included ("RAM MB")
    width     preferred width in cells
    derive    name of a function in store.types.derive that makes the value from the whole document
    shown     shown by default in lists
    guarded   absent from the document means that the token may not see it (kept apart from null)
    volatile  a measurement: goes to `samples`, never into a version's hash
    search    part of the text that a bare word in a filter looks through
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

    `on` is this type's column that holds the other resource's id (or, with `key`, another column of it); `take` is the
    column taken, which may itself be a joined one of the other type. Identity resources have region '' and are joined
    from any region.
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
class Computed:
    """A column of the public view that is counted or added up from other types, as of the same time.

    Its SQL lies in store.estate.reading.computed under (type, name).
    """

    name: str
    sql: SqlType = "BIGINT"
    role: Role = "number"
    title: str = ""
    width: int = 6
    shown: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A related type one key away: rows of `type` whose `column` equals (or, for lists, contains) this resource's
    `own` column.

    `own` may be a list: then rows whose `column` equals any of its values. `column` may be "id".
    """

    type: str
    column: str
    own: str = "id"
    title: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """How a type is read from its service.

    service      catalog type ("compute", "block-storage", "network", "image", "identity")
    path         path below the service's versioned endpoint (identity v3, compute v2.1, block-storage v3 with project
                 id, image v2,
                 network v2.0), with `{project_id}` where the call is made per project
    key          the list's key in the answer
    microversion highest microversion asked for ("" = none); the collector takes the highest that both know
    query        fixed query parameters
    page         rows per page to ask for; 0 = the call has no paging
    paging       "marker" (id of the last row) or "offset"
    wrapper      key that wraps each row ("keypair"), "" = rows are bare
    all_projects query parameter that asks for all projects' rows, "name" or "name=value" ("" = the call has none;
    value 1 by default)
    delta        query parameter for rows changed since T ("" = no deltas)
    delta_value  the parameter's value, with {time} for T
    delta_from   lowest microversion that honours `delta` ("" = any); below it the parameter is ignored or refused
    delta_gone   the delta also returns rows deleted since
    per          "" (one listing), "project" (one call per project), "region" is implied
    on_demand    not part of a collection; read for one resource when asked, whose id stands for `{resource_id}` in path
                 and query
    rotates      tools remove old rows as they make new ones: rows that new ones stand for did not vanish
    needs        who gets all rows: "admin", "reader" (any token sees the same), "owner" (silently filtered by project)
    """

    service: str
    path: str
    key: str
    microversion: str = ""
    query: tuple[tuple[str, str], ...] = ()
    page: int = 1000
    paging: Literal["marker", "offset"] = "marker"
    wrapper: str = ""
    all_projects: str = ""
    delta: str = ""
    delta_value: str = "{time}"
    delta_from: str = ""
    delta_gone: bool = False
    per: str = ""
    on_demand: bool = False
    needs: Literal["admin", "reader", "owner"] = "owner"
    rotates: bool = False
    global_: bool = False  # identity resources: one per cloud, region ''


@dataclass(frozen=True, slots=True, eq=False)  # one object per type: compared and hashed by identity
class ResourceType:
    """One resource type: `name` is singular ("server"), `plural` names its public view and list ("servers").

    id_path    where a document's id lies; `id_derive` names a function of store.types.derive for types without one
    owner      stored column with the project that owns a row ("" = none); a role limited to projects sees just those
    limited_by column to use for that where no stored one names the project: "id" of a project, a joined one
    domain     column with the domain a row belongs to, for types without an owner ("" = none)
    list_columns order of the columns shown by default, where it differs from the declaration's
    open_when  (column, value) pairs: rows that everybody sees whoever owns them (public images, shared networks)
    """

    name: str
    plural: str
    title: str
    listing: Listing
    columns: tuple[Column, ...]
    joined: tuple[Joined, ...] = ()
    computed: tuple[Computed, ...] = ()
    links: tuple[Link, ...] = ()
    aliases: tuple[str, ...] = ()
    default_sort: tuple[str, ...] = ("name",)
    volatile_paths: tuple[
        tuple[str, ...], ...
    ] = ()  # document fields left out of the hash: counters, heart-beats, links
    faults: tuple[str, ...] = ("error",)  # lower-cased status words that mean trouble
    id_path: tuple[str, ...] = ("id",)
    id_derive: str = ""
    owner: str = ""
    limited_by: str = ""
    domain: str = ""
    list_columns: tuple[str, ...] = ()
    open_when: tuple[tuple[str, str | bool], ...] = ()
    documented: dict[str, str] = field(default_factory=dict)  # documented API field -> column of the public view
    actions: tuple[str, ...] = ()

    @property
    def table(self) -> str:
        """Name of the version table, for example `server_versions`."""
        return f"{self.name}_versions"

    @property
    def view_columns(self) -> tuple[Column | Joined | Computed, ...]:
        """All columns of the public view after cloud, region and id."""
        return (*self.columns, *self.joined, *self.computed)

    def column(self, name: str) -> Column | Joined | Computed:
        """The stored, joined or computed column of that name; raises KeyError."""
        for column in self.view_columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def default_columns(self) -> tuple[str, ...]:
        """Names of the columns that a list shows unless told otherwise, in order."""
        return self.list_columns or tuple(column.name for column in self.view_columns if column.shown)
