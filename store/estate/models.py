"""The vocabulary of ingest: a listing, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from store.estate.visibility import Visibility

Kind = Literal["full", "delta", "ids"]
State = Literal["ok", "suspect", "failed", "partial", "not_permitted", "degraded"]
# A listing that ends in one of these did not show everything: nothing that it does not show is closed.
BROKEN = ("failed", "partial", "not_permitted", "degraded")


@dataclass(frozen=True, slots=True)
class Listing:
    """One reading of one type.

    id          UUIDv7 text
    cloud       name of the cloud
    region      region, or "" for resources of the whole cloud
    type        singular name of the resource type
    kind        "full": all rows; "delta": changed rows (only what is reported as deleted goes); "ids": all
    ids, no documents
    scope       "all", the id of the one project whose rows the listing covers, or "resource:<id>" for rows read on
                demand
    visibility  what the token could see
    started_at  aware UTC time; new versions are valid from it
    """

    id: str
    cloud: str
    region: str
    type: str
    kind: Kind
    scope: str
    visibility: Visibility
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an ended listing did.

    new, changed, gone, unchanged  numbers of resources; `filled` of those unchanged got fields that were hidden before
    suspect, reason                the listing shows fewer rows than it should; nothing was deleted, and why
    state                          the state of (cloud, region, type, scope) after it
    unknown_ids                    ids of an "ids" listing that the store has no document of: read them
    data_version                   the type's data version after the commit
    moved                          rows or the state changed, so the data version moved
    """

    new: int = 0
    changed: int = 0
    gone: int = 0
    unchanged: int = 0
    filled: int = 0
    suspect: bool = False
    reason: str = ""
    state: State = "ok"
    unknown_ids: tuple[str, ...] = ()
    data_version: int = 0
    moved: bool = False
