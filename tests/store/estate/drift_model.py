"""Drift in plain Python: what the store's events must be equal to after any sequence of states.

Written from the rules, one value at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

DAY = timedelta(hours=24)
GONE = object()
NOTHING = object()  # no value to compare: hidden, passing, or not there yet


@dataclass
class Told:
    resource: str
    rule: int
    old: Any
    new: Any
    times: list[datetime]
    open: bool = True
    moved: bool = False
    last: datetime | None = None
    accepted: datetime | None = None

    @property
    def row(self) -> tuple[Any, ...]:
        state = "open" if self.open else "resolved"
        return (self.resource, self.rule, self.old, self.new, state, len(self.times), self.moved)


@dataclass(frozen=True)
class Rule:
    """`state`, `first`, `passing` as in store.estate.drift_models.Watch; `kind` too."""

    number: int
    field: str
    kind: str = "changed"
    state: bool = False
    first: bool = False
    passing: tuple[str, ...] = ()


@dataclass
class DriftModel:
    rules: tuple[Rule, ...]
    events: list[Told] = field(default_factory=list)
    seen: dict[tuple[str, int], Any] = field(default_factory=dict)
    there: dict[str, bool] = field(default_factory=dict)
    baseline: bool = True

    def listing(self, docs: Mapping[str, Mapping[str, Any]], now: datetime) -> None:
        """Everything there is at that time."""
        for id in sorted({*docs, *self.there}):
            here, was = id in docs, self.there.get(id)
            for rule in self.rules:
                if rule.kind == "changed" and was and not here:
                    for event in self.events:
                        if (event.resource, event.rule, event.open) == (id, rule.number, True):
                            event.open, event.moved = False, True
                elif rule.kind == "changed" and here:
                    self._value(id, rule, docs[id].get(rule.field, NOTHING), now)
                elif rule.kind == "deleted" and was is not None and here != was:
                    self._change(id, rule, *(("present", "deleted") if was else ("deleted", "present")), now, was)
                elif rule.kind == "created" and (here != (was or False)) and not self.baseline:
                    self._change(id, rule, *(("present", "absent") if was else ("absent", "present")), now, not was)
            self.there[id] = here
        self.baseline = False

    def accept(self, events: list[Told], now: datetime) -> None:
        for event in events:
            event.accepted = event.accepted or now

    def _value(self, id: str, rule: Rule, value: Any, now: datetime) -> None:
        if value is NOTHING or value in rule.passing:
            return
        before = self.seen.get((id, rule.number), NOTHING)
        self.seen[id, rule.number] = value
        if before is not NOTHING and before != value:
            self._change(id, rule, before, value, now, rule.first or before is not None)

    def _change(self, id: str, rule: Rule, old: Any, new: Any, now: datetime, raises: bool) -> None:
        own = [event for event in self.events if (event.resource, event.rule) == (id, rule.number)]
        settled = [e for e in own if e.open and e.accepted and not rule.state]
        stack = sorted((e for e in own if e.open and e not in settled), key=lambda e: e.times[-1])
        for event in settled:
            event.open, event.moved = False, True
        for index, event in enumerate(stack):
            if event.old == new:
                for above in stack[index:]:
                    above.open, above.moved = False, False
                return
        if not raises and not (stack and rule.kind == "changed"):
            return
        same = [
            event
            for event in own
            if not event.open and not event.moved and not event.accepted and (event.old, event.new) == (old, new)
            and event.times[-1] > now - DAY
        ]  # fmt: skip
        if same:
            again = max(same, key=lambda event: event.times[-1])
            again.open = True
            again.times.append(now)
        else:
            self.events.append(Told(id, rule.number, old, new, [now]))
