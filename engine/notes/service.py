"""Notes: who wrote what about which thing, and until when it holds. A note changes no cloud."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, insert, or_, select, update

from engine.access import rules
from engine.access.models import Caller
from engine.api.answers import dump
from engine.api.errors import BadRequest, Conflict, Forbidden, NotFound
from engine.audit.service import AuditService
from engine.notes.models import Subject
from store import times
from store.ids import uuid7
from store.ops.notes_tables import notes
from store.ops.ops import Ops
from store.types import registry

Visible = Callable[[Caller, str, Sequence[str]], bool]
MOST_ON_ONE = 500  # current notes on one thing; more is a script that went wrong
_KEY_PART = 512


class NoteService:
    """Keeps notes and finds them.

    visible  visible(caller, type, key): whether a caller whose role is limited may see a resource
    changed  called after each change
    """

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        visible: Visible,
        changed: Callable[[], Any] = lambda: None,
        *,
        clock: Callable[[], datetime] = times.utcnow,
    ) -> None:
        self._ops = ops
        self._audit = audit
        self._visible = visible
        self._changed = changed
        self._clock = clock

    def add(self, caller: Caller, subject: Subject, text: str, until: datetime | None = None) -> dict[str, Any]:
        """Keep a note and return it. Raises BadRequest, NotFound for what the caller cannot see, Conflict when full."""
        now = self._clock()
        values = _subject_values(subject)
        if not text.strip():
            raise BadRequest("Invalid parameter: text is empty; a note says something")
        _storable(text, subject.name)
        if until is not None and until <= now:
            raise BadRequest("Invalid parameter: until is past; a note holds until a time to come")
        row = {
            **values,
            "id": uuid7(),
            "text": text.strip(),
            "until": until,
            "created_at": now,
            "owner": caller.owner,
            "created_by": caller.name[:255],
            "removed_at": None,
        }
        if not self._sees(caller, row):
            raise NotFound(f"there is no {subject.type or subject.kind} with this key, or you may not see it")
        detail = {"note": row["id"], "kind": subject.kind, "key": subject.key, "cloud": row["cloud"]}
        with self._ops.begin() as connection:
            held = [*_about(values), _current(now)]
            if len(connection.execute(select(notes.c.id).where(*held).limit(MOST_ON_ONE)).all()) >= MOST_ON_ONE:
                raise Conflict(f"there are {MOST_ON_ONE} notes on this already; take back some of them first")
            connection.execute(insert(notes).values(row))
            self._audit.record(caller, "note.add", _target(subject), detail, connection=connection)
        self._changed()
        return self._told(row, caller, now)

    def remove(self, caller: Caller, id: str) -> None:
        """Take a note back. Raises NotFound, Forbidden for another person's note without the right to."""
        now = self._clock()
        with self._ops.begin() as connection:
            row = connection.execute(select(notes).where(notes.c.id == id, notes.c.removed_at.is_(None))).mappings()
            found = dict(row.one_or_none() or {})
            if not found or not self._sees(caller, found):
                raise NotFound("there is no such note, or it was taken back")
            if found["owner"] != caller.owner and not rules.allows(caller.role, "tickets:admin"):
                raise Forbidden(f"this note is {found['created_by']}'s: only its writer or an admin takes it back")
            change = {"removed_at": now, "removed_by": caller.name[:255]}
            connection.execute(update(notes).where(notes.c.id == id).values(change))
            detail = {"note": id, "by": found["created_by"], "cloud": found["cloud"]}
            self._audit.record(caller, "note.remove", _target(_subject(found)), detail, connection=connection)
        self._changed()

    def page(
        self,
        caller: Caller,
        *,
        subject: Subject | None = None,
        kind: str | None = None,
        cloud: str | None = None,
        by: str | None = None,
        text: str | None = None,
        since: datetime | None = None,
        past: bool = False,
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[int, list[dict[str, Any]]]:
        """(total, notes newest first) that the caller may see. `past`: also those that hold no more."""
        now = self._clock()
        conditions: list[ColumnElement[bool]] = [notes.c.removed_at.is_(None)] if past else [_current(now)]
        if subject is not None:
            conditions += _about(_subject_values(subject))
        for column, wanted in ((notes.c.kind, kind), (notes.c.cloud, cloud), (notes.c.created_by, by)):
            if wanted is not None:
                conditions.append(column == wanted)
        if text is not None:
            conditions.append(notes.c.text.icontains(text, autoescape=True))
        if since is not None:
            conditions.append(notes.c.created_at >= since)
        order = (notes.c.created_at.desc(), notes.c.id.desc())
        with self._ops.read() as connection:
            rows = connection.execute(select(notes).where(*conditions).order_by(*order)).mappings()
            seen: dict[tuple[str, str], bool] = {}
            total, found = 0, []
            for row in map(dict, rows):
                about = (row["type"], row["key"])
                if row["owner"] != caller.owner and caller.limited:
                    if about not in seen:
                        seen[about] = self._sees(caller, row)
                    if not seen[about]:
                        continue
                if offset <= total < offset + limit:
                    found.append(self._told(row, caller, now))
                total += 1
        return total, found

    def about(self, caller: Caller, subject: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Notes on one thing, the newest first, those past their `until` too: text, by, at, until."""
        wanted = Subject(kind=subject["kind"], type=subject["type"], key=list(subject["key"]), name="")
        _, found = self.page(caller, subject=wanted, past=True, limit=MOST_ON_ONE)
        return [
            {"text": note["text"], "by": note["created_by"], "at": note["created_at"], "until": note["until"]}
            for note in found
        ]

    def _sees(self, caller: Caller, row: Mapping[str, Any]) -> bool:
        """A limited caller sees notes on resources within his limits, on problems of his clouds, and his own ones."""
        if row["kind"] == "resource":
            if not rules.allows(caller.role, f"{rules.resource_of_type(registry.ALL[row['type']].plural)}:read"):
                return False
            return not caller.limited or self._visible(caller, row["type"], orjson.loads(row["key"]))
        if row["kind"] == "problem" and caller.clouds is not None and row["cloud"] in caller.clouds:
            return True
        return not caller.limited or row["owner"] == caller.owner

    def _told(self, row: Mapping[str, Any], caller: Caller, now: datetime) -> dict[str, Any]:
        return {
            "id": row["id"],
            "subject": _subject(row).model_dump(),
            "text": row["text"],
            "until": row["until"],
            "created_at": row["created_at"],
            "created_by": row["created_by"],
            "current": row["until"] is None or row["until"] > now,
            "mine": row["owner"] == caller.owner,
        }


def _subject_values(subject: Subject) -> dict[str, Any]:
    """The columns of a subject. Raises BadRequest for one that names nothing."""
    if any(len(part) > _KEY_PART for part in subject.key):
        raise BadRequest(f"Invalid parameter: a part of key may have {_KEY_PART} characters")
    _storable(subject.type, *subject.key)
    type, cloud = subject.type, None
    if subject.kind == "resource":
        try:
            type = registry.find(subject.type).name
        except KeyError as error:
            raise BadRequest(f"Invalid parameter: subject.type: {error.args[0]}") from None
        if len(subject.key) != 3 or not subject.key[0] or not subject.key[2]:
            raise BadRequest('Invalid parameter: the key of a resource is [cloud, region or "", id]')
        cloud = subject.key[0][:63]
    elif subject.kind == "problem":
        cloud = subject.key[0][:63] or None
    if not subject.key[0]:
        raise BadRequest("Invalid parameter: key is empty")
    return {
        "kind": subject.kind,
        "type": type,
        "key": dump(subject.key).decode(),
        "name": subject.name,
        "cloud": cloud,
    }


def _storable(*texts: str) -> None:
    """Refuse half characters, which no database and no terminal takes."""
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadRequest("Invalid parameter: the text holds half a character (a lone surrogate)") from None


def _about(values: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    return [notes.c.kind == values["kind"], notes.c.type == values["type"], notes.c.key == values["key"]]


def _current(now: datetime) -> ColumnElement[bool]:
    return notes.c.removed_at.is_(None) & or_(notes.c.until.is_(None), notes.c.until > now)


def _subject(row: Mapping[str, Any]) -> Subject:
    return Subject(kind=row["kind"], type=row["type"], key=orjson.loads(row["key"]), name=row["name"])


def _target(subject: Subject) -> str:
    return " ".join(part for part in (subject.type or subject.kind, subject.name or subject.key[-1]) if part)
