"""The vocabulary of "find anything"."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class FoundItem(BaseModel):
    """A resource, while it fitted: one answer.

    type      resource type, or "audit" for a record of our own audit
    key       cloud, region, id
    what      a sentence, with the end of it in UTC; `says` is the same without the time
    value     the value that fitted, `why` the column it is in
    owner     the metadata key `owner`, else who created it, else its project
    machine   {"key", "name"} of the server that it belonged to (itself, of a server)
    from, to  since when and until when it fitted so; to null: it still does
    gone      the resource is not there any more
    in_place_of, replaced_by  ids: whose place it took in a restore, and what has its place now
    """

    type: str
    key: list[str]
    name: str | None
    what: str
    says: str
    value: str | None
    project: str | None
    domain: str | None
    creator: str | None
    owner: str | None
    machine: dict[str, Any] | None
    host: str | None
    network: str | None
    status: str | None
    from_: str = Field(alias="from")
    to: str | None
    gone: bool
    why: str
    in_place_of: str | None = None
    replaced_by: str | None = None


class FindAnswer(BaseModel):
    """`understood`: what the text was taken for; `more`: there are more than `limit`."""

    query: str
    understood: str
    at: str | None
    items: list[FoundItem]
    more: bool
    took_ms: float
