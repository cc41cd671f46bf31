"""Requests and answers of /restore (as documented) and /q/restore."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from engine.restore.models import End, JobStatus, Prove, Request, StepStatus, Strategy, Way

Id = Annotated[str, Field(max_length=64, pattern=r"^[0-9A-Za-z_-]*$")]
NeededId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_-]+$")]
Name = Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
Words = Annotated[str, Field(max_length=1000)]
Address = Annotated[str, Field(max_length=64, pattern=r"^[0-9A-Fa-f.:]*$")]
Cloud = Annotated[str, Field(max_length=63)]
Region = Annotated[str, Field(max_length=255)]
Addresses = Annotated[dict[NeededId, Address], Field(max_length=100)]
Groups = Annotated[list[NeededId], Field(max_length=100)]
_CHOICE = r"^(restore_point|keep_current|leave_out|point:[0-9A-Za-z_-]{1,64})$"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow")


# The documented requests


class PlanBody(_Body):
    """The documented request for a plan; `cloud` and `region` where a machine's id alone does not tell."""

    project_id: NeededId
    vm_id: NeededId
    restore_point_id: NeededId
    mode: Literal["NEW", "REPLACE"] = "NEW"
    new_vm_name: Name | None = None
    ip_strategy: Strategy = "NEW_IPS"
    manual_ips: Addresses | None = None
    network_override_id: Id | None = None
    security_group_ids: Groups | None = None
    cleanup_old_storage: bool = False
    delete_source_snapshot: bool = False
    safety_snapshot_before_replace: bool | None = None
    cloud: Cloud | None = None
    region: Region | None = None

    def request(self, cloud: str, region: str, keep_days: int, settled: Prove) -> Request:
        """The same for the planner."""
        return Request(
            self.project_id, self.vm_id, cloud, region, self.mode, self.restore_point_id,
            new_name=self.new_vm_name or "", ip_strategy=self.ip_strategy, manual_ips=self.manual_ips or {},
            network_override_id=self.network_override_id or "",
            security_group_ids=None if self.security_group_ids is None else tuple(self.security_group_ids),
            keep_days=keep_days, safety_snapshot=self.safety_snapshot_before_replace,
            cleanup_old_storage=self.cleanup_old_storage, delete_source_snapshot=self.delete_source_snapshot,
            prove=settled,
        )  # fmt: skip


class ExecuteBody(_Body):
    """`confirm_destructive` is for REPLACE; the rest is ours: `confirm_cloud` is the name of a production cloud."""

    plan_id: NeededId
    confirm_destructive: Words | None = None
    confirm_cloud: Cloud | None = None
    reason: Words = ""
    ticket: Name = ""


class CancelBody(_Body):
    """Why."""

    reason: Words | None = None


class CleanupBody(_Body):
    """`confirm_cloud`: the name of a production cloud."""

    delete_volume: bool = False
    confirm_cloud: Cloud | None = None


class RetryBody(_Body):
    """`confirm_cloud`: the name of a production cloud."""

    confirm_destructive: Words | None = None
    ip_strategy_override: Literal["NEW_IPS", "TRY_SAME_IPS", "SAME_IPS_OR_FAIL"] | None = None
    confirm_cloud: Cloud | None = None


# Ours


class ProveBody(_Body):
    """What shows that the machine answers; what is left out is as the settings say."""

    console: list[Annotated[str, Field(min_length=1, max_length=200)]] | None = Field(None, max_length=20)
    tcp_port: int | None = Field(None, ge=1, le=65535)
    command: bool | None = None
    seconds: int | None = Field(None, ge=0, le=7200)
    answer_minutes: int | None = Field(None, ge=1, le=10_080)
    ask: bool | None = None

    def prove(self, settled: Prove) -> Prove:
        """The same over what the settings say."""
        given = self.model_dump(exclude_none=True)
        if "console" in given:
            given["console"] = tuple(given["console"])
        return Prove(**{name: given.get(name, getattr(settled, name)) for name in Prove.__dataclass_fields__})


class RequestBody(_Body):
    """What is to come back, and how; see engine/restore/models.py: Request."""

    project_id: Id = ""
    server_id: NeededId
    cloud: Cloud = ""
    region: Region | None = None
    way: Way = "NEW"
    restore_point_id: Id = ""
    at: AwareDatetime | None = None
    new_name: Name = ""
    ip_strategy: Strategy = "NEW_IPS"
    manual_ips: Addresses = Field(default_factory=dict)
    network_override_id: Id = ""
    security_group_ids: Groups | None = None
    disks: dict[NeededId, Annotated[str, Field(pattern=_CHOICE)]] = Field(default_factory=dict, max_length=100)
    volume_id: Id = ""
    helper: Id = ""
    stop: bool = False
    keep_days: int | None = Field(None, ge=1, le=365)
    end: End = "keep"
    safety_snapshot: bool | None = None
    cleanup_old_storage: bool = False
    delete_source_snapshot: bool = False
    user_data: bool = False
    zone: bool = False
    fenced: Words = ""
    raise_quota: bool = False
    prove: ProveBody = Field(default_factory=lambda: ProveBody.model_validate({}))

    def request(self, cloud: str, region: str, keep_days: int, settled: Prove) -> Request:
        """The same for the planner."""
        given = self.model_dump(exclude={"prove", "keep_days", "cloud", "region", "at", "security_group_ids"})
        groups = self.security_group_ids
        return Request(
            **given, cloud=cloud, region=region, keep_days=self.keep_days or keep_days,
            at=None if self.at is None else self.at.astimezone(UTC), prove=self.prove.prove(settled),
            security_group_ids=None if groups is None else tuple(groups),
        )  # fmt: skip


class GivenBody(_Body):
    """Who takes the responsibility: `typed` is what `requires.typed` of the plan asks for, `hash` the plan's."""

    reason: Words = ""
    ticket: Name = ""
    typed: Words = ""
    hash: str | None = Field(None, max_length=64)


class AgainBody(_Body):
    """A retry: `typed` as for the plan."""

    typed: Words = ""
    ip_strategy_override: Literal["NEW_IPS", "TRY_SAME_IPS", "SAME_IPS_OR_FAIL"] | None = None


class AnswerBody(_Body):
    """What a person says when a job asks whether the machine answers."""

    answer: Literal["yes", "no"]


class SweepBody(_Body):
    """Clean up after a job; `typed` is the name of a production cloud."""

    delete_volume: bool = False
    typed: Words = ""


class StorageBody(_Body):
    """Clean up old storage; `typed` is the name of a production cloud."""

    delete_old_volume: bool = True
    delete_source_snapshot: bool = False
    typed: Words = ""


class ExtendBody(_Body):
    """So many days longer than it is kept now, or from now on when that is over."""

    days: int = Field(ge=1, le=365)


class ReleaseBody(_Body):
    """Keep it no longer, and leave it where it is; `rename`: give a machine its old name back."""

    rename: bool = False


class RemoveBody(_Body):
    """`typed`: the name of what is removed, behind that of a production cloud."""

    typed: Words = ""


# Answers


class ConfigAnswer(_Open):
    """The three switches; `clouds` where they differ."""

    enabled: bool
    dry_run: bool
    cleanup_volumes: bool


class StepAnswer(BaseModel):
    """One step of a restore."""

    name: str
    step_name: str
    step_order: int
    phase: Literal["do", "undo"]
    status: StepStatus
    detail: str | None
    error_message: str | None
    progress: str | None
    started_at: str | None
    ended_at: str | None
    finished_at: str | None
    seconds: float | None
    usual_seconds: float | None
    attempt: int
    created: str | None


class RestoreJob(_Open):
    """A restore, planned or carried out; `plan_json` and `steps` where one is asked for."""

    id: str
    status: JobStatus
    cloud: str
    region: str
    project_id: str
    vm_id: str
    vm_name: str
    mode: str
    restore_point_id: str | None
    new_vm_name: str | None
    ip_strategy: str
    created_at: str
    created_by: str


class RestoreJobs(_Open):
    """A page of them, the newest first."""

    total: int
    items: list[RestoreJob]


class CleanupAnswer(_Open):
    """What went, and what stayed."""

    job_id: str
    cleaned: dict[str, Any]
    message: str


class RetryAnswer(_Open):
    """The job that goes on."""

    job_id: str
    original_job_id: str
    status: JobStatus
    resumed_from_step: str
    reused_resources: dict[str, Any]
    ip_strategy: str
    message: str


class StorageAnswer(_Open):
    """What of the old storage went, and what was skipped, with the reasons."""

    job_id: str
    result: dict[str, Any]
    message: str


class Kept(_Open):
    """What is kept for a time after restores."""

    items: list[dict[str, Any]]
