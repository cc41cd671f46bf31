"""Links to what no collection reads: the cloud is asked first, then the stored list is shown."""

from typing import Any

import pytest

from store.types import registry
from tests.tui.fake import FakeClient
from tests.tui.screen import console, lines, text, until, until_gone, until_text
from tui.api.errors import ApiError
from tui.api.http import is_safe
from tui.ondemand import question
from tui.state import View

ON_DEMAND = "/q/collections/on-demand"
LINK = {"type": "cinder_message", "title": "messages", "filter": "resource_id:=1", "count": 0, "on_demand": True}


def client_with_link() -> FakeClient:
    """Every resource has a link that is read on demand."""
    client = FakeClient(5)
    client.links = [dict(LINK)]
    return client


async def open_link(app: Any, pilot: Any) -> None:
    """To the link in the view of the first server, and into it."""
    await pilot.press("enter")
    await until_text(pilot, "→ messages", "read from the cloud when opened")
    await pilot.press("j", "j")
    await until(pilot, lambda: app.table.current.key[:2] == ("link", "cinder_message"))
    await pilot.press("enter")


async def test_the_cloud_is_asked_before_the_list_is_shown() -> None:
    client = client_with_link()
    async with console(client) as (app, pilot):
        await until_text(pilot, "· messages")  # in the strip, without a number
        assert "messages 0" not in text(app)
        key = app.table.current.key
        await open_link(app, pilot)
        await until(pilot, lambda: app.pane.view.type == "cinder_message")
        wanted = {"type": "cinder_message", "resource_id": key[2], "cloud": key[0], "region": key[1]}
        assert client.asked("POST", ON_DEMAND) == [wanted]
        assert app.pane.view.filter == "resource_id:=1"
        await until_gone(pilot, "asking the cloud")


async def test_while_the_cloud_is_asked_the_console_goes_on() -> None:
    client = client_with_link()
    async with console(client) as (app, pilot):
        await until_text(pilot, "· messages")
        await pilot.press("enter")
        await until_text(pilot, "→ messages")
        client.answering.clear()
        await pilot.press("j", "j", "enter", "enter")
        await until_text(pilot, "asking the cloud ...")
        await pilot.press("escape")  # changed my mind
        client.answering.set()
        await until(pilot, lambda: app.asking is None)
        await until_gone(pilot, "asking the cloud")
        assert app.pane.view.type == "server"
        assert len(client.asked("POST", ON_DEMAND)) == 1


async def test_a_cloud_that_does_not_tell_leaves_what_is_stored_and_says_why() -> None:
    client = client_with_link()
    client.fail_path[ON_DEMAND] = ApiError(504, "prod-eu did not answer within 20 s")
    async with console(client) as (app, pilot):
        await open_link(app, pilot)
        await until_text(pilot, "prod-eu did not answer within 20 s")
        assert app.pane.view.type == "cinder_message"
        assert "did not answer" in lines(app)[1]


async def test_refresh_asks_the_cloud_again() -> None:
    client = FakeClient(5)
    async with console(client, "messages /resource_id:=v1 cloud:=prod-eu") as (app, pilot):
        await pilot.press("r")
        await until(pilot, lambda: client.asked("POST", ON_DEMAND))
        wanted = {"type": "cinder_message", "resource_id": "v1", "cloud": "prod-eu"}
        assert client.asked("POST", ON_DEMAND) == [wanted]
        await until_gone(pilot, "asking the cloud")
        app.change_view(View("list", "cinder_message"), keep_row=False)
        await pilot.press("r")
        await until(pilot, lambda: "read for one resource" in lines(app)[1])
        assert client.asked("POST", ON_DEMAND) == [wanted]
        assert not client.asked("POST", "/q/collections")


@pytest.mark.parametrize(
    "text", ["", "resource_id:v1", "resource_id:=v1,=v2", "resource_id:=v1 or resource_id:=v2", "("]
)
def test_a_filter_that_names_no_one_resource_is_no_question(text: str) -> None:
    assert question(registry.ALL["cinder_message"], text) is None


async def test_the_whole_list_says_how_to_get_there() -> None:
    async with console(FakeClient(5), "cinder_messages") as (_, pilot):
        await until_text(pilot, "cinder messages are read for one resource", "volumes", "its link")


def test_asking_twice_is_harmless() -> None:
    assert is_safe("POST", ON_DEMAND) and not is_safe("POST", "/q/collections")
