"""Everything the demo cloud has, and the random numbers it is made from."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from engine.demo.clock import Clock
from engine.demo.network_records import Agent, FloatingIp, Network, Port, Router, Rule, SecurityGroup, Subnet, Trunk
from engine.demo.people import Domain, Group, Project, User
from engine.demo.records import (
    Action,
    Attachment,
    Backup,
    Flavor,
    GroupSnapshot,
    Host,
    Image,
    Keypair,
    Server,
    ServerGroup,
    Snapshot,
    Volume,
    VolumeGroup,
)
from engine.demo.tables import Table

ROLES = ("admin", "manager", "member", "reader", "service")
IMPLIED = {"admin": "manager", "manager": "member", "member": "reader"}


class Dice(random.Random):
    """Seeded randomness with the shapes that clouds need."""

    def uuid(self) -> str:
        text = f"{self.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def hex(self) -> str:
        """A Keystone id: 32 hexadecimal digits."""
        return f"{self.getrandbits(128):032x}"

    def mac(self) -> str:
        text = f"{self.getrandbits(24):06x}"
        return f"fa:16:3e:{text[:2]}:{text[2:4]}:{text[4:]}"


@dataclass(frozen=True)
class Assignment:
    """A role given to a user or a group on a project, a domain or the system."""

    role: str
    user: str | None = None
    group: str | None = None
    project: str | None = None
    domain: str | None = None
    system: bool = False


@dataclass
class State:
    """Everything there is in the cloud: one table per kind of record, and what all services share."""

    seed: str
    clock: Clock
    dice: Dice
    epoch: int
    region: str = "RegionOne"
    domains: Table[Domain] = field(default_factory=Table)
    projects: Table[Project] = field(default_factory=Table)
    users: Table[User] = field(default_factory=Table)
    groups: Table[Group] = field(default_factory=Table)
    role_ids: dict[str, str] = field(default_factory=dict)
    assignments: dict[Assignment, None] = field(default_factory=dict)
    flavors: Table[Flavor] = field(default_factory=Table)
    images: Table[Image] = field(default_factory=Table)
    hosts: Table[Host] = field(default_factory=Table)
    servers: Table[Server] = field(default_factory=Table)
    deleted_servers: Table[Server] = field(default_factory=Table)
    server_groups: Table[ServerGroup] = field(default_factory=Table)
    keypairs: list[Keypair] = field(default_factory=list)
    volume_types: list[tuple[str, str, str, dict[str, str]]] = field(default_factory=list)
    volumes: Table[Volume] = field(default_factory=Table)
    attachments: Table[Attachment] = field(default_factory=Table)
    snapshots: Table[Snapshot] = field(default_factory=Table)
    volume_groups: Table[VolumeGroup] = field(default_factory=Table)
    group_snapshots: Table[GroupSnapshot] = field(default_factory=Table)
    backups: Table[Backup] = field(default_factory=Table)
    networks: Table[Network] = field(default_factory=Table)
    subnets: Table[Subnet] = field(default_factory=Table)
    routers: Table[Router] = field(default_factory=Table)
    ports: Table[Port] = field(default_factory=Table)
    floating_ips: Table[FloatingIp] = field(default_factory=Table)
    security_groups: Table[SecurityGroup] = field(default_factory=Table)
    rules: Table[Rule] = field(default_factory=Table)
    trunks: Table[Trunk] = field(default_factory=Table)
    agents: Table[Agent] = field(default_factory=Table)
    ids: dict[str, str] = field(default_factory=dict)
    next_number: int = 1
    # Of the cell that does not answer.
    down_servers: set[str] = field(default_factory=set)
    down_hosts: set[str] = field(default_factory=set)
    # What is to go wrong with the next thing of a kind and name (see faults.py): the reason, None for nothing.
    failing: Callable[[str, str], str | None] = field(default=lambda what, name: None)
    # How machines of a name boot from now on, the newest order first: (pattern, "" well, "panic", "silent").
    boots: list[tuple[re.Pattern[str], str]] = field(default_factory=list)
    # How long a shelved machine keeps its host; negative: until somebody offloads it.
    shelved_seconds: float = 0.0

    def now(self) -> int:
        return int(self.clock.now())

    def named_id(self, name: str) -> str:
        """An id that is the same for the whole life of the cloud (services, endpoints, zones)."""
        found = self.ids.get(name)
        if found is None:
            found = self.ids[name] = Dice(f"{self.seed}/{name}").hex()
        return found

    def add_rule(self, rule: Rule) -> Rule:
        self.rules.add(rule)
        group = self.security_groups.get(rule.group)
        if group is not None:
            group.rules.append(rule)
        return rule

    def add_attachment(self, volume: Volume, server: Server, device: str, now: int, **more: Any) -> Attachment:
        """Ties a volume to a server, in both of them and in the table."""
        host = server.host.name if server.host else None
        attachment = Attachment(self.dice.uuid(), volume.id, server.id, volume.project, device, host, now, **more)
        attachment.bdm = attachment.bdm or attachment.id
        volume.attachments.append(attachment)
        server.volumes.append(attachment)
        self.attachments.add(attachment)
        return attachment

    def renew_attachment(self, old: Attachment, host: str | None, status: str, now: int) -> Attachment:
        """The same volume on the same server by another attachment of Cinder's, as when a machine changes its host."""
        new = replace(old, id=self.dice.uuid(), host=host, status=status, attached=now)
        self.attachments.remove(old.id)
        self.attachments.add(new)
        volume, server = self.volumes.get(old.volume), self.servers.get(old.server)
        for holder in (volume.attachments if volume else [], server.volumes if server else []):
            for place, row in enumerate(holder):
                if row is old:
                    holder[place] = new
        return new

    def record(self, server: Server, action: str, user: str, project: str, now: int, **more: object) -> Action:
        """Writes an entry of the server's action list, as Nova does for what it is asked."""
        entry = Action(action, f"req-{self.dice.uuid()}", user, project, now, now, **more)  # type: ignore[arg-type]
        if server.actions is None:
            server.actions = []
        server.actions.append(entry)
        return entry
