"""`qdeck restore many`: what it asks of the engine, what it prints, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.restore.bulk import bodies
from tests.tui.test_restore_many import ManyClient
from tui.api.errors import ApiError
from tui.cli import restore_many as work
from tui.cli.commands import app
from tui.cli.exits import CANNOT, OK, PARTIAL, USAGE
from tui.cli.options import GlobalOptions

PHRASE = "DELETE AND RESTORE 2 MACHINES"


class Client:
    """An engine with one plan of many machines; after it is carried out each look ends one more machine."""

    def __init__(self) -> None:
        self.many = ManyClient().many
        self.asked: list[tuple[str, str, Any]] = []
        self.rows = [["prod-eu", "eu-1", f"m{number}", f"db-{number}"] for number in range(3)]
        self.going = False

    def request(self, method: str, path: str, json: Any = None, params: Any = None, seconds: float = 0) -> Any:
        return self.post(path, json)

    def get(self, path: str, params: Any = None) -> Any:
        if path == "/q/restore/bulk":
            return {"items": [self.many]}
        if path != "/q/restore/bulk/many-1":
            raise ApiError(404, "there is no such plan")
        if self.going:
            waiting = [one for one in self.many["machines"] if one["state"] == "WAITING"]
            if waiting:
                waiting[0] |= {"state": "SUCCEEDED" if len(waiting) > 1 else "FAILED", "detail": "so"}
            else:
                self.many |= {"status": "PARTIAL", "detail": "1 of 2 machines restored, 1 failed"}
        return self.many

    def post(self, path: str, json: Any = None) -> Any:
        self.asked.append(("POST", path, json))
        if path == "/q/windows":
            return {"rows": self.rows}
        what = path.rpartition("/")[2]
        if what == "bulk":
            bodies.BulkBody.model_validate(json)
        elif what == "execute":
            bodies.BulkExecuteBody.model_validate(json)
            self.going = True
            self.many |= {"status": "RUNNING", "detail": "0 running, 2 waiting"}
        return self.many

    def body(self, what: str) -> Any:
        return next(body for _, path, body in self.asked if path.endswith(what))


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    client = Client()

    @contextmanager
    def restoring(options: GlobalOptions) -> Iterator[Client]:
        yield client

    monkeypatch.setattr(work, "restoring", restoring)
    monkeypatch.setattr(work, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(work, "the_resource", lambda client, kind, ref, cloud, region: ("prod-eu", "eu-1", ref))
    yield client


def ran(*args: str, typed: str = "") -> tuple[int, str]:
    """(exit code, everything that was printed)."""
    done = CliRunner().invoke(app, ["restore", "many", *args], input=typed)
    return done.exit_code, done.output


def test_a_plan_of_named_machines(client: Client) -> None:
    code, said = ran(
        "plan", "m0", "m1", "--way", "replace", "--at", "2026-03-01T22:00:00+00:00", "--order", "db-*",
        "--parallel", "2", "--stop-after", "1",
    )  # fmt: skip
    assert code == OK, said
    assert client.body("bulk") == {
        "keys": [["prod-eu", "eu-1", "m0"], ["prod-eu", "eu-1", "m1"]], "way": "REPLACE", "at": "2026-03-01T22:00:00Z",
        "order": ["db-*"], "limits": {"parallel": 2}, "stop_after": 1,
    }  # fmt: skip
    assert "db-2 is locked" in said and f'many execute many-1` asks for "{PHRASE}"' in said


def test_a_plan_of_all_that_pass_a_filter(client: Client) -> None:
    assert ran("plan", "--filter", "name:db", "--cloud", "prod-eu")[0] == OK
    assert client.body("windows")["filter"] == "name:db" and client.body("windows")["clouds"] == ["prod-eu"]
    assert client.body("bulk")["keys"] == [row[:3] for row in client.rows]


@pytest.mark.parametrize("count", [0, 201])
def test_a_filter_has_to_pass_some_and_not_too_many(client: Client, count: int) -> None:
    client.rows = [["prod-eu", "eu-1", f"m{number}", ""] for number in range(count)]
    code, said = ran("plan", "--filter", "name:db")
    assert code == USAGE and "1 to 200" in said


@pytest.mark.parametrize("args", [[], ["m0", "--filter", "name:db"]])
def test_machines_or_a_filter(client: Client, args: list[str]) -> None:
    code, said = ran("plan", *args)
    assert code == USAGE and "or --filter" in said and client.asked == []


def test_what_does_not_fit_is_said_and_ends_so(client: Client) -> None:
    client.many["sums"] = [{"ok": False, "text": "cores of acme: 6 needed by all of them, 5 of 10 used"}]
    code, said = ran("plan", "m0")
    assert code == CANNOT and "5 of 10 used" in said


def test_the_phrase_is_asked_for_and_another_does_nothing(client: Client) -> None:
    code, said = ran("execute", "many-1", "--typed", "DELETE AND RESTORE 3 MACHINES")
    assert code == CANNOT and "not the phrase" in said and not client.going
    code, said = ran("execute", "many", "--typed", PHRASE, "--reason", "patch night")
    assert code == OK and client.going
    assert client.body("execute") == {
        "reason": "patch night", "ticket": "", "typed": PHRASE, "hash": "h1", "leave_out": [],
    }  # fmt: skip


def test_what_is_left_out_is_not_in_the_phrase(client: Client) -> None:
    code, said = ran("execute", "many-1", "--leave-out", "db-1", "--typed", "DELETE AND RESTORE 1 MACHINE")
    assert code == OK, said
    assert client.body("execute")["leave_out"] == [["prod-eu", "eu-1", "m1"]]
    assert ran("execute", "many-1", "--leave-out", "db-9", "--typed", PHRASE)[0] == USAGE


def test_it_is_followed_to_its_end(client: Client) -> None:
    code, said = ran("execute", "many-1", "--typed", PHRASE, "--watch")
    assert code == PARTIAL
    assert "db-0: succeeded" in said and "db-1: failed" in said and "1 of 2 machines restored" in said


@pytest.mark.parametrize("what", ["pause", "resume", "cancel"])
def test_it_takes_orders(client: Client, what: str) -> None:
    code, said = ran(what, "many-1")
    assert code == OK and client.asked[-1][1] == f"/q/restore/bulk/many-1/{what}", said


def test_what_can_be_read_by_programs(client: Client) -> None:
    code, said = ran("show", "many-1", "-o", "csv")
    assert code == OK and said.splitlines()[0] == ",".join(work.COLUMNS) and len(said.splitlines()) == 4
    code, said = ran("list", "-o", "json")
    assert code == OK and '"many-1"' in said
