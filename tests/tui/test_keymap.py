"""The operator's own keys: put in force from a file; what can't be used is said, and the rest works."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.fake import FakeClient
from tests.tui.screen import console, lines, text, until, until_text
from tui.actions import ACTIONS, key_named, reserved, symbol
from tui.keymap import Keymap, file_of, overlaps, read


def keys(keymap: Keymap, id: str) -> tuple[str, ...]:
    return next(action.keys for action in keymap.actions if action.id == id)


def written(folder: Path, text: str) -> Keymap:
    file = folder / "keys.toml"
    file.write_text(text, encoding="utf-8")
    return read(file)


def test_keys_of_a_file_take_the_place_of_the_usual_ones(tmp_path: Path) -> None:
    found = written(tmp_path, "# mine\nsort = 'z'\nwide = ['o', 'F5']\n\"mark-all\" = 'é'\npause = []\n")
    assert found.problems == ()
    assert keys(found, "sort") == ("z",)
    assert keys(found, "wide") == ("o", "f5")
    assert keys(found, "mark_all") == ("é",)
    assert keys(found, "pause") == ()
    assert keys(found, "open") == ("enter",)
    assert found.changed == {"sort", "wide", "mark_all", "pause"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sort = 'j'", "j means down"),
        ("sort = 'ctrl+b'", "taken by terminals"),
        ("sort = 'alt+1'", "taken by terminals"),
        ("sort = '~'", "taken by terminals"),
        ("sort = 'wobble'", "'wobble' is no key"),
        ("sort = 7", "is a key or a list of keys"),
        ("sort = ['x', 7]", "is a key or a list of keys"),
        ("no_such_thing = 'x'", "no_such_thing is no action"),
        ("command = []", "command needs a key"),
    ],
)
def test_what_cannot_be_used_is_refused_with_file_and_line(tmp_path: Path, line: str, words: str) -> None:
    found = written(tmp_path, f"\nwide = 'é'\n{line}\n")
    (problem,) = found.problems
    assert f"{tmp_path / 'keys.toml'} line 3: " in problem
    assert words in problem
    assert keys(found, "wide") == ("é",)
    assert keys(found, "sort") == ("o",)


@pytest.mark.parametrize("text", ["sort = ", "\x00", "sort = 'a'\nsort = 'b'", "x" * 100_000])
def test_a_file_that_is_none_leaves_the_usual_keys(tmp_path: Path, text: str) -> None:
    found = written(tmp_path, text)
    assert found.actions == ACTIONS
    assert len(found.problems) == 1
    assert str(tmp_path) in found.problems[0]


def test_no_file_is_no_problem(tmp_path: Path) -> None:
    assert read(None) == Keymap()
    assert read(tmp_path / "keys.toml") == Keymap(file=tmp_path / "keys.toml")
    assert file_of({"XDG_CONFIG_HOME": "/c", "HOME": "/h"}) == Path("/c/qdeck/keys.toml")
    assert file_of({"HOME": "/h"}) == Path("/h/.config/qdeck/keys.toml")
    assert file_of({}) is None


IDS = [action.id for action in ACTIONS]
WORDS = st.sampled_from([*"abcxyzGNj0:/?", "pgdn", "esc", "ctrl+a", "é", "f7", "", "wobble"])


@given(st.dictionaries(st.sampled_from(IDS), st.one_of(WORDS, st.lists(WORDS, max_size=3)), max_size=8))
def test_whatever_a_file_says_no_key_means_two_things(tmp_path_factory: pytest.TempPathFactory, wanted: dict) -> None:  # type: ignore[type-arg]
    lines = [f"{id} = {value!r}" for id, value in wanted.items()]
    found = written(tmp_path_factory.mktemp("keys"), "\n".join(lines))
    assert overlaps(found.actions) == []
    assert not any(reserved(key) for action in found.actions for key in action.keys)
    assert all(keys(found, needed) for needed in ("command", "step_back", "close"))
    assert len(found.problems) + len(found.changed) == len(wanted)


@pytest.mark.parametrize("key", sorted({key for action in ACTIONS for key in action.keys}))
def test_what_is_written_on_a_key_names_it(key: str) -> None:
    arrows = {"↓": "down", "↑": "up", "←": "left", "→": "right", "shift ↓": "shift down", "shift ↑": "shift up"}
    assert key_named(arrows.get(symbol(key), symbol(key))) == key


async def test_own_keys_work_and_are_what_footer_help_and_list_of_keys_show(tmp_path: Path) -> None:
    keymap = written(tmp_path, "sort = 'z'\nwide = 'é'\nhelp = 'j'\n")
    async with console(FakeClient(30), size=(240, 60), keymap=keymap) as (app, pilot):
        await until_text(pilot, ":keys shows what is not used: keys.toml line 3: j means down", " z sort", " é wide")
        await pilot.press("z")
        await until(pilot, lambda: app.pane.view.sort)
        await pilot.press("o")
        assert len(app.pane.view.sort) == 1
        await pilot.press("question_mark")
        await until(pilot, lambda: any(line.split() == ["é", "wide", "or", "narrow", "columns"] for line in lines(app)))
        await pilot.press("q", "colon", *"keys", "enter")
        await until_text(pilot, "✖ not used", "ACTION", "USUALLY")
        await pilot.press("j")
        assert str(tmp_path) in text(app)


def test_the_example_of_the_guide_can_be_used(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "keys.md").read_text(encoding="utf-8")
    example = page.partition("```toml")[2].partition("```")[0]
    found = written(tmp_path, example)
    assert found.problems == ()
    assert len(found.changed) == example.count("=")
