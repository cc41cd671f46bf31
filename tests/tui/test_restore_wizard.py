"""The restore wizard: from the machine under the cursor to a running job in few keys, and what can be chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from tests.tui.restore_fake import DATA, NETWORK, PHRASE, ROOT, WAYS, RestoreClient, hostile, machine, way
from tests.tui.screen import console, text, until, until_text
from tui.api.errors import ApiError, EngineUnavailable
from tui.console import QuarterdeckApp
from tui.panes.resources import resource_path
from tui.state import View

WIDE = (160, 45)
PLANS = "/q/restore/plans"


async def started(app: QuarterdeckApp, pilot: Pilot) -> Any:
    """The wizard's first page."""
    await pilot.press("R")
    await until_text(pilot, "RESTORE prod-eu")
    return app.dialog.page


async def reviewed(app: QuarterdeckApp, pilot: Pilot, way: str) -> Any:
    """The review of a way's plan."""
    await started(app, pilot)
    await pilot.press(str(WAYS.index(way) + 1), "enter", "enter")
    await until(pilot, lambda: hasattr(app.dialog.page, "plan"))
    return app.dialog.page


@pytest.mark.parametrize("name", ["NEW", "IN_PLACE", "DISK_BESIDE"])
async def test_at_most_twelve_keys_with_the_defaults_accepted(name: str) -> None:
    client = RestoreClient()
    for one in client.start["ways"]:
        one["first"] = one["way"] == name
    pressed = 0
    async with console(client) as (app, pilot):

        async def press(key: str) -> None:
            nonlocal pressed
            pressed += 1
            await pilot.press(key)

        await press("R")
        await until_text(pilot, "RESTORE prod-eu")
        await press("enter")
        await press("enter")
        await until_text(pilot, "plan expires")
        for _ in range(4):  # the plan, its reason, its ticket, the button
            await press("enter")
        await until(pilot, lambda: app.pane.view == View("restore", subject=("restore-118",)))
        await until_text(pilot, "WAIT_VOLUME_AVAILABLE")
    assert pressed == 7 <= 12
    assert client.asked("POST", PLANS)[0]["way"] == name
    assert client.asked("POST", f"{PLANS}/plan-1/execute") == [{"reason": "", "ticket": "", "typed": "", "hash": "h1"}]


async def test_replace_is_those_keys_and_the_phrase_that_nothing_types_but_fingers() -> None:
    client = RestoreClient()
    async with console(client) as (app, pilot):
        page = await reviewed(app, pilot, "REPLACE")
        keys = 4
        await until_text(pilot, f"To go on type:  {PHRASE}")
        await pilot.press("enter", "enter", "enter")
        keys += 3
        field = page.focus
        assert field.value() is None  # nothing is filled in
        app.post_message(events.Paste(PHRASE))
        await until_text(pilot, "what is pasted was not read")
        assert field.value() is None
        await pilot.press("tab", "shift+tab", "down", "up")
        assert field.value() is None  # nor completed
        await pilot.press(*PHRASE[:-1])
        await pilot.press("enter", "enter")
        await until_text(pilot, "is not the phrase asked for")
        assert not client.asked("POST", f"{PLANS}/plan-1/execute")
        await pilot.press(PHRASE[-1], "enter", "enter")
        keys += 2
        await until(pilot, lambda: app.pane.view.kind == "restore")
    assert keys <= 12
    assert client.asked("POST", f"{PLANS}/plan-1/execute")[0]["typed"] == PHRASE
    assert client.asked("POST", PLANS)[0]["ip_strategy"] == "SAME_IPS_OR_FAIL"


async def test_an_enter_too_many_while_the_plan_is_made_does_nothing() -> None:
    client = RestoreClient()
    async with console(client) as (app, pilot):
        await started(app, pilot)
        client.answering.clear()
        await pilot.press("enter", "enter", "enter", "enter")
        await until_text(pilot, "making the plan")
        client.answering.set()
        await until_text(pilot, "plan expires")
        assert app.dialog.page.focus == "body"


async def test_what_is_against_it_stands_first_with_its_command() -> None:
    client = RestoreClient()
    client.start["findings"] = [
        {"level": "ok", "text": "attachments agree", "command": ""},
        {"level": "problem", "text": "its host cmp-02 is down: evacuation keeps the data",
         "command": "openstack server evacuate x"},
    ]  # fmt: skip
    client.start["ways"][4] |= {"possible": False, "why": "the host must be fenced first"}
    async with console(client) as (app, pilot):
        await started(app, pilot)
        await until_text(pilot, "✖ its host cmp-02 is down", "$ openstack server evacuate x")
        assert "attachments agree" not in text(app)
        await pilot.press("d")
        await until_text(pilot, "attachments agree")
        await pilot.press("5", "enter")
        await until_text(pilot, "REPLACE: the host must be fenced first")
        assert not client.asked("POST", PLANS)


async def test_nothing_against_it_takes_one_line_and_no_key() -> None:
    async with console(RestoreClient()) as (app, pilot):
        page = await started(app, pilot)
        assert "● nothing is against a restore: its host is up" in text(app)
        assert page.way == "NEW"  # preselected: the first that fits


async def test_the_point_is_chosen_on_the_timeline() -> None:
    client = RestoreClient()
    async with console(client) as (app, pilot):
        await started(app, pilot)
        line = next(line for line in text(app).split("\n") if line.startswith("── now"))
        assert line.count("◆") == 1
        assert line.count("■") == 1  # the backup
        assert line.count("●") == 2
        assert line.index("◆") < line.index("■") < line.rindex("●")
        await until_text(pilot, "16h05m", "BACKUP", "all 2 disks", "1 of 2, without data1")
        await pilot.press("enter", "j", "j", "enter")
        await until_text(pilot, "plan expires")
    assert client.asked("POST", PLANS)[0]["restore_point_id"] == "point-64"


async def test_a_way_of_one_disk_takes_the_newest_point_that_has_it() -> None:
    client = RestoreClient()
    client.start["points"][0] |= {"volumes": [ROOT], "missing": [DATA]}
    async with console(client) as (app, pilot):
        page = await started(app, pilot)
        await pilot.press("1")
        assert page.disk_id == DATA
        assert page.point["id"] == "point-40"
        await until_text(pilot, "LOST: what was written to data1 in the last 40h05m")
        await pilot.press("enter", "k", "enter")
        await until_text(pilot, "this point does not have data1")
        await pilot.press("v", "enter")
        await until(pilot, lambda: client.asked("POST", PLANS))
    assert client.asked("POST", PLANS)[0] | {"project_id": ""} == {
        "cloud": "prod-eu", "region": "eu-1", "server_id": client.asked("POST", PLANS)[0]["server_id"],
        "way": "DATA_VOLUME_BACK", "project_id": "", "restore_point_id": "point-16", "volume_id": ROOT,
    }  # fmt: skip


async def test_without_a_point_there_is_nothing_to_plan() -> None:
    client = RestoreClient()
    client.start["points"] = []
    async with console(client) as (app, pilot):
        await started(app, pilot)
        await pilot.press("enter", "enter")
        await until_text(pilot, "there is nothing to go back to")
        assert not client.asked("POST", PLANS)


async def test_volumes_are_chosen_with_a_key_and_planned_at_once() -> None:
    client = RestoreClient()
    async with console(client, size=WIDE) as (app, pilot):
        page = await reviewed(app, pilot, "REPLACE")
        await until_text(
            pilot,
            "keep current",
            "LOST: 16h05m of root",
            "parks     the old machine: shelved, renamed and locked for 7 days",
        )
        await pilot.press("j", "space")
        await until(pilot, lambda: page.request["disks"] == {DATA: "leave_out"} and not page.planning)
        await until_text(pilot, "LEFT OUT")
        await pilot.press("m")
        await until_text(pilot, "restore points of data1")
        await pilot.press("j", "enter")
        await until(pilot, lambda: page.request["disks"] == {DATA: "point:point-40"} and not page.planning)
        assert app.dialog.page is page


async def test_addresses_change_by_strategy_or_are_picked_from_those_known_to_be_free() -> None:
    client = RestoreClient()
    async with console(client, size=WIDE) as (app, pilot):
        page = await reviewed(app, pilot, "NEW")
        await until_text(pilot, "addresses: new addresses")
        await pilot.press("s")
        await until_text(pilot, "addresses: the same, else new ones", "MAC kept")
        await pilot.press("j", "j", "i")
        await until_text(pilot, "free addresses of acme-net", "10.20.0.50")
        await pilot.press(*"0.99", "enter")
        await until_text(pilot, "that is no address")
        await pilot.press(*["backspace"] * 4, *"10.20.0.99", "enter")
        await until_text(pilot, "10.20.0.99 is not known to be free")
        await pilot.press(*["backspace"] * 2, *"51", "enter")
        await until_text(pilot, "→ 10.20.0.51")
        assert page.request["ip_strategy"] == "MANUAL_IP"
        assert page.request["manual_ips"] == {NETWORK: "10.20.0.51"}


async def test_unknown_is_said_of_addresses_that_nobody_may_see() -> None:
    client = RestoreClient()
    client.free |= {"known": False, "why": "the session may not see the ports of others", "subnets": []}
    async with console(client, size=WIDE) as (app, pilot):
        page = await reviewed(app, pilot, "NEW")
        await pilot.press("j", "j", "i")
        await until_text(pilot, "unknown what is free")
        await pilot.press(*"10.20.0.7", "enter")
        await until(pilot, lambda: page.request.get("manual_ips") == {NETWORK: "10.20.0.7"})


async def test_a_plan_that_is_not_eligible_says_why_and_what_to_run() -> None:
    client = RestoreClient()
    client.more = {"eligible": False, "problems": ["the engine has no role in acme-prod"], "access": "none",
                   "access_command": "openstack role add --user ops --project p1 member"}  # fmt: skip
    async with console(client, size=WIDE) as (app, pilot):
        await reviewed(app, pilot, "NEW")
        await until_text(pilot, "✖ the engine has no role in acme-prod", "$ openstack role add --user ops")
        await until_text(pilot, "( ) REPLACE", "w other")  # which ways fit
        await pilot.press(*["enter"] * 4)
        await pilot.pause()
        assert not client.asked("POST", f"{PLANS}/plan-1/execute")
        await pilot.press("w")
        await until_text(pilot, "nothing is against a restore")


async def test_differences_that_were_found_live_must_be_planned_again() -> None:
    client = RestoreClient()
    refusal = ApiError(409, "what the plan relies on has changed", fields={"differences": ["status ACTIVE, was ERROR"]})
    client.refusals[f"{PLANS}/plan-1/execute"] = refusal
    async with console(client) as (app, pilot):
        await reviewed(app, pilot, "NEW")
        await pilot.press(*["enter"] * 4)
        await until_text(pilot, "≠ status ACTIVE, was ERROR", "p plans again")
        await pilot.press("p")
        await until(pilot, lambda: len(client.plans) == 2)
        await until_text(pilot, "plan expires")
        assert "≠" not in text(app)


async def test_an_expired_plan_is_not_sent() -> None:
    client = RestoreClient()
    client.more = {"expires_at": "2020-01-01T00:00:00Z"}
    async with console(client) as (app, pilot):
        await reviewed(app, pilot, "NEW")
        await until_text(pilot, "EXPIRED: p plans again")
        await pilot.press(*["enter"] * 4)
        await until_text(pilot, "the plan can't be carried out any more")
        assert not client.asked("POST", f"{PLANS}/plan-1/execute")


async def test_a_lost_line_does_not_send_twice_and_says_where_to_look() -> None:
    client = RestoreClient()
    client.refusals[f"{PLANS}/plan-1/execute"] = EngineUnavailable("the engine does not answer")  # type: ignore[assignment]
    async with console(client) as (app, pilot):
        await reviewed(app, pilot, "NEW")
        await pilot.press(*["enter"] * 4)
        await until_text(pilot, "4 shows whether the job began")
        await pilot.press("tab", "tab", "tab", "enter")
        await until_text(pilot, "can't be carried out any more")
    assert len(client.asked("POST", f"{PLANS}/plan-1/execute")) == 1


@pytest.mark.parametrize("error", [ApiError(404, "there is no such path"), EngineUnavailable("no engine answers")])
async def test_without_an_engine_that_restores_a_sentence_says_so(error: Exception) -> None:
    client = RestoreClient()
    client.refusals["/q/restore/start"] = error  # type: ignore[assignment]
    async with console(client) as (app, pilot):
        await pilot.press("R")
        await until_text(pilot, "can't be restored from here")
        await pilot.press("enter")
        assert app.dialog is None


async def test_a_refused_plan_is_said_on_the_page_it_was_asked_from() -> None:
    client = RestoreClient()
    client.refusals[PLANS] = ApiError(403, "your role may not restore")
    async with console(client) as (app, pilot):
        page = await started(app, pilot)
        await pilot.press("enter", "enter")
        await until_text(pilot, "your role may not restore")
        assert app.dialog.page is page


async def test_reason_and_ticket_are_asked_for_where_the_cloud_wants_them() -> None:
    client = RestoreClient()
    client.requires = {"reason": True, "ticket": True, "ticket_pattern": "CHG-[0-9]+"}
    async with console(client) as (app, pilot):
        await reviewed(app, pilot, "NEW")
        await pilot.press("enter", "enter", "enter", "enter")
        await until_text(pilot, "reason is required")
        await pilot.press(*"patch", "enter", *"20411", "enter", "enter")
        await until_text(pilot, "ticket must match CHG-[0-9]+")
        await pilot.press(*["backspace"] * 5, *"CHG-20411", "enter", "enter")
        await until(pilot, lambda: app.pane.view.kind == "restore")
    (body,) = client.asked("POST", f"{PLANS}/plan-1/execute")
    assert (body["reason"], body["ticket"]) == ("patch", "CHG-20411")


async def test_details_dry_run_and_the_plan_as_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    client = RestoreClient()
    async with console(client, size=WIDE) as (app, pilot):
        page = await reviewed(app, pilot, "REPLACE")
        await pilot.press("d")
        await until_text(pilot, "will differ", "user_id = ops", "if it fails or is cancelled before PROVE_IT_ANSWERS")
        await pilot.press("y")
        await until_text(pilot, "POST /servers with 1 volume and 1 port")
        await pilot.press("y", "E", "m")
        await until_text(pilot, "saved in")
        await pilot.press("E", "j")
        await until(pilot, lambda: (tmp_path / "qdeck-restore-plan-1.json").exists())
        assert app.dialog.page is page
    said = (tmp_path / "qdeck-restore-plan-1.md").read_text()
    assert said.startswith("# Restore of prod-eu/eu-1 · acme-prod · db-primary")
    assert "## Will be lost\n\n- 16h05m of root, 0 of data1" in said
    assert "CREATE\\_SERVER" in said


async def test_more_can_be_chosen_and_is_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    client = RestoreClient()
    async with console(client, size=WIDE) as (app, pilot):
        page = await reviewed(app, pilot, "NEW")
        await pilot.press("o")
        await until_text(pilot, "New name", "User data", "Pin the zone", "Answers on port")
        await pilot.press(*["backspace"] * 30, *"db-2", "enter", "enter", "enter", *"22", "enter")
        await until(pilot, lambda: page.request.get("new_name") == "db-2")
        assert page.request["prove"] == {"tcp_port": 22}
        assert "user_data" not in page.request  # what nobody changed stays the engine's to decide


async def test_escape_goes_back_a_step_and_then_leaves_with_nothing_done() -> None:
    client = RestoreClient()
    async with console(client) as (app, pilot):
        await reviewed(app, pilot, "NEW")
        await pilot.press("escape")
        await until_text(pilot, "nothing is against a restore")
        await pilot.press("escape", "escape")
        assert app.dialog is None
    assert [path for _, path in client.writes] == [PLANS]


async def test_from_a_list_of_points_it_begins_at_the_one_under_the_cursor() -> None:
    client = RestoreClient()
    taken = {
        "cloud": "prod-eu",
        "region": "eu-1",
        "kind": "snapshot",
        "volume_id": ROOT,
        "taken_at": "2026-11-01T00:00:00Z",
    }
    client.answers["/q/snapshot/points"] = {
        "total": 2,
        "items": [{**taken, "id": "point-16"}, {**taken, "id": "point-40"}],
    }
    async with console(client) as (app, pilot):
        app.open_view(View("points", "server", subject=tuple(machine()["key"])))
        await until(pilot, lambda: app.pane.view.kind == "points" and len(app.table.buffer.rows) == 2)
        await pilot.press("j", "R")
        await until_text(pilot, "RESTORE prod-eu")
        assert app.dialog.page.point["id"] == "point-40"
    assert client.asked("GET", "/q/restore/start")[0]["id"] == machine()["key"][2]


@pytest.mark.parametrize("server", [machine()["key"][2], None])
async def test_of_a_volume_it_is_the_machine_that_has_it_with_this_disk_chosen(server: str | None) -> None:
    client = RestoreClient()
    key = ("prod-eu", "eu-1", DATA)
    client.answers[resource_path("volume", key)] = {
        "row": {"server_id": server, "name": "data1"},
        "raw": {},
        "links": [],
    }
    async with console(client) as (app, pilot):
        app.open_view(View("points", "volume", subject=key))
        await until(pilot, lambda: app.pane.view.kind == "points" and app.table.loaded)
        await pilot.press("R")
        if server is None:
            await until_text(pilot, "this volume is attached to no machine")
            assert app.dialog is None
            return
        await until_text(pilot, "RESTORE prod-eu")
        await pilot.press("1")
        assert app.dialog.page.disk_id == DATA
    assert client.asked("GET", "/q/restore/start") == [{"cloud": "prod-eu", "region": "eu-1", "id": server}]


async def test_where_there_is_no_machine_a_line_says_so() -> None:
    client = RestoreClient()
    async with console(client) as (app, pilot):
        app.open_view(View("list", "flavor"))
        await until(pilot, lambda: app.pane.view.type == "flavor" and app.table.loaded)
        await pilot.press("R")
        await until_text(pilot, "a restore is of a machine")
        assert app.dialog is None


async def test_names_from_clouds_stay_text() -> None:
    client = RestoreClient()
    hostile(client)
    async with console(client, size=WIDE) as (app, pilot):
        await pilot.press("R")
        await until_text(pilot, "[red]=1+1")
        assert not set(text(app)) & set("\x1b\x07\u202e")
        await pilot.press("4", "enter", "enter")
        await until_text(pilot, "plan expires")
        for key in ("d", "y", "y"):
            assert not set(text(app)) & set("\x1b\x07\u202e")
            await pilot.press(key)


@pytest.mark.parametrize("answer", [{}, {"ways": None, "points": 7, "machine": None}, {"ways": [way("NEW")]}])
async def test_an_answer_that_says_little_breaks_nothing(answer: dict[str, Any]) -> None:
    client = RestoreClient()
    client.start = answer
    async with console(client) as (_, pilot):
        await pilot.press("R")
        await until_text(pilot, "RESTORE")
        await pilot.press("enter", "j", "v", "d", "tab", "j", "k", "9", "1", "enter")
        assert not client.asked("POST", PLANS)


async def test_of_a_deleted_machine_it_is_said_what_is_lost() -> None:
    client = RestoreClient()
    client.start["machine"] |= {"gone": True, "status": "DELETED"}
    for one in client.start["ways"]:
        one["possible"] = one["way"] in ("NEW", "DISK_BESIDE")
    client.more = {"lost": ["the root disk: what was written in the last 16 h"]}
    async with console(client, size=WIDE) as (app, pilot):
        app.open_view(View("history", "server", subject=tuple(machine()["key"])))
        await until(pilot, lambda: app.pane.view.kind == "history")
        await pilot.press("R")
        await until_text(pilot, "── gone ──", "LOST: what was written after this point, 16h05m ago")
        await pilot.press("enter", "enter")
        await until_text(pilot, "LOST: the root disk: what was written in the last 16 h")
