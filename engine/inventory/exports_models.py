"""The request of an export."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.inventory.models import Text, WindowBody

MOST_EXPORTED = 1_000_000  # rows of one file
MOST_PICKED = 100_000  # keys of rows that are picked or left out

RowKey = tuple[Text, Text, Annotated[str, Field(max_length=1024)]]
Keys = Annotated[list[RowKey], Field(max_length=MOST_PICKED)]


class ExportBody(WindowBody):
    """A list as `POST /q/windows` takes it; its anchor is not looked at.

    `columns` are exactly those of the file, in their order; cloud, region, id and the type's default ones when absent.
    """

    format: Literal["csv", "json", "xlsx", "parquet"] = "csv"
    keys: Keys | None = Field(None, description="Only these rows of the list.")
    minus: Keys = Field(default_factory=list, description="All rows but these.")
    limit: int | None = Field(None, ge=1, le=MOST_EXPORTED, description="The first rows only.")
