"""Everything that is known of a machine when its restore is planned: read by reading.py, judged by planner.py.

Pure data. What could not be read is None or a sentence, never an empty list that looks like "there is nothing".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from engine.restore.models import Access, Disk, Key, Machine, Nic, Source

Entries = Mapping[str, Mapping[str, int | None]]  # {the service's own name: {limit, in_use, reserved}}


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet and its free addresses, the lowest first, at most 200; `count` is how many there are.

    automatic  its addresses follow from the MAC (IPv6): none can be asked for, the same MAC brings the same one
    """

    id: str
    name: str
    cidr: str
    gateway: str = ""
    version: int = 4
    free: tuple[str, ...] = ()
    count: int = 0
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class NetworkAddresses:
    """What is free on a network; `known` is False where the session may not see everybody's ports (then why)."""

    network_id: str
    name: str = ""
    known: bool = True
    why: str = ""
    subnets: tuple[Subnet, ...] = ()
    used: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Event:
    """One instance action: what, when, and its error ("" = none)."""

    action: str
    at: datetime | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where the machine could run.

    candidates  by Placement, for its flavor; None: not known
    free_hosts  hosts that the server group's policy still leaves, when the old machine gives its own up (`parked`) and
                when it does not (`beside`); None: no policy, or not known
    """

    candidates: int | None = None
    parked: int | None = None
    beside: int | None = None


@dataclass(frozen=True, slots=True)
class Rights:
    """What the engine may do there.

    admin           an administrator's session can be had (addresses, MACs, foreign keys, user data)
    access          how it acts in the machine's project, and what an administrator runs where it cannot
    user_id         of the acting user in that project; "" = not known yet (a role is lent for the job)
    key             "own": the acting user has the key pair already; "copied": its public key can be imported for the
                    moment; "clash": he has another key of that name; "unreadable"; "" = the machine has none
    user_data       whether it can be read
    """

    admin: bool = False
    access: Access = "role"
    access_command: str = ""
    access_problem: str = ""
    user_id: str = ""
    key: str = ""
    user_data: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """See the module.

    points        {volume id: its points, newest first}; under "" the images of a root that is no volume
    events, console  newest first; the last lines. None: may not be read
    service       state and last sign of life of the machine's compute service; None: may not be read
    disagreements sentences: attachments that Nova and Cinder see differently
    references    sentences: what points at the machine's UUID or addresses
    *_quota       limits with usage, or the sentence why they cannot be read
    networks      {network id: what is free there}
    compute_top, volume_top  highest microversions of the services
    root_image_problem  why the image of an image-booted machine cannot be used any more
    refused       {what: sentence} of the gate: "locked", "held", "hands_off", "read_only"
    helper        another machine that gets a copy of a disk
    survived      volumes of a deleted machine that are still there and free
    no_groups     security groups that were asked for, and that the project does not have
    unread        sentences: what could not be read, and is missing from the rest
    """

    machine: Machine
    disks: tuple[Disk, ...] = ()
    nics: tuple[Nic, ...] = ()
    points: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    events: tuple[Event, ...] | None = None
    console: tuple[str, ...] | None = None
    service: tuple[str, datetime | None] | None = None
    disagreements: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    compute_quota: Entries | str = "not read"
    storage_quota: Entries | str = "not read"
    network_quota: Entries | str = "not read"
    hosts: Hosts = Hosts()
    networks: Mapping[str, NetworkAddresses] = field(default_factory=dict)
    rights: Rights = Rights()
    compute_top: str = ""
    volume_top: str = ""
    root_image_problem: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)
    helper: Machine | None = None
    survived: tuple[str, ...] = ()
    no_groups: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        return self.machine.key
