"""What the hand-over is made of, and the requests and answers of /q/shift and /q/handover."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from engine.access.models import Caller

Row = Mapping[str, Any]  # values: text, number, bool, aware datetime or None; `cloud`, `type` and `key` lead to it
Provider = Callable[[Caller, datetime, datetime], "Found"]


@dataclass(frozen=True, slots=True)
class Found:
    """What a provider knows: rows in the order they are read, and how many there are where not all are given."""

    rows: Sequence[Row]
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the hand-over page. A room registers its own with `HandoverService.register`.

    columns   (name in the rows, head for people), in order
    provider  provider(caller, since, until) -> Found: what the caller may see of it. May block and raise ApiError
    place     order on the page, smaller first
    none      what the page says where there is nothing
    """

    name: str
    title: str
    columns: tuple[tuple[str, str], ...]
    provider: Provider
    place: int = 50
    none: str = "none"


class Pages(Protocol):
    """What the hand-over asks of the jobs."""

    def page(self, caller: Caller, *, state: Sequence[str], limit: int) -> tuple[int, list[dict[str, Any]]]:
        """(total, jobs newest first), those in one of the states that the caller may see."""
        ...


class ShiftStart(BaseModel):
    """Body of POST /q/shift/start."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field("", max_length=1000)


class Mark(BaseModel):
    """Where somebody's shift began."""

    id: str
    by: str
    at: str
    note: str
    mine: bool


class Shift(BaseModel):
    """The caller's own mark, null before the first; and the newest marks of everybody."""

    mine: Mark | None
    items: list[Mark]


class Column(BaseModel):
    """One column of a section."""

    name: str
    title: str


class SectionAnswer(BaseModel):
    """One section; `problem` says why it could not be made."""

    name: str
    title: str
    columns: list[Column]
    rows: list[dict[str, Any]]
    total: int
    none: str
    problem: str | None


class Handover(BaseModel):
    """The page; `mark` is the caller's mark when that is where it begins."""

    since: str
    until: str
    by: str
    mark: Mark | None
    sections: list[SectionAnswer]
