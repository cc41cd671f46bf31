"""Pure rules of jobs: what a submitted plan must look like, which steps are next, how a job ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.jobs.models import OPEN, JobState, StepState

MOST_STEPS = 10_000
PARALLEL = 8
MOST_PARALLEL = 32


class BadPlan(ValueError):
    """A plan cannot be a job; one sentence."""


def checked_steps(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The plan's steps as rows: seq from 1, group, name, key, target, args. Raises BadPlan."""
    steps = plan.get("steps")
    if not isinstance(steps, Sequence) or not steps or isinstance(steps, str):
        raise BadPlan("a job needs a plan with at least one step")
    if len(steps) > MOST_STEPS:
        raise BadPlan(f"a job may have {MOST_STEPS} steps, this plan has {len(steps)}")
    rows = [_row(number, step) for number, step in enumerate(steps, 1)]
    for phase in ("do", "undo"):
        groups = [row["group"] for row in rows if row["phase"] == phase]
        if groups != sorted(groups):
            raise BadPlan("the steps of a plan stand in the order of their groups")
    phases = [row["phase"] for row in rows]
    if phases != sorted(phases) or phases[0] != "do":
        raise BadPlan("what a plan takes back stands behind what it does")
    if (commit := plan.get("commit")) and commit not in [row["name"] for row in rows if row["phase"] == "do"]:
        raise BadPlan(f"the plan is to hold from its step {commit!r:.80} on, which it does not have")
    return rows


def _row(seq: int, step: Mapping[str, Any]) -> dict[str, Any]:
    key = step.get("key")
    return {
        "seq": seq,
        "group": int(step.get("group", 0)),
        "name": str(step["name"]),
        "key": None if key is None else [str(part) for part in key],
        "target": None if step.get("target") is None else str(step["target"]),
        "args": dict(step.get("args") or {}),
        "state": "pending",
        "phase": "undo" if step.get("phase") == "undo" else "do",
    }


def parallel(options: Mapping[str, Any]) -> int:
    """How many steps of a group run side by side."""
    return max(1, min(int(options.get("parallel") or PARALLEL), MOST_PARALLEL))


def stops(options: Mapping[str, Any], failed: int) -> bool:
    """Whether so many failures stop the job."""
    limit = options.get("stop_after")
    return limit is not None and failed >= max(1, int(limit))


def committed(plan: Mapping[str, Any], steps: Iterable[tuple[str, str]]) -> bool:
    """Whether the plan's commit, of steps (name, state), is done: from then on nothing is taken back any more."""
    commit = plan.get("commit")
    return bool(commit) and any(name == commit and state == "done" for name, state in steps)


def takes_back(steps: Sequence[Mapping[str, Any]], plan: Mapping[str, Any]) -> list[str]:
    """Names of the undo steps by which a job with these rows would be taken back now; none when it did nothing yet,
    or holds already."""
    done = [(step["name"], step["state"]) for step in steps if step["phase"] == "do"]
    if committed(plan, done) or all(state == "pending" for _, state in done):
        return []
    return [step["name"] for step in steps if step["phase"] == "undo"]


def room(options: Mapping[str, Any], failed: int, busy: int) -> int:
    """How many more steps may begin now. With a limit of failures never more run than may still fail: if all of them
    do, there are just so many failures, and not as many more as ran side by side.
    """
    limit = options.get("stop_after")
    size = parallel(options) if limit is None else min(parallel(options), max(1, int(limit)) - failed)
    return max(0, size - busy)


def next_steps(steps: Iterable[tuple[int, int, str]], busy: frozenset[int], room: int) -> list[int]:
    """Which of (seq, group, state) to begin: those of the first group that is not through, at most `room`."""
    left = [(seq, group) for seq, group, state in steps if state in ("pending", "running")]
    if not left:
        return []
    first = min(group for _, group in left)
    return [seq for seq, group in left if group == first and seq not in busy][: max(0, room)]


def final_state(states: Iterable[StepState], cancelled: bool) -> JobState:
    """How a job ended whose steps ended so; what was never begun counts as skipped."""
    count = Counter(states)
    if count["done"] == count.total():
        return "done"
    if cancelled:
        return "cancelled"
    return "partial" if count["done"] else "failed"


def final_sentence(states: Iterable[StepState], cancelled_by: str | None, undone: Iterable[StepState] = ()) -> str:
    """The same in words; `undone` are the states of the steps that take back."""
    count, back = Counter(states), Counter(undone)
    said = [f"{count['done']} of {count.total()} done"]
    if count["failed"]:
        said.append(f"{count['failed']} failed")
    if skipped := count.total() - count["done"] - count["failed"]:
        said.append(f"{skipped} not begun")
    sentence = ", ".join(said) + (f"; cancelled by {cancelled_by}" if cancelled_by else "")
    if back["failed"]:
        return f"{sentence}; {back['failed']} of {back['done'] + back['failed']} could not be taken back"
    return f"{sentence}; what it had changed was taken back" if back["done"] else sentence


def can(state: str, done: int, total: int, cancel_asked: bool, runnable: bool) -> list[str]:
    """What may be asked of a job."""
    if state in OPEN:
        return [] if cancel_asked else ["cancel"]
    return ["retry"] if runnable and done < total else []
