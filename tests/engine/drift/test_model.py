"""After any sequence of listings and decisions, events and their states equal those of a naive model."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.drift.models import TRIAGE, EventFilter
from tests.engine.drift.place import ALICE, Place, at
from tests.engine.inventory.reading import server
from tests.store.estate.drift_model import DriftModel, Rule, Told

RULES = (
    Rule(2, "status", state=True, passing=("RESIZE",)),
    Rule(102, "name"),
    Rule(103, "existence", "deleted"),
)
SEVERITY = {2: "warning", 102: "info", 103: "warning"}

DOC = st.fixed_dictionaries({
    "status": st.sampled_from(["ACTIVE", "SHUTOFF", "RESIZE"]), "name": st.sampled_from(["web", "db", "lab"])
})  # fmt: skip
STEP = st.tuples(
    st.dictionaries(st.sampled_from([1, 2]), DOC, max_size=2),
    st.sampled_from([5, 30, 1500]),  # minutes since the one before
    st.sampled_from(
        ["", "", "accept", "accept for a while", "undo", "ignore", "ignore no more", "rule off", "rule on"]
    ),
)


@dataclass
class Model:
    """The events of DriftModel, and what people decided on them, looked at one by one."""

    events: DriftModel = field(default_factory=lambda: DriftModel(RULES))
    until: dict[int, datetime | None] = field(default_factory=dict)  # id(event) -> end of its acknowledgement
    ignored: bool = False

    def look(self, now: datetime) -> None:
        """What has run out by now holds no more."""
        for event in self.events.events:
            end = self.until.get(id(event))
            if event.accepted and end is not None and end <= now:
                event.accepted = None

    def state(self, event: Told, names: dict[str, str]) -> str:
        if event.accepted:
            return "acknowledged"
        if self.ignored and names[f"{event.resource}/{event.times[-1]}"] == "lab":
            return "ignored"
        if event.open:
            return "open"
        return "resolved_unseen" if SEVERITY[event.rule] != "info" and not event.moved else "resolved"


def decide(place: Place, model: Model, what: str, told: list[tuple[Told, str]]) -> None:
    """The same decision in both; a model's acknowledgement is the event's own."""
    now = at(place.minutes)
    if what.startswith("accept"):
        end = at(place.minutes + 60) if what.endswith("while") else None
        found, _ = place.service.choose(ALICE, None, EventFilter(states=("triage",)))
        place.decisions.acknowledge(ALICE, found, "", end)
        for event, state in told:
            if state in TRIAGE:
                event.accepted, model.until[id(event)] = now, end
    elif what == "undo":
        found, _ = place.service.choose(ALICE, None, EventFilter())
        place.decisions.undo(ALICE, found)
        for event, _ in told:
            event.accepted = None
    elif what == "ignore" and not model.ignored:
        place.service.add_exempt(ALICE, "ignore", {"name": "LAB", "reason": "x"})
        model.ignored = True
    elif what == "ignore no more" and model.ignored:
        [entry] = place.service.exempt(ALICE, "ignore")
        place.decisions.remove_exempt(ALICE, "ignore", entry["id"])
        model.ignored = False


@settings(max_examples=12, deadline=None)
@given(steps=st.lists(STEP, min_size=2, max_size=7))
def test_equal_to_a_naive_model(steps: list[tuple[dict[int, dict[str, str]], int, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        model, minutes = Model(), 0.0
        try:
            for docs, pause, what in steps:
                minutes += pause
                place.minutes = minutes + 1
                model.look(at(place.minutes))
                place.listed("server", [server(number, **doc) for number, doc in docs.items()], minutes)
                model.events.listing({server(number)["id"]: doc for number, doc in docs.items()}, at(minutes))
                decide(place, model, what, compared(place, model))
                compared(place, model)
            place.minutes += 61
            model.look(at(place.minutes))
            compared(place, model)
        finally:
            place.close()


def compared(place: Place, model: Model) -> list[tuple[Told, str]]:
    """Every event with its state; they are the same in both."""
    events = place.events()
    names = {
        f"{one['resource_id']}/{one['opened_at'].replace(tzinfo=at(0).tzinfo)}": one["resource_name"] for one in events
    }
    told = [(event, model.state(event, names)) for event in model.events.events]
    ours = [
        (one["resource_id"], one["rule_id"], one["old_value"], one["new_value"], one["count"], one["state"])
        for one in events
    ]
    theirs: list[Any] = [(e.resource, e.rule, e.old, e.new, len(e.times), state) for e, state in told]
    assert sorted(ours, key=repr) == sorted(theirs, key=repr)
    assert place.service.summary(ALICE)["triage"]["total"] == sum(state in TRIAGE for _, state in told)
    return told
