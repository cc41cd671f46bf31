"""An engine with one machine, its plan and its restore, as far as the command line asks: answers by method and path."""

from __future__ import annotations

import copy
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.restore.kept import to_json
from engine.restore.models import Difference, Disk, Machine, Nic, Plan, PlannedStep, Request, Source
from tui.api.errors import ApiError
from tui.cli import restore_asking
from tui.cli.commands import app
from tui.cli.exits import leave, of_status
from tui.cli.options import GlobalOptions

NOW = datetime.now(UTC).replace(microsecond=0)
SERVER, PLAN = "5e000000-0000-4000-8000-000000000001", "01a20000-0000-7000-8000-000000000001"
DISKS = ("d1000000-0000-4000-8000-000000000001", "d2000000-0000-4000-8000-000000000002")
POINT, NETWORK = "c0ffee00-0000-4000-8000-000000000001", "9e000000-0000-4000-8000-000000000001"
PHRASE = "DELETE AND RESTORE db-1"
KEY = ("prod", "eu", SERVER)
SOURCE = Source("snapshot", POINT, "nightly-1", DISKS[0], taken_at=NOW - timedelta(hours=16), policy="daily_5")


def plan(way: Any = "NEW", **more: Any) -> dict[str, Any]:
    """A plan as POST /q/restore/plans answers it."""
    machine = Machine(KEY, "db-1", "p1", "acme", status="ACTIVE")
    made = Plan(
        PLAN, way, machine, NOW, NOW + timedelta(minutes=30), Request("p1", SERVER, "prod", "eu", way), eligible=True,
        point=SOURCE, lost=("the root disk: 16 h, since 2026-11-29 22:00 UTC",),
        disks=(Disk(DISKS[0], "db-1-root", 20, root=True, device="/dev/vda", source=SOURCE, lost_seconds=57_600),
               Disk(DISKS[1], "db-1-data", 500, order=1, device="/dev/vdb", choice="keep_current")),
        nics=(Nic("port", NETWORK, "front"),), new_name="db-1-new", strategy="NEW_IPS",
        differs=(Difference("server.id", "it has another UUID"),), commit="PROVE_IT_ANSWERS", hash="h",
        steps=(PlannedStep("CREATE_SERVER"), PlannedStep("UNDO_SERVER", "undo")),
        phrase=PHRASE if way == "REPLACE" else None,
    )  # fmt: skip
    asked = {"reason": False, "ticket": False, "ticket_pattern": None, "typed": made.phrase}
    return {
        **to_json(made), "status": "PLANNED", "expired": False, "executed_at": None, "requires": asked,
        "may_execute": True, "refused": None, "dry_run_only": False,
        "dry_run": [{"step": "CREATE_SERVER", "phase": "do", "would": "start db-1-new"},
                    {"step": "UNDO_SERVER", "phase": "undo", "would": "delete db-1-new"}], **more,
    }  # fmt: skip


def step(name: str, status: str, phase: str = "do", **more: Any) -> dict[str, Any]:
    """A step as the engine tells it."""
    return {
        "name": name, "step_name": name, "step_order": 1, "phase": phase, "status": status, "detail": None,
        "progress": None, "seconds": None if status in ("PENDING", "SKIPPED") else 2.0, "usual_seconds": None,
        "attempt": 1, "started_at": None, "ended_at": None, "created": None, **more,
    }  # fmt: skip


def job(status: str = "RUNNING", steps: Any = (), **more: Any) -> dict[str, Any]:
    """A restore as GET /q/restore/jobs/{id} answers it."""
    planned = status == "PLANNED"
    return {
        "id": PLAN, "number": None if planned else 7, "status": status, "cloud": "prod", "region": "eu",
        "project_id": "p1", "project_name": "acme", "vm_id": SERVER, "vm_name": "db-1", "mode": "REPLACE",
        "way": "REPLACE", "restore_point_id": POINT, "restore_point_name": "nightly-1", "new_vm_name": "db-1",
        "ip_strategy": "SAME_IPS_OR_FAIL", "eligible": True, "created_at": NOW.isoformat(), "created_by": "ann",
        "expires_at": NOW.isoformat(), "expired": False, "executed_at": None, "executed_by": "ann", "started_at": None,
        "finished_at": None, "detail": None, "incomplete": False, "retry_of": None, "step": None,
        "steps": list(steps), "old_machine": "db-1 is back as it was", "asks": None, "resources": [],
        "retried_by": [], "can": [], **more,
    }  # fmt: skip


class Engine:
    """Answers by "METHOD path"; a list is answered in turn, its last for ever. `asked`: what was sent."""

    def __init__(self) -> None:
        point = {
            **{name: value for name, value in asdict(SOURCE).items() if name not in ("taken_at", "seconds")},
            "taken_at": to_json(Plan(PLAN, "NEW", Machine(KEY, "", ""), NOW, NOW, Request("", ""), point=SOURCE))[
                "point"]["taken_at"],
            "age_seconds": 57_600, "problem": None, "usable": True, "volumes": list(DISKS), "missing": [],
            "spread_ms": 400,
        }  # fmt: skip
        ways = [{"way": "NEW", "title": "a new one", "possible": True, "why": "", "first": True},
                {"way": "IN_PLACE", "title": "in place", "possible": False, "why": "Nova is too old",
                 "first": False}]  # fmt: skip
        whole = plan()
        finding = {"level": "problem", "text": "its host is down", "command": "openstack server evacuate x"}
        self.start = {"machine": whole["machine"], "findings": [finding], "ways": ways, "points": [point],
                      "disks": whole["disks"], "nics": whole["nics"], "unread": [], "references": []}  # fmt: skip
        self.answers: dict[str, Any] = {
            "GET /q/resolve": {"items": [{"key": list(KEY), "name": "db-1", "match": "name"}]},
            "GET /q/restore/start": self.start,
            "POST /q/restore/plans": whole,
            f"GET /q/restore/plans/{PLAN}": whole,
            f"GET /q/restore/jobs/{PLAN}": job("PLANNED"),
            "GET /q/restore/jobs": {"total": 1, "items": [job("PLANNED")]},
            "GET /q/writes": {"items": [{"cloud": "prod", "production": False}]},
        }
        self.asked: list[tuple[str, Any]] = []

    def request(self, method: str, path: str, json: Any = None, params: Any = None, seconds: float = 0) -> Any:
        self.asked.append((f"{method} {path}", json if json is not None else params))
        found = self.answers.get(f"{method} {path}", ApiError(404, f"there is nothing at {path}"))
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        if isinstance(found, Exception):
            raise found
        return copy.deepcopy(found)

    def get(self, path: str, params: Any = None) -> Any:
        return self.request("GET", path, params=params)

    def post(self, path: str, json: Any = None) -> Any:
        return self.request("POST", path, json=json)

    def sent(self, path: str) -> Any:
        """The body that was sent last."""
        return next(body for asked, body in reversed(self.asked) if asked == path)


def connect(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The command line talks to an engine of fixed answers."""
    engine = Engine()

    @contextmanager
    def connected(options: GlobalOptions) -> Any:
        try:
            yield engine
        except ApiError as error:
            leave(of_status(error.status), str(error.detail))

    monkeypatch.setattr(restore_asking, "connected", connected)
    return engine


def ran(*args: str) -> tuple[int, str]:
    """(exit code, everything that was printed)."""
    done = CliRunner().invoke(app, ["restore", *args])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output
