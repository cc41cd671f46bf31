"""Colours of the console: one palette per theme, from the meaning of a text to its style.

Colour never carries anything that a word or a glyph doesn't carry too: the palette without colours shows the same
console.
`ansi` uses the terminal's own sixteen colours and background: it fits every terminal and costs the fewest bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from rich.style import Style

NAMES = ("dark", "light", "ansi", "none")
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


def _true_colour(name: str, c: Mapping[str, str]) -> Palette:
    def style(color: str, bg: str = "bg", **attributes: Any) -> Style:
        return Style(color=c[color], bgcolor=c[bg], **attributes)

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
        "key": style("accent", bold=True),
        "error": style("bad", bold=True),
        "input": style("bg", "text"),
        **{level: style(level) for level in LEVELS},
    }
    cursor = {key: Style.combine((value, Style(bgcolor=c["cursor"]))) for key, value in plain.items()}
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

PALETTES: Mapping[str, Palette] = MappingProxyType(
    {
        "dark": _true_colour("dark", _DARK),
        "light": _true_colour("light", _LIGHT),
        "ansi": _terminal("ansi", colours=True),
        "none": _terminal("none", colours=False),
    }
)


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
