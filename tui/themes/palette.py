"""Colours of the console: one palette per theme, from the meaning of a text to its style.

Colour never carries anything that a word or a glyph doesn't carry too: the palette without colours shows the same
console.
`ansi` uses the terminal's own sixteen colours and background: it fits every terminal and costs the fewest bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from rich.style import Style

NAMES = ("dark", "light", "contrast", "ansi", "none")
DECORATION = ("rule",)  # says nothing, so it may be faint
LEVELS = ("ok", "idle", "warn", "busy", "bad", "none")


@dataclass(frozen=True, slots=True)
class Palette:
    """Styles of texts in lines (`plain`) and the same under the cursor (`cursor`). `css` gives Textual its
    colours."""

    name: str
    plain: Mapping[str, Style]
    cursor: Mapping[str, Style]
    css: Mapping[str, str]
    native: bool  # drawn with the terminal's own colours

    def __getitem__(self, name: str) -> Style:
        return self.plain[name]


def contrast(first: str, second: str) -> float:
    """Ratio of luminances of two colours (#rrggbb) as WCAG 2 defines it: 1 to 21."""
    dark, light = sorted((_luminance(first), _luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def readable(color: str, on: str, least: float) -> str:
    """The colour, made lighter or darker as far as it must be to have that contrast."""
    end = 255 if _luminance(on) < 0.18 else 0
    parts = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
    for step in range(21):
        moved = "#" + "".join(f"{round(part + (end - part) * step / 20):02x}" for part in parts)
        if contrast(moved, on) >= least:
            return moved
    return moved


def _true_colour(name: str, c: Mapping[str, str], least: float = 4.5) -> Palette:
    """least: contrast that every text has, also under the cursor"""

    def style(color: str, bg: str = "bg", **attributes: Any) -> Style:
        shown = c[color] if color in DECORATION else readable(c[color], c[bg], least)
        return Style(color=shown, bgcolor=c[bg], **attributes)

    def under_cursor(style: Style) -> Style:
        color = style.color.name if style.color else c["text"]
        return style + Style(color=readable(color, c["cursor"], least), bgcolor=c["cursor"])

    plain = {
        "text": style("text"),
        "muted": style("muted"),
        "head": style("muted", bold=True),
        "head_cursor": style("accent", bold=True, underline=True),
        "accent": style("accent"),
        "strong": style("text", bold=True),
        "mark": style("mark", bold=True),
        "gone": style("muted", strike=True),
        "rule": style("rule"),
        "bar": style("bar_text", "bar"),
        "bar_strong": style("text", "bar", bold=True),
        "bar_warn": style("warn", "bar", bold=True),
        "bar_muted": style("muted", "bar"),
        "bar_key": style("accent", "bar", bold=True),
        "key": style("accent", bold=True),
        "error": style("bad", bold=True),
        "input": style("bg", "text"),
        **{level: style(level) for level in LEVELS},
    }
    cursor = {key: under_cursor(value) for key, value in plain.items()}
    cursor["text"] = Style(color=c["cursor_text"], bgcolor=c["cursor"], bold=True)
    css = {
        "background": c["bg"], "surface": c["bg"], "panel": c["bar"], "foreground": c["text"], "primary": c["accent"],
        "warning": c["warn"], "error": c["bad"], "success": c["ok"], "accent": c["accent"],
    }  # fmt: skip
    return Palette(name, MappingProxyType(plain), MappingProxyType(cursor), MappingProxyType(css), native=False)


def _terminal(name: str, colours: bool) -> Palette:
    def style(color: str, **attributes: Any) -> Style:
        return Style(color=color if colours and color else None, **attributes)

    plain = {
        "text": Style.null(),
        "muted": style("", dim=True),
        "head": style("", bold=True),
        "head_cursor": style("cyan", bold=True, underline=True),
        "accent": style("cyan"),
        "strong": style("", bold=True),
        "mark": style("magenta", bold=True),
        "gone": style("", strike=True, dim=True),
        "rule": style("", dim=True),
        "bar": style("", reverse=True),
        "bar_strong": style("", reverse=True, bold=True),
        "bar_warn": style("", reverse=True, bold=True),
        "bar_muted": style("", reverse=True),
        "bar_key": style("", reverse=True, bold=True),
        "key": style("cyan", bold=True),
        "error": style("red", bold=True),
        "input": style("", reverse=True),
        "ok": style("green"),
        "idle": style("", dim=True),
        "warn": style("yellow"),
        "busy": style("yellow"),
        "bad": style("red", bold=True),
        "none": style("", dim=True),
    }
    reverse = Style(reverse=True)
    cursor = {key: reverse if value.dim else Style.combine((value, reverse)) for key, value in plain.items()}
    cursor["gone"] = Style(reverse=True, strike=True)
    for level in LEVELS:  # a block of colour inside the bar of the cursor says less than the glyph does
        cursor[level] = Style(reverse=True, bold=True)
    css = {
        "background": "ansi_default", "surface": "ansi_default", "panel": "ansi_default", "foreground":
        "ansi_default",
        "primary": "ansi_cyan" if colours else "ansi_default", "warning": "ansi_yellow" if colours else
        "ansi_default",
        "error": "ansi_red" if colours else "ansi_default", "success": "ansi_green" if colours else "ansi_default",
        "accent": "ansi_cyan" if colours else "ansi_default",
    }  # fmt: skip
    return Palette(name, MappingProxyType(plain), MappingProxyType(cursor), MappingProxyType(css), native=True)


_DARK = {
    "bg": "#10151c", "text": "#d3dae3", "muted": "#7d8896", "rule": "#2b3542", "accent": "#6cb6ff", "mark": "#d2a8ff",
    "bar": "#1b2430", "bar_text": "#b6c2cf", "cursor": "#24456b", "cursor_text": "#ffffff",
    "ok": "#57ab5a", "idle": "#8b96a5", "warn": "#e3b341", "busy": "#e3b341", "bad": "#ff7b72", "none": "#7d8896",
}  # fmt: skip
_LIGHT = {
    "bg": "#fbfcfd", "text": "#1f2933", "muted": "#66717e", "rule": "#cfd7df", "accent": "#0a5fb4", "mark": "#7a3db8",
    "bar": "#e6ecf2", "bar_text": "#3a4754", "cursor": "#c5dcf5", "cursor_text": "#0b1a2a",
    "ok": "#1a7f37", "idle": "#66717e", "warn": "#8a5a00", "busy": "#8a5a00", "bad": "#c62828", "none": "#66717e",
}  # fmt: skip

_CONTRAST = {
    "bg": "#000000", "text": "#ffffff", "muted": "#d0d0d0", "rule": "#808080", "accent": "#66d9ff", "mark": "#ff9cff",
    "bar": "#1c1c1c", "bar_text": "#ffffff", "cursor": "#ffe14d", "cursor_text": "#000000",
    "ok": "#6dff8b", "idle": "#d0d0d0", "warn": "#ffd24a", "busy": "#ffd24a", "bad": "#ff9a94", "none": "#d0d0d0",
}  # fmt: skip

_MAKERS: Mapping[str, Callable[[], Palette]] = {
    "dark": lambda: _true_colour("dark", _DARK),
    "light": lambda: _true_colour("light", _LIGHT),
    "contrast": lambda: _true_colour("contrast", _CONTRAST, least=7.0),
    "ansi": lambda: _terminal("ansi", colours=True),
    "none": lambda: _terminal("none", colours=False),
}


class _Palettes(Mapping[str, Palette]):
    """All palettes by name; one is made when it is first asked for, as one console shows one of them."""

    def __init__(self) -> None:
        self._made: dict[str, Palette] = {}

    def __getitem__(self, name: str) -> Palette:
        if name not in self._made:
            self._made[name] = _MAKERS[name]()
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in _MAKERS

    def __iter__(self) -> Iterator[str]:
        return iter(_MAKERS)

    def __len__(self) -> int:
        return len(_MAKERS)


PALETTES: Mapping[str, Palette] = _Palettes()


def kept_theme(session: Any, env: Mapping[str, str]) -> str:
    """The theme that was chosen on an earlier day; "" when none was, or the environment says another."""
    name = session.get("theme") if isinstance(session, Mapping) and not env.get("QDECK_THEME") else None
    return name if isinstance(name, str) and name in PALETTES else ""


def choose(env: Mapping[str, str]) -> str:
    """Name of the theme that fits the terminal, when nobody chose one.

    NO_COLOR means no colours. Over SSH, and where the terminal doesn't promise 24-bit colours, its own palette is
    used.
    """
    wanted = env.get("QDECK_THEME", "")
    if wanted in PALETTES:
        return wanted
    if env.get("NO_COLOR") or env.get("TERM") == "dumb":
        return "none"
    remote = bool(env.get("SSH_TTY") or env.get("SSH_CONNECTION"))
    return "dark" if env.get("COLORTERM") in ("truecolor", "24bit") and not remote else "ansi"
