"""An engine that restores machines of the lab, asked by its API as people ask it, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from engine.access.models import Caller
from engine.access.service import CALLER
from engine.app import create_app
from engine.process.control import Control
from engine.process.models import PROTOCOL
from engine.process.status import Status
from tests.contract.operating import CLOUD, OPS, Operator
from tests.contract.wire import Actor
from tests.live import comparing
from tests.live.comparing import Whole
from tests.live.keeping import REGION
from tests.live.projects import Project

TYPES = ("project", "domain", "user", "server", "volume", "snapshot", "backup", "image", "network", "subnet", "port",
         "floating_ip", "flavor")  # fmt: skip
PATHS = {
    "server": ("compute", "/servers/{}"),
    "volume": ("block-storage", "/volumes/{}"),
    "snapshot": ("block-storage", "/snapshots/{}"),
    "port": ("network", "/v2.0/ports/{}"),
    "image": ("image", "/v2/images/{}"),
}
OVER = ("SUCCEEDED", "FAILED", "CANCELED")
SECONDS = 600.0  # that restores may take on a machine that is busy with other things


@dataclass
class Outcome:
    """One restore: the machine before, its plan, the job when it ended."""

    before: Whole
    plan: dict[str, Any]
    job: dict[str, Any]

    @property
    def differs(self) -> set[str]:
        """Paths of what the plan says will be another."""
        return {item["field"] for item in self.plan["differs"]}

    def made(self, purpose: str) -> str:
        """Id of what the job made for a purpose; "" for nothing."""
        return next((row["id"] or "" for row in self.job["resources"] if row["purpose"] == purpose), "")

    def step(self, name: str) -> dict[str, Any]:
        """One of its steps."""
        return next(dict(step) for step in self.job["steps"] if step["name"] == name)

    def told(self) -> str:
        """The job in a few lines, for a test that fails."""
        lines = [f"{step['name']:28} {step['status']:10} {step['detail'] or ''}" for step in self.job["steps"]]
        return "\n".join([f"{self.plan['way']}: {self.job['status']}: {self.job['detail']}", *lines])


class Restorer(Operator):
    """An engine whose cloud is writable; `lend`: it may give its own user a role for the length of a job."""

    def __init__(self, home: Path, auth: Mapping[str, Any], *, lend: bool) -> None:
        home.mkdir(mode=0o700, exist_ok=True)
        file = home / "qdeck.toml"
        file.write_text(f"[clouds.{CLOUD}]\ngrant_member = {'true' if lend else 'false'}\n")
        file.chmod(0o600)
        super().__init__(home, auth)
        control = Control(Status(home=str(home), socket="", demo=False), lambda message: None)
        control.attach(self.parts.ops, self.parts.estate, self.parts.status)
        self.app = create_app(self.parts, control)

    def call(self, method: str, path: str, caller: Caller = OPS, **how: Any) -> httpx.Response:
        """An answer of the engine's API."""

        async def known(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[CALLER] = caller
            await self.app(scope, receive, send)

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(known, raise_app_exceptions=False)
            headers = {"X-Qdeck-Protocol": str(PROTOCOL)}
            async with httpx.AsyncClient(transport=transport, base_url="http://engine", headers=headers) as client:
                return await client.request(method, path, timeout=None, **how)

        return asyncio.run(asked())

    def ok(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        """The document of a call that must succeed."""
        answer = self.call(method, path, **how)
        assert answer.status_code in (200, 202), f"{method} {path}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    def wish(self, server: str, way: str, **more: Any) -> dict[str, Any]:
        """A plan by POST /q/restore/plans."""
        body = {"cloud": CLOUD, "region": REGION, "server_id": server, "way": way, **more}
        return self.ok("POST", "/q/restore/plans", json=body)

    def carry_out(self, plan: Mapping[str, Any], **given: Any) -> httpx.Response:
        """POST execute with what the plan asks for."""
        body = {"typed": plan["requires"]["typed"] or "", "reason": "night shift", "ticket": "CHG7",
                "hash": plan["hash"], **given}  # fmt: skip
        return self.call("POST", f"/q/restore/plans/{plan['id']}/execute", json=body)

    def job(self, id: str) -> dict[str, Any]:
        """GET /q/restore/jobs/{id}."""
        return self.ok("GET", f"/q/restore/jobs/{id}")

    def over(self, id: str, seconds: float = SECONDS) -> dict[str, Any]:
        """The job, once it has ended; one that asks is told that the machine does not answer."""
        deadline = time.monotonic() + seconds
        while (job := self.job(id))["status"] not in OVER:
            if job["asks"] and "answer" in job["can"]:
                self.call("POST", f"/q/restore/jobs/{id}/answer", json={"answer": "no"})
            assert time.monotonic() < deadline, f"the restore does not end:\n{Outcome(Whole({}), job, job).told()}"
            time.sleep(0.2)
        return job


def roles(admin: Actor, user: str, project: Project) -> list[str]:
    """Ids of the roles that a user has in the project."""
    path = f"/role_assignments?user.id={user}&scope.project.id={project.id}"
    return [row["role"]["id"] for row in admin.get("identity", path)["role_assignments"]]


def nics(outcome: Outcome, *, same: bool) -> list[tuple[int, str, str]]:
    """For `comparing`: the plan's ports and their successors (`same`: the machine keeps its ports)."""
    return [
        (number, nic["port_id"], nic["port_id"] if same else outcome.made(f"port:{nic['order']}"))
        for number, nic in enumerate(outcome.plan["nics"])
    ]


def disks(outcome: Outcome, *, same_root: bool = False) -> list[tuple[int, str, str]]:
    """For `comparing`: the plan's disks and what the machine has in their place."""
    found = []
    for number, disk in enumerate(outcome.plan["disks"]):
        old, new = disk["volume_id"], ""
        if disk["choice"] == "keep_current" or (same_root and disk["root"]):
            new = old
        elif disk["choice"] == "restore_point":
            new = outcome.made(f"volume:{old}")
        if old:
            found.append((number, old, new))
    return found


def surprises(outcome: Outcome, after: Whole, *, same: bool) -> dict[str, Any]:
    """What is not as it was, and the plan does not say so. `same`: the machine stays itself."""
    found = comparing.differences(
        outcome.before, after, nics(outcome, same=same), disks(outcome, same_root=outcome.plan["way"] == "IN_PLACE")
    )
    return comparing.unexplained(found, outcome.differs)


def not_given_back(outcome: Outcome, now: Whole) -> dict[str, Any]:
    """What is not as it was before a REPLACE that was taken back, and cannot be helped."""
    ports = [(number, nic["port_id"], nic["port_id"]) for number, nic in enumerate(outcome.plan["nics"])]
    volumes = [(number, disk["volume_id"], disk["volume_id"]) for number, disk in enumerate(outcome.plan["disks"])]
    found = comparing.differences(outcome.before, now, ports, volumes)
    # Unshelved somewhere; a disk that is attached to a shelved machine cannot have its tag (the plan warns of it).
    return comparing.unexplained(
        found, {"server.host", "server.zone", "server.updated", "server.created", "disk.1.tag"}
    )


def check_owners(rows: Iterable[Mapping[str, Any]], project: Project) -> None:
    """What restores made is the project's own, and its member and its reader see it."""
    for row in rows:
        service, path = PATHS[row["type"]]
        for actor in (project.member, project.reader):
            document = actor.get(service, path.format(row["id"]))
            item = document.get(row["type"], document)
            owner = item.get("os-vol-tenant-attr:tenant_id") or item.get("tenant_id") or item.get("owner")
            assert owner in (project.id, None), (row, owner)
