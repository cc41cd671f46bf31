"""How a step says that it failed."""

from __future__ import annotations


class Failed(Exception):
    """The step failed; `detail` is one sentence: what happened, what it means, what to do."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Cancelled(Failed):
    """The job was cancelled while the step waited, or before it asked for anything new."""
