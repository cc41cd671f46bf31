"""Requests and answers of /q/writes, /q/plans and /q/actions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.gate.rules import MOST_TARGETS
from engine.gate.windows import MOST_MINUTES

Text = Annotated[str, Field(max_length=255)]
Words = Annotated[str, Field(max_length=1000)]
ResourceKey = tuple[Text, Text, Annotated[str, Field(min_length=1, max_length=1024)]]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LiftBody(_Body):
    """For how long a cloud may be written, and why; `typed` is the name of a production cloud."""

    minutes: int | None = Field(None, ge=1, le=MOST_MINUTES, description="null: as the configuration says.")
    reason: Words = ""
    typed: Words = ""


class TargetsBody(_Body):
    """Keys of resources; or all that pass a filter, without those of `minus`. Empty for what is to be created."""

    keys: list[ResourceKey] | None = Field(None, max_length=MOST_TARGETS)
    filter: str | None = Field(None, max_length=2000)
    at_version: int | None = Field(None, description="Version of the data that the filter was looked at with.")
    minus: list[ResourceKey] = Field(default_factory=list, max_length=10_000)
    clouds: list[Text] | None = Field(None, max_length=100)
    regions: list[Text] | None = Field(None, max_length=100)
    projects: list[Text] | None = Field(None, max_length=1000)


class PlanBody(_Body):
    """What is to be done to what. `cloud` and `region` say where something is created."""

    action: str = Field(max_length=128)
    targets: TargetsBody = TargetsBody.model_validate({})
    cloud: Text | None = None
    region: Text | None = None
    options: dict[str, Any] = Field(default_factory=dict, max_length=100)


class ExecuteBody(_Body):
    """Who takes the responsibility, and how far it may go wrong.

    override    keys whose lock is passed; only of a plan with one target, with the phrase of `requires.override` typed
    stop_after  failures after which no further step is begun
    hash        the plan's, where the caller wants to be sure that he saw this one
    """

    reason: Words = ""
    ticket: Text = ""
    typed: Words = ""
    override: list[ResourceKey] = Field(default_factory=list, max_length=1)
    stop_after: int | None = Field(None, ge=1, le=MOST_TARGETS)
    hash: str | None = Field(None, max_length=64)


class WriteState(BaseModel):
    """One cloud: whether it may be changed now, until when, and what changes of it need."""

    cloud: str
    writable: bool
    until: str | None
    production: bool
    reason_required: bool
    ticket_required: bool
    ticket_pattern: str | None
    minutes: int = Field(description="How long read-only mode is lifted for, unless said.")
    demo: bool = Field(description="It has no read-only mode.")
    hands_off: list[dict[str, Any]]


class WriteStates(BaseModel):
    """The clouds that the caller may see."""

    items: list[WriteState]


class ChangeAnswer(BaseModel):
    """A field that changes."""

    field: str
    from_: Any = Field(alias="from")
    to: Any


class PlanItem(BaseModel):
    """One target. `problem` says why nothing is done to it; `override` how a lock can be passed all the same."""

    key: list[str]
    name: str
    project_name: str
    cloud: str
    state: str
    ok: bool
    code: str | None
    problem: str | None
    override: str | None
    changes: list[ChangeAnswer]
    lost: list[str]


class Requires(BaseModel):
    """What has to be given when the plan is carried out; `override` is typed instead of `typed` to pass the lock."""

    reason: bool
    ticket: bool
    ticket_pattern: str | None
    typed: str | None
    override: str | None


class PlanAnswer(BaseModel):
    """What would be done, and to what; carried out at most once, until `expires_at`."""

    id: str
    action: str
    type: str
    title: str
    danger: Literal["none", "disruptive", "destructive"]
    made_by: str
    created_at: str
    expires_at: str
    items: list[PlanItem]
    count: int
    refused: int
    options: dict[str, Any]
    commands: list[str]
    warnings: list[str]
    requires: Requires
    hash: str
    executed_at: str | None
    job_id: str | None


class Executed(BaseModel):
    """The job that carries a plan out, as GET /q/jobs/{id} answers it."""

    job: dict[str, Any]


class ActionAnswer(BaseModel):
    """One action: what it asks for, and whether the caller's role may."""

    id: str
    type: str
    title: str
    danger: Literal["none", "disruptive", "destructive"]
    many: bool
    creates: bool
    permission: str
    allowed: bool
    help: str
    options: list[dict[str, Any]]


class Actions(BaseModel):
    """The actions that this engine can carry out."""

    items: list[ActionAnswer]
