"""Which engine a command means."""

import os
import socket
from pathlib import Path

import pytest

from engine.process.models import Home
from tui.api.errors import EngineUnavailable
from tui.api.target import Target, check_server, find
from tui.cli.options import GlobalOptions

ENV = {"HOME": "/h"}
PRIVATE = Home(Path("/h/.local/share/qdeck"))


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A shared engine's socket that admits us."""
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
    return path


@pytest.mark.parametrize(
    ("options", "env", "expected"),
    [
        (GlobalOptions(), {}, "shared"),
        (GlobalOptions(demo=True), {}, "/h/.local/share/qdeck/demo"),
        (GlobalOptions(demo=True, home=Path("/x")), {}, "/x/demo"),
        (GlobalOptions(home=Path("/x")), {}, "/x"),
        (GlobalOptions(), {"QDECK_HOME": "/y"}, "/y"),
        (GlobalOptions(engine="/run/other.sock"), {}, "/run/other.sock"),
        (GlobalOptions(engine="/run/other.sock", demo=True, home=Path("/x")), {"QDECK_HOME": "/y"}, "/run/other.sock"),
    ],
)
def test_the_order(shared: Path, options: GlobalOptions, env: dict[str, str], expected: str) -> None:
    target = find(options, ENV | env, shared)
    if expected == "shared":
        assert (target.socket, target.home, target.shared) == (shared, None, True)
    elif options.engine:
        assert (str(target.socket), target.home) == (expected, None)
    else:
        assert target.home == Home(Path(expected))
        assert target.socket == Home(Path(expected)).socket


def test_a_file_is_no_shared_engine(tmp_path: Path) -> None:
    (tmp_path / "engine.sock").write_text("")
    assert find(GlobalOptions(), ENV, tmp_path / "engine.sock").home == PRIVATE
    assert find(GlobalOptions(), ENV, tmp_path / "nothing").home == PRIVATE


def test_the_size_is_for_demos_only() -> None:
    assert find(GlobalOptions(demo=True, servers=500), ENV).servers == 500
    assert find(GlobalOptions(servers=500, home=Path("/x")), ENV).servers is None


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://deck.example.org", ("deck.example.org", 443, True)),
        ("https://[::1]:8443/", ("::1", 8443, True)),
        ("http://localhost:8080", ("localhost", 8080, False)),
    ],
)
def test_addresses(address: str, expected: tuple[str, int, bool]) -> None:
    target = find(GlobalOptions(engine=address), ENV | {"QDECK_TOKEN": "t"})
    assert (target.host, target.port, target.tls) == expected
    assert (target.token, target.home, target.socket) == ("t", None, None)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://deck.example.org", "in clear"),
        ("ftp://x", "no engine's address"),
        ("https://x:port", None),
        ("https://", "no engine's address"),
        ("https://x/path", "no engine's address"),
    ],
)
def test_addresses_that_are_none(address: str, words: str | None) -> None:
    if words is None:
        assert find(GlobalOptions(engine=address), ENV).port == 443
        return
    with pytest.raises(EngineUnavailable, match=words):
        find(GlobalOptions(engine=address), ENV)


def test_who_may_serve_where(tmp_path: Path) -> None:
    own, stranger = os.getuid(), 64001
    private = Target(socket=tmp_path / "s", home=PRIVATE)
    check_server(private, own)
    with pytest.raises(EngineUnavailable, match="taken the engine's place"):
        check_server(private, stranger)
    tmp_path.chmod(0o755)
    shared = Target(socket=tmp_path / "s", shared=True)
    check_server(shared, own)
    check_server(shared, 0)
    with pytest.raises(EngineUnavailable):
        check_server(shared, stranger)
    if own == 0:
        os.chown(tmp_path, stranger, stranger)
        check_server(shared, stranger)
        tmp_path.chmod(0o777)
        with pytest.raises(EngineUnavailable):
            check_server(shared, stranger)
