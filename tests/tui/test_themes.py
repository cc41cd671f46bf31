"""Colours: readable by numbers, chosen by what the terminal says of itself, and never the only thing that tells."""

import pytest

from tests.tui.fake import FakeClient
from tests.tui.screen import console, lines, until_text
from tui.themes.palette import DECORATION, NAMES, PALETTES, choose, contrast, readable

LEAST = {"dark": 4.5, "light": 4.5, "contrast": 7.0}
CASES = [(name, role) for name in LEAST for role in PALETTES[name].plain if role not in DECORATION]


@pytest.mark.parametrize(("name", "role"), CASES)
def test_every_text_can_be_read(name: str, role: str) -> None:
    for style in (PALETTES[name].plain[role], PALETTES[name].cursor[role]):
        assert style.color and style.bgcolor
        assert contrast(style.color.name, style.bgcolor.name) >= LEAST[name], (name, role, style)


@pytest.mark.parametrize(
    ("first", "second", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#0000ff", "#ffffff", 8.59),
        ("#abcdef",) * 2 + (1.0,),
    ],
)
def test_contrast_is_that_of_wcag(first: str, second: str, ratio: float) -> None:
    assert contrast(first, second) == pytest.approx(ratio, abs=0.01) == contrast(second, first)


def test_a_colour_that_can_be_read_stays_as_it_is() -> None:
    assert readable("#ffffff", "#000000", 7) == "#ffffff"
    assert contrast(readable("#222222", "#000000", 7), "#000000") >= 7


@pytest.mark.parametrize(
    ("env", "name"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "dark"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "SSH_TTY": "/dev/pts/1"}, "ansi"),
        ({"TERM": "screen"}, "ansi"),
        ({"TERM": "tmux-256color"}, "ansi"),
        ({"TERM": "linux"}, "ansi"),
        ({"TERM": "dumb"}, "none"),
        ({"TERM": "xterm", "NO_COLOR": "1", "COLORTERM": "truecolor"}, "none"),
        ({"TERM": "linux", "QDECK_THEME": "contrast"}, "contrast"),
        ({"TERM": "linux", "QDECK_THEME": "no such"}, "ansi"),
    ],
)
def test_the_theme_fits_the_terminal(env: dict[str, str], name: str) -> None:
    assert choose(env) == name


async def test_a_theme_can_be_chosen_and_says_the_same_words() -> None:
    async with console(FakeClient(40)) as (app, pilot):
        await until_text(pilot, "ERROR")
        shown = set()
        for name in NAMES:
            await pilot.press("colon", *"theme", "space", *name, "enter")
            assert app.theme_name == name
            await until_text(pilot, "ERROR")
            shown.add("\n".join(lines(app)[2:20]))
        assert len(shown) == 1
