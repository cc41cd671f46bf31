"""`qdeck snapshot run`, `runs`, `now`, `status`: what they print of what the engine answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.snapshots.runs import models
from tests.tui.snapshots_fake import run
from tui.api.errors import ApiError
from tui.cli import snapshot_runs
from tui.cli.commands import app
from tui.cli.exits import NOT_FOUND, OK, leave, of_status
from tui.cli.options import GlobalOptions

STEPS = [{"key": key, "label": label, "status": "pending"} for key, label in (
    ("policy_assign", "Policy Assignment"), ("rvtools_pre", "Inventory Sync (pre-snapshot)"),
    ("auto_snapshots", "Auto Snapshots"), ("rvtools_post", "Inventory Sync (post-snapshot)"),
)]  # fmt: skip
BATCH = {"batch_number": 1, "tenant_names": ["acme", "lab"], "total_volumes": 113, "status": "running", "completed": 40,
         "skipped": 0, "failed": 1, "started_at": None, "finished_at": None}  # fmt: skip


class Client:
    """An engine of fixed answers, by method and path."""

    def __init__(self) -> None:
        going = run(3, "running", total_volumes=1130, snapshots_created=1020)
        self.answers: dict[str, Any] = {
            "GET /q/clouds": {"items": [{"name": "prod"}]},
            "GET /q/snapshot/runs/state": {"idle": {}, "problems": {}},
            "GET /q/snapshot/clouds": {"items": []},
            "GET /snapshot-runs?limit=20": {"total": 57, "items": [run(n, "completed") for n in range(20)]},
            "GET /snapshot-runs?limit=20&status=failed": {"total": 0, "items": []},
            "GET /snapshot/runs/active/progress": {"active": True, "run": going, "batches": [BATCH]},
            "GET /snapshot/run-now/status": {"status": "idle", "steps": STEPS, "detail": None},
        }

    def ask(self, path: str) -> Any:
        if path not in self.answers:
            raise ApiError(404, f"there is nothing at {path}")
        return self.answers[path]

    def get(self, path: str, params: Any = None) -> Any:
        return self.ask(f"GET {path}")

    def post(self, path: str, json: Any = None) -> Any:
        return self.ask(f"POST {path}")


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    client = Client()

    @contextmanager
    def connected(options: GlobalOptions) -> Iterator[Client]:
        try:
            yield client
        except ApiError as error:
            leave(of_status(error.status), str(error.detail))

    monkeypatch.setattr(snapshot_runs, "connected", connected)
    yield client


def ran(*args: str) -> tuple[int, str]:
    """(exit code, everything that was printed)."""
    done = CliRunner().invoke(app, ["snapshot", *args])
    return done.exit_code, done.output


def test_the_answers_are_shaped_as_the_engine_says(client: Client) -> None:
    models.Batch.model_validate(BATCH)


def test_what_a_run_makes_are_restore_points_not_volumes(client: Client) -> None:
    code, said = ran("status")
    assert code == OK and "1,020 of 1,130 restore points made" in said and "volumes" not in said
    assert "acme, lab" in said and "POINTS" in said.upper()
    code, said = ran("status", "-o", "json")
    found = json.loads(said)
    assert found["active"]["batches"][0]["total_volumes"] == 113, "the documented name"


def test_a_list_says_what_of_it_is_not_shown(client: Client) -> None:
    assert "these are the newest 20 of 57; --limit shows more" in ran("runs")[1]
    client.answers["GET /snapshot-runs?limit=20"]["total"] = 20
    assert "--limit" not in ran("runs")[1]
    code, said = ran("runs", "--status", "failed")
    assert code == OK and "no run is failed" in said and "there was no run yet" not in said
    assert len(json.loads(ran("runs", "-o", "json")[1])) == 20


def test_a_run_of_a_policy_that_nothing_names_is_not_begun(client: Client) -> None:
    client.answers["GET /q/snapshot/policies"] = {"items": [{"name": "gold"}]}
    client.answers["POST /q/snapshot/runs"] = run(7, "pending")
    code, said = ran("run", "--policy", "gold", "--policy", "golf")
    assert code == NOT_FOUND and "there is no policy 'golf', and nothing names it" in said
    code, said = ran("run", "--policy", "gold")
    assert code == OK and "snapshot run 7 was asked for" in said
