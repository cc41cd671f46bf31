"""Every kind of view and every type, at every size that matters: no crash, and the row under the cursor in sight."""

from dataclasses import replace

import pytest

from store.types import registry
from tests.tui.fake import FakeClient, collection
from tests.tui.screen import console, lines, until
from tui.state import KINDS, OF_ONE, View

SIZES = [(20, 5), (40, 10), (80, 24), (120, 40), (160, 45), (300, 80), (1, 1)]
SUBJECT = ("prod-eu", "eu-1", "00000003-7e1f-4a4c-9c1d-000000005cd5")


def a_view(kind: str) -> View:
    plain = View(kind)
    if kind in OF_ONE:
        return replace(plain, type="server", subject=SUBJECT)
    if kind in ("list", "columns"):
        return replace(plain, type="server")
    return replace(plain, subject=("x",)) if kind in ("find", "record", "job") else plain


class Everything(FakeClient):
    """Answers what the other views ask for, too."""

    async def get(self, path: str, params: object = None, json: object = None) -> object:
        known = {"/q/find": {"query": "x", "understood": "name", "items": [], "more": False, "took_ms": 1}}
        bare = path.partition("?")[0]
        if bare in known:
            return known[bare]
        if bare.endswith("/events"):
            return {"items": [], "problems": []}
        if bare.endswith("/console-log"):
            text = "\n".join(f"[{n}] line {n}" for n in range(300))
            return {"text": text, "lines": 300, "truncated": False}
        if bare.startswith("/q/handover"):
            return {"items": [], "sections": []}
        if bare.startswith(("/q/jobs/", "/q/audit/")):
            return {"id": "x", "number": 1, "title": "Stop", "state": "done", "steps": [], "can": []}
        return await super().get(path, params, json)


def in_sight(app) -> None:  # type: ignore[no-untyped-def]
    table, (columns, rows) = app.table, app.size
    assert len(lines(app)) == rows
    assert all(len(line) <= columns for line in lines(app))
    if table.buffer.rows and table.page_rows > 0:
        assert 0 <= table.buffer.cursor - table.buffer.top < table.page_rows
        if rows >= 5 and columns >= 20:
            assert sum("▸" in line for line in lines(app)) == 1, "\n".join(lines(app))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "list"])
async def test_every_kind_of_view(kind: str) -> None:
    client = Everything(500)
    client.collections = [collection("prod-eu")]
    client.candidates = [{"name": "prod", "auth_url": "https://id.example/v3", "file": "clouds.yaml"}]
    async with console(client, size=(160, 45)) as (app, pilot):
        app.open_view(a_view(kind))
        await until(pilot, lambda: app.table.loaded or app.table.empty_text != "reading …")
        for _ in range(3):
            app.action_down()
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await until(pilot, lambda size=size: app.size == size)
            await pilot.pause()
            in_sight(app)
        assert [text for _, text in app.world.said if "expect" in text] == []


async def test_every_type_in_every_size() -> None:
    client = FakeClient(300)
    async with console(client) as (app, pilot):
        for size in SIZES:
            await pilot.resize_terminal(*size)
            for type in registry.ALL:
                app.open_view(View("list", type), instead=True)
                await until(pilot, lambda: app.table.loaded)
                app.action_end()
            await pilot.pause()
            in_sight(app)
            app.open_view(View("list", "server"), instead=True)
            await until(pilot, lambda: app.table.loaded)
            app.action_end()
            await until(pilot, lambda: not app.table.buffer.has_after)
            await pilot.pause()
            in_sight(app)
        assert [text for _, text in app.world.said if "expect" in text] == []
