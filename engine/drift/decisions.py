"""What people decide on drift, kept in the operations database: acknowledgements, switched rules, what is ignored.

Everything that counts now is in memory too, because every list is judged by it. All methods may be called from any
thread; each change is one transaction with its record in the audit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from engine.access.models import Caller
from engine.api.errors import BadRequest, Conflict, NotFound
from engine.audit.service import AuditService
from engine.drift.models import SEVERITIES
from engine.drift.rules import RULES, Rule
from engine.drift.watching import Switch
from store import times
from store.estate.reading.drift import ACK_COLUMNS, Decided, Exempt
from store.estate.rows import to_arrow
from store.ids import uuid7
from store.ops.drift_tables import drift_acks, drift_exceptions, drift_rules
from store.ops.ops import Ops

MOST_EXEMPT = 200  # entries of one kind: every list is judged by all of them
_CHUNK = 500
Row = dict[str, Any]
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class _State:
    """What counts: acknowledgements by event, changed rules, entries and windows newest first, and all as one."""

    acks: dict[int, Row]
    rules: dict[int, Row]
    exempt: list[Row]
    decided: Decided


class Decisions:
    """See the module. `changed` is called after every change, on the caller's thread."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        changed: Callable[[], Any] = lambda: None,
        *,
        clock: Clock = times.utcnow,
    ) -> None:
        self._ops = ops
        self._audit = audit
        self._changed = changed
        self.clock = clock
        self._lock = threading.Lock()
        self._state: _State | None = None

    # What counts

    def decided(self) -> Decided:
        """For the store's reading."""
        return self._now().decided

    def accepted(self) -> list[tuple[int, datetime]]:
        """(event, when) of acknowledgements in force."""
        now = self.clock()
        return [(id, row["at"]) for id, row in self._now().acks.items() if row["until"] is None or row["until"] > now]

    def switches(self) -> dict[int, Switch]:
        """Rules that were switched."""
        return {
            number: Switch(row["enabled"], row["enabled_at"], row["severity"])
            for number, row in self._now().rules.items()
        }

    def next_end(self, now: datetime) -> datetime | None:
        """When the next acknowledgement, entry or window ends: then events change their state by themselves."""
        state = self._now()
        ends = [row["until"] for row in (*state.acks.values(), *state.exempt)]
        return min((end for end in ends if end is not None and end > now), default=None)

    def _now(self) -> _State:
        with self._lock:
            if self._state is None:
                with self._ops.read() as connection:
                    self._state = _read(connection, self.clock())
            state, now = self._state, self.clock()
            # An ignore entry ends by itself.
            if any(one.since is None and one.until is not None and one.until <= now for one in state.decided.exempt):
                state = self._state = _state(state.acks, state.rules, state.exempt, now)
            return state

    def _moved(self) -> None:
        with self._lock:
            self._state = None
        self._changed()

    # Acknowledging

    def acknowledge(
        self, caller: Caller, events: Sequence[Mapping[str, Any]], note: str, until: datetime | None
    ) -> tuple[int, int, str | None]:
        """Accept events ({id, cloud, rule, ...}): (done now, accepted already, batch). Raises BadRequest."""
        now = self.clock()
        if until is not None and until <= now:
            raise BadRequest("Invalid parameter: until is past; an acknowledgement holds until a time to come")
        _storable(note)
        batch = uuid7()
        with self._ops.begin() as connection:
            held = _in_force(connection, [event["id"] for event in events], now)
            fresh = [event for event in events if event["id"] not in held]
            if not fresh:
                return 0, len(events), None
            shared = {"batch": batch, "at": now, "by": caller.name[:255], "owner": caller.owner, "note": note.strip(),
                      "until": until, "undone_at": None, "undone_by": None}  # fmt: skip
            connection.execute(insert(drift_acks), [{"id": uuid7(), "event": one["id"], **shared} for one in fresh])
            detail: Row = {"batch": batch, "events": [one["id"] for one in fresh[:1000]], "count": len(fresh)}
            detail |= {"note": note.strip()} if note.strip() else {}
            detail |= {"until": times.text(until)} if until else {}
            detail |= {"cloud": fresh[0]["cloud"]} if len({one["cloud"] for one in fresh}) == 1 else {}
            self._audit.record(caller, "drift.acknowledge", _called(fresh), detail, connection=connection)
        self._moved()
        return len(fresh), len(held), batch

    def undo(self, caller: Caller, events: Sequence[Mapping[str, Any]]) -> list[int]:
        """Take the acknowledgements in force of these events back; answers the events that had one."""
        now = self.clock()
        with self._ops.begin() as connection:
            held = _in_force(connection, [event["id"] for event in events], now)
            if not held:
                return []
            values = {"undone_at": now, "undone_by": caller.name[:255]}
            for some in _chunks(sorted(held.values())):
                connection.execute(update(drift_acks).where(drift_acks.c.id.in_(some)).values(values))
            undone = sorted(held)
            detail = {"events": undone[:1000], "count": len(undone)}
            named = [event for event in events if event["id"] in held]
            self._audit.record(caller, "drift.unacknowledge", _called(named), detail, connection=connection)
        self._moved()
        return undone

    def of_batch(self, batch: str) -> list[int]:
        """Events that were acknowledged together."""
        with self._ops.read() as connection:
            found = connection.execute(select(drift_acks.c.event).where(drift_acks.c.batch == batch)).scalars()
            return list(found)

    def acks_of(self, event: int) -> list[Row]:
        """Every acknowledgement of an event, the newest first, each with `in_force`."""
        now = self.clock()
        with self._ops.read() as connection:
            order = (drift_acks.c.at.desc(), drift_acks.c.id.desc())
            rows = connection.execute(select(drift_acks).where(drift_acks.c.event == event).order_by(*order))
            names = ("at", "by", "note", "until", "undone_at", "undone_by")
            return [
                {
                    **{name: row[name] for name in names},
                    "in_force": row["undone_at"] is None and (row["until"] is None or row["until"] > now),
                }
                for row in rows.mappings()
            ]

    # Rules

    def rule(self, number: int) -> tuple[bool, str, Row | None]:
        """(enabled, severity, who changed it when) of a rule as it is now."""
        row = self._now().rules.get(number)
        shipped = RULES[number].severity
        return (True, shipped, None) if row is None else (row["enabled"], row["severity"] or shipped, row)

    def change_rule(self, caller: Caller, number: int, change: Mapping[str, Any]) -> Rule:
        """Switch a rule, or give it another severity (None: the shipped one). Raises NotFound, BadRequest."""
        rule = RULES.get(number)
        if rule is None:
            raise NotFound(f"there is no drift rule {number}")
        if not change or change.get("enabled", True) is None:
            raise BadRequest("Invalid parameter: say enabled (true or false) or severity")
        severity = change.get("severity")
        if severity is not None and severity not in SEVERITIES:
            raise BadRequest(f"Invalid parameter: severity must be one of {', '.join(SEVERITIES)}")
        now = self.clock()
        with self._ops.begin() as connection:
            found = connection.execute(select(drift_rules).where(drift_rules.c.rule == number)).mappings()
            before = dict(found.one_or_none() or {"enabled": True, "enabled_at": None, "severity": None})
            after = {
                "enabled": change.get("enabled", before["enabled"]),
                "severity": change.get("severity", before["severity"]),
            }
            if after["severity"] == rule.severity:
                after["severity"] = None
            switched_on = after["enabled"] and not before["enabled"]
            values = {**after, "enabled_at": now if switched_on else before["enabled_at"], "changed_at": now,
                      "changed_by": caller.name[:255]}  # fmt: skip
            if "rule" in before:
                connection.execute(update(drift_rules).where(drift_rules.c.rule == number).values(values))
            else:
                connection.execute(insert(drift_rules).values(rule=number, **values))
            detail = {"rule": number, **after}
            self._audit.record(caller, "drift.rule", f"{number} {rule.name}", detail, connection=connection)
        self._moved()
        return rule

    # What is ignored

    def exempt(self, kind: str) -> list[Row]:
        """Entries ("ignore") or windows ("window") that were not taken back, the newest first."""
        return [row for row in self._now().exempt if row["kind"] == kind]

    def add_exempt(self, caller: Caller, kind: str, values: Mapping[str, Any]) -> Row:
        """Keep an entry or window. Raises BadRequest, Conflict when there are too many."""
        now = self.clock()
        _storable(*(value for value in values.values() if isinstance(value, str)))
        if not str(values["reason"]).strip():
            raise BadRequest("Invalid parameter: reason is empty; it tells others why this is ignored")
        until, since = values.get("until"), values.get("since")
        if until is not None and until <= (since or now if kind == "window" else now):
            raise BadRequest("Invalid parameter: until must lie after the beginning")
        row: Row = {
            **dict.fromkeys(("name", "tag", "project", "cloud", "type", "severity", "rule", "field", "since", "until")),
            **values,
            "id": uuid7(),
            "kind": kind,
            "reason": str(values["reason"]).strip(),
            "created_at": now,
            "created_by": caller.name[:255],
            "removed_at": None,
            "removed_by": None,
        }
        with self._ops.begin() as connection:
            holds = drift_exceptions.c.until.is_(None) | (drift_exceptions.c.until > now)
            there = select(drift_exceptions.c.id).where(
                drift_exceptions.c.kind == kind, drift_exceptions.c.removed_at.is_(None), holds
            )
            if len(connection.execute(there.limit(MOST_EXEMPT)).all()) >= MOST_EXEMPT:
                raise Conflict(f"there are {MOST_EXEMPT} of them already; take back some of them first")
            connection.execute(insert(drift_exceptions).values(row))
            self._record(caller, f"drift.{kind}.add", row, connection)
        self._moved()
        return row

    def remove_exempt(self, caller: Caller, kind: str, id: str) -> None:
        """Take an entry back. A window that has begun ends now and keeps what it covered. Raises NotFound."""
        now = self.clock()
        with self._ops.begin() as connection:
            conditions = (
                drift_exceptions.c.id == id, drift_exceptions.c.kind == kind, drift_exceptions.c.removed_at.is_(None)
            )  # fmt: skip
            found = connection.execute(select(drift_exceptions).where(*conditions)).mappings().one_or_none()
            if found is None:
                raise NotFound("there is no such entry, or it was taken back")
            row = dict(found)
            begun = kind == "window" and row["since"] < now < row["until"]
            values = {"until": now} if begun else {"removed_at": now, "removed_by": caller.name[:255]}
            connection.execute(update(drift_exceptions).where(drift_exceptions.c.id == id).values(values))
            self._record(caller, f"drift.{kind}.{'end' if begun else 'remove'}", row, connection)
        self._moved()

    def _record(self, caller: Caller, action: str, row: Row, connection: Connection) -> None:
        criteria = ("name", "tag", "project", "cloud", "type", "severity", "rule", "field", "reason")
        detail = {name: row[name] for name in criteria if row[name] is not None}
        detail |= {name: times.text(row[name]) for name in ("since", "until") if row[name] is not None}
        self._audit.record(caller, action, row["reason"][:200], detail, connection=connection)


def _read(connection: Connection, now: datetime) -> _State:
    acks = connection.execute(select(drift_acks).where(drift_acks.c.undone_at.is_(None)).order_by(drift_acks.c.at))
    order = (drift_exceptions.c.created_at.desc(), drift_exceptions.c.id.desc())
    exempt = connection.execute(
        select(drift_exceptions).where(drift_exceptions.c.removed_at.is_(None)).order_by(*order)
    )
    rules = connection.execute(select(drift_rules))
    return _state(
        {row["event"]: dict(row) for row in acks.mappings()},
        {row["rule"]: dict(row) for row in rules.mappings()},
        [dict(row) for row in exempt.mappings()],
        now,
    )


def _state(acks: dict[int, Row], rules: dict[int, Row], exempt: list[Row], now: datetime) -> _State:
    names = ("id", "name", "tag", "project", "cloud", "type", "severity", "rule", "field", "since", "until")
    counting = [
        Exempt(**{name: row[name] for name in names}, reason=_why(row))
        for row in exempt
        if row["kind"] == "window" or row["until"] is None or row["until"] > now
    ]
    table = [
        (id, times.naive(row["at"]), row["by"], row["note"], times.naive(row["until"]) if row["until"] else None)
        for id, row in acks.items()
    ]
    off = tuple(number for number, row in rules.items() if not row["enabled"])
    return _State(acks, rules, exempt, Decided(to_arrow(ACK_COLUMNS, table), off, tuple(counting)))


def _why(row: Row) -> str:
    return f"{'maintenance' if row['kind'] == 'window' else 'ignored'}: {row['reason']}"


def _in_force(connection: Connection, events: Sequence[int], now: datetime) -> dict[int, str]:
    """Event -> id of its acknowledgement in force."""
    found: dict[int, str] = {}
    for some in _chunks(list(events)):
        conditions = (drift_acks.c.event.in_(some), drift_acks.c.undone_at.is_(None))
        rows = connection.execute(select(drift_acks.c.event, drift_acks.c.id, drift_acks.c.until).where(*conditions))
        found |= {row.event: row.id for row in rows if row.until is None or row.until > now}
    return found


def _chunks(values: list[Any]) -> list[list[Any]]:
    return [values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK)]


def _called(events: Sequence[Mapping[str, Any]]) -> str:
    """What an audit record names: the event, or how many."""
    if len(events) != 1:
        return f"{len(events)} drift events"
    one = events[0]
    rule = RULES.get(one["rule"])
    return f"{rule.name if rule else one['rule']}: {one['resource_name'] or one['resource_id']}"[:500]


def _storable(*texts: str) -> None:
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadRequest("Invalid parameter: the text holds half a character (a lone surrogate)") from None
