"""Messages of a volume are read when somebody asks: from the right account, in time, and without touching others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from fastapi import FastAPI

from engine.access.models import Caller
from engine.access.service import CALLER, AccessService
from engine.api import errors
from engine.clouds.errors import CloudError
from engine.inventory.ondemand import OnDemand, Wanted, about
from engine.inventory.reads import InventoryReads
from engine.inventory.routes import routes
from engine.settings.loading import Loaded
from store.ops.ops import Ops
from store.types import registry
from tests.contract.wire import Actor, Login, wait_for
from tests.engine.api.furniture import ADMIN, client
from tests.engine.inventory.collecting import Bench, bench

PATH = "/q/collections/on-demand"
MESSAGE = registry.ALL["cinder_message"]


class Desk:
    """A collected cloud with two volumes that could not be made, and the inventory's routes over it."""

    def __init__(self, cloud: Bench, home: Path) -> None:
        self.cloud = cloud
        entry = yaml.safe_load(cloud.demo.clouds_yaml.read_text())["clouds"]["demo"]
        self.actor = Actor(Login.from_entry(entry["auth"]))
        self.first, self.second = self.failed("one"), self.failed("two")
        assert cloud.collect(["project", "volume"])["state"] == "done"
        self.reads = InventoryReads(cloud.estate)
        self.ops = Ops.open(home / "access.sqlite")
        self.access = AccessService(self.ops, Loaded().settings)
        self.app = FastAPI(openapi_url=None)
        self.app.include_router(routes(self.reads, cloud.collections, self.access, cloud.feed, cloud.audit))
        errors.install(self.app)
        self.access.check_routes(self.app)

    def failed(self, name: str) -> str:
        """The id of a new volume in error."""
        body = {"volume": {"name": name, "size": 1, "metadata": {"lab_fault": "create"}}}
        id = str(self.actor("block-storage", "/volumes", "POST", json=body).json()["volume"]["id"])

        def status() -> str:
            self.cloud.demo.advance(5)
            return str(self.actor("block-storage", f"/volumes/{id}").json()["volume"]["status"])

        wait_for(status, lambda status: status == "error", 20)
        return id

    @asynccontextmanager
    async def as_(self, caller: Caller) -> Any:
        async with client(self.app, {CALLER: caller}) as made:
            yield made

    async def ask(self, body: dict[str, Any], caller: Caller = ADMIN) -> httpx.Response:
        """Ask for messages unless the body says otherwise."""
        async with self.as_(caller) as made:
            return await made.post(PATH, json={"type": "messages", **body})

    async def rows(self, id: str) -> list[str]:
        """Ids of the volumes that the answer's messages are about."""
        answer = await self.ask({"resource_id": id})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        place = body["columns"].index("resource_id")
        return [row[place] for row in body["rows"]]

    def close(self) -> None:
        self.reads.close()
        self.ops.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("ondemand")
    with bench(home, servers=12) as cloud:
        desk = Desk(cloud, home)
        yield desk
        desk.close()


@pytest.fixture
def desk(made: Desk) -> Iterator[Desk]:
    yield made
    made.cloud.repair()


@contextmanager
def hasty(desk: Desk, seconds: float) -> Iterator[None]:
    """With less patience than a person has."""
    service = desk.cloud.collections
    kept = service.on_demand
    service.on_demand = OnDemand(desk.cloud.estate, desk.cloud.clouds, service.options, service.patience, seconds)
    try:
        yield
    finally:
        service.on_demand = kept


async def test_messages_are_read_now_and_stored(desk: Desk) -> None:
    answer = (await desk.ask({"resource_id": desk.first, "type": "cinder_message"})).json()
    (row,) = [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]
    assert (row["cloud"], row["region"], row["resource_id"]) == ("demo", "RegionOne", desk.first)
    assert "weighted backend" in row["user_message"]
    assert (answer["account"], answer["state"], answer["reason"]) == ("demo", "ok", "")
    async with desk.as_(ADMIN) as made:
        window = (await made.post("/q/windows", json={"type": "messages", "filter": answer["filter"]})).json()
        resource = (await made.get(f"/q/resources/volume/{desk.first}")).json()
        listings = (await made.get("/q/listings")).json()["items"]
    assert [row[2] for row in window["rows"]] == [row["id"]]
    links = {link["title"]: link for link in resource["links"]}
    assert (links["messages"]["on_demand"], links["messages"]["count"]) == (True, 1)
    assert links["project"]["on_demand"] is False
    assert "cinder_message" not in {state["type"] for state in listings}


async def test_reading_again_writes_nothing_and_others_stay(desk: Desk) -> None:
    assert await desk.rows(desk.first) == [desk.first]
    assert await desk.rows(desk.second) == [desk.second]
    before = desk.cloud.versions("cinder_message")
    assert await desk.rows(desk.first) == [desk.first]
    assert desk.cloud.versions("cinder_message") == before
    assert len(desk.cloud.current("cinder_message")) == 2


async def test_messages_that_went_are_closed_and_only_those(desk: Desk) -> None:
    third = desk.failed("three")
    desk.cloud.collect(["volume"])
    assert await desk.rows(third) == [third]
    await desk.rows(desk.first)
    assert desk.actor("block-storage", f"/volumes/{third}", "DELETE").status_code == 202
    assert await desk.rows(third) == []
    assert await desk.rows(desk.first) == [desk.first]


BROKEN: list[tuple[str, dict[str, Any], int, str]] = [
    ("status", {"status": 500}, 502, "500"),
    ("status", {"status": 403}, 502, "not permitted"),
    ("status", {"status": 404}, 502, "does not offer"),
    ("malformed", {}, 502, "not JSON"),
    ("hang", {}, 504, "did not answer within 1 s"),
]


@pytest.mark.parametrize(("kind", "rule", "status", "words"), BROKEN, ids=[f"{b[0]}-{b[3]}" for b in BROKEN])
async def test_what_fails_is_told_and_stores_nothing(
    desk: Desk, kind: str, rule: dict[str, Any], status: int, words: str
) -> None:
    await desk.rows(desk.first)
    before = desk.cloud.versions("cinder_message")
    desk.cloud.fault(kind, service="volume", path="/messages", **rule)
    with hasty(desk, 1.0):
        answer = await desk.ask({"resource_id": desk.first})
    assert answer.status_code == status, answer.text
    assert words in answer.json()["detail"]
    assert desk.cloud.versions("cinder_message") == before


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"resource_id": "x", "type": "server"}, 400, "belong to every collection"),
    ({"resource_id": "x", "type": "nothing"}, 400, "no resource type"),
    ({"resource_id": "x"}, 404, "name its cloud"),
    ({"resource_id": "x", "cloud": "elsewhere"}, 404, "no cloud 'elsewhere'"),
    ({"resource_id": ""}, 422, "resource_id"),
    ({"resource_id": "x" * 256}, 422, "resource_id"),
    ({}, 422, "resource_id"),
]


@pytest.mark.parametrize(("body", "status", "words"), REFUSED)
async def test_requests_that_make_no_sense(desk: Desk, body: dict[str, Any], status: int, words: str) -> None:
    answer = await desk.ask(body)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["detail"]


async def test_a_resource_that_is_not_known_yet_is_looked_for_in_the_cloud_named(desk: Desk) -> None:
    new = desk.failed("new")
    assert (await desk.ask({"resource_id": new})).status_code == 404
    answer = await desk.ask({"resource_id": new, "cloud": "demo"})
    assert [row[1] for row in answer.json()["rows"]] == ["RegionOne"]


async def test_a_limited_caller_reads_what_belongs_to_what_he_sees(desk: Desk) -> None:
    own = Caller(name="v", role="viewer", projects=(desk.actor.project_id,), via="embedded")
    answer = await desk.ask({"resource_id": desk.first}, own)
    assert len(answer.json()["rows"]) == 1
    for other in (
        Caller(name="w", role="viewer", projects=("another",), via="embedded"),
        Caller(name="x", role="viewer", clouds=("another",), via="embedded"),
    ):
        for cloud in ({}, {"cloud": "demo"}):
            answer = await desk.ask({"resource_id": desk.first, **cloud}, other)
            assert answer.status_code == 404, answer.text


def test_an_account_of_another_project_is_not_believed(desk: Desk, tmp_path: Path) -> None:
    """It would be answered 200 with nothing."""
    with bench(tmp_path, demo=desk.cloud.demo, accounts=("demo-member",)) as narrow:
        (name,) = narrow.clouds.names()
        with pytest.raises(CloudError, match="sees the project") as caught:
            narrow.collections.on_demand.read(Wanted(MESSAGE, name, "", desk.first, desk.actor.project_id))
        assert caught.value.kind == "denied"
        found = narrow.collections.on_demand.read(Wanted(MESSAGE, name, "", desk.first))
        assert (found.rows, found.region) == (0, "RegionOne")


def test_it_is_no_part_of_collections(desk: Desk) -> None:
    with pytest.raises(KeyError, match="read for one resource"):
        desk.cloud.collections.start(ADMIN, ["demo"], ["cinder_message"])


def test_nothing_is_read_once_the_engine_stops(desk: Desk) -> None:
    service = desk.cloud.collections
    own = OnDemand(desk.cloud.estate, desk.cloud.clouds, service.options, service.patience)
    own.stop()
    with pytest.raises(CloudError, match="the engine stops"):
        own.read(Wanted(MESSAGE, "demo", "", desk.first))


def test_the_resource_goes_into_the_listing_as_text() -> None:
    assert about(MESSAGE, "a&b=c{x}").listing.query == (("resource_uuid", "a&b=c{x}"),)
    assert about(MESSAGE, "x").name == MESSAGE.name


@pytest.mark.parametrize(
    "type", [type for type in registry.ALL.values() if type.listing.on_demand], ids=lambda type: type.name
)
def test_every_such_type_says_whose_rows_it_has(type: Any) -> None:
    listing = about(type, "the-one").listing
    assert "the-one" in listing.path + str(listing.query)
    columns = {column for _, column in registry.parents(type)}
    assert len(columns) == 1
    assert type.column(columns.pop()).role == "id"
