"""The vocabulary of restores: what a machine was, what of it comes back from where, and the plan a job carries out.

Pure data, standard library only: the client and every file of the room may import it. A plan is stored in the journal
as JSON (`kept.py` reads and writes it), so a field that is added needs a default, and none changes its meaning: open
jobs of an earlier release are carried out by this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Key = tuple[str, str, str]  # (cloud, region or '', id)

# NEW and REPLACE are the documented modes; the others are ours.
Way = Literal["DISK_BESIDE", "DATA_VOLUME_BACK", "IN_PLACE", "NEW", "REPLACE"]
WAYS: tuple[Way, ...] = ("DISK_BESIDE", "DATA_VOLUME_BACK", "IN_PLACE", "NEW", "REPLACE")  # the smallest first
Strategy = Literal["NEW_IPS", "TRY_SAME_IPS", "SAME_IPS_OR_FAIL", "MANUAL_IP"]
Choice = Literal["restore_point", "keep_current", "leave_out"]
Boot = Literal["volume", "image"]
SourceKind = Literal["snapshot", "image", "backup"]
Park = Literal["shelve", "stop", "leave", ""]
End = Literal["keep", "delete"]
Access = Literal["role", "lend", "none"]
Level = Literal["ok", "warning", "problem"]
# The documented states of a restore job; what our jobs call them is in rules.py.
JobStatus = Literal["PLANNED", "PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED", "INTERRUPTED"]
StepStatus = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "SKIPPED"]

PLAN_VERSION = 1
PLAN_MINUTES = 30
KEEP_DAYS = 7
MARK = "qdeck_mark"  # metadata key of what a job makes: the step's token
JOB = "qdeck_restore"  # metadata key: the job's id, for people and other tools; proves nothing


@dataclass(frozen=True, slots=True)
class Source:
    """What a disk, or the root of a machine that boots from an image, comes back from.

    volume_id  it was taken of; "" for an image of a root disk that is no volume
    group      points made as one ("" = alone); `consistency` and `proof` as the snapshots room says them
    back_end   "same": on the storage of its volume, and lost with it; "backup": elsewhere
    own        our journal made it
    seconds    how long it takes until a volume of it is there, estimated; None: not known
    """

    kind: SourceKind
    id: str
    name: str = ""
    volume_id: str = ""
    project_id: str = ""
    size_gb: int = 0
    status: str = ""
    taken_at: datetime | None = None
    policy: str = ""
    group: str = ""
    consistency: str = ""
    proof: str = ""
    back_end: Literal["same", "backup"] = "same"
    own: bool = False
    incremental: bool = False
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Disk:
    """A volume of the machine, and what becomes of it.

    root          it boots from this one
    order         place among the machine's disks, from 0
    device, tag, delete_on_termination  of its attachment
    image_metadata, metadata            as Cinder has them (policies are in the metadata)
    choice        what becomes of it; `source` where it comes from a restore point
    lost_seconds  age of what comes back: what was written since is not there; None: nothing is lost
    note          a sentence about it for the plan
    attached_elsewhere  ids of other machines that have it, too
    """

    volume_id: str
    name: str = ""
    size_gb: int = 0
    volume_type: str = ""
    status: str = ""
    root: bool = False
    order: int = 0
    device: str = ""
    tag: str = ""
    delete_on_termination: bool = False
    bootable: bool = False
    multiattach: bool = False
    encrypted: bool = False
    zone: str = ""
    description: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    image_metadata: Mapping[str, str] = field(default_factory=dict)
    attached_elsewhere: tuple[str, ...] = ()
    choice: Choice = "restore_point"
    source: Source | None = None
    lost_seconds: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class FixedIp:
    """One address of a port."""

    address: str
    subnet_id: str = ""


@dataclass(frozen=True, slots=True)
class Floating:
    """A floating IP that points at an address of a port."""

    id: str
    address: str
    fixed_address: str = ""


@dataclass(frozen=True, slots=True)
class Nic:
    """A port of the machine, and what its successor gets.

    own_network   the machine's project owns the network: its addresses can be known without an administrator
    fixed         addresses of the old port; `wanted` those asked for (address "" = any of that subnet)
    keep_mac      the successor gets the old MAC address
    fall_back     another address will do when a wanted one cannot be had (TRY_SAME_IPS)
    trunk_id      of the trunk whose parent it is
    """

    port_id: str
    network_id: str
    network_name: str = ""
    order: int = 0
    own_network: bool = True
    name: str = ""
    description: str = ""
    mac: str = ""
    fixed: tuple[FixedIp, ...] = ()
    security_groups: tuple[str, ...] = ()
    port_security: bool = True
    allowed_address_pairs: tuple[Mapping[str, str], ...] = ()
    vnic_type: str = "normal"
    qos_policy_id: str = ""
    dns_name: str = ""
    extra_dhcp_opts: tuple[Mapping[str, Any], ...] = ()
    tags: tuple[str, ...] = ()
    admin_state_up: bool = True
    trunk_id: str = ""
    floating: tuple[Floating, ...] = ()
    wanted: tuple[FixedIp, ...] = ()
    keep_mac: bool = False
    fall_back: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine as it is now, or as it last was.

    gone          it is deleted: this is what the store remembers
    boot          from a volume (the root is among the disks) or from an image
    flavor        Nova's embedded flavor: name, vcpus, ram (MB), disk, ephemeral (GB), swap (MB), extra_specs
    flavor_id     of the flavor with that name now; "" = there is none any more
    zone          where it runs; `pinned_zone` only where it was asked for (2.96)
    group_id      server group; `group_policy` its policy
    user_data_*   size in bytes and SHA-256; never the text
    host_status   Nova's word for its host (UP, DOWN, MAINTENANCE, UNKNOWN); "" = may not be seen
    """

    key: Key
    name: str
    project_id: str
    project_name: str = ""
    domain_name: str = ""
    user_id: str = ""
    gone: bool = False
    status: str = ""
    vm_state: str = ""
    task_state: str = ""
    power_state: int | None = None
    locked: bool = False
    locked_reason: str = ""
    host: str = ""
    host_status: str = ""
    zone: str = ""
    pinned_zone: str = ""
    boot: Boot = "volume"
    image_id: str = ""
    flavor: Mapping[str, Any] = field(default_factory=dict)
    flavor_id: str = ""
    hostname: str = ""
    description: str = ""
    key_name: str = ""
    config_drive: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    group_id: str = ""
    group_name: str = ""
    group_policy: str = ""
    user_data_bytes: int = 0
    user_data_sha256: str = ""
    created_at: str = ""
    updated_at: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that triage saw: `problem` says that this restore is the wrong thing, or impossible."""

    level: Level
    text: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that will not be as it was. `field` is the path in a comparison ("server.id", "nic.0.mac",
    "disk.1.id", "server.user_id"), `text` the sentence."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Fit:
    """One limit that the restore has to fit into: what it needs, what is used of what there is (None: not known)."""

    what: str
    ok: bool
    text: str
    need: int = 0
    used: int | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Raise:
    """A quota that is raised for the time of the job, as it was when that was planned.

    service  "compute" or "block-storage"; `name` its own name of the limit
    was      the limit; `needed` what it has to be
    """

    service: str
    name: str
    project: str
    was: int
    needed: int


@dataclass(frozen=True, slots=True)
class Prove:
    """What shows that the machine answers, beside ACTIVE.

    console   regular expressions, any of which must be in its console log
    tcp_port  of the floating IP (or of the fixed address, where `direct`), None: not tried
    command   run the command of the settings (restore.prove_command) with the addresses
    seconds   how long that is waited for before a person is asked
    answer_minutes  how long a person is waited for; nobody's answer never deletes anything
    ask       whether a person is asked at all (NEW and DISK_BESIDE: no)
    """

    console: tuple[str, ...] = ("login:", r"[Cc]loud-init.*finished")
    tcp_port: int | None = None
    command: bool = False
    seconds: int = 300
    answer_minutes: int = 60
    ask: bool = True


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for; defaults are chosen for the machine. As POST /restore/plan takes it, and ours beside it.

    restore_point_id  snapshot, image or backup; "" = the newest that has the root
    at                the newest points not after this time, for all disks
    disks             {volume id: choice, or "point:<id>"}; what is not in it gets the default
    volume_id         which disk DISK_BESIDE and DATA_VOLUME_BACK are about; "" = the root, or the only data disk
    helper            DISK_BESIDE: machine that gets the copy instead of the same one ("none": it is not attached)
    stop              DATA_VOLUME_BACK: stop the machine meanwhile
    fenced            the typed statement that the old host is fenced (REPLACE with a dead host)
    user_data         pass the user data on; zone: pin the new machine to the old zone
    raise_quota       have the project's quotas raised for the time of the job where it does not fit
    """

    project_id: str
    server_id: str
    cloud: str = ""
    region: str = ""
    way: Way = "NEW"
    restore_point_id: str = ""
    at: datetime | None = None
    new_name: str = ""
    ip_strategy: Strategy = "NEW_IPS"
    manual_ips: Mapping[str, str] = field(default_factory=dict)
    network_override_id: str = ""
    security_group_ids: tuple[str, ...] | None = None
    disks: Mapping[str, str] = field(default_factory=dict)
    volume_id: str = ""
    helper: str = ""
    stop: bool = False
    keep_days: int = KEEP_DAYS
    end: End = "keep"
    safety_snapshot: bool | None = None
    cleanup_old_storage: bool = False
    delete_source_snapshot: bool = False
    user_data: bool = False
    zone: bool = False
    fenced: str = ""
    prove: Prove = field(default_factory=Prove)
    raise_quota: bool = False


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step as it is submitted. `phase` "undo": only when the job fails, or is cancelled, before its commit."""

    name: str
    phase: Literal["do", "undo"] = "do"
    args: Mapping[str, Any] = field(default_factory=dict)
    target: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All of a restore. What the job does is in `steps`; the rest is what they need, and what people are shown.

    point       the restore point it is called after (of the root, or of the disk it is about)
    root_image  IN_PLACE and image-booted machines: the image the root comes from ("" = made by the job of `point`)
    park        how the old machine makes room (REPLACE): "leave" where its host is dead and fenced
    was_running the old machine ran, and runs again after a roll-back
    access      how the engine acts in the project; `access_command` what an administrator runs where it cannot
    lost, differs, points_at_old, findings, fits, warnings  for the review; `problems` make it not eligible
    creates     sentences: what will be there that was not
    commands    equivalent commands of the OpenStack client, for people
    relied      {name: value}: everything the plan relies on, read again at execution; `hash` is over it
    phrase      what must be typed; None for nothing
    reused      {volume id of the original: volume that an earlier, failed job has made}, for a retry
    retry_of    that job
    raises      quotas that are raised for the time of the job, and given back
    """

    id: str
    way: Way
    machine: Machine
    created_at: datetime
    expires_at: datetime
    request: Request
    version: int = PLAN_VERSION
    eligible: bool = False
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    point: Source | None = None
    disks: tuple[Disk, ...] = ()
    nics: tuple[Nic, ...] = ()
    new_name: str = ""
    strategy: Strategy = "NEW_IPS"
    root_image: str = ""
    park: Park = ""
    was_running: bool = True
    helper: Key | None = None
    helper_name: str = ""
    access: Access = "role"
    access_command: str = ""
    findings: tuple[Finding, ...] = ()
    lost: tuple[str, ...] = ()
    differs: tuple[Difference, ...] = ()
    points_at_old: tuple[str, ...] = ()
    fits: tuple[Fit, ...] = ()
    creates: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    seconds: int | None = None
    steps: tuple[PlannedStep, ...] = ()
    commit: str = ""
    relied: Mapping[str, Any] = field(default_factory=dict)
    hash: str = ""
    phrase: str | None = None
    reused: Mapping[str, str] = field(default_factory=dict)
    retry_of: str = ""
    raises: tuple[Raise, ...] = ()
