"""Cells of a heatmap: shades that are told apart without colour."""

from __future__ import annotations

SHADES = " ░▒▓█"
UNKNOWN = "?"


def shade(percent: float | None) -> str:
    """One character for 0 to 100: the fuller the darker; "?" when it is not known. Nothing is blank only at 0."""
    if percent is None or percent != percent:
        return UNKNOWN
    if percent <= 0:
        return SHADES[0]
    return SHADES[min(len(SHADES) - 1, 1 + int(min(100.0, percent) / 100 * (len(SHADES) - 1) * 0.9999))]


def style(percent: float | None) -> str:
    """The colour beside the shade: much in use is good here, so it is no warning."""
    if percent is None or percent != percent:
        return "muted"
    return "accent" if percent >= 50 else "text" if percent >= 25 else "muted"
