"""A machine that is deleted, from what the store last had of it; and what the cloud still has that belonged to it.

Its volumes may have survived (the root with the snapshots that keep it, data disks that were not to go with it), its
floating IPs are free again, and backups are found by the ids of volumes that are gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

from engine.inventory.events_rules import items
from engine.restore.models import Disk, Key
from engine.restore.planning.asking import Asking, Doc, text
from engine.restore.planning.reading_machine import VOLUME, disks_of, volume_ids
from store.estate.reading import history
from store.estate.reading.models import Scope
from store.types import registry

if TYPE_CHECKING:
    import duckdb

    from engine.inventory.reads import InventoryReads

DELETED = "deleted"  # status of a volume that is not there any more
_ENDING = ("DELETED", "SOFT_DELETED")


@dataclass(frozen=True, slots=True)
class Remembered:
    """Stored documents of a machine that is gone, each as it was while the machine had it.

    volumes  {id: document}; ports in no order; floating IPs with the port they pointed at
    """

    server: Doc
    volumes: Mapping[str, Doc] = field(default_factory=dict)
    ports: Sequence[Doc] = ()
    floating: Sequence[Doc] = ()


def remembered(reads: InventoryReads, key: Key, scope: Scope) -> Remembered | None:
    """What the store last had of the machine; None when it never had it, within the scope."""

    def work(connection: duckdb.DuckDBPyConnection) -> Remembered | None:
        place, id = key[:2], key[2]
        server = _last(connection, "server", place, id, scope)
        if server is None:
            return None
        volumes: dict[str, dict[str, Any]] = {}
        # The newest first: the latest one in which it hung on the machine counts, else the latest of all.
        for version in history.versions_of(connection, registry.ALL["volume"], place, volume_ids(server)):
            doc, known = _document(version), volumes.get(version["id"])
            if known is None or (_attached(doc, id) and not _attached(known, id)):
                volumes[version["id"]] = doc
        ports = _those_it_had(_linked(connection, "port", place, "device_id", [id]), server)
        floating = _linked(connection, "floating_ip", place, "port_id", [text(port.get("id")) for port in ports])
        return Remembered(server, volumes, ports, floating)

    return reads.read(work)


def attachments(kept: Remembered) -> list[dict[str, Any]]:
    """Its attachments as Nova would list them, out of the volumes' documents."""
    return [
        {"volumeId": id, "device": text(one.get("device"))}
        for id, doc in kept.volumes.items()
        for one in items(doc.get("attachments"))
        if text(one.get("server_id")) == text(kept.server.get("id"))
    ]


def disks(kept: Remembered, attached: Sequence[Doc], live: Mapping[str, Doc | None]) -> tuple[Disk, ...]:
    """Its disks as they were; what is still there has the status it has now, what is not is "deleted"."""
    return tuple(
        replace(disk, status=text((live.get(disk.volume_id) or {}).get("status")).lower() or DELETED)
        for disk in disks_of(kept.server, attached, kept.volumes)
    )


def survivors(live: Mapping[str, Doc | None]) -> tuple[str, ...]:
    """Ids of its volumes that are still there and free."""
    return tuple(id for id, doc in live.items() if doc is not None and text(doc.get("status")).lower() == "available")


def volumes_now(ask: Asking, ids: Sequence[str]) -> dict[str, Any]:
    """Ask for the volumes as they are now: {id: what will be the document, or None}."""
    return {id: ask.later(ask.one, "block-storage", f"/volumes/{id}", "volume", VOLUME) for id in ids}


def free_floating(ask: Asking, floating: Sequence[Doc]) -> list[Doc]:
    """Those of its floating IPs that are still there and point at nothing, as they were."""
    ids = [("id", text(one.get("id"))) for one in floating]
    rows = ask.rows("network", "/floatingips", "floatingips", query=ids) if ids else []
    free = {text(one.get("id")) for one in rows if not one.get("port_id")}
    return [one for one in floating if text(one.get("id")) in free]


def _last(
    connection: duckdb.DuckDBPyConnection, type: str, place: tuple[str, str], id: str, scope: Scope
) -> dict[str, Any] | None:
    """Its document as it was before it began to go."""
    versions = history.versions_of(connection, registry.ALL[type], place, [id], scope, 20)
    docs = [_document(version) for version in versions]
    whole = [doc for doc in docs if doc.get("OS-EXT-STS:task_state") != "deleting" and doc.get("status") not in _ENDING]
    return next(iter((*whole, *docs)), None)


def _linked(
    connection: duckdb.DuckDBPyConnection, type: str, place: tuple[str, str], column: str, values: Sequence[str]
) -> list[dict[str, Any]]:
    """The latest document that has one of the values there, of each resource that ever had."""
    declared = registry.ALL[type]
    found: dict[str, dict[str, Any]] = {}
    for value in values:
        ids = history.ever_linked(connection, declared, place, column, value)
        for version in history.versions_of(connection, declared, place, ids):
            if version["row"].get(column) == value:
                found.setdefault(version["id"], _document(version))
    return list(found.values())


def _those_it_had(ports: Sequence[dict[str, Any]], server: Doc) -> list[dict[str, Any]]:
    """Without ports that it had given up before: the machine's addresses name the others' MACs."""
    addresses = server.get("addresses")
    macs = {
        text(one.get("OS-EXT-IPS-MAC:mac_addr")).lower()
        for network in (addresses.values() if isinstance(addresses, Mapping) else ())
        for one in items(network)
    }
    return [port for port in ports if not macs or text(port.get("mac_address")).lower() in macs]


def _attached(volume: Doc, server_id: str) -> bool:
    return any(text(one.get("server_id")) == server_id for one in items(volume.get("attachments")))


def _document(version: Mapping[str, Any]) -> dict[str, Any]:
    found = orjson.loads(version["doc"]) if version["doc"] else {}
    return found if isinstance(found, dict) else {}
