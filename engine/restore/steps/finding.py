"""Finding again what a step made: by the mark that was noted before the cloud was asked.

A mark is unguessable, so what carries it was made by us, or by somebody who read it there and copied it: whoever
removes anything looks into the records besides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from engine.restore.models import MARK

Get = Callable[..., dict[str, Any] | None]  # get(service, path, microversion, query): engine/restore/steps/work.py
_PAGE = 200
_PAGES = 50


def volume(get: Get, mark: str) -> dict[str, Any] | None:
    """The volume with that mark in its metadata, of the project of the session; None for none."""
    return _by_metadata(_pages(get, "block-storage", "/volumes/detail", "volumes", [("sort", "created_at:desc")]), mark)


def snapshot(get: Get, mark: str, volume_id: str = "") -> dict[str, Any] | None:
    """The snapshot with that mark, of that volume where it is given."""
    query = [("sort", "created_at:desc"), *([("volume_id", volume_id)] if volume_id else [])]
    return _by_metadata(_pages(get, "block-storage", "/snapshots/detail", "snapshots", query), mark)


def server(get: Get, mark: str) -> dict[str, Any] | None:
    """The server with that mark."""
    query = [("sort_key", "created_at"), ("sort_dir", "desc")]
    return _by_metadata(_pages(get, "compute", "/servers/detail", "servers", query), mark)


def image(get: Get, mark: str) -> dict[str, Any] | None:
    """The image with that mark: Glance keeps it as a property; an upload of Cinder's can only have it as its name."""
    if not mark:
        return None
    for key in (MARK, "name"):
        found = (get("image", "/images", "", [(key, mark), ("limit", "20")]) or {}).get("images")
        for row in found or ():
            if isinstance(row, dict) and row.get(key) == mark:
                return row
    return None


def port(get: Get, mark: str) -> dict[str, Any] | None:
    """The port whose description is that mark: ports have no metadata, and no tags when they are made."""
    if not mark:
        return None
    found = (get("network", "/ports", "", [("description", mark)]) or {}).get("ports")
    return next((row for row in found or () if isinstance(row, dict) and row.get("description") == mark), None)


def _by_metadata(rows: Iterator[dict[str, Any]], mark: str) -> dict[str, Any] | None:
    if not mark:
        return None
    for row in rows:
        metadata = row.get("metadata")
        if isinstance(metadata, Mapping) and metadata.get(MARK) == mark:
            return row
    return None


def _pages(get: Get, service: str, path: str, name: str, query: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    marker: list[tuple[str, str]] = []
    for _ in range(_PAGES):
        found = get(service, path, "", [*query, ("limit", str(_PAGE)), *marker]) or {}
        rows = [row for row in found.get(name) or () if isinstance(row, dict)]
        yield from rows
        # A cloud may have smaller pages than asked for: only its link says that there is more.
        if not rows or not found.get(f"{name}_links"):
            return
        marker = [("marker", str(rows[-1].get("id")))]
