"""Rules of drift, ignores and maintenance windows on screen."""

from __future__ import annotations

from tests.tui.drift_fake import DriftClient
from tests.tui.screen import console, until, until_text
from tui.api.errors import ApiError
from tui.state import View


async def test_rules_are_switched_and_made_worse() -> None:
    client = DriftClient()
    async with console(client, size=(120, 30)) as (app, pilot):
        await pilot.press("colon", *"drift-rules", "enter")
        await until_text(pilot, "Rule 1", "as shipped")
        await pilot.press("space")
        await until_text(pilot, "rule 1 Rule 1 is off: it opens no events")
        assert client.rules[1]["enabled"] is False
        await pilot.press("e", "enter")
        await until_text(pilot, "write one of critical, warning, info, default")
        await pilot.press("tab", "enter")
        await until_text(pilot, "critical, shipped as warning")
        assert client.rules[1]["severity"] == "critical"
        await pilot.press("e", "d", "enter")
        await until_text(pilot, "warning, as shipped")
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view == View("drift", filter="rule_id:=1"))
        await until_text(pilot, "1 match")


async def test_events_like_one_are_ignored_and_told_again() -> None:
    client = DriftClient()
    async with console(client, size=(120, 40)) as (_, pilot):
        await pilot.press("2")
        await until_text(pilot, "web-1")
        await pilot.press("plus")
        await until_text(pilot, "Ignore drift", "[web-1", "< server", "[acme-prod")
        await pilot.press(*["backspace"] * 1, "asterisk", *["tab"] * 7, *"test machines", "tab", *"2d", "enter")
        await until_text(pilot, "ignored: name web-*, project acme-prod, type server, rule 1")
        (body,) = client.asked("POST", "/q/drift/ignores")
        assert body.pop("until").endswith("Z")
        assert body == {"name": "web-*", "type": "server", "rule": 1, "project": "acme-prod", "reason": "test machines"}
        await pilot.press("tab", "tab")
        await until_text(pilot, "ignored drift 1", "name web-*", "test machines", "hides 2 events")
        await pilot.press("delete")
        await until_text(pilot, "ignore no longer: name web-*")
        await pilot.press("y", "enter")
        await until_text(pilot, "nothing is ignored")


async def test_a_maintenance_window_is_planned_and_ended() -> None:
    client = DriftClient()
    async with console(client, size=(120, 40)) as (_, pilot):
        await pilot.press("colon", *"windows", "enter")
        await until_text(pilot, "no maintenance is planned")
        await pilot.press("plus")
        await until_text(pilot, "Maintenance window")
        await pilot.press("tab", *"yesterday", "tab", *"disks", *["tab"] * 4, "enter")
        await until_text(pilot, "names no time to come")
        await pilot.press(*["shift+tab"] * 5, *["backspace"] * 9, *"2h", *["tab"] * 5, "enter")
        await until_text(pilot, "planned: everything", "disks")
        (body,) = client.asked("POST", "/q/drift/windows")
        assert set(body) == {"until", "reason"}
        await until_text(pilot, "everything", "now", "HIDES")
        await pilot.press("delete", "y", "enter")
        await until_text(pilot, "the window has ended", "no maintenance is planned")


async def test_a_form_that_is_refused_stays_with_the_reason() -> None:
    client = DriftClient()
    client.refusal = ApiError(422, "give at least one criterion: name, tag, project, cloud or type")
    async with console(client, size=(120, 40)) as (_, pilot):
        await pilot.press("colon", *"ignores", "enter")
        await until_text(pilot, "nothing is ignored")
        await pilot.press("plus")
        await until_text(pilot, "Ignore drift")
        await pilot.press(*["tab"] * 7, *"why", "tab", "enter")
        await until_text(pilot, "give at least one criterion", "Ignore drift")


async def test_pages_of_drift_follow_each_other() -> None:
    async with console(DriftClient(), size=(80, 24)) as (app, pilot):
        await pilot.press("2")
        for kind in ("drift-rules", "ignores", "windows", "drift"):
            await pilot.press("tab")
            await until(pilot, lambda kind=kind: app.pane.view.kind == kind and app.table.loaded)
