"""The tree of what uses what: branches are read when they are opened, and every line leads somewhere."""

from __future__ import annotations

from tests.tui.fake import FakeClient
from tests.tui.screen import console, lines, text, until, until_gone, until_text
from tui.api.errors import ApiError

SERVER = "00000001-7e1f-4a4c-9c1d-000000001eef"


async def test_a_tree_is_opened_level_by_level() -> None:
    client = FakeClient(50)
    async with console(client, size=(120, 40)) as (app, pilot):
        await pilot.press("j", "t")
        await until_text(pilot, "tree 0000001-db", "uses hypervisors (1)", "uses volumes (3)", "volume-a")
        assert len(client.asked("GET", "/q/tree")) == 1, "only what is open is asked for"
        await pilot.press("j", "j", "right")
        await until_text(pilot, "used by servers (1,234")
        assert "server-00000005" not in text(app), "a long branch is not opened by itself"
        assert [asked["type"] for asked in client.asked("GET", "/q/tree")] == ["server", "hypervisor"]
        await pilot.press("right", "right")
        await until_text(pilot, "the first 50", "server-00000005")
        await pilot.press("left", "left", "left")
        await until_gone(pilot, "used by servers")
        assert len(client.asked("GET", "/q/tree")) == 2, "what is known is not asked for again"


async def test_a_ring_is_not_walked_for_ever() -> None:
    client = FakeClient(50)
    async with console(client, size=(120, 40)) as (_, pilot):
        await pilot.press("j", "t")
        await until_text(pilot, "volume-a")
        await pilot.press("j", "j", "j", "j", "right")
        await until_text(pilot, "snapshot-s1", "(above)")
        asked = len(client.asked("GET", "/q/tree"))
        await pilot.press("right", "right")
        await until(pilot, lambda: "(above)" in lines(pilot.app)[_cursor(pilot.app)], "the server above")
        await pilot.press("right", "space")
        await pilot.pause()
        assert len(client.asked("GET", "/q/tree")) == asked


def _cursor(app) -> int:  # type: ignore[no-untyped-def]
    return next(number for number, line in enumerate(lines(app)) if line.startswith("▸"))


async def test_lines_lead_on_and_escape_leads_back() -> None:
    client = FakeClient(50)
    async with console(client, size=(120, 40)) as (app, pilot):
        await pilot.press("j", "t")
        await until_text(pilot, "volume-b")
        await pilot.press("j", "enter")
        await until(pilot, lambda: app.pane.view.kind == "list", "the list of the group")
        assert (app.pane.view.type, app.pane.view.filter) == ("hypervisor", f"x:={SERVER}")
        await pilot.press("escape")
        await until_text(pilot, "volume-b")
        await pilot.press("G", "t")
        await until_text(pilot, "tree c", "used by snapshots")
        await pilot.press("escape")
        await until_text(pilot, "volume-b")
        await pilot.press("g", "d")
        await until_text(pilot, "FIELD")
        assert app.pane.view.subject == ("prod-eu", "eu-1", SERVER)
        await pilot.press("t")
        await until_text(pilot, "volume-b")


async def test_refresh_keeps_branches_and_cursor_and_the_past_is_asked_for() -> None:
    client = FakeClient(50)
    async with console(client, size=(120, 40)) as (app, pilot):
        await pilot.press("j", "t")
        await until_text(pilot, "volume-a")
        await pilot.press("j", "j", "right")
        await until_text(pilot, "used by servers")
        client.change()
        await until(pilot, lambda: len(client.asked("GET", "/q/tree")) == 4, "both are read again")
        await until_text(pilot, "used by servers")
        assert "cmp-001" in lines(app)[_cursor(app)]
        await pilot.press("u", *"2h ago", "enter")
        await until(pilot, lambda: client.asked("GET", "/q/tree")[-1].get("at"), "the past")


async def test_a_branch_that_cannot_be_read_says_why() -> None:
    client = FakeClient(50)
    client.override[1, "name"] = "\x1b]0;x\x07[red]w\n"
    async with console(client, size=(120, 40)) as (app, pilot):
        await pilot.press("j", "t")
        await until_text(pilot, "volume-a", "[red]w")
        client.fail_path["/q/tree"] = ApiError(404, "there is no hypervisor 'cmp-001'")
        await pilot.press("j", "j", "right")
        await until_text(pilot, "there is no hypervisor")
        assert "volume-a" in text(app) and "\x1b" not in text(app)


async def test_copy_and_save_from_a_tree() -> None:
    async with console(FakeClient(50), size=(120, 40)) as (_, pilot):
        await pilot.press("j", "t")
        await until_text(pilot, "volume-a")
        await pilot.press("G", "c")
        await until_text(pilot, "qdeck show volume c")
        await pilot.press("escape", "E")
        await until_text(pilot, "save as: ./server-tree-0000001-db-2")
