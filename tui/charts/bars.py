"""Bars of block characters: how much of something is used. Pure text, so that no colour is needed to read them."""

from __future__ import annotations

FULL, EMPTY, NOTHING = "█", "░", "·"
HALF = "▌"


def bar(percent: float | None, cells: int) -> str:
    """A bar of exactly `cells` cells: 0 to 100 percent, in half cells; more than nothing shows, less than full too.

    None (not known) is a row of dots.
    """
    if cells <= 0:
        return ""
    if percent is None or percent != percent:
        return NOTHING * cells
    share = max(0.0, min(100.0, percent)) / 100
    halves = round(share * cells * 2)
    if share > 0:
        halves = max(1, halves)
    if share < 1:
        halves = min(cells * 2 - 1, halves)
    full, half = divmod(halves, 2)
    return FULL * full + HALF * half + EMPTY * (cells - full - half)


def number(value: float | None, digits: int = 0) -> str:
    """71%, 94.1%; "?" when it is not known."""
    if value is None or value != value:
        return "?"
    return f"{value:.{digits}f}%"


def level(percent: float | None, warning: float = 70.0, critical: float = 85.0) -> str:
    """How bad it is to be so full: ok, warn, bad, or none when it is not known."""
    if percent is None or percent != percent:
        return "none"
    return "bad" if percent > critical else "warn" if percent > warning else "ok"
