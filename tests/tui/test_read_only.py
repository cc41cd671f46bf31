"""Read-only means read-only from the console too: every view, every key and every action is tried, on a real engine
that watches a cloud, and what goes over the wire to that cloud is watched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from engine.access.models import ENGINE
from engine.demo.launch import DemoCloud
from engine.embedded import Engine
from store.types.actions import ACTIONS as CHANGES
from store.types.actions import ActionDeclaration
from tests.engine.gate.test_read_only import OPS, SECONDS, Wire, _failed_job
from tests.tui.screen import text, until, until_text
from tui.actions import Action, actions_in
from tui.api.client import EngineClient
from tui.api.errors import ApiError
from tui.api.target import Target
from tui.console import QuarterdeckApp
from tui.dialogs.fields import PhraseField
from tui.dialogs.plan import PlanPage
from tui.panes.make import PANES
from tui.state import OF_ONE, SPANS, View

TYPES = ("project", "server", "network", "flavor", "security_group", "security_group_rule", "volume")
LEAVES = ("close", "demo")  # these end the console
CHANGING = ("actions", "rename", "delete")  # what they do depends on the type
REFUSED = "this test keeps read-only mode"


class Client(EngineClient):
    """The console's client of an engine in this process; the one request that ends read-only mode is refused."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(Target(socket=Path("/nowhere")), start=False)
        self._client = engine.client
        self.asked: list[tuple[str, str]] = []
        self.refusals: list[str] = []

    async def request(
        self, method: str, path: str, json: Any = None, params: Any = None, seconds: float = SECONDS
    ) -> Any:
        """As EngineClient does it."""
        self.asked.append((method, path))
        if method == "POST" and path.startswith("/q/writes/"):
            raise ApiError(403, REFUSED)
        given = {name: value for name, value in (params or {}).items() if value is not None}
        answer = await self._client.request(method, path, json=json, params=given, timeout=SECONDS)
        found = answer.json() if "json" in answer.headers.get("content-type", "") else answer.text
        if answer.status_code >= 400:
            fields = found if isinstance(found, dict) else {}
            self.refusals.append(str(fields.get("code") or answer.status_code))
            raise ApiError(answer.status_code, fields.get("detail"), fields)
        return found

    async def download(self, path: str, json: Any, sink: Any, told: Any = None) -> dict[str, str]:
        """Whole, for what is saved."""
        sink.write((await self._client.post(path, json=json)).content)
        return {}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoCloud]:
    demo = DemoCloud.start(tmp_path_factory.mktemp("cloud"), servers=12, seed="read-only", still=True)
    yield demo
    demo.stop()


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, cloud: DemoCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is copied, saved or kept goes into a folder of the test's own."""
    (tmp_path / "person").mkdir()
    monkeypatch.chdir(tmp_path / "person")
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(cloud.clouds_yaml))


@asynccontextmanager
async def watching(
    folder: Path, cloud: DemoCloud, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Engine, Client, Wire, dict[str, Any]]]:
    """(an engine with a cloud in read-only mode, a client of it, the wire to the cloud, a job that failed)."""
    async with Engine.open(folder / "engine", OPS) as engine:
        await asyncio.to_thread(engine.parts.clouds.add, ENGINE, "demo", file=cloud.clouds_yaml)
        (started,) = engine.parts.collections.start(ENGINE, ["demo"], TYPES, True)
        await asyncio.to_thread(engine.parts.collections.wait, started["id"], SECONDS)
        await engine.client.post("/q/writes/demo", json={"minutes": 5})
        failed = await _failed_job(engine, monkeypatch)
        await engine.client.delete("/q/writes/demo")
        yield engine, Client(engine), Wire(monkeypatch), failed


@asynccontextmanager
async def console(client: Client) -> AsyncIterator[tuple[QuarterdeckApp, Pilot[Any]]]:
    async def connect() -> Client:
        return client

    app = QuarterdeckApp(connect, "servers")  # type: ignore[arg-type]
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.table.loaded and app.world.clouds_known, "first rows")
        yield app, pilot


async def views(engine: Engine, job: str) -> list[View]:
    """A view of every kind there is; lists of every type that something can be done to."""
    server = tuple((await rows(engine, "server", "status:=ACTIVE"))[0])
    project = (await rows(engine, "project"))[0][2]
    (record,) = (await engine.client.get("/q/audit", params={"limit": 1})).json()["items"]
    subjects: dict[str, tuple[str, ...]] = {
        **dict.fromkeys(OF_ONE, server),
        "job": (job,),
        "record": (str(record["seq"]),),
        "tenant": ("demo", project),
        "find": ("web",),
        "drift_event": ("0",),
    }
    found = [View("list", type) for type in TYPES]
    for kind in PANES:
        if kind == "list":
            continue
        type = "server" if kind in (*OF_ONE, "columns") else ""
        span = ("yesterday", "now") if kind in SPANS else ("", "") if kind == "compare" else ()
        found.append(View(kind, type, subject=subjects.get(kind, ()), span=span))
    return found


def places_of(action: Action, app: QuarterdeckApp) -> set[str]:
    """Where the action works, of what is on screen."""
    return {"all", *app.pane.places}.intersection(action.where)


def press(app: QuarterdeckApp, *keys: str) -> None:
    """Keys, taken at once. The pilot would wait for the whole process to be idle, and the engine is in it."""
    for key in keys:
        app.press_key(key, " " if key == "space" else key if len(key) == 1 else None)


async def settled(app: QuarterdeckApp, before: set[Any]) -> None:
    """Wait until what was begun is through; what takes longer goes on meanwhile."""
    for _ in range(50):
        await asyncio.sleep(0.01)
        if app.table.loaded and app.tasks <= before:
            return


async def through(app: QuarterdeckApp, before: set[Any]) -> None:
    """Go through whatever was opened to its end, and back out of it."""
    await settled(app, before)
    keys = ("down", "enter", "tab", "x", "tab", "enter") if app.dialog is not None else ()
    for key in ("y", "enter") if app.bar.is_open else keys:  # y: what is asked for may be a yes
        press(app, key)
        await settled(app, before)
    for _ in range(12):
        if app.dialog is None and not app.bar.is_open:
            return
        press(app, "escape")
        await asyncio.sleep(0)


async def test_no_write_passes_any_view(tmp_path: Path, cloud: DemoCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    async with watching(tmp_path, cloud, monkeypatch) as (engine, client, wire, failed):
        async with console(client) as (app, _):
            pressed, done, lasting = set(), set(), set(app.tasks)
            for view in await views(engine, failed["id"]):
                app.open_view(view)
                await settled(app, lasting)
                for action in actions_in(app.pane.places, app.world.keymap.actions):
                    # What works in all lists, or everywhere, need not be tried in each of them, unless it changes.
                    here = (action.id, view.type if action.id in CHANGING else "", *sorted(places_of(action, app)))
                    if action.id in LEAVES or here in done:
                        continue
                    done.add(here)
                    if not app.pane.view.same_place(view):
                        app.open_view(view)
                        await settled(app, lasting)
                    if action.keys:
                        press(app, action.keys[0])
                    else:
                        app.act(action.id)
                    pressed.add(action.id)
                    await through(app, lasting)
                    assert app.is_running
            assert pressed == {action.id for action in app.world.keymap.actions} - set(LEAVES)
        assert wire.changing() == []
        # It was tried, and refused: else nothing was seen. (Plans are tried below: the menu does not offer them here.)
        assert ("POST", "/q/writes/demo") in client.asked
        assert ("POST", f"/q/jobs/{failed['id']}/retry") in client.asked
        assert "read_only" in client.refusals


FORMS: dict[str, dict[str, Any]] = {
    "server.reboot": {"type": "HARD"},
    "server.rename": {"name": "other"},
    "network.create": {"name": "n", "project": "demo"},
    "flavor.create": {"name": "f", "vcpus": 1, "ram": 64},
    "security_group.create": {"name": "g", "project": "demo"},
    "security_group_rule.create": {"security_group": "", "protocol": "tcp", "port_range_min": 5, "port_range_max": 6},
}
# What a machine must be like for the action to make sense.
STATES = {"server.start": "status:=SHUTOFF", "server.unlock": "locked:yes", "flavor.delete": ""}


async def test_no_action_passes_a_console_that_believes_it_may(
    tmp_path: Path, cloud: DemoCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its word is no older than the last answer; the engine's is what counts."""
    async with watching(tmp_path, cloud, monkeypatch) as (engine, client, wire, _):
        async with console(client) as (app, pilot):
            refused = []
            for declared in CHANGES.values():
                plan = await planned(engine, declared)
                if plan is None:
                    continue
                app.show_plan(plan, app.close_dialog, app.close_dialog)
                assert app.dialog is not None and isinstance(app.dialog.page, PlanPage)
                page = app.dialog.page
                await until_text(pilot, "Cancel ]")
                press(app, "tab", *"why", "tab", *"CHG1", "tab")
                if any(isinstance(field, PhraseField) for field in page.fields):
                    press(app, *page.phrase, "tab")
                press(app, "enter")
                await until(pilot, lambda page=page: not page.sending and page.saying, f"an answer to {declared.id}")  # type: ignore[misc]
                assert "read-only" in text(app), declared.id
                refused.append(declared.id)
                press(app, "escape")
        assert len(refused) >= 11, refused
        assert client.refusals.count("read_only") == len(refused)
        assert wire.changing() == []


async def rows(engine: Engine, type: str, filter: str = "") -> list[list[Any]]:
    """Keys of what passes, as [cloud, region, id]."""
    body = {"type": type, "filter": filter, "columns": [], "after": 100}
    answer = await engine.client.post("/q/windows", json=body)
    assert answer.status_code == 200, answer.text
    return [row[:3] for row in answer.json()["rows"]]


async def planned(engine: Engine, declared: ActionDeclaration) -> dict[str, Any] | None:
    """A plan of the action that could be carried out; None when the cloud has nothing to try it on."""
    options = dict(FORMS.get(declared.id, {}))
    if "security_group" in options:
        options["security_group"] = (await rows(engine, "security_group"))[0][2]
    body: dict[str, Any] = {"action": declared.id, "options": options}
    if declared.creates:
        return await _plan(engine, body)
    for key in await rows(engine, declared.type, STATES.get(declared.id, "")):
        plan = await _plan(engine, body | {"targets": {"keys": [key]}})
        if not plan["refused"]:
            return plan
    return None


async def _plan(engine: Engine, body: dict[str, Any]) -> dict[str, Any]:
    answer = await engine.client.post("/q/plans", json=body, timeout=SECONDS)
    assert answer.status_code == 200, answer.text
    plan: dict[str, Any] = answer.json()
    return plan
