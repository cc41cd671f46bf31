"""The demo cloud's rows of the network, one small class a kind; times are whole seconds since the epoch (UTC).

As in `records`, a row is itself and no other.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Network:
    """A Neutron network; times in seconds since 1970, as in all records."""

    id: str
    name: str
    project: str
    created: int
    updated: int
    shared: bool = False
    external: bool = False
    kind: str = "vxlan"
    segment: int | None = None
    physical: str | None = None
    mtu: int = 1450
    description: str = ""
    status: str = "ACTIVE"
    admin_up: bool = True
    revision: int = 2
    tags: tuple[str, ...] = ()
    subnets: list[Subnet] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Subnet:
    """A subnet. Addresses come from `pools` (first and last) where it has any, else `next_host` up to `size`.

    `claimed` are addresses that somebody asked for by name: the next free one is never one of these.
    """

    id: str
    name: str
    project: str
    network: Network
    cidr: str
    base: str
    gateway: str | None
    created: int
    updated: int
    dhcp: bool = True
    size: int = 254
    next_host: int = 10
    dns: tuple[str, ...] = ()
    revision: int = 0
    description: str = ""
    pools: list[tuple[str, str]] = field(default_factory=list)
    claimed: set[str] = field(default_factory=set)
    tags: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.cidr else 4

    def address(self) -> str:
        """The next address that nobody had yet; raises IndexError when all were handed out once."""
        while True:
            found = self._next()
            if found not in self.claimed:
                return found

    def _next(self) -> str:
        if self.pools:
            left = self.next_host
            for first, last in self.pools:
                low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
                size = int(high) - int(low) + 1
                if left < size:
                    self.next_host += 1
                    return str(low + left)
                left -= size
            raise IndexError(f"no more addresses in {self.cidr}")
        if self.next_host > self.size:
            raise IndexError(f"no more addresses in {self.cidr}")
        high_byte, low_byte = divmod(self.next_host, 256)
        self.next_host += 1
        first, second, third, _ = self.base.split(".")
        return f"{first}.{second}.{int(third) + high_byte}.{low_byte}"

    def ranges(self) -> list[tuple[str, str]]:
        """First and last address of each pool, as Neutron tells them."""
        if self.pools:
            return self.pools
        first, second, third, _ = self.base.split(".")
        high, low = divmod(self.size, 256)
        return [(f"{first}.{second}.{third}.2", f"{first}.{second}.{int(third) + high}.{low}")]


@dataclass(slots=True, eq=False)
class SecurityGroup:
    """A security group with its rules."""

    id: str
    name: str
    project: str
    description: str
    created: int
    updated: int
    revision: int = 1
    rules: list[Rule] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Rule:
    """A rule of a security group; `low` and `high` are ports, None for any."""

    id: str
    group: str
    project: str
    direction: str
    ethertype: str
    protocol: str | None
    low: int | None
    high: int | None
    prefix: str | None
    remote_group: str | None
    created: int
    description: str | None = ""


@dataclass(slots=True, eq=False)
class Router:
    """A router between a project's networks and the external one; None while it leads nowhere."""

    id: str
    name: str
    project: str
    external: Network | None
    subnet: str
    ip: str
    created: int
    updated: int
    status: str = "ACTIVE"
    admin_up: bool = True
    revision: int = 4


@dataclass(slots=True, eq=False)
class Port:
    """A port; `fixed_ips` holds (subnet id, address), `groups` ids of security groups."""

    id: str
    name: str
    network: Network
    project: str
    mac: str
    status: str
    device_id: str
    device_owner: str
    fixed_ips: list[tuple[str, str]]
    groups: tuple[str, ...]
    host: str
    created: int
    updated: int
    revision: int = 4
    security: bool = True
    floating: FloatingIp | None = None
    description: str = ""
    admin_up: bool = True
    pairs: tuple[tuple[str, str], ...] = ()  # (address, MAC), the MAC "" for the port's own
    tags: tuple[str, ...] = ()
    vnic: str = "normal"
    dns_name: str = ""
    qos: str | None = None


@dataclass(slots=True, eq=False)
class FloatingIp:
    """A floating IP; `port` is None while it leads nowhere, `fixed` the address of the port when it isn't the first."""

    id: str
    project: str
    network: Network
    ip: str
    router: str | None
    port: Port | None
    status: str
    created: int
    updated: int
    description: str = ""
    revision: int = 1
    fixed: str = ""
    tags: tuple[str, ...] = ()

    @property
    def leads_to(self) -> str | None:
        """The fixed address behind it."""
        if self.port is None or not self.port.fixed_ips:
            return None
        return self.fixed or next((ip for _, ip in self.port.fixed_ips if ":" not in ip), None)


@dataclass(slots=True, eq=False)
class Trunk:
    """A trunk; `sub_ports` holds (port, VLAN)."""

    id: str
    name: str
    project: str
    port: Port
    sub_ports: list[tuple[Port, int]]
    created: int
    updated: int
    status: str = "ACTIVE"


@dataclass(slots=True, eq=False)
class Agent:
    """A Neutron agent of one host; `stopped_at` is when one that is not alive was last heard of."""

    id: str
    kind: str
    binary: str
    topic: str
    host: str
    zone: str | None
    created: int
    configurations: dict[str, object]
    alive: bool = True
    stopped_at: int | None = None
