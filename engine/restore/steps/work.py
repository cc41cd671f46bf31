"""One step of a restore as its code sees it: the plan, what was made before, and the few ways to touch the cloud.

A step may be begun again at any moment: after a crash before its call, after the call but before its answer, and after
the answer but before the journal. `create`, `act` and `remove` make it happen effectively once; a step that only uses
them, and looks at the cloud before it decides, can be repeated as often as needed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from engine.gate.models import Actor, Answer, Call, Key, SessionKind
from engine.jobs.models import Step, StepContext, StepResult
from engine.restore.models import JOB, MARK, Plan
from engine.restore.steps import hands
from engine.restore.steps.failing import Cancelled, Failed

if TYPE_CHECKING:
    from engine.access.models import Caller
    from engine.restore.steps.watching import Watcher
    from engine.snapshots.models import Volume

T = TypeVar("T")
PERMISSION = "restore:write"
ACTION = "restore"
UNDO = "undo"

__all__ = ["Cancelled", "Failed", "Kit", "Work"]


class Gate(Protocol):
    """What is asked of the write gate (engine/gate/service.py)."""

    def perform(self, actor: Actor, call: Call) -> Answer:
        """Send a call that changes something."""
        ...

    def ask(self, caller: Caller, call: Call) -> Answer:
        """Send a request that changes nothing."""
        ...

    def reader(
        self, cloud: str, region: str, project_id: str, kind: SessionKind = "tenant"
    ) -> Callable[..., dict[str, Any] | None]:
        """`get(service, path, microversion="", query=())` of a session of that kind."""
        ...

    def hold_role(self, actor: Actor, call: Call) -> None:
        """Have a session of the call's project for the actor's job, by a role that is lent where that is allowed."""
        ...

    def user_id(self, cloud: str, project_id: str) -> str:
        """Id of the user who acts in that project."""
        ...

    def user_data(self, cloud: str, region: str, server_id: str) -> str:
        """The machine's user data (base64), for passing on: never stored and never shown."""
        ...


class Records(Protocol):
    """What is asked of the records of restores (engine/restore/records.py)."""

    def begin(
        self, job_id: str, seq: int, purpose: str, type: str, token: str, name: str, key: Key, project_id: str
    ) -> None:
        """Note what is about to be made; the key's id is empty. Harmless when it was noted before."""
        ...

    def made(self, job_id: str, purpose: str, id: str) -> None:
        """It is there."""
        ...

    def removed(self, job_id: str, purpose: str) -> None:
        """It is gone again, by our own doing, or was never there."""
        ...

    def handed_over(self, job_id: str, but: Collection[str] = ()) -> None:
        """What the job made is in use; `but`: purposes that are not."""
        ...

    def found(self, job_id: str, purpose: str) -> Mapping[str, Any] | None:
        """The row of a purpose: type, id ("" while it is only begun), token, state; None when nothing was begun."""
        ...

    def of_job(self, job_id: str) -> list[dict[str, Any]]:
        """Every row of a job, in the order they were begun."""
        ...

    def left(self) -> list[dict[str, Any]]:
        """What jobs made or began, and neither handed over nor removed; of open jobs, too."""
        ...

    def answer(self, job_id: str) -> str | None:
        """What a person answered when the job asked: "yes" or "no"; None as long as nobody did."""
        ...

    def keep(
        self,
        job_id: str,
        kind: str,
        key: Key,
        project_id: str,
        name: str,
        until: datetime | None,
        *,
        at_end: str = "none",
        detail: str = "",
    ) -> None:
        """Note what is kept for a time: "machine", "volume" or "disk_beside". Harmless when it was noted before."""
        ...

    def lineage(self, job_id: str, type: str, old: Key, new: Key) -> None:
        """Note that one resource took another's place. Harmless when it was noted before."""
        ...


class Planning(Protocol):
    """What is asked of planning (engine/restore/planning/service.py)."""

    def again(self, plan: Plan) -> tuple[str, ...]:
        """What the plan relies on, read live again: a sentence for each difference."""
        ...

    def fits(self, plan: Plan) -> tuple[Any, ...]:
        """Quotas and hosts, read live again: engine.restore.models.Fit."""
        ...


class Protection(Protocol):
    """What is asked where new volumes take the place of old ones (engine/restore/protection.py)."""

    def take_over(
        self, caller: Caller, old: Volume, new: Volume, send: Callable[[Call], object], why: str
    ) -> tuple[str, ...]:
        """Give the new volume the policies, assignments and exclusions of the old one; sentences of what was done.

        `send` sends what has to be written to the new volume's metadata. Harmless when it was done before.
        """
        ...

    def retire(self, old: Volume, send: Callable[[Call], object]) -> str:
        """Have policies leave the old volume alone from now on; what was done, "" when it was so already."""
        ...

    def held(self, volume: Volume) -> tuple[str, ...]:
        """The policies that hold for a volume, each with how many points are kept; an owner's word counts."""
        ...


@dataclass(slots=True)
class Kit:
    """What all steps of all jobs share.

    settings  the section [restore] for a cloud: settings(cloud)
    keys      locks per (cloud, acting user, key pair name)
    """

    gate: Gate
    records: Records
    watcher: Watcher
    planning: Planning
    protection: Protection
    settings: Callable[[str], Any]
    clock: Callable[[], datetime]
    keys: dict[tuple[str, str, str], threading.Lock] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def key_lock(self, cloud: str, user_id: str, name: str) -> threading.Lock:
        """The lock of one key pair of one user."""
        with self.guard:
            return self.keys.setdefault((cloud, user_id, name), threading.Lock())


@dataclass(slots=True)
class Work:
    """A step under way. `undo`: it takes back, so a cancelled job does not stop it."""

    step: Step
    context: StepContext
    plan: Plan
    kit: Kit
    request_ids: list[str] = field(default_factory=list)
    names: Mapping[str, int] = field(default_factory=dict)  # {name of a step: its seq}
    waits: bool = True  # False in tests that must not wait

    # What it is about

    @property
    def undo(self) -> bool:
        return self.step.phase == UNDO

    @property
    def job_id(self) -> str:
        return self.context.job_id

    @property
    def token(self) -> str:
        return self.context.token

    @property
    def attempt(self) -> int:
        return self.context.attempt

    @property
    def cloud(self) -> str:
        return self.plan.machine.key[0]

    @property
    def region(self) -> str:
        return self.plan.machine.key[1]

    @property
    def server_id(self) -> str:
        """The machine's id: the old one's, where there will be two."""
        return self.plan.machine.key[2]

    @property
    def project_id(self) -> str:
        return self.plan.machine.project_id

    @property
    def records(self) -> Records:
        return self.kit.records

    @property
    def settings(self) -> Any:
        """The section [restore] as it is for this cloud."""
        return self.kit.settings(self.cloud)

    def now(self) -> datetime:
        """By our clock, aware UTC."""
        return self.kit.clock()

    # Earlier steps

    def made(self, purpose: str) -> str:
        """Id of what this job, or the one that it retries, made for that purpose and has not removed; "" for none."""
        row = self.records.found(self.job_id, purpose)
        if row is not None and row["state"] in ("made", "handed_over"):
            return str(row["id"])
        prefix, _, volume = purpose.partition(":")
        return self.plan.reused.get(volume, "") if prefix == "volume" and row is None else ""

    def result(self, name: str) -> Mapping[str, Any]:
        """`more` of an earlier step that is done; {} otherwise."""
        seq = self.names.get(name)
        found = self.context.results(seq) if seq is not None else None
        return found.more if found is not None else {}

    def begun(self, name: str) -> bool:
        """Whether any attempt at the step was begun."""
        seq = self.names.get(name)
        return seq is not None and self.context.begun(seq)

    # The cloud

    def get(
        self,
        service: str,
        path: str,
        microversion: str = "",
        query: Any = (),
        kind: SessionKind = "tenant",
    ) -> dict[str, Any] | None:
        """A JSON document without secrets; None for 404. What passes is asked again for a while.

        Raises Failed with the sentence.
        """
        return hands.get(self, service, path, microversion, query, kind)

    def call(
        self,
        service: str,
        method: Any,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        microversion: str = "",
        session: SessionKind = "tenant",
        creates: bool = False,
        what: str = "",
        type: str = "",
        id: str = "",
    ) -> Call:
        """A call in the machine's cloud, region and project."""
        key = (self.cloud, self.region, id) if id else None
        return Call(
            self.cloud, self.region, service, method, path, body, microversion, session, self.project_id, what, key,
            type, creates,
        )  # fmt: skip

    def perform(self, call: Call) -> Answer:
        """Send it once, whatever comes. Raises what the gate does; prefer `create`, `act` and `remove`."""
        answer = self.kit.gate.perform(self.actor(), call)
        self.request_ids += [id for id in answer.request_ids if id not in self.request_ids]
        return answer

    def create(
        self, purpose: str, type: str, call: Call, find: Callable[[], dict[str, Any] | None], *, name: str = ""
    ) -> str:
        """Make something once, and answer its id. See hands.create."""
        return hands.create(self, purpose, type, call, find, name)

    def act(self, call: Call, is_so: Callable[[], bool], *, seconds: float = hands.ACT_SECONDS) -> None:
        """Change something that can be looked up. See hands.act."""
        hands.act(self, call, is_so, seconds)

    def remove(self, purpose: str, call: Call, gone: Callable[[], bool], *, seconds: float = hands.ACT_SECONDS) -> None:
        """Remove what this job made for that purpose. See hands.remove."""
        hands.remove(self, purpose, call, gone, seconds)

    def until(self, type: str, id: str, check: Callable[[dict[str, Any] | None], T | None], seconds: float) -> T | None:
        """Wait until `check` answers something of the document (None: it is gone); None after `seconds`.

        type  server, volume, snapshot, image, backup or port. One listing serves many waits.
        Raises Cancelled in a step that is not an undo, Failed when the cloud refuses to be asked.
        """
        place = (self.cloud, self.region, self.project_id)
        return self.kit.watcher.until(place, type, id, check, seconds, self.look_up)

    def wait(self, check: Callable[[], T | None], seconds: float) -> T | None:
        """Ask `check` at growing intervals; None after `seconds`. Raises Cancelled as `until` does."""

        def look() -> T | None:
            self.look_up()
            return check()

        return self.context.wait(look, seconds, first=0.05, longest=2.0)

    def look_up(self) -> None:
        """Raises Interrupted when the engine stops, Cancelled when the job was cancelled (not in an undo step)."""
        from engine.jobs.models import Interrupted

        if self.context.stopping():
            raise Interrupted
        if not self.undo and self.context.cancelled():
            raise Cancelled("cancelled")

    # What is made

    def mark(self, purpose: str = "") -> str:
        """Unguessable text of this step, and of one thing that it makes: into what is made before it is asked for.

        What the job that is retried began under its own mark keeps that.
        """
        row = self.records.found(self.job_id, purpose) if purpose else None
        if row is not None and row["state"] != "removed":
            return str(row["token"])
        return f"{self.token}-{purpose}"[:255] if purpose else self.token

    def marks(self, purpose: str = "") -> dict[str, str]:
        """The same as metadata of a volume, snapshot, server or image."""
        return {MARK: self.mark(purpose), JOB: self.job_id}

    # How it goes

    def progress(self, text: str) -> None:
        """What is being done just now, for whoever watches."""
        self.context.progress(text)

    def done(self, detail: str, *, created: str = "", **more: Any) -> StepResult:
        """The step is done; `more` are facts for later steps, as JSON."""
        return StepResult(True, detail, tuple(self.request_ids), created, more)

    def actor(self) -> Actor:
        """On whose behalf the calls are sent."""
        context = self.context
        return Actor(
            context.caller, PERMISSION, ACTION, plan_id=self.plan.id, job=self.job_id, step=self.step.seq,
            reason=context.reason, ticket=context.ticket,
        )  # fmt: skip
