"""How the console starts: what it imports, what it sets, what it asks before it is there."""

import subprocess
import sys
from pathlib import Path

import pytest

from tui.app import colours_of, prepare
from tui.state import DEFAULT, History, View, column_named, view_of_json, view_of_text
from tui.themes.palette import PALETTES, choose

HEAVY = (
    "duckdb",
    "pyarrow",
    "openstack",
    "keystoneauth1",
    "pydantic",
    "httpx",
    "sqlalchemy",
    "fastapi",
    "yaml",
    "typer",
)


def loaded(module: str) -> set[str]:
    """Top-level packages that importing a module loads."""
    code = f"import sys, {module}; print(' '.join({{m.partition('.')[0] for m in sys.modules}}))"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    return set(done.stdout.split())


def test_the_console_imports_nothing_heavy() -> None:
    assert not loaded("tui.console").intersection(HEAVY)


def test_the_way_in_does_not_even_import_textual() -> None:
    packages = loaded("tui.app, tui.early, tui.api.transport, tui.api.http")
    assert not packages.intersection((*HEAVY, "textual", "rich"))


@pytest.mark.parametrize("pane", ["resources", "dashboard"])
def test_the_first_frame_needs_neither_textual_nor_a_loop(pane: str) -> None:
    packages = loaded(f"tui.app, tui.frame, tui.takeover, tui.panes.{pane}")
    assert not packages.intersection((*HEAVY, "textual", "asyncio"))


def test_of_panes_and_dialogs_the_console_loads_the_list_of_resources_only() -> None:
    code = "import sys, tui.console; print(*(m for m in sys.modules if m.startswith(('tui.panes.', 'tui.dialogs.'))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"tui.panes.make", "tui.panes.pane", "tui.panes.resources"}


@pytest.mark.parametrize(
    ("env", "system"),
    [
        ({"COLORTERM": "truecolor", "TERM": "xterm"}, "truecolor"),
        ({"COLORTERM": "24bit"}, "truecolor"),
        ({"TERM": "xterm-256color"}, "256"),
        ({"TERM": "xterm-kitty"}, "256"),
        ({"TERM": "screen-16color"}, "standard"),
        ({"TERM": "vt100"}, "standard"),
    ],
)
def test_colours_are_counted_as_rich_counts_them(env: dict[str, str], system: str) -> None:
    from rich.console import Console

    assert colours_of(env) == system == Console(_environ=env, force_terminal=True).color_system


@pytest.mark.parametrize(
    ("env", "theme"),
    [
        ({}, "ansi"),
        ({"COLORTERM": "truecolor"}, "dark"),
        ({"COLORTERM": "truecolor", "SSH_TTY": "/dev/pts/1"}, "ansi"),
        ({"NO_COLOR": "1", "COLORTERM": "truecolor"}, "none"),
        ({"QDECK_THEME": "light", "NO_COLOR": "1"}, "light"),
        ({"QDECK_THEME": "nonsense"}, "ansi"),
        ({"TERM": "dumb"}, "none"),
    ],
)
def test_theme(env: dict[str, str], theme: str) -> None:
    assert choose(env) == theme


def test_every_palette_has_the_same_styles() -> None:
    first = set(PALETTES["dark"].plain)
    for palette in PALETTES.values():
        assert set(palette.plain) == set(palette.cursor) == first
    for style in (*PALETTES["none"].plain.values(), *PALETTES["none"].cursor.values()):
        assert style.color is None and style.bgcolor is None


@pytest.mark.parametrize(
    ("env", "fps", "mouse"),
    [({}, None, True), ({"SSH_CONNECTION": "1"}, "15", False), ({"QDECK_MOUSE": "off"}, None, False)],
)
def test_bytes_are_saved_over_ssh(env: dict[str, str], fps: str | None, mouse: bool) -> None:
    assert prepare(env) is mouse
    assert env.get("TEXTUAL_FPS") == fps
    assert env["TEXTUAL_ANIMATIONS"] == "none"


def test_views_survive_json() -> None:
    history = History()
    history.open(View("list", "server", "web", (("name", True),), ("prod",), cursor=("c", "r", "id"), line=3))
    history.open(View("detail", "server", subject=("c", "r", "id")))
    import json

    again = History.from_json(json.loads(json.dumps(history.to_json("dark"))))
    assert again.views == history.views and again.index == 1


@pytest.mark.parametrize(
    "data",
    [
        None,
        3,
        {"kind": "list"},
        {"kind": "list", "type": "nothing"},
        {"kind": "x"},
        {"kind": "list", "type": "server", "filter": 3},
    ],
)
def test_a_view_that_makes_no_sense_is_none(data: object) -> None:
    assert view_of_json(data) is None


def test_history_forgets_what_lay_ahead() -> None:
    history = History()
    for type in ("server", "volume", "image"):
        history.open(View("list", type))
    history.step(-1)
    history.open(View("list", "port"))
    assert [view.type for view in history.views] == ["server", "volume", "port"]
    assert history.step(1) is None


@pytest.mark.parametrize("text", ["servers", "volumes /error sort:name:desc @prod-eu", "servers /web status:error"])
def test_a_view_and_its_words(text: str) -> None:
    view = view_of_text(text, DEFAULT)
    assert view_of_text(view.text(), DEFAULT) == view


def test_a_column_may_be_called_by_its_head() -> None:
    assert column_named("server", "age") == "created_at"
    assert column_named("server", "vcpus") == "vcpus"
    assert column_named("server", "nothing") == "nothing"
