"""An engine in this process that works one of the clouds under test, and the person who asks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from engine.access.models import ENGINE, Caller
from engine.app import EngineParts, open_engine
from engine.gate.bodies import ExecuteBody, PlanBody
from engine.gate.models import Key
from engine.inventory.acting import TargetRows
from engine.jobs.models import OPEN
from engine.process.models import Home
from tests.contract.wire import Actor, wait_for

OPS = Caller("ops", 1000, None, None, "superadmin")
TYPES = ("project", "server", "network", "security_group", "security_group_rule", "flavor")
CLOUD = "under-test"
JOB_SECONDS = 240.0


class Operator:
    """Plans, executes and waits, as a person does; `with` closes the engine."""

    def __init__(self, home: Path, auth: Mapping[str, Any]) -> None:
        """`auth`: of a clouds.yaml entry, with which the engine works."""
        home.mkdir(mode=0o700, exist_ok=True)
        file = home / "clouds.yaml"
        file.write_text(yaml.safe_dump({"clouds": {"entry": {"interface": "public", "auth": dict(auth)}}}))
        file.chmod(0o600)
        self.parts: EngineParts = open_engine(Home.at(home))
        self.parts.clouds.add(ENGINE, "entry", CLOUD, file)
        self._rows = TargetRows(self.parts.reads)

    def __enter__(self) -> Operator:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with closing(self.parts):
            pass

    def collect(self, *types: str) -> None:
        """Read these types anew."""
        for started in self.parts.collections.start(ENGINE, [CLOUD], types or TYPES, True):
            self.parts.collections.wait(started["id"], 120)

    def lift(self) -> None:
        """Make the cloud writable for a while."""
        self.parts.gate.lift(OPS, CLOUD, 60, "tests", "")

    def row(self, type: str, id: str) -> dict[str, Any] | None:
        """The stored row that is there now."""
        found = self._rows.passing(OPS, type, f"id:={id}", None, None, None, 2)[1]
        return dict(found[0]) if found else None

    def key(self, type: str, id: str) -> Key:
        """The key of something that has been collected."""
        row = self.row(type, id)
        assert row is not None, f"{type} {id} was not collected"
        key: Key = row["key"]
        return key

    def plan(
        self, action: str, *keys: Key, options: Mapping[str, Any] | None = None, caller: Caller = OPS
    ) -> dict[str, Any]:
        """POST /q/plans, as the route does it."""
        body: dict[str, Any] = {"action": action, "options": dict(options or {})}
        if keys:
            body["targets"] = {"keys": list(keys)}
        return self.parts.gate.plan(caller, PlanBody.model_validate(body))

    def begin(self, plan: Mapping[str, Any], **given: Any) -> dict[str, Any]:
        """Execute with what the plan asks for, and a reason and a ticket."""
        body = {"typed": plan["requires"]["typed"] or "", "reason": "night shift", "ticket": "CHG7", **given}
        return self.parts.gate.execute(OPS, plan["id"], ExecuteBody.model_validate(body))

    def ended(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """The job with its steps, once it has ended."""
        return dict(wait_for(lambda: self.parts.jobs.job(job["id"]), lambda now: now["state"] not in OPEN, JOB_SECONDS))

    def do(self, action: str, *keys: Key, options: Mapping[str, Any] | None = None, **given: Any) -> dict[str, Any]:
        """Plan and execute; the ended job."""
        return self.ended(self.begin(self.plan(action, *keys, options=options), **given))

    def records(self, action: str, job: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What the audit says of the action in that job, the oldest first."""
        _, found = self.parts.audit.page(action=action, limit=1000)
        return [record for record in reversed(found) if record["detail"].get("job") == job["id"]]


def nova_actions(actor: Actor, id: str) -> dict[str, str]:
    """Nova's own list of what was done to a server: {request id: action}."""
    rows = actor.get("compute", f"/servers/{id}/os-instance-actions", "2.90")["instanceActions"]
    return {row["request_id"]: row["action"] for row in rows}


def states(job: Mapping[str, Any]) -> Sequence[str]:
    """The states of the job's steps."""
    return [step["state"] for step in job["steps"]]
