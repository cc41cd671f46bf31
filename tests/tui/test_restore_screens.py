"""Screens of restores as text, at the sizes that matter: the wizard's pages, a job, the lists."""

from __future__ import annotations

import re

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from tests.tui.fakes import stamp
from tests.tui.restore_fake import DAY, WAYS, RestoreClient, job, machine
from tests.tui.screen import console, lines, until
from tui.console import QuarterdeckApp
from tui.state import View

SIZES = [(80, 24), (160, 45), (20, 5)]
PAGES = ["start", "trouble", "REPLACE", "NEW", "details", "addresses"]


def screen(app: QuarterdeckApp) -> str:
    """The screen; times, which go on, are all the same."""
    text = "\n".join(lines(app))
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+", "2026-02-08 09:00:00 UTC", text)
    text = re.sub(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d\d:\d\d", "Sun 09:00", text)
    text = re.sub(r"← [MTWFS]…", "← S…", text)  # the beginning of a day's name
    text = re.sub(r"expires \d\d:\d\d", "expires 29:41", text)
    return re.sub(r"(started )\d\d:\d\d|\b2m1\d(\.\d)?s|\b1m1\ds", r"\g<1>09:00", text)


async def settled(pilot: Pilot, app: QuarterdeckApp) -> None:
    """Wait until nothing is on its way."""
    await until(pilot, lambda: app.table.loaded and app.table.place and not app.table._tasks)
    await pilot.pause()


def troubled(client: RestoreClient) -> None:
    """A dead host."""
    down = (
        "its host cmp-02 is down since 6 minutes: the disks are fine, and evacuation keeps the data; a restore loses "
    )
    client.start["findings"] = [
        {"level": "problem", "text": f"{down}what was written since", "command": "openstack server evacuate x"},
        {"level": "warning", "text": "Nova and Cinder disagree about data1", "command": ""},
    ]  # fmt: skip
    client.start["ways"][2] |= {"possible": False, "why": "a rebuild needs the host, which is down"}


async def arrive(app: QuarterdeckApp, pilot: Pilot, page: str) -> None:
    """To a page of the wizard."""
    await pilot.press("R")
    await until(pilot, lambda: hasattr(app.dialog.page, "findings"))
    if page in ("start", "trouble"):
        return
    way = page if page in WAYS else "REPLACE"
    await pilot.press(str(WAYS.index(way) + 1), "enter", "enter")
    await until(pilot, lambda: hasattr(app.dialog.page, "plan"))
    if page == "details":
        await pilot.press("d")
    elif page == "addresses":
        await pilot.press("j", "j", "i")
        await until(pilot, lambda: hasattr(app.dialog.page, "subnets"))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("page", PAGES)
async def test_wizard(size: tuple[int, int], page: str, snapshot: SnapshotAssertion) -> None:
    client = RestoreClient()
    if page == "trouble":
        troubled(client)
    async with console(client, size=size) as (app, pilot):
        await arrive(app, pilot, page)
        await settled(pilot, app)
        assert screen(app) == snapshot


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "view",
    [View("restores"), View("restore", subject=("restore-118",)), View("restore-kept")],
    ids=lambda view: view.kind,
)
async def test_pages(size: tuple[int, int], view: View, snapshot: SnapshotAssertion) -> None:
    client = RestoreClient()
    client.restores = [job(119, "FAILED", "REPLACE", error_message="no address", can=["retry", "cleanup"]), job(118)]
    client.kept = [{"id": 1, "job_id": "restore-118", "kind": "machine", "cloud": "prod-eu", "region": "eu-1",
                    "resource_id": machine()["key"][2], "name": "db-primary-old", "until": stamp(6 * DAY + 60),
                    "at_end": "delete", "state": "kept", "detail": "shelved by REPLACE"}]  # fmt: skip
    async with console(client, size=size) as (app, pilot):
        app.open_view(view)
        await until(pilot, lambda: app.table.loaded and app.table.buffer.rows and app.table.spec.type == view.kind)
        await settled(pilot, app)
        assert screen(app) == snapshot


async def test_nothing_is_said_by_colour_alone() -> None:
    """Without colours the lines are the same."""
    shown = []
    for theme in ("ansi", "none"):
        client = RestoreClient()
        troubled(client)
        async with console(client, size=(120, 30), theme=theme) as (app, pilot):
            await arrive(app, pilot, "trouble")
            await settled(pilot, app)
            shown.append(screen(app))
    assert shown[0] == shown[1]
    for word in ("✖ its host", "▲ Nova and Cinder", "not possible: a rebuild", "(•) 4 NEW", "BACKUP", "■", "◆"):
        assert word in shown[1]
