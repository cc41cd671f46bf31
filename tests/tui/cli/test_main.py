"""Which command lines open the app, without the command parser."""

from pathlib import Path

import pytest

from tui.cli.main import app_options
from tui.cli.options import GlobalOptions


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], GlobalOptions()),
        (["--demo"], GlobalOptions(demo=True)),
        (["--demo", "--servers", "500"], GlobalOptions(demo=True, servers=500)),
        (["--servers=500", "--home=/x"], GlobalOptions(servers=500, home=Path("/x"))),
        (["--engine", "/run/e.sock"], GlobalOptions(engine="/run/e.sock")),
        (["ls", "servers"], None),
        (["--help"], None),
        (["--demo", "ls", "servers"], None),
        (["--servers"], None),
        (["--demo", "--past", "7"], GlobalOptions(demo=True, past=7)),
        (["--demo", "--past=0", "--servers=9"], GlobalOptions(demo=True, past=0, servers=9)),
        (["--demo", "--past", "31"], None),
        (["--servers", "many"], None),
        (["--demo=yes"], None),
    ],
)
def test_global_options_alone_open_the_app(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: GlobalOptions | None
) -> None:
    for name in ("QDECK_ENGINE", "QDECK_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert app_options(arguments) == expected


def test_environment_names_the_engine_and_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDECK_ENGINE", "/run/other.sock")
    monkeypatch.setenv("QDECK_HOME", "/srv/deck")
    assert app_options([]) == GlobalOptions(engine="/run/other.sock", home=Path("/srv/deck"))


def test_completion_goes_to_the_command_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_QDECK_COMPLETE", "complete_bash")
    assert app_options([]) is None
