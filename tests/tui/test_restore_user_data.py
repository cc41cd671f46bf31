"""Where user data can be passed on its first lines are shown when somebody wants that, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.fakes import HOSTILE
from tests.tui.restore_fake import RestoreClient
from tests.tui.screen import console, text, until, until_text
from tests.tui.test_restore_wizard import PLANS, WIDE, reviewed
from tui.api.errors import ApiError
from tui.console import QuarterdeckApp
from tui.dialogs.restore_user_data import UserDataField

PATH = "/q/restore/user-data"


async def more(app: QuarterdeckApp, pilot: Pilot, client: RestoreClient) -> Any:
    """The form of what else can be chosen, at the user data."""
    page = await reviewed(app, pilot, "NEW")
    await pilot.press("o", "enter")
    await until_text(pilot, "cloud-init runs them AGAIN")
    assert client.asked("GET", PATH) == [], "nobody asked to see it"
    return page


def _saved(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.iterdir())


async def test_the_tick_shows_its_first_lines_and_the_form_takes_them_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    client = RestoreClient()
    async with console(client, size=WIDE) as (app, pilot):
        page = await more(app, pilot, client)
        await pilot.press("y")
        await until_text(
            pilot, "120 bytes, sha256 abababababab, the first lines:", "│ #cloud-config", "│ password: hunter2"
        )
        asked = {"cloud": page.request["cloud"], "region": page.request["region"], "id": page.request["server_id"]}
        assert client.asked("GET", PATH) == [asked] and asked["id"]
        await pilot.press("n")
        assert "hunter2" not in text(app)
        await pilot.press("y")
        await until_text(pilot, "hunter2")
        await pilot.press("enter")
        await until_text(pilot, "Pin the zone")
        assert "hunter2" not in text(app), "only while somebody is at that field"
        await pilot.press(*["enter"] * (len(app.dialog.page.fields) - 2))  # past the rest of the fields
        await until(pilot, lambda: page.request.get("user_data") is True)
        await until_text(pilot, "plan expires")
        for key in ("d", "y", "y"):
            await pilot.press(key)
            assert "hunter2" not in text(app)
        await pilot.press("E", "m", "E", "j")
        await until(pilot, lambda: "# Restore of" in _saved(tmp_path) and '"plan-2"' in _saved(tmp_path))
        await pilot.press("o", "enter")
        await until_text(pilot, "y shows its first lines")
        assert "hunter2" not in text(app) and len(client.asked("GET", PATH)) == 2, "a new form knows nothing"
    assert client.asked("POST", PLANS)[-1]["user_data"] is True
    assert "hunter2" not in _saved(tmp_path)


TOLD = [
    ({"kind": "binary or compressed", "lines": []}, "120 bytes, sha256 abababababab: binary or compressed, not shown"),
    ({"kind": "none", "lines": [], "bytes": 0, "sha256": ""}, "it has no user data any more"),
    ({"more": False}, "sha256 abababababab:"),
]


@pytest.mark.parametrize(("answer", "said"), TOLD)
async def test_what_there_is_is_said(answer: dict[str, Any], said: str) -> None:
    client = RestoreClient()
    client.user_data |= answer
    async with console(client, size=WIDE) as (app, pilot):
        await more(app, pilot, client)
        await pilot.press("y")
        await until_text(pilot, said)


async def test_what_can_not_be_shown_is_said_and_asked_again_with_the_next_tick() -> None:
    client = RestoreClient()
    client.refusals[PATH] = ApiError(409, "no account may read it: only administrators are told")
    async with console(client, size=WIDE) as (app, pilot):
        await more(app, pilot, client)
        await pilot.press("y")
        await until_text(pilot, "not shown: no account may read it")
        del client.refusals[PATH]
        await pilot.press("n", "y")
        await until_text(pilot, "hunter2")


async def test_an_answer_that_comes_after_no_was_chosen_is_forgotten() -> None:
    field = UserDataField("User data", "", False, lambda field: None)
    field.take_key("y", "y")
    field.take_key("n", "n")
    field.tell({"kind": "text", "lines": ["password: hunter2"], "bytes": 1})
    assert field.below(80) == []
    field.take_key("y", "y")
    assert "hunter2" not in str(field.below(80)) and "reading" in str(field.below(80))


async def test_hostile_lines_do_nothing_to_the_screen() -> None:
    client = RestoreClient()
    client.user_data |= {"lines": [HOSTILE] * 12, "kind": "text", "sha256": HOSTILE}
    async with console(client, size=(80, 24)) as (app, pilot):
        await more(app, pilot, client)
        await pilot.press("y")
        await until_text(pilot, "│ ")
        assert "\x1b" not in text(app) and "User data" in text(app)
