"""Paging and sorting of lists, as documented: `page`/`page_size` or `limit`/`offset`, at most 10,000 rows deep."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Query

from engine.api.errors import BadRequest

DEFAULT_SIZE = 100
MOST_ROWS = 1000
DEEPEST = 10_000


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows of a list are asked for: `limit` rows from `offset` on; `by_offset` when asked in those words."""

    limit: int = DEFAULT_SIZE
    offset: int = 0
    by_offset: bool = False

    @property
    def number(self) -> int:
        """The page's number, from 1; the one that `offset` lies in when asked by offset."""
        return self.offset // self.limit + 1

    def answer(self, total: int, items: Sequence[Any], key: str = "items", **more: Any) -> dict[str, Any]:
        """`{"total", "page", "page_size", "items"}`, and `limit` and `offset` too when those were asked for."""
        found: dict[str, Any] = {"total": total, "page": self.number, "page_size": self.limit}
        if self.by_offset:
            found |= {"limit": self.limit, "offset": self.offset}
        return {**found, **more, key: items}


def page(
    page: Annotated[int | None, Query(ge=1, description="Page, from 1.")] = None,
    page_size: Annotated[int | None, Query(ge=1, le=MOST_ROWS, description="Rows a page; 100 unless given.")] = None,
    limit: Annotated[int | None, Query(ge=1, le=MOST_ROWS, description="Rows; 100 unless given.")] = None,
    offset: Annotated[int | None, Query(ge=0, description="First row, from 0.")] = None,
) -> Page:
    """FastAPI dependency (`Depends(page)`): the Page asked for. Raises BadRequest for a mixture or one too deep."""
    by_offset = limit is not None or offset is not None
    if by_offset and (page is not None or page_size is not None):
        raise BadRequest("Invalid parameter: use page and page_size, or limit and offset, not both")
    size = (limit if by_offset else page_size) or DEFAULT_SIZE
    start = (offset or 0) if by_offset else ((page or 1) - 1) * size
    if start + size > DEEPEST:
        raise BadRequest(
            f"Invalid parameter: lists go {DEEPEST} rows deep and this page ends at row {start + size}; "
            "narrow the list with a filter"
        )
    return Page(size, start, by_offset)


@dataclass(frozen=True, slots=True)
class Sort:
    """`sort_by` (None: the list's own order) and its direction."""

    column: str | None = None
    descending: bool = False

    def within(self, columns: Collection[str]) -> Sort:
        """Itself, if `columns` has its column. Raises BadRequest that lists them."""
        if self.column is not None and self.column not in columns:
            raise BadRequest(f"Invalid parameter: sort_by must be one of {', '.join(sorted(columns))}")
        return self


def sort(
    sort_by: Annotated[str | None, Query(max_length=64, description="Column to sort by.")] = None,
    sort_dir: Annotated[Literal["asc", "desc"], Query(description="Direction.")] = "asc",
) -> Sort:
    """FastAPI dependency (`Depends(sort)`): the Sort asked for."""
    return Sort(sort_by or None, sort_dir == "desc")
