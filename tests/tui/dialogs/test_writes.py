"""Read-only mode on screen: the words, the clock, lifting it and ending it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store.types.actions import ACTIONS
from tests.tui.fake import cloud
from tests.tui.fakes import GateClient, stamp
from tests.tui.screen import console, lines, text, until, until_text
from tui.api.errors import ApiError
from tui.showing import writing
from tui.targets import Targets, reason_against, writable_words

NOW = datetime.now(UTC)


def told(writable: bool, seconds: float | None = None, name: str = "a") -> dict[str, Any]:
    """A cloud as the engine tells it."""
    until = (NOW + timedelta(seconds=seconds)).isoformat() if seconds is not None else None
    return {"name": name, "writable": writable, "writable_until": until}


@pytest.mark.parametrize(
    ("clouds", "words"),
    [
        ([told(False)], "READ-ONLY"),
        ([told(True)], "writable"),
        ([told(True, 2500)], "writable 41m left"),
        ([told(True, 75)], "writable 1m15s left"),
        ([told(True, 9)], "writable 9s left"),
        ([told(True, 0)], "READ-ONLY"),
        ([told(True, -5)], "READ-ONLY"),  # over, though the engine has not said so yet
        ([told(True), told(False)], "PARTLY WRITABLE"),
        ([told(True, 600), told(True, 30)], "writable 30s left"),
    ],
)
def test_the_write_state_is_words_with_the_time_left(clouds: list[dict[str, Any]], words: str) -> None:
    assert writing(clouds, NOW)[0] == words
    if len(clouds) == 1:
        assert writable_words(clouds[0], NOW) == words.removesuffix(" left")


SERVER = Targets("server", {"keys": [["a", "", "1"]]}, 1, ("a",), "web", {"status": "SHUTOFF", "locked": True})
MANY = Targets("server", {"keys": []}, 3, ("a",))


@pytest.mark.parametrize(
    ("action", "targets", "clouds", "role", "said"),
    [
        ("server.start", SERVER, [told(True)], "admin", ""),
        ("server.stop", SERVER, [told(True)], "admin", "it is SHUTOFF already"),
        ("server.lock", SERVER, [told(True)], "", "it is locked already"),
        ("server.stop", MANY, [told(True)], "", ""),
        ("server.stop", MANY, [told(False)], "", "a is READ-ONLY"),
        ("server.stop", MANY, [told(False), told(False, name="b")], "", "a, b are READ-ONLY"),
        ("server.start", SERVER, [told(True)], "operator", "your role is operator"),
        ("server.start", None, [], "", "there is no row"),
        ("network.create", None, [told(False), told(True, name="b")], "", ""),
        ("network.create", None, [told(False)], "", "a is READ-ONLY"),
        ("server.start", Targets("server", {}, 1, ("a",), past=True), [told(True)], "", "this is the past"),
    ],
)
def test_why_an_action_is_not_possible(action: str, targets: Any, clouds: Any, role: str, said: str) -> None:
    found = reason_against(ACTIONS[action], targets, clouds, role)
    assert found.startswith(said) and bool(found) == bool(said)


async def test_read_only_is_lifted_from_the_page_of_clouds() -> None:
    client = GateClient(writable=False)
    client.rules |= {"production": True, "reason_required": True}
    async with console(client, "servers") as (app, pilot):
        assert "READ-ONLY" in lines(app)[0]
        await pilot.press("0", "c", "W")
        await until_text(pilot, "Lift read-only", "it is READ-ONLY already")
        await pilot.press("W")
        await until_text(pilot, "PRODUCTION cloud", "Minutes", "[60")
        await pilot.press("backspace", "backspace", *"30", "tab", "tab")
        app.take_paste("prod-eu")  # refused
        await pilot.press("tab", "enter")
        await until_text(pilot, "Reason is required")
        await pilot.press(*"patching", "tab", "enter")
        assert not client.writes
        await pilot.press(*"prod-eu", "enter")
        await until(pilot, lambda: app.dialog is None)
        body = client.asked("POST", "/q/writes/prod-eu")
        assert body == [{"minutes": 30, "reason": "patching", "typed": "prod-eu"}]
        await until_text(pilot, "writable 29m left", "prod-eu is writable until")
        await pilot.press("x", "o")  # the same menu; back to read-only at once
        await until(pilot, lambda: client.asked("DELETE", "/q/writes/prod-eu"))
        await until(pilot, lambda: "READ-ONLY" in lines(app)[0])


async def test_the_command_lifts_and_ends() -> None:
    client = GateClient(writable=False)
    async with console(client) as (app, pilot):
        await pilot.press("colon", *"readonly off 15", "enter")
        await until_text(pilot, "lift read-only of prod-eu", "[15")
        client.refusal["/q/writes/prod-eu"] = ApiError(403, "your role may not lift it")
        await pilot.press("tab", "tab", "enter")
        await until_text(pilot, "your role may not lift it")
        await pilot.press("escape", "colon", *"readonly on", "enter")
        await until_text(pilot, "prod-eu is READ-ONLY")
        for wrong, said in (("off 9999", "1 to 1440 minutes"), ("off 5 nope", "there is no cloud nope")):
            await pilot.press("colon", *f"readonly {wrong}", "enter")
            await until_text(pilot, said)
        client.clouds.append(cloud("b", 1))
        await app.learn_clouds()
        await pilot.press("colon", *"readonly off", "enter")
        await until_text(pilot, "there are several clouds")


async def test_the_menu_leads_to_lifting() -> None:
    client = GateClient(writable=False)
    async with console(client) as (app, pilot):
        await pilot.press("x")
        await until_text(pilot, "prod-eu is READ-ONLY", "Lift read-only of prod-eu")
        await pilot.press("o")
        await until_text(pilot, "Stop: prod-eu is READ-ONLY")
        await pilot.press("W")
        await until_text(pilot, "Minutes*", "[60")
        assert not client.writes and app.dialog is not None
        await pilot.press("1", "5")  # in place of what was offered
        await until_text(pilot, "[15 ")
        await pilot.press("tab", *"patching", "enter")
        await until_text(pilot, "actions   0000000-web", "Shut the guest down")
        assert client.asked("POST", "/q/writes/prod-eu")[0]["minutes"] == 15
        await pilot.press("o")  # the reason was given already
        await until_text(pilot, "tab fields", "reason [patching")


async def test_the_clock_runs_on_by_itself_and_ends() -> None:
    client = GateClient()
    client.clouds[0]["writable_until"] = stamp(3.5)
    async with console(client) as (app, pilot):
        app.tick()
        assert "s left" in lines(app)[0]
        await until(pilot, lambda: (app.tick(), "READ-ONLY" in lines(app)[0])[1], "read-only again")
        assert "PARTLY" not in text(app)
