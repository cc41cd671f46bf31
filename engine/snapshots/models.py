"""The vocabulary of protecting volumes: policies, what a volume is to us, what was decided for it, restore points.

Pure data, standard library only: the client and every file of the room may import it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Key = tuple[str, str, str]  # (cloud, region or '', id)

Method = Literal["volume", "server"]
Consistency = Literal["crash-consistent", "group-consistent", "quiesced"]
ReasonKind = Literal["exclusion", "metadata", "assignment", "set", "none"]
Trigger = Literal["schedule", "on_demand", "manual"]
RunStatus = Literal["pending", "running", "completed", "partial", "failed", "cancelled", "skipped", "dry_run_completed"]
Action = Literal["created", "deleted", "skipped", "failed", "quota_blocked"]
RecordStatus = Literal["OK", "SKIPPED", "ERROR", "DRY_RUN", "QUOTA_BLOCKED"]
ComplianceStatus = Literal["compliant", "missing", "pending", "quota_blocked", "excluded"]

# What is written to a volume so that other tools see its policies too, and read from it.
AUTO_SNAPSHOT = "auto_snapshot"
POLICIES = "snapshot_policies"
OLD_POLICY = "snapshot_policy"  # one name; read only
RETENTION = "retention_"  # + policy name: how many to keep
OLD_RETENTIONS = ("snapshot_retention_",)  # + policy name; read only
RETENTION_OF_ALL = ("retention", "snapshot_retention")  # of policies that have none of their own; read only
SLA_DAYS = "sla_days"
YES, NO = frozenset({"true", "yes", "1", "on"}), frozenset({"false", "no", "0", "off"})

# What is written to a snapshot (or image) that a policy makes. The first value is that of the tool whose metadata keys
# these are, so that what reads them goes on working; ours are the mark (a step's token) and the times by our clock.
# No key may look like a secret (store/redact.py): what reads a cloud would not see its value.
CREATED_BY, CREATED_BY_POLICY, CREATED_BY_HAND = "created_by", "p9_auto_snapshots", "quarterdeck"
POLICY, PROJECT, VOLUME = "policy", "original_project_id", "original_volume_id"
TOKEN, TAKEN_AT, CONSISTENCY = "qdeck_mark", "qdeck_taken_at", "qdeck_consistency"


@dataclass(frozen=True, slots=True)
class Policy:
    """When a restore point is due, and how many are kept.

    cron            five fields; "L" is the last day of a month. Wall-clock time of `timezone` (IANA)
    keep            restore points kept of one volume; the oldest beyond it go, after the new one is there
    jitter_minutes  a run begins up to so much later, the same at every run of a cloud
    catch_up_hours  how late a missed occurrence is still made; None: until the next one is due
    window_hours    how old the newest point may be to comply; None: from the schedule itself (schedule.window)
    method          "server": all volumes of a machine at once, as one restore point
    group_type      a Cinder group type whose groups may be used for it; "" = none
    known           False when nobody made it: made up from its name
    """

    name: str
    cron: str
    timezone: str = "UTC"
    keep: int = 7
    jitter_minutes: int = 0
    catch_up_hours: float | None = None
    window_hours: float | None = None
    method: Method = "volume"
    group_type: str = ""
    enabled: bool = True
    known: bool = True
    description: str = ""


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume as far as policies look at it; `metadata` as the cloud has it. Times are aware UTC."""

    cloud: str
    region: str
    id: str
    name: str = ""
    status: str = ""
    size_gb: int = 0
    volume_type: str = ""
    bootable: bool = False
    multiattach: bool = False
    host: str = ""
    project_id: str = ""
    project_name: str = ""
    domain_id: str = ""
    domain_name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    server_ids: tuple[str, ...] = ()
    server_name: str = ""
    created_at: datetime | None = None

    @property
    def key(self) -> Key:
        return (self.cloud, self.region, self.id)


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for or against policies on a volume, for "why does this volume have this policy?".

    kind         where it comes from; `id` of the exclusion, assignment or set ("" for metadata)
    name         what people call it
    specificity  the greater wins (rules.py says which is which)
    policies     {policy: keep or None} that it asks for
    applies      whether it decides; `text` is the sentence: why it does, or what is more specific
    """

    kind: ReasonKind
    id: str
    name: str
    specificity: int
    policies: Mapping[str, int | None]
    applies: bool
    text: str


@dataclass(frozen=True, slots=True)
class Held:
    """One policy that a volume has: how many points are kept, and where that comes from."""

    policy: str
    keep: int
    kind: ReasonKind
    source: str
    source_id: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided for one volume: its policies (none when it is excluded), and every reason, deciding ones first.

    `excluded`: the sentence of the exclusion that is in force, or None.
    """

    held: tuple[Held, ...]
    reasons: tuple[Reason, ...]
    excluded: str | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A restore point of one volume, observed in the cloud or noted by us.

    kind         "snapshot", "image" (a machine's; its parts are snapshots with the same `group`) or "backup"
    group        points made as one, such as a machine's volumes; "" = it stands alone
    policy       that made it, "" = a person or another tool did
    own          our journal has it: the only points that retention may remove
    taken_at     by our clock for our own, else the cloud's created_at
    consistency  and `proof`: what it is, and what showed that; "" for what others made
    back_end     "same": on the storage of its volume; "backup": elsewhere
    """

    cloud: str
    region: str
    id: str
    kind: Literal["snapshot", "image", "backup"]
    volume_id: str
    project_id: str = ""
    name: str = ""
    status: str = ""
    size_gb: int = 0
    policy: str = ""
    own: bool = False
    taken_at: datetime | None = None
    server_id: str = ""
    group: str = ""
    consistency: str = ""
    proof: str = ""
    spread_ms: int | None = None
    back_end: Literal["same", "backup"] = "same"
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return (self.cloud, self.region, self.id)
