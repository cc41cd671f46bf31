"""`qdeck dashboard` and `qdeck health`: the numbers with their meaning, for people and for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.tui.fake import FakeClient
from tests.tui.figures import ANSWERS, TENANTS, tenant
from tests.tui.troubles import USUAL
from tui.api.errors import ApiError
from tui.cli import dashboard as module
from tui.cli.commands import app
from tui.cli.exits import NOT_FOUND, PARTIAL, USAGE
from tui.cli.options import GlobalOptions


class Engine:
    """Answers from a table, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers = dict(ANSWERS)
        self.asked: list[tuple[str, Any]] = []
        self._fake = FakeClient()
        self._fake.problem_items = [dict(item) for item in USUAL]

    def get(self, path: str, params: Any = None) -> Any:
        self.asked.append((path, params))
        if path == "/q/problems":
            return self._fake.problems(params)
        if path not in self.answers:
            raise ApiError(403, "your role does not allow it")
        return self.answers[path]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine()

    @contextmanager
    def connected(options: GlobalOptions) -> Iterator[Engine]:
        yield engine

    monkeypatch.setattr(module, "connected", connected)
    return engine


def run(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


def test_the_numbers_say_what_they_mean(engine: Engine) -> None:
    done = run("dashboard")
    shown = dict(line.split("  ", 1) for line in done.stdout.splitlines())
    shown = {name: value.strip() for name, value in shown.items()}
    assert done.exit_code == 0
    assert shown["problems"] == "1 critical, 4 warning, 1 info, 1 muted"
    assert shown["worst"] == "cmp-02: nova-compute is down" and shown["servers"] == "12408"
    assert shown["hosts use"] == "CPU 71%, RAM 88%, by allocation" and "no metrics source" in shown["source"]
    assert "5,110 vCPU of 7,200 vCPU" in shown["vCPU"] and "90 % in 41d (33d to 62d)" in shown["vCPU"]
    assert "not enough data: 3 of 7 days" in shown["disk"]
    assert shown["tenants"] == "2 critical, 3 warning, 36 healthy"
    assert shown["policy kept"] == "94.1%, improving"


def test_what_cannot_be_read_is_named_and_the_rest_is_there(engine: Engine) -> None:
    del engine.answers["/dashboard/capacity-pressure"]
    done = run("dashboard", "--cloud", "prod-eu")
    assert done.exit_code == PARTIAL and "12408" in done.stdout
    assert "capacity is not known: your role does not allow it" in done.stderr
    assert all(params["cloud"] == "prod-eu" for _, params in engine.asked)


def test_all_answers_for_programs(engine: Engine) -> None:
    found = json.loads(run("dashboard", "-o", "json").stdout)
    assert found["summary"]["total_vms"] == 12408 and set(found) == set(module.PARTS)


def test_nothing_wrong_and_nothing_to_keep(engine: Engine) -> None:
    engine._fake.problem_items = []
    engine.answers["/dashboard/compliance-drift"] = ANSWERS["/dashboard/compliance-drift"] | {
        "current_compliance": None
    }
    out = run("dashboard").stdout
    assert "nothing is wrong" in out and "no policy" in out


def test_tenants_worst_first_with_their_reasons(engine: Engine) -> None:
    lines = run("health").stdout.splitlines()
    assert lines[0].split()[:3] == ["TENANT", "SCORE", "BAND"] and len(lines) == 30
    assert lines[1].startswith("acme-prod") and "-20 2 servers in ERROR (10 each)" in lines[1]
    assert "\x1b" not in "".join(lines) and "\u202e" not in "".join(lines)
    rows = list(csv.DictReader(io.StringIO(run("health", "-f", "band:critical", "-o", "csv").stdout)))
    assert [row["tenant"] for row in rows] == ["acme-prod", "retail"] and rows[0]["id"] == "id-acme-prod"
    assert run("health", "-f", "colour:red").exit_code == USAGE


@pytest.mark.parametrize("reference", ["acme-prod", "ACME-PROD", "id-acme-prod"])
def test_one_tenant_by_name_or_id(engine: Engine, reference: str) -> None:
    done = run("health", reference)
    assert done.exit_code == 0 and "46" in done.stdout and "30 days" in done.stdout
    assert ("/tenant-health/quota/id-acme-prod", {"cloud": "prod-eu"}) not in engine.asked


def test_live_quota_is_asked_for(engine: Engine) -> None:
    done = run("health", "acme-prod", "--quota")
    assert any(line.split() == ["instances", "310", "0", "400"] for line in done.stdout.splitlines())
    engine.answers["/tenant-health/quota/id-acme-prod"] = {"available": False, "reason": "nova answered 403"}
    assert "no quota: nova answered 403" in run("health", "acme-prod", "--quota").stderr
    found = json.loads(run("health", "acme-prod", "--quota", "--days", "7", "-o", "json").stdout)
    assert set(found) == {"detail", "trends", "quota"}
    assert ("/tenant-health/trends/id-acme-prod", {"cloud": "prod-eu", "days": 7}) in engine.asked


def test_which_tenant_must_be_clear(engine: Engine) -> None:
    assert run("health", "nobody").exit_code == NOT_FOUND
    twice = [tenant("same", 50), tenant("same", 60, cloud="prod-us", project_id="other")]
    engine.answers["/tenant-health/overview"] = TENANTS | {"tenants": twice}
    done = run("health", "same")
    assert done.exit_code == USAGE and "@prod-us" in done.stderr
