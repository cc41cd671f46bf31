"""The line between the operator and the console: it drops, stalls, resizes and is slow; nothing is lost.

A real engine with a demo cloud, the real `qdeck` on pseudo-terminals.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.process.running import ROOT, wait_for
from tests.tui.line.demo import Demo, demo
from tests.tui.pty import Terminal, python
from tui.state import DEFAULT, History

pytestmark = pytest.mark.faults

QDECK = "from tui.cli.main import run; run()"
Start = Callable[..., Terminal]


@pytest.fixture(scope="module")
def engine() -> Iterator[Demo]:
    """One demo for all cases."""
    with demo(120) as one:
        yield one


@pytest.fixture
def start(engine: Demo, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Opens consoles on the engine; each is ended at the end."""
    monkeypatch.chdir(ROOT)
    opened: list[Terminal] = []

    def open_one(*before: str, size: tuple[int, int] = (100, 24), home: Path | None = None) -> Terminal:
        command = [*before, *python("-c", QDECK, "--engine", str(engine.socket))]
        opened.append(Terminal(command, *size, env={"QDECK_THEME": "dark", "HOME": str(home or "/nonexistent")}))
        return opened[-1]

    with engine.client() as client:  # each test begins at the list of servers
        client.put("/q/session-view", History([DEFAULT], 0).to_json(""))
    yield open_one
    for terminal in opened:
        terminal.close()


def cursor_line(terminal: Terminal) -> str:
    """The row under the cursor, as shown."""
    return next((line for line in terminal.lines if line.startswith("▸")), "")


def goes_to_volumes(terminal: Terminal, seconds: float = 15.0) -> str:
    """To a filtered, sorted list and a row in its middle; answers how that row looks."""
    terminal.until(lambda: cursor_line(terminal), seconds, "rows")
    terminal.press(*":volumes /data sort:size_gb:desc", "enter")
    terminal.until_text("volumes", "/data", seconds=seconds)
    terminal.until(lambda: cursor_line(terminal), seconds, "a cursor")
    first = cursor_line(terminal)
    terminal.press("j", "j", "j", "j")
    terminal.until(lambda: cursor_line(terminal) not in ("", first), seconds, "it moves")
    terminal.settle(0.4)
    return cursor_line(terminal)


def saved(engine: Demo) -> Any:
    """What the engine keeps of the operator's view."""
    with engine.client() as client:
        return client.get("/q/session-view")


def ended(terminal: Terminal, seconds: float = 5.0) -> int:
    """The exit code of a console whose terminal is gone."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pid, status = os.waitpid(terminal.pid, os.WNOHANG)
        if pid:
            terminal.status = os.waitstatus_to_exitcode(status)
            return terminal.status
        time.sleep(0.02)
    raise AssertionError("the console still runs without a terminal")


WAYS_TO_GO: dict[str, tuple[Callable[[Terminal], object], int | None]] = {
    "SIGHUP": (lambda terminal: os.kill(terminal.pid, signal.SIGHUP), 129),
    "SIGTERM": (lambda terminal: os.kill(terminal.pid, signal.SIGTERM), 143),
    "the terminal closes": (lambda terminal: terminal.hang_up(), 129),
    "q": (lambda terminal: terminal.press("q", "q", "q"), 0),
}


@pytest.mark.parametrize("way", WAYS_TO_GO)
def test_the_next_console_returns_to_the_same_view(engine: Demo, start: Start, way: str) -> None:
    go, code = WAYS_TO_GO[way]
    terminal = start()
    row = goes_to_volumes(terminal)
    go(terminal)
    began = time.monotonic()
    assert (ended(terminal) if terminal.fd < 0 else terminal.wait()) == code
    assert time.monotonic() - began < 3
    again = start()
    if way == "q":  # closed by hand: from the list below it
        again.until_text("ACTIVE", seconds=15)
        return
    again.until_text("/data", seconds=15)
    again.until(lambda: cursor_line(again) == row, 15, row)
    again.press("escape", "escape")  # the way back is there too
    again.until_text("ACTIVE", seconds=15)


def test_a_console_that_is_killed_loses_at_most_its_last_second(engine: Demo, start: Start) -> None:
    terminal = start()
    row = goes_to_volumes(terminal)
    wait_for(lambda: "volume" in str(saved(engine)))
    terminal.settle(1.2, 4)
    os.kill(terminal.pid, signal.SIGKILL)
    assert terminal.wait() == -signal.SIGKILL
    again = start()
    again.until(lambda: "/data" in again.text and cursor_line(again) == row, 15, row)


def test_a_suspended_console_wakes_up_to_the_present(engine: Demo, start: Start) -> None:
    """A laptop that was closed: what happened meanwhile is there without a key, and keys are all taken."""
    terminal = start()
    terminal.press(*":servers /zz-woke", "enter")
    terminal.until_text("/zz-woke", "0 match", seconds=15)
    os.kill(terminal.pid, signal.SIGSTOP)
    name = rename(engine, "zz-woke-up")
    assert name not in terminal.text
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.until_text(name, seconds=15)
    terminal.press("?")
    terminal.until_text("help", seconds=10)


def test_keys_typed_while_it_was_suspended_are_taken_in_their_order(engine: Demo, start: Start) -> None:
    terminal = start()
    terminal.until_text("ACTIVE", seconds=15)
    os.kill(terminal.pid, signal.SIGSTOP)
    terminal.press(*":volumes /data", "enter")
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.until_text("volumes", "/data", seconds=15)


def test_an_engine_that_is_suspended_is_waited_for(engine: Demo, start: Start) -> None:
    terminal = start()
    terminal.until_text("ACTIVE", seconds=15)
    worker = engine.engine.worker()
    os.kill(worker, signal.SIGSTOP)
    try:
        terminal.press(*":volumes", "enter")
        terminal.until_text("waiting for the engine", seconds=15)
        terminal.press("?")  # keys that need no engine still work
        terminal.until_text("help", seconds=10)
        terminal.press("escape")
    finally:
        os.kill(worker, signal.SIGCONT)
    terminal.until_text("volumes", "in-use", seconds=20)


def test_a_clock_that_jumps_ends_nothing(engine: Demo, start: Start, tmp_path: Path) -> None:
    """The wall clock of the console leaps a day ahead and back: it stays, shows its list and takes keys."""
    jump = tmp_path / "sitecustomize.py"
    jump.write_text(
        "import os, time\n_real = time.time\n"
        "time.time = lambda: _real() + (86400 if os.path.exists(os.environ['JUMP']) else 0)\n"
    )
    flag = tmp_path / "jumped"
    terminal = start("env", f"PYTHONPATH={tmp_path}:{ROOT}", f"JUMP={flag}")
    terminal.until_text("ACTIVE", seconds=15)
    for there in (True, False):
        flag.touch() if there else flag.unlink()
        before = cursor_line(terminal)
        terminal.press("j")
        terminal.until(lambda before=before: cursor_line(terminal) not in ("", before), 10, "the cursor moves")
        terminal.settle(1.2, 3)
        assert "data " in terminal.text


def test_a_storm_of_resizes_ends_in_a_whole_screen(engine: Demo, start: Start) -> None:
    terminal = start()
    terminal.until_text("ACTIVE", seconds=15)
    dice = random.Random(1)
    for number in range(150):
        terminal.resize(dice.randint(20, 300), dice.randint(5, 80))
        if number % 10 == 0:
            terminal.press("j" if number % 20 else "k")
        terminal.read(0.01)
    terminal.resize(100, 24)
    terminal.settle(0.6, 10)
    fresh = start()
    # A new console on the same view draws what is left on the stormed one's screen.
    os.kill(terminal.pid, 0)
    fresh.until(lambda: cursor_line(fresh), 15, "a fresh console")

    def same() -> bool:
        terminal.read(0.0)
        return rows_of(terminal) == rows_of(fresh) and len(rows_of(fresh)) > 10

    terminal.press("g")
    fresh.press("g")
    try:
        fresh.until(same, 15, "the same rows")
    except AssertionError:
        raise AssertionError(f"stormed:\n{terminal.text}\nfresh:\n{fresh.text}") from None
    assert terminal.status is None


def rows_of(terminal: Terminal) -> list[str]:
    """The lines that hold rows, as far as their width does not depend on what was wider before."""
    return [line[3:16] for line in terminal.lines[3:-5]]


def test_smaller_than_anything_is_no_crash(engine: Demo, start: Start) -> None:
    terminal = start()
    terminal.until_text("ACTIVE", seconds=15)
    for columns, rows in ((1, 1), (2, 3), (20, 5), (300, 80), (3, 60), (300, 2), (100, 24)):
        terminal.resize(columns, rows)
        terminal.press("j")
        terminal.settle(0.1, 2)
    terminal.until_text("ACTIVE", "servers", seconds=15)


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """A tmux server of our own."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    socket = tmp_path / "tmux"

    def run(*words: str) -> str:
        command = ["tmux", "-f", "/dev/null", "-S", str(socket), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout

    yield run
    with contextlib.suppress(subprocess.CalledProcessError):
        run("kill-server")


def test_tmux_detach_and_attach(engine: Demo, start: Start, tmux: Callable[..., str], tmp_path: Path) -> None:
    """Detached it runs on; attached again, at another size, it is the same console with the same screen."""
    inner = f"exec {sys.executable} -c '{QDECK}' --engine {engine.socket}"
    tmux("new-session", "-d", "-x", "100", "-y", "24", "-s", "ops", "-c", str(ROOT), inner)

    def shown() -> str:
        return tmux("capture-pane", "-p", "-t", "ops")

    wait_for(lambda: "ACTIVE" in shown())
    outer = ["tmux", "-f", "/dev/null", "-S", str(tmp_path / "tmux"), "attach", "-t", "ops"]
    first = Terminal(outer, 100, 25)
    try:
        first.until_text("ACTIVE", seconds=15)
        first.press(*":volumes /data", "enter")
        first.until_text("volumes", "/data", seconds=15)
        tmux("detach-client", "-s", "ops")
        first.wait()
    finally:
        first.close()
    assert "/data" in shown()
    second = Terminal(outer, 140, 41)
    try:
        second.until_text("/data", seconds=15)
        before = cursor_line(second)
        second.press("j")
        second.until(lambda: cursor_line(second) not in ("", before), 15, "the cursor moves")
        assert len(shown().splitlines()) > 30
    finally:
        second.close()


MS, LOSS = 300, 0.01


def test_a_slow_line_that_loses_packets_loses_no_key(engine: Demo, start: Start) -> None:
    """300 ms there and back, one packet in a hundred lost: everything typed arrives, and one turn shows what it did."""
    terminal = start(*python("-m", "tests.tui.line.slow", str(MS), str(LOSS), "7"))
    row = goes_to_volumes(terminal, 30)
    took = []
    for _ in range(12):
        before = cursor_line(terminal)
        began = time.perf_counter()
        terminal.press("j")
        shown = terminal.until(lambda before=before: cursor_line(terminal) not in ("", before), 10, "a step")
        took.append(shown - began)
        terminal.settle(0.05, 0.5)
    # A lost packet costs more than one turn; most keys cost one, and what the console adds.
    assert sorted(took)[len(took) // 2] < MS / 1000 + 0.25, took
    terminal.press(*"k" * 12)
    terminal.until(lambda: cursor_line(terminal) == row, 20, row)
    terminal.press(*":images /rocky", "enter")
    terminal.until_text("/rocky", "images", "rocky-9", seconds=20)
    # And when that line drops at last, nothing of it is lost either.
    terminal.settle(1.5, 6)
    terminal.hang_up()
    ended(terminal, 8)
    again = start()
    again.until_text("/rocky", "images", "rocky-9", seconds=15)


def rename(engine: Demo, name: str) -> str:
    """Another client renames a server in the cloud, which is then collected; answers the name."""
    import requests
    import yaml

    auth = yaml.safe_load((engine.control.parent / "clouds.yaml").read_text())["clouds"]["demo"]["auth"]
    who = {"name": auth["username"], "password": auth["password"], "domain": {"name": "Default"}}
    scope = {"project": {"name": auth["project_name"], "domain": {"name": "Default"}}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": who}}, "scope": scope}}
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(f"{auth['auth_url']}/auth/tokens", json=body, timeout=10)
        session.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
        catalog = answer.json()["token"]["catalog"]
        (url,) = [one["endpoints"][0]["url"] for one in catalog if one["type"] == "compute"]
        server = session.get(f"{url}/servers?all_tenants=1&limit=1", timeout=10).json()["servers"][0]["id"]
        done = session.put(f"{url}/servers/{server}", json={"server": {"name": name}}, timeout=10)
        assert done.status_code == 200, done.text
    engine.collect("server")
    return name
