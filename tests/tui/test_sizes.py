"""Every kind of view and every type, at every size that matters: no crash, and the row under the cursor in sight."""

from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len

from store.types import registry
from tests.tui.fake import FakeClient, collection
from tests.tui.past import PastClient
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


class Everything(PastClient):
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


class Full(FakeClient):
    """Rows of every type: each column has a value of its role, some of them long."""

    def _indices(self, body: dict[str, Any]) -> range:
        self.asked_type = registry.find(body["type"])
        return range(self.rows)

    def values(self, index: int, columns: tuple[str, ...]) -> list[Any]:
        known = {"cloud": "prod-eu", "region": "eu-1", "id": f"{index:08x}-7e1f-4a4c-9c1d-000000005cd5"}
        roles = {column.name: column.role for column in self.asked_type.view_columns}
        return [known.get(name, self._of_role(roles.get(name, "text"), name, index)) for name in columns]

    @staticmethod
    def _of_role(role: str, name: str, index: int) -> Any:
        if index % 7 == 6:
            return None
        if role == "time":
            return "2026-02-08T09:00:00Z"
        if role in ("number", "size_mb", "size_gb", "size_bytes"):
            return 3 ** (index % 17)
        return {"status": "ERROR", "list": ["a", "b" * 60], "bool": True}.get(role, f"{name}-{index} " + "x" * index)


def out_of_sight(app) -> str:  # type: ignore[no-untyped-def]
    """What is wrong with the screen; "" when it is whole and the row under the cursor is on it, once."""
    table, (columns, rows) = app.table, app.size
    shown = lines(app)
    if len(shown) != rows or any(cell_len(line) > columns for line in shown):
        return f"{len(shown)} lines of up to {max(map(cell_len, shown))} cells"
    if not table.loaded or not table.buffer.rows or table.page_rows <= 0 or getattr(table, "canvas", None):
        return ""
    if not 0 <= table.buffer.cursor - table.buffer.top < table.page_rows:
        return f"cursor {table.buffer.cursor}, top {table.buffer.top}, {table.page_rows} rows"
    cursors = sum(line[:1] in ("▸", "▹") for line in shown)
    return "" if rows < 5 or columns < 20 or cursors == 1 else f"{cursors} cursors"


async def in_sight(app, pilot) -> None:  # type: ignore[no-untyped-def]
    await until(pilot, lambda: not out_of_sight(app), f"{app.pane.view.kind} {app.pane.view.type} at {app.size}")


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
            await in_sight(app, pilot)
        assert [text for _, text in app.world.said if "expect" in text] == []


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_every_type_in_every_size(size: tuple[int, int]) -> None:
    async with console(Full(90), size=size) as (app, pilot):
        for type in registry.ALL:
            app.open_view(View("list", type), instead=True)
            await until(pilot, lambda type=type: app.table.loaded and app.table.spec.type == type)
            await in_sight(app, pilot)
            app.action_end()
            await until(pilot, lambda: not app.table.buffer.has_after)
            await in_sight(app, pilot)
            app.table.move_column(99)
            await in_sight(app, pilot)
        assert [text for _, text in app.world.said if "expect" in text] == []
