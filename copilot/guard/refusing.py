"""How the guard says no."""

from __future__ import annotations

from store import formulas


class Refused(Exception):
    """The statement is not run. The message is one or two sentences for the model that wrote it: what is wrong and what
    it may do instead. It names nothing but what the model wrote itself and what it may use.

    peak   bytes of memory that the process in which it ran took at most; 0 when it never ran
    """

    peak = 0


class Failed(Exception):
    """DuckDB's error: `kind` is its class, or "memory"."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


def shown(text: object) -> str:
    """What a model wrote, for a sentence: in quotes, on one line, short, and without anything that acts on a screen."""
    flat = " ".join(formulas.inert(str(text)).split())
    return f'"{flat[:60]}…"' if len(flat) > 60 else f'"{flat}"'
