"""The audit: who did what to what, with which outcome, chained by hashes so that a change of history shows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, func, insert, or_, select, update

from engine.access.models import Caller
from engine.api.answers import dump
from store import times
from store.ids import uuid7
from store.ops.audit_tables import audit_tickets
from store.ops.ops import Ops
from store.ops.tables import Instant, audit, meta

_HEAD = "audit_head"  # meta: "<seq> <hash>" of the newest record, so that a cut-off end shows too
_FIRST = "0" * 64
_DETAIL_BYTES = 65_536
_SEALED = tuple(c for c in audit.c if c.name != "hash")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Outcome of `verify`: `records` read, `head` (hash of the newest), and what is wrong with which record."""

    ok: bool
    records: int
    head: str
    problem: str | None = None
    seq: int | None = None


class AuditService:
    """Appends to the audit and reads it. A record is on disk when `record` returns."""

    def __init__(self, ops: Ops) -> None:
        self._ops = ops

    def record(
        self,
        caller: Caller,
        action: str,
        target: str,
        detail: Mapping[str, Any] | None = None,
        outcome: str = "ok",
        connection: Connection | None = None,
        *,
        ending: bool = False,
    ) -> str:
        """Append one record and return its id.

        action      "room.verb", like "cloud.add"; the outcome of an intent is a record of its own
        target      what it was done to, as a person names it
        detail      facts as JSON, at most 64 KB; never secrets
                    ("ticket" and "reason" of it are what people look for by these names)
        outcome     "ok", "failed", "refused" or "intent"
        connection  a transaction of `ops.begin()` to join, so that the act and its record stand or fall together
        ending      it says how something begun before ended, and may use the reserve of a full disk
        Raises OpsError when it cannot be written: then the act must not happen. ValueError when detail is too large.
        """
        text = dump(dict(detail or {}))
        if len(text) > _DETAIL_BYTES:
            raise ValueError(f"an audit record's detail may have {_DETAIL_BYTES} bytes, this one has {len(text)}")
        values: dict[str, Any] = {
            "id": uuid7(),
            "at": times.utcnow(),
            "actor": caller.name[:255],
            "role": caller.role,
            "via": caller.via,
            "uid": caller.uid,
            "login_uid": caller.login_uid,
            "login_name": caller.login_name,
            "token_id": caller.token_id,
            "action": action,
            "target": target,
            "detail": text.decode(),
            "outcome": outcome,
        }
        if connection is not None:
            _append(connection, values)
        elif ending:
            self._ops.finish(lambda own: _append(own, values))
        else:
            with self._ops.begin() as own:
                _append(own, values)
        return values["id"]

    def page(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        actor: str | None = None,
        action: str | None = None,
        outcome: str | None = None,
        text: str | None = None,
        ticket: str | None = None,
        target: str | None = None,
        cloud: str | None = None,
        without: Sequence[str] = (),
        intents: bool = True,
        only: Caller | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[int, list[dict[str, Any]]]:
        """(total, records newest first). `actor` also finds the login name behind sudo; `action` may end in "*";
        `text` is looked for in everything a record says, `target` in the target; `ticket` is the whole ticket, also in
        capitals or small letters; `cloud` finds records that name it in their detail, or are about the cloud itself.
        `without`: actions that begin so are left out; `intents` false: only how things ended. `only`: nothing but what
        this caller did.
        """
        conditions = _conditions(since, until, actor, action, outcome, text)
        conditions += _subject_conditions(ticket, target, cloud)
        conditions += [~audit.c.action.startswith(prefix, autoescape=True) for prefix in without]
        conditions += [] if intents else [audit.c.outcome != "intent"]
        if only is not None:
            conditions += [
                audit.c.actor == only.name,
                audit.c.via == only.via,
                audit.c.uid.is_not_distinct_from(only.uid),
            ]
        with self._ops.read() as connection:
            total = connection.scalar(select(func.count()).select_from(audit).where(*conditions)) or 0
            rows = connection.execute(
                select(audit).where(*conditions).order_by(audit.c.seq.desc()).limit(limit).offset(offset)
            ).mappings()
            return total, [{**row, "detail": orjson.loads(row["detail"])} for row in rows]

    def one(self, seq: int, only: Caller | None = None) -> dict[str, Any] | None:
        """One record with `sealed`: whether its hash, and the link to the one before, are right. None: not there."""
        conditions = [audit.c.seq.in_((seq - 1, seq))]
        with self._ops.read() as connection:
            rows = connection.execute(select(audit).where(*conditions).order_by(audit.c.seq)).mappings().all()
        found = next((row for row in rows if row["seq"] == seq), None)
        if found is None or (only is not None and not _is_by(dict(found), only)):
            return None
        before = rows[0]["hash"] if rows[0]["seq"] == seq - 1 else _FIRST if seq == 1 else None
        sealed = found["previous_hash"] == before and found["hash"] == _seal(dict(found))
        return {**found, "detail": orjson.loads(found["detail"]), "sealed": sealed}

    def verify(self) -> Verdict:
        """Read the whole chain again and say whether it is as it was written. Costs about 20 µs a record."""
        previous, count = _FIRST, 0
        with self._ops.read() as connection:
            head = _head(connection)
            tickets = {row.seq: row.ticket for row in connection.execute(select(audit_tickets))}
            for row in connection.execute(select(audit).order_by(audit.c.seq)).mappings():
                count += 1
                if row["seq"] != count:
                    return Verdict(False, count, previous, f"record {count} is missing", count)
                if row["previous_hash"] != previous or row["hash"] != _seal(dict(row)):
                    return Verdict(False, count, previous, f"record {count} was changed after it was written", count)
                if _ticket(row["detail"]) != tickets.pop(count, None):
                    return Verdict(False, count, previous, f"the ticket of record {count} is not found by", count)
                previous = row["hash"]
        if head != (count, previous):
            return Verdict(False, count, previous, f"the newest records are missing: {head[0]} were written", count)
        return Verdict(True, count, previous)


def _append(connection: Connection, values: dict[str, Any]) -> None:
    seq, previous = _head(connection)
    row = {**values, "seq": seq + 1, "previous_hash": previous}
    row["hash"] = _seal(row)
    connection.execute(insert(audit).values(row))
    if (ticket := _ticket(row["detail"])) is not None:
        connection.execute(insert(audit_tickets).values(ticket=ticket, seq=row["seq"]))
    head = f"{seq + 1} {row['hash']}"
    if seq:
        connection.execute(update(meta).where(meta.c.key == _HEAD).values(value=head))
    else:
        connection.execute(insert(meta).values(key=_HEAD, value=head))


def _head(connection: Connection) -> tuple[int, str]:
    found = connection.scalar(select(meta.c.value).where(meta.c.key == _HEAD))
    if found is None:
        return 0, _FIRST
    seq, _, sealed = found.partition(" ")
    return int(seq), sealed


def _seal(row: Mapping[str, Any]) -> str:
    """SHA-256 over every field of a record and the hash of the one before it."""
    fields = []
    for column in _SEALED:
        value = row[column.name]
        fields.append(times.micros(value) if isinstance(column.type, Instant) else value)
    return hashlib.sha256(dump(fields)).hexdigest()


def _ticket(detail: str) -> str | None:
    """The ticket that a record's detail names. Parsed only where the word stands in it."""
    if '"ticket"' not in detail:
        return None
    ticket = orjson.loads(detail).get("ticket")
    return ticket[:255] if isinstance(ticket, str) and ticket else None


def _is_by(row: Mapping[str, Any], caller: Caller) -> bool:
    return (row["actor"], row["via"], row["uid"]) == (caller.name, caller.via, caller.uid)


def _subject_conditions(ticket: str | None, target: str | None, cloud: str | None) -> list[Any]:
    found: list[Any] = []
    if ticket is not None:
        # As written, in capitals, in small letters: each is found by the index.
        spellings = {ticket, ticket.upper(), ticket.lower()}
        found.append(audit.c.seq.in_(select(audit_tickets.c.seq).where(audit_tickets.c.ticket.in_(spellings))))
    if target is not None:
        found.append(audit.c.target.contains(target, autoescape=True))
    if cloud is not None:
        named = f'"cloud":{dump(cloud).decode()}'
        found.append((audit.c.target == cloud) | audit.c.detail.contains(named, autoescape=True))
    return found


def _conditions(
    since: datetime | None,
    until: datetime | None,
    actor: str | None,
    action: str | None,
    outcome: str | None,
    text: str | None,
) -> list[Any]:
    found: list[Any] = []
    if since is not None:
        found.append(audit.c.at >= since)
    if until is not None:
        found.append(audit.c.at < until)
    if actor is not None:
        found.append((audit.c.actor == actor) | (audit.c.login_name == actor))
    if action is not None:
        found.append(
            audit.c.action.startswith(action[:-1], autoescape=True)
            if action.endswith("*")
            else audit.c.action == action
        )
    if outcome is not None:
        found.append(audit.c.outcome == outcome)
    if text is not None:
        searched = (audit.c.target, audit.c.detail, audit.c.action, audit.c.actor, audit.c.login_name, audit.c.outcome)
        found.append(or_(*(column.contains(text, autoescape=True) for column in searched)))
    return found
