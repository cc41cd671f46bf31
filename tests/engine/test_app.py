"""The engine as a whole, in this process: documented routes are served, none hides another, callers are known."""

import os
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi.routing import APIRoute

from engine.access.models import ENGINE, Caller
from engine.api.shadowing import shadowed
from engine.app import create_app, open_engine
from engine.embedded import Engine
from engine.process.control import Control
from engine.process.models import Home
from engine.process.status import Status
from engine.settings.loading import SettingsError
from store.estate.errors import EstateError
from store.types.actions import ACTIONS

SUPERADMIN = Caller("ops", 1000, None, None, "superadmin")
VIEWER = Caller("eve", 1001, None, None, "viewer")

DOCUMENTED = [
    "/auth/login", "/domains", "/projects", "/tenants", "/servers", "/volumes", "/volumes/{volume_id}/metadata",
    "/volumes/metadata/bulk", "/snapshots", "/networks", "/subnets", "/ports", "/floatingips", "/security-groups",
    "/security-groups/{sg_id}", "/security-group-rules", "/flavors", "/images", "/hypervisors", "/users",
    "/users/{user_id}",
    "/roles", "/roles/{role_id}", "/role-assignments", "/user-activity-summary", "/health", "/metrics", "/api/metrics",
    "/api/logs", "/admin/networks", "/admin/networks/{network_id}", "/admin/security-groups",
    "/admin/security-groups/{sg_id}", "/admin/security-group-rules", "/admin/security-group-rules/{rule_id}",
    "/admin/flavors", "/admin/flavors/{flavor_id}",
]  # fmt: skip


@pytest.fixture
async def viewed(tmp_path: Path) -> AsyncIterator[Engine]:
    """An empty engine, asked by a viewer."""
    async with Engine.open(tmp_path, VIEWER) as engine:
        yield engine


def test_documented_routes_are_served_and_none_hides_another(tmp_path: Path) -> None:
    parts = open_engine(Home.at(tmp_path))
    try:
        app = create_app(parts, Control(Status(home="", socket=""), lambda event: None))
    finally:
        parts.close()
    from fastapi.routing import iter_route_contexts

    served = {route.path for route in iter_route_contexts(app.routes)}
    assert not set(DOCUMENTED) - served
    assert shadowed(app) == []


async def test_space_is_kept_back_and_health_says_when_it_is_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "qdeck.toml").write_text("[storage]\nreserve_mb = 1\n")
    async with Engine.open(tmp_path, SUPERADMIN) as engine:
        assert (tmp_path / "ops.reserve").stat().st_size == 1024 * 1024
        kept = (await engine.client.get("/q/engine")).json()["reserve"]
        assert kept == {"state": "held", "megabytes": 1, "problem": None}
        assert (await engine.client.get("/health")).status_code == 200
        monkeypatch.setattr(os, "fstatvfs", lambda descriptor: SimpleNamespace(f_bavail=0, f_frsize=1))
        assert engine.parts.ops.relieve()
        health = await engine.client.get("/health")
        assert health.status_code == 503 and "nothing new is begun" in health.json()["detail"]
        assert (await engine.client.get("/q/engine")).json()["reserve"]["state"] == "given_up"
        monkeypatch.undo()
        assert (await engine.client.get("/health")).status_code == 200


def test_a_route_without_permission_keeps_the_engine_from_starting(tmp_path: Path) -> None:
    parts = open_engine(Home.at(tmp_path))
    try:
        app = create_app(parts, Control(Status(home="", socket=""), lambda event: None))
        app.router.routes.append(APIRoute("/secret-door", lambda: None, methods=["GET"]))
        with pytest.raises(RuntimeError, match="/secret-door"):
            parts.access.check_routes(app)
    finally:
        parts.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/servers", 200),
        ("GET", "/q/clouds", 200),
        ("GET", "/security-groups/nope", 404),
        ("GET", "/servers?page_size=0", 422),
        ("GET", "/servers?sort_by=nope", 400),
        ("POST", "/q/clouds", 403),
        ("POST", "/q/engine/stop", 403),
        ("GET", "/api/logs", 403),
    ],
)
async def test_a_viewer_reads_and_changes_nothing(viewed: Engine, method: str, path: str, status: int) -> None:
    body = {"account": "x"} if method == "POST" else None
    answer = await viewed.client.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert isinstance(answer.json()["detail"], str)


async def test_one_engine_per_process(viewed: Engine, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="already"):
        async with Engine.open(tmp_path / "other", SUPERADMIN):
            pass


async def test_parts_that_opened_are_closed_when_a_later_one_fails(tmp_path: Path) -> None:
    (tmp_path / "qdeck.toml").write_text("[collection]\ninterval_minutes = 'often'\n")
    with pytest.raises(SettingsError, match=r"qdeck\.toml"):
        open_engine(Home.at(tmp_path))
    (tmp_path / "qdeck.toml").unlink()
    (tmp_path / "estate.duckdb").write_bytes(b"not a database" * 100)
    with pytest.raises(EstateError, match=r"estate\.duckdb"):
        open_engine(Home.at(tmp_path))
    (tmp_path / "estate.duckdb").unlink()
    async with Engine.open(tmp_path, SUPERADMIN) as engine:
        assert (await engine.client.get("/q/engine")).json()["clouds"] == []


def test_every_declared_action_can_be_carried_out(tmp_path: Path) -> None:
    parts = open_engine(Home.at(tmp_path))
    with closing(parts):
        assert [action["id"] for action in parts.gate.actions(ENGINE)] == list(ACTIONS)
