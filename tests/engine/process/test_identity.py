"""Who asks, by the kernel's word: as three users of the host, behind sudo, and on a private and a shared engine."""

from __future__ import annotations

import asyncio
import contextlib
import grp
import json
import os
import pwd
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from engine.process.models import PEER
from engine.process.peers import NO_LOGIN, Peer, peer_of, read_login_uid
from engine.process.protocol import socket_protocol
from tests.engine.process.running import Engine, engine, temporary_home
from tests.engine.process.users import OTHER, STRANGER, as_user, ask, needs_root


def open_to_all(one: Engine) -> Path:
    """Take away what the file system refuses, so that only the engine's own rule is left."""
    for folder in (one.home.path.parent, one.home.path):
        folder.chmod(0o711)
    one.home.socket.chmod(0o666)
    return one.home.socket


@pytest.fixture(scope="module")
def private() -> Iterator[Engine]:
    with engine() as one:
        yield one


@pytest.fixture(scope="module")
def shared() -> Iterator[Engine]:
    """An engine shared by a group of the host, with roles for two users that every host has."""
    with temporary_home() as home:
        home.path.mkdir(mode=0o700)
        home.config.write_text(
            f'[engine]\ngroup = "{grp.getgrgid(1).gr_name}"\n'
            f'[access.users.{pwd.getpwuid(1).pw_name}]\nrole = "viewer"\n'
            f'[access.users.{pwd.getpwuid(2).pw_name}]\nrole = "admin"\nclouds = ["two"]\n'
        )
        with engine(home=home) as one:
            for folder in (home.path.parent, home.path):
                folder.chmod(0o711)
            yield one


def test_the_own_user_is_known(private: Engine) -> None:
    found = private.get("/who")
    assert (found["uid"], found["pid"], found["role"]) == (os.getuid(), os.getpid(), "superadmin")


def test_a_private_socket_is_its_owners_alone(private: Engine) -> None:
    assert private.home.socket.stat().st_mode & 0o777 == 0o600
    assert private.home.path.stat().st_mode & 0o077 in (0, 0o011)
    private_files = [path for path in private.home.path.iterdir() if path.is_file()]
    assert {path.stat().st_mode & 0o077 for path in private_files} == {0}


@needs_root
@pytest.mark.parametrize("uid", [STRANGER, OTHER])
@pytest.mark.parametrize("target", ["/who", "/q/engine", "/no/such/route", "/health"])
def test_strangers_are_refused_before_any_route(private: Engine, uid: int, target: str) -> None:
    path = open_to_all(private)
    status, body = as_user(lambda: ask(path, target), uid)
    assert status == 403
    assert "answers nobody else" in body["detail"]


@needs_root
def test_a_strangers_stop_is_refused(private: Engine) -> None:
    path = open_to_all(private)
    assert as_user(lambda: ask(path, "/q/engine/stop", "POST"), STRANGER)[0] == 403
    assert private.get("/who")["role"] == "superadmin"


@needs_root
def test_the_file_system_refuses_strangers_first(private: Engine) -> None:
    private.home.socket.chmod(0o600)
    path = private.home.socket
    assert "PermissionError" in as_user(lambda: ask(path), STRANGER)


@needs_root
def test_three_users_of_a_shared_engine_have_their_roles(shared: Engine) -> None:
    path, group = shared.home.socket, grp.getgrgid(1).gr_gid
    assert path.stat().st_mode & 0o777 == 0o660
    assert path.stat().st_gid == group

    def who() -> Any:
        return ask(path)

    status, viewer = as_user(who, 1, groups=(group,))
    assert (status, viewer["uid"], viewer["name"], viewer["role"]) == (200, 1, pwd.getpwuid(1).pw_name, "viewer")
    status, admin = as_user(who, 2, groups=(group,))
    assert (status, admin["uid"], admin["role"]) == (200, 2, "admin")
    status, refused = as_user(who, 3, groups=(group,))
    assert status == 403
    assert pwd.getpwuid(3).pw_name in refused["detail"]
    assert "PermissionError" in as_user(who, 3)


@needs_root
def test_roles_decide_about_the_engine_itself(shared: Engine) -> None:
    path, group = shared.home.socket, grp.getgrgid(1).gr_gid
    assert as_user(lambda: ask(path, "/q/engine/stop", "POST"), 1, groups=(group,))[0] == 403
    status, seen = as_user(lambda: ask(path, "/q/engine"), 2, groups=(group,))
    assert status == 200
    assert seen["clouds"] == [{"name": "two"}]
    assert len(as_user(lambda: ask(path, "/q/engine"), 1, groups=(group,))[1]["clouds"]) == 2


@needs_root
def test_sudo_is_shown_with_its_login_user(private: Engine) -> None:
    path = private.home.socket

    def after_login() -> Any:
        Path("/proc/self/loginuid").write_text(str(STRANGER))  # as pam_loginuid does at login
        return ask(path)

    found = as_user(after_login, 0)
    if isinstance(found, str):
        pytest.skip(f"this kernel lets nobody set a login uid here: {found}")
    status, body = found
    assert (status, body["uid"], body["login_uid"]) == (200, 0, STRANGER)


@pytest.fixture
async def faked(tmp_path: Path) -> Any:
    """A server whose peers' login uids are given by a list, and its socket."""
    logins: list[int | None] = []
    path = tmp_path / "s"

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
        await send({"type": "http.response.body", "body": json.dumps(scope["extensions"][PEER]).encode()})

    def identify(connection: Any) -> Peer:
        return peer_of(connection, lambda pid, uid: logins[0])

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    config = uvicorn.Config(
        app, http=socket_protocol(shared=True, identify=identify), lifespan="off", log_config=None, ws="none"
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[assignment]
    task = asyncio.create_task(server.serve([listener]))
    while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
        await asyncio.sleep(0.01)
    yield path, logins
    server.should_exit = True
    await task


@pytest.mark.parametrize("login", [64001, None])
async def test_the_login_uid_stands_beside_the_uid(faked: Any, login: int | None) -> None:
    path, logins = faked
    logins.append(login)
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    body = (await reader.read()).partition(b"\r\n\r\n")[2]
    writer.close()
    start, end = body.index(b"{"), body.rindex(b"}")
    assert json.loads(body[start : end + 1]) == {"uid": os.getuid(), "login_uid": login, "pid": os.getpid()}


def test_login_uids_that_mean_none(tmp_path: Path) -> None:
    own = Path("/proc/self/loginuid")
    if own.exists():
        expected = int(own.read_text())
        assert read_login_uid(os.getpid(), os.getuid()) == (None if expected == NO_LOGIN else expected)
    assert read_login_uid(os.getpid(), 64001) is None, "another user's process took the number over"
    assert read_login_uid(2**22 + 1, 0) is None, "no such process"


def test_broken_requests_are_answered_and_end_nothing(private: Engine) -> None:
    for garbage in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"POST /who HTTP/1.1\r\ncontent-length: x\r\n\r\n"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(private.home.socket))
            connection.sendall(garbage + b"\r\n\r\n")
            assert connection.recv(64).startswith(b"HTTP/1.1 4")
    assert private.get("/who")["role"] == "superadmin"
