"""The gate's vocabulary: what rooms above it say when they want a cloud changed. Standard library only.

How to write an operation (compute, network, snapshots and restore register theirs with `Gate.register`):

    def stop_check(ctx: Context, target: Target, options: Mapping[str, Any]) -> Check:
        if target.doc.get("status") not in ("ACTIVE", "ERROR"):
            return Check(problem=f"{target.name} is {target.doc.get('status')}: only a running machine can be stopped")
        return Check(changes=(Change("status", target.doc["status"], "SHUTOFF"),))

    def stop_calls(ctx: Context, target: Target, options: Mapping[str, Any]) -> list[Call]:
        return [server_action(target, {"os-stop": None})]

    gate.register(Operation(
        ACTIONS["server.stop"], stop_check, stop_calls,
        commands=lambda ctx, target, options: [("server", "stop", target.id)],
        already=lambda ctx, target, options: target.doc.get("status") == "SHUTOFF",
        settled=lambda ctx, target, options: None if target.doc.get("OS-EXT-STS:task_state") else Settled("SHUTOFF"),
    ))

The gate itself looks at permission, read-only mode, locks, hands-off marks, protection, jobs that hold the target and
the limits of the caller's role; it asks for reason, ticket and phrase; it reads every target live when the plan is
made, when it is executed and before each call. `check` only knows what is peculiar to the operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from engine.access.models import Caller
from store.types.actions import ActionDeclaration

Key = tuple[str, str, str]  # (cloud, region or '', id); the id is '' for what is not there yet
SessionKind = Literal["tenant", "admin", "read"]


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a cloud.

    path          below the service's versioned endpoint ("/servers/{id}/action")
    microversion  highest to ask for, "" = none; one that the cloud does not know is lowered, never raised
    session       "tenant": a token of the resource's own project (Nova and Cinder create and attach with it);
                  "admin": the account as configured, an administrator's where there is one; "read": asks only
    project_id    project that owns the resource, or will
    what          what it does, for people ("stop web-3")
    key           the resource it is done to; None for a create
    type          that resource's type ("server")
    creates       it makes something that belongs to a project: refused when the token's project is another
    """

    cloud: str
    region: str
    service: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    body: Mapping[str, Any] | None = None
    microversion: str = ""
    session: SessionKind = "admin"
    project_id: str = ""
    what: str = ""
    key: Key | None = None
    type: str = ""
    creates: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the cloud said: status, its request ids, and the JSON body with every secret taken out ({} for none)."""

    status: int
    request_ids: tuple[str, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """A resource that is acted on, or (with an empty id) is to be made.

    row  its stored row {column: value}; of what is to be made the rows of the resource options by their names, each
         with its "key". Not there when a job carries a plan out, except for what is to be made
    doc  its document, read live, secrets taken out; {} when it is gone, or not there yet
    """

    type: str
    key: Key
    name: str
    project_id: str = ""
    project_name: str = ""
    host: str = ""
    row: Mapping[str, Any] = field(default_factory=dict)
    doc: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cloud(self) -> str:
        return self.key[0]

    @property
    def region(self) -> str:
        return self.key[1]

    @property
    def id(self) -> str:
        return self.key[2]


@dataclass(frozen=True, slots=True)
class Change:
    """A field that the action changes: `before` and `after` as shown."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Check:
    """What an operation says of one target: `problem` refuses it (one sentence); `lost` is what goes for good;
    `relies_on` are further values that must be the same when the plan is executed; `facts` are for `together`."""

    problem: str | None = None
    changes: tuple[Change, ...] = ()
    lost: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    relies_on: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settled:
    """How it ended: `ok` false makes the step a failed one."""

    detail: str
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Context:
    """What the operation's functions may use.

    number   place of the target among those of the plan, from 1; `count` is how many there are
    token    unguessable text of this step: goes into what a create makes, so that a second attempt finds it
    attempt  1, or more when an earlier attempt may have reached the cloud
    get      get(service, path, microversion="", query=()) -> the JSON document, secrets taken out; None when the cloud
             answers 404. Raises CloudError-like errors of the session
    by       name of the person whose job it is; "" while a plan is made
    """

    cloud: str
    region: str
    get: Callable[..., dict[str, Any] | None]
    number: int = 1
    count: int = 1
    token: str = ""
    attempt: int = 1
    reason: str = ""
    ticket: str = ""
    by: str = ""


Judge = Callable[[Context, Target, Mapping[str, Any]], Check]
Callers = Callable[[Context, Target, Mapping[str, Any]], Sequence[Call]]


@dataclass(frozen=True, slots=True)
class Operation:
    """How the gate carries an action out. All functions take (Context, Target, options).

    commands       equivalent arguments after `openstack`, one tuple a command; quoting and cloud are the gate's
    already        True when nothing is left to do (asked before the calls, so that a repeated step is harmless)
    made           of several calls, or of one that makes something: True when an earlier attempt has done this one,
                   which is then left out; without it they are counted in the audit
    together       sentences for the plan about all its targets at once, such as what a quota has room for
    find           for creates: the id of what an earlier attempt with this token made, or None
    settled        asked after the calls with a fresh document (empty when it is gone) until it answers; None waits on
    seconds        the longest that `settled` is waited for
    relies_on      keys of the live document that must not change between plan and execution; () = the gate's own list
    passes_locks   the action is about the lock itself
    touches        names of further types that it changes, to be collected again with its own
    read_path      where a target is read live, with {id}; "" = as its listing says
    microversion   asked for when it is read live; "" = the listing's
    """

    declaration: ActionDeclaration
    check: Judge
    calls: Callers
    commands: Callable[[Context, Target, Mapping[str, Any]], Sequence[Sequence[str]]] | None = None
    already: Callable[[Context, Target, Mapping[str, Any]], bool] | None = None
    find: Callable[[Context, Target, Mapping[str, Any]], str | None] | None = None
    settled: Callable[[Context, Target, Mapping[str, Any]], Settled | None] | None = None
    seconds: float = 300.0
    relies_on: tuple[str, ...] = ()
    passes_locks: bool = False
    touches: tuple[str, ...] = ()
    read_path: str = ""
    microversion: str = ""
    made: Callable[[Context, Target, Mapping[str, Any], Call], bool] | None = None
    together: Callable[[Sequence[tuple[Target, Check]], Mapping[str, Any]], Sequence[str]] | None = None

    @property
    def id(self) -> str:
        """The action's id."""
        return self.declaration.id


@dataclass(frozen=True, slots=True)
class Actor:
    """On whose behalf, and why: goes into every audit record.

    override  keys whose lock a person chose to pass
    standing  name of the standing permission ("snapshots") under which a job's call goes to a cloud that is read-only;
              it covers the few calls of rules.STANDING, where the permission is given; "" = none
    """

    caller: Caller
    permission: str
    action: str
    plan_id: str = ""
    job: str = ""
    step: int = 0
    reason: str = ""
    ticket: str = ""
    override: frozenset[Key] = frozenset()
    standing: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one step: a sentence, the cloud's request ids, and the id of what was made ("" for none)."""

    ok: bool
    detail: str
    request_ids: tuple[str, ...] = ()
    created: str = ""


class WriteSession(Protocol):
    """A logged-in account. Raises an exception whose `str()` is one sentence (engine/clouds/errors.py)."""

    account: str
    project_id: str
    user_id: str
    roles: tuple[str, ...]

    def get(
        self, service: str, region: str, path: str, microversion: str = "", query: Sequence[tuple[str, str]] = ()
    ) -> Raw:
        """Ask; never changes anything."""
        ...

    def send(
        self,
        method: str,
        service: str,
        region: str,
        path: str,
        body: Mapping[str, Any] | None,
        microversion: str = "",
    ) -> Raw:
        """Send once; never repeated, except after a 401, which did nothing."""
        ...


class Raw(Protocol):
    """An HTTP answer as it came: headers by lower-cased name."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def body(self) -> bytes: ...


class Sessions(Protocol):
    """Where sessions come from (engine/clouds/writing.py)."""

    def names(self) -> list[str]:
        """All clouds."""
        ...

    def regions(self, cloud: str) -> list[str]:
        """Its regions; [] when it is not known."""
        ...

    def always_writable(self, cloud: str) -> bool:
        """A cloud without read-only mode: the demo."""
        ...

    def account(self, cloud: str, kind: SessionKind, project_id: str = "") -> str:
        """The clouds.yaml entry that such a session would use, for commands shown to people; "" when unknown."""
        ...

    def session(self, cloud: str, kind: SessionKind, project_id: str = "") -> WriteSession:
        """Raises NoRole when no account reaches the project."""
        ...


class NoRole(Exception):
    """No account has a role in the project. `str()` names what an administrator must run.

    For a job the gate then asks for a role for its length (`Gate.lend`).
    """

    def __init__(self, message: str, command: str) -> None:
        super().__init__(message)
        self.command = command


class Runner(Protocol):
    """The jobs, as far as the gate needs them."""

    def submit(
        self, kind: str, title: str, caller: Caller, plan: Mapping[str, Any], options: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Start a job over the plan's `steps`; answers it as GET /q/jobs/{id} does."""
        ...

    def open(self, job_id: str) -> bool:
        """Whether the job has not ended yet."""
        ...

    def exists(self, job_id: str) -> bool:
        """Whether there is a job of that id, ended or not."""
        ...
