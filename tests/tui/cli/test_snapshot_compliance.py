"""`qdeck snapshot compliance`, `coverage` and `points`: on the engine's routes over a small estate."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

import engine.inventory.routes as inventory
from engine.access.models import Caller
from engine.api.changes import ChangeFeed
from tests.engine.api.furniture import ADMIN
from tests.engine.inventory.reading import NoCollections
from tests.engine.snapshots.compliance.place import NOW, Place, backup, days, documents, made, take_in, volume
from tui.api.errors import ApiError
from tui.cli import snapshot_kept
from tui.cli.commands import app
from tui.cli.exits import DENIED, FAILED, NOT_FOUND, OK, USAGE, leave, of_status
from tui.cli.options import GlobalOptions

HOSTILE = "x\x1b[2J\u202e"
ASKED = {"auto_snapshot": "true", "snapshot_policies": "daily_5"}


class Client:
    """One request at a time, as the command line's client."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.caller: Caller = ADMIN

    def _ask(self, path: str, params: Any, method: str = "GET", body: Any = None) -> Any:
        async def ask() -> Any:
            async with self.place.as_(self.caller) as asking:
                return await asking.request(method, path, params=params, json=body)

        answer = asyncio.run(ask())
        if answer.status_code >= 400:
            raise ApiError(answer.status_code, answer.json()["detail"])
        return answer

    def get(self, path: str, params: Any = None) -> Any:
        return self._ask(path, params).json()

    def post(self, path: str, json: Any = None) -> Any:
        return self._ask(path, None, "POST", json).json()

    def download(self, path: str, body: Any, sink: Any, *, method: str, params: Any) -> dict[str, str]:
        assert (body, method) == (None, "GET")
        answer = self._ask(path, params)
        sink.write(answer.content)
        return dict(answer.headers)


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    place = Place(tmp_path, {**documents(), "backup": [backup(1, 4, "p1", days(1), container="vault")]})
    collections: Any = NoCollections()
    place.app.include_router(
        inventory.routes(place.reads, collections, place.access, ChangeFeed(interval=0), place.audit)
    )
    client = Client(place)

    @contextmanager
    def connected(options: GlobalOptions) -> Iterator[Client]:
        try:
            yield client
        except ApiError as error:
            leave(of_status(error.status), str(error.detail))

    monkeypatch.setattr(snapshot_kept, "connected", connected)
    yield client
    place.close()


def run(*words: str, code: int = OK, said: str = "") -> str:
    """What `qdeck snapshot WORDS` prints on stdout; `said` stands on stderr."""
    done = CliRunner().invoke(app, ["snapshot", *words])
    assert done.exit_code == code, (done.stdout, done.stderr, done.exception)
    assert said in done.stderr
    assert "\x1b" not in done.output and "\u202e" not in done.output
    return done.stdout


def rows(*words: str) -> Any:
    return json.loads(run(*words, "-o", "json"))


def test_the_worst_first_and_the_sum_in_words(client: Client) -> None:
    said = "66.7 % kept of 3 volumes, by each policy's own window; 1 missing; 2 volumes without a policy"
    lines = run("compliance", said=said).splitlines()
    assert lines[0].split() == ["STATUS", "VOLUME", "TENANT", "POLICY", "POINTS", "NEWEST", "WINDOW", "COVER", "WHY"]
    assert lines[1].split()[:4] == ["missing", "disk-2", "acme-prod", "daily_5"] and "30h" in lines[1]
    assert [line.split()[0] for line in lines[2:]] == ["compliant", "compliant", "no_policy", "no_policy"]
    assert [item["volume_id"] for item in rows("compliance", "--status", "missing")] == ["vol-2"]
    assert [item["status"] for item in rows("compliance", "--days", "6")][:3] == ["compliant"] * 3
    assert [item["volume_id"] for item in rows("compliance", "--tenant", "labs-dev")] == ["vol-5"]
    assert [item["volume_id"] for item in rows("compliance", "--volume", "disk-1")] == ["vol-1"]
    assert rows("compliance", "--policy", "weekly_4") == []
    run("compliance", "--limit", "1", said="these are the first 1 of 5")
    run("compliance", "--tenant", "nobody", code=NOT_FOUND)
    run("compliance", "--days", "0", code=USAGE)
    run("compliance", "--by", "colour", code=USAGE)


def test_groups(client: Client) -> None:
    lines = run("compliance", "--by", "tenant").splitlines()
    assert lines[0].split()[:4] == ["TENANT", "DOMAIN", "KEPT", "%"]
    assert lines[1].split()[:3] == ["acme-prod", "acme", "50.0"]
    assert [item["domain_name"] for item in rows("compliance", "--by", "domain")] == ["acme", "labs"]
    assert "30h" in run("compliance", "--by", "policy")
    assert len(rows("compliance", "--by", "volume")) == 5


def test_reports_as_files(client: Client, tmp_path: Path) -> None:
    text = run("compliance", "-o", "csv", "--by", "tenant")
    assert [row["tenant_name"] for row in csv.DictReader(io.StringIO(text))] == ["acme-prod", "labs-dev"]
    path = tmp_path / "report.xlsx"
    run("compliance", "-o", "xlsx", "--file", str(path), said="3 rows, ")
    assert openpyxl.load_workbook(path).sheetnames == ["Summary", "Volumes", "Tenants", "Domains", "Policies"]
    run("compliance", "-o", "xlsx", "--file", str(path), code=FAILED, said="exists")
    run("compliance", "--file", str(path), code=USAGE, said="--file takes -o csv, xlsx or json, not table")


@pytest.mark.parametrize(
    ("ages", "code", "state"),
    [((0.5, 0.5, 0.5), 0, "OK"), ((0.5, 2, 0.5), 1, "WARNING"), ((0.5, 5, 0.5), 2, "CRITICAL")],
)
def test_a_monitoring_check(client: Client, ages: tuple[float, ...], code: int, state: str) -> None:
    place = client.place
    kept = [made(n, of, "p1", days(age)) for n, (of, age) in enumerate(zip((1, 2, 5), ages, strict=True))]
    place.snapshots(*kept)
    line = run("compliance", "--check", code=code)
    assert line.startswith(f"{state} - ") and line.count("\n") == 1
    assert "| kept=" in line and "missing=" in line


def test_a_check_that_knows_nothing_says_so(client: Client) -> None:
    take_in(client.place.estate, "volume", [volume(1, "p1")], NOW)
    assert run("compliance", "--check", code=3).startswith("UNKNOWN - no policy: ")
    client.caller = Caller(name="x", role="stranger", via="embedded")
    assert " - " not in run("compliance", "--check", code=3), "who may not look is told nothing"
    run("compliance", code=DENIED)


def test_coverage(client: Client) -> None:
    said = "5 volumes: 1 with a backup, 3 with snapshots on their own back end only, 1 with nothing"
    lines = run("coverage", said=said).splitlines()
    assert lines[1].split()[:2] == ["nothing", "all"]
    assert [item["volume_id"] for item in rows("coverage", "--only", "backup")] == ["vol-4"]
    assert len(rows("coverage", "--tenant", "labs-dev")) == 1


def test_points(client: Client) -> None:
    place = client.place
    place.run()
    place.snapshots(made(1, 1, "p1", days(1)), made(2, 1, "p1", days(2)))
    place.ours("snap-1", "vol-1", days(1), spread_ms=1200, consistency="group-consistent")
    lines = run("points", "disk-1").splitlines()
    assert "group-consistent, spread 1,200 ms" in lines[1] and "unknown" in lines[2]
    assert [item["own"] for item in rows("points", "vol-1")] == [True, False]
    assert "vault" in run("points", "disk-4")
    take_in(place.estate, "volume", documents()["volume"][1:], NOW)
    assert [item["id"] for item in rows("points", "vol-1")] == ["snap-1", "snap-2"], "the volume is gone"
    assert [item["id"] for item in rows("points", "--gone")] == ["snap-1", "snap-2"]
    run("points", "disk-5", said="there is nothing to go back to")
    run("points", code=USAGE, said="say of what")
    run("points", "disk-5", "--gone", code=USAGE)
    run("points", "nobody", code=NOT_FOUND)


def test_names_from_clouds_do_nothing(client: Client) -> None:
    take_in(client.place.estate, "volume", [volume(1, "p1", metadata=ASKED, name=HOSTILE)], NOW)
    for words in (("compliance",), ("compliance", "-o", "csv"), ("compliance", "-o", "json"), ("coverage",),
                  ("points", "vol-1")):  # fmt: skip
        run(*words)
