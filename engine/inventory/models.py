"""Requests and answers of the inventory's own API (`/q/`). Rows of lists are plain lists, not models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_ROWS = 2000  # before and after the anchor, each

Text = Annotated[str, Field(max_length=255)]
Time = Annotated[str, Field(max_length=40, description="RFC 3339, like 2026-02-08T09:00:00Z.")]
Names = Annotated[list[Text], Field(max_length=1000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class KeyAnchor(_Body):
    """The row with this (cloud, region or '', id), or its place when it is gone."""

    key: tuple[Text, Text, Annotated[str, Field(max_length=1024)]]


class RankAnchor(_Body):
    """The row with this number, from 0."""

    rank: int = Field(ge=0, lt=2**31)


class WindowBody(_Body):
    """A piece of a sorted, filtered list around an anchor."""

    type: Text
    at: Time | None = Field(None, description="A time of the past; null or absent is now.")
    filter: str = Field("", max_length=2000)
    sort: list[tuple[Text, bool]] = Field(default_factory=list, max_length=8, description="(column, descending).")
    anchor: KeyAnchor | RankAnchor | Literal["start", "end"] = "start"
    before: int = Field(0, ge=0, le=MOST_ROWS)
    after: int = Field(60, ge=0, le=MOST_ROWS)
    columns: list[Text] | None = Field(None, max_length=100)
    clouds: Names | None = None
    regions: Names | None = None
    projects: Names | None = None


class WindowAnswer(BaseModel):
    """Rows in order; `anchor_index` is null when the anchor's row does not pass, `place_index` is where it would be."""

    type: str
    columns: list[str]
    rows: list[list[Any]]
    anchor_index: int | None
    place_index: int
    has_before: bool
    has_after: bool
    at: str | None
    data_version: int
    data_age_seconds: float | None
    states: list[dict[str, Any]]


class PositionAnswer(BaseModel):
    """How many rows pass, and how many of them lie before the anchor."""

    total: int
    rank: int
    data_version: int


class ResourceAnswer(BaseModel):
    """One resource: its row, its document as the cloud gave it (secrets taken out), and what belongs to it."""

    type: str
    key: list[str]
    row: dict[str, Any]
    doc: dict[str, Any]
    denied: list[str]
    valid_from: str
    valid_to: str | None
    links: list[dict[str, Any]]
    listing: dict[str, Any] | None


class Items(BaseModel):
    """A list that is short enough to have no pages."""

    items: list[dict[str, Any]]


class Hints(BaseModel):
    """What changed since; `seq` goes into the next call."""

    seq: int
    hints: list[dict[str, Any]]


class Decision(_Body):
    """A person's word on rows that vanished suspiciously: gone (`accept`) or still there."""

    cloud: Text
    region: Text = ""
    type: Text
    accept: bool


class CollectionStart(_Body):
    """What to collect; null is everything. `full` asks for whole listings instead of changes."""

    clouds: Names | None = None
    types: Names | None = None
    full: bool = False
