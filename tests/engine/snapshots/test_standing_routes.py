"""/q/snapshot/clouds and /q/grants over a whole engine, and the problem that a role which stays is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from engine.access.models import Caller
from engine.embedded import Engine
from store.ops.grant_tables import role_grants
from store.ops.tables import accounts

OPS = Caller("ops", 1000, None, None, "superadmin")
NOW = datetime(2026, 11, 30, 1, 2, 3, tzinfo=UTC)
ACCOUNT = {
    "id": "a1", "cloud": "east", "account": "east-admin", "auth_url": "http://127.0.0.1:9/v3", "source": "/nowhere",
    "scope": "project:p0", "user_name": "admin", "roles": ["admin"], "regions": ["r1"], "details": {},
    "writable": False, "created_at": NOW, "created_by": "ops",
}  # fmt: skip
GRANT = {
    "id": "g1", "cloud": "east", "region": "r1", "project_id": "p1", "user_id": "u1", "user_name": "admin",
    "role_id": "r-member", "role_name": "member", "account": "east-admin", "job_id": "gone", "asked_by": "ops",
    "state": "taking", "problem": "the role could not be taken back: Keystone said no", "attempts": 3, "since": NOW,
    "tried_at": datetime(2100, 1, 1, tzinfo=UTC),
}  # fmt: skip


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with Engine.open(tmp_path, OPS) as opened:
        with opened.parts.ops.begin() as connection:
            connection.execute(insert(accounts).values(ACCOUNT))
            connection.execute(insert(role_grants).values(GRANT))
        yield opened


async def test_policy_runs_are_allowed_and_forbidden(engine: Engine) -> None:
    (item,) = (await engine.client.get("/q/snapshot/clouds")).json()["items"]
    assert (item["cloud"], item["enabled"], item["demo"]) == ("east", False, False)
    refused = await engine.client.post("/q/snapshot/clouds/east", json={})
    assert (refused.status_code, refused.json()["code"]) == (422, "reason")
    item = (await engine.client.post("/q/snapshot/clouds/east", json={"reason": "nights"})).json()
    assert item["enabled"] and item["enabled_by"] == "ops" and item["reason"] == "nights"
    assert engine.parts.snapshots.forbidden("east") is None
    assert not (await engine.client.get("/q/writes")).json()["items"][0]["writable"]
    item = (await engine.client.delete("/q/snapshot/clouds/east?reason=over")).json()
    assert item["enabled"] is False and engine.parts.snapshots.forbidden("east")
    assert (await engine.client.post("/q/snapshot/clouds/west", json={"reason": "x"})).status_code == 404


async def test_a_role_that_stays_is_shown_and_a_problem_until_somebody_deals_with_it(engine: Engine) -> None:
    (item,) = (await engine.client.get("/q/grants")).json()["items"]
    assert item["command"] == "openstack role remove --user u1 --project p1 member" and item["state"] == "taking"
    (problem,) = [one for one in engine.parts.dashboard.problems.look().problems if one.rule == "grant"]
    assert problem.severity == "warning" and problem.key == ("east", "", "p1")
    assert "Keystone said no" in problem.detail and "could not be taken back" in problem.title
    # Nothing answers there: it stays, and says why now.
    failed = await engine.client.delete("/q/grants/g1")
    assert failed.status_code == 502 and "role remove --user u1" in failed.json()["detail"]
    done = await engine.client.delete("/q/grants/g1?forget=true")
    assert done.status_code == 200
    assert (await engine.client.get("/q/grants")).json()["items"] == []
    assert (await engine.client.delete("/q/grants/g1")).status_code == 404
    assert not [one for one in engine.parts.dashboard.problems.look().problems if one.rule == "grant"]


@pytest.mark.parametrize(
    ("role", "statuses"), [("viewer", (200, 403, 403, 200, 403)), ("admin", (200, 422, 200, 200, 404))]
)
async def test_who_may(tmp_path: Path, role: Any, statuses: tuple[int, ...]) -> None:
    async with Engine.open(tmp_path, Caller("eve", 1001, None, None, role)) as engine:
        with engine.parts.ops.begin() as connection:
            connection.execute(insert(accounts).values(ACCOUNT))
        client = engine.client
        answers = (
            await client.get("/q/snapshot/clouds"),
            await client.post("/q/snapshot/clouds/east", json={}),
            await client.delete("/q/snapshot/clouds/east"),
            await client.get("/q/grants"),
            await client.delete("/q/grants/none"),
        )
        assert tuple(answer.status_code for answer in answers) == statuses
