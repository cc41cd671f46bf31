"""What a question may read: the engine's data within the rights of whoever asks (`copilot.sources.Sources`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from copilot.answers import Key
from copilot.model.rooms import ENTITIES, MADE_FROM, PERMISSIONS
from copilot.sources import NotAllowed, NotAvailable
from engine.access import rules
from engine.access.models import Caller
from engine.api.errors import ApiError, Forbidden
from engine.clouds.errors import CloudError
from engine.clouds.quota import COMPUTE
from engine.copilot.lists import Listed
from engine.copilot.shelf import Shelf
from engine.history.versions import ResourceHistory
from engine.inventory.reads import scope_of, visible_clouds
from store.estate.errors import EstateError
from store.estate.reading import capacity, single
from store.estate.reading.changes import Span
from store.estate.reading.models import Scope
from store.ops.errors import OpsError
from store.times import naive
from store.types import registry
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from engine.copilot.rooms import Rooms

T = TypeVar("T")
Row = dict[str, Any]
MOST_CHANGES = 1000
MOST_FOUND = 50
_KINDS = {"created": "created", "discovered": "created", "returned": "created", "deleted": "deleted"}
_OLDEST = timedelta(days=3650)


@contextmanager
def _told() -> Iterator[None]:
    """Refusals and failures of the rooms as the copilot knows them."""
    try:
        yield
    except Forbidden as error:
        raise NotAllowed(error.detail) from None
    except ApiError as error:
        raise NotAvailable(error.detail) from None
    except (CloudError, EstateError, OpsError) as error:
        raise NotAvailable(str(error)) from None


class CallerSources:
    """See the module. For one question: a list that is asked for twice is read once. Blocks."""

    def __init__(self, rooms: Rooms, caller: Caller, clouds: Sequence[str] = (), shelf: Shelf | None = None) -> None:
        """`clouds`: the asker's choice; () = all that his role covers. `shelf`: keeps lists over questions."""
        self._rooms, self._caller, self._shelf = rooms, caller, shelf or Shelf()
        self._scope = scope_of(caller, clouds)
        self._lists: dict[str, Listed] = {}

    @property
    def scope(self) -> Scope:
        """The asker's limits and choice."""
        return self._scope

    def may(self, entity: str) -> bool:
        """Whether the asker's role includes reading it; False for what is neither a type nor a list."""
        if (permission := PERMISSIONS.get(entity)) is None:
            type = registry.ALL.get(entity)
            if type is None:
                return False
            permission = f"{rules.resource_of_type(type.plural)}:read"
        return rules.allows(self._caller.role, permission)

    def read(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Run reading work on the estate. Raises NotAvailable."""
        with _told():
            return self._rooms.reads.read(work)

    def version(self, type: str | None = None) -> int:
        """The estate's data version."""
        return self._rooms.reads.estate.data_version(type)

    def data_at(self, types: Sequence[str]) -> datetime | None:
        """When the oldest of the newest listings of these types began; lists stand for the types they are made from.

        None when one of them was never listed, or nothing that was named is listed at all.
        """
        wanted = {name for one in types for name in (MADE_FROM.get(one, ()) if one in ENTITIES else (one,))}
        began: dict[str, datetime] = {}
        with _told():
            for state in self._rooms.reads.states(visible_clouds(self._scope)):
                at, name = state["fresh_started_at"], state["type"]
                if name in wanted and at is not None:
                    began[name] = min(at, began.get(name, at))
        return min(began.values()) if began and len(began) == len(wanted) else None

    def rows(self, entity: str) -> Listed:
        """All rows of a list. Raises NotAllowed, NotAvailable."""
        self._check(entity)
        if entity not in self._lists:
            with _told():
                self._lists[entity] = self._shelf.rows(self._rooms, entity, self._caller, self._scope)
        return self._lists[entity]

    def quota(self, project: Key) -> Row:
        """The project's quota now, of every region: {"items", "problems"}; problems say which could not be asked.

        Raises NotAllowed, NotAvailable when no region answered.
        """
        self._allow("tenant_health:read", "the quota of tenants")
        type = registry.ALL["project"]
        if self.read(lambda connection: single.read_one(connection, type, project, None, self._scope)) is None:
            raise NotAllowed("there is no such project, or your role does not cover it")
        with _told():
            regions = self._rooms.clouds.cloud(project[0])["regions"] or [""]
        items: list[Row] = []
        problems: list[str] = []
        for region in regions:
            with _told():
                found = self._rooms.quota.read(project[0], region, project[2], now=True)
            if found["available"]:
                items += _limits(project[0], region, found)
            else:
                problems.append(f"{region or project[0]}: {found['reason']}")
        if not items:
            raise NotAvailable(f"the quota could not be read: {'; '.join(problems) or 'the cloud told none'}")
        return {"items": items, "problems": problems}

    def find(self, text: str, at: datetime | None = None) -> Row:
        """The app's find. Raises NotAllowed, NotAvailable for a text that means nothing."""
        self._allow("inventory:read", "the inventory")
        auditor = self._caller if rules.allows(self._caller.role, "audit:read") else None
        with _told():
            return self._rooms.finder.find(text, self._types(), at, self._scope, MOST_FOUND, auditor=auditor)

    def changes(self, since: datetime, until: datetime | None, key: tuple[str, Key] | None) -> list[Row]:
        """What changed in [since, until), newest first. Raises NotAllowed, NotAvailable."""
        self._allow("history:read", "the history")
        if key is not None:
            return self._changes_of(registry.ALL[key[0]], key[1], since, until)
        history, now = self._rooms.history, self._rooms.reads.clock()
        since = max(since, now - _OLDEST)
        # The history's spans are (since, until]; the last microsecond of the period belongs to the next one.
        tick = timedelta(microseconds=1)
        span = Span(naive(since) - tick, naive(now if until is None else until - tick))
        types = self._types()

        def work(connection: duckdb.DuckDBPyConnection, versions: Mapping[str, int]) -> list[Row]:
            counts = history.counts(connection, types, versions, span, self._scope)
            events = history.newest(connection, types, counts, span, self._scope, MOST_CHANGES)
            return history.items(connection, events, self._scope)

        with _told():
            items = history.read(types, work)
            history.attribute(self._caller, items)
        return [_change(item) for item in items]

    def _changes_of(self, type: ResourceType, key: Key, since: datetime, until: datetime | None) -> list[Row]:
        self._check(type.name)
        with _told():
            about, items = ResourceHistory(self._rooms.history).of(self._caller, type, key, self._scope, MOST_CHANGES)
        first, last = naive(since), None if until is None else naive(until)
        return [
            _change({**about, **item})
            for item in items
            if item["change_type"] != "first_seen"
            and item["recorded_at"] >= first
            and (last is None or item["recorded_at"] < last)
        ]

    def capacity(self) -> list[Row]:
        """Capacity by cloud, of the hypervisors; what the cloud does not say itself is what machines were promised.

        disk_gb_used is None where no host says it.
        """
        self._check("hypervisor")
        found = self.read(lambda connection: capacity.hosts(connection, self._scope))
        sums: dict[str, Row] = {}
        for host in found:
            one = sums.setdefault(host["cloud"], {"cloud": host["cloud"], **dict.fromkeys(_CAPACITY)})
            for name, columns in _CAPACITY.items():
                value = next((host[column] for column in columns if host[column] is not None), None)
                if value is not None:
                    one[name] = (one[name] or 0) + value
        return [sums[cloud] for cloud in sorted(sums)]

    # Rights

    def _types(self) -> list[ResourceType]:
        return [type for type in registry.ALL.values() if self.may(type.name)]

    def _check(self, entity: str) -> None:
        if not self.may(entity):
            named = ENTITIES[entity].plural if entity in ENTITIES else registry.ALL[entity].plural.replace("_", " ")
            raise NotAllowed(f"your role ({self._caller.role}) may not read {named}")

    def _allow(self, permission: str, what: str) -> None:
        if not rules.allows(self._caller.role, permission):
            raise NotAllowed(f"your role ({self._caller.role}) may not read {what}")


_CAPACITY: Mapping[str, Sequence[str]] = {
    "vcpus": ("vcpus",),
    "vcpus_used": ("vcpus_used", "vm_vcpus"),
    "ram_mb": ("memory_mb",),
    "ram_mb_used": ("memory_mb_used", "vm_ram_mb"),
    "disk_gb": ("local_gb",),
    "disk_gb_used": ("local_gb_used",),
}


def _limits(cloud: str, region: str, found: Mapping[str, Any]) -> Iterable[Row]:
    """The limits of an answer of LiveQuota, one by one, by the services' own names ("ram" in MB); those of a volume
    type are called "gigabytes of TYPE"."""
    own = [("compute", found["compute"]), ("storage", found["storage"])]
    for type, entries in found.get("storage_types", {}).items():
        own.append(("storage", {f"{name} of {type}": entry for name, entry in entries.items()}))
    for service, entries in own:
        for name, entry in entries.items():
            if entry["limit"] is not None or entry["in_use"] is not None:
                yield {"cloud": cloud, "region": region, "service": service, "resource": COMPUTE.get(name, name),
                       "limit": entry["limit"], "used": entry["in_use"], "reserved": entry["reserved"]}  # fmt: skip


def _change(item: Mapping[str, Any]) -> Row:
    at: datetime = item["recorded_at"]
    return {
        "at": at.replace(tzinfo=UTC) if at.tzinfo is None else at,
        "type": item["resource_type"],
        "key": (item["cloud"], item["region"], item["resource_id"]),
        "name": item["resource_name"] or item["resource_id"],
        "project_name": item["project_name"],
        "what": item["change_description"],
        "kind": _KINDS.get(item["change_type"], "changed"),
        "actor": item["user"],
    }
