"""The vocabulary of restores of many machines at once. Pure data, standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Where a machine stands. LEFT_OUT: by a person, before it began; NOT_POSSIBLE: its plan says why; SKIPPED: its turn
# came and could not be taken; NOT_BEGUN: all of it was cancelled before. The others are what its job says.
State = Literal[
    "NOT_POSSIBLE", "LEFT_OUT", "WAITING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED", "SKIPPED", "NOT_BEGUN"
]
# Of all of it: INTERRUPTED is none, because its driver goes on by itself after a crash.
Status = Literal["PLANNED", "RUNNING", "PAUSED", "CANCELING", "SUCCEEDED", "PARTIAL", "FAILED", "CANCELED"]
Place = tuple[str, str, str]  # (cloud, region, project id)

MOST_MACHINES = 200
NOT_WELL: tuple[State, ...] = ("FAILED", "CANCELED", "SKIPPED")  # a group with one of these did not end well
IN_IT: tuple[State, ...] = ("WAITING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED", "SKIPPED", "NOT_BEGUN")


@dataclass(frozen=True, slots=True)
class Limits:
    """How many restores go on side by side: in all, on one storage back end, in one project; and after how many
    failures no further one begins."""

    parallel: int
    per_backend: int
    per_project: int
    stop_after: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A machine as the rules see it.

    place      its group, from 0: groups go one after another
    back_ends  storage that its new volumes are made on
    rests      it was tried a moment ago and is not tried now
    """

    seq: int
    place: int
    project: Place
    back_ends: tuple[str, ...] = ()
    state: State = "WAITING"
    rests: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What the driver does now: begin these, or pause with a sentence, or end; nothing at all: wait."""

    begin: tuple[int, ...] = ()
    pause: str = ""
    over: bool = False


@dataclass(frozen=True, slots=True)
class Sum:
    """One limit of a project, with what all machines together need of it. `used` and `limit` None: not known."""

    project: Place
    project_name: str
    what: str
    need: int
    used: int | None
    limit: int | None
    ok: bool
    text: str
