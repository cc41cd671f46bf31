"""How the guard says no."""

from __future__ import annotations

from store import formulas


class Refused(Exception):
    """The statement is not run. The message is one or two sentences for the model that wrote it: what is wrong and what
    it may do instead. It names nothing but what the model wrote itself and what it may use."""


def shown(text: object) -> str:
    """What a model wrote, for a sentence: in quotes, on one line, short, and without anything that acts on a screen."""
    flat = " ".join(formulas.inert(str(text)).split())
    return f'"{flat[:60]}…"' if len(flat) > 60 else f'"{flat}"'
