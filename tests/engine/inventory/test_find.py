"""`GET /q/find`: sentences, whose it is, when it was so, the audit; within what the caller may see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.inventory import find_routes
from engine.inventory.find import Finder
from engine.inventory.find_models import FindAnswer
from engine.inventory.lineage import Line
from engine.settings.loading import Loaded
from store.estate.reading.find_terms import MAX_TEXT
from store.estate.reading.models import Scope
from store.types import registry
from tests.engine.inventory.reading import DOCUMENTS, SERVER_ID, START, Inventory, server, take_in

LATER = START + timedelta(hours=28, minutes=2)  # Sat 14:02
FREE = {"addresses": {}}
OWNED = {"metadata": {"owner": "dba", "tier": "gold"}}
REQUEST = "req-8f1c2d3e-0000-4000-8000-000000000001"


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inventory]:
    inventory = Inventory(tmp_path_factory.mktemp("home"))
    access = AccessService(inventory.ops, Loaded().settings)
    inventory.app.include_router(find_routes.routes(inventory.reads, access, inventory.audit))
    take_in(inventory.estate, "server", [server(1, **OWNED), *DOCUMENTS["server"][1:]], START + timedelta(minutes=1))
    # On the next day web-1 has no address any more, web-9 has it, and web-3 is gone.
    take_in(
        inventory.estate,
        "server",
        [server(1, **FREE, **OWNED), DOCUMENTS["server"][1], server(9, addresses=server(1)["addresses"])],
        LATER,
    )
    inventory.audit.record(Caller(name="dana", role="admin"), "server.stop", "web-1", {"request_ids": [REQUEST]})
    yield inventory
    inventory.close()


async def find(inventory: Inventory, text: str, caller: Caller | None = None, **more: Any) -> dict[str, Any]:
    async with inventory.as_(caller) if caller else inventory.as_() as client:
        answer = await client.get("/q/find", params={"q": text, **more})
    assert answer.status_code == 200, answer.text
    FindAnswer.model_validate(answer.json())
    return answer.json()


def sentences(answer: dict[str, Any]) -> list[str]:
    return [item["what"] for item in answer["items"]]


async def test_who_had_this_address(inventory: Inventory) -> None:
    answer = await find(inventory, "10.0.0.1")
    assert answer["understood"] == "address" and not answer["more"] and answer["took_ms"] > 0
    assert sentences(answer) == [
        "10.0.0.1 is web-9",
        "10.0.0.1 is web-1 on net",
        "10.0.0.1 was web-1 until Sat 14:02 UTC"
        if inventory.reads.clock() - LATER < timedelta(days=6)
        else f"10.0.0.1 was web-1 until {LATER:%Y-%m-%d %H:%M} UTC",
        "10.0.0.1 is in subnet net-v4 on net",
    ]
    now, port, past, _ = answer["items"]
    assert (now["type"], now["name"], now["to"], now["gone"], now["host"]) == ("server", "web-9", None, False, "cmp-1")
    assert (port["type"], port["network"], port["machine"]["name"]) == ("port", "net", "web-1")
    assert (past["owner"], past["creator"], past["project"], past["domain"]) == ("dba", "root", "labs-dev", "labs")
    assert (past["key"], past["from"], past["to"]) == (
        ["prod", "RegionOne", SERVER_ID],
        "2026-11-20T10:00:00Z",
        "2026-11-21T14:02:00Z",
    )


@pytest.mark.parametrize(("hours", "name"), [(1, "web-1"), (28, "web-1"), (29, "web-9")])
async def test_at_a_time(inventory: Inventory, hours: int, name: str) -> None:
    at = (START + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = await find(inventory, "10.0.0.1", at=at)
    assert [item["name"] for item in answer["items"] if item["type"] == "server"] == [name]
    assert answer["at"] == at


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("web-3", "web-3 was a server until"),
        ("web-1", "web-1 is a server"),
        ("debian-12", "debian-12 is an image"),
        (SERVER_ID, "web-1 is a server"),
        ("FA16.3E00.0001", "fa:16:3e:00:00:01 is web-1 on net"),
        ("fa:16:3e:00:00:02", "fa:16:3e:00:00:02 is an interface of router r on net"),
        ("203.0.113.2", "203.0.113.2 is web-2"),
        ("10.0.0.0/24", "10.0.0.0/24 is the range of subnet net-v4 on net"),
        ("tier=gold", "server web-1 has metadata tier=gold"),
        ("gold", "server web-1 has metadata tier=gold"),
        ("cmp-1", "cmp-1 is a hypervisor"),
        ("ada", "ada is a user"),
        ("labs-dev", "labs-dev is a project"),
        ("spare", "spare is a volume"),
    ],
)
async def test_what_it_is(inventory: Inventory, text: str, what: str) -> None:
    found = sentences(await find(inventory, text))
    assert found and found[0].startswith(what), found


async def test_what_refers_to_it(inventory: Inventory) -> None:
    assert sentences(await find(inventory, SERVER_ID)) == ["web-1 is a server", "port 10.0.0.1 is web-1's"]


async def test_a_request_in_our_own_audit(inventory: Inventory) -> None:
    (item,) = (await find(inventory, REQUEST))["items"]
    assert item["type"] == "audit" and item["says"] == "dana did server.stop on web-1 (ok)"
    (record,) = inventory.audit.page(text=REQUEST)[1]
    assert item["key"] == ["", "", str(record["seq"])], "where GET /q/audit/{seq} has it"
    limited = Caller(name="v", role="viewer", projects=("p1",), via="embedded")
    assert (await find(inventory, REQUEST, limited))["items"] == []


@pytest.mark.parametrize(
    ("caller", "names"),
    [
        (Caller(name="v", role="viewer", projects=("p1",), via="embedded"), {"web-2"}),
        (Caller(name="v", role="viewer", domains=("d2",), via="embedded"), {"web-1", "web-3", "web-9"}),
        (Caller(name="v", role="viewer", clouds=("other",), via="embedded"), set()),
    ],
)
async def test_within_the_scope(inventory: Inventory, caller: Caller, names: set[str]) -> None:
    answer = await find(inventory, "web", caller)
    assert {item["name"] for item in answer["items"] if item["type"] == "server"} == names


async def test_a_machine_outside_the_scope_is_not_named(inventory: Inventory) -> None:
    """The port is of project p1, the server on it of p2."""
    caller = Caller(name="v", role="viewer", projects=("p1",), via="embedded")
    (item,) = [item for item in (await find(inventory, "10.0.0.1", caller))["items"] if item["type"] == "port"]
    assert item["machine"] is None and "web-1" not in item["what"] and item["owner"] == "acme-prod"


async def test_roles_without_a_type(inventory: Inventory) -> None:
    """Types that a role may not read are not searched."""
    names = {item["type"] for item in (await find(inventory, "cmp-1", Caller(name="t", role="technical")))["items"]}
    assert "hypervisor" in names and "aggregate" not in names


async def test_limit(inventory: Inventory) -> None:
    answer = await find(inventory, "web", limit=1)
    assert len(answer["items"]) == 1 and answer["more"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"q": " "}, "say what to find"),
        ({"q": "x", "at": "soon"}, "is not a time"),
        ({"q": "x", "at": "2999-01-01T00:00:00Z"}, "lies in the future"),
    ],
)
async def test_what_can_not_be_asked(inventory: Inventory, query: dict[str, str], sentence: str) -> None:
    async with inventory.as_() as client:
        answer = await client.get("/q/find", params=query)
    assert answer.status_code in (400, 422) and sentence in answer.json()["detail"]


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE servers; --", "%_\\", "?$1", "x" * MAX_TEXT, "\x00\x1b[2J", "💥", "a" * 4]
)
async def test_hostile_texts(inventory: Inventory, text: str) -> None:
    assert isinstance((await find(inventory, f"z{text}"[:MAX_TEXT]))["items"], list)


async def test_what_took_the_place_of_what(inventory: Inventory) -> None:
    old, new = server(1)["id"], server(9)["id"]
    asked: list[str] = []

    def lineage(cloud: str, region: str, ids: Sequence[str]) -> dict[str, Line]:
        asked.extend(ids)
        return {old: ([], ["between", new]), new: (["between", old], [])}

    finder = Finder(inventory.reads, lineage=lineage)
    answer = finder.find("10.0.0.1", registry.ALL.values(), None, Scope(), 10)
    told = {item["name"]: (item["in_place_of"], item["replaced_by"]) for item in answer["items"]}
    assert (told["web-1"], told["web-9"]) == ((None, new), ("between", None))
    assert set(asked) >= {old, new}
