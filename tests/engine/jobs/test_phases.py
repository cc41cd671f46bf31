"""Jobs that take back what they did: undo steps, the commit from which a job holds, and what a crash leaves of both."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.api.errors import BadRequest, Conflict
from engine.jobs import rules
from engine.jobs.models import StepState
from store.ops.ops import Ops
from tests.engine.jobs.backend import CALLER, Effects
from tests.engine.jobs.test_service import Room, opened, room
from tests.engine.process.running import wait_for

__all__ = ["room"]


def planned(do: Sequence[dict[str, Any]], undo: Sequence[str] = ("BACK_2", "BACK_1"), commit: str = "") -> Any:
    """Steps one after another, and what takes them back."""
    steps = [{"name": one.pop("name", f"DO_{number}"), "args": one, "group": number} for number, one in enumerate(do)]
    steps += [
        {"name": name.rstrip("!"), "args": {"fail": "it will not"} if name.endswith("!") else {"what": name},
         "group": number, "phase": "undo"} for number, name in enumerate(undo)
    ]  # fmt: skip
    return {"version": 1, "steps": steps, "commit": commit}


def submitted(room: Room, *arguments: Any, **more: Any) -> str:
    return room.submit(planned(*arguments, **more), stop_after=1, parallel=1)


@pytest.mark.parametrize(
    ("do", "undo", "commit", "state", "states"),
    [
        pytest.param([{}, {}], ("B2", "B1"), "", "done", "done done skipped skipped", id="all went well"),
        pytest.param([{}, {"fail": "no"}, {}], ("B2", "B1"), "", "partial", "done failed skipped done done", id="no"),
        pytest.param(
            [{}, {"fail": "no"}, {"name": "HOLD"}], ("B2", "B1"), "HOLD", "failed", "done failed skipped done done",
            id="fails before its commit",
        ),
        pytest.param(
            [{"name": "HOLD"}, {"fail": "no"}, {}], ("B2", "B1"), "HOLD", "partial", "done failed done skipped skipped",
            id="fails after its commit: the rest goes on, nothing is taken back",
        ),
        pytest.param(
            [{}, {"name": "HOLD", "fail": "no"}], ("B2!", "B1"), "HOLD", "failed", "done failed failed done",
            id="what cannot be taken back does not stop the rest of it",
        ),
    ],
)  # fmt: skip
def test_what_is_taken_back(room: Room, do: Any, undo: Any, commit: str, state: str, states: str) -> None:
    job = submitted(room, do, undo, commit=commit)
    ended = room.ended(job)
    assert ended["state"] == state
    assert room.states(job) == states.split()
    # Counted is what was to be done.
    assert ended["total"] == len(do) and ended["done"] == states.split()[: len(do)].count("done")


def test_in_the_order_of_the_plan_and_one_by_one(room: Room) -> None:
    room.ended(submitted(room, [{}, {"fail": "no"}], ("first", "second", "third")))
    assert [what for _, what in room.effects.lines()][1:] == ["first", "second", "third"]
    assert room.effects.together == 1


def test_a_cancelled_job_takes_back(room: Room) -> None:
    room.effects.gates["go"] = threading.Event()
    job = submitted(room, [{"gate": "go"}, {}], commit="DO_1")
    wait_for(lambda: room.jobs.job(job)["running"])
    room.jobs.cancel(job, CALLER)
    room.effects.gates["go"].set()
    ended = room.ended(job)
    assert ended["state"] == "cancelled" and "taken back" in ended["detail"]
    assert room.states(job) == ["done", "skipped", "done", "done"]


def test_after_the_commit_there_is_nothing_to_cancel(room: Room) -> None:
    room.effects.gates["go"] = threading.Event()
    job = submitted(room, [{"name": "HOLD"}, {"gate": "go"}, {}], commit="HOLD")
    wait_for(lambda: room.states(job)[0] == "done" and room.jobs.job(job)["running"])
    assert room.jobs.job(job)["can"] == []
    with pytest.raises(Conflict, match="already"):
        room.jobs.cancel(job, CALLER)
    room.effects.gates["go"].set()
    assert room.ended(job)["state"] == "done"


def test_a_stopped_engine_goes_on_taking_back(tmp_path: Path) -> None:
    with opened(tmp_path) as one:
        job = one.submit(planned([{}, {"fail": "no"}], ("first", "hold_me", "third")), stop_after=1, parallel=1)
        wait_for(lambda: one.states(job)[2] == "done")
    with opened(tmp_path) as one:
        ended = one.ended(job)
        assert ended["state"] == "partial" and one.states(job)[2:] == ["done"] * 3
        whats = [what for _, what in one.effects.lines()]
        assert sorted(whats) == sorted({*whats}), "each of them once"


def test_a_job_that_did_nothing_has_nothing_to_take_back(room: Room) -> None:
    room.effects.gates["go"] = threading.Event()
    job = submitted(room, [{"fail": "no"}, {}])
    room.ended(job)
    assert room.states(job) == ["failed", "skipped", "done", "done"], "what failed may have done something"


@pytest.mark.parametrize(
    ("steps", "commit", "sentence"),
    [
        ([{"name": "A", "phase": "undo"}, {"name": "B"}], "", "stands behind"),
        ([{"name": "A", "phase": "undo"}], "", "stands behind"),
        ([{"name": "A"}, {"name": "B", "phase": "undo"}], "B", "does not have"),
    ],
)
def test_a_plan_that_is_none(room: Room, steps: Any, commit: str, sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence):
        room.submit({"version": 1, "steps": steps, "commit": commit})


def test_progress_is_seen_while_the_step_runs(room: Room) -> None:
    room.effects.gates["go"] = threading.Event()
    room.effects.tells = "half of it"
    job = submitted(room, [{"gate": "go"}])
    wait_for(lambda: room.jobs.job(job)["steps"][0]["progress"] == "half of it")
    room.effects.gates["go"].set()
    room.ended(job)
    assert room.jobs.job(job)["steps"][0]["progress"] is None


@pytest.mark.parametrize(
    ("undone", "said"),
    [
        ([], "1 of 2 done, 1 failed"),
        (["skipped"], "1 of 2 done, 1 failed"),
        (["done", "done"], "1 of 2 done, 1 failed; what it had changed was taken back"),
        (["done", "failed"], "1 of 2 done, 1 failed; 1 of 2 could not be taken back"),
    ],
)
def test_the_sentence(undone: list[StepState], said: str) -> None:
    assert rules.final_sentence(["done", "failed"], None, undone) == said


# A release that runs a plan's version no more


class Later(Effects):
    """Of a later release: it runs other plans, and takes back those of version 1 whose undo steps it knows."""

    versions: Sequence[int] = (2,)
    known = ("BACK_2", "BACK_1")

    def takes_back(self, version: int, names: Sequence[str]) -> bool:
        return version == 1 and set(names) <= set(self.known)


def left(folder: Path, do: Sequence[dict[str, Any]], ended: int, **more: Any) -> str:
    """A job of version 1 that an engine left open after so many steps, in the next one."""
    with opened(folder) as one:
        one.effects.gates["stay"] = threading.Event()
        job = submitted(one, do, **more)
        wait_for(lambda: one.states(job)[: ended + 1] == ["done"] * ended + ["running"])
    return job


def test_what_cannot_be_run_says_so_and_is_taken_back_when_it_is_cancelled(tmp_path: Path) -> None:
    job = left(tmp_path, [{}, {"gate": "stay"}, {"name": "HOLD"}], 1, commit="HOLD")
    with opened(tmp_path, Later) as two:
        found = wait_for(lambda: (j := two.jobs.job(job))["detail"] and j)
        assert found["state"] == "waiting" and found["can"] == ["cancel"]
        assert "can't run version 1" in found["detail"] and "is taken back then" in found["detail"]
        assert two.effects.seen == [], "nothing was done"
        two.jobs.cancel(job, CALLER)
        ended = two.ended(job)
        assert ended["state"] == "cancelled" and "taken back" in ended["detail"]
        assert two.states(job) == ["done", "failed", "skipped", "done", "done"]
        assert "interrupted" in ended["steps"][1]["detail"]
        assert [what for _, what in two.effects.lines()][1:] == ["BACK_2", "BACK_1"]
        assert wait_for(lambda: two.effects.over) == ["cancelled"] and two.jobs.status() == []
    with opened(tmp_path, Later) as three:
        assert three.jobs.job(job)["state"] == "cancelled" and three.effects.seen == []


def test_it_goes_on_taking_back_after_another_start(tmp_path: Path) -> None:
    job = left(tmp_path, [{}, {"gate": "stay"}], 1)
    with opened(tmp_path, Later) as two:
        two.effects.gates["stay"] = threading.Event()
        wait_for(lambda: two.jobs.job(job)["detail"])
        two.jobs._stopping.set()  # it ends before it has begun
        two.jobs.cancel(job, CALLER)
    with opened(tmp_path, Later) as three:
        assert three.ended(job)["state"] == "cancelled"
        assert three.states(job) == ["done", "failed", "done", "done"]


@pytest.mark.parametrize(
    ("do", "ended", "undo", "commit", "state", "states"),
    [
        pytest.param(
            [{}, {"gate": "stay"}], 1, ("BACK_3",), "", "cancelled", "done failed skipped", id="a step nobody knows"
        ),
        pytest.param(
            [{"name": "HOLD"}, {"gate": "stay"}, {}], 1, ("BACK_1",), "HOLD", "partial", "done failed skipped skipped",
            id="it holds already: what is left of it is given up",
        ),
        pytest.param([{"gate": "stay"}], 0, (), "", "cancelled", "failed", id="nothing takes it back"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_back_is_given_up(
    tmp_path: Path, do: Any, ended: int, undo: Any, commit: str, state: str, states: str
) -> None:
    job = left(tmp_path, do, ended, undo=undo, commit=commit)
    with opened(tmp_path, Later) as two:
        found = wait_for(lambda: (j := two.jobs.job(job))["detail"] and j)
        assert "taken back" not in found["detail"] and found["can"] == ["cancel"]
        assert two.jobs.cancel(job, CALLER)["state"] == state
        assert two.states(job) == states.split() and two.effects.seen == []


def test_one_whose_workflow_is_lost_is_given_up(tmp_path: Path) -> None:
    job = left(tmp_path, [{}, {"gate": "stay"}], 1)
    with contextlib.closing(Ops.open(tmp_path / "ops.sqlite")) as ops, ops.begin() as connection:
        connection.exec_driver_sql("UPDATE workflow_status SET application_version = 'other'")
    with opened(tmp_path, Later) as two:
        wait_for(lambda: two.jobs.job(job)["detail"])
        assert two.jobs.cancel(job, CALLER)["state"] == "cancelled", "nobody would ever take it back"
        assert two.states(job) == ["done", "failed", "skipped", "skipped"] and two.effects.seen == []
