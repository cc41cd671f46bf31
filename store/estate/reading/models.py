"""What is asked of the reading side."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from store.filters import Filter

Key = tuple[str, str, str]  # (cloud, region or '', id)
Anchor = Key | Literal["start", "end"] | int


class UnknownColumn(KeyError):
    """A column that the type does not have; `str(error.args[0])` is one clear sentence."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows may be read, and which are wanted.

    clouds, projects, domains   limits of the caller's role (None = no limit); a row must lie within all of them
    in_clouds, in_regions, in_projects   the person's own choice (None = all); types without a project pass
                                         `in_projects`
    """

    clouds: tuple[str, ...] | None = None
    projects: tuple[str, ...] | None = None
    domains: tuple[str, ...] | None = None
    in_clouds: tuple[str, ...] | None = None
    in_regions: tuple[str, ...] | None = None
    in_projects: tuple[str, ...] | None = None

    @property
    def limited(self) -> bool:
        """Whether the role is limited to projects or domains."""
        return self.projects is not None or self.domains is not None


@dataclass(frozen=True, slots=True)
class Window:
    """A piece of a sorted list.

    type     name of the resource type
    columns  names of the columns wanted (None = the type's default ones)
    at       aware time; None = now
    filter   a filter's text, or its tree
    sort     (column, descending) pairs; () = the type's default order. (cloud, region, id) always ends the order
    anchor   the row it lies around: a key (also one that is gone: its place counts), "start", "end", or a rank from 0
    before, after   rows wanted before and after the anchor
    """

    type: str
    columns: tuple[str, ...] | None = None
    at: datetime | None = None
    filter: str | Filter = ""
    sort: tuple[tuple[str, bool], ...] = ()
    anchor: Anchor = "start"
    before: int = 0
    after: int = 60
    scope: Scope = field(default_factory=Scope)
