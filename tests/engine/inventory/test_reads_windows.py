"""The `/q/` routes: windows, resources, resolving, changes, listings and collections."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from engine.access.models import Caller
from store.estate.reading.models import Window
from tests.engine.inventory.reading import DOCUMENTS, SERVER_ID, START, Inventory, server, take_in

LIMITED = Caller(name="v", role="viewer", projects=("p1",), via="embedded")
ELSEWHERE = Caller(name="w", role="viewer", clouds=("other",), via="embedded")


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inventory]:
    inventory = Inventory(tmp_path_factory.mktemp("home"))
    yield inventory
    inventory.close()


async def post(inventory: Inventory, path: str, body: Any, caller: Caller | None = None, status: int = 200) -> Any:
    async with inventory.as_(caller) if caller else inventory.as_() as client:
        answer = await client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def get(inventory: Inventory, path: str, caller: Caller | None = None, status: int = 200, **query: Any) -> Any:
    async with inventory.as_(caller) if caller else inventory.as_() as client:
        answer = await client.get(path, params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_window(inventory: Inventory) -> None:
    body = {"type": "vms", "filter": "web", "sort": [["name", True]], "columns": ["name", "created_at", "tags"]}
    answer = await post(inventory, "/q/windows", body)
    assert answer["type"] == "server"
    assert answer["columns"] == ["cloud", "region", "id", "name", "created_at", "tags"]
    assert [row[3] for row in answer["rows"]] == ["web-3", "web-2", "web-1"]
    assert answer["rows"][2][:3] == ["prod", "RegionOne", SERVER_ID]
    assert answer["rows"][2][4] == "2026-11-01T00:00:00Z"
    assert (answer["has_before"], answer["has_after"], answer["at"], answer["states"]) == (False, False, None, [])
    assert answer["data_version"] > 0
    assert answer["data_age_seconds"] > 0
    key = {"key": answer["rows"][1][:3]}
    around = await post(inventory, "/q/windows", {**body, "anchor": key, "before": 1, "after": 0})
    assert ([row[3] for row in around["rows"]], around["anchor_index"]) == (["web-3", "web-2"], 1)
    place = await post(inventory, "/q/windows/position", {**body, "anchor": key})
    assert (place["total"], place["rank"]) == (3, 1)


async def test_window_of_the_past(inventory: Inventory) -> None:
    at = (START - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = await post(inventory, "/q/windows", {"type": "server", "at": at})
    assert (answer["rows"], answer["at"], answer["data_age_seconds"]) == ([], at, None)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 422, "type is required"),
        ({"type": "nope"}, 400, "no resource type"),
        ({"type": "server", "filter": "status:"}, 400, "at character 8"),
        ({"type": "server", "filter": "nope:1"}, 400, "no column"),
        ({"type": "server", "sort": [["nope", False]]}, 400, "no column"),
        ({"type": "server", "columns": ["nope"]}, 400, "no column"),
        ({"type": "server", "at": "yesterday"}, 400, "is not a time"),
        ({"type": "server", "at": "2999-01-01T00:00:00Z"}, 400, "future"),
        ({"type": "server", "anchor": "middle"}, 422, "anchor"),
        ({"type": "server", "anchor": {"key": ["a"]}}, 422, "anchor"),
        ({"type": "server", "before": 99999}, 422, "before"),
        ({"type": "server", "odd": 1}, 422, "odd"),
        ({"type": "server", "filter": "x" * 3000}, 422, "filter"),
    ],
)
async def test_bad_windows(inventory: Inventory, body: Any, status: int, words: str) -> None:
    answer = await post(inventory, "/q/windows", body, status=status)
    assert words in answer["detail"]


async def test_a_limited_role_sees_its_own(inventory: Inventory) -> None:
    answer = await post(inventory, "/q/windows", {"type": "server", "columns": ["project_id"]}, LIMITED)
    assert {row[3] for row in answer["rows"]} == {"p1"}
    assert (await post(inventory, "/q/windows", {"type": "server"}, ELSEWHERE))["rows"] == []
    foreign = DOCUMENTS["server"][0]["id"]
    await get(inventory, f"/q/resources/server/{foreign}", LIMITED, 404)
    assert (await get(inventory, "/q/resolve", LIMITED, type="server", ref="web-1"))["items"] == []


async def test_permission_by_type(inventory: Inventory) -> None:
    technical = Caller(name="t", role="technical", via="embedded")
    answer = await post(inventory, "/q/windows", {"type": "aggregate"}, technical, 403)
    assert answer == {"detail": "Permission denied: requires host_aggregates:read"}


async def test_resource(inventory: Inventory) -> None:
    id = server(2)["id"]
    answer = await get(inventory, f"/q/resources/server/{id}")
    assert answer["key"] == ["prod", "RegionOne", id]
    assert answer["row"]["disk_gb"] == 140
    assert answer["row"]["ips"] == "10.0.0.2, 203.0.113.2"
    assert answer["row"]["project_name"] == "acme-prod"
    assert answer["doc"]["name"] == "web-2"
    assert (answer["valid_from"], answer["valid_to"], answer["denied"]) == ("2026-11-20T10:00:00Z", None, [])
    assert answer["listing"]["state"] == "ok"
    links = {link["title"]: link for link in answer["links"]}
    assert links["volumes"]["count"] == 2
    assert links["host"]["count"] == 1
    rows = await post(inventory, "/q/windows", {"type": links["volumes"]["type"], "filter": links["volumes"]["filter"]})
    assert [row[2] for row in rows["rows"]] == ["v2", "v1"]


async def test_ids_with_slashes(inventory: Inventory) -> None:
    answer = await get(inventory, "/q/resources/role_assignment/r1%2Fu:u1%2Fproject:p1")
    assert answer["row"]["role_name"] == "member"


async def test_a_resource_that_is_gone_is_shown_as_it_was_last(tmp_path: Any) -> None:
    inventory = Inventory(tmp_path, {"server": [server(1), server(2)]})
    take_in(inventory.estate, "server", [server(2)], START + timedelta(hours=1))
    answer = await get(inventory, f"/q/resources/server/{SERVER_ID}")
    assert answer["valid_to"] == "2026-11-20T11:00:00Z"
    later = {"at": "2026-11-20T11:30:00Z"}
    await get(inventory, f"/q/resources/server/{SERVER_ID}", status=404, **later)
    earlier = await get(inventory, f"/q/resources/server/{SERVER_ID}", at="2026-11-20T10:30:00Z")
    assert earlier["row"]["name"] == "web-1"
    take_in(inventory.estate, "server", [server(1)], cloud="second")
    take_in(inventory.estate, "server", [server(1)], cloud="third")
    answer = await get(inventory, f"/q/resources/server/{SERVER_ID}", status=409)
    assert "second/RegionOne, third/RegionOne" in answer["detail"]
    assert (await get(inventory, f"/q/resources/server/{SERVER_ID}", cloud="third"))["key"][0] == "third"
    inventory.close()


@pytest.mark.parametrize(
    ("path", "status"), [("/q/resources/server/none", 404), ("/q/resources/nope/none", 400), ("/q/collections/x", 404)]
)
async def test_unknown(inventory: Inventory, path: str, status: int) -> None:
    assert "no" in (await get(inventory, path, status=status))["detail"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"type": "server", "ref": SERVER_ID}, [("server", "id")]),
        ({"type": "server", "ref": "web-1"}, [("server", "name")]),
        ({"type": "server", "ref": "WEB-1"}, [("server", "name")]),
        ({"type": "server", "ref": "5e00"}, [("server", "prefix")] * 3),
        ({"type": "server", "ref": "5e0"}, []),
        ({"ref": "v1"}, [("volume", "id")]),
        ({"ref": "default"}, [("security_group", "name")]),
        ({"type": "server", "ref": "web-1", "cloud": "other"}, []),
        ({"type": "floating_ip", "ref": "203.0.113.2"}, [("floating_ip", "name")]),
    ],
)
async def test_resolve(inventory: Inventory, query: dict[str, str], expected: list[tuple[str, str]]) -> None:
    items = (await get(inventory, "/q/resolve", **query))["items"]
    assert [(item["type"], item["match"]) for item in items] == expected


async def test_changes(inventory: Inventory) -> None:
    start = await get(inventory, "/q/changes")
    waiting = asyncio.create_task(get(inventory, "/q/changes", since=start["seq"], wait=10))
    elsewhere = asyncio.create_task(get(inventory, "/q/changes", ELSEWHERE, since=start["seq"], wait=10))
    inventory.feed.publish("data", cloud="prod", type="server", version=7)
    answer = await asyncio.wait_for(waiting, 5)
    assert answer["hints"] == [{"topic": "data", "cloud": "prod", "type": "server", "version": 7}]
    assert (await asyncio.wait_for(elsewhere, 5))["hints"] == []


async def test_listings_and_suspects(tmp_path: Any) -> None:
    inventory = Inventory(tmp_path, {"server": [server(number) for number in range(1, 21)]})
    take_in(inventory.estate, "server", [server(1)], START + timedelta(hours=1))
    state = (await get(inventory, "/q/listings"))["items"][0]
    assert (state["type"], state["state"], state["missing"]) == ("server", "suspect", 19)
    assert state["age_seconds"] > 0 and state["ended_at"] == "2026-11-20T11:00:00Z"
    window = await post(inventory, "/q/windows", {"type": "server"})
    assert len(window["rows"]) == 20
    assert [(one["state"], one["missing"]) for one in window["states"]] == [("suspect", 19)]
    body = {"cloud": "prod", "region": "RegionOne", "type": "servers", "accept": True}
    await post(inventory, "/q/suspects/decision", body, Caller(name="v", role="viewer", via="embedded"), 403)
    await post(inventory, "/q/suspects/decision", body, ELSEWHERE, 403)
    await post(inventory, "/q/suspects/decision", {**body, "type": "port"}, status=404)
    assert (await post(inventory, "/q/suspects/decision", body))["closed"] == 19
    assert len((await post(inventory, "/q/windows", {"type": "server"}))["rows"]) == 1
    total, records = inventory.audit.page(action="suspects.decide", outcome="ok")
    assert (total, records[0]["target"]) == (1, "prod/RegionOne/servers")
    inventory.close()


async def test_collections(inventory: Inventory) -> None:
    answer = await post(inventory, "/q/collections", {"types": ["vms"], "full": True}, status=202)
    assert answer["items"][0]["types"] == [{"type": "server"}]
    await post(inventory, "/q/collections", {"clouds": ["nowhere"]}, status=404)
    await post(inventory, "/q/collections", {"types": ["nope"]}, status=400)
    await post(inventory, "/q/collections", {}, Caller(name="v", role="viewer", via="embedded"), 403)
    assert len((await get(inventory, "/q/collections"))["items"]) == 1
    assert (await get(inventory, "/q/collections/c1"))["state"] == "done"
    async with inventory.as_() as client:
        assert (await client.delete("/q/collections/c1")).json()["state"] == "cancelled"
        assert (await client.delete("/q/collections/c2")).status_code == 404


async def test_reading_while_a_collection_writes(tmp_path: Any) -> None:
    """Every window is of one state of the store: all machines of a listing or all of the next one."""
    inventory = Inventory(tmp_path, {"server": [server(number, name="old") for number in range(40)]})
    done = asyncio.Event()
    window = Window("server", columns=("name",), after=100)

    async def read() -> set[tuple[str, ...]]:
        seen = set()
        while not done.is_set():
            answer = await inventory.reads.run(inventory.reads.window, window)
            assert len(answer["rows"]) == 40
            seen.add(tuple(sorted({row[3] for row in answer["rows"]})))
        return seen

    readers = [asyncio.create_task(read()) for _ in range(6)]
    for round in range(1, 6):
        documents = [server(number, name=f"new-{round}") for number in range(40)]
        at = START + timedelta(hours=round)
        await asyncio.get_running_loop().run_in_executor(None, take_in, inventory.estate, "server", documents, at)
    done.set()
    seen = set.union(*await asyncio.gather(*readers))
    assert all(len(names) == 1 for names in seen), seen
    inventory.close()


def test_a_window_is_answered_at_once_only_out_of_memory(inventory: Inventory) -> None:
    reads = inventory.reads
    window = Window("server", columns=("name", "project_name"), filter="status:active")
    assert reads.ready_window(window) is None
    assert reads.window(window)["rows"] == reads.window(window)["rows"]
    ready, read = reads.ready_window(window), reads.window(window)
    assert ready is not None
    assert ready.pop("data_age_seconds") <= read.pop("data_age_seconds")
    assert ready == read
    inventory.estate.changed("prod", "project")
    assert reads.ready_window(window) is None, "a project may have another name now"
    assert reads.ready_window(Window("server", columns=("nonsense",))) is None
