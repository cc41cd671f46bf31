"""The states in which restores are left open, over all ways: where the engine dies, and how each job must end.

A new state, or a new way, is a line here and a new kept file (make_database.py); files that are kept already stay as
they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.restore.models import Plan, Prove, Way
from engine.restore.planning import steps as planned_steps
from engine.restore.records import Records
from tests.engine.restore.steps import scenes, scenes_machines

SCENES: Mapping[Way, Callable[[Records], Any]] = {
    "NEW": scenes_machines.beside,
    "REPLACE": scenes_machines.shelved,
    "IN_PLACE": scenes.in_place,
    "DISK_BESIDE": scenes.beside,
    "DATA_VOLUME_BACK": scenes.back,
}


@dataclass(frozen=True)
class Left:
    """One job that is left open.

    moment  where the engine dies: "stored" (before the job is started), "queued" (before it runs), "begin" of the step,
            "before" and "after" its last change so far (the answer not seen), in the "look" of a wait, while it "asks"
            a person, "end": the step is through, and its result not written
    cancel  the job is cancelled when this step begins, or, with "!", once it has changed something; "now": when the
            engine dies, so that nobody has noticed it yet
    answer  what a person will say
    """

    state: str
    way: Way
    moment: str
    step: str = ""
    ends: str = "done"
    cancel: str = ""
    answer: str = ""
    fails: str = ""

    @property
    def name(self) -> str:
        return f"{self.way} {self.state}"


# way: (a step that makes something, a wait, the last step before the commit, a step that takes back, one that tidies)
_STEPS: Mapping[Way, tuple[str, str, str, str, str]] = {
    "NEW": ("CREATE_SERVER", "WAIT_SERVER_ACTIVE", "PROVE_IT_ANSWERS", "UNDO_SERVER", "PROTECT"),
    "REPLACE": ("CREATE_PORTS", "WAIT_SERVER_ACTIVE", "PROVE_IT_ANSWERS", "UNDO_PARK", "KEEP_OLD_MACHINE"),
    "IN_PLACE": ("CREATE_IMAGE", "WAIT_SERVER_REBUILT", "PROVE_IT_ANSWERS", "UNDO_REBUILD", "REMOVE_TEMPORARY"),
    "DISK_BESIDE": ("CREATE_VOLUME_FROM_SNAPSHOT", "WAIT_VOLUME_AVAILABLE", "FINALIZE", "UNDO_ATTACH", "FINALIZE"),
    "DATA_VOLUME_BACK": (
        "CREATE_VOLUME_FROM_SNAPSHOT", "WAIT_VOLUME_AVAILABLE", "PROVE_IT_ANSWERS", "UNDO_DATA_VOLUME",
        "KEEP_OLD_VOLUME",
    ),
}  # fmt: skip


def every() -> Iterator[Left]:
    """All of them."""
    for way, (makes, waits, last, undo, tidies) in _STEPS.items():
        yield Left("stored", way, "stored")
        yield Left("queued", way, "queued")
        yield Left("at its first step", way, "begin", "VALIDATE_LIVE_STATE")
        yield Left("before a create", way, "before", makes)
        yield Left("in a create", way, "after", makes)
        yield Left("after a create", way, "end", makes)
        yield Left("waits for the cloud", way, "look", waits)
        yield Left("cancel not noticed", way, "look", waits, "cancelled", cancel="now")
        last_moment = "ATTACH_VOLUME!" if way == "DISK_BESIDE" else last
        yield Left("takes back", way, "after", undo, "cancelled", cancel=last_moment)
        yield Left("result of taking back not written", way, "end", undo, "cancelled", cancel=last_moment)
        if tidies == last:  # nothing is left to do after its commit
            yield Left("commits", way, "end", last)
            continue
        yield Left("tidies", way, "begin", tidies)
        yield Left("waits for a yes", way, "asks", last, answer="yes")
        yield Left("waits for a no", way, "asks", last, "failed", answer="no")
    yield Left("takes back a failure", "NEW", "after", "UNDO_SERVER", "failed", fails="boot")
    yield Left("takes back a failure", "IN_PLACE", "after", "UNDO_VOLUMES", "failed", fails="upload")


def plan_of(left: Left, plan: Plan, id: str) -> Plan:
    """The scene's plan as this job has it: what shows that the machine answers is either not looked at, or asked."""
    prove = Prove(console=(), seconds=0, answer_minutes=60, ask=bool(left.answer))
    request = replace(plan.request, prove=prove, stop=left.way == "DATA_VOLUME_BACK")
    own = replace(plan, id=id, request=request, machine=replace(plan.machine, vm_state="active"))
    steps, commit = planned_steps.planned(own)
    return replace(own, steps=steps, commit=commit)
