"""Restore points of any volume or machine: one key away, taken and deleted through plans."""

from __future__ import annotations

import pytest

from store.types.actions import ACTIONS
from tests.tui.screen import console, text, until, until_text
from tests.tui.snapshots_fake import HOSTILE, VOLUME, SnapshotClient, point
from tui.state import View

SUBJECT = ("prod-eu", "eu-1", VOLUME)
WIDE = (150, 40)


class Planning(SnapshotClient):
    """Makes plans, and keeps what was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.clouds[0]["writable"] = True

    async def post(self, path: str, json: object = None, params: object = None) -> object:
        if path == "/q/plans":
            self._note("POST", path, json)
            return {
                "id": "p1", "action": json["action"], "title": "the plan", "danger": "none", "count": 1, "refused": 0,
                "hash": "h", "expires_at": None, "requires": {}, "items": [], "commands": [],
            }  # fmt: skip
        return await super().post(path, json, params)


async def test_points_newest_first_with_what_proves_them() -> None:
    client = SnapshotClient()
    async with console(client, size=WIDE) as (app, pilot):
        app.open_view(View("points", "volume", subject=SUBJECT))
        await until_text(
            pilot, "restore points of", "group-consistent, spread 120 ms", "by hand", "backup", "not known"
        )
        assert client.asked("GET", "/q/snapshot/points")[0] == {
            "cloud": "prod-eu", "region": "eu-1", "volume": VOLUME, "limit": 1000,
        }  # fmt: skip
        await until_text(pilot, "a snapshot of one attached volume", "lost with the storage of its volume")
        await pilot.press("j", "j", "j")
        await until_text(pilot, "no policy ever removes it", "survives the storage")
        assert not set(text(app)) & set("\x1b\x07\u202e")
        await pilot.press("k", "k", "enter")
        await until(pilot, lambda: app.pane.view.kind == "detail" and app.pane.view.type == "snapshot")


@pytest.mark.parametrize("before", [(), ("enter",), ("t",)], ids=["list", "detail", "tree"])
async def test_the_same_key_opens_them_from_a_list_a_detail_and_a_tree(before: tuple[str, ...]) -> None:
    client = SnapshotClient()
    async with console(client, size=WIDE) as (app, pilot):
        await pilot.press(*before)
        await until(pilot, lambda: app.table.loaded and app.table.buffer.rows)
        await until(pilot, lambda: not before or app.pane.view.kind in ("detail", "tree"))
        await until(pilot, lambda: app.table.loaded and app.table.buffer.rows)
        await pilot.press("m")
        await until(pilot, lambda: app.pane.view.kind == "points" and app.pane.view.type == "server")
        assert client.asked("GET", "/q/snapshot/points")[0]["server"].startswith("00000000-")


async def test_an_image_of_a_machine_stands_above_its_parts() -> None:
    client = Planning()
    image = point(1, kind="image", group="", volume_id="", volume_name=None, name="before the patch")
    parts = [point(n, group=image["id"], volume_name=f"disk-{n}") for n in (2, 4)]
    client.points = [parts[0], point(3), image, parts[1]]
    async with console(client, size=WIDE) as (app, pilot):
        app.open_view(View("points", "server", subject=SUBJECT))
        await until_text(pilot, "2 volumes, as one", "└ disk-2", "└ disk-4", "restore points of 0000010-web")
        assert [row.key[2][:8] for row in app.table.buffer.rows] == ["00000003", "00000001", "00000002", "00000004"]
        await pilot.press("j", "space", "space", "D")
        await until_text(pilot, "images and snapshots are deleted by plans of their own")
        await pilot.press("escape", "k", "k", "D")
        await until(pilot, lambda: client.asked("POST", "/q/plans"))
        asked = client.asked("POST", "/q/plans")[0]
        assert (asked["action"], asked["targets"]["keys"][0][2]) == ("image.delete", image["id"])


async def test_what_was_made_as_one_without_an_image_stands_together() -> None:
    client = Planning()
    parts = [point(n, group="mark ff", policy="", own=False, volume_name=f"disk-{n}") for n in (1, 3, 4)]
    client.points = [parts[0], point(2), *parts[1:]]
    async with console(client, size=WIDE) as (app, pilot):
        app.open_view(View("points", "server", subject=SUBJECT))
        await until_text(pilot, "disk-1 and 2 more, as one", "└ disk-3", "└ disk-4", "made as one with others")
        assert [row.key[2][:8] for row in app.table.buffer.rows] == ["00000001", "00000003", "00000004", "00000002"]


async def test_what_has_no_points_says_so() -> None:
    client = SnapshotClient()
    client.points = []
    async with console(client, size=WIDE) as (app, pilot):
        app.open_view(View("points", "volume", subject=SUBJECT))
        await until_text(pilot, "nothing to go back to: if it breaks, its data are lost", "S takes a snapshot now")
        app.open_view(View("points", "flavor", subject=SUBJECT))
        await until_text(pilot, "only volumes and machines have restore points")
        app.open_view(View("detail", "flavor", subject=("prod-eu", "eu-1", "00000001-7e1f")))
        await until_text(pilot, "FIELD")
        await pilot.press("m")
        await until_text(pilot, "only volumes and machines have restore points; none is under the cursor")


async def test_a_snapshot_is_planned_from_everywhere() -> None:
    client = Planning()
    async with console(client, size=WIDE) as (app, pilot):
        app.open_view(View("points", "volume", subject=SUBJECT))
        await until_text(pilot, "by hand")
        await pilot.press("S")
        await until(pilot, lambda: app.dialog is not None)
        await pilot.press(*["tab"] * (len(ACTIONS["volume.snapshot"].options)), "enter")
        await until(pilot, lambda: client.asked("POST", "/q/plans"))
        asked = client.asked("POST", "/q/plans")[0]
        assert (asked["action"], asked["targets"]) == ("volume.snapshot", {"keys": [list(SUBJECT)]})


async def test_marked_points_are_deleted_by_one_plan_and_backups_are_not() -> None:
    client = Planning()
    async with console(client, size=WIDE) as (app, pilot):
        app.open_view(View("points", "volume", subject=SUBJECT))
        await until_text(pilot, "by hand")
        await pilot.press("j", "space", "space")
        await until_text(pilot, "2 marked")
        await pilot.press("D")
        await until(pilot, lambda: client.asked("POST", "/q/plans"))
        asked = client.asked("POST", "/q/plans")[0]
        assert asked["action"] == "snapshot.delete"
        assert [key[2][:8] for key in asked["targets"]["keys"]] == ["00000002", "00000003"]
        await until_text(pilot, "the plan")
        await pilot.press("escape")
        await until(pilot, lambda: app.dialog is None)
        await pilot.press("escape", "D")
        await until_text(pilot, "a backup is not deleted from here")


async def test_the_page_of_a_volume_leads_to_them() -> None:
    client = SnapshotClient()
    async with console(client, size=WIDE) as (app, pilot):
        app.open_view(View("detail", "volume", subject=SUBJECT))
        await until_text(pilot, "→ restore points", "5, the newest 1d old, daily_5")
        client.points = []
        client.change({"topic": "data", "type": "volume"})
        none = ["→ restore points", "none"]
        await until(pilot, lambda: any(list(row.values[:2]) == none for row in app.table.buffer.rows))
        app.table.go_to(("link", "points", ""), 0)
        await until(pilot, lambda: app.table.current.key == ("link", "points", ""))
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view == View("points", "volume", subject=SUBJECT))


async def test_names_from_clouds_stay_text() -> None:
    async with console(SnapshotClient(), size=WIDE) as (app, pilot):
        for kind in ("policies", "compliance", "exclusions"):
            app.open_view(View(kind))
            await until_text(pilot, "[red]=1+1")
            assert not set(text(app)) & set("\x1b\x07\u202e")
    assert "\x1b" in HOSTILE
