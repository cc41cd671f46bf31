"""Login, tokens, API keys and users over TCP, against the documented request and answer."""

from __future__ import annotations

import base64
import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import jwt
import pytest
from sqlalchemy import select

from engine.access import passwords
from engine.access.tokens import TokenService
from engine.access.users import UserService
from store import times
from store.ops import tables
from store.ops.errors import OpsDiskFull, OpsError
from store.ops.reserve import MEGABYTE, Reserve
from tests.engine.api.furniture import Furniture, configured, quick_hashes

PASSWORD = "correct horse"


@pytest.fixture(autouse=True, scope="module")
def hashes():
    with quick_hashes():
        yield


@pytest.fixture
def engine(tmp_path: Path):
    made = Furniture(tmp_path)
    made.users.create("admin", PASSWORD, "superadmin", by="test")
    made.users.create("vera", PASSWORD, "viewer", by="test", clouds=["prod"])
    yield made
    made.close()


async def log_in(engine: Furniture, username: str = "admin", password: str = PASSWORD, address: str = "192.0.2.1"):
    async with engine.tcp(address=address) as client:
        return await client.post("/auth/login", json={"username": username, "password": password})


async def test_the_documented_answer(engine: Furniture) -> None:
    before = times.utcnow().replace(microsecond=0)
    answer = await log_in(engine)
    found = answer.json()
    assert answer.status_code == 200
    assert set(found) == {"access_token", "token_type", "expires_in", "expires_at", "user"}
    assert (found["token_type"], found["expires_in"]) == ("bearer", 28800)
    assert found["user"] == {"username": "admin", "role": "superadmin", "is_active": True}
    assert before + timedelta(hours=8) <= times.parse(found["expires_at"]) <= times.utcnow() + timedelta(hours=8)
    assert found["expires_at"].endswith("Z") and "." not in found["expires_at"]
    assert jwt.get_unverified_header(found["access_token"])["alg"] == "HS256"


async def test_the_token_opens_the_api_with_the_role_and_scope_of_its_user(engine: Furniture) -> None:
    token = (await log_in(engine, "vera")).json()["access_token"]
    async with engine.tcp(token) as client:
        found = (await client.get("/q/whoami")).json()
        assert (found["name"], found["role"], found["clouds"], found["via"]) == ("vera", "viewer", ["prod"], "tcp")
        assert (await client.get("/q/tokens")).status_code == 403


@pytest.mark.parametrize(
    ("username", "password"), [("admin", "wrong"), ("nobody", PASSWORD), ("admin'--", PASSWORD), ("ADMIN", PASSWORD)]
)
async def test_wrong_logins_all_look_the_same(engine: Furniture, username: str, password: str) -> None:
    answer = await log_in(engine, username, password)
    assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid username or password"})
    record = engine.audit.page(action="auth.login")[1][0]
    assert (record["actor"], record["outcome"]) == (username, "refused")
    assert record["detail"]["address"] == "192.0.2.1" and password not in json.dumps(record["detail"])


async def test_an_unknown_name_costs_a_hash_too(engine: Furniture, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    real = passwords._hasher()

    class Watched:
        def verify(self, kept: str, password: str) -> bool:
            checked.append(kept)
            return real.verify(kept, password)

        def __getattr__(self, name: str):
            return getattr(real, name)

    monkeypatch.setattr(passwords, "_hasher", lambda: Watched())
    for username in ("nobody", "admin"):
        await log_in(engine, username, "wrong")
    assert len(checked) == 2 and checked[0] != checked[1]


async def test_an_inactive_user_is_out_at_once(engine: Furniture) -> None:
    token = (await log_in(engine, "vera")).json()["access_token"]
    engine.users.change("vera", "test", {"is_active": False})
    async with engine.tcp(token) as client:
        assert (await client.get("/q/whoami")).status_code == 401
    assert (await log_in(engine, "vera")).status_code == 401


async def test_logout_makes_the_token_worthless_but_no_other(engine: Furniture) -> None:
    tokens = [(await log_in(engine)).json()["access_token"] for _ in range(2)]
    async with engine.tcp(tokens[0]) as client:
        assert (await client.post("/auth/logout")).json() == {"detail": "Logged out"}
        answer = await client.get("/q/whoami")
    assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    async with engine.tcp(tokens[1]) as client:
        assert (await client.get("/q/whoami")).status_code == 200


async def test_a_new_password_ends_every_login(engine: Furniture) -> None:
    token = (await log_in(engine, "vera")).json()["access_token"]
    async with engine.embedded() as client:
        assert (await client.put("/q/users/vera", json={"password": "another one"})).status_code == 200
    async with engine.tcp(token) as client:
        assert (await client.get("/q/whoami")).status_code == 401
    assert (await log_in(engine, "vera")).status_code == 401
    assert (await log_in(engine, "vera", "another one")).status_code == 200


async def test_a_changed_role_counts_at_the_next_request(engine: Furniture) -> None:
    token = (await log_in(engine, "vera")).json()["access_token"]
    engine.users.change("vera", "test", {"role": "admin", "clouds": None})
    async with engine.tcp(token) as client:
        found = (await client.get("/q/whoami")).json()
    assert (found["role"], found["clouds"]) == ("admin", None)


async def test_logout_without_a_login_says_so(engine: Furniture) -> None:
    async with engine.socket() as client:
        answer = await client.post("/auth/logout")
    assert answer.status_code == 400 and "no login to end" in answer.json()["detail"]


async def test_a_token_ends_with_its_time(engine: Furniture) -> None:
    now = [datetime(2026, 2, 8, 9, 0, tzinfo=UTC)]
    tokens = TokenService(engine.ops, engine.settings.current, engine.home, clock=lambda: now[0])
    users = UserService(engine.ops, tokens, clock=lambda: now[0])
    found = users.log_in("admin", PASSWORD, None, None)
    assert found["expires_at"] == datetime(2026, 2, 8, 17, 0, tzinfo=UTC)
    now[0] += timedelta(hours=8, seconds=-1)
    assert tokens.caller_of(found["access_token"]).name == "admin"
    assert tokens.active_sessions() == 1
    now[0] += timedelta(seconds=1)
    with pytest.raises(Exception, match="Not authenticated"):
        tokens.caller_of(found["access_token"])
    assert tokens.active_sessions() == 0


def _forged(token: str, **changes: object) -> list[str]:
    head, body, mark = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    unsigned = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).decode().rstrip("=")
    other = base64.urlsafe_b64encode(json.dumps({**claims, **changes}).encode()).decode().rstrip("=")
    return [
        f"{head}.{other}.{mark}",
        f"{unsigned}.{other}.",
        jwt.encode({**claims, **changes}, "x" * 64, "HS256"),
        f"{head}.{body}.{mark[:-2]}",
        f"{head}.{body}",
        "",
        "qdk_",
        "qdk_" + "A" * 43,
        "\x00" * 10,
        "a.b.c",
        token * 50,
    ]


async def test_forged_tokens_are_refused(engine: Furniture) -> None:
    token = (await log_in(engine, "vera")).json()["access_token"]
    for forged in _forged(token, sub="admin"):
        with pytest.raises(Exception, match="Not authenticated"):
            engine.access.tokens.caller_of(forged)


async def test_two_credentials_are_worth_none(engine: Furniture) -> None:
    token = (await log_in(engine)).json()["access_token"]
    async with engine.tcp(token) as client:
        answer = await client.get("/q/whoami", headers={"X-API-Key": "qdk_x"})
    assert answer.status_code == 401


async def test_no_token_is_accepted_while_the_database_cannot_be_read(
    engine: Furniture, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = (await log_in(engine)).json()["access_token"]

    def broken():
        raise OpsError("the operations database cannot be read")

    monkeypatch.setattr(engine.ops, "read", broken)
    async with engine.tcp(token) as client:
        answer = await client.get("/q/whoami")
    assert (answer.status_code, answer.json()) == (503, {"detail": "the operations database cannot be read"})


def test_the_signing_key_is_private_and_kept(engine: Furniture) -> None:
    first = engine.access.tokens._signing_key()
    file = engine.home / "signing.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and len(first) >= 32
    again = TokenService(engine.ops, engine.settings.current, engine.home)
    assert again._signing_key() == first
    file.chmod(0o640)
    with pytest.raises(Exception, match=r"can be read by others \(mode 0640\); run: chmod 600"):
        TokenService(engine.ops, engine.settings.current, engine.home)._signing_key()


def test_the_signing_key_by_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = configured(tmp_path, '[engine.tcp]\nsigning_key = "env:QDECK_TEST_KEY"\n')
    monkeypatch.setenv("QDECK_TEST_KEY", "k" * 40)
    assert made.access.tokens._signing_key() == b"k" * 40
    assert not (tmp_path / "signing.key").exists()
    monkeypatch.setenv("QDECK_TEST_KEY", "short")
    with pytest.raises(Exception, match="at least 32 bytes"):
        TokenService(made.ops, made.settings.current, tmp_path)._signing_key()
    made.close()


# -- rate limits ------------------------------------------------------------------------------------------------


async def test_ten_logins_a_minute_and_address(engine: Furniture) -> None:
    answers = [await log_in(engine, "nobody", "wrong") for _ in range(11)]
    assert [a.status_code for a in answers] == [401] * 10 + [429]
    assert answers[0].headers["X-RateLimit-Limit"] == "10" and answers[0].headers["X-RateLimit-Remaining"] == "9"
    assert 0 < int(answers[10].headers["Retry-After"]) <= 60
    assert (await log_in(engine, address="192.0.2.99")).status_code == 200


async def test_a_hundred_requests_a_minute_and_token(engine: Furniture) -> None:
    tokens = [engine.access.tokens.create_key(f"k{n}", "viewer", "x")[1] for n in range(2)]
    async with engine.tcp(tokens[0]) as client:
        answers = [await client.get("/q/whoami") for _ in range(101)]
    assert [a.status_code for a in answers] == [200] * 100 + [429]
    assert [int(a.headers["X-RateLimit-Remaining"]) for a in answers[:3]] == [99, 98, 97]
    assert "100 a minute" in answers[100].json()["detail"]
    async with engine.tcp(tokens[1]) as client:
        assert (await client.get("/q/whoami")).status_code == 200


async def test_never_on_the_socket(engine: Furniture) -> None:
    async with engine.socket() as client:
        for _ in range(12):
            answer = await client.post("/auth/login", json={"username": "nobody", "password": "wrong"})
            assert answer.status_code == 401
        answers = [await client.get("/q/whoami") for _ in range(120)]
    assert {a.status_code for a in answers} == {200}
    assert "X-RateLimit-Limit" not in answers[0].headers


# -- API keys ---------------------------------------------------------------------------------------------------


async def test_an_api_key_from_its_making_to_its_end(engine: Furniture) -> None:
    async with engine.embedded() as admin:
        made = (await admin.post("/q/tokens", json={"name": "ci", "role": "operator", "clouds": ["prod"]})).json()
        token = made.pop("token")
        assert token.startswith("qdk_") and made["expires_at"] is None
        listed = await admin.get("/q/tokens")
        assert token not in listed.text and "hash" not in listed.text
        for headers in ({"Authorization": f"Bearer {token}"}, {"X-API-Key": token}):
            async with engine.tcp() as client:
                found = (await client.get("/q/whoami", headers=headers)).json()
            assert (found["name"], found["role"], found["clouds"]) == ("ci", "operator", ["prod"])
        assert (await admin.get("/q/tokens")).json()["items"][0]["last_used_at"] is not None
        assert (await admin.delete(f"/q/tokens/{made['id']}")).json()["revoked_at"] is not None
    async with engine.tcp(token) as client:
        assert (await client.get("/q/whoami")).status_code == 401
    raw = b"".join(path.read_bytes() for path in engine.home.glob("ops.sqlite*"))
    assert token.encode() not in raw


def test_an_api_key_expires(engine: Furniture) -> None:
    now = [datetime(2026, 2, 8, tzinfo=UTC)]
    tokens = TokenService(engine.ops, engine.settings.current, engine.home, clock=lambda: now[0])
    _, key = tokens.create_key("short", "viewer", "x", expires_days=1)
    assert tokens.caller_of(key).role == "viewer"
    now[0] += timedelta(days=1)
    with pytest.raises(Exception, match="Not authenticated"):
        tokens.caller_of(key)


def test_an_api_key_on_a_full_disk(engine: Furniture, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is good, it can be revoked, and no other is made."""
    made, key = engine.access.tokens.create_key("ci", "viewer", "x")
    engine.ops.reserve = Reserve(engine.home / "ops.reserve", MEGABYTE)
    assert engine.ops.reserve.make() is None
    monkeypatch.setattr(os, "fstatvfs", lambda descriptor: SimpleNamespace(f_bavail=0, f_frsize=1))
    assert engine.ops.relieve()
    assert engine.access.tokens.caller_of(key).name == "ci"
    with pytest.raises(OpsDiskFull, match="nothing new is begun"):
        engine.access.tokens.create_key("other", "viewer", "x")
    assert engine.access.tokens.revoke_key(made["id"])["revoked_at"] is not None
    with pytest.raises(Exception, match="Not authenticated"):
        engine.access.tokens.caller_of(key)


# -- users ------------------------------------------------------------------------------------------------------


async def test_users_from_making_to_removal(engine: Furniture) -> None:
    new = {"username": "otto", "password": PASSWORD, "role": "operator", "projects": ["p"]}
    async with engine.embedded() as admin:
        made = await admin.post("/q/users", json=new)
        assert made.status_code == 201 and made.json()["projects"] == ["p"] and "password" not in made.text
        again = await admin.post("/q/users", json=new)
        assert (again.status_code, again.json()["detail"]) == (409, "a user named otto exists already")
        names = [user["username"] for user in (await admin.get("/q/users")).json()["items"]]
        assert names == ["admin", "otto", "vera"]
        assert (await admin.delete("/q/users/otto")).status_code == 204
        for answer in (await admin.delete("/q/users/otto"), await admin.put("/q/users/otto", json={})):
            assert (answer.status_code, answer.json()["detail"]) == (404, "no user is named otto")
    actions = [(r["action"], r["target"]) for r in engine.audit.page(action="user.*")[1]]
    assert actions == [("user.remove", "otto"), ("user.create", "otto")]
    assert PASSWORD not in str(engine.audit.page()[1])


@pytest.mark.parametrize(
    "body",
    [
        {"username": "a b", "password": PASSWORD},
        {"username": "", "password": PASSWORD},
        {"username": "x\x1b[31m", "password": PASSWORD},
        {"username": "otto", "password": "short"},
        {"username": "otto", "password": PASSWORD, "role": "root"},
        {"username": "otto", "password": PASSWORD, "rol": "viewer"},
        {"username": "otto", "password": PASSWORD, "clouds": "prod"},
        {"username": "otto", "password": PASSWORD, "clouds": [""]},
        [],
    ],
)
async def test_bad_users_are_refused_with_the_reason(engine: Furniture, body: object) -> None:
    async with engine.embedded() as admin:
        answer = await admin.post("/q/users", json=body)
    assert answer.status_code == 422 and answer.json()["detail"].startswith("Invalid parameter: ")


async def test_an_admin_does_not_manage_users(engine: Furniture) -> None:
    key = engine.access.tokens.create_key("k", "admin", "x")[1]
    async with engine.tcp(key) as client:
        assert (await client.post("/q/users", json={"username": "eve", "password": PASSWORD})).status_code == 403


async def test_a_limited_superadmin_cannot_make_an_unlimited_one(engine: Furniture) -> None:
    key = engine.access.tokens.create_key("k", "superadmin", "x", clouds=["prod"])[1]
    async with engine.tcp(key) as client:
        answers = [
            await client.post("/q/users", json={"username": "eve", "password": PASSWORD, "role": "superadmin"}),
            await client.put("/q/users/vera", json={"clouds": None}),
            await client.delete("/q/users/admin"),
            await client.post("/q/tokens", json={"name": "eve"}),
            await client.delete(f"/q/tokens/{engine.access.tokens.keys()[0]['id']}"),
        ]
    assert [a.status_code for a in answers] == [403] * 5
    assert "limited to clouds, domains or projects" in answers[0].json()["detail"]
    assert [user["username"] for user in engine.users.users()] == ["admin", "vera"]


def test_old_hashes_are_renewed_at_login(engine: Furniture) -> None:
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=16, parallelism=2).hash(PASSWORD)
    with engine.ops.begin() as connection:
        connection.execute(tables.users.update().where(tables.users.c.username == "vera").values(password_hash=weak))
    engine.users.log_in("vera", PASSWORD, None, None)
    with engine.ops.read() as connection:
        kept = connection.scalar(select(tables.users.c.password_hash).where(tables.users.c.username == "vera"))
    assert kept != weak and passwords.verify_password(PASSWORD, kept)
