"""The unit of an engine that a host's operators share: valid, and in step with what the program understands."""

from __future__ import annotations

import configparser
import os
import shutil
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from engine.process import main
from engine.process.models import SHARED_SOCKET, Exit
from tests.engine.process.running import ROOT, Engine, temporary_home

UNIT = ROOT / "docs" / "systemd" / "qdeck-engine.service"


@pytest.fixture(scope="module")
def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT)
    return parser


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    # The program named in it need not be installed here: a stand-in has its place.
    program = tmp_path / "qdeck"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/usr/local/bin/qdeck", str(program)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)],
        capture_output=True, text=True, timeout=60, env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert not ours


def test_the_paths_are_those_of_the_program(unit: configparser.ConfigParser) -> None:
    service = unit["Service"]
    assert f"/run/{service['RuntimeDirectory']}/engine.sock" == str(SHARED_SOCKET)
    assert int(service["RuntimeDirectoryMode"], 8) & 0o022 == 0, "only the engine's user may put a socket there"
    words = service["ExecStart"].split()
    assert words[1:] == [
        "--home", f"/var/lib/{service['StateDirectory']}", "engine", "run", "--socket", str(SHARED_SOCKET)
    ]  # fmt: skip


def test_the_command_line_is_understood(unit: configparser.ConfigParser, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the unit's words to the arguments of the engine's process."""
    from typer.testing import CliRunner

    from tui.cli.commands import app

    ran: list[list[str]] = []

    def execv(path: str, words: list[str]) -> None:
        ran.append(words)
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", execv)
    result = CliRunner().invoke(app, unit["Service"]["ExecStart"].split()[1:])
    assert result.exit_code == 0, result.output
    (words,) = ran
    options = main.arguments(words[words.index("run") :])
    assert (options.home, options.socket, options.background) == (Path("/var/lib/qdeck"), SHARED_SOCKET, False)


def test_failures_that_stay_are_not_tried_again(unit: configparser.ConfigParser) -> None:
    codes = {int(code) for code in unit["Service"]["RestartPreventExitStatus"].split()}
    assert codes == {int(code) for code in Exit if code >= Exit.ALREADY_RUNNING}


def test_the_capabilities_that_are_taken_away_are_not_needed(unit: configparser.ConfigParser) -> None:
    """Without any capability a member of a group may still give his socket to that group."""
    assert unit["Service"]["CapabilityBoundingSet"] == ""
    assert unit["Service"]["User"] == unit["Service"]["Group"], "the socket's group is the user's own"


@pytest.mark.faults
def test_the_engine_tells_systemd_when_it_is_ready() -> None:
    with temporary_home() as home:
        home.path.parent.chmod(0o700)
        address = home.path.parent / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(str(address))
            listener.settimeout(30)
            one = Engine(home, env={"NOTIFY_SOCKET": str(address)})
            try:
                assert "READY=1" in listener.recv(4096).decode()
                one.until_running()
                environment = Path(f"/proc/{one.worker()}/environ")
                assert stat.S_ISSOCK(home.socket.stat().st_mode) and environment.exists()
                one.process.terminate()
                assert "STOPPING=1" in listener.recv(4096).decode()
            finally:
                one.close()
