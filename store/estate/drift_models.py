"""What the store is told to watch, so that it can find drift; plain data, made from the rules of engine/drift."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["changed", "created", "deleted", "unseen"]
Severity = Literal["critical", "warning", "info"]

FLAPPING = 3  # openings within a day
PRESENT, ABSENT, DELETED = "present", "absent", "deleted"


@dataclass(frozen=True, slots=True)
class Watch:
    """One rule as SQL over a version `v`.

    rule       number of the rule
    kind       changed: `value` became another; created, deleted: the resource; unseen: written without a visible change
    field      as people and the API call it
    severity   of its events; `grave` is a condition under which they are critical
    value      SQL of the compared text
    guarded    columns that the token may not see: while one is hidden, there is no value
    passing    lower-cased values that are no state, only the way from one to the next: they are looked through
    alarming   lower-cased values that are told even when nothing but passing values came before
    first      also from no value (NULL) to one; otherwise a first assignment is no drift
    unseen     NULL means that the value was not to be had, not that there is none
    only_if    SQL condition under which the rule looks at a version at all; "" = always
    state      it moves by itself: going back is a return also after somebody has accepted the event. Otherwise an
               accepted value is the new rule, and going back from it is a change like any other
    enabled    whether it opens events; `enabled_at`: only for changes after that
    """

    rule: int
    kind: Kind
    field: str
    severity: Severity
    value: str = ""
    grave: str = ""
    guarded: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()
    alarming: tuple[str, ...] = ()
    first: bool = False
    unseen: bool = False
    only_if: str = ""
    state: bool = False
    enabled: bool = True
    enabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TypeWatch:
    """All rules of one type, and SQL over `v` of what its events say besides.

    name     what people call the resource
    project  id of the project that owns it, `domain` id of its domain where no project names it
    tags     list of texts
    owner    id of the server it belongs to
    """

    type: str
    watches: tuple[Watch, ...]
    name: str = "v.name"
    project: str = "NULL"
    domain: str = "NULL"
    tags: str = "NULL"
    owner: str = "NULL"


@dataclass(frozen=True, slots=True)
class Derived:
    """What taking in listings did: events opened (also again), returned; `listings` taken in."""

    opened: int = 0
    resolved: int = 0
    listings: int = 0

    @property
    def moved(self) -> bool:
        """Whether any event is other than before."""
        return bool(self.opened or self.resolved)
