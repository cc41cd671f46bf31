"""Volumes out of the estate, as policies look at them. Blocks; safe on any thread."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

from engine.snapshots.models import Key, Volume
from store.estate.reading import snapshot_volumes
from store.estate.reading.models import Scope

if TYPE_CHECKING:
    from engine.inventory.reads import InventoryReads

_NONE: dict[str, str] = {}


def volumes(reads: InventoryReads, scope: Scope, keys: Sequence[Key] | None = None) -> list[Volume]:
    """The current volumes in the scope, ordered by key; only those of `keys` that there are, when given."""
    return [volume_of(row) for row in reads.read(lambda connection: snapshot_volumes.read(connection, scope, keys))]


def volume_of(row: Sequence[Any]) -> Volume:
    """A Volume from a row of store.estate.reading.snapshot_volumes.COLUMNS."""
    (cloud, region, id, name, status, size, type, bootable, multiattach, host, project, project_name, domain,
     domain_name, items, servers, server_name, created) = row  # fmt: skip
    return Volume(
        cloud, region, id, name or "", (status or "").lower(), size or 0, type or "", bool(bootable),
        bool(multiattach), host or "", project or "", project_name or "", domain or "", domain_name or "",
        metadata_of(items) if items else _NONE, tuple(servers) if servers else (), server_name or "",
        created.replace(tzinfo=UTC) if created is not None else None,
    )  # fmt: skip


def metadata_of(items: Sequence[str]) -> dict[str, str]:
    """`key=value` texts as a mapping; a key that holds "=" itself is cut at it, as the list of volumes shows it."""
    found = {}
    for item in items:
        key, _, value = item.partition("=")
        found[key] = value
    return found


def find(reads: InventoryReads, scope: Scope, ids: Sequence[str]) -> list[Volume]:
    """The current volumes in the scope with these ids, in whichever cloud and region, ordered by key."""
    return [volume_of(row) for row in reads.read(lambda connection: snapshot_volumes.by_ids(connection, scope, ids))]
