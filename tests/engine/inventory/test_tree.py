"""One level of a tree: what a resource uses and what uses it, within limits, now and at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from engine.access.models import Caller
from store.types import registry
from tests.engine.inventory.reading import DOCUMENTS, SERVER_ID, START, Inventory, server, take_in

LIMITED = Caller(name="v", role="viewer", projects=("p2",), via="embedded")
SECOND = server(2)["id"]


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inventory]:
    inventory = Inventory(tmp_path_factory.mktemp("home"))
    yield inventory
    inventory.close()


async def tree(inventory: Inventory, caller: Caller | None = None, status: int = 200, **query: Any) -> Any:
    region = "" if registry.find(query["type"]).listing.global_ else "RegionOne"
    async with inventory.as_(caller) if caller else inventory.as_() as client:
        answer = await client.get("/q/tree", params={"cloud": "prod", "region": region, **query})
    assert answer.status_code == status, answer.text
    return answer.json()


def groups(answer: Any) -> dict[tuple[str, str], list[str]]:
    return {(g["direction"], g["type"]): [item["name"] for item in g["items"]] for g in answer["groups"]}


async def test_of_a_server(inventory: Inventory) -> None:
    answer = await tree(inventory, type="server", id=SECOND)
    assert (answer["name"], answer["status"], answer["gone"]) == ("web-2", "ACTIVE", False)
    found = groups(answer)
    assert found["uses", "volume"] == ["data", "root"]
    assert found["uses", "hypervisor"] == ["cmp-1"]
    assert found["uses", "project"] == ["acme-prod"]
    assert ("used_by", "volume") not in found
    volume = next(g for g in answer["groups"] if g["type"] == "volume")
    assert volume["items"][0] == {"key": ["prod", "RegionOne", "v2"], "name": "data", "status": "in-use"}
    async with inventory.as_() as client:
        body = {"type": "volume", "filter": volume["filter"], "columns": ["name"]}
        rows = (await client.post("/q/windows", json=body)).json()["rows"]
    assert len(rows) == volume["count"] == 2, "the group's filter lists its members"


async def test_both_ways(inventory: Inventory) -> None:
    volume = groups(await tree(inventory, type="volumes", id="v1"))
    assert volume["used_by", "server"] == ["web-2"]
    assert volume["used_by", "snapshot"] == ["nightly"]
    host = groups(await tree(inventory, type="hypervisor", id="h1"))
    assert sorted(host["used_by", "server"]) == ["web-1", "web-2", "web-3"]
    group = groups(await tree(inventory, type="security_group", id="sg1"))
    assert len(group["used_by", "port"]) == 1


@pytest.mark.parametrize("type", sorted(set(DOCUMENTS) - {"role_assignment"}))
async def test_every_type_has_a_tree(inventory: Inventory, type: str) -> None:
    id = server(1)["id"] if type == "server" else DOCUMENTS[type][0]["id"]
    answer = await tree(inventory, type=type, id=id)
    assert answer["key"][2] == id
    for group in answer["groups"]:
        assert group["count"] >= len(group["items"]) > 0


async def test_within_limits(inventory: Inventory) -> None:
    await tree(inventory, LIMITED, 404, type="server", id=SECOND)
    assert groups(await tree(inventory, LIMITED, type="server", id=SERVER_ID))["uses", "project"] == ["labs-dev"]
    image = groups(await tree(inventory, LIMITED, type="image", id="img-1"))
    assert image["used_by", "server"] == ["web-1", "web-3"]
    technical = Caller(name="t", role="technical", via="embedded")
    assert "keypair" not in {g["type"] for g in (await tree(inventory, technical, type="server", id=SECOND))["groups"]}


async def test_as_of_a_time(inventory: Inventory) -> None:
    later = START + timedelta(hours=1)
    take_in(inventory.estate, "volume", [d for d in DOCUMENTS["volume"] if d["id"] != "v2"], later)
    now = groups(await tree(inventory, type="server", id=SECOND))
    assert now["uses", "volume"] == ["root"]
    then = await tree(inventory, type="server", id=SECOND, at=(START + timedelta(minutes=5)).isoformat())
    assert groups(then)["uses", "volume"] == ["data", "root"]
    gone = await tree(inventory, type="volume", id="v2")
    assert gone["gone"] is True
    await tree(inventory, None, 404, type="volume", id="v2", at=(START - timedelta(days=1)).isoformat())
    await tree(inventory, None, 404, type="volume", id="nonsense")
    await tree(inventory, None, 400, type="volume", id="v1", at="soon")
