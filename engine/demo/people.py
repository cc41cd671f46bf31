"""What Keystone keeps: domains, projects, users and groups. Ids as the services write them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Domain:
    """A Keystone domain."""

    id: str
    name: str
    description: str
    enabled: bool = True


@dataclass(slots=True, eq=False)
class Project:
    """A Keystone project; quotas by resource name, -1 for no limit."""

    id: str
    name: str
    domain: Domain
    description: str
    enabled: bool = True
    tags: tuple[str, ...] = ()
    key: str = ""
    compute_quota: dict[str, int] = field(default_factory=dict)
    volume_quota: dict[str, int] = field(default_factory=dict)
    network_quota: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class User:
    """A Keystone user; `login` is set for the few that can log in, `password` for those made by a call."""

    id: str
    name: str
    domain: Domain
    description: str = ""
    email: str | None = None
    enabled: bool = True
    login: bool = False
    password: str | None = None
    default_project: str | None = None


@dataclass(slots=True, eq=False)
class Group:
    """A Keystone group; `members` holds ids of users."""

    id: str
    name: str
    domain: Domain
    description: str
    members: set[str] = field(default_factory=set)
