"""What the copilot knows about the data: entities, their attributes, what states are called, and how entities hang
together. Made from `store.types` and from the rooms' lists; only words are added here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from copilot.query import Condition
from store.types.declaration import ResourceType, Role, SqlType

UNITS: dict[str, str] = {"size_mb": "MB", "size_gb": "GB", "size_bytes": "bytes"}


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column of an entity.

    words  phrases that mean it, lower case, singular; the first is how an answer names it
    """

    column: str
    role: Role = "text"
    title: str = ""
    sql: SqlType = "VARCHAR"
    words: tuple[str, ...] = ()

    @property
    def is_list(self) -> bool:
        """Whether the column holds several values."""
        return self.sql == "VARCHAR[]"

    @property
    def is_number(self) -> bool:
        """Whether it can be summed and compared as a number."""
        return self.role in ("number", "size_mb", "size_gb", "size_bytes")

    @property
    def unit(self) -> str:
        """Unit of its numbers: "MB", "GB", "bytes" or ""."""
        return UNITS.get(self.role, "")


@dataclass(frozen=True, slots=True)
class State:
    """Words for a condition on an entity: "powered off", "unattached".

    says  how an answer names rows that fulfil it: "stopped"
    """

    words: tuple[str, ...]
    condition: Condition
    says: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """From rows of one entity to rows of another: those whose `column` equals this row's `own`.

    Either may be a list column: then a common value counts. `by_name`: the values are names, which in different
    regions are different things; all relations hold within one cloud (and region, where both have one).
    """

    name: str
    to: str
    own: str
    column: str


@dataclass(frozen=True, slots=True)
class Entity:
    """Something that can be asked about.

    type        its resource type; None for a list of a room, whose rows the engine hands over
    words       phrases for one of them, lower case; the first is how an answer names one, `plural_words` for several
    attributes  by column name
    states      what states are called
    relations   by name; the name of a relation is the name of the entity it leads to, unless there are two
    scopes      entity -> own column that holds the name of the thing it belongs to ("project" -> "project_name")
    size        column that "large", "biggest" mean; "" = none
    born        time column that "new", "created", "older than" mean; "" = none
    columns     shown by default
    default_order   (column, descending) pairs
    """

    name: str
    words: tuple[str, ...]
    plural_words: tuple[str, ...]
    attributes: dict[str, Attribute]
    type: ResourceType | None = None
    states: tuple[State, ...] = ()
    relations: dict[str, Relation] = field(default_factory=dict)
    scopes: dict[str, str] = field(default_factory=dict)
    size: str = ""
    born: str = ""
    columns: tuple[str, ...] = ()
    default_order: tuple[tuple[str, bool], ...] = ()
    name_column: str = "name"

    @property
    def singular(self) -> str:
        """How an answer names one of them."""
        return self.words[0]

    @property
    def plural(self) -> str:
        """How an answer names several."""
        return self.plural_words[0]
