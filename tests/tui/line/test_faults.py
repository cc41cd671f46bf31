"""A cloud that goes wrong in every way there is a switch for: the list stays, keys work, the screen says what it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.line.demo import Demo, demo
from tests.tui.screen import lines, text, until
from tui.api.client import EngineClient
from tui.api.target import Target
from tui.console import QuarterdeckApp

pytestmark = pytest.mark.faults

SERVERS = 1_100  # more than one page, so that a listing can go wrong in its middle
SIZE = (170, 24)

# fault, its options, types that are listed meanwhile, state of the servers' list, words of the sentence on screen
CASES: dict[str, tuple[str, dict[str, Any], str, tuple[str, ...]]] = {
    "401": ("status", {"status": 401, "service": "compute", "path": "/servers"}, "failed", ("401",)),
    "403": (
        "status",
        {"status": 403, "service": "compute", "path": "/servers"},
        "not_permitted",
        ("not permitted for this account",),
    ),
    "429": ("rate_limit", {"seconds": 1, "service": "compute", "path": "/servers"}, "failed", ("429",)),
    "500": ("status", {"status": 500, "service": "compute", "path": "/servers"}, "failed", ("500",)),
    "503": ("status", {"status": 503, "service": "compute"}, "failed", ("503",)),
    "hang": ("hang", {"service": "compute", "path": "/servers"}, "failed", ("answer",)),
    "reset": ("reset", {"service": "compute", "path": "/servers"}, "failed", ("broke the connection off",)),
    "half a body": ("truncate", {"service": "compute", "path": "/servers"}, "failed", ("broke the connection off",)),
    "half the pages": ("half", {"service": "compute", "path": "/servers"}, "partial", ("500",)),
    "no JSON": ("malformed", {"service": "compute", "path": "/servers"}, "failed", ("not JSON",)),
    "down cell": ("down_cell", {"share": 0.4}, "degraded", ("does not answer",)),
    "no service": ("missing_service", {"service": "compute"}, "not_permitted", ("compute",)),
}


@pytest.fixture(scope="module")
def broken() -> Iterator[Demo]:
    """One demo for all cases."""
    with demo(SERVERS) as one:
        yield one


@pytest.fixture(autouse=True)
def repaired(broken: Demo) -> Iterator[None]:
    """Every case begins with a cloud that is well, and a list that says so."""
    yield
    broken.repair()
    if set(broken.states().values()) != {"ok"}:
        broken.collect()


@asynccontextmanager
async def console(broken: Demo) -> AsyncIterator[tuple[QuarterdeckApp, Pilot]]:
    """The console on that engine, its servers on screen and the cursor somewhere in them."""

    async def connect() -> EngineClient:
        return EngineClient(Target(socket=broken.socket))

    app = QuarterdeckApp(connect, "servers sort:name")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.table.loaded and app.world.clouds_known, "first rows")
        await pilot.press("j", "j", "j")
        await until(
            pilot, lambda: app.table.place is not None and app.table.place.total == broken.servers, "all servers"
        )
        yield app, pilot


async def check_usable(broken: Demo, app: QuarterdeckApp, pilot: Pilot, key: Any) -> None:
    """The list is as it was, and keys do what they do."""
    assert app.table.current is not None and app.table.current.key == key
    assert not app.table.current.gone
    await pilot.press("j")
    await until(pilot, lambda: app.table.current.key != key, "the cursor moves")
    await pilot.press("k")
    await until(pilot, lambda: app.table.current.key == key, "and back")
    await pilot.press("enter")
    await until(pilot, lambda: app.pane.view.kind == "detail", "a server opens")
    await pilot.press("escape")
    await until(pilot, lambda: app.table.current and app.table.current.key == key, "where the cursor was")
    await pilot.press("slash", *"web", "enter")
    await until(pilot, lambda: app.table.place and 0 < app.table.place.total < broken.servers, "a filter filters")
    await pilot.press("escape")
    await until(pilot, lambda: app.table.place and app.table.place.total == broken.servers, "and goes again")


def state_of(app: QuarterdeckApp) -> str:
    """The line that says what is wrong."""
    return lines(app)[1]


@pytest.mark.parametrize("case", CASES)
async def test_the_list_stays_and_the_screen_says_what_is_wrong(broken: Demo, case: str) -> None:
    kind, options, state, words = CASES[case]
    async with console(broken) as (app, pilot):
        assert "▲" not in text(app)
        key = app.table.current.key
        broken.fault(kind, **options)
        ended = await asyncio.to_thread(broken.collect, "server")
        assert [row["state"] for row in ended["types"]] == [state], ended
        said = ("demo", state.replace("_", " "), *words)
        await until(pilot, lambda: "▲" in state_of(app) and all(word in state_of(app) for word in said), str(said))
        await check_usable(broken, app, pilot, key)
        assert all(word in state_of(app) for word in said)
        # Repaired, it is as if nothing had been.
        broken.repair()
        ended = await asyncio.to_thread(broken.collect, "server")
        assert ended["state"] == "done" and {row["gone"] for row in ended["types"]} == {0}
        await until(pilot, lambda: "▲" not in state_of(app), "the sentence goes")
        await until(pilot, lambda: app.table.place and app.table.place.total == broken.servers, "all servers")


async def test_a_token_that_ends_in_the_middle_of_a_listing_is_no_trouble(broken: Demo) -> None:
    """The next page is answered 401: a new token, the same page again, and nothing to tell anybody."""
    async with console(broken) as (app, pilot):
        broken.fault("expire_token", service="compute", path="/servers", times=1)
        ended = await asyncio.to_thread(broken.collect, "server")
        assert ended["state"] == "done" and ended["types"][0]["rows"] == broken.servers
        (rule,) = broken.switch("GET", "/faults")["faults"]
        assert rule["hits"] >= 1
        await pilot.pause()
        assert "▲" not in text(app)


async def test_a_short_bout_of_too_many_requests_is_waited_out(broken: Demo) -> None:
    async with console(broken) as (app, pilot):
        broken.fault("rate_limit", service="compute", path="/servers", seconds=1, times=1)
        ended = await asyncio.to_thread(broken.collect, "server")
        assert ended["state"] == "done"
        await pilot.pause()
        assert "▲" not in text(app)


async def test_a_role_that_is_taken_away_takes_no_rows_away(broken: Demo) -> None:
    """The administrator becomes nobody in particular: fewer rows are shown to him, and none is forgotten."""
    role = {"user": "admin", "role": "admin", "project": "admin"}
    async with console(broken) as (app, pilot):
        key = app.table.current.key
        try:
            broken.switch("POST", "/roles", {"action": "revoke", **role})
            broken.switch("POST", "/roles", {"action": "grant", **role, "role": "reader"})
            ended = await asyncio.to_thread(broken.collect, "server")
            assert {row["state"] for row in ended["types"]} != {"failed"}, ended
            await until(pilot, lambda: "▲" in state_of(app), "a sentence about it")
            assert "project" in state_of(app) or "permitted" in state_of(app)
            await check_usable(broken, app, pilot, key)
        finally:
            broken.switch("POST", "/roles", {"action": "revoke", **role, "role": "reader"})
            broken.switch("POST", "/roles", {"action": "grant", **role})
        await asyncio.to_thread(broken.collect, "server")
        await until(pilot, lambda: "▲" not in state_of(app), "the sentence goes")
        assert app.table.place.total == broken.servers


async def test_nobody_can_log_in(broken: Demo) -> None:
    async with console(broken) as (app, pilot):
        key = app.table.current.key
        broken.fault("status", service="identity", path="/auth/tokens", method="POST", status=401)
        await asyncio.to_thread(broken.collect, "server")
        await until(pilot, lambda: "▲" in state_of(app) and "refused the login" in state_of(app), "the sentence")
        await check_usable(broken, app, pilot, key)
        broken.repair()
        await asyncio.to_thread(broken.collect, "server")
        await until(pilot, lambda: "▲" not in state_of(app), "the sentence goes")


async def test_while_a_service_hangs_keys_work_and_the_screen_says_what_it_waits_for(broken: Demo) -> None:
    async with console(broken) as (app, pilot):
        key = app.table.current.key
        broken.fault("hang", service="compute", path="/servers")
        await pilot.press("r")
        await until(pilot, lambda: "asked for newer servers" in text(app), "what happens")
        await check_usable(broken, app, pilot, key)
        await until(pilot, lambda: "▲" in state_of(app) and "failed" in state_of(app), "and what came of it")


@pytest.mark.parametrize("kind", ["extra_fields", "nulls", "big_metadata", "hostile"])
async def test_answers_that_are_odd_are_shown(broken: Demo, kind: str) -> None:
    """Fields nobody knows, values nobody gave, a megabyte of metadata, names that are escapes."""
    try:
        async with console(broken) as (app, pilot):
            broken.fault(kind, service="compute", path="/servers", bytes=1_000_000)
            ended = await asyncio.to_thread(broken.collect, "server")
            assert ended["state"] == "done", ended
            await until(pilot, lambda: not app.table.waiting_since, "read again")
            assert app.table.place.total == broken.servers and "▲" not in state_of(app)
            assert not any(c for c in text(app) if ord(c) < 32 and c != "\n")
            await pilot.press("enter")
            await until(pilot, lambda: app.pane.view.kind == "detail", "a server opens")
    finally:
        broken.repair()
        await asyncio.to_thread(broken.collect, "server")
