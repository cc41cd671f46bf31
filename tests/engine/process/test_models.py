"""Where an engine's files lie, and what is safe there."""

import os
import tomllib
from pathlib import Path

import pytest

from engine.process import models
from engine.process.models import VERSION, Home, folder_fault
from tests.engine.process.running import ROOT


@pytest.mark.parametrize(
    ("env", "demo", "expected"),
    [
        ({"HOME": "/h"}, False, "/h/.local/share/qdeck"),
        ({"HOME": "/h"}, True, "/h/.local/share/qdeck/demo"),
        ({"HOME": "/h", "XDG_DATA_HOME": "/d"}, False, "/d/qdeck"),
        ({"HOME": "/h", "XDG_DATA_HOME": "/d", "QDECK_HOME": "/q"}, False, "/q"),
        ({"HOME": "/h", "QDECK_HOME": "/q/../r"}, True, "/r/demo"),
    ],
)
def test_home_is_found_by_the_environment(env: dict[str, str], demo: bool, expected: str) -> None:
    assert Home.find(demo, env).path == Path(expected)


def test_files_beside_the_database_carry_the_hosts_name(monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(Path("/srv/q"))
    here = {home.socket, home.lock, home.status}
    monkeypatch.setattr(models, "host_name", lambda: "another")
    assert not here & {home.socket, home.lock, home.status}
    assert {path.parent for path in here} == {home.path}


@pytest.mark.parametrize(("length", "beside"), [(70, True), (86, True), (87, False), (300, False)])
def test_a_long_socket_path_goes_to_a_folder_of_the_users(
    monkeypatch: pytest.MonkeyPatch, length: int, beside: bool
) -> None:
    monkeypatch.setattr(models, "host_name", lambda: "h")  # "/engine-h.sock" is 14 bytes
    home = Home(Path("/" + "x" * (length - 1)))
    socket = home.socket
    assert (socket.parent == home.path) is beside
    assert len(os.fsencode(socket)) <= models.MOST_SOCKET_BYTES
    if not beside:
        assert socket.parent == Path(f"/tmp/qdeck-{os.getuid()}")
        assert Home(Path("/" + "y" * (length - 1))).socket != socket


def test_bytes_count_and_not_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "host_name", lambda: "h")
    assert Home(Path("/" + "ü" * 60)).socket.parent != Path("/" + "ü" * 60)


@pytest.mark.parametrize(("mode", "safe"), [(0o700, True), (0o755, True), (0o770, False), (0o707, False)])
def test_folders_that_others_write_to_are_not_safe(tmp_path: Path, mode: int, safe: bool) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    folder.chmod(mode)
    assert (folder_fault(folder) is None) is safe


def test_a_link_is_no_safe_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert folder_fault(tmp_path / "link")


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to make another user's folder")
def test_a_strangers_folder_is_not_safe(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir(mode=0o700)
    os.chown(folder, 64002, 64002)
    assert "64002" in (folder_fault(folder) or "")


def test_the_version_is_the_packages() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION
