"""What the API answers of snapshot runs, and what it is asked with."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.snapshots.models import RunStatus

RunState = RunStatus


class Run(BaseModel):
    """One run: the documented fields, then what it is about. `retry_at`: when what could not be made is tried again."""

    id: int
    status: RunState
    run_type: Literal["schedule", "on_demand", "manual"]
    policy_names: list[str]
    total_volumes: int
    snapshots_created: int
    snapshots_deleted: int
    snapshots_failed: int
    volumes_skipped: int
    quota_blocked: int
    total_batches: int
    completed_batches: int
    current_batch: int | None
    progress_pct: float
    estimated_finish_at: str | None
    started_at: str | None
    finished_at: str | None
    created_at: str | None
    triggered_by: str
    dry_run: bool
    cloud: str
    region: str
    phase: str
    detail: str | None
    occurrences: dict[str, str]
    attempt: int
    retry_at: str | None
    cancelled_by: str | None
    job_ids: list[str]


class Batch(BaseModel):
    """Tenants that are worked on together; counts are of restore points."""

    batch_number: int
    tenant_names: list[str]
    total_volumes: int
    status: Literal["pending", "running", "completed", "partial"]
    completed: int
    skipped: int
    failed: int
    started_at: str | None
    finished_at: str | None


class QuotaBlock(BaseModel):
    """A volume that got no point for want of quota. The gigabytes are null where another limit was the reason."""

    volume_name: str
    tenant_name: str
    quota_limit_gb: int | None
    quota_used_gb: int | None
    quota_needed_gb: int | None
    block_reason: str
    run_id: int
    volume_id: str
    project_id: str
    policy: str
    reason: str
    resource: str
    limit: int | None
    used: int | None
    needed: int | None
    size_gb: int
    at: str | None
    cloud: str
    region: str


class Progress(BaseModel):
    """A run as it goes on."""

    run: Run
    batches: list[Batch]
    quota_blocks: list[QuotaBlock]
    is_active: bool


class Active(BaseModel):
    """The run that works now, if any; `runs` are all that have not ended."""

    active: bool
    run: Run | None
    batches: list[Batch]
    quota_blocks: list[QuotaBlock] = []
    runs: list[Run] = []


class Record(BaseModel):
    """What was done with one volume for one policy."""

    model_config = ConfigDict(extra="allow")

    id: int
    run_id: int
    at: str
    action: str
    status: str
    volume_id: str
    volume_name: str
    policy: str
    snapshot_id: str | None
    detail: str | None


class Runs(BaseModel):
    """A page of runs, newest first."""

    total: int
    page: int
    page_size: int
    items: list[Run]


class Records(BaseModel):
    """A page of a run's records."""

    total: int
    page: int
    page_size: int
    items: list[Record]


class Blocks(BaseModel):
    """Volumes that quota kept out, newest first."""

    items: list[QuotaBlock]


class RunBody(BaseModel):
    """A run to begin now. `policies` and `volumes` (ids): null is all; `region` may be left out where there is one."""

    model_config = ConfigDict(extra="forbid")

    cloud: str = Field(max_length=63)
    region: str | None = Field(None, max_length=255)
    policies: list[str] | None = Field(None, max_length=500)
    volumes: list[str] | None = Field(None, max_length=10_000)
    dry_run: bool = False


class State(BaseModel):
    """Why nothing runs where something is due, by cloud, and what does not work."""

    idle: dict[str, str]
    problems: dict[str, str]


class Queued(BaseModel):
    """The pipeline waits for its turn."""

    job_id: str
    status: Literal["pending"]
    message: str


class PipelineStep(BaseModel):
    """One of its four steps."""

    key: str
    label: str
    status: Literal["pending", "running", "completed", "failed"]
    detail: str | None = None


class PipelineStatus(BaseModel):
    """The newest pipeline."""

    job_id: str | None
    status: Literal["idle", "pending", "running", "completed", "failed"]
    triggered_by: str | None
    started_at: str | None
    finished_at: str | None
    steps: list[PipelineStep]
    runs: list[int]
    detail: str | None
