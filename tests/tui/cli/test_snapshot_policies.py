"""`qdeck snapshot policies`, `sets`, `assign`, `exclude`, `why`, `due`: on the engine's routes over a small estate."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import engine.inventory.routes as inventory
from engine.access.models import Caller
from engine.api.changes import ChangeFeed
from tests.engine.inventory.reading import NoCollections
from tests.engine.snapshots.policies.place import ADMIN, BOB, Place, documents, volume
from tui.api.errors import ApiError
from tui.cli import snapshot_given, snapshot_rules
from tui.cli.commands import app
from tui.cli.exits import DENIED, NOT_FOUND, OK, PARTIAL, USAGE, leave, of_status
from tui.cli.options import GlobalOptions

HOSTILE = "x\x1b[2J\u202e"


class Client:
    """One request at a time, as the command line's client."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.caller: Caller = ADMIN

    def _ask(self, method: str, path: str, params: Any = None, body: Any = None) -> Any:
        async def ask() -> Any:
            async with self.place.as_(self.caller) as asking:
                answer = await asking.request(method, path, params=params, json=body)
            if answer.status_code >= 400:
                raise ApiError(answer.status_code, answer.json()["detail"])
            return answer.json() if answer.content else None

        return asyncio.run(ask())

    def get(self, path: str, params: Any = None) -> Any:
        return self._ask("GET", path, params)

    def post(self, path: str, json: Any = None) -> Any:
        return self._ask("POST", path, body=json)

    def put(self, path: str, json: Any = None) -> Any:
        return self._ask("PUT", path, body=json)

    def delete(self, path: str) -> Any:
        return self._ask("DELETE", path)


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    given = documents()
    given["volume"].append(volume(6, "p2", name=HOSTILE))
    place = Place(tmp_path, given)
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

    for module in (snapshot_rules, snapshot_given):
        monkeypatch.setattr(module, "connected", connected)
    yield client
    place.close()


def run(*words: str, code: int = OK, said: str = "", input: str | None = None) -> str:
    """What `qdeck snapshot WORDS` prints on stdout; `said` stands on stderr."""
    done = CliRunner().invoke(app, ["snapshot", *words], input=input)
    assert done.exit_code == code, (done.stdout, done.stderr, done.exception)
    assert said in done.stderr
    assert "\x1b" not in done.output and "\u202e" not in done.output
    return done.stdout


def rows(*words: str) -> Any:
    return json.loads(run(*words, "-o", "json"))


def test_policies_are_made_changed_and_removed(client: Client) -> None:
    run("policies", "add", "gold", "--schedule", "weekly sun 03:30", "--timezone", "Europe/Berlin", "--keep", "4",
        said="gold: weekly on Sunday at 03:30 Europe/Berlin, keep 4, next 2026-11-22")  # fmt: skip
    lines = run("policies").splitlines()
    assert lines[0].split() == ["NAME", "WORDS", "VOLUMES", "ON", "NEXT", "MADE", "BY"]
    assert "nobody: its name says it" in lines[1] and lines[1].startswith("daily_5") and "root" in lines[2]
    run("policies", "set", "gold", "--window", "200", "--catch-up", "6", "--off", said="it is switched off")
    [daily, gold] = rows("policies")
    assert (gold["window_hours"], gold["catch_up_hours"], gold["enabled"]) == (200, 6, False)
    run("policies", "set", "gold", "--window", "none")
    assert rows("policies", "show", "gold")["window_hours"] is None
    assert daily["known"] is False
    assert "schedule        30 3 * * 0" in run("policies", "show", "gold")
    run("policies", "remove", "gold", said="removed gold; volumes whose metadata name it go on with what the name says")
    run("policies", "remove", "gold", code=NOT_FOUND, said="there is no policy 'gold'")
    run("policies", "add", "gold", "--schedule", "now and then", code=USAGE, said="is no schedule")
    run("policies", "add", "gold", "--schedule", "daily", "--window", "long", code=USAGE, said="hours are a number")


def test_sets_are_made_changed_and_removed(client: Client) -> None:
    run("sets", said="there are no policy sets")
    taken = (
        "takes 3 volumes, 3 of them without a policy now; 3 more match, but something more specific or older decides"
    )
    base = ("sets", "add", "base", "--policy", "daily_5:3", "--policy", "weekly_4", "--global")
    out = run(*base, "--preview", said=taken)
    assert [line.split()[0] for line in out.splitlines()] == ["TENANT", "acme-prod", "labs-dev"]
    run("sets", said="there are no policy sets")
    run(*base, said="set 1 'base' names everything and decides for 3 volumes")
    run("sets", "add", "big", "--policy", "gold", "--tenant", "acme-prod", "--match", "min_size_gb=40", "--match",
        "bootable=no", "--match", "volume_type=ssd,hdd", "--match", "metadata_equals=tier:x", "--priority", "5",
        said="names the volume itself, the tenant and the cloud")  # fmt: skip
    big, small = rows("sets")
    assert big["match"] == {"min_size_gb": 40, "bootable": False, "volume_type": ["ssd", "hdd"],
                            "metadata_equals": {"tier": "x"}}  # fmt: skip
    assert (big["tenant_id"], big["cloud"], big["priority"]) == ("p1", "prod", 5)
    assert small["retention_map"] == {"daily_5": 3}
    assert "daily_5:3,weekly_4" in run("sets")
    run("sets", "set", "big", "--match", "none", "--tenant", "", "--name", "wide", "--inactive")
    [wide] = [one for one in rows("sets") if one["name"] == "wide"]
    assert (wide["match"], wide["tenant_id"], wide["is_active"], wide["policies"]) == ({}, None, False, ["gold"])
    assert json.loads(run("sets", "set", "1", "--no-global", "--preview", "-o", "json"))["lost"] == 3
    run("sets", "remove", "base", code=USAGE, said="say --yes to remove it")
    run("sets", "remove", "base", "--yes", said="removed set 'base'")
    run("sets", "remove", "base", "--yes", code=NOT_FOUND, said="no policy set with the number or name")
    for words, said in (
        (("--global",), "say which policies it gives"),
        (("--policy", "a", "--match", "size"), "a match is KEY=VALUE"),
        (("--policy", "a", "--match", "name=.*"), "is no match; there are tenant_name"),
        (("--policy", "a", "--match", "min_size_gb=big"), "is no match"),
        (("--policy", "a,b"), "is no name of a policy"),
    ):
        run("sets", "add", "new", *words, code=USAGE, said=said)
    run("sets", "add", "new", "--policy", "a", "--tenant", "nobody", code=NOT_FOUND, said="no project")


def test_volumes_are_given_policies(client: Client) -> None:
    out = run(
        "assign", "disk-3", "vol-4", "--policy", "gold", "--policy", "weekly_4:2", "--keep", "9", "--reason", "CHG-7"
    )
    assert [line.split()[3] for line in out.splitlines()[1:]] == ["disk-3", "disk-3", "disk-4", "disk-4"]
    assert client.place.held("vol-4") == {"gold": 9, "weekly_4": 2}
    run("assign", "disk-3", "--policy", "x", "--preview", said="takes 1 volume, 0 of them without a policy now")
    given = rows("assignments", "--volume", "disk-4")
    assert [(one["policies"], one["keep"], one["reason"]) for one in given] == [
        (["gold"], 9, "CHG-7"), (["weekly_4"], 2, "CHG-7"),
    ]  # fmt: skip
    run("assignments", "--remove", str(given[0]["id"]), said="took assignment")
    assert client.place.held("vol-4") == {"weekly_4": 2}
    run("sets", "add", "base", "--policy", "a")
    run("assign", "disk-4", "--set", "base")
    assert client.place.held("vol-4") == {"weekly_4": 2, "a": 7}
    assert len(rows("assignments", "--set", "base")) == 1
    run("assign", "disk-4", code=USAGE, said="say what they get")
    run("assign", "disk-9", "--policy", "a", code=NOT_FOUND, said="no volume")
    run("assign", "disk-4", "--set", "other", code=NOT_FOUND, said="no policy set")
    client.caller = BOB
    run("assign", "disk-4", "--policy", "a", code=DENIED, said="Permission denied")


def test_assignments_are_written_to_the_volumes(client: Client) -> None:
    out = run("assign", "disk-4", "--policy", "gold", "--write", "-o", "json")
    assert json.loads(out)["written"][0]["detail"].startswith("metadata written: auto_snapshot=true")
    assert client.place.cinder.metadata["vol-4"]["snapshot_policies"] == "gold"
    client.place.cinder.broken = True
    run("assign", "disk-3", "--policy", "gold", "--write", code=PARTIAL, said="the cloud does not answer")


def test_volumes_are_excluded(client: Client) -> None:
    run("exclusions", said="nothing is excluded")
    out = run("exclude", "disk-1", HOSTILE, "--reason", "scratch", "--until", "2099-01-01")
    assert "volume disk-1" in out and "in force" in out
    run("exclude", "--tenant", "labs-dev", "--match", "volume_name_prefix=disk", "--reason", "lab")
    client.place.volumes(volume(3, "p1", metadata={"auto_snapshot": "no"}))
    out = run("exclusions", "--owners")
    assert "tenant labs-dev, volume_name_prefix=disk" in out and "its metadata say auto_snapshot=false" in out
    items = rows("exclusions")
    assert [one["reason"] for one in items] == ["scratch", "scratch", "lab"]
    run("exclusions", "--remove", str(items[0]["id"]), said="took exclusion")
    run("exclusions", "--remove", str(items[0]["id"]), code=NOT_FOUND, said="there is no exclusion")
    run("exclude", "--reason", "x", code=USAGE, said="say what is excluded")
    run("exclude", "disk-3", "--tenant", "acme-prod", "--reason", "x", code=USAGE, said="by themselves")
    run("exclude", "disk-3", "--reason", "x", "--until", "whenever", code=USAGE)
    run("exclude", "disk-3", code=USAGE)


def test_why_and_due(client: Client) -> None:
    run("sets", "add", "base", "--policy", "weekly_4", "--global")
    lines = run("why", "disk-1").splitlines()
    assert lines[1].split()[:2] == ["daily_5", "5"]
    assert lines[2].startswith("* its own metadata ask for it")
    assert lines[3] == "  set base: matches (names everything), but what is said of this very volume wins"
    run("exclude", "disk-1", "--reason", HOSTILE.replace("\u202e", "").replace("\x1b", "e"))
    assert run("why", "disk-1").startswith("no policy\n* excluded: x")
    assert rows("why", "disk-1")["policies"] == []
    run("why", "nothing", code=NOT_FOUND)
    lines = run("due").splitlines()
    assert lines[0].split() == ["CLOUD", "REGION", "POLICY", "VOLUMES", "DUE", "BEGINS", "LAST", "RUN"]
    assert [line.split()[2] for line in lines[1:]] == ["daily_5", "weekly_4"]
    run("due", "--cloud", "other", said="no volume of other has a policy")
