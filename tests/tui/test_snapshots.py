"""Screens as text, kept beside the tests: what operators see at the sizes that matter."""

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.tui.fake import FakeClient, cloud, collection
from tests.tui.screen import console, lines, until, until_text

SIZES = [(80, 24), (120, 40), (160, 45), (20, 5)]


def screen(app) -> str:  # type: ignore[no-untyped-def]
    """The screen with the age of the data, which goes on, left out."""
    import re

    return "\n".join(re.sub(r"data \d+s old", "data 42s old", line) for line in lines(app))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_list(size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    async with console(FakeClient(12_408), size=size) as (app, pilot):
        await pilot.press("j", "j", "j", "j")
        await until(pilot, lambda: app.table.place and app.table.place.rank == 4)
        if size[1] >= 24:
            await until_text(pilot, "volumes 3")
        assert screen(app) == snapshot


@pytest.mark.parametrize("size", SIZES[:1], ids=["80x24"])
@pytest.mark.parametrize(
    ("keys", "wanted"),
    [("enter", "→ volumes"), ("1", "GO TO WITH"), ("0 c", "WHAT IS WRONG"), ("question_mark", "DOES"), ("y", "YAML")],
)
async def test_views(size: tuple[int, int], keys: str, wanted: str, snapshot: SnapshotAssertion) -> None:
    client = FakeClient(300)
    client.clouds.append(cloud("prod-us", 9) | {"state": "stale", "reason": "nova answered 503", "age_seconds": 720})
    async with console(client, size=size) as (app, pilot):
        await pilot.press(*keys.split())
        await until_text(pilot, wanted)
        await until(pilot, lambda: app.table.place and not app.table._tasks)
        if keys in ("0 c", "1"):
            await pilot.press("j", "k")
            # The rule of the strip is there before its words are, and for a moment nobody knows the rank.
            await until(pilot, lambda: app.table.place and app.table.place.rank == 0)
            await until(pilot, lambda: keys == "1" or "account" in app.strip.text)
        assert screen(app) == snapshot


async def test_filter_being_typed(snapshot: SnapshotAssertion) -> None:
    async with console(FakeClient(300)) as (app, pilot):
        await pilot.press("slash", "w", "e", "b", "space", "s", "t", "a")
        await until_text(pilot, "tab status:")
        await until_text(pilot, "0 match")
        assert screen(app) == snapshot


async def test_collection(snapshot: SnapshotAssertion) -> None:
    client = FakeClient(0)
    client.collections = [collection("prod-eu")]
    async with console(client) as (app, pilot):
        await pilot.press("0", "c", "c")
        await until_text(pilot, "queued")
        await until(pilot, lambda: app.table.place and "server" in app.strip.text)
        assert screen(app) == snapshot
