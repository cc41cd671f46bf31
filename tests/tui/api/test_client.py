"""Clients and the engine they find: started when none answers, followed over restarts, refused when squatted."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.process.models import Exit, Home
from tests.engine.process.running import ROOT, Engine, engine, is_alive, temporary_home, wait_for
from tests.engine.process.users import needs_root, squatter
from tui.api import discovery
from tui.api.client import ApiError, EngineClient, EngineUnavailable, ProtocolMismatch, SyncClient
from tui.api.target import Target
from tui.cli.options import GlobalOptions


@pytest.fixture(scope="module")
def running() -> Iterator[Engine]:
    with engine() as one:
        yield one


@pytest.fixture
def home() -> Iterator[Home]:
    with temporary_home() as found:
        found.path.mkdir(mode=0o700)
        yield found


def options(home: Home) -> GlobalOptions:
    return GlobalOptions(home=home.path)


def test_a_client_of_a_running_engine(running: Engine) -> None:
    with SyncClient.connect(options(running.home)) as client:
        assert client.get("/who")["pid"] == os.getpid()
        assert client.post("/count")["posts"] + 1 == client.post("/count")["posts"]
        with pytest.raises(ApiError) as caught:
            client.get("/nowhere")
        assert caught.value.status == 404
        assert client.get("/q/engine")["state"] == "running", "the connection is good for more after an error"


async def test_requests_run_side_by_side(running: Engine) -> None:
    async with await EngineClient.connect(options(running.home)) as client:
        began = time.monotonic()
        await asyncio.gather(*(client.get("/slow", {"seconds": 0.5}) for _ in range(8)))
        assert time.monotonic() - began < 3
        assert len(client._idle) <= 4


async def test_a_cancelled_request_does_not_answer_the_next(running: Engine) -> None:
    async with await EngineClient.connect(options(running.home)) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.get("/slow", {"seconds": 5})
        assert (await client.get("/who"))["pid"] == os.getpid()


async def test_changes_are_followed(running: Engine) -> None:
    async with await EngineClient.connect(options(running.home)) as client:
        found = client.changes()
        waiting = asyncio.ensure_future(anext(found))
        await asyncio.sleep(0.3)  # so that it waits
        await client.post("/publish")
        async with asyncio.timeout(10):
            assert await waiting == [{"topic": "engine", "note": "test"}]
        await found.aclose()


async def test_reads_survive_the_worker(running: Engine) -> None:
    async with await EngineClient.connect(options(running.home)) as client:
        before = (await client.get("/who"))["server"]
        waiting = [asyncio.ensure_future(client.get("/slow", {"seconds": 1})) for _ in range(3)]
        await asyncio.sleep(0.3)  # so that they are on their way
        os.kill(before, signal.SIGKILL)
        servers = {answer["server"] for answer in await asyncio.gather(*waiting)}
        assert before not in servers
        with pytest.raises(EngineUnavailable, match="not known"):
            await client.post("/die")


def test_no_engine_is_said_with_what_to_do(home: Home) -> None:
    with pytest.raises(EngineUnavailable, match="qdeck engine start"):
        SyncClient.connect(options(home), start=False)
    with pytest.raises(EngineUnavailable, match=r"/nowhere/e\.sock"):
        SyncClient.connect(GlobalOptions(engine="/nowhere/e.sock"))


def test_why_the_last_one_failed_is_told(home: Home) -> None:
    home.config.write_text("[engine\n")
    with pytest.raises(EngineUnavailable, match="line 1") as caught:
        SyncClient.connect(options(home))
    assert caught.value.code == Exit.CONFIGURATION
    with pytest.raises(EngineUnavailable, match=r"the last one failed: .*line 1"):
        SyncClient.connect(options(home), start=False)


@needs_root
async def test_a_squatted_socket_is_refused_and_hears_nothing(home: Home) -> None:
    with squatter(home.socket) as heard:
        with pytest.raises(EngineUnavailable, match=r"64003.*taken the engine's place"):
            SyncClient.connect(options(home))
        with pytest.raises(EngineUnavailable, match="taken the engine's place"):
            await EngineClient.connect(options(home))
        assert heard() == b""


@pytest.fixture
def pretender(tmp_path: Path) -> Iterator[Callable[[bytes], Path]]:
    """A server of our own user that answers every connection with the given bytes."""
    servers: list[socket.socket] = []

    def start(answer: bytes) -> Path:
        path = Path(f"/tmp/qd-{os.getpid()}-{len(servers)}-{time.monotonic_ns()}.sock")
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(path))
        server.listen()
        servers.append(server)

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    if connection.recv(65536):
                        connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        return path

    yield start
    for server in servers:
        Path(server.getsockname()).unlink()
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def http(status: int, body: Any, **headers: str) -> bytes:
    data = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", "content-type: application/json", f"content-length: {len(data)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


async def test_engines_of_other_releases(pretender: Callable[[bytes], Path]) -> None:
    for protocol, advice in (("0", "qdeck engine restart"), ("9", r"install qdeck 9\.9")):
        path = pretender(http(200, {"items": []}, x_qdeck_protocol=protocol, x_qdeck_version="9.9"))
        with (
            SyncClient.connect(GlobalOptions(engine=str(path))) as client,
            pytest.raises(ProtocolMismatch, match=advice),
        ):
            client.get("/q/clouds")
        async with await EngineClient.connect(GlobalOptions(engine=str(path))) as other:
            with pytest.raises(ProtocolMismatch, match=advice):
                await other.get("/q/clouds")


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n" * 5000, b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"])
def test_what_is_no_engine(pretender: Callable[[bytes], Path], answer: bytes) -> None:
    path = pretender(answer)
    with (
        SyncClient.connect(GlobalOptions(engine=str(path))) as client,
        pytest.raises(EngineUnavailable, match="no engine"),
    ):
        client.get("/q/clouds")


def test_an_engine_that_never_answers(pretender: Callable[[bytes], Path]) -> None:
    path = pretender(b"")
    with socket.socket(socket.AF_UNIX) as silent:
        silent_path = f"{path}.silent"
        silent.bind(silent_path)
        silent.listen()
        try:
            client = SyncClient.connect(GlobalOptions(engine=silent_path))
            with client, pytest.raises(EngineUnavailable, match=r"within 0\.2 s"):
                client.request("GET", "/q/clouds", seconds=0.2)
        finally:
            Path(silent_path).unlink()


def with_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start engines with the tiny application."""
    real = discovery.command
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(
        discovery, "command", lambda target: [*real(target), "--application", "tests.engine.process.tiny"]
    )


def end(home: Home) -> None:
    pid = discovery.last_words(home)["pid"]
    os.kill(pid, signal.SIGTERM)
    for process in discovery._started:
        process.wait(20)
    discovery._started.clear()
    wait_for(lambda: not discovery.locked(home))


def test_an_engine_is_started_and_a_strangers_file_is_not_it(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files in the current folder that are called like ours never run."""
    trap = tmp_path / "trapped"
    for name in ("engine.py", "store.py", "json.py", "sitecustomize.py"):
        (tmp_path / name).write_text(f"open({str(trap)!r}, 'w').write(__name__)\nraise SystemExit(9)\n")
    monkeypatch.chdir(tmp_path)
    with_tiny(monkeypatch)
    said: list[str] = []
    with SyncClient.connect(options(home), said.append) as client:
        assert client.get("/text")["cwd"] == "/"
        worker = client.get("/q/engine")["worker_pid"]
    end(home)
    assert not trap.exists()
    assert not is_alive(worker)
    assert all("start" in sentence for sentence in said)


def test_a_strangers_file_does_not_run_under_the_real_command(tmp_path: Path) -> None:
    """The command line as it is, up to the refusal of a broken configuration: a full start is the faults' part."""
    (tmp_path / "engine.py").write_text("raise SystemExit('trapped')\n")
    with temporary_home() as home:
        home.path.mkdir(mode=0o700)
        home.config.write_text("[engine\n")
        words = discovery.command(Target(socket=home.socket, home=home))
        assert words[1] == "-P" and Path(words[0]).is_absolute()
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == Exit.CONFIGURATION
    assert "trapped" not in done.stdout + done.stderr


@pytest.mark.faults
def test_clients_that_start_at_once_share_one_engine(home: Home) -> None:
    code = (
        "import sys; from pathlib import Path; from tui.api import discovery; from tui.api.client import SyncClient\n"
        "from tui.cli.options import GlobalOptions\n"
        "real = discovery.command\n"
        "discovery.command = lambda target: [*real(target), '--application', 'tests.engine.process.tiny']\n"
        "with SyncClient.connect(GlobalOptions(home=Path(sys.argv[1]))) as client:\n"
        "    print(client.get('/q/engine')['pid'])\n"
    )
    clients = [
        subprocess.Popen([sys.executable, "-c", code, str(home.path)], stdout=subprocess.PIPE, text=True,
                         env={**os.environ, "PYTHONPATH": str(ROOT)})
        for _ in range(4)
    ]  # fmt: skip
    found = [client.communicate(timeout=60)[0] for client in clients]
    pids = {int(text) for text in found}
    assert len(pids) == 1, found
    os.kill(pids.pop(), signal.SIGTERM)
    wait_for(lambda: not discovery.locked(home))


@pytest.mark.faults
async def test_an_engine_that_died_is_started_again_and_one_that_was_stopped_is_not(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_tiny(monkeypatch)
    async with await EngineClient.connect(options(home)) as client:
        first = await client.get("/q/engine")
        os.kill(first["pid"], signal.SIGKILL)
        os.kill(first["worker_pid"], signal.SIGKILL)
        client._start_after = 0.0
        second = await client.get("/q/engine")
        assert second["pid"] != first["pid"]
        await client.post("/q/engine/stop")
        await asyncio.to_thread(wait_for, lambda: not discovery.locked(home))
        client._start_after = 0.0
        with pytest.raises(EngineUnavailable, match="was stopped"):
            await client.get("/q/engine")
    discovery._started.clear()


def test_a_client_starts_with_little(running: Engine) -> None:
    code = (
        "import sys; from tui.api.client import SyncClient; from tui.cli.options import GlobalOptions; "
        "from pathlib import Path\n"
        "with SyncClient.connect(GlobalOptions(home=Path(sys.argv[1]))) as c: c.get('/q/engine')\n"
        "print(' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(running.home.path)], capture_output=True, text=True, check=True, timeout=30
    )
    loaded = set(done.stdout.split())
    heavy = {"asyncio", "ssl", "http.client", "httpx", "h11", "pydantic", "subprocess", "typer", "textual", "email"}
    assert not loaded & heavy
