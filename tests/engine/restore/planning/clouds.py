"""A cloud of documents for tests of reading: what is asked is looked up, and noted; what is not there is a 404."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from engine.clouds.errors import CloudError
from engine.gate.models import NoRole
from engine.gate.refusals import NotDone
from engine.restore.planning.asking import Asking, Sources

POOL = ThreadPoolExecutor(8, thread_name_prefix="test-planning")
ADMIN, MEMBER = "u-admin", "u-member"
NETWORKS = ("networks", "subnets", "ports", "floatingips")


@dataclass(frozen=True)
class Who:
    """Whoever asks."""

    user_id: str
    project_id: str
    roles: tuple[str, ...]
    tops: Mapping[str, str] = field(default_factory=lambda: {"compute": "2.100", "block-storage": "3.71"})

    def top(self, service: str, region: str) -> str:
        if service not in self.tops:
            raise CloudError("no_service", f"there is no {service} service")
        return self.tops[service]


@dataclass
class Cloud:
    """Documents by (service, path). A value may be a function of the query, or an exception.

    admin    whether an administrator's account is there
    members  projects that a tenant's session reaches
    """

    docs: dict[tuple[str, str], Any] = field(default_factory=dict)
    admin: bool = True
    members: tuple[str, ...] = ("p1",)
    asked: list[tuple[str, str, str, tuple[tuple[str, str], ...], str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, service: str, path: str, document: Any) -> None:
        self.docs[service, path] = document

    def asking(self, project: str = "p1") -> Asking:
        return Asking(Sources(self.reader, self.who, POOL), "east", "r1", project)

    def who(self, cloud: str, kind: str, project: str) -> Who:
        if kind == "tenant":
            if project not in self.members:
                raise NoRole(f"no account has a role in {project}; an administrator gives it with: X", "X")
            return Who(ADMIN if self.admin else MEMBER, project, ("member",))
        return Who(ADMIN, "admin", ("admin",)) if self.admin else Who(MEMBER, self.members[0], ("member",))

    def reader(self, cloud: str, region: str, project: str, kind: str) -> Callable[..., Any]:
        def get(service: str, path: str, version: str = "", query: Sequence[tuple[str, str]] = ()) -> Any:
            with self.lock:
                self.asked.append((service, path, version, tuple(query), kind))
            if service == "load-balancer" and (service, path) not in self.docs:
                raise CloudError("no_service", "there is no load-balancer service")
            found = self.docs.get((service, path))
            if callable(found):
                found = found(dict(query))
            if isinstance(found, Exception):
                raise found
            if found is None and service == "network" and path[1:] in NETWORKS:
                return {path[1:]: []}
            return found

        return get

    def paths(self, service: str) -> list[str]:
        """What was asked of a service."""
        return [path for asked, path, *_ in self.asked if asked == service]


def refused(status: int = 403) -> NotDone:
    """What the gate says of an answer that is an error."""
    return NotDone(f"the service refused it ({status})", status=status)
