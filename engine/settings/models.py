"""The settings: every key, its default, what is allowed, and whether it may be changed in the app."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from engine.settings.cloud_rules import CloudRules
from engine.settings.copilot_section import Copilot
from engine.settings.restore_section import Restore
from engine.settings.roles import Role
from engine.settings.section import IN_APP, SecretReference, Section


def _listen(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("is not an address and port, like 0.0.0.0:8443 or [::]:8443")
    return value


class Tcp(Section):
    """API over TCP, beside the Unix socket. Off unless `listen` is set; needs TLS except on a loopback address."""

    listen: Annotated[str, AfterValidator(_listen)] | None = Field(
        default=None, description="Address and port.", json_schema_extra={"allowed": "`host:port`, like `0.0.0.0:8443`"}
    )
    certificate: Path | None = Field(default=None, description="PEM file with the certificate chain.")
    key: Path | None = Field(default=None, description="PEM file with the certificate's private key, mode 0600.")
    signing_key: SecretReference | None = Field(
        default=None,
        description="Key that signs login tokens, at least 32 bytes; one is made in the engine's home when unset.",
    )
    session_hours: int = Field(default=8, strict=True, ge=1, le=168, description="How long a login lasts, in hours.")

    @model_validator(mode="after")
    def _both(self) -> Tcp:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together: set both or neither")
        return self


class Engine(Section):
    """Who reaches the engine, and how."""

    group: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="Group of the host whose members share this engine; unset: it answers its own user only.",
    )
    tcp: Tcp = Tcp()


class Collection(Section):
    """When and how clouds are read."""

    interval_minutes: int = Field(
        default=15,
        strict=True,
        ge=1,
        le=1440,
        description="Minutes between two collections of a cloud.",
        json_schema_extra=IN_APP,
    )
    full_every_minutes: int = Field(
        default=240,
        strict=True,
        ge=1,
        le=10080,
        description="Minutes between two full listings; those between fetch changes only where the API can.",
        json_schema_extra=IN_APP,
    )
    parallel_per_service: int = Field(
        default=4,
        strict=True,
        ge=1,
        le=32,
        description="Requests in flight to one service of one region.",
        json_schema_extra=IN_APP,
    )
    parallel_projects: int = Field(
        default=8,
        strict=True,
        ge=1,
        le=64,
        description="Projects asked side by side, for quotas.",
        json_schema_extra=IN_APP,
    )
    parallel_regions: int = Field(
        default=4,
        strict=True,
        ge=1,
        le=32,
        description="Regions collected side by side.",
        json_schema_extra=IN_APP,
    )
    connect_timeout_seconds: float = Field(
        default=10,
        strict=True,
        gt=0,
        le=120,
        description="Seconds to wait for a connection.",
        json_schema_extra=IN_APP,
    )
    read_timeout_seconds: float = Field(
        default=60,
        strict=True,
        gt=0,
        le=600,
        description="Seconds to wait for a service's answer.",
        json_schema_extra=IN_APP,
    )
    retries: int = Field(
        default=3,
        strict=True,
        ge=0,
        le=10,
        description="Times a read is repeated after a passing error.",
        json_schema_extra=IN_APP,
    )
    quota_calls: int = Field(
        default=3000,
        strict=True,
        ge=0,
        le=1_000_000,
        description="Most requests spent on quotas in one collection; the other projects follow in the next.",
        json_schema_extra=IN_APP,
    )
    retention_days: int = Field(
        default=90,
        strict=True,
        ge=1,
        le=3650,
        description="Days that closed versions are kept; the current state is always kept.",
        json_schema_extra=IN_APP,
    )


class Grant(Section):
    """The role of a host's user or group on a shared engine, and what it is limited to."""

    role: Role = Field(description="What it may do; docs/permissions.md has the table.")
    clouds: tuple[str, ...] | None = Field(default=None, description="Only these clouds.")
    domains: tuple[str, ...] | None = Field(default=None, description="Only these domains (ids).")
    projects: tuple[str, ...] | None = Field(default=None, description="Only these projects (ids).")


class Access(Section):
    """Roles on a shared engine. A user's own entry wins over the groups'; who has none is refused."""

    users: dict[str, Grant] = Field(default_factory=dict, description="By user name.")
    groups: dict[str, Grant] = Field(default_factory=dict, description="By group name.")


class Logging(Section):
    """The engine's log files, in the `logs` folder of its home."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO",
        description="Least serious entries that are written.",
        json_schema_extra=IN_APP,
    )
    max_megabytes: int = Field(
        default=10, strict=True, ge=1, le=1024, description="Size, in MB, at which a log is rotated."
    )
    keep_files: int = Field(default=5, strict=True, ge=1, le=100, description="Rotated files kept.")


class Storage(Section):
    """Space of the engine's home."""

    reserve_mb: int = Field(
        default=64,
        strict=True,
        ge=0,
        le=4096,
        description="MB kept back on the disk, so that what was sent to a cloud is recorded also when it is full. "
        "0: none; a demo keeps none.",
    )


def _web_address(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
        raise ValueError("is not an address like https://prometheus.example:9090 (without user, query or fragment)")
    return value.rstrip("/")


class Metrics(Section):
    """Where the dashboard takes utilisation from: measured where it can be, else what was promised to machines."""

    source: Literal["auto", "prometheus", "nova", "allocation"] = Field(
        default="auto",
        description="`auto`: Prometheus where `prometheus_url` is set, else Nova's diagnostics, else allocation.",
        json_schema_extra=IN_APP,
    )
    prometheus_url: Annotated[str, AfterValidator(_web_address)] | None = Field(
        default=None,
        description="Prometheus (or what speaks its API) with node_exporter's and a libvirt exporter's series.",
        json_schema_extra={"allowed": "`http://` or `https://` address"},
    )
    prometheus_token: SecretReference | None = Field(default=None, description="Bearer token for it.")
    prometheus_ca: Path | None = Field(default=None, description="PEM file of the authority that signed its key.")
    cloud: str | None = Field(
        default=None,
        max_length=63,
        description="The only cloud that its series are of; unset: found by the hosts' names.",
    )
    host_cpu: str = Field(
        default='100 * (1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m])))',
        max_length=2000,
        description="PromQL of a host's CPU in percent.",
    )
    host_memory: str = Field(
        default="100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)",
        max_length=2000,
        description="PromQL of a host's memory in percent.",
    )
    vm_cpu: str = Field(
        default="100 * rate(libvirt_domain_info_cpu_time_seconds_total[5m])"
        " / on (instance, domain) libvirt_domain_info_virtual_cpus",
        max_length=2000,
        description="PromQL of a machine's CPU in percent of its vCPUs.",
    )
    vm_memory: str = Field(
        default="100 * libvirt_domain_info_memory_usage_bytes"
        " / on (instance, domain) libvirt_domain_info_maximum_memory_bytes",
        max_length=2000,
        description="PromQL of a machine's memory in percent.",
    )
    host_label: str = Field(
        default="instance",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Label with the host's name or address; a port and the domain may follow.",
    )
    vm_label: str = Field(
        default="domain",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Label with the machine's UUID, or its name at the hypervisor (instance-0000002a).",
    )
    interval_minutes: int = Field(
        default=5,
        strict=True,
        ge=1,
        le=1440,
        description="Minutes between two measurements.",
        json_schema_extra=IN_APP,
    )
    nova_calls: int = Field(
        default=60,
        strict=True,
        ge=0,
        le=10_000,
        description="Most diagnostics asked of one cloud's Nova in one measurement; machines take turns. 0: none.",
        json_schema_extra=IN_APP,
    )


class Tenants(Section):
    """What the health score of a tenant looks at."""

    drift_days: int = Field(
        default=7,
        strict=True,
        ge=1,
        le=365,
        description="Drift counts for so many days after it was seen.",
        json_schema_extra=IN_APP,
    )
    drift_open_only: bool = Field(
        default=True,
        strict=True,
        description="Drift that was acknowledged, or went back by itself, counts no more.",
        json_schema_extra=IN_APP,
    )
    compliance: Literal["latest", "off"] = Field(
        default="latest",
        description="Compliance with snapshot policies: the latest judgement, or left out of the score.",
        json_schema_extra=IN_APP,
    )
    snapshot_days: int = Field(
        default=2,
        strict=True,
        ge=1,
        le=365,
        description="Days that the newest snapshot may be old on past days whose compliance was not recorded: there "
        "the volumes' own metadata are judged. Now each policy has its own window.",
        json_schema_extra=IN_APP,
    )


class DriftSource(Section):
    """A file that tells who asked a cloud's services for what: API access logs, or notifications as JSON lines."""

    cloud: str = Field(min_length=1, max_length=63, description="The cloud's name.")
    path: Path = Field(description="The file; it is followed when it grows or is rotated.")
    service: Literal["", "compute", "network", "block-storage", "image"] = Field(
        default="", description="Whose access log it is; unset: told by the paths in it."
    )


class Drift(Section):
    """Who did it: where that is asked."""

    calls: int = Field(
        default=200,
        strict=True,
        ge=0,
        le=100_000,
        description="Most machines of one cloud whose actions are asked for within one interval of collections; the "
        "others are asked about when somebody opens the event.",
        json_schema_extra=IN_APP,
    )
    sources: tuple[DriftSource, ...] = Field(
        default=(),
        description="Files that tell who asked a cloud's services for what; see docs/drift.md.",
        json_schema_extra={"allowed": "tables, written `[[drift.sources]]`, each with `cloud`, `path`, `service`"},
    )


def _zone(value: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is no time zone; write one like UTC or Europe/Berlin") from None


class Snapshots(Section):
    """Snapshots by policy; see docs/snapshots.md."""

    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        default="UTC",
        max_length=64,
        description="Zone of the schedules of policies that nobody made, whose names alone say when they are due.",
        json_schema_extra=IN_APP | {"allowed": "a time zone, like `Europe/Berlin`"},
    )
    batch_size: int = Field(
        default=20,
        strict=True,
        ge=1,
        le=1000,
        description="Restore points of one batch of a run; the volumes of one project are never split.",
        json_schema_extra=IN_APP,
    )
    parallel: int = Field(
        default=4,
        strict=True,
        ge=1,
        le=32,
        description="Restore points of one run that are made side by side.",
        json_schema_extra=IN_APP,
    )
    max_size_gb: int = Field(
        default=0,
        strict=True,
        ge=0,
        le=1_000_000,
        description="Larger volumes are left out of runs, and the run says so. 0: none is.",
        json_schema_extra=IN_APP,
    )
    retry_minutes: int = Field(
        default=30,
        strict=True,
        ge=1,
        le=1440,
        description="Minutes until a run tries again what it could not make; twice as long each time, 6 hours at most.",
        json_schema_extra=IN_APP,
    )


class Reports(Section):
    """The nightly report of compliance with snapshot policies, in the folder `reports` of the engine's home."""

    hour: int = Field(
        default=6,
        strict=True,
        ge=0,
        le=23,
        description="Hour (UTC) from which a day's report is written.",
        json_schema_extra=IN_APP,
    )
    keep_days: int = Field(
        default=90,
        strict=True,
        ge=0,
        le=3650,
        description="Days that nightly reports are kept. 0: none are written, and those there are stay.",
        json_schema_extra=IN_APP,
    )


class Settings(Section):
    """All settings of an engine, with every default filled in."""

    engine: Engine = Engine()
    collection: Collection = Collection()
    access: Access = Access()
    logging: Logging = Logging()
    storage: Storage = Storage()
    metrics: Metrics = Metrics()
    tenants: Tenants = Tenants()
    drift: Drift = Drift()
    snapshots: Snapshots = Snapshots()
    reports: Reports = Reports()
    restore: Restore = Restore()
    copilot: Copilot = Copilot()
    clouds: dict[str, CloudRules] = Field(
        default_factory=dict,
        description="Rules for changes, by the cloud's name.",
        json_schema_extra={
            "allowed": "a table by name, each with `production`, `reason_required`, `ticket_required`, "
            "`ticket_pattern`, `write_minutes`, `grant_member`, `restore`, `hands_off`"
        },
    )

    @property
    def shared(self) -> bool:
        """Whether a group of the host shares this engine."""
        return self.engine.group is not None

    def value(self, key: str) -> Any:
        """The value of a dotted key ("collection.interval_minutes"). Raises KeyError when there is none."""
        found: Any = self
        for part in key.split("."):
            if not isinstance(found, BaseModel) or part not in type(found).model_fields:
                raise KeyError(key)
            found = getattr(found, part)
        return found
