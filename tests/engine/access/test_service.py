"""Callers: by the kernel's word on the socket, by token over TCP; and routes that forgot to state a permission."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path

import pytest
from fastapi import APIRouter, Depends, FastAPI

from engine.access import service
from engine.access.models import Caller
from engine.access.service import CALLER, PEER
from engine.api.errors import Forbidden, NotAuthenticated
from tests.engine.api.furniture import Furniture, configured

ME = os.getuid()
STRANGER = 64_001


@pytest.fixture
def private(tmp_path: Path):
    made = Furniture(tmp_path)
    yield made
    made.close()


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A shared engine on a host with alice (ops), bob (no group of ours) and carol (by her own entry)."""
    people = {"alice": 5001, "bob": 5002, "carol": 5003}

    def by_uid(uid: int) -> pwd.struct_passwd:
        for name, known in people.items():
            if uid == known:
                return pwd.struct_passwd((name, "x", uid, uid, "", "/", "/bin/sh"))
        raise KeyError(uid)

    real = pwd.getpwuid
    monkeypatch.setattr(service.pwd, "getpwuid", lambda uid: real(uid) if uid == ME else by_uid(uid))
    monkeypatch.setattr(service.pwd, "getpwnam", lambda name: by_uid(people[name]))
    monkeypatch.setattr(service.os, "getgrouplist", lambda name, gid: [7001, 7002] if name == "alice" else [7002])
    names = {7001: "ops"}
    monkeypatch.setattr(service.grp, "getgrgid", lambda gid: grp.struct_group((names[gid], "x", gid, [])))
    made = configured(
        tmp_path,
        """
        [engine]
        group = "ops"
        [access.users.carol]
        role = "viewer"
        clouds = ["prod"]
        projects = ["p1", "p2"]
        [access.groups.ops]
        role = "operator"
        """,
    )
    yield made
    made.close()


def peer(uid: int, login_uid: int | None = None) -> dict:
    return {"extensions": {PEER: {"uid": uid, "login_uid": login_uid, "pid": 1}}}


def test_a_private_engine_answers_its_own_user_as_superadmin(private: Furniture) -> None:
    found = private.access.caller_of(peer(ME))
    assert (found.name, found.uid, found.role, found.via) == (pwd.getpwuid(ME).pw_name, ME, "superadmin", "socket")
    assert found.owner == f"uid:{ME}"


@pytest.mark.parametrize("uid", [uid for uid in (STRANGER, 0, 65534) if uid != ME])
def test_a_private_engine_answers_nobody_else(private: Furniture, uid: int) -> None:
    with pytest.raises(Forbidden, match="answers nobody else"):
        private.access.caller_of(peer(uid))


@pytest.mark.parametrize("none", [None, 0xFFFFFFFF, -1])
def test_no_login_uid_where_no_login_began_the_process(private: Furniture, none: int | None) -> None:
    assert private.access.caller_of(peer(ME, none)).login_uid is None


def test_roles_and_scopes_on_a_shared_engine(shared: Furniture) -> None:
    alice, carol = (shared.access.caller_of(peer(uid)) for uid in (5001, 5003))
    assert (alice.name, alice.role, alice.clouds) == ("alice", "operator", None)
    assert (carol.role, carol.clouds, carol.domains, carol.projects) == ("viewer", ("prod",), None, ("p1", "p2"))
    assert shared.access.caller_of(peer(ME)).role == "superadmin"


@pytest.mark.parametrize("uid", [5002, STRANGER, 2**31])
def test_a_shared_engine_refuses_who_has_no_role(shared: Furniture, uid: int) -> None:
    with pytest.raises(Forbidden, match=r"ask its administrator for a role in qdeck\.toml"):
        shared.access.caller_of(peer(uid))


async def test_sudo_hides_nobody(shared: Furniture) -> None:
    async with shared.socket(uid=ME, login_uid=5001) as client:
        assert (await client.get("/q/whoami")).json()["login_name"] == "alice"
        assert (await client.delete("/q/settings/logging.level")).status_code == 200
    record = shared.audit.page()[1][0]
    assert (record["uid"], record["login_uid"], record["login_name"]) == (ME, 5001, "alice")


async def test_a_peer_cannot_claim_another_identity_by_headers(shared: Furniture) -> None:
    key = shared.access.tokens.create_key("k", "superadmin", "x")[1]
    async with shared.socket(uid=5003) as client:
        answer = await client.get("/q/whoami", headers={"Authorization": f"Bearer {key}", "X-Forwarded-User": "root"})
    assert answer.json()["name"] == "carol"


def test_an_embedded_caller_is_taken_as_given(private: Furniture) -> None:
    given = Caller("test", role="operator", via="embedded")
    assert private.access.caller_of({"extensions": {CALLER: given}}) is given


@pytest.mark.parametrize("scope", [{}, {"extensions": None}, {"extensions": {"tls": {}}}, {"headers": []}])
def test_no_peer_and_no_token_is_nobody(private: Furniture, scope: dict) -> None:
    with pytest.raises(NotAuthenticated):
        private.access.caller_of(scope)


async def test_denial_names_the_permission(shared: Furniture) -> None:
    async with shared.socket(uid=5003) as client:
        answer = await client.get("/q/tokens")
    assert answer.status_code == 403
    assert answer.json() == {"detail": "Permission denied: requires users:admin"}


# -- routes that state no permission ----------------------------------------------------------------------------


def test_own_routes_all_state_a_permission(private: Furniture) -> None:
    private.access.check_routes(private.app)


def test_silent_routes_are_all_named(private: Furniture) -> None:
    inner, outer = APIRouter(), APIRouter()

    @inner.get("/silent/{a}")
    def silent(a: str) -> None: ...

    @inner.get("/stated", dependencies=[Depends(private.access.requires("servers:read"))])
    def stated() -> None: ...

    public = Depends(private.access.requires("public"))

    @inner.get("/nested", dependencies=[Depends(lambda caller=public: caller)])
    def nested() -> None: ...

    outer.include_router(inner, prefix="/v1")
    app = FastAPI()
    app.include_router(outer, prefix="/api")
    app.add_route("/plain", lambda request: None)
    with pytest.raises(RuntimeError) as refused:
        private.access.check_routes(app)
    words = str(refused.value)
    assert all(path in words for path in ("GET /api/v1/silent/{a}", "/plain", "/docs", "/openapi.json"))
    assert "/stated" not in words and "/nested" not in words


def test_a_permission_on_the_router_counts_for_its_routes(private: Furniture) -> None:
    router = APIRouter(dependencies=[Depends(private.access.requires("servers:read"))])

    @router.get("/x")
    def x() -> None: ...

    app = FastAPI(openapi_url=None)
    app.include_router(router)
    private.access.check_routes(app)


def test_a_slip_in_a_permission_fails_at_once(private: Furniture) -> None:
    with pytest.raises(ValueError, match="permission matrix"):
        private.access.requires("severs:read")
