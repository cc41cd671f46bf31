"""Answers of the time line of events and of the console log."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

Source = Literal["nova", "fault", "cinder", "state", "audit", "note"]
Level = Literal["info", "warning", "error"]
# How sure it is who did it: our own audit has the request; the cloud names a person; the cloud names one of its own
# services; only the creator is known; nobody is named.
Grade = Literal["certain", "cloud", "service", "creator", "unknown"]


class ChildEvent(BaseModel):
    """A step of an event: what Nova did for one action, and how it ended."""

    at: str
    ended_at: str | None
    title: str
    detail: str
    level: Level
    host: str


class Event(BaseModel):
    """One line of the time line.

    kind     the action, the message's code, or what became of the resource (seen, changed, gone, back)
    actor    a name, only where the cloud or our own audit gives one; `grade` says how sure that is
    about    {type, id, name} of another resource that belongs to this one; null = the resource itself
    changes  [{field, from, to}] of a change of state
    """

    at: str
    source: Source
    kind: str
    title: str
    detail: str
    actor: str | None
    grade: Grade
    request_id: str | None
    level: Level
    about: dict[str, Any] | None
    changes: list[dict[str, str]]
    children: list[ChildEvent]


class EventsAnswer(BaseModel):
    """The events, newest first. `problems`: sources that could not be asked; `remarks`: what else a reader has to know;
    `more`: older events were left out."""

    type: str
    key: list[str]
    name: str | None
    at: str
    items: list[Event]
    problems: list[str]
    remarks: list[str]
    more: bool


class ConsoleLogAnswer(BaseModel):
    """The end of a machine's console log, made harmless: no escape sequences, no control characters but line ends.

    lines      how many there are in `text`
    truncated  the cloud has, or had, more before these
    """

    key: list[str]
    name: str | None
    at: str
    text: str
    lines: int
    truncated: bool
