"""The time line of a resource: all sources in one order, and what is told when one of them does not answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI

from engine.access.models import Caller
from engine.access.service import CALLER, AccessService
from engine.api import errors
from engine.inventory import events_routes
from engine.inventory.events import Timeline
from engine.inventory.events_cloud import CloudLines
from engine.inventory.reads import InventoryReads
from engine.settings.loading import Loaded
from store import times
from store.ops.ops import Ops
from tests.contract.wire import Actor, Login
from tests.engine.api.furniture import ADMIN, client
from tests.engine.inventory.collecting import Bench, bench


class Desk:
    """A collected cloud, and the routes of the time line over it."""

    def __init__(self, cloud: Bench, home: Path) -> None:
        self.cloud = cloud
        entries = yaml.safe_load(cloud.demo.clouds_yaml.read_text())["clouds"]
        self.admin = Actor(Login.from_entry(entries["demo"]["auth"]))
        self.member = Actor(Login.from_entry(entries["demo-member"]["auth"]))
        self.cloud.collect(["project", "user", "server", "volume", "port", "snapshot", "network"])
        self.reads = InventoryReads(cloud.estate)
        self.ops = Ops.open(home / "access.sqlite")
        self.access = AccessService(self.ops, Loaded().settings)
        self.lines = CloudLines(cloud.clouds)
        self.notes: list[dict[str, Any]] = []
        self.serve(5.0)

    def serve(self, seconds: float) -> None:
        timeline = Timeline(self.reads, self.lines, self.cloud.audit, lambda caller, subject: self.notes, seconds)
        self.app = FastAPI(openapi_url=None)
        self.app.include_router(events_routes.routes(self.reads, timeline, self.access))
        errors.install(self.app)
        self.access.check_routes(self.app)

    async def ask(self, type: str, id: str, caller: Caller = ADMIN, **query: Any) -> Any:
        async with client(self.app, {CALLER: caller}) as made:
            return await made.get(f"/q/resources/{type}/{id}/events", params=query)

    async def events(self, type: str, id: str, **query: Any) -> dict[str, Any]:
        answer = await self.ask(type, id, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def close(self) -> None:
        self.lines.close()
        self.reads.close()
        self.ops.close()

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self.cloud.estate.reader() as connection:
            return connection.execute(sql, list(parameters)).fetchall()

    def server(self, where: str = "status = 'ACTIVE'") -> tuple[str, str]:
        """(id, project) of a server of the member's that nobody used yet."""
        sql = f"SELECT id, project_id FROM server_versions WHERE valid_to IS NULL AND {where} AND project_id = ?"
        return self.rows(f"{sql} AND len(volume_ids) > 0 ORDER BY id LIMIT 1", self.member.project_id)[0]

    def act(self, id: str, action: dict[str, Any]) -> str:
        """Have the member do it; the request's id."""
        answer = self.member("compute", f"/servers/{id}/action", "POST", json=action)
        assert answer.status_code == 202, answer.text
        self.cloud.demo.advance(5)
        return answer.headers["x-openstack-request-id"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("events")
    with bench(home, servers=60, accounts=("demo", "demo-member")) as cloud:
        desk = Desk(cloud, home)
        yield desk
        desk.close()


@pytest.fixture
def desk(made: Desk) -> Iterator[Desk]:
    yield made
    made.cloud.repair()
    made.notes.clear()


@contextmanager
def hasty(desk: Desk, seconds: float) -> Iterator[None]:
    desk.serve(seconds)
    try:
        yield
    finally:
        desk.serve(5.0)


def of(answer: dict[str, Any], source: str) -> list[dict[str, Any]]:
    return [event for event in answer["items"] if event["source"] == source]


async def test_all_sources_stand_in_one_order(desk: Desk) -> None:
    id, _ = desk.server()
    request = desk.act(id, {"os-stop": None})
    desk.cloud.collect(["server"])
    desk.cloud.audit.record(ADMIN, "server.stop", f"demo/{id}", {"reason": "patch"}, "intent")
    desk.cloud.audit.record(ADMIN, "server.stop", f"demo/{id}", {"request_ids": [request]})
    desk.notes.append({"text": "asked the owner", "by": "anna", "at": "2099-01-01T00:00:00Z"})
    answer = await desk.events("server", id)
    assert answer["problems"] == []
    moments = [times.parse(event["at"]) for event in answer["items"]]
    assert moments == sorted(moments, reverse=True)
    assert answer["items"][0]["title"] == "asked the owner"
    stop, create = of(answer, "nova")
    assert (stop["kind"], create["kind"]) == ("stop", "create")
    # Its request is in our own audit: sure who it was. The other one is told by the cloud.
    assert (stop["request_id"], stop["actor"], stop["grade"]) == (request, ADMIN.name, "certain")
    assert create["grade"] == "cloud" and create["actor"] and "-" not in create["actor"][:8]
    assert stop["children"][0]["title"] == "compute_stop_instance"
    (audit,) = of(answer, "audit")
    assert (audit["detail"], audit["request_id"]) == ("ok; reason patch", request)
    changed = next(event for event in of(answer, "state") if event["kind"] == "changed" and event["about"] is None)
    assert {"field": "status", "from": "ACTIVE", "to": "SHUTOFF"} in changed["changes"]
    assert (changed["actor"], changed["grade"]) == (None, "unknown")


async def test_since_and_limit(desk: Desk) -> None:
    id, _ = desk.server()
    every = (await desk.events("server", id))["items"]
    short = await desk.events("server", id, limit=1)
    assert (short["items"], short["more"]) == (every[:1], True)
    assert (await desk.events("server", id, since="2099-01-01T00:00:00Z"))["items"] == []
    assert (await desk.ask("server", id, since="soon")).status_code == 400
    assert (await desk.ask("server", "nobody")).status_code == 404
    assert (await desk.ask("spaceship", id)).status_code in (400, 404)


async def test_a_deleted_server_still_tells_its_actions(desk: Desk) -> None:
    id, _ = desk.server()
    assert desk.member("compute", f"/servers/{id}", "DELETE").status_code == 204
    desk.cloud.demo.advance(5)
    desk.cloud.collect(["server", "port", "volume"])
    answer = await desk.events("server", id)
    assert answer["problems"] == []
    assert of(answer, "nova")[0]["kind"] == "delete"
    gone = [event for event in of(answer, "state") if event["kind"] == "gone"]
    assert {None, "port"} <= {event["about"] and event["about"]["type"] for event in gone}


async def test_a_server_without_a_host_says_why(desk: Desk) -> None:
    ((id,),) = desk.rows("SELECT id FROM server_versions WHERE status = 'ERROR' AND valid_to IS NULL LIMIT 1")
    answer = await desk.events("server", id)
    (fault,) = of(answer, "fault")
    assert (fault["title"][:13], fault["level"]) == ("No valid host", "error")
    (create,) = of(answer, "nova")
    assert (create["level"], create["detail"][:13]) == ("error", "No valid host")
    assert create["children"][0]["title"] == "conductor_schedule_and_build_instances"


async def test_volumes_tell_their_messages_and_servers_those_of_their_volumes(desk: Desk) -> None:
    body = {"volume": {"name": "no", "size": 1, "metadata": {"lab_fault": "create"}}}
    id = desk.member("block-storage", "/volumes", "POST", json=body).json()["volume"]["id"]
    desk.cloud.demo.advance(5)
    desk.cloud.collect(["volume"])
    answer = await desk.events("volume", id)
    (message,) = of(answer, "cinder")
    assert "weighted backend" in message["title"] and message["level"] == "error"
    created = next(event for event in of(answer, "state") if event["kind"] == "created")
    assert (created["actor"], created["grade"]) == ("member", "creator")


async def test_types_that_no_cloud_tells_more_of_are_not_asked(desk: Desk) -> None:
    ((id,),) = desk.rows("SELECT id FROM network_versions WHERE valid_to IS NULL LIMIT 1")
    desk.cloud.fault("status", service="network", status=500)
    answer = await desk.events("network", id)
    assert answer["problems"] == [] and {event["source"] for event in answer["items"]} == {"state"}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "status", "status": 500}, "500"),
        ({"kind": "status", "status": 403}, "not permitted"),
        ({"kind": "reset"}, "compute"),
    ],
)
async def test_a_source_that_fails_is_a_sentence_and_the_rest_is_told(
    desk: Desk, fault: dict[str, Any], words: str
) -> None:
    id, _ = desk.server()
    await desk.events("server", id)  # logged in, services known
    desk.cloud.fault(service="compute", path=f"/v2.1/servers/{id}/os-instance-actions", **fault)
    answer = await desk.events("server", id)
    (problem,) = answer["problems"]
    assert problem.startswith("instance actions of demo could not be read: ") and words in problem
    assert of(answer, "nova") == [] and of(answer, "state")
    desk.cloud.repair()
    assert of(await desk.events("server", id), "nova")


async def test_a_cloud_that_hangs_costs_seconds_and_no_more(desk: Desk) -> None:
    id, _ = desk.server()
    await desk.events("server", id)
    desk.cloud.fault("hang", service="compute", seconds=30)
    with hasty(desk, 1.0):
        began = time.monotonic()
        answer = await desk.events("server", id)
        took = time.monotonic() - began
    assert took < 3
    assert any("no answer within 1 s" in problem for problem in answer["problems"])
    assert of(answer, "state")


async def test_steps_that_fail_leave_the_actions(desk: Desk) -> None:
    id, _ = desk.server()
    desk.cloud.fault("status", service="compute", path=f"/v2.1/servers/{id}/os-instance-actions/", status=500)
    answer = await desk.events("server", id)
    assert of(answer, "nova") and answer["problems"][0].startswith("steps of ")


async def test_a_viewer_of_another_project_sees_nothing(desk: Desk) -> None:
    id, _ = desk.server()
    other = Caller(name="eve", role="viewer", via="embedded", projects=("other",))
    assert (await desk.ask("server", id, other)).status_code == 404
    own = Caller(name="mel", role="viewer", via="embedded", projects=(desk.member.project_id,))
    answer = (await desk.ask("server", id, own)).json()
    assert of(answer, "nova") and of(answer, "audit") == []


async def test_without_an_account_that_sees_the_project_it_is_said(tmp_path: Path, desk: Desk) -> None:
    foreign = desk.rows(
        "SELECT id FROM server_versions WHERE valid_to IS NULL AND project_id != ? LIMIT 1", desk.member.project_id
    )[0][0]
    clouds = desk.cloud.clouds
    members = [account for account in clouds.accounts("demo") if account.name == "demo-member"]

    class Narrow:
        def accounts(self, cloud: str) -> list[Any]:
            return members

        connect = staticmethod(clouds.connect)
        on_remove = staticmethod(lambda callback: None)

    timeline = Timeline(desk.reads, CloudLines(Narrow()), None)  # type: ignore[arg-type]
    key = events_routes.the_key(desk.reads, events_routes.find_type("server"), foreign, events_routes.scope_of(ADMIN))
    answer = timeline.of(ADMIN, events_routes.find_type("server"), key, events_routes.scope_of(ADMIN), None, 50)
    assert any("no account of demo sees this project" in problem for problem in answer["problems"])
    assert {event["source"] for event in answer["items"]} <= {"state", "fault"}
