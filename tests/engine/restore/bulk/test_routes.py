"""Who may ask what of restores of many machines, and which requests are none."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from engine.access.models import Caller
from engine.access.service import CALLER, AccessService
from engine.api import errors
from engine.restore.bulk.routes import routes
from engine.settings.models import Settings
from store.ops.ops import Ops
from tests.engine.restore.bulk.bulking import Many
from tests.engine.restore.serving import ANNA, VIEWER

KEY = ["lab", "one", "m0"]
BODY = {"keys": [KEY, ["lab", "one", "m1"]], "way": "REPLACE"}
BULK = "/q/restore/bulk"


class Api:
    """The routes over the world of the tests; asked as `caller`."""

    def __init__(self, ops: Ops) -> None:
        self.world = Many(ops)
        self.caller = ANNA
        self.app = FastAPI()
        errors.install(self.app)
        self.app.include_router(routes(self.world.bulk, AccessService(ops, Settings())))

    def __call__(self, method: str, path: str, body: Any = None) -> httpx.Response:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[CALLER] = self.caller
            await self.app(scope, receive, send)

        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://engine") as client:
                return await client.request(method, path, json=body)

        return asyncio.run(ask())


@pytest.fixture
def api(tmp_path: Path):
    with closing(Ops.open(tmp_path / "ops.sqlite")) as ops:
        yield Api(ops)


def made(api: Api, **more: Any) -> dict[str, Any]:
    answer = api("POST", BULK, {**BODY, **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_plan_is_made_begun_paused_resumed_and_cancelled(api: Api) -> None:
    plan = made(api, at="2026-02-28T22:00:00+01:00", order=["m1"], limits={"parallel": 1}, stop_after=2, keep_days=3)
    assert (
        plan["at"] == "2026-02-28T21:00:00Z" and plan["order"] == ["m1"] and plan["ip_strategy"] == "SAME_IPS_OR_FAIL"
    )
    assert plan["limits"] == {"parallel": 1, "per_backend": 4, "per_project": 4, "stop_after": 2}
    asked = api.world.planner.asked[-1]
    assert asked.keep_days == 3 and asked.at is not None and asked.prove.ask
    path = f"{BULK}/{plan['id']}"
    body = {"typed": plan["requires"]["typed"], "hash": plan["hash"], "reason": "patch night"}
    answer = api("POST", f"{path}/execute", body)
    assert (answer.status_code, answer.json()["status"]) == (202, "RUNNING")
    assert api("POST", f"{path}/pause").json()["status"] == "PAUSED"
    assert api("POST", f"{path}/resume").json()["status"] == "RUNNING"
    assert api("POST", f"{path}/cancel", {}).json()["status"] == "CANCELING"
    api.world.look()
    assert api("GET", path).json()["status"] == "CANCELED"
    assert [one["id"] for one in api("GET", BULK).json()["items"]] == [plan["id"]]


def test_a_refusal_says_which_phrase_it_wants(api: Api) -> None:
    answer = api("POST", f"{BULK}/{made(api)['id']}/execute", {})
    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["typed"]) == ("typed", "DELETE AND RESTORE 2 MACHINES")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "", BODY), ("POST", "/{id}/execute", {}), ("POST", "/{id}/pause", None),
        ("POST", "/{id}/resume", None), ("POST", "/{id}/cancel", {}),
    ],
)  # fmt: skip
def test_who_may_only_look_may_change_nothing(api: Api, method: str, path: str, body: Any) -> None:
    id = made(api)["id"]
    api.caller = VIEWER
    assert api(method, BULK + path.format(id=id), body).status_code == 403
    assert api("GET", f"{BULK}/{id}").status_code == 200
    api.caller = Caller("nobody", role="admin", projects=("other",))
    assert api("GET", f"{BULK}/{id}").status_code == 404


@pytest.mark.parametrize(
    "more",
    [
        {"keys": []}, {"keys": [["lab", "one", f"m{number}"] for number in range(201)]}, {"keys": [["lab", "one"]]},
        {"keys": [["lab", "one", "../x"]]}, {"way": "DISK_BESIDE"}, {"at": "2026-02-28T22:00:00"}, {"stop_after": 0},
        {"ip_strategy": "MANUAL_IP"}, {"limits": {"parallel": 0}}, {"order": ["db\u0007"]}, {"extra": 1},
    ],
)  # fmt: skip
def test_requests_that_are_none(api: Api, more: dict[str, Any]) -> None:
    assert api("POST", BULK, {**BODY, **more}).status_code == 422
    assert api.world.planner.asked == []
