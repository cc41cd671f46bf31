"""Requests and answers about settings."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Change(BaseModel):
    """The new value of a setting."""

    model_config = ConfigDict(extra="forbid")

    value: Any


class Item(BaseModel):
    """One setting. `locked`: the configuration file sets it; `changeable`: the app may."""

    key: str
    value: Any
    default: Any
    source: Literal["default", "app", "file"]
    locked: bool
    changeable: bool
    allowed: str
    description: str
    updated_at: str | None
    updated_by: str | None


class Items(BaseModel):
    """Every setting, and the path of the configuration file, if there is one."""

    file: str | None
    items: list[Item]
