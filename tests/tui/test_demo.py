"""A demo while it is being made: the console says so, and goes on by itself."""

import asyncio
from typing import Any

import pytest

from tests.tui.fake import FakeClient, cloud, collection
from tests.tui.screen import console, lines, text, until, until_gone, until_text
from tui.api.errors import ApiError
from tui.console import QuarterdeckApp
from tui.panes.resources import progress_text
from tui.world import World


def demo(state: str, problem: str | None = None) -> dict[str, Any]:
    """What `GET /q/engine` says of a demo."""
    past = {"days": 30, "done": 3, "problem": None}
    return {"state": state, "problem": problem, "servers": 50, "past": past}


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"demo": demo("past")}, "past"),
        ({"demo": demo("failed", "no port is free")}, "failed"),
        ({"demo": True}, "ready"),
        ({"demo": False}, ""),
        ({"demo": None}, ""),
        ({"demo": {}}, ""),
        ({"state": "running"}, ""),
        (None, ""),
        ("?", ""),
    ],
)
def test_what_an_engine_may_say(answer: Any, state: str) -> None:
    world = World()
    world.take_engine(answer)
    assert world.demo_state == state and world.engine_known


async def test_a_demo_that_is_being_made_says_so_and_then_shows_its_servers() -> None:
    client = FakeClient(0)
    client.clouds, client.demo = [], demo("starting")
    async with console(client) as (app, pilot):
        await until_text(pilot, "the demo cloud is being made", "its services start")
        assert "clouds.yaml" not in text(app) and app.pane.view.kind == "list"
        client.collections = [collection("demo")]
        client.change({"topic": "collection", "id": "01"})
        await until_text(pilot, "the demo cloud is being made", "4,200 rows")
        client.rows, client.demo, client.clouds, client.collections = 50, demo("past"), [cloud("demo", 50)], []
        client.change({"topic": "engine"}, {"topic": "data", "type": "server", "cloud": "demo", "version": 2})
        await until_text(pilot, "0000003-batch", "collecting its past: 3 of 30 days")
        client.demo = demo("ready")
        client.change({"topic": "engine"})
        await until_gone(pilot, "collecting its past")
        assert app.pane.view.kind == "list" and not app.touched


async def test_a_demo_that_failed_says_why() -> None:
    client = FakeClient(0)
    client.clouds, client.demo = [], demo("failed", "its services ended with 1: no space left on device")
    async with console(client) as (app, pilot):
        await until_text(pilot, "the demo cloud can't be made", "no space left on device", "engine logs")
        assert "clouds.yaml" not in text(app)


async def test_an_engine_that_does_not_tell_about_itself_is_no_demo() -> None:
    client = FakeClient(0)
    client.clouds = []
    client.fail_path["/q/engine"] = ApiError(403, "you may not see the engine")
    async with console(client) as (_, pilot):
        await until_text(pilot, "No cloud is set up")


async def test_what_was_said_about_the_start_goes_when_the_engine_answers() -> None:
    client = FakeClient(20)

    async def connect() -> FakeClient:
        await asyncio.to_thread(app.starting, "starting the demo's engine ...")
        return client

    app = QuarterdeckApp(connect, "servers")
    async with app.run_test(size=(80, 24)) as pilot:
        await until_text(pilot, "0000003-batch")
        await until(pilot, lambda: "starting" not in lines(app)[1], "the sentence about the start gone")


async def test_a_screen_that_grows_again_tells_everything_about_the_row() -> None:
    async with console(FakeClient(20), size=(20, 5)) as (_, pilot):
        await pilot.resize_terminal(80, 24)
        await until_text(pilot, "volumes 3 · ports 2")


def test_a_collection_that_knows_no_types_yet_has_no_empty_numbers() -> None:
    assert progress_text({"cloud": "demo", "types": []}).startswith("collecting demo: signing in")
