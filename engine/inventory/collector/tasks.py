"""What one collection reads: for each type and region which account, which rows, whole or only what changed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from engine.clouds.session import Endpoint, negotiate, number
from store.estate.visibility import Visibility
from store.times import utcnow

if TYPE_CHECKING:
    from engine.clouds.session import Token
    from store.types.declaration import ResourceType

# Lists that an id-only sweep makes cheaper: parameters or path of the sweep, by service.
_SWEEP_FIELDS = {"network": (("fields", "id"),)}


@dataclass(frozen=True, slots=True)
class Options:
    """Limits of a collection; seconds, unless the name says otherwise."""

    parallel: int = 8  # types read at once, per region
    regions: int = 4  # regions read at once
    per_service: int = 4  # calls at once to one service of one region
    page: int = 0  # rows per page; 0 = as the type declares
    overlap: float = 300.0  # deltas reach back this much further: clocks differ, and rows are written late
    full_every: float = 4 * 3600.0
    per_project_calls: int = 3000  # call budget of types that need calls per project
    projects: int = 8  # projects asked at once
    clock: Callable[[], datetime] = utcnow  # when a listing takes place; the demo lives through its past with it


@dataclass(slots=True)
class Task:
    """One list to read with one account."""

    type: ResourceType
    region: str
    account: str
    scope: str  # "all" or a project id
    all_projects: bool
    endpoint: Endpoint
    token: Token
    since: datetime | None = None  # a delta, else a whole listing
    sweep: bool = False  # ids only, after a delta that reports no deletions
    known: int = 0  # rows the last whole listing had
    after: tuple[str, ...] = ()  # types whose rows this one needs

    @property
    def microversion(self) -> str:
        """The microversion to ask for; "" = none."""
        return negotiate(self.type.listing.microversion, self.endpoint.top)

    @property
    def visibility(self) -> Visibility:
        """What the account can see, as the store compares it."""
        token = self.token
        return Visibility(self.endpoint.url, token.user_id, token.scope, token.roles, self.all_projects)

    def fixed(self) -> tuple[tuple[str, str], ...]:
        """Query parameters of every page, without paging."""
        listing = self.type.listing
        query = list(listing.query)
        if listing.all_projects and self.all_projects:
            name, _, value = listing.all_projects.partition("=")
            query.append((name, value or "1"))
        if self.since is not None:
            query.append((listing.delta, listing.delta_value.format(time=delta_time(self.since))))
        if self.sweep:
            query.extend(_SWEEP_FIELDS.get(listing.service, ()))
        return tuple(query)

    def path(self) -> str:
        """Path below the endpoint."""
        path = self.type.listing.path
        if self.sweep and self.type.listing.service not in _SWEEP_FIELDS:
            path = path.removesuffix("/detail")
        return path


def delta_time(when: datetime) -> str:
    """A time as every service reads it; whole seconds, rounded down."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Before:
    """What the store knows of (region, type, scope): its state, and when lists of it were last read."""

    state: str
    whole_at: datetime | None
    fresh_at: datetime | None
    rows: int
    visibility: Visibility | None = None


def can_delta(type: ResourceType, microversion: str) -> bool:
    """Whether lists of changed rows can be had, together with what was deleted since."""
    listing = type.listing
    if not listing.delta or listing.per:
        return False
    if listing.delta_from and number(microversion) < number(listing.delta_from):
        return False
    return listing.delta_gone or listing.service in _SWEEP_FIELDS or listing.path.endswith("/detail")


def since(task: Task, before: Before | None, now: datetime, options: Options, skew: float = 0.0) -> datetime | None:
    """Where a delta may begin, in the service's time; None when the list has to be read whole.

    A delta is only worth something on top of a whole listing that went well, with the same eyes, and not too old.
    """
    if before is None or before.whole_at is None or before.fresh_at is None or before.state != "ok":
        return None
    if now - before.whole_at >= timedelta(seconds=options.full_every) or before.fresh_at > now:
        return None
    if before.visibility is not None and before.visibility != task.visibility:
        return None
    if not can_delta(task.type, task.microversion):
        return None
    return before.fresh_at + timedelta(seconds=skew - options.overlap)


AFTER: dict[str, tuple[str, ...]] = {"user": ("domain",), "group": ("domain",), "quota": ("project",)}


@dataclass(slots=True)
class Progress:
    """How far one type of one region is; counts are rows. `state` as in the contract of /q/collections."""

    type: str
    region: str
    state: Literal[
        "queued", "running", "done", "partial", "failed", "not_permitted", "suspect", "degraded", "cancelled"
    ]
    total_known: int = 0
    rows: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0
    error: str = ""
    kind: str = ""
    began: float = 0.0
    ended: float = 0.0
    open: int = 0  # tasks not ended
    states: list[str] = field(default_factory=list)

    def row(self, clock: float) -> dict[str, Any]:
        """As JSON; `clock` is the monotonic time now."""
        took = (self.ended or clock) - self.began if self.began else 0.0
        return {
            "type": self.type,
            "region": self.region,
            "state": self.state,
            "kind": self.kind,
            "rows": self.rows,
            "total_known": self.total_known,
            "rate": round(self.rows / took) if took > 0.05 else 0,
            "new": self.new,
            "changed": self.changed,
            "gone": self.gone,
            "seconds": round(took, 3),
            "error": self.error or None,
        }


# From best to worst: several lists of one type show the worst.
_WORST: Sequence[str] = ("done", "degraded", "not_permitted", "suspect", "partial", "failed", "cancelled")


def worst(states: Iterable[str]) -> Any:
    """The state shown for several."""
    return max(states, key=_WORST.index, default="done")


def overall(rows: Iterable[Progress], cancelled: bool) -> str:
    """The state of a whole collection: what is not permitted does not make it partial, what failed does."""
    states = {row.state for row in rows}
    if cancelled:
        return "cancelled"
    bad = states & {"partial", "failed", "suspect", "degraded", "cancelled"}
    if not bad:
        return "done"
    return "failed" if states <= {"failed", "not_permitted"} else "partial"


# Lists that are long in every cloud: begun first, so that the short ones are read beside them.
_LONG = ("port", "server", "volume", "security_group_rule", "snapshot", "volume_attachment")


def in_order(types: Mapping[str, ResourceType], wanted: Iterable[str] | None) -> list[ResourceType]:
    """Types to read: all that belong to a collection, or those named; first what others need, then the long lists."""
    if wanted is None:
        chosen = [type for type in types.values() if not type.listing.on_demand]
    else:
        chosen = [types[name] for name in dict.fromkeys(wanted)]
    needed = {name for names in AFTER.values() for name in names}

    def place(type: ResourceType) -> tuple[bool, bool, int, bool, str]:
        long = _LONG.index(type.name) if type.name in _LONG else len(_LONG)
        return type.name in AFTER, type.name not in needed, long, not type.listing.global_, type.name

    return sorted(chosen, key=place)
