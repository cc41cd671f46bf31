"""Requests and answers of /q/notes."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["resource", "job", "drift", "problem"]
MOST_TEXT = 4000


class Subject(BaseModel):
    """What a note is about. `key` of a resource: [cloud, region or "", id]; of everything else its id, or the parts
    that name it. `type` is a resource type ("server"), or what kind of problem; `name` as people call it.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    type: str = Field("", max_length=64)
    key: list[str] = Field(min_length=1, max_length=6)
    name: str = Field("", max_length=255)


class NoteAdd(BaseModel):
    """Body of POST /q/notes. `until`: RFC 3339; after it the note is not current any more."""

    model_config = ConfigDict(extra="forbid")

    subject: Subject
    text: str = Field(min_length=1, max_length=MOST_TEXT)
    until: str | None = Field(None, max_length=40)


class Note(BaseModel):
    """One note. `current`: neither taken back nor past its `until`; `mine`: the caller wrote it."""

    id: str
    subject: Subject
    text: str
    until: str | None
    created_at: str
    created_by: str
    current: bool
    mine: bool


class Notes(BaseModel):
    """A page of notes, the newest first."""

    total: int
    page: int
    page_size: int
    items: list[Note]
