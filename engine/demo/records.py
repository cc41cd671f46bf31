"""The demo cloud's own rows, one small class a kind; times are whole seconds since the epoch (UTC).

A row is itself and no other (eq=False): two rows with the same values are two things in a cloud.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.demo.network_records import Port


@dataclass(slots=True, eq=False)
class Flavor:
    """A Nova flavor; RAM and swap in MB, disk and ephemeral in GB."""

    id: str
    name: str
    vcpus: int
    ram: int
    disk: int
    ephemeral: int
    swap: int
    public: bool
    extra_specs: dict[str, str]
    description: str | None = None
    created: int = 0


@dataclass(slots=True, eq=False)
class Image:
    """A Glance image; sizes in bytes, `min_disk` in GB, `min_ram` in MB, times in seconds since 1970."""

    id: str
    name: str
    owner: str
    visibility: str
    size: int
    virtual_size: int | None
    disk_format: str
    min_disk: int
    min_ram: int
    properties: dict[str, str]
    created: int
    updated: int
    status: str = "active"
    protected: bool = False
    hidden: bool = False
    tags: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Host:
    """A compute host; `used` figures are kept by `place` and `leave`."""

    id: str
    number: int
    name: str
    ip: str
    zone: str
    vcpus: int
    ram: int
    disk: int
    service_id: str
    provider_id: str
    up: bool = True
    enabled: bool = True
    reason: str | None = None
    stopped_at: int | None = None
    vcpus_used: int = 0
    ram_used: int = 0
    disk_used: int = 0
    vms: int = 0
    generation: int = 1

    def place(self, server: Server) -> None:
        self._count(server, 1)

    def leave(self, server: Server) -> None:
        self._count(server, -1)

    def _count(self, server: Server, sign: int) -> None:
        flavor = server.flavor
        self.vcpus_used += sign * flavor.vcpus
        self.ram_used += sign * flavor.ram
        self.disk_used += sign * (0 if server.from_volume else flavor.disk)
        self.vms += sign
        self.generation += 1


@dataclass(slots=True, eq=False)
class Attachment:
    """What ties a volume to a server; `volume` and `server` are ids."""

    id: str
    volume: str
    server: str
    project: str
    device: str
    host: str | None
    attached: int
    delete_on_termination: bool = False
    tag: str | None = None
    root: bool = False
    status: str = "attached"
    bdm: str = ""  # Nova's own id of the mapping, which stays when Cinder's attachment is made anew


@dataclass(slots=True, eq=False)
class Volume:
    """A Cinder volume; size in GB."""

    id: str
    name: str
    project: str
    user: str
    size: int
    type: str
    status: str
    created: int
    updated: int | None
    bootable: bool
    pool: str | None
    attachments: list[Attachment]
    metadata: dict[str, str] | None = None
    image: Image | None = None
    snapshot: str | None = None
    source: str | None = None
    description: str | None = None
    multiattach: bool = False
    encrypted: bool = False
    migration: str | None = None
    group: str | None = None
    image_meta: dict[str, str] | None = None  # in place of what its image says


@dataclass(slots=True, eq=False)
class Snapshot:
    """A snapshot of a volume; size in GB."""

    id: str
    name: str
    project: str
    user: str
    volume: str
    size: int
    status: str
    created: int
    updated: int | None
    metadata: dict[str, str] | None = None
    description: str | None = None
    group_snapshot: str | None = None


@dataclass(slots=True, eq=False)
class VolumeGroup:
    """Volumes whose snapshots are taken at once; `type` is the id of a group type."""

    id: str
    name: str
    project: str
    type: str
    created: int


@dataclass(slots=True, eq=False)
class GroupSnapshot:
    """A snapshot of a group: one of each of its volumes."""

    id: str
    name: str
    description: str
    project: str
    group: str
    type: str
    created: int
    members: list[Snapshot]


@dataclass(slots=True, eq=False)
class Backup:
    """A backup of a volume; size in GB, `parent` is the backup an incremental one builds on."""

    id: str
    name: str
    project: str
    user: str
    volume: str
    size: int
    status: str
    created: int
    updated: int
    incremental: bool = False
    description: str | None = None
    fail_reason: str | None = None
    parent: str | None = None
    metadata: dict[str, str] | None = None
    snapshot: str | None = None


@dataclass(slots=True, eq=False)
class Action:
    """One entry of a server's action list."""

    action: str
    request: str
    user: str
    project: str
    start: int
    finish: int | None
    result: str = "Success"
    message: str | None = None


@dataclass(slots=True, eq=False)
class Server:
    """A Nova server with its ports, volumes and action list; `host` is None until it is placed."""

    id: str
    number: int
    name: str
    project: str
    user: str
    flavor: Flavor
    image: Image | None
    from_volume: bool
    host: Host | None
    status: str
    created: int
    updated: int
    launched: int | None
    key: str | None
    zone: str
    groups: tuple[str, ...]
    volumes: list[Attachment]
    ports: list[Port]
    metadata: dict[str, str] | None = None
    tags: tuple[str, ...] = ()
    task: str | None = None
    locked: bool = False
    locked_reason: str | None = None
    description: str | None = None
    fault: tuple[int, str, int] | None = None
    terminated: int | None = None
    deleted: bool = False
    hostname: str = ""
    user_data: str | None = None
    server_group: str | None = None
    actions: list[Action] | None = None
    config_drive: bool = False
    pinned_zone: str | None = None
    given_ports: frozenset[str] = frozenset()  # ids of ports that Nova didn't make: they stay when the machine goes
    nic_tags: dict[str, str] | None = None  # by port
    shelved_image: str | None = None
    was: str = ""  # the status before a rebuild or a shelving
    boot: str | None = None  # how its boot goes ("" well, "panic"); None as its number says


@dataclass(slots=True, eq=False)
class ServerGroup:
    """A server group; `members` holds ids of servers, also of some that are gone."""

    id: str
    name: str
    project: str
    user: str
    policy: str
    members: list[str]
    rules: dict[str, int] | None = None


@dataclass(slots=True, eq=False)
class Keypair:
    """A key pair of a user; only its public half exists."""

    name: str
    user: str
    public_key: str
    fingerprint: str
    created: int
    kind: str = "ssh"
