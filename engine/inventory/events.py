"""The time line of one resource: what the cloud, the store, our own audit and people say of it, in one order.

The sources are asked side by side and each may fail: what the others know is still told, with a sentence about what is
missing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from engine.access import rules as access_rules
from engine.clouds.errors import CloudError
from engine.inventory import events_rules, events_states
from engine.inventory.events_cloud import CloudLines, side_by_side
from engine.inventory.events_rules import Event, People
from engine.inventory.events_sources import WITH_MESSAGES, Asked, Told, jobs
from engine.inventory.reads import InventoryReads
from store import times
from store.estate.reading import history, single
from store.estate.reading.models import Key, Scope
from store.types import registry
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb

    from engine.access.models import Caller
    from engine.audit.service import AuditService

SECONDS = 5.0  # a person waits for it
AT_ONCE = 8
MOST_RECORDS = 300
MOST_RELATED = 12
# What of a server's own parts tells its story too: type, and its column that names the server.
RELATED = (("volume", "server_ids"), ("port", "device_id"))

# (caller, {"kind": "resource", "type", "key"}) -> notes, each with text, by, at, until
Notes = Callable[["Caller", Mapping[str, Any]], Iterable[Mapping[str, Any]]]


@dataclass(slots=True)
class _Past:
    """What the store knows."""

    one: dict[str, Any]
    versions: list[dict[str, Any]]
    related: list[tuple[ResourceType, str, list[dict[str, Any]]]] = field(default_factory=list)
    messages: list[tuple[str, str | None]] = field(default_factory=list)
    services: frozenset[str] = frozenset()

    @property
    def volumes(self) -> tuple[str, ...]:
        """Volumes that belong to the resource, as last seen."""
        return tuple(id for type, id, _ in self.related if type.name == "volume")


class Timeline:
    """Makes time lines. Its calls block for at most `seconds` and a little; call them from threads."""

    def __init__(
        self,
        reads: InventoryReads,
        lines: CloudLines,
        audit: AuditService | None = None,
        notes: Notes | None = None,
        seconds: float = SECONDS,
    ) -> None:
        """`notes` answers what people wrote on a resource."""
        self._reads = reads
        self._lines = lines
        self._audit = audit
        self._notes = notes
        self._seconds = seconds
        self._room = threading.BoundedSemaphore(AT_ONCE)

    def of(
        self, caller: Caller, type: ResourceType, key: Key, scope: Scope, since: datetime | None, limit: int
    ) -> dict[str, Any]:
        """The answer of EventsAnswer for a resource within `scope`. Raises NotFound when the store never saw it."""
        now = self._reads.clock()
        past = self._reads.read(partial(self._past, type, key, scope))
        name = past.one["row"].get(single.label_column(type))
        told, problems = self._ask(type, key, past)
        records, own_problems = self._records(caller, key)
        people = self._people(past, told, records, key[0], scope)
        events = [
            *self._of_cloud(past, told, people, key, name),
            *self._of_store(type, past, people, told),
            *events_rules.of_audit(records),
            *self._of_notes(caller, type, key, own_problems),
        ]
        kept, more = events_rules.merged(events, since, limit)
        return {
            "type": type.name,
            "key": list(key),
            "name": name if isinstance(name, str) else None,
            "at": times.text(now),
            "items": [event.as_answer() for event in kept],
            "problems": list(dict.fromkeys([*problems, *told.problems, *own_problems])),
            "remarks": told.remarks,
            "more": more,
        }

    # The store

    def _past(self, type: ResourceType, key: Key, scope: Scope, connection: duckdb.DuckDBPyConnection) -> _Past:
        from engine.api.errors import NotFound

        one = single.read_one(connection, type, key, None, scope)
        if one is None:
            raise NotFound(f"there is no {type.name} {key[2]!r:.80}")
        place = key[:2]
        past = _Past(one, history.versions_of(connection, type, place, [key[2]], scope))
        if type.name == "server":
            for name, column in RELATED:
                other = registry.ALL[name]
                ids = history.ever_linked(connection, other, place, column, key[2], scope, MOST_RELATED)
                versions: dict[str, list[dict[str, Any]]] = {id: [] for id in ids}
                for version in history.versions_of(connection, other, place, ids, scope):
                    versions[version["id"]].append(version)
                past.related += [(other, id, found) for id, found in versions.items()]
        if type.name == "server" or type.name in WITH_MESSAGES:
            ids = [key[2]] if type.name in WITH_MESSAGES else list(past.volumes)
            past.messages = history.messages_about(connection, place, ids)
            past.services = frozenset(history.service_projects(connection, key[0]))
        return past

    def _people(self, past: _Past, told: Told, records: list[dict[str, Any]], cloud: str, scope: Scope) -> People:
        ids = {events_rules.text(action.get("user_id"), 255) for action, _ in told.actions}
        ids |= {str(version["row"].get("user_id") or "") for version in past.versions[-1:]}
        ids.discard("")
        users = self._reads.read(lambda connection: history.latest_names(connection, "user", cloud, ids, scope))
        return People(users, past.services, events_rules.requests_of(records))

    # The cloud

    def _ask(self, type: ResourceType, key: Key, past: _Past) -> tuple[Told, list[str]]:
        """(all that was told, sentences about sources that could not be asked)."""
        project = str(past.one["row"].get(type.owner) or "") if type.owner else ""
        asked = Asked(type.name, key[0], key[1], key[2], project, past.volumes)
        told = Told()
        problems: list[str] = []
        work = jobs(self._lines, asked, self._seconds)
        if not work:
            return told, problems
        if not self._room.acquire(timeout=self._seconds / 2):
            return told, [f"the cloud was not asked: {AT_ONCE} other time lines are being read; try again"]
        try:
            answers = side_by_side(work, self._seconds)
        finally:
            self._room.release()
        for name, answer in answers.items():
            if isinstance(answer, CloudError):
                problems.append(f"{name} of {key[0]} could not be read: {answer}")
                if answer.kind in ("denied", "password"):
                    self._lines.forget()
                continue
            told.actions += answer.actions
            told.fault = told.fault or answer.fault
            told.messages += answer.messages
            told.problems += answer.problems
            told.remarks += answer.remarks
        return told, problems

    def _of_cloud(self, past: _Past, told: Told, people: People, key: Key, name: Any) -> list[Event]:
        events = [events_rules.of_action(action, steps, people) for action, steps in told.actions]
        if past.one["type"] == "server":
            events += events_rules.of_fault(told.fault or past.one["doc"].get("fault"))
        messages = {str(message.get("id")): message for message in told.messages}
        for id, doc in past.messages:
            if id not in messages and doc:
                messages[id] = orjson.loads(doc)
        names = {id: _name(type, versions) for type, id, versions in past.related}
        for message in messages.values():
            id = str(message.get("resource_uuid"))
            about = None if id == key[2] else {"type": "volume", "id": id, "name": names.get(id)}
            events.append(events_rules.of_message(message, about))
        return events

    def _of_store(self, type: ResourceType, past: _Past, people: People, told: Told) -> list[Event]:
        whole = len(past.versions) < history.MOST_VERSIONS
        events = events_states.of_versions(type, past.versions, None, people.users, whole=whole)
        if any(action.get("action") == "create" for action, _ in told.actions):
            # Nova tells who created it; the store only knows its owner and the time.
            events = [event for event in events if event.kind != "created"]
        for other, id, versions in past.related:
            about = {"type": other.name, "id": id, "name": _name(other, versions)}
            events += events_states.of_versions(other, versions, about)
        return events

    # Ourselves

    def _records(self, caller: Caller, key: Key) -> tuple[list[dict[str, Any]], list[str]]:
        """(audit records about the resource, oldest first, sentences). A limited caller's are his own."""
        if self._audit is None:
            return [], []
        if not access_rules.allows(caller.role, "audit:read"):
            return [], ["our own audit is not shown: it needs the permission audit:read"]
        only = caller if caller.limited else None
        _, found = self._audit.page(text=key[2], without=("note.",), only=only, limit=MOST_RECORDS)
        return list(reversed(found)), []

    def _of_notes(self, caller: Caller, type: ResourceType, key: Key, problems: list[str]) -> list[Event]:
        if self._notes is None:
            return []
        from engine.api.errors import ApiError

        try:
            found = self._notes(caller, {"kind": "resource", "type": type.name, "key": list(key)})
            return [events_rules.of_note(note) for note in found]
        except ApiError as error:
            problems.append(f"notes are not shown: {error}")
            return []


def _name(type: ResourceType, versions: list[dict[str, Any]]) -> str | None:
    if not versions:
        return None
    row = versions[0]["row"]
    name = row.get("name") or row.get("mac_address")
    return name if isinstance(name, str) else None
