"""Requests and answers of /q/views and /q/columns."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

MOST_TEXT = 2000
MOST_COLUMNS = 100


class ViewKeep(BaseModel):
    """Body of PUT /q/views/{name}: the view as a line of text, and the columns to show (none: the usual ones)."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=MOST_TEXT)
    columns: list[str] = Field(default_factory=list, max_length=MOST_COLUMNS)
    cloud: str | None = Field(None, max_length=63)
    shared: bool = False


class SavedView(BaseModel):
    """A view under a name; `mine`: the caller may change it without being an admin."""

    name: str
    text: str
    columns: list[str]
    cloud: str | None
    shared: bool
    by: str
    updated_at: str
    mine: bool


class SavedViews(BaseModel):
    """The caller's views, then the shared ones."""

    items: list[SavedView]


class ColumnsKeep(BaseModel):
    """Body of PUT /q/columns/{type}: the columns shown, in order; `wide`: as wide as their texts."""

    model_config = ConfigDict(extra="forbid")

    columns: list[str] = Field(min_length=1, max_length=MOST_COLUMNS)
    wide: bool = False


class ColumnChoice(BaseModel):
    """The columns of one type's list. `chosen` is false for the declared ones."""

    type: str
    columns: list[str]
    wide: bool
    chosen: bool


class ColumnChoices(BaseModel):
    """All that the caller chose."""

    items: list[ColumnChoice]
