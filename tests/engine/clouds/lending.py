"""Grants over a Keystone in memory, with real operations data, audit and windows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from engine.access.models import Caller
from engine.api.changes import ChangeFeed
from engine.audit.service import AuditService
from engine.clouds.grants import Grants
from engine.gate.models import NoRole
from engine.gate.performing import Performer
from engine.gate.windows import WriteWindows
from engine.settings.models import Settings
from store.ops.ops import Ops

OPS = Caller("ops", 1000, None, None, "superadmin")
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
USER = "u-engine"
MEMBER = "r-member"


@dataclass
class Reply:
    """An HTTP answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Died(BaseException):
    """The engine was killed at this moment."""


@dataclass
class Keystone:
    """A cloud that knows roles in projects, and sessions over it."""

    roles: dict[str, str] = field(default_factory=lambda: {"member": MEMBER, "admin": "r-admin", "reader": "r-reader"})
    held: set[tuple[str, str]] = field(default_factory=set)  # (project, role id) of the engine's user
    writable: bool = False
    rescopes: bool = True  # a password can be used for another project, an application credential cannot
    slow: int = 0  # times that a token is refused although the role is there
    sent: list[tuple[str, str]] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda method: None
    after: Callable[[str], None] = lambda method: None
    refuse: dict[str, Any] = field(default_factory=dict)  # method -> status or exception

    def always_writable(self, cloud: str) -> bool:
        return self.writable

    def forget_project(self, cloud: str, project_id: str) -> None:
        self.forgotten.append(project_id)

    def user(self, cloud: str, account: str) -> str:
        return "engine-user"

    def role_command(self, cloud: str, project_id: str) -> str:
        return f"openstack role add --user engine-user --project {project_id} member"

    def session(self, cloud: str, kind: str, project_id: str = "") -> Any:
        if kind == "tenant":
            if not self.rescopes or (project_id, MEMBER) not in self.held or self.slow > 0:
                self.slow -= 1
                raise NoRole("no role", "openstack role add")
            return SimpleNamespace(project_id=project_id, account="a", user_id=USER)
        return SimpleNamespace(account="adm", project_id="admin", user_id=USER, get=self.get, send=self.send)

    def get(self, service: str, region: str, path: str, microversion: str = "", query: Sequence[Any] = ()) -> Reply:
        assert service == "identity"
        names = {id: name for name, id in self.roles.items()}
        if path == "/roles":
            wanted = dict(query)["name"]
            rows = [{"id": id, "name": name} for name, id in self.roles.items() if name == wanted]
        else:
            project = path.split("/")[2]
            rows = [{"id": id, "name": names[id]} for where, id in self.held if where == project]
        return Reply(body=json.dumps({"roles": rows}).encode())

    def send(self, method: str, service: str, region: str, path: str, body: Any, microversion: str = "") -> Reply:
        assert service == "identity" and body is None
        self.before(method)
        found = self.refuse.get(method)
        if isinstance(found, Exception):
            raise found
        _, _, project, _, user, _, role = path.split("/")
        assert user == USER
        status = 204
        if found:
            status = found
        elif method == "PUT":
            self.held.add((project, role))
        elif (project, role) in self.held:
            self.held.discard((project, role))
        else:
            status = 404
        self.sent.append((method, project))
        self.after(method)
        return Reply(status)


@dataclass
class Place:
    """Grants over real operations data, audit and windows."""

    ops: Ops
    cloud: Keystone
    audit: AuditService
    clock: list[datetime]
    allowed: bool = True
    grants: Grants = None  # type: ignore[assignment]

    def start(self) -> Grants:
        """A new engine over the same data."""
        settings = Settings.model_validate({"clouds": {"east": {"grant_member": self.allowed}}})
        windows = WriteWindows(
            self.ops,
            lambda: settings,
            self.audit,
            ChangeFeed(),
            self.cloud,  # type: ignore[arg-type]
            clock=lambda: self.clock[0],
        )
        performer = Performer(self.cloud, windows, self.audit, lambda *key: None, clock=lambda: self.clock[0])  # type: ignore[arg-type]
        self.grants = Grants(
            self.ops, self.audit, self.cloud, lambda actor, call: performer.perform(actor, call), lambda: settings,  # type: ignore[arg-type]
            clock=lambda: self.clock[0], sleep=lambda seconds: None,
        )  # fmt: skip
        windows.stand("grants", self.grants.problem)
        self.grants.enabled = lambda cloud: True
        return self.grants

    def told(self, action: str, outcome: str | None = None) -> list[dict[str, Any]]:
        return self.audit.page(action=action, outcome=outcome, limit=1000)[1]

    @property
    def jobs(self) -> list[str]:
        """Jobs that are noted as using a role."""
        return [row["job_id"] for row in self.grants.page(OPS)]


@contextmanager
def place(path: Path, **cloud: Any) -> Iterator[Place]:
    with closing(Ops.open(path / "ops.sqlite")) as ops:
        made = Place(ops, Keystone(**cloud), AuditService(ops), [START])
        made.start()
        yield made
