"""Drift for people: lists, one event, counts, and what they decide. Blocks; safe on any thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from engine.access import rules as permissions
from engine.access.models import Caller
from engine.api.errors import BadRequest, Forbidden, NotFound
from engine.drift import telling
from engine.drift.decisions import Decisions
from engine.drift.models import MOST_IDS, SEVERITIES, STATES, TRIAGE, EventFilter, Order
from engine.drift.rules import RULES, TYPES
from engine.inventory.reads import InventoryReads, scope_of
from store import times
from store.estate import drift
from store.estate.reading import drift as reading
from store.estate.reading import history
from store.estate.reading.drift import BY_CLOUD, BY_PROJECT, BY_RULE, BY_TYPE, Seen
from store.estate.reading.models import Scope
from store.types import registry

if TYPE_CHECKING:
    import duckdb

Item = dict[str, Any]
# asks who did the event {row}; answers why that could not be asked, or ""
Ask = Callable[[Mapping[str, Any]], str]
MOST_RELATED = 50
MOST_NAMED = 20  # things that a summary names of each kind


class DriftService:
    """See the module. `moved` is to be called whenever events are other than before."""

    def __init__(self, reads: InventoryReads, decisions: Decisions, publish: Callable[[int], Any]) -> None:
        """`publish(version)` tells the clients."""
        self.reads = reads
        self.decisions = decisions
        self._publish = publish
        self._version = time.time_ns() // 1_000_000
        self._lock = threading.Lock()
        self._ask: Ask | None = None
        self.problems: Callable[[], list[str]] = list  # why drift is not whole just now

    @property
    def version(self) -> int:
        """A number that moves when an event, or a decision on one, does; also over restarts."""
        return self._version

    def moved(self) -> None:
        """Events or decisions are other than before."""
        with self._lock:
            self._version += 1
            version = self._version
        self._publish(version)

    def asks(self, ask: Ask) -> None:
        """Ask this from now on who did an event that is opened."""
        self._ask = ask

    # Looking

    def page(
        self, caller: Caller, wanted: EventFilter, order: Order, limit: int, offset: int = 0
    ) -> tuple[int, list[Item]]:
        """(how many pass, EventAnswers from `offset` on)."""
        wanted = _checked(wanted)
        seen, decided = self.seen(caller), self.decisions.decided()

        def work(connection: duckdb.DuckDBPyConnection) -> tuple[int, list[Item]]:
            total, rows = reading.page(connection, decided, seen, wanted, order, limit, offset)
            return total, self._answers(connection, caller, rows)

        return self.reads.read(work)

    def event(self, caller: Caller, id: int, *, ask: bool = True) -> Item:
        """An EventDetail. Raises NotFound for one that is not there, or not the caller's to see."""
        row = self._row(caller, id)
        problem = ""
        if ask and self._ask is not None and row["asked_at"] is None:
            problem = self._ask(row)
            row = self._row(caller, id)
        seen, decided = self.seen(caller), self.decisions.decided()
        same = EventFilter(id=row["resource_id"], clouds=(row["cloud"],))

        def work(connection: duckdb.DuckDBPyConnection) -> tuple[Item, list[Item], str | None]:
            _, related = reading.page(connection, decided, seen, same, Order(), MOST_RELATED)
            related = [one for one in related if one["id"] != id]
            told = self._answers(connection, caller, [row, *related])
            return told[0], told[1:], self._maker(connection, row)

        answer, related, maker = self.reads.read(work)
        return {
            **answer,
            "rule": self._rule(row["rule"], {}),
            "created_by": maker if row["grade"] in (None, "unknown") else None,
            "problem": problem or None,
            "related": related,
            "acks": self.decisions.acks_of(id),
        }

    def _row(self, caller: Caller, id: int) -> Item:
        seen, decided = self.seen(caller), self.decisions.decided()
        wanted = EventFilter(ids=(id,))
        _, rows = self.reads.read(lambda c: reading.page(c, decided, seen, wanted, Order(), 1))
        if not rows:
            raise NotFound(f"there is no drift event {id}")
        return rows[0]

    def seen(self, caller: Caller, scope: Scope | None = None) -> Seen:
        """Within the caller's limits; `scope` adds a choice."""
        hidden = [
            name
            for name in TYPES
            if not permissions.allows(caller.role, f"{permissions.resource_of_type(registry.ALL[name].plural)}:read")
        ]
        return Seen(self.reads.clock(), scope or scope_of(caller), tuple(hidden))

    def _answers(self, connection: duckdb.DuckDBPyConnection, caller: Caller, rows: Sequence[Item]) -> list[Item]:
        names: dict[tuple[str, str, str], str] = {}
        scope = scope_of(caller)
        for (type, cloud), ids in telling.references(rows).items():
            found = history.latest_names(connection, type, cloud, ids, scope)
            names |= {(type, cloud, id): name for id, name in found.items()}
        heads = reading.groups(connection, rows)
        return [telling.answer(row, caller, names, heads) for row in rows]

    def _maker(self, connection: duckdb.DuckDBPyConnection, row: Item) -> str | None:
        """Name (else id) of who made the resource, where the cloud keeps it; it does not say who changed it."""
        type = registry.ALL.get(row["type"])
        if type is None or "user_id" not in {column.name for column in type.columns}:
            return None
        found = history.versions_of(connection, type, (row["cloud"], row["region"]), [row["resource_id"]], limit=1)
        if not found or "user_id" in found[0]["denied"]:
            return None
        user = found[0]["row"].get("user_id")
        return history.latest_names(connection, "user", row["cloud"], [user]).get(user, user) if user else None

    # Counts

    def summary(self, caller: Caller, scope: Scope | None = None) -> Item:
        """A Summary."""
        seen, decided = self.seen(caller, scope), self.decisions.decided()

        def work(connection: duckdb.DuckDBPyConnection) -> Any:
            return reading.by_state(connection, decided, seen), reading.triage(connection, decided, seen)

        states, (things, flapping, unasked) = self.reads.read(work)
        by_state: dict[str, dict[str, int]] = {state: {} for state in STATES}
        for state, severity, number in states:
            by_state[state][severity] = number
        triage = {one: sum(by_state[state].get(one, 0) for state in TRIAGE) for one in SEVERITIES}
        return {
            "version": self.version,
            "at": seen.now,
            "triage": _severities(triage),
            "by_state": {state: _severities(counts) for state, counts in by_state.items()},
            "by_type": _named(things, BY_TYPE, lambda one: (one["type"], one["type"], None)),
            "by_cloud": _named(things, BY_CLOUD, lambda one: (one["cloud"], one["cloud"], one["cloud"])),
            "by_project": _named(
                [one for one in things if one["project_id"]],
                BY_PROJECT,
                lambda one: (one["project_id"], one["project_name"], one["cloud"]),
            ),
            "by_rule": _named(
                things,
                BY_RULE,
                lambda one: (str(one["rule"]), RULES[one["rule"]].name if one["rule"] in RULES else None, None),
            ),
            "flapping": flapping,
            "not_asked": unasked,
            "problems": self.problems(),
        }

    def documented_summary(self, caller: Caller, scope: Scope, days: int = 7) -> Item:
        """A DocumentedSummary; `days` end today."""
        seen, decided = self.seen(caller, scope), self.decisions.decided()
        today = seen.now.replace(hour=0, minute=0, second=0, microsecond=0)
        first = today - timedelta(days=days - 1)

        def work(connection: duckdb.DuckDBPyConnection) -> Any:
            things, _, _ = reading.triage(connection, decided, seen)
            return reading.by_state(connection, decided, seen), things, reading.by_day(connection, decided, seen, first)

        states, things, by_day = self.reads.read(work)
        total = sum(number for _, _, number in states)
        accepted = sum(number for state, _, number in states if state == "acknowledged")
        types: dict[str, int] = {}
        for one in things:
            if one["level"] == BY_TYPE:
                types[one["type"]] = types.get(one["type"], 0) + one["number"]
        dates = [(first + timedelta(days=number)).date() for number in range(days)]
        return {
            "total": total,
            "acknowledged": accepted,
            "unacknowledged": total - accepted,
            "by_severity": {
                severity: sum(n for state, level, n in states if state in TRIAGE and level == severity)
                for severity in SEVERITIES
            },
            "by_resource_type": types,
            "by_acknowledgement": {"acknowledged": accepted, "unacknowledged": total - accepted},
            "days": [
                {"date": day.isoformat(), **_severities({one: by_day.get((day, one), 0) for one in SEVERITIES})}
                for day in dates
            ],
        }

    def open_by_project(self, scope: Scope, since: datetime | None = None) -> dict[tuple[str, str], dict[str, int]]:
        """(cloud, project id) -> severity -> events in triage, opened since then; within the scope's limits."""
        return self.by_project(scope, since, triage_only=True)

    def by_project(
        self, scope: Scope, since: datetime | None, *, triage_only: bool
    ) -> dict[tuple[str, str], dict[str, int]]:
        """As `open_by_project`; else all events but those that are ignored or expected."""
        seen, decided = Seen(self.reads.clock(), scope), self.decisions.decided()
        return self.reads.read(lambda c: reading.by_project(c, decided, seen, since, triage_only=triage_only))

    def who(self, caller: Caller, items: Sequence[Item]) -> None:
        """Fill `user` of changes that the history tells, where one person is known to have done all of it."""
        if not items or not permissions.allows(caller.role, "drift:read"):
            return
        names = ("cloud", "region", "resource_type", "resource_id")
        ids = {str(one["resource_id"]) for one in items}
        found = self.reads.read(lambda connection: reading.actors(connection, ids))
        for one in items:
            at = one["recorded_at"]
            known = found.get((*(one[name] for name in names), times.naive(at)))
            if known is not None:
                one["user"] = telling.for_caller(caller, *known)

    # Deciding

    def choose(
        self, caller: Caller, ids: Sequence[int] | None, wanted: EventFilter | None, last: datetime | None = None
    ) -> tuple[list[Item], list[int]]:
        """(events that the caller may see, ids that are none of them). Raises BadRequest when they are too many."""
        chosen = _checked(wanted or EventFilter()) if ids is None else EventFilter(ids=tuple(dict.fromkeys(ids)))
        seen, decided = self.seen(caller), self.decisions.decided()
        found = self.reads.read(lambda c: reading.ids(c, decided, seen, chosen, last, MOST_IDS + 1))
        if len(found) > MOST_IDS:
            raise BadRequest(f"more than {MOST_IDS} events pass; narrow the filter")
        known = {one["id"] for one in found}
        return found, [id for id in chosen.ids or () if id not in known]

    def rules(self, caller: Caller) -> list[Item]:
        """RuleAnswers by number."""
        seen, decided = self.seen(caller), self.decisions.decided()
        things, _, _ = self.reads.read(lambda c: reading.triage(c, decided, seen))
        counts: dict[int, int] = {}
        for one in things:
            if one["level"] == BY_RULE:
                counts[one["rule"]] = counts.get(one["rule"], 0) + one["number"]
        return [self._rule(number, counts) for number in sorted(RULES)]

    def change_rule(self, caller: Caller, number: int, change: Mapping[str, Any]) -> Item:
        """Switch a rule or give it another severity, which its events have from now on; a RuleAnswer.

        Raises NotFound, BadRequest, Forbidden for a limited role.
        """
        check_unlimited(caller)
        before = self.decisions.rule(number)[1] if number in RULES else ""
        self.decisions.change_rule(caller, number, change)
        after = self.decisions.rule(number)[1]
        if before != after:
            self.reads.estate.write(lambda c: drift.grade_again(c, number, before, after)).result()
            self.moved()
        return next(one for one in self.rules(caller) if one["id"] == number)

    def add_exempt(self, caller: Caller, kind: str, values: Mapping[str, Any]) -> Item:
        """Ignore something; an IgnoreAnswer or WindowAnswer. Raises BadRequest, Conflict, Forbidden (limited roles)."""
        check_unlimited(caller)
        criteria = ("name", "tag", "project", "cloud", "type", "severity", "rule", "field")
        given = {name: values[name] for name in criteria if values.get(name) not in (None, "")}
        if kind == "ignore" and not given:
            raise BadRequest("Invalid parameter: say what is ignored: name, tag, project, cloud, type, field, rule or "
                             "severity")  # fmt: skip
        if "rule" in given and given["rule"] not in RULES:
            raise BadRequest(f"Invalid parameter: there is no drift rule {given['rule']}")
        if "type" in given:
            try:
                given["type"] = registry.find(given["type"]).name
            except KeyError as error:
                raise BadRequest(f"Invalid parameter: type: {error.args[0]}") from None
        rest = {name: values[name] for name in ("reason", "since", "until") if name in values}
        row = self.decisions.add_exempt(caller, kind, {**given, **rest})
        return next(one for one in self.exempt(caller, kind) if one["id"] == row["id"])

    def _rule(self, number: int, counts: Mapping[int, int]) -> Item:
        rule = RULES[number]
        enabled, severity, row = self.decisions.rule(number)
        return {
            "id": number,
            "resource_type": rule.type,
            "field": rule.field,
            "kind": rule.kind,
            "name": rule.name,
            "description": rule.description,
            "severity": severity,
            "default_severity": rule.severity,
            "enabled": enabled,
            "documented": rule.documented,
            "triage": counts.get(number, 0),
            "changed_at": row["changed_at"] if row else None,
            "changed_by": row["changed_by"] if row else None,
        }

    def exempt(self, caller: Caller, kind: str) -> list[Item]:
        """IgnoreAnswers or WindowAnswers, the newest first."""
        seen, decided = self.seen(caller), self.decisions.decided()
        now = self.reads.clock()
        known = {one.id: one for one in decided.exempt}

        def work(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
            return {id: reading.exempted(connection, one, decided, seen) for id, one in known.items()}

        counts = self.reads.read(work)
        found = []
        for row in self.decisions.exempt(kind):
            if kind == "ignore" and row["until"] is not None and row["until"] <= now:
                continue
            names = _SHOWN if kind == "window" else (*_SHOWN, "severity", "rule", "field")
            one = {name: row[name] for name in names} | {"events": counts.get(row["id"], 0)}
            if kind == "window":
                one |= {"since": row["since"], "active": row["since"] <= now < row["until"]}
            found.append(one)
        return found


_SHOWN = ("id", "name", "tag", "project", "cloud", "type", "reason", "until", "created_at", "created_by")


def check_unlimited(caller: Caller) -> None:
    """Raise Forbidden for a role limited to a part: what is switched or ignored is so for everybody."""
    if caller.limited:
        raise Forbidden(
            "Permission denied: rules, entries and windows hold for everybody, and your role is limited to clouds, "
            "domains or projects"
        )


def _checked(wanted: EventFilter) -> EventFilter:
    """The filter with `triage` and names of rules put as states and numbers. Raises BadRequest."""
    states = tuple(dict.fromkeys(s for one in wanted.states for s in (TRIAGE if one == "triage" else (one,))))
    for name, given, known in (
        ("state", states, STATES),
        ("severity", wanted.severities, SEVERITIES),
        ("grade", wanted.grades, ("certain", "cloud", "one_of", "service", "unknown", "not_asked")),
    ):
        if unknown := [one for one in given if one not in known]:
            raise BadRequest(f"Invalid parameter: {name} {unknown[0]!r:.40} is none of {', '.join(known)}")
    types = []
    for word in wanted.types:
        try:
            types.append(registry.find(word).name)
        except KeyError as error:
            raise BadRequest(f"Invalid parameter: type: {error.args[0]}") from None
    return replace(wanted, states=states, types=tuple(types))


def _severities(counts: Mapping[str, int]) -> dict[str, int]:
    found = {one: counts.get(one, 0) for one in SEVERITIES}
    return {**found, "total": sum(found.values())}


def _named(things: Sequence[Item], level: int, told: Callable[[Item], tuple[Any, ...]]) -> list[Item]:
    """The things of one kind among the rows of all kinds, the most events first."""
    found: dict[Any, tuple[tuple[Any, ...], dict[str, int]]] = {}
    for one in things:
        if one["level"] != level:
            continue
        name = told(one)
        counts = found.setdefault((name[0], name[2]), (name, {}))[1]
        counts[one["severity"]] = counts.get(one["severity"], 0) + one["number"]
    rows = [
        {"key": id, "name": name, "cloud": cloud, "counts": _severities(counts)}
        for (id, name, cloud), counts in found.values()
    ]
    order = sorted(rows, key=lambda row: (*(-row["counts"][one] for one in SEVERITIES), str(row["key"])))
    return order[:MOST_NAMED]
