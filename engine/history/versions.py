"""One resource over time: its versions with what changed in each, two of them side by side, and its deletions."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from engine.access.models import Caller
from engine.api.errors import NotFound
from engine.history import rules
from engine.history.service import HistoryService, Item, owner_of
from store.estate.reading import changes_deleted, changes_rows, changes_versions
from store.estate.reading.changes import OLDER
from store.estate.reading.changes_rows import Event
from store.estate.reading.changes_versions import Version
from store.estate.reading.models import Key, Scope
from store.estate.reading.single import label_column
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb

MOST_VERSIONS = 1000
_REASONS = {
    "delta": "the service reported it as deleted",
    "suspect": "missing from a suspect listing, which the next listing or a person confirmed",
    "whole": "a whole listing did not have it any more",
    "": "a person said that it is gone, or the listing that saw it gone is no longer kept",
}


class ResourceHistory:
    """Histories of single resources. Blocks; safe on any thread."""

    def __init__(self, history: HistoryService) -> None:
        self.history = history
        self.reads = history.reads

    def of(
        self, caller: Caller, type: ResourceType, key: Key, scope: Scope, limit: int, *, full: bool = False
    ) -> tuple[Item, list[Item]]:
        """({what it is, total_versions, known_since}, its changes, newest first), also of one that is gone.

        full  each with its place in the sequence (1 is the oldest), key fields, and old and new value of every change

        Raises NotFound.
        """

        def work(connection: duckdb.DuckDBPyConnection) -> tuple[Item, list[Item]]:
            versions = changes_versions.of_resource(connection, type, key, scope, limit + 1)
            if not versions:
                raise NotFound(f"there is no {type.name.replace('_', ' ')} {key[2]!r:.80} in the history")
            total, since = changes_versions.count_of(connection, type, key, scope)
            ground = changes_rows.first_listed(connection, type, key)
            pairs = list(itertools.pairwise(versions))
            if full:
                changes_versions.read_documents(connection, type, versions)
            else:
                changes_versions.read_alike(connection, type, pairs)
            begins = changes_deleted.begins(connection, type, key) if scope.limited else set()
            items = _items(type, key, versions, total, ground, scope, begins, full=full)
            label = label_column(type)
            newest = versions[0]
            owner = newest["row"].get(type.owner) if type.owner else None
            owners = changes_rows.names_of_projects(connection, [(key[0], owner)] if owner else [])
            about = {
                "resource_type": type.name,
                "resource_id": key[2],
                "resource_name": key[2] if label == "id" else newest["row"].get(label),
                "project_id": owner,
                **owner_of(owners, key[0], owner),
                "cloud": key[0],
                "region": key[1],
                "exists": newest["valid_to"] is None,
                "total_versions": total,
                "known_since": since,
            }
            return about, items[:limit]

        about, items = self.reads.read(work)
        before, after = self.history.lineage(key[0], key[1], [key[2]]).get(key[2], ((), ()))
        about |= {"in_place_of": list(before), "replaced_by": list(after)}
        self.history.attribute(caller, items)
        return about, items

    def compare(self, type: ResourceType, key: Key, scope: Scope, newer: str, older: str) -> Item:
        """Two versions by their hashes (hex): {current, previous, identical, changes, fields}. Raises NotFound.

        A state that came back has its hash twice: the newest version with the newer hash is meant, and the newest
        before it with the older one.
        """

        def work(connection: duckdb.DuckDBPyConnection) -> tuple[Version, Version]:
            versions = changes_versions.of_resource(connection, type, key, scope, 100_000)
            new = _with_hash(versions, newer)
            if new is None:
                raise NotFound(f"no version of {type.name} {key[2]!r:.80} has the hash {newer!r:.40}")
            earlier = [one for one in versions if one["valid_from"] < new["valid_from"]]
            old = _with_hash(earlier, older) or _with_hash(versions, older)
            if old is None:
                raise NotFound(f"no version of {type.name} {key[2]!r:.80} has the hash {older!r:.40}")
            changes_versions.read_documents(connection, type, [new, old])
            return new, old

        return compared(type, key, *self.reads.read(work))

    def between(self, type: ResourceType, key: Key, scope: Scope, then: datetime, now: datetime) -> Item:
        """The resource at two times (naive UTC), as `compare`; `current` or `previous` is null where it was not there.

        Raises NotFound when it was there at neither.
        """

        def work(connection: duckdb.DuckDBPyConnection) -> tuple[Version | None, Version | None]:
            found = []
            for at in (now, then):
                newest = changes_versions.of_resource(connection, type, key, scope, 1, at)
                there = newest and (newest[0]["valid_to"] is None or newest[0]["valid_to"] > at)
                found.append(newest[0] if there else None)
            changes_versions.read_documents(connection, type, [one for one in found if one is not None])
            return found[0], found[1]

        new, old = self.reads.read(work)
        if new is None and old is None:
            raise NotFound(f"{type.name} {key[2]!r:.80} was there at neither time")
        return compared(type, key, new, old)

    def deletions(self, caller: Caller, types: Sequence[ResourceType], id: str, scope: Scope, limit: int) -> list[Item]:
        """Every time that a resource with this id was gone, newest first, with its last known state."""

        def work(connection: duckdb.DuckDBPyConnection) -> list[Item]:
            events = changes_deleted.deletions_of(connection, types, id, scope, limit)
            owners = changes_rows.names_of_projects(
                connection, [(event.key[0], project) for event in events if (project := _project(event))]
            )
            return [
                _deletion(event, owners, changes_deleted.found_gone(connection, event.type, event.key, event.at))
                for event in events
            ]

        items = self.reads.read(work)
        self.history.attribute(caller, items)
        return items


def compared(type: ResourceType, key: Key, new: Version | None, old: Version | None) -> Item:
    """Two versions side by side; `fields` has all of them, changed ones first."""
    found = rules.fields(type, old, new)
    differing = rules.changes(found) if new is not None and old is not None else []
    label, shown = label_column(type), new or old or {"row": {}}
    return {
        "resource_type": type.name,
        "resource_id": key[2],
        "resource_name": key[2] if label == "id" else shown["row"].get(label),
        "cloud": key[0],
        "region": key[1],
        "current": _head(new),
        "previous": _head(old),
        "identical": new is not None and old is not None and not differing,
        "changes": differing,
        "fields": found,
    }


def _head(version: Version | None) -> Item | None:
    if version is None:
        return None
    return {
        "change_hash": version["hash"],
        "recorded_at": version["valid_from"],
        "valid_to": version["valid_to"],
    }


def _with_hash(versions: Sequence[Version], hash: str) -> Version | None:
    return next((one for one in versions if one["hash"] == hash.lower()), None)


def _items(
    type: ResourceType,
    key: Key,
    versions: Sequence[Version],
    total: int,
    ground: datetime | None,
    scope: Scope,
    begins: Collection[datetime],
    *,
    full: bool,
) -> list[Item]:
    """One item for each version, and one for each end without a successor; `versions` newest first.

    begins  times at which versions beyond the scope begin too: what is handed on to another project is not deleted
    """
    items: list[Item] = []
    for number, version in enumerate(versions):
        newer = versions[number - 1] if number else None
        older = versions[number + 1] if number + 1 < len(versions) else None
        sequence = total - number
        ended = version["valid_to"]
        if ended is not None and (newer is None or newer["valid_from"] > ended) and ended not in begins:
            items.append(_item(type, key, version, "deleted", ended, sequence, None, full=full))
        kind = _kind(type, version, older, ground, first=sequence == 1)
        shown = older if kind == "changed" and older and changes_versions.visible(type, version, older, scope) else None
        items.append(_item(type, key, version, kind, version["valid_from"], sequence, shown, full=full))
    return items


def _kind(type: ResourceType, version: Version, older: Version | None, ground: datetime | None, *, first: bool) -> str:
    if older is not None:
        return "changed" if older["valid_to"] == version["valid_from"] else "returned"
    if not first:
        return "changed"  # the one before is beyond the limit
    if ground is None or version["valid_from"] <= ground:
        return "first_seen"
    made = version["row"].get("created_at")
    hidden = isinstance(made, datetime) and made < version["valid_from"] - OLDER
    return "discovered" if hidden else "created"


def _item(
    type: ResourceType,
    key: Key,
    version: Version,
    kind: str,
    at: datetime,
    sequence: int,
    older: Version | None,
    *,
    full: bool,
) -> Item:
    found = [] if older is None else rules.summary(type, older, version)
    item: Item = {
        "resource_type": type.name,
        "resource_id": key[2],
        "cloud": key[0],
        "region": key[1],
        "change_type": kind,
        "recorded_at": at,
        "valid_from": version["valid_from"],
        "valid_to": version["valid_to"],
        "current": version["valid_to"] is None,
        "change_hash": version["hash"],
        "previous_hash": older["hash"] if older else None,
        "changed_fields": [change["field"] for change in found],
        "change_description": rules.gone(type, version) if kind == "deleted" else rules.sentence(kind, found),
        "user": None,
    }
    if full:
        item["sequence"] = sequence
        item["key_fields"] = rules.key_fields(type, version)
        item["changes"] = [] if older is None else rules.changes(rules.fields(type, older, version))
    return item


def _project(event: Event) -> str | None:
    if event.version is None or not event.type.owner:
        return None
    found: str | None = event.version["row"].get(event.type.owner)
    return found


def _deletion(event: Event, owners: Mapping[Any, Any], gone: Mapping[str, Any]) -> Item:
    version = event.version or {"row": {}, "doc": None, "hash": "", "valid_from": None}
    label, project = label_column(event.type), _project(event)
    how = "delta" if gone["kind"] == "delta" else "suspect" if gone["state"] == "suspect" else "whole"
    seen = [at for at in (gone["last_seen"], version["valid_from"]) if at is not None]
    return {
        "resource_type": event.type.name,
        "resource_id": event.key[2],
        "resource_name": event.key[2] if label == "id" else version["row"].get(label),
        "project_id": project,
        **owner_of(owners, event.key[0], project),
        "cloud": event.key[0],
        "region": event.key[1],
        "change_type": "deleted",
        "recorded_at": event.at,
        "deleted_at": event.at,
        "last_seen_before_deletion": max(seen, default=None),
        "reason": _REASONS[how if gone["listing"] else ""],
        "detected_in_run_id": gone["listing"],
        "change_hash": version["hash"],
        "raw_json_snapshot": orjson.loads(version["doc"]) if version["doc"] else None,
        "user": None,
    }
