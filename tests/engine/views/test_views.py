"""Saved views and column choices: whose they are, what they may hold, what is left of old ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

import engine.views.routes
from engine.access.models import Caller
from engine.api.errors import BadRequest, Conflict, Forbidden, NotFound
from engine.views import service as module
from engine.views.service import ViewService
from store.ops.views_tables import column_choices
from store.types import registry
from tests.engine.api.furniture import Furniture

ALICE = Caller("alice", 1001, role="operator")
BOB = Caller("bob", 1002, role="viewer")
ADMIN = Caller("root", 0, role="superadmin")
TEXT = "servers /web status:error sort:created_at:desc @prod"


@pytest.fixture
def engine_(tmp_path: Path) -> Iterator[Furniture]:
    made = Furniture(tmp_path)
    yield made
    made.close()


@pytest.fixture
def views(engine_: Furniture) -> ViewService:
    return ViewService(engine_.ops, engine_.audit)


def test_a_view_is_its_owners(views: ViewService) -> None:
    made = views.keep(ALICE, " broken  web ", TEXT, ["name", "status"])
    assert (made["name"], made["text"], made["columns"], made["shared"]) == (
        "broken web",
        TEXT,
        ["name", "status"],
        False,
    )
    assert views.view(ALICE, "broken web") == made and views.views(BOB) == []
    with pytest.raises(NotFound):
        views.view(BOB, "broken web")
    assert views.keep(ALICE, "broken web", "volumes")["text"] == "volumes" and len(views.views(ALICE)) == 1
    views.remove(ALICE, "broken web")
    with pytest.raises(NotFound):
        views.remove(ALICE, "broken web")


def test_a_shared_view_is_for_everybody_and_changed_by_its_maker(engine_: Furniture, views: ViewService) -> None:
    views.keep(ALICE, "night", "servers status:error", shared=True)
    views.keep(BOB, "night", "volumes")
    assert views.view(BOB, "night")["text"] == "volumes"  # one's own comes first
    assert [(v["name"], v["shared"], v["mine"]) for v in views.views(BOB)] == [
        ("night", False, True),
        ("night", True, False),
    ]
    with pytest.raises(Forbidden, match="alice's"):
        views.keep(BOB, "night", "networks", shared=True)
    with pytest.raises(Forbidden):
        views.remove(BOB, "night", shared=True)
    views.keep(ADMIN, "night", "networks", shared=True)
    views.keep(ALICE, "night", "servers", shared=True)  # still hers
    views.remove(ADMIN, "night", shared=True)
    assert engine_.audit.page(action="view.*")[0] == 4


@pytest.mark.parametrize(
    ("name", "text", "columns"),
    [
        ("", "servers", []),
        ("a/b", "servers", []),
        ("x" * 65, "servers", []),
        ("\x1b[31mred", "servers", []),
        ("x", "servers\n:q", []),
        ("x", "servers \x1b[2J", []),
        ("x", "  ", []),
        ("x", "servers status:(", []),
        ("x", "servers", ["nope"]),
    ],
)
def test_what_cannot_be_opened_again_is_refused(views: ViewService, name: str, text: str, columns: list[str]) -> None:
    with pytest.raises(BadRequest):
        views.keep(ALICE, name, text, columns)
    assert views.views(ALICE) == []


@pytest.mark.parametrize("text", ["find 10.20.0.7", "audit ticket:CHG42", "jobs", "/web", "status:error"])
def test_other_pages_have_texts_too(views: ViewService, text: str) -> None:
    assert views.keep(ALICE, "x", text)["text"] == text


def test_there_is_an_end_of_views(views: ViewService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_VIEWS", 1)
    views.keep(ALICE, "a", "servers")
    views.keep(ALICE, "a", "volumes")
    with pytest.raises(Conflict):
        views.keep(ALICE, "b", "servers")


def test_columns_are_chosen_for_each_person(engine_: Furniture, views: ViewService) -> None:
    declared = views.choice(ALICE, "servers")
    assert declared == {
        "type": "server",
        "columns": list(registry.ALL["server"].default_columns),
        "wide": False,
        "chosen": False,
    }
    chosen = views.choose(ALICE, "server", ["status", "name", "cloud", "name"], wide=True)
    assert chosen == {"type": "server", "columns": ["status", "name", "cloud"], "wide": True, "chosen": True}
    assert views.choice(ALICE, "server") == chosen and views.choices(ALICE) == [chosen]
    assert views.choice(BOB, "server") == declared and views.choices(BOB) == []
    with pytest.raises(BadRequest, match="no column 'nope'"):
        views.choose(ALICE, "server", ["nope"])
    with pytest.raises(NotFound):
        views.choose(ALICE, "spaceship", ["name"])
    with engine_.ops.begin() as connection:  # a later release has no such column any more
        connection.execute(update(column_choices).values(columns=["gone", "name"]))
    assert views.choice(ALICE, "server")["columns"] == ["name"]
    views.forget(ALICE, "server")
    assert views.choice(ALICE, "server") == declared


async def test_routes(engine_: Furniture, views: ViewService) -> None:
    engine_.app.include_router(engine.views.routes.routes(views, engine_.access))
    async with engine_.embedded(BOB) as bob:

        async def put(path: str, body: dict[str, Any]) -> int:
            return (await bob.put(path, json=body)).status_code

        assert await put("/q/views/mine", {"text": TEXT}) == 200
        assert (await bob.get("/q/views")).json()["items"][0]["text"] == TEXT
        assert (await bob.get("/q/views/mine")).json()["by"] == "bob"
        assert await put("/q/views/mine", {"text": ""}) == 422
        assert await put("/q/views/mine", {"text": "servers", "extra": 1}) == 422
        assert (await bob.delete("/q/views/mine")).status_code == 204
        assert (await bob.get("/q/views/mine")).status_code == 404
        assert await put("/q/columns/server", {"columns": ["name"], "wide": True}) == 200
        assert await put("/q/columns/server", {"columns": []}) == 422
        assert (await bob.get("/q/columns/server")).json()["wide"] is True
        assert (await bob.get("/q/columns")).json()["items"][0]["type"] == "server"
        assert (await bob.delete("/q/columns/server")).status_code == 204
